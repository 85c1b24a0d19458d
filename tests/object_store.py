"""Object stores that tests reach by `s3://`, and a stand-in for one: moto's server on loopback, which speaks S3's protocol."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import fsspec
import pytest
import s3fs

from datagen.disk.storage import resolve

KEY, SECRET, BUCKET = "pagewheel", "pagewheel-secret", "corpus"
STAND_IN = f"""
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

moto = DomainDispatcherApplication(create_backend_app)

def store(environ, start):
    # moto takes any key, and bulk deletes as AWS does; MinIO's code asks for a header that no client of today sends
    refused = None
    if "Credential={KEY}/" not in environ.get("HTTP_AUTHORIZATION", ""):
        refused = "403 Forbidden", "InvalidAccessKeyId"
    elif "delete" in environ["QUERY_STRING"].split("&") and "HTTP_CONTENT_MD5" not in environ:
        refused = "400 Bad Request", "MissingContentMD5"
    if not refused:
        return moto(environ, start)
    start(refused[0], [("Content-Type", "application/xml")])
    if environ["REQUEST_METHOD"] == "HEAD":
        return []
    return [f"<Error><Code>{{refused[1]}}</Code><Message>refused</Message></Error>".encode()]

run_simple("127.0.0.1", 0, store, threaded=True)
"""


@contextmanager
def stand_in() -> Iterator[str]:
    """The address of moto's server, which refuses what real stores were seen to refuse."""
    server = subprocess.Popen([sys.executable, "-c", STAND_IN], stderr=subprocess.PIPE, text=True)
    address = next(m.group() for line in server.stderr if (m := re.search(r"http://127\.0\.0\.1:\d+", line)))
    drain = subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL)  # or its log would fill the pipe
    try:
        yield address
    finally:
        for process in (server, drain):
            process.kill()
            process.wait()


@contextmanager
def reached(address: str, key: str = KEY) -> Iterator[s3fs.S3FileSystem]:
    """`s3://` is the store at `address`, for this process and its children, until the block ends."""
    known = {"AWS_ENDPOINT_URL": address, "AWS_DEFAULT_REGION": "us-east-1"}
    known |= {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": SECRET}
    ours = fsspec.get_filesystem_class("s3")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in known.items():
            patch.setenv(name, value)
        ours.clear_instance_cache()
        yield resolve(f"s3://{BUCKET}")[0]
    ours.clear_instance_cache()

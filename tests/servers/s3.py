"""Object stores: Ceph's own gateway over a monitor and an OSD in memory, and MinIO's code as JuiceFS's gateway."""

import http.client
import itertools
import json
import os
import subprocess
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.object_store import KEY, SECRET
from tests.servers.processes import answers, free_port, need, running

JUICEFS = Path(__file__).parents[2] / ".venv/servers/bin/juicefs"
CEPH = """
[global]
fsid = {fsid}
keyring = {folder}/keyring
mon_host = v2:127.0.0.1:{monitor}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
run_dir = {folder}
admin_socket =
log_file = {folder}/$name.log
mon_cluster_log_file = {folder}/cluster.log
mon_data = {folder}/mon
mon_allow_pool_size_one = true
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 1500000000
osd_class_dir = {classes}
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
mon_max_pg_per_osd = 1000
osd_pool_default_pg_num = 8
rgw_data = {folder}/rgw
rgw_frontends = beast endpoint=127.0.0.1:{gateway}
"""


KEYRING = """
[mon.]
key = {key}
caps mon = "allow *"
[client.admin]
key = {key}
caps mon = "allow *"
caps osd = "allow *"
[osd.0]
key = {key}
caps mon = "allow profile osd"
caps osd = "allow *"
"""


@contextmanager
def ceph(folder: Path) -> Iterator[str]:
    """The address of Ceph's gateway, with a monitor and an OSD in memory behind it. Its files are in `folder`."""
    need("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
    monitor, gateway, fsid, osd = free_port(), free_port(), str(uuid.uuid4()), str(uuid.uuid4())
    (classes,) = Path("/usr/lib").glob("*/rados-classes")  # Ceph looks for them in /usr/lib64
    key = subprocess.check_output(["ceph-authtool", "--gen-print-key"], text=True).strip()
    (folder / "ceph.conf").write_text(CEPH.format(**locals()))
    (folder / "keyring").write_text(KEYRING.format(key=key))
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()

    def call(command: str) -> str:
        done = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def is_up() -> bool:
        return json.loads(call("ceph -c ceph.conf osd stat -f json"))["num_up_osds"] == 1

    call(f"monmaptool --create --fsid {fsid} --addv a v2:127.0.0.1:{monitor} monmap")
    call("ceph-mon -c ceph.conf --mkfs -i a --monmap monmap --keyring keyring")
    address = f"http://127.0.0.1:{gateway}"
    with ExitStack() as stack:
        # What asks the monitor waits for it.
        stack.enter_context(running("ceph-mon -f -c ceph.conf -i a".split(), folder, lambda: True))
        call(f"ceph -c ceph.conf osd new {osd}")
        call(f"ceph-osd -c ceph.conf -i 0 --no-mon-config --mkfs --osd-uuid {osd}")
        stack.enter_context(running("ceph-osd -f -c ceph.conf -i 0".split(), folder, is_up))
        call(f"radosgw-admin -c ceph.conf user create --uid=x --display-name=x --access-key={KEY} --secret-key={SECRET}")
        command = "radosgw -f -c ceph.conf -n client.admin --no-mon-config"
        stack.enter_context(running(command.split(), folder, lambda: answers(address)))
        yield address


@contextmanager
def juicefs(folder: Path) -> Iterator[str]:
    """The address of JuiceFS's gateway, which is MinIO's code, over files in `folder`."""
    if not JUICEFS.exists():
        pytest.skip(f"make setup-servers found no {JUICEFS.name} for this machine")
    port, meta = free_port(), f"badger://{folder}/meta"
    env = os.environ | {"MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET, "HOME": str(folder)}
    create = [JUICEFS, "format", meta, "files", "--storage", "file", "--bucket", f"{folder}/data/"]
    subprocess.run(create, env=env, cwd=folder, check=True, capture_output=True, timeout=60)
    options = ["--multi-buckets", "--no-usage-report", "--cache-dir", f"{folder}/cache", "--cache-size", "200"]
    command = [JUICEFS, "gateway", *options, meta, f"127.0.0.1:{port}"]
    address = f"http://127.0.0.1:{port}"
    with running(command, folder, lambda: answers(address), env=env):
        yield address


@contextmanager
def faulty(address: str) -> Iterator[tuple[str, Counter[str]]]:
    """The address of a proxy of the store at `address` that fails one request in twenty, and how often it did in which way: it
    answers 503, or carries the request out and cuts the connection within the answer, in turn."""
    faults: Counter[str] = Counter()
    turns = itertools.cycle([*[""] * 19, "503", *[""] * 19, "cut"])

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = next(turns)
            faults[fault] += 1
            self.close_connection = bool(fault)
            if fault == "503":
                self.send_error(503, "Service Unavailable")
                return
            store = http.client.HTTPConnection(address.removeprefix("http://"))
            store.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k != "Expect"})
            answer = store.getresponse()
            content = answer.read()
            store.close()
            self.send_response_only(answer.status)
            length = answer.getheader("Content-Length", str(len(content)))
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            if content or not fault:  # the head of an empty answer is the whole of it
                self.end_headers()
            self.wfile.write(content[: len(content) // 2] if fault else content)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", faults
        server.shutdown()

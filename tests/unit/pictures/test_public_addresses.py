"""A list's downloads reach no private address: a real server on this machine is asked for nothing, unless that is allowed."""

import http.server
import os
import sys
import threading

import pytest

from datagen.disk.storage import Folder
from datagen.pictures import download
from datagen.pictures.public_addresses import is_public
from tests.programs import stand_in

# It downloads as img2dataset does: with urllib, in threads of spawned processes.
DOWNLOADER = """
import multiprocessing, pathlib, sys, urllib.request
from concurrent.futures import ThreadPoolExecutor

def fetch(url):
    try:
        return urllib.request.urlopen(url, timeout=60).read().decode()
    except Exception as error:
        return str(error)

def work(urls):
    guard = sys.modules.get("sitecustomize")
    if hasattr(guard, "is_public"):  # as if 127.0.0.2 were a public server
        real = guard.is_public
        guard.is_public = lambda host: host == "127.0.0.2" or real(host)
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(fetch, urls))

if __name__ == "__main__":
    words = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[1:])
    urls = pathlib.Path(words["url_list"]).read_text().split()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        answers = pool.map(work, [urls])[0]
    (pathlib.Path(words["output_folder"]) / "answers").write_text("\\n".join(answers))
"""


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        port = self.server.server_address[1]
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", f"http://127.0.0.1:{port}/secret")
        self.end_headers()
        self.wfile.write(b"answered")

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Server)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def answers(tmp_path, monkeypatch, server):
    """What a download of three urls of the server answers: by its address, by a name, and by a redirect from a public one."""
    port = server.server_address[1]
    hosts = (f"127.0.0.1:{port}/a", f"localhost:{port}/b", f"127.0.0.2:{port}/away", f"[::ffff:127.0.0.1]:{port}/c")
    (tmp_path / "list.txt").write_text("\n".join(f"http://{host}" for host in hosts))
    monkeypatch.setenv("PATH", stand_in(tmp_path / "bin", "img2dataset", f"#!{sys.executable}\n{DOWNLOADER}"))
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)

    def answers(reach: str) -> list[str]:
        out = Folder(str(tmp_path / reach))
        download.download({str(tmp_path / "list.txt"): ["url"]}, out, reach)
        (folder,) = (tmp_path / reach).iterdir()
        return (folder / "answers").read_text().split("\n")

    return answers


def test_a_server_on_this_machine_is_asked_for_nothing_by_whatever_way(answers, server):
    found = answers(download.PUBLIC)
    assert len(found) == 4 and all("this address is not public" in answer for answer in found)
    assert server.asked == ["/away"]  # which stands for a public one, and sent on to a private one


def test_who_allows_private_addresses_reaches_them(answers, server):
    assert answers(download.PRIVATE) == ["answered"] * 4
    assert sorted(server.asked) == ["/a", "/away", "/b", "/c", "/secret"]


def test_a_proxy_that_would_connect_in_our_place_is_refused(answers, server, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://10.1.2.3:3128")
    with pytest.raises(ValueError, match="https go by a proxy here"):
        answers(download.PUBLIC)


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        *((host, True) for host in ("8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")),
        *((host, False) for host in ("127.0.0.1", "10.0.0.7", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1")),
        *((host, False) for host in ("0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "240.0.0.1", "198.18.0.1")),
        *((host, False) for host in ("::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "2002:a00:7::1")),
        *((host, False) for host in ("64:ff9b::a00:7", "2001:db8::1", "localhost", "example.org", "")),
    ],
)
def test_which_addresses_are_public(host, is_one):
    assert is_public(host) is is_one

"""A stand-in for the Hugging Face hub on loopback: datasets that one token may write to, by the calls that huggingface_hub makes;
and weights to read, which are among them.

Large files go by Git LFS, as where `hf_xet` isn't installed. `fails` are answers that come in place of the next calls of a kind.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

TOKEN = "hf_" + "aTokenOfTheTests" * 2


@dataclass
class Hub:
    address: str = ""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """By dataset: names and contents."""
    private: dict[str, bool] = field(default_factory=dict)
    commits: list[list[str]] = field(default_factory=list)
    """What each commit added or, with a minus before it, deleted."""
    uploads: list[str] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    fails: dict[str, list[int]] = field(default_factory=dict)
    """Statuses to answer with, by a part of the path."""
    may_write: bool = True


@contextmanager
def hub() -> Iterator[Hub]:
    state = Hub()

    class Handler(_Handler):
        hub = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answered(b"")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self._answered(self._body())

    do_PUT = do_POST

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answered(self, body: bytes) -> None:
        path = self.path.partition("?")[0]
        for part, statuses in self.hub.fails.items():
            if part in path and statuses:
                return self._send(statuses.pop(0), {"error": "a fault of the stand-in"})
        if path.startswith("/lfs/"):
            self.hub.objects[path.removeprefix("/lfs/")] = body
            self.hub.uploads.append(path)
            return self._send(200, {})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._send(401, {"error": "Invalid username or password."})
        if self.command in ("POST", "PUT") and not self.hub.may_write and "validate" not in path:
            return self._send(403, {"error": "You don't have the rights to create a dataset"})
        if path == "/api/agent-harnesses":
            return self._send(404, {})
        if path == "/api/validate-yaml":
            return self._send(200, {"errors": [], "warnings": []})
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        of_kind = path.removeprefix("/api").removeprefix("/datasets").removeprefix("/models")
        name = "/".join(of_kind.split("/")[1:3]).removesuffix(".git")
        if name not in self.hub.files:
            return self._send(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        return self._of_dataset(name, path, body)

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
        url = {"url": f"{self.hub.address}/datasets/{name}"}
        if name in self.hub.files:
            return self._send(409, url | {"error": "You already created this dataset repo"})
        self.hub.files[name] = {".gitattributes": b""}
        self.hub.private[name] = bool(asked.get("private") or asked.get("visibility") == "private")
        return self._send(200, url)

    def _of_dataset(self, name: str, path: str, body: bytes) -> None:
        files = self.hub.files[name]
        if "/tree/" in path:
            within = path.partition("/tree/")[2].partition("/")[2]
            return self._send(200, _tree(files, within, "recursive=true" in self.path.lower()))
        if "/paths-info/" in path:
            asked = {each[1] for each in parse_qsl(body.decode()) if each[0] == "paths"}
            return self._send(200, [each for each in _tree(files, "", True) if each["path"] in asked])
        if "/preupload/" in path:
            asked = json.loads(body)["files"]
            return self._send(200, {"files": [self._preupload(files, each["path"]) for each in asked]})
        if path.endswith("/info/lfs/objects/batch"):
            objects = json.loads(body)["objects"]
            return self._send(200, {"transfer": "basic", "objects": [self._lfs(each) for each in objects]})
        if "/commit/" in path:
            return self._commit(name, files, [json.loads(line) for line in body.splitlines() if line.strip()])
        if "/resolve/" in path:
            content = files.get(path.partition("/resolve/")[2].partition("/")[2])
            if content is None:
                return self._send(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
            return self._send(200, content, {"ETag": f'"{_git_oid(content)}"', "X-Repo-Commit": "0" * 40})
        return self._send(200, {"id": name, "sha": "0" * 40, "siblings": [{"rfilename": each} for each in sorted(files)]})

    def _preupload(self, files: dict[str, bytes], path: str) -> dict[str, Any]:
        is_large = path.endswith((".parquet", ".tar"))
        content = files.get(path)
        oid = None if content is None else hashlib.sha256(content).hexdigest() if is_large else _git_oid(content)
        return {"path": path, "uploadMode": "lfs" if is_large else "regular", "shouldIgnore": False, "oid": oid}

    def _lfs(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["oid"] in self.hub.objects:
            return asked
        return asked | {"actions": {"upload": {"href": f"{self.hub.address}/lfs/{asked['oid']}"}}}

    def _commit(self, name: str, files: dict[str, bytes], lines: list[dict[str, Any]]) -> None:
        changed = []
        for line in lines:
            kind, value = line["key"], line["value"]
            if kind == "file":
                files[value["path"]] = base64.b64decode(value["content"])
                changed.append(value["path"])
            elif kind == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
                changed.append(value["path"])
            elif kind == "deletedFile":
                del files[value["path"]]
                changed.append(f"-{value['path']}")
        self.hub.commits.append(changed)
        url = f"{self.hub.address}/datasets/{name}/commit/{'0' * 40}"
        self._send(200, {"commitUrl": url, "commitOid": "0" * 40})

    def _send(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), "Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _tree(files: dict[str, bytes], within: str, recursive: bool) -> list[dict[str, Any]]:
    """The files in the folder `within`, and the folders there, or else all that is below."""
    rows: dict[str, dict[str, Any]] = {}
    start = f"{within}/" if within else ""
    for name, content in sorted(files.items()):
        if name.startswith(start):
            first, is_below, _ = name.removeprefix(start).partition("/")
            if is_below:
                rows[start + first] = {"type": "directory", "path": start + first, "size": 0, "oid": "0" * 40}
            if recursive or not is_below:
                rows[name] = {"type": "file", "path": name, "size": len(content), "oid": _git_oid(content)}
    return list(rows.values())


def _git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

"""A small server that speaks OpenAI's chat completions, on a port of this machine, for as long as a block."""

import base64
import contextlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

import numpy
from PIL import Image

Reply = tuple[int, Any, dict[str, str]]
"""The status, the body (bytes as they are, anything else as JSON), and headers."""


def says(text: str | None, finish: str = "stop", logprobs: list[float] | None = None) -> Reply:
    """A whole answer."""
    choice: dict[str, Any] = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
    if logprobs is not None:
        choice["logprobs"] = {"content": [{"token": "x", "logprob": value} for value in logprobs]}
    return 200, {"choices": [choice]}, {}


def fails(status: int, body: Any = "no", **headers: str) -> Reply:
    return status, {"error": body}, {name.replace("_", "-"): value for name, value in headers.items()}


class Requests(list[dict[str, Any]]):
    """The bodies of the requests that came, the most that were under way at a time, and the connections that they came by."""

    most_together = 0

    def __init__(self) -> None:
        super().__init__()
        self.connections: set[Any] = set()


def shown(request: dict[str, Any]) -> numpy.ndarray:
    """The image that a request shows, (H, W, 3) bytes."""
    url = request["messages"][-1]["content"][0]["image_url"]["url"]
    return numpy.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


@contextlib.contextmanager
def serving(
    reply: Callable[[dict[str, Any]], Reply], takes_s: float = 0.0, models: Mapping[str, int | None] = MappingProxyType({})
) -> Iterator[tuple[str, Requests]]:
    """The server's address, with /v1, and the requests that came so far. `reply` gets a request's body, with its headers and path
    added, and may take `takes_s` seconds more. The server has these `models`, or takes any name; where a model's tokens are said,
    it refuses longer answers, as vLLM 0.32 does."""
    came = Requests()
    lock = threading.Lock()
    under_way = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept

        def do_GET(self) -> None:
            listed = [{"id": name, "max_model_len": context} for name, context in models.items()]
            data = json.dumps({"object": "list", "data": listed}).encode()
            with contextlib.suppress(ConnectionError):
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def do_POST(self) -> None:
            nonlocal under_way
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked |= {"headers": dict(self.headers), "path": self.path}
            with lock:
                under_way += 1
                came.append(asked)
                came.connections.add(self.client_address)
                came.most_together = max(came.most_together, under_way)
            time.sleep(takes_s)
            most, context = asked.get("max_tokens", 0), models.get(asked["model"])
            longer = f"max_tokens={most} cannot be greater than max_model_len={context}. Please request fewer output tokens."
            status, answer, headers = fails(400, {"message": longer}) if most > (context or most) else reply(asked)
            with lock:
                under_way -= 1
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

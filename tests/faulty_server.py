"""A model behind HTTP with seeded faults, as a program of its own: what it answers follows from the image and the try, what goes
wrong on the way from the image and how often it was asked about.

    python -m tests.faulty_server PORT_FILE LOG_FILE [--seed 0] [--faults 1] [--fast 1] …

The log has a line for each answer that was sent whole: the sha256 of the image, and the seed and temperature asked for. With
them a test counts what was bought twice.
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from aiohttp import web

from tests.inputs.small_pages import WORDS

KEY, MODEL = "secret-key-of-the-tests", "deepseek-ai/DeepSeek-OCR"
FAULTS = ("429", "500", "503", "hang", "cut", "half", "reset")
RUSSIAN = "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью. " * 2
HEAD = "---\nprimary_language: en\nis_rotation_valid: True\nrotation_correction: 0\nis_table: False\nis_diagram: False\n---\n"
KINDS = ("right",) * 14 + ("loop", "loop_always", "truncated", "blank", "other_script", "unparsable", "refused", "odd_boxes")
"""What becomes of an image's first answer. `loop_always`, `refused` and `other_script` stay so, the others become right."""


def answer_of(image: bytes, asked: dict, seed: int) -> tuple[int, str, str]:
    """The status, the text and how it ended, for an image and a request. Nothing else decides it."""
    digest = hashlib.sha256(image + str(seed).encode()).hexdigest()
    draw = random.Random(digest)
    kind = draw.choice(KINDS)
    text = " ".join(draw.choices(WORDS, k=30))
    place = draw.randrange(100, 400)
    right = (
        f"<|ref|>title<|/ref|><|det|>[[100, 60, 900, 90]]<|/det|>\n# {text[:40].strip()}\n\n"
        f"<|ref|>text<|/ref|><|det|>[[100, {place}, 900, {place + 300}]]<|/det|>\n{text}."
    )
    prompt = str([part for part in asked["messages"][-1]["content"] if part["type"] == "text"])
    if wants_head := "front matter" in prompt:  # olmOCR's words
        right = text = f"{HEAD}{text}."
    wants_boxes = "grounding" in prompt
    is_first = asked.get("temperature", 0) <= 0.1 and (wants_boxes or wants_head)
    if kind == "refused":
        return 400, "the image holds what it must not", "stop"
    if kind == "loop_always" or (kind == "loop" and is_first):
        return 200, right + " and so it went on" * 400, "length"
    if kind == "truncated" and is_first:
        return 200, right[: len(right) // 2], "length"
    if kind == "blank" and is_first:
        return 200, "", "stop"
    if kind == "other_script":
        return 200, f"<|ref|>text<|/ref|><|det|>[[100, 100, 900, 400]]<|/det|>\n{RUSSIAN}", "stop"
    if kind == "unparsable" and is_first:
        return 200, text.removeprefix(HEAD), "stop"
    if kind == "odd_boxes":
        return 200, right.replace("900, 90]", "20, 90]"), "stop"
    return 200, right if wants_boxes else text, "stop"


class Faulty:
    def __init__(self, asked: argparse.Namespace):
        self.seed, self.faults, self.fast, self.is_open = asked.seed, asked.faults, asked.fast, asked.open
        self.says = Path(asked.says).read_text() if asked.says else ""
        self.asked: Counter[str] = Counter()
        self.down_until = 0.0
        self.log = open(asked.log_file, "a", buffering=1)  # noqa: SIM115
        self.answered = self.under_way = 0

    async def health(self, request: web.Request) -> web.Response:
        """With how many answers are still to come."""
        return web.Response(text=f"{self.under_way}")

    async def models(self, request: web.Request) -> web.Response:
        if time.monotonic() < self.down_until:
            _cut_off(request)
        if not self._is_known(request):
            return web.json_response({"error": "no such key"}, status=401)
        return web.json_response({"object": "list", "data": [{"id": MODEL}]})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        if time.monotonic() < self.down_until:
            return _cut_off(request)
        if not self._is_known(request):
            return web.json_response({"error": f"no such key: {request.headers.get('Authorization')}"}, status=401)
        asked = json.loads(raw)
        if asked["model"] != MODEL:
            return web.json_response({"error": "no such model"}, status=404)
        url = next(part for part in asked["messages"][-1]["content"] if part["type"] == "image_url")["image_url"]["url"]
        image = base64.b64decode(url.partition(",")[2])
        digest = hashlib.sha256(image).hexdigest()
        self.asked[digest] += 1
        if self.faults and (fault := self._fault(digest)):
            return await self._failed(request, fault)
        if not self.fast:
            self.under_way += 1
            await asyncio.sleep(random.Random(f"{digest} {self.asked[digest]}").uniform(0.002, 0.05))  # out of order
            self.under_way -= 1
        status, text, finish = (200, self.says, "stop") if self.says else answer_of(image, asked, self.seed)
        self.log.write(json.dumps([digest, asked.get("seed", 0), asked.get("temperature", 0), "grounding" in str(asked)]) + "\n")
        self.answered += 1
        if status != 200:
            return web.json_response({"error": text}, status=status)
        num_written = max(1, len(text) // 4)
        usage = {"prompt_tokens": 400, "completion_tokens": num_written, "total_tokens": 400 + num_written}
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        head = {
            "id": f"chatcmpl-{digest[:12]}",
            "object": "chat.completion",
            "created": 0,
            "model": MODEL,
        }  # some ask for all of it
        return web.json_response({**head, "choices": [choice], "usage": usage})

    def _is_known(self, request: web.Request) -> bool:
        return self.is_open or request.headers.get("Authorization") == f"Bearer {KEY}"

    def _fault(self, digest: str) -> str:
        """What goes wrong with this request; at most three times with an image."""
        draw = random.Random(f"{self.seed} {digest} {self.asked[digest]}")
        if self.answered and self.answered % 400 == 399:
            self.down_until, self.answered = time.monotonic() + 0.6, self.answered + 1
            return "reset"
        return draw.choice(FAULTS) if self.asked[digest] <= 3 and draw.random() < 0.15 else ""

    async def _failed(self, request: web.Request, fault: str) -> web.StreamResponse:
        if fault in ("429", "500", "503"):
            headers = {"Retry-After": "0.05"} if fault != "500" else {}
            return web.json_response({"error": "busy"}, status=int(fault), headers=headers)
        if fault == "hang":
            await asyncio.sleep(4)
        if fault == "half":
            body = b'{"choices": [{"message": {"role": "assistant", "content": "All hu'
            return web.Response(body=body, content_type="application/json")
        if fault == "cut":
            response = web.StreamResponse(headers={"Content-Length": "5000", "Content-Type": "application/json"})
            await response.prepare(request)
            await response.write(b'{"choices": [')
        return _cut_off(request)


def _cut_off(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@contextlib.contextmanager
def faulty(folder: Path, *options: str) -> Iterator[tuple[str, Path]]:
    """The address of a faulty server, and the log of what it answered."""
    port_file, log = folder / "port", folder / "log"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.faulty_server", str(port_file), str(log), *options]
    server = subprocess.Popen(command, cwd=Path(__file__).parents[1], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 240
        while not port_file.exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port_file.read_text()}/v1", log
    finally:
        server.kill()
        server.wait()


async def _serve(arguments: argparse.Namespace) -> None:
    faulty = Faulty(arguments)
    app = web.Application(client_max_size=64 << 20)
    app.router.add_get("/v1/models", faulty.models)
    app.router.add_get("/health", faulty.health)
    app.router.add_post("/v1/chat/completions", faulty.complete)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", arguments.port)
    await site.start()
    port = runner.addresses[0][1]
    written = Path(f"{arguments.port_file}.part")
    written.write_text(str(port))
    written.rename(arguments.port_file)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port_file")
    parser.add_argument("log_file")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faults", type=int, default=1)
    parser.add_argument("--fast", type=int, default=0)
    parser.add_argument("--open", type=int, default=0, help="take any key")
    parser.add_argument("--says", default="", help="a file with the answer to everything")
    asyncio.run(_serve(parser.parse_args()))

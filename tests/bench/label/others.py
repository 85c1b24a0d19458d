"""datatrove's `InferenceRunner` against the faulty server that our tests label with: what it loses, and what it takes for
labels."""

import base64
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from datagen.asking.loops import is_loop
from tests.faulty_server import MODEL, faulty
from tests.inputs.small_pages import page

_ROOT = Path(__file__).parents[3]

_LIMIT_S = 240
RUN = """
import asyncio, base64, json, sys
from datatrove.data import Document
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.writers import JsonlWriter

url, out, pages, skip = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3])), sys.argv[4] == "skip"

async def rollout(document, generate):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + document.metadata["image"]}}
    text = {"type": "text", "text": "<|grounding|>Convert the document to markdown."}
    return await generate({"messages": [{"role": "user", "content": [image, text]}], "max_tokens": 8192, "temperature": 0})

config = InferenceConfig(
    server_type="endpoint", endpoint_url=url, model_name_or_path=sys.argv[5], use_chat=True, api_key="none", metric_interval=3600,
    max_concurrent_generations=64, request_timeout=2.0,
)
runner = InferenceRunner(rollout, config, JsonlWriter(out, compression=None), skip_bad_requests=skip)
runner.run((Document(text="", id=f"{n}", metadata={"image": image}) for n, image in enumerate(pages)), rank=0, world_size=1)
"""


class Lost(NamedTuple):
    """`ended` is how the run ended; of `pages`, so many were `written`, of which `loops`, `blank` and `cut` ones went as
    labels."""

    ended: str
    pages: int
    written: int
    loops: int
    blank: int
    cut: int


def datatrove(pages: int, skip_bad_requests: bool) -> Lost:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = [base64.b64encode(page(f"{n}")).decode() for n in range(pages)]
        (folder / "pages.json").write_text(json.dumps(images))
        with faulty(folder, "--open", "1") as (url, _):
            base = url.removesuffix("/v1")
            command = [sys.executable, "-c", RUN, base, str(folder / "out"), str(folder / "pages.json")]
            command += ["skip" if skip_bad_requests else "stop", MODEL]
            try:
                done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
                lines = [line for line in done.stderr.splitlines() if line.strip()]
                ended = "to its end" if not done.returncode else f"with an error: {(lines or ['?'])[-1][:110]}"
            except subprocess.TimeoutExpired:
                ended = f"never, in {_LIMIT_S} s"
        found = [json.loads(line) for file in (folder / "out").rglob("*.jsonl") for line in file.read_text().splitlines()]
        kinds: Counter[str] = Counter()
        for one in found:
            for result in _results(one):
                text, is_cut = result.get("text", ""), result.get("finish_reason") == "length"
                kinds["loop" if is_loop(text, is_cut) else "cut" if is_cut else "blank" if not text.strip() else "right"] += 1
        return Lost(ended, pages, len(found), kinds["loop"], kinds["blank"], kinds["cut"])


def _results(document: dict[str, Any]) -> list[dict[str, Any]]:
    results = document.get("metadata", {}).get("rollout_results") or []
    return [one for one in results if isinstance(one, dict)]

"""Others' clients against the faulty server that our tests label with: what they lose, and what they take for labels.

datatrove is installed with the project. olmOCR's pipeline is installed from PyPI, into an environment that is deleted afterwards;
it renders by Poppler's pdftoppm."""

import base64
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pymupdf

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
            ended = _ended(command, _ROOT)
        documents = [json.loads(line) for file in (folder / "out").rglob("*.jsonl") for line in file.read_text().splitlines()]
        kinds: Counter[str] = Counter()
        for one in documents:
            for result in _results(one):
                text, is_cut = result.get("text", ""), result.get("finish_reason") == "length"
                kinds["loop" if is_loop(text, is_cut) else "cut" if is_cut else "blank" if not text.strip() else "right"] += 1
        return Lost(ended, pages, len(documents), kinds["loop"], kinds["blank"], kinds["cut"])


def olmocr(pages: int, a_document: int = 5) -> Lost | str:
    """olmOCR's pipeline over so many pages, `a_document` each; or why it can't be run here. A page that it took from
    the file's text, since no answer was valid, counts as blank."""
    if shutil.which("pdftoppm") is None:
        return "there is no pdftoppm (apt-get install poppler-utils)"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = str(folder / "venv/bin/python")
        for command in (
            [sys.executable, "-m", "venv", str(folder / "venv")],
            [python, "-m", "pip", "install", "--quiet", "olmocr"],
        ):
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            if made.returncode:
                return f"pip can't install it: {(made.stderr.strip().splitlines() or ['?'])[-1][:110]}"
        for first in range(0, pages, a_document):
            with pymupdf.open() as document:
                for number in range(first, first + a_document):
                    on = document.new_page(width=160, height=220)
                    on.insert_image(on.rect, stream=page(f"{number}"))
                document.save(folder / f"{first:03}.pdf")
        with faulty(folder, "--open", "1") as (url, _):
            command = [python, "-m", "olmocr.pipeline", str(folder / "work"), "--server", url, "--model", MODEL, "--pdfs"]
            ended = _ended([*command, *map(str, sorted(folder.glob("*.pdf")))], folder)
        documents = [json.loads(line) for file in folder.glob("work/results/*.jsonl") for line in file.read_text().splitlines()]
        texts = [one["text"][start:stop] for one in documents for start, stop, _ in one["attributes"]["pdf_page_numbers"]]
        loops, blank = sum(is_loop(text, False) for text in texts), sum(not text.strip() for text in texts)
        return Lost(ended, pages, len(texts), loops, blank, 0)


def _ended(command: Sequence[str | Path], folder: Path) -> str:
    """How a program ended that may run for a while."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"never, in {_LIMIT_S} s"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return "to its end" if not done.returncode else f"with an error: {(lines or ['?'])[-1][:110]}"


def _results(document: dict[str, Any]) -> list[dict[str, Any]]:
    results = document.get("metadata", {}).get("rollout_results") or []
    return [one for one in results if isinstance(one, dict)]

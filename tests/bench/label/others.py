"""Others' clients against the faulty server that our tests label with: what they lose, and what they take for labels.

datatrove is installed with the project. olmOCR's pipeline, docling and MinerU's client are installed from PyPI, each into an
environment that is deleted afterwards: one to six gigabytes. olmOCR renders by Poppler's pdftoppm."""

import base64
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
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


DOCLING = """
import json, sys
from docling.datamodel.base_models import InputFormat
from docling.datamodel.pipeline_options import VlmPipelineOptions
from docling.datamodel.pipeline_options_vlm_model import ApiVlmOptions, ResponseFormat
from docling.document_converter import DocumentConverter, PdfFormatOption
from docling.pipeline.vlm_pipeline import VlmPipeline

url, model, out, *files = sys.argv[1:]
asked = ApiVlmOptions(
    url=url + "/chat/completions", params={"model": model, "max_tokens": 8192, "temperature": 0}, timeout=2.0, concurrency=16,
    prompt="<|grounding|>Convert the document to markdown.", response_format=ResponseFormat.MARKDOWN, scale=1.0,
)
options = VlmPipelineOptions(vlm_options=asked, enable_remote_services=True)
form = PdfFormatOption(pipeline_cls=VlmPipeline, pipeline_options=options)
documents = DocumentConverter(format_options={InputFormat.PDF: form}).convert_all(files, raises_on_error=False)
answers = [page.predictions.vlm_response for document in documents for page in document.pages]
ended = [(answer.text, str(answer.stop_reason).lower()) for answer in answers if answer]
json.dump([[text, "length" in why] for text, why in ended if "error" not in why], open(out, "w"))
"""
MINERU = """
import json, sys
from PIL import Image
from mineru_vl_utils import MinerUClient

url, model, out, *files = sys.argv[1:]
client = MinerUClient(
    backend="http-client", server_url=url.removesuffix("/v1"), model_name=model, http_timeout=2, max_concurrency=64,
    use_tqdm=False,
)
answers = client.batch_content_extract([Image.open(file).convert("RGB") for file in files])
json.dump([[answer or "", False] for answer in answers], open(out, "w"))
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
        answers = [(made.get("text", ""), made.get("finish_reason") == "length") for of in documents for made in _rollouts(of)]
        return _lost(ended, pages, answers)._replace(written=len(documents))


def olmocr(pages: int, a_document: int = 5) -> Lost | str:
    """olmOCR's pipeline over so many pages, `a_document` each; or why it can't be run here. A page that it took from
    the file's text, since no answer was valid, counts as blank."""
    if shutil.which("pdftoppm") is None:
        return "there is no pdftoppm (apt-get install poppler-utils)"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = _installed("olmocr", folder)
        if not isinstance(python, Path):
            return python
        files = _documents(folder, pages, a_document)
        with faulty(folder, "--open", "1") as (url, _):
            words = ("-m", "olmocr.pipeline", folder / "work", "--server", url, "--model", MODEL, "--pdfs")
            ended = _ended([python, *words, *files], folder)
        documents = [json.loads(line) for file in folder.glob("work/results/*.jsonl") for line in file.read_text().splitlines()]
        texts = [
            document["text"][start:stop]
            for document in documents
            for start, stop, _ in document["attributes"]["pdf_page_numbers"]
        ]
        return _lost(ended, pages, [(text, False) for text in texts])


def docling(pages: int) -> Lost | str:
    """docling's pipeline of a model behind a server, over documents of five pages; or why it can't be run here."""
    return _by_program(DOCLING, "docling", pages, lambda folder: _documents(folder, pages, 5))


def mineru(pages: int) -> Lost | str:
    """MinerU's client, all pages in a batch; or why it can't be run here."""

    def images(folder: Path) -> list[Path]:
        files = [folder / f"{number:05}.png" for number in range(pages)]
        for number, file in enumerate(files):
            file.write_bytes(page(f"{number}"))
        return files

    return _by_program(MINERU, "mineru-vl-utils", pages, images)


def _by_program(program: str, package: str, pages: int, made: Callable[[Path], list[Path]]) -> Lost | str:
    """A program that writes a JSON list of answers, each with whether it was cut off, in a fresh environment."""
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name), Path(name) / "answers.json"
        python = _installed(package, folder)
        if not isinstance(python, Path):
            return python
        files = made(folder)
        with faulty(folder, "--open", "1") as (url, _):
            ended = _ended([python, "-c", program, url, MODEL, out, *files], folder)
        return _lost(ended, pages, json.loads(out.read_text()) if out.exists() else [])


def _installed(package: str, folder: Path) -> Path | str:
    """The Python of an environment that has the package; or why there is none."""
    python = folder / "venv/bin/python"
    making: tuple[list[str | Path], ...] = (
        [sys.executable, "-m", "venv", folder / "venv"],
        [python, "-m", "recipes.install", package],
    )
    for command in making:
        made = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
        if made.returncode:
            return f"it can't be installed: {(made.stderr.strip().splitlines() or ['?'])[-1][:110]}"
    return python


def _documents(folder: Path, pages: int, a_document: int) -> list[Path]:
    files = []
    for first in range(0, pages, a_document):
        with pymupdf.open() as document:
            for number in range(first, first + a_document):
                on = document.new_page(width=160, height=220)
                on.insert_image(on.rect, stream=page(f"{number}"))
            files.append(folder / f"{first:03}.pdf")
            document.save(files[-1])
    return files


def _lost(ended: str, pages: int, answers: Sequence[tuple[str, bool]]) -> Lost:
    kinds = Counter(
        "loop" if is_loop(text, is_cut) else "cut" if is_cut else "blank" if not text.strip() else "right"
        for text, is_cut in answers
    )
    return Lost(ended, pages, len(answers), kinds["loop"], kinds["blank"], kinds["cut"])


def _ended(command: Sequence[str | Path], folder: Path) -> str:
    """How a program ended that may run for a while."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"never, in {_LIMIT_S} s"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return "to its end" if not done.returncode else f"with an error: {(lines or ['?'])[-1][:110]}"


def _rollouts(document: dict[str, Any]) -> list[dict[str, Any]]:
    rollouts = document.get("metadata", {}).get("rollout_results") or []
    return [made for made in rollouts if isinstance(made, dict)]

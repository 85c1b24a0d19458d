"""The records of a few pages, byte for byte. Where they change, raise the `version` of the source or stage that changed them, so
that no corpus mixes old and new; then write the file anew with `pytest tests/golden --update-golden`."""

import json
from pathlib import Path

import pytest

from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.inputs.census import Listing
from datagen.inputs.items import Item
from datagen.reading.language import IdentifyLanguage
from datagen.work.pipeline import Pipeline
from tests.inputs import pdfs

GOLDEN = Path(__file__).with_name("records.json")


def test_records_change_only_with_a_version(tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)  # uris are part of the bytes
    pdfs.write(Path("latin.pdf"), pdfs.lines(pdfs.LATIN), "")
    pdfs.write(Path("russian.pdf"), pdfs.lines(pdfs.RUSSIAN), rotation=90)
    pdfs.write(Path("chinese.pdf"), pdfs.CHINESE, font="china-s")
    pipeline = Pipeline("golden", Listing(""), PdfSource(long_side=512), (IdentifyLanguage(), JudgeTextLayer()))
    names = ("latin.pdf", "russian.pdf", "chinese.pdf")
    samples = pipeline.process(tuple(map(Item, names)), [])
    found = {
        "description": json.loads(json.dumps(pipeline.description())),
        "records": [without_file(json.loads(s.to_json())) for s in samples],
    }
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    golden = json.loads(GOLDEN.read_text())
    for part in ("source", "stages"):
        if engines(golden["description"][part]) != engines(found["description"][part]):
            pytest.skip("the golden records were made with other versions of the engines")
    assert found == golden


def without_file(record: dict) -> dict:
    """`record` without what hangs on the bytes of the PDF, which PyMuPDF dates."""
    return record | {"key": record["key"][-6:], "group": "", "origin": record["origin"] | {"sha256": ""}}


def engines(part: dict | list) -> list:
    return [p["engines"] for p in (part if isinstance(part, list) else [part])]

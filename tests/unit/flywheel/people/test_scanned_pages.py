"""Pages without a text layer, and the language that each of them is in."""

from dataclasses import replace

from datagen.disk.storage import Folder
from datagen.record import Quality
from flywheel.people import scanned_pages
from flywheel.step import Flywheel
from tests.outputs import write_dataset
from tests.unit.flywheel.people.test_gold import page, pools

STEP = Flywheel("coarse")
NONE = {"readers": {}, "gates": {}, "round": 1}


def made(doc: str, number: int, lang: str, verdict: str = "trusted", *reasons: str):
    one = page(f"{doc * 16}-00000000-{number:06d}")
    origin = replace(one.origin, uri=f"file:///{doc}.pdf", sha256=doc * 64, page=number)
    return replace(one, lang=lang, quality=Quality(verdict, reasons), origin=origin)


def test_a_page_without_a_layer_is_in_the_language_of_its_document(tmp_path, caplog):
    samples = [
        made("a", 0, "ru"),
        made("a", 1, "und", "none", "picture_page"),
        made("a", 2, "und", "none", "blank"),
        made("b", 0, "und", "none", "picture_page"),
        made("c", 0, "ru", "suspect", "picture_page", "hidden_text"),
        made("d", 0, "en"),
        made("d", 1, "und", "none", "no_text"),
    ]
    write_dataset(tmp_path / "coarse", samples)
    with caplog.at_level("INFO"):
        found = scanned_pages.pages(STEP, Folder(str(tmp_path)), NONE, {"ru": pools("documents")})
    assert {
        lang: {doc[0]: [row["page"] for row in rows] for doc, rows in of_lang.items()} for lang, of_lang in found.items()
    } == {"ru": {"a": [1], "c": [0]}}
    assert "1 documents without a text layer are left out" in caplog.text

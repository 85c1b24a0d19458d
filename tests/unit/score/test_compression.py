"""The table of compression, by hand; and pages with a known number of tokens."""

import json
import random

import pytest

from datagen.score import compression_pages
from datagen.score.compression import PageReading, fox_pages, lines, table
from datagen.score.compression_pages import LEAST, MOST, NUM_TOKENS, TokenPages, sentences, tokens_of
from model.net.tokenizer import train_tokenizer
from tests.inputs.samples import image


def reading(page: str, num_tokens: int, answer: str, mode: str = "tiny") -> PageReading:
    return PageReading(page, mode, num_tokens, "one two three four", answer)


def test_rows_are_bins_and_pages_outside_are_in_none():
    readings = [
        reading("a", 600, "one two three four"),
        reading("b", 699, "one two"),
        reading("c", 1299, "one"),
        reading("d", 1300, "one two three four"),
        reading("e", 599, "one two three four"),
        reading("a", 600, "one x", "small"),
    ]
    rows = table(readings)
    assert [(row["bin"], row["num_pages"]) for row in rows] == [(600, 2), (1200, 1), (0, 3)]
    assert rows[0]["modes"]["tiny"]["compression"] == pytest.approx(649.5 / 64)
    assert rows[0]["modes"]["small"] == pytest.approx(
        {"compression": 6.0, "likeness": reading("a", 600, "one x").likeness, "precision": 0.25}
        | {"precision_low": 0.25, "precision_high": 0.25}
        | dict.fromkeys(("likeness_low", "likeness_high"), reading("a", 600, "one x").likeness)
    )
    assert "small" not in rows[1]["modes"]
    tiny, small, *_ = lines(rows)
    assert tiny.startswith("  600-700    2 pages, tiny 650/64 = 10.1x: 75.0% (50.0 to 100.0) by words, ")
    assert small.startswith("  600-700    2 pages, small 600/100 = 6.0x: 25.0% (25.0 to 25.0) by words, ")
    assert table([reading("d", 1300, "one")]) == []


def test_fox_is_read_as_it_is_downloaded_and_another_folder_is_refused(tmp_path):
    (tmp_path / "en_pdf_png").mkdir()
    (tmp_path / "en_pdf_png" / "en_1.png").write_bytes(image())
    entry = {"image": "en_1.png", "conversations": [{"from": "human", "value": "OCR"}, {"from": "gpt", "value": "The text."}]}
    (tmp_path / "en_page_ocr.json").write_text(json.dumps([entry]))
    assert fox_pages(str(tmp_path), "en") == [(tmp_path / "en_pdf_png" / "en_1.png", "The text.")]
    with pytest.raises(ValueError, match="cn_page_ocr"):
        fox_pages(str(tmp_path), "cn")
    for change, why in (({"conversations": []}, "isn't as Fox writes it"), ({"image": "en_2.png"}, "en_2")):
        (tmp_path / "en_page_ocr.json").write_text(json.dumps([entry | change]))
        with pytest.raises(ValueError, match=why):
            fox_pages(str(tmp_path), "en")


@pytest.fixture
def maker(tmp_path, monkeypatch):
    source = random.Random(0)
    letters = "abcdefghijklmnoprstuvw"
    made = [
        " ".join("".join(source.choices(letters, k=source.randint(2, 9))) for _ in range(source.randint(6, 20))).capitalize()
        + "."
        for _ in range(200)
    ]
    monkeypatch.setattr(compression_pages.declarations, "paragraphs", lambda lang: made)
    monkeypatch.setattr(compression_pages.translations, "paragraphs", lambda lang: [])
    sentences.cache_clear()
    (tmp_path / "tokenizer.json").write_bytes(train_tokenizer(made, 1000).to_json())
    yield TokenPages.of(str(tmp_path / "tokenizer.json"), "en")
    sentences.cache_clear()


def test_pages_have_as_many_tokens_as_they_say_and_all_of_their_text(maker, monkeypatch):
    numbers = []
    for seed in range(3):
        page = maker.draw(random.Random(seed))
        num = int(page.metadata[NUM_TOKENS])
        assert num == len(tokens_of(maker.tokenizer).encode(page.text, add_special_tokens=False).ids)
        assert LEAST <= num < MOST
        assert "".join("".join(region.text for region in page.regions).split()) == "".join(page.text.split())
        assert all(0 <= region.box.x0 < region.box.x1 <= page.size[0] for region in page.regions)
        numbers.append(num)
    assert len(set(numbers)) == 3
    assert maker.draw(random.Random(0)) == maker.draw(random.Random(0))
    monkeypatch.setattr(compression_pages.declarations, "paragraphs", lambda lang: ["Too little text is here."])
    sentences.cache_clear()
    with pytest.raises(ValueError, match="choose another"):
        maker.draw(random.Random(0))

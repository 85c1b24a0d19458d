"""The report's bytes: what is in them, how many there are, and that no document's text gets out of its place."""

import io
import json
import re
from dataclasses import replace

import pytest
from PIL import Image

from datagen.record import Box, Drop, Line, Origin, Quality, Region, Sample
from recipes.report import Section, embed, escape, render
from recipes.report.corpus import corpus_sections
from recipes.report.pages import MAX_PAGES, direction, page_record, pick_pages

HOSTILE = "</script><script>window.owned=1</script><!--<img src=x onerror=window.owned=1>\u2028\u2029\x00\ud800&\"'"


def picture(width: int, height: int, noise: int = 0) -> bytes:
    image = Image.effect_noise((width, height), noise).convert("RGB") if noise else Image.new("RGB", (width, height), "white")
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


BLANK = picture(300, 400)


def sample(key="k-00000", lang="en", verdict="trusted", reasons=(), text="plain text", image=BLANK, size=(300, 400), **origin):
    line = Line(Box(30, 40, 270, 60), text, "Serif", "rtl" if lang == "ar" else "ltr")
    region = Region(Box(30, 40, 270, 100), "text", text, None, "pymupdf", (), (line,))
    return Sample(
        key=key, task="page", image=image, size=size, lang=lang, script="Arab" if lang == "ar" else "Latn", text=text,
        regions=(region,), quality=Quality(verdict, tuple(reasons), {"ink_recall": 0.5}),
        origin=Origin(**{"uri": f"file:///in/{key}.pdf", "sha256": "ab" * 32, "page": 0, **origin}), stage="coarse",
    )  # fmt: skip


def row_of(s: Sample) -> dict:
    w, h = s.size
    return {
        "key": s.key, "shard": "coarse-000000.tar", "offset": 0, "bytes": 1, "task": s.task, "lang": s.lang,
        "script": s.script, "verdict": s.quality.verdict, "num_regions": len(s.regions), "num_chars": len(s.text),
        "width": w, "height": h, "uri": s.origin.uri, "sha256": s.origin.sha256, "page": s.origin.page,
        "licence": s.origin.licence, "stage": s.stage, "round": s.round,
    }  # fmt: skip


def sections_of(samples, drops=(), **options) -> list[Section]:
    by_key = {s.key: s for s in samples}
    return corpus_sections("coarse", [row_of(s) for s in samples], list(drops), lambda r: by_key[r["key"]], **options)


def shown(sections: list[Section]) -> list[dict]:
    return json.loads(dict(sections[2].data)["coarse-index"])["pages"]


def test_hostile_text_stays_in_its_element():
    evil = sample(text=HOSTILE, lang="en", uri=HOSTILE, licence=HOSTILE)
    evil = replace(evil, regions=(replace(evil.regions[0], label=HOSTILE, by=HOSTILE),), lang=HOSTILE)
    drops = [Drop("", HOSTILE, -1, HOSTILE, HOSTILE, HOSTILE)]
    out = render(HOSTILE, [(HOSTILE, HOSTILE)], sections_of([evil], drops)).decode()
    assert "<script>window" not in out and "<img" not in out and "<!--" not in out
    assert not set("\u2028\u2029\x00") & set(out[out.index("</style>") :])
    # Our own script, and one element for the index and for the page: nothing opened or closed another.
    assert len(re.findall("<script", out)) == len(re.findall("</script>", out)) == 3
    assert re.search(r'<script type="application/json" id="coarse-page-k-00000">(.*)</script>', out)


def test_embedded_json_reads_back():
    value = {"text": HOSTILE, "path": "a\\</script>"}
    assert json.loads(embed(value)) == value
    assert not set(b"<>&") & set(embed(value))


def test_render_neutralises_the_data_of_any_section():
    section = Section("train", "Training", "<p>loss</p>", [("curve", json.dumps({"a": HOSTILE[:60]}).encode())])
    out = render("t", [], [section])
    assert json.loads(re.search(b'id="curve">(.*?)</script>', out)[1])["a"] == HOSTILE[:60]


def test_nothing_is_asked_of_the_network():
    out = render("t", [], sections_of([sample()])).decode()
    assert "default-src 'none'" in out
    # The namespace of SVG is a name, not an address.
    assert set(re.findall(r"https?://[^\"\s]*", out)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(
        r"<link(?! rel=\"icon\" href=\"data:,\")|<script src|@import|url\((?!#)", out.replace("url(#${", "url(#")
    )
    assert "innerHTML" not in out


def test_escape_drops_controls_and_cuts_the_middle():
    assert escape("a\u202eb\x1b<") == "a\ufffdb\ufffd&lt;"
    assert escape("x" * 50 + "y" * 50, 10) == "xxxxx…yyyyy"


def test_ids_are_checked():
    with pytest.raises(ValueError, match="section id 'a b'"):
        Section("a b", "", "")
    with pytest.raises(ValueError, match="more than once: a"):
        render("t", [], [Section("a", "", ""), Section("a", "", "")])


@pytest.mark.parametrize("max_bytes", [90_000, 300_000, 700_000])
def test_the_budget_holds(max_bytes):
    noisy = picture(1500, 1900, noise=90)
    samples = [
        sample(f"k-{i:05}", lang=f"l{i % 5}", image=noisy, size=(1500, 1900), text=f"\u2028<é{i}" * 300) for i in range(12)
    ]
    out = render("t", [("recipe", "multilingual")], sections_of(samples, max_bytes=max_bytes))
    assert len(out) <= max_bytes


def test_small_pages_give_way_to_languages_when_room_is_short():
    noisy = picture(1500, 1900, noise=60)
    samples = [sample(f"k-{i:05}", lang=f"l{i}", image=noisy, size=(1500, 1900)) for i in range(4)]
    sections = sections_of(samples, max_bytes=4_000_000)
    full = len(dict(sections[2].data)["coarse-page-k-00000"])
    tight = sections_of(samples, max_bytes=150_000 + int(full * 2.4))
    assert {p["lang"] for p in shown(tight)} == {"l0", "l1", "l2", "l3"}


def test_one_huge_page_is_cut_and_says_so():
    big = sample(text="x" * 3_000_000)
    record = page_record(big)
    assert record["cut"] and len(embed(record)) < 400_000
    assert not page_record(sample())["cut"]


def test_the_choice_follows_from_the_seed_and_not_from_the_order():
    samples = [sample(f"k-{i:05}", lang="en" if i % 3 else "fr") for i in range(MAX_PAGES + 60)]
    bytes_of = lambda found, seed: render("t", [], sections_of(found, seed=seed))  # noqa: E731
    assert bytes_of(samples, 1) == bytes_of(samples[::-1], 1)
    assert bytes_of(samples, 1) != bytes_of(samples, 2)
    assert len(shown(sections_of(samples))) == MAX_PAGES


def test_every_language_verdict_and_reason_is_shown():
    samples = [sample(f"k-{i:05}", lang="en") for i in range(MAX_PAGES + 100)]
    samples += [sample(f"rare-{i:03}", lang=f"x{i}") for i in range(60)]
    samples += [sample(f"odd-{i}", verdict="suspect", reasons=[r]) for i, r in enumerate(["low_ink", "low_ink", "mojibake"])]
    samples += [sample("bad-0", verdict="none", reasons=["no_text"])]
    sections = sections_of(samples)
    pages = shown(sections)
    assert len(pages) == MAX_PAGES
    assert {p["lang"] for p in pages} == {s.lang for s in samples}
    assert {p["verdict"] for p in pages} == {"trusted", "suspect", "none"}
    assert {r for p in pages for r in p["reasons"]} == {"low_ink", "mojibake", "no_text"}
    assert "Counted on 4 pages" in sections[0].html


def test_more_languages_than_pages_all_get_one():
    samples = [sample(f"k-{i:05}", lang=f"q{i}") for i in range(MAX_PAGES + 50)]
    sections = sections_of(samples)
    assert len(shown(sections)) == MAX_PAGES + 50
    assert f"and {MAX_PAGES + 10} more" in sections[0].html


def test_reasons_in_the_rows_spare_reading_the_samples():
    def load(row):
        raise AssertionError("read a sample")

    rows = [row_of(sample("a", verdict="suspect")) | {"reasons": ["low_ink"]}, row_of(sample("b"))]
    picked = pick_pages(rows, load, 0)
    assert picked.reasons == {"low_ink": 1}
    assert {r["key"] for r in picked.rows} == {"a", "b"}


def test_an_empty_dataset_still_makes_a_page():
    out = render("t", [], sections_of([])).decode()
    assert "no samples yet" in out and "Nothing was dropped" in out
    assert json.loads(re.search(r'id="coarse-index">(.*?)</script>', out)[1]) == {
        "name": "coarse",
        "total": 0,
        "pages": [],
    }
    assert "has no sections" in render("t", [], []).decode()


def test_drops_are_counted_with_examples_of_different_documents():
    drops = [Drop("k", "file:///in/a.pdf", i, "DropShort", "too_short", f"{i} characters") for i in range(30)]
    drops += [Drop("", f"file:///in/{c}.pdf", -1, "DropShort", "too_short", "empty") for c in "bcde"]
    html = sections_of([sample()], drops)[1].html
    assert html.count("<li>") == 5 and "5 of 34 shown" in html
    assert all(f"/{c}.pdf" in html for c in "abcde")
    assert html == sections_of([sample()], drops[::-1])[1].html


def test_bars_link_to_the_viewer_and_add_up():
    html = sections_of([sample("a"), sample("b", verdict="suspect"), sample("c", lang="ar")])[0].html
    assert 'href="#v=coarse&amp;lang=en" title="en: 1 trusted, 1 suspect"' in html
    assert 'href="#v=coarse&amp;verdict=suspect"' in html


def test_direction_is_that_of_most_characters():
    box = Box(0, 0, 9, 9)
    lines = (Line(box, "https://long.example.org"), Line(box, "שלום עולם שלום עולם שלום עולם", "", "rtl"))
    assert direction(Region(box, "text", "", None, "x", (), lines), "Hebr") == "rtl"
    assert direction(Region(box, "text", "", None, "x", (), lines[:1]), "Hebr") == "ltr"
    assert direction(Region(box, "text", "", None, "x"), "Hebr") == "rtl"
    assert direction(Region(box, "text", "", None, "x"), "Latn") == "auto"


def test_odd_samples_are_shown_without_their_image():
    broken = sample("broken", image=b"not an image")
    text = replace(sample("words"), task="text", image=None, regions=())
    nan = replace(sample("nan"), quality=Quality("trusted", (), {"ratio": float("nan")}))
    data = {name: json.loads(blob) for name, blob in sections_of([broken, text, nan])[2].data}
    assert data["coarse-page-broken"]["image"] == data["coarse-page-words"]["image"] == ""
    assert data["coarse-page-words"]["text"] == "plain text"
    assert data["coarse-page-nan"]["signals"] == [["ratio", "nan"]]
    assert data["coarse-page-nan"]["image"].startswith("data:image/webp;base64,")

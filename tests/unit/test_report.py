"""The report's bytes: what is in them, how many there are, and that no document's text gets out of its place."""

import base64
import io
import json
import re
from dataclasses import replace

import pyarrow as pa
import pytest
from PIL import Image, ImageDraw

from datagen import manifest
from datagen.record import Box, Drop, Line, Origin, Quality, Region, Sample
from recipes.report import Section, embed, escape, render
from recipes.report.corpus import corpus_sections
from recipes.report.excerpts import font_of_share, letters, marked, middle, sheet, unseen
from recipes.report.pages import MAX_PAGES, Survey, direction, page_record, pick_pages
from recipes.report.verdicts import EXAMPLES, REASONS, TRUSTED_A_SCRIPT, verdicts_section

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


def survey_of(samples, seed=0) -> Survey:
    """In parts of three rows, since that is how they come; Parquet holds no lone surrogates."""
    rows = [row_of(s) for s in samples]
    rows = [{k: v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for k, v in row.items()} for row in rows]
    return Survey.of((pa.Table.from_pylist(rows[i : i + 3], manifest.SCHEMA) for i in range(0, len(rows), 3)), seed)


def sections_of(samples, drops=(), **options) -> list[Section]:
    by_key = {s.key: s for s in samples}
    return corpus_sections("coarse", survey_of(samples), list(drops), lambda r: by_key[r["key"]], **options)


def part(sections: list[Section], name: str) -> Section:
    return next(s for s in sections if s.id == f"coarse-{name}")


def shown(sections: list[Section]) -> list[dict]:
    return json.loads(dict(part(sections, "pages").data)["coarse-index"])["pages"]


def test_hostile_text_stays_in_its_element():
    evil = sample(text=HOSTILE, lang="en", uri=HOSTILE, licence=HOSTILE)
    evil = replace(evil, regions=(replace(evil.regions[0], label=HOSTILE, by=HOSTILE),), lang=HOSTILE)
    drops = [Drop("", HOSTILE, -1, HOSTILE, HOSTILE, HOSTILE)]
    out = render(HOSTILE, [(HOSTILE, HOSTILE)], sections_of([evil], drops)).decode()
    assert "<script>window" not in out and "<img src" not in out and "<!--" not in out
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
    full = len(dict(part(sections, "pages").data)["coarse-page-k-00000"])
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
    picked = pick_pages(Survey.of([pa.Table.from_pylist(rows)], 0), load, 0)
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
    html = part(sections_of([sample()], drops), "drops").html
    assert html.count("<li>") == 5 and "5 of 34 shown" in html
    assert all(f"/{c}.pdf" in html for c in "abcde")
    assert html == part(sections_of([sample()], drops[::-1]), "drops").html


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
    data = {name: json.loads(blob) for name, blob in part(sections_of([broken, text, nan]), "pages").data}
    assert data["coarse-page-broken"]["image"] == data["coarse-page-words"]["image"] == ""
    assert data["coarse-page-words"]["text"] == "plain text"
    assert data["coarse-page-nan"]["signals"] == [["ratio", "nan"]]
    assert data["coarse-page-nan"]["image"].startswith("data:image/webp;base64,")


def section_of(samples, seed=0, budget_bytes=2_000_000) -> Section:
    by_key = {s.key: s for s in samples}
    survey = survey_of(samples, seed)
    picked = pick_pages(survey, lambda row: by_key[row["key"]], seed)
    return verdicts_section("coarse", survey, picked, lambda row: by_key[row["key"]], seed, budget_bytes)


def groups(html: str) -> dict[str, str]:
    """Each group's HTML by its reasons."""
    found = re.findall(r"<details open>(.*?)</details>", html, re.S)
    return {" ".join(re.findall(r"<code>(.*?)</code>", group.split("</summary>")[0])): group for group in found}


def page_of(lines: list[tuple[Line, ...]], image: bytes = b"", script="Latn", **signals: float) -> Sample:
    regions = [Region(found[0].box, "text", "\n".join(li.text for li in found), None, "pymupdf", (), found) for found in lines]
    text = "\n".join(region.text for region in regions)
    page = replace(sample(), regions=tuple(regions), text=text, script=script, image=image or sample().image)
    return replace(page, quality=Quality("suspect", ("x",), signals))


def lines_at(y: int, *texts: str, font="Serif", x=30, height=12) -> tuple[Line, ...]:
    return tuple(Line(Box(x, y + 16 * i, 240, y + 16 * i + height), text, font) for i, text in enumerate(texts))


def test_pages_are_counted_by_reason_and_shown_a_few_each():
    samples = [sample(f"a-{i:02}", verdict="suspect", reasons=["ink_disagrees"]) for i in range(9)]
    samples += [sample(f"b-{i}", verdict="suspect", reasons=["ink_disagrees", "hidden_text"]) for i in range(2)]
    samples += [sample(f"c-{i}", verdict="none", reasons=["blank"], text="") for i in range(3)]
    samples += [sample(f"t-{i}", lang=lang) for i, lang in enumerate(["en"] * 5 + ["ar"] * 4)]
    found = groups(section_of(samples).html)
    assert list(found) == ["ink_disagrees", "blank", "hidden_text", "trusted"]
    assert [re.search(r'class="num">([^<]*)<', g)[1] for g in found.values()] == ["11 pages", "3 pages", "2 pages", "9 pages"]
    assert [g.count("<article>") for g in found.values()] == [EXAMPLES, 3, 2, 2 * TRUSTED_A_SCRIPT]
    assert all(REASONS[reason].says in found[reason] for reason in list(found)[:3])
    assert "<code>Arab</code>" in found["trusted"] and 'dir="rtl"' in found["trusted"]


def test_reasons_that_always_come_together_are_told_together():
    samples = [sample(f"a-{i}", verdict="suspect", reasons=["ink_without_text", "incomplete"]) for i in range(3)]
    html = section_of([*samples, sample("b", verdict="suspect", reasons=["never_heard_of"]), sample("c", verdict="none")]).html
    assert set(groups(html)) == {"ink_without_text incomplete", "never_heard_of", "no reason"}
    # A reason that isn't known here shows what signals there are.
    assert "ink_recall 0.5" in groups(html)["never_heard_of"]


def test_the_examples_follow_from_the_seed_and_not_from_the_order():
    samples = [sample(f"k-{i:03}", verdict="suspect", reasons=["private_use"]) for i in range(40)]
    assert section_of(samples, 1) == section_of(samples[::-1], 1)
    assert section_of(samples, 1) != section_of(samples, 2)


def test_examples_are_of_different_documents_first():
    samples = [sample(f"a-{i:02}", verdict="suspect", reasons=["form"], uri="in/a.pdf") for i in range(60)]
    samples += [sample(f"b-{i}", verdict="suspect", reasons=["form"], uri=f"in/{c}.pdf") for i, c in enumerate("bcdef")]
    html = section_of(samples).html
    assert all(html.count(f"in/{c}.pdf</span>") == 1 for c in "abcdef")


@pytest.mark.parametrize("budget", [0, 10_000, 100_000])
def test_examples_keep_to_their_bytes_and_every_reason_has_its_turn(budget):
    noisy = picture(1500, 1900, noise=90)
    samples = [
        sample(f"k-{i:03}", verdict="suspect", reasons=[f"r{i % 4}"], image=noisy, size=(1500, 1900), text="\x00" * 5_000)
        for i in range(24)
    ]
    bare, html = section_of(samples, budget_bytes=0).html, section_of(samples, budget_bytes=budget).html
    assert len(html.encode()) - len(bare.encode()) <= budget
    counts = [group.count("<article>") for group in groups(html).values()]
    assert max(counts) - min(counts) <= 1
    assert all(name in html for name in ("r0", "r1", "r2", "r3"))


def test_hostile_text_is_escaped():
    evil = sample(text=HOSTILE, verdict="suspect", reasons=[HOSTILE], uri=HOSTILE, lang=HOSTILE)
    evil = replace(evil, quality=replace(evil.quality, signals={HOSTILE: float("nan")}))
    html = section_of([evil, replace(evil, key="k-00001", script=HOSTILE, quality=Quality("trusted"))]).html
    assert "<script" not in html and "<img src" not in html and "onerror=window.owned=1>" not in html
    assert not set("\u2028\u2029\x00") & set(html)
    assert '<span class="odd">2028 2029 0000 D800</span>' in html


def test_characters_that_dont_show_are_written_as_code_points():
    line = Line(Box(0, 0, 9, 9), "a\x03\ue001\u202eb\u200cc\ufffd<")
    html = marked([line], "fa", lambda c: c == "b")
    assert '<p dir="auto">a<span class="odd">0003 E001 202E</span><mark>b</mark>\u200cc<mark>\ufffd</mark>&lt;</p>' in html
    assert 'lang="fa"' in html


def test_the_lines_shown_are_those_cut_out():
    lines = [lines_at(20, "Alpha"), lines_at(100, "gamma one", "gamma two"), lines_at(300, "omega")]
    found = middle(page_of(lines), lambda line: "omega" in line.text)
    assert [line.text for line in found.lines] == ["omega"]
    box = lines[2][0].box
    assert found.image.size == (box.x1 - box.x0 + 10, box.y1 - box.y0 + 10)
    assert [line.text for line in middle(page_of(lines), letters(page_of(lines))).lines] == ["gamma one", "gamma two"]


def test_lines_laid_over_each_other_are_all_shown():
    lines = [lines_at(100, "what is shown there"), lines_at(101, "twice")]
    found = middle(page_of(lines), letters(page_of(lines)))
    assert [line.text for line in found.lines] == ["what is shown there", "twice"]


def test_the_font_in_doubt_is_the_one_with_that_share():
    page = page_of([lines_at(100, "abcdefgh" * 3, font="True"), lines_at(200, "lies", font="False")])
    assert [line.text for line in middle(page, font_of_share(page, 0.1)).lines] == ["lies"]


def test_hidden_lines_are_found_by_their_missing_ink():
    image = Image.new("RGB", (300, 400), "white")
    ImageDraw.Draw(image).rectangle((30, 100, 240, 112), "black", "white")
    ImageDraw.Draw(image).line((30, 104, 240, 104), "white")
    out = io.BytesIO()
    image.save(out, "PNG")
    page = page_of([lines_at(100, "what is shown"), lines_at(200, "hidden")], out.getvalue())
    assert [unseen(page)(region.lines[0]) for region in page.regions] == [0, 6]


def test_characters_that_reading_took_away_are_said_to_be_gone():
    here = sample("a-0", verdict="suspect", reasons=["private_use"], text="with \ue001")
    gone = sample("b-0", verdict="suspect", reasons=["private_use"], text="without")
    assert [section_of([s]).html.count("none of them is left") for s in (here, gone)] == [0, 1]


def test_lines_with_words_of_two_scripts_are_found():
    weigh = REASONS["mixed_words"].weight(sample())
    assert [weigh(Line(Box(0, 0, 1, 1), text)) for text in ("слoво and слово", "слово word 12")] == [1, 0]


def test_letters_of_another_script_than_latin_weigh():
    weigh = letters(page_of([lines_at(0, "x")], script="Cyrl"))
    assert [weigh(Line(Box(0, 0, 1, 1), text)) for text in ("latin", "слово1")] == [0, 5]


def test_a_sheet_is_shaded_where_it_has_text():
    image = sheet(page_of([lines_at(100, "text")]), 200).image
    assert image.size == (150, 200)
    r, _, b = image.getpixel((60, 53))
    assert b > r + 30
    assert image.getpixel((60, 150)) == (255, 255, 255)


def test_samples_without_lines_regions_or_image_are_shown():
    bare = replace(sample("crop"), task="crop", regions=(), quality=Quality("none"), text="words alone")
    broken = sample("broken", verdict="suspect", reasons=["blank"], image=b"not an image")
    words = replace(sample("words"), task="text", image=None, regions=())
    html = section_of([bare, broken, words]).html
    assert html.count("There is no image") == 2 and "words alone" in html
    assert "There is no page" in section_of([]).html


def test_the_images_are_pictures():
    html = section_of([sample(verdict="suspect", reasons=["ink_disagrees"])]).html
    (data,) = re.findall(r'src="data:image/webp;base64,([^"]*)"', html)
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (250, 30)

"""The report's bytes: what is in them, how many there are, and that no document's text gets out of its place."""

import base64
import io
import json
import re
from dataclasses import replace
from importlib import resources

import numpy
import pyarrow as pa
import pytest
from PIL import Image

from datagen.disk import manifest
from datagen.disk.shards import Place
from datagen.disk.storage import Folder
from datagen.record import Box, Drop, Line, Origin, Quality, Range, Reading, Region, Sample
from recipes import report
from recipes.report import Section, flywheel, render
from recipes.report.corpus import corpus_sections
from recipes.report.flywheel import flywheel_sections
from recipes.report.pages import MAX_PAGES, Survey, pick_pages
from recipes.report.train import train_sections
from tests.inputs.samples import encoded
from tests.outputs import write_shard

HOSTILE = "</script><script>window.owned=1</script><!--<img src=x onerror=window.owned=1>"
HOSTILE += "\u2028\u2029\x00\ud800\u202e&\"' {{ 7 * 1910000007 }}{% x %}"


def picture(width: int, height: int, noise: int = 0) -> bytes:
    grays = numpy.random.default_rng(0).normal(128, noise, (height, width)) if noise else numpy.full((height, width), 255)
    return encoded(Image.fromarray(grays.clip(0, 255).astype(numpy.uint8)).convert("RGB"))


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
    return manifest.row(s, "coarse-000000.tar", Place(0, 1, 0, 1))


def survey_of(samples, seed=0) -> Survey:
    """In parts of three rows, since that is how they come; Parquet holds no lone surrogates."""
    rows = [row_of(s) for s in samples]
    rows = json.loads(json.dumps(rows, ensure_ascii=False).encode("utf-8", "replace"))
    return Survey.of((pa.Table.from_pylist(rows[i : i + 3], manifest.SCHEMA) for i in range(0, len(rows), 3)), seed)


def sections_of(samples, drops=(), **options) -> list[Section]:
    by_key = {s.key: s for s in samples}
    return corpus_sections("coarse", survey_of(samples), list(drops), lambda r: by_key[r["key"]], **options)


def part(sections: list[Section], name: str) -> Section:
    return next(s for s in sections if s.id == f"coarse-{name}")


def shown(sections: list[Section]) -> list[dict]:
    return json.loads(dict(part(sections, "pages").data)["coarse-index"])["pages"]


def assert_inert(html: str) -> None:
    """Nothing of HOSTILE is an element, ends an attribute, is a template's or disturbs the text around it."""
    assert "&lt;/script&gt;&lt;script&gt;window.owned=1" in html
    assert "<script>window" not in html and "<img src=x" not in html and "<!--" not in html and "&\"'" not in html
    assert "{{ 7 * 1910000007 }}{% x %}" in html and str(7 * 1910000007) not in html
    assert not set("\u2028\u2029\x00\ud800\u202e") & set(html)


def test_hostile_text_stays_in_its_element():
    evil = sample(text=HOSTILE, uri=HOSTILE, licence=HOSTILE, verdict="suspect", reasons=[HOSTILE])
    evil = replace(evil, regions=(replace(evil.regions[0], label=HOSTILE, by=HOSTILE),), lang=HOSTILE, script=HOSTILE)
    evil = replace(evil, quality=replace(evil.quality, signals={HOSTILE: float("nan")}))
    drops = [Drop("", HOSTILE, None, HOSTILE, HOSTILE, HOSTILE)]
    sections = sections_of([evil], drops)
    for section in sections[:2]:
        assert_inert(section.html)
    out = render(HOSTILE, [(HOSTILE, HOSTILE)], sections).decode()
    assert_inert(out[out.index("</style>") : out.index("<script")])
    assert "<script>window" not in out and "<img src=x" not in out and not set("\u2028\u2029\x00") & set(out)
    # Our own script, and one element for the index and for the page: nothing opened or closed another.
    assert len(re.findall("<script", out)) == len(re.findall("</script>", out)) == 3
    (page,) = re.findall(r'<script type="application/json" id="coarse-page-k-00000">(.*)</script>', out)
    assert json.loads(page)["regions"][0]["label"] == HOSTILE


def test_hostile_rounds_are_inert():
    row = {
        "script": HOSTILE, "cer": 0.1, "cer_low": 0.05, "cer_high": 0.2, "tesseract_cer": 0.1,
        "existing_is_better": True, "num_lines": 9, "num_chars": 90,
        "pools": {name: {"pages": 1} for name in ("train", "held_out", "fold_a", "fold_b")}, "not_served": HOSTILE,
        "num_accepted": 1, "num_right": 1, "precision": 0.9, "precision_low": 0.5, "precision_high": 1, "rejected": {HOSTILE: 2},
        "chars_read": 9, "chars_accepted": 3,
    }  # fmt: skip
    gate = {"languages": [HOSTILE], "confidence": None, "num_lines": 9, "num_above": 0, "num_right": 0, "reason": HOSTILE}
    metrics = {"round": 1, "languages": {HOSTILE: row}, "labels": row, "gates": {HOSTILE: {HOSTILE: gate}}}
    crops = [flywheel.Crop(HOSTILE, HOSTILE, 0.5, HOSTILE, "data:,")]
    assert_inert(flywheel._errors([metrics], [HOSTILE], crops))
    assert_inert(flywheel._labels(metrics, crops))
    assert flywheel_sections("wheel", [], [], Folder("memory://none"), Folder("memory://none")) == []


def test_crops_are_shown_and_rejected_ones_cut_from_their_page(tmp_path):
    page = sample("page", image=picture(300, 400, noise=10))
    accepted = [replace(sample(f"crop-{i}", lang=lang), task="crop") for i, lang in enumerate(["he"] * 9 + ["am"])]
    readings = [Reading("he", Box(10, 20, 110, 40), f"reading {i}", 0.25) for i in range(3)]
    drops = [Drop(f"d-{i}", page.origin.uri, Range(0, 1), "read", "views_differ", "", (r,)) for i, r in enumerate(readings)]
    drops.append(Drop("d-9", "file:///gone.pdf", Range(0, 1), "read", "turned", "", (readings[0],)))
    drops.append(Drop("page", page.origin.uri, Range(0, 1), "read", "no_lines"))
    pages, last = (Folder(str(tmp_path / name)) for name in ("pages", "last"))
    write_shard(pages, "a-000000", [page])
    write_shard(last, "a-000000", accepted, drops)
    crops = [*flywheel._accepted(last, 0), *flywheel._rejected(last, pages, 0)]
    assert [(c.lang, c.reason) for c in crops] == [("am", ""), *[("he", "")] * flywheel.ACCEPTED, ("he", "views_differ")]
    assert [c.lang for c in flywheel._in_turn(crops)] == ["am", "he", "he", "he", "he"]
    assert (crops[-1].text[:-1], crops[-1].score) == ("reading ", 0.25)
    assert Image.open(io.BytesIO(base64.b64decode(crops[-1].image.split(",")[1]))).size == (100, 20)


def test_hostile_readings_are_inert(tmp_path):
    folder = Folder(str(tmp_path))
    assert train_sections("second", folder) == []
    written_training(folder, [HOSTILE])
    measurements, readback = train_sections("second", folder)
    assert_inert(readback.html)
    assert readback.html.count("data:image/webp;base64,") == 1
    assert (measurements.id, measurements.html.count("<polyline"), measurements.html.count("<circle")) == ("second-metrics", 3, 2)


def written_training(folder: Folder, readings: list[str]) -> None:
    """What a training leaves in its folder for the report."""
    metrics = {
        "step": 2, "num_parameters": 9_000, "num_active_parameters": 900, "num_tokens": 100, "seconds": 3, "threads": 1,
        "precision": "float32", "held_out_loss_first": 4.0, "held_out_loss_last": 3.0, "fill": 0.96, "looks": False,
        "tokens_per_s": 900.0, "speed": {"data_wait": 0.01},
        "read": {"dataset a": {"num": 1, "edit_distance": 0.9, "character_error_rate": 1.1, "loops": 0.0}},
        "num_train": {"a": 2}, "num_held_out": {"a": 1}, "num_skipped": {"a": {"no_text": 3}}, "own_image_loss": 3.0,
        "other_image_loss": 3.001, "counts": {"samples": 4, "upsampled": 1, "too_long a": 2},
    }  # fmt: skip
    losses = [{"step": 0, "held_out_loss": 4.0}, {"step": 1, "loss": 3.9}, {"step": 2, "loss": 3.5, "held_out_loss": 3.0}]
    image = base64.b64encode(sample().image).decode()
    rows = [{"lang": r, "mode": r, "prompt": r, "truth": r, "reading": r, "edit_distance": 0.9, "image": image} for r in readings]
    folder.write("metrics.json", json.dumps(metrics).encode())
    folder.write("loss.jsonl", "\n".join(map(json.dumps, losses)).encode())
    folder.write("readback.json", json.dumps(rows).encode())


def test_every_template_is_escaped():
    assert report._TEMPLATES.autoescape is True
    templates = [file.read_text() for file in resources.files(report).joinpath("templates").iterdir()]
    assert len(templates) > 5
    # What could bring in text that isn't escaped, or glue it to HTML before it is neutralised.
    assert not re.search(r"\|\s*safe|autoescape|\bMarkup\b|~|\{%-?\s*raw", "".join(templates))


def test_nothing_is_asked_of_the_network():
    out = render("t", [], sections_of([sample()])).decode()
    assert "default-src 'none'" in out
    # The namespace of SVG is a name, not an address.
    assert set(re.findall(r"https?://[^\"\s]*", out)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(
        r"<link(?! rel=\"icon\" href=\"data:,\")|<script src|@import|url\((?!#)", out.replace("url(#${", "url(#")
    )
    assert "innerHTML" not in out


def test_ids_are_checked():
    with pytest.raises(ValueError, match="section id 'a b'"):
        Section("a b", "", "")
    with pytest.raises(ValueError, match="more than once: a"):
        render("t", [], [Section("a", "", ""), Section("a", "", "")])


@pytest.mark.parametrize(("max_bytes", "num_shown"), [(90_000, 0), (170_000, 5)])
def test_the_budget_holds(max_bytes, num_shown):
    noisy, size = picture(600, 800, noise=10), (600, 800)
    samples = [sample(f"k-{i:05}", lang=f"l{i % 5}", image=noisy, size=size, text=f"\u2028<é{i}" * 300) for i in range(12)]
    sections = sections_of(samples, max_bytes=max_bytes)
    assert len(render("t", [("recipe", "multilingual")], sections)) <= max_bytes
    assert len(shown(sections)) == num_shown


def test_the_choice_follows_from_the_seed_and_not_from_the_order():
    samples = [sample(f"k-{i:05}", lang="en" if i % 3 else "fr") for i in range(MAX_PAGES + 60)]
    assert keys(samples, 1) == keys(samples[::-1], 1)
    assert keys(samples, 1) != keys(samples, 2)
    assert len(keys(samples)) == MAX_PAGES
    bytes_of = lambda order: render("t", [], sections_of(order, seed=1))  # noqa: E731
    assert bytes_of(samples[:20]) == bytes_of(samples[:20][::-1])


def keys(samples, seed=0) -> list[str]:
    return [row["key"] for row in pick_pages(survey_of(samples, seed), seed)[0]]


def test_more_languages_than_pages_all_get_one():
    samples = [sample(f"k-{i:05}", lang=f"q{i}") for i in range(MAX_PAGES + 50)]
    assert len(keys(samples)) == MAX_PAGES + 50
    counts = corpus_sections("coarse", survey_of(samples), [], lambda row: samples[0], max_bytes=0)[0].html
    assert f"and {MAX_PAGES + 10} more" in counts


def test_only_pages_that_are_shown_are_read():
    samples = {s.key: s for s in [sample("a"), sample("b", verdict="suspect", reasons=["cover"]), sample("c")]}
    read = []

    def load(row):
        read.append(row["key"])
        return samples[row["key"]]

    survey = survey_of(list(samples.values()))
    assert survey.reasons == {"cover": 1}
    corpus_sections("coarse", survey, [], load, max_bytes=0)
    assert read == []
    corpus_sections("coarse", survey, [], load)
    assert sorted(read) == ["a", "b", "c"]


def test_an_empty_dataset_still_makes_a_page():
    out = render("t", [], sections_of([])).decode()
    assert "no samples yet" in out and "Nothing was dropped" in out
    index = json.loads(re.search(r'id="coarse-index">(.*?)</script>', out)[1])
    assert index == {"name": "coarse", "total": 0, "pages": [], "show": "bi"}
    assert "has no sections" in render("t", [], []).decode()


def test_odd_samples_are_shown_without_their_image():
    broken = sample("broken", image=b"not an image")
    text = replace(sample("words"), task="text", image=None, regions=())
    nan = replace(sample("nan"), quality=Quality("trusted", (), {"ratio": float("nan")}))
    data = {name: json.loads(blob) for name, blob in part(sections_of([broken, text, nan]), "pages").data}
    assert data["coarse-page-broken"]["image"] == data["coarse-page-words"]["image"] == ""
    assert data["coarse-page-words"]["text"] == "plain text"
    assert data["coarse-page-nan"]["signals"] == [["ratio", "nan"]]
    assert data["coarse-page-nan"]["image"].startswith("data:image/jpeg;base64,")

"""The source and the recipe of pages from markup: samples, cuts, drops, the same bytes again, a kill, hostile documents."""

import shutil
import zipfile

import numpy
import pytest

pytest.importorskip("playwright", reason="pages from markup need Playwright: make setup-markup")
if not (shutil.which("chromium") or shutil.which("google-chrome")):
    pytest.skip("pages from markup need Chromium: make setup-markup", allow_module_level=True)

from datagen.formulas.katex import mathml
from datagen.inputs.items import Item
from datagen.markup.source import MarkupSource
from datagen.markup.worn_pages import Wear, moved, worn
from datagen.record import Box, Drop, Line, Region, Sample, SampleError
from recipes.markup import markup
from recipes.run.execute import run
from recipes.steps import Place
from tests.outputs import check_corpus, shards
from tests.programs import is_running, killed_when

RUN = "import sys; from tests.pipeline.markup.test_markup import make; sys.exit(make(*sys.argv[1:4]))"
PAGE = "<html lang=en><title>T</title><body><h1>Title {n}</h1><p>{words}</p><table><tr><td>a<td>{n}</table>{formula}"


def make(folder: str, out: str, on: str) -> int:
    return run(markup(folder, wear=0.5), Place(out, on, 2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("documents")
    for n in range(6):
        words = " ".join(f"word {at} {n} stands before another" for at in range(300))
        (path / f"{n}.html").write_text(PAGE.format(n=n, words=words, formula=mathml(f"x^{n}")))
    (path / "guide.md").write_text("---\nlang: de\n---\n# Der Titel\n\nEin Absatz mit Text.\n\n1. eins\n2. zwei\n")
    return path


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "out"
    assert make(str(folder), str(out), "inline") == 0
    return out


def test_the_recipe_leaves_a_sound_corpus_of_pages_tables_and_formulas(made):
    check_corpus(made, name="markup")
    assert (made / "report/index.html").exists() and not (made / "markup/drops.jsonl").read_text()


def test_two_workers_give_the_bytes_of_one(folder, made, tmp_path):
    assert make(str(folder), str(tmp_path / "out"), "local") == 0
    assert shards(tmp_path / "out", "markup") == shards(made, "markup")


@pytest.mark.slow
def test_a_killed_run_leaves_no_browser_and_goes_on_to_the_same_bytes(folder, made, tmp_path):
    begun = tmp_path / "out/markup/run.json"
    assert killed_when(lambda: begun.exists() and is_running("chrom"), RUN, folder, tmp_path / "out", "inline") == []
    assert make(str(folder), str(tmp_path / "out"), "inline") == 0
    assert shards(tmp_path / "out", "markup") == shards(made, "markup")


def test_a_document_gives_pages_with_their_cuts_and_pdfs(folder, tmp_path):
    source = MarkupSource(wear=Wear(0, 0), pdfs=str(tmp_path), error_share=1.0)
    samples = list(source.read(Item(str(folder / "1.html"), licence="MIT")))
    page, *others = (sample for sample in samples if isinstance(sample, Sample))
    assert page.task == "page" and page.text.startswith("# Title 1") and max(page.size) == 1920
    assert int(page.metadata["typing_errors"]) > 0 and page.quality.verdict == "trusted" and page.origin.licence == "MIT"
    assert {sample.task for sample in others} == {"page", "table", "formula"}
    for cut in (sample for sample in others if sample.task != "page"):
        assert cut.text in ("<table><tr><td>a</td><td>1</td></tr></table>", r"\[x^1\]")
        assert cut.origin.parent in {sample.key for sample in samples} and cut.key.startswith(cut.origin.parent)
    assert (tmp_path / f"{page.key}.pdf").read_bytes().startswith(b"%PDF")


def test_worn_pages_have_their_letters_in_their_boxes():
    pixels = numpy.full((900, 700, 3), 255, numpy.uint8)
    box = Box(100, 300, 500, 330)
    pixels[box.y0 : box.y1, box.x0 : box.x1] = 0
    region = Region(box, "text", "a", None, "markup", lines=(Line(box, "a"),))
    seen = set()
    for seed in range(60):
        random = numpy.random.default_rng(seed)
        kind = Wear(0.5, 0.5).drawn(random)
        picture, (after,) = worn(kind, pixels, [region], random, 30)
        seen.add(kind)
        (line,) = after.lines
        middle = picture[(line.box.y0 + line.box.y1) // 2, (line.box.x0 + line.box.x1) // 2].mean()
        outside = picture[line.box.y0 - 25, (line.box.x0 + line.box.x1) // 2].mean()
        assert outside > middle + 30 and len(line.polygon) == 4, (seed, kind)
    assert seen == {"scan", "photograph", "bent photograph"}


def test_moved_boxes_are_around_their_corners():
    region = Region(Box(10, 10, 30, 20), "image", "", None, "markup")
    (after,) = moved([region], lambda places: places[:, ::-1] * 2, (100, 100))
    assert after.box == (20, 20, 40, 60) and after.polygon == ((20, 20), (20, 60), (40, 60), (40, 20))


HOSTILE = {
    "endless.html": ("<script>for (;;) document.write('<p>x')</script><p>Text stays.</p>", "Text stays."),
    "frames.html": ("<iframe src='file:///etc/passwd'></iframe><p>Text stays.</p>", "Text stays."),
    "files.html": ("<img src='file:///etc/passwd'><img src='http://127.0.0.1:9/a.png'><p>Text stays.</p>", "Text stays."),
    "css.html": ("<style>@import 'http://127.0.0.1:9/'; p { background: url(file:///a) }</style><p>Text stays.", "Text stays."),
    "redirect.html": ("<meta http-equiv=refresh content='0; url=http://127.0.0.1:9/'><p>Elsewhere.", "redirect"),
    "empty.html": ("<html><body></body></html>", "no_text"),
    "huge.html": ("<p>" + "<b>" * 100_000 + "x", "too_deep"),
    "many.html": ("<p>x" * 1_500_000, "too_many_nodes"),
    "bomb.epub": ("", "broken_epub"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_read_or_dropped_with_a_reason(name, tmp_path):
    text, outcome = HOSTILE[name]
    path = tmp_path / name
    if name.endswith(".epub"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mimetype", "application/epub+zip")
    else:
        path.write_text(f"<html>{text}")
    try:
        (page,) = MarkupSource(wear=Wear(0, 0), error_share=0.0).read(Item(str(path)))
    except SampleError as error:  # for the document as a whole
        assert error.reason == outcome
    else:
        assert (page.reason if isinstance(page, Drop) else page.text) == outcome

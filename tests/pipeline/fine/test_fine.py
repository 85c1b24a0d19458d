"""The recipe fine on a PDF and on images of pages: what stands in the dataset, and what bad images leave."""

import io
import shutil
from pathlib import Path

import pymupdf
import pytest
from PIL import Image
from rapidfuzz.distance import Levenshtein

from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from recipes.fine import fine
from recipes.multilingual import multilingual
from recipes.recipe import Recipe
from recipes.run.execute import run
from recipes.steps import OK, Place
from tests.inputs import pdfs
from tests.outputs import check_corpus, dataset_samples

TEXT = pdfs.lines(" ".join([pdfs.LATIN] * 5))


def make(root: Path) -> None:
    """A PDF, a picture of its page, and images that are none, in `in`; what the recipe makes of them, in `out`."""
    folder = root / "in"
    path = pdfs.write(folder / "a.pdf", TEXT)
    with pymupdf.open(path) as doc:
        doc[0].get_pixmap(dpi=150).save(folder / "b.png")
    whole = (folder / "b.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.webp").write_text("no image")
    Image.new("RGB", (300, 400), "white").save(folder / "blank.jpg")
    Image.open(io.BytesIO(whole)).convert("CMYK").save(folder / "inks.jpg", quality=95)
    assert run(fine(str(folder)), Place(str(root / "out"), on="inline")) == OK


@pytest.fixture(scope="module")
def made(shared) -> tuple[Path, Path]:
    """What was read, and the output."""
    root = shared("fine", make)
    return root / "in", root / "out"


def by_name(out: Path):
    return {sample.origin.uri.rpartition("/")[2]: sample for sample in dataset_samples(Folder(str(out)).sub("fine"))}


def test_a_pdf_s_text_is_the_file_s_and_an_image_s_is_read(made):
    samples = by_name(made[1])
    pdf, image, inks = (samples[name] for name in ("a.pdf", "b.png", "inks.jpg"))
    assert {region.by for region in pdf.regions} == {"pymupdf"} and {region.by for region in image.regions} == {"ppocr"}
    assert pdf.text == " ".join(TEXT.split())
    for read in (image, inks):
        assert Levenshtein.normalized_distance(read.text, pdf.text) < 0.02
        assert read.quality.verdict == "trusted" and 0 <= read.difficulty < 0.1
        assert all(region.score is not None and region.detected_by for region in read.regions)
    assert pdf.quality.verdict == "trusted" and pdf.quality.signals["agreement"] > 0.95


def test_the_dataset_keeps_to_the_contract(made):
    check_corpus(made[1], name="fine")


def test_what_is_cut_out_of_its_pages_keeps_to_the_contract_too(made, tmp_path):
    """By the steps of the recipe `multilingual`: its regions, its lines, and the short lines that are cut out of coarse pages."""
    out = shutil.copytree(made[1], tmp_path / "out")
    steps = {step.name: step for step in multilingual(str(made[0] / "a.pdf")).steps}
    names = {"fine-regions": 3, "fine-lines": 6, "short-lines": 6}
    assert run(Recipe("cut", tuple(steps[name] for name in ("coarse", *names))), Place(str(out), on="inline")) == OK
    for name, least in names.items():
        assert len(dataset_samples(Folder(str(out)).sub(name))) >= least
        check_corpus(out, name=name)


def test_bad_images_are_drops_with_a_reason_and_a_blank_page_has_no_text(made):
    reports = read_reports(Folder(str(made[1])).sub("fine"))
    drops = {drop.uri.rpartition("/")[2]: drop.reason for report in reports for drop in report.drops}
    assert drops == {"cut.png": "damaged_image", "empty.jpg": "empty", "text.webp": "other_format"}
    blank = by_name(made[1])["blank.jpg"]
    assert (blank.text, blank.regions, blank.quality.verdict) == ("", (), "none")


def test_the_same_command_does_nothing_again_and_a_report_shows_the_hardest_first(made, tmp_path):
    folder, out = made[0], shutil.copytree(made[1], tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (out / "fine" / "shards").iterdir()}
    assert run(fine(str(folder)), Place(str(out), on="inline")) == OK
    assert {path: path.stat().st_mtime_ns for path in (out / "fine" / "shards").iterdir()} == before
    html = (out / "report" / "index.html").read_text()
    assert '"level":"easy"' in html.replace("\\u0022", '"')

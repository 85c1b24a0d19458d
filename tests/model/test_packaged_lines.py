"""The network of lines that comes with the package: it reads its card's first lines as the card says, pages by `make read`, and
held-out pages for the report of `reads`."""

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from datagen.disk.storage import Folder
from datagen.drawing import typefaces
from datagen.record import Box, Line, Origin, Quality, Region, Sample
from flywheel.labels import error_rates
from model.files import packaged
from model.train.start import known_as, starts, within
from model.train.step import PACKAGED, Train
from recipes.__main__ import main
from recipes.reads import ReadPages
from recipes.recipe import Recipe, Report
from recipes.run.execute import run
from recipes.steps import Place
from recipes.steps.install_lines import drawn, read
from tests.inputs.samples import encoded
from tests.model.lines import write_dataset

MOST_BYTES = 4_500_000
LEFT = (
    "the first column is read",
    "down to its last line as",
    "it stands on any page by",
    "those who read from left",
    "to right, and only then,",
)
RIGHT = (
    "when all of it was read,",
    "comes the other one that",
    "stands at its right side",
    "with as many lines which",
    "are read down like these",
)


def test_it_has_a_card_and_is_small():
    card = packaged.card()
    assert {"text", "typefaces", "typefaces_to_test", "steps", "seed", "frames_right", "rates", "licence"} <= card.keys()
    assert not card["typefaces"].keys() & card["typefaces_to_test"].keys() and all(card["typefaces"].values())
    assert sum(path.stat().st_size for path in packaged.FOLDER.rglob("*") if path.is_file()) <= MOST_BYTES


def test_its_first_lines_are_read_as_the_card_says():
    card = packaged.card()
    if missing := card["typefaces_to_test"].keys() - typefaces.files().keys():
        pytest.skip(f"this machine lacks the typefaces {', '.join(sorted(missing))}")
    truths, rates = card["first"]["lines"], card["first"]["rates"]
    readings = read(Folder(str(packaged.LINES)), drawn(truths, list(card["typefaces_to_test"])))
    assert rates["low"] <= error_rates.errors(truths, readings).cer <= rates["high"]


def page() -> Image.Image:
    """Two columns of five lines."""
    image = Image.new("L", (1000, 290), 255)
    font = ImageFont.truetype("DejaVuSansMono.ttf", 28)
    for left, texts in ((30, LEFT), (560, RIGHT)):
        for n, text in enumerate(texts):
            ImageDraw.Draw(image).text((left, 40 + 42 * n), text, fill=0, font=font)
    return image


def test_a_page_is_read_line_by_line_in_order(tmp_path):
    (tmp_path / "in").mkdir()
    page().save(tmp_path / "in" / "page.png")
    Image.new("L", (600, 400), 255).save(tmp_path / "in" / "blank.png")
    (tmp_path / "in" / "none.png").write_bytes(b"no image")
    out = tmp_path / "rows.jsonl"
    words = ["modes=line", "kind=page", "max_new_tokens=60", "on=inline", f"input={tmp_path}/in", f"out={out}"]
    assert main(["read", f"model={packaged.LINES}", *words]) == 0
    rows = {Path(row["image"]).stem: row for row in map(json.loads, out.read_text().splitlines())}
    assert rows["blank"]["lines"] == [] and rows["none"]["error"].startswith("other_format")
    lines = rows["page"]["lines"]
    assert rows["page"]["size"] == [1000, 290] and len(lines) == 10
    assert [line["box"][0] > 500 for line in lines] == [False] * 5 + [True] * 5
    assert error_rates.errors([*LEFT, *RIGHT], [line["text"] for line in lines]).cer < 0.35


@pytest.mark.slow
def test_held_out_pages_are_read_scored_and_shown(tmp_path):
    """By Tesseract as well, and `make score` says of what was written what the step says."""
    out, image = Folder(str(tmp_path)), page()
    text = "\n".join([*LEFT, *RIGHT])
    box = Box(0, 0, *image.size)
    regions = (Region(box, "text", text, None, "truth", lines=(Line(box, text),)),)
    rows = [
        Sample(f"key{n}", "page", encoded(image, "PNG"), image.size, lang="en", script=script, text=text * 2, regions=regions,
               quality=Quality("trusted"), origin=Origin(f"/in/{n}.pdf", f"{n:064d}", 0), stage="test", group=f"g{n}")
        for n, script in enumerate(("Latn", "Latn", "Cyrl"))
    ]  # fmt: skip
    write_dataset(out, "coarse", [rows])
    network = out.sub("train")
    for name in Folder(str(packaged.LINES)).names():
        network.write(f"model/{name}", (packaged.LINES / name).read_bytes())
    recipe = Recipe("test", (ReadPages("train", "coarse"), Report(datasets=())))
    place = Place(str(tmp_path), "inline")
    assert run(recipe, place) == 0 and not out.exists("read-pages/pages.json")  # nothing has trained yet
    network.write("metrics.json", b"{}")
    network.write("run.json", json.dumps({"step": {"held_out_share": 1.0}}).encode())
    assert run(recipe, place) == 0
    found = json.loads(out.read("read-pages/pages.json"))
    assert [row["key"] for row in found["pages"]] == ["key0", "key1"]
    scores = tmp_path / "scores.json"
    assert main(["score", f"pred={tmp_path}/read-pages/network", f"gt={tmp_path}/coarse", f"out={scores}"]) == 0
    of_pages = json.loads(scores.read_text())["pages"]
    assert found["scores"]["network"]["value"] == pytest.approx(sum(of_pages[name]["page"] for name in "01") / 2)
    assert found["scores"]["tesseract"]["value"] <= found["scores"]["network"]["value"]
    html = out.read("report/index.html").decode()
    assert "held-out pages, read line by line" in html and "data:image/webp" in html
    before = out.read("read-pages/pages.json")
    assert run(recipe, place) == 0 and out.read("read-pages/pages.json") == before


def test_trainings_go_on_from_it_by_name(tmp_path):
    step, out = Train(datasets=()).but(start=PACKAGED), Folder(str(tmp_path))
    assert within(step, out).weights.start == str(packaged.LINES)
    assert starts(step, out) == {PACKAGED: known_as(Folder(str(packaged.LINES)))}

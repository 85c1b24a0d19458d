"""PP-DocLayout: what it says of a page, as regions of the record, on tiny networks with weights drawn at random."""

from pathlib import Path

import numpy
import pytest
import torch

from datagen.engines import Engines
from datagen.engines.pp_doclayout import PPDocLayout
from datagen.record import LABELS, Region
from tests.inputs import tiny_engines

NOISE = (numpy.random.default_rng(0).random((300, 200, 3)) * 255).astype(numpy.uint8)
BLANK = numpy.full((300, 200, 3), 255, numpy.uint8)


@pytest.fixture(scope="module", params=["v2", "v3", "v4"])
def layout_folder(request, tmp_path_factory) -> Path:
    return tiny_engines.write_layout(tmp_path_factory.mktemp(request.param), request.param)


def test_a_layout_network_gives_regions_of_the_record(layout_folder):
    with Engines() as engines:
        engine = engines.get("pp-doclayout", model=str(layout_folder), threshold=0.001, device="cpu")
        images = [NOISE, BLANK, NOISE[:, :150]]
        pages = engine.regions(images, [[], [], []])
        assert engine.regions(images[:1], [[]]) == pages[:1]
        for page, image in zip(pages, images, strict=True):
            assert page
            for region in page:
                x0, y0, x1, y1 = region.box
                assert 0 <= x0 < x1 <= image.shape[1] and 0 <= y0 < y1 <= image.shape[0]
                assert region.label in LABELS and region.is_unread and region.text == ""
                assert isinstance(region.score, float) and 0 <= region.score <= 1
                assert (region.by, region.detected_by) == ("pp-doclayout", "pp-doclayout")
        assert engines.get("pp-doclayout", model=str(layout_folder), threshold=1.0, device="cpu").regions([NOISE], [[]]) == [()]
        assert engine.regions([], []) == []


def test_a_class_that_has_no_label_is_refused_when_the_network_is_opened(tmp_path):
    folder = tiny_engines.write_layout(tmp_path, "v4", classes=[*tiny_engines.CLASSES[:-1], "hologram"])
    with pytest.raises(ValueError, match="pp-doclayout has a class 'hologram', for which"):
        PPDocLayout(str(folder), device="cpu").regions([NOISE])


class Found:
    """A network and an image processor in one, that have found these boxes."""

    def __init__(self, *found: tuple[str, float, list[float]], polygons: list | None = None):
        self.config = type("Config", (), {"id2label": dict(enumerate(tiny_engines.CLASSES))})
        self.device = "cpu"
        self.answer = {
            "labels": torch.tensor([tiny_engines.CLASSES.index(name) for name, _, _ in found]),
            "scores": torch.tensor([score for _, score, _ in found]),
            "boxes": torch.tensor([box for _, _, box in found]),
        } | ({"polygon_points": polygons} if polygons else {})

    def __call__(self, pixel_values=None, **_):
        return {"pixel_values": torch.zeros(1)}

    def post_process_object_detection(self, *_, **__):
        return [self.answer]


def regions_of(net: Found, threshold: float = 0.0) -> list[Region]:
    engine = PPDocLayout("any", threshold)
    engine.__dict__["_network"] = (net, net)
    return list(engine.regions([NOISE])[0])


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        pytest.param(
            [
                ("footnote", 0.82, [10, 200, 190, 240]),
                ("text", 0.51, [10, 200, 190, 240]),
                ("text", 0.9, [10, 10, 190, 60]),
                ("text", 0.6, [12, 12, 90, 58]),
                ("text", 0.7, [10, 100, 13, 180]),
            ],
            [("footnote", 200), ("text", 10)],
            id="one box under two classes, one inside another, one too narrow to be anything",
        ),
        pytest.param(
            [
                ("text", 0.9, [10, 10, 190, 60]),
                ("inline_formula", 0.9, [100, 20, 140, 30]),
                ("display_formula", 0.9, [10, 70, 190, 90]),
                ("inline_formula", 0.8, [10, 250, 60, 270]),
            ],
            [("text", 10), ("equation", 70), ("equation", 250)],
            id="a formula in a paragraph is the paragraph's, a displayed one isn't",
        ),
        pytest.param(
            [
                ("image", 0.9, [10, 10, 190, 100]),
                ("figure_title", 0.9, [20, 80, 180, 98]),
                ("seal", 0.9, [100, 20, 140, 60]),
                ("table", 0.9, [10, 120, 190, 200]),
                ("text", 0.9, [20, 130, 80, 150]),
                ("image", 0.9, [100, 130, 180, 190]),
            ],
            [("image", 10), ("image_caption", 80), ("seal", 20), ("table", 120), ("image", 130)],
            id="what lies in a picture stays, text in a table goes",
        ),
        pytest.param(
            [
                ("reference", 0.9, [10, 10, 190, 100]),
                ("reference_content", 0.9, [10, 10, 190, 50]),
                ("reference_content", 0.9, [10, 55, 190, 100]),
                ("reference", 0.9, [10, 200, 190, 250]),
            ],
            [("reference", 10), ("reference", 55), ("reference", 200)],
            id="a list of references gives way to its entries",
        ),
    ],
)
def test_of_boxes_over_each_other_one_stays(found, kept):
    assert [(r.label, r.box.y0) for r in regions_of(Found(*found))] == kept


def test_the_two_classes_that_released_files_call_formula_are_told_apart():
    net = Found(
        ("text", 0.9, [10, 10, 190, 60]),
        ("inline_formula", 0.9, [100, 36, 140, 76]),  # six tenths of it in the paragraph
        ("display_formula", 0.9, [10, 48, 190, 68]),
    )
    net.config.id2label |= {5: "formula", 15: "formula"}
    assert [(r.label, r.box.y0) for r in regions_of(net)] == [("text", 10), ("equation", 48)]


def test_each_class_has_the_least_score_that_the_network_says():
    net = Found(("text", 0.45, [10, 10, 190, 60]), ("table", 0.45, [10, 70, 190, 160]), ("seal", 0.8, [10, 170, 190, 260]))
    net.config.class_thresholds = [0.4 if name == "text" else 0.5 for name in tiny_engines.CLASSES]
    for threshold, labels in ((0.0, ["text", "seal"]), (0.7, ["seal"]), (0.3, ["text", "table", "seal"])):
        assert [r.label for r in regions_of(net, threshold)] == labels

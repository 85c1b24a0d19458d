"""Engines by name on tiny networks saved to disk: PP-DocLayout, GOT-OCR2.0, PP-FormulaNet, SLANet. That their folders load, that
answers are converted and have the right types; what the networks know is told by the tests of real weights at the end.

Those read what these folders or hub names say, if they are set: PAGEWHEEL_PP_DOCLAYOUT, PAGEWHEEL_GOT, PAGEWHEEL_PP_FORMULANET,
PAGEWHEEL_SLANET.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from datagen.engines import Choice, Engines, got_ocr, load, pretrained, versions
from datagen.engines.got_regions import GotRegions
from datagen.engines.pp_doclayout import PPDocLayout, captioned
from datagen.engines.pp_formulanet import PPFormulaNet
from datagen.engines.slanet import SLANet
from datagen.labels import PP_DOCLAYOUT
from datagen.record import LABELS, Box, Line, Region
from tests import tiny_engines, tiny_got

NOISE = (numpy.random.default_rng(0).random((300, 200, 3)) * 255).astype(numpy.uint8)
BLANK = numpy.full((300, 200, 3), 255, numpy.uint8)
NAMES = {"got": GotRegions, "pp-doclayout": PPDocLayout, "pp-formulanet": PPFormulaNet, "slanet": SLANet}


def drawn(text: str, size: tuple[int, int] = (300, 80)) -> numpy.ndarray:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((20, 20), text, "black", ImageFont.truetype("DejaVuSans.ttf", 28))
    return numpy.array(image)


# All of them


@pytest.mark.parametrize("name", NAMES)
def test_a_path_that_is_no_folder_is_refused(name):
    with pytest.raises(ValueError, match="/nowhere/at/all: a folder of weights is needed, or a hub's name"):
        versions(name, model="/nowhere/at/all")


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_something_else_is_refused(name, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    engine = Engines().get(name, model=str(tmp_path), device="cpu")
    with pytest.raises(ValueError, match=rf"{tmp_path} holds (no|a network)"):
        engine.regions([NOISE], [[]]) if name == "pp-doclayout" else engine.read([NOISE], [[]])


@pytest.mark.parametrize("name", NAMES)
def test_pickles_are_not_read(name, tmp_path):
    write = {
        "got": tiny_got.write,
        "pp-doclayout": lambda folder: tiny_engines.write_layout(folder, "v3"),
        "pp-formulanet": tiny_engines.write_formulas,
        "slanet": tiny_engines.write_tables,
    }[name]
    write(tmp_path)
    weights = tmp_path / "model.safetensors"
    torch.save({}, tmp_path / "pytorch_model.bin")
    weights.unlink()
    engine = Engines().get(name, model=str(tmp_path), device="cpu")
    with pytest.raises(ValueError, match=r"holds no .*safetensors"):
        engine.regions([NOISE], [[]]) if name == "pp-doclayout" else engine.read([NOISE], [[]])


@pytest.mark.parametrize("name", NAMES)
def test_each_wants_a_gpu_unless_it_is_told_otherwise(name):
    assert Choice(name).gpus == 1
    assert Choice.of(name, device="cpu").gpus == 0


def test_a_folders_version_is_its_content_and_a_hubs_its_revision(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"1")
    before = pretrained.version(str(tmp_path), "main")
    assert pretrained.version("stepfun-ai/GOT-OCR-2.0-hf", "abc") == {"stepfun-ai/GOT-OCR-2.0-hf": "abc"}
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.safetensors").write_bytes(b"2")
    assert set(before.values()).isdisjoint(pretrained.version(str(other), "main").values())


@pytest.mark.parametrize("precision", ["float64", "int8"])
def test_another_precision_is_refused(precision):
    with pytest.raises(ValueError, match="allowed are float32, bfloat16 and float16"):
        pretrained.dtype_of(precision, "cpu")


@pytest.mark.parametrize(("name", "package"), [("pp-doclayout", "torchvision"), ("pp-formulanet", "ftfy")])
def test_an_engine_without_its_package_says_what_to_install(name, package):
    code = f"import sys; sys.modules[{package!r}] = None\nfrom datagen.engines import load\nload({name!r})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    needs = f"engine {name} needs {package}, which is not installed: pip install {package}"
    assert run.stderr.splitlines()[-1] == f"ImportError: {needs}"


# PP-DocLayout


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


def test_every_class_has_a_label_of_the_record():
    assert set(tiny_engines.CLASSES) <= PP_DOCLAYOUT.keys()
    assert set(PP_DOCLAYOUT.values()) <= set(LABELS)


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


def regions_of(*found: tuple[str, float, list[float]], polygons: list | None = None) -> list[Region]:
    engine = PPDocLayout("any")
    net = Found(*found, polygons=polygons)
    engine.__dict__["_network"] = (net, net)
    return list(engine.regions([NOISE])[0])


def test_of_two_boxes_for_one_thing_one_stays():
    kept = regions_of(
        ("footnote", 0.82, [10, 200, 190, 240]),
        ("text", 0.51, [10, 200, 190, 240]),  # the same box under two classes
        ("text", 0.9, [10, 10, 190, 60]),
        ("text", 0.6, [12, 12, 90, 58]),  # inside the other
        ("text", 0.7, [10, 100, 13, 180]),  # too narrow to be anything
    )
    assert [(r.label, r.box) for r in kept] == [("footnote", Box(10, 200, 190, 240)), ("text", Box(10, 10, 190, 60))]


def test_a_formula_in_a_paragraph_is_the_paragraphs_and_a_displayed_one_is_not():
    kept = regions_of(
        ("text", 0.9, [10, 10, 190, 60]),
        ("inline_formula", 0.9, [100, 20, 140, 30]),
        ("display_formula", 0.9, [10, 70, 190, 90]),
        ("inline_formula", 0.8, [10, 250, 60, 270]),
    )
    assert [r.label for r in kept] == ["text", "equation", "equation"]


def test_the_two_classes_that_released_files_call_formula_are_told_apart():
    net = Found(
        ("text", 0.9, [10, 10, 190, 60]),
        ("inline_formula", 0.9, [100, 36, 140, 76]),  # six tenths of it in the paragraph
        ("display_formula", 0.9, [10, 48, 190, 68]),
    )
    net.config.id2label |= {5: "formula", 15: "formula"}
    engine = PPDocLayout("any")
    engine.__dict__["_network"] = (net, net)
    assert [(r.label, r.box.y0) for r in engine.regions([NOISE])[0]] == [("text", 10), ("equation", 48)]


def test_each_class_has_the_least_score_that_the_network_says():
    net = Found(("text", 0.45, [10, 10, 190, 60]), ("table", 0.45, [10, 70, 190, 160]), ("seal", 0.8, [10, 170, 190, 260]))
    net.config.class_thresholds = [0.4 if name == "text" else 0.5 for name in tiny_engines.CLASSES]
    for threshold, labels in ((0.0, ["text", "seal"]), (0.7, ["seal"]), (0.3, ["text", "table", "seal"])):
        engine = PPDocLayout("any", threshold)
        engine.__dict__["_network"] = (net, net)
        assert [r.label for r in engine.regions([NOISE])[0]] == labels


def test_what_lies_in_a_picture_stays_and_what_lies_in_a_table_goes():
    kept = regions_of(
        ("image", 0.9, [10, 10, 190, 100]),
        ("figure_title", 0.9, [20, 80, 180, 98]),
        ("seal", 0.9, [100, 20, 140, 60]),
        ("table", 0.9, [10, 120, 190, 200]),
        ("text", 0.9, [20, 130, 80, 150]),
        ("image", 0.9, [100, 130, 180, 190]),
    )
    assert [r.label for r in kept] == ["image", "image_caption", "seal", "table", "image"]


def test_a_list_of_references_gives_way_to_its_entries():
    kept = regions_of(
        ("reference", 0.9, [10, 10, 190, 100]),
        ("reference_content", 0.9, [10, 10, 190, 50]),
        ("reference_content", 0.9, [10, 55, 190, 100]),
        ("reference", 0.9, [10, 200, 190, 250]),
    )
    assert [r.box for r in kept] == [Box(10, 10, 190, 50), Box(10, 55, 190, 100), Box(10, 200, 190, 250)]


def test_captions_and_notes_are_those_of_what_is_nearest():
    def region(label, y):
        return Region(Box(0, y, 100, y + 10), label, "", None, "x")

    page = [
        region("image_caption", 0),
        region("table", 12),
        region("table_footnote", 24),
        region("image", 100),
        region("image_caption", 112),
        region("table_footnote", 124),
    ]
    labels = ["table_caption", "table", "table_footnote", "image", "image_caption", "image_caption"]
    assert [r.label for r in captioned(page)] == labels
    assert [r.label for r in captioned([region("image_caption", 0)])] == ["image_caption"]


def test_an_outline_is_kept_where_it_is_not_the_box():
    straight = [[10, 10], [90, 10], [90, 50], [10, 50]]
    skewed = [[10, 12], [85, 10], [90, 48], [15, 50]]
    one, other = regions_of(
        ("text", 0.9, [10, 10, 90, 50]), ("text", 0.9, [10, 110, 90, 150]), polygons=[straight, [[x, y + 100] for x, y in skewed]]
    )
    assert one.polygon == ()
    assert other.polygon == ((10.0, 112.0), (85.0, 110.0), (90.0, 148.0), (15.0, 150.0))


# Networks that write


def taught(net, asked: dict[str, torch.Tensor], answer: list[int], is_pair: bool) -> None:
    """Train the network until it writes this answer to what is asked."""
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    target = torch.tensor([answer])
    for _ in range(300):
        if is_pair:
            start = torch.tensor([[net.config.text_config.decoder_start_token_id]])
            logits = net(**asked, decoder_input_ids=torch.cat([start, target[:, :-1]], 1)).logits
        else:
            ids = torch.cat([asked["input_ids"], target], 1)
            whole = asked | {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
            logits = net(**whole).logits[:, -len(answer) - 1 : -1]
        loss = torch.nn.functional.cross_entropy(logits[0], target[0])
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        if loss < 0.02:
            break


TABLE = r"\begin{tabular}{ll} \hline a & 5\% \\ \hline \end{tabular}"


@pytest.fixture(scope="module")
def got_folder(tmp_path_factory) -> Path:
    """GOT in tiny, which answers with a table where formatted text is asked for, and else with words."""
    folder = tiny_got.write(tmp_path_factory.mktemp("got"))
    network = got_ocr.opened(str(folder), torch.float32)
    both = [
        (network.asked([drawn("x")], formatted), network.answer(text))
        for formatted, text in ((False, "two\nlines"), (True, TABLE))
    ]
    net = network.net.train()
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(200):
        losses = []
        for asked, answer in both:
            ids = torch.cat([asked["input_ids"], torch.tensor([answer])], 1)
            logits = net(**asked | {"input_ids": ids, "attention_mask": torch.ones_like(ids)}).logits
            losses.append(torch.nn.functional.cross_entropy(logits[0, -len(answer) - 1 : -1], torch.tensor(answer)))
        sum(losses).backward()
        optimiser.step()
        optimiser.zero_grad()
        if max(losses) < 0.02:
            break
    net.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("kind", "form", "wanted"),
    [
        ("text", "markdown", "two lines"),
        ("tables", "html", "<table><tr><td>a</td><td>5%</td></tr></table>"),
        ("formulas", "latex", TABLE),
    ],
)
def test_got_reads_regions_of_each_kind(got_folder, kind, form, wanted):
    with Engines() as engines:
        engine = engines.get("got", kind=kind, model=str(got_folder), device="cpu", max_tokens=120)
        assert engine.format == form
        (text, score), (again, _) = engine.read([drawn("x"), drawn("x")])
        assert (text, again) == (wanted, wanted)
        assert isinstance(score, float) and 0.9 < score <= 1
        assert engine.read([]) == []
        engine.close()
        assert engine.read([drawn("x")])[0][0] == wanted


def test_an_answer_that_comes_to_no_end_is_none(got_folder):
    engine = GotRegions("text", str(got_folder), max_tokens=3, device="cpu")
    assert engine.read([drawn("x")]) == [("", 0.0)]
    assert engine.reasons == ("no_end",)


def test_an_answer_without_a_table_is_none(got_folder, monkeypatch):
    engine = GotRegions("tables", str(got_folder), device="cpu")
    monkeypatch.setattr(got_ocr, "written", lambda *_: [("a & b", [-0.1], True)])
    assert engine.read([BLANK]) == [("", 0.0)]
    assert engine.reasons == ("no_table",)


def test_got_reads_no_other_kinds():
    with pytest.raises(ValueError, match="allowed are text, formulas, tables"):
        GotRegions("songs")


def test_got_asks_in_the_words_of_the_released_model(got_folder):
    network = got_ocr.opened(str(got_folder), torch.float32)
    asked = [network.processor.tokenizer.decode(network.asked([BLANK], formatted)["input_ids"][0]) for formatted in (False, True)]
    assert [text.rpartition("</img>")[2].partition("<|im_end|>")[0] for text in asked] == ["\n OCR: ", "\n OCR with format: "]


def test_pp_formulanet_writes_latex(tmp_path):
    folder = tiny_engines.write_formulas(tmp_path)
    engine = PPFormulaNet(str(folder), max_tokens=20, device="cpu")
    net, processor = engine._network
    answer = [*processor.tokenizer(r"\frac{a}{b}", add_special_tokens=False)["input_ids"], 2]
    pixels = processor(images=drawn("x"), return_tensors="pt")["pixel_values"]
    taught(net.train(), {"pixel_values": pixels}, answer, is_pair=True)
    net.save_pretrained(folder)
    with Engines() as engines:
        engine = engines.get("pp-formulanet", model=str(folder), max_tokens=20, device="cpu")
        assert engine.format == "latex"
        (text, score), *_ = engine.read([drawn("x"), BLANK, drawn("x")[:10]])
        assert text == r"\frac{a}{b}" and 0.8 < score <= 1
        short = engines.get("pp-formulanet", model=str(folder), max_tokens=4, device="cpu")
        assert short.read([drawn("x")]) == [("", 0.0)]


# SLANet


def test_slanet_loads_and_reads_what_is_too_small_to_be_a_table(tmp_path):
    engine = SLANet(str(tiny_engines.write_tables(tmp_path)), device="cpu")
    lines = [[Line(Box(0, 0, 5, 5), "a")]] * 3
    readings = engine.read([NOISE, NOISE[:1], NOISE[:, :1]], lines)
    assert [(type(text), type(score)) for text, score in readings] == [(str, float)] * 3
    assert all(reason for (text, _), reason in zip(readings, engine.reasons, strict=True) if not text)


class Says:
    """A network of tables that writes these tokens."""

    device = "cpu"

    def __init__(self, processor, *answers: str):
        self.tokens = [[processor.dict[token] for token in answer.split("|") if token] for answer in answers]

    def __call__(self, pixels):
        longest = max(map(len, self.tokens))
        ids = torch.tensor([[*tokens, *[0] * (longest - len(tokens))] for tokens in self.tokens])
        return type("Output", (), {"last_hidden_state": torch.nn.functional.one_hot(ids, 50) * 0.9})


HEAD = '<thead>|<tr>|<td></td>|<td| colspan="2"|>|</td>|</tr>|</thead>|'
BODY = "<tbody>|<tr>|<td></td>|<td></td>|<td></td>|</tr>|</tbody>|eos"
LINES = [
    Line(Box(0, 0, 50, 10), "A"),
    Line(Box(60, 0, 200, 10), "B and C"),
    Line(Box(0, 20, 30, 30), "1"),
    Line(Box(60, 20, 90, 30), "2"),
    Line(Box(120, 20, 200, 30), "3"),
    Line(Box(120, 32, 180, 42), "more"),
]


def test_a_structure_is_filled_with_the_lines_of_the_crop(tmp_path):
    engine = SLANet(str(tiny_engines.write_tables(tmp_path)), device="cpu")
    _, processor = engine._network
    answers = [HEAD + BODY, HEAD + BODY.removesuffix("eos"), "eos", HEAD + BODY, HEAD + BODY, "<tr>|</td>|eos"]
    engine.__dict__["_network"] = (Says(processor, *answers), processor)
    readings = engine.read([NOISE] * 6, [LINES, LINES, LINES, LINES[:1], [], LINES])
    filled = '<table><tr><td>A</td><td colspan="2">B and C</td></tr><tr><td>1</td><td>2</td><td>3 more</td></tr></table>'
    assert readings == [(filled, 0.9), *[("", 0.0)] * 5]
    assert engine.reasons == ("", "no_table", "no_table", "lines_do_not_fit", "no_lines", "no_table")


# Real weights


def real(variable: str) -> str:
    where = os.environ.get(variable, "")
    if not where:
        pytest.skip(f"set {variable} to a folder of weights, or a hub's name")
    return where


def test_real_pp_doclayout_finds_a_heading_and_paragraphs():
    image = Image.new("RGB", (1000, 1400), "white")
    font, large = ImageFont.truetype("DejaVuSans.ttf", 22), ImageFont.truetype("DejaVuSans-Bold.ttf", 44)
    ImageDraw.Draw(image).text((120, 80), "1 Introduction", "black", large)
    for i in range(20):
        ImageDraw.Draw(image).text((120, 200 + 40 * i), "All human beings are born free and equal in dignity and", "black", font)
    with Engines() as engines:
        engine = engines.get("pp-doclayout", model=real("PAGEWHEEL_PP_DOCLAYOUT"))
        (regions,) = engine.regions([numpy.asarray(image)], [[]])
    assert regions[0].label in ("title", "sub_title") and {r.label for r in regions[1:]} == {"text"}


def test_real_got_reads_a_line():
    with Engines() as engines:
        ((text, score),) = engines.get("got", model=real("PAGEWHEEL_GOT")).read([drawn("All human beings", (400, 80))])
    assert text == "All human beings" and score > 0.8


def test_real_pp_formulanet_reads_a_formula():
    with Engines() as engines:
        engine = engines.get("pp-formulanet", model=real("PAGEWHEEL_PP_FORMULANET"))
        ((text, score),) = engine.read([drawn("a + b = c")])
    assert "".join(text.split()) == "a+b=c" and score > 0.5


def test_real_slanet_reads_a_ruled_table():
    image = Image.new("RGB", (400, 200), "white")
    draw = ImageDraw.Draw(image)
    lines = []
    for row in range(3):
        for column in range(2):
            box = (10 + 190 * column, 10 + 60 * row, 200 + 190 * column, 70 + 60 * row)
            draw.rectangle(box, outline="black", width=2)
            draw.text((box[0] + 20, box[1] + 15), f"{row}{column}", "black", ImageFont.truetype("DejaVuSans.ttf", 24))
            lines.append(Line(Box(box[0] + 18, box[1] + 15, box[0] + 60, box[1] + 45), f"{row}{column}"))
    with Engines() as engines:
        ((text, _),) = engines.get("slanet", model=real("PAGEWHEEL_SLANET")).read([numpy.asarray(image)], [lines])
    rows = "".join(f"<tr><td>{row}0</td><td>{row}1</td></tr>" for row in range(3))
    assert text == f"<table>{rows}</table>"


def test_the_classes_are_those_of_the_table():
    assert all(load(name) is engine for name, engine in NAMES.items())

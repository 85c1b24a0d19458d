"""Engines by name on tiny networks saved to disk: PP-DocLayout, GOT-OCR2.0, PP-FormulaNet, SLANet. That their folders load, that
answers are converted and have the right types; what the networks know is told by the tests of real weights at the end.

Those read what these folders or hub names say, if they are set: PAGEWHEEL_PP_DOCLAYOUT, PAGEWHEEL_GOT, PAGEWHEEL_PP_FORMULANET,
PAGEWHEEL_SLANET.
"""

import os
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from datagen.engines import Choice, Engines, got_ocr, pretrained, versions
from datagen.engines.got_regions import GotRegions
from datagen.engines.pp_formulanet import PPFormulaNet
from datagen.engines.slanet import SLANet
from datagen.record import Box, Line
from tests.inputs import tiny_engines, tiny_got

NOISE = (numpy.random.default_rng(0).random((300, 200, 3)) * 255).astype(numpy.uint8)
BLANK = numpy.full((300, 200, 3), 255, numpy.uint8)


def drawn(text: str, size: tuple[int, int] = (300, 80)) -> numpy.ndarray:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((20, 20), text, "black", ImageFont.truetype("DejaVuSans.ttf", 28))
    return numpy.array(image)


WRITE = {
    "got": tiny_got.write,
    "pp-doclayout": lambda folder: tiny_engines.write_layout(folder, "v3"),
    "pp-formulanet": tiny_engines.write_formulas,
    "slanet": tiny_engines.write_tables,
}


@pytest.mark.parametrize("name", WRITE)
@pytest.mark.parametrize("holds", ["something else", "pickles"])
def test_a_folder_of_something_else_and_pickles_are_refused(name, holds, tmp_path):
    if holds == "pickles":
        WRITE[name](tmp_path)
        torch.save({}, tmp_path / "pytorch_model.bin")
        (tmp_path / "model.safetensors").unlink()
    else:
        (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    engine = Engines().get(name, model=str(tmp_path), device="cpu")
    says = "holds no .*safetensors" if holds == "pickles" else "holds (no|a network)"
    with pytest.raises(ValueError, match=f"{tmp_path} {says}"):
        engine.regions([NOISE], [[]]) if name == "pp-doclayout" else engine.read([NOISE], [[]])


@pytest.mark.parametrize("name", WRITE)
def test_a_path_that_is_no_folder_is_refused_and_a_gpu_is_wanted_unless_it_is_told_otherwise(name):
    with pytest.raises(ValueError, match="/nowhere/at/all: a folder of weights is needed, or a hub's name"):
        versions(name, model="/nowhere/at/all")
    assert (Choice(name).gpus, Choice.of(name, device="cpu").gpus) == (1, 0)


def test_a_folders_version_is_its_content_and_a_hubs_its_revision(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"1")
    before = pretrained.version("got", str(tmp_path), "main")
    assert pretrained.version("got", "stepfun-ai/GOT-OCR-2.0-hf", "abc") == {"stepfun-ai/GOT-OCR-2.0-hf": "abc"}
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.safetensors").write_bytes(b"2")
    exchanged = pretrained.version("got", str(other), "main")
    assert before.keys() == exchanged.keys() == {"got"} and before != exchanged


@pytest.mark.parametrize("precision", ["float64", "int8"])
def test_another_precision_is_refused(precision):
    with pytest.raises(ValueError, match="allowed are float32, bfloat16 and float16"):
        pretrained.dtype_of(precision, "cpu")


TABLE = r"\begin{tabular}{ll} \hline a & 5\% \\ \hline \end{tabular}"


def taught(net, folder: Path, *lessons: tuple[dict[str, torch.Tensor], list[int]]) -> None:
    """Train the network until it writes these answers to what is asked, and save it."""
    optimiser = torch.optim.Adam(net.train().parameters(), 3e-3)
    for _ in range(300):
        losses = []
        for asked, answer in lessons:
            target = torch.tensor([answer])
            if net.config.is_encoder_decoder:
                start = torch.tensor([[net.config.text_config.decoder_start_token_id]])
                logits = net(**asked, decoder_input_ids=torch.cat([start, target[:, :-1]], 1)).logits
            else:
                ids = torch.cat([asked["input_ids"], target], 1)
                logits = net(**asked | {"input_ids": ids, "attention_mask": torch.ones_like(ids)}).logits[:, :-1]
            losses.append(torch.nn.functional.cross_entropy(logits[0, -len(answer) :], target[0]))
        sum(losses).backward()
        optimiser.step()
        optimiser.zero_grad()
        if max(losses) < 0.02:
            break
    net.save_pretrained(folder)


@pytest.fixture(scope="module")
def got_folder(tmp_path_factory) -> Path:
    """GOT in tiny, which answers with a table where formatted text is asked for, and else with words."""
    folder = tiny_got.write(tmp_path_factory.mktemp("got"))
    network = got_ocr.opened(str(folder), torch.float32)
    said = ((False, "two\nlines"), (True, TABLE))
    taught(network.net, folder, *((network.asked([drawn("x")], formatted), network.answer(text)) for formatted, text in said))
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
    with pytest.raises(ValueError, match="allowed are text, inline, formulas, tables"):
        GotRegions("songs")


def test_got_asks_in_the_words_of_the_released_model(got_folder):
    network = got_ocr.opened(str(got_folder), torch.float32)
    asked = [network.processor.tokenizer.decode(network.asked([BLANK], formatted)["input_ids"][0]) for formatted in (False, True)]
    assert [text.rpartition("</img>")[2].partition("<|im_end|>")[0] for text in asked] == ["\n OCR: ", "\n OCR with format: "]


@pytest.mark.slow
def test_pp_formulanet_writes_latex(tmp_path):
    folder = tiny_engines.write_formulas(tmp_path)
    net, processor = PPFormulaNet(str(folder), max_tokens=20, device="cpu")._network
    answer = [*processor.tokenizer(r"\frac{a}{b}", add_special_tokens=False)["input_ids"], 2]
    taught(net, folder, ({"pixel_values": processor(images=drawn("x"), return_tensors="pt")["pixel_values"]}, answer))
    with Engines() as engines:
        engine = engines.get("pp-formulanet", model=str(folder), max_tokens=20, device="cpu")
        assert engine.format == "latex"
        (text, score), *_ = engine.read([drawn("x"), BLANK, drawn("x")[:10]])
        assert text == r"\frac{a}{b}" and 0.8 < score <= 1
        short = engines.get("pp-formulanet", model=str(folder), max_tokens=4, device="cpu")
        assert short.read([drawn("x")]) == [("", 0.0)]


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

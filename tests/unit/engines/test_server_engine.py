"""The engine `server`, against a small HTTP server in this process: what it asks, what it makes of answers, and of failures."""

import numpy
import pytest
from PIL import Image

from datagen import target
from datagen.engines import Choice, Engines
from datagen.engines.server import Server
from datagen.fine.read_pages import ReadPages
from datagen.record import Box, SampleError
from tests.chat_server import fails, says, serving, shown
from tests.inputs.samples import encoded, sample

CROP = numpy.full((40, 90, 3), 200, numpy.uint8)
QUICK = {"wait_s": 0.001, "timeout_s": 20.0}


def crops(*grays: int) -> list[numpy.ndarray]:
    return [numpy.full((40, 90, 3), gray, numpy.uint8) for gray in grays]


def test_each_crop_is_shown_and_asked_about_in_the_words_of_the_models_family(monkeypatch):
    monkeypatch.setenv("THE_KEY", "secret")
    with serving(lambda request: says(f" {shown(request)[0, 0, 0]}\n", logprobs=[0.0, -0.2])) as (url, came):
        server = Server("text", url, "PaddlePaddle/PaddleOCR-VL-1.6", key="THE_KEY", **QUICK)
        assert server.read(crops(3, 70, 200, 9)) == [(text, 0.905) for text in ("3", "70", "200", "9")]
    assert server.reasons == ("", "", "", "")
    assert server.format == "markdown"
    for request in came:
        assert request["path"] == "/v1/chat/completions"
        assert request["headers"]["Authorization"] == "Bearer secret"
        assert request["model"] == "PaddlePaddle/PaddleOCR-VL-1.6"
        assert (request["temperature"], request["skip_special_tokens"]) == (0, False)
        assert request["messages"][-1]["content"][1] == {"type": "text", "text": "OCR:"}
    assert "secret" not in repr(server.versions()) + repr(vars(server))


@pytest.mark.parametrize(
    ("kind", "answer", "wanted"),
    [
        ("text", "```markdown\nA line\n```", "A line"),
        ("text", f"A line{target.EOS}", "A line"),
        ("formulas", r"\[ E = mc^2 \]", "E = mc^2"),
        (
            "tables",
            "<fcel>a<lcel><nl><fcel>1<ecel><nl>",
            '<table><tr><td colspan="2">a</td></tr><tr><td>1</td><td></td></tr></table>',
        ),
        ("tables", "<html><table border='1'><tr><th>a</th></tr></table></html>", "<table><tr><td>a</td></tr></table>"),
        ("tables", r"\begin{tabular}{l} 5\% \\ \end{tabular}", "<table><tr><td>5%</td></tr></table>"),
        (
            "tables",
            "<|ref|>table<|/ref|><|det|>[[0, 0, 999, 999]]<|/det|>\n<table><tr><td>a</td></tr></table>",
            "<table><tr><td>a</td></tr></table>",
        ),
    ],
)
def test_answers_become_text_of_the_kind(kind, answer, wanted):
    with serving(lambda request: says(answer)) as (url, _):
        server = Server(kind, url, "deepseek-ocr" if "<|ref|>" in answer else "any", **QUICK)
        assert server.read([CROP]) == [(wanted, None)]


@pytest.mark.parametrize(
    ("kind", "reply", "reason"),
    [
        ("text", says("cut off", "length"), "too_long"),
        ("text", says(""), "empty_answer"),
        ("tables", says("There is no table here."), "no_table"),
        ("text", (200, b"<html>", {}), "garbled"),
        ("text", fails(400, "the image is too small"), "refused"),
        ("text", fails(500), "busy"),
    ],
)
def test_a_crop_without_an_answer_has_a_reason_and_the_others_are_read(kind, reply, reason):
    def answer(request):
        return reply if shown(request)[0, 0, 0] == 1 else says("<table><tr><td>read</td></tr></table>")

    with serving(answer) as (url, came):
        server = Server(kind, url, "any", tries=3, **QUICK)
        (first, _), (second, _) = server.read(crops(1, 2))
    assert (first, second) == ("", "<table><tr><td>read</td></tr></table>")
    assert server.reasons == (reason, "")
    assert len(came) == (4 if reason in ("busy", "garbled") else 2)


def test_what_a_busy_server_cannot_do_now_is_asked_again():
    replies = iter(
        [fails(429, Retry_After="0.01"), fails(500), fails(502, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), says("at last")]
    )
    with serving(lambda request: next(replies)) as (url, came):
        server = Server("text", url, "any", tries=4, **QUICK)
        assert server.read([CROP]) == [("at last", None)]
    assert len(came) == 4


def test_a_slow_answer_is_waited_for_and_one_that_does_not_come_is_a_timeout():
    with serving(lambda request: says("slow"), takes_s=0.4) as (url, came):
        assert Server("text", url, "any", timeout_s=20).read([CROP]) == [("slow", None)]
        hasty = Server("text", url, "any", timeout_s=0.05, tries=2, wait_s=0.001)
        assert hasty.read([CROP]) == [("", None)]
    assert hasty.reasons == ("timeout",)
    assert len(came) == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "gpu-1:8000", "model": "m"}, "needs the address and the model"),
        ({"url": "http://gpu-1/v1"}, "needs the address and the model"),
        ({"url": "http://gpu-1/v1", "model": "m", "kind": "songs"}, "allowed are text, tables, formulas, pages"),
        ({"url": "http://gpu-1/v1", "model": "m", "kind": "pages"}, "only DeepSeek-OCR"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Server(**settings)


def test_a_small_crop_lies_on_paper_and_a_gray_one_is_shown():
    with serving(lambda request: says("x")) as (url, came):
        Server("text", url, "any", **QUICK).read([numpy.zeros((5, 50, 3), numpy.uint8)])
    assert shown(came[0]).shape == (32, 50, 3)
    assert shown(came[0])[4, 0, 0] == 0 and shown(came[0])[5, 0, 0] == 255


GROUNDED = (
    "<|ref|>title<|/ref|><|det|>[[100, 50, 900, 100]]<|/det|>\n# A title\n\n"
    "<|ref|>image<|/ref|><|det|>[[0, 200, 999, 400]]<|/det|>\n\n"
    "<|ref|>text<|/ref|><|det|>[[100, 500, 900, 600]]<|/det|>\nSome text."
)


def page(key: str, gray: int):
    png = encoded(Image.new("RGB", (200, 400), (gray, gray, gray)), "PNG")
    return sample(key=key, image=png, size=(200, 400), text="", regions=())


def test_pages_come_with_their_boxes_and_those_without_an_answer_drop():
    def answer(request):
        gray = int(shown(request)[0, 0, 0])
        return {
            10: says(GROUNDED + target.EOS),
            20: says("<|ref|>song<|/ref|><|det|>[[1, 1, 9, 9]]<|/det|>\nla"),
            30: fails(400),
        }[gray]

    pages = [page("a", 10), page("b", 20), page("c", 30)]
    with serving(answer) as (url, _), Engines() as engines:
        stage = ReadPages(Choice.of("server", kind="pages", url=url, model="deepseek-ai/DeepSeek-OCR", **QUICK), takes_all=True)
        read, *dropped = stage(pages, engines)
    assert [(r.label, r.is_unread) for r in read.regions] == [("title", False), ("image", False), ("text", False)]
    assert read.regions[0].box == Box(20, 20, 180, 40)
    assert {(r.by, r.detected_by) for r in read.regions} == {("deepseek-ai/DeepSeek-OCR", "deepseek-ocr")}
    assert read.text.endswith("Some text.") and "A title" in read.text
    assert (read.quality.verdict, read.quality.reasons) == ("suspect", ("unscored_reading",))
    assert [(drop.key, drop.reason) for drop in dropped] == [("b", "server_unparsable"), ("c", "server_refused")]


def test_a_damaged_page_image_is_that_pages_reason():
    broken = sample(key="d", image=b"no image", regions=())
    with serving(lambda request: says(GROUNDED)) as (url, _):
        (error,) = Server("pages", url, "deepseek-ocr", **QUICK).pages([broken])
    assert isinstance(error, SampleError) and error.reason == "damaged_image"

"""Pictures described by a model behind a server: what it is shown, what it costs, and what becomes of failures."""

import base64
import logging
import re
from dataclasses import replace

import pytest

from datagen.disk.storage import Folder
from datagen.engines import Choice, Engines
from datagen.engines.captioner import Captioner
from datagen.pictures.pick_source import pictures
from datagen.record import Box, Drop, Region, Sample
from datagen.vision.captions import CaptionPictures
from datagen.work.dataset import build, plan
from datagen.work.pipeline import Pipeline
from datagen.work.runner import InProcess
from recipes.vision import vision
from recipes.words.values import captioner
from tests.chat_server import fails, says, serving, shown
from tests.inputs.samples import image, sample

QUICK = {"wait_s": 0.001, "timeout_s": 20.0, "key": "NO_SUCH_KEY", "tries": 2}
USAGE = {"prompt_tokens": 300, "completion_tokens": 20}


def counted(text, finish="stop", logprobs=None):
    status, body, headers = says(text, finish, logprobs)
    return status, body | {"usage": USAGE}, headers


def picture(key: str, width: int = 64, **values: object) -> Sample:
    return sample(key, task="caption", text="", regions=(), image=image(width, 48), size=(width, 48), **values)


def test_a_picture_is_shown_as_it_is_or_smaller_and_asked_about_in_the_words_of_the_family(caplog):
    with serving(lambda request: counted(f" {shown(request).shape} </s>", logprobs=[0.0, 0.0])) as (url, came):
        model = Captioner(url, "deepseek-ai/DeepSeek-OCR", long_side=100, **QUICK)
        small, large, damaged = model.describe([image(64, 48), image(400, 200, "PNG"), b"no image"])
        with caplog.at_level(logging.INFO):
            model.close()
    assert (small.text, small.score, small.num_read, small.num_written) == ("(48, 64, 3)", 1.0, 300, 20)
    assert large.text == "(50, 100, 3)" and damaged.reason == "damaged_image"
    assert "described 2 pictures: 600 tokens read, 40 written" in caplog.text
    urls = sorted(request["messages"][-1]["content"][0]["image_url"]["url"] for request in came)
    assert urls[0] == f"data:image/jpeg;base64,{base64.b64encode(image(64, 48)).decode()}" and urls[1].startswith(
        "data:image/png"
    )
    assert {request["messages"][-1]["content"][1]["text"] for request in came} == {"Describe this image in detail."}


def test_models_that_only_read_need_a_prompt():
    with pytest.raises(ValueError, match="no prompt for captions: name one with prompt="):
        Captioner("http://127.0.0.1:1/v1", "PaddlePaddle/PaddleOCR-VL")
    assert Captioner("http://127.0.0.1:1/v1", "PaddlePaddle/PaddleOCR-VL", prompt="What is it?").versions()


def stage(url: str, **values: object) -> CaptionPictures:
    return CaptionPictures(Choice.of("captioner", url=url, model="a-vlm", **QUICK), **values)


def test_only_pictures_without_a_caption_are_described_many_at_a_time_and_failures_are_drops():
    """Pictures are told apart by their width."""
    replies = {70: fails(400, "unsafe"), 80: counted("", logprobs=None), 90: counted("and so on", "length"), 100: fails(503)}
    dog = Region(Box(0, 0, 9, 9), "image", "dog", None, "annotation")
    samples = [picture(f"a-{width}", width) for width in (64, 65, 66, 70, 80, 90, 100)]
    samples += [picture("b", 50, caption="Mine."), replace(picture("c", 70), regions=(dog,))]

    def reply(request):
        return replies.get(shown(request).shape[1]) or counted("A cat.")

    with serving(reply, takes_s=0.05) as (url, came), Engines() as engines:
        outcomes = list(stage(url)(samples, engines))
    described = [one for one in outcomes if isinstance(one, Sample)]
    assert [(s.key, s.caption) for s in described] == [*[(f"a-{n}", "A cat.") for n in (64, 65, 66)], ("b", "Mine."), ("c", "")]
    assert (
        described[0].quality.signals["caption_tokens_read"] == 300
        and described[0].quality.signals["caption_tokens_written"] == 20
    )
    assert described[0].origin.engines["server a-vlm"] == "as it is served" and "server a-vlm" not in described[3].origin.engines
    drops = {one.key: (one.reason, one.detail) for one in outcomes if isinstance(one, Drop)}
    assert {key: reason for key, (reason, _) in drops.items()} == {
        "a-70": "captioner_refused",
        "a-80": "captioner_empty_answer",
        "a-90": "captioner_too_long",
        "a-100": "captioner_busy",
    }
    assert drops["a-90"][1] == "and so on; 320 tokens"
    assert came.most_together > 1 and len(came) == 9  # the busy one twice, the one with a caption never


def test_an_answer_in_parts_is_their_text_and_half_a_letter_is_none():
    parts = [{"type": "text", "text": "A cat"}, {"type": "reasoning"}, {"type": "text", "text": " \ud83d."}]
    answer = {"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]}
    with serving(lambda request: (200, answer, {})) as (url, _):
        (described,) = Captioner(url, "a-vlm", **QUICK).describe([image()])
    assert described.text == "A cat \ufffd."


def test_a_recipe_has_a_captioner_only_if_it_is_asked_for(tmp_path):
    (tmp_path / "a.jpg").write_bytes(image())
    stages = [type(of).__name__ for of in vision(str(tmp_path)).steps[0].stages]
    assert stages == ["FilterPictures", "JudgeCaptions"]
    asked = captioner("http://gpu-1:8000/v1#Qwen/Qwen3-VL?together=64&long_side=512&most_failed=9")
    of_asked = vision(str(tmp_path), captioner=asked).steps[0].stages[1]
    settings = {"url": "http://gpu-1:8000/v1", "model": "Qwen/Qwen3-VL", "together": 64, "long_side": 512, "most_failed": 9}
    assert of_asked.captioner == Choice.of("captioner", **settings)
    for wrong in ("http://gpu-1:8000/v1", "Qwen", "http://gpu-1:8000/v1#Qwen?size=2"):
        with pytest.raises(ValueError, match=r"http://HOST:PORT/v1#MODEL|'size=2' is no setting: captioner takes"):
            captioner(wrong)
    with pytest.raises(ValueError, match="name them with input=DIR"):
        vision(captioner=asked)


@pytest.mark.parametrize(
    ("reply", "says_why"),
    [
        (fails(500, "out of memory"), 'busy: 500 {"error": "out of memory"}'),
        ((200, b"<html>Bad gateway", {}), "garbled: .*<html>Bad gateway"),
        (fails(400, "no images"), 'refused: {"error": "no images"}'),
    ],
)
def test_a_server_that_fails_for_everything_is_left_after_so_many_pictures_and_ends_the_run(reply, says_why, tmp_path):
    for number in range(9):
        (tmp_path / f"in{number % 3}").mkdir(exist_ok=True)
        (tmp_path / f"in{number % 3}" / f"{number}.jpg").write_bytes(image(64 + number, 48))
    settings = {**QUICK, "together": 1, "most_failed": 4}
    with serving(lambda request: reply) as (url, came):
        model = Choice.of("captioner", url=url, model="a-vlm", **settings)
        census, source = pictures(str(tmp_path), task="caption", shard_images=5)
        step = Pipeline("vision", census, source, (CaptionPictures(model, batch_size=2),))
        folder = Folder(f"{tmp_path}/out")
        todo = plan(step, folder, census.items(), InProcess(), True)
        outcome = build(step, folder, todo, InProcess(), {})
    assert todo.num_shards == 2 and list(outcome.failed) == ["vision-000000"]
    (error,) = outcome.failed.values()
    assert re.search(f"4 times in a row, the last time {says_why}.* the same command goes on", str(error))
    assert len(came) == (4 if reply[0] == 400 else 8)


def test_a_server_that_refuses_logprobs_is_asked_without_them(caplog):
    def reply(request):
        return fails(400, "logprobs are not supported") if "logprobs" in request else counted("A cat.")

    with serving(reply) as (url, came):
        model = Captioner(url, "a-vlm", **QUICK | {"tries": 1, "together": 1})
        described = model.describe([image(64, 48), image(65, 48)])
    assert [(one.text, one.score) for one in described] == [("A cat.", None)] * 2
    assert len(came) == 3 and caplog.text.count("refuses logprobs") == 1

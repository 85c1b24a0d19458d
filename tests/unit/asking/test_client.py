"""The client against small HTTP servers in this process: room, waits, servers that go, a wrong one, a hostile one."""

import asyncio
import socket
import time

import pytest

from datagen.asking.answers import LENGTH, MAX_CHARS, REFUSED, Answer, NothingAnswers, Question, WrongServer
from datagen.asking.client import Fault, Servers
from datagen.asking.loop import on_loop
from datagen.asking.profiles import profile_of
from tests.chat_server import fails, says, serving, shown
from tests.inputs.samples import image

NGRAMS = {"ngram_size": 30, "window_size": 90, "whitelist_token_ids": [128821, 128822]}
QUICK = {"wait_s": 0.01, "timeout_s": 10.0, "tries": 3, "key": "NO_SUCH_KEY"}


def question(width: int) -> Question:
    return Question.of(profile_of("m"), "m", "pages", image(width, 48))


def asked(url: str, widths: list[int], **settings) -> list[Answer | Fault]:
    servers = Servers(url, "m", **QUICK | settings)

    async def all_of_them():
        return await asyncio.gather(*(servers.ask(question(width)) for width in widths))

    try:
        return on_loop(all_of_them())
    finally:
        servers.close()


def nobody() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


def test_each_server_has_its_own_limit_and_connections_are_kept():
    def reply(request):
        return says(f"{shown(request).shape[1]}")

    with serving(reply, takes_s=0.02) as (one, came), serving(reply, takes_s=0.02) as (other, also):
        answers = asked(f"{one}?together=2,{other}", list(range(40, 80)), together=5)
    assert [answer.text for answer in answers] == [str(width) for width in range(40, 80)]
    assert came.most_together <= 2 < also.most_together <= 5 and len(came) + len(also) == 40
    assert len(came.connections) <= 2 and len(also.connections) <= 5
    assert min(answer.seconds for answer in answers) >= 0.02


@pytest.mark.parametrize(("listed", "num_asked"), [({"m": 4096}, 2), ({"m": None}, 4)], ids=["told", "not told"])
def test_a_server_with_a_short_context_says_itself_how_long_an_answer_may_be(listed, num_asked):
    """Whether its list of models tells so, or its refusal."""
    refusal = fails(400, "'max_tokens' is too large: 8192. This model's maximum context length is 4096 tokens")

    def reply(request):
        return refusal if "max_tokens" in request else says("long" * shown(request).shape[1], "length")

    with serving(reply, models=listed) as (url, came):
        answers = asked(url, [40, 50])
    assert [(answer.text, answer.end) for answer in answers] == [("long" * 40, LENGTH), ("long" * 50, LENGTH)]
    assert all("context is" in answer.detail for answer in answers)
    assert len(came) == num_asked and sum("max_tokens" not in request for request in came) == 2


def test_a_server_that_says_when_is_left_alone_until_then_and_the_other_one_answers():
    replies = iter([fails(429, Retry_After="250")])
    with serving(lambda request: next(replies, says("late"))) as (busy, came), serving(lambda request: says("ok")) as (free, _):
        started = time.monotonic()
        answers = asked(f"{busy}?together=1,{free}?together=1", [40, 50, 60])
    assert len(came) == 1 and [answer.text for answer in answers] == ["ok"] * 3 and time.monotonic() - started < 250


def test_a_question_that_nobody_answers_fails_and_one_that_meets_a_limit_waits():
    limited = iter([fails(429)] * 6)
    with serving(lambda r: fails(500) if shown(r).shape[1] == 40 else next(limited, says("x"))) as (url, came):
        first, second = asked(url, [40, 50])
    assert first == Fault("busy", '500 {"error": "no"}')
    assert second.text == "x" and len(came) == 3 + 7


def test_while_no_server_is_there_all_wait_and_then_the_run_stops():
    with pytest.raises(NothingAnswers, match=r"can't be reached: unreachable.*the same command goes on"):
        asked(nobody(), [40, 50], patience_s=0.2)


def test_what_a_server_says_is_capped():
    with serving(lambda request: says("x" * (2 * MAX_CHARS))) as (url, _):
        (long,) = asked(url, [40])
    assert long.end == LENGTH and len(long.text) == MAX_CHARS
    with serving(lambda request: (200, b"x" * (17 << 20), {})) as (url, _):
        (larger,) = asked(url, [40], tries=1)
    assert isinstance(larger, Fault) and larger.reason == "garbled" and "a body of over" in larger.detail


@pytest.mark.parametrize("body", [b"[1]", b'{"choices": []}', b'{"choices": [{"message": {"content": "ha', b"\xff\xfe", b"null"])
def test_half_an_answer_is_none(body):
    with serving(lambda request: (200, body, {})) as (url, came):
        (answer,) = asked(url, [40])
    assert isinstance(answer, Fault) and answer.reason == "garbled" and len(came) == 3


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_wrong_key_or_model_is_told_at_once_in_a_sentence_without_the_key(monkeypatch, status):
    monkeypatch.setenv("THE_KEY", "very-secret")
    refused = pytest.raises(WrongServer, match=rf"answers {status} for m: .*your key \$THE_KEY is wrong")
    with serving(lambda request: fails(status, "your key very-secret is wrong")) as (url, came), refused as error:
        asked(url, [40], key="THE_KEY")
    assert "very-secret" not in str(error.value) and len(came) == 1


@pytest.mark.parametrize("reply", [(200, b'{"you sent": "very-secret-key"}', {}), fails(400, "x" * 190 + "very-secret-key")])
def test_a_server_that_repeats_the_key_gets_it_nowhere(monkeypatch, reply):
    monkeypatch.setenv("THE_KEY", "very-secret-key")
    with serving(lambda request: reply) as (url, _):
        (answer,) = asked(url, [40], key="THE_KEY", tries=1)
    assert "very-" not in answer.detail and answer.detail


def test_a_key_in_place_of_its_name_is_refused_and_so_is_a_password_in_an_address():
    with pytest.raises(ValueError, match="the name of an environment variable"):
        Servers("http://gpu-1:8000/v1", "m", key="sk-1234")
    with pytest.raises(ValueError, match="a name and a password"):
        Servers("http://me:secret@gpu-1:8000/v1", "m")


def test_a_refusal_is_an_answer():
    with serving(lambda r: fails(400, "too small") if shown(r).shape[1] == 40 else says("x")) as (url, came):
        assert asked(url, [50, 40], together=1)[1][:3] == ("", REFUSED, '{"error": "too small"}')
    assert len(came) == 2


@pytest.mark.parametrize(
    ("model", "kind", "sent"),
    [
        ("deepseek-ai/DeepSeek-OCR", "pages", {"vllm_xargs": NGRAMS}),
        ("baidu/Unlimited-OCR", "pages", {"vllm_xargs": {"ngram_size": 35, "window_size": 128}, "skip_special_tokens": False}),
        ("opendatalab/MinerU2.5-2509-1.2B", "tables", {"presence_penalty": 1.0, "frequency_penalty": 0.005, "top_k": 1}),
        ("opendatalab/MinerU2.5-2509-1.2B", "layout", {"vllm_xargs": {"no_repeat_ngram_size": 100}}),
        ("allenai/olmOCR-2-7B-1025-FP8", "pages", {"temperature": 0.1, "max_tokens": 8000}),
    ],
)  # fmt: skip
def test_a_family_is_asked_as_its_recipe_has_it(model, kind, sent):
    body = Question.of(profile_of(model), model, kind, image(64, 48)).body()
    assert sent.items() <= body.items() and body["model"] == model
    assert not {"tables", "text", "formulas"} & body.keys()

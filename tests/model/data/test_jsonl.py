"""Rows that people write themselves: what they become, and what is said of those that can't be used."""

import base64
import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from datagen.record import SampleError
from model.data.conversations import row
from model.data.jsonl import Jsonl
from model.data.loader import job, maker, read
from model.data.rows import Part
from model.data.split import opened
from model.net.batch import IGNORED
from tests.model.drawn_rows import alone


def user(content):
    return {"role": "user", "content": content}


def assistant(content):
    return {"role": "assistant", "content": content}


def test_images_that_are_not_named_stand_before_the_text():
    assert row({"image": "a.png", "prompt": "Read it.", "answer": "x"}).parts[0].text == "<image>\nRead it."
    two = row({"messages": [user("Compare."), assistant("x")], "images": ["a.png", {"path": "b.png"}]})
    assert two.parts[0].text == "<image>\n<image>\nCompare." and two.images == ("a.png", "b.png")
    assert row({"image": "a.png", "answer": "x"}).parts[0].text == "<image>\nFree OCR."
    assert row({"images": ["a.png", "b.png"], "answer": "x"}).parts[0].text == "<image>\n<image>\nFree OCR."


TURNS = [False, False, True, False, True]


def test_text_alone_and_several_turns():
    assert row({"text": "all of it"}).parts == (Part("all of it", True),)
    turns = [{"role": "system", "content": "Be brief."}, user("Hi"), assistant("Hello"), user("Bye"), assistant("Ciao")]
    assert [part.learned for part in row({"messages": turns, "lang": "it", "group": "g"}).parts] == TURNS


@pytest.mark.parametrize(
    ("values", "reason", "detail"),
    [
        ([], "bad_row", "it is list"),
        (
            {},
            "bad_row",
            "it has nothing: a row needs messages; or conversations; or instruction and output; or query and response",
        ),
        ({"prompt": "x"}, "bad_row", "it has prompt: a row needs"),
        ({"messages": []}, "bad_row", "empty"),
        ({"messages": [{"role": "human", "content": "x"}]}, "bad_row", "role 'human': allowed are system, user, assistant"),
        ({"messages": [user("x")]}, "no_answer", ""),
        ({"messages": [user("x"), assistant("y") | {"loss": False}]}, "no_answer", ""),
        ({"messages": [user("x"), assistant("y") | {"loss": 0.5}]}, "bad_row", "loss 0.5"),
        ({"messages": [user("x") | {"loss": True}, assistant("y")]}, "bad_row", "loss True"),
        ({"messages": [user("x"), assistant("y") | {"tool_calls": [{}]}]}, "bad_row", "it has tool_calls"),
        ({"system": "a", "messages": [{"role": "system", "content": "b"}, user("x"), assistant("y")]}, "bad_row", "system"),
        ({"image": "a", "images": ["b"], "answer": "x"}, "bad_row", "images and image, and they differ"),
        ({"images": ["b"], "messages": [user([{"type": "image", "path": "a"}]), assistant("x")]}, "bad_row", "in its messages"),
        ({"images": ["b"], "messages": [user([{"type": "image"}] * 2), assistant("x")]}, "image_missing", "2 times"),
        ({"image": {"bytes": [1, 2], "path": None}, "answer": "x"}, "image_missing", "bytes in base64"),
        ({"conversations": [{"from": "observation", "value": "x"}]}, "bad_row", "role 'observation'"),
        ({"query": "a", "response": "b", "history": ["x"]}, "bad_row", "history is no list of pairs"),
        ({"messages": [user("x"), assistant(" ")]}, "no_answer", ""),
        ({"messages": [user(3), assistant("x")]}, "bad_row", "content is int"),
        ({"messages": [user([{"type": "video"}]), assistant("x")]}, "bad_row", "type 'video'"),
        ({"messages": [user("<image><image>"), assistant("x")], "images": ["a"]}, "image_missing", "2 times"),
        ({"messages": [user("<image>"), assistant("x")]}, "image_missing", "0 images"),
        ({"image": 3, "answer": "x"}, "image_missing", "an image is 3"),
        ({"image": "a", "answer": "an <image>"}, "control_token", "stands in an answer"),
        ({"answer": "x<｜end▁of▁sentence｜>"}, "control_token", ""),
    ],
)
def test_what_is_wrong_with_a_row(values, reason, detail):
    with pytest.raises(SampleError) as error:
        row(values)
    assert error.value.reason == reason and detail in error.value.detail


OBJECTS = {"objects": {"bbox": [[1, 2, 3, 4]]}, "videos": ["a.mp4"], "audios": ["a.wav"], "tools": "[{}]", "label": False}


@pytest.mark.parametrize(("name", "value"), [*OBJECTS.items(), ("rejected_response", "z"), ("chosen", "z")])
def test_a_key_that_would_make_another_sample_is_refused_by_name(name, value):
    with pytest.raises(SampleError, match=f"bad_row: it has {name}, which isn't read here"):
        row({"messages": [user("x"), assistant("y")], name: value})


def test_a_key_that_says_nothing_is_as_good_as_none():
    empty = {"objects": {"ref": [], "bbox": []}, "videos": [], "tools": "[]"} | dict.fromkeys(("label", "system", "lang", "id"))
    said = row({"image": "a.png", "images": [], "answer": "y", "text": None, "messages": None} | empty)
    assert said == row({"image": "a.png", "answer": "y"}) and said.images == ("a.png",) and said.key == ""


def test_an_answer_without_loss_is_read_and_not_learned():
    for weight in ({"loss": False}, {"weight": 0}, {"loss_scale": 0.0}):
        turns = [user("1?"), assistant("one") | weight, user("2?"), assistant("two") | {"loss": True}]
        parts = row({"messages": turns}).parts
        assert parts == (Part("1?", False), Part("one<｜end▁of▁sentence｜>", False), Part("2?", False), Part("two", True))


def test_what_a_row_says_in_keys_of_its_own_stands_before():
    said = row({"system": "Be brief.", "history": [["1?", "one"]], "query": "2?", "response": "two", "images": ["a.png"]})
    texts = ["Be brief.\n", "<image>\n1?", "one", "2?", "two"]
    assert [part.text for part in said.parts] == texts and [part.learned for part in said.parts] == TURNS


def test_every_layout_is_the_same_row():
    said = row({"image": "a.png", "prompt": "<image>Read it.", "answer": "Hello"})
    assert said.parts == (Part("<image>Read it.", False), Part("Hello", True)) and said.images == ("a.png",)
    sharegpt = [{"from": "human", "value": "<image>Read it."}, {"from": "gpt", "value": "Hello"}]
    layouts = [
        {"messages": [user("<image>Read it."), assistant("Hello")]},
        {"conversations": sharegpt},
        {"conversation": [{"human": "<image>Read it.", "assistant": "Hello"}]},
        {"instruction": "<image>Read it.", "input": "", "output": "Hello"},
        {"query": "<image>Read it.", "response": "Hello"},
        {"prompt": "<image>Read it.\n", "answer": "Hello"},
        {
            "messages": [
                user([{"type": "image"}, {"type": "text", "text": "Read it."}]),
                assistant([{"type": "text", "text": "Hello"}]),
            ]
        },
        {"messages": [user([{"type": "image"}, {"type": "text", "text": "<image>Read it."}]), assistant("Hello")]},
    ]
    assert [row(layout | {"images": ["a.png"]}) for layout in layouts] == [said] * len(layouts)
    alpaca = row({"instruction": "Translate.", "input": "Hallo", "output": "Hello"})
    assert alpaca.parts == (Part("Translate.\nHallo", False), Part("Hello", True))
    inline = [row({"image": image, "answer": "x"}).images for image in ({"bytes": "AAAA", "path": None}, "data:;base64,AAAA")]
    assert inline[0] == inline[1]


KEYS = "messages images image prompt answer text role content type user lang conversations from value human assistant instruction"
NAMES = st.sampled_from(f"{KEYS} input output response history system loss bytes".split())
WORDS = st.sampled_from(["user", "assistant", "system", "text", "image", "<image>", "a.png", "", "gpt", "human"])
VALUES = st.recursive(
    st.none() | st.integers() | WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)
)


@settings(deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_no_row_is_a_bug(values):
    try:
        found = row(values)
    except SampleError:
        return
    assert sum(part.text.count("<image>") for part in found.parts) == len(found.images)
    assert any(part.learned for part in found.parts)


def written(tmp_path, rows, name="my.jsonl"):
    Image.new("RGB", (600, 700), "white").save(tmp_path / "a.png")
    Image.new("RGB", (1100, 300), "white").save(tmp_path / "b.jpg")
    (tmp_path / "torn.png").write_bytes(b"\x89PNG nothing")
    file = tmp_path / name
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in rows), "utf-8")
    return str(file)


def test_a_file_becomes_batches(tmp_path, tokenizer):
    rows = [
        {"image": "a.png", "prompt": "Read it.", "answer": "Zwölf Boxkämpfer", "lang": "de"},
        {"messages": [user("<image>\nOne?"), assistant("the quick"), user("Two?"), assistant("brown fox")], "images": ["b.jpg"]},
        {"messages": [user("<image> and <image>"), assistant("two pages")], "images": ["a.png", "b.jpg"]},
        {"text": "apt-get install make"},
        {"prompt": "Say x.", "answer": "x"},
    ]
    written(tmp_path, rows)
    data = (tmp_path / "a.png").read_bytes()
    inline = "data:image/png;base64," + base64.b64encode(data).decode()
    elsewhere = [{"image": image, "answer": "elsewhere"} for image in (inline, str(tmp_path / "a.png"))]
    file = written(tmp_path, [*rows, *elsewhere])
    corpus = opened([Jsonl(file)], tokenizer, 1e-9)
    (columns,) = corpus.columns
    assert len(columns) == 7 and not columns.skipped and columns.langs[columns.lang_N[0]] == "de"
    assert columns.sizes(2) == ((600, 700), (1100, 300)) and columns.sizes(3) == () and columns.sizes(1) == ((1100, 300),)
    draws = [alone(corpus, 0, at, "small", ("tiny", "small", "base")) for at in range(7)]
    batch = maker(corpus, tokenizer, ("tiny", "small", "base"))[job(corpus, [draws])]
    assert not batch.skipped and batch.num_samples == 7 and len(batch.images) == 6
    assert [int((batch.samples_BL[0] == n).sum()) for n in range(7)] == [draw.length for draw in draws]
    # Each answer of a conversation is learned, with its end.
    here_L = batch.samples_BL[0] == 1
    labels = batch.labels_BL[0][here_L]
    answers = [*tokenizer.encode("the quick"), tokenizer.eos, *tokenizer.encode("brown fox"), tokenizer.eos]
    assert labels[labels != IGNORED].tolist() == answers
    # Two images, each in the mode that it has the pixels for.
    assert int((batch.samples_BL[0][batch.image_T] == 2).sum()) == 111 + 111
    assert read(corpus, draws[5]).images == (data,) and read(corpus, draws[3]).key == "my.jsonl:4"


def test_rows_that_cannot_be_used_are_counted_and_named(tmp_path, tokenizer, caplog):
    good = {"image": "a.png", "answer": "x"}
    bad = [{"image": "gone.png", "answer": "x"}, {"image": "torn.png", "answer": "x"}, "{not json", "", {"image": "a.png"}]
    file = written(tmp_path, [good, *bad, {"text": "y"}])
    with caplog.at_level(logging.WARNING):
        corpus = opened([Jsonl(file)], tokenizer, 0.1)
    assert corpus.skipped == {"my.jsonl": {"bad_image": 1, "bad_row": 2, "blank_line": 1, "image_missing": 1}}
    assert "my.jsonl line 2 can't be used: image_missing: gone.png: FileNotFoundError" in caplog.text
    assert sorted([*corpus.train[0], *corpus.held_out[0]]) == [0, 6]
    assert "my.jsonl line 3 can't be used: bad_image: torn.png" in caplog.text
    # It is read once, and again if a line changes. What is left out is counted at each start.
    digests = corpus.digests
    caplog.clear()
    assert opened([Jsonl(file)], tokenizer, 0.1).digests == digests and "line 4" not in caplog.text
    assert "my.jsonl: 4 of 7 rows are left out: 2 bad_row, 1 image_missing, 1 bad_image" in caplog.text
    assert opened([Jsonl(written(tmp_path, [good, *bad, {"text": "z"}]))], tokenizer, 0.1).digests != digests


def test_files_that_cannot_be_used_are_one_clear_error(tmp_path, tokenizer):
    with pytest.raises(ValueError, match="there is no such file"):
        Jsonl(str(tmp_path / "none.jsonl"))
    with pytest.raises(ValueError, match=r"no row can be used \(2 image_missing\)"):
        opened([Jsonl(written(tmp_path, [{"image": "gone.png", "answer": "x"}] * 2))], tokenizer, 0.1)

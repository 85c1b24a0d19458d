"""Preference pairs of a model's answers: opened by `datasets`, taken by TRL, and everything that makes none is counted."""

import json
from dataclasses import replace

import datasets
import pytest

from datagen.disk import marks
from datagen.disk.storage import Folder
from datagen.markdown import markdown
from datagen.record import Box, Origin, Quality, Region
from datagen.target import Prompt, encode
from recipes.__main__ import main
from tests.inputs.samples import sample
from tests.outputs import write_run
from tests.published import card, opened, publish

TEXT = "The company sold 412 boats in the spring. Nobody knows why it sold none in autumn."
WRONG = "The company fold 412 goats in spring. No body knows why it told none."
GROUNDED = "<|ref|>text<|/ref|><|det|>[[1, 2, 900, 940]]<|/det|>\n{}"


def fine(key: str, **values):
    regions = (Region(Box(1, 2, 40, 20), "text", TEXT, None, "pymupdf", detected_by="pp_doclayout"),)
    return sample(key, **{"regions": regions, "text": markdown(regions), "origin": Origin(f"/x/{key}.pdf", "00", 0)} | values)


UNREAD = Region(Box(1, 22, 40, 30), "text", "", None, "ppocr", is_unread=True)
PAGES = {
    "wrong-000000": (fine("wrong-000000"), WRONG),
    "wrong-000001": (fine("wrong-000001"), GROUNDED.format(WRONG)),
    "wrong-000002": (replace(fine("wrong-000002"), regions=(), text=TEXT), ""),
    "right-000000": (fine("right-000000"), TEXT),
    "right-000001": (fine("right-000001"), GROUNDED.format(TEXT)),
    "none-000000": (fine("none-000000"), None),
    "other-000000": (replace(fine("other-000000"), regions=(), text=TEXT), GROUNDED.format(WRONG)),
    "open-000000": (replace(fine("open-000000"), regions=(*fine("a-0").regions, UNREAD)), WRONG),
    "doubt-000000": (fine("doubt-000000", quality=Quality("suspect", ("order",), {})), WRONG),
    "twin-000000": (fine("twin-000000"), WRONG),
    "photo-000000": (fine("photo-000000", task="caption", text="", regions=(), caption="A boat."), WRONG),
}
PAIRS = ["wrong-000000", "wrong-000001", "wrong-000002"]
LEFT_OUT = {"mark": 1, "verdict": 1, "right_enough": 2, "no_answer": 1, "unread": 1, "not_asked": 2}


@pytest.fixture
def out(tmp_path):
    pages = [replace(page, origin=replace(page.origin, licence="CC0-1.0")) for page, _ in PAGES.values()]
    write_run(tmp_path / "out" / "fine", pages[:4], pages[4:])
    marks.write(Folder(str(tmp_path / "out" / "fine")), [marks.Mark("twin-000000", "duplicate", "wrong-000000", 1.0)], "")
    (tmp_path / "answers").mkdir()
    for key, (_, answer) in PAGES.items():
        if answer is not None:
            (tmp_path / "answers" / f"{key}.md").write_text(answer)
    (tmp_path / "answers" / "stranger.md").write_text("a")
    return tmp_path / "out"


def test_wrong_answers_are_rejected_and_the_others_counted(tmp_path, out, capsys):
    to = tmp_path / "pub"
    assert publish(out, to, pairs=f"{tmp_path}/answers") == 0
    said = capsys.readouterr().out
    assert "fine: fine 3 samples" in said and "2 right_enough" in said and "1 no_answer" in said and "stranger" in said
    left_out = json.loads((to / "published.json").read_text())["left_out"]["fine"]
    assert {reason: num for reason, _, num in left_out} == LEFT_OUT
    text = (to / "README.md").read_text()
    assert "| 2 | right_enough | the answer is right enough |" in text and "DPOTrainer" in text
    assert {"preference", "trl"} <= set(card(to)["tags"])

    rows = opened(to, None, tmp_path / "cache")
    assert rows["key"] == PAIRS and set(rows.column_names) >= {"images", "prompt", "chosen", "rejected"}
    assert isinstance(rows.features["images"].feature, datasets.Image)
    for row, (page, answer) in zip(rows, (PAGES[key] for key in PAIRS), strict=True):
        prompt = {"wrong-000000": Prompt.PLAIN_MARKDOWN, "wrong-000001": Prompt.MARKDOWN}.get(page.key, Prompt.FREE)
        question, truth = encode(page, prompt)
        assert row["prompt"] == [{"role": "user", "content": question.removeprefix("<image>\n")}]
        assert row["chosen"] == [{"role": "assistant", "content": truth}]
        assert row["rejected"] == [{"role": "assistant", "content": answer}]
        assert [picture.size for picture in row["images"]] == [page.size] and 0 <= row["reward"] < 0.95


def test_words_that_do_not_go_together_are_refused(tmp_path, out, capsys):
    answers = f"pairs={tmp_path}/answers"
    for word, said in (("tests=1", "leave out tests"), ("form=shards", "leave out form"), ("below=2", "up to 1 is needed")):
        assert main(["publish", f"out={out}", f"to={tmp_path}/pub", answers, word]) == 2
        assert said in capsys.readouterr().err
    assert main(["publish", f"out={out}", f"to={tmp_path}/pub", f"pairs={tmp_path}/nowhere"]) == 2
    assert "a folder of STEM.md files" in capsys.readouterr().err
    for path in (tmp_path / "answers").glob("wrong-*.md"):
        path.unlink()
    assert main(["publish", f"out={out}", f"to={tmp_path}/pub", answers]) == 2
    assert "nothing to publish: 4 no_answer" in capsys.readouterr().err
    assert not (tmp_path / "pub" / "published.json").exists()

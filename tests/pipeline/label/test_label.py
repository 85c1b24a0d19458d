"""The recipe against a faulty server: one sentence for a wrong one, the same bytes from the ledger, retry, forget, report."""

import base64
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from datagen.disk.storage import Folder
from datagen.target.grammar import DET, DET_END, REF, REF_END
from recipes.__main__ import main
from tests.chat_server import fails, says, serving
from tests.commits import at_every_commit
from tests.faulty_server import MODEL, faulty
from tests.inputs.small_pages import page
from tests.labelling import bought, digests, drops, ledger_lines, logged, reports, run, words, write_page_dataset, write_pages
from tests.outputs import check_corpus, dataset_samples

PAGES = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with pages in `in`, what came of them in `out`, and a server that goes on answering: its address and its log."""
    folder = tmp_path_factory.mktemp("label")
    write_page_dataset(folder / "in", PAGES, 20)
    with faulty(folder, "--fast", "1") as (server, log):
        assert run([*words(folder / "in", folder / "out", server), "price=2"]) == 0
        yield folder, server, log


@pytest.fixture
def copy(made, tmp_path):
    """A copy of the output, at the place of the first one, since it knows where it lies."""
    folder, server, log = made
    shutil.copytree(folder / "out", tmp_path / "kept")
    yield folder, server, log
    shutil.rmtree(folder / "out")
    shutil.copytree(tmp_path / "kept", folder / "out")


def test_no_page_is_lost_and_the_answers_are_in_the_ledger(made, capsys):
    folder, _, log = made
    out = folder / "out"
    assert sum(r.num_samples + len(r.drops) for r in reports(out)) == PAGES
    assert {reason for reason, _ in drops(out).values()} <= {
        "loop",
        "refused",
        "blank",
        "other_script",
        "truncated",
        "unparsable",
    }
    assert len(ledger_lines(out)) == len(logged(log)) == len(set(logged(log)))
    check_corpus(out, name="label")
    assert main(["status", f"out={out}"]) == 0
    said = capsys.readouterr().out
    assert re.search(rf"asked about {PAGES} pages: \d+ labelled, .*repetition rate \d+\.\d+%", said)
    assert re.search(r"pages/s, [\d,]+ tokens/s, .*cost so far", said, re.DOTALL)
    html = (out / "report/index.html").read_text()
    assert html.count('loading="lazy"') == len(drops(out)) and "There is no image to show" not in html


def test_the_same_again_asks_nothing_and_the_ledger_alone_gives_the_same_bytes(made, tmp_path):
    folder, server, log = made
    before = len(logged(log))
    assert run(words(folder / "in", folder / "out", server)) == 0
    answers = f"answers={folder}/out/label/answers"
    assert run([*words(folder / "in", tmp_path / "again", "ledger"), answers]) == 0
    assert digests(tmp_path / "again") == digests(folder / "out")
    assert drops(tmp_path / "again") == drops(folder / "out")
    # In another order, in shards of another size: nothing is asked.
    with_others = tmp_path / "in"
    shutil.copytree(folder / "in", with_others)
    assert run([*words(with_others, tmp_path / "other", server), answers]) == 0
    assert len(logged(log)) == before


@pytest.mark.slow  # a cluster takes seconds to begin
def test_workers_of_a_cluster_ask_once_and_make_the_same_bytes(tmp_path, cluster):
    write_page_dataset(tmp_path / "in", 20, 5)
    with faulty(tmp_path, "--fast", "1", "--open", "1") as (server, log):  # the workers have no key
        assert run(words(tmp_path / "in", tmp_path / "one", server)) == 0
        alone = logged(log)
        several = [word for word in words(tmp_path / "in", tmp_path / "two", server) if word != "on=inline"]
        assert run([*several, f"on={cluster}"]) == 0
        assert sorted(logged(log)[len(alone) :]) == sorted(alone)
    assert digests(tmp_path / "two") == digests(tmp_path / "one") and drops(tmp_path / "two") == drops(tmp_path / "one")
    assert len(digests(tmp_path / "two")) == 4 and bought(tmp_path / "two") == bought(tmp_path / "one")


def test_a_page_that_stands_in_two_shards_is_bought_once(made, tmp_path):
    _, server, log = made
    before = len(logged(log))
    write_page_dataset(tmp_path / "in", 20, 10, different=10)
    assert run(words(tmp_path / "in", tmp_path / "out", server)) == 0
    asked = logged(log)[before:]
    assert len({image for image, *_ in asked}) == 10 and len(asked) == len(set(asked)) == len(ledger_lines(tmp_path / "out"))
    first, second = reports(tmp_path / "out")
    assert first.num_samples == second.num_samples > 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model": "another/model"}, "has no model another/model: it has deepseek-ai/DeepSeek-OCR"),
        ({"key": "NO_SUCH_KEY"}, "answers 401: it takes no such key as $NO_SUCH_KEY has"),
        ({"server": "http://127.0.0.1:9/v1"}, "can't be reached"),
        ({"server": "gpu-1:8000"}, "is no address"),
        ({"server": "http://127.0.0.1:9/v1?colour=red"}, "'colour' is no setting"),
    ],
)
def test_a_wrong_server_is_one_sentence_and_no_page_fails_for_it(made, tmp_path, capsys, changed, message):
    folder, server, log = made
    before = len(logged(log))
    asked = {"input": f"{folder}/in", "server": server, "model": MODEL, "out": f"{tmp_path}/out", "on": "inline"} | changed
    assert main(["label", *(f"{name}={value}" for name, value in asked.items())]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("pagewheel:")]
    assert message in line
    assert not (tmp_path / "out/label/shards").exists() and len(logged(log)) == before


def test_a_source_is_forgotten_with_its_answers(copy):
    folder, _, _ = copy
    out = folder / "out"
    (sample, *_) = dataset_samples(Folder(f"{out}/label"))
    assert any(line["page"] == sample.key for line in ledger_lines(out))
    assert main(["forget", f"out={out}", f"sha256={sample.origin.sha256}"]) == 0
    assert not any(line["page"] == sample.key for line in ledger_lines(out))
    assert sum(r.num_samples + len(r.drops) for r in reports(out)) == PAGES - 1


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def test_retry_asks_again_in_other_words_and_the_report_escapes_what_was_said(tmp_path):
    """The model loops until it is asked a second time."""
    write_pages(tmp_path / "in", 3, a_tar=3)
    patient = []

    def reply(request):
        if not patient:
            return says(f"{HOSTILE} " * 400, "length")
        return says(f"{REF}text{REF_END}{DET}[[100, 100, 900, 300]]{DET_END}\n{HOSTILE} and words")

    with serving(reply) as (server, came):
        argv = words(tmp_path / "in", tmp_path / "out", server)
        assert run(argv) == 3  # no document has given anything
        asked = len(came)
        assert {reason for reason, _ in drops(tmp_path / "out").values()} == {"loop"}
        html = (tmp_path / "out/report/index.html").read_text()
        assert HOSTILE not in html and "&lt;script&gt;alert(1)" in html and html.count("data:image/webp;base64") == 3
        assert run(argv) == 3 and len(came) == asked
        patient.append(True)
        assert main(["retry", f"out={tmp_path}/out", "reason=loop", "on=inline"]) == 0
        assert len(came) == asked + 3 and {request["temperature"] for request in came[asked:]} == {0.3}
    assert not drops(tmp_path / "out") and sum(r.num_samples for r in reports(tmp_path / "out")) == 3
    (first, *_) = dataset_samples(Folder(f"{tmp_path}/out/label"))
    assert first.quality.verdict == "suspect" and "unscored_reading" in first.quality.reasons and HOSTILE in first.text
    html = (tmp_path / "out/report/index.html").read_text()
    assert HOSTILE not in html and "repetition rate" in html


def test_a_blank_page_is_asked_of_nobody_and_a_page_with_ink_that_is_seen_as_blank_is_told(tmp_path):
    (tmp_path / "in").mkdir()
    Image.new("L", (160, 220), 255).save(tmp_path / "in/a.png")
    (tmp_path / "in/b.png").write_bytes(page("b"))
    with serving(lambda request: says("")) as (server, came):
        assert run(words(tmp_path / "in", tmp_path / "out", server)) == 3
    assert len(came) == 4
    details = sorted(detail for _, detail in drops(tmp_path / "out").values())
    assert details[0].startswith("an empty answer; tries: blank, blank") and details[1].startswith("the page has no ink")
    assert {reason for reason, _ in drops(tmp_path / "out").values()} == {"blank"}


def test_a_server_with_a_short_context_labels_pages_and_one_that_refuses_all_is_no_success(tmp_path, caplog):
    write_pages(tmp_path / "in", 2, a_tar=1)
    answer = says(f"{REF}text{REF_END}{DET}[[100, 100, 900, 300]]{DET_END}\nSome words.")
    with serving(lambda request: answer, models={MODEL: 4096}) as (server, came):
        assert run(words(tmp_path / "in", tmp_path / "out", server)) == 0
    assert len(came) == 2 and not any("max_tokens" in request for request in came)
    assert "a max_model_len of 4,096 tokens: an answer may have what its page leaves of them, and not 8,192" in caplog.text
    with serving(lambda request: fails(400, "Input length (929) exceeds it"), models={MODEL: 640}) as (server, _):
        assert run(words(tmp_path / "in", tmp_path / "refused", server)) == 3
    assert {reason for reason, _ in drops(tmp_path / "refused").values()} == {"refused"}


def test_a_plan_for_millions_of_pages_says_what_they_take(capsys):
    assert main(["label", "pages=33000000", "servers=160", "price=2", "plan=1"]) == 0
    said = capsys.readouterr().out
    assert "33,000,000 pages on 160 servers" in said and "128,907 shards" in said and re.search(r"GB of ledger", said)


def test_a_retry_asks_nobody_where_the_last_run_had_answers_alone(copy, capsys):
    folder, _, _ = copy
    assert run([*words(folder / "in", folder / "out", "ledger")]) == 0
    capsys.readouterr()
    assert main(["retry", f"out={folder / 'out'}", "reason=loop"]) == 2
    assert "server=ledger, which asks nobody" in capsys.readouterr().err


@pytest.mark.slow  # the embedded readers take seconds to load
def test_a_second_reader_says_what_an_answer_about_an_image_is_worth(tmp_path):
    lines = ["All human beings are born free and equal.", "They are endowed with reason and conscience.", "Everyone has rights."]
    (tmp_path / "in").mkdir()
    for name in ("right", "wrong"):
        image, font = Image.new("RGB", (1000, 1300), "white"), ImageFont.load_default(36)
        for n, line in enumerate([*lines, name.title()]):
            ImageDraw.Draw(image).text((80, 100 + 60 * n), line, fill="black", font=font)
        image.save(tmp_path / f"in/{name}.png")

    def reply(request):
        is_wrong = request["messages"][0]["content"][0]["image_url"]["url"].partition(",")[2] == shown_wrong
        text = " ".join(["Quiet rivers carry the boats of merchants past the walls of a town."] * 2 if is_wrong else lines)
        return says(f"{REF}text{REF_END}{DET}[[70, 70, 950, 280]]{DET_END}\n{text}")

    shown_wrong = base64.b64encode((tmp_path / "in/wrong.png").read_bytes()).decode()
    with serving(reply) as (server, _):
        assert run([*words(tmp_path / "in", tmp_path / "out", server), "second=1"]) == 0
    pages = {Path(page.origin.uri).stem: page.quality for page in dataset_samples(Folder(f"{tmp_path}/out/label"))}
    assert pages["right"].verdict == "trusted" and pages["right"].signals["worth"] > 0.9
    assert "readers_disagree" in pages["wrong"].reasons and pages["wrong"].signals["worth"] < 0.5


@pytest.mark.slow
def test_a_run_that_ends_before_any_commit_goes_on_to_the_same_bytes_and_asks_for_nothing_again(tmp_path):
    write_page_dataset(tmp_path / "in", 4, 2)
    with serving(lambda request: says(f"{REF}text{REF_END}{DET}[[100, 100, 900, 300]]{DET_END}\nSome words.")) as (server, came):
        assert run(words(tmp_path / "in", tmp_path / "whole", server)) == 0
        asked = len(came)

        def end(change: int) -> None:
            shutil.rmtree(tmp_path / "out", ignore_errors=True)
            came.clear()
            run(words(tmp_path / "in", tmp_path / "out", server))

        def goes_on(change: int, name: str) -> None:
            assert run(words(tmp_path / "in", tmp_path / "out", server)) == 0
            assert digests(tmp_path / "out") == digests(tmp_path / "whole"), name
            assert len(came) == asked, name

        names = at_every_commit(end, goes_on)
    assert "label-000000.json" in " ".join(names)

"""The pages that rounds label nearly whole: which they are, what they say, and what a model learns of them."""

import json

import pytest

from datagen.disk.storage import Folder
from model.data.ours import open_ours
from model.data.split import opened
from model.net.tokenizer import byte_tokenizer
from tests.inputs import wheel
from tests.outputs import check_corpus, dataset_samples

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # it waits for two rounds, beside whatever else runs


def measured(turned, number: int) -> dict:
    return json.loads((turned / f"out/round-{number}/metrics.json").read_text())["pages"]


@pytest.fixture
def made(turned):
    """The pages of round 2."""
    return list(dataset_samples(Folder(str(turned / "out/pages-round-2"))))


def test_a_page_of_which_nearly_all_was_accepted_is_a_sample_with_all_accepted_lines(turned, made):
    figures, parents = measured(turned, 2), {s.origin.parent for s in made}
    assert figures["num_pages"] == len(made) == len(parents) > 0
    assert figures["num_read"] == len(made) + sum(figures["refused"].values()) == 16
    assert {(s.task, s.stage, s.round, s.quality.verdict) for s in made} == {("page", "flywheel/round-2", 2, "trusted")}
    crops = [s for s in dataset_samples(Folder(str(turned / "out/round-2"))) if s.origin.parent in parents]
    lines = [line for s in made for region in s.regions for line in region.lines]
    assert len(lines) >= 0.75 * wheel.LINES * len(made)
    assert sorted(" ".join(line.text for line in lines).split()) == sorted(" ".join(s.text for s in crops).split())
    check_corpus(turned / "out", name="pages-round-2")


def test_what_such_pages_say_is_measured_by_the_hidden_layers(turned, made):
    figures = measured(turned, 2)
    assert figures["cer"] <= figures["worst_cer"] < 0.1
    assert (figures["order_share"], figures["missing_share"]) == (1, pytest.approx(0, abs=0.02))
    assert figures["languages"]["ru"]["num_chars"] == figures["num_chars"] > 10 * wheel.LINES * len(made)
    card = (turned / "out/pages-round-2/README.md").read_text()
    assert f"Of 16 pages that were read, {len(made)} are samples" in card and "By the text layers" in card


def test_a_page_trains_a_model_once(turned, made):
    out = Folder(str(turned / "out"))
    beside = opened(open_ours(out, ["coarse", "pages-round-*"]), byte_tokenizer(), 0.1)
    assert beside.skipped["pages-round-2"]["page_elsewhere"] == len(made)
    alone = opened(open_ours(out, ["pages-round-*"]), byte_tokenizer(), 0.1)
    assert alone.skipped["pages-round-1"].get("marked", 0) == measured(turned, 1)["num_pages"]
    assert sum(map(len, alone.columns)) == len(made)

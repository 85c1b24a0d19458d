"""The labeller: what it says of pages, its two implementations, its training."""

from collections import Counter
from dataclasses import replace
from random import Random

import numpy
import pytest
import torch

from datagen.fine.training_pages import read, written
from datagen.layouts import training
from datagen.layouts.elements import Elements, LineElement, SeenBlock, distinct_pictures
from datagen.layouts.features import features
from datagen.layouts.groups import MAX_ELEMENTS, Group, groups, structure_score
from datagen.layouts.labeller import LABELS, outputs, weights
from datagen.layouts.measure import counted, shares
from datagen.layouts.network import LayoutNetwork
from datagen.layouts.odds import are_right, odds
from datagen.layouts.plan import Plan
from datagen.layouts.training import TrainingPage
from datagen.layouts.truth import UNKNOWN, answer
from datagen.record import Box, Line, Region

WORDS = "the river runs past the old mill and under the bridge before it meets the lake in the valley of tall pines".split()


def prose(random, num):
    return " ".join(random.choice(WORDS) for _ in range(num))


def page(seed=0, columns=2, has_fonts=True):
    """A page of a paper in points: a title over two columns of paragraphs with headings."""
    random, lines, block = Random(seed), [], 0
    lines.append(LineElement((150, 60, 450, 82), "A Study of Rivers", 20, bold=1.0, block=block))
    width = 480 // columns - 20
    for column in range(columns):
        x, y = 60 + column * (width + 20), 110
        for section in range(2):
            block += 1
            heading = f"{column * 2 + section + 1}  {random.choice(('Methods', 'Results', 'Rivers'))}"
            lines.append(LineElement((x, y, x + 90, y + 14), heading, 12, bold=1.0, block=block))
            y += 24
            for _ in range(2):
                block += 1
                for n in range(6):
                    right = x + (width if n < 5 else width // 2)
                    lines.append(LineElement((x, y, right, y + 11), prose(random, 8 if n < 5 else 4), 10, block=block))
                    y += 13
                y += 8
            y += 10
    return Elements((600, 800), lines, has_fonts=has_fonts)


def truth_of(shown):
    """The regions of `page`, its blocks, and the page's size."""
    blocks: dict[int, list[LineElement]] = {}
    for line in shown.lines:
        blocks.setdefault(line.block, []).append(line)
    regions = []
    for n, own in enumerate(blocks.values()):
        lines = tuple(Line(Box(*map(int, line.box)), line.text) for line in own)
        box = Box(*(f(int(line.box[i]) for line in own) for i, f in enumerate((min, min, max, max))))
        label = "title" if not n else "sub_title" if len(own) == 1 else "text"
        regions.append(Region(box, label, own[0].text, None, "pymupdf", lines=lines))
    return regions, (600, 800)


def training_page(seed, columns=2):
    shown = page(seed, columns)
    return TrainingPage(shown, answer(shown, *truth_of(shown)), f"document {seed}")


@pytest.mark.parametrize("has_fonts", [True, False])
def test_a_page_of_two_columns_is_read_column_by_column_with_its_headings(has_fonts):
    shown = page(has_fonts=has_fonts)
    made = groups(shown, weights())
    assert sorted(i for group in made for i in group.lines) == list(range(len(shown.lines)))
    assert made[0].label == "title" and Counter(group.label for group in made)["sub_title"] == 4
    assert [i for group in made for i in group.lines] == list(range(len(shown.lines)))


def test_each_line_of_a_page_with_more_than_the_network_sees_at_a_time_is_in_one_region():
    lines = [
        LineElement((50 + 180 * (n % 3), 3 * n, 200 + 180 * (n % 3), 3 * n + 7), f"line {n}", 8) for n in range(MAX_ELEMENTS + 20)
    ]
    made = groups(Elements((600, 2000), lines, pictures=[(60.0, 10.0, 200.0, 100.0)]), weights())
    assert sorted(i for group in made for i in group.lines) == list(range(len(lines)))


def test_a_page_without_lines_has_its_pictures():
    (group,) = groups(Elements((600, 800), [], pictures=[(50.0, 50.0, 300.0, 300.0)]), weights())
    assert (group.label, group.picture, group.lines) == ("image", 0, ())


def test_numpy_computes_what_torch_does():
    torch.manual_seed(0)
    shown = replace(page(), pictures=[(60.0, 500.0, 250.0, 700.0)], blocks=[SeenBlock((60, 110, 280, 400), "text")])
    seen = features(shown)
    network = LayoutNetwork(seen.of_elements.shape[1], seen.of_pairs.shape[2], width=32, depth=2, num_heads=4).eval()
    batch = training.collated([TrainingPage(shown, answer(shown, *truth_of(shown)), "")])
    with torch.no_grad():
        expected = network(*batch[:4])
    made = outputs(shown, {name: tensor.numpy() for name, tensor in network.state_dict().items()})
    for one, other in zip(made, expected, strict=True):
        assert numpy.allclose(one, other[0].numpy(), atol=1e-4)


def test_padding_changes_no_answer():
    torch.manual_seed(0)
    pages = [training_page(0, columns=1), training_page(1, columns=2)]
    seen = features(pages[0].page)
    network = LayoutNetwork(seen.of_elements.shape[1], seen.of_pairs.shape[2], width=32, depth=2, num_heads=4).eval()
    with torch.no_grad():
        together = network(*training.collated(pages)[:4])
        alone = network(*training.collated(pages[:1])[:4])
    num = len(seen.of_elements)
    assert torch.allclose(together.label[0, :num], alone.label[0], atol=1e-4)
    assert torch.allclose(together.same[0, :num, :num], alone.same[0], atol=1e-4)


def test_the_truth_of_a_page_is_matched_by_place():
    shown = page()
    made = answer(shown, *truth_of(shown))
    assert [LABELS[n] for n in made.label[:2]] == ["title", "sub_title"] and made.level[:3].tolist() == [1, 2, 0]
    assert made.region.tolist() == [line.block if line.block else 0 for line in shown.lines]
    away = replace(shown, lines=[replace(shown.lines[0], box=(10, 780, 40, 790))])
    assert answer(away, *truth_of(shown)).label.tolist() == [UNKNOWN]


def test_a_heading_of_the_truth_says_its_level_by_its_signs_or_else_by_its_label():
    shown = page()
    regions, size = truth_of(shown)
    levels = {text: answer(shown, [regions[0], replace(regions[1], text=text)], size).level[1] for text in ("### A", "A", "")}
    assert levels == {"### A": 3, "A": 2, "": 0}


def test_what_is_right_is_counted():
    one = training_page(0)
    number = one.answer.region
    own = [tuple(numpy.flatnonzero(number == n).tolist()) for n in range(number.max() + 1)]
    right = [Group(lines, -1, LABELS[one.answer.label[lines[0]]]) for lines in own]
    num = len(right)
    all_right = {"labels": len(number), "labels of": len(number), "regions": num, "regions of": num, "order": num - 1}
    assert counted(right, one.answer, len(number)) == all_right | {"order of": num - 1}
    assert all(are_right(right, one.answer, len(number)))
    swapped = [right[1], right[0], *right[2:]]
    assert counted(swapped, one.answer, len(number)) == all_right | {"order": num - 2, "order of": num - 1}
    assert are_right(swapped, one.answer, len(number))[:4] == [False, False, True, True]
    joined = [*right[:2], Group(own[2] + own[3], -1, "list"), *right[4:]]
    made = counted(joined, one.answer, len(number))
    assert (made["regions"], made["labels"]) == (num - 2, len(number) - len(own[2] + own[3]))


def test_a_training_learns_and_one_that_goes_on_ends_as_if_it_had_never_stopped():
    pages = [training_page(seed, 1 + seed % 2) for seed in range(24)]
    plan = Plan(epochs=10, learning_rate=3e-3, width=32, depth=2)
    losses, states = [], []

    def kept(number, of_epoch, state):
        losses.append(sum(of_epoch))
        states.append(state)

    whole = training.saved(training.trained(pages, plan, kept))
    assert losses[-1] < 0.5 * losses[0]
    assert training.saved(training.trained(pages, plan, state=states[2])) == whole


def test_the_odds_of_a_region_follow_from_pages_that_were_not_learned():
    made = dict(weights())
    made |= odds([training_page(seed) for seed in range(100, 104)], made)
    found = groups(page(7), made)
    assert all(0 <= group.is_right <= 1 for group in found)
    assert made["page_is_right"].shape == (4,) and 0 <= structure_score(found, made) <= 1
    assert shares([training_page(200)], made)["labels"] > 0.9


def test_a_page_is_less_likely_right_where_one_region_is():
    weights = {"page_is_right": numpy.array([0.5, 0.5, 0.0, 0.0])}
    sure = [Group((n,), -1, "text", is_right=0.95) for n in range(5)]
    unsure = [*sure[:4], sure[4]._replace(is_right=0.4)]
    assert structure_score(unsure, weights) < 0.5 < structure_score(sure, weights) < 1 == structure_score(sure, {})


def test_a_variant_has_the_same_truth_in_another_look():
    one = training_page(0)
    made = [training.variant(one, Random(seed)) for seed in range(30)]
    assert any(len(other.page.lines) < len(one.page.lines) for other in made)
    assert any(not other.page.has_fonts for other in made) and any(other.page.has_fonts for other in made)
    for other in made:
        first = {line.text: one.answer.label[n] for n, line in enumerate(one.page.lines)}
        known = [(n, line.text) for n, line in enumerate(other.page.lines) if line.text in first]
        assert known and all(other.answer.label[n] == first[text] for n, text in known)
        assert len(other.answer.label) == len(other.page.lines)
        assert features(other.page).of_pairs.shape[0] == len(other.page.lines)


@pytest.mark.parametrize("columns_from", ["right", "left"])
def test_a_page_of_columns_is_learned_as_it_is_answered(columns_from):
    lines = [LineElement((x, 60, x + 40, 1360), prose(Random(x), 30), 38, vertical=True) for x in range(200, 800, 60)]
    standing = Elements((1000, 1414), lines, has_fonts=False, columns_from=columns_from)
    one = TrainingPage(standing, answer(standing, [Region(Box(190, 50, 810, 1370), "text", "", None, "")], (1000, 1414)), "a")
    (learned,) = training.collated([one]).of_elements.numpy()
    assert learned == pytest.approx(features(standing.with_rows()).of_elements)
    for seed in range(20):
        assert training.variant(one, Random(seed)).page.columns_from == columns_from


def test_training_pages_are_read_as_they_were_written():
    pages = [training_page(0), training_page(1)]
    for one, other in zip(pages, read(written(pages)), strict=True):
        assert other.document == one.document and [list(line.box) for line in one.page.lines] == [
            list(line.box) for line in other.page.lines
        ]
        assert all((a == b).all() for a, b in zip(one.answer, other.answer, strict=True))
        assert (features(one.page).of_pairs == features(other.page).of_pairs).all()


def test_of_doubled_pictures_one_stays_and_ornaments_and_backgrounds_go():
    picture, ornament, background = (100, 100, 300, 300), (5, 5, 7, 7), (0, 0, 600, 800)
    assert distinct_pictures([picture, (102, 100, 300, 298), ornament, background], (600, 800)) == [picture]

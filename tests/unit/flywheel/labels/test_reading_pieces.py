"""A line in pieces: what two views and the existing reader say of its words, and where it is cut."""

from dataclasses import replace

import numpy
import pytest
import torch

from datagen.engines.compact import Alphabet
from datagen.engines.ctc_words import Spelling, spell
from datagen.record import Box
from datagen.risk.bounds import NOBODY, RISK, least_lines
from flywheel.labels.calibrate import JudgedPart, agreement, counted, design_effects, reader_gate
from flywheel.labels.line_readings import DetectedLine
from flywheel.labels.reading_pieces import AGREED, ALONE, LineReading, read_parts
from flywheel.labels.relabel import box_of

WIDTH, HEIGHT, MARGIN = 20, 40, 8  # of a letter; of a line; around it
LINE = "слово дело вещь книга стол"


class HandReader:
    """Reads what it is told: a text for each view, and how sure it is of each letter that isn't sure. A letter takes four
    frames."""

    def __init__(self, plain: str, wide: str = "", doubtful: dict[str, float] | None = None):
        self.alphabet = Alphabet.of("Cyrl", [plain, wide, LINE, "зющ "])
        self._told = [plain, wide or plain]
        self._doubtful = doubtful or {}

    def spell(self, crops: list[numpy.ndarray]) -> list[Spelling]:
        text = self._told.pop(0)
        classes = self.alphabet.encode(text)
        shares = torch.full((4 * len(classes), len(self.alphabet.symbols) + 1), 1e-6)
        shares[:, 0] = 1
        for i, (letter, c) in enumerate(zip(text, classes, strict=True)):
            sure = self._doubtful.get(letter, 0.9999)
            shares[4 * i + 1] = (1 - sure) / 2
            shares[4 * i + 1, c] = sure
        logp_TA = shares.log()
        return spell(logp_TA[None].expand(len(crops), -1, -1), torch.tensor([len(logp_TA)] * len(crops)), self.alphabet.space)


def drawn(text: str, vote: str | None, tight: tuple[int, ...] = ()) -> DetectedLine:
    """A line in which each letter is a block of ink, and each space paper. In front of the words `tight` there is no paper."""
    width = WIDTH * len(text)
    gray = numpy.full((HEIGHT + 2 * MARGIN, width + 2 * MARGIN), 255, numpy.uint8)
    word = 0
    for i, letter in enumerate(text):
        word += letter == " "
        if letter != " " or word in tight:
            gray[MARGIN : MARGIN + HEIGHT, MARGIN + WIDTH * i : MARGIN + WIDTH * (i + 1)] = 0
    inner = Box(MARGIN, MARGIN, MARGIN + width, MARGIN + HEIGHT)
    return DetectedLine(Box(100, 200, 100 + width, 200 + HEIGHT), gray, inner, vote)


def read(plain: str, vote: str | None, wide: str = "", tight: tuple[int, ...] = (), **doubtful: float) -> LineReading:
    (reading,) = read_parts([drawn(plain, vote, tight)], HandReader(plain, wide, doubtful), "Cyrl")  # type: ignore[arg-type]
    return reading


def parts(reading: LineReading) -> list[tuple[str, str]]:
    """Each part's text, and its stratum or its reason."""
    return [(part.text, part.stratum or part.reason) for part in reading.parts]


SAME = "the vote is the reading"
PIECES = {
    "alone": (LINE, None, {}, [(LINE, ALONE)]),
    "in doubt": (LINE, None, {"щ": 0.6}, [("слово дело", ALONE), ("вещь", "low_confidence"), ("книга стол", ALONE)]),
    "a short line, agreed": ("дело", SAME, {}, [("дело", AGREED)]),
    "too short, agreed": ("дел", SAME, {}, [("дел", "too_short")]),
    "a short line, alone": ("дело", None, {}, [("дело", "too_short")]),
    "read otherwise": (LINE, "слово дело нет нет нет", {}, [("слово дело", AGREED), ("вещь книга стол", "disagrees")]),
    "elsewhere": ("слово дело вещь", "вещь слово дело нет", {}, [("слово дело", AGREED), ("вещь", "disagrees")]),
    "a word more": (
        "слово дело вещь", "слово нет дело вещь", {"в": 0.7, "л": 0.7}, [("слово", "too_short"), ("дело вещь", "too_short")],
    ),
    "Cyrillic letters": ("набор Туре слово дело вещь", SAME, {}, [("набор Туре слово дело вещь", AGREED)]),
    "Latin letters": (
        "набор Туре слово дело вещь", "набор Type слово дело вещь", {},
        [("набор", "too_short"), ("Туре", "look_alike"), ("слово дело вещь", AGREED)],
    ),
    "a lone letter": (
        "слово дело вещь О книга стол слово", SAME, {},
        [("слово дело вещь", AGREED), ("О", "look_alike"), ("книга стол слово", AGREED)],
    ),
    "a bullet": ("е слово дело вещь", SAME, {}, [("е", "look_alike"), ("слово дело вещь", AGREED)]),
    "a letter behind a full stop": ("слово дело. О вещь", SAME, {}, [("слово дело. О вещь", AGREED)]),
    "a letter that is a word": ("слово о вещь дело", SAME, {}, [("слово о вещь дело", AGREED)]),
    "Latin words alone": ("reading this line", SAME, {}, [("reading this line", "other_script")]),
    "a Latin word": ("слово дело вещь this", SAME, {}, [("слово дело вещь this", AGREED)]),
    "a lone dash": (
        "слово дело вещь - книга стол слово", SAME, {},
        [("слово дело вещь", AGREED), ("-", "look_alike"), ("книга стол слово", AGREED)],
    ),
    "a hyphen": ("слово-дело вещь", SAME, {}, [("слово-дело вещь", AGREED)]),
    "a word of two scripts": (
        "слово дело вещь СССР стол книга", SAME, {},
        [("слово дело вещь", AGREED), ("СССР", "look_alike"), ("стол книга", AGREED)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("plain", "vote", "doubtful", "expected"), PIECES.values(), ids=PIECES)
def test_a_line_is_cut_into_pieces_and_what_is_none(plain, vote, doubtful, expected):
    assert parts(read(plain, plain if vote == SAME else vote, **doubtful)) == expected


def test_a_doubtful_word_is_cut_out_and_the_rest_is_kept():
    reading = read("слово дело вещь книга стол", "слово дело вещь кнвга стол", г=0.6)
    assert parts(reading) == [("слово дело вещь", AGREED), ("книга", "disagrees"), ("стол", "too_short")]
    first, second, _ = reading.parts
    assert first.right == second.left
    box = box_of(reading, first)
    assert box.y0 == 200 and box.y1 == 240 and box.x0 == 100
    assert box.x1 == pytest.approx(100 + 15.5 * WIDTH, abs=WIDTH / 4)  # the middle of the space
    assert (reading.crop[:, first.right - 3 : first.right + 3] == 255).all()


def test_without_the_existing_reader_two_views_must_read_a_word_alike():
    reading = read(LINE, None, wide="слово дело вещь книза стол")
    assert parts(reading) == [("слово дело вещь", ALONE), ("книга", "views_differ"), ("стол", "too_short")]
    assert reading.parts[1].score > 0.9  # what the first view says of it


def test_of_two_views_that_one_counts_which_the_existing_reader_agrees_with():
    reading = read("слово дело вещь кинга стол", LINE, wide=LINE)
    assert parts(reading) == [(LINE, AGREED)]
    assert reading.inset == 7 and reading.crop.shape[1] == 20 * len(LINE) + 14  # the wide view, of .18 heights
    assert parts(read(LINE, LINE, wide="слово дело вещь кинга стол")) == [(LINE, AGREED)]


def test_nothing_is_cut_through_ink():
    reading = read("слово дело вещь книга стол", "слово дело вещь кнвга стол", tight=(3,), г=0.6)
    assert parts(reading)[:2] == [("слово дело", AGREED), ("вещь", "no_gap")]


def test_what_is_no_line_has_one_part_with_a_reason():
    small = DetectedLine(Box(0, 0, 90, 8), numpy.full((16, 98), 255, numpy.uint8), Box(4, 4, 94, 12), LINE)
    (reading,) = read_parts([small], HandReader(LINE), "Cyrl")  # type: ignore[arg-type]
    assert parts(reading) == [(LINE, "too_small")]
    tall = DetectedLine(Box(0, 0, 20, 90), numpy.full((106, 36), 255, numpy.uint8), Box(8, 8, 28, 98), LINE)
    (reading,) = read_parts([tall], HandReader(LINE), "Cyrl")  # type: ignore[arg-type]
    assert parts(reading) == [(LINE, "turned")]


def test_refused_parts_are_merged_with_the_reason_of_most_characters():
    reading = read(LINE, "слово нет нет кнвга стол", г=0.6, щ=0.6)
    merged = reading.merge(reading.parts[1:])
    assert (merged.text, merged.reason) == ("дело вещь книга стол", "disagrees")
    assert merged.left == reading.parts[1].left and merged.right == reading.crop.shape[1]
    assert 0 < merged.score < 0.5


class WholeReader:
    """A reader that says nothing of frames."""

    def __init__(self, *told: tuple[str, float]):
        self._told = list(told)

    def read(self, crops: list[numpy.ndarray]) -> list[tuple[str, float]]:
        return [self._told.pop(0)]


def test_a_reader_without_frames_gives_whole_lines():
    for vote, wide, score, expected in (
        (LINE, LINE, 0.5, AGREED),
        (None, LINE, 0.95, ALONE),
        ("нет", LINE, 0.5, "disagrees"),
        (None, "нет", 0.9, "views_differ"),
        (LINE, "нет", 0.9, AGREED),
    ):
        (reading,) = read_parts([drawn(LINE, vote)], WholeReader((LINE, 0.97), (wide, score)), "Cyrl")  # type: ignore[arg-type]
        assert parts(reading) == [(LINE, expected)]
    assert reading.parts[0].right == reading.crop.shape[1]


def test_a_line_without_frames_is_refused_if_one_of_its_words_looks_alike():
    text = "да узнае TEX"
    (reading,) = read_parts([drawn(text, text)], WholeReader((text, 0.97), (text, 0.97)), "Cyrl")  # type: ignore[arg-type]
    assert parts(reading) == [(text, "look_alike")]


def piece(number: int, stratum: str, is_right: bool = True, lang: str = "ru") -> JudgedPart:
    text = f"кусок {number}"
    return JudgedPart(lang, f"p-{number:04d}", stratum, 1 - number / 10_000, text, f"строка {text}", is_right)


def test_both_strata_together_keep_the_promise():
    least = least_lines(0.97, RISK)
    assert (least, least_lines(0.97, RISK / 2)) == (135, 158)
    few, many = [piece(i, ALONE) for i in range(least - 1)], [piece(1000 + i, AGREED, lang="uk") for i in range(least)]
    gate = reader_gate([*few, *many], 0.97)
    assert gate.cutoffs[ALONE].confidence == NOBODY and "at least 135" in gate.cutoffs[ALONE].reason
    assert gate.cutoffs[AGREED].num_above == least
    assert gate.threshold(AGREED, "uk") == gate.cutoffs[AGREED].confidence
    assert gate.threshold(AGREED, "ru") == NOBODY  # no piece of its own
    both = reader_gate([piece(i, stratum) for stratum in (AGREED, ALONE) for i in range(157)], 0.97)
    assert [cutoff.confidence for cutoff in both.cutoffs.values()] == [NOBODY, NOBODY]  # at half of the risk each
    found = gate.to_dict()
    assert (found[ALONE]["confidence"], found[AGREED]["languages"]) == (None, ["uk"])


def test_a_gate_says_on_which_pages_its_pieces_lie():
    pieces = [replace(piece(i, AGREED), pages="typeset" if i < 150 else "gold-images") for i in range(200)]
    assert reader_gate(pieces, 0.97).to_dict()[AGREED]["sources"] == {"typeset": 150, "gold-images": 50}


def test_pieces_of_one_document_count_as_fewer():
    def of(documents: int, wrong_of: int) -> list[JudgedPart]:
        """Pieces of so many documents, of which each `wrong_of`-th is wrong in half of its pieces."""
        return [
            replace(piece(i, AGREED, bool(i // 20 % wrong_of or i % 2)), document=f"{i // 20}") for i in range(20 * documents)
        ]

    many, few = of(16, 8), of(4, 4)
    effects = design_effects({"many": many, "few": few, "sure": [piece(i, AGREED) for i in range(5)]})
    assert effects["many"] > 5
    assert effects["few"] == effects["sure"] == max(effects.values())  # too few documents to tell
    right = [piece(i, AGREED) for i in range(300)]
    assert reader_gate(right, 0.97, 2.0).cutoffs[AGREED].bound < reader_gate(right, 0.97).cutoffs[AGREED].bound
    assert reader_gate(right, 0.97, 3.0).cutoffs[AGREED].confidence == NOBODY


def test_pieces_with_a_text_or_a_row_that_readers_learned_calibrate_nothing():
    pieces = [piece(i, AGREED) for i in range(4)]
    learned = frozenset({"кусок 1", "строка кусок 2"})
    assert counted([*pieces, piece(9, "")], learned) == [pieces[0], pieces[3]]
    assert counted([pieces[0], pieces[0]], frozenset()) == [pieces[0]]
    nothing_there = [replace(piece, truth="", is_right=False) for piece in pieces]
    assert {*counted([*pieces, *nothing_there], frozenset())} == {*pieces, *nothing_there}


def test_agreement_is_measured_whatever_the_score():
    parts = [piece(1, AGREED), piece(2, AGREED, is_right=False), piece(3, ALONE), piece(4, "")]
    row = agreement(parts)["ru"]
    assert (row["num_pieces"], row["num_right"], row["precision"], row["share_of_chars"]) == (2, 1, 0.5, 0.5)
    assert row["precision_low"] < 0.5 < row["precision_high"]

"""Decide a block of text: the label against the readings of other voters.

Each stretch of words in which a reading differs from the label is decided on its own:

- The label's words stay if another voter has the same words.
- Words that two other voters read alike replace the label's. If readers confuse the two texts, the ink must be clearly more like
  the new text. A little more is enough if one of the two voters seldom errs on the page.
- Otherwise all texts are drawn and compared with the ink. The label wins if no reading is more like the ink. A reading wins if it
  is clearly more like the ink.
- Otherwise the stretch is open."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from rapidfuzz.distance import Levenshtein

from datagen.agreement import signs
from datagen.agreement.decided import ABSTAINS, AGAINST, ALONE, DRAWN, FOR, KEPT, REPLACED, UNREAD, Decided, Edit, Fate, Vote
from datagen.agreement.ink import PageInk
from datagen.agreement.spans import (
    SPACES,
    Reading,
    Span,
    Text,
    able,
    about_at,
    alike,
    exactly_at,
    extent,
    flat,
    line_around,
    lines_at,
    part_of,
    spans,
)
from datagen.agreement.words import in_one_form
from datagen.record import Line

_CLEAR = 0.05  # in likeness: two typefaces make a smaller difference
_CLEARER = 0.15  # in likeness: asked of a voter that is often alone, or where each voter reads something else
_AGAINST_TWO = 0.05  # in likeness: two voters are doubted if the ink is more like the label by this much
_LONG = 8  # letters and digits: two readings of a stretch so long may say the same without being equal
_LONG_CELL = 3
_SAME, _MORE = 0.75, 0.1  # similarity of two readings; and how much more similar they are to each other than to the label
OFTEN_ALONE, _SELDOM = 0.03, 0.01  # of a page's words that a voter alone reads so: it often errs; it seldom errs
_SEEN = 0.015  # in likeness, where a voter that seldom errs has the text: nobody sees a smaller difference
_SIGN = 4  # characters of a sign with its marks
_MISREAD = 0.5  # of a word's letters: a misread word still has this share right


@dataclass
class Voting:
    """Decides a block of a page by its readings and its ink.

    `is_covered`: all ink in the block's box lies in lines that the others read, so the others overlooked nothing there.
    `is_cell`: the block is a table's cell. A cell is short, so a reading with other letters didn't fail.
    `is_part`: the block is a stretch of a reading that the label lacks.
    `alone`: for each voter, the share of the page's words that only this voter reads so. A voter with a large share is no
    witness where it is alone."""

    ink: PageInk
    script: str
    label: Text
    own: str
    own_datasets: tuple[str, ...]
    readings: Sequence[Reading]
    is_covered: bool = True
    is_cell: bool = False
    is_part: bool = False
    alone: Mapping[str, float] = field(default_factory=dict)

    def decided(self) -> Decided:
        others = [reading for reading in self.readings if reading.voter != self.own]
        voting = able(self.label, others, self.is_cell)
        if not voting:
            votes = self._votes([], ())
            if others and not self.label.words:
                return Decided("", UNREAD, "one_has_more", "", votes)
            why = "no_other_reader" if not others else "readers_failed"
            is_open = others and self._shows_all(self.label.lines) is not True
            outcome = ALONE if not others else UNREAD if is_open else DRAWN
            return Decided("" if is_open else self.label.text, outcome, why, "" if is_open else self.own, votes)
        if len(voting) < len(others):  # somebody reads something that is like nothing
            self.is_covered = False
        stretches = spans(self.label, [reading.text for reading in voting])
        fates = [self._fate(span, voting) for span in stretches]
        votes = self._votes(voting, [span for span, fate in zip(stretches, fates, strict=True)])
        opened = [fate for fate in fates if fate.outcome == UNREAD]
        if opened:
            return Decided("", UNREAD, opened[0].why, "", votes)
        edits = tuple(fate.edit for fate in fates if fate.edit is not None)
        outcome = next((o for o in (REPLACED, DRAWN) if any(fate.outcome == o for fate in fates)), KEPT)
        why = next((fate.why for fate in fates if fate.outcome == outcome), "another_agrees")
        score = 1.0 - min((v.distance for v in votes if v.voter != self.own), default=0.0)
        chosen = edits[0].voter if edits else self.own
        text = self.label.text
        for edit in reversed(edits):  # they are in order and don't overlap
            text = text[: edit.start] + edit.text + text[edit.stop :]
        return Decided(text.strip(), outcome, why, chosen, votes, edits, round(score, 3))

    def count_alone(self, counts: Counter[tuple[str, bool]]) -> None:
        """Adds to the counts, for each voter, how many of the label's words only this voter reads so (True), and the other words
        (False)."""
        others = [reading for reading in self.readings if reading.voter != self.own]
        voting = [reading for reading in able(self.label, others, self.is_cell) if reading.text.words]
        stretches = spans(self.label, [reading.text for reading in voting])
        for i, reading in enumerate(voting):
            num_alone = 0
            for span in stretches:
                own = about_at(reading.text, span.others[i])
                distinct = {self._about(span)} | {
                    about_at(r.text, span.others[n]) for n, r in enumerate(voting) if r.voter != reading.voter
                }
                if own not in distinct and min(len(own), len(self._about(span))) > 0:
                    num_alone += span.stop - span.start
            counts[reading.voter, True] += num_alone
            counts[reading.voter, False] += len(self.label.words) - num_alone

    def _votes(self, voting: Sequence[Reading], found: Sequence[Span]) -> tuple[Vote, ...]:
        votes = [Vote(self.own, self.own_datasets, self.label.text, FOR, 0.0)]
        for reading in self.readings:
            distance = round(1.0 - alike(reading.text, self.label), 3)
            vote = ABSTAINS
            if (i := next((n for n, one in enumerate(voting) if one is reading), None)) is not None:
                vote = AGAINST if any(self._about(span) != about_at(reading.text, span.others[i]) for span in found) else FOR
            votes.append(Vote(reading.voter, reading.datasets, reading.text.text, vote, distance))
        return tuple(votes)

    def _own(self, span: Span) -> str:
        return exactly_at(self.label, (span.start, span.stop))

    def _about(self, span: Span) -> str:
        return about_at(self.label, (span.start, span.stop))

    def _fate(self, span: Span, voting: Sequence[Reading]) -> Fate:
        own = self._own(span)
        straightened = [signs.straight(own, exactly_at(r.text, span.others[i]), self.script) for i, r in enumerate(voting)]
        by_voter: dict[str, list[str]] = {}
        for text, reading in zip(straightened, voting, strict=True):
            by_voter.setdefault(reading.voter, []).append(text)
        # The readings by their text. If a voter's readings differ, the one that somebody else has, too, counts.
        forms: dict[str, list[int]] = {}
        for voter, texts in sorted(by_voter.items(), key=lambda item: len(set(item[1]))):
            likely = {own} & {*texts} or forms.keys() & {*texts} or {*texts}
            if len(likely) == 1:
                (form,) = likely
                number = next(i for i, text in enumerate(straightened) if text == form and voting[i].voter == voter)
                forms.setdefault(form, []).append(number)
        if self.is_part and len({own, *forms}) > 1:
            return self._looked_at(span, voting)
        if own in forms:
            return Fate(KEPT, "another_agrees")
        two = [numbers for numbers in forms.values() if len(numbers) > 1]
        if two:
            return self._against(span, voting, max(two, key=len))
        if self._about(span) in [about_at(voting[n[0]].text, span.others[n[0]]) for n in forms.values()]:
            return Fate(KEPT, "another_agrees_but_for_looks")
        if signs.are_confirmed(own, by_voter):
            return Fate(KEPT, "each_sign_is_read")
        if pair := self._alike_against(span, voting, [numbers[0] for numbers in forms.values()]):
            return self._against(span, voting, pair)
        fate = self._looked_at(span, voting)
        if fate.outcome != UNREAD:
            return fate
        if signs.IS_NUMBER.fullmatch(own) and signs.only_lost(own, by_voter):
            return Fate(KEPT, "readers_lost_digits")
        if len(by_voter) > 1 and self._is_like_a_near_one(span, voting, straightened):
            return Fate(DRAWN, "ink_sees_no_difference")
        is_number = signs.has_digit(own) and signs.digits(own) not in map(signs.digits, straightened)  # nobody else has it
        is_chance = not is_number and self._is_chance(span, voting, range(len(voting)))
        return Fate(KEPT, "readers_often_alone") if is_chance else fate

    def _is_like_a_near_one(self, span: Span, voting: Sequence[Reading], texts: Sequence[str]) -> bool:
        """Whether the ink can't tell the label from readings that are easily confused with the label. Either all readings are
        such, or the ink sees no difference between one of them and the label. False if the ink is clearly for one of them."""
        near = [i for i, text in enumerate(texts) if signs.is_near(self._own(span), text, self.script)]
        likes_of = [likes[1] for i in near if (likes := self._likes(span, voting, [i])) is not None]
        if any(likes >= _CLEARER for likes in likes_of):
            return False
        return len(near) == len(texts) or any(abs(likes) < _CLEAR for likes in likes_of)

    def _alike_against(self, span: Span, voting: Sequence[Reading], numbers: Sequence[int]) -> list[int]:
        """Two readings of a long stretch that are much more like each other than like the label; [] if there are none."""
        own = self._about(span)
        text_of = {i: about_at(voting[i].text, span.others[i]) for i in numbers}
        for i, k in itertools.combinations(numbers, 2):
            same = Levenshtein.normalized_similarity(text_of[i], text_of[k])
            with_label = max(Levenshtein.normalized_similarity(own, text_of[n]) for n in (i, k))
            least = _LONG_CELL if self.is_cell else _LONG
            if min(len(text_of[i]), len(text_of[k])) >= least and same >= max(_SAME, with_label + _MORE):
                return [i, k]
        return []

    def _against(self, span: Span, voting: Sequence[Reading], numbers: Sequence[int]) -> Fate:
        """Decides a stretch in which two voters or more contradict the label. Their text replaces the label's unless the ink
        speaks against the text."""
        first = min(numbers, key=lambda i: (self.alone.get(voting[i].voter, 0.0), i))
        text = exactly_at(voting[first].text, span.others[first])
        if not text:
            shows = self._shows_all(lines_at(self.label, span.start, span.stop)) if self.label.lines else None
            if shows is True or not self.is_covered:
                return Fate(UNREAD, "ink_that_two_do_not_read")
            return Fate(REPLACED, "two_do_not_have_it", self._edit(span, voting[first], span.others[first]))
        own = self._own(span)
        if in_one_form(own) == in_one_form(text):
            return Fate(KEPT, "another_agrees_but_for_looks")
        likes = self._likes_of_all(span, voting, numbers)
        may_be_misread = not self.is_part and signs.is_near(own, text, self.script)
        if may_be_misread and likes is None:
            return Fate(UNREAD, "ink_cannot_tell")
        is_seldom = min(self.alone.get(voting[i].voter, 0.0) for i in numbers) < _SELDOM
        if may_be_misread and likes is not None and likes[1] < (_SEEN if is_seldom else _CLEAR):
            return Fate(DRAWN, "ink_against_two" if likes[1] < -_AGAINST_TWO else "ink_sees_no_difference")
        numbers = self._alike(span, voting, numbers, first)
        if any(exactly_at(voting[i].text, span.others[i]) != text for i in numbers):
            return self._together(span, voting, numbers, first)
        is_foreign = not signs.is_native(own, self.script) and signs.is_native(text, self.script)  # the ink says little of these
        if likes is not None and likes[1] < -_AGAINST_TWO and not is_foreign and not signs.is_far(own, text):
            return Fate(DRAWN, "ink_against_two") if likes[1] < -2 * _AGAINST_TWO else Fate(UNREAD, "ink_against_two")
        is_open = likes is None or likes[1] < _CLEAR
        is_chance = not signs.IS_NUMBER.fullmatch(text) and self._is_chance(span, voting, numbers)
        if likes is not None and likes[1] <= 0.0 and is_chance:
            return Fate(DRAWN, "ink_is_like_it")
        if is_open and is_chance:
            return Fate(UNREAD, "two_often_alone")
        why = "two_have_more" if span.start == span.stop else "two_agree_against_it"
        return Fate(REPLACED, why, self._edit(span, voting[first], span.others[first]))

    def _alike(self, span: Span, voting: Sequence[Reading], numbers: Sequence[int], first: int) -> Sequence[int]:
        """`numbers`, and, if the reading `first` is long, all readings that are much like it."""
        text_of = [about_at(reading.text, span.others[i]) for i, reading in enumerate(voting)]
        if len(text_of[first]) < _LONG:
            return numbers
        alike = [i for i, text in enumerate(text_of) if Levenshtein.normalized_similarity(text, text_of[first]) >= _SAME]
        return sorted({*numbers, *alike})

    def _together(self, span: Span, voting: Sequence[Reading], numbers: Sequence[int], first: int) -> Fate:
        """Decides a stretch in which voters say about the same, and the label something else. The reading `first` takes the
        label's part, and the others vote on it."""
        if self.is_part:
            return Fate(UNREAD, "readers_differ")
        part = part_of(voting[first].text, span.others[first])
        others = [
            Reading(voting[i].voter, voting[i].datasets, part_of(voting[i].text, span.others[i])) for i in numbers if i != first
        ]
        own = voting[first]
        among = Voting(self.ink, self.script, part, own.voter, own.datasets, others, is_part=True, alone=self.alone).decided()
        if among.outcome == UNREAD:
            return Fate(UNREAD, "two_against_it_differ")
        edit = self._edit(span, own, span.others[first])
        at = edit.text.find(part.text)
        text = edit.text[:at] + among.text + edit.text[at + len(part.text) :] if at >= 0 else among.text
        return Fate(REPLACED, "two_have_more" if span.start == span.stop else "two_agree_against_it", edit._replace(text=text))

    def _is_chance(self, span: Span, voting: Sequence[Reading], numbers: Sequence[int]) -> bool:
        """Whether a difference is a chance error. All these voters are often alone, and each reads nearly the label's words, or
        words in a foreign script."""
        own = self._about(span)
        if self.is_part or any(self.alone.get(voting[i].voter, 0.0) < OFTEN_ALONE for i in numbers):
            return False
        for i in numbers:
            place = span.others[i]
            other = about_at(voting[i].text, place)
            is_sign = max(len(own), len(other)) <= _SIGN and place[1] - place[0] == span.stop - span.start
            is_like = is_sign or Levenshtein.normalized_similarity(own, other) >= _MISREAD
            is_about = is_like and abs(len(other) - len(own)) < _LONG and signs.is_native(own, self.script)
            if not is_about and not self._is_foreign(own, other):
                return False
        return True

    def _is_foreign(self, own: str, other: str) -> bool:
        """Whether the label is in the page's script and the reading isn't: readers write the scripts that they know."""
        return bool(own) and signs.is_native(own, self.script) and not signs.is_native(other, self.script)

    def _looked_at(self, span: Span, voting: Sequence[Reading]) -> Fate:
        label = self._own(span)
        reader_of = {exactly_at(reading.text, span.others[i]): i for i, reading in reversed(list(enumerate(voting)))}
        reader_of.pop(label, None)
        numbers = [i for text, i in reader_of.items() if text] or list(reader_of.values())
        first = numbers[0]
        own, other = self._about(span), about_at(voting[first].text, span.others[first])
        if min(len(own), len(other)) == 0 and max(len(own), len(other)) >= _LONG:
            return self._long_looked_at(span, voting, first)
        if self.is_part:
            text, is_label_odd = exactly_at(voting[first].text, span.others[first]), signs.is_odd(label, self.script)
            if len(numbers) == 1 and is_label_odd != signs.is_odd(text, self.script):
                return Fate(DRAWN, "in_one_script", self._edit(span, voting[first], span.others[first]) if is_label_odd else None)
            if signs.ink_says_little(label, text):
                return Fate(UNREAD, "readers_differ")
        likes = self._likes(span, voting, numbers)
        if likes is None:
            return Fate(UNREAD, "ink_cannot_tell")
        best = max(range(1, len(likes)), key=lambda i: likes[i])
        others = [likes[i] for i in range(len(likes)) if i != best]
        is_number = bool(signs.IS_NUMBER.fullmatch(own)) and bool(signs.IS_NUMBER.fullmatch(other))
        least = 0.0
        if self.is_part or is_number:
            least = _CLEARER if self.is_part and self.alone.get(self.own, 0.0) >= OFTEN_ALONE else _CLEAR
        if likes[best] <= -least:
            is_refused = self._is_refused(label, [text for text in reader_of if text], {voting[i].voter for i in numbers})
            return Fate(UNREAD, "ink_against_all") if is_refused else Fate(DRAWN, "ink_is_like_it")
        chosen = numbers[best - 1]
        is_doubtful = self.alone.get(voting[chosen].voter, 0.0) >= OFTEN_ALONE
        place = span.others[chosen]
        is_other = place[1] - place[0] != span.stop - span.start or self._is_foreign(own, about_at(voting[chosen].text, place))
        is_refused = (is_doubtful and is_other) or self._is_contradicted(span, voting, chosen)
        if not is_refused and likes[best] - max(others) >= (_CLEARER if is_doubtful else _CLEAR):
            return Fate(DRAWN, "ink_is_like_another", self._edit(span, voting[chosen], span.others[chosen]))
        return Fate(UNREAD, "ink_takes_no_side")

    def _is_refused(self, own: str, texts: Sequence[str], voters: Set[str]) -> bool:
        """Whether the label is refused although the ink is most like it. It is refused if several voters all lack some of its
        words, or all have quite another number; if only the readings are in the page's script; or if, in a part, a reading has
        signs once that the label has twice."""
        is_other = signs.is_far if signs.IS_NUMBER.fullmatch(own) else lambda own, text: len(own) - len(text) >= _LONG
        if len(voters) > 1 and all(is_other(own, text) for text in texts):
            return True
        is_foreign = not signs.is_native(own, self.script) and all(signs.is_native(text, self.script) for text in texts)
        return is_foreign or (self.is_part and any(signs.is_doubled(own, text) for text in texts))

    def _is_contradicted(self, span: Span, voting: Sequence[Reading], chosen: int) -> bool:
        """Whether something speaks against the chosen reading. Another voter's reading is as near to the label as to the chosen
        one; the chosen one has signs twice that another text has once; or the chosen one garbles the label's number."""
        own, text = self._own(span), exactly_at(voting[chosen].text, span.others[chosen])
        if signs.IS_NUMBER.fullmatch(own) and signs.has_digit(text) and not signs.IS_NUMBER.fullmatch(text):
            return True
        rivals = [exactly_at(r.text, span.others[i]) for i, r in enumerate(voting) if r.voter != voting[chosen].voter]
        return any(signs.is_doubled(text, one) for one in (own, *rivals)) or any(
            rival and Levenshtein.distance(rival, own) <= Levenshtein.distance(rival, text) for rival in rivals
        )

    def _long_looked_at(self, span: Span, voting: Sequence[Reading], only: int) -> Fate:
        """Decides a long stretch, such as a line, that either the label or the reading `only` lacks."""
        if span.start == span.stop:
            texts = {about_at(reading.text, span.others[i]) for i, reading in enumerate(voting)} - {""}
            if len(texts) > 1 or self.alone.get(voting[only].voter, 0.0) >= OFTEN_ALONE:
                return Fate(UNREAD, "one_has_more")
            if self._shows_all(lines_at(voting[only].text, *span.others[only])):
                return Fate(DRAWN, "ink_shows_more", self._edit(span, voting[only], span.others[only]))
            return Fate(UNREAD, "one_has_more")
        shows = self._shows_all(lines_at(self.label, span.start, span.stop))
        if shows:
            return Fate(DRAWN, "ink_is_like_it")
        if shows is False and self.is_covered:
            return Fate(DRAWN, "ink_does_not_show_it", self._edit(span, voting[only], span.others[only]))
        return Fate(UNREAD, "one_does_not_have_it")

    def _likes(self, span: Span, voting: Sequence[Reading], numbers: Sequence[int]) -> list[float] | None:
        """For each of these readings, how much more the stretch's ink is like it than like the label. The first value is the
        label's own, 0. None if the ink can't be compared."""
        flattened = [flat(voting[i].text, span.others[i]) for i in numbers]
        own = flat(self.label, (span.start, span.stop))
        for i, place in [*((voting[n].text, span.others[n]) for n in numbers), (self.label, (span.start, span.stop))]:
            line = line_around(i, place)
            if line is not None:
                start, stop, of = line
                texts = [" ".join(f"{of.text[:start]}{text}{of.text[stop:]}".split()) for text in (own, *flattened)]
                if all(texts) and (likes := self.ink.likes(of, texts, self.script)) is not None:
                    return likes
        return None

    def _likes_of_all(self, span: Span, voting: Sequence[Reading], numbers: Sequence[int]) -> list[float] | None:
        """The label's 0, and how much more the ink is like these readings, which agree, than like the label. The second value is
        the mean over the lines that the readers found."""
        likes_of = [likes for i in numbers if (likes := self._likes(span, voting, [i])) is not None]
        return [0.0, sum(likes[1] for likes in likes_of) / len(likes_of)] if likes_of else None

    def _shows_all(self, lines: Sequence[tuple[int, Line]]) -> bool | None:
        shown = [self.ink.shows(line, self.script) for _, line in lines]
        return False if False in shown else None if not shown or None in shown else True

    def _edit(self, span: Span, reading: Reading, place: tuple[int, int]) -> Edit:
        """Puts the reading's words in the place of the label's. If one of the two has no words there, the edit covers all text up
        to the neighbouring words."""
        label, other = self.label, reading.text
        is_whole = span.start == span.stop or place[0] == place[1]
        start, stop = extent(label, (span.start, span.stop), is_whole)
        first, last = extent(other, place, is_whole)
        lines = tuple(line for _, line in lines_at(other, *place)) if place[0] < place[1] else ()
        text = other.text[first:last]
        if not is_whole:
            text = SPACES.sub(" " if " " in label.text else "", text) if "\n" not in label.text else text
        return Edit(start, stop, text, reading.voter, lines)

"""A page, asked about until there is an answer that can be read, or until its profile has no more tries for its fate."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import numpy

from datagen.asking import forms, profiles, sent
from datagen.asking.answers import LENGTH, REFUSED, Answer, NothingAnswers, Question, ended
from datagen.asking.client import Fault
from datagen.asking.forms import Amiss, Read
from datagen.asking.ledger import Ledger, key_of
from datagen.asking.loops import is_loop
from datagen.asking.profiles import FAILED, LABELLED, LOOP, TRUNCATED, TURNED, Profile, Try
from datagen.labels import PICTURES
from datagen.markdown import markdown
from datagen.page.boxes import area
from datagen.page.images import pixels
from datagen.record import Region, SampleError

log = logging.getLogger(__name__)

_MARGIN = 6  # pixels around a region, so that a table's frame is in the crop
_AGAIN_TEMPERATURE = 0.3  # at least, of a page that a retry asks about once more: at 0 it would hear the same
_LONG = 16_000  # characters of an answer that is looked at on a thread of its own: others wait meanwhile
_MOST_REFUSED = 12  # questions that a server may refuse that answers nothing
_MOST_AMISS = 0.5  # of the characters' area of a page's regions, for the page to be labelled all the same
_KINDS = {"table": profiles.TABLES, "equation": profiles.FORMULAS}


class Answerer(Protocol):
    """Who answers questions: servers, a model in this process, or nobody."""

    @property
    def together(self) -> int:
        """How many questions may be under way at a time."""
        ...

    async def ask(self, question: Question) -> Answer | Fault: ...

    def close(self) -> None: ...


class Page(NamedTuple):
    """What is asked about: the key of a sample, its image and (width, height); its script, ISO 15924, "" where nobody knows it;
    for a profile that asks about regions and has no layout of its own, these. `round` counts how often a retry asked before."""

    key: str
    image: bytes
    size: tuple[int, int]
    script: str = ""
    regions: tuple[Region, ...] = ()
    round: int = 0


@dataclass
class Outcome:
    """What became of a page: its fate, with a `detail` and the last `answer` where it isn't labelled, else what was `read`. The
    regions are in the pixels of the page turned anticlockwise by `quarters`. `fates` are those of all tries."""

    fate: str
    detail: str = ""
    answer: str = ""
    read: Read | None = None
    quarters: int = 0
    score: float | None = None
    fates: list[str] = field(default_factory=list)
    num_read: int = 0
    num_written: int = 0
    num_unread: int = 0


class Asker:
    """Asks `answerer` about pages in the words of `profile`, of the model called `model`, with what the `ledger` has. `upright`
    says by how many quarters to turn a page's image, (H, W, 3) RGB bytes, for it to stand upright, 0 where that isn't sure."""

    def __init__(
        self,
        profile: Profile,
        model: str,
        answerer: Answerer,
        ledger: Ledger,
        upright: Callable[[numpy.ndarray], int] = lambda image: 0,
    ):
        self.profile, self.model, self._answerer, self._ledger, self._upright = profile, model, answerer, ledger, upright
        self._under_way: dict[bytes, asyncio.Future[Answer | Fault]] = {}
        self._refused: list[tuple[Question, Answer, str]] = []  # by a server that has answered nothing yet
        self._has_answers = False
        self.ends: Counter[str] = Counter()

    async def page(self, page: Page) -> Outcome:
        """What becomes of a page. Raises what its answerer raises."""
        outcome = Outcome(FAILED)
        try:
            if self.profile.form == profiles.REGIONS:
                return await self._by_regions(page, outcome)
            return await self._whole(page, outcome)
        except SampleError as error:  # the image
            outcome.fate, outcome.detail = FAILED, str(error)
            return outcome

    async def _whole(self, page: Page, outcome: Outcome) -> Outcome:
        def question(one: Try, number: int, quarters: int) -> tuple[Question, Callable[[str], Read]]:
            kind = self.profile.kind(one)
            image = sent.page(page.image, self.profile.long_side, quarters)
            size = page.size if quarters % 2 == 0 else (page.size[1], page.size[0])

            def read(text: str) -> Read:
                found = forms.page(self.profile, text, size, self.model, kind == profiles.PLAIN)
                forms.check_script(forms.texts(found.regions) if found.regions else found.text, page.script)
                return found

            return Question.of(self.profile, self.model, kind, image, one, number), read

        return await self._tried(page, outcome, question)

    async def _by_regions(self, page: Page, outcome: Outcome) -> Outcome:
        """Each region by itself; what one of them lacks stays unread."""
        image = await asyncio.to_thread(pixels, page.image)
        regions, turns = page.regions, (0,) * len(page.regions)
        if profiles.LAYOUT in self.profile.prompts:
            found = await self._layout(page, image, outcome)
            if found is None:
                return outcome
            regions, turns = found
        if not regions:
            outcome.fate, outcome.detail = profiles.BLANK, "the layout has no region"
            return outcome
        places = [i for i, region in enumerate(regions) if region.label not in PICTURES]
        parts = await asyncio.gather(*(self._region(page, image, regions[i], turns[i]) for i in places))
        made = list(regions)
        for i, part in zip(places, parts, strict=True):
            made[i] = _with(regions[i], part)
            outcome.num_read, outcome.num_written = outcome.num_read + part.num_read, outcome.num_written + part.num_written
        outcome.fates = [fate for part in parts for fate in part.fates[:1]] or [LABELLED]
        amiss = [(i, part) for i, part in zip(places, parts, strict=True) if part.fate != LABELLED]
        lost = sum(area(regions[i].box) for i, _ in amiss)
        outcome.num_unread = len(amiss)
        if amiss and lost > _MOST_AMISS * sum(area(regions[i].box) for i in places):
            worst = max(amiss, key=lambda one: area(regions[one[0]].box))[1]
            outcome.fate, outcome.answer = worst.fate, worst.answer
            outcome.detail = f"{len(amiss)} of {len(places)} regions: {worst.detail}"
            return outcome
        outcome.fate, outcome.read, outcome.score = LABELLED, Read(markdown(made), tuple(made)), _mean_score(made)
        return outcome

    async def _layout(
        self, page: Page, image: numpy.ndarray, outcome: Outcome
    ) -> tuple[tuple[Region, ...], tuple[int, ...]] | None:
        found: list[tuple[tuple[Region, ...], tuple[int, ...]]] = []
        picture = await asyncio.to_thread(sent.squeezed, image, self.profile.layout_size)

        def question(one: Try, number: int, quarters: int) -> tuple[Question, Callable[[str], Read]]:
            def read(text: str) -> Read:
                found.append(forms.layout(text, page.size, self.model))
                return Read("")

            return Question.of(self.profile, self.model, profiles.LAYOUT, picture, one, number), read

        await self._tried(page, outcome, question)
        return found[-1] if outcome.fate == LABELLED else None

    async def _region(self, page: Page, image: numpy.ndarray, region: Region, quarters: int) -> Outcome:
        kind, (x0, y0, x1, y1) = _KINDS.get(region.label, profiles.TEXT), region.box
        cut = image[max(0, y0 - _MARGIN) : y1 + _MARGIN, max(0, x0 - _MARGIN) : x1 + _MARGIN]
        picture = await asyncio.to_thread(sent.crop, numpy.rot90(cut, quarters))

        def question(one: Try, number: int, _: int) -> tuple[Question, Callable[[str], Read]]:
            def read(text: str) -> Read:
                said, form = forms.region(kind, text)
                if form == "markdown":
                    forms.check_script(said, page.script)
                return Read(said, (replace(region, text=said, format=form),))

            return Question.of(self.profile, self.model, kind, picture, one, number), read

        return await self._tried(page, Outcome(FAILED), question)

    async def _tried(
        self, page: Page, outcome: Outcome, question: Callable[[Try, int, int], tuple[Question, Callable[[str], Read]]]
    ) -> Outcome:
        """Asks, as the profile's tries have it, until an answer can be read."""
        tries, at, quarters = self.profile.tries, 0, 0
        while True:
            one = tries[at]
            if page.round:
                one = one._replace(temperature=max(one.temperature, _AGAIN_TEMPERATURE))
            asked, read = await asyncio.to_thread(question, one, page.round * len(tries) + at, quarters)
            answer = await self._answer(asked, page.key)
            if isinstance(answer, Answer) and len(answer.text) > _LONG:
                fate, detail, turn = await asyncio.to_thread(self._fate, answer, read, outcome)
            else:
                fate, detail, turn = self._fate(answer, read, outcome)
            can_turn = not quarters and any(TURNED in later.after for later in tries[at + 1 :])
            if fate not in (LABELLED, FAILED, TURNED, profiles.REFUSED) and can_turn:
                turn = await asyncio.to_thread(lambda: self._upright(pixels(page.image)))
                fate, detail = (TURNED, f"it lies on its side, and the answer is {fate}") if turn else (fate, detail)
            outcome.fates.append(fate)
            outcome.fate, outcome.detail, outcome.quarters = fate, detail, quarters
            if fate == LABELLED:
                return outcome
            following = (later for later in range(at + 1, len(tries)) if fate in tries[later].after)
            if fate == FAILED or (at := next(following, -1)) < 0:
                return outcome
            quarters = (quarters + turn) % 4 if tries[at].turned else quarters

    def _fate(self, answer: Answer | Fault, read: Callable[[str], Read], outcome: Outcome) -> tuple[str, str, int]:
        """The fate that an answer stands for, a detail, and by how many quarters to turn the page. What was read, and what it
        cost, goes into `outcome`."""
        if isinstance(answer, Fault):
            return FAILED, f"{answer.reason}: {answer.detail}", 0
        outcome.num_read, outcome.num_written = outcome.num_read + answer.num_read, outcome.num_written + answer.num_written
        self.ends[answer.end] += 1
        text = ended(answer, self.profile)
        outcome.answer, outcome.score = text, answer.score
        if answer.end == REFUSED:
            return profiles.REFUSED, answer.detail, 0
        if is_loop(text, answer.end == LENGTH):
            return LOOP, f"it repeats itself; {len(text):,} characters", 0
        if answer.end == LENGTH:
            unit = "tokens" if answer.num_written else "characters"
            why = f": the server's {answer.detail}" if answer.detail else ""
            return TRUNCATED, f"no end after {answer.num_written or len(text):,} {unit}{why}", 0
        try:
            outcome.read = read(text)
        except Amiss as amiss:
            return amiss.fate, amiss.detail, amiss.quarters
        except Exception as error:  # an answer may hold anything, and it is in the ledger: it would end each later run, too
            log.warning("an answer can't be read: %s: %s", type(error).__name__, str(error)[:200])
            return profiles.UNPARSABLE, f"{type(error).__name__}: {str(error)[:200]}", 0
        return LABELLED, "", 0

    async def _answer(self, question: Question, page: str) -> Answer | Fault:
        """The ledger's answer, or a new one, which is in the ledger when this returns. Pages that are alike are asked about
        once."""
        key = key_of(question)
        if key in self._under_way:
            return await asyncio.shield(self._under_way[key])
        if (known := self._ledger.find(question)) is not None:
            return known
        asking = self._under_way[key] = asyncio.ensure_future(self._bought(question, page))
        asking.add_done_callback(lambda done: done.cancelled() or done.exception())  # those who waited may be gone by then
        try:
            return await asyncio.shield(asking)
        finally:
            self._under_way.pop(key, None)

    async def _bought(self, question: Question, page: str) -> Answer | Fault:
        answer = await self._answerer.ask(question)
        if isinstance(answer, Answer) and answer.end == REFUSED and not self._has_answers:
            self._refused.append((question, answer, page))
        elif isinstance(answer, Answer):
            self._has_answers = True
            await self._write_refused()
            await self._ledger.add(question, answer, page)
        return answer

    async def end(self) -> None:
        """When all pages were asked about: writes down what was refused, if the server answered others or was asked about a few
        alone. Raises `NothingAnswers` where it refused everything: then the fault is the server's."""
        if len(self._refused) > _MOST_REFUSED:
            raise NothingAnswers(
                f"{self.model}: the server refused all {len(self._refused)} questions, the last one with: "
                f"{self._refused[-1][1].detail or 'nothing'}. When it answers, the same command goes on."
            )
        await self._write_refused()

    async def stop(self) -> None:
        """Calls off what is still being asked: nobody would write it down."""
        for asking in self._under_way.values():
            asking.cancel()

    async def _write_refused(self) -> None:
        refused, self._refused = self._refused, []
        await asyncio.gather(*(self._ledger.add(*one) for one in refused))


def _with(region: Region, part: Outcome) -> Region:
    """A region with what was read of it."""
    if part.fate != LABELLED or part.read is None:
        return replace(region, text="", is_unread=True)
    (read,) = part.read.regions
    return replace(read, score=part.score, is_unread=False)


def _mean_score(regions: Sequence[Region]) -> float | None:
    """The mean score by character of regions that were read, None where one has none."""
    read = [(region.score, len(region.text)) for region in regions if region.text]
    if not read or any(score is None for score, _ in read):
        return None
    return round(sum(float(score or 0.0) * chars for score, chars in read) / sum(chars for _, chars in read), 3)

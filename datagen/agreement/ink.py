"""Compare candidate texts with the page's ink. Each is drawn, word by word, in the typeface that is most like the ink."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy
from rapidfuzz.distance import Levenshtein

from datagen.coarse.verdict import ink_shapes
from datagen.coarse.verdict.ink_fonts import Cut, cut_out
from datagen.coarse.verdict.ink_lines import comparable
from datagen.drawing.typefaces import draws, reference_faces
from datagen.fine.verdict.line_witness import Faces
from datagen.page.images import pixels
from datagen.page.paper import inked, paper_gray
from datagen.record import Box, Line, Sample

_LIKE = 0.35  # the least likeness of ink to the text that it shows
_MORE = 0.15  # by so much more is that likeness than the likeness to a cipher of the text
_INKED = 0.004  # of a box's pixels: a box with ink has more
_NEAR, _TOO_MUCH = 0.8, 0.75  # two texts so similar differ by no more in likeness, unless a word was cut in the wrong place
_LONGEST = 90  # characters: longer texts aren't compared as one shape
_REACH = 0.35  # of a line's height: signs that a line's box cuts off lie so near
_RULE = 0.9  # of a line's height: ink beside the box that is so high is a table's rule


@dataclass
class PageInk:
    """A page's gray bytes, which are decoded on first use, and its typefaces."""

    page: Sample
    faces: Faces = field(default_factory=Faces)

    @cached_property
    def gray(self) -> numpy.ndarray:
        """(H, W) bytes. Raises `SampleError` where the image can't be read."""
        return numpy.asarray(pixels(self.page.image or b"", "L"))

    def likes(self, line: Line, candidates: Sequence[str], script: str) -> list[float] | None:
        """For each candidate, how much more the line's ink is like it than like the first candidate, in correlation. Each
        candidate is a text of the whole line. None where the ink can't tell."""
        cut = self._cut(replace(line, text=candidates[0]))
        face = self.faces.of(cut, script) if cut else ""
        if cut is None or not face:
            return None
        likes = [_preference(cut, other, script, face) for other in candidates[1:]]
        return [0.0, *(like for like in likes if like is not None)] if None not in likes else None

    def shows(self, line: Line, script: str) -> bool | None:
        """Whether the line's ink shows its text: the ink is like the text, and far less like a cipher of the text. None where no
        typeface of this machine can tell, or the text is too short."""
        if not self.has_ink(line.box):
            return False
        cut = self._cut(line)
        if cut is None:
            return None
        words = [ink for image, text in cut.parts(script) if (ink := ink_shapes.ink(image, text)) is not None]
        if not words:
            return None
        compared = ink_shapes.lineup(words, script, alike_share=0.8)
        if compared.num_words < 2:
            return None
        _, alike = ink_shapes.best_face(words, script)
        likeness = float(numpy.median(list(alike.values()))) if alike else 0.0
        if compared.margin >= _MORE and likeness >= _LIKE:
            return True
        return False if compared.margin < _MORE / 3 else None

    def has_ink(self, box: Box) -> bool:
        ink = self._inked(box)
        return ink.size > 0 and float(ink.mean()) > _INKED

    @cached_property
    def paper(self) -> int:
        """The gray of the page's paper."""
        return paper_gray(self.gray[::4, ::4])

    def _inked(self, box: Sequence[int]) -> numpy.ndarray:
        return inked(self.gray[box[1] : box[3], box[0] : box[2]], paper=self.paper)

    def _with_cut_signs(self, box: Box) -> Box:
        """A line's box with the feet and marks that it cuts off, and with a sign just beyond each end. Without these signs the
        ink would favour a reader that lost them with the box."""
        height, width = self.gray.shape
        reach = round(_REACH * (box.y1 - box.y0))
        x0, y0, x1, y1 = max(0, box.x0 - reach), max(0, box.y0 - reach), min(width, box.x1 + reach), min(height, box.y1 + reach)
        rows = self._inked((box.x0, y0, box.x1, y1)).max(axis=1)
        above, below = _to_a_gap(rows[: box.y0 - y0 + 1][::-1]), _to_a_gap(rows[box.y1 - y0 - 1 :])
        columns = self._inked((x0, box.y0, x1, box.y1))
        before, behind = _beside(columns[:, : box.x0 - x0][:, ::-1]), _beside(columns[:, box.x1 - x0 :])
        return Box(box.x0 - before, box.y0 - above, box.x1 + behind, box.y1 + below)

    def _cut(self, line: Line) -> Cut | None:
        x0, y0, x1, y1 = line.box
        height, width = self.gray.shape
        box = Box(max(0, x0), max(0, y0), min(width, x1), min(height, y1))
        if not line.polygon and line.direction != "ttb":
            box = self._with_cut_signs(box)
        if box.x1 - box.x0 < 4 or box.y1 - box.y0 < 4 or not comparable(replace(line, box=box)):
            return None
        return cut_out(self.gray, replace(line, box=box), self.page.lang)


def _to_a_gap(rows: numpy.ndarray) -> int:
    """The number of rows by which ink goes on beyond a box; 0 where the ink doesn't end within `rows`. The first row is the box's
    last."""
    blank = numpy.flatnonzero(~rows)
    return max(0, int(blank[0]) - 1) if len(blank) else 0


def _beside(columns: numpy.ndarray) -> int:
    """The number of columns up to the far end of a sign beside a box. The nearest column comes first. 0 where there is no sign,
    where the sign doesn't end within `columns`, and for a rule."""
    of_ink = numpy.flatnonzero(columns.any(axis=0))
    is_rule = columns.size > 0 and float(columns.mean(axis=0).max()) > _RULE
    return int(of_ink[-1]) + 1 if len(of_ink) and of_ink[-1] < columns.shape[1] - 1 and not is_rule else 0


def _preference(cut: Cut, other: str, script: str, face: str) -> float | None:
    """How much more the ink is like `other` than like the line's text, over the words that differ. If one of the two has more
    words, over the whole line. None where the two can't be compared, or where no typeface draws both."""
    ours = cut.line.text
    able = next((name for name in (face, *reference_faces(script)) if draws(name, ours + other)), "")
    if not able or ours.strip() == other.strip() or not other.strip():
        return None
    pairs = [(word, read.strip()) for word, read in cut.readings(other, script)]
    differing = [(word, read) for word, read in pairs if word.text.strip() != read]
    if len(ours.split()) == len(other.split()) and differing and all(word.text.strip() and read for word, read in differing):
        likes = float(numpy.mean([ink_shapes.preference(word, read, able) for word, read in differing]))
        is_near = Levenshtein.normalized_similarity(ours, other) > _NEAR
        return None if is_near and abs(likes) > _TOO_MUCH else likes
    if max(len(ours), len(other)) > _LONGEST or cut.line.direction == "rtl":
        return None
    whole = ink_shapes.ink(cut.crop, ours)
    return ink_shapes.preference(whole, other, able) if whole is not None else None

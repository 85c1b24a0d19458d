"""GOT-OCR2.0 (arXiv 2409.01704) as a reader of regions: paragraphs, with their formulas as LaTeX (`inline`) or without, formulas
as LaTeX, tables as HTML. On a GPU where there is
one.

Asked for formatted text, GOT writes a table as LaTeX's `tabular`, which becomes HTML here. A table that isn't one whole `tabular`
is not read.
"""

import functools
from collections.abc import Sequence

import numpy

from datagen.asking.answers import mean_probability
from datagen.engines import got_ocr, pretrained, token_reader
from datagen.markdown import bare_latex
from datagen.record import Line
from datagen.tables.cells import to_html
from datagen.tables.tabular import to_table
from datagen.writing.join_lines import joined
from datagen.writing.line_text import normalise

FORMATS = {"text": "markdown", "inline": "markdown", "formulas": "latex", "tables": "html"}
"""What the readings of each kind of region are."""


class GotRegions(pretrained.Network):
    """Reads regions of a `kind`: text, inline, formulas or tables, with the network `model`, a folder or a hub's name, at a hub's
    `revision`. An answer of over `max_tokens` tokens isn't taken. Raises `ValueError` for another kind, and at the first region
    if there is no such network."""

    def __init__(
        self,
        kind: str = "text",
        model: str = "stepfun-ai/GOT-OCR-2.0-hf",
        max_tokens: int = 2048,
        device: str = "",
        precision: str = "",
        revision: str = "main",
    ):
        if kind not in FORMATS:
            raise ValueError(f"got reads no {kind!r}: allowed are {', '.join(FORMATS)}")
        self.kind, self.model, self.max_tokens = kind, model, max_tokens
        self.device, self.precision, self.revision = device, precision, revision
        self.format = FORMATS[kind]
        self.reasons: tuple[str, ...] = ()

    def versions(self) -> dict[str, str]:
        return token_reader.package_versions(got_ocr.PACKAGES) | pretrained.version(f"got {self.kind}", self.model, self.revision)

    def read(
        self, crops: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]] = (), lang: str = "und"
    ) -> list[tuple[str, float]]:
        """The text of each crop, (H, W, 3) RGB bytes, and the mean probability of its tokens; "" for an answer that came to no
        end, or holds no table where one is asked for."""
        answers = pretrained.in_parts(self._read, crops)
        self.reasons = tuple(reason for _, reason in answers)
        return [reading for reading, _ in answers]

    @functools.cached_property
    def _network(self) -> got_ocr.Network:
        device = pretrained.device_of(self.device)
        return got_ocr.opened(self.model, pretrained.dtype_of(self.precision, device), device, self.revision)

    def _read(self, crops: Sequence[numpy.ndarray]) -> list[tuple[tuple[str, float], str]]:
        """The reading of each crop, and why there is none."""
        answers = []
        for text, logp, is_whole in got_ocr.written(self._network, crops, self.max_tokens, self.kind != "text"):
            text, reason = self._converted(text) if is_whole else ("", "no_end")
            answers.append(((text, mean_probability(logp) if text else 0.0), reason))
        return answers

    def _converted(self, text: str) -> tuple[str, str]:
        """The text of this kind, or why there is none."""
        if self.kind == "tables":
            try:
                return to_html(to_table(text)), ""
            except ValueError:
                return "", "no_table"
        if self.kind == "formulas":
            text = bare_latex(text)
        else:
            text = joined([normalise(line) for line in text.split("\n") if line.strip()])
        return text, "" if text else "empty_answer"

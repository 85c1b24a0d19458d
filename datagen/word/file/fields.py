"""Fields of Word: instructions, results, and the results that LibreOffice makes anew."""

import re
from dataclasses import dataclass

_WORD = re.compile(r"\s*([A-Za-z=]+)")
# The results of these stay as in the file. Those of all others (PAGE, CREATEDATE, SEQ, …) may be made anew.
_AS_WRITTEN = frozenset(
    "HYPERLINK TOC INDEX TOA RD TC XE TA ADDIN CITATION BIBLIOGRAPHY QUOTE INCLUDETEXT INCLUDEPICTURE EMBED LINK SHAPE BARCODE "
    "MERGEBARCODE DISPLAYBARCODE CONTROL HTMLCONTROL PRIVATE FORMTEXT".split()
)
_HOLDERS = frozenset({"TOC", "INDEX", "TOA", "BIBLIOGRAPHY", "HYPERLINK", "FORMTEXT"})


@dataclass
class Field:
    """An open field."""

    instruction: str = ""
    is_result: bool = False
    has_text: bool = False
    """Whether the result in the file has letters."""
    mark: int = 0
    """The mark of the last piece of the result, if the result is made anew."""

    @property
    def is_generated(self) -> bool:
        """Whether the result may be made anew."""
        return bool(self._kind) and self._kind not in _AS_WRITTEN

    @property
    def only_holds(self) -> bool:
        """Whether the field only makes an index, a link or a form field of its text, which stays the same without the field."""
        return self._kind in _HOLDERS

    @property
    def _kind(self) -> str:
        word = _WORD.match(self.instruction)
        return word[1].upper() if word else ""


class Fields:
    """The open fields of a story. A story is the text of the body, of a note, or of a text box."""

    def __init__(self) -> None:
        self._open: list[Field] = []

    @property
    def shows(self) -> bool:
        """Whether the text that follows is shown: it is in no instruction."""
        return all(field.is_result for field in self._open)

    @property
    def generated(self) -> Field | None:
        """The outermost open field that is made anew and whose instruction is over."""
        return next((field for field in self._open if field.is_result and field.is_generated), None)

    def begin(self) -> None:
        self._open.append(Field())

    def instruct(self, text: str) -> None:
        if self._open and not self._open[-1].is_result:
            self._open[-1].instruction += text

    def separate(self) -> None:
        if self._open:
            self._open[-1].is_result = True

    def show(self, text: str) -> None:
        """Count `text` as part of the open fields' results."""
        for field in self._open:
            field.has_text |= field.is_result and bool(text.strip())

    def end(self) -> Field | None:
        """End the innermost field, and return it."""
        return self._open.pop() if self._open else None

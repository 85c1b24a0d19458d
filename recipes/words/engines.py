"""The engines of a recipe that annotates pages, from its word `engines`; `recipes/words/engine_words.py` has the word itself."""

from dataclasses import dataclass, replace
from typing import Any

from datagen.engines import Choice
from recipes.words import engine_words
from recipes.words.engine_words import Asked

_TOGETHER = 8


@dataclass(frozen=True)
class PageEngines:
    """The engine of each job on a page. `pages` reads whole pages: with it no other engine is used. Without `text` a region's
    text is that of its lines; without `tables` or `formulas` these stay unread."""

    layout: Choice
    equations: Choice | None
    detector: Choice
    lines: Choice
    text: Choice | None
    tables: Choice | None
    formulas: Choice | None
    orientation: Choice | None
    unwarping: Choice | None
    pages: Choice | None = None

    @property
    def inline(self) -> Choice | None:
        """The reader of paragraphs with formulas: the engine for text. GOT must be asked for LaTeX; others write it anyway."""
        if self.text is None or self.text.name != "got":
            return self.text
        return Choice.of("got", **dict(self.text.settings) | {"kind": "inline"})

    @property
    def batch_size(self) -> int:
        """The number of pages in a batch: several pay on a GPU, elsewhere they only take memory."""
        return _TOGETHER if self.layout.name == "pp-doclayout" else 1


EMBEDDED = PageEngines(
    layout=Choice("pymupdf-layout"),
    equations=Choice.of("cdla", classes=("equation",)),
    detector=Choice("ppocr-detector"),
    lines=Choice("ppocr"),
    text=None,
    tables=Choice("tables"),
    formulas=None,
    orientation=Choice("page-orientation"),
    unwarping=Choice("page-unwarping"),
)
PAPER = replace(
    EMBEDDED,
    layout=Choice("pp-doclayout"),
    equations=None,
    text=Choice.of("got", kind="text"),
    tables=Choice.of("got", kind="tables"),
    formulas=Choice.of("got", kind="formulas"),
)
_BASES = {"embedded": EMBEDDED, "paper": PAPER}
_OF_KINDS = ("got", "server")
"""Engines that read several kinds, and have the kind as a setting."""


def of_word(engines: str) -> PageEngines:
    """The engines of the word; "" is `embedded`. A layout that finds equations itself needs no other engine, unless the word has
    one for `equations`. Raises `ValueError`, one sentence with the allowed values."""
    try:
        base, asked = engine_words.parse(engines or engine_words.BASES[0])
    except ValueError as error:
        raise ValueError(f"engines={engines}: {error}") from None
    name, _, option = base.partition("?")
    chosen = _on_device(_BASES[name], option.removeprefix("device=")) if option else _BASES[name]
    if any(one.kind == "layout" and one.name == "pp-doclayout" for one in asked):
        chosen = replace(chosen, equations=None)
    choices: dict[str, Any] = {one.kind: _choice(one) for one in asked}
    return replace(chosen, **choices)


def _on_device(base: PageEngines, device: str) -> PageEngines:
    """`base` with its engines on this device, if they have that setting."""
    moved = {}
    for kind, engines in engine_words.KINDS.items():
        choice: Choice | None = getattr(base, kind)
        if choice and "device" in engines[choice.name].settings:
            moved[kind] = Choice.of(choice.name, **dict(choice.settings), device=device)
    return replace(base, **moved)


def _choice(asked: Asked) -> Choice | None:
    if not asked.name:
        return None
    settings = dict(asked.settings)
    if asked.name in _OF_KINDS:
        settings["kind"] = asked.kind
    if asked.kind == "equations":
        settings["classes"] = ("equation",)
    return Choice.of(asked.name, **settings)

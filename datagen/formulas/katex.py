"""KaTeX, which says whether a formula's LaTeX parses, and makes MathML of it. It runs in QuickJS, in this process.

V8 would be as fast and asks for a terabyte of addresses, which the sandbox's cap on memory doesn't give.
"""

import functools
import threading
from typing import Any

import quickjs

from datagen.engines import wheels

_PACKAGE, _PATH = "sphinxcontrib.katex", "katex.min.js"
_MAX_CHARS = 20_000
_MEMORY_BYTES, _STACK_BYTES = 256 << 20, 1 << 20
_SECONDS = 10  # of the processor, for one formula
_RENDER = """(latex) => {
    try {
        const options = {output: "mathml", displayMode: true, throwOnError: true, strict: "ignore", maxExpand: 1000};
        return katex.renderToString(latex, options);
    } catch (error) {
        return "! " + error.message;
    }
}"""
_lock = threading.Lock()


def version() -> str:
    """What decides what parses, for a record's engines."""
    return wheels.sha256(_PACKAGE, _PATH)[:12]


def mathml(latex: str) -> str:
    """The formula as a displayed one, as <math>, which browsers draw. Raises `ValueError`, with KaTeX's message, if it doesn't
    parse."""
    if len(latex) > _MAX_CHARS:
        raise ValueError(f"a formula of {len(latex)} characters: allowed are {_MAX_CHARS}")
    with _lock:
        try:
            html: str = _katex()(latex)
        except quickjs.JSException as error:  # it ran out of time or of memory
            raise ValueError(f"KaTeX: {error}") from None
    if html.startswith("! "):
        raise ValueError(html.removeprefix("! "))
    start, end = html.find("<math"), html.rfind("</math>")
    return html[start : end + len("</math>")]


@functools.cache
def _katex() -> Any:
    context = quickjs.Context()
    context.set_memory_limit(_MEMORY_BYTES)
    context.set_max_stack_size(_STACK_BYTES)
    context.eval(wheels.weights(_PACKAGE, _PATH).read_text(encoding="utf-8"))
    context.set_time_limit(_SECONDS)
    return context.eval(_RENDER)

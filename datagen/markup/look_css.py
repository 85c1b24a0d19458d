"""What a browser gets of a look: the markup around a document, and the stylesheet."""

import base64
import functools
import re
from html import escape
from pathlib import Path

from datagen.drawing import typefaces
from datagen.markup.look import Look

FIT = """() => {
  const columns = document.querySelector("#flow > .columns")
  const canSpan = (box) => box === columns || getComputedStyle(box).display === "block" && canSpan(box.parentElement)
  const isWide = (box) => {
    const own = getComputedStyle(box), isSpanning = own.columnSpan === "all" && canSpan(box.parentElement)
    const around = getComputedStyle(isSpanning ? columns : box.parentElement)
    const [count, gap] = isSpanning ? [1, 0] : [around.columnCount, around.columnGap].map((value) => parseFloat(value) || 0)
    const room = (parseFloat(around.inlineSize) + gap) / Math.max(1, count) - gap
    return [...box.getClientRects()].some((part) => (own.writingMode === "horizontal-tb" ? part.width : part.height) > room + 1)
  }
  const boxes = [...columns.querySelectorAll("table, math")]
  for (const box of boxes)
    for (let step = canSpan(box.parentElement) ? 1 : 2; step <= 4 && isWide(box); step++) {
      if (step > 2) box.classList.remove(`fit-${step - 1}`)
      box.classList.add(`fit-${step}`)
    }
  return boxes.filter(isWide).length
}"""
"""JavaScript for tables and formulas that are wider than their column: it has them span all columns, and makes them smaller.

To be run once, before measuring. It returns how many are too wide all the same."""

_SUFFIXES = {"dot": ("", ". "), "paren": ("", ") "), "brackets": ("(", ") ")}
_HAN = {"Jpan": "JP", "Kore": "KR", "Hant": "TC"}


def page_html(look: Look, html: str, document_css: str = "", notes: float = 0) -> str:
    """The whole document for a browser: the inside of a <body> in the look, with the document's own CSS, which the look beats.

    Text is in `#flow > .columns`. Boxes of `Look.boxes` are to be put at the end of the <body>, with their CSS class.
    `notes`: what each page keeps for footnotes, as in `Look.text_box`.
    """
    words = " ".join(f'data-{_dashed(name)}="{escape(str(value))}"' for name, value in look.values().items())
    return (
        f'<!doctype html><html {words}><head><meta charset="utf-8"><style>{css(look, document_css, notes)}</style></head><body>'
        f'<div id="flow"><div class="columns" lang="{escape(look.lang)}" dir="{look.direction}">{html}</div></div></body></html>'
    )


def css(look: Look, document_css: str = "", notes: float = 0) -> str:
    """The stylesheet of a look, for `page_html`, with the document's CSS in a layer below, without its `!important`."""
    box = look.text_box(notes)
    inline, gap = (box.height, look.height - box.height) if look.is_vertical else (box.width, look.width - box.width)
    prefix, suffix = _SUFFIXES[look.list_suffix]
    of_look = look.values()
    values = {name: str(value) for name, value in of_look.items() if isinstance(value, int | float)} | {
        **{
            name: _stack(look.script, getattr(look, name), *([look.body] if name != "body" else ()))
            for name in ("body", "heading", "code")
        },
        **{name: str(of_look[name]) for name in ("ink", "paper", "accent", "tint", "heading_slant")},
        **{"gap": f"{look.gap}em", "indent": f"{look.indent}em", "rule-ink": f"color-mix(in srgb, {look.ink} 55%, {look.paper})"},
        "image": f"{(box.width if look.is_vertical else box.height) * 0.45:.0f}px",
    }
    variables = "; ".join(f"--look-{_dashed(name)}: {value}" for name, value in values.items())
    columns = f"column-count: {look.columns}; column-gap: {look.column_gap}px; " if look.columns > 1 else ""
    return (
        f"@layer guard, document, common;\n{_layered(document_css)}{_common()}\n:root {{ {variables} }}\n"
        f'@counter-style look-numbers {{ system: extends {look.list_style}; prefix: "{prefix}"; suffix: "{suffix}" }}\n'
        f"#flow {{ left: {box.left}px; top: {box.top}px; width: {box.width}px; height: {box.height}px; "
        f"writing-mode: {look.writing}; column-width: {inline}px; column-gap: {gap}px }}\n"
        f"#flow > .columns {{ {columns}direction: {look.direction} }}\n"
        f".page-notes {{ writing-mode: {look.writing}; direction: {look.direction} }}\n"
    )


def _layered(document_css: str) -> str:
    """The document's CSS as a file of its own, whose open and stray brackets end with it."""
    if not document_css:
        return ""
    unimportant = re.sub(r"!\s*important", "", document_css, flags=re.IGNORECASE)
    return f'@import url("data:text/css;base64,{base64.b64encode(unimportant.encode()).decode()}") layer(document);\n'


@functools.cache
def _common() -> str:
    return Path(__file__).with_name("look.css").read_text(encoding="utf-8")


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _stack(script: str, *families: str) -> str:
    """A font-family with what draws the characters that these lack."""
    region = _HAN.get(script, "SC")
    others = ("Noto Serif", "Noto Sans", f"Noto Serif CJK {region}", f"Noto Sans CJK {region}", "DejaVu Sans")
    return ", ".join(f'"{name}"' for name in dict.fromkeys((*families, *others)) if name in typefaces.installed())

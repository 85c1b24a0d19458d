"""The record's labels for the classes of layout engines: one table for all engines.

A class that isn't in its engine's table raises `ValueError`. So a new class of an engine isn't dropped silently.
"""

import re
from collections.abc import Mapping

from datagen.record import LABELS

_PAGE_NUMBER = re.compile(
    r"(?:[-–—~•|\[(]\s*)?(?:(?i:page|pg?\.|seite|pagina|página|pág\.|стр\.|страница|страна|стор\.|сторінка|sivu|sida|side|strona|trang|"
    r"sayfa|str\.|strana|stránka|stran|stranica|puslapis|lpp\.|lk|halaman|oldal|σελίδα|σελ\.|第|الصفحة|صفحة|صفحه|עמוד|หน้า|էջ|გვერდი)\s?)?"
    r"(?:\d{1,4}|[ivxlcdm]{1,8}|[IVXLCDM]{1,8})"
    r"(?:\s?(?:[/|¦]|of|von|van|sur|de|di|da|av|af|od|ze?|iš|no|dari|trên|από|din|из|із|з|от|од|از|من|מתוך)\s?\d{1,4})?"
    r"(?:\s?\(\d{1,4}\))?\s?(?:[页頁]|ページ|페이지|쪽)?"
    r"(?:\s*[-–—~•|\])])?"
)

_SPACED_OUT = re.compile(r"(?<=\b[^\W\d_]) (?=[^\W\d_]\b)")  # letters

PYMUPDF = {
    "text": "text",
    "title": "title",
    "section-header": "sub_title",
    "picture": "image",
    "table": "table",
    "list-item": "list",
    "page-header": "header",
    "page-footer": "footer",
    "footnote": "footnote",
    "caption": "image_caption",
    "formula": "equation",
}
CDLA = {
    "text": "text",
    "title": "sub_title",
    "figure": "image",
    "figure_caption": "image_caption",
    "table": "table",
    "table_caption": "table_caption",
    "header": "header",
    "footer": "footer",
    "reference": "reference",
    "equation": "equation",
}
OMNIDOCBENCH = {
    "title": "title",  # of any level
    "text_block": "text",
    "list_group": "list",
    "figure": "image",
    "figure_caption": "image_caption",
    "figure_footnote": "image_caption",
    "table": "table",
    "table_caption": "table_caption",
    "table_footnote": "table_footnote",
    "equation_isolated": "equation",
    "equation_caption": "text",  # the number beside an equation
    "equation_explanation": "text",
    "code_txt": "code",
    "code_txt_caption": "image_caption",
    "code_algorithm": "code",
    "code_algorithm_caption": "image_caption",
    "reference": "reference",
    "header": "header",
    "footer": "footer",
    "page_number": "page_number",
    "page_footnote": "footnote",
}
PP_DOCLAYOUT = {  # of the versions V2, V3 and V4
    "abstract": "text",
    "algorithm": "code",
    "aside_text": "text",
    "chart": "chart",
    "content": "toc",
    "display_formula": "equation",
    "doc_title": "title",
    "figure_title": "image_caption",  # also tables' captions: `datagen.engines.pp_doclayout` tells them apart by what is near
    "footer": "footer",
    "footer_image": "footer",
    "footnote": "footnote",
    "formula": "equation",
    "formula_number": "text",
    "header": "header",
    "header_image": "header",
    "image": "image",
    "inline_formula": "equation",
    "number": "page_number",
    "paragraph_title": "sub_title",
    "reference": "reference",
    "reference_content": "reference",
    "seal": "seal",
    "table": "table",
    "text": "text",
    "vertical_text": "text",
    "vision_footnote": "table_footnote",
}
MINERU = {  # types of blocks in middle.json, of the pipeline's and of the VLM's
    "abstract": "text",
    "algorithm": "code",
    "aside_text": "text",
    "caption": "image_caption",
    "chart": "chart",
    "chart_body": "chart",
    "chart_caption": "image_caption",
    "chart_footnote": "image_caption",
    "code": "code",
    "code_body": "code",
    "code_caption": "image_caption",
    "code_footnote": "text",
    "discarded": "header",  # old versions' class for headers, footers and page numbers
    "doc_title": "title",
    "equation": "equation",
    "footer": "footer",
    "footer_image": "footer",
    "footnote": "footnote",
    "formula_number": "text",
    "header": "header",
    "header_image": "header",
    "image": "image",
    "image_body": "image",
    "image_caption": "image_caption",
    "image_footnote": "image_caption",
    "index": "toc",
    "interline_equation": "equation",
    "list": "list",
    "page_footnote": "footnote",
    "page_number": "page_number",
    "paragraph_title": "sub_title",
    "phonetic": "text",
    "ref_text": "reference",
    "seal": "seal",
    "table": "table",
    "table_body": "table",
    "table_caption": "table_caption",
    "table_footnote": "table_footnote",
    "text": "text",
    "title": "sub_title",
    "vertical_text": "text",
}
OF_ENGINE: Mapping[str, Mapping[str, str]] = {
    "pymupdf-layout": PYMUPDF,
    "cdla": CDLA,
    "omnidocbench": OMNIDOCBENCH,
    "pp-doclayout": PP_DOCLAYOUT,
    "mineru": MINERU,
    "deepseek-ocr": {label: label for label in LABELS},  # also of networks that learned from this project's labels
}
"""The record's label of each class, by the name of the engine or benchmark."""

PLAIN = frozenset({"", "pymupdf", "ppocr", "ppocr-detector", "typeset"})
"""The `by` of regions whose labels mean nothing: text layers, line detectors, typeset lines, and "". Any other engine, also an
unknown one, tells labels. A page with regions of such an engine is a fine page."""

RUNNING = frozenset({"header", "footer", "page_number"})
"""Labels of running headers, footers and page numbers. They are regions, and no part of the page's text."""

HEADINGS = frozenset({"title", "sub_title"})
TEXTS = frozenset({"text", "list"})
"""Labels of running text."""

PICTURES = frozenset({"image", "chart", "seal", "molecule", "geometry"})
"""Labels of pictures. A page's answer has their boxes, and no text that is written in them."""

OBJECT, PHRASE = "image", "image_caption"
"""Labels in a sample of the task caption. An `OBJECT` region is an object, and its text is the object's name, as `person`. A
`PHRASE` region is a place, and its text is a person's phrase about this place, as `the man on the left`."""


def is_page_number(text: str) -> bool:
    """Whether the text is only a page number, in any script's digits or in Roman numerals: - xii -, Page 3 of 7, P a g e 3."""
    return bool(_PAGE_NUMBER.fullmatch(_SPACED_OUT.sub("", text.strip())))


def label_of(engine: str, name: str) -> str:
    """The record's label of the class that `engine` calls `name`. Raises `ValueError` if the table has none."""
    try:
        return OF_ENGINE[engine][name]
    except KeyError:
        raise ValueError(f"{engine} has a class {name!r}, for which datagen/labels.py has no label") from None

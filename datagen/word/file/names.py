"""Names of WordprocessingML's elements and attributes, and readers of their values."""

import re

from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
V = "{urn:schemas-microsoft-com:vml}"
O = "{urn:schemas-microsoft-com:office:office}"  # noqa: E741 as everybody calls it
W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"

VAL = W + "val"
FALSE = frozenset(("0", "false", "off"))
_CODE = re.compile("[0-9A-Fa-f]{1,4}")
_SURROGATES = range(0xD800, 0xE000)


def is_on(properties: etree._Element | None, name: str) -> bool | None:
    """Whether a switch in `properties` is on; None if it isn't there."""
    switch = properties.find(W + name) if properties is not None else None
    return None if switch is None else is_switched_on(switch)


def is_switched_on(switch: etree._Element) -> bool:
    return switch.get(VAL, "true") not in FALSE


def value(properties: etree._Element | None, name: str) -> str | None:
    """The value of an element in `properties`; None if it isn't there."""
    element = properties.find(W + name) if properties is not None else None
    return None if element is None else element.get(VAL)


def number(text: str | None, otherwise: int = 0) -> int:
    try:
        return int(text or "")
    except ValueError:
        return otherwise


def sign_code(sign: etree._Element) -> int | None:
    """The code of a sign of a symbol font (w:sym); None if it has no valid one."""
    text = sign.get(W + "char", "")
    code = int(text, 16) if _CODE.fullmatch(text) else 0
    return code if code and code not in _SURROGATES else None


FALLBACK = "OpenSymbol"
"""The font in which LibreOffice draws private characters that the text's own font lacks."""

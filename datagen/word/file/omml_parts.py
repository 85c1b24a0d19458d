"""Elements of formulas (OMML): reading their properties, and making new ones."""

from lxml import etree

from datagen.word.file.names import FALSE, M


def look(element: etree._Element, name: str, usual: str = "") -> str:
    """The value of `name` in an element's properties, else `usual`."""
    stated = element.find(f"{element.tag}Pr/{M}{name}")
    return usual if stated is None else stated.get(M + "val", "")


def is_on(element: etree._Element, name: str) -> bool:
    """Whether an element's properties switch `name` on."""
    switch = element.find(f"{element.tag}Pr/{M}{name}")
    return switch is not None and switch.get(M + "val", "1") not in FALSE


def made(name: str, *children: etree._Element) -> etree._Element:
    element = etree.Element(M + name)
    element.extend(children)
    return element


def run(text: str, is_text: bool = False) -> etree._Element:
    """A new run, of text or of mathematics."""
    inside = made("t")
    inside.text = text
    return made("r", made("rPr", made("nor")), inside) if is_text else made("r", inside)

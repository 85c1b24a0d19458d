"""Content of runs other than text: pictures, charts, shapes with text in them, objects of other programs."""

from collections.abc import Iterator

from lxml import etree

from datagen.word.file.document import Picture
from datagen.word.file.names import A, O, V, W

DRAWN = (W + "drawing", W + "pict", W + "object")
_EQUATIONS = ("Equation.", "MathType", "DSMT", "EquationDSMT", "MathCAD")
_HOLDS_IMAGE = (A + "blip", V + "imagedata")
_TEXT_BOX = W + "txbxContent"


def text_boxes(element: etree._Element) -> Iterator[etree._Element]:
    """The text boxes in a drawing, without nested ones."""
    for child in element:
        if child.tag == _TEXT_BOX:
            yield child
        else:
            yield from text_boxes(child)


def picture(element: etree._Element) -> Picture | None:
    """The drawing's visible content beside the text of text boxes; None if there is none."""
    if element.tag == W + "object":
        program = next((ole.get("ProgID") or "" for ole in element.iter(O + "OLEObject")), "")
        if program.startswith(_EQUATIONS):
            return Picture("equation")
        return Picture("chart" if "Chart" in program else "object")
    if element.tag == W + "pict":
        return Picture("picture") if _is_seen_in_vml(element) else None
    if any(properties.get("hidden") in ("1", "true") for properties in element.iter("{*}docPr")):
        return None
    kind = next((graphic.get("uri", "") for graphic in element.iter(A + "graphicData")), "")
    if "chart" in kind.rpartition("/drawing/")[2]:
        return Picture("chart")
    return Picture("picture") if _has_image(element) or not _has_text(element) else None


def _has_image(element: etree._Element) -> bool:
    return any(_inside_text_box(image, element) is False for image in element.iter(*_HOLDS_IMAGE))


def _inside_text_box(image: etree._Element, drawing: etree._Element) -> bool:
    for holder in image.iterancestors():
        if holder is drawing:
            return False
        if holder.tag == _TEXT_BOX:
            return True
    return False


def _has_text(element: etree._Element) -> bool:
    return any(text.text for text in element.iter(W + "t"))


def _is_seen_in_vml(element: etree._Element) -> bool:
    shapes = [shape for shape in element.iterchildren(V + "*") if shape.tag != V + "shapetype"]
    shapes = [shape for shape in shapes if shape.get(O + "hr") is None]  # a rule across the page
    return bool(shapes) and (_has_image(element) or not _has_text(element))

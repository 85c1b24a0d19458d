"""The XML within a Word file, parsed without entities, document types, comments, or the network."""

from lxml import etree

from datagen.record import SampleError

_OF_WRAPPERS = ("smartTagPr", "customXmlPr")
MAX_XML_BYTES = 64 << 20
"""The most bytes of one XML part; a tree takes about ten times as many."""


def parsed(xml: bytes, name: str) -> etree._Element:
    """The root of a part; errors have its `name`. Raises `SampleError`: `too_big`; `entities` for a part that declares or uses
    entities of its own, which no Word file does; and `broken_xml`, also for elements nested over 256 deep."""
    if len(xml) > MAX_XML_BYTES:
        raise SampleError("too_big", f"{name}: {len(xml)} bytes of XML, allowed are {MAX_XML_BYTES}")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True, remove_comments=True
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        if b"<!DOCTYPE" in xml[:4096] or b"<!ENTITY" in xml[:4096]:
            raise SampleError("entities", f"{name}: {error}") from None
        raise SampleError("broken_xml", f"{name}: {error}") from None
    except ValueError as error:  # an unknown encoding
        raise SampleError("broken_xml", f"{name}: {error}") from None
    dtd = root.getroottree().docinfo.internalDTD
    if (dtd is not None and next(dtd.iterentities(), None) is not None) or next(root.iter(etree.Entity), None) is not None:
        raise SampleError("entities", f"{name}: declares or uses entities")
    return root


def is_declared(root: etree._Element) -> bool:
    """Whether a part declares a document type, as formulas of old OpenDocuments do; `written` leaves it out."""
    return root.getroottree().docinfo.internalDTD is not None


def written(root: etree._Element) -> bytes:
    xml: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return xml


def local_name(element: etree._Element) -> str:
    """The element's name without its namespace; "" for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def remove(element: etree._Element) -> None:
    """Take an element out; the text behind it stays."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
        element.tail = None
    parent.remove(element)


def unwrap(element: etree._Element, content: etree._Element | None = None) -> None:
    """Put the content of the element, or of its part `content`, in the element's place, without the element's properties."""
    holder = element.getparent()
    if holder is not None:
        children = [child for child in (element if content is None else content) if local_name(child) not in _OF_WRAPPERS]
        at = holder.index(element)
        holder[at : at + 1] = children

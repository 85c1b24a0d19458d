"""The main content of a page as clean HTML: elements and attributes of a white list alone, and nothing that loads or runs."""

import html
import re
from collections import Counter
from collections.abc import Mapping

import lxml.etree

from datagen.markup.documents.css import clean_style
from datagen.markup.documents.formulas import Formulas
from datagen.markup.documents.notes import is_reference, mark_notes, mark_of
from datagen.markup.documents.parse import classes_of
from datagen.markup.documents.resources import Resources

# fmt: off
_TAGS = frozenset("""address article aside blockquote body dd details div dl dt fieldset figcaption figure footer h1 h2 h3 h4 h5
    h6 header hgroup hr legend li main menu ol p pre section summary ul caption col colgroup table tbody td tfoot th thead tr
    a abbr acronym b bdi bdo big br cite code data del dfn em i ins kbd mark q rb rp rt rtc ruby s samp small span strong sub sup
    time tt u var wbr center dir""".split())
_VOID = frozenset("br hr wbr col".split())
_CUT = {
    "script": "script", "noscript": "noscript", "style": "", "link": "", "meta": "", "title": "", "base": "", "head": "",
    "iframe": "frame", "frame": "frame", "frameset": "frame", "noframes": "frame", "object": "object", "embed": "object",
    "applet": "object", "audio": "media", "video": "media", "canvas": "media", "template": "template", "param": "", "source": "",
    "track": "", "map": "", "area": "", "input": "form", "button": "form", "select": "form", "textarea": "form",
    "datalist": "form", "option": "form", "optgroup": "form", "dialog": "form", "progress": "form", "meter": "form",
    "portal": "frame",
}
_RENAMED = {"form": "div", "center": "div", "dir": "ul", "menu": "ul", "strike": "s", "main": "div", "body": "div",
            "listing": "pre", "xmp": "pre", "plaintext": "pre", "nobr": "span"}
_KEPT = frozenset("id class style dir lang colspan rowspan scope start type value reversed alt role open".split())
_ATTRIBUTE_CHARS = {"style": 10_000, "class": 500, "alt": 1000}
_BLOCKS = ("div", "p", "ul", "ol", "table", "pre", "h1", "h2", "h3", "section", "blockquote")
_NAVIGATION_ROLES = frozenset("navigation banner contentinfo search complementary menu menubar toolbar dialog".split())
_NAVIGATION_CLASSES = frozenset("""navheader navfooter navbar nav-links sphinxsidebar related headerlink mw-editsection noprint
    breadcrumb breadcrumbs breadcrumb-nav toctree-wrapper-hidden skip-link navigation prevnext prev-next-area sidebar-nav docnav
    permalink anchorjs-link copybtn katex-html MathJax_Preview MJX_Assistive_MathML mw-jump-link vector-toc navbox catlinks
    printfooter rst-footer-buttons""".split())
_NAVIGATION_IDS = frozenset("banner navbar sidebar breadcrumbs mw-navigation siteSub contentSub jump-to-nav catlinks".split())
_TOC_IDS, _TOC_CLASSES = {"toc", "table-of-contents"}, {"toc", "contents", "table-of-contents", "toctree-wrapper"}
# fmt: on
_MAIN = (
    "//*[@id='DisplayArea']",  # LibreOffice's help
    "//*[@id='mw-content-text']",  # Wikipedia
    "//main",
    "//*[@role='main']",
    "//*[@itemprop='articleBody']",
    "//article",
)
_LANG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")
_TITLE, _HEADING = re.compile(r"<h1\b"), re.compile(r"(</?h)([1-5])\b")
_A_FEW_WORDS = 150  # characters
_NUMBER = re.compile(r"\s*(\d{1,4})(\.\d+)?\s*(px)?\s*")


def main_content(tree: lxml.etree._Element) -> lxml.etree._Element | None:
    """The element with the page's own text, if it is the only one of its kind that has text; else the body."""
    for place in _MAIN:
        elements = [element for element in tree.xpath(place) if "".join(element.itertext()).strip()]
        if len(elements) == 1:
            return elements[0]
    return next(tree.iter("body"), None)


def declared(tree: lxml.etree._Element, main: lxml.etree._Element) -> tuple[str, str]:
    """The language and the direction that the page, or the elements around its main content, declare; "" for none."""
    around = [main, *main.iterancestors()]
    langs = [lang for element in around if (lang := language(element.get("lang") or ""))]
    for meta in tree.iter("meta"):
        if meta.get("http-equiv", "").lower() == "content-language" or meta.get("name", "").lower() == "language":
            langs.append(language(meta.get("content", "")))
    directions = [d for element in around if (d := element.get("dir", "").lower()) in ("ltr", "rtl")]
    return next(filter(None, langs), ""), (directions[0] if directions else "")


def language(name: str) -> str:
    """A language's name in BCP-47's form, "" for anything else."""
    name = re.split(r"[.@,;\s]", name.strip())[0].replace("_", "-")
    return name if _LANG.fullmatch(name) and name.lower() not in ("und", "zxx", "mul") else ""


def with_one_title(clean: str) -> str:
    """Clean HTML with at most one <h1>: where there are several, as in a book of chapters, all headings go a level down."""
    if len(_TITLE.findall(clean)) < 2:
        return clean
    return _HEADING.sub(lambda tag: f"{tag[1]}{int(tag[2]) + 1}", clean)


class Cleaner:
    """Writes the clean HTML of a page's main content. `prefix` comes before each id, so that the ids of a book's pages differ.
    `book` has the clean id of each path and id in the book."""

    def __init__(
        self,
        resources: Resources,
        formulas: Formulas,
        left_out: Counter[str],
        prefix: str = "",
        book: Mapping[tuple[str, str], str] | None = None,
    ):
        self.resources, self.formulas, self.left_out, self.prefix, self.book = resources, formulas, left_out, prefix, book or {}
        self.cut: set[lxml.etree._Element] = set()
        self.ids: set[str] = set()
        self.out: list[str] = []
        self.characters = 0

    def id_of(self, href: str) -> str:
        """The clean id that an address within the book names; "" for others."""
        place, _, name = href.partition("#")
        if not place:
            return self.prefix + name if name in self.ids else ""
        return self.book.get((self.resources.path(place) or "", name), "")

    def write(self, tree: lxml.etree._Element, main: lxml.etree._Element, marks: dict[str, str] | None = None) -> str:
        """The inside of a <body>. `marks` are those of notes, by id, that other pages refer to."""
        self.ids = {name for element in main.iter() for name in (element.get("id"), element.get("name")) if name}
        note_marks = {a.get("href").partition("#")[2]: mark_of(a) for a in main.iter("a") if is_reference(a)}
        self.references = {a for a in main.iter("a") if is_reference(a)}
        self.formulas.look_at(tree)
        self.cut = mark_notes(main, note_marks | (marks or {}))
        if main.tag in _RENAMED or main.tag == "article":
            self._text(main.text, is_code=False)
            self._children(main, is_code=False)
        else:
            self._element(main, is_code=False)
        return "".join(self.out).strip()

    def _children(self, element: lxml.etree._Element, is_code: bool) -> None:
        for child in element:
            if isinstance(child.tag, str):
                self._element(child, is_code)
            self._text(child.tail, is_code)

    def _text(self, text: str | None, is_code: bool) -> None:
        if text:
            self.characters += sum(map(str.isalnum, text))
            self.out.append((None if is_code else self.formulas.text(text)) or html.escape(text, quote=False))

    def _element(self, element: lxml.etree._Element, is_code: bool) -> None:
        tag = element.tag
        formula = None if is_code else self.formulas.element(element)
        if formula is not None:
            self.characters += bool(formula)
            self.out.append(formula)
            return
        reason = self._reason_to_cut(element)
        if reason is not None:
            if reason:
                self.left_out[reason] += 1
        elif tag in ("img", "image", "svg"):
            self._image(element)
        else:
            tag = self._name(element)
            self.out.append(f"<{tag}{self._attributes(element, tag)}>")
            if tag not in _VOID:
                inside = is_code or tag in ("pre", "code", "kbd", "samp", "tt")
                self._text(element.text, inside)
                self._children(element, inside)
                self.out.append(f"</{tag}>")

    def _name(self, element: lxml.etree._Element) -> str:
        """The tag that an element is written with: its own, or a plain one for tags that aren't on the list."""
        tag = element.tag
        if tag == "nav" or is_contents(element):
            return "nav"
        if tag in _RENAMED or tag in _TAGS:
            return _RENAMED.get(tag, tag)
        return "div" if any(child.tag in _BLOCKS for child in element) else "span"

    def _reason_to_cut(self, element: lxml.etree._Element) -> str | None:
        """The name under which an element is counted as left out, "" for what nobody misses; None if it stays."""
        tag = element.tag
        if tag in _CUT:
            return _CUT[tag]
        if element in self.cut:
            return "backlink"
        if tag == "svg" and any(above.tag == "mjx-container" for above in element.iterancestors()):
            return "svg"  # a formula that isn't known
        if element.get("hidden") is not None and not _is_default_switch(element):
            return "hidden"
        if is_contents(element):
            return None
        if tag == "nav" or element.get("role", "") in _NAVIGATION_ROLES or classes_of(element) & _NAVIGATION_CLASSES:
            return "navigation"
        if element.get("id") in _NAVIGATION_IDS or (tag == "p" and element.get("id") == "title"):  # Publican's banner
            return "navigation"
        parent = element.getparent()
        if tag in ("header", "footer") and parent is not None and parent.tag in ("body", "html") and _is_of_site(element):
            return "navigation"
        if tag == "aside" and not element.get("role", "").startswith("doc-") and any(True for _ in element.iter("nav")):
            return "navigation"
        return None

    def _attributes(self, element: lxml.etree._Element, tag: str) -> str:
        attributes: dict[str, str] = {}
        for key, value in element.attrib.items():
            if (
                key not in _KEPT
                or not (value or key in ("alt", "open", "reversed"))
                or (key == "type" and tag not in ("ol", "ul", "li"))
            ):
                continue
            if len(value) > _ATTRIBUTE_CHARS.get(key, 100):
                self.left_out["attribute"] += 1
            elif key == "id":
                attributes["id"] = self.prefix + value
            else:
                attributes[key] = clean_style(value, self.resources) if key == "style" else value
        if "hidden" in element.attrib or tag == "nav":
            attributes.pop("style", None)
        if tag == "li" and not _begins_with_text(element):
            attributes["class"] = f"{attributes.get('class', '')} no-sign".lstrip()
        if tag == "nav":
            attributes["role"] = "doc-toc"
        elif not attributes.get("role", "doc-").startswith("doc-"):
            attributes.pop("role")
        if element.tag == "center" or element.get("align", "").lower() in ("left", "right", "center", "justify"):
            align = element.get("align", "center").lower()
            attributes["style"] = f"text-align:{align};{attributes.get('style', '')}"
        if tag == "a":
            if element.get("name") and len(element.get("name")) <= 100:
                attributes.setdefault("id", self.prefix + element.get("name"))
            if element.get("href") is not None:
                attributes["href"] = "#" + self.id_of(element.get("href"))
            if element in self.references:
                attributes["role"] = "doc-noteref"
        return "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items())

    def _image(self, element: lxml.etree._Element) -> None:
        """An <img>, as wide as it was to be: its pixels may have become fewer."""
        href = element.get("src") or element.get("href") or element.get("data-src") or ""
        is_svg = element.tag == "svg"
        if not href and not is_svg:
            self.left_out["image_missing"] += 1
        elif image := self.resources.inline_svg(element) if is_svg else self.resources.image(href):
            width, height = (_NUMBER.fullmatch(element.get(side) or "") for side in ("width", "height"))
            side = f"height:{height[1]}px" if height and not width else f"width:{width[1] if width else image[1][0]}px"
            element.set("style", f"{side};{element.get('style', '')}".rstrip(";"))
            self.out.append(f'<img src="{image[0]}"{self._attributes(element, "img")}>')


def is_contents(element: lxml.etree._Element) -> bool:
    """Whether an element is a table of contents."""
    kinds = {element.get("role", ""), *element.get("epub-type", "").split()}
    if kinds & {"doc-toc", "toc"} or (element.tag in ("nav", "div") and element.get("id", "").lower() in _TOC_IDS):
        return True
    if element.tag not in ("nav", "div") or not {name.lower() for name in classes_of(element)} & _TOC_CLASSES:
        return False
    links = sum(len("".join("".join(link.itertext()).split())) for link in element.iter("a"))
    return links > 0.5 * len("".join("".join(element.itertext()).split()))  # Doxygen calls all of a page its contents


def _begins_with_text(item: lxml.etree._Element) -> bool:
    """Whether text comes first in a list's item. A sign before a picture or a table would stand alone, also where a page ends."""
    for event, element in lxml.etree.iterwalk(item, events=("start", "end")):
        text = element.text if event == "start" else element.tail if element is not item else None
        if element.tag in ("img", "image", "svg", "table") or (text and text.strip()):
            return element.tag not in ("img", "image", "svg", "table")
    return False


def _is_of_site(element: lxml.etree._Element) -> bool:
    """Whether a page's header or footer is the site's: one with links or little text. The page's own has its title or text."""
    if next(element.iter("nav", "form"), None) is not None:
        return True
    return next(element.iter("h1"), None) is None and len("".join(element.itertext()).strip()) < _A_FEW_WORDS


def _is_default_switch(element: lxml.etree._Element) -> bool:
    """Whether LibreOffice's help shows a hidden element where no script chooses another."""
    parent = element.getparent()
    return (
        element.get("id", "").startswith("default")
        and parent is not None
        and bool(classes_of(parent) & {"switch", "switchinline"})
    )

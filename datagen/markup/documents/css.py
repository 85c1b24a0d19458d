"""A document's own CSS, with everything cut that loads from elsewhere."""

import re

import lxml.etree

from datagen.markup.documents.resources import Resources

MAX_FILE_BYTES = 1 << 20
MAX_CSS_CHARS = 1 << 20
"""All CSS of a document, without the images in it."""
_MAX_IMPORTS = 5  # in each other
_COMMENT = re.compile(r"/\*.*?(\*/|\Z)", re.S)
_STRING = r""""(?:[^"\\\n]|\\.)*+(?:"|(?=\n)|\\?\Z)|'(?:[^'\\\n]|\\.)*+(?:'|(?=\n)|\\?\Z)"""
_HIDDEN_LETTER = re.compile(rf"({_STRING})|\\(?:0{{0,4}}([4-7][0-9a-fA-F])\s?|([g-zG-Z]))", re.S)
_IMPORT = re.compile(r"""@import\s++(?:url\(\s*+)?["']?([^"'();\s]*+)["']?\s*+\)?([^;{}]{0,500}+)(;|\Z)""", re.I)
_URL = re.compile(r"""url\(\s*("[^"]*"|'[^']*'|[^)]*)\s*(?:\)|\Z)""", re.I)
_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}?", re.I)
_LOADING = re.compile(r"(?<![\w-])((-webkit-)?(image-set|cross-fade)|src|image)\s*\([^)]*\)?", re.I)
_SCREEN = re.compile(r"(all|screen)?\s*", re.I)


def document_css(tree: lxml.etree._Element, resources: Resources) -> str:
    """The CSS of the document's <style> and <link> elements, in order."""
    sheets: list[str] = []
    for element in tree.iter("style", "link"):
        media = element.get("media", "")
        if not _SCREEN.fullmatch(media) and "screen" not in media and "all" not in media.split(","):
            continue
        if element.tag == "style":
            sheets.append(clean_css("".join(element.itertext()), resources))
        elif element.get("rel", "").lower().split() == ["stylesheet"] and element.get("href"):
            sheets.append(_linked(element.get("href"), resources, resources.folder, 0))
    return bounded("\n".join(sheet for sheet in dict.fromkeys(sheets) if sheet.strip()), resources)


def bounded(css: str, resources: Resources) -> str:
    """The CSS, or "" if it is too long."""
    if len(re.sub(r"data:[^)]*", "", css)) <= MAX_CSS_CHARS:
        return css
    resources.left_out["css_too_large"] += 1
    return ""


def _linked(href: str, resources: Resources, within: str, depth: int) -> str:
    data = resources.bytes_of(href, "css", MAX_FILE_BYTES, within)
    if data is None:
        return ""
    path = resources.path(href, within)
    folder = path.rpartition("/")[0] if path is not None else within
    return clean_css(data.decode("utf-8-sig", errors="replace"), resources, folder, depth)


def clean_css(css: str, resources: Resources, within: str | None = None, depth: int = 0) -> str:
    """CSS whose @import rules are resolved and whose url()s are data: URIs of images, or `none`. It has no typefaces, which the
    look chooses, and ends no <style> element."""
    within = resources.folder if within is None else within
    css = _HIDDEN_LETTER.sub(_unhidden, _COMMENT.sub(" ", css))

    def imported(match: re.Match[str]) -> str:
        if depth >= _MAX_IMPORTS or not _SCREEN.fullmatch(match[2].strip()):
            resources.left_out["css_import"] += 1
            return ""
        sheet = _linked(match[1], resources, within, depth + 1)
        if len(sheet) > MAX_CSS_CHARS:
            resources.left_out["css_too_large"] += 1
            return ""
        return sheet + "\n"

    def url(match: re.Match[str]) -> str:
        href = match[1].strip().strip("\"'").strip()
        if href.startswith("#"):
            return "none"
        image = resources.image(href, within)
        return f'url("{image[0]}")' if image else "none"

    without_fonts = _FONT_FACE.subn("", css)
    resources.left_out["font"] += without_fonts[1]
    parts = _IMPORT.split(without_fonts[0])  # the text between imports, and of each import its groups
    imports = list(_IMPORT.finditer(without_fonts[0]))
    texts = parts[:: _IMPORT.groups + 1]
    own = [re.sub("@(import|charset)[^;]*;?", "", _LOADING.sub("none", _URL.sub(url, text)), flags=re.I) for text in texts]
    mixed = [piece for text, match in zip(own, imports, strict=False) for piece in (text, imported(match))]
    return "".join([*mixed, own[-1]]).replace("</", "<\\/").replace("<!--", "").replace("-->", "")


def clean_style(style: str, resources: Resources) -> str:
    """A style attribute's declarations, cleaned likewise. Nothing in it is `!important`: it would beat the look."""
    style = re.sub(r"!\s*important", "", style, flags=re.I)
    return clean_css(style, resources).strip() if re.search(r"url|\\|/\*|@|image|src", style, re.I) else style


def _unhidden(match: re.Match[str]) -> str:
    """A letter that a backslash spells, by which `url` may hide; strings stay."""
    return match[1] or match[3] or (chr(int(match[2], 16)) if match[2] and chr(int(match[2], 16)).isalpha() else match[0])

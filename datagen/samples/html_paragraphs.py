"""The paragraphs of a page of HTML, without what is between them."""

from collections.abc import Collection
from html.parser import HTMLParser


def paragraphs_in(html: str, tags: Collection[str], behind: str = "") -> list[str]:
    """The texts of the elements of these tags, each without those within it; of those `behind` the element of this id alone."""
    parser = _Page(tags, behind)
    parser.feed(html)
    parser.close()
    return [text for text in map(" ".join, map(str.split, parser.texts)) if text]


class _Page(HTMLParser):
    def __init__(self, tags: Collection[str], behind: str):
        super().__init__()
        self.texts: list[str] = []
        self._tags, self._behind = tags, behind
        self._is_inside, self._has_begun = False, not behind

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._has_begun = self._has_begun or dict(attrs).get("id") == self._behind
        if tag in self._tags and self._has_begun:
            self._is_inside = True
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._tags:
            self._is_inside = False

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.texts[-1] += data

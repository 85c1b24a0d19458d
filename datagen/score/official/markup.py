"""HTML as both public scorers read it: by Beautiful Soup over Python's own parser."""

from bs4 import BeautifulSoup
from bs4.exceptions import ParserRejectedMarkup


def parsed(html: str) -> BeautifulSoup:
    """The elements of a piece of HTML. Where Python's parser refuses a declaration, all are read as text."""
    try:
        return BeautifulSoup(html, "html.parser")
    except ParserRejectedMarkup:
        return BeautifulSoup(html.replace("<!", "&lt;!"), "html.parser")

"""Page functions that do harm on request. A file of their own: a child that loads them loads nothing else of the tests."""

import ctypes

from datagen.coarse.answers import PageContent
from datagen.coarse.page import OpenPage


def crash_on_request(view: OpenPage) -> PageContent:
    """Ends the parser as a bug in native code does."""
    if "CRASH" in view.page.get_text():
        ctypes.string_at(0)
    return PageContent()


def swallow_on_request(view: OpenPage) -> PageContent:
    if "SWALLOW" in view.page.get_text():
        bytearray(4 << 30)
    return PageContent()

"""Which of PP-OCR's readings stay where another reader reads the page."""

import pytest

from datagen.reading.line_readers import Reading
from datagen.reading.page_lines import _sure_latin


@pytest.mark.parametrize(("script", "stays"), [("Deva", True), ("Hang", True), ("Cyrl", False), ("Latn", False)])
def test_lines_in_latin_stay_on_a_page_in_another_script_alone(script, stays):
    """In Vietnamese PP-OCR is sure of letters without their accents."""
    line, number = Reading("Moi nguoi sinh ra", 0.99, 0.99), Reading("1948", 0.99, 0.99)
    assert _sure_latin({1: line, 2: number}, script) == ({1: line} if stays else {})

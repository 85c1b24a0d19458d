"""Marks whose boxes are empty, which PyMuPDF leaves out of its dictionary, come from its text."""

from datagen.coarse.text_layer import _add_lost_marks


def test_marks_at_a_line_s_end_and_lines_of_marks_alone_are_put_back():
    raws = ["क्लिक कर", "चुन", "ชื", "end"]
    _add_lost_marks(raws, ["क्लिक करें", "चुनें", "ชื", "่", "end"])
    assert raws == ["क्लिक करें", "चुनें", "ชื่", "end"]

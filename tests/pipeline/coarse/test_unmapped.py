"""Characters that a file doesn't map are read from their glyphs, where that is sure."""

import pymupdf
import pytest

from datagen.coarse.answers import PageContent
from datagen.drawing import typefaces
from tests.inputs.unmapped_pdf import write
from tests.pipeline.page.test_right_to_left import read

FACE = typefaces.files().get("DejaVuSans.ttf", "")
pytestmark = pytest.mark.skipif(not FACE, reason="no DejaVu Sans on this machine")


def lines(content: PageContent) -> list[str]:
    return [line.text for region in content.regions for line in region.lines]


BOLD = typefaces.files().get("NotoSerif-Bold.ttf", FACE)
SIGNS, TYPED = ["go on → there", "№ 5 ✓"], ["• what a person types (or reads)", "“never”, nobody's; to @all ©"]
HOOKS = {"⊂": "arrowhookright", "⊃": "arrowhookleft"}


@pytest.mark.parametrize(
    ("text", "face", "values", "read_as"),
    [
        (SIGNS, FACE, {"hidden": "→№✓", "names": True}, SIGNS),
        (["make all ←⊂", "⊃→ on", "⊂ alone"], FACE, {"hidden": "⊂⊃", "renamed": HOOKS}, ["make all ↩", "↪ on", "\ufffd alone"]),
        # Letters of another script are not read into a word.
        (["Привет", "hello"], FACE, {"hidden": "вe", "renamed": {"в": "b", "e": "afii10070"}}, ["При\ufffdет", "h\ufffdllo"]),
        # Signs are read by their shapes; letters, and signs within words, aren't.
        (TYPED, BOLD, {"hidden": "•(,;©"}, TYPED),
        (
            ["what a person types I or 0", "reading l"],
            BOLD,
            {"hidden": "I0l"},
            ["what a person types \ufffd or \ufffd", "reading \ufffd"],
        ),
        (["what a per(on types", "it's (b)"], BOLD, {"hidden": "('"}, ["what a per\ufffdon types", "it's (b)"]),
        (["ě 10"], FACE, {"hidden": "", "font_name": "AAAAAA+TeX-matha10"}, ["\ufffd 10"]),  # which has no accented letters
        (["ě 10"], FACE, {"hidden": "", "font_name": "AAAAAA+SFRM1095"}, ["ě 10"]),
    ],
)
def test_glyphs_are_read_by_name_map_and_shape_where_that_is_sure(tmp_path, text, face, values, read_as):
    content = read(write(tmp_path / "a.pdf", text, face, **values))
    assert lines(content) == read_as
    assert (content.signals["unmapped_share"] > 0) is any("\ufffd" in line for line in read_as)
    assert text != SIGNS or content.signals["read_glyphs_share"] == pytest.approx(3 / content.signals["num_chars"])


@pytest.mark.parametrize("hidden", ["ab", ""])
def test_strokes_of_a_picture_are_no_text(tmp_path, hidden):
    page = write(tmp_path / "a.pdf", ["abab"], FACE, hidden=hidden, font_name="AAAAAA+LINE10")
    with pymupdf.open(page) as doc:
        assert doc[0].get_text().strip()
    assert not read(page).regions


@pytest.mark.parametrize(
    ("font_name", "private", "line"),
    [
        ("AAAAAA+Wingdings-Regular", "\uf0fc", "✓ done"),
        ("SymbolMT", "\uf0b7", "• done"),
        ("Wingdings3", "\uf0fc", "\uf0fc done"),
        ("CMMI10", "\uf732", "2 done"),
        ("AAAAAA+FontAwesome5Free-Solid", "\uf732", "\uf732 done"),
    ],
)
def test_a_private_character_is_read_by_its_font(tmp_path, font_name, private, line):
    page = write(tmp_path / "a.pdf", ["x done"], FACE, hidden="", told={"x": private}, font_name=font_name)
    content = read(page)
    assert lines(content) == [line]
    assert (content.signals["private_use_share"] > 0) == (private in line)


def test_a_bracket_that_mupdf_loses_is_there(tmp_path):
    face = typefaces.files().get("NotoNaskhArabic-Regular.ttf") or typefaces.files()["FreeSerif.ttf"]
    content = read(write(tmp_path / "a.pdf", ["\ufd3e", "\ufd3f"], face, hidden=""))
    assert lines(content) == ["\ufd3e", "\ufd3f"]
    assert content.signals["read_glyphs_share"] == 0


def test_a_broken_font_program_costs_its_readings_alone(tmp_path):
    page = write(tmp_path / "a.pdf", ["go on → there"], FACE, hidden="→", cmap=True)
    data = page.read_bytes()
    page.write_bytes(data.replace(b"cmap", b"xmap"))
    assert lines(read(page)) == ["go on \ufffd there"]

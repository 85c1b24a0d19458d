"""Lines of a text layer as labels have them."""

import pytest

from datagen.coarse.clean_line import cleaner


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        # The glyph of the name of God has its last letter.
        ("\u0639\u0644\u0649 \u0627\u0644\u0644\u0651 .", "\u0639\u0644\u0649 \u0627\u0644\u0644\u0651\u0647 ."),
        ("\u0627\u064e\u0644\u0644\u0651\u0651\u064f", "\u0627\u0644\u0644\u064e\u0651\u0647\u064f"),
        ("\u0627\u0644\u0644\u0647 \u0627\u0644\u0644\u063a\u0629", "\u0627\u0644\u0644\u0647 \u0627\u0644\u0644\u063a\u0629"),
        # A box to tick stands apart from what it belongs to.
        ("\u22a0Beleidsplan", "\u22a0 Beleidsplan"),
        ("a \u25a1b", "a \u25a1b"),
        # What looks like a colon or a hyphen is one; a soft hyphen is drawn at a line's end.
        ("вправе\ua789 он\u2011лайн", "вправе: он-лайн"),
        ("co\u00adop\u00ad", "coop-"),
        # Greek words have Greek letters, and formulas keep their signs.
        ("τον \u00b5έσο περισσότε\u03f1οι, \u0384Ολες \u2206ιαφορές", "τον \u03bcέσο περισσότεροι, Όλες Διαφορές"),
        ("5 \u00b5m και \u2206t, ο \u03d5", "5 \u00b5m και \u2206t, ο \u03d5"),
        ("第\u3127章 \u3127\u311b", "第一章 \u3127\u311b"),
        # Presentation forms, ligatures and radicals are letters.
        ("\ufef3\ufeee\ufedf\ufeaa", "يولد"),
        ("\ufe11\ufe41\ufe35", "、「（"),
        ("\u2f64\u9014 \u2ed1\u3044 \u2f1f\u5730 \u2ea0", "用途 長い 土地 民"),
        # Half of a surrogate pair, which no UTF-8 can hold, is the sign for what isn't known.
        ("B\ud800B", "B\ufffdB"),
        # Characters are composed, and marks of direction go.
        ("e\u0301le\u0300ve \u200fשלום\u200e", "élève שלום"),
        ("क्\u200dष", "क्\u200dष"),
        ("การท างานซ ้ากับ น ้าตา มา", "การทำงานซ้ำกับ น้ำตา มา"),
        # What MuPDF says twice stands once.
        ("आज़ादी आज़ाादी राष्ट्रोंों", "आज़ादी आज़ादी राष्ट्रों"),
    ],
)
def test_each_thing_is_written_in_one_way(line, clean):
    assert cleaner("".join(sorted(set(line))))(line) == clean

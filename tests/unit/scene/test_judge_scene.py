"""Which lines of a scene count, what is believed of it, and what is dropped."""

from dataclasses import replace

import pytest

from datagen.contract import check
from datagen.page.boxes import around
from datagen.record import Box, Drop, Line, Quality, Region, Sample
from datagen.scene.judge_scene import JudgeScene
from tests.inputs.samples import sample

SIZE = (1000, 600)


def line(text: str, y: int, height: int = 30, score: float | None = 0.99, width: int = 300) -> Line:
    return Line(Box(10, y, 10 + width, y + height), text, score=score)


def scene(*blocks: list[Line], key: str = "a-000000", unread: float = 0.0, **values) -> Sample:
    regions = tuple(
        Region(around([one.box for one in block]), "text", "\n".join(one.text for one in block), 0.9, "ppocr", lines=tuple(block))
        for block in blocks
    )
    signals = {"num_unread": unread} | values.pop("signals", {})
    text = "\n\n".join(region.text for region in regions)
    fields = {
        "task": "scene",
        "size": SIZE,
        "lang": "en",
        "text": text,
        "regions": regions,
        "quality": Quality("none", (), signals),
    }
    return sample(key, **fields | values)


def judged(one: Sample, **settings) -> Sample:
    (result,) = JudgeScene(**settings)([one], None)
    assert isinstance(result, Sample), result
    check(result)
    return result


def dropped(one: Sample, **settings) -> str:
    (result,) = JudgeScene(**settings)([one], None)
    assert isinstance(result, Drop), result
    return result.reason


def test_a_scene_that_was_read_well_is_trusted_with_what_was_measured():
    result = judged(scene([line("Fresh fish", 10), line("every day", 50)], caption="A shop for fresh fish"))
    assert (result.quality.verdict, result.quality.reasons, result.text) == ("trusted", (), "Fresh fish\nevery day")
    signals = result.quality.signals
    assert signals["text_share"] == pytest.approx(2 * 300 * 30 / (1000 * 600), rel=0.1) and signals["line_height"] == 30
    assert signals["caption_agreement"] == 0.5 and signals["reading_score"] == pytest.approx(0.99)


def test_lines_that_are_small_or_doubtful_are_no_text_and_stay_as_boxes():
    lines = [line("one", 10), line("two", 50), line("three", 90), line("tiny", 130, height=5), line("blurred", 150, score=0.4)]
    result = judged(scene(lines))
    assert result.text == "one\ntwo\nthree" and result.quality.reasons == ("incomplete",)
    read, unread = result.regions
    assert (read.box, read.text, len(read.lines)) == (Box(10, 10, 310, 120), "one\ntwo\nthree", 3)
    assert (unread.box, unread.is_unread, unread.text, unread.lines) == (Box(10, 130, 310, 180), True, "", ())
    assert judged(scene([line("one", 10)], [line("wide", 90, height=9)]), min_relative_height=0.01).text == "one"
    result = judged(scene([line("one", 10), line("blurred", 50, score=0.4)]))
    assert (result.text, result.quality.verdict, result.quality.reasons) == ("one", "suspect", ("incomplete",))
    assert result.quality.signals["sure_share"] == pytest.approx(0.5)
    assert dropped(scene([line("blurred", 50, score=0.4)])) == "unread_text"


def test_one_ideograph_is_taken_for_an_icon_where_nothing_else_is_east_asian():
    result = judged(scene([line("图", 10)], [line("Preferences", 50)], [line("唱 Details", 90)]))
    assert result.text == "Preferences\n\n唱 Details" and [region.is_unread for region in result.regions] == [True, False, False]
    assert dropped(scene([line("田", 10)], [line("日日", 50)])) == "unread_text"
    assert judged(scene([line("茶", 10)], [line("Tea", 50)], caption="一家茶馆")).text == "茶\n\nTea"
    assert judged(scene([line("茶", 10)], [line("お茶", 50)])).text == "茶\n\nお茶"


def test_doubts_are_named():
    assert judged(scene([line("a", 10, score=None)])).quality.reasons == ("unscored_reading",)
    assert judged(scene([line("a", 10, score=None), line("fish", 50), line("shop", 90)])).quality.verdict == "suspect"
    doubtful = [line("TEXEPAH", 10), line("APAJI", 50)]
    assert judged(scene(doubtful)).quality.reasons == ("script_in_doubt", "odd_words")
    assert judged(scene(doubtful, caption="Texepah in summer")).quality.reasons == ()
    assert judged(scene([line("TEACH", 10), line("NEW YORK", 50), line("DRUGS", 90)])).quality.reasons == ()
    assert judged(scene([line("a", 10)], signals={"agreement": 0.5})).quality.reasons == ("readings_disagree",)
    assert judged(scene([line("a", 10)], signals={"agreement": 0.5}), min_agreement=0.4).quality.verdict == "trusted"


def test_a_long_line_must_be_surer_and_none_is_cut_by_the_edge():
    short, long = line("Exit", 10, score=0.95), line("A line of 40 characters, of which two go", 50, score=0.95)
    result = judged(scene([short, long]))
    assert result.text == "Exit" and result.quality.reasons == ("incomplete",)
    assert judged(scene([short, long]), max_wrong=2.1).quality.verdict == "trusted"
    cut = [Line(Box(0, 10, 300, 60), "venting", score=1.0), Line(Box(10, 80, 999, 130), "the Fut", score=1.0)]
    assert dropped(scene(cut)) == "unread_text"
    standing = [Line(Box(0, 10, 30, 300), "出口在左边", direction="ttb", score=1.0)]
    assert judged(scene(standing)).quality.verdict == "trusted"  # its beginning and its end are in the picture


def unread(y: int, height: int = 30, width: int = 300) -> Region:
    return Region(Box(10, y, 10 + width, y + height), "text", "", None, "ppocr-detector", is_unread=True)


def test_what_nobody_read_counts_by_its_area():
    read = scene([line("Fresh fish every day", 10, height=60)])
    beside = replace(read, regions=(*read.regions, unread(80, height=80)))
    result = judged(beside)
    assert result.quality.reasons == ("incomplete",) and result.regions[-1] == unread(80, height=80)
    assert result.quality.signals["sure_share"] == pytest.approx(60 / 140)
    # A small sign in the distance is nobody's loss.
    assert judged(replace(read, regions=(*read.regions, unread(80, height=12, width=20)))).quality.verdict == "trusted"


def test_a_script_that_the_reader_does_not_know_is_not_read():
    """PP-OCR's alphabet has some letters of Cyrillic, Greek and Hangul."""
    hangul = scene([line("서울", 10, score=0.99)], [line("Seoul", 50)])
    assert judged(hangul).text == "Seoul" and judged(hangul).quality.reasons == ("incomplete",)
    by_other = replace(hangul, regions=tuple(replace(region, by="compact") for region in hangul.regions))
    assert judged(by_other).text == "서울\n\nSeoul" and judged(by_other).quality.verdict == "trusted"
    few = scene([line("品印", 10)], [line("Seoul", 50), line("Pyeongyang", 90)])
    assert judged(few).quality.reasons == ("script_in_doubt",)
    assert judged(scene([line("出口在左边", 10)], [line("Way out", 50)])).quality.verdict == "trusted"


def placed(*places: tuple[int, int]) -> Sample:
    """A scene whose words are read in this order, each a block, at (column, row)."""
    boxes = [Box(330 * x + 9, 40 * y + 20 * (x % 2), 330 * x + 289, 40 * y + 20 * (x % 2) + 25) for x, y in places]
    lines = [[Line(box, f"word {x} {y}", score=0.99)] for box, (x, y) in zip(boxes, places, strict=True)]
    return scene(*lines)


def test_an_order_that_is_neither_a_pages_nor_by_rows_is_in_doubt():
    cells = [(x, y) for x in range(3) for y in range(5)]
    assert judged(placed(*cells)).quality.verdict == "trusted"  # column by column
    scrambled = judged(placed(*[cells[4 * n % 15] for n in range(15)]))
    assert scrambled.quality.reasons == ("order_in_doubt",) and scrambled.quality.signals["order_agreement"] < 0.5
    assert judged(placed(*[cells[4 * n % 15] for n in range(9)])).quality.verdict == "trusted"  # signs that nothing orders


def test_a_photographed_document_is_none_of_these_scenes():
    lines = [line("a line of a page in a book, from edge to edge", 20 * n, height=14, score=0.999, width=700) for n in range(20)]
    assert dropped(scene(lines)) == "document"
    assert judged(scene(lines[:12])).quality.verdict == "trusted"  # a board
    assert judged(scene([line("Fish", 40 * n, height=30) for n in range(14)])).quality.verdict == "trusted"
    labels = [line("File", 14 * n, height=13, width=60) for n in range(41)]
    assert dropped(scene(labels)) == "document" and judged(scene(labels), max_lines=50).quality.verdict == "trusted"


def test_the_share_of_a_picture_that_is_text_has_limits():
    assert dropped(scene([line("a", 10, height=12, width=20)])) == "little_text"
    assert dropped(scene([line("a", 10, height=500, width=900)]), max_text_share=0.5) == "much_text"
    # What lies over each other counts once.
    assert judged(scene([line("a", 10), line("b", 10)])).quality.signals["text_share"] < 0.02


def test_a_share_of_the_pictures_without_text_stays_by_key():
    keys = [f"k-{n:06d}" for n in range(300)]
    results = [next(iter(JudgeScene(negatives=0.2)([scene(key=key)], None))) for key in keys]
    passed = [one.key for one in results if isinstance(one, Sample)]
    assert 40 <= len(passed) <= 80
    assert {one.reason for one in results if isinstance(one, Drop)} == {"no_text"}
    assert all(one.quality.verdict == "trusted" and not one.text for one in results if isinstance(one, Sample))
    again = [
        one.key for one in JudgeScene(negatives=0.2)([scene(key=key) for key in reversed(keys)], None) if isinstance(one, Sample)
    ]
    assert again[::-1] == passed
    assert dropped(scene(unread=2.0), negatives=1.0) == "unread_text"
    assert dropped(scene(signals={"num_faint": 1.0}), negatives=1.0) == "unread_text"


def test_languages_are_thinned_to_shares_by_key():
    stage = JudgeScene(languages=(("zh", 0.5), ("other", 0.0)))
    scenes = [scene([line("文字", 10)], key=f"{lang}-{n:06d}", lang=lang) for lang in ("zh", "zh-Hant", "en") for n in range(100)]
    passed = [one.lang for one in stage(scenes, None) if isinstance(one, Sample)]
    assert 30 <= passed.count("zh") <= 70 and 30 <= passed.count("zh-Hant") <= 70 and "en" not in passed
    assert all(isinstance(one, Sample) for one in JudgeScene()(scenes, None))
    with pytest.raises(ValueError, match="from 0 to 1"):
        JudgeScene(languages=(("zh", 2.0),))


def test_scenes_that_nobody_read_pass_as_they_are():
    drawn = scene([line("tiny", 10, height=2, score=None)], quality=Quality("trusted"))
    page = scene(task="page")
    assert list(JudgeScene()([drawn, page], None)) == [drawn, page]

"""What a line of a language is like, learned from lines of true text, and which readings are like none."""

import dataclasses
import random

import pytest

from datagen.disk.storage import Folder
from datagen.record import Box, Line, Region, Sample
from flywheel.labels import ngrams
from flywheel.labels.ngrams import Ngrams
from flywheel.labels.plausible import LEAST_LINES, Plausible, PlausibleFile, learn
from flywheel.pools.pools import Pools
from flywheel.pools.texts import TextFile, Texts
from flywheel.pools.typefaces import Families
from tests.inputs.samples import page_sample
from tests.inputs.udhr import UDHR
from tests.outputs import write_dataset

OWN = "Cyrl Arab Deva Khmr Geor Kore".split()


def lines(script: str, seed: int, number: int = 600) -> list[tuple[str, float]]:
    """Lines of a declaration's words, a tenth of them with a number, a Latin word or an address. Two characters are as wide as
    the line is high."""
    draw = random.Random(f"{script} {seed}")
    words = UDHR[script][1].replace(":", " ").split()
    texts = []
    for _ in range(number):
        chosen = draw.choices(words, k=draw.randint(3, 9))
        if draw.random() < 0.1:
            extra = (
                f"{draw.randint(1, 9_999)}",
                f"1.{draw.randint(1, 99)}.",
                "https://www.debian.org/",
                "README",
                "(PPPoE)",
                "12:45",
            )
            chosen.insert(draw.randrange(len(chosen)), draw.choice(extra))
        texts.append(" ".join(chosen))
    return [(text, len(text) / 2) for text in texts]


@pytest.fixture(scope="module", params=OWN)
def like(request) -> tuple[str, Plausible]:
    learned = Plausible.learn(lines(request.param, 0), request.param)
    assert learned is not None
    return request.param, learned


def test_lines_that_were_not_learned_are_plausible(like):
    script, plausible = like
    refused = [text for text, _ in lines(script, 1, 1_000) if plausible.reason(text)]
    assert len(refused) < 10, refused


def test_shuffled_letters_are_not(like):
    script, plausible = like
    draw = random.Random(0)
    wrong = [" ".join("".join(draw.sample(word, len(word))) for word in text.split()) for text, _ in lines(script, 2, 200)]
    found = [plausible.reason(text) for text in wrong]
    assert found.count("implausible") > 100
    assert set(found) <= {"", "implausible"}


@pytest.fixture(scope="module")
def russian() -> Plausible:
    learned = Plausible.learn(lines("Cyrl", 0), "Cyrl")
    assert learned is not None
    return learned


@pytest.mark.parametrize(
    "text",
    [
        "Все люди рождаются свободными",
        "ВСЕ ЛЮДИ РОЖДАЮТСЯ СВОБОДНЫМИ",
        "разумом 1948-12-10 (217 A III)",
        "люди https://www.un.org/ru/documents/decl_conv/declarations/declhr.shtml",
        "The Universal Declaration of Human Rights",
        "люди Kfz-Xqwz QWRTZX PPPoE люди",
        "люди λ братства",
        "лю\u0301ди бра\u0301тства",
        "",
        "....... 17",
    ],
)
def test_numbers_names_and_latin_words_are_plausible(russian, text):
    assert russian.reason(text) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Все лйъди рожщфются", "implausible"),
        ("все ъъъъъъ", "implausible"),
        ("люди λόγος братства", "other_script"),
        ("людиλ братства", "other_script"),
        ("рождаютсяNN братства", "other_script"),
    ],
)
def test_what_is_like_no_line_is_refused_by_name(russian, text, reason):
    assert russian.reason(text) == reason


def test_endings_behind_latin_names_are_plausible_where_true_lines_have_them():
    endings = "를 가 의 로".split()
    mixed = [
        (f"{text} README{endings[i % 4]}", 0.0) if i % 9 == 0 else (text, 0.0) for i, (text, _) in enumerate(lines("Kore", 0))
    ]
    learned = Plausible.learn(mixed, "Kore")
    assert learned is not None and learned.mixed == {"Kore+Latn"}
    assert learned.reason("모든 wnpp를") == ""


def test_acronyms_of_a_latin_language_are_plausible():
    draw = random.Random(0)
    words = "tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền".split()
    learned = Plausible.learn([(" ".join(draw.choices(words, k=6)), 0.0) for _ in range(600)], "Latn")
    assert learned is not None
    assert [learned.reason(f"mọi {name} người") for name in ("PCMCIA", "PPPoE", "MỌI", "NGƯỜI")] == [""] * 4
    assert learned.reason("mọi pcmcia người") == learned.reason("mxqi ngờưi") == "implausible"


def test_a_word_that_looks_latin_and_is_likelier_latin_is_refused():
    names = ["Type one", "Xorg type", "cron time", "Knappen", "cache proxy", "parameter copy"]
    latin = [f"{names[i % 6]} {i}" for i in range(600)]
    own = [(f"{text} {('рис', 'ноги', 'сок')[i % 3]}", 0.0) for i, (text, _) in enumerate(lines("Cyrl", 0))]
    learned = Plausible.learn(own, "Cyrl", latin=latin)
    assert learned is not None
    assert learned.reason("все Кпарреп братства") == learned.reason("Хогg сгоп") == "latin_word"
    assert learned.reason("рис ноги все") == learned.reason("все Knappen") == ""
    without = Plausible.learn(own, "Cyrl")
    assert without is not None and without.latin_bits("Кпарреп") == 0
    assert Plausible.from_json(learned.to_json()) == learned


def test_what_another_reader_has_too_may_be_rare_but_not_of_another_script(russian):
    assert russian.reason("лйъди", 0.0, is_confirmed=True) == ""
    assert russian.reason("рождаютсяNN братства", 0.0, is_confirmed=True) == "other_script"


def test_letters_that_look_alike_in_two_scripts_mix_nothing(russian):
    assert russian.reason("все люди рoждаются") == ""  # a Latin o


def test_scripts_that_meet_in_true_lines_may_meet():
    mixed = [(f"{text} λόγος", 0.0) if i % 50 == 0 else (text, 0.0) for i, (text, _) in enumerate(lines("Cyrl", 0))]
    learned = Plausible.learn(mixed, "Cyrl")
    assert learned is not None and learned.mixed == {"Grek"}
    assert learned.reason("люди λόγος братства") == ""
    assert learned.reason("люди שם братства") == "other_script"


def test_a_line_too_long_or_too_short_for_its_width_is_refused(russian):
    text = "должны поступать в отношении"
    assert russian.reason(text, len(text) / 2) == russian.reason(text) == ""
    assert russian.reason(text, len(text) / 6) == russian.reason(text, len(text) * 2) == "length_misfit"
    assert russian.reason("в духе", 90) == ""  # too short to be compared
    assert russian.reason("в духе братства ........... 7", 90) == ""  # leaders are as long as they like


def test_widths_that_nobody_knows_judge_nothing():
    learned = Plausible.learn([(text, 0.0) for text, _ in lines("Cyrl", 0)], "Cyrl")
    assert learned is not None and learned.reason("должны поступать в отношении", 1) == ""


def test_few_lines_teach_nothing():
    assert Plausible.learn([("Все люди", 4.0)] * LEAST_LINES, "Cyrl") is None
    assert Plausible.learn([], "Cyrl") is None
    assert Plausible.learn([], "Cyrl", (), [text for text, _ in lines("Cyrl", 0)]) is None


def test_a_language_with_few_lines_is_judged_by_those_of_its_script():
    """Two languages set the limit, each by a model of the other: none of a third one's words is refused for being its own."""
    russian, other = (
        lines("Cyrl", 0),
        [(text.translate(str.maketrans("аеиоу", "оуаеи")), width) for text, width in lines("Cyrl", 1)],
    )
    like = Plausible.of_script({"ru": russian, "xx": other}, "Cyrl", ["щука юла"])
    assert like is not None
    third = [(text.translate(str.maketrans("аеиоу", "иоуае")), width) for text, width in lines("Cyrl", 2)]
    assert not [text for text, width in third if like.reason(text, width)]
    assert like.reason("щщщщщъъъъщщщщщ ъщъщъщъщъ") == "implausible"
    assert like.reason("люди Ελλάδα") == "other_script"
    assert like.reason("должны поступать в отношении", 200) == "length_misfit"
    alone = Plausible.of_script({"ru": russian}, "Cyrl", [])
    assert alone is not None and alone.reason("щщщщщъъъъщщщщщ ъщъщъщъщъ") == "" and alone.reason("люди Ελλάδα") == "other_script"
    assert Plausible.from_json(alone.to_json()) == alone
    assert Plausible.of_script({}, "Cyrl", ["щука юла"]) is None


def test_limits_of_a_text_come_from_its_other_paragraphs():
    """Lines of a short text are cut anew out of the same paragraphs, so each of them is known from others."""
    text = [line for line, _ in lines("Cyrl", 0)]
    unknown = [f"щука юла {line}" for line, _ in lines("Cyrl", 1)]
    assert Plausible.learn([], "Cyrl", text) is None
    learned = Plausible.learn([], "Cyrl", text, unknown)
    assert learned is not None and learned.reason("щука юла") == ""
    strict = Plausible.learn([], "Cyrl", text, [line for line, _ in lines("Cyrl", 1)])
    assert strict is not None and strict.reason("щука юла") == "implausible"


def test_the_same_lines_teach_the_same_and_the_file_keeps_it(tmp_path, russian):
    again = Plausible.learn(lines("Cyrl", 0), "Cyrl")
    assert again == russian
    file = PlausibleFile.write(Folder(str(tmp_path)), "ru", russian)
    assert file.read() == russian
    assert file.read().bits("лйъди") == russian.bits("лйъди")
    Folder(str(tmp_path)).write("ru.json", b"{}")
    with pytest.raises(ValueError, match="planned"):
        dataclasses.replace(file, url=f"{tmp_path}/").read()  # another name of the folder, since files are read once


def test_runs_are_counted_by_text():
    runs, counts = ngrams.count(["aba", "a"])
    assert dict(zip((runs[i : i + 4] for i in range(0, len(runs), 4)), counts, strict=True)) == {
        "   a": 2, "  ab": 1, " aba": 1, "aba ": 1, "  a ": 1,
    }  # fmt: skip


def test_shares_of_all_characters_add_up_to_one():
    model = Ngrams.of(*ngrams.count(["abc", "abd", "bc"]))
    shares = {char: 2 ** -model.bits([f"ab{char}"])[0][2] for char in " abcd?"}  # a question mark is not in the texts
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["c"] > shares["a"] > shares["?"]


def test_the_rarest_window_is_the_same_alone_and_among_others():
    model = Ngrams.of(*ngrams.count(["abcabc", "abd", "bc"]))
    texts = ["abc", "", "zzzz abc", "a"]
    assert model.rarest(texts) == pytest.approx([model.rarest([text])[0] for text in texts])
    assert model.rarest(["zzzz abc"])[0] == pytest.approx(model.bits(["zzzz abc"])[0][:4].sum())


def test_pages_that_train_and_text_to_typeset_teach_and_no_others(tmp_path):
    place, held_out = ("ab" * 32, 0), ("cd" * 32, 0)
    box = Box(0, 0, 50, 5)

    def crop(number: int, text: str, sha256: str) -> Sample:
        region = Region(box, "text", text, None, "pymupdf", lines=(Line(box, text),))
        return page_sample(f"{sha256[:2]}-{number:06d}", text, task="crop", sha256=sha256, regions=(region,))

    own = [text for text, _ in lines("Cyrl", 0, 520)]
    write_dataset(
        tmp_path / "crops",
        [crop(i, text, place[0]) for i, text in enumerate(own)] + [crop(i, f"ъъъъъ {i}", held_out[0]) for i in range(20)],
        "crops",
    )
    served = [Pools("ru", "Cyrl", 0.3, "documents", "", (place,), (held_out,)), Pools("ka", "Geor", 0.0, "text", "", text="x")]
    train, test = (tuple(text for text, _ in lines("Geor", seed)) for seed in (0, 1))
    text = Texts("ka", "Geor", train, test, {}, Families(("A",), ("B",), "x"))
    texts = {"ka": TextFile.write(Folder(str(tmp_path / "text")), text)}
    folder = Folder(str(tmp_path / "plausible"))
    made = learn(folder, Folder(str(tmp_path / "crops")), served, texts)
    assert sorted(made) == ["ka", "ru"]
    russian = made["ru"].read()
    assert russian == Plausible.learn([(text, 10.0) for text in own], "Cyrl")
    assert russian.reason("ъъъъъ", 10.0) == "implausible"
    assert made["ka"].read().reason(text.train[0], 1.0) == ""
    assert learn(folder, Folder(str(tmp_path / "crops")), served, texts) == made

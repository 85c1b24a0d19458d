"""Scripts of characters and of texts; and classes of characters by Unicode's blocks.

Each class is the inside of one of `re`, so that `f"[{HAN}{HANGUL}]"` matches a character of either. All ranges of characters
stand here. Blocks come from fontTools' tables. The `regex` library knows them, too, but a search by its properties took 10 to 25
times as long as one by a plain class, and extraction makes some twenty of them a page. Where Unicode names no block or category
for what is meant, the ranges are written out.
"""

import functools
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator

from fontTools import unicodedata as tables

_STARTS = dict(zip(tables.Blocks.VALUES, tables.Blocks.RANGES, strict=True))
_STOPS = dict(zip(tables.Blocks.VALUES, [*tables.Blocks.RANGES[1:], 0x110000], strict=True))


def _ranges(names: tuple[str, ...], only: Callable[[str], bool] | None) -> Iterator[tuple[int, int]]:
    """The first and last code point of each range of characters."""
    for name in names:
        first, _, last = name.partition("..")
        start, stop = _STARTS[first], _STOPS[last or first]
        if only is None:
            yield start, stop - 1
            continue
        for holds, run in itertools.groupby(range(start, stop), key=lambda code: only(chr(code))):
            if holds:
                codes = list(run)
                yield codes[0], codes[-1]


def _blocks(*names: str, only: Callable[[str], bool] | None = None) -> str:
    """The characters of these blocks, or those of them for which `only` holds. "A..B" are the blocks from A to B."""
    return "".join(f"{re.escape(chr(a))}-{re.escape(chr(b))}" for a, b in _ranges(names, only))


def _is_letter(char: str) -> bool:
    return unicodedata.category(char) == "Lo"


# Codes (ISO 15924) of what belongs to no script: digits and punctuation, combining marks, unassigned and private characters.
NO_SCRIPT = frozenset("Zyyy Zinh Zzzz".split())
# Codes of the scripts that Chinese, Japanese and Korean write together within a word.
EAST_ASIAN = frozenset("Hani Hira Kana Hang Bopo".split())
# The scripts of languages that write Chinese characters beside letters of these.
_WITH_HAN = {"Hira": "Jpan", "Kana": "Jpan", "Hang": "Kore", "Bopo": "Hant"}
# What writing systems that have a code of their own are made of.
_PARTS = {
    **dict.fromkeys(("Hans", "Hant"), frozenset({"Hani"})),
    **{"Jpan": frozenset({"Hani", "Hira", "Kana"}), "Kore": frozenset({"Hani", "Hang"})},
}
_ASCII_LETTER = re.compile("[A-Za-z]")

# Scripts that are written from right to left.
RTL = frozenset("Adlm Arab Hebr Mand Nkoo Rohg Samr Syrc Thaa".split())

# What Chinese and Japanese are written in.
IDEOGRAPHS = _blocks(
    "CJK Unified Ideographs",
    "CJK Compatibility Ideographs",
    *(name for name in _STARTS if name.startswith(("CJK Unified Ideographs Ext", "CJK Compatibility Ideographs Sup"))),
)
KANA = _blocks("Hiragana", "Katakana", "Katakana Phonetic Extensions")
BOPOMOFO = _blocks("Bopomofo", "Bopomofo Extended")
HALFWIDTH_KANA = "\uff65-\uff9f"
HAN = (  # all that is set in squares, with radicals, punctuation, and the full-width forms of ASCII
    _blocks("CJK Radicals Supplement..CJK Symbols and Punctuation")
    + KANA
    + BOPOMOFO
    + IDEOGRAPHS
    + "\uff01-\uff64"
    + HALFWIDTH_KANA
)
HANGUL = _blocks("Hangul Syllables")
HANGUL_PARTS = _blocks("Hangul Jamo", "Hangul Jamo Extended-A", "Hangul Jamo Extended-B")
# What annotates an ideograph: kana; bopomofo with its tones; letters of pinyin.
RUBY = KANA + BOPOMOFO + HALFWIDTH_KANA + "\u02c7\u02ca\u02cb\u02d9"
PINYIN = "a-z\u00e0-\u01dc"

# Scripts that put spaces between phrases, not between words.
PHRASED = _blocks(
    "Thai", "Lao", "Tibetan", "Myanmar", "Myanmar Extended-A", "Myanmar Extended-B", "Khmer", "Tai Le..New Tai Lue", "Tai Tham",
    "Tai Viet",
)  # fmt: skip
# Signs at the end of a phrase in these, behind which a space stands.
PHRASE_ENDS = "\u0f0d-\u0f11\u104a\u104b\u17d4\u17d5"
YI = _blocks("Yi Syllables", "Yi Radicals")
# Scripts that put spaces between words, of those behind whose letters MuPDF adds none: all above U+0700.
SPACED = _blocks(
    "Syriac..Sinhala", "Georgian..Tagbanwa", "Mongolian..Limbu", "Buginese", "Balinese..Greek Extended",
    "Glagolitic..Ethiopic Extended", "Lisu..Hangul Jamo Extended-A", "Cham", "Tai Viet..Hangul Syllables", "Lycian..Miao",
    "Glagolitic Supplement..Adlam",
)  # fmt: skip

# Scripts whose letters are drawn in clusters; their letters; vowel signs that stand on both sides of a consonant.
CLUSTERED = _blocks(
    "Devanagari..Sinhala", "Tibetan..Myanmar", "Khmer", "Tai Tham", "Javanese", "Brahmi..Tamil Supplement"
)  # fmt: skip
INDIC_LETTERS = _blocks("Devanagari..Malayalam", only=_is_letter)
STACKED_LETTERS = _blocks("Telugu..Malayalam", "Myanmar", "Khmer", only=_is_letter)
VIRAMAS = _blocks("Devanagari..Malayalam", only=lambda char: unicodedata.combining(char) == 9)
# Signs that stand on, below or behind a letter, and that no word begins with: Myanmar's E aside, they are coded behind it.
SIGNS_OF_LETTERS = "\u0e30\u0e32\u0e33\u0e45\u0eb0\u0eb2\u0eb3" + _blocks(
    "Devanagari..Lao", "Myanmar", "Khmer", only=lambda char: unicodedata.category(char)[0] == "M" and char != "\u1031"
)
TWO_PART_VOWELS = "\u09cb\u09cc\u0b4b\u0b4c\u0bca-\u0bcc\u0d4a-\u0d4c\u0ddc-\u0dde"
# Letters of scripts with such vowels. Sinhala's from ya on aren't among them: its words do have ya twice before such a vowel.
LETTERS_OF_TWO_PART_VOWELS = _blocks("Bengali..Sinhala", only=lambda char: char < "\u0dba" and _is_letter(char))
# Vowel signs, and in some scripts what stands among them: signs of nasals and breath, medial consonants.
VOWEL_SIGNS = (
    "\u0901-\u0903\u093e-\u094c\u0981-\u0983\u09be-\u09cc\u0a3e-\u0a4c\u0abe-\u0acc\u0b3e-\u0b4c\u0bbe-\u0bcc\u0c3e-\u0c4c"
    "\u0cbe-\u0ccc\u0d3e-\u0d4c\u0dcf-\u0ddf\u0f71-\u0f7e\u102b-\u1038\u103a-\u103e\u104c-\u104f\u17b6-\u17d1"
)

# Scripts that are written from right to left: blocks that hold them, and those that Unicode keeps for them.
ARABIC_FORMS = _blocks("Arabic Presentation Forms-A", "Arabic Presentation Forms-B", only=lambda char: char != "\ufeff")
RIGHT_TO_LEFT = (
    _blocks("Hebrew..Arabic Extended-A", "Alphabetic Presentation Forms", only=lambda char: not "\ufb00" <= char <= "\ufb1c")
    + _blocks("Arabic Presentation Forms-A", "Arabic Presentation Forms-B")
    + _blocks("Cypriot Syllabary..Elymaic", "Mende Kikakui..Arabic Mathematical Alphabetic Symbols")
)

# Glyphs, not letters. The honorifics from U+FDFA on are drawn as signs, not as the words that they stand for.
VERTICAL_FORMS = _blocks(
    *("Vertical Forms", "CJK Compatibility Forms"), only=lambda char: unicodedata.decomposition(char).startswith("<vertical>")
)
# Radicals that fonts draw as they draw the ideographs, so that programs write one code for the other (by the glyphs of Noto Sans
# CJK). Of the others, those that Unicode itself takes for ideographs have a decomposition.
RADICALS = dict(
    zip(
        "⺂⺃⺅⺉⺋⺎⺏⺐⺒⺓⺔⺕⺖⺘⺙⺛⺞⺠⺡⺣⺤⺦⺨⺫⺭⺯⺰⺱⺲⺳⺹⺺⺾⺿⻂⻃⻄⻅⻆⻈⻉⻋⻌⻍⻎⻐⻑⻒⻓⻔⻖⻘⻙⻚⻛⻜⻝⻟⻠⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲",
        "乛乚亻刂㔾兀尣尢巳幺彑彐忄扌攵旡歺民氵灬爫丬犭罒礻糹纟罓罒㓁耂肀艹艹衤覀西见角讠贝车辶辶辶钅長镸长门阝青韦页风飞食飠饣马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀",
        strict=True,
    )
)
GLYPHS = (
    "".join(RADICALS)
    + _blocks("CJK Radicals Supplement", "Kangxi Radicals", only=lambda char: bool(unicodedata.decomposition(char)))
    + _blocks("Alphabetic Presentation Forms")
    + _blocks(
        *("Arabic Presentation Forms-A", "Arabic Presentation Forms-B"),
        only=lambda char: bool(unicodedata.decomposition(char)) and not "\ufdfa" <= char <= "\ufdff",
    )
    + VERTICAL_FORMS
)

JOINERS = "\u200c\u200d"  # not drawn, but they choose forms of letters
# Zero-width spaces, joiners of words, marks of direction, soft hyphens: nothing is drawn.
INVISIBLE = "\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad"
SURROGATES = _blocks("High Surrogates..Low Surrogates")
# Separators of lines, overrides of direction, lone surrogates: they disturb the text around them.
DISTURBING = "\u2028-\u202e\u2066-\u2069" + SURROGATES
PRIVATE = _blocks("Private Use Area", "Supplementary Private Use Area-A", "Supplementary Private Use Area-B")
LEADER_DOTS = ".\u00b7\u2024-\u2027\u22ef\u30fb\uff0e\uff65"  # what leaders of contents pages are made of
ACCENTS = _blocks("Combining Diacritical Marks")
# Signs that hardly stand in prose, without the minus.
MATH = _blocks(
    "Mathematical Operators", "Miscellaneous Mathematical Symbols-A",
    "Miscellaneous Mathematical Symbols-B..Supplemental Mathematical Operators", "Mathematical Alphanumeric Symbols",
    only=lambda char: char != "\u2212",
)  # fmt: skip
# Punctuation and symbols: what parts words, but for white space; and what is no letter.
_ASCII_AND_LATIN_1_SIGNS = r"!-/:-@\[-`{-\xbf"
PARTING = (
    _ASCII_AND_LATIN_1_SIGNS
    + _blocks("General Punctuation", only=lambda char: char not in JOINERS)
    + _blocks("CJK Symbols and Punctuation")
)
NOT_LETTERS = (
    r"\x00- 0-9"
    + _ASCII_AND_LATIN_1_SIGNS
    + _blocks("General Punctuation", "Arrows..Supplemental Arrows-A", "CJK Symbols and Punctuation", "Private Use Area")
    + "\ufffd"
)
SMALL_CYRILLIC = _blocks("Cyrillic", only=str.islower)
# Letters of the three scripts that have look-alikes in each other.
LATIN = "A-Za-z" + _blocks("Latin-1 Supplement..Latin Extended-B", "Latin Extended Additional", only=str.isalpha)
GREEK = _blocks("Greek and Coptic", "Greek Extended", only=str.isalpha)
CYRILLIC = _blocks("Cyrillic..Cyrillic Supplement", only=str.isalpha)


@functools.cache
def script(char: str) -> str:
    """The character's script (ISO 15924); one of `NO_SCRIPT` if it has none of its own."""
    return tables.script(char)


def num_marks(text: str) -> int:
    """The number of accents and other marks on a text's letters."""
    return sum(unicodedata.combining(char) > 0 for char in unicodedata.normalize("NFD", text))


def name(script: str) -> str:
    """The script's name in English, by its code; "" for codes that Unicode doesn't have."""
    return tables.script_name(script, default="")


def parts(code: str) -> frozenset[str]:
    """The scripts of single characters (ISO 15924) that a script is made of: Jpan of Hani, Hira and Kana; most of themselves."""
    return _PARTS.get(code, frozenset({code}))


def main_script(text: str) -> tuple[str, float]:
    """The script of `text` (ISO 15924) and the share of its letters that are of it or Latin; `("Zyyy", 0.0)` without letters.

    Names and commands are Latin in documents of any script, so another one needs only a quarter of the letters. Chinese
    characters with kana are `Jpan`, with hangul `Kore`; alone they are `Hans` or `Hant` by which of the two old national sets
    holds more of them, `Hani` where that is even.
    """
    if text.isascii():
        return ("Latn", 1.0) if _ASCII_LETTER.search(text) else ("Zyyy", 0.0)
    counts: Counter[str] = Counter()
    for char, n in Counter(text).items():
        counts[script(char)] += n
    for code in NO_SCRIPT:
        counts.pop(code, None)
    total = counts.total()
    if not total:
        return "Zyyy", 0.0
    for part, code in _WITH_HAN.items():
        if counts[part] > 0.02 * total:
            counts[code] += counts.pop(part) + counts.pop("Hani", 0)
    latin = counts.pop("Latn", 0)
    code, n = max(counts.items(), key=lambda item: (item[1], item[0]), default=("Latn", 0))
    if n < total / 4 and latin > n:
        return "Latn", latin / total
    return (_han_variant(text) if code == "Hani" else code), (n + latin) / total


def third_script_share(text: str) -> float:
    """The share of a text's letters that are neither Latin nor of the other script that most of them are of."""
    counts: Counter[str] = Counter()
    for char, n in Counter(text).items():
        code = script(char)
        if code not in NO_SCRIPT:
            counts["Hani" if code in EAST_ASIAN else code] += n
    total = counts.total()
    del counts["Latn"]
    return (counts.total() - max(counts.values(), default=0)) / total if total else 0.0


def _han_variant(text: str) -> str:
    simplified = sum(n * _only_in(char, "gb2312", "big5") for char, n in Counter(text).items())
    return "Hans" if simplified > 0 else "Hant" if simplified < 0 else "Hani"


@functools.cache
def _only_in(char: str, charset: str, other: str) -> int:
    """1 if only `charset` has the character, -1 if only `other` has, 0 otherwise."""
    return _has(charset, char) - _has(other, char)


def _has(charset: str, char: str) -> bool:
    try:
        char.encode(charset)
    except UnicodeEncodeError:
        return False
    return True

"""Letters that look the same in two scripts. A reader learns them as one class, and the word around them says which is meant.

Cyrillic `Все` and Latin `Bce` are one picture. No word mixes two scripts, so its other letters say which script a word is in. If
it has no others, the nearest word that has some decides. The same rule mends letters of the wrong script that are merely similar
(`гm`, `кaraлог`).
"""

import re
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

from datagen.writing import scripts

# For each script, its letters and the Latin ones that are drawn alike, in the same order. They are those of Unicode's confusables
# (UTS 39) that no common typeface tells apart. A pair is one class.
ALIKE = {
    "Cyrl": ("асеорхуіјѕАВСЕНІЈКМОРЅТХҮ", "aceopxyijsABCEHIJKMOPSTXY"),
    "Grek": ("οΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oABEZHIKMNOPTYX"),
}
# Similar letters are two classes, but they don't show which script a word is in.
_SIMILAR = {"Cyrl": ("гкпи", "rknu"), "Grek": ("υνικρ", "uvikp")}
# The letters among those alike that hardly any language of the script has.
_RARE = {"Cyrl": frozenset("sSjJ"), "Grek": frozenset()}
_TO_LATIN = {script: str.maketrans(own, latin) for script, (own, latin) in ALIKE.items()}
_MEND_TO_LATIN = {script: str.maketrans(own, latin) for script, (own, latin) in _SIMILAR.items()}
_FROM_LATIN = {s: str.maketrans(ALIKE[s][1] + _SIMILAR[s][1], ALIKE[s][0] + _SIMILAR[s][0]) for s in ALIKE}
# Kana and the ideographs, or hiragana, that are drawn alike.
_KANA_AS_IDEOGRAPHS = dict(zip("ーカニロエタトハチオ", "一力二口工夕卜八千才", strict=True))
_IDEOGRAPHS_AS_KANA = {ideograph: kana for kana, ideograph in _KANA_AS_IDEOGRAPHS.items()}
_KANA_AS_HIRAGANA = dict(zip("ヘベペリ", "へべぺり", strict=True))
_KANA = re.compile("[{}]".format("".join((*_KANA_AS_IDEOGRAPHS, *_IDEOGRAPHS_AS_KANA, *_KANA_AS_HIRAGANA))))
_KATAKANA, _HIRAGANA, _HAN = (re.compile(f"[{kind}]") for kind in ("\u30a1-\u30fa\u30fc", "\u3041-\u3096", scripts.IDEOGRAPHS))
_CAPITALS = re.compile(r"(?<![^\W\d_])(?:(?=(?:l*[A-ZÀ-ÖØ-Þ]){4})[A-ZÀ-ÖØ-Þl]+|l[A-ZÀ-ÖØ-Þ]+)(?![^\W\d_])")
_NUMERALS = frozenset("一二三四五六七八九十百千万数何両半全各")
_COUNTED = tuple("月所国年条村寺町店")
_KEYS = ("長", "短", "調")
_STATES = frozenset("日米中英独仏欧韓朝印")
_ONE_SIGN = str.maketrans(
    {sign: alike[0] for alike in ("'‘’‚`´′ʼ", '"“”„«»″', "-‐‑–—−―", "·•∙‧・●", ".。．", ",，、،", ":：", "…") for sign in alike}
)
_WORD = re.compile(r"[^\W\d_]+")
_LONE_STROKE = re.compile(r"(?<!\w)[|l](?!\w)")
_STOPS = ",.;:!?"
_PLAIN = re.compile(rf"[^\W\d_]+[{_STOPS}]?")
_THREE_FOR_ZE = re.compile(f"(?<![^\\W_])3(?=[{scripts.SMALL_CYRILLIC}]{{3}})")


def fold(text: str, script: str) -> str:
    """`text` with the script's letters that look Latin written as Latin."""
    return text.translate(_TO_LATIN.get(script, {}))


def one_sign(text: str) -> str:
    """`text` with one sign for each class of quotes, dashes and dots that readers take for one another."""
    return text.translate(_ONE_SIGN).replace("…", "...").replace("''", '"')


def with_lone_capital(reading: str, text: str) -> str:
    """A `reading` of what another reader read as `text`, with `I` for a bar or an `l` where a word differs from the
    text's by that alone: a lone `I` is one stroke."""
    ours, theirs = text.split(), reading.split()
    for edit in Levenshtein.opcodes(ours, theirs):
        for i, j in zip(range(edit.src_start, edit.src_end), range(edit.dest_start, edit.dest_end), strict=False):
            capital = _LONE_STROKE.sub("I", theirs[j])
            if one_sign(capital) == one_sign(ours[i]):
                theirs[j] = capital
    return reading if theirs == reading.split() else " ".join(theirs)


def in_context(text: str) -> str:
    """`text` with kana that look like ideographs, or like other kana, ideographs that look like kana, and `l` for `I`, as what
    stands beside them says.

    A long mark follows kana, so that one behind an ideograph is `一`. A katakana alone, behind an ideograph that is no number, is
    the ideograph that it looks like: in `入カ`, not in `二カ月` and `日ロ`. Among katakana an ideograph is a kana, and among
    hiragana a katakana is a hiragana. Among four capitals of a Latin word, or more, and no other letter, `l` is `I`, and so
    is one before capitals alone, as in `lA`.
    """
    return _KANA.sub(_in_context, _CAPITALS.sub(lambda word: word[0].replace("l", "I"), text))


def _in_context(match: re.Match[str]) -> str:
    text, at, char = match.string, match.start(), match[0]
    before, behind = text[at - 1 : at], text[at + 1 : at + 2]
    if char in _IDEOGRAPHS_AS_KANA:
        is_kana = _KATAKANA.match(before) and (_KATAKANA.match(behind) or (char == "一" and not _HAN.match(behind)))
        return _IDEOGRAPHS_AS_KANA[char] if is_kana else char
    if _KATAKANA.match(behind) or _KATAKANA.match(before) or behind == "ー":
        return char
    if char in _KANA_AS_HIRAGANA:
        is_hiragana = _HIRAGANA.match(before) or (_HAN.match(before) and char != "リ") or _HIRAGANA.match(behind)
        return _KANA_AS_HIRAGANA[char] if is_hiragana else char
    if not _HAN.match(before) or (char != "ー" and before in _NUMERALS):
        return char
    is_word = (char == "カ" and behind in _COUNTED) or (char == "ロ" and before in _STATES)
    if is_word or (char in "ハニロト" and behind in _KEYS):
        return char
    return _KANA_AS_IDEOGRAPHS[char]


def unfold(text: str, script: str) -> str:
    """The text that `fold` was given, as far as words tell.

    A Latin word that has only letters that look alike, and stands among words of the script, comes back in the script.
    """
    if script not in ALIKE:
        return text
    words = list(_WORD.finditer(text))
    sides = [_side(word[0], script) for word in words]
    out, end = [], 0
    for i, word in enumerate(words):
        table = _FROM_LATIN if _nearest(sides, i) >= 0 else _MEND_TO_LATIN
        out += [text[end : word.start()], word[0].translate(table[script])]
        end = word.end()
    mended = "".join([*out, text[end:]])
    return _THREE_FOR_ZE.sub("\u0417", mended) if script == "Cyrl" else mended


def mended(text: str, script: str) -> str:
    """`text` with each word that mixes letters of two scripts written in the one that it is in: what its author meant to type."""
    if script not in ALIKE:
        return text

    def mend(word: re.Match[str]) -> str:
        folded = fold(word[0], script)
        return unfold(folded, script) if _side(folded, script) else word[0]

    return _WORD.sub(mend, text)


def is_settled(text: str, script: str) -> bool:
    """Whether the text's picture says which script each of its words is in.

    A word of letters that look alike, or similar, in two scripts does not say it: the name of a command, a label such as `C.2`,
    an abbreviation. If it is no abbreviation, and the words beside it are of the script, these say it.
    """
    return not unsettled(text, script)


def unsettled(text: str, script: str) -> list[int]:
    """The numbers of the words, as spaces part them, of which the picture doesn't say in which script they are."""
    if script not in ALIKE:
        return []
    unsure_words = []
    tokens = text.split()
    sides = [[_side(fold(word, script), script) for word in _WORD.findall(token)] for token in tokens]
    for i, token in enumerate(tokens):
        if not is_unsure(token, script):
            continue
        beside = [side for near in sides[max(0, i - 1) : i] + sides[i + 1 : i + 2] for side in near]
        is_plain = _PLAIN.fullmatch(token) is not None and (token.islower() or token.istitle())
        if not (is_plain and max(beside, default=0) > 0 and min(beside) >= 0):
            unsure_words.append(i)
    return unsure_words


def is_unsure(token: str, script: str) -> bool:
    """Whether a token has a word of letters that look alike, or similar, in two scripts, and of no others."""
    unsure = frozenset("".join((*ALIKE[script], *_SIMILAR[script]))) if script in ALIKE else frozenset()
    return any(unsure.issuperset(word) for word in _WORD.findall(token))


def _side(word: str, script: str) -> int:
    """The number of letters that are surely the script's, less the number that are surely Latin. If there are none of either, a
    rare letter counts as Latin."""
    unsure = ALIKE[script][1] + "".join(_SIMILAR[script])
    sure = [c for c in word if c not in unsure]
    side = sum(-1 if scripts.script(c) == "Latn" else 1 for c in sure)
    return side or -any(c in _RARE[script] for c in word)


def _nearest(sides: Sequence[int], i: int) -> int:
    """The side of word `i`, or of the nearest word that has one; of two as near, the earlier. 1, the script's, if none has."""
    for distance in range(len(sides)):
        for j in (i - distance, i + distance):
            if 0 <= j < len(sides) and sides[j]:
                return sides[j]
    return 1

"""Lines of text put together as a person would type them."""

import re
from collections.abc import Collection, Sequence

from datagen.writing import scripts

# The letters of scripts without spaces between words, and the punctuation that they set in full width.
_UNSPACED = re.compile(f"[{scripts.HAN}{scripts.PHRASED}{scripts.YI}]")
_HAN = re.compile(f"[{scripts.HAN}]")
_HAN_LATIN = re.compile(f"(?<=[{scripts.HAN}])( ?)[0-9A-Za-z]|[0-9A-Za-z]( ?)(?=[{scripts.HAN}])")
_HANGUL = re.compile(f"[{scripts.HANGUL}]")
_ENDS_PHRASE = re.compile(f"[{scripts.PHRASE_ENDS}]")
_HYPHENS = "-\u2010\u058a\u00ad"  # and Armenian's; a soft hyphen, which is drawn at a line's end
# What stands at a word's end without a space behind it: dashes, a slash, maqaf, and Ethiopic's sign between words.
_DRAWING = "\u2014\u2013/\u05be\u1361"
_SOFT_HYPHEN = "\u00ad"
CUT = "\u2060"  # behind a line that ends within a word, without a hyphen: `text_layer` knows it of Korean
SPACED = "\u2063"  # behind a line at whose end somebody typed a space, in writing without spaces between words
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010\u058a][^\W\d_]+)*")
_LATIN_END, _LATIN_START = re.compile("[A-Za-z]+$"), re.compile("[A-Za-z]+")
_LAST_WORD, _FIRST_WORD = re.compile(r"[^\W\d_]+$"), re.compile(r"[^\W\d_]+")
# Addresses on the net, paths of files, options of programs: a hyphen in one of these is its own.
_LITERAL = re.compile(r"[(<\[\"'“‘]*(?:[a-z][a-z+.]*://|mailto:|www\.|(?:~|\.{1,2})?/[\w.~-]|-{1,2}\w).*", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:[a-z][a-z+.]*://|mailto:|www\.|<[\w.+-]+@)", re.IGNORECASE)
_PART_OF_ADDRESS = re.compile(r"[\w%~+-]*[/=&?#_%~@]\S*|[\w-]{2,}\.\w{2,}\S*")
_IN_NAME = re.compile("[@_]")  # of an address or a program's
_IN_FOLDER = re.compile(r"://[^/]+/.+/$")  # with a word behind it that is all of the next line
_QUERY = re.compile(r"[\w.%-]+=")
_CUT_HOST = re.compile(r"://[\w.-]*\.$")
_REST_OF_HOST = re.compile(r"[a-z][\w-]*\.[a-z]{2}|(?:org|com|net|edu|gov)\b")
_CUT_VALUE = re.compile(r"--[\w-]+=|[\w.-]+@[\w.-]+:")  # of an option; a path behind a user and a host
_SCHEMES = ("http:", "https:", "ftp:")
_CLOSING = ".,;:!?)>]\"'"
_PATH = re.compile(r"(?:^|[(<\[\"'“‘=])(?:~|\.{1,2})?/(?:[\w.+~-]+/)*[\w.+~-]*$")
_OTHER_ADDRESS = re.compile(r"(?:https?|ftp)://|www\.", re.IGNORECASE)
_REPEATED = "\u0e46\u0ec6"  # Thai's and Lao's sign for a word that comes twice: a space is behind it
# A hyphen in front of one of these stands for a word's second half: "Ein- und Ausgabe".
_CONJUNCTIONS = frozenset(
    "and or to und oder bis sowie bzw noch et ou à y e o u i en of och eller og eller oraz lub albo a nebo či ili или и або та й "
    "ja tai és vagy ve veya și sau".split()
)
_COMPOUNDING = frozenset(
    ("self", "well", "non", "update")
)  # these hardly end a syllable, so a hyphen behind one is the compound's
_MIN_COMPOUNDING = 4
# Korean particles, which no space precedes. Those that are words of their own, too, aren't here.
_PARTICLES = frozenset(
    "에 에서 에게 에는 에도 에만 을 를 은 는 의 와 과 로 로서 로써 으로 으로는 보다 까지 부터 처럼 께서".split()
    + "입니다 습니다 이며 이나".split()
)
_IN_COMPOUND = re.compile(r"[^\W\d_]-(?:of|the|to|and|by|at|for|de|la|le|les|du|des|sur|di)-$")  # cup-of-ramen
_NO_SYLLABLE = re.compile("[bcdfghjkmnpqstvxz]{2,}", re.IGNORECASE)  # r and l have syllables of their own: "prst", "vlk"
_EXTENSIONS = re.compile(
    r"(?:conf|txt|deb|dsc|orig|tar|gz|xz|html?|pdf|py|sh|xml|json|ya?ml|symbols|install|dirs|docs|links|postinst|preinst|postrm|prerm"
    r"|templates|service|changes|patch|diff)\b"
)


def joined(lines: Sequence[str], soft: Sequence[bool] = (), words: Collection[str] = ()) -> str:
    """The lines' text in one, with words whole that the typesetter cut.

    `soft` says of each line but the last whether the next word merely didn't fit. A newline stands behind a line of which this is
    False. Behind all others:

    - A hyphen (`-`, U+2010, Armenian's) between a letter and a small letter is the typesetter's, and goes. It stays if `words`,
      all words of the same page in small letters, have the compound with its hyphen, in any form, and don't have it without; in
      front of a conjunction of theirs (`Ein- und Ausgabe`); behind a small word of a compound (`cup-of-ramen`); beside what is no
      syllable (`pg-promise`); and in addresses, paths and options. A soft hyphen always goes.
    - An address or a path that is cut goes on without a space. So does a Korean word that the page also has whole, one whose
      particle stands on the next line, and one behind whose part the line has U+2060.
    - Letters of scripts without spaces between words are drawn to each other, but not behind the end of a phrase, Thai's sign
      for a word that comes twice, or U+2063. So are Chinese and Latin if they mostly are within the lines. Dashes and slashes
      draw the next line to them if no space is before them; a slash draws no slash, and no whole address.
    - Between all others stands a space.
    """
    text = ""
    for i, line in enumerate(lines):
        if not text or not line:
            text += line
        elif soft and not soft[i - 1]:
            text = f"{as_drawn(text)}\n{line}"
        elif text[-1] == CUT:
            text = text[:-1] + line
        elif text[-1] == SPACED:
            text = f"{text[:-1]} {line}"
        else:
            text = _drawn_together(text, line, words)
    return as_drawn(text)


def as_drawn(line: str) -> str:
    """A line without what only `joined` needs to know of its end."""
    return line.removesuffix(CUT).removesuffix(SPACED).replace(_SOFT_HYPHEN, "-")


def words_of(lines: Sequence[str]) -> set[str]:
    """The words within these lines, in small letters, compounds with their hyphens as one. Words that a line cuts aren't there.

    `joined` asks for them where a line ends with a hyphen, in Hangul, or in a Latin letter on a Chinese page. If none does, they
    are none, since to find them costs. Chinese around a Latin word is no part of it.
    """
    uncut: set[str] = set()
    is_han = any(map(_HAN.search, lines))
    ends = [line[-1] for line in lines if line]
    is_asked = any(end in _HYPHENS or end == CUT or _HANGUL.match(end) for end in ends)
    if not is_asked and not (is_han and any(map(_LATIN_END.search, lines))):
        return uncut
    if is_han:
        lines = [_HAN.sub(" ", line) for line in lines]
    goes_on = False
    for line in lines:
        whole = _WORD.findall(line.lower())
        is_cut = len(whole) > 0 and (line[-1] in _HYPHENS or line[-1] == CUT or (is_han and bool(_LATIN_END.search(line))))
        uncut.update(whole[goes_on : -1 if is_cut else None])
        goes_on = is_cut
    return uncut


def _drawn_together(left: str, right: str, words: Collection[str]) -> str:
    last = left[-1]
    if last in _HYPHENS and left[-2:-1].isalnum():
        return _without_hyphen(left, right, words)
    if left.endswith("/-"):  # a typesetter's hyphen behind the folder of a path
        return left[:-1] + right
    if _HAN.match(last) or _HAN.match(right):
        if _UNSPACED.match(last) and _UNSPACED.match(right):
            return left + right
        gaps = _HAN_LATIN.findall(left) + _HAN_LATIN.findall(right)
        most = len(gaps) if _HAN_LATIN.search(last + right[0]) else 1
        return left + right if gaps and 2 * sum(" " in gap for gap in gaps) < most else f"{left} {right}"
    if _UNSPACED.match(last) and _UNSPACED.match(right):
        is_apart = last in _REPEATED or (_ENDS_PHRASE.match(last) and not _ENDS_PHRASE.match(right))
        return f"{left} {right}" if is_apart else left + right
    if _HANGUL.match(last) and _HANGUL.match(right) and _is_cut_korean(left, right, words):
        return left + right
    if (_HAN.search(left) or _HAN.search(right)) and _is_cut_latin(left, right, words):
        return left + right
    before = _last_token(left)
    if last == "/" and (right[0] == "/" or (_OTHER_ADDRESS.match(right) and not _ADDRESS.search(before))):
        return f"{left} {right}"
    if is_cut_literal(left, right) or (last in _DRAWING and len(before) > 1 and not _ADDRESS.search(before)):
        return left + right
    return f"{left} {right}"


def _is_cut_latin(left: str, right: str, words: Collection[str]) -> bool:
    """Whether a Latin word of a Chinese text goes on in the next line: the page has it whole, but not both halves."""
    first, last = _LATIN_START.match(right), _LATIN_END.search(left)
    if first is None or last is None or not words:
        return False
    halves = last[0].lower(), first[0].lower()
    return "".join(halves) in words and not all(half in words for half in halves)


def _is_cut_korean(left: str, right: str, words: Collection[str]) -> bool:
    """Whether a Korean word goes on in the next line. Words have endings, so one that only begins as this one does is enough,
    unless its first half is a word of the page, too."""
    first, last = _FIRST_WORD.match(right), _LAST_WORD.search(left)
    assert first is not None and last is not None
    if first[0] in _PARTICLES or "@" in _last_token(left):
        return True
    whole = (last[0] + first[0]).lower()
    if whole in words or (last[0].endswith("니") and first[0] == "다"):  # the polite ending of a sentence
        return True
    if last[0] in words:
        return False
    is_begun = len(last[0]) > 1 and any(last[0] + first[0][:n] in words for n in range(1, len(first[0])))  # an ending follows
    return is_begun or any(word.startswith(whole) for word in words)


def _without_hyphen(left: str, right: str, words: Collection[str]) -> str:
    """Both lines in one, the first of which ends with a hyphen behind a letter or a digit."""
    if left[-1] == _SOFT_HYPHEN:
        return left[:-1] + right
    first, last = _FIRST_WORD.match(right), _LAST_WORD.search(left[:-1])
    if first is None or last is None:
        return left + right
    if first[0] in _CONJUNCTIONS and (not words or first[0] in words):  # "та" is a word of Ukrainian, and a word's end elsewhere
        return f"{left} {right}"
    token = _last_token(left)
    if _LITERAL.fullmatch(token) or "://" in token or _IN_NAME.search(right.partition(" ")[0]):
        return left + right
    if last[0].lower() == first[0].lower() and len(first[0]) > 2:  # masing-masing
        return left + right
    solid, compound = (last[0] + first[0]).lower(), f"{last[0]}-{first[0]}".lower()
    if solid in words:
        return left[:-1] + right
    if (
        compound in words
        or _has_compounds_with(first[0], words)
        or _is_inflected(last[0].lower(), first[0].lower(), words)
        or last[0].lower() in _COMPOUNDING
        or _IN_COMPOUND.search(token)
        or _NO_SYLLABLE.fullmatch(last[0])
        or _NO_SYLLABLE.fullmatch(first[0])
    ):
        return left + right
    return left[:-1] + right if right[0].islower() else left + right


def _has_compounds_with(second: str, words: Collection[str]) -> bool:
    """Whether the page has other compounds with the same second half and their hyphen."""
    return len(second) >= _MIN_COMPOUNDING and any(word.endswith(f"-{second}") for word in words)


def _is_inflected(first: str, second: str, words: Collection[str]) -> bool:
    """Whether the page has the same compound with its hyphen and another ending."""
    stem = f"{first}-{second[: max(_MIN_COMPOUNDING, 2 * len(second) // 3)]}"
    return len(second) >= _MIN_COMPOUNDING and any(word.startswith(stem) for word in words)


def is_cut_literal(left: str, right: str) -> bool:
    """Whether an address or a path at the end of a line goes on at the beginning of the next."""
    before, after = _last_token(left), right.partition(" ")[0]
    if before.endswith(_SCHEMES) and after.startswith("//"):
        return True
    if len(before) > 2 and before[-1] == "@" and after[:1].isalnum():
        return True
    if _CUT_VALUE.fullmatch(before) and after[:1].isalnum():
        return True
    if _ADDRESS.search(before):
        if _CUT_HOST.search(before) and _REST_OF_HOST.match(after):
            return True
        if before[-1] == "." and _EXTENSIONS.match(after):
            return True
        if (before[-1] == "?" and _QUERY.match(after)) or (_IN_FOLDER.search(before) and after == right and after[0].islower()):
            return True
        return before[-1] not in _CLOSING and bool(_PART_OF_ADDRESS.match(after.rstrip(_CLOSING)))
    return before[-1:] == "/" and len(before) > 1 and bool(_PATH.search(before)) and bool(_PART_OF_ADDRESS.match(after))


def _last_token(text: str) -> str:
    return text[max(text.rfind(" "), text.rfind("\n")) + 1 :]

"""Vowels that stand left of the letters that they are written behind: Devanagari's ि, Bengali's ে, Tamil's ெ, Khmer's េ.

Text has a vowel behind the consonants that it is spoken after. A reader sees a line from left to right, and says a symbol where
it stands: so a vowel that is drawn in front of its consonants comes in front of them. Half of a vowel that is drawn on both sides
is a symbol of its own, where Unicode has it as one.
"""

import unicodedata

import regex

_LEFT = r"[\p{InPC=Left}\p{InPC=Left_And_Right}\p{InPC=Top_And_Left}\p{InPC=Top_And_Left_And_Right}]"
# What belongs to a consonant itself: dots that make it another one, small letters under it, and the letters that it is joined to.
# In Tamil nothing joins letters, so that each stands for itself, and in Sinhala the joiner alone does.
_JOINER = r"(?:[[\p{InSC=Virama}\p{InSC=Invisible_Stacker}]--[\u0BCD\u0DCA]]\u200D?|\u0DCA\u200D)"
_LETTER = r"\p{L}[\p{InSC=Nukta}\p{InSC=Register_Shifter}\p{InSC=Consonant_Medial}]*"
_LETTERS = rf"{_LETTER}(?:{_JOINER}{_LETTER})*"
_WRITTEN = regex.compile(rf"({_LETTERS})({_LEFT})", regex.VERSION1)
_DRAWN = regex.compile(rf"({_LEFT})({_LETTERS})", regex.VERSION1)
_ANY = regex.compile(_LEFT, regex.VERSION1)


def as_drawn(text: str) -> str:
    """A line's text with these vowels in front of their letters."""
    if not _ANY.search(text):
        return text
    return _WRITTEN.sub(r"\2\1", _ANY.sub(lambda vowel: unicodedata.normalize("NFD", vowel[0]), text))


def as_written(drawn: str) -> str:
    """The text, NFC, that `as_drawn` was given. A vowel without letters stays where it is."""
    return unicodedata.normalize("NFC", _DRAWN.sub(r"\2\1", drawn)) if _ANY.search(drawn) else drawn

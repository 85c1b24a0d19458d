"""Numbers as a script or a document writes them: its own digits, Roman numerals, and the word for a page."""

import unicodedata

# By script: the CSS counter style of its own numbers, and its digit zero, if it writes numbers by digits.
_DIGITS = {
    **{"Arab": ("arabic-indic", "٠"), "Beng": ("bengali", "০"), "Deva": ("devanagari", "०"), "Gujr": ("gujarati", "૦")},
    **{
        "Guru": ("gurmukhi", "੦"),
        "Khmr": ("khmer", "០"),
        "Knda": ("kannada", "೦"),
        "Laoo": ("lao", "໐"),
        "Mlym": ("malayalam", "൦"),
    },
    **{
        "Mong": ("mongolian", "᠐"),
        "Mymr": ("myanmar", "၀"),
        "Orya": ("oriya", "୦"),
        "Taml": ("tamil", "௦"),
        "Telu": ("telugu", "౦"),
    },
    **{
        "Thai": ("thai", "๐"),
        "Tibt": ("tibetan", "༠"),
        "Ethi": ("ethiopic-numeric", ""),
        "Hebr": ("hebrew", ""),
        "Armn": ("armenian", ""),
    },
    **{"Geor": ("georgian", ""), "Grek": ("lower-greek", ""), "Cyrl": ("decimal-leading-zero", ""), "Kore": ("hangul", "")},
    **{"Jpan": ("katakana", ""), "Hans": ("cjk-decimal", ""), "Hant": ("cjk-decimal", ""), "Hani": ("cjk-decimal", "")},
}
_PERSIAN = frozenset("fa ur ps ckb sd ks ug".split())
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"))
_ROMAN_UNITS = ((5, "v"), (4, "iv"), (1, "i"))

PAGE_WORDS = {
    **{
        "en": "Page {}",
        "de": "Seite {}",
        "fr": "Page {}",
        "es": "Página {}",
        "pt": "Página {}",
        "it": "Pagina {}",
        "nl": "Pagina {}",
    },
    **{
        "ru": "Стр. {}",
        "uk": "Стор. {}",
        "bg": "Стр. {}",
        "pl": "Strona {}",
        "cs": "Strana {}",
        "sk": "Strana {}",
        "sv": "Sida {}",
    },
    **{
        "da": "Side {}",
        "nb": "Side {}",
        "fi": "Sivu {}",
        "hu": "{}. oldal",
        "tr": "Sayfa {}",
        "el": "Σελίδα {}",
        "ro": "Pagina {}",
    },
    **{
        "ja": "{} ページ",
        "zh": "第 {} 页",
        "ko": "{} 쪽",
        "ar": "صفحة {}",
        "fa": "صفحهٔ {}",
        "he": "עמוד {}",
        "hi": "पृष्ठ {}",
        "th": "หน้า {}",
    },
    **{"bn": "পৃষ্ঠা {}", "ta": "பக்கம் {}", "km": "ទំព័រ {}", "ka": "გვერდი {}", "vi": "Trang {}", "id": "Halaman {}"},
}
"""By language: what a page's number says together with the word for a page."""


def digit_style(script: str, lang: str) -> str:
    """The CSS counter style of a script's own numbers; "decimal" if it has none."""
    if script == "Arab" and lang.split("-")[0].lower() in _PERSIAN:
        return "persian"
    return _DIGITS.get(script, ("decimal", ""))[0]


def numeral(number: int, style: str) -> str:
    """A number from 1 on: in digits of a script if `style` is their counter style, in Roman numerals if it is "roman"."""
    if style == "roman":
        text = ""
        for value, letters in _ROMAN + _ROMAN_UNITS:
            count, number = divmod(number, value)
            text += letters * count
        return text
    zero = next((zero for name, zero in _DIGITS.values() if name == style and zero), "۰" if style == "persian" else "0")
    return "".join(chr(ord(zero) + unicodedata.digit(digit)) for digit in str(number))

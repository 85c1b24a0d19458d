"""The languages that each script's reader learns: those with text in a package."""

import functools
from collections.abc import Mapping

from datagen.samples import declarations
from datagen.writing.scripts import main_script

TRUNK_ALONE = ("Hans", "Hant", "Jpan")
"""Scripts that the trunk only learns to tell apart. PP-OCR reads them."""

_LATIN = tuple("en fr de es pt-BR it pl cs tr vi fi hu sv nl ro id sw yo lt is cy mt az-Latn ha".split())
_LATIN_LINES = 500
_OF_TRUNK = {"Hans": ("zh",), "Hant": ("zh-Hant",), "Jpan": ("ja",)}
_OF_TRUNK_LINES = 2_500
_LINES, _LEAST_LINES = 9_000, 600  # of a script; of a language

# Languages that the Universal Declaration lacks, or has in few words, and that CLDR, LibreOffice or MediaWiki have.
_MORE: Mapping[str, tuple[str, ...]] = {
    "Adlm": ("ff-Adlm",),
    "Arab": ("sd", "ckb", "ks", "ug"),
    "Beng": ("as",),
    "Bugi": ("bug-Bugi",),
    "Copt": ("cop",),
    "Cyrl": ("mn", "sr", "cu"),
    "Deva": ("kok", "sd-Deva"),
    "Dsrt": ("en-Dsrt",),
    "Goth": ("got",),
    "Grek": ("el", "grc"),
    "Lana": ("nod",),
    "Mong": ("mnc-Mong", "mvf"),
    "Mtei": ("mni-Mtei",),
    "Nkoo": ("nqo",),
    "Olck": ("sat",),
    "Orya": ("or",),
    "Shaw": ("en-Shaw",),
    "Sylo": ("syl",),
    "Syrc": ("syr",),
    "Tale": ("tdd",),
    "Tfng": ("shi-Tfng",),
}


@functools.cache
def languages() -> dict[str, tuple[str, ...]]:
    """The languages (BCP-47) of each script (ISO 15924), both sorted. Raises `ValueError` without the Universal Declaration."""
    of_script: dict[str, set[str]] = {script: set(of) for script, of in _MORE.items()}
    for code in declarations.codes():
        declaration = declarations.declaration(code)
        script = main_script(" ".join(declaration.paragraphs))[0]
        if declaration.lang != "und" and script not in ("Latn", *TRUNK_ALONE):
            of_script.setdefault(script, set()).add(declaration.lang)
    of_scripts = {script: tuple(sorted(of)) for script, of in of_script.items()} | {"Latn": _LATIN} | _OF_TRUNK
    return dict(sorted(of_scripts.items()))


def num_lines(script: str, num_languages: int) -> int:
    """The most lines of each language that are learned."""
    if script == "Latn":
        return _LATIN_LINES
    return _OF_TRUNK_LINES if script in TRUNK_ALONE else max(_LEAST_LINES, _LINES // num_languages)

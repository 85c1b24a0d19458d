"""What CLDR knows of languages: the script that one is usually written in, and what languages and scripts are called.

Tags are BCP-47, scripts ISO 15924.
"""

import functools

UNKNOWN, NO_SCRIPT = "und", "Zyyy"
_OF_ONE_LANGUAGE = {"Hans": "zh-Hans", "Hant": "zh-Hant", "Hani": "zh", "Jpan": "ja", "Kore": "ko"}


@functools.lru_cache(maxsize=1024)
def script_of(lang: str) -> str:
    """The script that a language (BCP-47) is usually written in, as CLDR or its own subtag says; `Zyyy` if neither knows."""
    import langcodes  # takes 0.3 s, which a plan needn't wait for

    try:
        return langcodes.Language.get(lang).maximize().script or NO_SCRIPT
    except ValueError:
        return NO_SCRIPT


def first_language(script: str) -> str:
    """The language (BCP-47) that CLDR supposes of a text in a script: `Hebr` gives `he`."""
    import langcodes

    return langcodes.Language.make(script=script).maximize().language or UNKNOWN


@functools.cache
def name(lang: str) -> str:
    """What a language is called in English: `Simplified Chinese`, `Serbian (Latin)`; its tag where CLDR has no name for it."""
    from babel import Locale, UnknownLocaleError  # it takes a tenth of a second to load

    english = Locale("en")
    parts = lang.split("-")
    whole = english.languages.get("_".join(parts))
    if whole or english.languages.get(parts[0]) is None:
        return str(whole or lang)
    try:
        script = Locale.parse("_".join(parts)).script if len(parts) > 1 else None
    except (ValueError, UnknownLocaleError):
        script = None
    named = str(english.languages[parts[0]])
    return f"{named} ({english.scripts[script]})" if script in english.scripts else named


def has_name(lang: str) -> bool:
    """Whether CLDR names a language."""
    return name(lang) != lang


def described(lang: str, script: str) -> str:
    """The language of a text or, where that is unknown, its letters, in the words of a request: `German`, `Cyrillic letters`; ""
    where neither is known, for English, and for unknown languages in Latin letters."""
    lang = _OF_ONE_LANGUAGE.get(script, lang) if lang == UNKNOWN else lang
    if lang.split("-")[0] == "en" or (lang == UNKNOWN and script in ("Latn", NO_SCRIPT, "Zinh", "Zzzz", "")):
        return ""
    if lang != UNKNOWN:
        return name(lang)
    from babel import Locale

    return f"{Locale('en').scripts.get(script, script)} letters"

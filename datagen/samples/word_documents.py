"""Sample Word files: real documents by others out of Debian's packages, 52 of them, whose packages have 61 MB.

Debian has few .docx: the test pages of mathematical fonts, with formulas by Word itself; guides for programmers and a
specification with many tables; an R package's examples. The others are .odt, of which LibreOffice makes .docx: user guides of a
formula editor in five languages, with formulas on most pages, and LibreOffice's own guide to formulas; manuals with tables and
pictures; one manual in ten languages; texts in Hebrew, Amharic, Burmese, Arabic and Chinese. One is a .doc. Templates and empty
examples of the same packages are left out.
"""

from datagen.inputs.formats import WORD
from datagen.samples.documents import DebianSamples, Package

_GPL2, _GPL3, _OFL, _LGPL = "GPL-2.0-or-later", "GPL-3.0-or-later", "OFL-1.1", "LGPL-2.1-or-later"


def _of(name: str, licence: str, **languages: str) -> Package:
    """A package of which each language has the documents whose path ends as the pattern says."""
    documents = tuple((pattern, "" if lang == "named" else lang) for lang, pattern in languages.items())
    return Package(name, licence, documents, WORD)


# Licences as the packages' copyright files, or the documents' own, state them.
PACKAGES = (
    # Formulas
    _of("fonts-lmodern", "GUST-Font-License", en=r"test-word-latinmodern_math\.docx"),
    _of("fonts-texgyre-math", "GUST-Font-License", en=r"test-word-texgyre_\w+_math\.docx"),
    _of("libreoffice-dmaths", _GPL2, named=r"user_guide_(\w\w)\.odt", de=r"FAQ_de\.odt"),
    _of("libreoffice-dmaths", "GPL-3.0-or-later OR CC-BY-3.0", en=r"MG40-MathGuide\.odt"),
    # Tables
    _of("lib3mf-doc", "BSD-2-Clause", en=r"Lib3MF-1\.docx"),
    _of("libdigidoc-doc", _LGPL, en=r"SK-C\w+-PRG-GUIDE\.docx"),
    _of("openni-doc", "LGPL-3.0-or-later", en=r"OpenNI_UserGuide\.docx"),
    _of("r-cran-officer", "GPL-3.0-only", en=r"(table-complex|doc_examples/example)\.docx"),
    _of("pscan-chip", _GPL3, en=r"README\.docx"),
    _of("python3-knitpy", "BSD-3-Clause", en=r"knitpy_overview\.docx"),
    _of("writer2latex-manual", "LGPL-2.1-only", en=r"user-manual\.odt"),
    _of("gutenprint-doc", _GPL2, en=r"gutenprint-users-manual\.odt"),
    _of("gtkwave", _GPL2, en=r"gtkwave\.odt"),
    _of("fonts-sil-taiheritagepro", _OFL, en=r"(TaiHeritagePro-features|TaiHeritageProR-vtp)\.odt"),
    # Other manuals
    _of("aprx", "BSD-3-Clause", en=r"aprx-[\w-]+\.odt"),
    _of("coco-doc", _GPL2, en=r"(DataStructures|UserManual)\.odt"),
    _of("davical-doc", _GPL2, en=r"davical_en_user_guide\.odt"),
    _of("examl", _GPL2, en=r"ExaML\.odt"),
    _of("metastudent", _GPL2, en=r"groupC/Report\.doc"),
    _of("tiatracker", _GPL2, en=r"TIATracker_manual\.odt"),
    # Other languages
    _of("libreoffice-canzeley-client", _GPL3, de=r"Canzeley-\w+-030\.odt"),
    _of("live-manual-odf", _GPL3, named=r"live-manual\.(\w+)\.odt"),
    _of("hspell", "AGPL-3.0-or-later", he=r"niqqudless\.odt"),
    _of("fonts-senamirmir-washra", _OFL, am=r"master_test\.odt"),
    _of("fonts-sil-padauk", _OFL, my=r"Padauk-features\.odt"),
    _of("fonts-sil-scheherazade", _OFL, ar=r"Scheherazade-features\.odt"),
    _of("fonts-arphic-ukai", "Arphic-1999", **{"zh-Hant": r"Font_Comparison_ZenKai_UKai\.odt"}),
)


def word_samples() -> DebianSamples:
    """A census of these documents, fetched when it is first listed."""
    return DebianSamples(PACKAGES)

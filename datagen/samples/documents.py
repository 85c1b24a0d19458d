"""Sample documents: real PDFs by others, in some forty languages, out of Debian's packages. `word_documents.py` names Word files.

The packages are downloaded by name with apt-get, unpacked without being installed, and kept in a cache; each document carries its
package's licence. File times are the packages' own, so that the same package version gives the same census anywhere.
"""

import gzip
import logging
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import filelock

from datagen.inputs.census import Census, Listing
from datagen.inputs.formats import suffixes
from datagen.inputs.items import Item

log = logging.getLogger(__name__)

HOW_TO_GO_ON = "pass your own documents with input=DIR"


@dataclass(frozen=True)
class Package:
    """A Debian package, its licence, and its documents: the ending of a path, as a pattern, and the language of what it names
    ("": the pattern's group says it). Of its files, those of `formats` are kept, and those whose names have one of `endings`;
    with `only`, a pattern, those whose path it finds alone. Entries of one package have the same `only`."""

    name: str
    licence: str
    documents: tuple[tuple[str, str], ...] = ()
    formats: tuple[str, ...] = ("pdf",)
    endings: tuple[str, ...] = ()
    only: str = ""


def _translated(name: str, licence: str, pattern: str, *suffixes: str) -> tuple[Package, ...]:
    """A document's package and those of its translations."""
    return tuple(Package(name + suffix, licence, ((pattern, ""),)) for suffix in ("", *suffixes))


_GPL2, _OFL, _OFL_RFN = "GPL-2.0-or-later", "OFL-1.1", "OFL-1.1-RFN"

# Licences as the packages' copyright files, or the documents' own, state them.
PACKAGES = (
    Package("debian-refcard", "GPL-3.0-or-later OR LPPL-1.3c", ((r"refcard-(\w+)-a4\.pdf", ""),)),
    Package("installation-guide-amd64", "GPL-2.0-only", ((r"install\.(\w+)\.pdf", ""),)),
    Package("debian-history", _GPL2, ((r"project-history\.(\w+)\.pdf", ""),)),
    *_translated("debian-faq", _GPL2, r"debian-faq\.(\w+)\.pdf", *"-de -fr -it -nl -pt -ru".split()),
    *_translated("maint-guide", _GPL2, r"maint-guide\.([\w-]+)\.pdf", *"-ca -de -es -fr -it -ja -ru -vi -zh-cn -zh-tw".split()),
    Package("developers-reference", _GPL2, ((r"developers-reference\.pdf", "en"),)),
    Package("developers-reference-de", _GPL2, ((r"developers-reference\.pdf", "de"),)),
    Package("developers-reference-fr", _GPL2, ((r"developers-reference\.pdf", "fr"),)),
    Package("developers-reference-ja", _GPL2, ((r"developers-reference\.pdf", "ja"),)),
    Package("texlive-lang-arabic", _GPL2, ((r"lshort-persian/lshort\.pdf", "fa"),)),
    Package(
        "texlive-lang-arabic",
        "LPPL-1.3c",
        ((r"arabic-book/arabic-book\.pdf", "ar"), (r"quran/quran-test2\.pdf", "ar"), (r"kurdishlipsum\.pdf", "ckb")),
    ),
    Package("texlive-lang-cyrillic", _GPL2, ((r"lshort-ukr\.pdf", "uk"), (r"lshort-bg\.pdf", "bg"), (r"lshort-mn\.pdf", "mn"))),
    Package("texlive-lang-cyrillic", "LPPL-1.3c", ((r"pst-eucl-docBG\.pdf", "bg"),)),
    Package("texlive-lang-greek", "GPL-3.0-only", ((r"greektonoi\.pdf", "el"),)),
    Package("debian-edu-doc-uk", _GPL2, ((r"debian-edu-trixie-manual\.pdf", "uk"),)),
    Package("fonts-sil-abyssinica", _OFL_RFN, ((r"pdf/sample\.pdf", "am"),)),
    Package("fonts-sil-alkalami", _OFL, ((r"pdf/sample\.pdf", "ha-Arab"),)),
    Package("fonts-sil-awami-nastaliq", _OFL_RFN, ((r"pdf/sample\.pdf", "ur"),)),
    Package("fonts-sil-harmattan", _OFL_RFN, ((r"pdf/sample\.pdf", "ar"),)),
    Package("fonts-sil-mingzat", _OFL_RFN, ((r"typesample\.pdf", "lep"),)),
    Package("fonts-sil-mondulkiri", _OFL, ((r"The Mondulkiri Font Family\.pdf", "km"),)),
    Package("fonts-sil-padauk", _OFL, ((r"typesample\.pdf", "my"),)),
    Package("fonts-sil-shimenkan", _OFL, ((r"字体使用说明\.pdf", "zh-Hans"),)),
)

_BCP47 = {"zh_CN": "zh-Hans", "zh_TW": "zh-Hant", "pt_BR": "pt-BR", "zh-cn": "zh-Hans", "zh-tw": "zh-Hant"}


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pagewheel" / "debian"


def kept(place: Path, make: Callable[[Path], Path]) -> Path:
    """`place`, a file or folder in the cache. Where it lacks, `make` makes it in a folder for its use, one process at a time."""
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(f"{place}.lock"), tempfile.TemporaryDirectory(prefix=".tmp-", dir=place.parent) as folder:
        if not place.exists():  # unless another process has made it in the meantime
            make(Path(folder)).rename(place)
    return place


@dataclass(frozen=True)
class DebianSamples(Census):
    """A census of the documents in `packages`, fetched when it is first listed."""

    packages: tuple[Package, ...] = field(default=PACKAGES, repr=False)

    def items(self) -> list[Item]:
        """Sorted by uri. Raises `ValueError`, saying how to go on, where there is no apt or nothing could be had."""
        fetch(self.packages)
        items = [item for package in self.packages for item in _items(package)]
        if not items:
            raise ValueError(f"none of the sample packages could be had from Debian (is `apt-get update` due?): {HOW_TO_GO_ON}")
        return sorted(items, key=lambda item: item.uri)

    def pending(self) -> str:
        missing = self.missing()
        return f"fetches {len(missing)} packages first ({' '.join(missing)})" if missing else ""

    def missing(self) -> list[str]:
        """The packages that listing would download."""
        return missing(self.packages)


def fetch(packages: tuple[Package, ...]) -> None:
    """Download and unpack what the cache lacks, one run at a time. A package that can't be had is named in the log and left
    out."""
    lacking = [p for p in packages if not _cached(p)]
    if not lacking:
        return
    _need_apt("the sample documents", f": {HOW_TO_GO_ON}")
    log.info("fetching sample documents from Debian: %s", " ".join(dict.fromkeys(p.name for p in lacking)))
    cache_folder().mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(cache_folder() / ".lock"), tempfile.TemporaryDirectory(prefix=".tmp-", dir=cache_folder()) as folder:
        for package in lacking:  # unless another run has fetched it in the meantime
            if _cached(package):
                continue
            try:
                deb, raw = extracted(package.name, Path(folder))
            except ValueError as error:
                log.warning("%s", error)
            else:
                _keep(package, deb, raw)


def missing(packages: Iterable[Package]) -> list[str]:
    """The packages that the cache lacks."""
    return list(dict.fromkeys(package.name for package in packages if not _cached(package)))


def unpacked(packages: Sequence[Package]) -> list[Path]:
    """The folder with each package's files, named after the package and its version, fetched where the cache lacks it. Raises
    `ValueError` if one can't be had."""
    fetch(tuple(packages))
    if lacking := missing(packages):
        raise ValueError(f"{', '.join(lacking)} could not be had from Debian (is `apt-get update` due?)")
    return [_cached(package)[-1] for package in packages]


def download(name: str, folder: str) -> str:
    """Ask apt for a package's file, which comes into `folder` and isn't installed; returns its last message."""
    command = ["apt-get", "download", "-q", *(["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []), name]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return "apt-get took over 10 minutes"
    last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
    return (last or f"apt-get ended with {done.returncode}") if done.returncode else ""


def extracted(name: str, folder: Path) -> tuple[Path, Path]:
    """A package's file, named after its version, and the folder with what is in it, both in `folder`. Raises `ValueError`, with
    apt's last message, if the package can't be had or unpacked."""
    _need_apt(name)
    message = download(name, str(folder))
    deb = next(folder.glob(f"{name}_*.deb"), None)
    if deb is None:
        raise ValueError(f"{name} could not be had from Debian: {message}")
    raw = folder / f"{name}-raw"
    try:
        subprocess.run(["dpkg-deb", "-x", str(deb), str(raw)], check=True, capture_output=True, timeout=600)
    except (subprocess.SubprocessError, OSError) as error:
        raise ValueError(f"{deb.name} can't be unpacked: {error}") from None
    return deb, raw


def version_of(deb: Path, name: str) -> str:
    return deb.name.removeprefix(f"{name}_").rsplit("_", 1)[0]


def _need_apt(what: str, instead: str = "") -> None:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise ValueError(f"{what} come from Debian's packages, and there is no {program} here{instead}")


def _keep(package: Package, deb: Path, raw: Path) -> None:
    """The package's documents, decompressed, into the cache: all of them or none."""
    unpacked = raw.with_name(f"{package.name}-unpacked")
    unpacked.mkdir()
    for path in sorted(raw.rglob("*")):
        name = str(path.relative_to(raw)).removesuffix(".gz")
        if path.is_symlink() or not path.is_file() or not name.endswith((*suffixes(package.formats), *package.endings)):
            continue
        if not re.search(package.only, name):
            continue
        target = unpacked / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file, open(target, "wb") as out:
            shutil.copyfileobj(file, out)
        os.utime(target, ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns))
    for copyright in raw.glob(f"usr/share/doc/{package.name}/copyright"):
        shutil.copy2(copyright, unpacked / "copyright")
    shutil.rmtree(raw)
    target = _home(package) / f"{package.name}_{version_of(deb, package.name)}"
    target.parent.mkdir(exist_ok=True)
    unpacked.rename(target)


def _home(package: Package) -> Path:
    """Where the cache holds the package: a folder for each choice of formats, since one package may have documents of several."""
    kinds = (*package.formats, *(ending.strip(".") for ending in package.endings))
    return cache_folder() if kinds == ("pdf",) else cache_folder() / "-".join(kinds)


def _cached(package: Package) -> list[Path]:
    """The package's folders in the cache, the newest last."""
    folders = _home(package).glob(f"{package.name}_*")
    return sorted((f for f in folders if f.is_dir()), key=lambda f: f.stat().st_mtime_ns)


def _items(package: Package) -> list[Item]:
    folders = _cached(package)
    if not folders:
        return []
    items = []
    for item in Listing(str(folders[-1]), package.formats).scan()[0]:
        for pattern, lang in package.documents:
            if match := re.search(f"{pattern}$", item.uri):
                lang = lang or _BCP47.get(match[1], match[1])
                items.append(replace(item, lang=lang, licence=package.licence))
    return items

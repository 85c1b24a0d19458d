"""Pictures out of Debian's packages: street photographs with signs, screens and diagrams in twelve languages, and photographs
without text, which signs are set onto.

- `opencv-doc` (98 MB): OpenCV's examples, photographs. Apache-2.0 and BSD-3-Clause; no licence is stated photo by photo.
- `debian-handbook` (35 MB): an installer's screens, and diagrams, of which each translation has its own. GPL-2.0-or-later or
  CC-BY-SA-3.0.
- `dolphin-doc` (3 MB): windows of a file manager, likewise. GFDL-1.2-or-later.
- `mate-backgrounds` (47 MB): photographs of nature, GPL-2.0-or-later, by people whom the package's copyright file names.
"""

import functools
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from datagen.inputs.formats import suffixes
from datagen.inputs.items import Item
from datagen.samples.documents import DebianSamples, Package

PACKAGES = "packages"
"""What stands for the packages in place of a folder."""
FORMATS = ("jpeg", "png")
_OPENCV, _GPL2 = "Apache-2.0 AND BSD-3-Clause", "GPL-2.0-or-later"
_TEXT = (
    r"examples/text/scenetext(0\d|_segmented_word0\d)\.jpg"
    r"|examples/data/(box_in_scene\.png|(left|right|messi5|licenseplate_motion)\.jpg)"
)
_PLAIN = (
    r"examples/data/(home|building|fruits|baboon|apple|orange|aloeL|aero1|chicky_512|squirrel_cls|leuvenA|ela_original)\.jpg"
    r"|examples/data/butterfly\.jpg"
)
_OF_EACH = "(mail-server|release-cycle|inst-(tasksel|partman|rootpw))"


def _opencv(pattern: str) -> Package:
    return Package("opencv-doc", _OPENCV, ((f"({pattern})", "und"),), FORMATS)


_BACKGROUNDS = Package("mate-backgrounds", _GPL2, ((r"mate/nature/\w+\.jpg", "und"),), FORMATS)


_SCREENS = (
    Package(
        "debian-handbook",
        "GPL-2.0-or-later OR CC-BY-SA-3.0",
        (
            (rf"(ar|en|es|fr|it|ja|nl)-\w\w/images/{_OF_EACH}\.png", ""),
            (rf"pt-BR/images/{_OF_EACH}\.png", "pt-BR"),
        ),
        FORMATS,
    ),
    Package(
        "dolphin-doc",
        "GFDL-1.2-or-later",
        ((r"/(ca|de|it|nl|pt_BR|sv|tr|uk)/dolphin/(preferences-(startup|viewmodes-icons)|viewproperties-dialog)\.png", ""),),
        FORMATS,
    ),
)


def scene_samples() -> DebianSamples:
    """A census of photographs with text, of some without, and of screens and diagrams."""
    return DebianSamples((_opencv(_TEXT), _opencv(_PLAIN), *_SCREENS))


def backgrounds() -> DebianSamples:
    """A census of photographs without text."""
    return DebianSamples((_opencv(_PLAIN), _BACKGROUNDS))


@dataclass(frozen=True)
class Photograph:
    """A file, what it is called wherever it lies, and its licence, "" if nobody states one."""

    path: str
    name: str
    licence: str = ""


@functools.lru_cache(maxsize=8)
def photographs(source: str) -> tuple[Photograph, ...]:
    """The photographs in a folder, by name, or those of the packages, which are fetched where they lack. Raises `ValueError` if
    there are none."""
    if source == PACKAGES:
        return tuple(_photograph(item) for item in backgrounds().items())
    folder = Path(source)
    files = sorted(path for path in folder.rglob("*") if path.name.lower().endswith(suffixes(FORMATS)) and path.is_file())
    if not files:
        raise ValueError(f"photographs={source}: no .jpg or .png there; a folder of photographs without text is needed")
    return tuple(Photograph(str(path), path.relative_to(folder).as_posix()) for path in files)


def missing(source: str) -> list[str]:
    """The packages that `photographs` would download."""
    return backgrounds().missing() if source == PACKAGES else []


def _photograph(item: Item) -> Photograph:
    return Photograph(item.uri, PurePosixPath(item.uri).name, item.licence)

"""A maker of pictures whose objects are known: cut-outs set onto photographs, with their names in one of many languages.

A picture's caption is the list of what was set on it, from left to right, a line each: the phrases as their translators wrote
them, since no grammar is right in 70 languages. In English, half of the captions also say where each thing is. The prompt asks
for such a list, and says in which language (`datagen.target`): languages that CLDR has no English name for are left out. An
object's box is that of its pixels that are seen; an object is hidden by others at most in part.
"""

import functools
import importlib.metadata
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy
import simplejpeg
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from datagen.inputs.items import Item
from datagen.labels import OBJECT
from datagen.record import Box, Region, SampleError
from datagen.samples import cutouts as stamps
from datagen.samples.cutouts import Photograph, Stamp
from datagen.work.draws import Drawing, Draws
from datagen.writing import languages
from datagen.writing.scripts import main_script

_SIDES = (512, 640, 768, 896, 1024)  # of the longer side
_SHAPES = ((1, 1), (4, 3), (3, 2), (16, 9), (3, 4), (2, 3))
_PHOTOGRAPH = 1400  # pixels of the shorter side, up to which a photograph is kept in memory
_COVERS = 64  # of an alpha of 255: a paler pixel is glow or shadow
_SMALLEST = 28  # pixels of an object's longer side
_LARGEST_SCALE = 1.6  # of a cut-out's own pixels
_VISIBLE = 0.7  # of an object, at least
_CONTRAST = 20.0  # of 255: the mean difference between an object and what is behind it, at least
_TRIES = 12
_MIN_NAMES = 20  # of a language that pictures are made in
_NO_OBJECT = -1


@dataclass(frozen=True)
class StampDraws(Draws):
    """Draws from the packages of `datagen.samples.cutouts`, which are fetched when the draws are first listed."""

    def items(self) -> list[Item]:
        stamps.versions()
        return [replace(item, licence=stamps.LICENCE) for item in super().items()]

    def pending(self) -> str:
        missing = stamps.missing()
        return f"fetches {' '.join(missing)} from Debian first" if missing else ""


class _Object(NamedTuple):
    name: str
    x: int
    y: int
    mask: numpy.ndarray  # (H, W) booleans: where it covers what is behind it


@dataclass(frozen=True)
class Stamps:
    """Pictures of up to `max_objects` things, of which each kind is there once, or a thing several times. A share `english` of
    them are described in English and `chinese` in Chinese, the others in any other language."""

    version: ClassVar[int] = 2  # 2: names are in their language's script
    name: ClassVar[str] = "stamps"
    task: ClassVar[str] = "caption"

    max_objects: int = 8
    english: float = 0.3
    chinese: float = 0.15

    def draw(self, random: random.Random) -> Drawing:
        """Raises `SampleError` where nothing could be set so that it is seen."""
        of_lang, photographs = _named()
        lang = self._lang(random, tuple(of_lang))
        chosen = random.choice(photographs)
        picture = _background(chosen, random)
        owners = numpy.full((picture.height, picture.width), _NO_OBJECT, numpy.int16)
        objects: list[_Object] = []
        for stamp in self._chosen(of_lang[lang], chosen, random):
            _set(stamp, stamp.names[lang], picture, owners, objects, random)
        regions = sorted(self._regions(objects, owners), key=lambda region: (region.box, region.text))
        if not regions:
            raise SampleError("nothing_seen", f"no cut-out stands out from {chosen.path.rpartition('/')[2]}")
        pixels = numpy.asarray(picture)
        return Drawing(
            simplejpeg.encode_jpeg(pixels, random.randint(80, 95), "RGB", random.choice(("420", "444"))),
            picture.size,
            "",
            tuple(regions),
            lang=lang,
            script=main_script(" ".join(region.text for region in regions))[0],
            difficulty=min(1.0, len(regions) / 12),
            caption=caption(regions, picture.size, lang.startswith("en") and random.random() < 0.5),
            metadata={"background": chosen.path.rpartition("/")[2]},
        )

    def engines(self) -> dict[str, str]:
        """What decides how a picture comes out, beside the fields."""
        return {name: importlib.metadata.version(name) for name in ("pillow", "simplejpeg")} | stamps.versions()

    def _lang(self, random: random.Random, langs: Sequence[str]) -> str:
        for share, language in ((self.english, "en"), (self.chinese, "zh-Hans")):
            if random.random() < share and language in langs:
                return language
        return random.choice([lang for lang in langs if lang not in ("en", "zh-Hans")] or langs)

    def _chosen(self, named: Sequence[Stamp], behind: Photograph, random: random.Random) -> Iterator[Stamp]:
        """Cut-outs of different kinds, so that no name fits another's thing, too; some several times."""
        num_objects = random.randint(1, self.max_objects)
        by_kind: defaultdict[str, list[Stamp]] = defaultdict(list)
        for stamp in named:
            if not stamp.kind.startswith(behind.shows):
                by_kind[stamp.kind].append(stamp)
        kinds = sorted(by_kind)
        random.shuffle(kinds)
        for kind in kinds[:num_objects]:
            yield from [random.choice(by_kind[kind])] * random.choices((1, 2, 3), (0.85, 0.1, 0.05))[0]

    def _regions(self, objects: Sequence[_Object], owners: numpy.ndarray) -> Iterator[Region]:
        for number, placed in enumerate(objects):
            height, width = placed.mask.shape
            seen = owners[placed.y : placed.y + height, placed.x : placed.x + width] == number
            rows, columns = numpy.flatnonzero(seen.any(1)), numpy.flatnonzero(seen.any(0))
            (x0, x1), (y0, y1) = ((int(at[0]), int(at[-1]) + 1) for at in (columns, rows))
            box = Box(placed.x + x0, placed.y + y0, placed.x + x1, placed.y + y1)
            yield Region(box, OBJECT, placed.name, None, self.name)


def caption(regions: Sequence[Region], size: tuple[int, int], with_places: bool = False) -> str:
    """The names of the objects, a line each; in English `with_places`, in words."""
    if not with_places:
        return "\n".join(region.text for region in regions)
    return "\n".join(f"{region.text} {_place(region.box, size)}." for region in regions)


def _place(box: Box, size: tuple[int, int]) -> str:
    """Where the middle of the box is, by thirds of the picture."""
    column, row = ((3 * (a + b) // (2 * side)) for a, b, side in ((box.x0, box.x1, size[0]), (box.y0, box.y1, size[1])))
    across, down = ("left", "", "right")[min(2, column)], ("top", "", "bottom")[min(2, row)]
    if across and down:
        return f"at the {down} {across}"
    return f"on the {across}" if across else f"at the {down}" if down else "in the middle"


def _set(
    stamp: Stamp, name: str, picture: Image.Image, owners: numpy.ndarray, objects: list[_Object], random: random.Random
) -> None:
    """Put a cut-out on the picture where it is seen, and hides little of others; nowhere, if there is no such place."""
    cutout = _drawn(stamp, min(picture.size), random)
    if cutout is None or cutout.width >= picture.width or cutout.height >= picture.height:
        return
    mask = numpy.asarray(cutout.getchannel("A")) >= _COVERS
    totals = [int(placed.mask.sum()) for placed in objects]
    seen = numpy.bincount(owners[owners != _NO_OBJECT], minlength=len(objects))
    colours = numpy.asarray(cutout.convert("RGB"), numpy.int16)[mask]
    for _ in range(_TRIES):
        x, y = random.randrange(picture.width - cutout.width), random.randrange(picture.height - cutout.height)
        under = owners[y : y + cutout.height, x : x + cutout.width]
        hidden = under[mask & (under != _NO_OBJECT)]
        left = seen - numpy.bincount(hidden, minlength=len(objects)) if len(hidden) else seen
        if any(n < _VISIBLE * total for n, total in zip(left.tolist(), totals, strict=True)):
            continue
        behind = picture.crop((x, y, x + cutout.width, y + cutout.height))
        if abs(colours - numpy.asarray(behind, numpy.int16)[mask]).mean() < _CONTRAST:
            continue
        picture.paste(cutout, (x, y), cutout)
        under[mask] = len(objects)
        objects.append(_Object(name, x, y, mask))
        return


def _drawn(stamp: Stamp, side: int, random: random.Random) -> Image.Image | None:
    """The cut-out at a size, perhaps turned a little or mirrored, without empty margins; None if it is too small to be seen.
    `side` is the picture's shorter one."""
    cutout = _cutout(stamp.path)
    wanted = side * 2 ** random.uniform(-3.2, -0.8)  # from a ninth of it to over a half
    scale = min(_LARGEST_SCALE, wanted / max(cutout.size))
    is_mirrored, angle = stamp.may_mirror and random.random() < 0.5, random.uniform(-20, 20) if random.random() < 0.3 else 0.0
    width, height = (max(1, round(scale * length)) for length in cutout.size)
    if max(width, height) < _SMALLEST:
        return None
    cutout = cutout.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    if is_mirrored:
        cutout = ImageOps.mirror(cutout)
    if angle:
        cutout = cutout.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    covers = cutout.getchannel("A").point(lambda value: 255 * (value >= _COVERS))
    box = covers.getbbox()
    return cutout.crop(box) if box else None


def _background(of: Photograph, random: random.Random) -> Image.Image:
    """A piece of the photograph, in a size and a light of its own."""
    whole = photograph(of.path)
    across, down = random.choice(_SHAPES)
    longer = random.choice(_SIDES)
    size = (longer, round(longer * down / across)) if across >= down else (round(longer * across / down), longer)
    largest = min(whole.width / size[0], whole.height / size[1])
    scale = largest * random.uniform(0.45, 1.0)
    width, height = scale * size[0], scale * size[1]
    x, y = random.uniform(0, whole.width - width), random.uniform(0, whole.height - height)
    picture = whole.resize(size, Image.Resampling.BILINEAR, (x, y, x + width, y + height))
    if random.random() < 0.5:
        picture = ImageOps.mirror(picture)
    picture = ImageEnhance.Brightness(picture).enhance(random.uniform(0.7, 1.2))
    return picture.filter(ImageFilter.BoxBlur(random.uniform(1, 4))) if random.random() < 0.25 else picture


@functools.cache
def _named() -> tuple[dict[str, list[Stamp]], tuple[Photograph, ...]]:
    """The cut-outs by the languages that have names for them, and the photographs."""
    cutouts, photographs = stamps.packaged()
    of_lang: defaultdict[str, list[Stamp]] = defaultdict(list)
    for stamp in cutouts:
        for lang in filter(languages.has_name, stamp.names):
            of_lang[lang].append(stamp)
    return {lang: of_lang[lang] for lang in sorted(of_lang) if len(of_lang[lang]) >= _MIN_NAMES}, photographs


@functools.lru_cache(maxsize=256)
def _cutout(path: str) -> Image.Image:
    """Some 200 KB each."""
    with Image.open(path) as opened:
        cutout = opened.convert("RGBA")
    return cutout.crop(cutout.getchannel("A").getbbox() or (0, 0, 1, 1))


@functools.cache
def photograph(path: str) -> Image.Image:
    """A photograph, its shorter side of at most `_PHOTOGRAPH` pixels: some 9 MB each."""
    with Image.open(path) as opened:
        opened.draft("RGB", (_PHOTOGRAPH, _PHOTOGRAPH))
        whole = opened.convert("RGB")
    scale = _PHOTOGRAPH / min(whole.size)
    return (
        whole.resize((round(scale * whole.width), round(scale * whole.height)), Image.Resampling.BICUBIC) if scale < 1 else whole
    )

"""Scenes: photographs, posters and screens with the text in them, read by PaddleOCR; and signs set onto photographs, with exact
labels.

Without `input` the pictures are photographs and screens of Debian's packages, in twelve languages, some of them without text, and
scenes composed on photographs without text. Own pictures come from LAION's, Wukong's or img2dataset's data, or from any folder.
"""

import logging
from dataclasses import replace
from typing import Annotated, Any

from datagen.disk.storage import Folder
from datagen.inputs.census import Census
from datagen.pictures.filter_pictures import FilterPictures
from datagen.pictures.pick_source import pictures
from datagen.pictures.source import ImageSource
from datagen.samples import photographs as scene_packages
from datagen.scene.judge_scene import JudgeScene
from datagen.scene.read_scene import ReadScene
from datagen.work.draws import DrawSource
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe, Step, corpus
from recipes.words import engines as page_engines
from recipes.words import values
from recipes.words.engines import EMBEDDED
from recipes.words.fields import of_word

log = logging.getLogger(__name__)

NAME, DRAWN = "scene", "drawn_scenes"
SHARD_PICTURES = 250  # a picture takes one or two seconds of a core
DEFAULT_DRAWN = 400
BLOCK = 50  # drawn scenes of an item
MAX_DROP = 0.99  # most pictures of the web have no text
LONG_SIDE = 2048  # pixels of a picture, at most
TOGETHER = 16  # pictures whose lines a GPU reads in one batch: they take 200 MB


def scene(
    input: str = "",
    list: str = "",
    unsafe_list: bool = False,
    download: str = "",
    only: str = "",
    judge: Annotated[
        str, "A:V,…", "limits on readings (min_sure:0.95) and shares of languages (languages:zh:0.5+other:0.1)"
    ] = "",
    agreement: Annotated[bool, "0|1", "read each picture at two sizes and compare; it takes 1.7 times as long"] = False,
    engines: str = "",
    reader: str = "",
    photographs: Annotated[str, "DIR", "photographs without text, to draw signs on; default: Debian's", values.path] = "",
    limit: int = 0,
    seed: int = 0,
    benchmarks: str = "",
) -> Recipe:
    """Photographs with the text in them, as lists of LAION's have them; and signs set onto photographs, with exact labels.

    `only` and `judge` are fields of `FilterPictures` and `JudgeScene`, as `recipes.words.fields` reads them. A `reader` of the
    flywheel replaces Tesseract for lines of its script. Scenes are composed on `photographs`, or without `input` on those of the
    packages. At most `limit` pictures, and as many composed scenes, in whole blocks. Raises `ValueError` for a wrong word, and
    for a refused list.
    """
    if list and not input:
        raise ValueError(f"list={list}: it is the list of the pictures at input=WHERE, which is missing")
    settings: dict[str, Any] = {"long_side": LONG_SIDE, "shard_images": SHARD_PICTURES, "stage": NAME}
    census: Census
    chosen = 0 if input else limit  # the census chooses own pictures: they are in containers
    if input:
        census, source = pictures(input, list, unsafe_list, download, limit, seed, **settings)
    else:
        census, source = scene_packages.scene_samples(), ImageSource(**settings)
    stages = (
        of_word(FilterPictures, "only", only),
        _reader(engines, reader, agreement),
        of_word(JudgeScene, "judge", judge, seed=seed),
    )
    steps: tuple[Step, ...] = (Pipeline(NAME, census, source, stages, limit=chosen, seed=seed, max_drop=MAX_DROP),)
    if photographs or not input:
        steps = (*steps, composed(photographs or scene_packages.PACKAGES, limit or DEFAULT_DRAWN, seed))
    return corpus(NAME, steps, benchmarks, seed=seed)


def composed(photographs: str, count: int, seed: int) -> Pipeline:
    """The dataset of about `count` composed scenes, at least one block."""
    from datagen.scene.maker import SceneDraws, Scenes  # loads Babel, OpenCV and Pango

    maker = Scenes(photographs, texts=_texts())
    census = SceneDraws(maker.name, max(1, count // BLOCK) * BLOCK, seed, BLOCK, photographs)
    return Pipeline(DRAWN, census, DrawSource(maker, 4 * BLOCK, DRAWN, core_s=0.12, num_bytes=90_000), ())


def _reader(engines: str, reader: str, agreement: bool) -> ReadScene:
    chosen = page_engines.of_word(engines)
    if replace(chosen, detector=EMBEDDED.detector, lines=EMBEDDED.lines) != EMBEDDED:
        raise ValueError(f"engines={engines}: scenes are read by a detector and a reader of lines, as detector:…,lines:… say")
    if reader and not Folder(reader).exists("alphabet.json"):
        raise ValueError(f"reader={reader}: no reader is there that a flywheel's round trained")
    in_batches = dict(chosen.lines.settings).get("batch_size", 1) > 1
    return ReadScene(
        detector=chosen.detector,
        lines=chosen.lines,
        readers=(reader,) if reader else (),
        agreement=agreement,
        batch_size=TOGETHER if in_batches else 1,
    )


def _texts() -> tuple[str, ...]:
    """The available sources of prose on composed posters."""
    from datagen.samples import declarations

    try:
        declarations.codes()
    except ValueError as error:
        log.warning("scenes are composed without prose: %s", error)
        return ()
    return ("udhr",)

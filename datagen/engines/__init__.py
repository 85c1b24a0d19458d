"""Engines: other people's models behind a few protocols. An adapter is one file, and an engine is opened by its name.

    engines.get("ppocr")                        the engine; one instance for each process and each choice of settings
    versions("compact", folder="out/r/Geor")    the versions that a fingerprint needs, without loading a model
    Choice.of("ppocr").opened(engines)          the engine that a stage's field chooses

An adapter only converts types. A new instance checks its settings, and loads its model with the first call. So a plan can ask for
versions on a machine that couldn't run the model. An adapter's file is imported when its name is first asked for.

The detector of lines is an engine of its own, since it serves readers of every script. A `Reader` reads lines. A `RegionReader`
reads regions that aren't made of lines: tables and formulas. A region reader of several kinds takes the kind as a setting.
"""

import contextlib
import functools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pkgutil import resolve_name
from typing import Any, NamedTuple, Protocol

import numpy

from datagen.record import Line, Region, Sample, SampleError

ENGINES = {
    "ppocr": "datagen.engines.ppocr:TextReader",
    "ppocr-detector": "datagen.engines.ppocr:TextDetector",
    "pymupdf-layout": "datagen.engines.pymupdf_layout:PymupdfLayout",
    "cdla": "datagen.engines.cdla:CdlaLayout",
    "tables": "datagen.engines.tables:TableReader",
    "page-orientation": "datagen.engines.orientation:PageOrientation",
    "page-unwarping": "datagen.engines.orientation:PageUnwarping",
    "line-angle": "datagen.engines.orientation:LineAngle",
    "tesseract": "datagen.engines.tesseract:Tesseract",
    "compact": "datagen.engines.compact:FolderReader",
    "script": "datagen.engines.script_readers:ScriptReader",
    "script-of-lines": "datagen.engines.script_readers:ScriptOfLines",
    "got_ocr": "datagen.engines.got_ocr:GotOcr",
    "got": "datagen.engines.got_regions:GotRegions",
    "pp-doclayout": "datagen.engines.pp_doclayout:PPDocLayout",
    "pp-formulanet": "datagen.engines.pp_formulanet:PPFormulaNet",
    "slanet": "datagen.engines.slanet:SLANet",
    "mineru": "datagen.engines.mineru:MinerU",
    "server": "datagen.engines.server:Server",
    "captioner": "datagen.engines.captioner:Captioner",
    "servers": "datagen.asking.client:Servers",
    "nobody": "datagen.asking.here:Nobody",
}


class Description(NamedTuple):
    """An engine's description of a picture. It has a `text` with its score; or else a `reason` why there is no text, with a
    `detail` for people. `num_read` and `num_written` count tokens."""

    text: str
    score: float | None = None
    reason: str = ""
    detail: str = ""
    num_read: int = 0
    num_written: int = 0


Quad = tuple[tuple[float, float], ...]
"""Four corners (x, y) in pixels, clockwise from the top left."""


class Engine(Protocol):
    """The methods of every engine. A class whose engines need a GPU has `gpus = 1`: then each worker gets a GPU of its own.

    An engine's settings decide its answers, so they are part of a fingerprint. Two kinds of settings are left out. Settings named
    in the class's `reach`, such as an address, decide no answer. The setting named by the class's `where` is left out if it is a
    folder of weights: `versions` has the sha256 of the weights, and their place decides nothing.
    """

    def versions(self) -> dict[str, str]:
        """Everything that decides the engine's answers: names, with a version or the sha256 of weights. Loads no model."""
        ...

    def close(self) -> None:
        """Release what the engine holds: memory, a GPU, a process. The engine isn't called again."""
        ...


class OnDemand:
    """A base class of engines that load models with the first call, as cached properties. `close` forgets these properties."""

    def close(self) -> None:
        for kind in type(self).__mro__:
            for name, value in vars(kind).items():
                if isinstance(value, functools.cached_property):
                    self.__dict__.pop(name, None)


class Layout(Engine, Protocol):
    def regions(self, images: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]]) -> list[tuple[Region, ...]]:
        """The regions of each image, (H, W, 3) RGB bytes, with labels of the record and no text.

        Regions are in reading order if the engine has a true attribute `is_ordered`, else from top to bottom. `lines` are the
        lines that were detected and read in each image, for engines that also use text.
        """
        ...


class Reader(Engine, Protocol):
    def read(self, crops: Sequence[numpy.ndarray], lang: str = "und") -> Sequence[tuple[str, float | None]]:
        """The text of each crop, (H, W) gray bytes, in `lang` (BCP-47), with its score from 0 to 1. The score is None if the
        engine has no scores. A crop's text doesn't depend on other crops."""
        ...


class RegionReader(Engine, Protocol):
    """Reads whole regions. `format` is a format of the record: markdown, html or latex. An engine may have `reasons`: for each
    crop of the last call the reason why it wasn't read, "" if it was."""

    format: str

    def read(
        self, crops: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]], lang: str = "und"
    ) -> Sequence[tuple[str, float | None]]:
        """The text of each crop, (H, W, 3) RGB bytes, in the engine's `format`, with its score from 0 to 1.

        The score is None if the engine has no scores. The text is "" if the engine can't read the crop. `lines` are the lines
        that were read in each crop, in the crop's pixels, for engines that put lines into cells.
        """
        ...


class PageReader(Engine, Protocol):
    """Reads whole pages: regions with their text."""

    def pages(self, samples: Sequence[Sample]) -> list[tuple[Region, ...] | SampleError]:
        """The regions of each page, with text, in reading order, with boxes in pixels of the sample's image. A `SampleError` says
        why a page has none."""
        ...


class PictureDescriber(Engine, Protocol):
    """Describes pictures."""

    def describe(self, pictures: Sequence[bytes]) -> list[Description]:
        """The description of each picture, an encoded image."""
        ...


MOST_OPEN = 4
"""The most engines of one name, with different settings, that stay open in a process. A run may have dozens of readers."""


class Engines:
    """The engines that are open in this process. Neither this object nor an engine is thread-safe."""

    def __init__(self) -> None:
        self._open: dict[tuple[Any, ...], Engine] = {}

    def get(self, name: str, **settings: Any) -> Any:
        """The engine with this name and these settings. While it is open, every call returns the same instance. Raises as `load`.

        When more than `MOST_OPEN` engines of the name are open, the least recently used one is closed.
        """
        key = (name, *sorted(settings.items()))
        engine = self._open.pop(key) if key in self._open else load(name)(**settings)
        self._open[key] = engine
        of_name = [other for other in self._open if other[0] == name]
        for other in of_name[:-MOST_OPEN]:
            self._open.pop(other).close()
        return engine

    def close(self) -> None:
        """Close all engines. A later `get` opens its engine anew."""
        while self._open:
            self._open.popitem()[1].close()

    def __enter__(self) -> "Engines":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


OPEN = Engines()
"""The engines of this process's tasks. The runner closes them: at the end of a run in this process, and when a worker stops."""


def load(name: str) -> type[Any]:
    """The class of the engine `name`. An engine that isn't in the table is named as "module:Class". Raises `ValueError` for an
    unknown name, and `ImportError`, naming what to install, if a package is missing."""
    if name not in ENGINES and ":" not in name:
        raise ValueError(f"engine {name!r}: allowed are {', '.join(ENGINES)}")
    with needed_by(name):
        engine: type[Any] = resolve_name(ENGINES.get(name, name))
        return engine


def versions(name: str, **settings: Any) -> dict[str, str]:
    """The `Engine.versions` of the engine with this name and these settings. The engine need not be open."""
    with needed_by(name):
        names_to_versions: dict[str, str] = load(name)(**settings).versions()
        return names_to_versions


def merged(asked: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The versions of several engines in one dict. If a name has several versions, they are joined by commas, in order."""
    every: dict[str, dict[str, None]] = {}
    for name, version in (item for of_engine in asked for item in of_engine.items()):
        every.setdefault(name, {})[version] = None
    return {name: ", ".join(of_name) for name, of_name in every.items()}


def is_folder(where: str) -> bool:
    """Whether `where` is a folder of weights, and not a name on a hub."""
    return where.startswith((".", "/", "~")) or os.path.isdir(where)


class Choice(NamedTuple):
    """A stage's field that chooses an engine by its name and settings: `Choice("got", (("model", "out/got"),))`. A fingerprint
    has the plain values of `described`. Settings are sorted by name, so that equal choices compare as equal."""

    name: str
    settings: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, name: str, **settings: Any) -> "Choice":
        return cls(name, tuple(sorted(settings.items())))

    def opened(self, engines: Engines) -> Any:
        """The engine, open in `engines`. Raises as `load` does."""
        return engines.get(self.name, **dict(self.settings))

    def versions(self) -> dict[str, str]:
        """The engine's `Engine.versions`. Loads no model."""
        return versions(self.name, **dict(self.settings))

    @property
    def described(self) -> tuple[str, tuple[tuple[str, Any], ...]]:
        """The engine's name, and the settings that decide its answers. `versions` has the rest."""
        kind = load(self.name) if self.settings else None
        reach, where = getattr(kind, "reach", ()), getattr(kind, "where", "")
        what = [(name, value) for name, value in self.settings if name not in reach and not (name == where and is_folder(value))]
        return self.name, tuple(what)

    @property
    def gpus(self) -> int:
        """The number of GPUs that a worker of this engine needs. The setting `device` decides it; without one, the class's
        `gpus`."""
        device = str(dict(self.settings).get("device", ""))
        return int(device != "cpu") if device else getattr(load(self.name), "gpus", 0)


@contextlib.contextmanager
def needed_by(name: str) -> Iterator[None]:
    """If a package is missing in this block, the `ImportError` names the engine `name`, the package, and how to install it."""
    try:
        yield
    except ImportError as error:
        if error.name is None or str(error).startswith("engine "):
            raise
        message = f"engine {name} needs {error.name}, which is not installed: pip install {error.name}"
        raise ImportError(message, name=error.name) from error

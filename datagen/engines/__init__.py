"""Engines: other people's models behind a few protocols, one adapter a file, opened by name.

    engines.get("ppocr")                        one instance a process and setting, made by whoever asks first
    versions("compact", folder="out/r/Geor")    what a fingerprint needs, without loading a model
    Choice.of("ppocr").opened(engines)          the same, chosen by a stage's field

An adapter only converts types. Making an instance is cheap: it checks its settings, and loads its model with the first call. So a
plan can ask for versions on a machine that could not run the model. Nobody imports an adapter's file until its name is asked for.

A detector of lines serves readers of every script, so it is an engine of its own. A `Reader` reads lines; a `RegionReader` reads
tables and formulas, which aren't made of lines. A region reader of several kinds takes the kind as a setting.
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
    """What an engine says of a picture: the text and its score, or the `reason` why there is none, with a `detail` for people;
    and what it cost in tokens, read and written."""

    text: str
    score: float | None = None
    reason: str = ""
    detail: str = ""
    num_read: int = 0
    num_written: int = 0


Quad = tuple[tuple[float, float], ...]
"""Four corners (x, y) in pixels, clockwise from the top left."""


class Engine(Protocol):
    """What every engine has. A class of engines that need a GPU says `gpus = 1`: each worker then gets one of its own.

    An engine's settings are part of a fingerprint, since they decide its answers. Two kinds of settings don't: those named in
    `reach`, such as an address, and the one named as `where` if it is a folder of weights, whose place decides nothing.
    """

    def versions(self) -> dict[str, str]:
        """Name to version, or to the sha256 of weights, of all that decides what the engine says. Loads no model."""
        ...

    def close(self) -> None:
        """Give back what the engine holds: memory, a GPU, a process. Nobody calls the engine after that."""
        ...


class OnDemand:
    """A base of engines that load what they need with the first call, as cached properties: closing them forgets these."""

    def close(self) -> None:
        for kind in type(self).__mro__:
            for name, value in vars(kind).items():
                if isinstance(value, functools.cached_property):
                    self.__dict__.pop(name, None)


class Layout(Engine, Protocol):
    def regions(self, images: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]]) -> list[tuple[Region, ...]]:
        """The regions of each image, (H, W, 3) RGB bytes, with labels of the record and no text. They stand in reading order if
        the engine knows one, which it says by an attribute `is_ordered`, else from top to bottom. `lines` are those that were
        detected and read in each image, for engines that look at text, too."""
        ...


class Reader(Engine, Protocol):
    def read(self, crops: Sequence[numpy.ndarray], lang: str = "und") -> Sequence[tuple[str, float | None]]:
        """The text of each crop, (H, W) gray bytes, in `lang` (BCP-47), and its score from 0 to 1; None from an engine that gives
        no scores. A crop's text doesn't depend on the other crops."""
        ...


class RegionReader(Engine, Protocol):
    """Reads whole regions. `format` is the record's: markdown, html or latex. An engine that knows why it couldn't read a crop
    has `reasons`, one for each crop of its last call, "" for those that it read."""

    format: str

    def read(
        self, crops: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]], lang: str = "und"
    ) -> Sequence[tuple[str, float | None]]:
        """The text of each crop, (H, W, 3) RGB bytes, in the engine's `format`, and its score from 0 to 1; None from an engine
        that gives no scores. "" stands for a crop that the engine can't read. `lines` are those that were read in each crop, in
        the crop's pixels, for engines that put them into cells."""
        ...


class PageReader(Engine, Protocol):
    """Knows whole pages: their regions and what these say."""

    def pages(self, samples: Sequence[Sample]) -> list[tuple[Region, ...] | SampleError]:
        """The regions of each page, with their text, in reading order, boxes in pixels of the sample's image; or why there are
        none."""
        ...


class PictureDescriber(Engine, Protocol):
    """Says what is to be seen on pictures."""

    def describe(self, pictures: Sequence[bytes]) -> list[Description]:
        """What is on each picture, an encoded image."""
        ...


MOST_OPEN = 4
"""How many engines of a name, with other settings each, stay open in a process: a run may have dozens of readers."""


class Engines:
    """The engines that are open in this process. Not for two threads at once, as engines aren't."""

    def __init__(self) -> None:
        self._open: dict[tuple[Any, ...], Engine] = {}

    def get(self, name: str, **settings: Any) -> Any:
        """The engine of that name and these settings, the same instance every time it stays open. Raises as `load` does.

        Of the engines of a name, the one that was asked for longest ago is closed when there are over `MOST_OPEN`.
        """
        key = (name, *sorted(settings.items()))
        engine = self._open.pop(key) if key in self._open else load(name)(**settings)
        self._open[key] = engine
        of_name = [other for other in self._open if other[0] == name]
        for other in of_name[:-MOST_OPEN]:
            self._open.pop(other).close()
        return engine

    def close(self) -> None:
        """Close them all. What asks for an engine after that opens it anew."""
        while self._open:
            self._open.popitem()[1].close()

    def __enter__(self) -> "Engines":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


OPEN = Engines()
"""The engines of this process's tasks. The runner closes them: at the end of a run in this process, and when a worker stops."""


def load(name: str) -> type[Any]:
    """The class of an engine; one that stands above datagen is named as "module:Class". Raises `ValueError` for a name that isn't
    in the table, and `ImportError`, saying what to install, where a package is missing."""
    if name not in ENGINES and ":" not in name:
        raise ValueError(f"engine {name!r}: allowed are {', '.join(ENGINES)}")
    with needed_by(name):
        engine: type[Any] = resolve_name(ENGINES.get(name, name))
        return engine


def versions(name: str, **settings: Any) -> dict[str, str]:
    """What `Engine.versions` says of an engine that need not be open."""
    with needed_by(name):
        names_to_versions: dict[str, str] = load(name)(**settings).versions()
        return names_to_versions


def merged(asked: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Versions of several engines as one. A name that has several has them all, in order."""
    every: dict[str, dict[str, None]] = {}
    for name, version in (item for of_engine in asked for item in of_engine.items()):
        every.setdefault(name, {})[version] = None
    return {name: ", ".join(of_name) for name, of_name in every.items()}


def is_folder(where: str) -> bool:
    """Whether weights at `where` lie in a folder, and are no name on a hub."""
    return where.startswith((".", "/", "~")) or os.path.isdir(where)


class Choice(NamedTuple):
    """An engine by its name in the table, with settings, as a field of a stage: `Choice("got", (("model", "out/got"),))`. In a
    fingerprint it is plain values, those of `described`. Settings are sorted by name, so that equal choices are equal."""

    name: str
    settings: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, name: str, **settings: Any) -> "Choice":
        return cls(name, tuple(sorted(settings.items())))

    def opened(self, engines: Engines) -> Any:
        """The engine, open in `engines`. Raises as `load` does."""
        return engines.get(self.name, **dict(self.settings))

    def versions(self) -> dict[str, str]:
        """What `Engine.versions` says of it. Loads no model."""
        return versions(self.name, **dict(self.settings))

    @property
    def described(self) -> tuple[str, tuple[tuple[str, Any], ...]]:
        """Its name, and the settings that decide what it says, beside its `versions`."""
        kind = load(self.name) if self.settings else None
        reach, where = getattr(kind, "reach", ()), getattr(kind, "where", "")
        what = [(name, value) for name, value in self.settings if name not in reach and not (name == where and is_folder(value))]
        return self.name, tuple(what)

    @property
    def gpus(self) -> int:
        """The GPUs that its worker needs: one or none, as its `device` says, or else as many as the class names as `gpus`."""
        device = str(dict(self.settings).get("device", ""))
        return int(device != "cpu") if device else getattr(load(self.name), "gpus", 0)


@contextlib.contextmanager
def needed_by(name: str) -> Iterator[None]:
    """A package that is missing in this block is named with the engine that needs it, and how to install it."""
    try:
        yield
    except ImportError as error:
        if error.name is None or str(error).startswith("engine "):
            raise
        message = f"engine {name} needs {error.name}, which is not installed: pip install {error.name}"
        raise ImportError(message, name=error.name) from error

"""PP-OCRv6 small through PaddleOCR, on ONNX Runtime, with the weights that the `rapidocr` wheel carries: nothing is downloaded.

PaddleOCR wants a folder with `inference.onnx` and `inference.yml`. The wheel has the first alone, so the second is written here,
with the values of PaddleOCR's own configuration of the model (configs/det/PP-OCRv6). `rapidocr` itself is never imported.

To import PaddleOCR takes two processor seconds, for other models' sake: matplotlib, pandas, clients of servers. So on a processor
these two networks run between PaddleX's own steps before and after them alone, which is what PaddleOCR does with them.
"""

import contextlib
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import itertools
import json
import logging
import math
import os
import re
import sys
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy

from datagen.disk.temporary import temporary_folder
from datagen.engines import OnDemand, Quad, needed_by, wheels

_FILES = ("inference.onnx", "inference.yml")
_NAME = re.compile(r"[A-Za-z][\w.-]*")
_WHEEL = "rapidocr"
_SEEN, _STEP = (3, 48, 320), 64  # channels, height and least width of the lines that the network sees; steps of wider ones
DETECTOR, RECOGNISER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"


SURE_LINE = 0.6
"""PaddleOCR's own limit on the scores of lines that its detector finds."""


@functools.cache
def alphabet() -> frozenset[str]:
    """The characters that PP-OCRv6 small's recogniser can say, from the model file's own metadata."""
    return frozenset(_characters()) - {""}


@functools.cache
def _characters() -> list[str]:
    session = wheels.session(_WHEEL, f"models/{RECOGNISER}", threads=1)
    return session.get_modelmeta().custom_metadata_map["character"].split("\n")


def alphabet_share(letters: Mapping[str, int]) -> float:
    """The share of the counted `letters` that are in the alphabet; 1.0 if there are none."""
    known, total = alphabet(), sum(letters.values())
    return sum(n for letter, n in letters.items() if letter in known) / total if total else 1.0


def alphabet_sha256() -> str:
    """A digest of the recogniser's weights, and so of its alphabet."""
    return _sha256(RECOGNISER)


class TextDetector(OnDemand):
    """Finds lines of text in an image, in any script, on one thread, so that two workers share two cores.

    `long_side` is what an image is resized to before it is looked at, in pixels. `model` is another detector of PP-OCR's: a
    folder with `inference.onnx` and `inference.yml`, as PaddleOCR exports it, which resizes as that says; or the name of one that
    PaddleOCR fetches as ONNX, such as PP-OCRv5_server_det. `device` is PaddleOCR's: cpu, gpu, or gpu:1; a GPU needs the package
    onnxruntime-gpu. With `least`, lines come along whose score is under `SURE_LINE`, and at least this: what may be text.
    """

    where: ClassVar[str] = "model"

    def __init__(self, long_side: int = 960, threads: int = 1, model: str = "", device: str = "cpu", least: float = SURE_LINE):
        _check(model, "detector")
        self.long_side, self.threads, self.model, self.device, self.least = long_side, threads, model, device, least

    def versions(self) -> dict[str, str]:
        return _packages() | (_version("ppocr-detector", self.model) if self.model else {"PP-OCRv6_det_small": _sha256(DETECTOR)})

    def detect(self, images: Sequence[numpy.ndarray]) -> list[list[tuple[Quad, float]]]:
        """The lines of each image, (H, W, 3) RGB bytes, with scores, from top to bottom. One image at a time."""
        return [self._lines(image) for image in images]

    @functools.cached_property
    def _model(self) -> Callable[[numpy.ndarray], tuple[Any, Any]]:
        """The lines' corners and scores, of a BGR image."""
        yml = detection_yml(self.long_side, self.least)
        if not self.model and self.device == "cpu":
            return _detection(yml, self.threads)
        folder = None if self.model else as_folder(DETECTOR, yml)
        predictor = _named("TextDetection", folder.name if folder else self.model, self.threads, self.device)

        def detect(image: numpy.ndarray, _reads_from: object = folder) -> tuple[Any, Any]:
            (output,) = predictor.predict(image)
            return output["dt_polys"], output["dt_scores"]

        return detect

    def _lines(self, image: numpy.ndarray) -> list[tuple[Quad, float]]:
        polygons, scores = self._model(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        quads = [tuple((float(x), float(y)) for x, y in quad) for quad in polygons]
        scored = zip(quads, map(float, scores), strict=True)
        return sorted(scored, key=lambda line: (min(y for _, y in line[0]), min(x for x, _ in line[0])))


class TextReader(OnDemand):
    """Reads lines in the scripts of `alphabet()`, on one thread; or as another recogniser of PP-OCR's does, the `model`: a folder
    with `inference.onnx` and `inference.yml`, as PaddleOCR exports it, or the name of one that PaddleOCR fetches as ONNX, such as
    cyrillic_PP-OCRv5_mobile_rec.

    Where a batch has several lines, each is first made as wide as the next step of `_STEP` says: a line's text never depends on
    those beside it. Batches pay on a GPU alone (`device`, as for the detector)."""

    where: ClassVar[str] = "model"

    def __init__(self, threads: int = 1, model: str = "", batch_size: int = 1, device: str = "cpu"):
        _check(model, "recogniser")
        self.threads, self.model, self.batch_size, self.device = threads, model, batch_size, device

    def versions(self) -> dict[str, str]:
        return _packages() | (_version("ppocr", self.model) if self.model else {"PP-OCRv6_rec_small": _sha256(RECOGNISER)})

    def read(self, crops: Sequence[numpy.ndarray], lang: str = "und") -> list[tuple[str, float]]:
        """The text of each crop, (H, W) gray or (H, W, 3) RGB bytes with one line in it, and a score; the model has no languages
        to choose from."""
        images = [cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR if crop.ndim == 2 else cv2.COLOR_RGB2BGR) for crop in crops]
        if self.batch_size > 1:
            images = list(map(_widened, images))
        readings: dict[int, tuple[str, float]] = {}
        for _, group in itertools.groupby(
            sorted(range(len(images)), key=lambda i: _width(images[i])), lambda i: _width(images[i])
        ):
            numbers = list(group)
            for i, (text, score) in zip(numbers, self._model([images[i] for i in numbers]), strict=True):
                readings[i] = text, round(score, 3)
        return [readings[i] for i in range(len(images))]

    @functools.cached_property
    def _model(self) -> Callable[[list[numpy.ndarray]], list[tuple[str, float]]]:
        """The text and score of each of some BGR images that are of one width."""
        if not self.model and self.device == "cpu":
            return _recognition(recognition_yml(), self.threads, self.batch_size)
        folder = None if self.model else as_folder(RECOGNISER, recognition_yml())
        predictor = _named("TextRecognition", folder.name if folder else self.model, self.threads, self.device)

        def read(images: list[numpy.ndarray], _reads_from: object = folder) -> list[tuple[str, float]]:
            outputs = predictor.predict(images, batch_size=self.batch_size)
            return [(str(output["rec_text"]), float(output["rec_score"])) for output in outputs]

        return read


def _width(image: numpy.ndarray) -> int:
    """The width in pixels to which PaddleOCR scales and fills up an image of a line before the network sees it."""
    height, width = image.shape[:2]
    return max(_SEEN[2], int(_SEEN[1] * max(_SEEN[2] / _SEEN[1], width / height)))


def _widened(image: numpy.ndarray) -> numpy.ndarray:
    """The image with gray on its right, so that few widths come to the network."""
    height, width = image.shape[:2]
    step = math.ceil(width / height * _SEEN[1] / _STEP) * _STEP
    if step <= _SEEN[2]:
        return image
    more = math.ceil(step * height / _SEEN[1]) - width
    return cv2.copyMakeBorder(image, 0, 0, 0, max(0, more), cv2.BORDER_CONSTANT, value=(127, 127, 127))


def _check(model: str, kind: str) -> None:
    """Raise `ValueError` if `model` is neither "", nor a folder of PP-OCR's, nor what could be a name of PaddleOCR's."""
    if not model or (_NAME.fullmatch(model) and not os.path.isdir(model)):
        return
    if not all(Path(model, name).is_file() for name in _FILES):
        raise ValueError(f"{model} is no {kind} of PP-OCR: {' and '.join(_FILES)} are needed")


def _version(engine: str, model: str) -> dict[str, str]:
    """A folder's files, as those of the engine, by their digests. What a name of PaddleOCR's stands for, its version says."""
    if not os.path.isdir(model):
        return {model: "as PaddleOCR has it"}
    return {f"{engine}/{name}": hashlib.sha256(Path(model, name).read_bytes()).hexdigest() for name in _FILES}


def _named(kind: str, model: str, threads: int, device: str) -> Any:
    """PaddleOCR's predictor of a `kind` for the model in a folder, or of a name of its own. Raises `ValueError` if there is
    none."""
    if not os.path.isdir(model):
        try:
            return _opened(kind, model, None, threads, device)
        except ImportError:
            raise
        except Exception as error:  # PaddleX raises what its hubs' clients raise
            message = " ".join(str(error).split())[:300]
            raise ValueError(f"PaddleOCR opens no model {model!r} as ONNX: {type(error).__name__}: {message}") from None
    written = Path(model, "inference.yml").read_text(encoding="utf-8")
    name = re.search(r"model_name\W+([\w.-]+)", written)
    if name is None:
        raise ValueError(f"{model}/inference.yml names no model: Global.model_name is needed")
    return _opened(kind, name[1], model, threads, device)


@functools.cache
def _packages() -> dict[str, str]:
    """The versions of packages. Looking them up takes milliseconds, and a sample of every picture has them."""
    return {name: importlib.metadata.version(name) for name in ("paddleocr", "paddlex", "onnxruntime")}


def _sha256(name: str) -> str:
    return wheels.sha256(_WHEEL, f"models/{name}")


def as_folder(model: str, yml: Mapping[str, Any]) -> tempfile.TemporaryDirectory:
    """The wheel's weights of `model` as PaddleOCR exports a model."""
    folder = temporary_folder()
    with needed_by("ppocr"):
        os.symlink(wheels.weights(_WHEEL, f"models/{model}"), Path(folder.name, _FILES[0]))
    written = json.dumps(yml, ensure_ascii=False)  # JSON is YAML, but for escaped pairs of surrogates
    Path(folder.name, _FILES[1]).write_text(written, encoding="utf-8")
    return folder


def _opened(kind: str, name: str, folder: str | None, threads: int, device: str) -> Any:
    """PaddleOCR's predictor of a `kind` for the model `name` in `folder`; None: one that it fetches."""
    with _quiet(), needed_by("ppocr"), _without_modelscope():
        import paddleocr

        return getattr(paddleocr, kind)(
            model_name=name,
            model_dir=folder,
            engine="onnxruntime",
            engine_config={"intra_op_num_threads": threads, "inter_op_num_threads": 1},
            device=device,
        )


def _detection(yml: Mapping[str, Any], threads: int) -> Callable[[numpy.ndarray], tuple[Any, Any]]:
    """What `TextDetRunnerPredictor` of PaddleX does with this model."""
    steps, operations = _steps("text_detection"), _operations(yml)
    resize = steps.DetResizeForTest(limit_side_len=operations["DetResizeForTest"]["resize_long"], limit_type="max")
    normalise = steps.NormalizeImage(**operations["NormalizeImage"])
    find = steps.DBPostProcess(**yml["PostProcess"])
    session = wheels.session(_WHEEL, f"models/{DETECTOR}", threads)
    (name,) = (given.name for given in session.get_inputs())

    def detect(image: numpy.ndarray) -> tuple[Any, Any]:
        resized, shapes = resize([image])
        (seen,) = normalise(resized)
        quads, scores = find(session.run(None, {name: numpy.ascontiguousarray(seen.transpose(2, 0, 1)[None])}), shapes)
        return quads[0], scores[0]

    return detect


def _recognition(
    yml: Mapping[str, Any], threads: int, batch_size: int
) -> Callable[[list[numpy.ndarray]], list[tuple[str, float]]]:
    """What `TextRecRunnerPredictor` of PaddleX does with this model."""
    steps = _steps("text_recognition")
    resize = steps.OCRReisizeNormImg(rec_image_shape=_operations(yml)["RecResizeImg"]["image_shape"])
    decode = steps.CTCLabelDecode(character_list=yml["PostProcess"]["character_dict"])
    session = wheels.session(_WHEEL, f"models/{RECOGNISER}", threads)
    (name,) = (given.name for given in session.get_inputs())

    def read(images: list[numpy.ndarray]) -> list[tuple[str, float]]:
        readings: list[tuple[str, float]] = []
        for first in range(0, len(images), batch_size):
            seen = numpy.stack(resize(images[first : first + batch_size]))
            readings += zip(*decode(session.run(None, {name: seen})), strict=True)
        return readings

    return read


def _operations(yml: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values for operation in yml["PreProcess"]["transform_ops"] for name, values in operation.items()}


@functools.cache
def _steps(kind: str) -> types.ModuleType:
    """PaddleX's module of what it does before and after networks of a `kind`. Its packages, each of which loads all that is in
    them, are empty meanwhile, and nothing of it stays: whoever imports PaddleX later gets the whole."""
    name = f"paddlex.inference.models.{kind}.processors"
    with _quiet(), needed_by("ppocr"):
        if sys.modules.get("paddlex"):
            return importlib.import_module(name)
        found = importlib.util.find_spec("paddlex")
        if found is None or not found.submodule_search_locations:
            raise ModuleNotFoundError("No module named 'paddlex'", name="paddlex")
        root = found.submodule_search_locations[0]
        for package in ("", ".inference", ".inference.models", ".inference.utils", f".inference.models.{kind}"):
            empty = sys.modules[f"paddlex{package}"] = types.ModuleType(f"paddlex{package}")
            empty.__path__ = [os.path.join(root, *package.split("."))]
        try:
            return importlib.import_module(name)
        finally:
            for loaded in [module for module in sys.modules if module.partition(".")[0] == "paddlex"]:
                del sys.modules[loaded]


def detection_yml(long_side: int, least: float) -> dict[str, Any]:
    normalise = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "order": "hwc", "scale": "1./255."}
    return {
        "Global": {"model_name": "PP-OCRv6_small_det"},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"DetResizeForTest": {"resize_long": long_side}},
                {"NormalizeImage": normalise},
                {"ToCHWImage": None},
                {"KeepKeys": {"keep_keys": ["image", "shape"]}},
            ]
        },
        "PostProcess": {"name": "DBPostProcess", "thresh": 0.3, "box_thresh": least, "max_candidates": 1000, "unclip_ratio": 1.5},
    }


def recognition_yml() -> dict[str, Any]:
    return {
        "Global": {"model_name": "PP-OCRv6_small_rec"},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"RecResizeImg": {"image_shape": list(_SEEN)}},
                {"KeepKeys": {"keep_keys": ["image", "shape"]}},
            ]
        },
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": "".join(_characters())},
    }


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """PaddleX looks for model hubs and greets the log as it is imported; neither is wanted."""
    os.environ.setdefault("PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK", "True")
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _without_modelscope() -> Iterator[None]:
    """ModelScope's client loads torch, transformers and peft: of the seven processor seconds of an import of PaddleOCR, these
    are five. PaddleX wants it for models that it fetches from there, so it is loaded when one is."""
    name, errors = "modelscope", "modelscope.hub"
    if name in sys.modules:
        yield
        return
    later = types.ModuleType(name)
    later.snapshot_download = lambda *args, **words: importlib.import_module(name).snapshot_download(*args, **words)  # type: ignore[attr-defined]
    sys.modules |= {name: later, errors: None}  # type: ignore[dict-item]  # None: as if that were not installed
    try:
        yield
    finally:
        del sys.modules[name], sys.modules[errors]

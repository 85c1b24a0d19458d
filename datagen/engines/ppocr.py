"""PP-OCRv6 small through PaddleOCR, on ONNX Runtime, with the weights that the `rapidocr` wheel carries: nothing is downloaded.

PaddleOCR wants a folder with `inference.onnx` and `inference.yml`. The wheel has the first alone, so the second is written here,
with the values of PaddleOCR's own configuration of the model (configs/det/PP-OCRv6). `rapidocr` itself is never imported.
"""

import contextlib
import functools
import hashlib
import importlib
import importlib.metadata
import itertools
import json
import logging
import math
import os
import re
import sys
import tempfile
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy

from datagen.disk.temporary import temporary_folder
from datagen.engines import Quad, needed_by, wheels

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


class TextDetector:
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

    def close(self) -> None:
        self.__dict__.pop("_model", None)

    @functools.cached_property
    def _model(self) -> tuple[Any, tempfile.TemporaryDirectory | None]:
        if self.model:
            return _named("TextDetection", self.model, self.threads, self.device), None
        return _loaded("TextDetection", DETECTOR, _detection_yml(self.long_side, self.least), self.threads, self.device)

    def _lines(self, image: numpy.ndarray) -> list[tuple[Quad, float]]:
        (output,) = self._model[0].predict(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        quads = [tuple((float(x), float(y)) for x, y in quad) for quad in output["dt_polys"]]
        scored = zip(quads, map(float, output["dt_scores"]), strict=True)
        return sorted(scored, key=lambda line: (min(y for _, y in line[0]), min(x for x, _ in line[0])))


class TextReader:
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
            outputs = self._model[0].predict([images[i] for i in numbers], batch_size=self.batch_size)
            for i, output in zip(numbers, outputs, strict=True):
                readings[i] = str(output["rec_text"]), round(float(output["rec_score"]), 3)
        return [readings[i] for i in range(len(images))]

    def close(self) -> None:
        self.__dict__.pop("_model", None)

    @functools.cached_property
    def _model(self) -> tuple[Any, tempfile.TemporaryDirectory | None]:
        if self.model:
            return _named("TextRecognition", self.model, self.threads, self.device), None
        return _loaded("TextRecognition", RECOGNISER, _recognition_yml(), self.threads, self.device)


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


def _loaded(kind: str, model: str, yml: Mapping[str, Any], threads: int, device: str) -> tuple[Any, tempfile.TemporaryDirectory]:
    """PaddleOCR's predictor of a `kind` with the wheel's weights, and the folder that it reads them from."""
    folder = temporary_folder()
    with needed_by("ppocr"):
        os.symlink(wheels.weights(_WHEEL, f"models/{model}"), Path(folder.name, "inference.onnx"))
    written = json.dumps(yml, ensure_ascii=False)  # JSON is YAML, but for escaped pairs of surrogates
    Path(folder.name, "inference.yml").write_text(written, encoding="utf-8")
    return _opened(kind, yml["Global"]["model_name"], folder.name, threads, device), folder


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


def _detection_yml(long_side: int, least: float) -> dict[str, Any]:
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
        "PostProcess": {
            "name": "DBPostProcess",
            "thresh": 0.3,
            "box_thresh": least,
            "max_candidates": 1000,
            "unclip_ratio": 1.5,
        },
    }


def _recognition_yml() -> dict[str, Any]:
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

"""What readers have in common that write a line token by token, with a network that some library saved.

    config.json   `kind`, `script`, `precision`, `max_new_tokens`, and how the reader was `made`; written last
    model/        the network with its tokenizer, as its library has it

The score of a reading is the network's probability of all its tokens, the one that ends it included. A reading that came to no
end within `max_new_tokens` has the score 0.
"""

import abc
import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy
import torch

from datagen.disk.storage import Folder
from datagen.disk.temporary import temporary_folder
from datagen.engines import OnDemand
from datagen.engines.compact import threads
from datagen.writing.line_text import normalise

MODEL = "model"
AT_A_TIME = 16
"""Lines that are read together."""

_HASHED = 1 << 24


class TokenReader(OnDemand, abc.ABC):
    """The reader in `folder`, which must have the weights of `sha256` ("": any). Not for two threads at once.

    It reads on the `device`, cpu or cuda; "": on a GPU where there is one. There a score's last digits may be others than on a
    processor.
    """

    kind: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    gpus: ClassVar[int] = 1

    def __init__(self, folder: str, sha256: str = "", device: str = ""):
        self.folder, self.sha256, self.device = Folder(folder), sha256, device

    def versions(self) -> dict[str, str]:
        return package_versions(self.packages) | {self.kind: weights_sha256(self.folder)}

    @property
    def script(self) -> str:
        """The script that the reader was trained for."""
        return str(self.config["script"])

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        """What config.json says. Raises `ValueError` if the folder has no reader of this kind."""
        try:
            config: dict[str, Any] = json.loads(self.folder.read("config.json"))
            if config["kind"] != self.kind:
                raise ValueError(f"its kind is {config['kind']!r}")
            config["script"], config["precision"], config["max_new_tokens"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self.folder.url} holds no reader {self.kind}: {type(error).__name__}: {error}") from None
        return config

    def read(self, crops: Sequence[numpy.ndarray], lang: str = "und") -> list[tuple[str, float]]:
        """What each crop, (H, W) gray bytes with one line in it, says, and the network's probability of that."""
        readings: list[tuple[str, float]] = [("", 0.0)] * len(crops)
        # Lines that are about as long end at about the same time.
        order = sorted(range(len(crops)), key=lambda i: (crops[i].shape[1] / crops[i].shape[0], i))
        with threads(1), torch.inference_mode():
            for start in range(0, len(order), AT_A_TIME):
                places = order[start : start + AT_A_TIME]
                for i, (text, score) in zip(places, self._readings([crops[i] for i in places]), strict=True):
                    readings[i] = normalise(text), round(score, 3)
        return readings

    def close(self) -> None:
        super().close()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @functools.cached_property
    def network(self) -> Any:
        """Raises `ValueError` if the weights are others than those that were asked for, or can't be read."""
        if self.sha256 and weights_sha256(self.folder) != self.sha256:
            raise ValueError(f"{self.folder.url} holds other weights than those that were planned with")
        device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        return self._opened(device, getattr(torch, self.config["precision"]))

    @abc.abstractmethod
    def _opened(self, device: str, dtype: torch.dtype) -> Any:
        """The network, ready to read."""

    @abc.abstractmethod
    def _readings(self, crops: Sequence[numpy.ndarray]) -> list[tuple[str, float]]:
        """The texts of a few crops, with their probabilities."""


def save(folder: Folder, kind: str, script: str, precision: str, max_new_tokens: int, made: dict[str, Any]) -> None:
    """Commit the reader whose network is in `folder` already."""
    config = {"kind": kind, "script": script, "precision": precision, "max_new_tokens": max_new_tokens, "made": made}
    folder.write("config.json", json.dumps(config, ensure_ascii=False, indent=1, sort_keys=True).encode())


def weights_sha256(folder: Folder) -> str:
    """The sha256 over the reader's files of weights. Raises `ValueError` if there are none."""
    return files_sha256(folder.sub(MODEL))


def files_sha256(folder: Folder) -> str:
    """The sha256 over a folder's files of weights. Raises `ValueError` if there are none."""
    digest, names = hashlib.sha256(), folder.names(".safetensors")
    if not names:
        raise ValueError(f"{folder.url} has no weights, which are .safetensors files")
    for name in names:
        with folder.open(name) as file:
            while part := file.read(_HASHED):
                digest.update(part)
    return digest.hexdigest()


def package_versions(packages: Sequence[str]) -> dict[str, str]:
    """The versions of what decides, beside the weights, what a reader reads."""
    return {name: importlib.metadata.version(name) for name in ("torch", "pillow", "numpy", *packages)}


@contextlib.contextmanager
def on_disk(folder: Folder) -> Iterator[str]:
    """The folder's path on this machine's disk: its own, or that of a copy of its files, which goes when the block ends."""
    if folder.local is not None:
        yield str(folder.local)
        return
    with temporary_folder() as copy:
        for name in folder.names():
            folder.fs.get_file(folder.path(name), os.path.join(copy, name))
        yield copy


@contextlib.contextmanager
def to_fill(folder: Folder) -> Iterator[str]:
    """A path on this machine's disk for a library to write files into, which are in `folder` when the block ends."""
    if folder.local is not None:
        folder.local.mkdir(parents=True, exist_ok=True)
        yield str(folder.local)
        return
    with temporary_folder() as built:
        yield built
        folder.fs.makedirs(folder.path(""), exist_ok=True)
        for name in sorted(os.listdir(built)):
            folder.fs.put_file(os.path.join(built, name), folder.path(name))

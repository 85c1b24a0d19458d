"""The mapping for tars of others: the members with a sample's image, text and group."""

import posixpath
from dataclasses import dataclass
from typing import Any

import msgspec

from datagen.record import SampleError
from datagen.target import BOS, EOS, IMAGE, PAD, neutralise
from model.data.conversations import FREE
from model.data.rows import Asked

_FOLDER = "folder"


@dataclass(frozen=True)
class Members:
    """The members of a sample.

    images    endings of the image's name
    answer    the ending of the text's name; or that of a JSON file and the names that lead to the text in it: `json:a.b`
    prompts   the prompts, each alone or with a weight
    lang      the samples' language
    group     the group for the split: `folder`, the folder in the samples' keys; or names in a JSON file, as for `answer`, such
              as a document's number. Without it only copies of an image are on one side

    Raises `ValueError` for values that aren't allowed.
    """

    images: tuple[str, ...] = ("jpg", "jpeg", "png", "webp")
    answer: str = "txt"
    prompts: tuple[Asked, ...] = (Asked(FREE, 1.0),)
    lang: str = "und"
    group: str = ""

    def __post_init__(self) -> None:
        images = [self.images] if isinstance(self.images, str) else self.images
        prompts = [self.prompts] if isinstance(self.prompts, str) else self.prompts
        asked = tuple(Asked(one, 1.0) if isinstance(one, str) else Asked(*one) for one in prompts)
        for name, value in {
            "images": tuple(name.lower().lstrip(".") for name in images),
            "answer": self.answer.lstrip("."),
            "prompts": asked,
        }.items():
            object.__setattr__(self, name, value)
        for prompt, weight in asked:
            if prompt.count(IMAGE) != 1 or any(token in prompt for token in (BOS, EOS, PAD)):
                raise ValueError(f"members has the prompt {prompt!r}: it must say {IMAGE} once, and no other special token")
            if weight < 0:
                raise ValueError(f"members has the prompt {prompt!r} with the weight {weight}: it must be at least 0")
        if not asked or not sum(weight for _, weight in asked):
            raise ValueError("members has no prompt with a weight above 0")
        if not self.answer or (self.group and self.group != _FOLDER and ":" not in self.group):
            raise ValueError(
                f"members has answer={self.answer!r} group={self.group!r}: allowed are an ending or json:NAME.NAME, and "
                f"for the group {_FOLDER} or json:NAME.NAME"
            )

    def text(self, data: bytes) -> str:
        """The answer in its member's bytes. Raises `SampleError`."""
        try:
            value = _at(data, self.answer) if ":" in self.answer else data.decode()
        except ValueError as error:
            raise SampleError("bad_answer", f"{self.answer}: {error}") from error
        if not isinstance(value, str) or not value.strip():
            raise SampleError("no_answer", f"{self.answer} holds no text")
        return neutralise(value)

    def group_of(self, key: str, data: bytes) -> str:
        """The group of the sample with the JSON file `data`. Raises `SampleError`."""
        if self.group == _FOLDER:
            return posixpath.dirname(key)
        try:
            value = _at(data, self.group)
        except ValueError as error:
            raise SampleError("no_group", f"{self.group}: {error}") from error
        if not isinstance(value, str | int) or value == "":
            raise SampleError("no_group", f"{self.group} is {type(value).__name__}, not a text or a number")
        return str(value)


def _at(data: bytes, path: str) -> Any:
    """The value in a JSON file at `ending:name.name`. Raises `ValueError`."""
    try:
        value: Any = msgspec.json.decode(data)
        for name in path.partition(":")[2].split("."):
            value = value[name]
    except (KeyError, TypeError, IndexError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    return value


def ending(path: str) -> str:
    return path.partition(":")[0].lower()

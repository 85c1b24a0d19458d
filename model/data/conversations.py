"""Rows that people write themselves, as a sample's parts: the two layouts of JSONL, and what is wrong with a row.

    {"messages": [{"role": "user", "content": "<image>Read it."}, {"role": "assistant", "content": "Hello"}], "images": ["a.png"]}
    {"image": "a.png", "prompt": "Read it.", "answer": "Hello"}

The first is that of ms-swift and LLaMA-Factory. Roles are system, user and assistant; a content may be a list of parts, as in
OpenAI's layout. Where images aren't named by `<image>`, they stand before the first user's text, each in a line of its own. A row
without images is text alone; `{"text": …}` is learned as a whole. `lang`, `group` and `id` may be given: rows of one group are on
one side of the split. Without a group, rows with the same first image are one.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from datagen.record import SampleError
from datagen.target import BOS, EOS, IMAGE, PAD
from model.data.rows import Part

ROLES = ("system", "user", "assistant")
_CONTROL = (BOS, EOS, PAD)
FREE = f"{IMAGE}\nFree OCR."


class Row(NamedTuple):
    """A row as it was written. `images` are where its images lie, or data URLs."""

    parts: tuple[Part, ...]
    images: tuple[str, ...]
    key: str
    lang: str
    group: str


def row(values: Any) -> Row:
    """The row that these JSON values are. Raises `SampleError`, saying what is wrong with them."""
    if not isinstance(values, Mapping):
        raise SampleError("bad_row", f"it is {type(values).__name__}, not an object")
    images = _images(values)
    if "messages" in values:
        parts, within = _messages(values["messages"])
        images = images or within
    elif "answer" in values:
        prompt = _text(values.get("prompt", FREE if images else ""), "prompt")
        parts = [Part(prompt, False), Part(_text(values["answer"], "answer"), True)]
    elif "text" in values:
        parts = [Part(_text(values["text"], "text"), True)]
    else:
        raise SampleError(
            "bad_row", f"it has neither messages nor answer nor text, but {', '.join(map(str, values)) or 'nothing'}"
        )
    parts = _named(parts, len(images))
    if not any(part.learned for part in parts) or any(part.learned and not part.text.strip() for part in parts):
        raise SampleError("no_answer", "an answer is empty, or there is none")
    for part in parts:
        for token in (*_CONTROL, *([IMAGE] if part.learned else [])):
            if token in part.text:
                raise SampleError("control_token", f"{token} stands in {'an answer' if part.learned else 'what is asked'}")
    key = str(values.get("id", ""))
    return Row(tuple(parts), tuple(images), key, str(values.get("lang") or "und"), str(values.get("group") or ""))


def _messages(messages: Any) -> tuple[list[Part], list[str]]:
    if not isinstance(messages, list) or not messages:
        raise SampleError("bad_row", "messages is no list, or empty")
    parts: list[Part] = []
    images: list[str] = []
    for message in messages:
        role = message.get("role") if isinstance(message, Mapping) else None
        if role not in ROLES:
            raise SampleError("bad_row", f"a message has the role {role!r}: allowed are {', '.join(ROLES)}")
        text, within = _content(message.get("content"))
        images += within
        # What is asked is stripped, as the released code does it. A system's text stands in a line before.
        asked = text.strip() + ("\n" if role == "system" else "")
        parts.append(Part(text, True) if role == "assistant" else Part(asked, False))
    return parts, images


def _content(content: Any) -> tuple[str, list[str]]:
    """A message's text, and the images in it."""
    if not isinstance(content, list):
        return _text(content, "content"), []
    texts: list[str] = []
    images: list[str] = []
    for piece in content:
        kind = piece.get("type") if isinstance(piece, Mapping) else None
        if kind == "text":
            texts.append(_text(piece.get("text"), "content"))
        elif kind in ("image", "image_url"):
            images.append(_reference(piece.get(kind) or piece.get("path")))
            texts.append(IMAGE)
        else:
            raise SampleError("bad_row", f"a content has a part of type {kind!r}: allowed are text, image and image_url")
    return "".join(texts), images


def _images(values: Mapping[str, Any]) -> list[str]:
    found = values.get("images")
    if found is None:
        found = values.get("image")
    if found is None:
        return []
    return [_reference(image) for image in (found if isinstance(found, list) else [found])]


def _reference(image: Any) -> str:
    if isinstance(image, Mapping):
        image = image.get("path") or image.get("url")
    if not isinstance(image, str) or not image:
        raise SampleError("image_missing", f"an image is {image!r}, not a path or an address")
    return image


def _named(parts: list[Part], num_images: int) -> list[Part]:
    """`parts` with an `<image>` for each image."""
    named = sum(part.text.count(IMAGE) for part in parts if not part.learned)
    if named == num_images:
        return parts
    if named or not num_images:
        raise SampleError("image_missing", f"{named} times {IMAGE} is said, and there are {num_images} images")
    at = next((at for at, part in enumerate(parts) if not part.learned and not part.text.endswith("\n")), None)
    before = f"{IMAGE}\n" * num_images
    if at is None:
        return [Part(before, False), *parts]
    return [*parts[:at], Part(before + parts[at].text, False), *parts[at + 1 :]]


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise SampleError("bad_row", f"{name} is {type(value).__name__}, not a text")
    return value

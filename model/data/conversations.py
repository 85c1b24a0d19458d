"""Rows that people write themselves, as a sample's parts: the layouts of JSON, and errors in a row.

    {"messages": [{"role": "user", "content": "<image>Read it."}, {"role": "assistant", "content": "Hello"}], "images": ["a.png"]}
    {"conversations": [{"from": "human", "value": "<image>Read it."}, {"from": "gpt", "value": "Hello"}], "images": ["a.png"]}
    {"instruction": "Read it.", "input": "", "output": "Hello", "images": ["a.png"]}
    {"query": "Read it.", "response": "Hello", "images": ["a.png"]}
    {"image": "a.png", "prompt": "Read it.", "answer": "Hello"}
    {"text": "learned as a whole"}

These are the layouts of ms-swift, LLaMA-Factory, ShareGPT, LLaVA and Alpaca. Roles are system, user and assistant. A content may
be a list of parts, as in OpenAI's layout. Images without an `<image>` stand before the first user's text, each in a line of its
own. A row without images is text alone. A row's `system` and `history` come before its question. An answer with `"loss": false`
is read and not learned. A key of null counts as missing. `lang`, `group` and `id` are optional: rows of one group are on one side
of the split. Without a group, rows with the same first image are one.

Keys that would change the sample, such as boxes or tools, are refused: without them the row would teach something else.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from datagen.inputs.chat_turns import LISTS, ROLES
from datagen.inputs.chat_turns import turns as chat_turns
from datagen.record import SampleError
from datagen.target import BOS, EOS, IMAGE, PAD
from model.data.rows import Part

VERSION = 2  # goes up whenever a row would become other parts
LAYOUTS = (
    "messages",
    "conversations",
    "instruction and output",
    "query and response",
    "answer with image or prompt or both",
    "text",
)
FREE = f"{IMAGE}\nFree OCR."
_CONTROL = (BOS, EOS, PAD)
_WEIGHTS = ("loss", "loss_scale", "weight")
_REFUSED = (
    *("objects", "videos", "video", "audios", "audio", "tools", "label", "kto_tag", "chosen", "rejected"),
    *("rejected_response", "rejected_messages", "rejected_images"),
)
_REFUSED_OF_MESSAGES = ("tool_calls", "function_call", "reasoning_content")


class Row(NamedTuple):
    """A row as it was written. `images` are their places, or data URLs."""

    parts: tuple[Part, ...]
    images: tuple[str, ...]
    key: str
    lang: str
    group: str


class _Turn(NamedTuple):
    role: str
    text: str
    is_learned: bool = False

    @property
    def part(self) -> Part:
        # A system's text has a line of its own. An answer that isn't learned ends like one that is.
        end = "\n" if self.role == "system" else EOS if self.role == "assistant" and not self.is_learned else ""
        return Part(self.text + end, self.is_learned)


def row(values: Any) -> Row:
    """The row of these JSON values. Raises `SampleError` that names the fault."""
    if not isinstance(values, Mapping):
        raise SampleError("bad_row", f"it is {type(values).__name__}, not an object")
    values = {name: value for name, value in values.items() if value is not None}
    _refuse(values, _REFUSED)
    turns, within = _turns(values)
    images = _all_images(values, within)
    turns = _named([*_before(values, turns), *turns], len(images))
    if not any(turn.is_learned for turn in turns) or any(turn.is_learned and not turn.text.strip() for turn in turns):
        raise SampleError("no_answer", "an answer is empty, or there is none")
    for turn in turns:
        is_answer = turn.role == "assistant"
        for token in (*_CONTROL, *([IMAGE] if is_answer else [])):
            if token in turn.text:
                raise SampleError("control_token", f"{token} stands in {'an answer' if is_answer else 'what is asked'}")
    key, lang, group = (str(values.get(name) or "") for name in ("id", "lang", "group"))
    return Row(tuple(turn.part for turn in turns), tuple(images), key, lang or "und", group)


def _turns(values: Mapping[str, Any]) -> tuple[list[_Turn], list[str | None]]:
    """The turns of a row, and the place of each image in them; None if the row has the place."""
    if any(name in values for name in LISTS):
        return _messages(values)
    for asked, more, answer in (("instruction", "input", "output"), ("query", "", "response"), ("prompt", "", "answer")):
        if answer in values:
            given = [_text(values[name], name).strip() for name in (asked, more) if name in values]
            has_images = bool(values.get("images") or values.get("image"))
            question = "\n".join(filter(None, given)) if given or not has_images else FREE.removeprefix(f"{IMAGE}\n")
            return [_Turn("user", question), _Turn("assistant", _text(values[answer], answer), True)], []
    if "text" in values:
        return [_Turn("assistant", _text(values["text"], "text"), True)], []
    names = ", ".join(map(str, values)) or "nothing"
    raise SampleError("bad_row", f"it has {names[:200]}: a row needs {'; or '.join(LAYOUTS)}")


def _before(values: Mapping[str, Any], turns: Sequence[_Turn]) -> Iterator[_Turn]:
    """The turns of a row's own keys, then those that come before its turns."""
    system = _text(values.get("system", ""), "system").strip()
    if system and any(turn.role == "system" for turn in turns):
        raise SampleError("bad_row", "it has system, and a message of that role too")
    if system:
        yield _Turn("system", system)
    history = values.get("history", [])
    if not isinstance(history, list):
        raise SampleError("bad_row", f"history is {type(history).__name__}, not a list")
    for pair in history:
        if not isinstance(pair, list) or len(pair) != 2:
            raise SampleError("bad_row", "history is no list of pairs, of what was asked and what was answered")
        yield _Turn("user", _text(pair[0], "history").strip())
        yield _Turn("assistant", _text(pair[1], "history"), True)


def _messages(values: Mapping[str, Any]) -> tuple[list[_Turn], list[str | None]]:
    turns: list[_Turn] = []
    images: list[str | None] = []
    for role, content, message in chat_turns(values):
        _refuse(message, _REFUSED_OF_MESSAGES)
        if role not in ROLES:
            raise SampleError("bad_row", f"a message has the role {role!r}: allowed are {', '.join(ROLES)}")
        text, within = _content(content)
        images += within
        is_answer = role == "assistant"
        # Questions are stripped, as in the released code.
        turns.append(_Turn(role, text if is_answer else text.strip(), _is_learned(message, is_answer)))
    if not turns:
        raise SampleError("bad_row", "its messages are empty")
    return turns, images


def _is_learned(message: Mapping[str, Any], is_answer: bool) -> bool:
    for name in _WEIGHTS:
        weight = message.get(name, is_answer)
        if weight not in (0, 1) or (weight and not is_answer):
            raise SampleError(
                "bad_row", f"a message of the {message.get('role')} has {name} {weight!r}: an answer is learned or not"
            )
        if not weight:
            return False
    return is_answer


def _content(content: Any) -> tuple[str, list[str | None]]:
    """A message's text, and the place of each image in it; None if the row has the place."""
    if not isinstance(content, list):
        return _text(content, "content"), []
    texts: list[str | None] = []
    images: list[str | None] = []
    for piece in content:
        kind = piece.get("type") if isinstance(piece, Mapping) else None
        if kind == "text":
            texts.append(_text(piece.get("text"), "content"))
        elif kind in ("image", "image_url"):
            name = next((name for name in (kind, "path", "url", "bytes") if piece.get(name)), "")
            images.append(_reference(piece if name == "bytes" else piece[name]) if name else None)
            texts.append(None)
        else:
            raise SampleError("bad_row", f"a content has a part of type {kind!r}: allowed are text, image and image_url")
    num_said = sum(text.count(IMAGE) for text in texts if text)
    if num_said and images and num_said != len(images):
        raise SampleError("image_missing", f"a content has {len(images)} images, and says {num_said} times {IMAGE}")
    # If the text has the places of images, a part is the image alone.
    return "".join(text if text is not None else "" if num_said else IMAGE for text in texts), images


def _all_images(values: Mapping[str, Any], within: Sequence[str | None]) -> list[str]:
    """The places of all images in order: the row's own, or those in its messages."""
    given = {name: values.get(name) or [] for name in ("images", "image")}
    named = {name: [_reference(one) for one in (of if isinstance(of, list) else [of])] for name, of in given.items()}
    if all(named.values()) and named["images"] != named["image"]:
        raise SampleError("bad_row", "it has images and image, and they differ")
    images = named["images"] or named["image"]
    inside = [image for image in within if image is not None]
    if inside and (len(inside) != len(within) or (images and images != inside)):
        raise SampleError("bad_row", "some images are in its messages, and others aren't")
    return images or inside


def _reference(image: Any) -> str:
    """The place of an image; for bytes in base64, a data URL."""
    if isinstance(image, Mapping):
        data = image.get("bytes")
        image = f"data:;base64,{data}" if isinstance(data, str) and data else image.get("path") or image.get("url")
    if not isinstance(image, str) or not image:
        raise SampleError("image_missing", f"an image is {repr(image)[:200]}, not a path or an address, nor bytes in base64")
    return image


def _named(turns: list[_Turn], num_images: int) -> list[_Turn]:
    """`turns` with an `<image>` for each image."""
    num_said = sum(turn.text.count(IMAGE) for turn in turns if turn.role != "assistant")
    if num_said == num_images:
        return turns
    if num_said or not num_images:
        raise SampleError("image_missing", f"{num_said} times {IMAGE} is said, and there are {num_images} images")
    before = f"{IMAGE}\n" * num_images
    at = next((at for at, turn in enumerate(turns) if turn.role == "user"), None)
    if at is None:
        return [_Turn("user", before), *turns]
    return [*turns[:at], turns[at]._replace(text=before + turns[at].text), *turns[at + 1 :]]


def _refuse(values: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in names:
        if not _is_empty(values.get(name)):
            raise SampleError("bad_row", f"it has {name}, which isn't read here: without it the row would teach something else")


def _is_empty(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_empty, value.values()))
    return value is None or value in ("", "[]", [])


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise SampleError("bad_row", f"{name} is {type(value).__name__}, not a text")
    return value

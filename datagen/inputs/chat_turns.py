"""The turns of a row about pictures or texts, as LLaVA, ShareGPT, ms-swift, LLaMA-Factory and OpenAI lay them out.

{"conversations": [{"from": "human", "value": "<image>\\nDescribe it."}, {"from": "gpt", "value": "A dog in a meadow."}]}
{"messages": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Describe it."}]}, …]}
{"conversation": [{"human": "Describe it.", "assistant": "A dog in a meadow."}]}
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from datagen.record import SampleError

LISTS = ("messages", "conversations", "conversation")
"""The names of the list of turns: a row has one of these."""
ROLES = ("system", "user", "assistant")
_SPEAKERS = {"human": "user", "gpt": "assistant"}  # of `from`


class Turn(NamedTuple):
    """`role` is one of `ROLES`, or the message's own word if it is none of them. `content` is a text or a list of parts,
    unchanged. `message` is the whole message without its keys of null."""

    role: Any
    content: Any
    message: Mapping[str, Any]


def turns(row: Mapping[str, Any]) -> Iterator[Turn]:
    """The turns of a row, in order; none if it has no list of turns. Raises `SampleError` (`bad_row`) if that isn't a list."""
    name = next((name for name in LISTS if row.get(name) is not None), "")
    messages = row[name] if name else []
    if not isinstance(messages, list):
        raise SampleError("bad_row", f"{name} is {type(messages).__name__}, not a list")
    for message in messages:
        message = {key: value for key, value in message.items() if value is not None} if isinstance(message, Mapping) else {}
        if {"human", "assistant"} <= set(message):
            yield Turn("user", message["human"], message)
            yield Turn("assistant", message["assistant"], message)
        else:
            role = message.get("role") or _SPEAKERS.get(str(message.get("from")), message.get("from"))
            yield Turn(role, message.get("content", message.get("value")), message)

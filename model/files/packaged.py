"""The network that comes with the package: stage 1 of `reads`, which reads drawn lines in Latin letters.

    lines/model/        a released folder in bf16
    lines/card.json     its training, and its error rates
    lines/CARD.md       the same for people

`make recipe=reads install=1` makes them. As a start it replaces published weights: it has learned to see, and where to look.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "lines"
LINES = FOLDER / "model"
CARD, TABLE = "card.json", "CARD.md"


def card() -> dict[str, Any]:
    """The contents of `card.json`. Raises `FileNotFoundError` if the package has no such network."""
    values: dict[str, Any] = json.loads((FOLDER / CARD).read_text(encoding="utf-8"))
    return values

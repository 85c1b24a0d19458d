"""The objects of pictures in a table's rows, as Hugging Face's detection datasets have them, read in the sandboxed child.

The column `objects` is a struct of lists, or a list of structs, in which each object has a box and a class:

    {"bbox": [[302, 109, 73, 52]], "category": [4], "area": [3796]}          a number is a class of the features, by its name
    [{"bbox": [302, 109, 375, 161], "category": "gloves"}]
    [{"x": 302, "y": 109, "w": 73, "h": 52, "names": ["glove"]}]             as Visual Genome's

Four numbers are x, y, width, height in some datasets (CPPE-5) and x0, y0, x1, y1 in others (Fashionpedia), and no field says
which. The first `LOOKED_AT` rows decide. A form fits if at most `_MISFITS` of its boxes have corners in the wrong order or lie
outside the image. If both forms fit, the form whose areas are those in `area` is taken. If both or none remain, or if all numbers
are shares of the image, no box is taken.
"""

import io
import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from PIL import Image

from datagen.pictures.descriptions import Detected, Thing
from datagen.record import clean_text

COLUMN = "objects"
LOOKED_AT = 64
_MISFITS = 0.05
_MOST_PIXELS = 1e9
_BEYOND = 1.02  # of the image's sides
_SAME_AREA, _MOST_SAME = 0.02, 0.9
_BOXES = ("bbox", "bboxes", "box", "boxes")
_NAMES = ("category_name", "class_name", "name", "names", "category", "categories", "label", "labels", "class", "classes")
_NUMBERS = ("category_id", "class_id", "label_id")
_CROWDS = ("iscrowd", "is_crowd")
_SIDES = (("x", "y", "w", "h"), ("x", "y", "width", "height"))
_CORNERS = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("x0", "y0", "x1", "y1"),
    ("x1", "y1", "x2", "y2"),
)
_Box = tuple[float, float, float, float]


def class_names(notes: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """The names of classes, by the column, or the field of `objects`, with their numbers. Hugging Face has the names in the
    schema."""
    names: dict[str, list[str]] = {}
    try:
        features = json.loads(notes.get(b"huggingface", b"{}"))["info"]["features"]
        for column, feature in features.items():
            names |= {name: of for name, of in _labels(column, feature) if name == column or column.lower() == COLUMN}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return names


def named(value: Any, names: Sequence[str]) -> Any:
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value


def _labels(name: str, feature: Any) -> Iterator[tuple[str, list[str]]]:
    """The names of classes in a feature, by the feature's name."""
    if isinstance(feature, list):
        feature = {"feature": feature[0]} if feature else {}
    if not isinstance(feature, dict):
        return
    if feature.get("_type") == "ClassLabel" and all(isinstance(one, str) for one in feature["names"]):
        yield name, feature["names"]
    for key, value in feature.items():
        yield from _labels(name if key == "feature" else f"{COLUMN}.{key}", value)


class Objects:
    """The objects of a table's rows. The rows `some` decide the form of the boxes. `names` come from `class_names`."""

    def __init__(self, names: Mapping[str, Sequence[str]], some: Iterable[tuple[Mapping[str, Any], tuple[int, int]]]):
        self._names = names
        self._is_corners = _has_corners([(item, size) for row, size in some for item in _items(_column(row)) or ()])

    def read(self, row: Mapping[str, Any], stored: tuple[int, int] = (0, 0)) -> Detected | None:
        """The objects of a row; None if it has none. `stored` is the image's size in its file, (0, 0) if unknown; the row's own
        size wins."""
        value = _column(row)
        if not value:
            return None
        items = _items(value)
        if items is None:
            return Detected(fault="bad_objects")
        crowds = [any(item.get(name) for name in _CROWDS) for item in items]
        alone = [item for item, is_crowd in zip(items, crowds, strict=True) if not is_crowd]
        boxes = [self._box(item) for item in alone]
        names = [self._name(item) for item in alone]
        things = [Thing(name, box) for name, box in zip(names, boxes, strict=True) if name and box]
        fault = ""
        if alone and not things:
            unclear = self._is_corners is None and any(map(_four, alone))
            fault = "ambiguous_boxes" if unclear else "bad_objects" if any(names) else "unnamed_objects"
        return Detected(tuple(dict.fromkeys(things)), _said_size(row) or stored, sum(crowds), fault)

    def _box(self, item: Mapping[str, Any]) -> _Box | None:
        corners = _corners_by_name(item)
        if corners:
            return corners
        four = _four(item)
        if four is None or self._is_corners is None:
            return None
        return four if self._is_corners else _of_sides(four)

    def _name(self, item: Mapping[str, Any]) -> str:
        for key in (*_NAMES, *_NUMBERS):
            value = item.get(key)
            value = value[0] if isinstance(value, list) and value else value
            value = named(value, self._names.get(f"{COLUMN}.{key}", ()))
            if isinstance(value, str) and value.strip():
                return clean_text(" ".join(value.split()))
        return ""


def looked_at(rows: Iterable[tuple[int, Any]], image: str) -> Iterator[tuple[Mapping[str, Any], tuple[int, int]]]:
    """The first readable rows, with the sizes of their images. `image` is the column of images."""
    for _, row in rows:
        if isinstance(row, dict):
            value = row.get(image)
            value = value[0] if isinstance(value, list) and value else value
            encoded = value.get("bytes") if isinstance(value, dict) else value
            yield row, _said_size(row) or stored_size(encoded)


def stored_size(encoded: Any) -> tuple[int, int]:
    """The width and height in an image's file, before the image is turned; (0, 0) if unknown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(encoded)) as opened:
                return opened.size
    except Exception:  # Pillow raises many kinds on damaged files, and decoding the image says which
        return 0, 0


def _column(row: Mapping[str, Any]) -> Any:
    return row.get(COLUMN) or next((value for name, value in row.items() if name.lower() == COLUMN), None)


def _said_size(row: Mapping[str, Any]) -> tuple[int, int] | None:
    small = {name.lower(): value for name, value in row.items()}
    sides = [small.get(name) for name in ("width", "height")]
    whole = [int(side) for side in sides if isinstance(side, int | float) and 0 < side < 1 << 31]
    return (whole[0], whole[1]) if len(whole) == 2 else None


def _items(value: Any) -> list[dict[str, Any]] | None:
    """The objects, each as a dict; None for other values."""
    if isinstance(value, dict):
        lists = {name: of for name, of in value.items() if isinstance(of, list)}
        num = next((len(lists[name]) for name in (*_BOXES, *(keys[0] for keys in (*_SIDES, *_CORNERS))) if name in lists), -1)
        keys = [name for name, of in lists.items() if len(of) == num]
        return [dict(zip(keys, of, strict=True)) for of in zip(*(lists[key] for key in keys), strict=True)] if keys else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else None


def _numbers(values: Iterable[Any]) -> _Box | None:
    try:
        a, b, c, d = map(float, values)
    except (TypeError, ValueError, OverflowError):
        return None
    return (a, b, c, d) if all(abs(value) < _MOST_PIXELS for value in (a, b, c, d)) else None


def _four(item: Mapping[str, Any]) -> _Box | None:
    """The four numbers of a box whose meaning isn't named."""
    value = next((item[name] for name in _BOXES if name in item), None)
    return _numbers(value) if isinstance(value, list) else None


def _corners_by_name(item: Mapping[str, Any]) -> _Box | None:
    """The corners of a box whose numbers have names, in the object or in its box."""
    box = next((item[name] for name in _BOXES if isinstance(item.get(name), dict)), item)
    for keys in (*_CORNERS, *_SIDES):
        if all(key in box for key in keys) and (four := _numbers(box[key] for key in keys)):
            return _of_sides(four) if keys in _SIDES else four
    return None


def _of_sides(box: _Box) -> _Box:
    return box[0], box[1], box[0] + box[2], box[1] + box[3]


def _has_corners(items: Iterable[tuple[Mapping[str, Any], tuple[int, int]]]) -> bool | None:
    """Whether boxes are two corners, not a corner and a size; None if unknown."""
    boxes = [(four, size, item.get("area")) for item, size in items if (four := _four(item))]
    if all(value <= 1 for four, _, _ in boxes for value in four):
        return None  # none at all, or shares of the image
    fits = [sum(_misfits(form(four), size) for four, size, _ in boxes) <= _MISFITS * len(boxes) for form in (_of_sides, tuple)]
    if fits[0] != fits[1]:
        return fits[1]
    areas = [(four, area) for four, _, area in boxes if isinstance(area, int | float) and area > 0]
    same = [sum(_is_area(form(four), area) for four, area in areas) >= _MOST_SAME * len(areas) for form in (_of_sides, tuple)]
    return same[1] if fits[0] and same[0] != same[1] else None


def _misfits(corners: Sequence[float], size: tuple[int, int]) -> bool:
    x0, y0, x1, y1 = corners
    return x1 < x0 or y1 < y0 or (all(size) and (x1 > _BEYOND * size[0] + 1 or y1 > _BEYOND * size[1] + 1))


def _is_area(corners: Sequence[float], area: float) -> bool:
    x0, y0, x1, y1 = corners
    return abs((x1 - x0) * (y1 - y0) - area) <= _SAME_AREA * area + 1

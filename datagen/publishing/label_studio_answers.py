"""People's answers in Label Studio, read from its export (the format JSON) as a patch of the dataset of the tasks.

A submitted task is `right` if nothing changed, `wrong` if that was chosen, else `corrected`. A skipped task is `skip`. Regions
keep the number in their ids; regions without such an id are new. A turned rectangle becomes a polygon, with the box around it. An
unclear answer is refused in a sentence with Label Studio's own ids.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datagen.labels import PICTURES, RUNNING
from datagen.publishing.label_studio import NEXT, VERDICT, WHOLE, WRONG, region_id, whole_text
from datagen.record import LABELS, Region, Sample

Json = Mapping[str, Any]
_SHAPES = {"rectanglelabels": "rectangle", "rectangle": "rectangle", "polygonlabels": "polygon", "polygon": "polygon"}
_FORMATS = {"table": "html", "equation": "latex", "molecule": "smiles", "geometry": "geometry"}
_NEAR = 0.05  # pixels: rounding to percent may move a place by so much
_LONGEST_NAME = 100
_MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Task:
    """An answered task of an export: its number there, its sample, and the answer."""

    id: Any
    key: str
    dataset: str
    record: str
    annotation: Json


@dataclass
class _Drawn:
    """A region whose results are being collected."""

    id: str
    shape: str = ""
    value: Json = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    text: str | None = None


def tasks(content: bytes, by: str = "") -> tuple[str, list[Task], int]:
    """The person, the tasks that this person answered, and the number of tasks that nobody answered. `by` chooses one of several
    people. Raises `ValueError`."""
    if len(content) > _MOST_BYTES:
        raise ValueError("it has over 1 GiB: export fewer tasks at a time")
    try:
        exported = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON ({str(error)[:100]}): export the project as JSON") from None
    if not isinstance(exported, list) or not all(isinstance(each, dict) for each in exported):
        raise ValueError("it is no list of tasks: export the project as JSON")
    if any("annotations" not in each for each in exported):
        raise ValueError("its tasks have no annotations: export the project as JSON, not as JSON_MIN or another format")
    annotations = [(person(a), t, a) for t in exported for a in _list(t["annotations"]) if isinstance(a, dict)]
    people = Counter(who for who, _, _ in annotations)
    if by and by not in people:
        raise ValueError(f"by={by}: nobody of that name answered; {_named(people)} did")
    if len(people) > 1 and not by:
        raise ValueError(f"several people answered, {_named(people)}: take one at a time with by=NAME")
    if not people:
        raise ValueError("nobody has submitted or skipped a task in it")
    by = by or next(iter(people))
    answers = [_task(task, annotation) for who, task, annotation in annotations if who == by]
    twice = [key for key, n in Counter(answer.key for answer in answers).items() if n > 1]
    if twice:
        raise ValueError(f"{by} answered {twice[0]} more than once: delete one of the annotations there")
    return by, answers, sum(not _list(task["annotations"]) for task in exported)


def person(annotation: Json) -> str:
    """The name of an annotation's author. Of an e-mail address only the part before the @, since records keep it; else the user's
    number."""
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        name = " ".join(str(who.get(part) or "") for part in ("first_name", "last_name")).strip()
        name = name or str(who.get("email") or "").partition("@")[0]
        return "".join(c for c in name if c.isprintable()).strip()[:_LONGEST_NAME] or f"user {who.get('id', '?')}"
    return f"user {who}" if who is not None else "somebody"


def patched(task: Task, sample: Sample, record: bytes) -> dict[str, Any]:
    """A task's answer as a patch of its sample. Raises `ValueError`, one sentence."""
    if hashlib.sha256(record).hexdigest() != task.record:
        raise ValueError(f"{task.key} has changed since the tasks were written: write them anew")
    answer: dict[str, Any] = {"key": task.key, "record": task.record, "verdict": "skip", "note": ""}
    if task.annotation.get("was_cancelled"):
        return answer
    results = [result for result in _list(task.annotation.get("result")) if isinstance(result, dict)]
    chosen = [c for r in results if r.get("from_name") == VERDICT for c in _list(_value(r).get("choices"))]
    if WRONG in chosen:
        return answer | {"verdict": "wrong"}
    where = f"task {task.id}, {task.key}"
    drawn, order, whole = _put_together(results, where)
    changed: dict[str, Any] = {}
    regions = _in_order([_region(each, sample, where) for each in drawn], [each.id for each in drawn], order)
    now = [tuple(region[name] for name in ("of", "box", "polygon", "label", "text")) for region in regions]
    if now != [(i, list(old.box), list(map(list, old.polygon)), old.label, old.text) for i, old in enumerate(sample.regions)]:
        changed["regions"] = regions
    if whole is not None and whole.strip() != whole_text(sample).strip():
        if sample.task != "caption" and (sample.regions or regions):
            raise ValueError(f"{where}: it has regions, of which its text is made: type there, and empty the text of the whole")
        changed["caption" if sample.task == "caption" else "text"] = whole
    return answer | changed | {"verdict": "corrected" if changed else "right"}


def _task(task: Json, annotation: Json) -> Task:
    data = task.get("data")
    known = [data.get(name) for name in ("key", "dataset", "record")] if isinstance(data, dict) else [None]
    if not all(isinstance(value, str) and value for value in known):
        raise ValueError(f"task {task.get('id')} isn't one of those that pagewheel wrote: it has no key, dataset and record")
    key, dataset, record = map(str, known)
    return Task(task.get("id"), key, dataset, record, annotation)


def _put_together(results: Sequence[Json], where: str) -> tuple[list[_Drawn], dict[str, str], str | None]:
    """The regions in the order of their first results, pairs of regions in which the second comes right behind the first, and the
    text of the whole."""
    drawn: dict[str, _Drawn] = {}
    order: dict[str, str] = {}
    whole = None
    for result in results:
        kind, value = str(result.get("type")), _value(result)
        if kind == "relation":
            if NEXT in _list(result.get("labels")) or not result.get("labels"):
                ends = str(result.get("from_id")), str(result.get("to_id"))
                before, behind = reversed(ends) if result.get("direction") == "left" else ends
                order[before] = behind
        elif kind == "choices":
            continue
        elif kind == "textarea" and result.get("from_name") == WHOLE:
            whole = _text(value)
        elif kind in (*_SHAPES, "labels", "textarea"):
            each = drawn.setdefault(str(result.get("id")), _Drawn(str(result.get("id"))))
            if result.get("image_rotation"):
                raise ValueError(f"{where}: the image is turned by {result['image_rotation']} degrees there: turn it back")
            if kind in _SHAPES:
                each.shape, each.value = _SHAPES[kind], value
            each.labels += [str(label) for label in _list(value.get(kind))] if kind.endswith("labels") else []
            each.text = _text(value) if kind == "textarea" else each.text
        else:
            raise ValueError(f"{where}: a result is of the type {kind[:40]}, which no region of a record has: delete it there")
    if lost := [each.id for each in drawn.values() if not each.shape]:
        raise ValueError(f"{where}: the result {lost[0]} has a label or a text, and no place: delete it there")
    return list(drawn.values()), order, whole


def _region(drawn: _Drawn, sample: Sample, where: str) -> dict[str, Any]:
    """A region of the patch. An unchanged region keeps its exact numbers."""
    numbers = {region_id(sample.key, number): number for number in range(len(sample.regions))}
    of = numbers.get(drawn.id, -1)
    old = sample.regions[of] if of >= 0 else None
    labels = list(dict.fromkeys(drawn.labels))
    if len(labels) > 1:
        raise ValueError(f"{where}: the region {drawn.id} has the labels {' and '.join(labels)}: leave one")
    label = labels[0] if labels else old.label if old else "text"
    if label not in LABELS:
        raise ValueError(f"{where}: the label {label[:40]!r} is none of {', '.join(LABELS)}")
    points, is_rectangle = _points(drawn, sample.size, where)
    box = _around(points, sample.size, f"{where}: the region {drawn.id}")
    polygon = [] if is_rectangle else _within(points, sample.size)
    if old and _is_near(points, _corners(old)):
        box, polygon = list(old.box), [list(point) for point in old.polygon]
    text = drawn.text or ""
    if old and text.strip() == old.text.strip():
        text = old.text
    same_label = old is not None and label == old.label
    return {
        "box": box,
        "polygon": polygon,
        "label": label,
        "format": old.format if old and same_label else _FORMATS.get(label, "markdown"),
        "text": text,
        "is_unread": not text and (old.is_unread if old else label not in PICTURES | RUNNING),
        "continues": bool(old and old.continues),
        "of": of,
    }


def _points(drawn: _Drawn, size: tuple[int, int], where: str) -> tuple[list[list[float]], bool]:
    """The corners in pixels, and whether they are an upright rectangle's. A rectangle turns clockwise around its top left corner
    (https://labelstud.io/templates/image_bbox)."""
    width, height = size
    value = drawn.value
    try:
        if drawn.shape == "polygon":
            points = [[_number(x) * width / 100, _number(y) * height / 100] for x, y in value["points"]]
            if len(points) < 3:
                raise ValueError
            return [[round(x, 2), round(y, 2)] for x, y in points], False
        x, y = _number(value["x"]) * width / 100, _number(value["y"]) * height / 100
        w, h = _number(value["width"]) * width / 100, _number(value["height"]) * height / 100
        angle = math.radians(_number(value.get("rotation") or 0))
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{where}: the place of the region {drawn.id} can't be read: delete it there") from None
    cos, sin = math.cos(angle), math.sin(angle)
    corners = [[x + dx * cos - dy * sin, y + dx * sin + dy * cos] for dx, dy in ((0, 0), (w, 0), (w, h), (0, h))]
    return [[round(x, 2), round(y, 2)] for x, y in corners], abs(sin) < 1e-6 and cos > 0


def _around(points: Iterable[Sequence[float]], size: tuple[int, int], what: str) -> list[int]:
    """The box of whole pixels around `points`, within the image. Raises `ValueError` if it is empty."""
    xs, ys = zip(*points, strict=True)
    box = [max(0, round(min(xs))), max(0, round(min(ys))), min(size[0], round(max(xs))), min(size[1], round(max(ys)))]
    if box[0] >= box[2] or box[1] >= box[3]:
        raise ValueError(f"{what} is narrower than a pixel, or lies outside of the image: delete it there")
    return box


def _within(points: Iterable[Sequence[float]], size: tuple[int, int]) -> list[list[float]]:
    """`points` with those outside the image moved to its edge."""
    return [[min(max(n, 0.0), float(side)) for n, side in zip(point, size, strict=True)] for point in points]


def _in_order(regions: list[dict[str, Any]], ids: list[str], order: Mapping[str, str]) -> list[dict[str, Any]]:
    """The regions in the order of the results. A new region comes before the first one below it in its column. Arrows decide
    last."""
    known = [i for i, region in enumerate(regions) if region["of"] >= 0]
    for i, region in enumerate(regions):
        if region["of"] < 0:
            below = (place for place, j in enumerate(known) if _is_below(regions[j]["box"], region["box"]))
            known.insert(next(below, len(known)), i)
    places = {id: i for i, id in enumerate(ids)}
    for before, behind in order.items():
        if before in places and behind in places and before != behind:
            known.remove(places[behind])
            known.insert(known.index(places[before]) + 1, places[behind])
    return [regions[i] for i in known]


def _is_below(box: Sequence[int], other: Sequence[int]) -> bool:
    return box[1] >= other[3] - (other[3] - other[1]) // 4 and box[0] < other[2] and other[0] < box[2]


def _corners(region: Region) -> list[tuple[float, float]]:
    x0, y0, x1, y1 = map(float, region.box)
    return list(region.polygon) or [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def _is_near(points: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> bool:
    pairs = zip(points, others, strict=False)
    return len(points) == len(others) and all(math.dist(point, other) <= _NEAR for point, other in pairs)


def _text(value: Json) -> str:
    text = value.get("text")
    return "\n".join(map(str, text)) if isinstance(text, list) else str(text or "")


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _value(result: Json) -> Json:
    value = result.get("value")
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _named(people: Counter[str]) -> str:
    return ", ".join(f"{who} ({n})" for who, n in people.most_common())

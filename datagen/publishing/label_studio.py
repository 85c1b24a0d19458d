"""A dataset as tasks for Label Studio. Its regions are predictions, which a person corrects there.

The form of tasks is documented at https://labelstud.io/guide/task_format, https://labelstud.io/guide/predictions and
https://labelstud.io/tags. Places are in percent of the image's sides. The results of one region have the same id, `KEY_NUMBER`,
and so has an annotation of the region. The reading order is that of the results. An arrow with the label `next`, drawn by a
person, puts the region at its end right behind the region at its beginning.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from datagen.disk import manifest, marks
from datagen.disk.shards import image_extension, read_reports, read_samples
from datagen.disk.storage import Folder
from datagen.patching.form import dataset_id
from datagen.record import LABELS, Region, Sample

BOX, POLYGON, TEXT, WHOLE, VERDICT, NEXT, IMAGE = "box", "polygon", "text", "whole", "verdict", "next", "image"
"""The names of the tags in the labeling configuration, which are also `from_name` and `to_name` of results."""
WRONG = "wrong"
_PLACE = ["key", "shard", "offset", "bytes", "record_offset", "record_bytes"]
_COLUMNS = [*_PLACE, "task", "verdict", "difficulty", "num_unread"]
_COLOURS = ("green", "blue", "red", "orange", "purple", "teal", "brown", "magenta", "olive", "navy", "crimson")


def configuration() -> str:
    """The labeling configuration, as XML, to paste into a project's settings."""
    labels = "".join(
        f'\n    <Label value="{label}" background="{_COLOURS[i % len(_COLOURS)]}"/>' for i, label in enumerate(LABELS)
    )
    typed = 'editable="true" maxSubmissions="1" rows="5"'
    return f"""<View>
  <Image name="{IMAGE}" value="$image" zoom="true" zoomControl="true"/>
  <RectangleLabels name="{BOX}" toName="{IMAGE}">{labels}
  </RectangleLabels>
  <PolygonLabels name="{POLYGON}" toName="{IMAGE}">{labels}
  </PolygonLabels>
  <TextArea name="{TEXT}" toName="{IMAGE}" perRegion="true" displayMode="region-list" {typed}/>
  <Header value="The caption, or the whole text where there are no regions"/>
  <TextArea name="{WHOLE}" toName="{IMAGE}" {typed}/>
  <Choices name="{VERDICT}" toName="{IMAGE}" choice="single">
    <Choice value="{WRONG}"/>
  </Choices>
  <Relations>
    <Relation value="{NEXT}"/>
  </Relations>
</View>
"""


def rows(folder: Folder, limit: int = 0) -> tuple[list[dict[str, Any]], int]:
    """The manifest's rows of the samples to look at, worst first: samples with unread regions, then difficult ones, then suspect
    ones. At most `limit` rows (0: all). Marked samples are left out. Also the number of samples without an image."""
    marked = marks.excluded(folder)
    candidates: list[tuple[tuple, dict[str, Any]]] = []
    num_texts = 0
    for part in manifest.parts(folder, [report.shard for report in read_reports(folder)], _COLUMNS):
        for row in part.to_pylist():
            num_texts += row["task"] == "text"
            if row["task"] != "text" and not marks.is_marked(row["key"], marked):
                rank = (not row["num_unread"], -row["difficulty"], row["verdict"] == "trusted", row["key"])
                candidates.append((rank, {name: row[name] for name in _PLACE}))
        if limit:
            candidates = sorted(candidates, key=lambda each: each[0])[:limit]
    return [row for _, row in sorted(candidates, key=lambda each: each[0])], num_texts


def tasks(folder: Folder, name: str, chosen: list[dict[str, Any]], images: str) -> Iterator[tuple[dict[str, Any], str, bytes]]:
    """A task for each of these rows of the manifest, with the name and content of its image's file. Label Studio serves the
    images from the folder `images` below its document root."""
    known = dataset_id(folder)
    for sample, record in zip(read_samples(folder, chosen), records(folder, chosen), strict=True):
        assert sample.image is not None
        file = f"{sample.key}.{image_extension(sample.image)}"
        data = {
            "image": f"/data/local-files/?d={quote(f'{images}/{file}')}",
            "key": sample.key,
            "dataset": known,
            "name": name,
            "record": hashlib.sha256(record).hexdigest(),
            "lang": sample.lang,
            "verdict": sample.quality.verdict,
            "reasons": ", ".join(sample.quality.reasons),
        }
        prediction = {"model_version": f"pagewheel {name}", "result": list(results(sample))}
        yield {"data": data, "predictions": [prediction]}, file, sample.image


def records(folder: Folder, chosen: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The records of these rows of the manifest, in the bytes of their shards."""
    ranges = ((f"shards/{r['shard']}.tar", r["record_offset"], r["record_offset"] + r["record_bytes"]) for r in chosen)
    yield from folder.read_ranges(ranges)


def results(sample: Sample) -> Iterator[dict[str, Any]]:
    """The results of a prediction: a sample's regions, and its `whole_text`."""
    width, height = sample.size
    frame = {"to_name": IMAGE, "original_width": width, "original_height": height, "image_rotation": 0}
    if whole := whole_text(sample):
        yield frame | {"id": f"{sample.key}_{WHOLE}", "from_name": WHOLE, "type": "textarea", "value": {"text": [whole]}}
    for number, region in enumerate(sample.regions):
        place = _place(region, width, height)
        kind = "polygon" if "points" in place else "rectangle"
        own = frame | {"id": region_id(sample.key, number)}
        labelled = place | {f"{kind}labels": [region.label]}
        yield own | {"from_name": POLYGON if kind == "polygon" else BOX, "type": f"{kind}labels", "value": labelled}
        if region.text:
            yield own | {"from_name": TEXT, "type": "textarea", "value": place | {"text": [region.text]}}


def whole_text(sample: Sample) -> str:
    """The text that is corrected beside the regions: the caption of a described picture, or the text of a sample without
    regions."""
    return sample.caption if sample.task == "caption" else "" if sample.regions else sample.text


def region_id(key: str, number: int) -> str:
    return f"{key}_{number}"


def _place(region: Region, width: int, height: int) -> dict[str, Any]:
    """A region's polygon or rectangle, in percent of the image's sides."""
    if region.polygon:
        return {"points": [[x / width * 100, y / height * 100] for x, y in region.polygon], "closed": True}
    x0, y0, x1, y1 = region.box
    sides = {"width": (x1 - x0) / width * 100, "height": (y1 - y0) / height * 100}
    return {"x": x0 / width * 100, "y": y0 / height * 100, **sides, "rotation": 0}

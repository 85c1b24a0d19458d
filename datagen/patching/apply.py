"""What a person's answer makes of a record.

A sample that a person corrected, or called right, is trusted: somebody compared all of it with its image, which no engine's doubt
outweighs. So its reasons go, and the signal `person` is 1. What was measured stays among the signals.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from datagen.contract import check
from datagen.markdown import markdown
from datagen.patching.form import LONGEST_TEXT, PatchedRegion, PatchedSample, PatchError, strange_character
from datagen.record import FORMATS, KEY, LABELS, Box, Quality, Region, Sample
from datagen.target.prompts import is_fine

PERSON = "person"
_SUFFIX = re.compile(r"-p[0-9a-f]{8}$")  # `datagen.disk.marks` knows it, too
_AROUND = 2.0  # pixels that a polygon may leave the image by, as engines' do


def corrected(sample: Sample, answer: PatchedSample, by: str) -> Sample | None:
    """The sample as the person `by` left it, under its new key; None if the answer asks for no other record. The image, which the
    sample may lack here, stays. Raises `PatchError`, one sentence without the sample's name, for what can't stand in a record."""
    quality = sample.quality
    is_trusted = quality.verdict == "trusted" and not quality.reasons
    if answer.verdict in ("wrong", "restored", "skip") or (answer.verdict == "right" and is_trusted):
        return None
    new = _with_label(sample, answer, by) if answer.verdict == "corrected" else sample
    new = replace(new, quality=Quality("trusted", (), quality.signals | {PERSON: 1.0}))
    # What the new record says, and which one it follows.
    new = replace(new, key=f"{_SUFFIX.sub('', new.key)}-p{hashlib.sha256(new.to_json()).hexdigest()[:8]}")
    if not KEY.fullmatch(new.key):
        raise PatchError("its key is too long to have a corrected one: leave it out")
    try:
        check(replace(new, image=new.image or b"the record's own"))
    except ValueError as error:
        raise PatchError(f"{error}: correct it on the look page") from None
    return new


def _with_label(sample: Sample, answer: PatchedSample, by: str) -> Sample:
    """The sample with the regions, the text and the caption that the answer gives."""
    if answer.caption is not None:
        _refuse_text(answer.caption, sample.caption, "its caption")
        sample = replace(sample, caption=answer.caption)
    if answer.text is not None:
        if sample.regions or answer.regions:
            raise PatchError("its text is made of its regions: give regions in place of text")
        _refuse_text(answer.text, sample.text, "its text")
        sample = replace(sample, text=answer.text)
    if answer.regions is None:
        return sample
    of = Counter(region.of for region in answer.regions)
    regions = tuple(_region(sample, number, region, by, of[region.of] == 1) for number, region in enumerate(answer.regions))
    new = replace(sample, regions=regions, metadata=_decisions_of(sample, answer.regions, regions))
    return replace(new, text=_text_rule(sample)(new)) if sample.regions or regions else new


def _region(sample: Sample, number: int, new: PatchedRegion, by: str, is_whole: bool) -> Region:
    """The region `number` of the answer. `is_whole`: no other comes from the same old one."""
    where = f"its region {number}"
    if not -1 <= new.of < len(sample.regions):
        raise PatchError(f"{where} is said to come from region {new.of} of {len(sample.regions)}: -1 stands for a new one")
    old = sample.regions[new.of] if new.of >= 0 else None
    width, height = sample.size
    x0, y0, x1, y1 = new.box
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise PatchError(f"{where} has the box {_short(new.box)}, empty or outside of {width} x {height} pixels: draw it anew")
    for word, allowed in ((new.label, LABELS), (new.format, FORMATS)):
        if word not in allowed:
            raise PatchError(f"{where} has {word[:50]!r}: allowed are {', '.join(allowed)}")
    polygon = () if old and new.polygon == old.polygon and new.box != old.box else new.polygon
    for x, y in polygon if old is None or polygon != old.polygon else ():
        if not (-_AROUND <= x <= width + _AROUND and -_AROUND <= y <= height + _AROUND):
            raise PatchError(f"{where} has a corner at {_short((x, y))}, outside of {width} x {height} pixels: draw it anew")
    if new.is_unread and new.text:
        raise PatchError(f"{where} is unread and has a text: take one of the two out")
    is_same_place = old is not None and (new.box, polygon, new.label) == (tuple(old.box), old.polygon, old.label)
    is_same_text = old is not None and (new.text, new.format, new.is_unread) == (old.text, old.format, old.is_unread)
    if not is_same_text:
        _refuse_text(new.text, old.text if old else "", where)
    if old is not None and is_same_place and is_same_text and new.continues == old.continues:
        return old
    return Region(
        box=Box(*new.box),
        label=new.label,
        text=new.text,
        score=None,
        by=f"{PERSON}/{by}",
        polygon=polygon,
        lines=old.lines if old is not None and is_same_text and is_whole else (),
        format=new.format,
        detected_by=(old.detected_by or old.by) if old is not None and is_same_place else "",
        is_unread=new.is_unread,
        continues=new.continues,
    )


def _refuse_text(text: str, old: str, where: str) -> None:
    if text == old:
        return
    if len(text) > LONGEST_TEXT:
        raise PatchError(f"{where} has {len(text):,} characters: at most {LONGEST_TEXT:,} are a label")
    if (strange := strange_character(text)) and strange != strange_character(old):
        raise PatchError(f"{where} has the character {strange}, which no text may have: take it out")


def _short(numbers: Sequence[float]) -> str:
    """Numbers, the huge ones cut."""
    return f"({', '.join(str(n)[:12] for n in numbers)})"


def _text_rule(old: Sample) -> Callable[[Sample], str]:
    """How the sample's text follows from its regions: as is usual of its task, or, where another rule alone gives the old text,
    by that one."""
    others = [rule for rule in (_markdown_of, paragraphs_of, _inline_of) if old.regions and rule(old) == old.text]
    return _usual if _usual(old) == old.text or not others else others[0]


def _usual(sample: Sample) -> str:
    if sample.task == "caption":  # its regions are objects
        return sample.text
    is_markdown = is_fine(sample) if sample.task == "page" else sample.task in ("crop", "table", "formula")
    return _markdown_of(sample) if is_markdown else paragraphs_of(sample)


def _markdown_of(sample: Sample) -> str:
    return markdown(sample.regions)


def paragraphs_of(sample: Sample) -> str:
    """The text of a coarse page, a scene, or a figure: the regions' texts, a blank line between two."""
    return "\n\n".join(region.text for region in sample.regions if region.text)


def _inline_of(sample: Sample) -> str:
    """The text of a formula that stands within a line."""
    return rf"\({sample.regions[0].text}\)" if len(sample.regions) == 1 else ""


def _decisions_of(sample: Sample, answers: Sequence[PatchedRegion], regions: Sequence[Region]) -> dict[str, str]:
    """The sample's metadata, in which the decisions of an agreement are those of regions that the person left as they were, by
    their new numbers."""
    try:
        entries: list[dict[str, Any]] = json.loads(sample.metadata["decisions"])
        of_region = {entry["region"]: entry for entry in entries}
    except (KeyError, TypeError, ValueError):
        return sample.metadata
    left = [
        of_region[answer.of] | {"region": number}
        for number, (answer, region) in enumerate(zip(answers, regions, strict=True))
        if answer.of in of_region and region is sample.regions[answer.of]
    ]
    return sample.metadata | {"decisions": json.dumps(left, ensure_ascii=False)}

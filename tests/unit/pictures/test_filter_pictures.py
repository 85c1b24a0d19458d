"""Pictures left out by what their lists say."""

from dataclasses import replace

import pytest

from datagen.engines import OPEN
from datagen.pictures.filter_pictures import FilterPictures
from datagen.record import Drop, Origin, Quality, Sample

PICTURE = Sample("key", "scene", b"", (640, 480), "und", "Zyyy", "", (), Quality(), Origin("uri", "sha", 0), "images")


def reason(filter: FilterPictures, licence: str = "", **metadata: str) -> str:
    sample = replace(PICTURE, metadata=metadata, origin=replace(PICTURE.origin, licence=licence))
    (outcome,) = filter([sample], OPEN)
    return outcome.reason if isinstance(outcome, Drop) else ""


@pytest.mark.parametrize(
    ("filter", "metadata", "expected"),
    [
        (FilterPictures(), {"punsafe": "1", "nsfw": "NSFW", "pwatermark": "1", "similarity": "0"}, ""),
        (FilterPictures(), {"opt_out": "True"}, "opted_out"),
        (FilterPictures(drop_opted_out=False), {"opt_out": "1"}, ""),
        (FilterPictures(max_punsafe=0.5), {"punsafe": "0.51"}, "unsafe"),
        (FilterPictures(max_punsafe=0.5), {}, "unknown_punsafe"),
        (FilterPictures(max_punsafe=0.5, keep_unknown=True), {}, ""),
        (FilterPictures(nsfw=("UNLIKELY",)), {"nsfw": "UNSURE"}, "nsfw"),
        (FilterPictures(max_pwatermark=0.8), {"pwatermark": "0.9"}, "watermark"),
        (FilterPictures(min_similarity=0.3), {"similarity": "0.29"}, "dissimilar_caption"),
        (FilterPictures(languages=("en", "zh-CN")), {"language": "zh"}, ""),
        (FilterPictures(languages=("en",)), {"language": "de"}, "language"),
        (FilterPictures(min_size=481), {}, "too_small"),
        (FilterPictures(max_size=639), {}, "too_large"),
    ],
)
def test_each_filter_has_its_reason(filter, metadata, expected):
    assert reason(filter, **metadata) == expected


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("CC-BY-4.0", ""), ("https://creativecommons.org/licenses/by/2.0/", ""), ("cc by", ""),
        ("https://creativecommons.org/publicdomain/zero/1.0/", ""), ("CC-BY-NC-4.0", "licence"),
        ("https://creativecommons.org/licenses/by-sa/3.0/", ""), ("https://creativecommons.org/licenses/by-sa/4.0/", "licence"),
        ("all rights reserved", "licence"), ("", "unknown_licence"),
    ],
)  # fmt: skip
def test_a_licence_is_allowed_by_its_name_however_it_is_written(licence, expected):
    assert reason(FilterPictures(licences=("cc-by", "CC0", "CC-BY-SA-3.0")), licence) == expected

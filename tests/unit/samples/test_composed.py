"""Composed documents: what they are made of, and the same ones again."""

from collections import Counter
from html.parser import HTMLParser

import pytest

from datagen.samples.composed import write

TEXTS = [
    (
        "en",
        [f"Sentence {n} tells of a river that runs past the old mill. It meets the lake, and rests there." for n in range(60)],
    ),
    ("ja", [f"第{n}の文は、古い水車を通り過ぎる川について語り、湖に出会ってからしばらくそこで休みます。" for n in range(60)]),
]


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.opened, self.counts = [], Counter()

    def handle_starttag(self, tag, attrs):
        self.counts[tag] += 1
        if tag not in ("img", "br", "meta"):
            self.opened.append(tag)

    def handle_endtag(self, tag):
        assert self.opened.pop() == tag


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    write(folder, 40, TEXTS, ["pictures/0.png"], 1)
    return folder


def test_documents_are_sound_and_have_what_pages_have(documents):
    total = Counter()
    for path in sorted(documents.glob("*.html")):
        tags = _Tags()
        tags.feed(path.read_text(encoding="utf-8"))
        assert not tags.opened
        total += tags.counts
    assert all(total[tag] for tag in ("h1", "h2", "h3", "p", "table", "figure", "figcaption", "li", "pre", "aside", "svg", "img"))


def test_the_same_seed_gives_the_same_documents(documents, tmp_path):
    write(tmp_path, 40, TEXTS, ["pictures/0.png"], 1)
    assert [p.read_bytes() for p in sorted(tmp_path.glob("*.html"))] == [p.read_bytes() for p in sorted(documents.glob("*.html"))]

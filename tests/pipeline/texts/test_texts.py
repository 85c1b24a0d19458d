"""Text alone from the files that people have: what comes out of each form, what drops and why, and a run of the recipe."""

import gzip
import json
import zipfile
from dataclasses import replace

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datagen.disk.storage import Folder
from datagen.inputs.items import Item
from datagen.record import Drop, Range, SampleError
from datagen.samples import declarations, translations
from datagen.samples.texts import TextSamples
from datagen.texts.source import TextListing, TextSource
from recipes.run.execute import run
from recipes.steps import Place
from recipes.texts import texts
from tests.inputs.udhr import UDHR
from tests.outputs import check_corpus, dataset_samples

ARTICLES = [f"{number}. {text}" for number, (_, text) in enumerate(UDHR.values())]
ROWS = [
    {"text": ARTICLES[0], "license": "CC0-1.0", "lang": "fuf", "n": 1},
    {"text": None},
    {"text": "\n\n".join(ARTICLES)},
    {"text": 5},
]
LINES = "".join(f"{json.dumps(row)}\n" for row in ROWS) + "\n[1]\n{bad\n"
"""Six rows, of which two are good."""

WHOLE = TextSource()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A file of each form."""
    folder = tmp_path_factory.mktemp("texts")
    table = pa.table({"id": range(len(ARTICLES)), "content": ARTICLES, "vector": [[1.0]] * len(ARTICLES)})
    pq.write_table(table, folder / "rows.parquet", row_group_size=8, compression="snappy")
    (folder / "rows.jsonl").write_text(LINES)
    with gzip.open(folder / "packed.jsonl.gz", "wt") as file:
        file.write(LINES)
    with pa.output_stream(str(folder / "packed.jsonl.zst"), compression="zstd") as file:
        file.write(LINES.encode())
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.writestr("deep/inside.jsonl", LINES)
    (folder / "plain.txt").write_text("\n\n".join(ARTICLES))
    (folder / "wide.txt").write_bytes("Größe\r\nzwei".encode("utf-16"))
    datasets.Dataset.from_dict({"text": ARTICLES[:9], "title": ["t"] * 9}).save_to_disk(folder / "saved")
    return folder


def read(path, source=WHOLE, **ranges):
    """What the source gives of a file: samples, and drops by reason with the parts that they are of."""
    (item,) = TextListing(str(path)).items()
    outcomes = list(source.read(replace(item, **ranges)))
    return [o for o in outcomes if not isinstance(o, Drop)], [(o.reason, o.part) for o in outcomes if isinstance(o, Drop)]


@pytest.mark.parametrize("name", ["rows.jsonl", "packed.jsonl.gz", "packed.jsonl.zst", "archive.zip"])
def test_lines_of_json_are_rows_however_they_are_packed(folder, name):
    samples, drops = read(folder / name)
    assert [sample.text for sample in samples] == [ARTICLES[0], "\n\n".join(ARTICLES)]
    assert drops == [(r, Range(n, n + 1)) for r, n in (("no_text", 1), ("no_text", 3), ("bad_row", 4), ("bad_row", 5))]
    first = samples[0]
    assert (first.task, first.image, first.lang, first.origin.licence) == ("text", None, "fuf", "CC0-1.0")
    assert first.metadata == {"license": "CC0-1.0", "lang": "fuf", "n": "1"} and first.origin.page == 0


def test_a_file_whose_rows_were_counted_is_cut_into_shards(folder):
    source = TextSource(shard_bytes=5000)
    (item,) = TextListing(str(folder / "rows.parquet")).items()
    shards = list(source.split([source.probe(item)]))
    assert len(shards) > 2 and len(list(source.split([item]))) == 1
    assert [s.text for shard in shards for part in shard for s in source.read(part)] == ARTICLES
    packed = Item("/in/rows.jsonl.gz", num_bytes=10**9, count=10**6)
    assert len(list(source.split([packed]))) == 8 and len(list(source.split([replace(packed, uri="/in/rows.jsonl")]))) > 1000


def test_a_long_text_is_cut_where_paragraphs_end(folder):
    pieces, _ = read(folder / "plain.txt", TextSource(max_chars=1000))
    assert "\n\n".join(piece.text for piece in pieces) == "\n\n".join(ARTICLES)
    assert all(500 <= len(piece.text) <= 1000 for piece in pieces[:-1]) and len({p.split_group for p in pieces}) == 1
    of_row, _ = read(folder / "rows.jsonl", TextSource(max_chars=1000))
    assert [sample.text for sample in of_row[1:]] == [piece.text for piece in pieces]
    assert [sample.key[-12:] for sample in of_row[1:3]] == ["-0000002-000", "-0000002-001"]
    assert read(folder / "wide.txt")[0][0].text == "Größe\nzwei"


def test_what_is_damaged_costs_what_it_holds(folder, tmp_path):
    raw = (folder / "rows.parquet").read_bytes()
    (tmp_path / "rows.parquet").write_bytes(raw[:60] + b"\xee" * 200 + raw[260:])
    samples, drops = read(tmp_path / "rows.parquet")
    assert [sample.text for sample in samples] == ARTICLES[8:] and drops == [("broken_file", Range(n, n + 1)) for n in range(8)]
    (tmp_path / "cut.parquet").write_bytes(raw[:-100])
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    pq.write_table(pa.table({"title": ["a"], "summary": ["b"]}), tmp_path / "two.parquet")
    for name, reason in (("cut.parquet", "broken_file"), ("latin.txt", "not_utf8"), ("two.parquet", "no_text_column")):
        with pytest.raises(SampleError) as raised:
            read(tmp_path / name)
        assert raised.value.reason == reason
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(LINES.encode() * 40)[:-6])
    samples, drops = read(tmp_path / "cut.jsonl.gz")
    assert 40 < len(samples) < 80 and [reason for reason, _ in drops if reason == "broken_file"] == ["broken_file"]
    (tmp_path / "end.txt").write_bytes("\n\n".join(ARTICLES * 20).encode() + b"\xff")
    pieces, drops = read(tmp_path / "end.txt", TextSource(max_chars=1000))
    assert len(pieces) > 5 and drops == [("not_utf8", Range(len(pieces), len(pieces) + 1))]


def test_the_recipe_makes_a_dataset_once(folder, tmp_path):
    assert run(texts(input=str(folder), column="text", filters="none"), Place(str(tmp_path), "inline")) == 0
    found = dataset_samples(Folder(f"{tmp_path}/texts"))
    assert {sample.task for sample in found} == {"text"} and len({sample.lang for sample in found}) > 5
    check_corpus(tmp_path, name="texts")
    reasons = [json.loads(line)["reason"] for line in (tmp_path / "texts/drops.jsonl").read_text().splitlines()]
    assert reasons.count("bad_row") == 8 and reasons.count("no_text_column") == 1
    before = (tmp_path / "texts/shards/texts-000000.json").stat().st_mtime_ns
    assert run(texts(input=str(folder), column="text", filters="none"), Place(str(tmp_path), "inline")) == 0
    assert (tmp_path / "texts/shards/texts-000000.json").stat().st_mtime_ns == before


def test_a_limit_counts_texts_and_a_larger_one_goes_on(tmp_path):
    rows = [json.dumps({"text": f"{text} {number}"}) for number, text in enumerate(ARTICLES[:9])]
    (tmp_path / "in").mkdir()
    (tmp_path / "in/rows.jsonl").write_text("\n".join(rows[:6]))
    (tmp_path / "in/more.jsonl").write_text("\n".join(rows[6:]))
    chosen = []
    for limit in (2, 7):
        assert run(texts(f"{tmp_path}/in", filters="none", limit=limit), Place(f"{tmp_path}/out", "inline")) == 0
        chosen.append({sample.key for sample in dataset_samples(Folder(f"{tmp_path}/out/texts"))})
    assert [len(keys) for keys in chosen] == [2, 7] and chosen[0] < chosen[1]
    cut_to = TextSource(shard_bytes=300)
    (item,) = TextListing(f"{tmp_path}/in/rows.jsonl", limit=5).items()
    parts = [part for shard in cut_to.split([cut_to.probe(item)]) for part in shard]
    assert len(parts) > 2 and [s.text[-1] for part in parts for s in cut_to.read(part)] == ["0", "1", "2", "3", "4"]


def test_texts_of_packages_have_languages_and_licences(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(declarations, "codes", lambda: ["rus", "khm"])
    of = {"rus": "Cyrl", "khm": "Khmr"}
    monkeypatch.setattr(
        declarations, "declaration", lambda code: declarations.Declaration(code, UDHR[of[code]][0], (UDHR[of[code]][1], "2"))
    )
    help_text = tmp_path / "help.txt"
    help_text.write_text("Η βοήθεια")
    monkeypatch.setattr(translations, "help_file", lambda lang: help_text if lang == "el" else None)
    items = TextSamples().items()
    licences = {item.lang: item.licence for item in items}
    assert licences == {"el": "MPL-2.0", "km": "public-domain", "ru": "public-domain"} and len(items) == 3
    (russian,) = (item for item in items if item.lang == "ru")
    assert [sample.text for sample in TextSource().read(russian)] == [f"{UDHR['Cyrl'][1]}\n2"]
    assert TextSamples().items() == items


def test_a_column_of_no_input_is_refused():
    with pytest.raises(ValueError, match=r"column=body: .*input=DIR"):
        texts(column="body")

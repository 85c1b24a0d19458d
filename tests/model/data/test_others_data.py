"""Datasets of others: WebDataset tars with a mapping, and texts of Hugging Face datasets."""

import gzip
import io
import json
import random
import tarfile

import datasets
import pytest

from model.data.hugging_face.texts import Texts
from model.data.loader import Loader, job, maker, read
from model.data.members import Members
from model.data.mixture import Segment, Source, shares
from model.data.plan import Plan
from model.data.rows import Asked, Part
from model.data.split import opened
from model.data.tars import Tars
from tests.model.drawn_rows import alone
from tests.model.lines import rendered


def write_tar(path, members):
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def lines(first, stop):
    return [
        member
        for n in range(first, stop)
        for member in ((f"set/{n:05d}.jpg", rendered(f"line {n}")), (f"set/{n:05d}.txt", f"line {n}".encode()))
    ]


def all_of(corpus, tokenizer, mode="tiny"):
    draws = [alone(corpus, 0, row, mode) for row in range(len(corpus.columns[0]))]
    return maker(corpus, tokenizer, [mode])[job(corpus, [draws])], [read(corpus, draw) for draw in draws]


def test_tars_by_place(tmp_path, tokenizer):
    write_tar(tmp_path / "part-000.tar", lines(0, 5))
    write_tar(tmp_path / "part-001.tar", lines(5, 8))
    corpus = opened([Tars(str(tmp_path / "part-{000..001}.tar"), "web")], tokenizer, 0.1)
    batch, examples = all_of(corpus, tokenizer)
    assert not batch.skipped and batch.num_samples == 8 and not corpus.columns[0].skipped
    assert [example.parts[1].text for example in examples] == [f"line {n}" for n in range(8)]
    assert [example.images[0] for example in examples] == [rendered(f"line {n}") for n in range(8)]
    again = opened([Tars(str(tmp_path / "part-*.tar"), "web")], tokenizer, 0.1)
    assert again.digests == corpus.digests
    write_tar(tmp_path / "part-001.tar", lines(5, 9))
    assert opened([Tars(str(tmp_path / "part-*.tar"), "web")], tokenizer, 0.1).digests != corpus.digests


def test_a_mapping_says_which_member_is_what(tmp_path, tokenizer):
    about = [json.dumps({"caption": {"en": f"<image> {n}"}}).encode() for n in range(3)]
    members = [
        (f"{n}.{end}", data) for n in range(3) for end, data in (("json", about[n]), ("orig.png", b""), ("PNG", rendered("x")))
    ]
    write_tar(tmp_path / "a.tar", members)
    prompts = (Asked("<image>\nDescribe this image in detail.", 1.0), Asked("<image>\nWhat?", 1.0))
    mapping = Members(answer="json:caption.en", prompts=prompts, lang="en")
    corpus = opened([Tars(str(tmp_path / "a.tar"), "web", mapping)], tokenizer, 0.1)
    batch, examples = all_of(corpus, tokenizer)
    # Text that looks like a placeholder marks no place.
    assert not batch.skipped and examples[2].parts[1].text.replace("\u2060", "") == "<image> 2" and examples[0].lang == "en"
    lengths = [alone(corpus, 0, 0, "tiny", prompt=prompt).length for prompt in (0, 1)]
    assert lengths[0] - lengths[1] == len(tokenizer.encode(prompts[0].prompt)) - len(tokenizer.encode(prompts[1].prompt))


def test_samples_that_lack_something_are_counted(tmp_path, tokenizer):
    odd = {f"{name}.jpg": rendered(name) for name in "ade"} | {"c.jpg": b"no image"}
    odd |= {"b.txt": b"b", "c.txt": b"c", "d.txt": b" ", "e.txt": b"\xff"}
    write_tar(tmp_path / "a.tar", [*lines(0, 2), *sorted(odd.items()), *lines(2, 3)])
    corpus = opened([Tars(str(tmp_path / "a.tar"), "web")], tokenizer, 0.1)
    assert corpus.skipped == {"web": {"bad_answer": 1, "bad_image": 1, "member_missing": 2, "no_answer": 1}}
    assert [example.parts[1].text for example in all_of(corpus, tokenizer)[1]] == ["line 0", "line 1", "line 2"]


def test_damage_in_the_middle_costs_the_samples_there(tmp_path, tokenizer):
    path = tmp_path / "a.tar"
    write_tar(path, lines(0, 30))
    data = bytearray(path.read_bytes())
    with tarfile.open(path) as tar:
        start = tar.getmembers()[20].offset  # the image of line 10
    data[start : start + 5000] = random.Random(0).randbytes(5000)
    path.write_bytes(data)
    corpus = opened([Tars(str(path), "web")], tokenizer, 0.1)
    batch, examples = all_of(corpus, tokenizer)
    read_lines = [example.parts[1].text for example in examples]
    assert read_lines[:10] == [f"line {n}" for n in range(10)] and read_lines[-15:] == [f"line {n}" for n in range(15, 30)]
    assert corpus.columns[0].skipped["corrupt_tar"] == 1 and not batch.skipped
    # Cut short, and damaged after it was indexed.
    path.write_bytes(data[: len(data) // 2])
    cut = opened([Tars(str(path), "web")], tokenizer, 0.1)
    assert 5 < len(cut.columns[0]) < 15 and cut.columns[0].skipped
    path.write_bytes(bytes(data[:2000]) + bytes(3000) + bytes(data[5000:]))
    draws = [alone(corpus, 0, row, "tiny") for row in range(len(corpus.columns[0]))]
    skipped = maker(corpus, tokenizer, ["tiny"])[job(corpus, [draws])].skipped
    assert 0 < len(skipped) < len(draws)
    assert {one.reason for one in skipped} <= {"bad_image", "bad_answer", "no_answer", "another_length"}


def test_tars_that_cannot_be_used_are_one_clear_error(tmp_path, tokenizer):
    with pytest.raises(ValueError, match="there is no such tar"):
        Tars(str(tmp_path / "none-*.tar"), "web")
    write_tar(tmp_path / "a.tar", lines(0, 2))
    write_tar(tmp_path / "part-1.tar", lines(0, 2))
    with pytest.raises(ValueError, match=r"part-0\.tar, .*part-3\.tar \(3 of 4 are missing\)"):
        Tars(str(tmp_path / "part-{0..3}.tar"), "web")
    for num_bytes, what in ((0, "is empty"), (3, "is no tar")):
        (tmp_path / "b.tar").write_bytes(b"abc"[:num_bytes])
        with pytest.raises(ValueError, match=rf"b\.tar {what}"):
            opened([Tars(str(tmp_path / "{a,b}.tar"), "web")], tokenizer, 0.1)
    (tmp_path / "b.tar").write_bytes(gzip.compress((tmp_path / "a.tar").read_bytes()))
    with pytest.raises(ValueError, match=r"b\.tar is no tar, or compressed"):
        opened([Tars(str(tmp_path / "b.tar"), "web")], tokenizer, 0.1)
    with pytest.raises(ValueError, match=r"no row can be used \(2 member_missing\)"):
        opened([Tars(str(tmp_path / "a.tar"), "web", Members(answer="cls"))], tokenizer, 0.1)


def test_names_that_are_no_utf8_are_names(tmp_path, tokenizer, caplog):
    members = [(b"\xff\xfe/1.jpg", rendered("x")), (b"\xff\xfe/1.txt", b"x"), (b"\xff/2.txt", b"x"), (b"a/3.jpg", rendered("y"))]
    members = [(name.decode("utf-8", "surrogateescape"), data) for name, data in [*members, (b"a/3.txt", b"y")]]
    write_tar(tmp_path / "a.tar", members)
    for mapping in (Members(), Members(group="folder")):
        corpus = opened([Tars(str(tmp_path / "a.tar"), "web", mapping)], tokenizer, 0.1)
        batch, _ = all_of(corpus, tokenizer)
        assert batch.num_samples == 2 and not batch.skipped and corpus.skipped == {"web": {"member_missing": 1}}
    assert "\ufffd/2 can't be used: member_missing" in caplog.text


def sides(corpus):
    columns = corpus.columns[0]
    return [{int(columns.group_N[row]) for row in rows[0]} for rows in (corpus.train, corpus.held_out)]


def test_a_group_of_a_tar_is_a_folder_a_name_in_json_or_an_image(tmp_path, tokenizer):
    documents = [(f"doc{n // 4}/{n}", {"doc": {"id": n // 4}}, rendered(f"{n // 2}")) for n in range(40)]
    members = [
        (f"{key}.{end}", data)
        for key, about, image in documents
        for end, data in (("jpg", image), ("json", json.dumps(about).encode()), ("txt", b"x"))
    ]
    write_tar(tmp_path / "a.tar", members)
    for group, num, name in (("folder", 10, "doc7"), ("json:doc.id", 10, "7"), ("", 20, "")):
        tars = Tars(str(tmp_path / "a.tar"), "web", Members(group=group), frozenset([name]))
        corpus = opened([tars], tokenizer, 0.3)
        train, held_out = sides(corpus)
        assert not train & held_out and len(train | held_out) == num and (0 in held_out) == bool(group)
        if group:
            assert set(range(28, 32)) <= set(corpus.held_out[0].tolist())
        # The name of a dataset follows from its neighbours, and says nothing about a document.
        again = opened([Tars(str(tmp_path / "a.tar"), "other", Members(group=group), frozenset([name]))], tokenizer, 0.3)
        assert again.held_out[0].tolist() == corpus.held_out[0].tolist()
    with pytest.raises(ValueError, match=r"no row can be used \(40 no_group\)"):
        opened([Tars(str(tmp_path / "a.tar"), "web", Members(group="json:doc.name"))], tokenizer, 0.1)


def test_a_mapping_that_says_nothing_is_refused():
    assert Members(images=".JPG", prompts=(("<image>\nA?", 2.0), "<image>\nB?")).prompts == (
        Asked("<image>\nA?", 2.0),
        Asked("<image>\nB?", 1.0),
    )
    for prompts in ("Describe.", (("<image><image>", 1.0),), (("<image>", -1.0),), (("<image>", 0.0),), ()):
        with pytest.raises(ValueError, match="members has"):
            Members(prompts=prompts)
    with pytest.raises(ValueError, match="members has answer='txt' group='key'"):
        Members(group="key")


@pytest.mark.parametrize("kind", ["saved", "jsonl", "parquet", "txt"])
def test_texts(tmp_path, tokenizer, kind, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    rows = ["The quick <image> brown fox", "", "Zwölf Boxkämpfer", *("x" * n for n in range(1, 30))]
    table, where = datasets.Dataset.from_dict({"text": rows}), tmp_path / f"prose.{kind}"
    match kind:
        case "saved":
            table.save_to_disk(where)
        case "jsonl":
            where.write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
        case "parquet":
            table.to_parquet(where)
        case "txt":
            where.write_text("\n".join(rows) + "\n")
    corpus = opened([Texts(str(where), "prose", lang="en")], tokenizer, 0.2)
    assert corpus.skipped == {"prose": {"no_text": 1}} and len(corpus.train[0]) + len(corpus.held_out[0]) == 31
    example = read(corpus, alone(corpus, 0, 2, "tiny"))
    assert example.parts == (Part("Zwölf Boxkämpfer", True),) and example.lang == "en"
    plan = Plan(corpus, [Segment(0, shares(corpus, [Source("prose", "text")]))], {"tiny": 1.0}, 60, 2, window=32)
    (batches,) = Loader(plan, tokenizer).steps(0, 1)
    assert all(not batch.skipped and batch.num_tokens and not len(batch.image_T) for batch in batches)
    again = opened([Texts(str(where), "prose", lang="en")], tokenizer, 0.2)
    assert again.digests == corpus.digests


def test_texts_that_cannot_be_used_are_one_clear_error(tmp_path, tokenizer):
    with pytest.raises(ValueError, match="no such folder, nor a file of"):
        Texts(str(tmp_path / "none"), "prose")
    where = tmp_path / "saved"
    datasets.Dataset.from_dict({"body": ["x"], "text": [" "]}).save_to_disk(where)
    with pytest.raises(ValueError, match="has no column 'title', but body, text"):
        Texts(str(where), "prose", "title")
    with pytest.raises(ValueError, match=r"no row can be used \(1 no_text\)"):
        opened([Texts(str(where), "prose")], tokenizer, 0.1)

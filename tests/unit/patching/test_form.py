"""A patch is read whole, or refused in one sentence; a dataset's id stays when shards are added."""

import json

import pytest

from datagen.disk.storage import Folder
from datagen.inputs.items import Item
from datagen.patching import form
from datagen.patching.form import PatchError
from datagen.work.assignment import add_generation

REGION = {"box": [0, 0, 5, 5], "polygon": [], "label": "text", "format": "markdown", "text": "a", "is_unread": False}
SAMPLE = {"key": "a-000001", "record": "ab" * 32, "verdict": "corrected", "regions": [REGION | {"continues": False, "of": 0}]}
ANSWERED = {"key": "a-000001", "answers": [{"region": 0, "verdict": "typed", "text": "a"}]}


def values(*samples, **fields):
    of = {"name": "coarse", "id": "0" * 32}
    whole = {"form": "pagewheel patch", "version": 1, "dataset": of, "by": "Ada", "kind": "correct"}
    return whole | {"samples": samples or (SAMPLE,)} | fields


def parsed(whole):
    return form.parse(json.dumps(whole).encode())


def test_a_whole_patch_is_read_and_its_digest_is_of_what_it_says():
    patch = parsed(values(SAMPLE, SAMPLE | {"key": "b", "note": "two\nlines"}))
    assert patch.samples[0].regions[0].box == (0, 0, 5, 5) and patch.samples[1].note == "two\nlines"
    spaced = json.dumps(dict(reversed(values(SAMPLE, SAMPLE | {"key": "b", "note": "two\nlines"}).items())), indent=3)
    assert form.parse(b"\xef\xbb\xbf" + spaced.encode()).digest == patch.digest
    assert parsed(values()).digest != patch.digest
    assert parsed(values(ANSWERED, kind="audit")).samples[0].answers[0].text == "a"


@pytest.mark.parametrize(
    ("whole", "said"),
    [
        (values(form="another"), "form"),
        (values(version=2), "version"),
        (values(extra=1), "unknown field `extra`"),
        (values(kind="edit"), "kind"),
        (values(by="  "), "who did this"),
        (values(SAMPLE | {"key": "../a"}), "no key"),
        (values(SAMPLE, SAMPLE), "twice"),
        (values(SAMPLE | {"verdict": "good"}), "verdict"),
        (values({"key": "a", "record": "", "verdict": "corrected"}), "set its verdict"),
        (values(SAMPLE | {"answers": ANSWERED["answers"]}), "set kind to audit"),
        (values(SAMPLE, kind="audit"), "set kind to correct"),
        (values(ANSWERED | {"answers": ANSWERED["answers"] * 2}, kind="audit"), "twice"),
        (values({"key": "a", "answers": [{"region": 0, "verdict": "skip", "text": "x"}]}, kind="audit"), "isn't typed"),
        (values(SAMPLE | {"regions": [REGION | {"box": [0, 0, 1]}]}), "length 4"),
        (values(SAMPLE | {"regions": [REGION | {"text": "\ud800"}]}), "surrogate"),
        (values(SAMPLE | {"note": "a\x00"}), "U\\+0000"),
    ],
)
def test_what_is_wrong_is_refused_and_named(whole, said):
    with pytest.raises(PatchError, match=said):
        parsed(whole)


POLYGON = values(SAMPLE | {"regions": [REGION | {"polygon": [[1, 2]]}]})
ENDLESS = json.dumps(POLYGON).replace("[1, 2]", "[1, 1e999]").encode()


NO_JSON = [b"", b"{", b"\xff", b'{"form": NaN}', b"[" * 100_000, b"1" * 5_000, b'{"form": 1, "form": 1}', b'{"samples": [1e999]}']


@pytest.mark.parametrize("data", [*NO_JSON, ENDLESS])
def test_what_is_no_json_of_ours_is_refused(data):
    with pytest.raises(PatchError):
        form.parse(data)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(PatchError, match=f"patch={path}"):
            form.read(str(path))


def test_what_is_kept_loses_the_samples_of_forgotten_sources(tmp_path):
    folder = Folder(str(tmp_path))
    patch = parsed(values(SAMPLE, SAMPLE | {"key": "b"}))
    form.keep(folder, patch)
    assert form.digests(folder) == [patch.digest] and form.kept(folder, patch.digest) == patch
    assert form.forget(folder, lambda key: key == "a-000001") == 1
    left = form.kept(folder, patch.digest)
    assert [(number, sample.key) for number, sample in left.given()] == [(1, "b")]
    assert form.forget(folder, lambda key: key == "a-000001") == 0


def made(folder: Folder, uris: list[str], fingerprint: str = "f" * 64) -> Folder:
    folder.write("run.json", json.dumps({"fingerprint": fingerprint}).encode())
    add_generation(folder, [tuple(Item(uri) for uri in uris)])
    return folder


def test_the_id_stays_when_documents_come_and_differs_elsewhere(tmp_path):
    folder = made(Folder(str(tmp_path / "a")), ["/x.pdf", "/y.pdf"])
    known = form.dataset_id(folder)
    assert len(known) == 32 and int(known, 16)
    add_generation(folder, [(Item("/z.pdf"),)])
    assert form.dataset_id(folder) == known
    assert form.dataset_id(made(Folder(str(tmp_path / "moved")), ["/x.pdf", "/y.pdf"])) == known
    assert form.dataset_id(made(Folder(str(tmp_path / "b")), ["/x.pdf"])) != known
    assert form.dataset_id(made(Folder(str(tmp_path / "c")), ["/x.pdf", "/y.pdf"], "0" * 64)) != known


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"fingerprint": "f"}'])
def test_what_is_no_dataset_is_refused(tmp_path, damage):
    if damage:
        (tmp_path / "run.json").write_text(damage)
    with pytest.raises(ValueError, match="no dataset"):
        form.dataset_id(Folder(str(tmp_path)))

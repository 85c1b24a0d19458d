"""A dataset's id stays when shards are added, and differs from another dataset's."""

import json

import pytest

from datagen.disk.storage import Folder
from datagen.inputs.items import Item
from datagen.patching.form import dataset_id
from datagen.work.assignment import add_generation


def made(folder: Folder, uris: list[str], fingerprint: str = "f" * 64) -> Folder:
    folder.write("run.json", json.dumps({"fingerprint": fingerprint}).encode())
    add_generation(folder, [tuple(Item(uri) for uri in uris)])
    return folder


def test_the_id_stays_when_documents_come_and_differs_elsewhere(tmp_path):
    folder = made(Folder(str(tmp_path / "a")), ["/x.pdf", "/y.pdf"])
    known = dataset_id(folder)
    assert len(known) == 32 and int(known, 16)
    add_generation(folder, [(Item("/z.pdf"),)])
    assert dataset_id(folder) == known
    assert dataset_id(made(Folder(str(tmp_path / "moved")), ["/x.pdf", "/y.pdf"])) == known
    assert dataset_id(made(Folder(str(tmp_path / "b")), ["/x.pdf"])) != known
    assert dataset_id(made(Folder(str(tmp_path / "c")), ["/x.pdf", "/y.pdf"], "0" * 64)) != known


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"fingerprint": "f"}'])
def test_what_is_no_dataset_is_refused(tmp_path, damage):
    if damage:
        (tmp_path / "run.json").write_text(damage)
    with pytest.raises(ValueError, match="no dataset"):
        dataset_id(Folder(str(tmp_path)))

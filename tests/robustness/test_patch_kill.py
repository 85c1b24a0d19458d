"""SIGKILL amid the shards of a patch: old labels are marked already, and the dataset's own recipe makes what is missing."""

from datagen.disk import marks
from datagen.disk.storage import Folder
from recipes.verbs.patch import patch
from recipes.verbs.status import status, verify
from tests.inputs import patches
from tests.outputs import make, shards
from tests.programs import killed_at_its_first_line

TAKE = """
import sys, time
from datagen.work import take_patch
from recipes.verbs.patch import patch

def hang(task):
    print(task.shard, flush=True)
    time.sleep(600)

take_patch.run_shard = hang
patch(sys.argv[1], sys.argv[2])
"""


def test_a_killed_patch_is_finished_by_whoever_comes_next(corpus, tmp_path):
    out = tmp_path / "out"
    assert make(corpus, out) == 0
    folder = Folder(str(out / "coarse"))
    key, (record, digest) = next((k, v) for k, v in patches.records(folder).items() if v[0]["regions"])
    answer = {"key": key, "record": digest, "verdict": "corrected", "regions": patches.regions(record, r0={"text": "Corrected"})}
    file = patches.write(tmp_path / "p.json", patches.patch(folder, [answer]))
    before = shards(out)
    shard = killed_at_its_first_line(TAKE, str(out), file)
    assert shard and shards(out) == before
    (mark,) = marks.of_people(folder)
    assert (mark.key, mark.mark) == (key, "corrected")
    assert "1 corrected records aren't made yet" in status(str(out))
    assert make(corpus, out) == 0
    assert shards(out).keys() == before.keys() | {f"{shard}.tar"} and mark.of in patches.records(folder)
    state = shards(out)
    patch(str(out), file)
    assert shards(out) == state and verify(str(out))[1]

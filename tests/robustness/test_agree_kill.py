"""SIGKILL amid a shard of agreed pages, and the same command again: every shard is that of an undisturbed run."""

from recipes.agree import agree
from recipes.run.execute import run
from recipes.steps import Place
from recipes.verbs.status import verify
from tests.inputs.agreement import NUM_PAGES, made
from tests.outputs import shards
from tests.programs import killed_at_its_first_line

RUN = """
import sys, time
from datagen.agreement.agree_page import Agreement
from recipes.agree import agree
from recipes.run.execute import run
from recipes.steps import Place

whole, num_left = Agreement.sample, int(sys.argv[3])

def sample(self):
    global num_left
    num_left -= 1
    if num_left < 0:
        print("amid a shard", flush=True)
        time.sleep(600)
    return whole(self)

Agreement.sample = sample
run(agree(sys.argv[1]), Place(sys.argv[2], "inline"))
"""


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path):
    data, out = made(tmp_path), tmp_path / "out"
    assert run(agree(data), Place(str(tmp_path / "undisturbed"), "inline")) == 0
    undisturbed = shards(tmp_path / "undisturbed", "agreed")
    for num_pages, num_whole in ((2, 0), (NUM_PAGES + 1, 2)):  # amid the first shard; at the last one's page
        assert killed_at_its_first_line(RUN, data, str(out), str(num_pages)) == "amid a shard"
        left = shards(out, "agreed")
        assert left.items() <= undisturbed.items()
        assert len(left) == num_whole
    assert run(agree(data), Place(str(out), "inline")) == 0
    assert shards(out, "agreed") == undisturbed
    assert not list(out.rglob(".tmp-*"))
    assert verify(str(out))[1]

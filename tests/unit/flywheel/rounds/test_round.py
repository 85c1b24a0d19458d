"""What a round is made from, which it writes before it begins."""

import json

import pytest

from datagen.disk.storage import Folder
from flywheel.pools.pools_file import FrozenPools
from flywheel.rounds.round import Round
from flywheel.step import ORIGIN, Flywheel


def test_a_round_that_began_with_other_values_is_refused_and_they_are_named(tmp_path):
    one = Round(Flywheel("coarse"), Folder(str(tmp_path)), FrozenPools([], {}, ()), 1)
    origin = one._write_origin()
    assert one._write_origin() == origin
    one.folder.write(ORIGIN, json.dumps(origin | {"values": [*origin["values"], 3]}).encode())
    with pytest.raises(ValueError, match=r"was begun with other values, as round\.json says: start a new output"):
        one._write_origin()

"""The files of the readers that come with the package: what is packed is read again, and a change is added to the trunk."""

import pytest
import torch

from datagen.engines import script_readers
from datagen.engines.compact import Alphabet, CompactConfig, CompactNet
from datagen.engines.packaged import TRUNK
from datagen.engines.script_readers import FREQUENCIES, load, pack, resized

SMALL = CompactConfig(channels=(4, 8, 8), width=16, layers=1, heads=2, frames=4)
LETTERS = Alphabet("Zyyy", "abcd")


def network(config=SMALL, alphabet=LETTERS, seed=0):
    torch.manual_seed(seed)
    return CompactNet(config, len(alphabet.symbols) + 1)


@pytest.fixture
def folder(tmp_path):
    weights = network().state_dict() | {FREQUENCIES: torch.zeros(2, 5)}
    (tmp_path / "trunk.safetensors").write_bytes(pack(weights, LETTERS, SMALL))
    return tmp_path


def test_what_is_packed_is_read_again(folder):
    reader = load(TRUNK, folder, bf16=False)
    assert (reader.alphabet, reader.config) == (LETTERS, SMALL)
    for name, value in network().state_dict().items():
        packed = reader.net.state_dict()[name]
        if value.dim() > 1:
            step = value.abs().flatten(1).amax(1) / 127
            assert ((packed - value).abs().flatten(1) <= 0.51 * step[:, None] + 1e-7).all(), name
        else:
            assert torch.allclose(packed.float(), value.float(), rtol=1e-3, atol=1e-4), name


def test_the_same_weights_are_the_same_bytes():
    weights = network().state_dict()
    assert len({pack(weights, LETTERS, SMALL) for _ in range(10)}) == 1


def test_a_change_is_added_to_the_trunk(folder):
    alphabet = Alphabet("Khmr", "កខ")
    torch.manual_seed(1)
    up, down = torch.randn(16, 2), torch.randn(2, 16)
    head = torch.randn(3, 16)
    change = {"encoder.0.out.weight.up": up, "encoder.0.out.weight.down": down, "head.weight": head, "head.bias": torch.ones(3)}
    (folder / "Khmr.safetensors").write_bytes(pack(change, alphabet, SMALL))
    reader, trunk = load("Khmr", folder, bf16=False), load(TRUNK, folder, bf16=False).net.state_dict()
    now = reader.net.state_dict()
    assert reader.alphabet == alphabet
    assert torch.allclose(now["encoder.0.out.weight"], trunk["encoder.0.out.weight"] + up @ down, atol=0.2)
    assert torch.allclose(now["head.weight"], head, atol=0.03)
    assert torch.equal(now["split.weight"], trunk["split.weight"])


def test_a_taller_line_makes_the_kernels_taller_and_they_see_as_much_ink():
    tall = CompactConfig(**{**vars(SMALL), "height": 48})
    weights = network().state_dict()
    weights["steps.0.weight"] = torch.ones_like(weights["steps.0.weight"])
    stretched = resized(weights, tall)
    assert stretched["steps.0.weight"].shape == network(tall).state_dict()["steps.0.weight"].shape
    assert stretched["steps.0.weight"].sum() == pytest.approx(weights["steps.0.weight"].sum().item())
    network(tall).load_state_dict(stretched)


DAMAGED = pack({"a": torch.zeros(2)}, LETTERS, SMALL)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "holds no reader"),
        (b"no safetensors at all", "holds no reader"),
        (DAMAGED.replace(b'\\"format\\": \\"2\\"', b'\\"format\\": \\"0\\"'), "its format is 0"),
        (DAMAGED, "doesn't fit the trunk"),
    ],
)
def test_a_damaged_file_is_named(folder, data, says):
    (folder / "Thai.safetensors").write_bytes(data)
    with pytest.raises(ValueError, match=says):
        load("Thai", folder)


def test_a_script_without_a_reader_and_a_folder_without_a_trunk_are_named(tmp_path):
    with pytest.raises(ValueError, match="no reader of the script 'Xxxx' comes with the package: there are"):
        script_readers.ScriptReader("Xxxx")
    with pytest.raises(ValueError, match="no reader of the script trunk"):
        load(TRUNK, tmp_path)

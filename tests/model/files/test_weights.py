"""Folders of weights: from released names to ours and back, byte for byte. An error says in a line what is wrong."""

import json
import shutil
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

import model
from datagen.disk.storage import Folder
from model.files import weights
from model.files.safetensors_files import BadCheckpoint, write
from model.net.config import tiny
from model.net.deepseek_ocr import build

CONFIG = tiny()


@pytest.fixture(scope="module")
def net():
    return build(CONFIG, seed=4)


@pytest.fixture
def released(net, tmp_path):
    """As a publisher would leave it: written by the library, in bf16, with a tensor that the network doesn't know."""
    folder = tmp_path / "released"
    folder.mkdir()
    state = {
        key: value.to(torch.bfloat16) if value.is_floating_point() else value
        for key, value in weights.released_tensors(net).items()
    }
    state = {key: value.contiguous() for key, value in state.items()} | {"model.extra.thing": torch.arange(7.0)}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_bytes(CONFIG.to_json())
    (folder / "tokenizer.json").write_text("{}")
    return folder


def test_either_layout_loads_to_the_same_network(released, tmp_path, net):
    weights.convert(Folder(str(released)), Folder(str(tmp_path / "ours")))
    one, other = model.load(str(released)), model.load(str(tmp_path / "ours"), dtype=torch.float32)
    assert one.lm_head.weight.dtype == torch.bfloat16 and other.lm_head.weight.dtype == torch.float32
    for name, value in net.state_dict().items():
        expected = value.to(torch.bfloat16) if value.is_floating_point() else value
        assert torch.equal(one.state_dict()[name], expected), name
        assert torch.equal(other.state_dict()[name], expected.to(other.state_dict()[name].dtype)), name


def test_several_files_and_their_index(net, tmp_path):
    folder = Folder(str(tmp_path / "parts"))
    write(folder, weights.released_tensors(net), {"format": "pt"}, 4_000_000)
    folder.write("config.json", CONFIG.to_json())
    files = folder.names(".safetensors")
    assert len(files) > 2
    assert len({path.stat().st_mode for path in (tmp_path / "parts").iterdir()}) == 1  # weights are as readable as the rest
    index = json.loads(folder.read("model.safetensors.index.json"))
    assert set(index["weight_map"]) == set(weights.released_tensors(net)) and set(index["weight_map"].values()) == set(files)
    again = weights.load(folder)
    assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), net.state_dict().values(), strict=True))
    # An expert's tensors may lie in several files: stacked they are in one.
    weights.convert(folder, Folder(str(tmp_path / "ours")))
    again = weights.load(str(tmp_path / "ours"))
    assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), net.state_dict().values(), strict=True))
    (tmp_path / "parts" / files[1]).unlink()
    with pytest.raises(BadCheckpoint, match=f"names {files[1]}, which isn't there"):
        weights.load(folder)


def in_files(folder, tmp_path, name: str, num_files: int):
    """The released folder's tensors in files named as a publisher may, written by the library, with an index."""
    parts = tmp_path / "parts"
    parts.mkdir()
    state = load_file(folder / "model.safetensors")
    where = {key: name.format(n % num_files + 1) for n, key in enumerate(state)}
    for file in sorted(set(where.values())):
        save_file({key: state[key] for key in state if where[key] == file}, parts / file, metadata={"format": "pt"})
    index = json.dumps({"metadata": {"total_size": 7}, "weight_map": where}, indent=2) + "\n"
    (parts / "model.safetensors.index.json").write_text(index)
    (parts / "config.json").write_bytes(CONFIG.to_json())
    return parts


@pytest.mark.parametrize(
    ("name", "num_files"),
    [("", 1), ("model-00001-of-000001.safetensors", 1), ("model-{:05}-of-00003.safetensors", 3)],
    ids=["without an index", "one", "three"],
)
def test_a_round_trip_gives_the_same_files(released, tmp_path, name, num_files):
    parts = in_files(released, tmp_path, name, num_files) if name else released
    assert weights.convert(Folder(str(parts)), Folder(str(tmp_path / "ours"))) == "ours"
    assert weights.convert(Folder(str(tmp_path / "ours")), Folder(str(tmp_path / "back"))) == "released"
    stacked = {key: value for path in (tmp_path / "ours").glob("*.safetensors") for key, value in load_file(path).items()}
    assert stacked["decoder.layers.1.mlp.experts.gate_up"].shape == (8, 256, 192) and "model.extra.thing" in stacked
    files = sorted(path.name for path in parts.iterdir())
    assert sorted(path.name for path in (tmp_path / "back").iterdir()) == files and len(files) == num_files + 2
    for file in files:
        assert (tmp_path / "back" / file).read_bytes() == (parts / file).read_bytes(), file


def test_the_numbers_of_positions_may_come_in_and_never_go_out(released, tmp_path, net):
    """Folders that we wrote once have them; vLLM refuses a folder that has."""
    stray, before = "model.vision_model.embeddings.position_ids", load_file(released / "model.safetensors")
    shutil.copytree(released, tmp_path / "old")
    save_file(before | {stray: torch.arange(257)[None]}, tmp_path / "old/model.safetensors")
    old, ours, back = (Folder(str(tmp_path / name)) for name in ("old", "ours", "back"))
    assert torch.equal(weights.load(old).lm_head.weight, net.lm_head.weight.bfloat16())
    weights.convert(old, ours)
    weights.convert(ours, back)
    assert load_file(tmp_path / "back/model.safetensors").keys() == before.keys()


def test_weights_that_were_there_are_replaced(released, tmp_path, net):
    """Of several files by one, and of one by several: none of the old ones is left, or read."""
    parts = in_files(released, tmp_path, "model-{:05}-of-00003.safetensors", 3)
    other = build(CONFIG, seed=5)
    write(Folder(str(parts)), weights.released_tensors(other), {}, 1 << 30)
    assert Folder(str(parts)).names(".safetensors") == ["model.safetensors"]
    assert torch.equal(weights.load(str(parts)).lm_head.weight, other.lm_head.weight)
    write(Folder(str(parts)), weights.released_tensors(net), {}, 4_000_000)
    assert "model.safetensors" not in Folder(str(parts)).names(".safetensors")
    assert torch.equal(weights.load(str(parts)).lm_head.weight, net.lm_head.weight)


def test_old_and_new_files_never_mix(released, tmp_path, net):
    """Killed after its first file, a write of as many files as there were leaves what doesn't load."""
    folder = Folder(str(in_files(released, tmp_path, "model-{:05}-of-00003.safetensors", 3)))
    tensors = weights.released_tensors(net)

    def killed(line: str) -> None:
        if line.startswith("model-00002"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(folder, tensors, {}, sum(value.nbytes for value in tensors.values()) // 3 + 500_000, killed)
    with pytest.raises(BadCheckpoint, match="lacks"):
        weights.load(folder)


def test_links_are_followed(released, tmp_path):
    """As a hub's cache has them: a folder of links to files that are named by their content."""
    snapshot, again = tmp_path / "snapshot", tmp_path / "again"
    snapshot.mkdir()
    for path in released.iterdir():
        (snapshot / path.name).symlink_to(path)
    (snapshot / "gone.safetensors").symlink_to(tmp_path / "nowhere")
    assert model.load(snapshot).lm_head.weight.dtype == torch.bfloat16
    weights.convert(Folder(str(snapshot)), Folder(str(again)))
    assert (again / "tokenizer.json").read_text() == "{}"
    alias = tmp_path / "alias"
    alias.symlink_to(released)
    with pytest.raises(ValueError, match="must be another"):
        weights.convert(Folder(str(released)), Folder(str(alias)))


def test_a_folder_that_is_not_on_a_disk(released, tmp_path, net):
    """Loaded and rearranged from there, and written to it."""
    there = Folder(f"memory://{tmp_path.name}/released")
    for path in released.iterdir():
        there.write(path.name, path.read_bytes())
    assert torch.equal(model.load(there.url).lm_head.weight, net.lm_head.weight.bfloat16())
    weights.convert(there, Folder(f"memory://{tmp_path.name}/ours"))
    weights.convert(Folder(f"memory://{tmp_path.name}/ours"), Folder(str(tmp_path / "back")))
    assert (tmp_path / "back" / "model.safetensors").read_bytes() == (released / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    "index",
    [
        "{}",
        "{",
        '{"weight_map": []}',
        '{"weight_map": {"a": 7}}',
        '{"weight_map": {"a": "../b.safetensors"}}',
        '{"weight_map": {"a": "config.json"}}',
    ],
)
def test_a_bad_index_is_told_in_a_line(released, index):
    (released / "model.safetensors.index.json").write_text(index)
    with pytest.raises(BadCheckpoint, match=r"model\.safetensors\.index\.json is no index of safetensors files"):
        model.load(str(released))


def rewritten(folder, change):
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")


def test_experts_of_several_dtypes_want_one_said(released):
    key = "model.layers.2.mlp.experts.3.up_proj.weight"
    rewritten(released, lambda state: state.update({key: state[key].float()}))
    with pytest.raises(BadCheckpoint, match=r"the experts of decoder\.layers\.2\.mlp\.experts\.gate_up have several dtypes"):
        model.load(str(released))
    assert model.load(str(released), dtype=torch.float32).lm_head.weight.dtype == torch.float32


EXPERT = "model.layers.2.mlp.experts.3"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda state: state.update({"model.projector.layers.bias": torch.zeros(5)}),
            r"model\.projector\.layers\.bias should be \(192,\) by config\.json, and is \(5,\)",
        ),
        (
            lambda state: state.update({"model.norm.weight": torch.zeros(192, dtype=torch.int8)}),
            r"model\.norm\.weight should be of float32 or the like, and is torch\.int8",
        ),
        (
            lambda state: [state.pop(f"{EXPERT}.{half}_proj.weight") for half in ("up", "down")],
            r"lacks model\.layers\.2\.mlp\.experts\.3\.\w+_proj\.weight and 1 others",
        ),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(released, change, message):
    rewritten(released, change)
    with pytest.raises(BadCheckpoint, match=message):
        model.load(str(released))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-100], r"model\.safetensors can't be read: .*not fully covered"),
        (lambda data: data + b"more", r"model\.safetensors can't be read: .*not fully covered"),
        (lambda data: data[:9] + b"\xff" + data[10:], r"model\.safetensors can't be read: .*invalid UTF-8 in header"),
        (lambda data: data.replace(b'"BF16"', b'"B_16"', 1), r"model\.safetensors can't be read: .*unknown variant `B_16`"),
        (lambda data: b"PK\x03\x04" + data[4:], r"model\.safetensors can't be read: .*invalid header length"),
    ],
)
def test_a_damaged_file_is_told_in_a_line(released, damage, message):
    path = released / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BadCheckpoint, match=message) as error:
        model.load(str(released))
    assert "\n" not in str(error.value)


def test_pickled_weights_are_never_loaded(net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_bytes(CONFIG.to_json())
    with pytest.raises(FileNotFoundError, match="pickled weights are never loaded"):
        model.load(str(tmp_path))


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ("hidden_size", -3, r"decoder\.width is -3"),
        ("num_attention_heads", 0, r"decoder\.heads is 0"),
        ("num_attention_heads", 7, r"must be a multiple of decoder\.heads, 7"),
    ],
)
def test_a_config_of_no_network_is_told(released, entry, value, message):
    config = json.loads((released / "config.json").read_text())
    config["language_config"][entry] = value
    (released / "config.json").write_text(json.dumps(config))
    with pytest.raises(BadCheckpoint, match=message):
        model.load(str(released))
    (released / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(BadCheckpoint, match=r"config\.json doesn't describe this network: KeyError\('language_config'\)"):
        model.load(str(released))


@pytest.mark.slow
def test_the_command_line(released, tmp_path, monkeypatch, capsys):
    def refused(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["model.files.weights", *words])
        with pytest.raises(SystemExit) as error:
            weights.main()
        return f"{error.value.code} {capsys.readouterr().err}"

    command = [sys.executable, "-m", "model.files.weights"]
    done = subprocess.run([*command, "inspect", str(released)], capture_output=True, text=True)
    assert "the released names, 1 files" in done.stdout and "experts" in done.stdout
    assert "1 tensors that the network doesn't know: model.extra.thing" in done.stdout
    monkeypatch.setattr(sys, "argv", ["model.files.weights", "convert", str(released), str(tmp_path / "ours")])
    weights.main()
    assert capsys.readouterr().out.endswith("ours has our names\n")
    assert "must be another" in refused("convert", str(released), str(released))
    assert "holds no *.safetensors file" in refused("inspect", str(tmp_path / "nothing"))
    assert "is empty" in refused("inspect", "")
    (tmp_path / "file").write_text("")
    assert "file" in refused("convert", str(released), str(tmp_path / "file"))
    assert "/proc/nowhere" in refused("convert", str(released), "/proc/nowhere")

"""Publishing to the hub, for which a server on this machine stands."""

import os
import subprocess
import sys

import pytest

from tests.hub_server import TOKEN, hub
from tests.outputs import ROOT
from tests.published import output, publish


@pytest.fixture
def on_hub(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # which it read from what other tests set
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # its server can't be stood in for
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server


def test_the_hub_gets_the_folder_and_the_card_last(tmp_path, on_hub, small_groups, capsys):
    out = output(tmp_path / "out")
    assert publish(out, "me/pages") == 0
    assert f"{on_hub.address}/datasets/me/pages" in capsys.readouterr().out
    staged = out / "published" / "me--pages"
    assert on_hub.private == {"me/pages": True} and on_hub.commits[0] == ["published.json"]
    assert on_hub.commits[-1] == ["README.md"] and len(on_hub.uploads) == 3
    sent = {name: content for name, content in on_hub.files["me/pages"].items() if name != ".gitattributes"}
    assert sent == {str(p.relative_to(staged)): p.read_bytes() for p in staged.rglob("*") if p.is_file() and p.name != ".lock"}

    num_commits = len(on_hub.commits)
    assert publish(out, "hf://datasets/me/pages") == 0 and len(on_hub.commits) == num_commits
    assert publish(out, "me/pages", dataset="texts") == 0
    assert set(on_hub.files["me/pages"]) == {".gitattributes", "README.md", "published.json", "texts/train-000000.parquet"}
    assert on_hub.commits[num_commits] == ["published.json", "-coarse/train-000000.parquet", "-coarse/train-000001.parquet"]
    on_hub.files["me/others"] = {"data/train.parquet": b"somebody's"}
    assert publish(out, "me/others") == 2
    assert "data/train.parquet" in capsys.readouterr().err and set(on_hub.files["me/others"]) == {"data/train.parquet"}


def test_the_hub_failing_half_way_is_said_and_gone_on_from(tmp_path, on_hub, small_groups, monkeypatch, capsys):
    from datagen.publishing import hub as sender

    monkeypatch.setattr(sender, "_FILES_A_COMMIT", 1)
    out = output(tmp_path / "out")
    real = sender._batches

    def failing(written):
        for number, batch in enumerate(real(written)):
            if number == 1:
                on_hub.fails["/commit/"] = [500] * 20
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(sender, "_batches", failing)
        assert publish(out, "me/pages") == 1
    said = capsys.readouterr().err
    assert "the hub fails (500): the same command goes on later" in said and "README.md" not in on_hub.files["me/pages"]
    on_hub.fails.clear()
    sent = list(on_hub.uploads)
    assert publish(out, "me/pages") == 0
    assert "README.md" in on_hub.files["me/pages"] and len(on_hub.uploads) == 3 and on_hub.uploads[: len(sent)] == sent


@pytest.mark.parametrize(
    ("trouble", "code", "why"),
    [
        ("none", 2, "HF_TOKEN isn't set"),
        ("odd", 2, "HF_TOKEN has a character that no key has"),
        ("forbidden", 2, "the token in HF_TOKEN may not write there"),
        ("many", 1, "too many requests"),
        ("unreachable", 1, "can't be reached"),
    ],
)
def test_what_is_wrong_with_the_hub_is_said_in_a_sentence(tmp_path, on_hub, monkeypatch, capsys, trouble, code, why):
    secret = {"none": "", "odd": "hf_a b\nc", "wrong": "hf_" + "another" * 4}.get(trouble, TOKEN)
    monkeypatch.setenv("HF_TOKEN", secret)
    on_hub.may_write = trouble != "forbidden"
    if trouble == "many":
        on_hub.fails["/api/repos/create"] = [429] * 20
    if trouble == "unreachable":
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert publish(output(tmp_path / "out"), "me/pages") == code
    said = capsys.readouterr()
    assert why in said.err and "Traceback" not in said.err
    assert not secret or secret not in said.err + said.out


def test_the_key_is_written_nowhere(tmp_path):
    """By another process, whose home, cache and temporary files are all looked through."""
    output(tmp_path / "out")
    home = {name: str(tmp_path / "home") for name in ("HOME", "HF_HOME", "TMPDIR", "XDG_CACHE_HOME")}
    (tmp_path / "home").mkdir()
    with hub() as server:
        online = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}  # as other tests leave it
        env = online | home | {"HF_TOKEN": TOKEN, "HF_ENDPOINT": server.address, "HF_HUB_DISABLE_XET": "1"}
        env |= {"HF_DEBUG": "1", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "recipes", "publish", f"out={tmp_path / 'out'}", "to=hf://datasets/me/pages"]
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert [p for p in tmp_path.rglob("*") if p.is_file() and TOKEN.encode() in p.read_bytes()] == []

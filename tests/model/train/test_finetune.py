"""Fine-tuning: the page in model/README.md from its first line to its last, adapters that are killed, and what is refused."""

import json
import re
import shlex
import sys
from dataclasses import asdict

import pytest
import torch

import model
from datagen.disk.storage import Folder
from model.data import order
from model.files.safetensors_files import Reader
from model.generate import main as generate_main
from model.net.deepseek_ocr import build
from model.net.tokenizer import byte_tokenizer
from model.train import trainer
from model.train.export import export
from model.train.export import main as export_main
from model.train.forecast import planned, typical
from model.train.step import Batches, Checkpoint, Compute, Evaluation, Optim, Schedule, Train, Weights
from recipes.__main__ import main
from recipes.finetune import TINY, finetune
from tests.model.files.test_readme import README
from tests.model.lines import EIGHT, rendered
from tests.model.train.test_training_words import SMALL

PAGE = README.read_text().partition("## Fine-tuning on your own images\n")[2].partition("\n## ")[0]


def test_the_page_runs(tmp_path, monkeypatch, capsys):
    """In fewer steps, and with shorter readings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("recipes.finetune.TINY", TINY.but(read_samples=2, max_new_tokens=12))
    steps = re.findall(r"```python\n(.*?)```|^    (?:make|\.venv/bin/python -m) ([^\n]*)$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(steps) == 8
    said, names = [], {}
    for code, command in steps:
        if code:
            exec(code, names)
            continue
        words = shlex.split(command)
        first = words.pop(0).removeprefix("recipe=")
        if first == "model.generate":
            monkeypatch.setattr(sys, "argv", [first, *words, "--max-new-tokens", "4"])
            generate_main()
            assert capsys.readouterr().out.endswith("\n")
            continue
        short = ["steps=4", "on=inline"] if first == "finetune" else []
        assert main([first, *words, *short]) == 0, command
        said.append(capsys.readouterr().out)
    plan, _, status, _ = said
    assert "LoRA, rank 16" in plan and "4 steps on" in plan and "rows are taken to be full" in plan
    assert re.search(r"train: character error on \d+ held-out samples \d+\.\d% -> \d+\.\d%", status)
    out = Folder(str(tmp_path / "out"))
    metrics = json.loads(out.read("finetune/train/metrics.json"))
    assert metrics["held_out_loss_last"] < metrics["held_out_loss_first"]
    assert "mode line" in metrics["read"] and metrics["read_before"].keys() == metrics["read"].keys()
    assert out.exists("finetune/train/model/processor_config.json") and not out.exists("finetune/train/adapter")
    report = out.read("finetune/report/index.html")
    assert b"labels.jsonl" in report and b"character errors by step" in report
    # What transformers holds with the adapter is what is merged in our folder.
    merged = model.load(tmp_path / "out/adapters/train/model").state_dict()
    name = "decoder.layers.0.self_attn.q_proj.weight"
    layer = names["net"].get_base_model().model.language_model.layers[0].self_attn.q_proj
    theirs = layer.weight.float() + layer.get_delta_weight("default")
    assert (merged[name].float() - theirs).abs().max() < 5e-3 * theirs.abs().max()
    assert not torch.equal(merged[name], model.load(tmp_path / "tiny-checkpoint").state_dict()[name])


@pytest.fixture
def rows(tmp_path):
    """(a start in bf16, a file of rows, a few of which are text alone)."""
    tokenizer = byte_tokenizer()
    export(Folder(str(tmp_path / "start")), build(SMALL, 3), tokenizer)
    with open(tmp_path / "rows.jsonl", "w") as file:
        for n in range(24):
            (tmp_path / f"{n}.png").write_bytes(rendered(EIGHT[n % 8][:9] + str(n)))
            row = {"image": f"{n}.png", "prompt": "<image>\nRead.", "answer": EIGHT[n % 8][:9] + str(n)}
            file.write(json.dumps((row if n % 6 else {"text": f"Text alone, {n}."}) | {"group": f"{n}"}) + "\n")
    return Train(
        datasets=(str(tmp_path / "rows.jsonl"),),
        name="tuned",
        weights=Weights(start=str(tmp_path / "start"), lora=3),
        schedule=Schedule(steps=4, warmup=1),
        optim=Optim(learning_rate=1e-2),
        batches=Batches(rows_per_step=1, micro_rows=1, length=300, modes=(("line", 1.0),)),
        evaluation=Evaluation(
            held_out_share=0.3, loss_samples=4, loss_every=4, read_samples=2, read_first=True, max_new_tokens=4
        ),
        checkpoint=Checkpoint(checkpoint_every=2),
        compute=Compute(threads=1),
    )


def test_adapters_that_are_killed_end_in_the_same_bytes(rows, tmp_path, monkeypatch):
    whole, again = Folder(str(tmp_path / "whole")), Folder(str(tmp_path / "again"))
    rows, seed, seeds = rows.but(lora_dropout=0.2), torch.manual_seed, []
    with monkeypatch.context() as patched:
        patched.setattr(torch, "manual_seed", lambda number: seeds.append(number) or seed(number))
        assert trainer.train(rows, whole)
    # What is dropped follows from the step alone, by a hash that no version of Python changes.
    assert {order.key("dropout", rows.seed, number, 0) for number in range(4)} <= set(seeds)
    assert order.key("dropout", 0, 3, 0) == 0xF700A940F98B7487

    class Killed(BaseException):
        pass

    def killed(self, number, *rest):
        if number == 3:
            raise Killed
        return update(self, number, *rest)

    update = trainer._Training._update
    monkeypatch.setattr(trainer._Training, "_update", killed)
    with pytest.raises(Killed):
        trainer.train(rows, again)
    (folder,) = (again.local / "tuned/checkpoint").iterdir()
    with Reader(Folder(str(folder))) as files:
        kept = [key for key in files.tensors if key.startswith("net/")]
    assert kept and all(".lora_" in key for key in kept)  # what is frozen is in `start`
    monkeypatch.setattr(trainer._Training, "_update", update)
    assert trainer.train(rows, again)
    for name in ("adapter/adapter_model.safetensors", "adapter/adapter_config.json", "model/model-00001-of-000001.safetensors"):
        assert again.read(f"tuned/{name}") == whole.read(f"tuned/{name}"), name
    before, then = (json.loads(folder.read("tuned/metrics.json"))["read_before"] for folder in (whole, again))
    assert before == then and before["all"]["num"] in (1, 2)
    with Reader(whole.sub("tuned/model")) as files, Reader(Folder(rows.weights.start)) as before:
        changed = {key for key in files.tensors if not torch.equal(files.read(key), before.read(key))}
    assert changed and all(re.search(r"layers\.\d\.(self_attn|mlp)", key) and ".experts.0" not in key for key in changed)
    export(Folder(rows.weights.start), build(SMALL, 4), byte_tokenizer())
    assert not trainer.train(rows, whole)  # done, it needs its start no more


def test_epochs_say_how_many_steps_there_are(rows, tmp_path):
    out = Folder(str(tmp_path / "out"))
    assert trainer.train(rows.but(epochs=2.0, steps=50, warmup=20, read_first=False), out)
    metrics = json.loads(out.read("tuned/metrics.json"))
    num_train = metrics["num_train"]["rows.jsonl"]
    # A step is a row of samples: as many come as there are, twice, but for the last step's, and as rows have unequal numbers.
    assert abs(metrics["counts"]["samples"] - 2 * num_train) <= 1.5 * metrics["counts"]["samples"] / metrics["step"]
    assert 2 < metrics["step"] < 50 and "ends after 2 epochs" in planned(rows.but(epochs=2.0))


@pytest.mark.parametrize("values", [{}, {"lora": 0, "frozen": ("sam",)}], ids=["adapters", "weights"])
def test_the_last_checkpoint_of_a_training_is_exported(rows, values, tmp_path, monkeypatch, capsys):
    """Killed after its last step, it gives the bytes that it would have come to; and can go on afterwards."""
    step, out = rows.but(read_first=False, **values), Folder(str(tmp_path / "out"))

    def killed(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(trainer._Training, "_finish", killed)
        with pytest.raises(KeyboardInterrupt):
            trainer.train(step, out)
    command = ["model.train.export", out.sub("tuned").url]
    monkeypatch.setattr(sys, "argv", [*command, str(tmp_path / "early")])
    export_main()
    assert "the checkpoint of step 4" in capsys.readouterr().out
    assert trainer.train(step, out)
    name = "model-00001-of-000001.safetensors"
    assert (tmp_path / "early" / name).read_bytes() == out.read(f"tuned/model/{name}")
    monkeypatch.setattr(sys, "argv", [*command, str(tmp_path / "late")])  # now its model
    export_main()
    assert (tmp_path / "late" / name).read_bytes() == out.read(f"tuned/model/{name}")


def test_a_training_without_a_checkpoint_is_told(rows, tmp_path, monkeypatch):
    out = Folder(str(tmp_path))
    out.write("tuned/run.json", json.dumps({"step": asdict(rows)}).encode())
    out.write("tuned/tokenizer.json", byte_tokenizer().to_json())
    monkeypatch.setattr(sys, "argv", ["model.train.export", out.sub("tuned").url, str(tmp_path / "early")])
    with pytest.raises(SystemExit, match="checkpoint has no whole checkpoint"):
        export_main()
    out.write("tuned/run.json", b'{"step": {"datasets": 7}}')
    with pytest.raises(SystemExit, match=r"run\.json isn't that of a training"):
        export_main()


def test_other_weights_in_the_start_are_not_gone_on_with(rows, tmp_path, monkeypatch):
    """What is frozen is in no checkpoint."""
    out = Folder(str(tmp_path / "out"))

    def killed(self, *rest):
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer._Training, "_train", killed)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(rows.but(read_first=False), out)
    export(Folder(rows.weights.start), build(SMALL, 4), byte_tokenizer())
    with pytest.raises(ValueError, match=r"another training \(different: starts\)"):
        trainer.train(rows.but(read_first=False), out)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"start": "s"}, "finetune needs data=FILE.jsonl"),
        ({"data": "a.jsonl"}, "finetune needs start=FOLDER"),
        ({"data": "a.jsonl", "start": "s", "variant": "big"}, "variant=big: allowed are full and tiny"),
    ],
)
def test_a_wrong_word_is_told(words, message):
    with pytest.raises(ValueError, match=message):
        finetune(**words)


@pytest.mark.parametrize("start", ["nowhere", "bad"])
def test_a_start_that_is_none_is_told_in_a_line(rows, start, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Folder("bad").write("config.json", b"{}")
    Folder("bad").write("tokenizer.json", byte_tokenizer().to_json())
    assert main(["finetune", f"start={start}", "data=rows.jsonl", "variant=tiny", "out=out", "on=inline"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert f"{start}" in line and "Traceback" not in line


def test_the_plan_of_what_can_not_be(rows):
    with pytest.raises(ValueError, match="modes has bse: allowed are tiny"):
        planned(rows.but(modes=(("bse", 1.0),)))
    assert "not one page fits into 256 tokens in gundam-m" in planned(rows.but(modes=(("gundam-m", 1.0),), length=256))


def test_the_plan_is_of_what_is_set(rows):
    text = planned(rows.but(lora=0, frozen=("sam", "clip", "projector"), length=512))
    first = next(line for line in text.splitlines() if line.startswith("as it is set"))
    net = build(SMALL)
    assert f"{sum(p.numel() for name, p in net.named_parameters() if not name.startswith('encoder.')):,}" in first
    assert "encoder frozen" not in text and "patterns decoder.norm.*" in planned(rows.but(frozen=("decoder.norm.*",)))
    load = typical(SMALL, rows.but(micro_rows=2, modes=(("tiny", 1.0), ("line", 3.0))))
    assert sum(load.lengths) == 2 * rows.batches.length and len(load.views) == len(load.lengths)
    assert "can't be told" in planned(rows.but(start="/nowhere"))

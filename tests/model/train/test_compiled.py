"""A training whose layers are compiled, on a processor: the losses of one whose layers aren't."""

import shutil

import pytest
import torch
import torch._dynamo

from datagen.disk.storage import Folder
from model.train.lines import read_lines
from recipes import finetune
from recipes.__main__ import main
from tests.model.train.test_training_words import here, run_of  # noqa: F401  (a fixture)

WORDS = ["finetune", "start=start", "data=rows.jsonl", "variant=tiny", "modes=line", "on=inline", "steps=1", "rows_per_step=1"]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++") and not shutil.which("clang++"), reason="there is no C++ compiler")
def test_compiled_layers_have_the_losses_of_plain_ones(here, monkeypatch):  # noqa: F811
    monkeypatch.setattr("recipes.finetune.TINY", finetune.TINY.but(precision="float32"))
    torch._dynamo.reset()
    assert main([*WORDS, "out=plain"]) == 0
    assert main([*WORDS, "out=out", "compile=1", "gradient_checkpointing=decoder"]) == 0
    # CLIP's layer; and of the decoder's two kinds what is around attention and experts.
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= 4
    plain, compiled = ([*read_lines(Folder(str(here / name)).sub("train"), "loss.jsonl")] for name in ("plain", "out"))
    for one, other in zip(plain, compiled, strict=True):
        for field in one.keys() & {"loss", "norm", "held_out_loss"}:
            assert other[field] == pytest.approx(one[field], abs=2e-4), (one["step"], field)
    assert run_of(here)["compiled"] is True


def test_without_a_compiler_it_is_said(here, monkeypatch, capsys):  # noqa: F811
    from torch._inductor import cpp_builder, exc

    def none():
        raise exc.InvalidCxxCompiler

    monkeypatch.setattr(cpp_builder, "get_cpp_compiler", none)
    assert main([*WORDS, "compile=1"]) == 2
    assert "layers can't be compiled: there is no C++ compiler, such as g++" in capsys.readouterr().err

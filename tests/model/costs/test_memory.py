"""The plan for many GPUs against numbers worked out by hand."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from model.costs import plan
from model.costs.activations import TOWERS, Load, kept
from model.costs.memory import PAPER_TOKENS, Stage, cheapest, memory, stages, table_of_layouts
from model.costs.plan import SET_UPS, SetUp
from model.net.config import full
from model.net.deepseek_ocr import DeepseekOcr, part_of
from model.net.pipeline_cut import ONE_RANK, Cut, Layout
from model.net.stages import stage_of
from model.train.forecast import planned
from recipes.train import FULL, FULL_STAGE_1, TINY

LOAD = Load(((1024, 1024), (640, 640)), (1900, 500), 1300)
PAPER = SET_UPS[1]  # SAM frozen
HALF = 1280 * 129280
ATTENTION = 4 * 1280 * 1280 + 2 * 1280  # with two norms
MIXTURE = 64 * 3 * 1280 * 896 + 3 * 1280 * 1792 + 64 * 1280
FIRST_HALF = 6 * ATTENTION + 3 * 1280 * 6848 + 5 * MIXTURE


def test_the_papers_cut():
    assert stages(full(), Cut(4)) == [
        Stage(True, False, False, 0, 0, False),
        Stage(False, True, True, 0, 0, False),
        Stage(False, False, False, 0, 6, False),
        Stage(False, False, False, 6, 12, True),
    ]
    names = [stage.name() for stage in stages(full(), Cut(4))]
    assert names == ["SAM", "CLIP, embedding", "layers 0 to 5", "layers 6 to 11, head"]
    names = [stage.name() for stage in stages(full(), Cut(3, (7, 5)))]
    assert names == ["SAM, CLIP, embedding", "layers 0 to 6", "layers 7 to 11, head"]
    with pytest.raises(ValueError, match=r"layers \(7, 4\): the network has 12"):
        stages(full(), Cut(3, (7, 4)))
    assert [stage.name() for stage in stages(full(), Cut(2))] == ["SAM, CLIP, embedding", "layers 0 to 11, head"]
    with pytest.raises(ValueError, match=r"pipeline is 15: the network has 12 layers, which makes 14 stages at most"):
        stages(full(), Cut(15))


@pytest.mark.parametrize("pipeline", [1, 2, 3, 4, 6])
def test_the_cut_is_the_trainers(pipeline):
    with torch.device("meta"):
        net = DeepseekOcr(full())
    counts = [Counter(dict.fromkeys(plan.PARTS, 0)) for _ in range(pipeline)]
    for name, parameter in net.named_parameters():
        counts[stage_of(name, full(), Cut(pipeline))][part_of(name)] += parameter.numel()
    assert [stage.parameters(full()) for stage in stages(full(), Cut(pipeline))] == counts


def test_memory_of_the_papers_stages_by_hand():
    """On 160 GPUs of which none shares its weights: 4 bytes a weight, 4 a gradient, 8 for two moments."""
    layout = Layout(4, 40, 1)
    sam, clip, first, second = (memory(full(), LOAD, PAPER, layout, n, 16, TOWERS) for n in range(4))
    assert (sam.weights, sam.gradients, sam.optimizer, sam.kept) == (4 * 95_569_152, 0, 0, 0)
    with_embedding = 303_177_728 + 2_625_280 + HALF
    assert clip.weights == 4 * with_embedding and clip.gradients == 4 * (with_embedding - 602_112)
    assert (first.weights, first.gradients, first.optimizer) == tuple(n * FIRST_HALF for n in (4, 4, 8))
    last = 6 * (ATTENTION + MIXTURE) + 1280 + HALF
    assert (second.weights, second.optimizer) == (4 * last, 8 * last)
    # In bf16: what isn't experts, whose products are narrowed one after the other.
    assert first.copies == 2 * (FIRST_HALF - 5 * 64 * 3 * 1280 * 896)


def test_a_stage_keeps_as_many_batches_as_there_are_stages_behind_it():
    config, layout = full(), Layout(4, 40, 1)
    half = replace(config, decoder=replace(config.decoder, depth=6))
    one = kept(half, Load((), LOAD.lengths, 0), 2, head=False).decoder
    assert memory(config, LOAD, PAPER, layout, 2, 16, ()).kept == 2 * one
    assert memory(config, LOAD, PAPER, layout, 2, 1, ()).kept == one
    seen = kept(config, Load(LOAD.views, (), 0), 2, sam=False, head=False)
    assert memory(config, LOAD, PAPER, layout, 1, 16, ()).kept == 3 * (seen.clip + seen.projector)


def test_shared_weights_are_the_decoders():
    config = full()
    alone, shared = (memory(config, LOAD, PAPER, Layout(1, 1, n), 0, 4, TOWERS) for n in (1, 8))
    encoder = 95_569_152 + 303_177_728 + 2_625_280
    decoder = 3_336_106_240 - encoder
    assert shared.weights == 4 * (encoder + decoder // 8)
    assert shared.optimizer == 8 * (encoder - 95_569_152 - 602_112 + decoder // 8)
    # Layers come in bf16, and need no copies beside.
    assert shared.kept == alone.kept and shared.copies == alone.copies - 2 * plan.parameters(config)["decoder"]
    # Embedding, head and norm, two layers at a time; gradients of the first and of one layer, which is added up in fp32.
    around, layer = 2 * HALF + 1280, ATTENTION + MIXTURE
    assert shared.gathered == 4 * around + 2 * 2 * layer + 4 * around + 6 * layer


def test_only_as_much_is_computed_again_as_there_is_no_room_for():
    def chosen(room, layout=ONE_RANK, number=0):
        return cheapest(full(), LOAD, PAPER, layout, number, 4, room)

    whole = memory(full(), LOAD, PAPER, Layout(), 0, 4, ()).total
    assert chosen(whole) == () and chosen(1e9) == TOWERS
    # CLIP costs least; SAM, which is frozen, keeps nothing.
    assert chosen(whole - 1e8) == ("clip",)
    assert chosen(memory(full(), LOAD, PAPER, Layout(), 0, 4, ("decoder",)).total) == ("decoder",)
    assert chosen(27.2e9, Layout(4, 40, 1), 3) == ()


def test_a_stage_that_shares_keeps_all_that_it_gathers():
    """As much as without sharing in gradients, half as much in weights, which come in bf16."""
    alone, shared = (memory(full(), LOAD, PAPER, Layout(4, 40 // n, n), 3, 16, TOWERS) for n in (1, 2))
    last = 6 * (ATTENTION + MIXTURE) + 1280 + HALF
    around = 1280 + HALF
    assert shared.gathered == 4 * last + 4 * around + 2 * (last - around) and shared.weights == 2 * last
    spared = alone.copies - shared.copies
    assert alone.total - shared.total == (2 + 2 + 4) * last + spared - shared.gathered == 2 * (last - around) + spared > 0
    frozen = memory(full(), LOAD, SetUp("", ("clip", "projector")), Layout(4, 20, 2), 3, 16, TOWERS)
    assert frozen.gathered == 4 * around + 2 * (last - around)


def test_the_papers_rate_by_hand():
    """A corpus of 70 billion tokens takes the paper one day, whatever share of the peak that is."""
    load = Load(((1024, 1024),), (1000,), 700)
    text = table_of_layouts(full(), load, PAPER, [Layout(1, 20, 8)], 640, 1, TOWERS, num_samples=70_000_000)
    (row,) = (line for line in text.splitlines() if "the paper's)" in line)
    assert row.split()[3] == "70B" and row.split()[-1] == "1"
    share = PAPER_TOKENS[0] / 86_400 / 160 * plan.operations(full(), load, PAPER) / 1000 / 312e12
    assert row.startswith(f"{share:.1%} ") and 0.06 < share < 0.14
    assert "70,000,000 samples, taken for such pages: 70B tokens" in text


def test_what_is_printed_for_a_training():
    said = planned(FULL.but(pipeline=4))
    assert "  40 GB: sam, clip, decoder computed again, 55.5 GB: too much for one\n" in said
    assert "  80 GB: nothing computed again, 62.7 GB\n" in said
    (row,) = (line for line in said.splitlines() if "the paper's)" in line)
    (short,) = (line for line in planned(FULL.but(pipeline=4, steps=100)).splitlines() if "the paper's)" in line)
    assert float(row.split()[-1].replace(",", "")) == pytest.approx(2_000 * float(short.split()[-1]), rel=0.02)
    assert "100 steps of 640 rows learn from about" in planned(FULL.but(steps=100))
    own, *_ = said.partition("on 20 x 8 GPUs\n")[2].splitlines()
    assert own == "pipeline 4 x replicate 40 x shard 1, 16 batches a step"
    assert "pipeline 4 x replicate 20 x shard 2, 16 batches a step" in said
    assert "pipeline 1 x replicate 20 x shard 8, 4 batches a step" in said
    assert "pipeline 1 x replicate 20 x shard 8, 8 batches a step" in planned(FULL_STAGE_1)
    assert "on 2 x 8 GPUs" in planned(FULL, 2, 8) and "on 1 x 2 GPUs" in planned(TINY.but(rows_per_step=4), 0, 2)
    assert "GPUs\npipeline" not in planned(TINY)  # 2 rows aren't for 160


def test_adapters_are_those_of_the_stages_layers():
    lora = SetUp("LoRA", rank=16, targets=plan.LANGUAGE)
    parts = [memory(full(), LOAD, lora, Layout(4, 40, 1), n, 16, TOWERS) for n in range(4)]
    assert parts[0].gradients == parts[1].gradients == 0
    assert parts[2].gradients + parts[3].gradients == 4 * lora.num_trained(full())

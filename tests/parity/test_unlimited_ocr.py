"""Our network against transformers' `unlimited_ocr`, the same one: our folder loaded by theirs, compared in fp32."""

import copy

import pytest
import torch
import torch.nn.functional as F

import model
from datagen.disk.storage import Folder
from datagen.target import Prompt
from model.files import weights
from model.files.safetensors_files import Reader
from model.generate import NoRepeat, tokens
from model.net.batch import PADDING
from model.net.deepencoder import places
from model.net.loss import IGNORED
from model.net.moe import MixtureOfExperts
from tests.parity.reference import (
    DEEPER,
    NARROW,
    RELEASED_WIDTHS,
    TOLERANCE,
    as_theirs,
    loaded,
    randomised,
    saved,
    sequence,
    tokenizer_for,
    views,
)

pytest.importorskip("transformers.models.unlimited_ocr")

CONFIGS = {"narrow": NARROW, "deeper": DEEPER, "released widths": RELEASED_WIDTHS}


# At the released widths, logits of images are compared always, and what takes long only among the slow tests.
SLOW_WHERE_WIDE = [pytest.param(name, marks=[pytest.mark.slow] * (config is RELEASED_WIDTHS)) for name, config in CONFIGS.items()]


@pytest.fixture(scope="module", params=CONFIGS)
def pair(request, tmp_path_factory):
    config = CONFIGS[request.param]
    ours, tokenizer = randomised(config), tokenizer_for(config)
    folder = saved(ours, tmp_path_factory.mktemp("ours"), tokenizer.image)
    return request.param, ours, loaded(folder), tokenizer


@pytest.fixture(scope="module")
def narrow(base, tokenizer):
    return model.load(base).eval(), loaded(base), tokenizer


def compare_logits(ours, theirs, tokenizer, images_of_rows, differ, what: str) -> None:
    ids_BL = sequence(images_of_rows, tokenizer)
    real_BL = ids_BL != tokenizer.pad
    images = [image for row in images_of_rows for image in row]
    with torch.no_grad():
        mine = ours.logits(ours(ids_BL, images, places(ids_BL == tokenizer.image), torch.where(real_BL, 0, PADDING)))
        other = theirs(input_ids=ids_BL, attention_mask=real_BL.long(), **(as_theirs(images) if images else {})).logits
    assert differ("logits", what, mine[real_BL], other[real_BL]) < TOLERANCE
    assert torch.equal(mine[real_BL].argmax(-1), other[real_BL].argmax(-1))
    assert other[real_BL].std() > 0.1


# Modes differ by nothing that widths change: the narrow network shows them all, and the others one.
ALL = [
    ("tiny", [(0, 0)] * 2),
    ("small", [(0, 0)]),
    ("base", [(0, 0)]),
    ("large", [(0, 0)]),
    ("gundam", [(2, 1), (0, 0)]),
    ("gundam", [(2, 3)]),
    ("gundam-m", [(1, 2)]),
]


@pytest.mark.parametrize(("mode", "grids"), ALL)
def test_logits_agree_in_every_mode(narrow, mode, grids, differ):
    ours, theirs, tokenizer = narrow
    compare_logits(ours, theirs, tokenizer, [[image] for image in views(mode, *grids)], differ, f"narrow, {mode} {grids}")


@pytest.mark.slow
def test_logits_agree_at_every_width(pair, differ):
    name, ours, theirs, tokenizer = pair
    compare_logits(ours, theirs, tokenizer, [[image] for image in views("tiny", (0, 0))], differ, f"{name}, tiny")


@pytest.mark.parametrize("pair", SLOW_WHERE_WIDE, indirect=True)
def test_text_alone_agrees(pair, differ):
    name, ours, theirs, tokenizer = pair
    compare_logits(ours, theirs, tokenizer, [[], [], []], differ, f"{name}, text alone")


@pytest.mark.slow
def test_several_images_a_sequence_agree(narrow, differ):
    """And ragged rows: none, one and three images."""
    ours, theirs, tokenizer = narrow
    images = views("tiny", *[(0, 0)] * 4)
    compare_logits(ours, theirs, tokenizer, [images[:1], images[1:]], differ, "narrow, several images, padded")
    gundam = views("gundam", (1, 2), (2, 1))
    compare_logits(ours, theirs, tokenizer, [gundam], differ, "narrow, two gundam images in a row")


def test_the_parts_agree_one_by_one(pair, differ):
    name, ours, theirs, _ = pair
    x_B3HW = torch.randn(2, 3, 256, 256, generator=torch.Generator().manual_seed(1))
    tower, config = theirs.model.vision_tower, ours.config
    with torch.no_grad():
        local_BChw = ours.encoder.compressor(ours.encoder.sam(x_B3HW))
        assert differ("SAM and compressor", name, local_BChw, tower.sam_encoder(x_B3HW).last_hidden_state) < TOLERANCE
        clip = tower.vision_encoder(local_BChw).last_hidden_state[:, 1:]
        assert differ("CLIP", name, ours.encoder.clip(local_BChw), clip) < TOLERANCE
        x_BLD = torch.randn(2, 40, config.decoder.width, generator=torch.Generator().manual_seed(2))
        layer = config.decoder.num_dense_layers
        dense, mixture = ours.decoder.layers[0].mlp, ours.decoder.layers[layer].mlp
        assert differ("dense MLP", name, dense(x_BLD), theirs.model.language_model.layers[0].mlp(x_BLD)) < TOLERANCE
        assert isinstance(mixture, MixtureOfExperts)
        assert differ("MoE", name, mixture(x_BLD), theirs.model.language_model.layers[layer].mlp(x_BLD)) < TOLERANCE


@pytest.mark.parametrize("pair", SLOW_WHERE_WIDE, indirect=True)
def test_gradients_agree(pair, differ, tmp_path):
    """Of every parameter. Theirs are put in the weights' place and saved, so that they have the released names."""
    name, ours, theirs, tokenizer = pair
    images = views("tiny", (0, 0), (0, 0))
    ids_BL = sequence([[images[0]], [images[1]]], tokenizer, num_text=30)
    real_BL = ids_BL != tokenizer.pad
    labels_BL = torch.where((ids_BL == tokenizer.image) | ~real_BL, -100, ids_BL)
    own_values = {key: value.detach().clone() for key, value in theirs.named_parameters()}
    theirs.zero_grad()
    loss = theirs(input_ids=ids_BL, attention_mask=real_BL.long(), labels=labels_BL, **as_theirs(images)).loss
    loss.backward()
    for parameter in theirs.parameters():
        parameter.data = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    theirs.save_pretrained(tmp_path)
    for key, parameter in theirs.named_parameters():
        parameter.data, parameter.grad = own_values[key], None
    with Reader(Folder(str(tmp_path))) as files:
        expected = {key: files.read(key).clone() for key in files.tensors}

    ours.zero_grad()
    next_BL = F.pad(labels_BL[:, 1:], (0, 1), value=IGNORED)
    samples_BL = torch.where(real_BL, 0, PADDING)
    scale = 1 / int((next_BL != IGNORED).sum())
    mine = ours(ids_BL, images, places(ids_BL == tokenizer.image), samples_BL, labels_BL=next_BL, scale=scale).total
    mine.backward()
    assert differ("loss", name, mine.detach(), loss.detach()) < TOLERANCE
    worst, num = 0.0, 0
    gradients = {n: p.grad for n, p in ours.named_parameters() if p.grad is not None}
    for n, gradient in gradients.items():
        for piece in weights.pieces(n, tuple(gradient.shape)):
            theirs_, mine_ = expected[piece.key], piece.of(gradient)
            scale = theirs_.abs().max().item()
            worst, num = max(worst, (mine_ - theirs_).abs().max().item() / (scale or 1)), num + 1
    ours.zero_grad()
    assert num == len(weights.released_tensors(ours)) - 1  # all but patch_embedding
    assert differ("gradients, relative", f"{name}, {num} tensors", torch.tensor(worst), torch.tensor(0.0)) < TOLERANCE


RULES = {"free": NoRepeat(10_000), "ngram": NoRepeat(3), "window": NoRepeat(2, window=8)}


@pytest.mark.parametrize(
    ("pair", "no_repeat"),
    [
        *((name, rule) for name in ("narrow", "deeper") for rule in RULES.values()),
        pytest.param("released widths", RULES["free"], marks=pytest.mark.slow),
    ],
    indirect=["pair"],
)
def test_generation_agrees_token_for_token(pair, no_repeat):
    _, ours, theirs, tokenizer = pair
    images = views("tiny", (0, 0), (0, 0), (0, 0))
    ids_of: list[list[int]] = [[] for _ in images]
    for row, token in tokens(ours, tokenizer, images, Prompt.FREE, 30, no_repeat):
        ids_of[row].append(token)
    head = torch.tensor([tokenizer.prompt(Prompt.FREE.value, image.num_tokens) for image in images])
    config = copy.deepcopy(theirs.generation_config)
    config.no_repeat_ngram_size = no_repeat.ngram
    config.no_repeat_ngram_window_size = no_repeat.window
    with torch.no_grad():
        other = theirs.generate(
            input_ids=head,
            attention_mask=torch.ones_like(head),
            **as_theirs(images),
            max_new_tokens=30,
            do_sample=False,
            eos_token_id=tokenizer.eos,
            pad_token_id=tokenizer.pad,
            generation_config=config,
        )
    for mine, row in zip(ids_of, other[:, head.shape[1] :].tolist(), strict=True):
        assert mine == row[: row.index(tokenizer.eos)] if tokenizer.eos in row else mine == row

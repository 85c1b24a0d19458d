"""What SAM is told of drawn lines: by hand, and in trainings that begin with it."""

import json

import pytest
import torch

from datagen.disk.storage import Folder
from datagen.drawing.endless_lines import Lines
from model.data.drawn_lines import Drawn
from model.data.loader import read
from model.data.split import opened
from model.data.tokens import made
from model.files.safetensors_files import Reader
from model.net.batch import batch
from model.net.config import line_reader
from model.net.deepseek_ocr import build
from model.net.frame_head import KINDS, LETTERS, FrameHead, frames, sam_outputs
from model.net.guided_attention import guidance
from model.net.image import Views
from model.net.tokenizer import byte_tokenizer
from model.train.data_config import Data, DrawnLines
from model.train.step import RANDOM, Train
from model.train.trainer import train
from recipes.reads import LINES
from tests.model.drawn_rows import alone


def test_frames_by_hand():
    """Two characters of 12 and 20 pixels that begin at 6: frames' middles are 4, 12, 20, 28, 36, 44."""
    a, b = ord("a") - 31, ord("b") - 31
    assert frames("ab", 6, [18, 38], 48) == [0, a, b, b, b, 0]
    e = ord("e") - 31
    assert frames("é €", 0, [10, 20, 28], 32) == [e, 1, KINDS - 1, 0]  # as its letter without the accent; of no kind that is told
    assert frames("ж", 0, [16], 16) == [KINDS + ord("ж") % LETTERS] * 2 == frames("\u04dd", 0, [16], 16)
    assert frames("", 3, [], 16) == [0, 0]


def test_a_drawn_line_comes_with_what_stands_where():
    tokenizer = byte_tokenizer()
    corpus = opened([Drawn(Lines(longest=6), 8, held_out=2, tells=True)], tokenizer, 0.1)
    draw = alone(corpus, 0, 3, "line")
    example = read(corpus, draw)
    tokens = made(example, draw, ("line",), tokenizer)
    one = batch([[tokens]], tokenizer)
    assert one.num_known_frames == len(one.frames_F) == one.images[0].whole_3HW.shape[2] // 8
    kinds = [kind for kind in one.frames_F.tolist() if kind]
    assert "".join(dict.fromkeys(chr(kind + 31) for kind in kinds)) == "".join(dict.fromkeys(example.parts[-1].text))
    without = opened([Drawn(Lines(longest=6), 8, held_out=2)], tokenizer, 0.1)
    plain = made(read(without, draw), draw, ("line",), tokenizer)
    assert set(plain.frames) == {-1} and batch([[plain]], tokenizer).num_known_frames == 0


def test_telling_reaches_sam_alone_and_knows_what_was_right():
    net, images = (
        build(line_reader(1), 1),
        [Views(torch.rand(3, 64, 128)), Views(torch.rand(3, 64, 64)), Views(torch.rand(3, 64, 128))],
    )
    head = FrameHead(net.config.sam)
    with sam_outputs(net.encoder.sam) as necks:
        net.encoder(images)
    logits = {size: head.head(necks[size].permute(0, 3, 1, 2).flatten(2)).view(-1, KINDS) for size in necks}
    wide, narrow = logits[torch.Size((64, 128))].argmax(-1), logits[torch.Size((64, 64))].argmax(-1)
    frames_F = torch.cat([wide[:16], narrow, wide[16:]])
    frames_F[3] = -1
    loss, right = head(necks, images, frames_F)
    assert right == len(frames_F) - 1 == 39
    loss.backward()
    moved = {name.split(".")[1] for name, p in net.named_parameters() if p.grad is not None and p.grad.any()}
    assert moved == {"sam"}


@pytest.mark.slow
def test_a_training_that_is_told_goes_on_from_one_that_learned_to_see(tmp_path):
    lines = DrawnLines(Lines(longest=8), 60, held_out=3, tells=True)
    short = LINES.but(steps=3, loss_every=3, read_every=0, read_samples=2, loss_samples=2, max_new_tokens=3, workers=0)
    eyes: Train = short.but(datasets=(Data("lines", drawn=lines),), name="eyes", told=1.0, told_until=0.0, answers=False)
    eyes = eyes.but(frozen=("clip", "projector", "embeddings", "decoder"))
    reads = eyes.but(
        name="reads", start_encoder="eyes", start_decoder=RANDOM, told=0.5, told_until=0.6, placed=1.0, answers=True, frozen=()
    )
    out = Folder(str(tmp_path))
    assert train(eyes, out) and train(reads, out)
    first, second = ([json.loads(line) for line in out.read(f"{name}/loss.jsonl").splitlines()][1:] for name in ("eyes", "reads"))
    assert all(line["loss"] == pytest.approx(line["told"], abs=1e-4) and 0 <= line["told_right"] <= 1 for line in first)
    # It goes on with the head that learned, and is told nothing at last.
    assert all(0 < line["placed"] < 10 for line in second)
    assert second[0]["told"] < first[0]["told"] and "told" not in second[2]
    with Reader(out.sub("reads/model")) as reader:
        assert not any("told" in name for name in reader.tensors)
    assert not train(reads, out)


def test_one_head_is_told_where_the_next_character_stands():
    """By hand: three samples' keys, of which each query sees its own sample's up to itself."""
    keys = torch.eye(6)[None]
    queries = torch.zeros(1, 6, 6)
    queries[0, 2, 0], queries[0, 5, 3] = 9.0, 9.0
    samples_BL, learned_T = torch.tensor([[0, 0, 0, 1, 1, 1]]), torch.tensor([1, 2, 5])
    loss, right = guidance([(queries, keys)], samples_BL, learned_T, torch.tensor([-1, 0, 4]))
    scores = torch.tensor([9.0, 0.0, 0.0]) / 6**0.5
    expected = -scores.log_softmax(0)[0] - torch.tensor([9.0, 0.0, 0.0]).div(6**0.5).log_softmax(0)[1]
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5) and right == 1

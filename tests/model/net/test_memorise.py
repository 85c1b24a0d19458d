"""The tiny network learns rendered lines and pages by heart, and reads them back from their pixels alone."""

import io
import json
import random
from hashlib import sha256
from itertools import count, islice

import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from datagen.disk.storage import Folder
from datagen.record import Box, Line, Origin, Quality, Region, Sample
from datagen.target import Prompt
from model.data.split import is_held_out
from model.generate import generate
from model.net.batch import batch
from model.net.config import tiny
from model.net.cpu import native_dtype
from model.net.deepseek_ocr import build
from model.net.image_modes import MODES, Mode
from model.net.tokenizer import train_tokenizer
from model.train.step import Batches, Checkpoint, Compute, Evaluation, Optim, Schedule, Train
from model.train.trainer import train
from tests.model.lines import EIGHT, answer_loss, line_crop, tokens_of, write_dataset

RATE = 2e-3
SIDE = 512
WORDS = (
    "all human beings are born free and equal in dignity rights they endowed with reason conscience should act towards one "
    "another spirit of brotherhood everyone is entitled to the freedoms set forth this declaration without distinction any kind "
    "such as race colour"
).split()
PAGES = Train(
    datasets=("pages", "again"),
    schedule=Schedule(steps=75, curve="constant", warmup=10),
    optim=Optim(learning_rate=1e-3, weight_decay=0.0),
    batches=Batches(rows_per_step=5, micro_rows=5, tokenizer_samples=128),  # all pages twice in a step
    evaluation=Evaluation(held_out_share=0.5, loss_samples=64, loss_every=25, read_samples=64, max_new_tokens=150),
    checkpoint=Checkpoint(checkpoint_every=40),
    compute=Compute(threads=2),
)


def page(number: int, key: str, document: str) -> Sample:
    """Eight lines of one to three words, each begun anywhere, so that no page looks like another even from afar."""
    source, image = random.Random(number), Image.new("L", (SIDE, SIDE), 255)
    lines = [" ".join(source.choices(WORDS, k=source.randint(1, 3))) for _ in range(8)]
    font, draw = ImageFont.truetype("DejaVuSans-Bold.ttf", 44), ImageDraw.Draw(image)
    for n, line in enumerate(lines):
        x = source.randint(4, max(4, int(SIDE - 4 - font.getlength(line))))
        draw.text((x, 4 + n * (SIDE - 4) // len(lines)), line, fill=0, font=font)
    file = io.BytesIO()
    image.save(file, "PNG")
    text, box = " ".join(lines), Box(0, 0, SIDE, SIDE)
    return Sample(
        key=key,
        task="page",
        image=file.getvalue(),
        size=image.size,
        lang="en",
        script="Latn",
        text=text,
        regions=(Region(box, "text", text, None, "test", lines=(Line(box, text),)),),
        quality=Quality("trusted"),
        origin=Origin(f"/in/{document}.pdf", sha256(document.encode()).hexdigest(), 0),
        stage="test",
    )


def documents(held_out: bool) -> list[str]:
    names = (name for name in map(str, count()) if is_held_out(sha256(name.encode()).hexdigest(), 0.5) is held_out)
    return list(islice(names, 64))


@pytest.mark.parametrize(("side", "steps", "num_lines"), [(128, 60, 8), pytest.param(512, 50, 4, marks=pytest.mark.slow)])
def test_crops_are_read_back_exactly(monkeypatch, side, steps, num_lines):
    """From images of four tokens; and, among the slow tests, from images as large as the mode has them."""
    lines = list(EIGHT[:num_lines])
    monkeypatch.setitem(MODES, "tiny", Mode(side, padded=False))
    tokenizer = train_tokenizer(lines, 512)
    one = batch([[tokens_of(line_crop(text), tokenizer) for text in lines]], tokenizer)
    net = build(tiny().with_vocab(len(tokenizer)), seed=0).train()
    optimizer = torch.optim.AdamW(net.parameters(), betas=(0.9, 0.95))
    for step in range(steps):
        # Up for ten steps, then down in a line: at a constant rate the loss still jumps when it is near zero.
        optimizer.param_groups[0]["lr"] = RATE * min(1, (step + 1) / 10) * (1 - step / steps)
        with torch.autocast("cpu", torch.bfloat16, enabled=native_dtype() is torch.bfloat16):
            loss = answer_loss(net, one)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    assert generate(net, tokenizer, one.images, Prompt.FREE, 64) == lines
    # Only the pixels say which line it is: in another order they give the texts in that order.
    assert generate(net, tokenizer, one.images[::-1], Prompt.FREE, 64) == lines[::-1]


@pytest.mark.slow
def test_sixty_four_pages_are_learned_by_heart(monkeypatch, tmp_path):
    """Through the whole trainer: packed rows, masks, loss, checkpoint, export. To be done in two minutes, pages are seen at a
    quarter of their side. What is read back are the same pages in documents that are held out. A text follows from its first
    words, so that a network that doesn't look comes to 0.15 nats a token, and reads one page for all.
    """
    monkeypatch.setitem(MODES, "tiny", Mode(SIDE // 4, padded=False))
    out = Folder(str(tmp_path))
    for name in PAGES.datasets:
        names = enumerate(documents(name == "again"))
        write_dataset(out, name, [[page(n, f"{name}{n}", document) for n, document in names]])
    assert train(PAGES, out)
    metrics = json.loads(out.read("train/metrics.json"))
    assert metrics["num_train"] == {"pages": 64, "again": 0} and metrics["num_held_out"] == {"pages": 0, "again": 64}
    assert metrics["num_tokens"] / metrics["counts"]["samples"] < 150 and metrics["looks"]
    assert metrics["read"]["all"]["num"] == 64 and metrics["read"]["all"]["character_error_rate"] < 0.05

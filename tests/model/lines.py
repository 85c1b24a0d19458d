"""Line crops rendered from text, and datasets of them."""

import hashlib
import io
from dataclasses import replace

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from datagen.disk.shards import shard_name
from datagen.disk.storage import Folder
from datagen.record import Box, Line, Origin, Quality, Region, Sample
from datagen.target import Prompt
from model.data.ours import example
from model.data.rows import Draw
from model.data.tokens import counted, made
from model.net.batch import Batch, Tokens
from model.net.deepseek_ocr import DeepseekOcr, Losses
from model.net.image_modes import num_tokens
from model.net.tokenizer import TextTokenizer
from tests.inputs.samples import encoded
from tests.outputs import write_shard

HEIGHT = 40
EIGHT = (
    "The quick brown fox",
    "Zwölf Boxkämpfer",
    "Съешь ещё булок",
    "Ξεσκεπάζω βδελυγμία",
    "Trăm năm trong cõi",
    "Příliš žluťoučký kůň",
    "Total: 1,234.56 EUR",
    "apt-get install make",
)
LONG = "The quick brown fox jumps over the lazy dog, and does so twice."


def rendered(text: str) -> bytes:
    font = ImageFont.truetype("DejaVuSans.ttf", 28)
    image = Image.new("L", (int(font.getlength(text)) + 16, HEIGHT), 255)
    ImageDraw.Draw(image).text((8, 2), text, fill=0, font=font)
    return encoded(image, quality=90)


def line_crop(text: str, key: str = "crop", document: str = "a", task: str = "crop", verdict: str = "trusted") -> Sample:
    image = rendered(text)
    size = Image.open(io.BytesIO(image)).size
    box = Box(0, 0, *size)
    return Sample(
        key=key,
        task=task,
        image=image,
        size=size,
        lang="und",
        script="Zyyy",
        text=text,
        regions=(Region(box, "text", text, None, "typeset", lines=(Line(box, text),)),),
        quality=Quality(verdict),
        origin=Origin(f"/in/{document}.pdf", hashlib.sha256(document.encode()).hexdigest(), 0),
        stage="test",
    )


def labelled(page: Sample) -> Sample:
    """The page as a round of the flywheel labelled it."""
    origin = replace(page.origin, parent=page.key)
    return replace(page, key=f"{page.key}-page-r1", quality=Quality("trusted"), origin=origin)


def tokens_of(sample: Sample, tokenizer: TextTokenizer, mode: str = "tiny") -> Tokens:
    """The sample under `Free OCR.`, as a training's workers make it."""
    one = example(sample, Prompt.FREE, "test")
    length = counted([one.parts], tokenizer)[0] + (num_tokens(mode, *sample.size) if sample.image else 0)
    return made(one, Draw(0, 0, 0, 0, mode, length, 0), [mode], tokenizer)


def write_dataset(out: Folder, name: str, shards: list[list[Sample]]) -> None:
    for number, samples in enumerate(shards):
        write_shard(out.sub(name), shard_name(name, number), samples)


def learn_by_heart(net: DeepseekOcr, one: Batch, steps: int, rate: float, in_bf16: bool = False) -> None:
    """Up for ten steps, then down in a line: at a constant rate the loss still jumps when it is near zero."""
    optimizer = torch.optim.AdamW(net.parameters(), betas=(0.9, 0.95))
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * min(1, (step + 1) / 10) * (1 - step / steps)
        with torch.autocast("cpu", torch.bfloat16, enabled=in_bf16):
            loss = answer_loss(net, one)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()


def answer_loss(net: DeepseekOcr, batch: Batch) -> Tensor:
    """The mean cross-entropy over the answers' tokens, in nats."""
    losses: Losses = net(
        batch.ids_BL, batch.images, batch.image_T, batch.samples_BL, labels_BL=batch.labels_BL, scale=1 / batch.num_tokens
    )
    return losses.total

"""Where a training's time goes: waiting for data, forward, backward, optimiser; rates, fill, memory; and what packing saves.

    python -m tests.bench.network.training [--steps 40] [--rows 2] [--length 2048]

Pages of drawn text, as long as pages are (the odd eighths of `tests/bench/network/model.py`), go the whole way: shards, plan,
workers, steps. The first ten steps are left out. Then the same samples go through the network packed in rows, and one a row with
padding. With a CUDA device the network is of the released sizes, in bf16, with SAM frozen and activations computed again, and
model FLOPs utilisation is shown; else it is `small_moe`.
"""

import io
import json
import random
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw, ImageFont

from datagen.disk.storage import Folder
from datagen.record import Box, Region, Sample
from model.costs import flops
from model.costs.activations import TOWERS
from model.data.plan import packed
from model.net.activation_checkpointing import set_checkpointing
from model.net.batch import Batch, Tokens, batch
from model.net.config import ModelConfig, full, small_moe
from model.net.cpu import native_dtype
from model.net.deepseek_ocr import build
from model.net.image import views
from model.net.tokenizer import TextTokenizer, byte_tokenizer
from model.train.log import memory, peak
from model.train.step import Batches, Checkpoint, Compute, Evaluation, Optim, Schedule, Train, Weights
from model.train.trainer import train
from tests.bench.measuring import best, options
from tests.inputs.samples import encoded, page_sample
from tests.model.lines import write_dataset

# Characters, which are tokens of bytes.
TEXTS = (367, 744, 951, 1270)
WORDS = "the of and a to in is you that it he was for on are as with his they at be this from have or by one had not but".split()
SIZE = (900, 1200)


def main() -> None:
    args = options(__doc__, steps=40, rows=2, length=2048, workers=1).parse_args()
    on_gpu = torch.cuda.is_available()
    config = full() if on_gpu else small_moe()
    name = torch.cuda.get_device_name() if on_gpu else f"{torch.get_num_threads()} threads"
    print(f"{config.decoder.depth} decoder layers of {config.decoder.width}, {name}")
    with tempfile.TemporaryDirectory(prefix="pagewheel-training-") as folder:
        through(Path(folder), config, args.steps, args.rows, args.length, args.workers)
    packing(config, args.length)


def through(root: Path, config: ModelConfig, steps: int, rows: int, length: int, workers: int) -> None:
    """A training, from shards."""
    out = Folder(str(root))
    write_dataset(out, "pages", [[page(number) for number in range(64)]])
    step = Train(
        datasets=("pages",),
        model=config,
        weights=Weights(frozen=("sam",)),
        schedule=Schedule(steps=steps, min_learning_rate=0.0),
        optim=Optim(learning_rate=1e-5),
        batches=Batches(rows_per_step=rows, micro_rows=1, length=length, tokenizer_samples=0),
        evaluation=Evaluation(loss_samples=1, loss_every=steps, read_samples=1, max_new_tokens=1, looks_after=steps),
        checkpoint=Checkpoint(checkpoint_every=steps),
        compute=Compute(checkpointing=None, workers=workers, threads=torch.get_num_threads()),
    )
    train(step, out)
    metrics = json.loads(out.read("train/metrics.json"))
    lines = [json.loads(line) for line in out.read("train/speed.jsonl").splitlines()][1:]
    seconds = sum(line["seconds"] for line in lines)
    print(f"a step of {rows} x {length} positions: {seconds / (10 * len(lines)):.3f} s, rows full to {metrics['fill']:.1%}")
    for part in ("data", "forward", "backward", "optimizer"):
        print(f"  {part:<10} {sum(line[part] for line in lines) / seconds:6.1%}")
    for unit in ("positions", "tokens", "images"):
        rate = sum(line[f"{unit}_per_s"] * line["seconds"] for line in lines) / seconds
        print(f"  {rate:10,.1f} {'learned tokens' if unit == 'tokens' else unit} a second")
    print(f"  {sum(line['tflops'] * line['seconds'] for line in lines) / seconds:10.3f} TFLOP/s by formula", end="")
    print(f", {sum(line['mfu'] * line['seconds'] for line in lines) / seconds:.1%} of peak" if "mfu" in lines[0] else "")
    print(f"  {max(line['memory'] for line in lines) / 1e9:10.2f} GB, {metrics['precision']}", flush=True)


def packing(config: ModelConfig, length: int) -> None:
    """The same samples, packed and padded."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.type == "cuda" else native_dtype()
    tokenizer = byte_tokenizer()
    net = build(config.with_vocab(len(tokenizer)) if device.type == "cpu" else config).to(device).train()
    set_checkpointing(net, TOWERS if device.type == "cuda" else ())
    samples = [tokens(page(number), tokenizer) for number in range(8)]
    arranged = {
        "packed": [[samples[at] for at in row] for row in packed([len(sample.ids) for sample in samples], length)],
        "padded, a sample a row": [[sample] for sample in samples],
    }
    num_positions = sum(len(sample.ids) for sample in samples)
    for name, rows in arranged.items():
        whole = batch(rows, tokenizer).to(device)
        work(net, whole, dtype)  # what is compiled or allocated once
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        seconds = best(partial(work, net, whole, dtype), 3)
        operations = flops.training(config, [512] * len(samples), [len(sample.ids) for sample in samples], whole.num_tokens)
        most = peak(device)
        mfu = f", {operations / seconds / most:.1%} of peak" if most else ""
        used = f", {memory(device)['memory'] / 1e9:.1f} GB" if device.type == "cuda" else ""
        size = f"{whole.ids_BL.shape[0]} x {whole.ids_BL.shape[1]}"
        print(f"{name}: {size}, {seconds:.3f} s, {num_positions / seconds:,.0f} real positions a second{mfu}{used}", flush=True)


def work(net: torch.nn.Module, whole: Batch, dtype: torch.dtype) -> None:
    scale = 1 / whole.num_tokens
    with torch.autocast(whole.ids_BL.device.type, dtype, enabled=dtype is not torch.float32):
        losses = net(whole.ids_BL, whole.images, whole.image_T, whole.samples_BL, labels_BL=whole.labels_BL, scale=scale)
    losses.total.backward()
    net.zero_grad()


def tokens(sample: Sample, tokenizer: TextTokenizer) -> Tokens:
    assert sample.image is not None
    image = views(Image.open(io.BytesIO(sample.image)).convert("RGB"), "tiny")
    head = tokenizer.prompt("<image>\nFree OCR.", image.num_tokens)
    answer = [*tokenizer.encode(sample.text), tokenizer.eos]
    return Tokens([*head, *answer], [False] * len(head) + [True] * len(answer), (image,))


def page(number: int) -> Sample:
    """A page of words, as long as one of `TEXTS`."""
    source, text = random.Random(number), ""
    while len(text) < TEXTS[number % len(TEXTS)]:
        text += source.choice(WORDS) + ("\n" if source.random() < 0.1 else " ")
    text = text[: TEXTS[number % len(TEXTS)]].strip()
    image = Image.new("L", SIZE, 255)
    ImageDraw.Draw(image).multiline_text((40, 40), text, fill=0, font=ImageFont.truetype("DejaVuSans.ttf", 22))
    region = Region(Box(0, 0, *SIZE), "text", text, None, "bench")
    looks: dict[str, Any] = {"image": encoded(image, "JPEG", quality=90), "size": SIZE, "regions": (region,)}
    return page_sample(f"page-{number:05d}", text, "en", "Latn", sha256=f"{number:064x}", **looks)


if __name__ == "__main__":
    main()

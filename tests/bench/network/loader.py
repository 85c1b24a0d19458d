"""From shards to batches: how fast, how full, and how much memory an index takes.

Throughput is samples a second of a processor's time, of pages at 1920 pixels: batches of the training's loader, beside a bare
webdataset loop over the same tars. The loop decodes the same images to the same tensors, and their texts to tokens; and once it
stops after Pillow has decoded them. Fill is the share of a row's positions that hold tokens, over lengths as corpora have them:
70% pages and crops, 20% pictures, 10% text, in five modes. Memory is what the index of some million manifest rows adds to a
process, a row.

    python -m tests.bench.network.loader [--pages 160] [--rows 3000000]
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import webdataset
from PIL import Image, ImageDraw, ImageFont

from datagen.disk.manifest import SCHEMA
from datagen.disk.shards import ShardReport
from datagen.disk.storage import Folder
from datagen.record import Box, Line, Region, Sample
from datagen.target import PROMPTS
from model.data import lengths
from model.data.loader import Loader
from model.data.mixture import Segment, Source, shares
from model.data.ours import Ours, open_ours, prompts_of
from model.data.plan import Plan
from model.data.rows import NO_ANSWER, Asked, Columns
from model.data.split import opened
from model.net.image import views
from model.net.tokenizer import TextTokenizer, byte_tokenizer
from tests.bench.measuring import options
from tests.inputs.samples import encoded, page_sample
from tests.inputs.small_pages import WORDS
from tests.model.lines import write_dataset

SIZE = (1358, 1920)  # A4 at the corpus's usual long side
MODES = ("tiny", "base", "gundam")
FIVE = {"tiny": 1.0, "small": 1.0, "base": 1.0, "large": 1.0, "gundam": 1.0}
TURNS = 3
ROWS_A_SHARD = 100_000


def main() -> None:
    parser = options(__doc__, pages=160, rows=3_000_000)
    parser.add_argument("--index", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.index:
        index(Folder(arguments.index))
        return
    with tempfile.TemporaryDirectory() as folder:
        throughput(Folder(folder), arguments.pages)
    fill()
    with tempfile.TemporaryDirectory() as folder:
        write_index(Folder(folder).sub("many"), arguments.rows)
        subprocess.run([sys.executable, "-m", "tests.bench.network.loader", "--index", folder], check=True)


def throughput(out: Folder, num_pages: int) -> None:
    write_pages(out, num_pages)
    tokenizer = byte_tokenizer()
    corpus = opened(open_ours(out, ("pages",)), tokenizer, 1e-9)
    tars = sorted(str(path) for path in Path(out.path("pages/shards")).glob("*.tar"))
    print(f"{num_pages} pages of {SIZE[0]} x {SIZE[1]}, samples a processor second (best of {TURNS}):")
    for mode in MODES:
        plan = Plan(corpus, [Segment(0, shares(corpus, [Source("pages")]))], {mode: 1.0}, 8192, 1)
        num_steps = next(n for n in range(1, 10_000) if sum(len(r) for s in range(n) for r in plan.step(s)) >= num_pages)

        def ours(plan: Plan = plan, num_steps: int = num_steps) -> int:
            return sum(batch.num_samples for step in Loader(plan, tokenizer).steps(0, num_steps) for batch in step)

        def theirs(mode: str, makes_views: bool) -> Callable[[], int]:
            def loop() -> int:
                num = 0
                for sample in webdataset.WebDataset(tars, shardshuffle=False, empty_check=False):
                    with Image.open(io.BytesIO(sample["jpg"])) as opened_image:
                        image = opened_image.convert("RGB")
                    if makes_views:
                        views(image, mode)
                        tokenizer.encode(sample["json"].decode())
                    num += 1
                return num

            return loop

        rates = [rate(ours)]
        rates += [rate(theirs(mode, makes_views)) for makes_views in (False, True)]
        ours_rate, decoded, same_work = rates
        print(
            f"{mode:8} ours {ours_rate:.1f}, a loop that decodes {decoded:.1f}, ratio {ours_rate / decoded:.2f}; "
            f"one that makes the same views {same_work:.1f}, ratio {ours_rate / same_work:.2f}"
        )


def rate(loop: Callable[[], int]) -> float:
    rates = []
    for _ in range(TURNS):
        began = time.process_time()
        num = loop()
        rates.append(num / (time.process_time() - began))
    return max(rates)


def write_pages(out: Folder, count: int) -> None:
    random = np.random.default_rng(0)
    font = ImageFont.truetype("DejaVuSans.ttf", 26)
    pages = [page(number, random, font) for number in range(count)]
    write_dataset(out, "pages", [pages[: count // 2], pages[count // 2 :]])


def page(number: int, random: np.random.Generator, font: ImageFont.FreeTypeFont) -> Sample:
    image = Image.new("RGB", SIZE, "white")
    lines = []
    for y in range(100, SIZE[1] - 100, 40):
        text = " ".join(random.choice(WORDS, 12))[:70]
        ImageDraw.Draw(image).text((100, y), text, fill=(20, 20, 20), font=font)
        lines.append(Line(Box(100, y, SIZE[0] - 100, y + 34), text))
    text = " ".join(line.text for line in lines)
    region = Region(Box(100, 100, SIZE[0] - 100, SIZE[1] - 100), "text", text, None, "bench")
    looks: dict[str, Any] = {"image": encoded(image, "JPEG", quality=90), "size": SIZE, "regions": (region,)}
    return page_sample(f"page{number}", text, "en", "Latn", sha256=f"{number:064x}", **looks)


class Drawn:
    """Rows that nobody reads: their sizes and lengths are drawn as those of a kind of dataset."""

    reader = property(lambda self: None)

    def __init__(self, name: str, answer_N: np.ndarray, sides: tuple[int, int], shape: float):
        self.name, self.digest, self.answer_N, self.sides, self.shape = name, "1", answer_N, sides, shape
        self.prompts = (Asked("", 1.0),)

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        random, num = np.random.default_rng(len(self.name)), len(self.answer_N)
        long_N = random.integers(*self.sides, num, endpoint=True)
        return Columns(
            width_N=(long_N * self.shape).astype(np.uint16),
            height_N=long_N.astype(np.uint16),
            answer_NP=self.answer_N.astype(np.int32)[:, None],
            lang_N=np.zeros(num, np.int16),
            group_N=random.integers(1, 2**64, num, dtype=np.uint64),
            langs=("en",),
        )

    def place(self, row: int) -> int:
        return row


def fill() -> None:
    random = np.random.default_rng(0)
    kinds = [
        # The quartiles of a thousand pages of the default run are 500, 850 and 1,100 tokens; dense ones go beyond.
        Drawn("pages", random.lognormal(np.log(800), 0.55, 40_000), (1920, 1920), 0.707),
        Drawn("crops", random.lognormal(np.log(24), 0.5, 40_000), (300, 900), 0.08),
        Drawn("pictures", random.lognormal(np.log(60), 0.7, 40_000), (512, 1600), 1.2),
        Drawn("text", random.lognormal(np.log(1100), 0.9, 40_000), (0, 0), 0.0),
    ]
    corpus = opened(kinds, byte_tokenizer(), 0.01)
    groups = [Source("pages", weight=0.8), Source("crops", weight=0.2), Source("pictures", "vision"), Source("text", "text")]
    for length in (4096, 8192):
        for modes in (FIVE, FIVE | {"line": 1.0}):
            plan = Plan(corpus, [Segment(0, shares(corpus, groups))], modes, length, 64)
            began = time.process_time()
            rows = [row for n in range(40) for row in plan.step(n)]
            seconds = time.process_time() - began
            filled = sum(draw.length for row in rows for draw in row) / (length * len(rows))
            dropped = sum(sum(plan.dropped(n).values()) for n in range(40))
            num = sum(map(len, rows))
            print(
                f"rows of {length} tokens{', lines in the line mode' if 'line' in modes else ''}: {filled:.1%} filled, "
                f"{num / len(rows):.1f} samples a row, {dropped / (dropped + num):.2%} too long, "
                f"{seconds / num * 1e6:.0f} us a sample to plan"
            )


def write_index(folder: Folder, num_rows: int) -> None:
    """A dataset of so many manifest rows, whose shards are empty files of the right length, and with its lengths."""
    num = min(num_rows, ROWS_A_SHARD)
    random = np.random.default_rng(0)
    at = np.arange(num)
    values: dict[str, object] = {
        "key": [f"{n:016x}-{n % 997:08x}-{n:06d}" for n in at],
        "offset": at * 200_000,
        "bytes": np.full(num, 200_000),
        "record_offset": at * 200_000 + 180_000,
        "record_bytes": np.full(num, 19_000),
        "group": [f"{n // 10:064x}" for n in at],
        "sha256": [f"{n // 10:064x}" for n in at],
        "task": ["page"] * num,
        "lang": [("en", "de", "ja", "ar")[n % 4] for n in at],
        "verdict": ["trusted"] * num,
        "num_chars": random.integers(100, 5000, num),
        "width": np.full(num, 1358),
        "height": np.full(num, 1920),
    }
    answer_NP = random.integers(100, 3000, (num, len(PROMPTS["page"]))).astype(np.int32)
    answer_NP[::7, 1:] = NO_ANSWER
    name = lengths.name(byte_tokenizer(), prompts_of("page"), "page")
    for number in range(num_rows // num):
        shard = f"many-{number:06d}"
        columns = [pa.array(values[f.name], f.type) if f.name in values else _default(f, num, shard) for f in SCHEMA]
        folder.write_table(f"manifest/{shard}.parquet", pa.table(columns, schema=SCHEMA))
        lengths.kept(folder, name, shard, "0" * 64, num, lambda: pa.table(lengths.columns(answer_NP)))
        report = ShardReport(shard, 0, "", "0" * 64, num * 200_000, num, 1, 0, (), 0.0, 0.0)
        folder.write(f"shards/{shard}.json", report.to_json())
        with open(folder.path(f"shards/{shard}.tar"), "wb") as file:
            file.truncate(report.num_bytes)  # takes no room on the disk


def _default(field: pa.Field, num: int, shard: str) -> pa.Array:
    if field.name == "shard":
        return pa.array([shard] * num)
    if pa.types.is_list(field.type):
        return pa.array([[]] * num, field.type)
    value = "" if pa.types.is_string(field.type) else False if pa.types.is_boolean(field.type) else 0
    return pa.array([value] * num, field.type)


def index(out: Folder) -> None:
    process = psutil.Process()
    tokenizer = byte_tokenizer()
    before, began = process.memory_info().rss, time.process_time()
    dataset = Ours(out.sub("many"), "many")
    corpus = opened([dataset], tokenizer, 0.01)
    seconds = time.process_time() - began
    plan = Plan(corpus, [Segment(0, shares(corpus, [Source("many", langs={"en": 1, "*": 1})]))], FIVE, 8192, 64)
    began = time.process_time()
    plan.step(0)  # its whole window is planned
    planned = time.process_time() - began
    num = len(corpus.columns[0])
    places = sum(array.nbytes for array in vars(dataset).values() if isinstance(array, np.ndarray))
    pa.default_memory_pool().release_unused()
    grown, arrays = process.memory_info().rss - before, (corpus.num_bytes + places) / num
    print(
        f"an index of {num:,} rows: {arrays:.1f} bytes a row in arrays, {grown / num:.0f} in the process; "
        f"{seconds:.1f} s to open, {arrays / 10:.1f} GB for 100 million; "
        f"a window's plan {planned * 1e3:.0f} ms"
    )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    assert shutil.disk_usage(tempfile.gettempdir()).free > 2e9, "two gigabytes of temporary files"
    main()

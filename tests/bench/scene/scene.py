"""Scenes: our whole pipeline against bare PaddleOCR.

    python -m tests.bench.scene.scene [--pictures 48] [--repeats 3]

Rates: the same pictures, scenes in Chinese and English as `datagen.scene.maker` draws them, by both in turn, each in a process
of its own on one and the same core, with one thread, PP-OCRv6 small and the same settings: lines are found in pictures of at most
960 pixels. Bare is PaddleOCR's pipeline over the files, with lines read one by one. Ours is the source with its sandboxed child,
`ReadScene`, `JudgeScene`, shards and manifest; then two processes of each on two cores. The first pictures load the engines and
aren't timed.

Memory: 1,000 small pictures in shards of 100, the resident size of the process and its child after each.
"""

import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy
import psutil

from datagen.disk.storage import Folder
from datagen.engines import ppocr
from datagen.pictures.pick_source import pictures
from datagen.record import SampleError
from datagen.scene.judge_scene import JudgeScene
from datagen.scene.maker import Scenes
from datagen.scene.read_scene import ReadScene
from datagen.work.dataset import plan
from datagen.work.draws import Drawing
from datagen.work.pipeline import Pipeline, run_shard
from datagen.work.runner import InProcess
from tests.bench.bars import at_least
from tests.bench.measuring import options, spent_s

TARGET, TARGET_OF_TWO = 0.9, 1.8
LONG_SIDE = 960
LANGUAGES = ("en", "zh-Hans", "zh-Hant")
_WARM = 2  # pictures that aren't timed


def drawn(count: int, seed: int, languages: tuple[str, ...] = ()) -> Iterator[Drawing]:
    """So many scenes, each by a seed of its own, in these languages or any."""
    number = seed * 1_000_000
    while count:
        try:
            yield Scenes(languages=languages).draw(random.Random(number))
            count -= 1
        except SampleError:
            pass
        number += 1


class Took(NamedTuple):
    """Pictures, seconds, and processor seconds, those of children included."""

    pictures: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        return self.pictures / self.seconds

    @property
    def cpu_rate(self) -> float:
        return self.pictures / self.cpu_s


def paddle() -> Any:
    """PaddleOCR itself, on one thread, with the weights that our engines use."""
    from paddleocr import PaddleOCR

    detector = ppocr.as_folder(ppocr.DETECTOR, ppocr.detection_yml(LONG_SIDE, ppocr.SURE_LINE))
    recogniser = ppocr.as_folder(ppocr.RECOGNISER, ppocr.recognition_yml())
    opened = PaddleOCR(
        text_detection_model_name="PP-OCRv6_small_det",
        text_detection_model_dir=detector.name,
        text_recognition_model_name="PP-OCRv6_small_rec",
        text_recognition_model_dir=recogniser.name,
        text_recognition_batch_size=1,
        text_det_limit_side_len=LONG_SIDE,
        text_det_limit_type="max",
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_textline_orientation=False,
        engine="onnxruntime",
        engine_config={"intra_op_num_threads": 1, "inter_op_num_threads": 1},
        device="cpu",
    )
    opened.kept = detector, recogniser  # the folders go with them
    return opened


def bare(folder: str, opened: Any) -> Took:
    files = sorted(map(str, Path(folder).iterdir()))
    for file in files[:_WARM]:
        opened.predict(file)
    started, before = time.perf_counter(), spent_s()
    for file in files:
        opened.predict(file)
    return Took(len(files), time.perf_counter() - started, spent_s() - before)


def whole(folder: str, shard_images: int = 1000, on_shard: Callable[[], None] = lambda: None) -> Took:
    """Our pipeline over a folder, into an output of its own."""
    census, source = pictures(folder, shard_images=shard_images)
    pipeline = Pipeline("scene", census, source, (ReadScene(), JudgeScene()))
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as out:
        tasks = plan(pipeline, Folder(out), pipeline.census.items(), InProcess(), commit=True).todo
        started, before, count = time.perf_counter(), spent_s(), 0
        for task in tasks():
            report = run_shard(task)
            count += report.num_samples + len(report.drops)
            on_shard()
        return Took(count, time.perf_counter() - started, spent_s() - before)


def serve(pipe: Connection, core: int) -> None:
    """A process that measures what it is asked for: one of the kinds of `RATES`, or the memory."""
    os.sched_setaffinity(0, {core})
    opened: Any = None
    while (request := pipe.recv()) is not None:
        kind, folder, warm = request
        if kind == "memory":
            pipe.send(memory(folder))
        elif kind == "PaddleOCR":
            opened = opened or paddle()
            pipe.send(bare(folder, opened))
        else:
            whole(warm)
            pipe.send(whole(folder))


RATES = ("PaddleOCR", "ours")


class Side:
    """A process of its own on a core."""

    def __init__(self, core: int):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, core))
        self.process.start()

    def ask(self, *what: str) -> None:
        self.pipe.send(what)

    def answer(self) -> Any:
        return self.pipe.recv()

    def close(self) -> None:
        self.pipe.send(None)
        self.process.join()


def rates(folder: Path, warm: Path, repeats: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    side = Side(cores[0])
    took: dict[str, list[Took]] = {kind: [] for kind in RATES}
    for _ in range(repeats):
        for kind in RATES:
            side.ask(kind, str(folder), str(warm))
            took[kind].append(side.answer())
    for kind in RATES:
        ratios = [(ours.rate / t.rate, ours.cpu_rate / t.cpu_rate) for ours, t in zip(took["ours"], took[kind], strict=True)]
        ratio, of_cpu = (statistics.median(of) for of in zip(*ratios, strict=True))
        best = max(took[kind], key=lambda t: t.rate)
        aim = f", {at_least(ratio, TARGET)}" if kind == "PaddleOCR" else ""
        print(
            f"{kind}: {best.rate:.2f} pictures/s, {min(t.cpu_s / t.pictures for t in took[kind]):.3f} s of a core a picture; "
            f"ours is {ratio:.2f} of that by the clock, {of_cpu:.2f} by processor time (median of {repeats}{aim})",
            flush=True,
        )
    if len(cores) > 1:
        two(side, Side(cores[1]), folder, warm, repeats)
    side.close()


def two(first: Side, second: Side, folder: Path, warm: Path, repeats: int) -> None:
    """Print how much faster two processes are together than the first one alone; PaddleOCR's own say what the machine allows."""
    for kind in ("PaddleOCR", "ours"):
        gains = []
        for _ in range(repeats):
            first.ask(kind, str(folder), str(warm))
            alone = first.answer()
            for side in (first, second):
                side.ask(kind, str(folder), str(warm))
            together = [side.answer() for side in (first, second)]
            gains.append(sum(t.rate for t in together) / alone.rate)
        gain = statistics.median(gains)
        aim = f", {at_least(gain, TARGET_OF_TWO)}" if kind == "ours" else ""
        print(f"{kind}, two processes: {gain:.2f} times one (median of {repeats}{aim})", flush=True)
    second.close()


def memory(folder: str) -> list[float]:
    """The resident size of this process and its children after each shard, in MB."""
    sizes = []

    def note() -> None:
        this = psutil.Process()
        sizes.append(sum(process.memory_info().rss for process in (this, *this.children(recursive=True))) / 1e6)

    whole(folder, 100, note)
    return sizes


def show_memory(folder: Path) -> None:
    side = Side(sorted(os.sched_getaffinity(0))[0])
    side.ask("memory", str(folder), "")
    sizes = side.answer()
    side.close()
    print(f"memory: {sizes[0]:.0f} MB after 100 small pictures, {sizes[-1]:.0f} MB after {100 * len(sizes)}", flush=True)


def write(images: Sequence[bytes], folder: Path) -> Path:
    folder.mkdir()
    for number, image in enumerate(images):
        (folder / f"{number:04d}.jpg").write_bytes(image)
    return folder


def small(image: bytes, long_side: int) -> bytes:
    decoded = cv2.imdecode(numpy.frombuffer(image, numpy.uint8), cv2.IMREAD_COLOR)
    scale = long_side / max(decoded.shape[:2])
    resized = cv2.resize(decoded, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", resized)[1].tobytes()


def main() -> None:
    args = options(__doc__, pictures=48, repeats=3, seed=0).parse_args()
    drawings = list(drawn(args.pictures, args.seed, LANGUAGES))
    images = [drawing.image for drawing in drawings if drawing.image is not None]
    with tempfile.TemporaryDirectory(prefix="pagewheel-bench-") as folder:
        rates(write(images, Path(folder) / "timed"), write(images[:_WARM], Path(folder) / "warm"), args.repeats)
        again = [small(images[n % len(images)], 96 + n % 128) for n in range(1000)]  # of many sizes
        show_memory(write(again, Path(folder) / "small"))


if __name__ == "__main__":
    main()

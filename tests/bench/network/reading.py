"""`make read model=FOLDER`: how quick answers come, 16 images together against one after the other, and whether all answers are
the same in fp32.

Of a network of `line_reader`'s sizes that learned nothing, on lines of noise of many widths; each answer has as many tokens as it
takes until its end, or 128. Rounds of both kinds alternate, and the best of each counts, in seconds of a processor.

    python -m tests.bench.network.reading [--images 32] [--rounds 3]
"""

import random
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image

from datagen.disk.storage import Folder
from datagen.inputs.items import Item
from datagen.target import Prompt
from model.generate import tokens
from model.net.config import line_reader
from model.net.deepseek_ocr import build
from model.net.image import load
from model.net.tokenizer import byte_tokenizer
from model.read_images import Asking, NetworkTask, run_network
from model.train.export import export
from tests.bench.bars import at_least
from tests.bench.measuring import options

MOST, TOGETHER, BAR = 128, 16, 5.0


def main() -> None:
    arguments = options(__doc__, images=32, rounds=3).parse_args()
    with tempfile.TemporaryDirectory() as place:
        items = drawn(Path(place), arguments.images)
        net = build(line_reader(), 5)
        with torch.no_grad():
            for parameter in net.encoder.parameters():
                parameter.mul_(3)  # else all images look alike to it
        export(Folder(f"{place}/network"), net, byte_tokenizer(), dtype=torch.float32)
        answers = {n: run_network(NetworkTask(asking(place, n), items)) for n in (1, TOGETHER)}
        torch.set_num_threads(1)  # as `run_network` does it
        tokenizer, images = byte_tokenizer(), [load(Path(item.uri).read_bytes(), "line") for item in items]
        images.sort(key=lambda image: image.num_tokens)
        best: dict[int, float] = {}
        for _ in range(arguments.rounds):
            for together in answers:
                num, began = 0, time.process_time()
                for start in range(0, len(images), together):
                    num += sum(1 for _ in tokens(net.eval(), tokenizer, images[start : start + together], Prompt.FREE, MOST))
                best[together] = max(num / (time.process_time() - began), best.get(together, 0.0))
    print(f"{len(items)} lines in fp32, one thread, encoder included")
    for together, rate in best.items():
        print(f"  {together:>2} at a time: {rate:,.0f} tokens a second of a processor")
    ratio = best[TOGETHER] / best[1]
    print(f"  {TOGETHER} together are {ratio:.1f} times as quick: {at_least(round(ratio, 1), BAR)}")
    same = sum(one == other for one, other in zip(answers[1], answers[TOGETHER], strict=True))
    print(f"  {same} of {len(items)} answers are the same: {at_least(same, len(items))}")


def asking(place: str, together: int) -> Asking:
    return Asking(f"{place}/network", "", Prompt.FREE, ("line",), together, MOST)


def drawn(folder: Path, count: int) -> tuple[Item, ...]:
    """Lines of noise, 40 pixels high and 60 to 900 wide."""
    draw, items = random.Random(0), []
    for number in range(count):
        width, path = draw.randint(60, 900), folder / f"{number}.png"
        Image.frombytes("L", (width, 40), draw.randbytes(40 * width)).convert("RGB").save(path)
        items.append(Item(str(path), num_bytes=path.stat().st_size))
    return tuple(items)


if __name__ == "__main__":
    main()

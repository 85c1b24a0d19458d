"""The compact reader's speed on one thread: the lines of a page, and training with attention by torch's fused kernel.
Prints a ratio; run by `make bench`."""

import time

import numpy
import simplejpeg
import torch
from torch.nn import functional as F

from datagen.engines import compact, ppocr
from datagen.engines.compact import Alphabet, CompactConfig, CompactNet, Reader
from flywheel.lines.crops import Crop
from flywheel.pools.typefaces import typeset
from flywheel.readers.ctc_training import batches_of, loss_of_lines
from flywheel.step import Fit
from recipes.run import sample_costs
from tests.bench.measuring import best

WORDS = "все люди рождаются свободными и равными в своем достоинстве и правах они наделены разумом".split()
NUM_LINES, NUM_STEPS, TURNS = 120, 25, 3


def main() -> None:
    torch.set_num_threads(1)
    crops = lines(NUM_LINES)
    alphabet = Alphabet.of("Cyrl", (c.text for c in crops))
    reader = Reader(CompactNet(CompactConfig(), len(alphabet.symbols) + 1), alphabet, CompactConfig(), compact.has_fast_bf16())
    images = [c.line() for c in crops]
    page = numpy.full((1357, 960, 3), 255, numpy.uint8)  # A4 at the long side that the flywheel looks for lines at
    for row, crop in zip(range(40, 1300, 30), images, strict=False):
        height, width = min(24, crop.shape[0]), min(880, crop.shape[1])
        page[row : row + height, 40 : 40 + width] = crop[:height, :width, None]
    detector = ppocr.TextDetector()
    num_lines = len(detector.detect([page])[0])
    detecting = best(lambda: detector.detect([page]), TURNS)
    reading = 2 * num_lines * best(lambda: reader.read(images), TURNS) / NUM_LINES
    print(f"a page of {num_lines} lines: {detecting:.2f} s to find them, {reading:.2f} s to read them twice")
    sample_costs.record("tests.bench.flywheel.reader", {"minority.page_core_s": detecting + reading})
    seconds = training(crops, alphabet)
    now, fused = (NUM_STEPS / seconds[name] for name in ("now", "fused"))
    print(f"training, steps/s on one thread: {now:.2f}, with fused attention {fused:.2f}, ratio {now / fused:.2f}")


def lines(count: int) -> list[Crop]:
    random = numpy.random.default_rng(0)
    crops: list[Crop] = []
    while len(crops) < count:
        text = " ".join(random.choice(WORDS, 8))
        drawn = typeset(text, random)
        if drawn is None:
            raise SystemExit("no typeface with Cyrillic letters: apt-get install fonts-dejavu-core")
        jpeg = simplejpeg.encode_jpeg(numpy.ascontiguousarray(drawn[0])[:, :, None], 90, "GRAY")
        crops.append(Crop(str(len(crops)), "ru", "Cyrl", text, jpeg, drawn[1]))
    return crops


def training(crops: list[Crop], alphabet: Alphabet) -> dict[str, float]:
    """Seconds of `NUM_STEPS` steps, lines drawn and degraded in them, by what takes them; the best of interleaved turns."""
    times: dict[str, list[float]] = {"now": [], "fused": []}
    spelled = compact.attention
    try:
        for _ in range(TURNS):
            for name, of_name in times.items():
                compact.attention = fused_attention if name == "fused" else spelled
                of_name.append(train(crops, alphabet))
    finally:
        compact.attention = spelled
    return {name: min(of_name) for name, of_name in times.items()}


def train(crops: list[Crop], alphabet: Alphabet) -> float:
    torch.manual_seed(0)
    fit = Fit(steps=NUM_STEPS, learning_rate=1e-3)
    net = CompactNet(CompactConfig(), len(alphabet.symbols) + 1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(net.parameters(), fit.learning_rate, fused=True)
    started = time.perf_counter()
    for step, batch in zip(range(fit.steps), batches_of(fit, crops, 0), strict=False):
        loss = loss_of_lines(net, alphabet, fit, batch, step)
        assert loss is not None
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - started


def fused_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask_B11S: torch.Tensor) -> torch.Tensor:
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask_B11S)


if __name__ == "__main__":
    main()

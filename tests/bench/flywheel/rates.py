"""How fast the compact reader trains and reads, beside PP-OCRv6's small reader and Tesseract: the same lines, on one thread.
Prints lines a second and ratios; run by `make bench`.

Of PP-OCRv6 the training is transformers' network, from random weights and with a head for the same letters: neither changes how
long a step takes. Tesseract's training is none of one line at a time, and isn't measured.
"""

import itertools
import time
from collections.abc import Callable, Sequence

import numpy
import torch
from PIL import Image
from torch.nn import functional as F
from transformers import PPOCRV6SmallRecConfig, PPOCRV6SmallRecForTextRecognition

from datagen.engines import compact, ppocr, tesseract
from datagen.engines.compact import Alphabet, CompactConfig, CompactNet, Reader
from flywheel.lines.crops import Crop, degraded
from flywheel.readers.ctc_training import batches_of, loss_of_lines
from flywheel.step import Fit
from tests.bench.flywheel.reader import lines
from tests.bench.measuring import best

NUM_LINES, NUM_STEPS, TURNS = 120, 25, 3
PP_STEPS = 3
_PP_HEIGHT = 48
_PP_DEEPEST = 8  # columns of the image that are one frame


def main() -> None:
    torch.set_num_threads(1)
    crops = lines(NUM_LINES)
    alphabet = Alphabet.of("Cyrl", (c.text for c in crops))
    fit = Fit(steps=NUM_STEPS, learning_rate=1e-3)
    seconds: dict[str, list[float]] = {"ours": [], "PP-OCRv6": []}
    for _ in range(TURNS):
        seconds["ours"].append(train_ours(crops, alphabet, fit))
        seconds["PP-OCRv6"].append(train_theirs(crops, alphabet, fit))
    training = {name: 1 / min(of_name) for name, of_name in seconds.items()}
    show("training", training)
    reader = Reader(CompactNet(CompactConfig(), len(alphabet.symbols) + 1), alphabet, CompactConfig(), compact.has_fast_bf16())
    images = [c.line() for c in crops]
    of_ppocr = ppocr.TextReader()
    reads: dict[str, Callable[[], object]] = {"ours": lambda: reader.read(images), "PP-OCRv6": lambda: of_ppocr.read(images)}
    if tesseract.language("ru"):
        reads["Tesseract"] = lambda: tesseract.Tesseract().read(images, "ru")
    show("reading", {name: NUM_LINES / best(read, TURNS) for name, read in reads.items()})


def show(what: str, rates: dict[str, float]) -> None:
    """Print lines a second, and how many times those of each other one ours are."""
    others = ", ".join(f"{name} {rate:.1f}, ratio {rates['ours'] / rate:.1f}" for name, rate in rates.items() if name != "ours")
    print(f"{what}, lines/s on one thread: ours {rates['ours']:.0f}, {others}", flush=True)


def train_ours(crops: list[Crop], alphabet: Alphabet, fit: Fit) -> float:
    """The seconds that a line takes, drawing and degrading it among them."""
    torch.manual_seed(0)
    net = CompactNet(CompactConfig(), len(alphabet.symbols) + 1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss(batch: Sequence[Crop], random: numpy.random.Generator) -> torch.Tensor | None:
        return loss_of_lines(net, alphabet, fit, batch, random, compact.has_fast_bf16())

    return _seconds(net, loss, crops, fit, NUM_STEPS)


def train_theirs(crops: list[Crop], alphabet: Alphabet, fit: Fit) -> float:
    """The same of PP-OCRv6's network."""
    torch.manual_seed(0)
    net = PPOCRV6SmallRecForTextRecognition(PPOCRV6SmallRecConfig(head_out_channels=len(alphabet.symbols) + 1)).train()

    def loss(batch: Sequence[Crop], random: numpy.random.Generator) -> torch.Tensor:
        images = [_at_height(degraded(crop, random, fit.typeset_share)) for crop in batch]
        classes = [alphabet.encode(crop.text) for crop in batch]
        pixels_B3HW = torch.full((len(batch), 3, _PP_HEIGHT, max(image.shape[1] for image in images)), 1.0)
        for row, image in zip(pixels_B3HW, images, strict=True):
            row[:, :, : image.shape[1]] = torch.from_numpy(image) / 127.5 - 1
        with torch.autocast("cpu", torch.bfloat16, enabled=compact.has_fast_bf16()):
            p_BTA = net(pixel_values=pixels_B3HW).last_hidden_state
        frames_B = torch.full((len(batch),), p_BTA.shape[1])
        flat, lengths_B = torch.tensor([c for of in classes for c in of]), torch.tensor([len(of) for of in classes])
        logp_TBA = p_BTA.float().clamp_min(1e-8).log().transpose(0, 1)
        return F.ctc_loss(logp_TBA, flat, frames_B, lengths_B, zero_infinity=True)

    return _seconds(net, loss, crops, fit, PP_STEPS)


def _seconds(
    net: torch.nn.Module,
    loss: Callable[[Sequence[Crop], numpy.random.Generator], torch.Tensor | None],
    crops: list[Crop],
    fit: Fit,
    num_steps: int,
) -> float:
    """The seconds that a line takes in so many steps, behind one that nobody measures."""
    optimizer = torch.optim.AdamW(net.parameters(), fit.learning_rate, fused=True)
    num_lines, started = 0, 0.0
    for step, batch in enumerate(itertools.islice(batches_of(fit, crops, 0), num_steps + 1)):
        if step == 1:
            started = time.perf_counter()
        of_batch = loss(batch, numpy.random.default_rng(step))
        assert of_batch is not None
        of_batch.backward()
        optimizer.step()
        optimizer.zero_grad()
        num_lines += len(batch) if step else 0
    return (time.perf_counter() - started) / num_lines


def _at_height(line: numpy.ndarray) -> numpy.ndarray:
    """The line as high as PP-OCR's images are, and as wide as frames go into."""
    width = max(1, round(line.shape[1] * _PP_HEIGHT / line.shape[0] / _PP_DEEPEST)) * _PP_DEEPEST
    return numpy.array(Image.fromarray(line).resize((width, _PP_HEIGHT), Image.Resampling.BILINEAR))


if __name__ == "__main__":
    main()

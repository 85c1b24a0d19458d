"""The compact reader: a small network that reads lines of one script, trained by the flywheel where no engine here knows it.

    gray crop ── 32 px high ──> convolutions ──┬──> steps ──> transformer layers ──> frames ──┐
                 (B,1,32,W)      (B,C,4,W/4)   │    (B,S,D)        (B,S,D)           (B,T,D)  + ──> CTC over an alphabet
                                               └──> frames, of the picture alone ─────────────┘       (B,T,A)
                                                    (B,T,D)

A reader is a folder: `model.safetensors`, `alphabet.json`, `config.json`. Shapes: B lines, W pixels, S = W/8 steps, T frames,
D width, A symbols. Class 0 is CTC's blank. In a network's input ink is 1 and paper 0, so that padding is paper.

The transformer sees a line in steps of 8 pixels, since its layers and their attention are much of what is computed. Letters are
narrower than that, so each step's state becomes two frames at the end; four, where lines are crowded: CTC has one symbol a frame
at most. Scripts that stack letters upon each other, as Khmer does, are seen 48 pixels high, so that letters are no smaller. What
a frame's own picture shows is added: without that a reader takes twice as long to learn.
"""

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy
import safetensors.torch
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from datagen.disk.storage import Folder
from datagen.engines import OnDemand
from datagen.engines.ctc_words import NEVER, Spelling, spell
from datagen.engines.packaged import PACKAGES
from datagen.writing.direction import as_it_is_read, as_it_stands
from datagen.writing.hangul import put_together, take_apart
from datagen.writing.left_marks import as_drawn, as_written
from datagen.writing.line_text import normalise
from datagen.writing.lookalikes import fold, unfold

FORMAT = 3  # of a reader's folder: goes up whenever older weights or alphabets mean something else
HEIGHT = 32
STEP = 8
MAX_WIDTH = 1600  # at that height
_BATCHES = "3"  # goes up whenever lines stand in other batches: the last digits of what is read hang on that
_CONTRAST = 12  # gray levels between the darkest and the lightest pixel; a crop with less has no ink, and says nothing
_BATCH_WIDTH = 24_000  # pixels of line that are read at a time; padding adds up to a quarter


@dataclass(frozen=True)
class CompactConfig:
    """Sizes of the network: channels of its three convolution stages, then the transformer's width, layers and heads, the
    frames of a step, and how high it sees a line, in pixels (a multiple of 8)."""

    channels: tuple[int, int, int] = (32, 64, 96)
    width: int = 256
    layers: int = 2
    heads: int = 4
    frames: int = 2
    height: int = HEIGHT


@dataclass(frozen=True)
class Alphabet:
    """The symbols of a script's lines: `symbols[i]` is class i + 1. Letters that look alike in it and in Latin are one symbol. A
    Hangul syllable is two or three symbols, the letters that it is made of (`hangul.py`).

    Classes follow each other as their symbols stand in the image, from left to right (`direction.py`, `left_marks.py`); texts are
    in the order in which they are read.
    """

    script: str
    symbols: str

    @classmethod
    def of(cls, script: str, texts: Iterable[str]) -> "Alphabet":
        """What stands in `texts`."""
        return cls(script, "".join(sorted({symbol for text in texts for symbol in symbols_of(text, script)})))

    @property
    def space(self) -> int:
        """The class of the space; -1 if there is none."""
        return self.symbols.find(" ") + 1 or -1

    def encode(self, text: str) -> list[int]:
        """The classes of a text. Raises `KeyError` for a character that is not in it."""
        return self.classes(symbols_of(text, self.script))

    def classes(self, symbols: str) -> list[int]:
        """The classes of these symbols. Raises `KeyError` for one that is not in it."""
        classes = {symbol: i + 1 for i, symbol in enumerate(self.symbols)}
        return [classes[c] for c in symbols]

    def decode(self, classes: Sequence[int]) -> str:
        """The text that `encode` took apart, letters that look alike told apart by their words."""
        symbols = "".join(self.symbols[c - 1] for c in classes)
        return as_it_is_read(as_written(unfold(put_together(symbols), self.script)), self.script)


def symbols_of(text: str, script: str) -> str:
    """The symbols of a text as they stand in its line's image, from left to right."""
    return fold(take_apart(as_drawn(as_it_stands(text, script))), script)


class CompactNet(nn.Module):
    """Line images to CTC scores. See the module's head for shapes."""

    def __init__(self, config: CompactConfig, num_classes: int):
        super().__init__()
        c1, c2, c3 = config.channels
        d = config.width
        self.stem = nn.Sequential(
            _conv(1, c1, stride=2),
            _conv(c1, c2, stride=2),
            _Residual(c2),
            _conv(c2, c3, stride=(2, 1)),
            _Residual(c3),
        )
        # These two see the whole height at once. What they give, (B, D, 1, S) say, lies in memory as (B, S, D).
        high = config.height // 8
        self.steps = nn.Sequential(nn.Conv2d(c3, d, (high, 4), (high, 2), padding=(0, 1), bias=False), nn.BatchNorm2d(d))
        self.picture = nn.Conv2d(c3, config.frames // 2 * d, (high, 1), (high, 1), bias=False)
        self.position = nn.Conv2d(d, d, (1, 3), padding=(0, 1))
        self.encoder = nn.ModuleList(_Layer(d, config.heads) for _ in range(config.layers))
        self.frames, self.height = config.frames, config.height
        self.split = nn.Linear(d, config.frames * d)
        self.norm = nn.LayerNorm(d)
        self.head = nn.Linear(d, num_classes)

    def forward(self, image_B1HW: Tensor, num_steps_B: Tensor) -> Tensor:
        """Log-probabilities (B, T, A) in fp32. Steps from `num_steps_B` on are padding, and nothing attends to them."""
        x_BCHW = self.stem(image_B1HW)
        x_BD1S = self.steps(x_BCHW)
        x_BSD = (x_BD1S + self.position(x_BD1S))[:, :, 0].transpose(1, 2)
        real_BS = torch.arange(x_BSD.shape[1])[None] < num_steps_B[:, None]
        for layer in self.encoder:
            x_BSD = layer(x_BSD, real_BS[:, None, None])
        x_BTD = _frames(self.split(x_BSD), self.frames)
        x_BTD = x_BTD + _frames(self.picture(x_BCHW)[:, :, 0].transpose(1, 2), self.frames // 2)
        return F.log_softmax(self.head(self.norm(x_BTD)).float(), dim=-1)


def _frames(x: Tensor, count: int) -> Tensor:
    """(B, N, count * D) as (B, N * count, D)."""
    return x.unflatten(2, (count, -1)).flatten(1, 2)


def _conv(c_in: int, c_out: int, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    conv = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU(inplace=True))


class _Residual(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv = _conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x)


def attention(q: Tensor, k: Tensor, v: Tensor, mask_B11S: Tensor) -> Tensor:
    """Attention, (B, heads, S, D/heads), to the steps in the mask. Spelled out: on a processor the fused kernel's backward costs
    more (`make bench` says how much)."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    return scores.masked_fill(~mask_B11S, -1e4).softmax(-1, dtype=scores.dtype) @ v


class _Layer(nn.Module):
    """A transformer layer. No dropout: degraded lines are regularisation enough, and it cost a quarter of a step."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x_BSD: Tensor, mask_B11S: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm1(x_BSD)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = attention(q, k, v, mask_B11S)
        x_BSD = x_BSD + self.out(attended.transpose(1, 2).flatten(2))
        return x_BSD + self.mlp(self.norm2(x_BSD))


class Reader:
    """A trained reader. Not for two threads at once."""

    def __init__(self, net: CompactNet, alphabet: Alphabet, config: CompactConfig, bf16: bool):
        self.net = net.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.alphabet = alphabet
        self.config = config
        self.bf16 = bf16

    @classmethod
    def load(cls, folder: Folder) -> "Reader":
        """The reader that `save` wrote. Raises `ValueError`, naming what is wrong, if the folder holds another thing."""
        try:
            saved = json.loads(folder.read("config.json"))
            if saved.get("format") != FORMAT:
                raise ValueError(f"its format is {saved.get('format', 1)}, and this program reads {FORMAT}: train it anew")
            alphabet = Alphabet(**json.loads(folder.read("alphabet.json")))
            config = CompactConfig(**saved["network"] | {"channels": tuple(saved["network"]["channels"])})
            net = CompactNet(config, len(alphabet.symbols) + 1)
            net.load_state_dict(safetensors.torch.load(folder.read("model.safetensors")))
        except (FileNotFoundError, KeyError, TypeError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
            raise ValueError(f"{folder.url} holds no compact reader: {type(error).__name__}: {error}") from None
        return cls(net, alphabet, config, saved["bf16"])

    def save(self, folder: Folder, made: Mapping[str, object]) -> None:
        """Write the reader's files; `made` says how it came about. config.json, the last of them, commits."""
        folder.write(
            "model.safetensors",
            safetensors.torch.save({name: value.contiguous() for name, value in self.net.state_dict().items()}),
        )
        folder.write("alphabet.json", _json(dataclasses.asdict(self.alphabet)))
        network = dataclasses.asdict(self.config)
        folder.write("config.json", _json({"format": FORMAT, "network": network, "bf16": self.bf16, "made": dict(made)}))

    @torch.inference_mode()
    def read(self, crops: Sequence[numpy.ndarray], by_symbol: bool = False) -> list[tuple[str, float]]:
        """What each crop, (H, W) gray bytes with one line in it, says, and the network's probability that this is so, letter for
        letter: that of all alignments of the text, by the forward algorithm of CTC. `by_symbol`: the geometric mean of its
        symbols' in place of it, which doesn't fall with the length of the line."""
        readings: list[tuple[str, float]] = [("", 0.0)] * len(crops)
        for batch, scores in self.batches(crops):
            for i, reading in zip(batch, self._decode(*scores, by_symbol), strict=True):
                readings[i] = reading
        return readings

    @torch.inference_mode()
    def spell(self, crops: Sequence[numpy.ndarray]) -> list[Spelling]:
        """What each crop says, symbol by symbol, with what is needed to tell how probable its words are."""
        spellings: dict[int, Spelling] = {}
        for batch, scores in self.batches(crops):
            spellings |= zip(batch, spell(*scores, self.alphabet.space), strict=True)
        return [spellings[i] for i in range(len(crops))]

    def batches(self, crops: Sequence[numpy.ndarray]) -> Iterator[tuple[list[int], tuple[Tensor, Tensor]]]:
        """The scores of the crops, with their indices, in batches of crops about as wide. A crop without ink is blank for
        certain: no reader has learned what to see there."""
        lines = [line_image(crop, height=self.config.height) for crop in crops]
        with threads(1):
            for batch in _batches([line.shape[1] for line in lines]):
                logp_BTA, num_frames_B = self.scores([lines[i] for i in batch])
                inkless = [row for row, i in enumerate(batch) if int(crops[i].max()) - int(crops[i].min()) < _CONTRAST]
                logp_BTA[inkless], logp_BTA[inkless, :, 0] = NEVER, 0.0
                yield batch, (logp_BTA, num_frames_B)

    def scores(self, lines: Sequence[numpy.ndarray]) -> tuple[Tensor, Tensor]:
        """Log-probabilities (B, T, A) of `line_image`s, and the number of frames of each."""
        image_B1HW, num_steps_B = collate(lines)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            return self.net(image_B1HW, num_steps_B), num_steps_B * self.config.frames

    def _decode(self, logp_BTA: Tensor, num_frames_B: Tensor, by_symbol: bool = False) -> list[tuple[str, float]]:
        """The best path of each line as text, and the probability of that text."""
        classes = []
        for path_T, n in zip(logp_BTA.argmax(-1), num_frames_B.tolist(), strict=True):
            path = torch.unique_consecutive(path_T[:n]).tolist()
            classes.append([c for c in path if c])
        lengths_B = torch.tensor([len(c) for c in classes])
        targets = torch.tensor([c for text in classes for c in text], dtype=torch.long)
        nll_B = F.ctc_loss(logp_BTA.transpose(0, 1), targets, num_frames_B, lengths_B, reduction="none")
        readings = []
        for text, nll in zip(classes, nll_B.tolist(), strict=True):
            share = nll / max(1, len(text)) if by_symbol else nll
            readings.append((normalise(self.alphabet.decode(text)), round(math.exp(-share), 3)))
        return readings


class FolderReader(OnDemand):
    """The engine `compact`: the reader in `folder`, which must have the weights of `sha256` ("": any)."""

    def __init__(self, folder: str, sha256: str = ""):
        self.folder, self.sha256 = Folder(folder), sha256

    def versions(self) -> dict[str, str]:
        return engines() | {"compact": weights_sha256(self.folder)}

    @property
    def alphabet(self) -> Alphabet:
        return self._reader.alphabet

    @property
    def script(self) -> str:
        """The script that the reader was trained for."""
        return self.alphabet.script

    def read(self, crops: Sequence[numpy.ndarray], lang: str = "und") -> list[tuple[str, float]]:
        """As `Reader.read`; the reader's script decides the language."""
        return self._reader.read(crops)

    def spell(self, crops: Sequence[numpy.ndarray]) -> list[Spelling]:
        """As `Reader.spell`."""
        return self._reader.spell(crops)

    @functools.cached_property
    def _reader(self) -> Reader:
        if self.sha256 and weights_sha256(self.folder) != self.sha256:
            raise ValueError(f"{self.folder.url} holds other weights than those that were planned with")
        return Reader.load(self.folder)


def line_image(crop: numpy.ndarray, stretch: float = 1.0, height: int = HEIGHT) -> numpy.ndarray:
    """A crop, (H, W) gray bytes, as a network of this height takes it: (height, W') floats, ink 1, with paper up to a whole step.
    `stretch` multiplies its width."""
    high, width = crop.shape
    wide = min(MAX_WIDTH * height // HEIGHT, max(STEP // 2, round(width * height / high * stretch)))
    resized = Image.fromarray(crop).resize((wide, height), Image.Resampling.BICUBIC)
    line = numpy.zeros((height, wide + -wide % STEP), numpy.float32)
    line[:, :wide] = 1.0 - numpy.asarray(resized, numpy.float32) / 255.0
    return line


def padded_width(width: int) -> int:
    """The next of few widths, each about a quarter larger than the one before. For each new shape kernels are compiled, which
    takes longer than to compute with them."""
    padded = 8 * STEP
    while padded < width:
        padded += max(STEP, padded // 4 // STEP * STEP)
    return padded


def collate(lines: Sequence[numpy.ndarray]) -> tuple[Tensor, Tensor]:
    """Lines of one height side by side as (B, 1, H, W), padded with paper, and how many steps each of them is long."""
    widths = [line.shape[1] for line in lines]
    batch = numpy.zeros((len(lines), 1, len(lines[0]), padded_width(max(widths))), numpy.float32)
    for i, line in enumerate(lines):
        batch[i, 0, :, : line.shape[1]] = line
    image = torch.from_numpy(batch).to(memory_format=torch.channels_last)
    return image, torch.tensor([w // STEP for w in widths])


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """The block computes on so many of torch's threads: on another number the last bits differ, and with them a reading now and
    then."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def engines() -> dict[str, str]:
    """What decides, beside its weights, what a reader reads. The arithmetic (bf16 or not) is the reader's own, from its
    config.json, whatever the processor."""
    return {name: importlib.metadata.version(name) for name in PACKAGES} | {"compact_batches": _BATCHES}


def has_fast_bf16() -> bool:
    """Whether this processor computes in bf16, and not merely emulates it."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def weights_sha256(folder: Folder) -> str:
    return hashlib.sha256(folder.read("model.safetensors")).hexdigest()


def _batches(widths: Sequence[int]) -> list[list[int]]:
    """Indices in batches of lines about as wide."""
    batches: list[list[int]] = []
    for i in sorted(range(len(widths)), key=lambda i: (widths[i], i)):
        if batches and (len(batches[-1]) + 1) * widths[i] <= _BATCH_WIDTH:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()

"""Trains the network on pages of known truth. Each epoch sees another variant of each page."""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, NamedTuple

import numpy
import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from datagen.layouts.elements import Elements, LineElement, SeenBlock
from datagen.layouts.features import SEEN_LABELS, features
from datagen.layouts.network import LayoutNetwork
from datagen.layouts.plan import Plan
from datagen.layouts.truth import UNKNOWN, Answer

MAX_ELEMENTS = 400
_PAIRS_A_BATCH = 80_000
_NEAR_PAIR = 9  # the feature of a pair: how far both are apart from left to right
_NEAR, _WEIGHT_NEAR, _WEIGHT_FAR = 1.5, 2.0, 1.0


@dataclass(frozen=True)
class TrainingPage:
    """A page and what the network should answer. `document` names the file, since pages of one file are alike."""

    page: Elements
    answer: Answer
    document: str


class Batch(NamedTuple):
    of_elements: Tensor
    of_pairs: Tensor
    signs: Tensor
    mask: Tensor
    label: Tensor
    level: Tensor
    region: Tensor


def variant(page: TrainingPage, random: Random) -> TrainingPage:
    """The page as another file or another engine would show it: engines err or are silent, a file's order is scrambled, colours
    or all fonts are unknown, lines are torn, margins are others, or there is but a part of the page."""
    page = _part(page, random) if random.random() < 0.12 else page
    shown, answer = page.page, page.answer
    lines, order = list(shown.lines), list(range(len(shown.lines)))
    has_fonts = shown.has_fonts and random.random() > 0.25
    if not has_fonts:
        sees_ink = not shown.has_fonts or random.random() < 0.7
        lines = [_as_detected(line, sees_ink and random.random() > 0.03, random) for line in lines]
        lines, order = _torn(lines, order, random)
    elif random.random() < 0.3:
        lines = [replace(line, look="") for line in lines]
    if random.random() < 0.06:
        moved = random.sample(range(len(lines)), len(lines))
        lines, order = [lines[i] for i in moved], [order[i] for i in moved]
    elif random.random() < 0.2:
        blocks = sorted({line.block for line in lines})
        place = dict(zip(blocks, random.sample(blocks, len(blocks)), strict=True))
        moved = sorted(range(len(lines)), key=lambda i: place[lines[i].block])
        lines, order = [lines[i] for i in moved], [order[i] for i in moved]
    indices = numpy.array(order + list(range(len(shown.lines), len(shown.lines) + len(shown.pictures))), int)
    seen = shown.drawings if shown.has_fonts == has_fonts else [box for box in shown.drawings if _is_long(box, shown.size)]
    x, y, right, bottom = (random.uniform(-0.04, 0.06) for _ in range(4))
    dx, dy = x * shown.size[0], y * shown.size[1]
    made = Elements(
        (shown.size[0] * (1 + x + right), shown.size[1] * (1 + y + bottom)),
        [replace(line, box=_moved(line.box, dx, dy)) for line in lines],
        [replace(block, box=_moved(block.box, dx, dy)) for block in _seen(shown.blocks, random)],
        [_moved(box, dx, dy) for box in shown.pictures],
        [_moved(box, dx, dy) for box in seen],
        shown.rtl,
        has_fonts,
        shown.columns_from,
    )
    return TrainingPage(made, Answer(*(column[indices] for column in answer)), page.document)


def _part(page: TrainingPage, random: Random) -> TrainingPage:
    """What stands between two heights of the page: other pages have little text."""
    shown, num = page.page, len(page.page.lines)
    low, high = sorted((random.random() * shown.size[1], random.random() * shown.size[1]))
    boxes = [*(line.box for line in shown.lines), *shown.pictures]
    left = [n for n, box in enumerate(boxes) if low <= (box[1] + box[3]) / 2 <= high]
    if not left or left[0] >= num:
        return page
    part = replace(
        shown, lines=[shown.lines[n] for n in left if n < num], pictures=[shown.pictures[n - num] for n in left if n >= num]
    )
    return TrainingPage(part, Answer(*(column[left] for column in page.answer)), page.document)


def _as_detected(line: LineElement, sees_ink: bool, random: Random) -> LineElement:
    """A line as a detector finds it. Its ink tells the size and weight of its letters, or nothing does (`lines_to_regions`)."""
    height = line.box[2] - line.box[0] if line.vertical else line.box[3] - line.box[1]
    x0, y0, x1, y1 = (side + random.gauss(0, 0.04) * height for side in line.box)
    box = x0, y0, max(x1, x0 + 1e-3), max(y1, y0 + 1e-3)
    size = line.size * math.exp(random.gauss(0, 0.02)) if sees_ink else 0.8 * height * math.exp(random.gauss(0, 0.05))
    bold = float(line.bold > 0.5) if sees_ink and random.random() > 0.05 else 0.0
    return replace(line, box=box, size=size, bold=bold, mono=0.0, look="", block=0)


def _torn(lines: Sequence[LineElement], order: Sequence[int], random: Random) -> tuple[list[LineElement], list[int]]:
    """Some lines in two, at a space, and where each came from."""
    result: list[tuple[LineElement, int]] = []
    share = random.choice((0.0, 0.02, 0.06))
    for line, n in zip(lines, order, strict=True):
        spaces = [i for i, char in enumerate(line.text) if char == " " and 0 < i < len(line.text) - 1]
        if not spaces or line.vertical or random.random() >= share:
            result.append((line, n))
            continue
        at = random.choice(spaces)
        x0, y0, x1, y1 = line.box
        middle = x0 + (x1 - x0) * at / len(line.text)
        gap = 0.3 * (y1 - y0)
        result.append((replace(line, box=(x0, y0, max(x0 + 1e-3, middle - gap / 2), y1), text=line.text[:at]), n))
        result.append((replace(line, box=(min(x1 - 1e-3, middle + gap / 2), y0, x1, y1), text=line.text[at + 1 :]), n))
    return [line for line, _ in result], [n for _, n in result]


def _seen(blocks: Sequence[SeenBlock], random: Random) -> list[SeenBlock]:
    if random.random() < 0.12:
        return []
    result = [block for block in blocks if random.random() > 0.05]
    return [replace(block, label=random.choice(SEEN_LABELS)) if random.random() < 0.03 else block for block in result]


def _is_long(box: Sequence[float], size: tuple[float, float]) -> bool:
    return max(box[2] - box[0], box[3] - box[1]) > 0.12 * max(size)


def _moved(box: Sequence[float], dx: float, dy: float) -> tuple[float, float, float, float]:
    return box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy


class _Batches(Dataset[Batch]):
    """The batches of one epoch: pages of about one length, so that little is padded."""

    def __init__(self, pages: Sequence[TrainingPage], seed: int, epoch: int):
        self.pages, self.seed, self.epoch = pages, seed, epoch
        random = Random(f"{seed} {epoch}")
        by_length = sorted(range(len(pages)), key=lambda i: len(pages[i].answer.label) + random.random() * 8)
        self.batches: list[list[int]] = [[]]
        for i in by_length:
            if self.batches[-1] and (len(self.batches[-1]) + 1) * len(pages[i].answer.label) ** 2 > _PAIRS_A_BATCH:
                self.batches.append([])
            self.batches[-1].append(i)
        random.shuffle(self.batches)

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, n: int) -> Batch:
        shown = [variant(self.pages[i], Random(f"{self.seed} {self.epoch} {i}")) for i in self.batches[n]]
        return collated(shown)


def collated(pages: Sequence[TrainingPage]) -> Batch:
    """The pages as one batch, padded to the longest. Columns are turned to rows, as `groups` turns them in use."""
    seen = [features(page.page.with_rows()) for page in pages]
    num = max(len(one.of_elements) for one in seen)

    def padded(arrays: Sequence[numpy.ndarray], fill: int = 0, pairs: bool = False) -> Tensor:
        shape = (len(pages), num, num) if pairs else (len(pages), num)
        result = numpy.full((*shape, *arrays[0].shape[1 + pairs :]), fill, arrays[0].dtype)
        for row, array in zip(result, arrays, strict=True):
            row[tuple(slice(0, length) for length in array.shape[: 1 + pairs])] = array
        return torch.from_numpy(result)

    return Batch(
        padded([one.of_elements for one in seen]),
        padded([one.of_pairs for one in seen], pairs=True),
        padded([one.signs for one in seen]),
        padded([numpy.ones(len(one.of_elements), bool) for one in seen]),
        padded([page.answer.label for page in pages], UNKNOWN),
        padded([page.answer.level for page in pages]),
        padded([page.answer.region for page in pages], UNKNOWN),
    )


def losses(network: LayoutNetwork, batch: Batch) -> Tensor:
    """The mean losses (4,) of labels, levels, pairs in one region, and pairs in order."""
    label, level, same, before = network(*batch[:4])
    known, is_heading = batch.label >= 0, (batch.label >= 0) & (batch.level > 0)
    of_label = functional.cross_entropy(label[known], batch.label[known])
    of_level = functional.cross_entropy(level[is_heading], batch.level[is_heading]) if is_heading.any() else 0 * of_label
    region = batch.region
    pairs = (region >= 0)[:, :, None] & (region >= 0)[:, None] & ~torch.eye(region.shape[1], dtype=torch.bool)
    are_one = region[:, :, None] == region[:, None]
    weight = torch.where(batch.of_pairs[..., _NEAR_PAIR].abs() < _NEAR, _WEIGHT_NEAR, _WEIGHT_FAR)
    of_same = 0 * of_label
    if pairs.any():
        of_same = functional.binary_cross_entropy_with_logits(same[pairs], are_one[pairs].float(), weight[pairs])
    apart = pairs & ~are_one
    first = (region[:, :, None] < region[:, None]).float()
    of_before = functional.binary_cross_entropy_with_logits(before[apart], first[apart]) if apart.any() else 0 * of_label
    return torch.stack([of_label, of_level, of_same, of_before])


def trained(
    pages: Sequence[TrainingPage],
    plan: Plan,
    after_epoch: Callable[[int, list[float], bytes], None] = lambda number, losses, state: None,
    state: bytes = b"",
    begin_with: Mapping[str, Tensor] | None = None,
) -> LayoutNetwork:
    """The network after training, whose first weights are `begin_with`, if given. `after_epoch` is told each epoch's number,
    from 0, its four mean losses, and the state from which a later call with the same pages and plan goes on."""
    torch.manual_seed(plan.seed)
    pages = [page for page in pages if len(page.page.lines) > 0 and len(page.answer.label) <= MAX_ELEMENTS]
    first = [features(page.page.with_rows()) for page in pages]
    elements = numpy.concatenate([one.of_elements for one in first])
    network = LayoutNetwork(elements.shape[1], first[0].of_pairs.shape[2], plan.width, plan.depth)
    network.mean.copy_(torch.from_numpy(elements.mean(0)))
    network.deviation.copy_(torch.from_numpy(numpy.maximum(elements.std(0), 0.05)))
    if begin_with is not None:
        network.load_state_dict({name: begin_with[name].float() for name in network.state_dict()})
    del first, elements
    epochs = [_Batches(pages, plan.seed, epoch) for epoch in range(plan.epochs)]
    optimizer = torch.optim.AdamW(network.parameters(), plan.learning_rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.learning_rate, total_steps=sum(map(len, epochs)))
    parts: dict[str, Any] = {"network": network, "optimizer": optimizer, "schedule": schedule}
    start = 0
    if state:
        kept = torch.load(io.BytesIO(state), weights_only=True)
        start = kept.pop("epoch")
        for name, part in parts.items():
            part.load_state_dict(kept[name])
    weights = torch.tensor([1.0, 0.3, 1.5, 1.0])
    for number in range(start, plan.epochs):
        total = torch.zeros(4)
        torch.manual_seed(plan.seed + number)
        for batch in DataLoader(epochs[number], batch_size=None, num_workers=1, prefetch_factor=8):
            each = losses(network, Batch(*batch))
            optimizer.zero_grad()
            (each * weights).sum().backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += each.detach()
        buffer = io.BytesIO()
        torch.save({name: part.state_dict() for name, part in parts.items()} | {"epoch": number + 1}, buffer)
        after_epoch(number, (total / len(epochs[number])).tolist(), buffer.getvalue())
    return network.eval()


def saved(network: LayoutNetwork) -> bytes:
    """The weights in half precision, as safetensors."""
    return save({name: tensor.to(torch.float16).contiguous() for name, tensor in network.state_dict().items()})


def is_held_out(document: str, share: int = 8, what: str = "held out") -> bool:
    """Whether a document is one of the `share`-th from which the network doesn't learn."""
    return Random(f"{what} {document}").random() < 1 / share

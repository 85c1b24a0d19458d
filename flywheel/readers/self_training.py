"""A reader adapts to lines that nobody has labelled: it learns its own readings of them.

    clean line ──> teacher ──> reading ──┐
        └── worn as paper and scanners wear it ──> student ──> CTC ──> student's weights ──> a part of the teacher's

The teacher's weights are a moving mean of the student's, so its readings get better as the student learns: momentum
pseudo-labelling (Higuchi and others 2021, arXiv 2106.08922). The student learns from worn lines (noisy student, arXiv
1911.04252). A line counts as much as the teacher is sure of its symbols. First of all, batch normalisation takes its means and
variances from these lines (AdaBN, arXiv 1603.04779); batches of labelled lines, in between, leave them as they are.
"""

import copy
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datagen.engines.compact import STEP, CompactNet, collate, has_fast_bf16, line_image
from flywheel.lines.crops import Crop, degraded
from flywheel.readers.ctc_training import DRAWN, by_width, least_frames
from flywheel.step import Fit

MARGIN = 0.06
"""The margin of a line that the teacher reads, in heights of its box."""

_KEPT = 0.98  # of the teacher's weights, each step
_STATISTICS = 0.05  # a batch's part in the running means and variances

Batch = tuple[Sequence[Crop], bool]
"""Lines of similar width, and whether they are labelled."""


class StudentAndTeacher(nn.Module):
    """The `student` that a training changes, and the `teacher`, which is saved in the end."""

    def __init__(self, student: CompactNet):
        super().__init__()
        self.student = student
        self.teacher = copy.deepcopy(student).requires_grad_(False).eval()

    @torch.no_grad()
    def see(self, batches: Sequence[Sequence[Crop]]) -> None:
        """Take batch normalisation's means and variances from these lines."""
        for module in self._norms:
            module.reset_running_stats()
            module.momentum = None  # the mean over all batches
        for batch in batches:
            with _autocast():
                self.student(*collate(_clean(batch, self.student.height)))
        self.teacher.load_state_dict(self.student.state_dict())

    def loss(self, config: Fit, batch: Sequence[Crop], step: int) -> Tensor | None:
        """CTC's loss of the teacher's readings over unlabelled lines, worn as of this `step`, in nats a symbol; None if nothing
        was read."""
        random, height = numpy.random.default_rng([config.seed, 3, step]), self.student.height
        images, targets, weights = [], [], []
        for crop, (symbols, sureness) in zip(batch, self._readings(batch), strict=True):
            image = line_image(degraded(crop, random), float(random.uniform(0.85, 1.12)), height)
            if symbols and image.shape[1] // STEP * self.student.frames >= least_frames(symbols):
                images.append(image)
                targets.append(symbols)
                weights.append(sureness)
        if not images:
            return None
        self._track(_STATISTICS)
        image_B1HW, num_steps_B = collate(images)
        with _autocast():
            logp_BTA = self.student(image_B1HW, num_steps_B)
        lengths_B, weights_B = torch.tensor([*map(len, targets)]), torch.tensor(weights)
        flat = torch.tensor([*chain.from_iterable(targets)])
        frames_B = num_steps_B * self.student.frames
        nll_B = F.ctc_loss(logp_BTA.transpose(0, 1), flat, frames_B, lengths_B, reduction="none", zero_infinity=True)
        return (nll_B * weights_B).sum() / (lengths_B * weights_B).sum()

    def before_labelled(self) -> None:
        """Let the running means and variances be while labelled lines are learned."""
        self._track(0.0)

    @torch.no_grad()
    def follow(self) -> None:
        """Move the teacher's weights a part of the way to the student's."""
        mine, theirs = self.teacher.state_dict(), self.student.state_dict()
        for name, value in mine.items():
            if value.dtype.is_floating_point:
                value.lerp_(theirs[name], 1 - _KEPT)

    @torch.no_grad()
    def _readings(self, batch: Sequence[Crop]) -> Iterator[tuple[list[int], float]]:
        """The symbols that the teacher reads in each line, and the mean probability of the frames that show them."""
        image_B1HW, num_steps_B = collate(_clean(batch, self.teacher.height))
        with _autocast():
            top = self.teacher(image_B1HW, num_steps_B).max(-1)
        for logp_T, path_T, num_steps in zip(top.values, top.indices, num_steps_B.tolist(), strict=True):
            num = num_steps * self.teacher.frames
            path, seen = path_T[:num], path_T[:num] > 0
            symbols = [symbol for symbol in torch.unique_consecutive(path).tolist() if symbol]
            yield symbols, float(logp_T[:num][seen].exp().mean()) if symbols else 0.0

    def _track(self, share: float) -> None:
        """Give each batch this share in the running means and variances."""
        for module in self._norms:
            module.momentum = share

    @property
    def _norms(self) -> list[nn.BatchNorm2d]:
        return [module for module in self.student.modules() if isinstance(module, nn.BatchNorm2d)]


def batches_of(config: Fit, labelled: Iterator[list[Crop]], unlabelled: Sequence[Crop], height: int) -> Iterator[Batch]:
    """Batches without end, in turn of `labelled` and of `unlabelled` lines."""
    random = numpy.random.default_rng([config.seed, 4])
    while True:
        drawn = random.permutation(len(unlabelled))[:DRAWN]
        batches = by_width([unlabelled[i] for i in drawn], config.batch_width, height)
        for i in random.permutation(len(batches)):
            yield next(labelled), True
            yield batches[i], False


def _autocast() -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bf16())


def _clean(batch: Sequence[Crop], height: int) -> list[numpy.ndarray]:
    return [line_image(crop.line(MARGIN), height=height) for crop in batch]

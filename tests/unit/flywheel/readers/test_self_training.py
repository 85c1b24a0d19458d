"""A reader that adapts to unlabelled lines."""

import numpy
import torch
from torch import nn

from datagen.engines.compact import CompactConfig, CompactNet, collate, line_image
from flywheel.readers.ctc_training import by_width
from flywheel.readers.self_training import MARGIN, StudentAndTeacher, batches_of
from flywheel.step import Fit
from tests.unit.flywheel.readers.test_fit import LINES

SMALL = CompactConfig(channels=(4, 8, 8), width=16, layers=1, heads=2)
FIT = Fit(steps=4, learning_rate=1e-2, batch_width=600)


def pair() -> StudentAndTeacher:
    torch.manual_seed(0)
    return StudentAndTeacher(CompactNet(SMALL, 6))


def test_batch_normalisation_takes_its_statistics_from_the_lines():
    one, lines = pair(), LINES[:6]
    one.see([lines])
    images, num_steps = collate([line_image(crop.line(MARGIN)) for crop in lines])
    norm = next(module for module in one.teacher.modules() if isinstance(module, nn.BatchNorm2d))
    seen = one.student.stem[0][0](images)
    torch.testing.assert_close(norm.running_mean, seen.mean((0, 2, 3)), atol=1e-2, rtol=1e-2)
    torch.testing.assert_close(norm.running_var, seen.var((0, 2, 3)), atol=1e-2, rtol=1e-2)
    assert num_steps.tolist() and not any(value.requires_grad for value in one.teacher.parameters())


def test_labelled_lines_leave_the_statistics_and_unlabelled_ones_move_them():
    one, lines = pair(), LINES[:6]
    one.see([lines])
    norm = next(module for module in one.student.modules() if isinstance(module, nn.BatchNorm2d))
    before = norm.running_mean.clone()
    one.before_labelled()
    one.student(*collate([numpy.ones((32, 64), numpy.float32)]))
    assert torch.equal(norm.running_mean, before)
    with torch.no_grad():
        one.student.head.bias[0] = one.teacher.head.bias[0] = -10.0  # so that something is read
    assert one.loss(FIT, lines, 0).isfinite()
    assert not torch.equal(norm.running_mean, before)


def test_nothing_read_teaches_nothing():
    one = pair()
    with torch.no_grad():
        one.teacher.head.bias[0] = 50.0
    assert one.loss(FIT, LINES[:3], 0) is None


def test_the_teacher_follows_the_student():
    one = pair()
    with torch.no_grad():
        one.student.head.bias += 1
    before = one.teacher.head.bias.clone()
    one.follow()
    torch.testing.assert_close(one.teacher.head.bias, before + 0.02)


def test_labelled_and_unlabelled_batches_come_in_turn():
    labelled, unlabelled = LINES[:4], LINES[3:]
    batches = batches_of(FIT, iter(by_width(labelled, 600) * 20), unlabelled, 32)
    drawn = [next(batches) for _ in range(20)]
    assert [is_labelled for _, is_labelled in drawn] == [True, False] * 10
    assert {crop.key for lines, is_labelled in drawn if not is_labelled for crop in lines} == {crop.key for crop in unlabelled}

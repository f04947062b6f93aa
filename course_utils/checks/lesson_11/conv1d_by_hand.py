"""Lesson 11, exercise 1: One direction, with a pencil."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Exercise, Mistakes, later
from course_utils.checks.lesson_11._conv1d import _conv1d, _each_channel

SHAPES = "lesson 11, 'One arithmetic, three shapes'"


def row():
    return torch.tensor([[1.0, 0, 2, 1, 0], [0, 3, 1, 0, 1]])


def kernel():
    return torch.tensor([[1.0, -1], [2, 0]])


mistake = Mistakes()
mistake.value(
    "channels_not_summed",
    later(lambda: _each_channel(row(), kernel())),
    "Those are two rows, one for each channel. The products of both channels are added "
    "into one number.",
)
mistake.value(
    "flipped_kernel",
    later(lambda: _conv1d(row(), kernel().flip(1))),
    "The kernel was turned around. Lay it on the input as it stands.",
)
mistake.value(
    "first_channel_only",
    later(lambda: _each_channel(row(), kernel())[0]),
    "Only the upper row was used. The lower row of the kernel lies on the lower row of x.",
)
mistake.value(
    "second_channel_only",
    later(lambda: _each_channel(row(), kernel())[1]),
    "Only the lower row was used. The upper row of the kernel lies on the upper row of x.",
)
mistake.value(
    "channels_swapped",
    later(lambda: _conv1d(row(), kernel().flip(0))),
    "The rows of the kernel are swapped: its upper row belongs to the upper row of x.",
)
mistake.value(
    "sign_lost",
    later(lambda: _conv1d(row(), kernel().abs())),
    "The −1 of the kernel was taken for 1.",
)
mistake.value(
    "kernel_ignored",
    later(lambda: _conv1d(row(), torch.ones(2, 2))),
    "The cells of each window were added without multiplying by the kernel.",
)
mistake.value(
    "transposed_kernel",
    later(lambda: _conv1d(row(), kernel().T)),
    "Rows and columns of the kernel are swapped. Its rows are channels, as those of x.",
)
mistake.value(
    "averaged",
    later(lambda: _conv1d(row(), kernel()) / 2),
    "The sum is divided by the number of channels. Channels are added, not averaged.",
)
mistake.value(
    "padded",
    later(lambda: _conv1d(F.pad(row(), (0, 1)), kernel())),
    "There is a number too many: the last window would stick out beyond x.",
    also=(
        later(lambda: _conv1d(F.pad(row(), (1, 0)), kernel())),
        later(lambda: _conv1d(F.pad(row(), (1, 1)), kernel())),
    ),
)
mistake.value(
    "stride_two",
    later(lambda: _conv1d(row(), kernel(), stride=2)),
    "The window was moved by two columns. It moves by one, so that windows overlap.",
)


conv1d_by_hand = Exercise(
    name="conv1d_by_hand",
    lesson=SHAPES,
    reference=later(lambda: _conv1d(row(), kernel()).long()),
    mistakes=mistake,
)

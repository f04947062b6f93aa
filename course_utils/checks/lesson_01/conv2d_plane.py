"""Lesson 01, exercise 2: Your own loops."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole

SLIDING = "lesson 01, 'Slide, multiply, add'"
TURNED = (
    "The kernel is turned by 180°: that is the convolution of mathematics. PyTorch, and this "
    "course, lay the kernel on the image as it stands."
)


def _plane(x, weight):
    return F.conv2d(x[None, None], weight[None, None])[0, 0]


mistake = Mistakes()
mistake.value("flipped_kernel", lambda x, w: _plane(x, w.flip(0, 1)), TURNED)
mistake.value(
    "off_by_one",
    lambda x, w: _plane(x, w)[:-1, :-1],
    "The last row and column of windows are missing. Count the places that the window fits "
    "into once more.",
)


@mistake("The last row and column were never filled: one of the loops stops one step too early.")
def last_window_lost(x, weight):
    right = _plane(x, weight)
    wrong = torch.zeros_like(right)
    wrong[:-1, :-1] = right[:-1, :-1]
    return wrong


@mistake("Only the last product of each window is left: add each one to those before it.")
def overwritten(x, weight):
    rows, columns = x.shape[0] - weight.shape[0] + 1, x.shape[1] - weight.shape[1] + 1
    return x[-rows:, -columns:] * weight[-1, -1]


@mistake(
    "Of a larger kernel only the first two rows and columns are used: take its size from "
    "the kernel itself."
)
def always_2_by_2(x, weight):
    right = _plane(x, weight)
    return _plane(x, weight[:2, :2])[: right.shape[0], : right.shape[1]]


@mistake(
    "Every output number is the one of the first window: the window has to move with the "
    "place in the output."
)
def window_stands_still(x, weight):
    right = _plane(x, weight)
    return right[0, 0].expand_as(right).clone()


mistake.value(
    "kernel_ignored",
    lambda x, w: _plane(x, torch.ones_like(w)),
    "The cells are added without multiplying by the kernel.",
)
mistake.value(
    "maximum_not_sum",
    lambda x, w: x.unfold(0, w.shape[0], 1).unfold(1, w.shape[1], 1).mul(w).amax((-1, -2)),
    "The largest product was kept. The products have to be added.",
)
mistake.value(
    "averaged",
    lambda x, w: _plane(x, w) / w.numel(),
    "The sum is not divided by the number of cells.",
)
mistake.value(
    "padded",
    lambda x, w: F.pad(_plane(x, w), (0, w.shape[1] - 1, 0, w.shape[0] - 1)),
    "The output has the size of the input. It should have one number for each place that "
    "the kernel fits into.",
)
mistake.value(
    "transposed_output",
    lambda x, w: _plane(x, w).T.contiguous(),
    "Rows and columns of the output are swapped.",
)


@later
def cases():
    return (
        Case((whole(3, 3, seed=1), whole(2, 2, seed=2))),
        Case((whole(4, 3, seed=3), whole(2, 3, seed=4))),
        Case((whole(4, 6, seed=5), whole(3, 2, seed=6))),
        Case((whole(7, 5, seed=7), whole(3, 3, seed=8))),
    )


conv2d_plane = Exercise(
    name="conv2d_plane",
    lesson=SLIDING,
    reference=_plane,
    cases=cases,
    mistakes=mistake,
)

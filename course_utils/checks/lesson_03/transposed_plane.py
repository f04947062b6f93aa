"""Lesson 03, exercise 5: Lay down the copies."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole

BACK_UP = "lesson 03, 'The way back up'"


def _lay(x, weight, stride=1):
    return F.conv_transpose2d(x[None, None], weight[None, None], stride=stride)[0, 0]


def _convolved_with_zeros(x, weight, stride=1):
    spread = _lay(x, torch.ones_like(weight[:1, :1]), stride)
    borders = [n - 1 for n in weight.shape]
    return F.conv2d(spread[None, None], weight[None, None], padding=borders)[0, 0]


mistake = Mistakes()


@mistake("Where copies overlap, the later one has replaced the earlier. They add up: `+=`.")
def overwritten(x, weight, stride=1):
    out = _lay(torch.zeros_like(x), weight, stride)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            rows = slice(i * stride, i * stride + weight.shape[0])
            cols = slice(j * stride, j * stride + weight.shape[1])
            out[rows, cols] = x[i, j] * weight
    return out


mistake.value(
    "stride_ignored",
    lambda x, w, stride=1: F.pad(
        _lay(x, w),
        [0, (x.shape[1] - 1) * (stride - 1), 0, (x.shape[0] - 1) * (stride - 1)],
    ),
    "All copies lie one cell apart. They begin `stride` cells apart.",
    also=(lambda x, w, stride=1: _lay(x, w),),
)
mistake.value(
    "kernel_turned",
    lambda x, w, stride=1: _lay(x, w.flip(0, 1), stride),
    "The copies are turned by 180°. They are laid down as the kernel stands.",
    also=(_convolved_with_zeros,),
)
mistake.value(
    "kernel_transposed",
    lambda x, w, stride=1: _lay(x, w.T if w.shape[0] == w.shape[1] else w, stride),
    "The kernel's rows became columns. What is transposed is the large matrix, not the kernel.",
)
mistake.value(
    "not_multiplied",
    lambda x, w, stride=1: _lay(torch.ones_like(x), w, stride),
    "The copies are all the same. Each is multiplied by its input number.",
)
mistake.value(
    "added_instead_of_multiplied",
    lambda x, w, stride=1: (
        _lay(torch.ones_like(x), w, stride) + _lay(x, torch.ones_like(w), stride)
    ),
    "The input number is added to the kernel. It multiplies it.",
)
mistake.value(
    "last_copy_forgotten",
    lambda x, w, stride=1: _lay(
        torch.cat([x.flatten()[:-1], x.new_zeros(1)]).view(x.shape), w, stride
    ),
    "The copy of the last input cell is missing: `range(n)` already ends before n.",
)
mistake.value(
    "too_small",
    lambda x, w, stride=1: _lay(x, w, stride)[: x.shape[0] * stride, : x.shape[1] * stride],
    "The output is too small: the last copy hangs over by more than that.",
)
mistake.value(
    "too_large",
    lambda x, w, stride=1: F.pad(_lay(x, w, stride), [0, stride, 0, stride]),
    "The output is too large. The last copy begins at (H − 1) · stride.",
    also=(lambda x, w, stride=1: F.pad(_lay(x, w, stride), [0, 1, 0, 1]),),
)
mistake.value(
    "plain_convolution",
    lambda x, w, stride=1: F.conv2d(
        x[None, None], w[None, None], stride=stride, padding=[n - 1 for n in w.shape]
    )[0, 0],
    "That is a padded convolution of the input: the window gathers. Here each input number "
    "is spread out.",
)
mistake.value(
    "averaged",
    lambda x, w, stride=1: (
        _lay(x, w, stride) / _lay(torch.ones_like(x), torch.ones_like(w), stride).clamp(1)
    ),
    "Where copies overlap, their mean is taken. They add up.",
)


@later
def cases():
    return (
        Case((whole(1, 2, seed=11, low=-9), whole(1, 2, seed=12, low=-9))),
        Case((whole(2, 2, seed=13, low=-9), whole(2, 2, seed=14, low=-9))),
        Case((whole(2, 3, seed=15, low=-9), whole(3, 2, seed=16, low=-9)), {"stride": 2}),
        Case((whole(3, 2, seed=17, low=-9), whole(2, 2, seed=18, low=-9)), {"stride": 3}),
        Case(
            (whole(4, 3, seed=19, low=-9).float(), whole(2, 4, seed=20, low=-9).float()),
            {"stride": 2},
        ),
    )


transposed_plane = Exercise(
    name="transposed_plane",
    lesson=BACK_UP,
    reference=_lay,
    cases=cases,
    mistakes=mistake,
)

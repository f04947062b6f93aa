"""Lesson 02, exercise 2: Your own max pooling."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole
from course_utils.checks.lesson_02._max_pooling import _max

LAST_WINDOW = "lesson 02, 'Stride, padding, and the last window'"


def _padded_with(value, x, kernel_size, stride, padding, sides=(1, 1, 1, 1)):
    padded = F.pad(x, [padding * side for side in sides], value=value)
    return F.max_pool2d(padded, kernel_size, stride)


mistake = Mistakes()
mistake.value(
    "zero_padding",
    lambda x, k, stride=None, padding=0: _padded_with(0.0, x, k, stride or k, padding),
    "A 0 of the padding wins over negative numbers. The padding must never win: what is "
    "smaller than every number?",
)
mistake.value(
    "default_stride_one",
    lambda x, k, stride=None, padding=0: _max(x, k, stride or 1, padding),
    "Without a stride the window moves by its own width: `stride=None` means `stride=kernel_size`.",
)
mistake.value(
    "stride_ignored",
    lambda x, k, stride=None, padding=0: _max(x, k, k, padding),
    "The stride is ignored: the window always moves by its own width.",
)
mistake.value(
    "stride_always_one",
    lambda x, k, stride=None, padding=0: _max(x, k, 1, padding),
    "The stride is ignored: the window always moves by one cell.",
)
mistake.value(
    "padding_forgotten",
    lambda x, k, stride=None, padding=0: _max(x, k, stride, 0),
    "The padding is forgotten: it makes room for windows that hang over the border.",
)
mistake.value(
    "padding_on_one_side",
    lambda x, k, stride=None, padding=0: _padded_with(
        -torch.inf, x, k, stride or k, padding, (1, 0, 1, 0)
    ),
    "Padding is missing at the bottom and on the right: it belongs on all four sides.",
)
mistake.value(
    "last_window_lost",
    lambda x, k, stride=None, padding=0: _max(x, k, stride, padding)[..., :-1, :-1],
    "The last row and column of windows are missing: how many positions are there, the "
    "first one included?",
)
mistake.value(
    "rounded_up",
    lambda x, k, stride=None, padding=0: F.max_pool2d(x, k, stride, padding, 1, True),
    "A window that hangs over the end is dropped here: round the number of positions down.",
)
mistake.value(
    "height_width_swapped",
    lambda x, k, stride=None, padding=0: _max(x, k, stride, padding).mT,
    "Height and width of the output are swapped.",
)
mistake.value(
    "channels_pooled",
    lambda x, k, stride=None, padding=0: _max(x, k, stride, padding).amax(1, keepdim=True),
    "The maximum was taken over the channels too. Each channel is pooled by itself.",
)
mistake.value(
    "images_pooled",
    lambda x, k, stride=None, padding=0: (
        _max(x, k, stride, padding).amax((0, 1)).expand(*x.shape[:2], -1, -1)
    ),
    "One maximum was taken over all images and channels: name the two axes of the window, "
    "as in `amax((2, 3))`.",
)
mistake.value(
    "minimum",
    lambda x, k, stride=None, padding=0: -_max(-x, k, stride, padding),
    "Those are the smallest numbers of the windows.",
)
mistake.value(
    "averaged",
    lambda x, k, stride=None, padding=0: F.avg_pool2d(x, k, stride, padding),
    "Those are the averages of the windows.",
)
mistake.value(
    "largest_magnitude",
    lambda x, k, stride=None, padding=0: _max(x.abs(), k, stride, padding),
    "The signs are lost: −6 is smaller than 1.",
)


@later
def cases():
    return (
        Case((whole(1, 1, 2, 4, seed=23, low=-9), 2)),
        Case((whole(1, 1, 3, 5, seed=2, low=-9), 2)),
        Case((whole(1, 1, 2, 3, seed=3, low=-9) - 10, 2), {"padding": 1}),
        Case((whole(1, 1, 4, 5, seed=4, low=-9), 3), {"stride": 1}),
        Case((whole(1, 2, 4, 4, seed=5, low=-9), 2), {"stride": 2}),
        Case((whole(2, 3, 5, 4, seed=6, low=-9) - 5, 3), {"stride": 2, "padding": 1}),
        Case((whole(2, 2, 6, 8, seed=7, low=-9).float(), 2), {"stride": 3}),
    )


max_pool2d = Exercise(
    name="max_pool2d",
    lesson=LAST_WINDOW,
    reference=_max,
    cases=cases,
    mistakes=mistake,
)

"""Lesson 02, exercise 3: Your own average pooling."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole
from course_utils.checks.lesson_02._max_pooling import _max

AVERAGE = "lesson 02, 'The average of each window'"


def _average(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    return F.avg_pool2d(x, kernel_size, stride, padding, False, count_include_pad)


mistake = Mistakes()
mistake.value(
    "wrong_count",
    lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
        x, k, stride, padding, False
    ),
    "The sum is divided by the cells that lie in the image. With `count_include_pad=True` "
    "the zeros of the padding count as cells too.",
)
mistake.value(
    "padding_always_counted",
    lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
        x, k, stride, padding, True
    ),
    "`count_include_pad` is ignored: with False, divide by the number of cells of the "
    "window that lie in the image.",
)
mistake.value(
    "count_turned_round",
    lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
        x, k, stride, padding, not count_include_pad
    ),
    "True and False of `count_include_pad` are swapped.",
)
mistake.value(
    "not_divided",
    lambda x, k, stride=None, padding=0, count_include_pad=True: (
        _average(x, k, stride, padding) * k * k
    ),
    "Those are the sums of the windows: divide each by its number of cells.",
)
mistake.value(
    "divided_by_the_width",
    lambda x, k, stride=None, padding=0, count_include_pad=True: (
        _average(x, k, stride, padding) * k
    ),
    "The sums are divided by `kernel_size`. How many cells has a window?",
)
mistake.value(
    "default_stride_one",
    lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
        x, k, stride or 1, padding, count_include_pad
    ),
    "Without a stride the window moves by its own width: `stride=None` means `stride=kernel_size`.",
)
mistake.value(
    "stride_ignored",
    lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
        x, k, k, padding, count_include_pad
    ),
    "The stride is ignored: the window always moves by its own width.",
)
mistake.value(
    "padding_forgotten",
    lambda x, k, stride=None, padding=0, count_include_pad=True: _average(x, k, stride),
    "The padding is forgotten: put `padding` rows and columns of zeros on every side.",
)
mistake.value(
    "last_window_lost",
    lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
        x, k, stride, padding, count_include_pad
    )[..., :-1, :-1],
    "The last row and column of windows are missing: how many positions are there, the "
    "first one included?",
)
mistake.value(
    "rounded_up",
    lambda x, k, stride=None, padding=0, count_include_pad=True: F.avg_pool2d(
        x, k, stride, padding, True, count_include_pad
    ),
    "A window that hangs over the end is dropped here: round the number of positions down.",
)
mistake.value(
    "channels_averaged",
    lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
        x, k, stride, padding, count_include_pad
    ).mean(1, keepdim=True),
    "The channels were averaged too. Each channel is pooled by itself.",
)
mistake.value(
    "padded_with_minus_infinity",
    lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
        F.pad(x, (padding,) * 4, value=-torch.inf), k, stride
    ),
    "−∞ is the padding of a maximum. In a sum, the number that changes nothing is 0.",
)
mistake.value(
    "maximum",
    lambda x, k, stride=None, padding=0, count_include_pad=True: _max(x, k, stride, padding),
    "Those are the largest numbers of the windows, not their averages.",
)


@later
def cases():
    return (
        Case((whole(1, 1, 2, 4, seed=11, low=-9), 2)),
        Case((whole(1, 1, 3, 5, seed=12, low=-9), 2)),
        Case((whole(1, 1, 2, 3, seed=13, low=-9), 2), {"padding": 1}),
        Case((whole(1, 1, 2, 3, seed=13, low=-9), 2), {"padding": 1, "count_include_pad": False}),
        Case((whole(1, 1, 4, 5, seed=14, low=-9), 3), {"stride": 1}),
        Case((whole(2, 3, 5, 4, seed=15, low=-9), 3), {"stride": 2, "padding": 1}),
        Case(
            (whole(2, 2, 6, 8, seed=16, low=-9).float(), 3),
            {"stride": 2, "padding": 1, "count_include_pad": False},
        ),
    )


avg_pool2d = Exercise(
    name="avg_pool2d",
    lesson=AVERAGE,
    reference=_average,
    cases=cases,
    mistakes=mistake,
)

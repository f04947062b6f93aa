"""The exercises of lesson 02 in which a pooling is written."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistake

LAST_WINDOW = "lesson 02, 'Stride, padding, and the last window'"
AVERAGE = "lesson 02, 'The average of each window'"


def _numbers(*shape, seed=0, low=-9):
    """Small whole numbers, so that faults can be followed with a pencil."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(low, 10, shape, generator=generator).double()


# ---- the largest number of each window ----------------------------------------------------------


def _max(x, kernel_size, stride=None, padding=0):
    return F.max_pool2d(x, kernel_size, stride, padding)


def _padded_with(value, x, kernel_size, stride, padding, sides=(1, 1, 1, 1)):
    padded = F.pad(x, [padding * side for side in sides], value=value)
    return F.max_pool2d(padded, kernel_size, stride)


max_pool2d = Exercise(
    name="max_pool2d",
    lesson=LAST_WINDOW,
    reference=_max,
    cases=(
        Case((_numbers(1, 1, 2, 4, seed=23), 2)),
        Case((_numbers(1, 1, 3, 5, seed=2), 2)),
        Case((_numbers(1, 1, 2, 3, seed=3) - 10, 2), {"padding": 1}),
        Case((_numbers(1, 1, 4, 5, seed=4), 3), {"stride": 1}),
        Case((_numbers(1, 2, 4, 4, seed=5), 2), {"stride": 2}),
        Case((_numbers(2, 3, 5, 4, seed=6) - 5, 3), {"stride": 2, "padding": 1}),
        Case((_numbers(2, 2, 6, 8, seed=7).float(), 2), {"stride": 3}),
    ),
    mistakes=(
        Mistake(
            "zero_padding",
            lambda x, k, stride=None, padding=0: _padded_with(0.0, x, k, stride or k, padding),
            "A 0 of the padding wins over negative numbers. The padding must never win: what is "
            "smaller than every number?",
        ),
        Mistake(
            "default_stride_one",
            lambda x, k, stride=None, padding=0: _max(x, k, stride or 1, padding),
            "Without a stride the window moves by its own width: `stride=None` means "
            "`stride=kernel_size`.",
        ),
        Mistake(
            "stride_ignored",
            lambda x, k, stride=None, padding=0: _max(x, k, k, padding),
            "The stride is ignored: the window always moves by its own width.",
        ),
        Mistake(
            "stride_always_one",
            lambda x, k, stride=None, padding=0: _max(x, k, 1, padding),
            "The stride is ignored: the window always moves by one cell.",
        ),
        Mistake(
            "padding_forgotten",
            lambda x, k, stride=None, padding=0: _max(x, k, stride, 0),
            "The padding is forgotten: it makes room for windows that hang over the border.",
        ),
        Mistake(
            "padding_on_one_side",
            lambda x, k, stride=None, padding=0: _padded_with(
                -torch.inf, x, k, stride or k, padding, (1, 0, 1, 0)
            ),
            "Padding is missing at the bottom and on the right: it belongs on all four sides.",
        ),
        Mistake(
            "last_window_lost",
            lambda x, k, stride=None, padding=0: _max(x, k, stride, padding)[..., :-1, :-1],
            "The last row and column of windows are missing: how many positions are there, the "
            "first one included?",
        ),
        Mistake(
            "rounded_up",
            lambda x, k, stride=None, padding=0: F.max_pool2d(x, k, stride, padding, 1, True),
            "A window that hangs over the end is dropped here: round the number of positions down.",
        ),
        Mistake(
            "height_width_swapped",
            lambda x, k, stride=None, padding=0: _max(x, k, stride, padding).mT,
            "Height and width of the output are swapped.",
        ),
        Mistake(
            "channels_pooled",
            lambda x, k, stride=None, padding=0: _max(x, k, stride, padding).amax(1, keepdim=True),
            "The maximum was taken over the channels too. Each channel is pooled by itself.",
        ),
        Mistake(
            "images_pooled",
            lambda x, k, stride=None, padding=0: (
                _max(x, k, stride, padding).amax((0, 1)).expand(*x.shape[:2], -1, -1)
            ),
            "One maximum was taken over all images and channels: name the two axes of the window, "
            "as in `amax((2, 3))`.",
        ),
        Mistake(
            "minimum",
            lambda x, k, stride=None, padding=0: -_max(-x, k, stride, padding),
            "Those are the smallest numbers of the windows.",
        ),
        Mistake(
            "averaged",
            lambda x, k, stride=None, padding=0: F.avg_pool2d(x, k, stride, padding),
            "Those are the averages of the windows.",
        ),
        Mistake(
            "largest_magnitude",
            lambda x, k, stride=None, padding=0: _max(x.abs(), k, stride, padding),
            "The signs are lost: −6 is smaller than 1.",
        ),
    ),
)


# ---- the average of each window -----------------------------------------------------------------


def _average(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    return F.avg_pool2d(x, kernel_size, stride, padding, False, count_include_pad)


avg_pool2d = Exercise(
    name="avg_pool2d",
    lesson=AVERAGE,
    reference=_average,
    cases=(
        Case((_numbers(1, 1, 2, 4, seed=11), 2)),
        Case((_numbers(1, 1, 3, 5, seed=12), 2)),
        Case((_numbers(1, 1, 2, 3, seed=13), 2), {"padding": 1}),
        Case((_numbers(1, 1, 2, 3, seed=13), 2), {"padding": 1, "count_include_pad": False}),
        Case((_numbers(1, 1, 4, 5, seed=14), 3), {"stride": 1}),
        Case((_numbers(2, 3, 5, 4, seed=15), 3), {"stride": 2, "padding": 1}),
        Case(
            (_numbers(2, 2, 6, 8, seed=16).float(), 3),
            {"stride": 2, "padding": 1, "count_include_pad": False},
        ),
    ),
    mistakes=(
        Mistake(
            "wrong_count",
            lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
                x, k, stride, padding, False
            ),
            "The sum is divided by the cells that lie in the image. With `count_include_pad=True` "
            "the zeros of the padding count as cells too.",
        ),
        Mistake(
            "padding_always_counted",
            lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
                x, k, stride, padding, True
            ),
            "`count_include_pad` is ignored: with False, divide by the number of cells of the "
            "window that lie in the image.",
        ),
        Mistake(
            "count_turned_round",
            lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
                x, k, stride, padding, not count_include_pad
            ),
            "True and False of `count_include_pad` are swapped.",
        ),
        Mistake(
            "not_divided",
            lambda x, k, stride=None, padding=0, count_include_pad=True: (
                _average(x, k, stride, padding) * k * k
            ),
            "Those are the sums of the windows: divide each by its number of cells.",
        ),
        Mistake(
            "divided_by_the_width",
            lambda x, k, stride=None, padding=0, count_include_pad=True: (
                _average(x, k, stride, padding) * k
            ),
            "The sums are divided by `kernel_size`. How many cells has a window?",
        ),
        Mistake(
            "default_stride_one",
            lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
                x, k, stride or 1, padding, count_include_pad
            ),
            "Without a stride the window moves by its own width: `stride=None` means "
            "`stride=kernel_size`.",
        ),
        Mistake(
            "stride_ignored",
            lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
                x, k, k, padding, count_include_pad
            ),
            "The stride is ignored: the window always moves by its own width.",
        ),
        Mistake(
            "padding_forgotten",
            lambda x, k, stride=None, padding=0, count_include_pad=True: _average(x, k, stride),
            "The padding is forgotten: put `padding` rows and columns of zeros on every side.",
        ),
        Mistake(
            "last_window_lost",
            lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
                x, k, stride, padding, count_include_pad
            )[..., :-1, :-1],
            "The last row and column of windows are missing: how many positions are there, the "
            "first one included?",
        ),
        Mistake(
            "rounded_up",
            lambda x, k, stride=None, padding=0, count_include_pad=True: F.avg_pool2d(
                x, k, stride, padding, True, count_include_pad
            ),
            "A window that hangs over the end is dropped here: round the number of positions down.",
        ),
        Mistake(
            "channels_averaged",
            lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
                x, k, stride, padding, count_include_pad
            ).mean(1, keepdim=True),
            "The channels were averaged too. Each channel is pooled by itself.",
        ),
        Mistake(
            "padded_with_minus_infinity",
            lambda x, k, stride=None, padding=0, count_include_pad=True: _average(
                F.pad(x, (padding,) * 4, value=-torch.inf), k, stride
            ),
            "−∞ is the padding of a maximum. In a sum, the number that changes nothing is 0.",
        ),
        Mistake(
            "maximum",
            lambda x, k, stride=None, padding=0, count_include_pad=True: _max(
                x, k, stride, padding
            ),
            "Those are the largest numbers of the windows, not their averages.",
        ),
    ),
)

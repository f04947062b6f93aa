"""The exercises of lesson 01 in which a convolution is written."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistake

SLIDING = "lesson 01, 'Slide, multiply, add'"
CHANNELS = "lesson 01, 'Several channels'"
TURNED = (
    "The kernel is turned by 180°: that is the convolution of mathematics. PyTorch, and this "
    "course, lay the kernel on the image as it stands."
)


def _numbers(*shape, seed=0):
    """Small whole numbers, different in every cell as far as possible, so that faults show."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-4, 10, shape, generator=generator).double()


# ---- one channel, with loops --------------------------------------------------------------------


def _plane(x, weight):
    return F.conv2d(x[None, None], weight[None, None])[0, 0]


def _last_window_lost(x, weight):
    right = _plane(x, weight)
    wrong = torch.zeros_like(right)
    wrong[:-1, :-1] = right[:-1, :-1]
    return wrong


def _window_stands_still(x, weight):
    right = _plane(x, weight)
    return right[0, 0].expand_as(right).clone()


def _always_2_by_2(x, weight):
    right = _plane(x, weight)
    return _plane(x, weight[:2, :2])[: right.shape[0], : right.shape[1]]


def _overwritten(x, weight):
    rows, columns = x.shape[0] - weight.shape[0] + 1, x.shape[1] - weight.shape[1] + 1
    return x[-rows:, -columns:] * weight[-1, -1]


conv2d_plane = Exercise(
    name="conv2d_plane",
    lesson=SLIDING,
    reference=_plane,
    cases=(
        Case((_numbers(3, 3, seed=1), _numbers(2, 2, seed=2))),
        Case((_numbers(4, 3, seed=3), _numbers(2, 3, seed=4))),
        Case((_numbers(4, 6, seed=5), _numbers(3, 2, seed=6))),
        Case((_numbers(7, 5, seed=7), _numbers(3, 3, seed=8))),
    ),
    mistakes=(
        Mistake(
            "flipped_kernel",
            lambda x, w: _plane(x, w.flip(0, 1)),
            TURNED,
        ),
        Mistake(
            "off_by_one",
            lambda x, w: _plane(x, w)[:-1, :-1],
            "The last row and column of windows are missing. Count the places that the window fits "
            "into once more.",
        ),
        Mistake(
            "last_window_lost",
            _last_window_lost,
            "The last row and column were never filled: one of the loops stops one step too early.",
        ),
        Mistake(
            "overwritten",
            _overwritten,
            "Only the last product of each window is left: add each one to those before it.",
        ),
        Mistake(
            "always_2_by_2",
            _always_2_by_2,
            "Of a larger kernel only the first two rows and columns are used: take its size from "
            "the kernel itself.",
        ),
        Mistake(
            "window_stands_still",
            _window_stands_still,
            "Every output number is the one of the first window: the window has to move with the "
            "place in the output.",
        ),
        Mistake(
            "kernel_ignored",
            lambda x, w: _plane(x, torch.ones_like(w)),
            "The cells are added without multiplying by the kernel.",
        ),
        Mistake(
            "maximum_not_sum",
            lambda x, w: x.unfold(0, w.shape[0], 1).unfold(1, w.shape[1], 1).mul(w).amax((-1, -2)),
            "The largest product was kept. The products have to be added.",
        ),
        Mistake(
            "averaged",
            lambda x, w: _plane(x, w) / w.numel(),
            "The sum is not divided by the number of cells.",
        ),
        Mistake(
            "padded",
            lambda x, w: F.pad(_plane(x, w), (0, w.shape[1] - 1, 0, w.shape[0] - 1)),
            "The output has the size of the input. It should have one number for each place that "
            "the kernel fits into.",
        ),
        Mistake(
            "transposed_output",
            lambda x, w: _plane(x, w).T.contiguous(),
            "Rows and columns of the output are swapped.",
        ),
    ),
)


# ---- batches, channels, bias, stride and padding ------------------------------------------------


def _conv(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight, bias, stride, padding)


def _last_channel_only(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x[:, -1:], weight[:, -1:], bias, stride, padding)


def _stride_in_the_size_only(x, weight, bias=None, stride=1, padding=0):
    # The output is as small as it should be, but its windows stand side by side.
    height, width = _conv(x, weight, bias, stride, padding).shape[2:]
    return _conv(x, weight, bias, 1, padding)[:, :, :height, :width]


def _last_window_left_zero(x, weight, bias=None, stride=1, padding=0):
    right = _conv(x, weight, bias, stride, padding)
    wrong = torch.zeros_like(right)
    wrong[:, :, :-1, :-1] = right[:, :, :-1, :-1]
    return wrong


def _first_image_only(x, weight, bias=None, stride=1, padding=0):
    right = F.conv2d(x, weight, bias, stride, padding)
    return right[:1].expand_as(right).clone()


def _first_kernel_only(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight[:1].expand_as(weight), bias, stride, padding)


def _not_summed(x, weight, bias=None, stride=1, padding=0):
    # Each kernel sees the first channel only.
    return F.conv2d(x[:, :1], weight[:, :1], bias, stride, padding)


conv2d = Exercise(
    name="conv2d",
    lesson=CHANNELS,
    reference=_conv,
    cases=(
        Case((_numbers(1, 1, 3, 3, seed=1), _numbers(1, 1, 2, 2, seed=2))),
        Case((_numbers(1, 1, 3, 4, seed=3), _numbers(1, 1, 1, 2, seed=4), _numbers(1, seed=5))),
        Case((_numbers(1, 2, 3, 3, seed=6), _numbers(1, 2, 2, 2, seed=7))),
        Case((_numbers(1, 1, 4, 5, seed=8), _numbers(2, 1, 3, 2, seed=9)), {"stride": 2}),
        Case((_numbers(1, 1, 3, 3, seed=10), _numbers(1, 1, 2, 2, seed=11)), {"padding": 1}),
        Case(
            (_numbers(2, 3, 6, 5, seed=12), _numbers(4, 3, 3, 2, seed=13), _numbers(4, seed=14)),
            {"stride": 2, "padding": 1},
        ),
        Case(
            (_numbers(2, 2, 5, 5, seed=15).float(), _numbers(3, 2, 3, 3, seed=16).float()),
            {"stride": 3},
        ),
    ),
    mistakes=(
        Mistake(
            "flipped_kernel",
            lambda x, w, b=None, stride=1, padding=0: _conv(x, w.flip(-1, -2), b, stride, padding),
            TURNED,
        ),
        Mistake(
            "stride_ignored",
            lambda x, w, b=None, stride=1, padding=0: _conv(x, w, b, 1, padding),
            "The stride is ignored: the window moves by one cell each time.",
            also=(_stride_in_the_size_only,),
        ),
        Mistake(
            "padding_forgotten",
            lambda x, w, b=None, stride=1, padding=0: _conv(x, w, b, stride, 0),
            "The padding is forgotten: put `padding` rows and columns of zeros on every side.",
        ),
        Mistake(
            "bias_lost",
            lambda x, w, b=None, stride=1, padding=0: _conv(x, w, None, stride, padding),
            "The bias is lost: add `bias[o]` to every number of output channel o.",
        ),
        Mistake(
            "channels_not_summed",
            _not_summed,
            "The input channels are not summed: an output number adds the products of all.",
            also=(_last_channel_only,),
        ),
        Mistake(
            "first_kernel_only",
            _first_kernel_only,
            "All output channels come from the first kernel: output channel o has its own, "
            "`weight[o]`.",
        ),
        Mistake(
            "first_image_only",
            _first_image_only,
            "Every image of the batch gets the output of the first one.",
        ),
        Mistake(
            "first_bias_only",
            lambda x, w, b=None, stride=1, padding=0: _conv(
                x, w, None if b is None else b[:1].expand_as(b), stride, padding
            ),
            "Every output channel gets the first bias: output channel o has its own, `bias[o]`.",
        ),
        Mistake(
            "off_by_one",
            lambda x, w, b=None, stride=1, padding=0: _conv(x, w, b, stride, padding)[
                :, :, :-1, :-1
            ],
            "The last row and column of windows are missing: `range` stops before its end.",
            also=(_last_window_left_zero,),
        ),
        Mistake(
            "averaged",
            lambda x, w, b=None, stride=1, padding=0: _conv(
                x, w / w[0, 0].numel(), b, stride, padding
            ),
            "The sum is not divided by the number of cells.",
            also=(
                lambda x, w, b=None, stride=1, padding=0: _conv(
                    x, w / w[0].numel(), b, stride, padding
                ),
            ),
        ),
        Mistake(
            "mirrored_kernel",
            lambda x, w, b=None, stride=1, padding=0: _conv(x, w.flip(-1), b, stride, padding),
            "The kernel is mirrored. Lay it on the image as it stands.",
            also=(
                lambda x, w, b=None, stride=1, padding=0: _conv(x, w.flip(-2), b, stride, padding),
            ),
        ),
        Mistake(
            "channels_averaged",
            lambda x, w, b=None, stride=1, padding=0: _conv(x, w / w.shape[1], b, stride, padding),
            "The channels are averaged. They have to be added.",
        ),
        Mistake(
            "bias_per_channel",
            lambda x, w, b=None, stride=1, padding=0: _conv(
                x, w, None if b is None else b * x.shape[1], stride, padding
            ),
            "The bias is added once for every input channel. Once in all is right.",
        ),
        Mistake(
            "padding_on_one_side",
            lambda x, w, b=None, stride=1, padding=0: _conv(
                F.pad(x, (padding, 0, padding, 0)), w, b, stride, 0
            ),
            "Padding is missing at the bottom and on the right: it belongs on all four sides.",
        ),
        Mistake(
            "height_width_swapped",
            lambda x, w, b=None, stride=1, padding=0: _conv(x.mT, w, b, stride, padding).mT,
            "Height and width are swapped: the kernel's rows run along the image's columns.",
            also=(lambda x, w, b=None, stride=1, padding=0: _conv(x, w, b, stride, padding).mT,),
        ),
        Mistake(
            "stride_offset",
            lambda x, w, b=None, stride=1, padding=0: F.conv2d(x, w, b, 1, padding)[
                :, :, stride - 1 :: stride, stride - 1 :: stride
            ],
            "With a stride, the first window still starts in the corner.",
        ),
    ),
)

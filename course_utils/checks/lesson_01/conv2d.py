"""Lesson 01, exercise 4: The whole convolution."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole

CHANNELS = "lesson 01, 'Several channels'"
TURNED = (
    "The kernel is turned by 180°: that is the convolution of mathematics. PyTorch, and this "
    "course, lay the kernel on the image as it stands."
)


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


mistake = Mistakes()
mistake.value(
    "flipped_kernel",
    lambda x, w, b=None, stride=1, padding=0: _conv(x, w.flip(-1, -2), b, stride, padding),
    TURNED,
)
mistake.value(
    "stride_ignored",
    lambda x, w, b=None, stride=1, padding=0: _conv(x, w, b, 1, padding),
    "The stride is ignored: the window moves by one cell each time.",
    also=(_stride_in_the_size_only,),
)
mistake.value(
    "padding_forgotten",
    lambda x, w, b=None, stride=1, padding=0: _conv(x, w, b, stride, 0),
    "The padding is forgotten: put `padding` rows and columns of zeros on every side.",
)
mistake.value(
    "bias_lost",
    lambda x, w, b=None, stride=1, padding=0: _conv(x, w, None, stride, padding),
    "The bias is lost: add `bias[o]` to every number of output channel o.",
)


@mistake(
    "The input channels are not summed: an output number adds the products of all.",
    also=(_last_channel_only,),
)
def channels_not_summed(x, weight, bias=None, stride=1, padding=0):
    # Each kernel sees the first channel only.
    return F.conv2d(x[:, :1], weight[:, :1], bias, stride, padding)


@mistake(
    "All output channels come from the first kernel: output channel o has its own, `weight[o]`."
)
def first_kernel_only(x, weight, bias=None, stride=1, padding=0):
    return F.conv2d(x, weight[:1].expand_as(weight), bias, stride, padding)


@mistake("Every image of the batch gets the output of the first one.")
def first_image_only(x, weight, bias=None, stride=1, padding=0):
    right = F.conv2d(x, weight, bias, stride, padding)
    return right[:1].expand_as(right).clone()


mistake.value(
    "first_bias_only",
    lambda x, w, b=None, stride=1, padding=0: _conv(
        x, w, None if b is None else b[:1].expand_as(b), stride, padding
    ),
    "Every output channel gets the first bias: output channel o has its own, `bias[o]`.",
)
mistake.value(
    "off_by_one",
    lambda x, w, b=None, stride=1, padding=0: _conv(x, w, b, stride, padding)[:, :, :-1, :-1],
    "The last row and column of windows are missing: `range` stops before its end.",
    also=(_last_window_left_zero,),
)
mistake.value(
    "averaged",
    lambda x, w, b=None, stride=1, padding=0: _conv(x, w / w[0, 0].numel(), b, stride, padding),
    "The sum is not divided by the number of cells.",
    also=(
        lambda x, w, b=None, stride=1, padding=0: _conv(x, w / w[0].numel(), b, stride, padding),
    ),
)
mistake.value(
    "mirrored_kernel",
    lambda x, w, b=None, stride=1, padding=0: _conv(x, w.flip(-1), b, stride, padding),
    "The kernel is mirrored. Lay it on the image as it stands.",
    also=(lambda x, w, b=None, stride=1, padding=0: _conv(x, w.flip(-2), b, stride, padding),),
)
mistake.value(
    "channels_averaged",
    lambda x, w, b=None, stride=1, padding=0: _conv(x, w / w.shape[1], b, stride, padding),
    "The channels are averaged. They have to be added.",
)
mistake.value(
    "bias_per_channel",
    lambda x, w, b=None, stride=1, padding=0: _conv(
        x, w, None if b is None else b * x.shape[1], stride, padding
    ),
    "The bias is added once for every input channel. Once in all is right.",
)
mistake.value(
    "padding_on_one_side",
    lambda x, w, b=None, stride=1, padding=0: _conv(
        F.pad(x, (padding, 0, padding, 0)), w, b, stride, 0
    ),
    "Padding is missing at the bottom and on the right: it belongs on all four sides.",
)
mistake.value(
    "height_width_swapped",
    lambda x, w, b=None, stride=1, padding=0: _conv(x.mT, w, b, stride, padding).mT,
    "Height and width are swapped: the kernel's rows run along the image's columns.",
    also=(lambda x, w, b=None, stride=1, padding=0: _conv(x, w, b, stride, padding).mT,),
)
mistake.value(
    "stride_offset",
    lambda x, w, b=None, stride=1, padding=0: F.conv2d(x, w, b, 1, padding)[
        :, :, stride - 1 :: stride, stride - 1 :: stride
    ],
    "With a stride, the first window still starts in the corner.",
)


@later
def cases():
    return (
        Case((whole(1, 1, 3, 3, seed=1), whole(1, 1, 2, 2, seed=2))),
        Case((whole(1, 1, 3, 4, seed=3), whole(1, 1, 1, 2, seed=4), whole(1, seed=5))),
        Case((whole(1, 2, 3, 3, seed=6), whole(1, 2, 2, 2, seed=7))),
        Case((whole(1, 1, 4, 5, seed=8), whole(2, 1, 3, 2, seed=9)), {"stride": 2}),
        Case((whole(1, 1, 3, 3, seed=10), whole(1, 1, 2, 2, seed=11)), {"padding": 1}),
        Case(
            (whole(2, 3, 6, 5, seed=12), whole(4, 3, 3, 2, seed=13), whole(4, seed=14)),
            {"stride": 2, "padding": 1},
        ),
        Case(
            (whole(2, 2, 5, 5, seed=15).float(), whole(3, 2, 3, 3, seed=16).float()),
            {"stride": 3},
        ),
    )


conv2d = Exercise(
    name="conv2d",
    lesson=CHANNELS,
    reference=_conv,
    cases=cases,
    mistakes=mistake,
)

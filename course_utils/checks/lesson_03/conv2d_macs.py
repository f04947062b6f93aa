"""Lesson 03, exercise 3: MACs."""

import math

from course_utils.checks.engine import Case, Exercise, Mistakes

WORK = "lesson 03, 'Counting the work'"


def _places(x_shape, weight_shape, stride, padding):
    sides = zip(x_shape[2:], weight_shape[2:], strict=True)
    return math.prod((n + 2 * padding - k) // stride + 1 for n, k in sides)


def _macs(x_shape, weight_shape, stride=1, padding=0):
    return x_shape[0] * math.prod(weight_shape) * _places(x_shape, weight_shape, stride, padding)


mistake = Mistakes()
mistake.value(
    "input_channels_forgotten",
    lambda x, w, stride=1, padding=0: _macs(x, w, stride, padding) // w[1],
    "The input channels are missing: each output number sums over all of them.",
)
mistake.value(
    "output_channels_forgotten",
    lambda x, w, stride=1, padding=0: _macs(x, w, stride, padding) // w[0],
    "The output channels are missing: each of them is a picture of sums.",
)
mistake.value(
    "batch_forgotten",
    lambda x, w, stride=1, padding=0: _macs(x, w, stride, padding) // x[0],
    "That is the work for one image. There are N of them.",
)
mistake.value(
    "kernel_forgotten",
    lambda x, w, stride=1, padding=0: _macs(x, w, stride, padding) // (w[2] * w[3]),
    "The kernel's cells are missing: each of them is one product.",
)
mistake.value(
    "only_the_outputs",
    lambda x, w, stride=1, padding=0: x[0] * w[0] * _places(x, w, stride, padding),
    "That counts the output numbers. Each of them is a sum of products.",
)
mistake.value(
    "only_the_weights",
    lambda x, w, stride=1, padding=0: math.prod(w),
    "That is the number of weights. Each is used at every place of every image.",
)
mistake.value(
    "input_places",
    lambda x, w, stride=1, padding=0: x[0] * math.prod(w) * x[2] * x[3],
    "The places of the *input* are counted. There is one sum for each cell of the output.",
)
mistake.value(
    "flops",
    lambda x, w, stride=1, padding=0: 2 * _macs(x, w, stride, padding),
    "Those are FLOPs: product and addition counted apart. A MAC is both together.",
)
mistake.value(
    "stride_ignored",
    lambda x, w, stride=1, padding=0: _macs(x, w, 1, padding),
    "The stride is ignored. It leaves fewer places.",
)
mistake.value(
    "padding_ignored",
    lambda x, w, stride=1, padding=0: _macs(x, w, stride, 0),
    "The padding is ignored. It makes room for more places.",
)
mistake.value(
    "height_for_width",
    lambda x, w, stride=1, padding=0: _macs((*x[:3], x[2]), (*w[:3], w[2]), stride, padding),
    "Height is taken for width, too. Neither pictures nor kernels have to be square.",
    also=(
        lambda x, w, stride=1, padding=0: _macs((*x[:3], x[2] - w[2] + w[3]), w, stride, padding),
    ),
)
mistake.value(
    "padding_once",
    lambda x, w, stride=1, padding=0: _macs(
        (*x[:2], x[2] - padding, x[3] - padding), w, stride, padding
    ),
    "The padding is counted on one side. It lies on both.",
)


conv2d_macs = Exercise(
    name="conv2d_macs",
    lesson=WORK,
    reference=_macs,
    cases=(
        Case(((1, 1, 3, 3), (1, 1, 2, 2))),
        Case(((2, 3, 8, 6), (4, 3, 3, 2))),
        Case(((1, 1, 28, 28), (8, 1, 5, 5))),
        Case(((1, 3, 9, 8), (5, 3, 3, 3), 2, 1)),
        Case(((4, 2, 7, 10), (6, 2, 3, 5)), {"stride": 3, "padding": 2}),
    ),
    mistakes=mistake,
)

"""The exercises of lesson 03 about what a layer holds and costs: shapes of weights, MACs."""

import math

from course_utils.checks.engine import Case, Exercise, Mistake

SHAPES = "lesson 03, 'One, two, three dimensions'"
WORK = "lesson 03, 'Counting the work'"

# ---- shapes of weights --------------------------------------------------------------------------

_SHAPES = ((8, 1, 5, 5), (32, 8, 3, 7), (64, 40, 9), (16, 3, 3, 3, 3))


def _each(change):
    return tuple(change(shape) for shape in _SHAPES)


weight_shapes = Exercise(
    name="weight_shapes",
    lesson=SHAPES,
    reference=_SHAPES,
    mistakes=(
        Mistake(
            "in_before_out",
            _each(lambda s: (s[1], s[0], *s[2:])),
            "Input and output channels are exchanged. The layer is written (in, out), its weight "
            "(out, in, …).",
        ),
        Mistake(
            "kernel_first",
            _each(lambda s: (*s[2:], s[1], s[0])),
            "The kernel stands first, as in TensorFlow. In PyTorch the channels do.",
            also=(_each(lambda s: (*s[2:], s[0], s[1])),),
        ),
        Mistake(
            "input_channels_left_out",
            _each(lambda s: (s[0], *s[2:])),
            "The input channels are missing. Each output channel has a kernel for every one.",
        ),
        Mistake(
            "output_channels_left_out",
            _each(lambda s: s[1:]),
            "The output channels are missing. Each of them has kernels of its own.",
        ),
        Mistake(
            "only_the_kernel",
            _each(lambda s: s[2:]),
            "That is the kernel alone. There is one for each pair of output and input channel.",
        ),
        Mistake(
            "always_two_dimensions",
            ((8, 1, 5, 5), (32, 8, 3, 7), (64, 40, 9, 9), (16, 3, 3, 3)),
            "The kernel has two numbers in all four. It has as many as the layer has directions: "
            "one in Conv1d, three in Conv3d.",
            also=(
                ((8, 1, 5, 5), (32, 8, 3, 7), (64, 40, 9), (16, 3, 3, 3)),
                ((8, 1, 5, 5), (32, 8, 3, 7), (64, 40, 9, 9), (16, 3, 3, 3, 3)),
                ((8, 1, 5, 5), (32, 8, 3, 7), (64, 40, 1, 9), (16, 3, 3, 3, 3)),
            ),
        ),
        Mistake(
            "one_number_for_the_kernel",
            ((8, 1, 5), (32, 8, 3, 7), (64, 40, 9), (16, 3, 3)),
            "A kernel size that is one number still holds for every direction: 5 means 5 × 5 in "
            "Conv2d.",
        ),
        Mistake(
            "kernel_turned",
            ((8, 1, 5, 5), (32, 8, 7, 3), (64, 40, 9), (16, 3, 3, 3, 3)),
            "Height and width are exchanged in one of them: height comes first.",
        ),
        Mistake(
            "batch_in_the_weight",
            _each(lambda s: (1, *s)),
            "There is a 1 in front of each. Images come in batches; weights do not.",
        ),
    ),
)


# ---- MACs ---------------------------------------------------------------------------------------


def _places(x_shape, weight_shape, stride, padding):
    sides = zip(x_shape[2:], weight_shape[2:], strict=True)
    return math.prod((n + 2 * padding - k) // stride + 1 for n, k in sides)


def _macs(x_shape, weight_shape, stride=1, padding=0):
    return x_shape[0] * math.prod(weight_shape) * _places(x_shape, weight_shape, stride, padding)


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
    mistakes=(
        Mistake(
            "input_channels_forgotten",
            lambda x, w, stride=1, padding=0: _macs(x, w, stride, padding) // w[1],
            "The input channels are missing: each output number sums over all of them.",
        ),
        Mistake(
            "output_channels_forgotten",
            lambda x, w, stride=1, padding=0: _macs(x, w, stride, padding) // w[0],
            "The output channels are missing: each of them is a picture of sums.",
        ),
        Mistake(
            "batch_forgotten",
            lambda x, w, stride=1, padding=0: _macs(x, w, stride, padding) // x[0],
            "That is the work for one image. There are N of them.",
        ),
        Mistake(
            "kernel_forgotten",
            lambda x, w, stride=1, padding=0: _macs(x, w, stride, padding) // (w[2] * w[3]),
            "The kernel's cells are missing: each of them is one product.",
        ),
        Mistake(
            "only_the_outputs",
            lambda x, w, stride=1, padding=0: x[0] * w[0] * _places(x, w, stride, padding),
            "That counts the output numbers. Each of them is a sum of products.",
        ),
        Mistake(
            "only_the_weights",
            lambda x, w, stride=1, padding=0: math.prod(w),
            "That is the number of weights. Each is used at every place of every image.",
        ),
        Mistake(
            "input_places",
            lambda x, w, stride=1, padding=0: x[0] * math.prod(w) * x[2] * x[3],
            "The places of the *input* are counted. There is one sum for each cell of the output.",
        ),
        Mistake(
            "flops",
            lambda x, w, stride=1, padding=0: 2 * _macs(x, w, stride, padding),
            "Those are FLOPs: product and addition counted apart. A MAC is both together.",
        ),
        Mistake(
            "stride_ignored",
            lambda x, w, stride=1, padding=0: _macs(x, w, 1, padding),
            "The stride is ignored. It leaves fewer places.",
        ),
        Mistake(
            "padding_ignored",
            lambda x, w, stride=1, padding=0: _macs(x, w, stride, 0),
            "The padding is ignored. It makes room for more places.",
        ),
        Mistake(
            "height_for_width",
            lambda x, w, stride=1, padding=0: _macs(
                (*x[:3], x[2]), (*w[:3], w[2]), stride, padding
            ),
            "Height is taken for width, too. Neither pictures nor kernels have to be square.",
            also=(
                lambda x, w, stride=1, padding=0: _macs(
                    (*x[:3], x[2] - w[2] + w[3]), w, stride, padding
                ),
            ),
        ),
        Mistake(
            "padding_once",
            lambda x, w, stride=1, padding=0: _macs(
                (*x[:2], x[2] - padding, x[3] - padding), w, stride, padding
            ),
            "The padding is counted on one side. It lies on both.",
        ),
    ),
)

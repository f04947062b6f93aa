"""The exercises of lesson 09 about counting what a layer, or a network, has to learn."""

import itertools
import math

from course_utils.checks.engine import Case, Exercise, Mistake

LAYERS = "lesson 09, 'One line a layer'"
BUDGET = "lesson 09, 'The same budget'"

# ---- six layers by hand -------------------------------------------------------------------------

_COUNTS = [608, 16, 80, 144, 0, 7850]


def _some(wrong):
    """The wrong numbers, all of them first, then every choice of them beside right ones."""
    pairs = [dict.fromkeys(pair) for pair in zip(wrong, _COUNTS, strict=True)]
    everything, *others = ([*choice] for choice in itertools.product(*pairs))
    return everything, tuple(answer for answer in others if answer != _COUNTS)


def _misread(name, wrong, sentence, also=()):
    """A mistake that may be made in one of the six layers, in some or in all."""
    answer, others = _some(wrong)
    return Mistake(name, answer, sentence, (*others, *also))


parameters_by_hand = Exercise(
    name="parameters_by_hand",
    lesson=LAYERS,
    reference=_COUNTS,
    mistakes=(
        _misread(
            "bias_forgotten",
            [600, 16, 72, 128, 0, 7840],
            "The biases are missing. Convolutions and Linear add one number per output channel or "
            "output feature.",
            also=([600, 8, 72, 128, 0, 7840],),
        ),
        Mistake(
            "groups_ignored",
            [608, 16, 584, 144, 0, 7850],
            "With `groups=8` each output channel reads one of the eight input channels, not all.",
        ),
        Mistake(
            "one_scale_and_no_shift",
            [608, 8, 80, 144, 0, 7850],
            "A batch norm learns two numbers for each channel: a scale and a shift.",
            also=([608, 2, 80, 144, 0, 7850], [608, 1, 80, 144, 0, 7850]),
        ),
        Mistake(
            "statistics_counted",
            [608, 32, 80, 144, 0, 7850],
            "The running mean and variance are counted too. They are measured, not trained.",
            also=([608, 33, 80, 144, 0, 7850],),
        ),
        Mistake(
            "pooling_counted",
            [608, 16, 80, 144, 4, 7850],
            "A pooling has a window, but nothing in it is trained.",
            also=([608, 16, 80, 144, 64, 7850], [608, 16, 80, 144, 8, 7850]),
        ),
        _misread(
            "side_for_area",
            [128, 16, 32, 144, 0, 7850],
            "A kernel of 5 × 5 has 25 numbers, one of 3 × 3 has 9.",
        ),
        _misread(
            "input_channels_left_out",
            [208, 16, 80, 32, 0, 7850],
            "The input channels are missing: an output channel has a kernel for each one it reads.",
        ),
        _misread(
            "output_channels_left_out",
            [83, 16, 17, 24, 0, 7850],
            "The output channels are missing: each of them has kernels of its own.",
            also=([75, 16, 9, 8, 0, 7850], [76, 16, 10, 9, 0, 7850]),
        ),
        _misread(
            "one_bias_for_all",
            [601, 16, 73, 129, 0, 7841],
            "One bias is counted for the whole layer. There is one for each output.",
        ),
        _misread(
            "bias_for_each_input",
            [603, 16, 80, 136, 0, 8624],
            "The biases are counted by inputs. They are added to the outputs.",
        ),
        _misread(
            "bias_for_each_kernel",
            [624, 16, 80, 256, 0, 7850],
            "A bias is counted for every kernel. The sums over all input channels share one.",
        ),
    ),
)

# ---- any convolution ----------------------------------------------------------------------------


def _conv(in_channels, out_channels, kernel_size, groups=1, bias=True):
    weights = out_channels * in_channels // groups * math.prod(kernel_size)
    return weights + out_channels * bias


conv_parameters = Exercise(
    name="conv_parameters",
    lesson=LAYERS,
    reference=_conv,
    cases=(
        Case((1, 2, (3,))),
        Case((2, 3, (4,))),
        Case((1, 16, (3, 3))),
        Case((3, 4, (3, 5))),
        Case((2, 4, (3, 3)), {"bias": False}),
        Case((8, 8, (3, 3)), {"groups": 8}),
        Case((6, 4, (2, 3, 4)), {"groups": 2, "bias": False}),
    ),
    mistakes=(
        Mistake(
            "bias_forgotten",
            lambda i, o, k, groups=1, bias=True: _conv(i, o, k, groups, False),
            "The bias is missing: one number for each output channel.",
        ),
        Mistake(
            "bias_always",
            lambda i, o, k, groups=1, bias=True: _conv(i, o, k, groups),
            "With `bias=False` there are no biases to count.",
        ),
        Mistake(
            "groups_ignored",
            lambda i, o, k, groups=1, bias=True: _conv(i, o, k, 1, bias),
            "`groups` plays no part. In groups, an output channel reads fewer input channels.",
        ),
        Mistake(
            "groups_divide_twice",
            lambda i, o, k, groups=1, bias=True: (
                o // groups * (i // groups) * math.prod(k) + o * bias
            ),
            "That is one group. There are `groups` of them, each with its share of the outputs.",
        ),
        Mistake(
            "groups_divide_the_bias",
            lambda i, o, k, groups=1, bias=True: _conv(i, o, k, groups, False) + o // groups * bias,
            "The biases are divided by the groups too. Every output channel keeps its own.",
        ),
        Mistake(
            "groups_multiply",
            lambda i, o, k, groups=1, bias=True: o * i * groups * math.prod(k) + o * bias,
            "Groups multiply the count here. They make a layer smaller: each reads only a part.",
        ),
        Mistake(
            "always_square",
            lambda i, o, k, groups=1, bias=True: o * i // groups * k[0] ** 2 + o * bias,
            "The kernel is taken for a square. `kernel_size` has one number for each direction.",
            also=(
                lambda i, o, k, groups=1, bias=True: o * i // groups * k[0] ** len(k) + o * bias,
            ),
        ),
        Mistake(
            "sides_added",
            lambda i, o, k, groups=1, bias=True: o * i // groups * sum(k) + o * bias,
            "The sides of the kernel are added up. How many cells has a table of 3 by 5?",
        ),
        Mistake(
            "only_first_side",
            lambda i, o, k, groups=1, bias=True: o * i // groups * k[0] + o * bias,
            "Only the first side of the kernel counts here.",
        ),
        Mistake(
            "input_channels_left_out",
            lambda i, o, k, groups=1, bias=True: o * math.prod(k) + o * bias,
            "The input channels are missing: an output channel has a kernel for each one it reads.",
        ),
        Mistake(
            "output_channels_left_out",
            lambda i, o, k, groups=1, bias=True: i // groups * math.prod(k) + o * bias,
            "The output channels are missing: each of them has kernels of its own.",
        ),
        Mistake(
            "one_bias_for_all",
            lambda i, o, k, groups=1, bias=True: _conv(i, o, k, groups, False) + bias,
            "One bias is counted for the whole layer. There is one for each output channel.",
        ),
        Mistake(
            "bias_for_each_input",
            lambda i, o, k, groups=1, bias=True: _conv(i, o, k, groups, False) + i * bias,
            "The biases are counted by input channels. They are added to the outputs.",
        ),
        Mistake(
            "bias_for_each_kernel",
            lambda i, o, k, groups=1, bias=True: o * i // groups * (math.prod(k) + bias),
            "A bias is counted for every kernel. The sums over all input channels share one.",
        ),
    ),
)

# ---- a whole network ----------------------------------------------------------------------------


def _stacked(depth, width, kernel_size=3):
    first, others = _conv(1, width, (kernel_size,) * 2), _conv(width, width, (kernel_size,) * 2)
    return first + (depth - 1) * others + 10 * width + 10


stacked_parameters = Exercise(
    name="stacked_parameters",
    lesson=BUDGET,
    reference=_stacked,
    cases=(
        Case((1, 2), {"kernel_size": 1}),
        Case((1, 3)),
        Case((2, 3)),
        Case((3, 4), {"kernel_size": 5}),
        Case((4, 13)),
    ),
    mistakes=(
        Mistake(
            "one_layer_too_many",
            lambda d, w, kernel_size=3: _stacked(d + 1, w, kernel_size),
            "There is one convolution too many. The first one is among the `depth`.",
        ),
        Mistake(
            "first_like_the_others",
            lambda d, w, kernel_size=3: d * (w * w * kernel_size**2 + w) + 10 * w + 10,
            "The first convolution is counted like the others. It reads an image of one channel.",
        ),
        Mistake(
            "all_like_the_first",
            lambda d, w, kernel_size=3: d * (w * kernel_size**2 + w) + 10 * w + 10,
            "Every convolution is counted as if it read one channel. From the second on they read "
            "`width` of them.",
        ),
        Mistake(
            "head_forgotten",
            lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) - 10 * w - 10,
            "The linear layer at the end is missing.",
        ),
        Mistake(
            "bias_of_head_forgotten",
            lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) - 10,
            "The linear layer has a bias too, one for each class.",
        ),
        Mistake(
            "biases_forgotten",
            lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) - d * w - 10,
            "The biases are missing: one per output channel of each convolution, one per class.",
        ),
        Mistake(
            "biases_of_convolutions_forgotten",
            lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) - d * w,
            "The biases of the convolutions are missing.",
        ),
        Mistake(
            "one_bias_a_layer",
            lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) - d * (w - 1),
            "One bias is counted for each convolution. It has one for each of its output channels.",
        ),
        Mistake(
            "side_for_area",
            lambda d, w, kernel_size=3: (
                w * kernel_size + w + (d - 1) * (w * w * kernel_size + w) + 10 * w + 10
            ),
            "A kernel of side k has k · k numbers, not k.",
        ),
        Mistake(
            "kernel_size_ignored",
            lambda d, w, kernel_size=3: _stacked(d, w),
            "Every kernel is taken for one of 3 × 3. Use the argument `kernel_size`.",
        ),
        Mistake(
            "bias_of_head_by_width",
            lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) - 10 + w,
            "The linear layer has a bias for each of its 10 outputs, not for each input.",
        ),
        Mistake(
            "one_layer_too_few",
            lambda d, w, kernel_size=3: _stacked(d - 1, w, kernel_size),
            "There is one convolution too few, counting the first.",
        ),
        Mistake(
            "positions_reach_the_head",
            lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) + 10 * w * (9 - 1),
            "The linear layer is given every position. The average leaves one number per channel.",
            also=(
                lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) + 10 * w * (49 - 1),
                lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) + 10 * w * (784 - 1),
            ),
        ),
    ),
)

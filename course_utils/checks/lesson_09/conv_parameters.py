"""Lesson 09, exercise 2: Any convolution."""

import math

from course_utils.checks.engine import Case, Exercise, Mistakes
from course_utils.checks.lesson_09._conv import _conv

LAYERS = "lesson 09, 'One line a layer'"


mistake = Mistakes()
mistake.value(
    "bias_forgotten",
    lambda i, o, k, groups=1, bias=True: _conv(i, o, k, groups, False),
    "The bias is missing: one number for each output channel.",
)
mistake.value(
    "bias_always",
    lambda i, o, k, groups=1, bias=True: _conv(i, o, k, groups),
    "With `bias=False` there are no biases to count.",
)
mistake.value(
    "groups_ignored",
    lambda i, o, k, groups=1, bias=True: _conv(i, o, k, 1, bias),
    "`groups` plays no part. In groups, an output channel reads fewer input channels.",
)
mistake.value(
    "groups_divide_twice",
    lambda i, o, k, groups=1, bias=True: o // groups * (i // groups) * math.prod(k) + o * bias,
    "That is one group. There are `groups` of them, each with its share of the outputs.",
)
mistake.value(
    "groups_divide_the_bias",
    lambda i, o, k, groups=1, bias=True: _conv(i, o, k, groups, False) + o // groups * bias,
    "The biases are divided by the groups too. Every output channel keeps its own.",
)
mistake.value(
    "groups_multiply",
    lambda i, o, k, groups=1, bias=True: o * i * groups * math.prod(k) + o * bias,
    "Groups multiply the count here. They make a layer smaller: each reads only a part.",
)
mistake.value(
    "always_square",
    lambda i, o, k, groups=1, bias=True: o * i // groups * k[0] ** 2 + o * bias,
    "The kernel is taken for a square. `kernel_size` has one number for each direction.",
    also=(lambda i, o, k, groups=1, bias=True: o * i // groups * k[0] ** len(k) + o * bias,),
)
mistake.value(
    "sides_added",
    lambda i, o, k, groups=1, bias=True: o * i // groups * sum(k) + o * bias,
    "The sides of the kernel are added up. How many cells has a table of 3 by 5?",
)
mistake.value(
    "only_first_side",
    lambda i, o, k, groups=1, bias=True: o * i // groups * k[0] + o * bias,
    "Only the first side of the kernel counts here.",
)
mistake.value(
    "input_channels_left_out",
    lambda i, o, k, groups=1, bias=True: o * math.prod(k) + o * bias,
    "The input channels are missing: an output channel has a kernel for each one it reads.",
)
mistake.value(
    "output_channels_left_out",
    lambda i, o, k, groups=1, bias=True: i // groups * math.prod(k) + o * bias,
    "The output channels are missing: each of them has kernels of its own.",
)
mistake.value(
    "one_bias_for_all",
    lambda i, o, k, groups=1, bias=True: _conv(i, o, k, groups, False) + bias,
    "One bias is counted for the whole layer. There is one for each output channel.",
)
mistake.value(
    "bias_for_each_input",
    lambda i, o, k, groups=1, bias=True: _conv(i, o, k, groups, False) + i * bias,
    "The biases are counted by input channels. They are added to the outputs.",
)
mistake.value(
    "bias_for_each_kernel",
    lambda i, o, k, groups=1, bias=True: o * i // groups * (math.prod(k) + bias),
    "A bias is counted for every kernel. The sums over all input channels share one.",
)


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
    mistakes=mistake,
)

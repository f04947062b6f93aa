"""Lesson 09, exercise 5: How large should weights be."""

import math

from course_utils.checks.engine import Case, Exercise, Mistakes

STRENGTH = "lesson 09, 'What a layer passes on'"


def _fan_in(in_channels, kernel_size, groups):
    return in_channels // groups * kernel_size**2


mistake = Mistakes()
mistake.value(
    "fan_out",
    lambda i, o, k, groups=1: math.sqrt(2 / _fan_in(o, k, groups)),
    "The numbers that go out are counted. What adds up in one output are those that come in.",
    also=(lambda i, o, k, groups=1: math.sqrt(2 / _fan_in(o, k, 1)),),
)
mistake.value(
    "variance",
    lambda i, o, k, groups=1: 2 / _fan_in(i, k, groups),
    "That is the variance. The standard deviation is its square root.",
)
mistake.value(
    "relu_forgotten",
    lambda i, o, k, groups=1: math.sqrt(1 / _fan_in(i, k, groups)),
    "The 2 is missing. ReLU throws away half, and the weights have to make up for it.",
)
mistake.value(
    "side_for_area",
    lambda i, o, k, groups=1: math.sqrt(2 / (i // groups * k)),
    "A window of side k has k · k cells.",
)
mistake.value(
    "kernel_ignored",
    lambda i, o, k, groups=1: math.sqrt(2 / (i // groups)),
    "The kernel plays no part. One output adds up all cells of its window.",
)
mistake.value(
    "channels_ignored",
    lambda i, o, k, groups=1: math.sqrt(2) / k,
    "The channels play no part. One output adds up the windows of all that it reads.",
)
mistake.value(
    "groups_ignored",
    lambda i, o, k, groups=1: math.sqrt(2 / _fan_in(i, k, 1)),
    "`groups` plays no part. In groups, an output reads only some of the input channels.",
)
mistake.value(
    "torchs_default",
    lambda i, o, k, groups=1: math.sqrt(1 / (3 * _fan_in(i, k, groups))),
    "That is what PyTorch does without being asked, and what shrinks the signal.",
)
mistake.value(
    "in_and_out",
    lambda i, o, k, groups=1: math.sqrt(2 / (_fan_in(i, k, groups) + _fan_in(o, k, groups))),
    "Inputs and outputs are averaged: that is Glorot's rule, made for layers without ReLU.",
    also=(lambda i, o, k, groups=1: math.sqrt(2 / (_fan_in(i + o, k, 1))),),
)
mistake.value(
    "bound_of_a_uniform_draw",
    lambda i, o, k, groups=1: math.sqrt(6 / _fan_in(i, k, groups)),
    "That is the bound of a uniform draw with the right deviation, √3 times as large.",
)
mistake.value(
    "root_of_the_fan_only",
    lambda i, o, k, groups=1: 2 / math.sqrt(_fan_in(i, k, groups)),
    "The root was drawn from the fan-in alone. The 2 stands under it as well.",
)
mistake.value(
    "bias_counted",
    lambda i, o, k, groups=1: math.sqrt(2 / (_fan_in(i, k, groups) + 1)),
    "The bias is counted among the inputs. It multiplies nothing that comes in.",
)


he_std = Exercise(
    name="he_std",
    lesson=STRENGTH,
    reference=lambda in_channels, out_channels, kernel_size, groups=1: math.sqrt(
        2 / _fan_in(in_channels, kernel_size, groups)
    ),
    cases=(
        Case((1, 4, 1)),
        Case((8, 2, 3)),
        Case((4, 6, 5)),
        Case((8, 16, 3), {"groups": 4}),
        Case((6, 6, 3), {"groups": 6}),
    ),
    mistakes=mistake,
)

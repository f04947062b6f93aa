"""The exercises of lesson 09 about comparing networks, and about what a layer passes on."""

import math
import statistics

from course_utils.checks.engine import Case, Exercise, Mistake

INTERVAL = "lesson 09, 'Five seeds and an interval'"
STRENGTH = "lesson 09, 'What a layer passes on'"

# Quantiles 0.975 of Student's t, for so many numbers (one more than the degrees of freedom).
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 10: 2.262}

# ---- the interval of a mean ---------------------------------------------------------------------


def _around(middle, half):
    return middle, middle - half, middle + half


def _interval(numbers):
    n = len(numbers)
    return _around(statistics.mean(numbers), T[n] * statistics.stdev(numbers) / math.sqrt(n))


def _half(factor):
    """A mistake that has the right middle, and a half width of its own."""
    return lambda numbers: _around(statistics.mean(numbers), factor(numbers, len(numbers)))


t_interval = Exercise(
    name="t_interval",
    lesson=INTERVAL,
    reference=_interval,
    cases=(
        Case(([0.2, 0.6],)),
        Case(([0.5, 0.6, 0.4],)),
        Case(([0.9, 0.5, 0.8, 0.2],)),
        Case(([0.91, 0.93, 0.95, 0.85, 0.79],)),
        Case(([0.9, 0.9, 0.9, 0.9, 0.4, 0.9, 0.8, 0.7, 0.9, 0.9],)),
    ),
    mistakes=(
        Mistake(
            "root_forgotten",
            _half(lambda x, n: T[n] * statistics.stdev(x)),
            "That is the spread of single runs. A mean of n runs wanders less: divide by √n.",
        ),
        Mistake(
            "divided_by_n_in_the_deviation",
            _half(lambda x, n: T[n] * statistics.pstdev(x) / math.sqrt(n)),
            "The standard deviation was divided by n. For a sample it is n − 1, as in "
            "`statistics.stdev` or `torch.std`.",
        ),
        Mistake(
            "one_standard_error",
            _half(lambda x, n: statistics.stdev(x) / math.sqrt(n)),
            "The factor t is missing: that is one standard error, which covers far less than 95 %.",
        ),
        Mistake(
            "normal_for_t",
            _half(lambda x, n: 1.96 * statistics.stdev(x) / math.sqrt(n)),
            "1.96 is right when the spread is known exactly. From few runs it is a guess itself, "
            "and t is larger.",
            also=(_half(lambda x, n: 2 * statistics.stdev(x) / math.sqrt(n)),),
        ),
        Mistake(
            "divided_by_n",
            _half(lambda x, n: T[n] * statistics.stdev(x) / n),
            "Divide by the root of n, not by n.",
        ),
        Mistake(
            "variance",
            _half(lambda x, n: T[n] * statistics.variance(x) / math.sqrt(n)),
            "The variance was used, the mean of squares. The deviation is its square root.",
        ),
        Mistake(
            "smallest_and_largest",
            lambda x: (statistics.mean(x), min(x), max(x)),
            "Those are the worst and the best run. With more runs they move apart, though the mean "
            "is then known better.",
        ),
        Mistake(
            "root_of_n_minus_1",
            _half(lambda x, n: T[n] * statistics.stdev(x) / math.sqrt(n - 1)),
            "The root is that of n − 1. The n − 1 belongs into the deviation only.",
        ),
        Mistake(
            "median",
            lambda x: _around(statistics.median(x), _interval(x)[2] - _interval(x)[0]),
            "The middle is the median here. The interval is one for the mean.",
        ),
        Mistake(
            "mean_in_the_middle",
            lambda x: (_interval(x)[1], _interval(x)[0], _interval(x)[2]),
            "The order is mean, low, high.",
        ),
        Mistake(
            "high_before_low",
            lambda x: (_interval(x)[0], _interval(x)[2], _interval(x)[1]),
            "Low and high are exchanged: the order is mean, low, high.",
        ),
        Mistake(
            "half_of_the_width",
            _half(lambda x, n: T[n] * statistics.stdev(x) / math.sqrt(n) / 2),
            "The interval is only half as wide: it goes that far in both directions.",
        ),
    ),
)

# ---- how large weights should be ----------------------------------------------------------------


def _fan_in(in_channels, kernel_size, groups):
    return in_channels // groups * kernel_size**2


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
    mistakes=(
        Mistake(
            "fan_out",
            lambda i, o, k, groups=1: math.sqrt(2 / _fan_in(o, k, groups)),
            "The numbers that go out are counted. What adds up in one output are those that come "
            "in.",
            also=(lambda i, o, k, groups=1: math.sqrt(2 / _fan_in(o, k, 1)),),
        ),
        Mistake(
            "variance",
            lambda i, o, k, groups=1: 2 / _fan_in(i, k, groups),
            "That is the variance. The standard deviation is its square root.",
        ),
        Mistake(
            "relu_forgotten",
            lambda i, o, k, groups=1: math.sqrt(1 / _fan_in(i, k, groups)),
            "The 2 is missing. ReLU throws away half, and the weights have to make up for it.",
        ),
        Mistake(
            "side_for_area",
            lambda i, o, k, groups=1: math.sqrt(2 / (i // groups * k)),
            "A window of side k has k · k cells.",
        ),
        Mistake(
            "kernel_ignored",
            lambda i, o, k, groups=1: math.sqrt(2 / (i // groups)),
            "The kernel plays no part. One output adds up all cells of its window.",
        ),
        Mistake(
            "channels_ignored",
            lambda i, o, k, groups=1: math.sqrt(2) / k,
            "The channels play no part. One output adds up the windows of all that it reads.",
        ),
        Mistake(
            "groups_ignored",
            lambda i, o, k, groups=1: math.sqrt(2 / _fan_in(i, k, 1)),
            "`groups` plays no part. In groups, an output reads only some of the input channels.",
        ),
        Mistake(
            "torchs_default",
            lambda i, o, k, groups=1: math.sqrt(1 / (3 * _fan_in(i, k, groups))),
            "That is what PyTorch does without being asked, and what shrinks the signal.",
        ),
        Mistake(
            "in_and_out",
            lambda i, o, k, groups=1: math.sqrt(
                2 / (_fan_in(i, k, groups) + _fan_in(o, k, groups))
            ),
            "Inputs and outputs are averaged: that is Glorot's rule, made for layers without ReLU.",
            also=(lambda i, o, k, groups=1: math.sqrt(2 / (_fan_in(i + o, k, 1))),),
        ),
        Mistake(
            "bound_of_a_uniform_draw",
            lambda i, o, k, groups=1: math.sqrt(6 / _fan_in(i, k, groups)),
            "That is the bound of a uniform draw with the right deviation, √3 times as large.",
        ),
        Mistake(
            "root_of_the_fan_only",
            lambda i, o, k, groups=1: 2 / math.sqrt(_fan_in(i, k, groups)),
            "The root was drawn from the fan-in alone. The 2 stands under it as well.",
        ),
        Mistake(
            "bias_counted",
            lambda i, o, k, groups=1: math.sqrt(2 / (_fan_in(i, k, groups) + 1)),
            "The bias is counted among the inputs. It multiplies nothing that comes in.",
        ),
    ),
)

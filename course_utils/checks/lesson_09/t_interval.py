"""Lesson 09, exercise 4: The interval."""

import math
import statistics

from course_utils.checks.engine import Case, Exercise, Mistakes

INTERVAL = "lesson 09, 'Five seeds and an interval'"


# Quantiles 0.975 of Student's t, for so many numbers (one more than the degrees of freedom).
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 10: 2.262}


def _around(middle, half):
    return middle, middle - half, middle + half


def _interval(numbers):
    n = len(numbers)
    return _around(statistics.mean(numbers), T[n] * statistics.stdev(numbers) / math.sqrt(n))


def _half(factor):
    """A mistake that has the right middle, and a half width of its own."""
    return lambda numbers: _around(statistics.mean(numbers), factor(numbers, len(numbers)))


mistake = Mistakes()
mistake.value(
    "root_forgotten",
    _half(lambda x, n: T[n] * statistics.stdev(x)),
    "That is the spread of single runs. A mean of n runs wanders less: divide by √n.",
)
mistake.value(
    "divided_by_n_in_the_deviation",
    _half(lambda x, n: T[n] * statistics.pstdev(x) / math.sqrt(n)),
    "The standard deviation was divided by n. For a sample it is n − 1, as in "
    "`statistics.stdev` or `torch.std`.",
)
mistake.value(
    "one_standard_error",
    _half(lambda x, n: statistics.stdev(x) / math.sqrt(n)),
    "The factor t is missing: that is one standard error, which covers far less than 95 %.",
)
mistake.value(
    "normal_for_t",
    _half(lambda x, n: 1.96 * statistics.stdev(x) / math.sqrt(n)),
    "1.96 is right when the spread is known exactly. From few runs it is a guess itself, "
    "and t is larger.",
    also=(_half(lambda x, n: 2 * statistics.stdev(x) / math.sqrt(n)),),
)
mistake.value(
    "divided_by_n",
    _half(lambda x, n: T[n] * statistics.stdev(x) / n),
    "Divide by the root of n, not by n.",
)
mistake.value(
    "variance",
    _half(lambda x, n: T[n] * statistics.variance(x) / math.sqrt(n)),
    "The variance was used, the mean of squares. The deviation is its square root.",
)
mistake.value(
    "smallest_and_largest",
    lambda x: (statistics.mean(x), min(x), max(x)),
    "Those are the worst and the best run. With more runs they move apart, though the mean "
    "is then known better.",
)
mistake.value(
    "root_of_n_minus_1",
    _half(lambda x, n: T[n] * statistics.stdev(x) / math.sqrt(n - 1)),
    "The root is that of n − 1. The n − 1 belongs into the deviation only.",
)
mistake.value(
    "median",
    lambda x: _around(statistics.median(x), _interval(x)[2] - _interval(x)[0]),
    "The middle is the median here. The interval is one for the mean.",
)
mistake.value(
    "mean_in_the_middle",
    lambda x: (_interval(x)[1], _interval(x)[0], _interval(x)[2]),
    "The order is mean, low, high.",
)
mistake.value(
    "high_before_low",
    lambda x: (_interval(x)[0], _interval(x)[2], _interval(x)[1]),
    "Low and high are exchanged: the order is mean, low, high.",
)
mistake.value(
    "half_of_the_width",
    _half(lambda x, n: T[n] * statistics.stdev(x) / math.sqrt(n) / 2),
    "The interval is only half as wide: it goes that far in both directions.",
)


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
    mistakes=mistake,
)

"""The exercise of lesson 11 about sound: how much of a tone is in a signal."""

import math

import torch

from course_utils.checks.engine import Case, Exercise, Mistake

POWER = "lesson 11, 'How much of a tone is in it?'"


def _sums(x, frequency, rate):
    angle = 2 * math.pi * frequency / rate * torch.arange(len(x), dtype=torch.float64)
    return (x * angle.cos()).sum().item(), (x * angle.sin()).sum().item()


def _power(x, frequency, rate):
    cosine, sine = _sums(x, frequency, rate)
    return cosine**2 + sine**2


def _products_squared(x, frequency, rate):
    angle = 2 * math.pi * frequency / rate * torch.arange(len(x), dtype=torch.float64)
    return ((x * angle.cos()) ** 2 + (x * angle.sin()) ** 2).sum().item()


def _counted_from_one_in_one_sum(x, frequency, rate):
    angle = 2 * math.pi * frequency / rate * torch.arange(len(x) + 1, dtype=torch.float64)
    return (x * angle[:-1].cos()).sum().item() ** 2 + (x * angle[1:].sin()).sum().item() ** 2


def _signal(length, seed):
    return torch.randint(-5, 6, (length,), generator=torch.Generator().manual_seed(seed)).double()


tone_power = Exercise(
    name="tone_power",
    lesson=POWER,
    reference=_power,
    cases=(
        Case((torch.tensor([1.0, 2.0]), 2000, 8000)),
        Case((torch.tensor([1.0, 0, -1, 0]), 2000, 8000)),
        Case((torch.tensor([2.0, -1, 3, 1, -2]), 697, 8000)),
        Case((_signal(9, seed=1), 3.0, 24)),
        Case((_signal(40, seed=2), 1209, 8000)),
    ),
    mistakes=(
        Mistake(
            "cosine_only",
            lambda x, f, r: _sums(x, f, r)[0] ** 2,
            "The sines are missing. A tone that begins a quarter of an oscillation later would be "
            "overlooked.",
        ),
        Mistake(
            "sine_only",
            lambda x, f, r: _sums(x, f, r)[1] ** 2,
            "The cosines are missing. A tone that begins at its peak would be overlooked.",
        ),
        Mistake(
            "square_of_the_sum",
            lambda x, f, r: sum(_sums(x, f, r)) ** 2,
            "The two sums were added and then squared. Each is squared by itself.",
        ),
        Mistake(
            "not_squared",
            lambda x, f, r: sum(_sums(x, f, r)),
            "The two sums are not squared, so they can cancel each other.",
            also=(lambda x, f, r: abs(sum(_sums(x, f, r))),),
        ),
        Mistake(
            "amplitude",
            lambda x, f, r: math.sqrt(_power(x, f, r)),
            "That is the square root of the power.",
        ),
        Mistake(
            "two_pi_missing",
            lambda x, f, r: _power(x, f / (2 * math.pi), r),
            "The 2π is missing: one oscillation is an angle of 2π.",
        ),
        Mistake(
            "pi_without_two",
            lambda x, f, r: _power(x, f / 2, r),
            "The angle is half of what it should be: one oscillation is 2π, not π.",
        ),
        Mistake(
            "rate_ignored",
            lambda x, f, r: _power(x, f, 1),
            "The rate plays no part. Sample n was taken n / rate seconds after the first.",
        ),
        Mistake(
            "rate_upside_down",
            lambda x, f, r: _power(x, r, f),
            "Frequency and rate have changed places.",
        ),
        Mistake(
            "divided_by_length",
            lambda x, f, r: _power(x, f, r) / len(x),
            "The power was divided by the number of samples. The formula does not do that.",
            also=(lambda x, f, r: _power(x, f, r) / len(x) ** 2,),
        ),
        Mistake(
            "products_squared",
            _products_squared,
            "Each product was squared before adding, so none of them can cancel. Add first, then "
            "square.",
        ),
        Mistake(
            "in_degrees",
            lambda x, f, r: _power(x, f * 180 / math.pi, r),
            "The angles were converted to degrees. cos and sin take radians.",
        ),
        Mistake(
            "shifted_sine",
            _counted_from_one_in_one_sum,
            "Cosine and sine do not count the samples alike. Both begin with n = 0.",
        ),
    ),
)

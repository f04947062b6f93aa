"""Lesson 11, exercise 4: The power of a tone."""

import math

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole

POWER = "lesson 11, 'How much of a tone is in it?'"


def _sums(x, frequency, rate):
    angle = 2 * math.pi * frequency / rate * torch.arange(len(x), dtype=torch.float64)
    return (x * angle.cos()).sum().item(), (x * angle.sin()).sum().item()


def _power(x, frequency, rate):
    cosine, sine = _sums(x, frequency, rate)
    return cosine**2 + sine**2


mistake = Mistakes()
mistake.value(
    "cosine_only",
    lambda x, f, r: _sums(x, f, r)[0] ** 2,
    "The sines are missing. A tone that begins a quarter of an oscillation later would be "
    "overlooked.",
)
mistake.value(
    "sine_only",
    lambda x, f, r: _sums(x, f, r)[1] ** 2,
    "The cosines are missing. A tone that begins at its peak would be overlooked.",
)
mistake.value(
    "square_of_the_sum",
    lambda x, f, r: sum(_sums(x, f, r)) ** 2,
    "The two sums were added and then squared. Each is squared by itself.",
)
mistake.value(
    "not_squared",
    lambda x, f, r: sum(_sums(x, f, r)),
    "The two sums are not squared, so they can cancel each other.",
    also=(lambda x, f, r: abs(sum(_sums(x, f, r))),),
)
mistake.value(
    "amplitude", lambda x, f, r: math.sqrt(_power(x, f, r)), "That is the square root of the power."
)
mistake.value(
    "two_pi_missing",
    lambda x, f, r: _power(x, f / (2 * math.pi), r),
    "The 2π is missing: one oscillation is an angle of 2π.",
)
mistake.value(
    "pi_without_two",
    lambda x, f, r: _power(x, f / 2, r),
    "The angle is half of what it should be: one oscillation is 2π, not π.",
)
mistake.value(
    "rate_ignored",
    lambda x, f, r: _power(x, f, 1),
    "The rate plays no part. Sample n was taken n / rate seconds after the first.",
)
mistake.value(
    "rate_upside_down", lambda x, f, r: _power(x, r, f), "Frequency and rate have changed places."
)
mistake.value(
    "divided_by_length",
    lambda x, f, r: _power(x, f, r) / len(x),
    "The power was divided by the number of samples. The formula does not do that.",
    also=(lambda x, f, r: _power(x, f, r) / len(x) ** 2,),
)


@mistake(
    "Each product was squared before adding, so none of them can cancel. Add first, then square."
)
def products_squared(x, frequency, rate):
    angle = 2 * math.pi * frequency / rate * torch.arange(len(x), dtype=torch.float64)
    return ((x * angle.cos()) ** 2 + (x * angle.sin()) ** 2).sum().item()


mistake.value(
    "in_degrees",
    lambda x, f, r: _power(x, f * 180 / math.pi, r),
    "The angles were converted to degrees. cos and sin take radians.",
)


@mistake("Cosine and sine do not count the samples alike. Both begin with n = 0.")
def shifted_sine(x, frequency, rate):
    angle = 2 * math.pi * frequency / rate * torch.arange(len(x) + 1, dtype=torch.float64)
    return (x * angle[:-1].cos()).sum().item() ** 2 + (x * angle[1:].sin()).sum().item() ** 2


@later
def cases():
    return (
        Case((torch.tensor([1.0, 2.0]), 2000, 8000)),
        Case((torch.tensor([1.0, 0, -1, 0]), 2000, 8000)),
        Case((torch.tensor([2.0, -1, 3, 1, -2]), 697, 8000)),
        Case((whole(9, seed=1, low=-5, high=6), 3.0, 24)),
        Case((whole(40, seed=2, low=-5, high=6), 1209, 8000)),
    )


tone_power = Exercise(
    name="tone_power",
    lesson=POWER,
    reference=_power,
    cases=cases,
    mistakes=mistake,
)

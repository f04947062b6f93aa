"""Lesson 12, exercise 2: Your own int8."""

import torch

from course_utils import compression
from course_utils.checks.engine import Case, Exercise, Mistakes, later

EIGHT_BITS = "lesson 12, 'Eight bits for a weight'"


def _ends(x):
    return min(x.min().item(), 0.0), max(x.max().item(), 0.0)


def _with(x, low, high, steps=255, lowest=-128, rounding=torch.round):
    """Quantisation with some part of it exchanged."""
    scale = (high - low) / steps
    zero_point = round(lowest - low / scale)
    return rounding(x / scale) + zero_point, scale, zero_point


def _quantize(x):
    return compression.quantize(x)


mistake = Mistakes()
mistake.value(
    "zero_outside",
    lambda x: _with(x, x.min().item(), x.max().item()),
    "Where all numbers have one sign, 0 lies outside of the range, and 0 has no step of "
    "its own. Widen the range to 0 first.",
)
mistake.value(
    "steps_256",
    lambda x: _with(x, *_ends(x), steps=256),
    "From the lowest of 256 values to the highest there are 255 steps, not 256.",
)
mistake.value(
    "not_rounded",
    lambda x: _with(x, *_ends(x), rounding=torch.trunc),
    "The decimals are cut off. Round to the nearest step, so that the error is half a step "
    "at most.",
    also=(
        lambda x: _with(x, *_ends(x), rounding=torch.floor),
        lambda x: _with(x, *_ends(x), rounding=lambda v: v),
    ),
)


@mistake("The zero point is subtracted. It is the step on which 0 lands, so it is added.")
def zero_point_subtracted(x):
    _, scale, zero_point = _quantize(x)
    return (x / scale).round() - zero_point, scale, zero_point


@mistake("The zero point is computed, but not added to q.")
def zero_point_missing(x):
    _, scale, zero_point = _quantize(x)
    return (x / scale).round(), scale, zero_point


mistake.value(
    "unsigned",
    lambda x: _with(x, *_ends(x), lowest=0),
    "Those steps go from 0 to 255, which is uint8. int8 goes from −128 to 127.",
)


@mistake(
    "That range reaches equally far to both sides, and some steps are never used. Take the "
    "smallest and the largest number."
)
def symmetric(x):
    scale = x.abs().max().item() / 127
    return (x / scale).round(), scale, 0


def _multiplied(x):
    _, scale, zero_point = _quantize(x)
    return (x * scale).round() + zero_point, scale, zero_point


mistake.value(
    "multiplied",
    _multiplied,
    "x is multiplied by the scale, which is the width of one step. How many steps is x?",
)


@mistake("That scale is the number of steps in 1. The scale is the width of one step.")
def one_over_scale(x):
    q, scale, zero_point = _quantize(x)
    return q, 1 / scale, zero_point


@mistake("The zero point has decimals. It is a step, so round it: then 0 stays exactly 0.")
def zero_point_not_whole(x):
    q, scale, _ = _quantize(x)
    return q, scale, -128 - _ends(x)[0] / scale


@mistake("The first result holds the rounded weights themselves. Return the number of the step.")
def given_back(x):
    q, scale, zero_point = _quantize(x)
    return compression.dequantize(q, scale, zero_point), scale, zero_point


mistake.value(
    "widest_only",
    lambda x: _with(x, 0.0, x.abs().max().item()),
    "That range goes from 0 to the largest magnitude, with no room for numbers below 0.",
)


@later
def cases():
    # 255 steps of 0.02; no number lies near the middle between two, where rounding decides.
    all_range = torch.tensor([-100.0, *(11 * k - 99.8 for k in range(1, 23)), 155.0])
    all_range = 0.02 * all_range.view(2, 3, 2, 2)
    return (
        Case((torch.tensor([-1.0, 0.0, 0.257, 1.55]),)),
        Case((torch.tensor([0.502, 1.016, 2.55]),)),
        Case((torch.tensor([[-5.1, -1.004], [-0.338, -2.726]]),)),
        Case((torch.tensor([[-0.3, 0.5, 0.2], [0.111, -0.15, 0.0]]),)),
        Case((all_range,)),
    )


quantize = Exercise(
    name="quantize",
    lesson=EIGHT_BITS,
    reference=_quantize,
    cases=cases,
    mistakes=mistake,
)

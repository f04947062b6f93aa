"""The exercises of lesson 12 that make a network smaller: int8, and pruning."""

import torch

from course_utils import compression
from course_utils.checks.engine import Case, Exercise, Mistake

EIGHT_BITS = "lesson 12, 'Eight bits for a weight'"
FEWER = "lesson 12, 'Fewer weights'"


# ---- int8 ---------------------------------------------------------------------------------------


def _ends(x):
    return min(x.min().item(), 0.0), max(x.max().item(), 0.0)


def _with(x, low, high, steps=255, lowest=-128, rounding=torch.round):
    """Quantisation with some part of it exchanged."""
    scale = (high - low) / steps
    zero_point = round(lowest - low / scale)
    return rounding(x / scale) + zero_point, scale, zero_point


def _quantize(x):
    return compression.quantize(x)


def _minus_zero_point(x):
    _, scale, zero_point = _quantize(x)
    return (x / scale).round() - zero_point, scale, zero_point


def _no_zero_point(x):
    _, scale, zero_point = _quantize(x)
    return (x / scale).round(), scale, zero_point


def _symmetric(x):
    scale = x.abs().max().item() / 127
    return (x / scale).round(), scale, 0


def _multiplied(x):
    _, scale, zero_point = _quantize(x)
    return (x * scale).round() + zero_point, scale, zero_point


def _one_over(x):
    q, scale, zero_point = _quantize(x)
    return q, 1 / scale, zero_point


def _broken_zero_point(x):
    q, scale, _ = _quantize(x)
    return q, scale, -128 - _ends(x)[0] / scale


def _given_back(x):
    q, scale, zero_point = _quantize(x)
    return compression.dequantize(q, scale, zero_point), scale, zero_point


# 255 steps of 0.02; no number lies near the middle between two, where rounding decides.
_ALL_RANGE = torch.tensor([-100.0, *(11 * k - 99.8 for k in range(1, 23)), 155.0])
_ALL_RANGE = 0.02 * _ALL_RANGE.view(2, 3, 2, 2)

quantize = Exercise(
    name="quantize",
    lesson=EIGHT_BITS,
    reference=_quantize,
    cases=(
        Case((torch.tensor([-1.0, 0.0, 0.257, 1.55]),)),
        Case((torch.tensor([0.502, 1.016, 2.55]),)),
        Case((torch.tensor([[-5.1, -1.004], [-0.338, -2.726]]),)),
        Case((torch.tensor([[-0.3, 0.5, 0.2], [0.111, -0.15, 0.0]]),)),
        Case((_ALL_RANGE,)),
    ),
    mistakes=(
        Mistake(
            "zero_outside",
            lambda x: _with(x, x.min().item(), x.max().item()),
            "Where all numbers have one sign, 0 lies outside of the range, and 0 has no step of "
            "its own. Widen the range to 0 first.",
        ),
        Mistake(
            "steps_256",
            lambda x: _with(x, *_ends(x), steps=256),
            "From the lowest of 256 values to the highest there are 255 steps, not 256.",
        ),
        Mistake(
            "not_rounded",
            lambda x: _with(x, *_ends(x), rounding=torch.trunc),
            "The decimals are cut off. Round to the nearest step, so that the error is half a step "
            "at most.",
            also=(
                lambda x: _with(x, *_ends(x), rounding=torch.floor),
                lambda x: _with(x, *_ends(x), rounding=lambda v: v),
            ),
        ),
        Mistake(
            "zero_point_subtracted",
            _minus_zero_point,
            "The zero point is subtracted. It is the step on which 0 lands, so it is added.",
        ),
        Mistake(
            "zero_point_missing",
            _no_zero_point,
            "The zero point is computed, but not added to q.",
        ),
        Mistake(
            "unsigned",
            lambda x: _with(x, *_ends(x), lowest=0),
            "Those steps go from 0 to 255, which is uint8. int8 goes from −128 to 127.",
        ),
        Mistake(
            "symmetric",
            _symmetric,
            "That range reaches equally far to both sides, and some steps are never used. Take the "
            "smallest and the largest number.",
        ),
        Mistake(
            "multiplied",
            _multiplied,
            "x is multiplied by the scale, which is the width of one step. How many steps is x?",
        ),
        Mistake(
            "one_over_scale",
            _one_over,
            "That scale is the number of steps in 1. The scale is the width of one step.",
        ),
        Mistake(
            "zero_point_not_whole",
            _broken_zero_point,
            "The zero point has decimals. It is a step, so round it: then 0 stays exactly 0.",
        ),
        Mistake(
            "given_back",
            _given_back,
            "The first result holds the rounded weights themselves. Return the number of the step.",
        ),
        Mistake(
            "widest_only",
            lambda x: _with(x, 0.0, x.abs().max().item()),
            "That range goes from 0 to the largest magnitude, with no room for numbers below 0.",
        ),
    ),
)


# ---- pruning ------------------------------------------------------------------------------------


def _mask(weight, sparsity):
    return compression.prune_mask(weight, sparsity)


def _sorted(weight):
    return weight.abs().flatten().sort().values


def _dropped(weight, sparsity):
    return round(sparsity * weight.numel())


def _by_rows(weight, sparsity):
    return torch.stack([_mask(row, sparsity) for row in weight])


def _one_too_many(weight, sparsity):
    return weight.abs() > _sorted(weight)[_dropped(weight, sparsity)]


def _one_too_few(weight, sparsity):
    return weight.abs() >= _sorted(weight)[max(0, _dropped(weight, sparsity) - 1)]


def _weights(*shape, seed):
    """Weights of which no two have the same magnitude."""
    generator = torch.Generator().manual_seed(seed)
    size = torch.Size(shape).numel()
    magnitude = ((torch.randperm(size, generator=generator) + 1.0).view(shape) / 10) ** 2
    return magnitude * (torch.randint(2, shape, generator=generator) * 2 - 1)


prune_mask = Exercise(
    name="prune_mask",
    lesson=FEWER,
    reference=_mask,
    cases=(
        Case((torch.tensor([[3.0, -1.0], [0.5, -2.0]]), 0.5)),
        Case((torch.tensor([[0.4, -0.9, 0.1, 0.8], [0.3, 0.2, -0.6, -0.7]]), 0.25)),
        Case((_weights(4, 5, seed=1), 0.75)),
        Case((torch.tensor([0.2, -0.1, 0.3]), 0.0)),
        Case((_weights(4, 2, 3, 3, seed=2), 0.5)),
    ),
    mistakes=(
        Mistake(
            "signed",
            lambda w, s: _mask(w - w.min() + 1, s),
            "Weights far below 0 are dropped first. The magnitude counts, without the sign.",
        ),
        Mistake(
            "inverted",
            lambda w, s: ~_mask(w, s),
            "The mask is True for what is dropped. It should be True for what is kept.",
        ),
        Mistake(
            "share_kept",
            lambda w, s: _mask(w, 1 - s),
            "`sparsity` is the share that is dropped; here it is the share that is kept.",
        ),
        Mistake(
            "largest_dropped",
            lambda w, s: _mask(1 / w, s),
            "The largest weights are dropped. Drop those that are nearest to 0.",
        ),
        Mistake(
            "share_as_threshold",
            lambda w, s: w.abs() > s,
            "`sparsity` is compared with the weights themselves. It is a share of their number: "
            "first find the magnitude below which that share lies.",
            also=(lambda w, s: w.abs() >= s,),
        ),
        Mistake(
            "share_of_the_largest",
            lambda w, s: w.abs() > s * w.abs().max(),
            "The threshold is a share of the largest magnitude. Count the weights instead.",
            also=(lambda w, s: w.abs() >= s * w.abs().max(),),
        ),
        Mistake(
            "row_by_row",
            _by_rows,
            "Each row loses the same share. All weights of the tensor compete with each other.",
        ),
        Mistake(
            "weights_returned",
            lambda w, s: w * _mask(w, s),
            "Those are the weights that are left. Return the mask: True where a weight is kept.",
        ),
        Mistake(
            "flat",
            lambda w, s: _mask(w, s).flatten(),
            "The mask is right, but lies in one row. Give it the shape of `weight`.",
        ),
        Mistake(
            "one_too_many",
            _one_too_many,
            "One weight too many is dropped: the one at the threshold belongs to those kept.",
        ),
        Mistake(
            "one_too_few",
            _one_too_few,
            "One weight too few is dropped: the one at the threshold belongs to those dropped.",
            also=(lambda w, s: w.abs() >= _sorted(w)[_dropped(w, s) - 1],),
        ),
        Mistake(
            "never_none",
            lambda w, s: w.abs() > w.abs().flatten().quantile(s),
            "With sparsity 0 nothing may be dropped, and here the smallest one is.",
        ),
    ),
)

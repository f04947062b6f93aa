"""Lesson 12, exercise 3: Your own mask."""

import torch

from course_utils import compression
from course_utils.checks.engine import Case, Exercise, Mistakes, later

FEWER = "lesson 12, 'Fewer weights'"


def _mask(weight, sparsity):
    return compression.prune_mask(weight, sparsity)


def _sorted(weight):
    return weight.abs().flatten().sort().values


def _dropped(weight, sparsity):
    return round(sparsity * weight.numel())


def _weights(*shape, seed):
    """Weights of which no two have the same magnitude."""
    generator = torch.Generator().manual_seed(seed)
    size = torch.Size(shape).numel()
    magnitude = ((torch.randperm(size, generator=generator) + 1.0).view(shape) / 10) ** 2
    return magnitude * (torch.randint(2, shape, generator=generator) * 2 - 1)


mistake = Mistakes()
mistake.value(
    "signed",
    lambda w, s: _mask(w - w.min() + 1, s),
    "Weights far below 0 are dropped first. The magnitude counts, without the sign.",
)
mistake.value(
    "inverted",
    lambda w, s: ~_mask(w, s),
    "The mask is True for what is dropped. It should be True for what is kept.",
)
mistake.value(
    "share_kept",
    lambda w, s: _mask(w, 1 - s),
    "`sparsity` is the share that is dropped; here it is the share that is kept.",
)
mistake.value(
    "largest_dropped",
    lambda w, s: _mask(1 / w, s),
    "The largest weights are dropped. Drop those that are nearest to 0.",
)
mistake.value(
    "share_as_threshold",
    lambda w, s: w.abs() > s,
    "`sparsity` is compared with the weights themselves. It is a share of their number: "
    "first find the magnitude below which that share lies.",
    also=(lambda w, s: w.abs() >= s,),
)
mistake.value(
    "share_of_the_largest",
    lambda w, s: w.abs() > s * w.abs().max(),
    "The threshold is a share of the largest magnitude. Count the weights instead.",
    also=(lambda w, s: w.abs() >= s * w.abs().max(),),
)


@mistake("Each row loses the same share. All weights of the tensor compete with each other.")
def row_by_row(weight, sparsity):
    return torch.stack([_mask(row, sparsity) for row in weight])


mistake.value(
    "weights_returned",
    lambda w, s: w * _mask(w, s),
    "Those are the weights that are left. Return the mask: True where a weight is kept.",
)
mistake.value(
    "flat",
    lambda w, s: _mask(w, s).flatten(),
    "The mask is right, but lies in one row. Give it the shape of `weight`.",
)


@mistake("One weight too many is dropped: the one at the threshold belongs to those kept.")
def one_too_many(weight, sparsity):
    return weight.abs() > _sorted(weight)[_dropped(weight, sparsity)]


@mistake(
    "One weight too few is dropped: the one at the threshold belongs to those dropped.",
    also=(lambda w, s: w.abs() >= _sorted(w)[_dropped(w, s) - 1],),
)
def one_too_few(weight, sparsity):
    return weight.abs() >= _sorted(weight)[max(0, _dropped(weight, sparsity) - 1)]


mistake.value(
    "never_none",
    lambda w, s: w.abs() > w.abs().flatten().quantile(s),
    "With sparsity 0 nothing may be dropped, and here the smallest one is.",
)


@later
def cases():
    return (
        Case((torch.tensor([[3.0, -1.0], [0.5, -2.0]]), 0.5)),
        Case((torch.tensor([[0.4, -0.9, 0.1, 0.8], [0.3, 0.2, -0.6, -0.7]]), 0.25)),
        Case((_weights(4, 5, seed=1), 0.75)),
        Case((torch.tensor([0.2, -0.1, 0.3]), 0.0)),
        Case((_weights(4, 2, 3, 3, seed=2), 0.5)),
    )


prune_mask = Exercise(
    name="prune_mask",
    lesson=FEWER,
    reference=_mask,
    cases=cases,
    mistakes=mistake,
)

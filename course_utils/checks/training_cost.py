"""The exercises of lesson 13 about splitting a step: pieces of a batch, 16-bit numbers."""

import math

import torch

from course_utils.checks.engine import Case, Exercise, Mistake

PIECES = "lesson 13, 'A batch in pieces'"
SHORTER = "lesson 13, 'Shorter numbers'"


def _numbers(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-9, 10, shape, generator=generator).double()


# ---- pieces of a batch --------------------------------------------------------------------------


def _combine(gradients, counts):
    return (gradients * counts[:, None]).sum(0) / counts.sum()


combine_gradients = Exercise(
    name="combine_gradients",
    lesson=PIECES,
    reference=_combine,
    cases=(
        Case((torch.tensor([[2.0, -4], [6, 8]]).double(), torch.tensor([3, 1]))),
        Case((_numbers(3, 2, seed=1), torch.tensor([4, 4, 2]))),
        Case((_numbers(2, 2, seed=2), torch.tensor([1, 7]))),
        Case((_numbers(4, 5, seed=3), torch.tensor([16, 16, 16, 5]))),
        Case((_numbers(3, 4, seed=4).float(), torch.tensor([8, 8, 8]))),
    ),
    mistakes=(
        Mistake(
            "plain_mean",
            lambda g, n: g.mean(0),
            "Every piece counts the same here. A piece with fewer images should count less.",
        ),
        Mistake(
            "plain_sum",
            lambda g, n: g.sum(0),
            "The mean gradients are added up, with no regard to the number of images, and nothing "
            "is divided.",
        ),
        Mistake(
            "not_divided",
            lambda g, n: (g * n[:, None]).sum(0),
            "That is the sum over all images. The gradient of a batch is a mean.",
        ),
        Mistake(
            "divided_by_pieces",
            lambda g, n: (g * n[:, None]).sum(0) / len(n),
            "The sum over the images is divided by the number of pieces, not of images.",
        ),
        Mistake(
            "divided_by_counts",
            lambda g, n: (g / n[:, None]).sum(0),
            "The rows are means already: dividing by the number of images undoes nothing, "
            "multiplying does.",
            also=(lambda g, n: (g / n[:, None]).mean(0),),
        ),
        Mistake(
            "sum_over_total",
            lambda g, n: g.sum(0) / n.sum(),
            "Means are added and divided by the number of images. Turn each mean into a sum over "
            "its images first.",
        ),
        Mistake(
            "last_piece_lost",
            lambda g, n: _combine(g[:-1], n[:-1]),
            "The last piece is missing: its images belong to the batch, too.",
        ),
        Mistake(
            "last_piece_only",
            lambda g, n: g[-1],
            "Only the last piece is left, as if the gradients were set to zero between.",
        ),
        Mistake(
            "first_piece_only",
            lambda g, n: g[0],
            "Only the first piece counts.",
        ),
        Mistake(
            "summed_over_features",
            lambda g, n: (g * n[:, None]).sum(1) / n.sum(),
            "The sum runs over the parameters. It should run over the pieces: one number for each "
            "parameter is left.",
            also=(lambda g, n: g.mean(1), lambda g, n: g.sum(1)),
        ),
        Mistake(
            "divided_by_largest",
            lambda g, n: (g * n[:, None]).sum(0) / (n.max() * len(n)),
            "It is divided as if every piece were as large as the largest.",
        ),
        Mistake(
            "counts_along_the_features",
            lambda g, n: (
                (g * n[: g.shape[1]]).sum(0) / n.sum() if g.shape[1] <= len(n) else _combine(g, n)
            ),
            "The counts multiply the columns. Each belongs to a row: `counts[:, None]`.",
        ),
    ),
)


# ---- float16 ------------------------------------------------------------------------------------

_LARGEST = torch.finfo(torch.float16).max


def _below(ratio):
    """The largest power of two that is at most `ratio`."""
    return 2.0 ** math.floor(math.log2(ratio))


def _scale(gradients):
    return _below(_LARGEST / gradients.abs().max().item())


loss_scale = Exercise(
    name="loss_scale",
    lesson=SHORTER,
    reference=_scale,
    cases=(
        Case((torch.tensor([0.5]),)),
        Case((torch.tensor([3.0, -40, 0.1]),)),
        Case((torch.tensor([1e-8, -2e-5, 7e-3]),)),
        Case((torch.tensor([[1.5, -0.2], [0.0, 0.7]]),)),
        Case((torch.tensor([-300_000.0, 2.0]),)),
        Case((torch.tensor([1.0, 2.0, 4.0]),)),
    ),
    mistakes=(
        Mistake(
            "one_step_too_far",
            lambda g: 2 * _scale(g),
            "With this scale the largest gradient becomes infinite. It is the one that goes one "
            "step too far.",
        ),
        Mistake(
            "one_step_too_early",
            lambda g: _scale(g) / 2,
            "It could be twice as large, and nothing would become infinite yet.",
        ),
        Mistake(
            "sign_ignored",
            lambda g: _below(_LARGEST / g.max().item()) if g.max() > 0 else 1.0,
            "A large negative gradient overflows as well: look at the magnitudes.",
        ),
        Mistake(
            "never_below_one",
            lambda g: max(1.0, _scale(g)),
            "The scale never goes below 1. One of these gradients is too large as it is.",
        ),
        Mistake(
            "not_a_power_of_two",
            lambda g: _LARGEST / g.abs().max().item(),
            "That is not a power of two. Another factor would round every gradient once more.",
            also=(lambda g: math.floor(_LARGEST / g.abs().max().item()),),
        ),
        Mistake(
            "exponent",
            lambda g: math.log2(_scale(g)),
            "That is the exponent. The scale is 2 to that power.",
        ),
        Mistake(
            "smallest_gradient",
            lambda g: _below(_LARGEST / g[g != 0].abs().min().item()),
            "The smallest gradient was made to fit. The largest overflows first.",
        ),
        Mistake(
            "mean_gradient",
            lambda g: _below(_LARGEST / g.abs().mean().item()),
            "The mean magnitude was made to fit. Every single gradient has to.",
        ),
        Mistake(
            "limit_of_bfloat16",
            lambda g: _below(torch.finfo(torch.bfloat16).max / g.abs().max().item()),
            "That is the range of float32 and of bfloat16. float16 ends much earlier.",
        ),
        Mistake(
            "largest_becomes_one",
            lambda g: _below(1 / g.abs().max().item()),
            "With this scale the largest gradient is at most 1. float16 goes much further.",
        ),
        Mistake(
            "inverse",
            lambda g: 1 / _scale(g),
            "That is one divided by the scale: what the gradient is multiplied by on the way back.",
        ),
    ),
)

"""Lesson 13, exercise 4: Put the pieces together."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole

PIECES = "lesson 13, 'A batch in pieces'"


def _combine(gradients, counts):
    return (gradients * counts[:, None]).sum(0) / counts.sum()


mistake = Mistakes()
mistake.value(
    "plain_mean",
    lambda g, n: g.mean(0),
    "Every piece counts the same here. A piece with fewer images should count less.",
)
mistake.value(
    "plain_sum",
    lambda g, n: g.sum(0),
    "The mean gradients are added up, with no regard to the number of images, and nothing "
    "is divided.",
)
mistake.value(
    "not_divided",
    lambda g, n: (g * n[:, None]).sum(0),
    "That is the sum over all images. The gradient of a batch is a mean.",
)
mistake.value(
    "divided_by_pieces",
    lambda g, n: (g * n[:, None]).sum(0) / len(n),
    "The sum over the images is divided by the number of pieces, not of images.",
)
mistake.value(
    "divided_by_counts",
    lambda g, n: (g / n[:, None]).sum(0),
    "The rows are means already: dividing by the number of images undoes nothing, "
    "multiplying does.",
    also=(lambda g, n: (g / n[:, None]).mean(0),),
)
mistake.value(
    "sum_over_total",
    lambda g, n: g.sum(0) / n.sum(),
    "Means are added and divided by the number of images. Turn each mean into a sum over "
    "its images first.",
)
mistake.value(
    "last_piece_lost",
    lambda g, n: _combine(g[:-1], n[:-1]),
    "The last piece is missing: its images belong to the batch, too.",
)
mistake.value(
    "last_piece_only",
    lambda g, n: g[-1],
    "Only the last piece is left, as if the gradients were set to zero between.",
)
mistake.value("first_piece_only", lambda g, n: g[0], "Only the first piece counts.")
mistake.value(
    "summed_over_features",
    lambda g, n: (g * n[:, None]).sum(1) / n.sum(),
    "The sum runs over the parameters. It should run over the pieces: one number for each "
    "parameter is left.",
    also=(lambda g, n: g.mean(1), lambda g, n: g.sum(1)),
)
mistake.value(
    "divided_by_largest",
    lambda g, n: (g * n[:, None]).sum(0) / (n.max() * len(n)),
    "It is divided as if every piece were as large as the largest.",
)
mistake.value(
    "counts_along_the_features",
    lambda g, n: (g * n[: g.shape[1]]).sum(0) / n.sum() if g.shape[1] <= len(n) else _combine(g, n),
    "The counts multiply the columns. Each belongs to a row: `counts[:, None]`.",
)


@later
def cases():
    return (
        Case((torch.tensor([[2.0, -4], [6, 8]]).double(), torch.tensor([3, 1]))),
        Case((whole(3, 2, seed=1, low=-9), torch.tensor([4, 4, 2]))),
        Case((whole(2, 2, seed=2, low=-9), torch.tensor([1, 7]))),
        Case((whole(4, 5, seed=3, low=-9), torch.tensor([16, 16, 16, 5]))),
        Case((whole(3, 4, seed=4, low=-9).float(), torch.tensor([8, 8, 8]))),
    )


combine_gradients = Exercise(
    name="combine_gradients",
    lesson=PIECES,
    reference=_combine,
    cases=cases,
    mistakes=mistake,
)

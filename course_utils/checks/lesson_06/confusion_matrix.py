"""Lesson 06, exercise 3: Your own confusion matrix."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole

CONFUSION = "lesson 06, 'Which mistakes?'"


def _confusion(labels, predictions, classes):
    cells = labels * classes + predictions
    return torch.bincount(cells, minlength=classes**2).view(classes, classes)


mistake = Mistakes()
mistake.value(
    "transposed",
    lambda t, p, n: _confusion(p, t, n),
    "Rows and columns are swapped: the row is the true class, the column the predicted.",
)


@mistake(
    "Pairs that occur more than once count only once. With a list of indices, `+= 1` reads "
    "all the old values first and then writes each cell; it does not add repeatedly."
)
def repeated_pairs_lost(labels, predictions, classes):
    matrix = torch.zeros(classes, classes, dtype=torch.int64)
    matrix[labels, predictions] += 1
    return matrix


@mistake("Those are shares of each row. The matrix holds counts.")
def normalised(labels, predictions, classes):
    matrix = _confusion(labels, predictions, classes)
    return matrix / matrix.sum(1, keepdim=True)


mistake.value(
    "divided_by_images",
    lambda t, p, n: _confusion(t, p, n) / len(t),
    "Those are shares of all images. The matrix holds counts.",
)
mistake.value(
    "only_right",
    lambda t, p, n: _confusion(t, p, n).diag().diag(),
    "Only the right answers are counted. The mistakes belong into the matrix too.",
)
mistake.value(
    "only_wrong",
    lambda t, p, n: _confusion(t, p, n) - _confusion(t, p, n).diag().diag(),
    "Only the mistakes are counted. The right answers belong on the diagonal.",
)
mistake.value(
    "predictions_ignored",
    lambda t, p, n: _confusion(t, t, n),
    "Each image is counted under its true class only; what was predicted plays no part.",
)
mistake.value(
    "last_image_lost",
    lambda t, p, n: _confusion(t[:-1], p[:-1], n),
    "The last image is missing: `range` stops before its end.",
)
mistake.value(
    "both_ways",
    lambda t, p, n: _confusion(t, p, n) + _confusion(p, t, n),
    "Every image is counted twice, once in each direction. Each image adds one.",
)


@later
def cases():
    return (
        Case((torch.tensor([0, 1]), torch.tensor([1, 1]), 2)),
        Case((torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 0, 1]), 2)),
        Case((torch.tensor([0, 0, 1]), torch.tensor([1, 0, 0]), 3)),
        Case(
            (
                whole(12, high=3, seed=1, low=0, dtype=torch.int64),
                whole(12, high=3, seed=2, low=0, dtype=torch.int64),
                3,
            )
        ),
        Case(
            (
                whole(60, high=5, seed=3, low=0, dtype=torch.int64),
                whole(60, high=5, seed=4, low=0, dtype=torch.int64),
                5,
            )
        ),
    )


confusion_matrix = Exercise(
    name="confusion_matrix",
    lesson=CONFUSION,
    reference=_confusion,
    cases=cases,
    mistakes=mistake,
)

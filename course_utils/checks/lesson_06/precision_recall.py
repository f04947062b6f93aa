"""Lesson 06, exercise 4: Precision and recall."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole

SHARES = "lesson 06, 'Precision and recall'"


def _share(part, whole):
    return part / whole.clamp(min=1)


def _precision(confusion):
    return _share(confusion.diag(), confusion.sum(0))


def _recall(confusion):
    return _share(confusion.diag(), confusion.sum(1))


def _precision_recall(confusion):
    return _precision(confusion), _recall(confusion)


def _either(confusion):
    right = confusion.diag()
    return _share(2 * right, confusion.sum(0) + confusion.sum(1))


def _class_against_rest(confusion):
    wrong = confusion.sum(0) + confusion.sum(1) - 2 * confusion.diag()
    return 1 - wrong / confusion.sum()


mistake = Mistakes()
mistake.value(
    "swapped",
    lambda c: (_recall(c), _precision(c)),
    "Rows and columns are swapped, or the two results: precision asks about all that were "
    "predicted as a class, recall about all that belong to it.",
)
mistake.value(
    "recall_twice",
    lambda c: (_recall(c), _recall(c)),
    "Both are divided by the sums of the rows. Precision needs all that were predicted.",
)
mistake.value(
    "precision_twice",
    lambda c: (_precision(c), _precision(c)),
    "Both are divided by the sums of the columns. Recall needs all that belong to a class.",
)
mistake.value(
    "divided_by_total",
    lambda c: (c.diag() / c.sum(),) * 2,
    "The counts are divided by the number of all images. Each class has its own whole.",
)
mistake.value(
    "accuracy_returned",
    lambda c: (c.trace() / c.sum(),) * 2,
    "That is the accuracy. Precision and recall are one number for each class.",
)


@mistake("A class that is never predicted, or never met, gives nan. Let it count as 0.")
def zero_division(confusion):
    return confusion.diag() / confusion.sum(0), confusion.diag() / confusion.sum(1)


mistake.value(
    "averaged",
    lambda c: (_precision(c).mean(), _recall(c).mean()),
    "Those are means over the classes. Return one number for each class.",
)
mistake.value(
    "f1_for_precision",
    lambda c: (_either(c), _recall(c)),
    "The first result is F1. Precision divides by what was predicted, and by that alone.",
)


@mistake("The right answers are missing below the line: the whole is right and wrong together.")
def right_over_wrong(confusion):
    right = confusion.diag()
    return _share(right, confusion.sum(0) - right), _share(right, confusion.sum(1) - right)


mistake.value(
    "class_against_rest",
    lambda c: (_class_against_rest(c),) * 2,
    "Images of other classes, rightly called something else, are counted as successes. "
    "Neither precision nor recall looks at them.",
)
mistake.value(
    "share_of_wrong",
    lambda c: (1 - _precision(c), 1 - _recall(c)),
    "Those are the shares of wrong answers. The diagonal holds the right ones.",
)


@later
def cases():
    return (
        Case((torch.tensor([[3, 1], [0, 4]]),)),
        Case((torch.tensor([[4, 1, 0], [0, 3, 1], [0, 1, 2]]),)),
        Case((torch.tensor([[2, 0, 3], [0, 0, 0], [1, 0, 4]]),)),
        Case((whole(5, 5, high=9, seed=5, low=0, dtype=torch.int64),)),
    )


precision_recall = Exercise(
    name="precision_recall",
    lesson=SHARES,
    reference=_precision_recall,
    cases=cases,
    mistakes=mistake,
)

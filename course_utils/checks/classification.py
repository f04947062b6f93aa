"""The exercises of lesson 06 about judging a classifier: accuracy, confusion, precision, recall."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistake

LOOP = "lesson 06, 'The loop, once by hand'"
CONFUSION = "lesson 06, 'Which mistakes?'"
SHARES = "lesson 06, 'Precision and recall'"


def _whole(*shape, high, seed):
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(seed))


# ---- accuracy -----------------------------------------------------------------------------------


def _hits(logits, labels):
    return logits.argmax(1) == labels


def _accuracy(logits, labels):
    return _hits(logits, labels).double().mean().item()


def _of_the_label(logits, labels):
    return logits.softmax(1)[torch.arange(len(labels)), labels]


def _cells_agreeing(logits, labels):
    one_hot = torch.arange(logits.shape[1]) == labels[:, None]
    return ((logits > 0) == one_hot).double().mean().item()


accuracy = Exercise(
    name="accuracy",
    lesson=LOOP,
    reference=_accuracy,
    cases=(
        # As many images as classes, so that an argmax over the images runs and can be named.
        Case((torch.tensor([[6.0, 5.5, 0], [7, 0, 1], [0, 5, 4]]), torch.tensor([0, 2, 1]))),
        Case((torch.tensor([[2.0, 1, 0], [0, 3, 1]]), torch.tensor([0, 2]))),
        Case((torch.tensor([[-1.0, -4], [-2, -1], [1, 5]]), torch.tensor([0, 1, 1]))),
        Case((torch.tensor([[0.3, 0.2, 0.1], [4, 6, 5]]), torch.tensor([0, 0]))),
        Case((_whole(7, 4, high=90, seed=3) / 10 - 4, _whole(7, high=4, seed=4))),
        Case((_whole(30, 10, high=90, seed=1) / 10 - 4, _whole(30, high=10, seed=2))),
    ),
    mistakes=(
        Mistake(
            "argmax_over_images",
            lambda logits, labels: (logits.argmax(0) == labels).double().mean().item(),
            "The largest logit was looked for in each column. Each row is one image: `dim=1`.",
        ),
        Mistake(
            "count",
            lambda logits, labels: _hits(logits, labels).sum().item(),
            "That is the number of right answers. Divide it by the number of images.",
        ),
        Mistake(
            "percent",
            lambda logits, labels: 100 * _accuracy(logits, labels),
            "That is in percent. Here an accuracy is a share, from 0 to 1.",
        ),
        Mistake(
            "error_rate",
            lambda logits, labels: 1 - _accuracy(logits, labels),
            "That is the share of wrong answers. Count the right ones.",
        ),
        Mistake(
            "divided_by_classes",
            lambda logits, labels: _hits(logits, labels).sum().item() / logits.shape[1],
            "The count is divided by the number of classes. Each row is one image: count the rows.",
        ),
        Mistake(
            "smallest_logit",
            lambda logits, labels: _accuracy(-logits, labels),
            "The smallest logit was taken for the answer. The network's answer is the largest.",
        ),
        Mistake(
            "values_compared",
            lambda logits, labels: (logits.amax(1) == labels).double().mean().item(),
            "The largest logit itself is compared with the label. Its position is the answer.",
        ),
        Mistake(
            "all_or_nothing",
            lambda logits, labels: _hits(logits, labels).all().item() * 1.0,
            "That is 1 when every answer is right, else 0. Which share of the answers is right?",
        ),
        Mistake(
            "probability_averaged",
            lambda logits, labels: _of_the_label(logits, labels).mean().item(),
            "That is the mean probability of the true class. An answer is right or wrong, however "
            "sure the network is.",
        ),
        Mistake(
            "more_than_half",
            lambda logits, labels: (_of_the_label(logits, labels) > 0.5).double().mean().item(),
            "An answer counts here only if its probability is above one half. Being the largest is "
            "enough.",
        ),
        Mistake(
            "cells_counted",
            _cells_agreeing,
            "Every logit counts as an answer of its own here. An image has one answer.",
        ),
    ),
)


# ---- confusion matrix ---------------------------------------------------------------------------


def _confusion(labels, predictions, classes):
    cells = labels * classes + predictions
    return torch.bincount(cells, minlength=classes**2).view(classes, classes)


def _repeated_pairs_lost(labels, predictions, classes):
    matrix = torch.zeros(classes, classes, dtype=torch.int64)
    matrix[labels, predictions] += 1
    return matrix


def _by_row(labels, predictions, classes):
    matrix = _confusion(labels, predictions, classes)
    return matrix / matrix.sum(1, keepdim=True)


confusion_matrix = Exercise(
    name="confusion_matrix",
    lesson=CONFUSION,
    reference=_confusion,
    cases=(
        Case((torch.tensor([0, 1]), torch.tensor([1, 1]), 2)),
        Case((torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 0, 1]), 2)),
        Case((torch.tensor([0, 0, 1]), torch.tensor([1, 0, 0]), 3)),
        Case((_whole(12, high=3, seed=1), _whole(12, high=3, seed=2), 3)),
        Case((_whole(60, high=5, seed=3), _whole(60, high=5, seed=4), 5)),
    ),
    mistakes=(
        Mistake(
            "transposed",
            lambda t, p, n: _confusion(p, t, n),
            "Rows and columns are swapped: the row is the true class, the column the predicted.",
        ),
        Mistake(
            "repeated_pairs_lost",
            _repeated_pairs_lost,
            "Pairs that occur more than once count only once. With a list of indices, `+= 1` reads "
            "all the old values first and then writes each cell; it does not add repeatedly.",
        ),
        Mistake(
            "normalised",
            _by_row,
            "Those are shares of each row. The matrix holds counts.",
        ),
        Mistake(
            "divided_by_images",
            lambda t, p, n: _confusion(t, p, n) / len(t),
            "Those are shares of all images. The matrix holds counts.",
        ),
        Mistake(
            "only_right",
            lambda t, p, n: _confusion(t, p, n).diag().diag(),
            "Only the right answers are counted. The mistakes belong into the matrix too.",
        ),
        Mistake(
            "only_wrong",
            lambda t, p, n: _confusion(t, p, n) - _confusion(t, p, n).diag().diag(),
            "Only the mistakes are counted. The right answers belong on the diagonal.",
        ),
        Mistake(
            "predictions_ignored",
            lambda t, p, n: _confusion(t, t, n),
            "Each image is counted under its true class only; what was predicted plays no part.",
        ),
        Mistake(
            "last_image_lost",
            lambda t, p, n: _confusion(t[:-1], p[:-1], n),
            "The last image is missing: `range` stops before its end.",
        ),
        Mistake(
            "both_ways",
            lambda t, p, n: _confusion(t, p, n) + _confusion(p, t, n),
            "Every image is counted twice, once in each direction. Each image adds one.",
        ),
    ),
)


# ---- precision and recall -----------------------------------------------------------------------


def _share(part, whole):
    return part / whole.clamp(min=1)


def _precision(confusion):
    return _share(confusion.diag(), confusion.sum(0))


def _recall(confusion):
    return _share(confusion.diag(), confusion.sum(1))


def _precision_recall(confusion):
    return _precision(confusion), _recall(confusion)


def _with_nan(confusion):
    return confusion.diag() / confusion.sum(0), confusion.diag() / confusion.sum(1)


def _of_the_wrong(confusion):
    right = confusion.diag()
    return _share(right, confusion.sum(0) - right), _share(right, confusion.sum(1) - right)


def _either(confusion):
    right = confusion.diag()
    return _share(2 * right, confusion.sum(0) + confusion.sum(1))


def _class_against_rest(confusion):
    wrong = confusion.sum(0) + confusion.sum(1) - 2 * confusion.diag()
    return 1 - wrong / confusion.sum()


precision_recall = Exercise(
    name="precision_recall",
    lesson=SHARES,
    reference=_precision_recall,
    cases=(
        Case((torch.tensor([[3, 1], [0, 4]]),)),
        Case((torch.tensor([[4, 1, 0], [0, 3, 1], [0, 1, 2]]),)),
        Case((torch.tensor([[2, 0, 3], [0, 0, 0], [1, 0, 4]]),)),
        Case((_whole(5, 5, high=9, seed=5),)),
    ),
    mistakes=(
        Mistake(
            "swapped",
            lambda c: (_recall(c), _precision(c)),
            "Rows and columns are swapped, or the two results: precision asks about all that were "
            "predicted as a class, recall about all that belong to it.",
        ),
        Mistake(
            "recall_twice",
            lambda c: (_recall(c), _recall(c)),
            "Both are divided by the sums of the rows. Precision needs all that were predicted.",
        ),
        Mistake(
            "precision_twice",
            lambda c: (_precision(c), _precision(c)),
            "Both are divided by the sums of the columns. Recall needs all that belong to a class.",
        ),
        Mistake(
            "divided_by_total",
            lambda c: (c.diag() / c.sum(),) * 2,
            "The counts are divided by the number of all images. Each class has its own whole.",
        ),
        Mistake(
            "accuracy_returned",
            lambda c: (c.trace() / c.sum(),) * 2,
            "That is the accuracy. Precision and recall are one number for each class.",
        ),
        Mistake(
            "zero_division",
            _with_nan,
            "A class that is never predicted, or never met, gives nan. Let it count as 0.",
        ),
        Mistake(
            "averaged",
            lambda c: (_precision(c).mean(), _recall(c).mean()),
            "Those are means over the classes. Return one number for each class.",
        ),
        Mistake(
            "f1_for_precision",
            lambda c: (_either(c), _recall(c)),
            "The first result is F1. Precision divides by what was predicted, and by that alone.",
        ),
        Mistake(
            "right_over_wrong",
            _of_the_wrong,
            "The right answers are missing below the line: the whole is right and wrong together.",
        ),
        Mistake(
            "class_against_rest",
            lambda c: (_class_against_rest(c),) * 2,
            "Images of other classes, rightly called something else, are counted as successes. "
            "Neither precision nor recall looks at them.",
        ),
        Mistake(
            "share_of_wrong",
            lambda c: (1 - _precision(c), 1 - _recall(c)),
            "Those are the shares of wrong answers. The diagonal holds the right ones.",
        ),
    ),
)

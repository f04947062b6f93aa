"""A3 · A digit classifier: what its tests ask beyond the examples that students see."""

import math

import torch

from course_utils import data
from course_utils.assignments.classifier import Unfit, logits_of, require_network, result_of
from course_utils.checks import Case, Exercise, Mistake

SHARES = "lesson 06, 'Precision and recall'"
TEST = "lesson 06, 'The test, once'"


def _mixed(*shape, seed, high=10):
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(seed))


# ---- tasks 1 and 2: the trained network on the test images ---------------------------------------


def accuracy(network, size, source, at_least):
    """Whether `network`, of `size` parameters, reads enough of the test images of `source`."""
    return result_of(
        f"accuracy of {at_least:.1%}", _require_accuracy, network, size, source, at_least
    )


def _judged(network, size, source):
    """Which share of the test images is read right; their labels stay here."""
    require_network(network, size)
    split = _digits(source).test
    answers = [logits_of(network, images).argmax(1) for images in split.images.split(1_000)]
    return (torch.cat(answers) == split.labels).double().mean().item()


def _digits(source):
    try:
        return data.load_digits(source if source in data.SOURCES else "auto")
    except data.DataUnavailable:
        return data.load_digits()


def _require_accuracy(network, size, source, at_least):
    reached = _judged(network, size, source)
    if reached < at_least:
        sentence = f"{reached:.2%} of the test images are read right; {at_least:.1%} are asked for."
        raise Unfit("too_low", sentence, TEST)


# ---- task 3: precision and recall, weighted -----------------------------------------------------


def _counts(predicted, labels, digit):
    """Hits, false alarms and misses of one digit."""
    called, true = predicted == digit, labels == digit
    return (
        (called & true).sum().item(),
        (called & ~true).sum().item(),
        (~called & true).sum().item(),
    )


def _divided(part, whole, nothing=0.0):
    return part / whole if whole else nothing


def _precision(predicted, labels, digit, nothing=0.0):
    hits, alarms, _ = _counts(predicted, labels, digit)
    return _divided(hits, hits + alarms, nothing)


def _recall(predicted, labels, digit, nothing=0.0):
    hits, _, misses = _counts(predicted, labels, digit)
    return _divided(hits, hits + misses, nothing)


def _weighted(p, r, weight, nothing=0.0):
    return _divided((1 + weight) * p * r, weight * p + r, nothing)


def _f_beta(predicted, labels, digit, beta, nothing=0.0):
    p = _precision(predicted, labels, digit, nothing)
    r = _recall(predicted, labels, digit, nothing)
    return _weighted(p, r, beta**2, nothing)


def _nan_where_counts_are_zero(predicted, labels, digit, beta):
    hits, alarms, misses = _counts(predicted, labels, digit)
    whole = (1 + beta**2) * hits + beta**2 * misses + alarms
    return _divided((1 + beta**2) * hits, whole, math.nan)


def _mean_over_digits(predicted, labels, digit, beta):
    return sum(_f_beta(predicted, labels, d, beta) for d in range(10)) / 10


def _counts_unsquared(predicted, labels, digit, beta):
    return _weighted(_precision(predicted, labels, digit), _recall(predicted, labels, digit), beta)


def _turned(predicted, labels, digit, beta):
    return _f_beta(labels, predicted, digit, beta)


def _without_factor(predicted, labels, digit, beta):
    return _f_beta(predicted, labels, digit, beta) / (1 + beta**2)


def _plain_mean(weighing):
    def mean(predicted, labels, digit, beta):
        p, r = _precision(predicted, labels, digit), _recall(predicted, labels, digit)
        return (p + weighing(beta) * r) / (1 + weighing(beta))

    return mean


def _many(seed, digits=10):
    """Sixty labels and predictions of which about two in three are right."""
    labels = _mixed(60, seed=seed, high=digits)
    return torch.where(
        _mixed(60, seed=seed + 1, high=3) > 0, labels, _mixed(60, seed=seed + 2, high=digits)
    ), labels


f_beta = Exercise(
    name="f_beta",
    lesson=SHARES,
    reference=lambda predicted, labels, digit, beta: _f_beta(predicted, labels, digit, beta),
    hidden=True,
    cases=(
        Case((torch.tensor([3, 3, 3, 1]), torch.tensor([3, 3, 1, 1]), 3, 2.0)),
        Case((torch.tensor([7, 1, 2, 7, 4, 4]), torch.tensor([7, 7, 7, 1, 7, 4]), 7, 0.5)),
        Case((torch.tensor([0, 1, 0, 0, 5]), torch.tensor([0, 0, 5, 0, 5]), 0, 3)),
        Case((torch.tensor([1, 2, 1]), torch.tensor([1, 2, 8]), 8, 1.0)),
        Case((torch.tensor([4, 2, 4]), torch.tensor([9, 4, 9]), 4, 2.0)),
        Case((torch.tensor([6, 2]), torch.tensor([2, 2]), 6, 0.5)),
        Case((torch.tensor([1, 2, 3]), torch.tensor([1, 3, 3]), 5, 2.0)),
        Case((*_many(seed=12), 2, 0.0)),
        Case((*_many(seed=5), 7, 3.0)),
        Case((*_many(seed=9, digits=4), 0, 0.3)),
    ),
    mistakes=(
        Mistake(
            "beta_ignored",
            lambda predicted, labels, digit, beta: _f_beta(predicted, labels, digit, 1),
            "That is F1 for every beta: recall is to count more for a beta above 1, and less for "
            "one below.",
        ),
        Mistake(
            "beta_not_squared",
            _counts_unsquared,
            "Beta itself stands where its square should.",
        ),
        Mistake(
            "weight_on_precision",
            _turned,
            "Precision and recall have changed places: by their weight, by what each is divided "
            "by, or because labels and predictions are swapped.",
        ),
        Mistake(
            "nothing_divided_by_nothing",
            lambda predicted, labels, digit, beta: _f_beta(
                predicted, labels, digit, beta, math.nan
            ),
            "Where something is divided by 0 the answer is nan. A share of nothing counts as 0.",
            also=(
                _nan_where_counts_are_zero,
                lambda predicted, labels, digit, beta: (
                    _f_beta(predicted, labels, digit, beta)
                    if (predicted == digit).any()
                    else math.nan
                ),
            ),
        ),
        Mistake(
            "one_for_nothing",
            lambda predicted, labels, digit, beta: (
                _f_beta(predicted, labels, digit, beta)
                if ((predicted == digit) | (labels == digit)).any()
                else 1.0
            ),
            "A digit that neither occurs nor is predicted gives 1. It is to count as 0.",
        ),
        Mistake(
            "one_for_never_predicted",
            lambda predicted, labels, digit, beta: (
                _f_beta(predicted, labels, digit, beta) if (predicted == digit).any() else 1.0
            ),
            "A digit that is never predicted gives 1. It is to count as 0.",
        ),
        Mistake(
            "plain_mean",
            _plain_mean(lambda beta: beta**2),
            "That is a plain mean of precision and recall. F is a harmonic one.",
            also=(_plain_mean(lambda beta: beta), _plain_mean(lambda beta: 1)),
        ),
        Mistake(
            "factor_forgotten",
            _without_factor,
            "The factor 1 + beta² is missing: with precision and recall of 1, F has to be 1.",
        ),
        Mistake(
            "precision_returned",
            lambda predicted, labels, digit, beta: _precision(predicted, labels, digit),
            "That is the precision alone.",
        ),
        Mistake(
            "recall_returned",
            lambda predicted, labels, digit, beta: _recall(predicted, labels, digit),
            "That is the recall alone.",
        ),
        Mistake(
            "accuracy_returned",
            lambda predicted, labels, digit, beta: (predicted == labels).double().mean().item(),
            "That is the accuracy over all digits. One digit is asked about.",
        ),
        Mistake(
            "others_counted",
            lambda predicted, labels, digit, beta: (
                ((predicted == digit) == (labels == digit)).double().mean().item()
            ),
            "Images that are not the digit, and are not called it, count as successes. Neither "
            "precision nor recall looks at them.",
        ),
        Mistake(
            "mean_over_digits",
            _mean_over_digits,
            "That is a mean over all ten digits. One digit is asked about.",
        ),
        Mistake(
            "percent",
            lambda predicted, labels, digit, beta: 100 * _f_beta(predicted, labels, digit, beta),
            "That is in percent. F is a share, from 0 to 1.",
        ),
    ),
)

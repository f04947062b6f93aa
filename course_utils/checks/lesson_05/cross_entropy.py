"""Lesson 05, exercise 1: Your own cross-entropy."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import uniform

LOSS = "lesson 05, 'From logits to a loss'"


def _numbers(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def _each(logits, labels):
    return logits.logsumexp(1) - _true(logits, labels)


def _true(logits, labels):
    return logits[torch.arange(len(labels)), labels]


def _of(change):
    """`change` of (the loss of each sample (N,), logits, labels), as one number."""
    return lambda logits, labels: change(_each(logits, labels), logits, labels).item()


_cross_entropy = _of(lambda each, logits, labels: each.mean())


mistake = Mistakes()


@mistake(
    "It breaks down for large logits: the probability comes first here, and `exp` "
    "overflows or gives 0. Take the logarithm on paper, before you compute.",
    also=(
        lambda logits, labels: -_true(logits.softmax(1), labels).log().mean().item(),
        lambda logits, labels: (logits.exp().sum(1).log() - _true(logits, labels)).mean().item(),
    ),
)
def softmax_first(logits, labels):
    powers = logits.exp()
    return -_true(powers / powers.sum(1, keepdim=True), labels).log().mean().item()


mistake.value(
    "summed",
    _of(lambda each, logits, labels: each.sum()),
    "The losses of the samples are added up. Take their mean.",
)
mistake.value(
    "one_for_each",
    lambda logits, labels: _each(logits, labels),
    "Those are the losses of the samples, one for each. Return their mean, one number.",
)
mistake.value(
    "averaged_over_classes",
    _of(lambda each, logits, labels: each.sum() / logits.numel()),
    "The sum is divided by the number of all logits. Sum over the classes, and average "
    "over the samples only.",
)
mistake.value(
    "logarithm_forgotten",
    lambda logits, labels: -_true(logits.softmax(1), labels).mean().item(),
    "The logarithm is missing: that is the probability of the true class, with a minus.",
    also=(
        lambda logits, labels: _true(logits.softmax(1), labels).mean().item(),
        lambda logits, labels: (1 - _true(logits.softmax(1), labels)).mean().item(),
    ),
)
mistake.value(
    "sign_turned",
    _of(lambda each, logits, labels: -each.mean()),
    "The sign is turned: the logarithm of a probability is negative, the loss is not.",
)


@mistake(
    "The sum of the powers runs over the whole batch. Each sample has its own: `dim=1`.",
    also=(lambda logits, labels: (logits.exp().sum().log() - _true(logits, labels)).mean().item(),),
)
def batch_as_one(logits, labels):
    return (logits.flatten().logsumexp(0) - _true(logits, labels)).mean().item()


mistake.value(
    "all_pairs",
    lambda logits, labels: (logits.logsumexp(1)[:, None] - logits[:, labels]).mean().item(),
    "Every row meets every label: `[:, labels]` takes these columns of all rows. Row i "
    "goes with label i.",
    also=(lambda logits, labels: -logits.softmax(1)[:, labels].log().mean().item(),),
)
mistake.value(
    "labels_ignored",
    lambda logits, labels: -logits.log_softmax(1).mean().item(),
    "That is the mean over all classes: the labels play no part.",
)


@mistake("That is the mean squared error of the probabilities. Where is the logarithm?")
def squared_error(logits, labels):
    target = torch.nn.functional.one_hot(labels, logits.shape[1])
    return ((logits.softmax(1) - target) ** 2).mean().item()


@mistake(
    "The softmax runs over the samples. The classes of one sample share its probability: "
    "each row for itself, `dim=1`."
)
def over_samples(logits, labels):
    return -_true(logits.log_softmax(0), labels).mean().item()


mistake.value(
    "largest_in_place_of_true",
    lambda logits, labels: _cross_entropy(logits, logits.argmax(1)),
    "The largest logit is taken for the true one. The label says which one it is.",
)
mistake.value(
    "logit_only",
    lambda logits, labels: -_true(logits, labels).mean().item(),
    "That is the logit of the true class with a minus. What do the other classes say?",
)
mistake.value(
    "softmax_twice",
    lambda logits, labels: _cross_entropy(logits.softmax(1), labels),
    "A softmax is taken twice. The loss takes logits, not probabilities.",
)


@mistake(
    "The largest logit is subtracted in the sum and not in the logit of the true class: "
    "whatever is taken away has to come back."
)
def shift_forgotten(logits, labels):
    shifted = logits - logits.amax(1, keepdim=True)
    return (shifted.logsumexp(1) - _true(logits, labels)).mean().item()


@mistake(
    "Every class is judged as a yes or no of its own. Here the classes share one "
    "probability: exactly one is true."
)
def two_classes(logits, labels):
    target = torch.nn.functional.one_hot(labels, logits.shape[1]).to(logits.dtype)
    each = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return each.sum(1).mean().item()


@mistake(
    "A small number is added inside the logarithm. That hides the overflow: a loss of 1000 "
    "becomes one of 18, and its gradient is lost."
)
def clamped(logits, labels):
    return -(_true(logits.softmax(1), labels) + 1e-8).log().mean().item()


mistake.value(
    "base_two",
    _of(lambda each, logits, labels: each.mean() / torch.tensor(2.0).log()),
    "The logarithm has base 2. Here it is the natural one.",
)


@later
def cases():
    labels = torch.tensor([2, 0, 1])
    return (
        Case((_numbers([2, 1, 0]), labels[:1])),
        Case((_numbers([2, 1, 0], [0, 0, 0]), labels[:2])),
        Case((_numbers([1, -2, 0.5], [3, 0, 1], [-1, 4, 2]), labels)),
        Case((_numbers([0, 1000], [500, -500]), torch.tensor([0, 0]))),
        Case((_numbers([-1000, -1002], [-800, -800]), torch.tensor([0, 1]))),
        Case((uniform(20, 10, seed=1) * 12 - 6, torch.arange(20) % 10)),
    )


cross_entropy = Exercise(
    name="cross_entropy",
    lesson=LOSS,
    reference=_cross_entropy,
    cases=cases,
    mistakes=mistake,
)

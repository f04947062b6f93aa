"""Lesson 05, exercise 6: Dropout."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import uniform

DROPOUT = "lesson 05, 'Dropout'"


def _numbers(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def _dropout(x, draws, p, training=True):
    return x * (draws >= p) / (1 - p) if training else x.clone()


def _in_training(change):
    """A dropout that is right in eval mode, and does `change(x, draws, p)` in training."""
    return lambda x, draws, p, training=True: change(x, draws, p) if training else x.clone()


mistake = Mistakes()
mistake.value(
    "not_scaled",
    _in_training(lambda x, draws, p: x * (draws >= p)),
    "What is left is not scaled up, so the sum of the layer shrinks in training.",
)
mistake.value(
    "divided_by_p",
    _in_training(lambda x, draws, p: x * (draws >= p) / p),
    "What is left is divided by p, the share that is lost. Divide by the share that stays.",
)
mistake.value(
    "p_is_the_share_that_stays",
    _in_training(lambda x, draws, p: x * (draws < p) / p),
    "p is taken for the share that stays. In PyTorch, and here, it is the share that is dropped.",
)
mistake.value(
    "wrong_ones_dropped",
    _in_training(lambda x, draws, p: x * (draws < p) / (1 - p)),
    "The scale is right, but the others are dropped: a cell goes where its draw is below p.",
)
mistake.value(
    "wrong_threshold",
    _in_training(lambda x, draws, p: x * (draws < 1 - p) / (1 - p)),
    "As many stay on average, but not the same ones: a cell goes where its draw is below p.",
)
mistake.value(
    "in_eval_mode_too",
    lambda x, draws, p, training=True: _dropout(x, draws, p),
    "It drops in eval mode, too. There nothing is random.",
)
mistake.value(
    "scaled_at_test_time",
    lambda x, draws, p, training=True: x * (draws >= p) if training else x * (1 - p),
    "The scaling is done in eval mode, as in the paper of 2014. PyTorch does it in "
    "training, so that eval mode has nothing to do.",
)
mistake.value(
    "scaled_twice",
    lambda x, draws, p, training=True: _dropout(x, draws, p) if training else x * (1 - p),
    "Training is right. In eval mode x is scaled down once more: leave it as it is.",
)
mistake.value(
    "scaled_in_eval_mode",
    lambda x, draws, p, training=True: _dropout(x, draws, p) if training else x / (1 - p),
    "Training is right. In eval mode x is scaled up too: leave it as it is.",
)
mistake.value(
    "multiplied",
    _in_training(lambda x, draws, p: x * (draws >= p) * (1 - p)),
    "What is left is made smaller, though it should make up for what was lost.",
)
mistake.value(
    "dropped_scaled_too",
    _in_training(lambda x, draws, p: x / (1 - p)),
    "Everything is scaled up, and nothing is dropped.",
)
mistake.value(
    "modes_swapped",
    lambda x, draws, p, training=True: _dropout(x, draws, p, not training),
    "The modes are swapped: it drops in eval mode and not in training.",
)
mistake.value(
    "draws_multiplied",
    _in_training(lambda x, draws, p: x * draws),
    "x is multiplied by the draws themselves. They only decide who stays.",
)
mistake.value(
    "mask_returned",
    _in_training(lambda x, draws, p: (draws >= p) / (1 - p)),
    "That is the mask. Multiply x by it.",
)
mistake.value(
    "scaled_by_what_is_left",
    _in_training(lambda x, draws, p: x * (draws >= p) / (draws >= p).double().mean()),
    "The scale depends on how many are left by chance. It is always 1/(1 − p).",
)


@later
def cases():
    return (
        Case((_numbers(4, 4, 4, 4), _numbers(0.1, 0.6, 0.3, 0.9), 0.5)),
        Case((_numbers(3, 6, 9, 12), _numbers(0.1, 0.3, 0.6, 0.8), 0.25)),
        Case((_numbers(3, 6, 9, 12), _numbers(0.1, 0.3, 0.6, 0.8), 0.25), {"training": False}),
        Case((_numbers([1, -2], [-3, 4]), _numbers([0.9, 0.2], [0.85, 0.1]), 0.8)),
        Case((uniform(6, 5, seed=3) - 0.5, uniform(6, 5, seed=4), 0.1)),
        Case((_numbers(1, 2), _numbers(0.0, 0.5), 0.0)),
    )


dropout = Exercise(
    name="dropout",
    lesson=DROPOUT,
    reference=_dropout,
    cases=cases,
    mistakes=mistake,
)

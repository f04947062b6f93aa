"""The exercises of lesson 05 about a network's parts: the parameters of its layers, and dropout."""

from itertools import pairwise

import torch

from course_utils.checks.engine import Case, Exercise, Mistake

NETWORK = "lesson 05, 'A network of four layers'"
DROPOUT = "lesson 05, 'Dropout'"


def _numbers(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def _random(*shape, seed):
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


# ---- parameters of a fully connected network ----------------------------------------------------

_SIZES = (784, 256, 128, 64, 10)
_PAIRS = list(pairwise(_SIZES))
_RIGHT = [i * o + o for i, o in _PAIRS]

mlp_parameters = Exercise(
    name="mlp_parameters",
    lesson=NETWORK,
    reference=_RIGHT,
    mistakes=(
        Mistake(
            "bias_forgotten",
            [i * o for i, o in _PAIRS],
            "Those are the weights. Each output has a bias, too.",
        ),
        Mistake(
            "bias_of_the_inputs",
            [i * o + i for i, o in _PAIRS],
            "There is one bias for each input here. The sum of each output has one.",
        ),
        Mistake(
            "one_bias",
            [i * o + 1 for i, o in _PAIRS],
            "There is one bias for the whole layer here. Each output has its own.",
        ),
        Mistake(
            "not_flattened",
            [28 * 256 + 256, *_RIGHT[1:]],
            "The first layer was counted with 28 inputs. The image is laid out in one row before "
            "it: how many pixels does it have?",
        ),
        Mistake(
            "outputs_counted",
            list(_SIZES[1:]),
            "Those are the outputs of the layers. How many weights does each of them have?",
        ),
        Mistake(
            "added_not_multiplied",
            [i + o for i, o in _PAIRS],
            "Inputs and outputs were added. Every output has a weight for every input.",
        ),
        Mistake(
            "total_only",
            sum(_RIGHT),
            "That is the sum of all. Give the four layers one by one.",
            also=([sum(_RIGHT)],),
        ),
        Mistake(
            "added_up",
            [sum(_RIGHT[: n + 1]) for n in range(4)],
            "The layers before are added in. Count each layer for itself.",
        ),
        Mistake(
            "other_way_round",
            _RIGHT[::-1],
            "The numbers are right; begin with the layer that the image meets first.",
        ),
        Mistake(
            "output_layer_forgotten",
            _RIGHT[:3],
            "Those are the three hidden layers. The output layer has parameters, too.",
        ),
        Mistake(
            "flatten_counted",
            [0, *_RIGHT],
            "`Flatten` has no parameters and is not asked for. Give the four `Linear` layers.",
        ),
    ),
)

# ---- dropout ------------------------------------------------------------------------------------


def _dropout(x, draws, p, training=True):
    return x * (draws >= p) / (1 - p) if training else x.clone()


def _in_training(change):
    """A dropout that is right in eval mode, and does `change(x, draws, p)` in training."""
    return lambda x, draws, p, training=True: change(x, draws, p) if training else x.clone()


dropout = Exercise(
    name="dropout",
    lesson=DROPOUT,
    reference=_dropout,
    cases=(
        Case((_numbers(4, 4, 4, 4), _numbers(0.1, 0.6, 0.3, 0.9), 0.5)),
        Case((_numbers(3, 6, 9, 12), _numbers(0.1, 0.3, 0.6, 0.8), 0.25)),
        Case((_numbers(3, 6, 9, 12), _numbers(0.1, 0.3, 0.6, 0.8), 0.25), {"training": False}),
        Case((_numbers([1, -2], [-3, 4]), _numbers([0.9, 0.2], [0.85, 0.1]), 0.8)),
        Case((_random(6, 5, seed=3) - 0.5, _random(6, 5, seed=4), 0.1)),
        Case((_numbers(1, 2), _numbers(0.0, 0.5), 0.0)),
    ),
    mistakes=(
        Mistake(
            "not_scaled",
            _in_training(lambda x, draws, p: x * (draws >= p)),
            "What is left is not scaled up, so the sum of the layer shrinks in training.",
        ),
        Mistake(
            "divided_by_p",
            _in_training(lambda x, draws, p: x * (draws >= p) / p),
            "What is left is divided by p, the share that is lost. Divide by the share that stays.",
        ),
        Mistake(
            "p_is_the_share_that_stays",
            _in_training(lambda x, draws, p: x * (draws < p) / p),
            "p is taken for the share that stays. In PyTorch, and here, it is the share that is "
            "dropped.",
        ),
        Mistake(
            "wrong_ones_dropped",
            _in_training(lambda x, draws, p: x * (draws < p) / (1 - p)),
            "The scale is right, but the others are dropped: a cell goes where its draw is below "
            "p.",
        ),
        Mistake(
            "wrong_threshold",
            _in_training(lambda x, draws, p: x * (draws < 1 - p) / (1 - p)),
            "As many stay on average, but not the same ones: a cell goes where its draw is below "
            "p.",
        ),
        Mistake(
            "in_eval_mode_too",
            lambda x, draws, p, training=True: _dropout(x, draws, p),
            "It drops in eval mode, too. There nothing is random.",
        ),
        Mistake(
            "scaled_at_test_time",
            lambda x, draws, p, training=True: x * (draws >= p) if training else x * (1 - p),
            "The scaling is done in eval mode, as in the paper of 2014. PyTorch does it in "
            "training, so that eval mode has nothing to do.",
        ),
        Mistake(
            "scaled_twice",
            lambda x, draws, p, training=True: _dropout(x, draws, p) if training else x * (1 - p),
            "Training is right. In eval mode x is scaled down once more: leave it as it is.",
        ),
        Mistake(
            "scaled_in_eval_mode",
            lambda x, draws, p, training=True: _dropout(x, draws, p) if training else x / (1 - p),
            "Training is right. In eval mode x is scaled up too: leave it as it is.",
        ),
        Mistake(
            "multiplied",
            _in_training(lambda x, draws, p: x * (draws >= p) * (1 - p)),
            "What is left is made smaller, though it should make up for what was lost.",
        ),
        Mistake(
            "dropped_scaled_too",
            _in_training(lambda x, draws, p: x / (1 - p)),
            "Everything is scaled up, and nothing is dropped.",
        ),
        Mistake(
            "modes_swapped",
            lambda x, draws, p, training=True: _dropout(x, draws, p, not training),
            "The modes are swapped: it drops in eval mode and not in training.",
        ),
        Mistake(
            "draws_multiplied",
            _in_training(lambda x, draws, p: x * draws),
            "x is multiplied by the draws themselves. They only decide who stays.",
        ),
        Mistake(
            "mask_returned",
            _in_training(lambda x, draws, p: (draws >= p) / (1 - p)),
            "That is the mask. Multiply x by it.",
        ),
        Mistake(
            "scaled_by_what_is_left",
            _in_training(lambda x, draws, p: x * (draws >= p) / (draws >= p).double().mean()),
            "The scale depends on how many are left by chance. It is always 1/(1 − p).",
        ),
    ),
)

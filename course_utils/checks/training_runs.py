"""The exercises of lesson 06 about a training: what goes into the first Linear, when to stop."""

import math
from itertools import pairwise

from course_utils.checks.engine import Case, Exercise, Mistake

SIZES = "lesson 06, 'A size that does not fit'"
STOPPING = "lesson 06, 'Stop in time'"

# ---- how many features the first Linear gets ----------------------------------------------------


def _side(size, layers, kernel_size, padding, pool=lambda side: side // 2, extra=1):
    """The side of the last map: `layers` times a convolution and a pooling."""
    for _ in range(layers):
        size = pool(size + 2 * padding - kernel_size + extra)
    return size


def _features(size, channels, kernel_size, padding=0):
    return channels[-1] * _side(size, len(channels), kernel_size, padding) ** 2


def _last_pool_forgotten(size, channels, kernel_size, padding=0):
    before = _side(size, len(channels) - 1, kernel_size, padding)
    return channels[-1] * (before + 2 * padding - kernel_size + 1) ** 2


features_into_linear = Exercise(
    name="features_into_linear",
    lesson=SIZES,
    reference=_features,
    cases=(
        Case((6, (2,), 3)),
        Case((28, (6, 16), 5)),
        Case((28, (16,), 3), {"padding": 1}),
        Case((28, (32,), 3)),
        Case((29, (3, 4), 3), {"padding": 1}),
        Case((21, (4, 8), 2)),
    ),
    mistakes=(
        Mistake(
            "channels_forgotten",
            lambda n, c, k, padding=0: _side(n, len(c), k, padding) ** 2,
            "That is one channel. Flatten lays all the channels of the last map side by side.",
        ),
        Mistake(
            "one_side_only",
            lambda n, c, k, padding=0: c[-1] * _side(n, len(c), k, padding),
            "A map has rows and columns: the side counts twice.",
        ),
        Mistake(
            "last_pool_forgotten",
            _last_pool_forgotten,
            "The last pooling is missing: it halves the sides once more before the Flatten.",
        ),
        Mistake(
            "pooling_forgotten",
            lambda n, c, k, padding=0: c[-1] * _side(n, len(c), k, padding, lambda s: s) ** 2,
            "The poolings are missing: each halves the sides.",
        ),
        Mistake(
            "kernel_ignored",
            lambda n, c, k, padding=0: c[-1] * _side(n, len(c), 1, 0) ** 2,
            "The convolutions are taken to keep the size. They keep it only with enough padding.",
        ),
        Mistake(
            "padding_forgotten",
            lambda n, c, k, padding=0: _features(n, c, k),
            "The padding is missing.",
        ),
        Mistake(
            "padding_on_one_side",
            lambda n, c, k, padding=0: c[-1] * _side(n, len(c), k - padding, 0) ** 2,
            "Padding is added on both sides, so it counts twice.",
        ),
        Mistake(
            "one_too_few",
            lambda n, c, k, padding=0: c[-1] * _side(n, len(c), k, padding, extra=0) ** 2,
            "A convolution's output has one number more: the first window counts too.",
        ),
        Mistake(
            "rounded_up",
            lambda n, c, k, padding=0: (
                c[-1] * _side(n, len(c), k, padding, lambda s: -(-s // 2)) ** 2
            ),
            "With an odd side the pooling drops the last row and column, so round down.",
        ),
        Mistake(
            "not_rounded",
            lambda n, c, k, padding=0: c[-1] * _side(n, len(c), k, padding, lambda s: s / 2) ** 2,
            "There are no half rows: halve with `//` in place of `/`.",
        ),
        Mistake(
            "channels_multiplied",
            lambda n, c, k, padding=0: math.prod(c) * _side(n, len(c), k, padding) ** 2,
            "The channels are multiplied. A convolution adds up its input channels, so only the "
            "last number of channels is left.",
        ),
        Mistake(
            "first_channels",
            lambda n, c, k, padding=0: c[0] * _side(n, len(c), k, padding) ** 2,
            "Those are the channels of the first convolution. Which map reaches the Flatten?",
        ),
        Mistake(
            "one_layer_only",
            lambda n, c, k, padding=0: c[-1] * _side(n, 1, k, padding) ** 2,
            "Only the first convolution and pooling were followed: there is one for each number in "
            "`channels`.",
        ),
    ),
)


# ---- when to stop, and what to keep -------------------------------------------------------------


def _stop(losses, patience, better=lambda loss, best: loss < best, reset=True):
    """(epoch kept, epoch of the stop), both counted from 1."""
    kept, waited = 1, 0
    for epoch, loss in enumerate(losses[1:], 2):
        if better(loss, losses[kept - 1]):
            kept, waited = epoch, 0 if reset else waited
        else:
            waited += 1
            if waited == patience:
                return kept, epoch
    return kept, len(losses)


def _smallest(losses):
    return min(range(len(losses)), key=losses.__getitem__) + 1


def _previous_not_best(losses, patience):
    waited = 0
    for epoch, (before, loss) in enumerate(pairwise(losses), 2):
        waited = 0 if loss < before else waited + 1
        if waited == patience:
            return _smallest(losses[:epoch]), epoch
    return _smallest(losses), len(losses)


def _one_early(losses, patience):
    return _stop(losses, patience - 1) if patience > 1 else (1, 1)


early_stopping = Exercise(
    name="early_stopping",
    lesson=STOPPING,
    reference=_stop,
    cases=(
        Case(([0.9, 0.7, 0.8, 0.6], 1)),
        Case(([0.9, 0.7, 0.8, 0.75, 0.6], 2)),
        Case(([0.9, 0.7, 0.5], 2)),
        Case(([0.9, 0.7, 0.7, 0.7, 0.6], 2)),
        Case(([0.9, 0.7, 0.8, 0.6, 0.7, 0.65, 0.5], 2)),
        Case(([0.4, 0.9, 0.8, 0.7, 0.6, 0.5], 3)),
    ),
    mistakes=(
        Mistake(
            "counted_from_zero",
            lambda losses, patience: tuple(n - 1 for n in _stop(losses, patience)),
            "Both are one too small: epochs are counted from 1, lists from 0.",
        ),
        Mistake(
            "one_late",
            lambda losses, patience: _stop(losses, patience + 1),
            "It waits one epoch too long: after `patience` epochs without a smaller loss it stops.",
        ),
        Mistake(
            "one_early",
            _one_early,
            "It stops one epoch too early: `patience` epochs without a smaller loss are allowed to "
            "pass.",
        ),
        Mistake(
            "last_kept",
            lambda losses, patience: (_stop(losses, patience)[1],) * 2,
            "Those are the last weights. The best ones came before the waiting began.",
        ),
        Mistake(
            "future_seen",
            lambda losses, patience: (_smallest(losses), _stop(losses, patience)[1]),
            "The smallest loss of the whole list lies after the stop: training never got there.",
        ),
        Mistake(
            "never_stops",
            lambda losses, patience: (_smallest(losses), len(losses)),
            "It trains to the end of the list: the patience plays no part.",
        ),
        Mistake(
            "never_reset",
            lambda losses, patience: _stop(losses, patience, reset=False),
            "The waiting is not set back to 0 when a smaller loss comes.",
        ),
        Mistake(
            "ties_count_as_better",
            lambda losses, patience: _stop(losses, patience, lambda loss, best: loss <= best),
            "An equal loss counts as better. Only a smaller one ends the waiting.",
        ),
        Mistake(
            "compared_with_previous",
            _previous_not_best,
            "Each loss is compared with the one before. Compare it with the best so far.",
        ),
        Mistake(
            "largest_kept",
            lambda losses, patience: _stop(losses, patience, lambda loss, best: loss > best),
            "The largest loss counts as the best. That is right for an accuracy; a loss is better "
            "when it is smaller.",
        ),
        Mistake(
            "swapped",
            lambda losses, patience: _stop(losses, patience)[::-1],
            "The two are swapped: first the epoch whose weights are kept, then that of the stop.",
        ),
    ),
)

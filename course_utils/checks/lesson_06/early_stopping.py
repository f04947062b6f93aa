"""Lesson 06, exercise 5: When would you have stopped?"""

from itertools import pairwise

from course_utils.checks.engine import Case, Exercise, Mistakes

STOPPING = "lesson 06, 'Stop in time'"


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


mistake = Mistakes()
mistake.value(
    "counted_from_zero",
    lambda losses, patience: tuple(n - 1 for n in _stop(losses, patience)),
    "Both are one too small: epochs are counted from 1, lists from 0.",
)
mistake.value(
    "one_late",
    lambda losses, patience: _stop(losses, patience + 1),
    "It waits one epoch too long: after `patience` epochs without a smaller loss it stops.",
)


@mistake(
    "It stops one epoch too early: `patience` epochs without a smaller loss are allowed to pass."
)
def one_early(losses, patience):
    return _stop(losses, patience - 1) if patience > 1 else (1, 1)


mistake.value(
    "last_kept",
    lambda losses, patience: (_stop(losses, patience)[1],) * 2,
    "Those are the last weights. The best ones came before the waiting began.",
)
mistake.value(
    "future_seen",
    lambda losses, patience: (_smallest(losses), _stop(losses, patience)[1]),
    "The smallest loss of the whole list lies after the stop: training never got there.",
)
mistake.value(
    "never_stops",
    lambda losses, patience: (_smallest(losses), len(losses)),
    "It trains to the end of the list: the patience plays no part.",
)
mistake.value(
    "never_reset",
    lambda losses, patience: _stop(losses, patience, reset=False),
    "The waiting is not set back to 0 when a smaller loss comes.",
)
mistake.value(
    "ties_count_as_better",
    lambda losses, patience: _stop(losses, patience, lambda loss, best: loss <= best),
    "An equal loss counts as better. Only a smaller one ends the waiting.",
)


@mistake("Each loss is compared with the one before. Compare it with the best so far.")
def compared_with_previous(losses, patience):
    waited = 0
    for epoch, (before, loss) in enumerate(pairwise(losses), 2):
        waited = 0 if loss < before else waited + 1
        if waited == patience:
            return _smallest(losses[:epoch]), epoch
    return _smallest(losses), len(losses)


mistake.value(
    "largest_kept",
    lambda losses, patience: _stop(losses, patience, lambda loss, best: loss > best),
    "The largest loss counts as the best. That is right for an accuracy; a loss is better "
    "when it is smaller.",
)
mistake.value(
    "swapped",
    lambda losses, patience: _stop(losses, patience)[::-1],
    "The two are swapped: first the epoch whose weights are kept, then that of the stop.",
)


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
    mistakes=mistake,
)

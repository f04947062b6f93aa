"""Checks of the exercises: `checks.<exercise>(your_answer)` says whether it is right, or why not.

Each exercise is an entry in one of the modules here: a reference, small cases, and a table of the
wrong answers that people give (see `engine.Exercise`).
"""

from course_utils.checks import (
    by_hand,
    classification,
    convolution,
    first_steps,
    pooling,
    pooling_by_hand,
    training_runs,
)
from course_utils.checks.engine import Case, Exercise, Mistake
from course_utils.checks.prediction import compare_prediction
from course_utils.checks.result import Result

# The modules that hold exercises, in the order of the lessons.
_MODULES = (
    first_steps,
    by_hand,
    convolution,
    pooling_by_hand,
    pooling,
    training_runs,
    classification,
)
EXERCISES = {
    value.name: value
    for module in _MODULES
    for value in vars(module).values()
    if isinstance(value, Exercise)
}
globals().update(EXERCISES)

__all__ = ["EXERCISES", "Case", "Exercise", "Mistake", "Result", "compare_prediction", *EXERCISES]

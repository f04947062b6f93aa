"""Checks of the exercises: `checks.<exercise>(your_answer)` says whether it is right, or why not.

Each exercise is an entry in one of the modules here: a reference, small cases, and a table of the
wrong answers that people give (see `engine.Exercise`).
"""

from course_utils.checks import (
    adam,
    autograd,
    autograd_by_hand,
    backward,
    bugs,
    bugs_network,
    by_hand,
    classification,
    compressing,
    convolution,
    costs,
    deployment,
    depth,
    directions,
    fine_tuning,
    fine_tuning_rates,
    first_steps,
    layers,
    look_inside,
    lora,
    lora_by_hand,
    losses,
    network_parts,
    optimizers,
    parameters,
    pooling,
    pooling_backward,
    pooling_by_hand,
    saliency,
    scaling,
    sequences,
    silent_bugs,
    silent_company,
    sound,
    training_cost,
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
    costs,
    layers,
    autograd_by_hand,
    backward,
    pooling_backward,
    autograd,
    losses,
    optimizers,
    adam,
    network_parts,
    training_runs,
    classification,
    bugs_network,
    bugs,
    silent_bugs,
    silent_company,
    look_inside,
    saliency,
    deployment,
    compressing,
    parameters,
    depth,
    fine_tuning,
    fine_tuning_rates,
    lora,
    lora_by_hand,
    sequences,
    directions,
    sound,
    scaling,
    training_cost,
)
EXERCISES = {
    value.name: value
    for module in _MODULES
    for value in vars(module).values()
    if isinstance(value, Exercise)
}
globals().update(EXERCISES)

__all__ = ["EXERCISES", "Case", "Exercise", "Mistake", "Result", "compare_prediction", *EXERCISES]

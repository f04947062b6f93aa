"""A prediction beside what really happened."""

import torch

from course_utils.checks.compare import fault


def compare_prediction(prediction, actual):
    """Print a prediction beside what really happened. `None` means: not predicted, go on.

    Args:
        prediction: a number, text, list or tensor, or None.
        actual: what happened, of the same kind.
    """
    shown = actual.tolist() if isinstance(actual, torch.Tensor) else actual
    if prediction is None or prediction is ...:
        print(f"No prediction made. It is {shown}.")
    elif fault(actual, prediction) is None:
        print(f"You predicted {prediction}, and so it is.")
    else:
        print(f"You predicted {prediction}; it is {shown}. What did you expect, and why?")

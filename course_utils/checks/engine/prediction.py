"""A prediction beside what really happened."""

import reprlib

import torch

from course_utils.checks.engine.compare import fault
from course_utils.checks.engine.reading import kind_of, read


def compare_prediction(prediction, actual):
    """Print a prediction beside what really happened. `None` means: not predicted, go on.

    Args:
        prediction: a number, text, list or tensor, or None.
        actual: what happened, of the same kind.
    """
    given, shown = _text(prediction), _text(actual)
    if prediction is None or prediction is ...:
        print(f"No prediction made. It is {shown}.")
    elif fault(actual, prediction) is None:
        print(f"You predicted {given}, and so it is.")
    else:
        print(f"You predicted {given}; it is {shown}. What did you expect, and why?")


def _text(value):
    """A value as Python writes it; only its kind where that cannot be done."""
    try:
        if isinstance(value, list | tuple | dict | set):
            return _PARTS.repr(value)
        if isinstance(value, torch.Tensor):
            read(value)  # raises where there is nothing to write
            value = value.tolist()
        return f"{value}"
    except Exception:
        return kind_of(value)


class _Parts(reprlib.Repr):
    """Writes lists within lists, but not without end."""

    def repr_instance(self, part, level):
        return _text(part) if isinstance(part, torch.Tensor) else super().repr_instance(part, level)


_PARTS = _Parts()
_PARTS.maxlist = _PARTS.maxtuple = _PARTS.maxdict = _PARTS.maxset = 100
_PARTS.maxstring = _PARTS.maxlong = _PARTS.maxother = 1000

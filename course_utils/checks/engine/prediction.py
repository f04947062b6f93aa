"""A prediction beside what really happened."""

import math
import re
import reprlib
from fractions import Fraction

import torch

from course_utils.checks.engine.compare import fault
from course_utils.checks.engine.reading import kind_of, read

ENOUGH = 0.05  # of a measured value: so far off a prediction may be, and counts as right
NEAR = 0.2  # of any number: so far off it may be, and is told that it is near


def compare_prediction(prediction, actual, tolerance=None):
    """Print a prediction beside what really happened. `None` means: not predicted, go on.

    A better answer than the one that is printed is right: 2.303 where that is 2.3.

    Args:
        prediction: a number, text, list or tensor, or None. A text may hold a number: "37", "2/11",
            "96 %". Capital letters and spaces around a text do not count.
        actual: what happened, of the same kind.
        tolerance: the share of `actual` that a number may be off; by default 0 for a whole number,
            which one can count, and 0.05 for any other.
    """
    given, shown = _text(prediction), _text(actual)
    if prediction is None or prediction is ...:
        print(f"No prediction made. It is {shown}.")
        return
    off = _distance(prediction, actual)
    if off == 0 or (off is None and fault(actual, _as(prediction, actual)) is None):
        print(f"You predicted {given}, and so it is.")
    elif off is not None and off <= _tolerance(actual, tolerance):
        print(f"You predicted {given}; it is {shown}. That is close enough.")
    elif off is not None and off <= NEAR:
        print(f"You predicted {given}; it is {shown}. That is near: what makes the difference?")
    else:
        print(f"You predicted {given}; it is {shown}. What did you expect, and why?")


def _tolerance(actual, given):
    if given is not None:
        return given
    return 0 if _is_whole(actual) else ENOUGH


def _is_whole(actual):
    """Whether one can count it or work it out: 12, and 12.0 as well."""
    return isinstance(actual, int) or actual.is_integer()


def _distance(prediction, actual):
    """How far a number is off, as a share of the actual one; None where one of them is none.

    0 as well where it is the same up to the last digit that is shown of the actual one.
    """
    if isinstance(actual, bool) or not isinstance(actual, int | float):
        return None
    guess = _number(prediction)
    try:
        if not math.isfinite(actual):
            return None
    except OverflowError:  # a whole number beyond all floating-point ones
        return None
    if guess is None:
        return math.inf
    digits = len(repr(actual).partition(".")[2]) if "e" not in repr(actual) else 0
    off = abs(guess - actual)
    if not _is_whole(actual) and off <= 0.5 * 10**-digits * (1 + 1e-9):
        return 0
    return off / abs(actual) if actual else off if off == 0 else math.inf


def _number(value):
    """What a person means by a number, or None."""
    if isinstance(value, str):
        text = value.strip().replace("−", "-").replace(" ", "")
        if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d*)?", text):
            text = text.replace(",", "")
        share, text = (100 if text.endswith("%") else 1), text.removesuffix("%").replace(",", ".")
        try:
            return float(Fraction(text)) / share
        except (ValueError, ZeroDivisionError, OverflowError):
            return None
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except Exception:
        return None
    return number if math.isfinite(number) else None


def _as(prediction, actual):
    """A text as the actual answer has it: its capital letters, or True for "yes"."""
    if not isinstance(prediction, str):
        return prediction
    text = prediction.strip().casefold()
    if isinstance(actual, bool):
        return {"yes": True, "true": True, "no": False, "false": False}.get(text, prediction)
    return actual if isinstance(actual, str) and actual.strip().casefold() == text else prediction


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

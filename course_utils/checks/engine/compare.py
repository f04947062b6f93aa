"""When two answers are the same, and what is wrong if they are not."""

import torch

from course_utils.checks.engine.reading import kind_of, parts, read

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}

_NO_NUMBER = {
    "nan": "Some of the numbers are nan, which is none: it comes of 0 / 0, say, or of inf − inf.",
    "inf": "Some of the numbers are infinite. Was one divided by 0, or did it grow too large?",
}


def fault(expected, got, loosely=False):
    """What is wrong with `got`, as (name, sentence), or None if it equals `expected`.

    With `loosely`, the same numbers in another dtype are as good.
    """
    if isinstance(expected, tuple):
        given = parts(got)
        if given is None or len(given) != len(expected):
            return "wrong_type", f"{len(expected)} values are expected; this is {kind_of(got)}."
        faults = (fault(one, two, loosely) for one, two in zip(expected, given, strict=True))
        return next((found for found in faults if found), None)
    if isinstance(expected, str):
        right = issubclass(type(got), str) and str.__eq__(expected, got)
        return None if right else ("wrong_value", "That is not it yet.")
    try:
        right, theirs = read(expected), read(got)
    except TypeError as error:
        return "wrong_type", f"{error}."
    if theirs.shape != right.shape:
        return "wrong_shape", f"The shape is {theirs.shape}; it should be {right.shape}."
    if not loosely and (found := _fault_of_dtype(right, theirs)):
        return "wrong_dtype", found
    if differing(right, theirs).any():
        if isinstance(expected, bool):
            return "wrong_value", "That is not it yet."
        for name, sentence in _NO_NUMBER.items():
            is_one = getattr(torch, f"is{name}")
            if is_one(theirs.cells).any() and not is_one(right.cells).any():
                return "wrong_value", sentence
        return "wrong_value", "Some numbers differ." if right.shape else "The number differs."
    return None


def _fault_of_dtype(right, theirs):
    if theirs.dtype.is_complex and not right.dtype.is_complex:
        return f"The numbers are complex ({theirs.dtype}); real ones are expected."
    both = right.holder is theirs.holder is torch.Tensor
    if both and right.dtype.is_floating_point and theirs.dtype != right.dtype:
        return f"The dtype is {theirs.dtype}; it should be {right.dtype}."
    return None


def differing(right, theirs):
    """Which cells of two answers of one shape, as `Numbers`, differ by more than rounding.

    Rounding is that of the coarser number type; what Python computed is taken as exact, and what
    a lesson's own numbers are compared with as float32. Whole numbers have to be met.
    """
    rounding = TOLERANCE.get(theirs.dtype, 0) if theirs.holder else 0
    if right.whole:
        near, far = 1e-6, 1e-6 if rounding > 1e-9 else 1e-12
    else:
        of_tensor = TOLERANCE.get(right.dtype, 0) if right.holder is torch.Tensor else 1e-4
        near = far = max(of_tensor, rounding)
    wide = torch.promote_types(right.cells.dtype, theirs.cells.dtype)
    one, two = right.cells.to(wide), theirs.cells.to(wide)
    return ~torch.isclose(one, two, rtol=far, atol=near, equal_nan=True)


def same(one, two):
    """Whether an argument is what it was: equal to the bit, and so are the parts of a list."""
    if one is two:
        return True
    if type(one) is not type(two):
        return False
    if isinstance(one, torch.Tensor):
        try:
            right = read(one)
        except TypeError:
            return True  # there is nothing to compare
        try:
            theirs = read(two)
        except TypeError:
            return False
        alike = right.dtype == theirs.dtype and right.shape == theirs.shape
        return alike and torch.allclose(right.cells, theirs.cells, 0, 0, equal_nan=True)
    if isinstance(one, dict):
        return list(one) == list(two) and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return one == two

"""When two answers are the same, and what is wrong if they are not."""

import numbers as kinds

import numpy as np
import torch

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
        if not isinstance(got, tuple | list) or len(got) != len(expected):
            return "wrong_type", f"{len(expected)} values are expected; this is {kind_of(got)}."
        faults = (fault(one, two, loosely) for one, two in zip(expected, got, strict=True))
        return next((found for found in faults if found), None)
    if isinstance(expected, str):
        right = isinstance(got, str) and str.__eq__(expected, got)
        return None if right else ("wrong_value", "That is not it yet.")
    try:
        right, theirs = numbers(expected), numbers(got)
    except TypeError as error:
        return "wrong_type", f"{error}."
    if theirs.shape != right.shape:
        return (
            "wrong_shape",
            f"The shape is {tuple(theirs.shape)}; it should be {tuple(right.shape)}.",
        )
    if not loosely and (found := _fault_of_dtype(expected, right, got, theirs)):
        return "wrong_dtype", found
    if differing(expected, got).any():
        if isinstance(expected, bool):
            return "wrong_value", "That is not it yet."
        for name, sentence in _NO_NUMBER.items():
            is_one = getattr(torch, f"is{name}")
            if is_one(theirs).any() and not is_one(right).any():
                return "wrong_value", sentence
        return "wrong_value", "Some numbers differ." if right.dim() else "The number differs."
    return None


def _fault_of_dtype(expected, right, got, theirs):
    if theirs.is_complex() and not right.is_complex():
        return f"The numbers are complex ({theirs.dtype}); real ones are expected."
    both = isinstance(expected, torch.Tensor) and isinstance(got, torch.Tensor)
    if both and right.is_floating_point() and theirs.dtype != right.dtype:
        return f"The dtype is {theirs.dtype}; it should be {right.dtype}."
    return None


def numbers(value):
    """A number, tensor, array or list of them as an ordinary tensor, on the CPU, without gradient.

    Raises: TypeError, with a sentence, for what cannot be compared.
    """
    try:
        return _numbers(value)
    except _Sentence as sentence:
        raise TypeError(f"{sentence}") from None
    except Exception:  # whatever an object of a student's class does, it is not a number
        raise TypeError(f"Numbers are expected; this is {kind_of(value)}") from None


class _Sentence(Exception):
    """Says what is wrong with a value."""


def _numbers(value):
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided or value.is_quantized or value.is_nested:
            raise _Sentence(f"An ordinary tensor is expected; this one is {_special(value)}")
        if value.is_meta or isinstance(value, torch.nn.parameter.UninitializedParameter):
            raise _Sentence("This tensor has a shape, but holds no numbers")
        return value.detach().cpu().resolve_conj().resolve_neg()
    if isinstance(value, np.ndarray | np.generic):
        return torch.from_numpy(np.array(value, dtype=value.dtype.newbyteorder("="), order="C"))
    if isinstance(value, list | tuple):
        if any(isinstance(part, list | tuple | torch.Tensor | np.ndarray) for part in value):
            parts = [_numbers(part) for part in value]
            if any(part.shape != parts[0].shape for part in parts):
                raise _Sentence("The parts of this list are not of one size")
            return torch.stack(parts)
        return torch.stack([_one(part) for part in value]) if value else torch.zeros(0)
    return _one(value)


def _one(value):
    """A number of any kind, 0-d: what Python computes with has the precision of float64."""
    if not isinstance(value, kinds.Number):
        raise TypeError
    exact = isinstance(value, int | complex)
    return torch.tensor(value) if exact else torch.tensor(float(value), dtype=torch.float64)


def _special(value):
    if value.is_quantized or value.is_nested:
        return "quantized" if value.is_quantized else "nested"
    return f"sparse ({value.layout}): `.to_dense()` makes it one"


def differing(expected, got):
    """Which cells of two answers of one shape differ by more than rounding.

    Rounding is that of the coarser number type; what Python computed is taken as exact, and what
    a lesson's own numbers are compared with as float32. Whole numbers have to be met.
    """
    one, two = numbers(expected), numbers(got)
    theirs = TOLERANCE.get(two.dtype, 0) if hasattr(got, "dtype") else 0
    if one.is_floating_point() or one.is_complex():
        of_tensor = TOLERANCE.get(one.dtype, 0) if isinstance(expected, torch.Tensor) else 1e-4
        near = far = max(of_tensor, theirs)
    else:
        near, far = 1e-6, 1e-6 if theirs > 1e-9 else 1e-12
    wide = torch.complex128 if one.is_complex() or two.is_complex() else torch.float64
    return ~torch.isclose(one.to(wide), two.to(wide), rtol=far, atol=near, equal_nan=True)


def same(one, two):
    """Whether an argument is what it was: equal to the bit, and so are the parts of a list."""
    if one is two:
        return True
    if type(one) is not type(two):
        return False
    if isinstance(one, torch.Tensor):
        if one.dtype != two.dtype or one.shape != two.shape or one.layout != two.layout:
            return False
        return bool(((one == two) | (one.isnan() & two.isnan())).all())
    if isinstance(one, dict):
        return list(one) == list(two) and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return one == two


def kind_of(value):
    """A value's kind in words: "a list", "an int"."""
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"

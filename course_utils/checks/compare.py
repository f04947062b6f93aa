"""When two answers are the same, and what is wrong if they are not."""

import torch

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}


def fault(expected, got):
    """What is wrong with `got`, as (name, sentence), or None if it equals `expected`."""
    if isinstance(expected, tuple):
        if not isinstance(got, tuple | list) or len(got) != len(expected):
            return "wrong_type", f"{len(expected)} values are expected; this is {kind_of(got)}."
        faults = (fault(one, two) for one, two in zip(expected, got, strict=True))
        return next((found for found in faults if found), None)
    if isinstance(expected, str | bool):
        return None if expected == got else ("wrong_value", "That is not it yet.")
    try:
        right = torch.as_tensor(expected)
        theirs = torch.as_tensor(got)
    except (TypeError, ValueError, RuntimeError):
        return "wrong_type", f"Numbers are expected; this is {kind_of(got)}."
    if theirs.shape != right.shape:
        return (
            "wrong_shape",
            f"The shape is {tuple(theirs.shape)}; it should be {tuple(right.shape)}.",
        )
    if isinstance(expected, torch.Tensor) and isinstance(got, torch.Tensor):
        loose = isinstance(got, torch.Tensor) and not right.is_floating_point()
        if theirs.dtype != right.dtype and not loose:
            return "wrong_dtype", f"The dtype is {theirs.dtype}; it should be {right.dtype}."
    if differing(right, theirs).any():
        return "wrong_value", "Some numbers differ."
    return None


def differing(expected, got):
    """Which cells of two tensors of one shape differ by more than rounding."""
    tolerance = TOLERANCE.get(expected.dtype, 1e-6)
    one, two = expected.double(), got.detach().cpu().double()
    return ~torch.isclose(one, two, rtol=tolerance, atol=tolerance, equal_nan=True)


def same(one, two):
    """Whether an argument is what it was: equal to the bit."""
    if isinstance(one, torch.Tensor):
        return one.shape == two.shape and torch.equal(one, two)
    return one == two


def kind_of(value):
    """A value's kind in words: "a list", "an int"."""
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"

"""Numbers: whether one is whole, and how one is written."""

import math
import operator


def whole_number(name, value, least=0):
    """`value` as an int of at least `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name}={value!r} must be a whole number") from None
    if number < least:
        raise ValueError(f"{name}={value!r} is too small: it must be at least {least}")
    return number


def real_number(name, value, allowed, fits):
    """`value` as a float for which `fits` is true; `allowed` says in words which ones those are.

    A text is none, nor is True.
    """
    try:
        number = math.nan if isinstance(value, str | bytes | bool) else float(value)
    except (TypeError, ValueError, RuntimeError):
        number = math.nan
    if not (math.isfinite(number) and fits(number)):
        raise ValueError(f"{name}={value!r} is not possible: give {allowed}")
    return number


def format_number(value):
    """A number as a person writes it: no trailing zeros, at most 2 decimals, a true minus sign."""
    value = float(value)
    text = f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 1e5 else f"{value:.3g}"
    return ("0" if text == "-0" else text).replace("-", "−").replace("inf", "∞")

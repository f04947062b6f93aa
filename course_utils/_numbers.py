"""Arguments that have to be whole numbers."""

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

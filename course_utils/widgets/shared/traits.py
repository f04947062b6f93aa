"""The kinds of state that a widget has, synced with the browser, each refusing with a sentence."""

import math
import operator
import reprlib

import torch
import traitlets

from course_utils._arrays import real_tensor


class Whole(traitlets.TraitType):
    """A whole number from `low` to `high`."""

    def __init__(self, default, low, high):
        super().__init__(default)
        self.low, self.high = low, high
        self.tag(sync=True)

    def validate(self, obj, value):
        try:
            number = None if isinstance(value, bool) else operator.index(value)
        except TypeError:
            number = None
        if number is None or not self.low <= number <= self.high:
            raise traitlets.TraitError(
                f"{self.name}={reprlib.repr(value)} is not possible: "
                f"give a whole number from {self.low} to {self.high}"
            )
        return number


class Number(traitlets.TraitType):
    """A number from `low` to `high`."""

    def __init__(self, default, low, high):
        super().__init__(default)
        self.low, self.high = low, high
        self.tag(sync=True)

    def validate(self, obj, value):
        try:
            number = math.nan if isinstance(value, (bool, str)) else float(value)
        except (TypeError, ValueError, RuntimeError):
            number = math.nan
        if not self.low <= number <= self.high:
            raise traitlets.TraitError(
                f"{self.name}={reprlib.repr(value)} is not possible: "
                f"give a number from {self.low} to {self.high}"
            )
        return number


class Choice(traitlets.TraitType):
    """One of a few words."""

    def __init__(self, *options):
        super().__init__(options[0])
        self.options = options
        self.tag(sync=True)

    def validate(self, obj, value):
        if not isinstance(value, str) or value not in self.options:
            raise traitlets.TraitError(
                f"{self.name}={reprlib.repr(value)} is not possible: "
                f"choose one of {', '.join(self.options)}"
            )
        return value


class YesNo(traitlets.TraitType):
    """True or False."""

    def __init__(self, default=False):
        super().__init__(default)
        self.tag(sync=True)

    def validate(self, obj, value):
        if not isinstance(value, bool):
            raise traitlets.TraitError(
                f"{self.name}={reprlib.repr(value)} is not possible: give True or False"
            )
        return value


class Grid(traitlets.TraitType):
    """Numbers in rows and columns, (H, W), or (C, H, W) where `channels` allows several.

    Holds a tensor. A floating one keeps its dtype, all else becomes torch's default, float32.
    Axes of length 1 in front are dropped, so (1, 1, H, W) is (H, W). Assign a new tensor to change
    it: the browser hears of nothing that is written into the old one.
    """

    def __init__(self, default, largest=12, channels=1):
        super().__init__()
        self.first, self.largest, self.channels = default, largest, channels
        self.tag(sync=True, to_json=_to_lists, from_json=self._from_lists)

    def make_dynamic_default(self):
        # The name is right: traitlets asks it of a trait whose default is made for each instance.
        return _as_tensor(self.first)

    def validate(self, obj, value):
        try:
            grid = _as_tensor(value, self.name)
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None
        while grid.ndim > 2 and grid.shape[0] == 1:
            grid = grid[0]
        if not self._fits(grid):
            several = f" or (C, H, W) with C up to {self.channels}" if self.channels > 1 else ""
            raise traitlets.TraitError(
                f"{self.name} of shape {tuple(grid.shape)} is not possible: "
                f"give (H, W){several}, with 1 to {self.largest} rows and columns"
            )
        if not torch.isfinite(grid).all():
            raise traitlets.TraitError(
                f"{self.name} holds a number that is not finite: give numbers, no NaN or infinity"
            )
        return grid

    def _fits(self, grid):
        if grid.ndim not in (2, 3) or (grid.ndim == 3 and grid.shape[0] > self.channels):
            return False
        return grid.numel() > 0 and max(grid.shape[-2:]) <= self.largest

    def _from_lists(self, lists, widget):
        # A grid edited in the browser keeps the dtype that it had.
        return torch.tensor(lists, dtype=getattr(widget, self.name).dtype)


def _as_tensor(value, name="values"):
    grid = real_tensor(name, value, "a tensor, or rows of numbers, all of one length")
    return grid.clone() if grid.is_floating_point() else grid.to(torch.get_default_dtype())


def _to_lists(grid, widget):
    return grid.tolist()

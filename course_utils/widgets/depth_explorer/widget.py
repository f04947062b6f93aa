"""DepthExplorer: what depth, width, kernel and input size cost, and what others measured for it."""

import math
import operator
import reprlib
from collections.abc import Mapping
from typing import NamedTuple

import traitlets

from course_utils import models
from course_utils.widgets.depth_explorer import picture
from course_utils.widgets.depth_explorer.counts import (
    DEPTHS,
    INPUT_SIZES,
    KERNEL_SIZES,
    WIDTHS,
    count,
    kept_bytes,
    summarize,
)
from course_utils.widgets.shared.base import CourseWidget
from course_utils.widgets.shared.traits import Choice, Whole

FARTHEST = 10  # partners differ by at most a tenth
_NETWORK = ("depth", "width", "kernel_size", "input_size")


class Partner(NamedTuple):
    """A network of another depth that costs nearly the same."""

    depth: int
    width: int
    count: int  # its parameters, or its MACs
    difference: float  # (count − own count) / own count


class _KernelSize(traitlets.TraitType):
    """One of `KERNEL_SIZES`."""

    def __init__(self, default):
        super().__init__(default)
        self.tag(sync=True)

    def validate(self, obj, value):
        try:
            number = None if isinstance(value, bool) else operator.index(value)
        except TypeError:
            number = None
        if number not in KERNEL_SIZES:
            raise traitlets.TraitError(
                f"{self.name}={reprlib.repr(value)} is not possible: "
                f"choose one of {', '.join(map(str, KERNEL_SIZES))}"
            )
        return number


class _Measurements(traitlets.TraitType):
    """What a sweep has measured, as the constructor's `results` says; holds plain dicts or None."""

    def __init__(self):
        super().__init__(None, allow_none=True)
        self.tag(sync=True)

    def validate(self, obj, value):
        if value is None:
            return None
        if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
            raise traitlets.TraitError(
                f"results={reprlib.repr(value)} is not possible: give a list of dicts, one for "
                "each network that was measured, or None"
            )
        rows = [_measurement(f"results[{i}]", row) for i, row in enumerate(value)]
        first = {}
        for i, row in enumerate(rows):
            network = tuple(row[name] for name in _NETWORK)
            if network in first:
                raise traitlets.TraitError(
                    f"results[{i}] is the network of results[{first[network]}] again: give one "
                    "row for each network, with the mean over its seeds"
                )
            first[network] = i
        return rows


def _measurement(name, row):
    """A row of a sweep with only what is shown, checked."""
    if not isinstance(row, Mapping):
        raise traitlets.TraitError(
            f"{name}={reprlib.repr(row)} is not possible: give a dict such as {{'depth': 4, "
            "'width': 16, 'kernel_size': 3, 'accuracy': 0.98, 'low': 0.97, 'high': 0.99}"
        )
    needed = ("depth", "width", "kernel_size", "accuracy", "low", "high")
    if missing := [key for key in needed if key not in row]:
        raise traitlets.TraitError(
            f"{name} has no {missing[0]!r}: each row needs {', '.join(needed)}"
        )
    limits = {"depth": DEPTHS, "width": WIDTHS, "input_size": INPUT_SIZES, "seeds": (1, math.inf)}
    checked = {}
    for key in (*_NETWORK, "seeds"):
        given = row.get(key, 28 if key == "input_size" else None)
        if given is None and key == "seeds":
            checked[key] = None
            continue
        try:
            number = None if isinstance(given, bool) else operator.index(given)
        except TypeError:
            number = None
        if key == "kernel_size":
            possible, allowed = (
                number in KERNEL_SIZES,
                f"one of {', '.join(map(str, KERNEL_SIZES))}",
            )
        else:
            low, high = limits[key]
            possible = number is not None and low <= number <= high
            allowed = f"a whole number from {low} to {high}".replace(" to inf", " upwards")
        if not possible:
            raise traitlets.TraitError(
                f"{name} has {key}={reprlib.repr(given)}, which is not possible: give {allowed}"
            )
        checked[key] = number
    for key in ("accuracy", "low", "high"):
        try:
            checked[key] = math.nan if isinstance(row[key], (bool, str)) else float(row[key])
        except (TypeError, ValueError, RuntimeError):
            checked[key] = math.nan
        if not 0 <= checked[key] <= 1:
            raise traitlets.TraitError(
                f"{name} has {key}={reprlib.repr(row[key])}, which is not possible: give a share "
                "of right answers from 0 to 1"
            )
    if not checked["low"] <= checked["accuracy"] <= checked["high"]:
        raise traitlets.TraitError(
            f"{name} has accuracy={checked['accuracy']} outside its interval from "
            f"{checked['low']} to {checked['high']}: low is at most accuracy, high at least"
        )
    return checked


class DepthExplorer(CourseWidget):
    """A network of the family `models.stacked_cnn`, what it costs, and what costs the same.

    Args:
        depth: how many convolutions, 1 to 16.
        width: channels of each, 1 to 256.
        kernel_size: 1, 3, 5 or 7.
        input_size: height and width of the image, 8 to 64 pixels; it has one channel.
        results: what a sweep has measured, or None: a list of dicts with `depth`, `width`,
            `kernel_size`, `accuracy` (a mean, in [0, 1]), `low` and `high` (its interval), and,
            where known, `input_size` (else 28) and `seeds` (how many). Other keys are not shown.
        equal: "parameters" or "macs": which partners are listed, and what the measured accuracies
            are drawn against.
    Raises:
        traitlets.TraitError: what was given is impossible; the sentence says what is allowed.
    """

    depth = Whole(4, *DEPTHS)
    width = Whole(16, *WIDTHS)
    kernel_size = _KernelSize(3)
    input_size = Whole(28, *INPUT_SIZES)
    results = _Measurements()
    equal = Choice("parameters", "macs")

    @property
    def network(self):
        """Depth, width, kernel size and input size, by name."""
        return {name: getattr(self, name) for name in _NETWORK}

    def to_module(self):
        """A new network of this shape with random weights: (N, 1, H, W) to logits (N, 10)."""
        return models.stacked_cnn(self.depth, self.width, self.kernel_size)

    @property
    def summary(self):
        """The layers, as `anatomy.summarize` describes them."""
        return summarize(**self.network)

    @property
    def parameters(self):
        """How many parameters the network has."""
        return self.summary.parameters

    @property
    def macs(self):
        """Multiply-accumulate operations for one image, without biases."""
        return self.summary.macs

    @property
    def receptive_field(self):
        """Pixels of the input, per side, that one number before the average sees.

        May exceed `input_size`: the rest is padding.
        """
        return self.summary.rows[-4].receptive_field

    @property
    def activation_bytes(self):
        """Bytes that training keeps of one float32 image on its way, until the backward pass.

        Counted is what autograd saves, parameters apart: the image, the output of every ReLU, the
        output of every pool that a convolution reads, where the maxima of every pool were (an
        int64 each, 8 bytes), and the averages. What goes into a ReLU, and the logits, are not
        kept. A batch of N takes N times as much.
        """
        return kept_bytes(**self.network)

    @property
    def output(self):
        """The four totals that the widget shows, by name."""
        names = ("parameters", "macs", "receptive_field", "activation_bytes")
        return {name: getattr(self, name) for name in names}

    def partners(self, equal=None):
        """For every other depth the width that comes nearest to this network's cost.

        Args:
            equal: "parameters" or "macs"; by default what the widget shows. Kernel and input stay.
        Returns:
            A list of `Partner`: (depth, width, count, difference), by depth. `difference` is
            relative, with its sign. A depth that comes no nearer than 10 % is left out.
        """
        equal = self.equal if equal is None else equal
        if equal not in ("parameters", "macs"):
            raise ValueError(f"equal={equal!r} is not possible: choose one of parameters, macs")
        own, found = count(equal, **self.network), []
        for depth in range(DEPTHS[0], DEPTHS[1] + 1):
            counts = {
                width: count(equal, **{**self.network, "depth": depth, "width": width})
                for width in range(WIDTHS[0], WIDTHS[1] + 1)
            }
            width = min(counts, key=lambda n: abs(counts[n] - own))
            off = counts[width] - own
            if depth != self.depth and abs(off) * FARTHEST <= own:
                found.append(Partner(depth, width, counts[width], off / own))
        return found

    @property
    def measured(self):
        """The row of `results` for exactly this network; None if there is none."""
        network = self.network
        rows = (row for row in self.results or [] if {k: row[k] for k in _NETWORK} == network)
        return next(rows, None)

    def draw(self):
        """The network to scale with its numbers, its partners, and what was measured."""
        return picture.draw(self)

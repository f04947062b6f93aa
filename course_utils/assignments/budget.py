"""Assignment A4: count a network against a budget, copy it without its code, and judge it.

`pack` and `unpack` copy a network that consists of torch.nn's own layers. `measure` counts the
copy, so that the numbers are the same in a notebook and where the notebook is graded.
"""

import copy
import functools
import html
import math
import textwrap
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from .. import anatomy
from .._modes import evaluating
from .._tables import html_table, text_table
from ..checks.engine.result import Result
from ..data import SOURCES, Split, load_digits
from .designs import contradiction, fault_of
from .network_bytes import LAYERS, Refused, pack, unpack

__all__ = [
    "LAYERS",
    "MACS",
    "PARAMETERS",
    "Budget",
    "Refused",
    "accuracy_of",
    "designs",
    "judges",
    "known",
    "measure",
    "moved",
    "pack",
    "unpack",
]
PARAMETERS = 10_000
MACS = 150_000  # for one image
SHIFT, DEGREES = 2, 10  # how far `moved` takes an image, in pixels and in degrees
_IMAGE = (1, 28, 28)
_LARGEST_OUTPUT = 100_000  # numbers that a layer may give for one image
_RUNS = 100 * MACS  # a network with more work than this is counted, and never run
_CALLED = {"parameters": "Parameters", "macs": "MACs for an image"}
_PRICES = "lesson 09, 'Two prices'"


@dataclass(frozen=True)
class Budget:
    """What a network costs. `str()` and the notebook show a table and a sentence.

    parameters: all its parameters, frozen ones too. macs: multiplications with an addition, for one
    image. Both are None where the network cannot be copied or run. fits: whether it is inside the
    budget. why: what is wrong, in sentences, else "". statistics: the running means and variances
    of its batch norms, which are not counted: in eval mode they do nothing that scale and shift
    could not do as well. accuracy: on the images that were asked for, in [0, 1], or None.
    """

    parameters: int | None
    macs: int | None
    fits: bool
    why: str
    statistics: int = 0
    accuracy: float | None = None

    @property
    def passed(self):
        return self.fits

    @property
    def sentence(self):
        return self.why

    @property
    def diagnosis(self):
        """A short name of what is wrong, as in `checks.Result`; None where nothing is."""
        if self.fits:
            return None
        if self.parameters is None:
            return "refused" if self.why else "not_attempted"
        return "over_budget"

    @property
    def headline(self):
        if self.fits:
            return "✓ budget: the network is inside."
        if self.diagnosis == "not_attempted":
            return "○ budget: not attempted yet."
        return f"✗ budget: {'the network cannot be counted' * (self.parameters is None) or 'over'}."

    def _rows(self):
        if self.parameters is None:
            return []
        rows = []
        for name, limit in (("parameters", PARAMETERS), ("macs", MACS)):
            value = getattr(self, name)
            rows.append((_CALLED[name], f"{value:,}", f"{limit:,}", f"{value / limit:.0%}"))
        if self.statistics:
            rows.append(("Running statistics", f"{self.statistics:,}", "not counted", ""))
        if self.accuracy is not None:
            rows.append(("Accuracy, moved validation images", f"{self.accuracy:.2%}", "", ""))
        return rows

    def __str__(self):
        parts = [self.headline]
        if self._rows():
            parts.append(text_table(("", "yours", "limit", "used"), self._rows()))
        return "\n".join([*parts, *textwrap.wrap(self.why, 100)])

    __repr__ = __str__

    def _repr_html_(self):
        colour = "#009E73" if self.fits else "#D55E00" if self.why else "#777777"
        parts = [f"<b>{html.escape(self.headline)}</b>"]
        if self._rows():
            caption = "What the network costs, and the limits"
            parts.append(html_table(("", "yours", "limit", "used"), self._rows(), caption))
        parts += [html.escape(self.why)] if self.why else []
        body = "".join(f"<div>{part}</div>" for part in parts)
        return f"<div style='border-left:4px solid {colour};padding:2px 0 2px 10px'>{body}</div>"


def measure(network, split=None):
    """Count a network, and see whether it is inside the budget.

    network: an nn.Sequential of the layers in `LAYERS`. Anything else is refused with a sentence in
    `.why`, and raises nothing. split: images to measure the accuracy on, where it is wanted.
    Returns: a `Budget`. The network and its mode stay as they are.
    """
    if network is None or network is ... or network is NotImplemented:
        return Budget(None, None, False, "")
    if hasattr(network, "call_elsewhere"):  # a stand-in for what could not be copied
        return Budget(
            *(None, None, False),
            "The network is no nn.Sequential of the layers on the list, or something is attached "
            "to it. In your notebook `budget.measure(network)` says what.",
        )
    try:
        twin = unpack(pack(network))
        summary = _summary(twin)
    except Refused as refused:
        return Budget(None, None, False, str(refused))
    parameters, macs = summary.parameters, summary.macs
    statistics = sum(b.numel() for name, b in twin.named_buffers() if "running" in name)
    why = [_excess(summary, name) for name in _CALLED]
    why = " ".join(sentence for sentence in why if sentence)
    accuracy = None
    if split is not None and macs <= _RUNS:
        accuracy = accuracy_of(twin, split)
    return Budget(parameters, macs, not why, why, statistics, accuracy)


def _summary(network):
    """Count the network without computing anything, on tensors that have a shape and no numbers."""
    bare = copy.deepcopy(network).to("meta")
    try:
        summary = anatomy.summarize(bare, _IMAGE)
        largest = max(summary.rows, key=lambda row: math.prod(row.output_shape))
        if math.prod(largest.output_shape) > _LARGEST_OUTPUT:
            size = f"{math.prod(largest.output_shape):,}"
            raise Refused(
                f"Layer {largest.name} gives {size} numbers for one image; at most "
                f"{_LARGEST_OUTPUT:,} are possible."
            )
        before = (1, *_IMAGE)
        for row in summary.rows:
            _refuse_growth(row, before)
            before = row.output_shape
        with torch.no_grad():
            shapes = [tuple(bare(torch.zeros(n, *_IMAGE, device="meta")).shape) for n in (2, 3)]
    except Refused:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError, NotImplementedError) as error:
        raise Refused(
            f"The network cannot take an image of 1×28×28: {str(error).rstrip('.')}."
        ) from None
    if shapes != [(2, 10), (3, 10)]:
        raise Refused(
            f"Two images give an output of shape {shapes[0]}; it should be (2, 10): ten logits for "
            "each image."
        )
    return summary


def _refuse_growth(row, before):
    """An adaptive pooling that makes an image larger copies cells, and its work is not counted."""
    sides, were = row.output_shape[-2:], before[-2:]
    if row.type.startswith("Adaptive") and any(n > w for n, w in zip(sides, were, strict=False)):
        raise Refused(
            f"Layer {row.name} ({row.type}) makes {were} into {sides}: that is no pooling."
        )


def _excess(summary, name):
    """How far a network is over one of the limits, and where most of it is; or ""."""
    value, limit = getattr(summary, name), {"parameters": PARAMETERS, "macs": MACS}[name]
    if value <= limit:
        return ""
    row = max(summary.rows, key=lambda row: getattr(row, name))
    return (
        f"{_CALLED[name]}: {value - limit:,} more than the limit of {limit:,}. Layer {row.name} "
        f"({row.type}) has most of them, {getattr(row, name):,}."
    )


def accuracy_of(network, split):
    """The share of images read right, in eval mode. An answer with NaN in it counts as wrong.

    network: an nn.Sequential. split: a `data.Split`. Returns: a number in [0, 1].
    """
    right = 0
    with evaluating(network):
        for images, labels in zip(split.images.split(500), split.labels.split(500), strict=True):
            logits = network(images)
            sound = logits.isfinite().all(1)
            right += ((logits.argmax(1) == labels) & sound).sum().item()
    return right / len(split)


# ---- images that do not stand in the middle -----------------------------------------------------


def moved(split, seed, shift=SHIFT, degrees=DEGREES):
    """The images of a split, each turned a little about its middle and then moved.

    split: a `data.Split`. seed: of the numbers that are drawn; the same seed gives the same images.
    shift: pixels, the most in each direction. degrees: the most to the left or to the right.
    Returns: a new Split with the same labels in the same order.
    """
    generator, images = torch.Generator().manual_seed(seed), split.images
    draw = lambda *shape: 2 * torch.rand(*shape, generator=generator) - 1  # noqa: E731
    angles = draw(len(images)) * math.radians(degrees)
    offsets = draw(len(images), 2) * shift * 2 / images.shape[-1]  # in grid_sample's units
    turns = torch.stack([angles.cos(), -angles.sin(), angles.sin(), angles.cos()], 1).view(-1, 2, 2)
    maps = torch.cat([turns, offsets[:, :, None]], 2)
    few = zip(images.split(1000), maps.split(1000), strict=True) if len(images) else ()
    new = [
        F.grid_sample(x, F.affine_grid(m, x.shape, align_corners=False), align_corners=False)
        for x, m in few
    ]
    return Split(torch.cat(new) if new else images.clone(), split.labels.clone())


def known(source):
    """`source` if `data.load_digits` knows it, else "auto"."""
    return source if isinstance(source, str) and source in SOURCES else "auto"


@functools.lru_cache(maxsize=2)
def _judges(source):
    return moved(load_digits(source).validation, seed=20_000)


def judges(source="auto"):
    """The validation images, moved: what a network is shown before it is handed in.

    source: as for `data.load_digits`; anything else is "auto". Returns: a `data.Split`.
    """
    return _judges(known(source))


# ---- the table of designs -----------------------------------------------------------------------


def designs(table, network, source="auto"):
    """Check the table of designs of task 4: its form, and that it contains the network.

    table: a list of dicts with name, parameters, macs, accuracy. network: as for `measure`.
    source: of the images, as for `judges`. Returns: a `checks.Result`.
    """
    if table is None or table is ... or table is NotImplemented or table == []:
        return Result("designs", False, 1, "not_attempted")
    fault = fault_of(table)
    fault = fault or contradiction(table, measure(network, judges(source)))
    if fault:
        return Result("designs", False, 1, *fault, _PRICES)
    return Result("designs", passed=True, total=1)

"""How every picture of the course is made: one style, a PNG, and words that say what it shows."""

import functools
import io
import textwrap
from pathlib import Path

import matplotlib.style
import numpy as np
import torch
from IPython.display import display
from matplotlib.colors import LinearSegmentedColormap

from .._arrays import real_tensor
from .._numbers import format_number

STYLE = Path(__file__).with_name("course.mplstyle")
# Negative is blue, zero is white, positive is orange: told apart by every kind of colour vision.
SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#08519c", "#6baed6", "#ffffff", "#fd8d3c", "#a63603"]
)
PALE = LinearSegmentedColormap.from_list("pale", ["#ffffff", "#c9d9ea"])
OUTLINE, TEXT = "#D55E00", "#222222"
NOT_FINITE = "#d43d9c"  # cells that hold no number; what is drawn says so in words, too
WIDTH = 7.0  # inches: the widest figure that a notebook shows without shrinking it
PIXELS_PER_INCH = 96  # what a browser calls an inch


def in_style(draw):
    """Make `draw`, and whatever it calls, use the style of the course."""

    @functools.wraps(draw)
    def wrapper(*args, **kwargs):
        with matplotlib.style.context(STYLE):
            return draw(*args, **kwargs)

    return wrapper


@in_style
def figure_png(figure):
    """The figure as the bytes of a PNG file, the same bytes each time."""
    buffer = io.BytesIO()
    # Cut to what is drawn: no title is clipped, and no empty band is left.
    figure.savefig(
        buffer, format="png", metadata={"Software": None}, bbox_inches="tight", pad_inches=0.05
    )
    return buffer.getvalue()


def bundle(figure, alt=None):
    """What a notebook needs to show `figure`: the data of each MIME type, and their metadata."""
    alt = alt or getattr(figure, "alt_text", None)
    if not alt:
        raise ValueError("this figure has no alt text: say in words what it shows, alt='...'")
    png = figure_png(figure)
    # More pixels than the page has: sharp on a good screen and on paper. Bytes 16 to 19 of a PNG
    # are its width.
    width = round(int.from_bytes(png[16:20]) * PIXELS_PER_INCH / figure.dpi)
    return (
        {"image/png": png, "text/plain": alt},
        {"image/png": {"alt": alt, "width": width}},
    )


def show(figure, alt=None):
    """Display `figure` with alt text (its own, or `alt`). Returns nothing."""
    data, metadata = bundle(figure, alt)
    display(data, metadata=metadata, raw=True)


@in_style
def caption(figure, sentence):
    """Write `sentence` below the figure, and make it the alt text. Returns the figure."""
    letters = int(12 * max(4, figure.get_figwidth()))  # about what fits into a line
    figure.text(0, -0.02, textwrap.fill(sentence, letters), ha="left", va="top", color=TEXT)
    figure.alt_text = sentence
    return figure


def shower(draw):
    """The `show_*` that belongs to a `draw_*`."""

    @functools.wraps(draw)
    def show_it(*args, alt=None, **kwargs):
        show(draw(*args, **kwargs), alt)

    show_it.__name__ = draw.__name__.replace("draw", "show")
    show_it.__doc__ = f"Display what `{draw.__name__}` draws. `alt` replaces the alt text."
    return show_it


def as_array(values, name="values"):
    """A tensor or array of real numbers, or a list of them, as a NumPy array."""
    tensor = real_tensor(name, values)
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def finite_or_nan(values):
    """An array for matplotlib, which draws no infinity: nan stands for it."""
    array = as_array(values)
    return np.where(np.isfinite(array), array, np.nan) if array.dtype.kind == "f" else array


def not_finite(values):
    """How many numbers are not finite, in words; an empty text where all are."""
    array = as_array(values)
    count = int((~np.isfinite(array)).sum()) if array.dtype.kind == "f" else 0
    return f"{count:,} of {array.size:,} numbers are nan or infinite" if count else ""


def with_note(title, note):
    """A title with a line below it, where there is something to note."""
    return f"{title}\n({note})" if note and title else f"({note})" if note else title


def largest_magnitude(planes):
    """The largest |number| of all planes that is finite; 1 where there is none but 0."""
    each = (np.abs(plane)[np.isfinite(plane)] for plane in planes)
    return max((float(part.max()) for part in each if part.size), default=1.0) or 1.0


def as_plane(values, what):
    """One (H, W) picture from a tensor (H, W), (1, H, W) or (1, 1, H, W)."""
    array = as_array(values, what)
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2:
        raise ValueError(f"{what} has shape {tuple(array.shape)}; a picture of one (H, W) is drawn")
    return array


def write_sum(window, kernel):
    """The sum of products as a person writes it: `1·1 + 2·2 + 4·3 + 5·4 = 37`.

    Args:
        window, kernel: two tensors of one shape; multiplied cell by cell, in reading order.
    """
    pairs = zip(window.flatten().tolist(), kernel.flatten().tolist(), strict=True)
    terms = [f"{_factor(one)}·{_factor(other)}" for one, other in pairs]
    return f"{' + '.join(terms)} = {format_number((window * kernel).sum())}"


def _factor(value):
    text = format_number(value)
    return f"({text})" if text.startswith("−") else text


def words(values):
    """A small grid in words, row by row, for alt text."""
    rows = as_plane(values, "the grid")
    return "; ".join(" ".join(format_number(v) for v in row) for row in rows)


def name_ends(axes, ends, gap=13):
    """Write each line's name to the right of its end, pushed apart where two would overlap.

    Args:
        axes: with all its lines drawn and its limits set.
        ends: `(name, (x, y), colour)` of each line.
        gap: the least distance between two names, in points.
    """
    axes.figure.draw_without_rendering()  # settles the limits and the size of the axes
    points = 72 / axes.figure.dpi
    height = {name: axes.transData.transform(end)[1] * points for name, end, _ in ends}
    names = sorted(height, key=height.get)
    wanted = [height[name] for name in names]
    for _ in range(50):  # each round, neighbours that are too near move apart by equal parts
        for low in range(len(wanted) - 1):
            missing = gap - (wanted[low + 1] - wanted[low])
            if missing > 0:
                wanted[low] -= missing / 2
                wanted[low + 1] += missing / 2
    place = dict(zip(names, wanted, strict=True))
    for name, end, colour in ends:
        axes.annotate(
            name,
            end,
            xytext=(8, place[name] - height[name]),
            textcoords="offset points",
            color=colour,
            va="center",
            annotation_clip=False,
        )

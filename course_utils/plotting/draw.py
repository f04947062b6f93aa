"""Pictures, curves, the history of a training, and a confusion matrix."""

import matplotlib
import numpy as np
from matplotlib.colors import CenteredNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, NullLocator

from . import style
from .style import (
    SIGNED,
    TEXT,
    WIDTH,
    as_array,
    as_plane,
    format_number,
    in_style,
    name_ends,
    shower,
)


@in_style
def draw_images(images, titles=None, columns=None, signed=False, limits=None, height=None):
    """Pictures side by side, in rows.

    Args:
        images: a tensor (N, 1, H, W) or (N, H, W), or a list of (H, W) tensors of any sizes.
        titles: a text or a number for each; labels may be a tensor.
        columns: how many in a row (default: as many as there are, at most 5).
        signed: draw zero as white, negative values blue, positive orange, with a scale beside them.
        limits: `(black, white)`; by default each picture's own smallest and largest value, and for
            signed pictures the largest magnitude among all of them.
        height: of one picture, in inches.
    Returns:
        The figure. Its alt text lists the titles.
    """
    planes = [as_plane(image, f"images[{i}]") for i, image in enumerate(images)]
    if not planes:
        raise ValueError("images is empty: at least one picture is needed")
    titles = [""] * len(planes) if titles is None else [*map(_as_title, titles)]
    if len(titles) != len(planes):
        raise ValueError(f"{len(titles)} titles for {len(planes)} images: one for each is needed")
    titles = [
        style.with_note(title, style.not_finite(p)) for title, p in zip(titles, planes, strict=True)
    ]
    planes = [style.finite_or_nan(plane) for plane in planes]
    columns = columns or min(5, len(planes))
    rows = -(-len(planes) // columns)
    height = height or min(2.6, WIDTH / columns)
    lines = max(title.count("\n") + 1 if title else 0 for title in titles)
    figure = Figure(
        figsize=(min(WIDTH, columns * height), rows * (height + 0.22 * lines)), layout="constrained"
    )
    axes = figure.subplots(rows, columns, squeeze=False)
    norm = Normalize(*limits) if limits else None
    norm = CenteredNorm(0, style.largest_magnitude(planes)) if signed else norm
    shades = (SIGNED if signed else matplotlib.colormaps["gray"]).with_extremes(
        bad=style.NOT_FINITE
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, plane, title in zip(axes.flat, planes, titles, strict=False):
        shown = axis.imshow(plane, cmap=shades, norm=norm)
        axis.set_title(title, weight="normal")
        height_, width_ = plane.shape
        frame = Rectangle((-0.5, -0.5), width_, height_, fill=False, ec="#777777", lw=0.8)
        axis.add_patch(frame).set_clip_on(False)
    if signed:
        figure.colorbar(shown, ax=axes, shrink=0.8, aspect=30, label="value")
    kind = "Signed pictures" if signed else "Pictures"
    listed = "; ".join(title.replace("\n", ", ") for title in titles if title)
    figure.alt_text = f"{kind}: {listed}." if listed else f"{len(planes)} pictures in {rows} rows."
    return figure


@in_style
def draw_curves(curves, x_label, y_label, title="", log_x=False, log_y=False, y_limits=None):
    """Lines in one plot, each named at its right end rather than in a legend.

    Args:
        curves: a mapping from a name to `(x, y)`, two sequences of the same length.
        x_label, y_label, title: what the axes are, with units.
        log_x, log_y: use a logarithmic axis.
        y_limits: `(bottom, top)`.
    Returns:
        The figure. Its alt text gives the first and the last value of every line. A line ends
        where its numbers are no longer finite, and its name says so.
    """
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.add_subplot()
    said, ends = [], []
    for name, (x, y) in curves.items():
        x, y = as_array(x), as_array(y)
        if len(x) != len(y) or not len(x):
            raise ValueError(f"{name!r} has {len(x)} x and {len(y)} y: as many of each are needed")
        (line,) = axes.plot(x, style.finite_or_nan(y), markevery=max(1, len(x) // 12))
        finite = np.flatnonzero(np.isfinite(y))
        label = name if len(finite) == len(y) else f"{name}, {len(y) - len(finite)} nan"
        if len(finite):
            ends.append((label, (x[finite[-1]], y[finite[-1]]), line.get_color()))
        else:  # no line to name the end of: say so in the middle
            place = {"x": 0.5, "y": 0.9 - 0.1 * len(said), "transform": axes.transAxes}
            axes.text(**place, s=label, color=line.get_color(), ha="center")
        said.append(f"{name} goes from {y[0]:.3g} to {y[-1]:.3g}")
    axes.set(xlabel=x_label, ylabel=y_label, title=title)
    axes.set_xscale("log" if log_x else "linear")
    axes.set_yscale("log" if log_y else "linear")
    points = sorted({float(value) for x, _ in curves.values() for value in as_array(x)})
    if log_x and len(points) <= 8:  # name the points themselves: 8, 16, 32
        axes.set_xticks(points, [f"{point:,g}" for point in points])
        axes.xaxis.set_minor_locator(NullLocator())
    if not log_x and all(as_array(x).dtype.kind in "iu" for x, _ in curves.values()):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no half epoch
    axes.grid(axis="y")
    if y_limits:
        axes.set_ylim(*y_limits)
    name_ends(axes, ends)
    figure.alt_text = f"{y_label} against {x_label}: {'; '.join(said) or 'no line yet'}."
    return figure


@in_style
def draw_history(history):
    """The loss of every training step, and the accuracy on the validation data after every epoch.

    Args:
        history: what `course_utils.training.fit` returns.
    """
    losses = np.asarray(history.step_loss, dtype=float)
    steps = losses[np.isfinite(losses)]
    accuracy = [(e.epoch, e.validation_accuracy) for e in history.epochs]
    accuracy = [(epoch, value) for epoch, value in accuracy if value is not None]
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    # One point is no curve: the accuracy of a single epoch is told in words only.
    left, *rest = figure.subplots(1, 2 if len(accuracy) > 1 else 1, squeeze=False)[0]
    if len(steps):
        # A running mean over a fiftieth of the steps shows the trend behind the noise.
        span = max(1, len(steps) // 50)
        mean = np.convolve(steps, np.ones(span) / span, mode="valid")
        left.plot(steps, color="#b8cfe0", lw=1, marker="none", label="one batch")
        left.plot(np.arange(len(mean)) + span - 1, mean, marker="none", label=f"mean of {span}")
        left.legend()
    note = style.not_finite(losses).replace("numbers", "losses")
    left.set(
        xlabel="step",
        ylabel="training loss",
        ylim=(0, None),
        title=style.with_note("loss", note),
    )
    for right in rest:
        right.plot(*zip(*accuracy, strict=True))
        right.set(xlabel="epoch", ylabel="validation accuracy", title="accuracy")
        right.set_xticks([epoch for epoch, _ in accuracy][:: max(1, len(accuracy) // 10)])
    said = f"Training loss over {len(losses)} steps"
    if len(steps):
        said += f", from {steps[0]:.2f} to a mean of {mean[-1]:.2f} at the end"
    if accuracy:
        said += f"; validation accuracy {accuracy[-1][1]:.3f} after epoch {accuracy[-1][0]}"
    figure.alt_text = said + (f"; {note}." if note else ".")
    return figure


@in_style
def draw_confusion(confusion):
    """A confusion matrix: rows are the true classes, columns the predicted ones.

    The shade is the share of the row on a logarithmic scale, so that rare mistakes stay visible.

    Args:
        confusion: counts, or shares from 0 to 1, (C, C).
    """
    counts = as_plane(confusion, "confusion")
    if counts.shape[0] != counts.shape[1] or style.not_finite(counts):
        raise ValueError(f"confusion of shape {counts.shape} has to be finite counts, (C, C)")
    classes = range(len(counts))
    figure = Figure(figsize=(5.2, 4.6), layout="constrained")
    axes = figure.add_subplot()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(np.log10(share + 1e-4), cmap="Blues", vmin=-4, vmax=0.6)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = share[row, column] > 0.1
            written = format_number(count) if count >= 0.005 else "<0.01"
            text = axes.text(column, row, written, ha="center", va="center", size=9)
            text.set(color="white" if dark else TEXT, weight="bold" if row == column else "normal")
    axes.set(xticks=classes, yticks=classes, xlabel="predicted class", ylabel="true class")
    axes.spines[:].set_visible(False)
    wrong = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    row, column = np.unravel_index(wrong.argmax(), wrong.shape)
    right = f"{format_number(np.trace(counts))} of {format_number(counts.sum())} right"
    if not wrong.any():
        worst = "there is no mistake"
    elif np.array_equal(counts, counts.round()):
        times = f"{int(wrong.max())} times"
        worst = f"the most frequent mistake is a {row} taken for a {column}, {times}"
    else:
        worst = f"the most frequent mistake is a {row} taken for a {column}, {wrong.max():.3f}"
    figure.alt_text = f"Confusion matrix: {right}; {worst}."
    return figure


def _as_title(title):
    """A text, or a label as one has it in a tensor or an array."""
    return (
        title if isinstance(title, str) else str(title.item() if hasattr(title, "item") else title)
    )


show_images = shower(draw_images)
show_curves = shower(draw_curves)
show_history = shower(draw_history)
show_confusion = shower(draw_confusion)

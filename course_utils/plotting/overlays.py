"""Pictures of maps laid over the images that they speak about."""

import numpy as np
from matplotlib.colors import CenteredNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .style import (
    NOT_FINITE,
    SIGNED,
    TEXT,
    WIDTH,
    as_plane,
    finite_or_nan,
    in_style,
    largest_magnitude,
    not_finite,
    shower,
    with_note,
)


@in_style
def draw_overlays(images, maps, field, titles=None, columns=None, label="value"):
    """Maps with the strokes of their images as an outline, each cell where the pixels are it sees.

    Orange and a + (at the largest) is above 0, blue and a − (at the smallest) below, white is 0. A
    cell is drawn at the middle of what it sees. Most programs stretch a map over the whole image
    instead, which is right only where padding has kept the two aligned. The dashed frame is where
    there are cells.

    Args:
        images: (N, 1, H, W) or (N, H, W). maps: (N, rows, columns).
        field: the `Field` of the maps' cells; of an occlusion, `Field(patch, stride, 0)`.
        titles: a text for each. columns: how many in a row, at most 5 by default.
        label: what the numbers of the maps are.
    Returns: the figure. Its alt text says where each map is largest.
    """
    planes = [as_plane(image, f"images[{i}]") for i, image in enumerate(images)]
    maps = [as_plane(each, f"maps[{i}]").astype(float) for i, each in enumerate(maps)]
    titles = list(titles) if titles is not None else [""] * len(planes)
    if not len(planes) == len(maps) == len(titles) or not planes:
        raise ValueError(
            f"{len(planes)} images, {len(maps)} maps and {len(titles)} titles: "
            "one of each is needed for every picture"
        )
    notes = [not_finite(each) for each in maps]
    titles = [with_note(title, note) for title, note in zip(titles, notes, strict=True)]
    planes, maps = ([finite_or_nan(each) for each in both] for both in (planes, maps))
    columns = columns or min(5, len(planes))
    rows, side = -(-len(planes) // columns), min(2.4, WIDTH / columns)
    lines = max(title.count("\n") + 1 if title else 0 for title in titles)
    figure = Figure(
        figsize=(min(WIDTH, columns * side + 0.9), rows * (side + 0.2 * lines)),
        layout="constrained",
    )
    axes = figure.subplots(rows, columns, squeeze=False)
    norm = CenteredNorm(0, largest_magnitude(maps))
    said = []
    for axis in axes.flat:
        axis.axis("off")
    for axis, plane, each, title in zip(axes.flat, planes, maps, titles, strict=False):
        shown = _draw_one(axis, plane, each, field, norm)
        axis.set_title(title, weight="normal")
        name = title.replace("\n", ", ") or f"picture {len(said) + 1}"
        said.append(f"{name}: {_largest(each)}")
    figure.colorbar(shown, ax=axes, shrink=0.8, aspect=25, label=label)
    figure.alt_text = f"Maps over the outline of the image. {'; '.join(said)}."
    return figure


def _largest(each):
    if np.isnan(each).all():
        return "no number"
    row, column = divmod(int(np.nanargmax(each)), each.shape[1])
    where = f"largest in row {row}, column {column} of {each.shape[0]} × {each.shape[1]}"
    return where if np.nan_to_num(each).any() else "0 everywhere"


def _draw_one(axis, plane, each, field, norm):
    middle = field.start + (field.size - 1) / 2  # of what cell 0 sees
    low = middle - field.jump / 2
    right, bottom = (low + count * field.jump for count in (each.shape[1], each.shape[0]))
    shades = SIGNED.with_extremes(bad=NOT_FINITE)
    shown = axis.imshow(each, cmap=shades, norm=norm, extent=(low, right, bottom, low))
    each = np.nan_to_num(each)  # as far as the signs are concerned
    height, width = plane.shape
    dark, bright = (float(pick(np.nan_to_num(plane))) for pick in (np.min, np.max))
    if bright > dark:
        level = (dark + bright) / 2
        axis.contour(plane, [level], colors=TEXT, linewidths=1.3)
    box = {"fill": False, "ec": "#777777", "lw": 0.8}
    axis.add_patch(Rectangle((low, low), right - low, bottom - low, linestyle="--", **box))
    axis.add_patch(Rectangle((-0.5, -0.5), width, height, **box)).set_clip_on(False)
    axis.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    signs = {"+": (each.argmax(), each.max()), "−": (each.argmin(), -each.min())}
    for sign, (cell, strength) in signs.items():
        if strength > 0.15 * norm.halfrange:
            row, column = divmod(int(cell), each.shape[1])
            x, y = (middle + place * field.jump for place in (column, row))
            box = {"boxstyle": "circle,pad=0.1", "fc": "white", "ec": TEXT, "lw": 0.6}
            axis.text(x, y, sign, ha="center", va="center", size=8, color=TEXT, bbox=box)
    return shown


show_overlays = shower(draw_overlays)

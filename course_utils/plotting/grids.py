"""Small grids of numbers, drawn as one would write them on paper."""

import numpy as np
from matplotlib.colors import CenteredNorm, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .style import (
    OUTLINE,
    PALE,
    SIGNED,
    TEXT,
    WIDTH,
    as_plane,
    format_number,
    in_style,
    shower,
    words,
)


@in_style
def draw_grids(grids, windows=None, signs=None, size=0.5):
    """Small grids of numbers side by side, as one would write them on paper.

    Args:
        grids: a mapping from a title to a tensor (H, W); drawn left to right. NaN is left empty.
        windows: for any of these titles the outlined part `(top, left, height, width)` in cells,
            or a list of several.
        signs: what is written between neighbours, for instance `["∗", "="]`.
        size: width and height of a cell, in inches.
    Returns:
        The figure. Its alt text lists the numbers.
    """
    grids = {title: as_plane(values, title).astype(float) for title, values in grids.items()}
    windows = windows or {}
    if unknown := set(windows) - set(grids):
        raise ValueError(f"windows names {sorted(unknown)}; the grids are {sorted(grids)}")
    gap = 1.2
    width = sum(g.shape[1] for g in grids.values()) + gap * (len(grids) - 1)
    height = max(g.shape[0] for g in grids.values())
    size = min(size, (WIDTH - 0.2) / width)
    figure = Figure(figsize=(width * size + 0.2, (height + 0.9) * size + 0.1))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.05, width + 0.05), ylim=(height + 0.05, -0.85), aspect="equal")
    axes.axis("off")
    left = 0.0
    for position, (title, grid) in enumerate(grids.items()):
        top = (height - grid.shape[0]) / 2
        axes.text(
            left + grid.shape[1] / 2, top - 0.2, title, ha="center", va="bottom", weight="bold"
        )
        draw_cells(axes, grid, left, top, size)
        outlined = windows.get(title, [])
        for row, column, rows, columns in [outlined] if isinstance(outlined, tuple) else outlined:
            place = (left + column, top + row)
            axes.add_patch(Rectangle(place, columns, rows, fill=False, ec=OUTLINE, lw=3, zorder=3))
        left += grid.shape[1]
        if signs and position < len(grids) - 1:
            axes.text(
                left + gap / 2, height / 2, signs[position], size=18, ha="center", va="center"
            )
        left += gap
    figure.alt_text = ". ".join(
        f"{title}: {words(g)}" if g.size <= 36 else f"{title}: {g.shape[0]} by {g.shape[1]} numbers"
        for title, g in grids.items()
    )
    return figure


def draw_cells(axes, grid, left, top, size):
    """The cells of one grid, shaded by value, the number in each."""
    finite = grid[np.isfinite(grid)]
    low, high = (finite.min(), finite.max()) if finite.size else (0, 0)
    shade, norm = (PALE, Normalize(0, max(high, 1e-12))) if low >= 0 else (SIGNED, None)
    if norm is None:
        norm = CenteredNorm(0, 2.5 * max(abs(low), abs(high)))  # pale enough to read the number
    longest = max((len(format_number(v)) for v in finite), default=1)
    font = min(11, 72 * size * 0.9 / (0.62 * max(longest, 2)))
    colours = shade(norm(np.where(np.isfinite(grid), grid, 0)))
    colours[~np.isfinite(grid)] = to_rgba("#f3f3f3")
    x, y = left + np.arange(grid.shape[1] + 1), top + np.arange(grid.shape[0] + 1)
    axes.pcolormesh(x, y, colours, edgecolor="#777777", linewidth=0.8)
    for (row, column), value in np.ndenumerate(grid):
        if not np.isnan(value):
            place = {"x": left + column + 0.5, "y": top + row + 0.5}
            axes.text(
                **place, s=format_number(value), ha="center", va="center", size=font, color=TEXT
            )


show_grids = shower(draw_grids)

"""Pictures for the lessons.

Every `draw_*` takes tensors and returns a matplotlib `Figure` that knows its own description
(`figure.alt_text`). The `show_*` of the same name displays that figure, with the description as
its alt text, and returns nothing, so a cell may end in it.
"""

from .draw import (
    draw_confusion,
    draw_curves,
    draw_history,
    draw_images,
    show_confusion,
    show_curves,
    show_history,
    show_images,
)
from .grids import draw_grids, show_grids
from .style import (
    OUTLINE,
    PALE,
    SIGNED,
    TEXT,
    WIDTH,
    bundle,
    figure_png,
    format_number,
    in_style,
    show,
    words,
    write_sum,
)

__all__ = [
    "OUTLINE",
    "PALE",
    "SIGNED",
    "TEXT",
    "WIDTH",
    "bundle",
    "draw_confusion",
    "draw_curves",
    "draw_grids",
    "draw_history",
    "draw_images",
    "figure_png",
    "format_number",
    "in_style",
    "show",
    "show_confusion",
    "show_curves",
    "show_grids",
    "show_history",
    "show_images",
    "words",
    "write_sum",
]

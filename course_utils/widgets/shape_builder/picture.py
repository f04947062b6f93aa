"""The picture that ShapeBuilder leaves where there is no kernel: the table of its layers."""

import re
import textwrap

from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from course_utils import plotting
from course_utils.widgets.shape_builder.mismatch import write_shape
from course_utils.widgets.shape_builder.modules import names_of, write_call
from course_utils.widgets.shape_builder.shapes import follow

_LINE, _GAP, _SIZE = 0.165, 0.09, 8.5  # inches of a line, inches between rows, points
_CALL, _BOX, _SHAPE, _PARAMETERS, _MACS, _FIELD = 0.62, 3.15, 3.92, 5.55, 6.32, 6.95
_TALL, _THICK, _SLANT, _BAR = 0.36, 0.52, 0.35, 0.06
_FACES = {"front": "#73A9CF", "side": "#B3CFE5", "top": "#DBE8F3"}
_MOST_TOLD = 20


@plotting.in_style
def draw_stack(layers, input_size):
    """The table of the layers; the one that does not fit is outlined, with its sentence."""
    summary, mismatch = follow(layers, input_size)
    shapes = [tuple(input_size), *(row.output_shape[1:] for row in summary.rows)]
    scale = _find_scale(shapes)
    rows = [_heading(), _input_row(input_size, scale)]
    for index, (layer, name) in enumerate(zip(layers, names_of(layers), strict=True)):
        row = summary.rows[index] if index < len(summary.rows) else None
        problem = mismatch if mismatch and mismatch.index == index else None
        rows.append(_layer_row(name, layer, row, problem, scale, len(input_size) == 3))
    rows.append(_total_row(summary, mismatch, shapes))
    height = sum(row["height"] for row in rows)
    figure = Figure(figsize=(plotting.WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, plotting.WIDTH), ylim=(height, 0))
    axes.axis("off")
    # Millions fit beside each other only when they are written small.
    written = [text for row in rows for x, text, _ in row["texts"] if x in (_PARAMETERS, _MACS)]
    size = _SIZE if max(map(len, written)) <= 10 else 7
    top = 0
    for number, row in enumerate(rows):
        _draw_row(axes, row, top, size)
        top += row["height"]
        thick = 1.4 if number in (0, len(rows) - 2) else 0.5
        if number < len(rows) - 1:
            axes.plot([0.05, 6.98], [top, top], color="#777777", lw=thick, marker="")
    figure.alt_text = _tell(layers, summary, mismatch, shapes)
    return figure


def _heading():
    texts = [(0.1, "layer", "left"), (_BOX, "to scale", "left"), (_SHAPE, "output shape", "left")]
    texts += [(_PARAMETERS, "parameters", "right"), (_MACS, "MACs", "right")]
    texts += [(_FIELD, "rec. field", "right")]
    return {"height": _LINE + _GAP, "texts": texts, "size": 8}


def _input_row(size, scale):
    texts = [(0.1, "input", "left"), (_SHAPE, write_shape(size), "left")]
    return {"height": _height(1, size, scale), "texts": texts, "box": (size, scale)}


def _layer_row(name, layer, row, problem, scale, image):
    # A pair stays in one line: only a plain space is where a line may end.
    whole = re.sub(r"\((\d+), (\d+)\)", "(\\1,\u00a0\\2)", write_call(layer))
    call = textwrap.wrap(whole, 40, subsequent_indent="  ")
    said = textwrap.wrap(f"✕ {problem.sentence}.", 106) if problem else []
    shape = row and row.output_shape[1:]
    numbers = ["—"] * 4
    if row:
        numbers = [write_shape(shape), f"{row.parameters:,}", f"{row.macs:,}"]
        numbers.append(_write_field(row.receptive_field, image))
    places = [(_SHAPE, "left"), (_PARAMETERS, "right"), (_MACS, "right"), (_FIELD, "right")]
    name = name if len(name) <= 8 else f"{name[:7]}…"
    texts = [(0.1, name, "left"), (_CALL, "\n".join(call), "left")]
    texts += [(x, text, side) for (x, side), text in zip(places, numbers, strict=True)]
    height = _height(len(call), shape, scale)
    return {
        "height": height + (len(said) * _LINE + _GAP if said else 0),
        "middle": height / 2,
        "texts": texts,
        "box": (shape, scale) if row else None,
        "said": "\n".join(said),
        "colour": plotting.TEXT if row or problem else "#6b6b6b",
    }


def _total_row(summary, mismatch, shapes):
    name = "total of those that fit" if mismatch else "total"
    texts = [(0.1, name, "left"), (_SHAPE, "—" if mismatch else write_shape(shapes[-1]), "left")]
    texts += [(_PARAMETERS, f"{summary.parameters:,}", "right")]
    texts += [(_MACS, f"{summary.macs:,}", "right")]
    return {"height": _LINE + _GAP, "texts": texts, "weight": "bold"}


def _write_field(field, image):
    if field is None:
        return "?"
    sides = field if isinstance(field, tuple) else (field,) * (2 if image else 1)
    return " × ".join(map(str, sides))


def _draw_row(axes, row, top, size):
    middle = top + row.get("middle", row["height"] / 2)
    for x, text, side in row["texts"]:
        axes.text(
            *(x, middle, text),
            size=row.get("size", size),
            ha=side,
            va="center" if "\n" in text else "center_baseline",
            linespacing=1.25,
            weight=row.get("weight", "normal"),
            color=row.get("colour", plotting.TEXT),
        )
    if row.get("box"):
        _draw_box(axes, middle, *row["box"])
    if row.get("said"):
        below = top + 2 * row["middle"]
        axes.text(0.12, below, row["said"], size=_SIZE, ha="left", va="top", linespacing=1.35)
        place, sides = (0.04, top + 0.02), (6.94, row["height"] - 0.04)
        axes.add_patch(Rectangle(place, *sides, fill=False, ec=plotting.OUTLINE, lw=2.5, zorder=3))


def _find_scale(shapes):
    """Inches per cell, per channel and per feature, the same for all shapes."""
    images = [shape for shape in shapes if len(shape) == 3]
    rows = [shape for shape in shapes if len(shape) == 1]
    return {
        "cell": _TALL / max([1, *(h + _SLANT * w for _, h, w in images)]),
        "channel": _THICK / max([8, *(c for c, _, _ in images)]),
        "feature": (_THICK + _SLANT * _TALL) / max([1, *(n for (n,) in rows)]),
    }


def _height(lines, shape, scale):
    box = 0
    if shape is not None and len(shape) == 3:
        box = (shape[1] + _SLANT * shape[2]) * scale["cell"]
    return max(lines * _LINE, box) + _GAP


def _draw_box(axes, middle, shape, scale):
    if len(shape) == 1:
        size = max(0.03, shape[0] * scale["feature"]), _BAR
        place = (_BOX, middle - _BAR / 2)
        axes.add_patch(Rectangle(place, *size, fc=_FACES["front"], ec=plotting.TEXT, lw=0.6))
        return
    thick = max(0.02, shape[0] * scale["channel"])
    high = max(0.02, shape[1] * scale["cell"])
    back = max(0.01, shape[2] * scale["cell"] * _SLANT)
    left, top = _BOX, middle - (high + back) / 2
    right, low = left + thick, top + back
    end = (right + back, top + high)
    corners = {
        "front": [(left, low), (right, low), (right, low + high), (left, low + high)],
        "top": [(left, low), (left + back, top), (right + back, top), (right, low)],
        "side": [(right, low), (right + back, top), end, (right, low + high)],
    }
    edge = {"ec": plotting.TEXT, "lw": 0.6, "joinstyle": "round"}
    for face, points in corners.items():
        axes.add_patch(Polygon(points, fc=_FACES[face], **edge))


def _tell(layers, summary, mismatch, shapes):
    """The table in words."""
    named = list(zip(names_of(layers), layers, strict=True))
    steps = [
        f"{name} {write_call(layer)} gives {write_shape(shape)}"
        for (name, layer), shape in zip(named, shapes[1:], strict=False)
    ]
    if len(steps) > _MOST_TOLD:
        steps = [f"the first {len(steps)} layers give {write_shape(shapes[-1])}"]
    costs = f"{summary.parameters:,} parameters, {summary.macs:,} MACs"
    problem = f" {mismatch.sentence}." if mismatch else ""
    told = "; ".join(steps) or "no layer"
    return (
        f"{len(layers)} layers for an input of {write_shape(shapes[0])}: {told}. {costs}.{problem}"
    )

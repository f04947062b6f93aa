"""The picture that DepthExplorer leaves where there is no kernel."""

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_utils import plotting
from course_utils.widgets.depth_explorer.counts import count

BLUE, PALE_BLUE = "#0072B2", "#A9CFE4"
_WORDS = {"parameters": "parameters", "macs": "MACs"}
_LINE = 0.19  # inches between lines of the table


@plotting.in_style
def draw(widget):
    """A `DepthExplorer` as it stands: the network to scale, its partners, what was measured."""
    partners, results = widget.partners(), widget.results or []
    lines = 2 + -(-len(partners) // 2)
    heights = [2.1, 1.25, lines * _LINE, 2.4 if results else 0.01]
    figure = Figure(figsize=(plotting.WIDTH, sum(heights) + 0.75), layout="constrained")
    network, bars, table, measured = figure.subplots(4, 1, height_ratios=heights)
    layers = _layers(widget)
    _draw_network(network, widget, layers)
    _draw_costs(bars, layers)
    _draw_table(table, widget, partners)
    if results:
        _draw_measured(measured, widget, partners)
    else:
        measured.remove()
    totals = widget.output
    field = totals["receptive_field"]
    kept = f"{totals['activation_bytes']:,} bytes kept for training"
    costs = f"{totals['parameters']:,} parameters, {totals['macs']:,} MACs for one image"
    figure.suptitle(
        f"{_shape(widget)}, kernel {widget.kernel_size} × {widget.kernel_size}: {costs},\n"
        f"receptive field {field} × {field} pixels, {kept}",
        size=10,
    )
    here = widget.measured
    figure.alt_text = (
        f"{_shape(widget)}, kernel {widget.kernel_size}, input {widget.input_size} × "
        f"{widget.input_size}: {costs}, a receptive field of {field} × {field} pixels, {kept}. "
        f"Nearly as many {_WORDS[widget.equal]}: "
        f"{', '.join(map(_shape, partners)) or 'no other depth'}. "
        + (f"Measured: {_accuracy(here)}." if here else "Not measured.")
    )
    return figure


def _shape(network):
    return f"depth {network.depth} × width {network.width}"


def _accuracy(row):
    return f"{row['accuracy']:.1%} ({row['low']:.1%} to {row['high']:.1%})".replace("%", " %")


def _layers(widget):
    """(name, channels, side, parameters, MACs) of each layer that is drawn, the input first."""
    layers = [("input", 1, widget.input_size, 0, 0)]
    for row in widget.summary.rows:
        if not row.name.startswith(("relu", "flatten")):
            _, channels, *sides = row.output_shape
            side = sides[0] if sides else 1
            layers.append((row.name, channels, side, row.parameters, row.macs))
    return layers


def _draw_network(axes, widget, layers):
    """Heights to scale with pixels, thicknesses with channels."""
    widest = max(channels for _, channels, *_ in layers)
    unit = 0.82 * (widest / 256) ** (1 / 3) / widest
    tallest = max(32, widget.input_size)
    for i, (name, channels, side, *_) in enumerate(layers):
        kind = name.rstrip("0123456789")
        style = {"pool": {"fc": "white", "ls": "--"}, "conv": {"fc": PALE_BLUE}}
        place = (i - channels * unit / 2, -side / 2)
        box = Rectangle(place, channels * unit, side, **style.get(kind, {"fc": "#999999"}))
        box.set(edgecolor=plotting.TEXT, linewidth=0.8)
        axes.add_patch(box)
        short = {"input": "in", "conv": name[4:], "pool": "pool", "average": "avg"}
        text = f"{short.get(kind, kind)}\n{channels}\n{side}"
        axes.text(
            i, -tallest / 2 - 2, text, ha="center", va="top", size=8 if len(layers) < 15 else 7
        )
    axes.text(-0.9, -tallest / 2 - 2, "layer\nchannels\nrows", ha="right", va="top", size=8)
    axes.set(xlim=_sides(layers), ylim=(-tallest * 1.02, tallest * 0.52))
    axes.axis("off")


def _sides(layers):
    """The limits of the x axis: a column for each layer, and room for words on the left."""
    return -0.9 - 0.21 * len(layers), len(layers) - 0.4


def _draw_costs(axes, layers):
    """Two rows of bars: where the parameters are, and where the MACs are."""
    for title, column, ground in (("parameters", 3, 1.25), ("MACs", 4, 0)):
        counts = [layer[column] for layer in layers]
        places = range(len(layers))
        axes.bar(places, [n / max(counts) for n in counts], 0.6, bottom=ground, color=BLUE)
        axes.plot([-0.5, len(layers) - 0.4], [ground, ground], color="#777777", lw=0.8, marker="")
        axes.text(-0.9, ground, f"{title}\ntallest {max(counts):,}", ha="right", size=8)
    axes.set(xlim=_sides(layers), ylim=(-0.05, 2.4))
    axes.axis("off")


def _draw_table(axes, widget, partners):
    """The networks of other depths that cost nearly the same, in two columns."""
    own = {"parameters": widget.parameters, "macs": widget.macs}[widget.equal]
    title = f"Within 10 % of its {own:,} {_WORDS[widget.equal]}:"
    axes.text(
        0, 0, title if partners else f"No other depth comes w{title[1:-1]}.", size=9, va="center"
    )
    rows = -(-len(partners) // 2)
    for i, p in enumerate(partners):
        column, row = divmod(i, rows)
        difference = f"{100 * p.difference:+.2g} %".replace("-", "−") if p.difference else "equal"
        cells = (
            (0.02, "left", _shape(p)),
            (0.36, "right", f"{p.count:,}"),
            (0.46, "right", difference),
        )
        for x, side, text in cells:
            axes.text(x + 0.52 * column, -row - 1, text, ha=side, size=9, va="center")
    axes.set(xlim=(0, 1), ylim=(-rows - 0.8, 0.8))
    axes.axis("off")


def _draw_measured(axes, widget, partners):
    """Accuracy against cost, only what was measured."""
    widths = {p.depth: p.width for p in partners}
    marks = {
        "others": ("o", "#777777"),
        "nearly as many": ("s", BLUE),
        "this network": ("D", "#D55E00"),
    }
    points = {name: [] for name in marks}
    for row in widget.results:
        same = all(row[k] == getattr(widget, k) for k in ("kernel_size", "input_size"))
        here = row is widget.measured
        name = "nearly as many" if same and widths.get(row["depth"]) == row["width"] else "others"
        points["this network" if here else name].append((_cost(row, widget.equal), row))
    for name, found in points.items():
        if not found:
            continue
        marker, colour = marks[name]
        x, rows = zip(*found, strict=True)
        y = [row["accuracy"] for row in rows]
        error = [[a - r["low"] for a, r in zip(y, rows, strict=True)]]
        error += [[r["high"] - a for a, r in zip(y, rows, strict=True)]]
        axes.errorbar(x, y, error, fmt=marker, color=colour, ms=6, capsize=2, lw=1.2, label=name)
        for cost, row in found:
            place = {"xytext": (6, -3), "textcoords": "offset points"}
            axes.annotate(row["depth"], (cost, row["accuracy"]), size=8, **place)
    axes.set_xscale("log")
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.4g} %")
    axes.set(
        xlabel=f"{_WORDS[widget.equal]} (the number beside a mark is the depth)", ylabel="accuracy"
    )
    axes.legend(loc="lower right", fontsize=8)
    axes.grid(axis="y")


def _cost(row, what):
    return count(what, *(row[k] for k in ("depth", "width", "kernel_size", "input_size")))

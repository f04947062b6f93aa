"""The head of RESULTS.md: what was measured against its targets, in a table and a picture.

    python benchmarks/overview.py

Made from the figures that the benchmarks have kept in results.json; nothing is measured here. What
is missing there is said to be missing.
"""

import statistics
import textwrap

import numpy as np
from convolution_scaling import exponent
from grading_time import TARGET as GRADING_TARGET
from import_time import TARGET as IMPORT_TARGET
from install import TARGET_BYTES as VENV_TARGET
from install import TARGET_SECONDS as INSTALL_TARGET
from install import build_of, with_small_torch
from matmul_share import COURSE
from matplotlib.figure import Figure
from notebook_costs import TARGET_BYTES, TARGET_SECONDS, gigabytes
from results import kept, options, table, write_section
from time_to_99 import GOAL, RECIPE_SHARE, USUAL_TIMES, compare

from course_utils import plotting

FRAME = 16  # ms: a widget answers before the next frame of a screen with 60 of them a second
SOLID, PALE, ACCENT, GRAY = "#0072B2", "#A6CEE3", "#D55E00", "#555555"


def median_by(costs, what):
    """{notebook: median of its rounds}, for "seconds", "peak" or "kernel"."""
    return {name: statistics.median(one[what]) for name, one in costs["notebooks"].items()}


def largest_memory(costs):
    """Bytes: the most that any notebook took in any round, by either of the two measures."""
    return max(max(one["peak"] + one["kernel"]) for one in costs["notebooks"].values())


def contestants(figures):
    """{name: ([seconds], [accuracies])} of the trainings, those of the usual example to 99 %."""
    found = {name: tuple(zip(*runs, strict=True)) for name, runs in figures["runs"].items()}
    usual = figures.get("usual", [])
    reached = next((run for run in usual if run[1] >= GOAL), usual[-1] if usual else None)
    if reached:
        epochs = usual.index(reached) + 1
        found[f"the usual example, {epochs} epochs"] = ([reached[0]], [reached[1]])
    return found


# ---- the table ----------------------------------------------------------------------------------


def verdict(value, target):
    return "met" if value <= target else "not met"


def of_training(figures):
    found = compare(figures["runs"], figures["usual"])
    seconds, share, times = found["seconds"], found["of the recipe"], found["usual times"]
    there = seconds is not None
    usual = f"{times:.0f} times as long" if times else "no end"
    return [
        [
            f"training to {GOAL:.1%} of MNIST's test images (mean {found['accuracy']:.2%})",
            f"{seconds:.1f} s" if there else "not reached",
            "",
            "",
        ],
        [
            "its share of the time of `train_mnist_fast`",
            f"{share:.0%}",
            f"{RECIPE_SHARE:.0%}",
            verdict(share, RECIPE_SHARE) if there else "not met",
        ],
        [
            "the usual example takes to 99 %",
            usual,
            f"{USUAL_TIMES} times",
            verdict(USUAL_TIMES, times or float("inf")) if there else "not met",
        ],
    ]


def of_matmul(figures):
    return [
        [
            f"share of the matrix product's rate, {name}",
            f"{statistics.median(one['shares']):.0%}",
            "",
            "",
        ]
        for name, one in figures["networks"].items()
    ]


def of_notebooks(figures):
    total, largest = sum(median_by(figures, "seconds").values()), largest_memory(figures)
    together, count = figures["together"], len(figures["notebooks"])
    where = "" if figures["source"] == "mnist" else ", on the embedded digits"
    return [
        [
            f"all {count} notebooks, side by side on all cores{where}",
            f"{together:.0f} s",
            f"{TARGET_SECONDS} s",
            verdict(together, TARGET_SECONDS),
        ],
        [f"the same, one after the other{where}", f"{total:.0f} s", "", ""],
        [
            f"memory of the largest notebook{where}",
            f"{gigabytes(largest):.2f} GiB",
            f"{gigabytes(TARGET_BYTES):.0f} GiB",
            verdict(largest, TARGET_BYTES),
        ],
    ]


def of_widgets(figures):
    middle = statistics.median(one["drawn"] for one in figures["playground"])
    return [["a widget's new pixels", f"{middle:.1f} ms", f"{FRAME} ms", verdict(middle, FRAME)]]


def of_import(figures):
    middle = statistics.median(figures["package"]["course_utils"])
    said = [f"{1000 * middle:.1f} ms", f"{1000 * IMPORT_TARGET:.0f} ms"]
    return [["`import course_utils`", *said, verdict(middle, IMPORT_TARGET)]]


def of_install(figures):
    seconds, size = figures["beside the download"], with_small_torch(figures)
    said = [f"{size / 1e9:.2f} GB", f"{VENV_TARGET / 1e9:.1f} GB", verdict(size, VENV_TARGET)]
    target = [f"{INSTALL_TARGET} s", verdict(seconds, INSTALL_TARGET)]
    return [
        ["`.venv` of a student, with PyTorch's small build", *said],
        [
            f"installation beside the download, {build_of(figures)} build",
            f"{seconds:.0f} s",
            *target,
        ],
    ]


def of_grading(figures):
    middle = statistics.median(figures["make grade"])
    what = f"grading {figures['students']} submissions"
    return [[what, f"{middle:.0f} s", f"{GRADING_TARGET} s", verdict(middle, GRADING_TARGET)]]


def of_scaling(figures):
    rows = []
    for name, by_side in figures.items():
        p, error = fit(by_side)[:2]
        rows.append(
            [f"power of the side that the time grows with: {name}", f"{p:.2f} ± {error:.2f}"]
        )
    return [[*row, "", ""] for row in rows]


def fit(by_side):
    return exponent([int(s) for s in by_side], [statistics.median(t) for t in by_side.values()])


# Which benchmark the rows come from, in the order of the table.
ROWS = {
    "time_to_99": of_training,
    "notebook_costs": of_notebooks,
    "widget_latency": of_widgets,
    "install": of_install,
    "import_time": of_import,
    "grading": of_grading,
    "matmul_share": of_matmul,
    "convolution_scaling": of_scaling,
}


def head(figures, picture):
    """The text of the first section."""
    rows = [row for name, make in ROWS.items() if name in figures for row in make(figures[name])]
    missing = [name for name in ROWS if name not in figures]
    note = f"\nNot measured yet: {', '.join(missing)}.\n" if missing else ""
    return f"""
What the course costs, measured on one machine. `make bench` does all of it; each section below is
written by the program that it names, which says how it was measured. The table and the picture
come from the figures of every repetition, in [results.json](results.json), by
`python benchmarks/overview.py`. Medians; where no target stands, none was set.

{table(["", "measured", "target", ""], rows)}
{note}
![{described(figures)}]({picture})
"""


# ---- the picture --------------------------------------------------------------------------------


def described(figures):
    """The picture in words, with what it shows of the figures that are there."""
    parts = []
    if "time_to_99" in figures:
        parts.append("seconds of training up to 99 % on MNIST, as bars on a logarithmic axis")
    if "widget_latency" in figures:
        parts.append("milliseconds until a widget and its twin show new pixels, as dots")
    if "notebook_costs" in figures:
        seconds = median_by(figures["notebook_costs"], "seconds")
        slowest = max(seconds, key=seconds.get)
        parts.append(
            f"seconds and memory of each notebook, as bars, the longest being {titled(slowest)} "
            f"with {seconds[slowest]:.0f} seconds"
        )
    if "convolution_scaling" in figures:
        parts.append("the time of a convolution against the side of the picture, three lines")
    if "matmul_share" in figures:
        parts.append("where the time of a training step goes, layer by layer")
    return "Panels: " + "; ".join(parts) + "." if parts else "Nothing is measured yet."


def titled(stem):
    return stem.replace("_", " ")


def bars(axes, names, values, colors=SOLID, labels=None, limit=None, ends=None):
    """Horizontal bars, the first at the top, each with its number behind it, or behind `ends`."""
    places = range(len(names))
    axes.barh(places, values, color=colors, height=0.68)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    style = {"textcoords": "offset points", "va": "center", "size": 8, "zorder": 3}
    style |= {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1}}
    for place, end, label in zip(places, ends or values, labels, strict=True):
        axes.annotate(label, (end, place), xytext=(5, 0), **style)
    if limit is not None:
        axes.axvline(limit, color=ACCENT, linestyle="--", linewidth=1.5, marker="")


def draw_training(axes, figures):
    found = contestants(figures)
    seconds = [statistics.median(times) for times, _ in found.values()]
    accuracy = [statistics.mean(all_of) for _, all_of in found.values()]
    names = [textwrap.fill(name.replace("`", ""), 24) for name in found]
    labels = [f"{s:.1f} s, {a:.2%}" for s, a in zip(seconds, accuracy, strict=True)]
    colors = [SOLID if a >= GOAL else PALE for a in accuracy]
    bars(axes, names, seconds, colors, labels, ends=[max(times) for times, _ in found.values()])
    for place, (times, _) in enumerate(found.values()):
        axes.plot(times, [place] * len(times), "|", color="black", markersize=7)
    axes.set_xscale("log")
    axes.set_xlim(min(seconds) / 2, max(seconds) * 8)
    axes.set_xlabel("seconds; pale: accuracy below 99 %")
    axes.set_title("Training to 99 % on MNIST")


def draw_latency(axes, figures):
    names = {"playground": "computed in\nthe browser", "twin": "interact and\nmatplotlib"}
    random = np.random.default_rng(0)
    for place, kind in enumerate(names):
        drawn = [one["drawn"] for one in figures[kind]]
        spread_out = place + random.uniform(-0.15, 0.15, len(drawn))
        axes.plot(drawn, spread_out, "o", color=(SOLID, GRAY)[place], alpha=0.35, markersize=4)
        middle = statistics.median(drawn)
        axes.plot([middle, middle], [place - 0.28, place + 0.28], "-", color="black", marker="")
        axes.annotate(f"{middle:.1f} ms", (middle, place - 0.34), ha="center", size=8)
    axes.axvline(FRAME, color=ACCENT, linestyle="--", linewidth=1.5, marker="")
    axes.annotate(f" target: {FRAME} ms", (FRAME, 1.6), color=ACCENT, size=8)
    axes.set_yticks(range(len(names)), names.values())
    axes.set_ylim(1.7, -0.7)
    axes.set_xscale("log")
    axes.set_xlabel("ms from key press to pixels")
    axes.set_title("A widget's answer")


def draw_seconds(axes, figures):
    seconds = median_by(figures, "seconds")
    labels = [f"{value:.0f}" for value in seconds.values()]
    bars(axes, [titled(n) for n in seconds], list(seconds.values()), SOLID, labels)
    axes.set_xlabel(f"seconds; {figures['together']:.0f} s with one on each core")
    axes.set_title(f"One after the other: {sum(seconds.values()):.0f} s")


def draw_memory(axes, figures):
    peak, kernel = median_by(figures, "peak"), median_by(figures, "kernel")
    most = {name: gigabytes(max(peak[name], kernel[name])) for name in peak}
    labels = [f"{value:.2f}" for value in most.values()]
    numbers = [name.split("_")[0] for name in most]
    bars(axes, numbers, list(most.values()), SOLID, labels, gigabytes(TARGET_BYTES))
    axes.set_xlabel(f"GiB; dashed: the target, {gigabytes(TARGET_BYTES):.0f} GiB")
    axes.set_title("Memory of every notebook, at its highest")


def draw_scaling(axes, figures):
    for name, by_side in figures.items():
        sides = [int(side) for side in by_side]
        line = [1000 * statistics.median(times) for times in by_side.values()]
        p, error, _ = fit(by_side)
        label = f"{name.split(',')[0]}: side to the {p:.2f} ± {error:.2f}"
        axes.plot(sides, line, label=label)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.legend(fontsize=8, loc="upper left")
    axes.margins(y=0.2)
    axes.set_xlabel("side of the picture, in pixels")
    axes.set_ylabel("milliseconds")
    axes.set_title("A convolution, three ways")


def draw_step(axes, figures):
    rows = figures["pieces"]
    order = sorted(rows, key=lambda name: -rows[name]["forward"] - rows[name]["backward"])
    forward = [1000 * rows[name]["forward"] for name in order]
    backward = [1000 * rows[name]["backward"] for name in order]
    both = [f + b for f, b in zip(forward, backward, strict=True)]
    bars(axes, order, both, PALE, [f"{100 * v / sum(both):.0f} %" for v in both])
    axes.barh(range(len(order)), forward, color=SOLID, height=0.68)
    share = statistics.median(figures["networks"][COURSE]["shares"])
    axes.set_xlabel("ms; pale: backward pass")
    axes.set_title(f"A training step: {share:.0%} of matmul's rate")


PANELS = [
    ("time_to_99", draw_training),
    ("widget_latency", draw_latency),
    ("notebook_costs", draw_seconds),
    ("notebook_costs", draw_memory),
    ("convolution_scaling", draw_scaling),
    ("matmul_share", draw_step),
]


@plotting.in_style
def draw(figures):
    """All panels as one Figure; one that has no figures yet says so."""
    figure = Figure(figsize=(11, 12), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.15, w_pad=0.1)
    grid = figure.subplots(3, 2)
    for axes, (name, draw_panel) in zip(grid.flat, PANELS, strict=True):
        if name in figures:
            draw_panel(axes, figures[name])
            axes.margins(x=0.12)
        else:
            axes.set_axis_off()
            axes.annotate(f"{name}: not measured yet", (0.5, 0.5), ha="center")
    return figure


def main():
    arguments = options(__doc__.splitlines()[0], "the same; nothing is measured here").parse_args()
    page = arguments.output
    figures = kept(page)
    picture = page.with_name(f"{page.stem.lower()}.png")
    draw(figures).savefig(picture, dpi=110)
    write_section("overview", head(figures, picture.name), page, first=True)


if __name__ == "__main__":
    main()

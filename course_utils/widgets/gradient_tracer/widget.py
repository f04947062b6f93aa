"""GradientTracer: forward through convolution, ReLU and pooling, and every gradient backward."""

import operator
import reprlib

import torch
import torch.nn.functional as F
import traitlets
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_utils import plotting
from course_utils.plotting import grids as plotted_grids
from course_utils.plotting import style
from course_utils.widgets.shared.base import CourseWidget, refuse
from course_utils.widgets.shared.traits import Choice, Grid, Number, Whole

POOLINGS = ("max", "average", "none")
LOSSES = ("sum", "squared error")
LIMIT = 1000  # of input, kernel and bias: with it, whole numbers stay exact in float32
TARGET_LIMIT = 1_000_000
_GEOMETRY = ("input", "kernel", "stride", "padding", "pooling", "pool_size", "pool_stride")
_STATE = (*_GEOMETRY, "bias", "loss", "target", "source")
_LINE = 25  # cells of the static picture side by side, gaps included, before a new line begins


class _Target(Grid):
    """A grid, or None."""

    def __init__(self, largest):
        super().__init__(None, largest)
        self.tag(to_json=lambda grid, widget: None if grid is None else grid.tolist())

    def make_dynamic_default(self):
        return None

    def validate(self, obj, value):
        return None if value is None else super().validate(obj, value)

    def _from_lists(self, lists, widget):
        held = widget.input if widget.target is None else widget.target
        return None if lists is None else torch.tensor(lists, dtype=held.dtype)


class _Source(traitlets.TraitType):
    """ "loss", or an output cell (row, column)."""

    default_value = "loss"

    def validate(self, obj, value):
        if isinstance(value, str) and value == "loss":
            return value
        try:
            if isinstance(value, str) or len(value) != 2 or any(isinstance(n, bool) for n in value):
                raise TypeError
            row, column = (operator.index(number) for number in value)
            if row < 0 or column < 0:
                raise TypeError
        except TypeError:
            raise traitlets.TraitError(
                f"source={reprlib.repr(value)} is not possible: give 'loss', or the row and the "
                "column of an output cell, such as (0, 1)"
            ) from None
        return row, column


class GradientTracer(CourseWidget):
    """A convolution, ReLU and a pooling, forward and backward, each gradient with its sum.

    x → z = x ∗ W + b → a = ReLU(z) → y = pool(a) → L.

    Args:
        input: x, (H, W), up to 8 × 8. kernel: W, (K_h, K_w), up to 4 × 4. Both hold numbers from
            -1000 to 1000. All is computed in the wider of their dtypes.
        bias: b, a number from -1000 to 1000.
        stride: of the convolution, 1 to 4. padding: zeros around x, 0 to 2.
        pooling: "max", "average" or "none". pool_size, pool_stride: 1 to 4; windows overlap where
            the stride is smaller than the size, and leave cells out where it is larger.
        loss: "sum" of y, or "squared error", the sum of (y − target)².
        target: a grid of the shape of y, or None for zeros.
        source: what is differentiated: "loss", or an output cell (row, column). A cell that a
            smaller output no longer has gives way to "loss".
    Raises:
        traitlets.TraitError: what was given is impossible; the sentence says what is allowed.
    """

    # By default one window has a tie of 7 and 7, and ReLU shuts six cells, one of them at 0.
    input = Grid(
        [[1, 3, 1, -1, 3], [2, 0, 2, -1, 1], [1, 1, 2, 0, 3], [3, 1, -1, -1, 3], [1, 1, 2, 0, 1]],
        largest=8,
    )
    kernel = Grid([[1, -1], [2, -1]], largest=4)
    bias = Number(0.0, -LIMIT, LIMIT)
    stride = Whole(1, 1, 4)
    padding = Whole(0, 0, 2)
    pooling = Choice(*POOLINGS)
    pool_size = Whole(2, 1, 4)
    pool_stride = Whole(2, 1, 4)
    loss = Choice(*LOSSES)
    target = _Target(largest=12)
    source = _Source().tag(sync=True)

    @property
    def stages(self):
        """The forward pass: {"z", "a", "y"}, each (rows, columns), and "loss", a scalar."""
        return {name: value.detach() for name, value in self._graph()[1].items()}

    def forward(self):
        """The same as `stages`."""
        return self.stages

    @property
    def output(self):
        """y, what comes out of the pooling, (H_out, W_out)."""
        return self.stages["y"]

    @property
    def gradients(self):
        """dS/dy, dS/da, dS/dz, dS/dx, dS/dW and dS/db of the source S, by the names "y" to "b".

        Each has the shape of what it belongs to, b's is a scalar. S is the loss or an output cell.
        """
        leaves, stages = self._graph()
        top = stages["loss"] if self.source == "loss" else stages["y"][self.source]
        values = {**{name: stages[name] for name in "yaz"}, **leaves}
        found = torch.autograd.grad(top, list(values.values()))
        return dict(zip(values, found, strict=True))

    @torch.enable_grad()
    def _graph(self):
        """The leaves x, W, b and the stages, still joined by autograd's graph."""
        dtype = torch.promote_types(self.input.dtype, self.kernel.dtype)
        bias = torch.tensor(self.bias, dtype=dtype)
        x, weight, bias = (g.to(dtype).clone() for g in (self.input, self.kernel, bias))
        leaves = {"x": x, "W": weight, "b": bias}
        for leaf in leaves.values():
            leaf.requires_grad_()
        z = F.conv2d(x[None, None], weight[None, None], bias[None], self.stride, self.padding)[0, 0]
        a = F.relu(z)
        y = a
        if self.pooling != "none":
            pool = F.max_pool2d if self.pooling == "max" else F.avg_pool2d
            y = pool(a[None, None], self.pool_size, self.pool_stride)[0, 0]
        if self.loss == "sum":
            loss = y.sum()
        else:
            loss = ((y - (0 if self.target is None else self.target.to(dtype))) ** 2).sum()
        return leaves, {"z": z, "a": a, "y": y, "loss": loss}

    @traitlets.validate(*_STATE)
    def _possible(self, proposal):
        state = self._state_with(proposal, *_STATE)
        if proposal["trait"].name != "source" and not _holds(_output_shape(state), state["source"]):
            state["source"] = "loss"  # as `_stay_inside` will do
        try:
            _check(state)
        except ValueError as error:
            refuse(error)
        return proposal["value"]

    @traitlets.observe(*_GEOMETRY)
    def _stay_inside(self, change):
        state = {name: getattr(self, name) for name in _GEOMETRY}
        if not _holds(_output_shape(state), self.source):
            self.source = "loss"

    @plotting.in_style
    def draw(self):
        """Every stage above its gradient, for the chosen source."""
        stages, gradients = self.stages, self.gradients
        top = "L" if self.source == "loss" else "y[{}, {}]".format(*self.source)
        forward = {"x": self.input, "W": self.kernel, **{name: stages[name] for name in "zay"}}
        lines = _lines({name: grid.shape[1] for name, grid in forward.items()})
        heights = [2 * max(forward[n].shape[0] for n in names) + 3.4 for names in lines]
        width = max(sum(forward[n].shape[1] + 1.2 for n in names) for names in lines) - 1.2
        size = min(0.34, (plotting.WIDTH - 0.2) / width)
        figure = Figure(figsize=(width * size + 0.2, (sum(heights) + 0.8) * size))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-0.2, width + 0.2), ylim=(sum(heights) + 0.7, -0.1), aspect="equal")
        axes.axis("off")
        start = 0.0
        for names, height in zip(lines, heights, strict=True):
            left = 0.0
            for name in names:
                shown = [(name, forward[name]), (f"d{top[0]}/d{name}", gradients[name])]
                for half, (title, grid) in enumerate(shown):
                    above = start + 1.1 + half * (height - 0.6) / 2
                    middle = left + grid.shape[1] / 2
                    axes.text(middle, above - 0.15, title, ha="center", va="bottom", weight="bold")
                    plotted_grids.draw_cells(axes, style.as_plane(grid, title), left, above, size)
                    if title == "y" and self.source != "loss":
                        place = (left + self.source[1], above + self.source[0])
                        axes.add_patch(
                            Rectangle(place, 1, 1, fill=False, ec=plotting.OUTLINE, lw=3)
                        )
                left += forward[name].shape[1] + 1.2
            start += height
        written = {
            "b": self.bias,
            "L": stages["loss"],
            f"d{top}/db": gradients["b"],
        }
        said = ",   ".join(f"{k} = {style.format_number(v)}" for k, v in written.items())
        axes.text(0, start + 0.3, f"backward from {top}.   {said}", va="center")
        figure.alt_text = self._words(top, stages, gradients)
        return figure

    def _words(self, top, stages, gradients):
        pool = f"{self.pooling} pooling" if self.pooling != "none" else "no pooling"
        said = f"Convolution, ReLU, {pool}: y is {style.words(stages['y'])}, "
        said += f"and the loss ({self.loss}) is L = {style.format_number(stages['loss'])}. "
        said += f"d{top}/dW: {style.words(gradients['W'])}. "
        return said + f"d{top}/db: {style.format_number(gradients['b'])}."


def _lines(widths):
    """The names of `widths` in lines that a page has room for."""
    lines, room = [], -1.0
    for name, width in widths.items():
        if room < width:
            lines.append([])
            room = _LINE
        lines[-1].append(name)
        room -= width + 1.2
    return lines


def _output_shape(state):
    """The shape of y, with zeros or less where something does not fit."""
    sizes = [n + 2 * state["padding"] for n in state["input"].shape]
    sizes = [
        (n - k) // state["stride"] + 1 for n, k in zip(sizes, state["kernel"].shape, strict=True)
    ]
    if state["pooling"] == "none":
        return tuple(sizes)
    return tuple((n - state["pool_size"]) // state["pool_stride"] + 1 for n in sizes)


def _holds(shape, source):
    return source == "loss" or (source[0] < shape[0] and source[1] < shape[1])


def _check(state):
    """Raise ValueError where the parts do not fit together; the browser says the same words."""
    for name, most in (("input", LIMIT), ("kernel", LIMIT), ("target", TARGET_LIMIT)):
        if state[name] is not None and state[name].abs().max() > most:
            raise ValueError(
                f"{name} holds a number beyond {most}: give numbers from -{most} to {most}"
            )
    (height, width), (rows, columns) = state["input"].shape, state["kernel"].shape
    padding = state["padding"]
    if rows > height + 2 * padding or columns > width + 2 * padding:
        raise ValueError(
            f"kernel of {rows} × {columns} does not fit an input of {height} × {width} with "
            f"padding={padding}: give a smaller kernel or a larger padding"
        )
    z, y = _output_shape({**state, "pooling": "none"}), _output_shape(state)
    if state["pooling"] != "none" and state["pool_size"] > min(z):
        raise ValueError(
            f"pool_size={state['pool_size']} does not fit the {z[0]} × {z[1]} cells after the "
            "convolution: give a smaller pool_size or stride, or pooling='none'"
        )
    target, source = state["target"], state["source"]
    if state["loss"] == "squared error" and target is not None and tuple(target.shape) != y:
        raise ValueError(
            f"target of shape {tuple(target.shape)} does not fit the output of shape {y}: "
            "give a target of that shape, or None for zeros"
        )
    if not _holds(y, source):
        raise ValueError(
            f"source={source} is not there: the output has {y[0]} × {y[1]} cells, so give "
            f"'loss', or a cell from (0, 0) to ({y[0] - 1}, {y[1] - 1})"
        )

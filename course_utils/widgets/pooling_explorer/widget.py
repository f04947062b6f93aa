"""PoolingExplorer: one window of a pooling at a time, and what happens when the input moves."""

import torch
import torch.nn.functional as F
import traitlets

from course_utils import ops, plotting
from course_utils.ops import arguments
from course_utils.plotting import style
from course_utils.widgets.shared.base import refuse
from course_utils.widgets.shared.stepping import SteppingWidget
from course_utils.widgets.shared.traits import Choice, Grid, Whole, YesNo

MODES = ("max", "average")
KERNELS = ("vertical edges", "horizontal edges", "blur", "one cell")
_OPTIONS = ("mode", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
# A seven as a digit's strokes, with ties, negative numbers, and a corner that holds only those.
_SEVEN = [
    [0, 7, 7, 7, 8, 0],
    [0, 2, 1, 0, 9, 0],
    [-1, 0, 0, 5, 2, 0],
    [0, -2, 6, 3, 0, 1],
    [0, 8, 4, 0, -3, -1],
    [0, 9, 0, 0, -2, -4],
]


class PoolingExplorer(SteppingWidget):
    """A pooling that one moves over a grid: the window, its winner or average, the output.

    A second panel moves the input to the right and compares three operations: the pooling as set,
    the other pooling, and a convolution with the same window, stride and padding.

    Args:
        input: (H, W), up to 12 rows and columns. By default a seven in 6 × 6.
        mode: "max" or "average".
        kernel_size: 1 to 5. stride: 1 to 4. padding: 0 to 2, at most half of `kernel_size`. Each
            counts for both axes.
        ceil_mode: also keep a last window that hangs over the end.
        count_include_pad: whether an average counts the padding, as zeros. A maximum never does.
        position: which output number is shown, in reading order from 0.
        shift: by how many columns the input moves to the right in the comparison, 0 to 4; zeros
            enter from the left.
        kernel: of the convolution it is compared with: "vertical edges", "horizontal edges",
            "blur", or "one cell", which copies one cell of each window.
    Raises:
        traitlets.TraitError: what was given is impossible; the sentence says what is allowed.
    """

    input = Grid(_SEVEN)
    mode = Choice(*MODES)
    kernel_size = Whole(2, 1, 5)
    stride = Whole(2, 1, 4)
    padding = Whole(0, 0, 2)
    ceil_mode = YesNo()
    count_include_pad = YesNo(True)
    position = Whole(0, 0, 13 * 13 - 1)
    shift = Whole(0, 0, 4)
    kernel = Choice(*KERNELS)

    @property
    def output(self):
        """The pooled input, (H_out, W_out), of the dtype of `input`."""
        return self._pool(self.input, self.mode)

    @property
    def winners(self):
        """Where each maximum stands: row · W + column, (H_out, W_out), int64.

        None in average mode, where nobody wins.
        """
        if self.mode != "max":
            return None
        options = self.kernel_size, self.stride, self.padding, 1, self.ceil_mode
        return F.max_pool2d(self.input[None], *options, return_indices=True)[1][0]

    @property
    def shifted(self):
        """The input moved to the right by `shift` columns, (H, W); zeros enter from the left."""
        return F.pad(self.input, (self.shift, 0))[:, : self.input.shape[1]]

    def shift_report(self):
        """How much the output changes when the input becomes `shifted`.

        Returns a dict: "max", "average" (the mode as set first) and "convolution", each a dict of

        - changed: the share of output numbers that differ, 0 to 1;
        - relative: ‖after − before‖ / ‖before‖, None where the output was 0 everywhere;
        - moved: by how many columns the output has moved and is otherwise the same, or None.

        All three are None for a convolution whose kernel does not fit: it has no ceil_mode.
        """
        before, after = self.input.double(), self.shifted.double()
        report = {}
        for mode in sorted(MODES, key=lambda mode: mode != self.mode):
            pair = self._pool(before, mode), self._pool(after, mode)
            report[mode] = _compare(*pair, self.shift, self.stride)
        report["convolution"] = dict.fromkeys(("changed", "relative", "moved"))
        if min(before.shape) + 2 * self.padding >= self.kernel_size:
            weight = make_kernel(self.kernel, self.kernel_size)[None, None]
            pair = (
                F.conv2d(x[None, None], weight, None, self.stride, self.padding)[0, 0]
                for x in (before, after)
            )
            report["convolution"] = _compare(*pair, self.shift, self.stride)
        return report

    def _pool(self, x, mode):
        options = self.kernel_size, self.stride, self.padding
        if mode == "max":
            return F.max_pool2d(x[None], *options, ceil_mode=self.ceil_mode)[0]
        return F.avg_pool2d(x[None], *options, self.ceil_mode, self.count_include_pad)[0]

    @traitlets.validate("input", *_OPTIONS)
    def _possible(self, proposal):
        state = self._state_with(proposal, "input", *_OPTIONS)
        size, stride, padding = state["kernel_size"], state["stride"], state["padding"]
        name = "max_pool2d" if state["mode"] == "max" else "avg_pool2d"
        try:
            # What `ops` checks before it computes.
            arguments.pool(name, state["input"][None], size, stride, padding, 1, state["ceil_mode"])
            for cells in state["input"].shape:
                ops.output_size(cells, size, stride, padding, ceil_mode=state["ceil_mode"])
        except ValueError as error:
            refuse(error)
        return proposal["value"]

    @traitlets.observe("input", *_OPTIONS)
    def _output_changed(self, change):
        self._stay_inside()

    def draw(self):
        """The input in its padding with the window and its winner, the output, and the shift."""
        output, padding, stride, size = self.output, self.padding, self.stride, self.kernel_size
        row, column = self.place
        name = f"input, padding {padding}" if padding else "input"
        outlined = [(row * stride, column * stride, size, size)]
        if self.mode == "max":
            place = divmod(int(self.winners[row, column]), self.input.shape[1])
            outlined.append((place[0] + padding, place[1] + padding, 1, 1))
        grids = {name: self._paper(), self.mode: output.double()}
        windows = {name: outlined, self.mode: (row, column, 1, 1)}
        said = f"{self._say_place()}{self._say_window(row, column)}."
        signs = ["→"]
        if self.shift:
            after = self._pool(self.shifted, self.mode)
            moved = f"moved by {self.shift}"
            grids |= {moved: self.shifted.double(), f"{self.mode} of it": after.double()}
            signs += ["", "→"]
            said += f" {self._say_shift()}"
        figure = plotting.draw_grids(grids, windows, signs=signs)
        figure.alt_text = said
        return figure

    def _cells(self, row, column):
        # The cells of a window in reading order: (row, column, kind), places from the first of x.
        def kind(place, size):
            if 0 <= place < size:
                return 0
            return 1 if -self.padding <= place < size + self.padding else 2

        kinds = ("input", "padding", "outside")
        top, left = (place * self.stride - self.padding for place in (row, column))
        for i in range(top, top + self.kernel_size):
            for j in range(left, left + self.kernel_size):
                number = max(kind(i, self.input.shape[0]), kind(j, self.input.shape[1]))
                yield i, j, kinds[number]

    def _say_window(self, row, column):
        """One output number in words, the same words as in the browser."""
        cells, value = list(self._cells(row, column)), float(self.output[row, column])
        real = [float(self.input[i, j]) for i, j, kind in cells if kind == "input"]
        counted = {"input"} | ({"padding"} if self.count_include_pad else set())
        if self.mode == "max":
            place = divmod(int(self.winners[row, column]), self.input.shape[1])
            listed = ", ".join(map(style.format_number, real))
            said = [
                f"max of {listed} is {style.format_number(value)}, "
                f"from row {place[0]}, column {place[1]}"
            ]
            if (equals := real.count(value)) > 1:
                said.append(f"{equals} cells tie, and the first in reading order wins")
        else:
            terms = [
                float(self.input[i, j]) if kind == "input" else 0.0
                for i, j, kind in cells
                if kind in counted
            ]
            said = [write_average(terms, value)]
        for kind, called in (("padding", "of padding"), ("outside", "outside")):
            count = sum(cell[2] == kind for cell in cells)
            s, es = ("s", "") if count != 1 else ("", "s")
            says = f"never win{es}" if self.mode == "max" else f"do{'es' * (not s)} not count"
            if self.mode == "average" and kind in counted:
                says = f"count{es} as 0"
            if count:
                said.append(f"{count} cell{s} {called} {says}")
        return "; ".join(said)

    def _say_shift(self):
        def number(value):
            return "not defined" if value is None else f"{value:.2f}"

        said = []
        for name, values in self.shift_report().items():
            if values["changed"] is not None:
                end = f", moved by {values['moved']} and otherwise the same"
                said.append(
                    f"{name} changes in {values['changed']:.0%} of its cells, by "
                    f"{number(values['relative'])} of its size{end if values['moved'] else ''}"
                )
        columns = f"{self.shift} column{'s' * (self.shift > 1)}"
        return f"When the input moves right by {columns}: {'; '.join(said)}."

    def _paper(self):
        """The input in its padding, large enough for windows that hang over.

        NaN, drawn empty, is what no window counts; the padding of a maximum is −∞.
        """
        (height, width), padding = self.input.shape, self.padding
        reach = [(n - 1) * self.stride + self.kernel_size for n in self.output.shape]
        high, wide = height + 2 * padding, width + 2 * padding
        counted = 0.0 if self.count_include_pad else torch.nan
        paper = torch.full((max(high, reach[0]), max(wide, reach[1])), torch.nan).double()
        paper[:high, :wide] = -torch.inf if self.mode == "max" else counted
        paper[padding : padding + height, padding : padding + width] = self.input
        return paper


def make_kernel(name, size):
    """The kernel `name` of `KERNELS`, (size, size), float64.

    For a size of 3, "vertical edges" is the Sobel kernel. A kernel of one cell has no neighbour to
    differ from, and copies.
    """
    smooth = _binomial(size)
    inner = F.pad(_binomial(max(1, size - 1)), (1, 1))
    difference = smooth if size == 1 else inner[:-1] - inner[1:]
    if name == "one cell":
        smooth = difference = torch.eye(size).double()[(size - 1) // 2]
    if name == "blur":
        smooth = difference = smooth / smooth.sum()
    down, across = (difference, smooth) if name == "horizontal edges" else (smooth, difference)
    return torch.outer(down, across)


def write_average(terms, value):
    """An average as a person writes it: `(1 − 2 + 0 + 0) / 4 = −0.25`."""
    written = [style.format_number(term) for term in terms]
    rest = [f" − {t[1:]}" if t.startswith("−") else f" + {t}" for t in written[1:]]
    total = "".join([written[0], *rest])
    result = style.format_number(value)
    exact = abs(float(result.replace("−", "-")) - value) <= 1e-6 * max(1, abs(value))
    total = f"({total})" if rest else total
    return f"{total} / {len(terms)} {'=' if exact else '≈'} {result}"


def _binomial(size):
    # A row of Pascal's triangle: the weights of a smooth blur.
    row = torch.ones(1).double()
    for _ in range(size - 1):
        row = F.pad(row, (0, 1)) + F.pad(row, (1, 0))
    return row


def _compare(before, after, shift, stride):
    # Numbers count as equal up to 1e-6 of the largest: a sum may be rounded in another order.
    nearly = 1e-6 * max(before.abs().max(), after.abs().max())
    differs = (after - before).abs() > nearly
    steps, rest = divmod(shift, stride)
    moved = differs.any() and not rest and steps < before.shape[1]
    if moved:
        along = after[:, steps:] - before[:, : before.shape[1] - steps]
        moved = (along.abs() <= nearly).all()
    old = before.norm()
    return {
        "changed": differs.double().mean().item(),
        "relative": ((after - before).norm() / old).item() if old > 0 else None,
        "moved": steps if moved else None,
    }

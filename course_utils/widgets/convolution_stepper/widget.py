"""ConvolutionStepper: one output number of a convolution at a time, and the sum behind it."""

import torch
import traitlets

from course_utils import ops, plotting
from course_utils.plotting import style
from course_utils.widgets.shared.base import refuse
from course_utils.widgets.shared.stepping import SteppingWidget
from course_utils.widgets.shared.traits import Choice, Grid, Whole

MODES = ("cross-correlation", "convolution")
_OPTIONS = ("input", "kernel", "stride", "padding", "dilation")


class ConvolutionStepper(SteppingWidget):
    """A convolution that one steps through: the window, each product, the sum, the output.

    Args:
        input: (H, W), or (C, H, W) with up to 3 channels; up to 12 rows and columns. By default
            1 to 9 in 3 × 3.
        kernel: (K_h, K_w), or (C, K_h, K_w) with as many channels as `input`; up to 7 × 7. By
            default 1 to 4 in 2 × 2.
        stride: 1 to 5. padding: 0 to 3. dilation: 1 to 4. Each counts for both axes.
        mode: "cross-correlation", what PyTorch computes, or "convolution", which turns the kernel
            by 180° first.
        position: which output number is shown, in reading order from 0.
    Raises:
        traitlets.TraitError: what was given is impossible; the sentence says what is allowed.
    """

    input = Grid([[1, 2, 3], [4, 5, 6], [7, 8, 9]], largest=12, channels=3)
    kernel = Grid([[1, 2], [3, 4]], largest=7, channels=3)
    stride = Whole(1, 1, 5)
    padding = Whole(0, 0, 3)
    dilation = Whole(1, 1, 4)
    mode = Choice(*MODES)
    position = Whole(0, 0, 18 * 18 - 1)

    @property
    def output(self):
        """The convolution's answer, (H_out, W_out): the sum over all channels."""
        return _convolve(
            **{name: getattr(self, name) for name in _OPTIONS}, turned=self.mode == MODES[1]
        )

    @traitlets.validate(*_OPTIONS)
    def _possible(self, proposal):
        try:
            _convolve(**self._state_with(proposal, *_OPTIONS))
        except ValueError as error:
            refuse(error)
        return proposal["value"]

    @traitlets.observe(*_OPTIONS)
    def _output_changed(self, change):
        self._stay_inside()

    def draw(self):
        """The input with the window, the kernel as it is laid on it, the output and the sum."""
        turned = self.mode == MODES[1]
        padding, stride, dilation = self.padding, self.stride, self.dilation
        images, kernels = _channels(self.input), _channels(self.kernel)
        kernels = kernels.flip(-2, -1) if turned else kernels
        row, column = self.place
        rows = [row * stride + dilation * m for m in range(kernels.shape[-2])]
        columns = [column * stride + dilation * n for n in range(kernels.shape[-1])]
        cells = [(top, left, 1, 1) for top in rows for left in columns]
        window = (rows[0], columns[0], *kernels.shape[-2:]) if dilation == 1 else cells
        padded = torch.nn.functional.pad(images, (padding,) * 4)
        grids, windows, terms = {}, {}, []
        for number, (image, kernel) in enumerate(zip(padded, kernels, strict=True)):
            which = f" {number}" if len(images) > 1 else ""
            name = f"input{which}, padding {padding}" if padding else f"input{which}"
            grids[name], windows[name] = image, window
            grids[f"kernel{which}, turned" if turned else f"kernel{which}"] = kernel
            terms.append(image[rows][:, columns])
        grids["output"], windows["output"] = self.output, (row, column, 1, 1)
        signs = [*(["∗", "+"] * len(images))[:-1], "="]
        said = f"{self._say_place()}{plotting.write_sum(torch.stack(terms), kernels)}."
        return style.caption(plotting.draw_grids(grids, windows, signs=signs), said)


def _channels(grid):
    return grid if grid.ndim == 3 else grid[None]


def _convolve(input, kernel, stride, padding, dilation, turned=False):
    image, weight = _channels(input), _channels(kernel)
    if len(image) != len(weight):
        raise ValueError(
            f"input has {len(image)} channel(s) and kernel has {len(weight)}: a kernel has one "
            "grid for each channel of its input"
        )
    dtype = torch.promote_types(image.dtype, weight.dtype)
    image, weight = image.to(dtype), weight.to(dtype)
    weight = weight.flip(-2, -1) if turned else weight
    return ops.conv2d(image[None], weight[None], None, stride, padding, dilation)[0, 0]

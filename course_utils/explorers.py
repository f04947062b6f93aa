"""What the explorers of lessons 01 and 02 draw: pure functions of what their controls say."""

import functools

import torch
import torch.nn.functional as F
from matplotlib.colors import CenteredNorm, Normalize
from matplotlib.figure import Figure

from course_utils import data, ops, plotting

MODES = ("cross-correlation", "convolution")
POOLINGS = ("max", "average", "average, padding not counted")
PHOTO_SIZE = 96  # pixels: enough to know the place, few enough to redraw at once
KERNELS = {
    "all edges (Laplacian)": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "vertical edges (Sobel)": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "horizontal edges (Sobel)": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "box blur": [[1 / 9] * 3] * 3,
    "Gaussian blur": [[1 / 16, 2 / 16, 1 / 16], [2 / 16, 4 / 16, 2 / 16], [1 / 16, 2 / 16, 1 / 16]],
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
}


def write_sum(window, kernel):
    """The sum of products as a person writes it: `1·1 + 2·2 + 4·3 + 5·4 = 37`.

    Args:
        window, kernel: two tensors of one shape; multiplied cell by cell, in reading order.
    """
    pairs = zip(window.flatten().tolist(), kernel.flatten().tolist(), strict=True)
    terms = [f"{_factor(one)}·{_factor(other)}" for one, other in pairs]
    return f"{' + '.join(terms)} = {plotting.format_number((window * kernel).sum())}"


def _factor(value):
    text = plotting.format_number(value)
    return f"({text})" if value < 0 else text


def draw_convolution_step(position=0, **options):
    """One step of a convolution: the window, the kernel, and the output up to this step.

    Takes what `convolution_step` takes, and raises what it raises. Returns the figure; its alt
    text writes out the sum behind the outlined number.
    """
    grids, windows, said = convolution_step(position, **options)
    figure = plotting.draw_grids(grids, windows, signs=["∗", "="])
    figure.alt_text = said
    return figure


def convolution_step(
    position=0, stride=1, padding=0, dilation=1, mode=MODES[0], image=None, kernel=None
):
    """What one step of a convolution reads, in grids, and the sum that comes out, in words.

    Args:
        position: which output number, in reading order from 0.
        stride, padding, dilation: one integer each, as in `ops.conv2d`.
        mode: "cross-correlation", or "convolution", which turns the kernel by 180°.
        image, kernel: (H, W) and (K_h, K_w); by default 1 to 9 in 3 × 3 and 1 to 4 in 2 × 2.
    Returns:
        `(grids, windows, sentence)`, the first two as `plotting.draw_grids` takes them. Outputs
        after `position` are NaN, which is drawn empty.
    Raises:
        ValueError: the kernel does not fit, or the output has fewer numbers than `position`.
    """
    if mode not in MODES:
        raise ValueError(f"mode={mode!r} is unknown: choose one of {', '.join(MODES)}")
    image = torch.arange(1, 10).reshape(3, 3) if image is None else image
    kernel = torch.arange(1, 5).reshape(2, 2) if kernel is None else kernel
    turned = mode == "convolution"
    laid = kernel.flip(0, 1) if turned else kernel
    output = ops.conv2d(image[None, None], laid[None, None], None, stride, padding, dilation)[0, 0]
    height, width = output.shape
    row, column = _place(position, output)
    padded = F.pad(image, (padding,) * 4)
    rows = [row * stride + dilation * m for m in range(kernel.shape[0])]
    columns = [column * stride + dilation * n for n in range(kernel.shape[1])]
    cells = [(top, left, 1, 1) for top in rows for left in columns]
    shown = output.double()
    shown.view(-1)[position + 1 :] = torch.nan  # these are still to come
    name = f"image, padding {padding}" if padding else "image"
    return (
        {name: padded, "kernel, turned" if turned else "kernel": laid, "output": shown},
        {
            name: (rows[0], columns[0], *kernel.shape) if dilation == 1 else cells,
            "output": (row, column, 1, 1),
        },
        f"Number {position + 1} of {height} × {width}, in row {row} and column {column} of the "
        f"output: {write_sum(padded[rows][:, columns], laid)}.",
    )


def _place(position, output):
    """The row and the column of an output number, counted in reading order."""
    height, width = output.shape
    if not 0 <= position < output.numel():
        raise ValueError(
            f"position={position} is not there: the output has {height} × {width} numbers, so "
            f"position goes from 0 to {output.numel() - 1}"
        )
    return divmod(position, width)


@functools.cache
def _photo(name):
    return data.load_photo(name, size=PHOTO_SIZE)


@plotting.in_style
def draw_kernel_response(kernel="vertical edges (Sobel)", noise=0.0, photo="china"):
    """A photograph, a kernel of 3 × 3, and what the kernel answers.

    An answer that means brightness (the kernel adds up to 1) is drawn from black to white, one
    that means a difference (it adds up to 0) with its sign: blue below 0, orange above.

    Args:
        kernel: one of `KERNELS`.
        noise: standard deviation of what is added to every pixel first; black is 0, white 1.
        photo: "china" or "flower".
    Returns:
        The figure. Its alt text gives the smallest and the largest answer.
    """
    if kernel not in KERNELS:
        raise ValueError(f"kernel={kernel!r} is unknown: choose one of {', '.join(KERNELS)}")
    weight = torch.tensor(KERNELS[kernel], dtype=torch.float32)
    grain = torch.randn(1, 1, PHOTO_SIZE, PHOTO_SIZE, generator=torch.Generator().manual_seed(0))
    picture = _photo(photo) + noise * grain
    answer = F.conv2d(picture, weight[None, None])[0, 0]
    signed = abs(float(weight.sum())) < 1e-6

    figure = Figure(figsize=(plotting.WIDTH, 2.5), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=[4, 2, 4.9])
    left.imshow(picture[0, 0].numpy(), norm=Normalize(0, 1))
    left.set_title("photograph")
    pale = CenteredNorm(0, 2.5 * float(weight.abs().max()))  # so that the numbers can be read
    middle.imshow(weight.numpy(), cmap=plotting.SIGNED, norm=pale)
    for row, column in weight.ne(torch.nan).nonzero().tolist():
        number = plotting.format_number(weight[row, column])
        middle.text(column, row, number, ha="center", va="center", size=9)
    middle.set_title("kernel")
    norm = CenteredNorm(0, float(answer.abs().max())) if signed else Normalize(0, 1)
    shown = right.imshow(answer.numpy(), cmap=plotting.SIGNED if signed else "gray", norm=norm)
    right.set_title("answer")
    figure.colorbar(shown, ax=right, shrink=0.9, extend="neither" if signed else "both")
    for axis in (left, middle, right):
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
    low, high = plotting.format_number(answer.min()), plotting.format_number(answer.max())
    figure.alt_text = f"{kernel}: the answers go from {low} to {high}."
    return figure


def draw_pooling(image, **options):
    """One window of a pooling: what it covers, which cell wins, and the whole output.

    Takes what `pooling_step` takes, and raises what it raises. Returns the figure; its alt text
    says which cell won, or writes out the average.
    """
    grids, windows, said = pooling_step(image, **options)
    figure = plotting.draw_grids(grids, windows, signs=["→"])
    figure.alt_text = said
    return figure


def pooling_step(
    image, mode=POOLINGS[0], kernel_size=2, stride=2, padding=0, ceil_mode=False, position=0
):
    """What one window of a pooling covers, in grids, and what comes out of it, in words.

    Args:
        image: (H, W).
        mode: one of `POOLINGS`.
        kernel_size, stride, padding, ceil_mode: as in `ops.max_pool2d`, integers and a bool.
        position: which output number, in reading order from 0.
    Returns:
        `(grids, windows, sentence)`, the first two as `plotting.draw_grids` takes them.
    Raises:
        ValueError: torch refuses the options, or the output has fewer numbers than `position`.
    """
    if mode not in POOLINGS:
        raise ValueError(f"mode={mode!r} is unknown: choose one of {', '.join(POOLINGS)}")
    x, options = image[None, None].double(), (kernel_size, stride, padding)
    if mode == "max":
        output, winners = ops.max_pool2d(x, *options, ceil_mode=ceil_mode, return_indices=True)
    else:
        counted = mode == "average"
        output = ops.avg_pool2d(x, *options, ceil_mode=ceil_mode, count_include_pad=counted)
    output = output[0, 0]
    height, width = output.shape
    row, column = _place(position, output)
    window = (row * stride, column * stride, kernel_size, kernel_size)
    paper = _paper(x[0, 0], mode, padding, [(n - 1) * stride + kernel_size for n in output.shape])
    cells = paper[window[0] : window[0] + kernel_size, window[1] : window[1] + kernel_size]
    outlined, result = [window], plotting.format_number(output[row, column])
    if mode == "max":
        place = divmod(int(winners[0, 0, row, column]), x.shape[-1])
        outlined.append((place[0] + padding, place[1] + padding, 1, 1))
        said = f"{result} wins, from row {place[0]} and column {place[1]} of the image"
    else:
        cells = cells[~cells.isnan()]
        total = plotting.format_number(cells.sum())
        said = f"the sum is {total}; over {cells.numel()} cells that makes {result}"
    name = f"image, padding {padding}" if padding else "image"
    return (
        {name: paper, "output": output},
        {name: outlined, "output": (row, column, 1, 1)},
        f"Number {position + 1} of {height} × {width}: {said}.",
    )


def _paper(image, mode, padding, reach):
    """The image in its padding, large enough for windows that end at `reach`.

    NaN, drawn empty, is what no window counts; the padding of a maximum is −∞.
    """
    height, width = (n + 2 * padding for n in image.shape)
    paper = image.new_full((max(height, reach[0]), max(width, reach[1])), torch.nan)
    padded = {"max": -torch.inf, "average": 0.0}.get(mode, torch.nan)
    paper[:height, :width] = padded
    paper[padding : height - padding, padding : width - padding] = image
    return paper

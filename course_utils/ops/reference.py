"""Convolution and pooling in plain loops: what torch computes, in code that can be read.

Each function takes what its namesake in `torch.nn.functional` takes and returns the same numbers,
for a batch (N, C, H, W) or a single image (C, H, W), in the dtype and on the device of `x`.
Gradients flow through it. The loops run over positions, the arithmetic inside is on tensors.
An option is one integer, or a pair for (height, width). What torch refuses raises `ValueError`,
with the argument, its value and what would be right.

Sources: Dumoulin & Visin (2016), A guide to convolution arithmetic for deep learning,
arXiv:1603.07285. Goodfellow, Bengio & Courville (2016), Deep Learning, chapter 9.
"""

import itertools
import math

import torch

from . import arguments
from .geometry import (
    as_batch,
    conv_slices,
    conv_windows,
    finish,
    for_sums,
    in_groups,
    pool_windows,
)


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Slide each kernel over the image; every output number is a sum of products.

    Args:
        x: (N, C_in, H, W) or (C_in, H, W), of any float, complex or integer dtype.
        weight: (C_out, C_in / groups, K_h, K_w), of the dtype of `x`. It is not turned: this is
            cross-correlation, which deep learning calls convolution.
        bias: (C_out,) or None, added to every cell of its channel.
        stride: cells from one position to the next, at least 1.
        padding: zeros added on each side, at least 0, or 'valid' (none), or 'same' (as many as
            keep the size; needs `stride=1`; an odd one goes to the right and the bottom).
        dilation: distance between neighbouring cells of the kernel, at least 1.
        groups: divisor of C_in and C_out; each group of output channels sees its own input
            channels only. With `groups=C_in` the convolution is called depthwise.

    Returns (N, C_out, H_out, W_out), see `output_size`. Source: Goodfellow et al., equation 9.6.
    """
    options = arguments.conv2d("conv2d", x, weight, bias, stride, padding, dilation, groups)
    images, kernels, rows, cols, _ = conv_windows(x, weight, *options)
    output = images.new_zeros(*images.shape[:2], kernels.shape[1], len(rows), len(cols))
    for i in range(len(rows)):
        for j in range(len(cols)):
            window = images[..., rows[i], cols[j]]  # (N, groups, C_in/g, K_h, K_w)
            products = window.unsqueeze(2) * kernels  # (N, groups, C_out/g, C_in/g, K_h, K_w)
            output[..., i, j] = products.sum((3, 4, 5))
    return finish(output, bias, x)


def conv2d_im2col(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The same convolution as one matrix product: every window is written out as a column.

    Arguments and result are those of `conv2d`. Faster, for up to K_h · K_w times the memory.
    Source: Chellapilla, Puri & Simard (2006), High performance convolutional neural networks.
    """
    options = arguments.conv2d("conv2d", x, weight, bias, stride, padding, dilation, groups)
    images, kernels, rows, cols, _ = conv_windows(x, weight, *options)
    height, width = torch.arange(images.shape[-2]), torch.arange(images.shape[-1])
    row_index = torch.stack([height[window] for window in rows], dim=1)  # (K_h, H_out)
    col_index = torch.stack([width[window] for window in cols], dim=1)  # (K_w, W_out)
    # Row numbers against column numbers: (N, groups, C_in/g, K_h, K_w, H_out, W_out)
    windows = images[..., row_index[:, None, :, None], col_index[None, :, None, :]]
    columns = windows.flatten(5).flatten(2, 4)  # (N, groups, C_in/g · K_h · K_w, H_out · W_out)
    output = kernels.flatten(2) @ columns  # (N, groups, C_out/g, H_out · W_out)
    return finish(output.unflatten(3, (len(rows), len(cols))), bias, x)


def conv2d_backward(x, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradients of a loss with respect to what went into `conv2d`.

    An output cell is a sum of products, so it hands its gradient back to both factors of each,
    times the other factor. Cells in several windows collect a sum; cells in none, such as rows
    that a stride drops, keep 0.

    Args:
        x, weight, stride, padding, dilation, groups: as in `conv2d`, of a float or complex dtype.
        grad_output: dLoss/dOutput, with the shape of the output and the dtype of `x`.

    Returns (grad_x, grad_weight, grad_bias), shaped like `x`, `weight` and (C_out,).
    Source: Goodfellow et al., equations 9.11 and 9.13.
    """
    options = arguments.conv2d(
        "conv2d_backward", x, weight, None, stride, padding, dilation, groups
    )
    images, kernels, rows, cols, inside = conv_windows(x, weight, *options)
    arguments.check_grad_output(grad_output, x, (weight.shape[0], len(rows), len(cols)))
    grads = in_groups(as_batch(grad_output), 1, kernels.shape[0])
    images, kernels = images.conj(), kernels.conj()  # changes complex numbers only

    grad_images, grad_kernels = torch.zeros_like(images), torch.zeros_like(kernels)
    for i in range(len(rows)):
        for j in range(len(cols)):
            grad = grads[..., i, j, None, None, None]  # (N, groups, C_out/g, 1, 1, 1)
            window = images[..., rows[i], cols[j]].unsqueeze(2)  # (N, groups, 1, C_in/g, K_h, K_w)
            grad_kernels += (grad * window).sum(0)
            grad_images[..., rows[i], cols[j]] += (grad * kernels).sum(2)
    grad_weight = grad_kernels.flatten(0, 1).to(x.dtype)
    grad_bias = grads.sum((0, 3, 4)).flatten().to(x.dtype)
    return finish(grad_images[..., *inside], None, x), grad_weight, grad_bias


def conv_transpose2d(
    x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """Lay a copy of the kernel down for every input cell, times that cell; overlaps add up.

    Args:
        x: (N, C_in, H, W) or (C_in, H, W), of any float or complex dtype, or int64.
        weight: (C_in, C_out / groups, K_h, K_w), of the dtype of `x`.
        bias: (C_out,) or None, added to every cell of its channel.
        stride: cells from one copy of the kernel to the next, at least 1.
        padding: cells cut off each side of the result, at least 0.
        output_padding: cells added at the right and the bottom, less than the larger of stride
            and dilation. It chooses among the input sizes that a strided convolution merges.
        groups, dilation: as in `conv2d`.

    Returns (N, C_out, H_out, W_out) with
    H_out = (H − 1) · stride − 2 · padding + dilation · (K_h − 1) + output_padding + 1.
    Source: Dumoulin & Visin (2016), chapter 4.
    """
    stride, padding, dilation, groups, height, width = arguments.conv_transpose2d(
        x, weight, bias, stride, padding, output_padding, groups, dilation
    )
    images = in_groups(as_batch(x), 1, groups)  # (N, groups, C_in/g, H, W)
    kernels = in_groups(for_sums(weight), 0, groups)  # (groups, C_in/g, C_out/g, ...)
    rows = conv_slices(x.shape[-2], weight.shape[2], stride[0], dilation[0])
    cols = conv_slices(x.shape[-1], weight.shape[3], stride[1], dilation[1])

    top, left = padding
    output = images.new_zeros(
        *images.shape[:2], kernels.shape[2], top + height + top, left + width + left
    )
    for i in range(len(rows)):
        for j in range(len(cols)):
            cell = images[..., i, j, None, None, None]  # (N, groups, C_in/g, 1, 1, 1)
            output[..., rows[i], cols[j]] += (cell * kernels).sum(2)
    return finish(output[..., top : top + height, left : left + width], bias, x)


def max_pool2d(
    x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """Keep the largest number of each window.

    Padding never wins, whatever the numbers are. Of equal numbers the first wins, in reading
    order; NaN wins over every number, and of several NaN the last one, as in torch.

    Args:
        x: (N, C, H, W) or (C, H, W), of any float or integer dtype; only N may be 0.
        kernel_size: cells of the window, at least 1.
        stride: cells from one window to the next, at least 1; None means `kernel_size`.
        padding: cells added on each side, at most half of `kernel_size`.
        dilation: distance between neighbouring cells of the window, at least 1.
        ceil_mode: also keep a last window that hangs over the end, see `output_size`.
        return_indices: also return where the winners stand.

    Returns (N, C, H_out, W_out), or a pair of it and the winners' indices row · W + column, int64.
    Source: Goodfellow et al., section 9.3.
    """
    kernel_size, stride, padding, dilation = arguments.pool(
        "max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode
    )
    height, width = x.shape[-2:]
    rows, cols = pool_windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    lowest = -math.inf if x.is_floating_point() else torch.iinfo(x.dtype).min
    output = x.new_zeros(*x.shape[:-2], len(rows), len(cols))
    indices = torch.zeros_like(output, dtype=torch.int64)
    for i in range(len(rows)):
        for j in range(len(cols)):
            best = x.new_full(x.shape[:-2], lowest)
            # Until a number beats it, the first cell of the window that is not padding leads.
            first_row, first_col = _inside(rows[i])[0], _inside(cols[j])[0]
            winner = torch.full_like(best, first_row * width + first_col, dtype=torch.int64)
            for row, col in itertools.product(_inside(rows[i], height), _inside(cols[j], width)):
                cell = x[..., row, col]
                wins = (cell > best) | cell.isnan()
                best = torch.where(wins, cell, best)
                winner = torch.where(wins, row * width + col, winner)
            output[..., i, j], indices[..., i, j] = best, winner
    return (output, indices) if return_indices else output


def max_pool2d_backward(
    x, grad_output, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False
):
    """The gradient of a loss with respect to what went into `max_pool2d`.

    Each output cell hands its whole gradient to the cell that won; where windows overlap, one
    cell can win several times, and its gradients add up.

    Args:
        x, kernel_size, stride, padding, dilation, ceil_mode: as in `max_pool2d`, x of floats.
        grad_output: dLoss/dOutput, with the shape of the output and the dtype of `x`.

    Returns grad_x, shaped like `x`.
    """
    options = kernel_size, stride, padding, dilation, ceil_mode
    arguments.pool("max_pool2d_backward", x, *options)
    _, winners = max_pool2d(x.detach(), *options, return_indices=True)
    arguments.check_grad_output(grad_output, x, winners.shape[-3:])
    cells = x.shape[-2] * x.shape[-1]
    grad_x = x.new_zeros(*x.shape[:-2], cells + 1)  # and one more, for an index outside
    grad_x.scatter_add_(-1, winners.flatten(-2).clamp(max=cells), grad_output.flatten(-2))
    return grad_x[..., :cells].unflatten(-1, x.shape[-2:])


def avg_pool2d(
    x,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """Replace each window by its mean.

    Args:
        x: (N, C, H, W) or (C, H, W), of any float dtype, or int64 (a mean is cut off towards 0).
        kernel_size, stride, padding, ceil_mode: as in `max_pool2d`.
        count_include_pad: whether the zeros of the padding count as cells. What `ceil_mode` lets
            hang over beyond the padding never does.
        divisor_override: an integer other than 0 to divide every sum by, or None.

    Returns (N, C, H_out, W_out). Source: Goodfellow et al., section 9.3.
    """
    kernel_size, stride, padding, dilation = arguments.pool(
        "avg_pool2d", x, kernel_size, stride, padding, 1, ceil_mode
    )
    divisor_override = arguments.averaging(count_include_pad, divisor_override)
    images = for_sums(x)
    height, width = x.shape[-2:]
    top, left = padding if count_include_pad else (0, 0)
    rounding = None if x.is_floating_point() else "trunc"
    rows, cols = pool_windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    output = images.new_zeros(*x.shape[:-2], len(rows), len(cols))
    for i in range(len(rows)):
        for j in range(len(cols)):
            window = images[..., _inside(rows[i], height), :][..., _inside(cols[j], width)]
            counted_rows = _inside(rows[i], height + top, first=-top)
            counted_cols = _inside(cols[j], width + left, first=-left)
            divisor = divisor_override or len(counted_rows) * len(counted_cols)
            output[..., i, j] = torch.div(window.sum((-2, -1)), divisor, rounding_mode=rounding)
    return output.to(x.dtype)


def _inside(numbers, stop=math.inf, first=0):
    # The row or column numbers of a window that lie from `first` to before `stop`.
    return [number for number in numbers if first <= number < stop]

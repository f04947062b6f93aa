"""The geometry behind `course_utils.ops`: how many windows there are, and what each covers."""

import torch

from . import arguments


def output_size(size, kernel_size, stride=1, padding=0, dilation=1, ceil_mode=False):
    """How many positions a window has along one axis: the height or width of the output.

    Args:
        size: cells of the input along this axis, at least 1.
        kernel_size: cells of the window, at least 1.
        stride: cells from one position to the next, at least 1.
        padding: cells added at each end, at least 0, or 'valid' (none), or 'same' (as many as
            keep the size; needs `stride=1`).
        dilation: distance between neighbouring cells of the window, at least 1.
        ceil_mode: round up, so that a last window may hang over the end (pooling only).

    Returns the size, an int. Raises ValueError if the window doesn't fit even once.
    Source: Dumoulin & Visin (2016), arXiv:1603.07285, relationship 15.
    """
    size, kernel_size, stride, padding, dilation = arguments.output_size(
        size, kernel_size, stride, padding, dilation, ceil_mode
    )
    reach = dilation * (kernel_size - 1) + 1  # cells from the window's first to its last
    before, after = _padding_cells(padding, reach)
    room = size + before + after - reach  # how far the window can move
    count = (room + stride - 1 if ceil_mode else room) // stride + 1
    if ceil_mode and (count - 1) * stride >= size + before:
        count -= 1  # the last window would begin behind the input, where there is nothing to see
    if count < 1:
        raise ValueError(
            f"kernel_size={kernel_size} is too large for size={size}: with dilation={dilation} it "
            f"covers {reach} cells, and with padding={padding} there are only {room + reach}"
        )
    return count


def conv_windows(x, weight, stride, padding, dilation, groups):
    """What a convolution slides over: (images, kernels, rows, cols, inside).

    `images` (N, groups, C_in/g, H + padding, W + padding) and `kernels` (groups, C_out/g, C_in/g,
    K_h, K_w) are ready for sums; window (i, j) is `images[..., rows[i], cols[j]]`, and x itself
    lies at `images[..., *inside]`.
    """
    k_h, k_w = weight.shape[2:]
    height, width = x.shape[-2:]
    rows = conv_slices(
        output_size(height, k_h, stride[0], padding[0], dilation[0]), k_h, stride[0], dilation[0]
    )
    cols = conv_slices(
        output_size(width, k_w, stride[1], padding[1], dilation[1]), k_w, stride[1], dilation[1]
    )
    top, bottom = _padding_cells(padding[0], dilation[0] * (k_h - 1) + 1)
    left, right = _padding_cells(padding[1], dilation[1] * (k_w - 1) + 1)
    batch = as_batch(x)
    padded = batch.new_zeros(*batch.shape[:2], top + height + bottom, left + width + right)
    inside = slice(top, top + height), slice(left, left + width)
    padded[..., *inside] = batch
    return in_groups(padded, 1, groups), in_groups(for_sums(weight), 0, groups), rows, cols, inside


def pool_windows(x, kernel_size, stride, padding, dilation, ceil_mode):
    """The row numbers and the column numbers of each window of a pooling, as two lists of ranges.

    Numbers count from the first cell of x: those below 0 lie in the padding, and so do those from
    H or W on.
    """
    return tuple(
        _windows(output_size(size, k, s, p, d, ceil_mode), k, s, p, d)
        for size, k, s, p, d in zip(
            x.shape[-2:], kernel_size, stride, padding, dilation, strict=True
        )
    )


def conv_slices(count, kernel_size, stride, dilation):
    """The windows at the first `count` positions along one axis without padding, as slices."""
    windows = _windows(count, kernel_size, stride, 0, dilation)
    return [slice(window.start, window.stop, window.step) for window in windows]


def in_groups(tensor, axis, groups):
    """Split the channels along `axis` into `groups`: (..., C, ...) to (..., groups, C/g, ...)."""
    return tensor.unflatten(axis, (groups, tensor.shape[axis] // groups))


# Sixteen bits are too few to add up many numbers: torch adds in 32 and rounds once, at the end.
_DTYPES_FOR_SUMS = {
    torch.float16: torch.float32,
    torch.bfloat16: torch.float32,
    torch.complex32: torch.complex64,
}


def for_sums(tensor):
    """`tensor` in the dtype that sums are computed in."""
    return tensor.to(_DTYPES_FOR_SUMS.get(tensor.dtype, tensor.dtype))


def as_batch(x):
    """`x` as a batch (N, C, H, W), in the dtype that sums are computed in."""
    return for_sums(x if x.dim() == 4 else x.unsqueeze(0))


def finish(output, bias, x):
    """Join the groups of `output`, add the bias, and return to the dtype and dimensions of `x`."""
    output = output.flatten(1, 2)
    if bias is not None:
        output = output + for_sums(bias)[:, None, None]
    return (output if x.dim() == 4 else output.squeeze(0)).to(x.dtype)


def _windows(count, kernel_size, stride, padding, dilation):
    starts = [position * stride - padding for position in range(count)]
    return [range(start, start + dilation * (kernel_size - 1) + 1, dilation) for start in starts]


def _padding_cells(padding, reach):
    # 'same' adds what the window's reach takes away; of an odd number the larger half comes after.
    return ((reach - 1) // 2, reach // 2) if padding == "same" else (padding, padding)

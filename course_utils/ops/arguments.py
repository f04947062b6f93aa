"""The checks behind `course_utils.ops`: what torch refuses is refused here, in a sentence.

Every function raises `ValueError` with the argument, its value and what would be right. Options
come back as pairs of integers, for the height and the width.
"""

import operator
import reprlib

import torch

_FLOAT = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_COMPLEX = (torch.complex32, torch.complex64, torch.complex128)
_INTEGER = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)

# What torch itself computes with on a CPU.
_DTYPES = {
    "conv2d": (*_FLOAT, *_COMPLEX, *_INTEGER),
    "conv2d_backward": (*_FLOAT, *_COMPLEX),
    "conv_transpose2d": (*_FLOAT, *_COMPLEX, torch.int64),
    "max_pool2d": (*_FLOAT, *_INTEGER),
    "max_pool2d_backward": _FLOAT,
    "avg_pool2d": (*_FLOAT, torch.int64),
}


def output_size(size, kernel_size, stride, padding, dilation, ceil_mode):
    """Check the options of one axis; return them as integers, with padding perhaps 'same'."""
    size, kernel_size, stride, dilation = (
        whole_number(name, value, 1)
        for name, value in (
            ("size", size),
            ("kernel_size", kernel_size),
            ("stride", stride),
            ("dilation", dilation),
        )
    )
    if isinstance(padding, str):
        padding, _ = _conv_padding(padding, (stride, stride))
    else:
        padding = whole_number("padding", padding, 0)
    _check_bool("ceil_mode", ceil_mode)
    return size, kernel_size, stride, padding, dilation


def conv2d(name, x, weight, bias, stride, padding, dilation, groups):
    """Check what a convolution gets; return (stride, padding, dilation, groups)."""
    _check_images(name, x, fewest_channels=0)
    _check_weight(weight, x, "(C_out, C_in / groups, K_h, K_w)")
    stride = _pair("stride", stride, 1)
    padding = _conv_padding(padding, stride)
    dilation = _pair("dilation", dilation, 1)
    groups = whole_number("groups", groups, 1)
    c_in, c_out = x.shape[-3], weight.shape[0]
    if c_out == 0:
        raise ValueError(
            f"weight.shape={tuple(weight.shape)} has no output channel: "
            "weight.shape[0] = C_out must be at least 1"
        )
    _check_divides(groups, C_in=c_in)
    _check_divides(groups, C_out=c_out)
    if weight.shape[1] * groups != c_in:
        raise ValueError(
            f"weight.shape={tuple(weight.shape)} does not fit x.shape={tuple(x.shape)} with "
            f"groups={groups}: weight.shape[1] must be C_in / groups = {c_in // groups}"
        )
    _check_bias(bias, x, c_out)
    return stride, padding, dilation, groups


def conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation):
    """Check what a transposed convolution gets.

    Returns (stride, padding, dilation, groups, height of the output, width of the output).
    """
    _check_images("conv_transpose2d", x)
    _check_weight(weight, x, "(C_in, C_out / groups, K_h, K_w)")
    stride = _pair("stride", stride, 1)
    padding = _pair("padding", padding, 0)
    output_padding = _pair("output_padding", output_padding, 0)
    groups = whole_number("groups", groups, 1)
    dilation = _pair("dilation", dilation, 1)
    if weight.shape[0] != x.shape[-3]:
        raise ValueError(
            f"weight.shape={tuple(weight.shape)} does not fit x.shape={tuple(x.shape)}: "
            f"weight.shape[0] must be C_in = {x.shape[-3]}"
        )
    if weight.shape[1] == 0:
        raise ValueError(
            f"weight.shape={tuple(weight.shape)} has no output channel: "
            "weight.shape[1] = C_out / groups must be at least 1"
        )
    _check_divides(groups, C_in=x.shape[-3])
    _check_bias(bias, x, weight.shape[1] * groups)
    most = tuple(max(s, d) - 1 for s, d in zip(stride, dilation, strict=True))
    if output_padding[0] > most[0] or output_padding[1] > most[1]:
        raise ValueError(
            f"output_padding={_show_pair(output_padding)} is too large for "
            f"stride={_show_pair(stride)} and dilation={_show_pair(dilation)}: "
            f"it must be smaller than one of them, so at most {_show_pair(most)}"
        )
    height, width = (
        (x.shape[axis] - 1) * stride[axis]
        + dilation[axis] * (weight.shape[axis] - 1)
        + 1
        + output_padding[axis]
        for axis in (-2, -1)
    )
    if height <= 2 * padding[0] or width <= 2 * padding[1]:
        most = (height - 1) // 2, (width - 1) // 2
        raise ValueError(
            f"padding={_show_pair(padding)} is too large: it is cut off each side of "
            f"{height} × {width} cells, so at most {_show_pair(most)} leaves any"
        )
    return stride, padding, dilation, groups, height - 2 * padding[0], width - 2 * padding[1]


def pool(name, x, kernel_size, stride, padding, dilation, ceil_mode):
    """Check what a pooling gets; return (kernel_size, stride, padding, dilation)."""
    _check_images(name, x)
    kernel_size = _pair("kernel_size", kernel_size, 1)
    stride_is_left_out = stride is None or (isinstance(stride, list | tuple) and not stride)
    stride = kernel_size if stride_is_left_out else _pair("stride", stride, 1)
    padding = _pair("padding", padding, 0)
    dilation = _pair("dilation", dilation, 1)
    _check_bool("ceil_mode", ceil_mode)
    most = kernel_size[0] // 2, kernel_size[1] // 2
    if padding[0] > most[0] or padding[1] > most[1]:
        kind = "average" if name.startswith("avg") else "max"
        raise ValueError(
            f"padding={_show_pair(padding)} is too large for "
            f"kernel_size={_show_pair(kernel_size)}: "
            f"{kind} pooling allows at most {_show_pair(most)}"
        )
    return kernel_size, stride, padding, dilation


def averaging(count_include_pad, divisor_override):
    """Check what only average pooling gets; return `divisor_override`, an int or None."""
    _check_bool("count_include_pad", count_include_pad)
    if divisor_override is None:
        return None
    divisor = whole_number("divisor_override", divisor_override)
    if divisor == 0:
        raise ValueError("divisor_override=0 cannot divide: it must be another integer, or None")
    return divisor


def check_grad_output(grad_output, x, shape):
    """Refuse a gradient that doesn't have the `shape` (C, H, W) of the output, or its dtype."""
    _check_tensor("grad_output", grad_output)
    shape = (*x.shape[:-3], *shape)
    if tuple(grad_output.shape) != shape:
        raise ValueError(
            f"grad_output.shape={tuple(grad_output.shape)} does not fit "
            f"x.shape={tuple(x.shape)}: with these options the output has the shape {shape}"
        )
    _check_same_kind("grad_output", grad_output, x)


def whole_number(name, value, at_least=None):
    return _integers(name, value, [value], at_least)[0]


def _pair(name, value, at_least):
    # One integer, or a list or tuple of one or two, as (for the height, for the width).
    parts = value if isinstance(value, list | tuple) else [value]
    if len(parts) not in (1, 2):
        raise ValueError(
            f"{name}={_show(value)} has {len(parts)} entries: "
            "give one integer, or two for height and width"
        )
    numbers = _integers(name, value, parts, at_least)
    return numbers[0], numbers[-1]


def _integers(name, value, parts, at_least):
    # numpy's integers and tensors with one integer count as integers, True and 1.0 do not.
    try:
        if any(isinstance(part, bool) for part in parts):
            raise TypeError
        numbers = [operator.index(part) for part in parts]
    except TypeError:
        kind = "a whole number" if parts[0] is value else "made of whole numbers"
        raise ValueError(
            f"{name}={_show(value)} is not {kind}: it must be an int, such as {name}=1"
        ) from None
    if at_least is not None and min(numbers) < at_least:
        raise ValueError(f"{name}={_show(value)} is too small: it must be at least {at_least}")
    return numbers


def _conv_padding(padding, stride):
    # A pair: of integers, or of 'same'. 'valid' is 0.
    if not isinstance(padding, str):
        return _pair("padding", padding, 0)
    if padding not in ("same", "valid"):
        raise ValueError(
            f"padding={_show(padding)} is unknown: it must be an int, a pair, 'same' or 'valid'"
        )
    if padding == "same" and stride != (1, 1):
        raise ValueError(
            f"padding='same' does not work with stride={_show_pair(stride)}: "
            "use stride=1, or give the padding as a number"
        )
    return ("same", "same") if padding == "same" else (0, 0)


def _check_bool(name, value):
    if not isinstance(value, bool):
        raise ValueError(f"{name}={_show(value)} is not a bool: it must be True or False")


def _check_tensor(name, value):
    if not isinstance(value, torch.Tensor):
        raise ValueError(
            f"{name}={_show(value)} is of type {type(value).__name__}: it must be a torch.Tensor"
        )


def _check_images(name, x, *, fewest_channels=1):
    _check_tensor("x", x)
    if x.dim() not in (3, 4):
        raise ValueError(
            f"x.shape={tuple(x.shape)} has {x.dim()} dimensions: {name} expects (N, C, H, W), "
            "or (C, H, W) for a single image"
        )
    if 0 in x.shape[-2:] or x.shape[-3] < fewest_channels:
        raise ValueError(
            f"x.shape={tuple(x.shape)} has no cells: {name} expects C, H and W of at least 1"
        )
    if x.dtype not in _DTYPES[name]:
        names = ", ".join(str(dtype).removeprefix("torch.") for dtype in _DTYPES[name])
        raise ValueError(f"x.dtype={x.dtype} is not supported: {name} expects one of {names}")


def _check_weight(weight, x, expected):
    _check_tensor("weight", weight)
    if weight.dim() != 4:
        raise ValueError(
            f"weight.shape={tuple(weight.shape)} has {weight.dim()} dimensions: expected {expected}"
        )
    if 0 in weight.shape[2:]:
        raise ValueError(
            f"weight.shape={tuple(weight.shape)} has an empty kernel: "
            "K_h and K_w must be at least 1"
        )
    _check_same_kind("weight", weight, x)


def _check_divides(groups, **channels):
    ((name, count),) = channels.items()
    if count % groups:
        raise ValueError(
            f"groups={groups} does not divide {name}={count}: groups must be a divisor of {name}"
        )


def _check_bias(bias, x, c_out):
    if bias is None:
        return
    _check_tensor("bias", bias)
    if tuple(bias.shape) != (c_out,):
        raise ValueError(
            f"bias.shape={tuple(bias.shape)} does not fit C_out={c_out}: "
            f"it must be (C_out,) = ({c_out},)"
        )
    _check_same_kind("bias", bias, x)


def _check_same_kind(name, tensor, x):
    for what in ("dtype", "device"):
        mine, wanted = getattr(tensor, what), getattr(x, what)
        if mine != wanted:
            raise ValueError(
                f"{name}.{what}={mine} differs from x.{what}={wanted}: "
                f"use {name}.to(x.{what}) or change x"
            )


def _show(value):
    return " ".join(reprlib.repr(value).split())  # short and on one line, also for an array


def _show_pair(numbers):
    return str(numbers[0] if numbers[0] == numbers[1] else numbers)

"""Numbers in whatever a student has them: tensors of any kind, NumPy arrays, lists, pictures."""

import reprlib

import numpy as np
import torch

_KEPT = (torch.bool, torch.float16, torch.bfloat16, torch.float32, torch.float64)


def real_tensor(name, values, wanted="a tensor or an array of numbers"):
    """`values` as a dense tensor of real numbers on the CPU, which may share their memory.

    Floating-point numbers of 16 bits and more keep their dtype and bool stays bool; whole numbers
    become int64. Raises ValueError, with `name` and what is `wanted`, for all else.
    """
    try:
        tensor = _read(values)
    except Exception:  # NumPy, torch and what a student wrote each raise their own kinds
        raise ValueError(f"{name}={reprlib.repr(values)} is not possible: give {wanted}") from None
    if tensor.is_complex():
        raise ValueError(f"{name} holds complex numbers: give real ones, their .abs() perhaps")
    if tensor.dtype in _KEPT:
        return tensor
    if tensor.dtype == torch.uint64:  # the largest of them are no int64
        return tensor.to(torch.float64)
    return tensor.to(torch.float32 if tensor.is_floating_point() else torch.int64)


def _read(values):
    if not isinstance(values, torch.Tensor | np.ndarray):
        try:
            values = torch.as_tensor(values)
        except Exception:
            values = np.asarray(values)  # a picture of Pillow, say
    if isinstance(values, np.ndarray):
        values = np.ma.filled(values.astype(float), np.nan) if np.ma.isMA(values) else values
        if values.dtype.kind == "O" or (values.dtype.itemsize > 8 and values.dtype.kind == "f"):
            values = values.astype(float)
        # A copy, in the machine's own order of bytes: torch takes no other, nor steps backwards.
        values = torch.from_numpy(np.array(values, values.dtype.newbyteorder("="), order="C"))
    values = values.detach()
    if values.is_quantized:
        values = values.dequantize()
    values = values if values.layout == torch.strided else values.to_dense()
    return values.cpu().resolve_conj().resolve_neg()

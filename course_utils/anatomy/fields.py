"""How many input cells a cell of a later layer can see.

r ← r + (k − 1)·d·j, j ← j·s over the layers, for kernel k, dilation d, stride s and jump j: Araujo,
Norris and Sim, "Computing receptive fields of convolutional neural networks", Distill, 2019.
"""

import math

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from .layers import ADAPTIVE, CONVOLUTIONS, POOLS, TRANSPOSED, dimensions, leaves

ALL = "all"  # a field that reaches every cell of the input


def widened(size, jump, kernel, stride, dilation):
    """The field's size and the jump from cell to cell, after one more layer: the recursion."""
    return size + (kernel - 1) * dilation * jump, jump * stride


def receptive_field(model):
    """Input cells per side that one cell of the last convolution or pooling layer can see.

    Applies r ← r + (k − 1)·d·j, j ← j·s to the layers in the order in which they were
    registered, up to the first `Flatten`, `Linear` or adaptive pooling. That is the answer for a
    chain of layers; for a network with branches use `summarize`.

    Returns: an int when all sides agree, else a tuple; 1 when there is no such layer.
    """
    field = None
    for layer in leaves(model).values():
        if isinstance(layer, (nn.Flatten, nn.Linear, *ADAPTIVE)):
            break
        if isinstance(layer, (*CONVOLUTIONS, *TRANSPOSED, *POOLS)):
            field = field_after(layer, field or ((1, 1),) * dimensions(layer))
    return one_number(cells_of(field)) if field else 1


def _pair(value, n):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


def field_after(layer, field, came_in=None, out=None):
    """((r, j), …) per spatial side after `layer`, `ALL`, or None where it is not known."""
    if isinstance(layer, ADAPTIVE) or (
        isinstance(layer, nn.Linear) and came_in is not None and came_in.ndim <= 2
    ):
        return ALL
    if field in (None, ALL) or isinstance(layer, (nn.Linear, nn.Embedding)):
        return field
    if not isinstance(layer, (*CONVOLUTIONS, *TRANSPOSED, *POOLS)):
        return field if _keeps_positions(came_in, out) else None
    n = len(field)
    kernel, stride = _pair(layer.kernel_size, n), _pair(layer.stride, n)
    dilation = _pair(getattr(layer, "dilation", 1), n)
    after = []
    for (r, j), k, s, d in zip(field, kernel, stride, dilation, strict=True):
        if isinstance(layer, TRANSPOSED):  # s output cells share one step of the input
            after.append((r + (k - 1) * d // s * j, j / s))
        else:
            after.append(widened(r, j, k, s, d))
    return tuple(after)


def cells_of(field):
    return None if field is None else tuple(math.ceil(r) for r, _ in field)


def one_number(sides):
    """One number when all sides agree."""
    return sides[0] if sides and len(set(sides)) == 1 else sides or None


class CarryField(TorchFunctionMode):
    """Hands the receptive field on through operations that are not layers: +, cat, relu, view."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        inputs = [a for arg in args for a in (arg if isinstance(arg, (list, tuple)) else [arg])]
        inputs = [a for a in inputs if isinstance(a, torch.Tensor) and hasattr(a, "field")]
        if isinstance(out, torch.Tensor) and inputs:
            out.field = self._merge(inputs, out)
        return out

    @staticmethod
    def _merge(inputs, out):
        fields = [a.field for a in inputs]
        if ALL in fields or None in fields:
            return None if None in fields else ALL
        turned = out.ndim == 3 and sorted(out.shape) == sorted(inputs[0].shape)  # (N, L, C)
        if turned or all(_keeps_positions(a, out) for a in inputs if a.ndim > 2):
            return max(fields)
        return None


def _keeps_positions(came_in, out):
    """Has each output cell the position of one input cell, or no position any more?"""
    return out.ndim <= 2 or came_in.shape[2:] == out.shape[2:]

"""What a network is made of: shapes, parameters, multiplications and receptive fields by layer."""

import contextlib
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ._macs import CONVOLUTIONS as _CONVOLUTIONS
from ._macs import TRANSPOSED as _TRANSPOSED
from ._macs import macs_of
from ._tables import html_table, text_table

_POOLS = (
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d),
    *(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
)
_ADAPTIVE = (
    *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
    *(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_ALL = "all"  # a field that reaches every cell of the input
_HEADER = ("layer", "type", "output shape", "parameters", "MACs", "receptive field")


@dataclass(frozen=True)
class Row:
    """One layer, each time it ran.

    `output_shape` includes the batch. `parameters` counts those first met in this layer (0 when a
    layer runs again or shares them). `macs` are the multiply-accumulate operations of its sums of
    products, for the whole batch and without the bias: convolutions, `Linear` and attention have
    them, while looking up, comparing, scaling and normalising count 0. `receptive_field` is the
    number of input cells, per side, that one output cell can see: an int when all sides agree,
    else a tuple. It may exceed the input, the rest being padding. Where a layer sees every cell it
    is the input's size, and None where an operation in between hides it (`F.max_pool2d`, say).
    """

    name: str
    type: str
    output_shape: tuple
    parameters: int
    macs: int
    receptive_field: int | tuple | None


@dataclass(frozen=True)
class Summary:
    """The layers of a network in the order they ran; prints as a table."""

    rows: tuple
    input_size: tuple
    parameters: int  # all, also of layers that did not run
    trainable: int
    macs: int

    def _cells(self):
        return [
            (
                *(r.name, r.type, _times(r.output_shape), f"{r.parameters:,}", f"{r.macs:,}"),
                "?" if r.receptive_field is None else _times(r.receptive_field),
            )
            for r in self.rows
        ]

    def _totals(self):
        return (
            f"Input {_times(self.input_size)}: {self.parameters:,} parameters, "
            f"{self.trainable:,} of them trainable, {self.macs:,} MACs"
        )

    def __str__(self):
        return f"{text_table(_HEADER, self._cells())}\n{self._totals()}"

    __repr__ = __str__

    def _repr_html_(self):
        return html_table(_HEADER, self._cells(), self._totals())


def _times(size):
    return "×".join(map(str, size)) if isinstance(size, tuple) else str(size)


def count_parameters(model):
    """The number of trainable parameters, each shared one counted once."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def summarize(model, input_size):
    """Run `model` once on zeros and describe each layer.

    Args:
        model: any nn.Module. Its mode, gradients, statistics and device stay as they are.
        input_size: the shape of a batch, (N, C, H, W) for images; without N it is a batch of one.

    Returns: a `Summary`; its `.rows` hold one `Row` per layer.

    Raises: ValueError when the shape does not fit, naming the layer, what came in and what it
        expects.

    Receptive fields follow r ← r + (k − 1)·d·j, j ← j·s over the layers (kernel k, dilation d,
    stride s, jump j): Araujo, Norris and Sim, "Computing receptive fields of convolutional neural
    networks", Distill, 2019. Where branches meet, the largest counts.
    """
    if isinstance(input_size, int):
        input_size = (input_size,)
    size = _with_batch(model, tuple(int(n) for n in input_size))
    if any(n < 1 for n in size):
        raise ValueError(f"input_size={size} has an empty dimension: each must be at least 1")
    weights = next((p for p in model.parameters() if p.is_floating_point()), torch.empty(0))
    tokens = isinstance(next(iter(_leaves(model).values()), None), nn.Embedding)
    x = torch.zeros(size, device=weights.device, dtype=torch.long if tokens else weights.dtype)
    rows, running, seen = [], [], set()

    def before(layer, args, kwargs):
        running.append((layer, args[0] if args else kwargs.get("query")))

    def after(layer, args, kwargs, output):
        _, came_in = running.pop()
        out = output if isinstance(output, torch.Tensor) else output[0]
        new = {id(p): p.numel() for p in layer.parameters() if id(p) not in seen}
        seen.update(new)
        out.field = _field_after(layer, getattr(came_in, "field", None), came_in, out)
        field = size[2:] or size[1:] if out.field == _ALL else _cells_of(out.field)
        macs = macs_of(layer, args, kwargs, out)
        kind = type(layer).__name__
        rows.append(
            Row(names[layer], kind, tuple(out.shape), sum(new.values()), macs, _same(field))
        )

    names = {layer: name or "(model)" for name, layer in _leaves(model).items()}
    modes = {module: module.training for module in model.modules()}
    with contextlib.ExitStack() as undo:
        for layer in names:
            undo.callback(layer.register_forward_pre_hook(before, with_kwargs=True).remove)
            undo.callback(layer.register_forward_hook(after, with_kwargs=True).remove)
        for module, training in modes.items():
            undo.callback(setattr, module, "training", training)
        model.eval()
        x.field = ((1, 1),) * len(size[1 if tokens else 2 :])
        try:
            with torch.no_grad(), _CarryField():
                model(x)
        except (RuntimeError, ValueError, IndexError) as error:
            raise ValueError(_explain(error, running, names, rows, size)) from error
    parameters = sum(p.numel() for p in model.parameters())
    macs = sum(row.macs for row in rows)
    return Summary(tuple(rows), size, parameters, count_parameters(model), macs)


def receptive_field(model):
    """Input cells per side that one cell of the last convolution or pooling layer can see.

    Applies the recursion that `summarize` quotes to the layers in the order in which they were
    registered, up to the first `Flatten`, `Linear` or adaptive pooling. That is the answer for a
    chain of layers; for a network with branches use `summarize`.

    Returns: an int when all sides agree, else a tuple; 1 when there is no such layer.
    """
    field = None
    for layer in _leaves(model).values():
        if isinstance(layer, (nn.Flatten, nn.Linear, *_ADAPTIVE)):
            break
        if isinstance(layer, (*_CONVOLUTIONS, *_TRANSPOSED, *_POOLS)):
            field = _field_after(layer, field or ((1, 1),) * _dimensions(layer))
    return _same(_cells_of(field)) if field else 1


class _CarryField(TorchFunctionMode):
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
        if _ALL in fields or None in fields:
            return None if None in fields else _ALL
        turned = out.ndim == 3 and sorted(out.shape) == sorted(inputs[0].shape)  # (N, L, C)
        if turned or all(_keeps_positions(a, out) for a in inputs if a.ndim > 2):
            return max(fields)
        return None


def _keeps_positions(came_in, out):
    """Has each output cell the position of one input cell, or no position any more?"""
    return out.ndim <= 2 or came_in.shape[2:] == out.shape[2:]


def _leaves(model):
    """Layers that run as one: without children, or attention, which calls its parts unseen."""
    attention = [m for m in model.modules() if isinstance(m, nn.MultiheadAttention)]
    inside = {part for m in attention for part in m.modules() if part is not m}
    return {
        name: m
        for name, m in model.named_modules()
        if m not in inside and (m in attention or next(m.children(), None) is None)
    }


def _dimensions(layer):
    return int(type(layer).__name__[-2])


def _with_batch(model, size):
    """Puts N = 1 before a size that has one dimension fewer than the first layer expects."""
    for layer in _leaves(model).values():
        if isinstance(layer, (*_CONVOLUTIONS, *_TRANSPOSED, *_POOLS)):
            return (1, *size) if len(size) == _dimensions(layer) + 1 else size
        if isinstance(layer, (nn.Linear, nn.Embedding, nn.Flatten)):
            break
    return (1, *size) if len(size) == 1 else size


def _pair(value, n):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


def _field_after(layer, field, came_in=None, out=None):
    """((r, j), …) per spatial side after `layer`, `_ALL`, or None where it is not known."""
    if isinstance(layer, _ADAPTIVE) or (
        isinstance(layer, nn.Linear) and came_in is not None and came_in.ndim <= 2
    ):
        return _ALL
    if field in (None, _ALL) or isinstance(layer, (nn.Linear, nn.Embedding)):
        return field
    if not isinstance(layer, (*_CONVOLUTIONS, *_TRANSPOSED, *_POOLS)):
        return field if _keeps_positions(came_in, out) else None
    n = len(field)
    kernel, stride = _pair(layer.kernel_size, n), _pair(layer.stride, n)
    dilation = _pair(getattr(layer, "dilation", 1), n)
    after = []
    for (r, j), k, s, d in zip(field, kernel, stride, dilation, strict=True):
        if isinstance(layer, _TRANSPOSED):  # s output cells share one step of the input
            after.append((r + (k - 1) * d // s * j, j / s))
        else:
            after.append((r + (k - 1) * d * j, j * s))
    return tuple(after)


def _cells_of(field):
    return None if field is None else tuple(math.ceil(r) for r, _ in field)


def _same(sides):
    """One number when all sides agree."""
    return sides[0] if sides and len(set(sides)) == 1 else sides or None


def _explain(error, running, names, rows, size):
    """A sentence that names the layer at fault, what came in and what it expects."""
    reason = str(error).strip().splitlines()[0]
    if not running:
        place = f"after layer {rows[-1].name!r}, which gave {rows[-1].output_shape}" if rows else ""
        return (
            f"an input of shape {size} does not fit {place or 'before the first layer'}: {reason}"
        )
    layer, came_in = running[-1]
    shape = tuple(came_in.shape) if isinstance(came_in, torch.Tensor) else came_in
    if isinstance(layer, (*_CONVOLUTIONS, *_TRANSPOSED)):
        sides = ", ".join("DHW"[-_dimensions(layer) :]) if _dimensions(layer) > 1 else "L"
        expected = f"(N, {layer.in_channels}, {sides})"
        if shape[1:2] == (layer.in_channels,) and len(shape) == _dimensions(layer) + 2:
            expected += f" at least as large as its kernel {_times(tuple(layer.kernel_size))}"
    elif isinstance(layer, nn.Linear):
        expected = f"in_features={layer.in_features} in the last dimension"
    elif isinstance(layer, _BATCH_NORMS):
        expected = f"{layer.num_features} channels in dimension 1"
    else:
        expected = "something else"
    kind = type(layer).__name__
    return f"layer {names[layer]!r} ({kind}) got shape {shape} but expects {expected}: {reason}"

"""What a network is made of: shapes, parameters, multiplications and receptive fields by layer."""

import contextlib
import math
from dataclasses import dataclass

import torch
from torch import nn

from .._modes import evaluating
from .._tables import html_table, text_table
from .fields import ALL, CarryField, cells_of, field_after, one_number
from .layers import BATCH_NORMS, CONVOLUTIONS, POOLS, TRANSPOSED, dimensions, leaves
from .macs import CountMacs, taken_apart

_HEADER = ("layer", "type", "output shape", "parameters", "MACs", "receptive field")


@dataclass(frozen=True)
class Row:
    """One layer, each time it ran.

    `output_shape` includes the batch. `parameters` counts those first met in this layer (0 when a
    layer runs again or shares them). `macs` are the multiply-accumulate operations of its sums of
    products, for the whole batch and without the bias: convolutions and products of matrices have
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
    macs: int  # all, also those that ran between the layers
    between: int = 0  # those of them
    unknown: tuple = ()  # operations that ran and are not counted: the total is "at least"

    def _cells(self):
        return [
            (
                *(r.name, r.type, _times(r.output_shape), f"{r.parameters:,}", f"{r.macs:,}"),
                "?" if r.receptive_field is None else _times(r.receptive_field),
            )
            for r in self.rows
        ]

    def _totals(self):
        total = (
            f"Input {_times(self.input_size)}: {self.parameters:,} parameters, "
            f"{self.trainable:,} of them trainable, {'at least ' * bool(self.unknown)}"
            f"{self.macs:,} MACs"
        )
        if self.between:
            total += f", {self.between:,} of them between the layers"
        return total + (f" (not counted: {', '.join(self.unknown)})" if self.unknown else "")

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

    Receptive fields follow the recursion in `fields`. Where branches meet, the largest counts.
    """
    if isinstance(input_size, int):
        input_size = (input_size,)
    size = _with_batch(model, tuple(int(n) for n in input_size))
    if any(n < 1 for n in size):
        raise ValueError(f"input_size={size} has an empty dimension: each must be at least 1")
    weights = next((p for p in model.parameters() if p.is_floating_point()), torch.empty(0))
    tokens = isinstance(next(iter(leaves(model).values()), None), nn.Embedding)
    x = torch.zeros(size, device=weights.device, dtype=torch.long if tokens else weights.dtype)
    rows, running, seen, counter = [], [], set(), CountMacs()

    def before(layer, args, kwargs):
        counter.take()  # what ran before it belongs to no layer
        running.append((layer, args[0] if args else kwargs.get("query")))

    def after(layer, args, kwargs, output):
        _, came_in = running.pop()
        out = output if isinstance(output, torch.Tensor) else output[0]
        new = {id(p): p.numel() for p in layer.parameters() if id(p) not in seen}
        seen.update(new)
        out.field = field_after(layer, getattr(came_in, "field", None), came_in, out)
        field = size[2:] or size[1:] if out.field == ALL else cells_of(out.field)
        macs, kind = counter.take(), type(layer).__name__
        rows.append(
            Row(names[layer], kind, tuple(out.shape), sum(new.values()), macs, one_number(field))
        )

    names = {layer: name or "(model)" for name, layer in leaves(model).items()}
    with contextlib.ExitStack() as undo:
        for layer in names:
            undo.callback(layer.register_forward_pre_hook(before, with_kwargs=True).remove)
            undo.callback(layer.register_forward_hook(after, with_kwargs=True).remove)
        undo.enter_context(evaluating(model))
        x.field = ((1, 1),) * len(size[1 if tokens else 2 :])
        try:
            with taken_apart(model), CarryField(), counter:
                model(x)
        except Exception as error:  # a forward may raise anything on an input that is not its own
            raise ValueError(_explain(error, running, names, rows, size)) from error
    parameters = sum(p.numel() for p in model.parameters())
    between = counter.total - sum(row.macs for row in rows)
    return Summary(
        *(tuple(rows), size, parameters, count_parameters(model)),
        *(counter.total, between, tuple(sorted(counter.unknown))),
    )


def refuse_misfit(model, input_size):
    """Raise the ValueError of `summarize` that names the layer, where a batch does not fit."""
    summarize(model, input_size)


def _with_batch(model, size):
    """Puts N = 1 before a size that has one dimension fewer than the first layer expects."""
    for layer in leaves(model).values():
        if isinstance(layer, (*CONVOLUTIONS, *TRANSPOSED, *POOLS)):
            return (1, *size) if len(size) == dimensions(layer) + 1 else size
        if isinstance(layer, nn.Linear):  # behind a Flatten, or the first of all
            alone = math.prod(size) == layer.in_features != math.prod(size[1:])
            return (1, *size) if alone or len(size) == 1 else size
        if isinstance(layer, nn.Embedding):
            break
    return (1, *size) if len(size) == 1 else size


def _explain(error, running, names, rows, size):
    """A sentence that names the layer at fault, what came in and what it expects."""
    reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
    if not running:
        place = f"after layer {rows[-1].name!r}, which gave {rows[-1].output_shape}" if rows else ""
        return (
            f"an input of shape {size} does not fit {place or 'before the first layer'}: {reason}"
        )
    layer, came_in = running[-1]
    shape = tuple(came_in.shape) if isinstance(came_in, torch.Tensor) else came_in
    if isinstance(layer, (*CONVOLUTIONS, *TRANSPOSED)):
        sides = ", ".join("DHW"[-dimensions(layer) :]) if dimensions(layer) > 1 else "L"
        expected = f"(N, {layer.in_channels}, {sides})"
        if shape[1:2] == (layer.in_channels,) and len(shape) == dimensions(layer) + 2:
            expected += f" at least as large as its kernel {_times(tuple(layer.kernel_size))}"
    elif isinstance(layer, nn.Linear):
        expected = f"in_features={layer.in_features} in the last dimension"
    elif isinstance(layer, BATCH_NORMS):
        expected = f"{layer.num_features} channels in dimension 1"
    else:
        expected = "something else"
    kind = type(layer).__name__
    return f"layer {names[layer]!r} ({kind}) got shape {shape} but expects {expected}: {reason}"

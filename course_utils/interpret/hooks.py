"""Watch a network while it runs: checked images, hooks that are gone afterwards, what ran."""

import contextlib
import reprlib
from typing import NamedTuple

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from .._modes import evaluating
from ..anatomy.summary import refuse_misfit


class Step(NamedTuple):
    """One layer that ran: its name, itself, the shape that came in and the shape that went out."""

    name: str
    layer: nn.Module
    came_in: tuple
    out: tuple


def images(model, x, name="x"):
    """`x` on the device and in the dtype of `model`; ValueError unless it is (N, C, H, W)."""
    if not isinstance(x, torch.Tensor):
        raise ValueError(f"{name} is of type {type(x).__name__}: give a tensor (N, C, H, W)")
    if x.ndim != 4:
        missing = {2: f": {name}[None, None] adds the other two", 3: f": {name}[None] adds N"}
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}, but images are (N, C, H, W)"
            + missing.get(x.ndim, "")
        )
    if not len(x):
        raise ValueError(f"{name} holds no image: at least one is needed")
    if not x.is_floating_point():
        raise ValueError(f"{name} is {x.dtype}: give floating point numbers, such as {name} / 255")
    weight = next((p for p in model.parameters() if p.is_floating_point()), x)
    return x.detach().to(weight.device, weight.dtype)


def layer_of(model, layer):
    """The module that is called `layer`."""
    layers = {name: module for name, module in model.named_modules() if name}
    if layer not in layers:
        known = ", ".join(layers) if len(layers) <= 30 else "see model.named_modules()"
        raise ValueError(f"layer={reprlib.repr(layer)} is not a layer of this model: {known}")
    return layers[layer]


@contextlib.contextmanager
def hooked(pairs):
    """Forward hooks, given as (module, hook), that are gone afterwards whatever happens."""
    with contextlib.ExitStack() as undo:
        for module, hook in pairs:
            undo.callback(module.register_forward_hook(hook).remove)
        yield


class _LastSoftmax(TorchFunctionMode):
    """What went into the last softmax or log-softmax, a layer's or a function's, and came out."""

    before = after = None

    def __torch_function__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in ("softmax", "log_softmax"):
            self.before, self.after = args[0] if args else kwargs["input"], out
        return out


def run(model, x):
    """`model(x)`, or what goes into a softmax that it ends in; a sentence where x does not fit."""
    try:
        with _LastSoftmax() as last:
            output = model(x)
    except (RuntimeError, ValueError, IndexError) as error:
        refuse_misfit(model, tuple(x[:1].shape))
        raise ValueError(f"the model cannot take images {tuple(x.shape)}: {error}") from error
    return output if last.after is None or output is not last.after else last.before


def logits(model, x):
    """The scores of the classes, (N, C)."""
    scores = run(model, x)
    if not isinstance(scores, torch.Tensor) or scores.ndim != 2 or len(scores) != len(x):
        shape = tuple(getattr(scores, "shape", ())) or type(scores).__name__
        raise ValueError(f"the model gives {shape}, but scores of classes are (N, classes)")
    return scores


def steps(model, x):
    """The layers without children in the order in which they ran on the first image."""
    ran = []

    def note(name):
        def hook(module, args, output):
            came = tuple(args[0].shape) if args and isinstance(args[0], torch.Tensor) else ()
            ran.append(Step(name, module, came, tuple(getattr(output, "shape", ()))))

        return hook

    leaves = [(m, note(name)) for name, m in model.named_modules() if not [*m.children()]]
    with hooked(leaves), evaluating(model):
        run(model, x[:1])
    return ran

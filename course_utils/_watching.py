"""What `interpret` needs: checked images, a watched run, and where a layer's cells look."""

import contextlib
import operator
import reprlib
from typing import NamedTuple

import torch
from torch import nn

from . import anatomy
from ._modes import evaluating

_SOFTMAX = (nn.Softmax, nn.LogSoftmax)
_MOVING = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)  # layers that change what a cell sees
_BLENDING = (
    *(nn.Flatten, nn.Linear, nn.ConvTranspose2d, nn.Upsample),
    *(nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
)


class Field(NamedTuple):
    """Which pixels the cells of a layer see, alike for rows and columns.

    Cell i sees `size` pixels, the first of them pixel `start + i * jump`. A `start` below 0 is
    padding: so many rows and columns lie outside the image.
    """

    size: int
    jump: int
    start: int

    def pixels(self, cell):
        """The pixels that cell `cell` sees, as a range; they may reach over the border."""
        first = self.start + cell * self.jump
        return range(first, first + self.size)


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


def run(model, x):
    """`model(x)`, or what goes into a softmax that it ends in; a sentence where x does not fit."""
    seen = {}

    def keep(module, args, output):
        seen["before"], seen["after"] = args[0], output

    ends = [(m, keep) for m in model.modules() if isinstance(m, _SOFTMAX)]
    try:
        with hooked(ends):
            output = model(x)
    except (RuntimeError, ValueError, IndexError) as error:
        anatomy.summarize(model, tuple(x[:1].shape))  # raises a sentence that names the layer
        raise ValueError(f"the model cannot take images {tuple(x.shape)}: {error}") from error
    return seen["before"] if output is seen.get("after") else output


def logits(model, x):
    """The scores of the classes, (N, C)."""
    scores = run(model, x)
    if not isinstance(scores, torch.Tensor) or scores.ndim != 2 or len(scores) != len(x):
        shape = tuple(getattr(scores, "shape", ())) or type(scores).__name__
        raise ValueError(f"the model gives {shape}, but scores of classes are (N, classes)")
    return scores


def targets(target, scores):
    """The class to explain for each image, int64 (N,), from None, a number, or one for each."""
    n, classes = scores.shape
    if target is None:
        return scores.argmax(1)
    try:
        if isinstance(target, (torch.Tensor, list, tuple)) and torch.as_tensor(target).ndim:
            numbers = [operator.index(t) for t in torch.as_tensor(target).tolist()]
        else:
            numbers = [operator.index(target)] * n
    except TypeError:
        numbers = []
    if len(numbers) != n or not all(0 <= t < classes for t in numbers):
        raise ValueError(
            f"target={reprlib.repr(target)} is not possible: give the number of a class, 0 to "
            f"{classes - 1}, one for each of the {n} images, or None for the predicted ones"
        )
    return torch.tensor(numbers, device=scores.device)


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


def field(model, layer, x):
    """The `Field` of `layer`, by walking along the chain of layers up to it."""
    module, ran = layer_of(model, layer), steps(model, x)
    inside = set(module.modules())
    last = max((i for i, step in enumerate(ran) if step.layer in inside), default=None)
    if last is None:
        raise ValueError(f"layer {layer!r} did not run, so nothing can be said about its cells")
    size, jump, start, shape = 1, 1, 0, tuple(x.shape[2:])
    for step in ran[: last + 1]:
        if isinstance(step.layer, _BLENDING):
            raise ValueError(
                f"layer {layer!r} has no cells that see a square of the image: "
                f"{step.name!r} ({type(step.layer).__name__}) comes before it or is it"
            )
        if not isinstance(step.layer, _MOVING):
            continue
        if step.came_in[2:] != shape:
            raise ValueError(
                f"the way to layer {layer!r} branches at {step.name!r}: a chain is needed"
            )
        kernel, stride, padding, dilation = _options(step.layer)
        start -= padding * jump
        size += (kernel - 1) * dilation * jump
        jump *= stride
        shape = step.out[2:]
    return Field(size, jump, start)


def _options(layer):
    """kernel_size, stride, padding and dilation as single numbers."""
    found = []
    for option in ("kernel_size", "stride", "padding", "dilation"):
        value = getattr(layer, option, 1)
        if value in ("same", "valid"):  # torch puts the odd row of 'same' at the bottom
            total = [d * (k - 1) for k, d in zip(layer.kernel_size, layer.dilation, strict=True)]
            value = tuple(t // 2 * (value == "same") for t in total)
        value = set(value) if isinstance(value, tuple) else {value}
        if len(value) > 1:
            raise ValueError(
                f"{layer} treats rows and columns differently; only square fields are found here"
            )
        found.append(value.pop())
    return found

"""What a layer gives, which pixels its cells see, and what excites a channel most."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from .._modes import evaluating
from .._numbers import whole_number
from ..anatomy.fields import widened
from . import hooks

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


class TopPatches(NamedTuple):
    """Where a channel answered most strongly, the strongest first."""

    patches: torch.Tensor  # (n, C, size, size), cut from the images, 0 where one hangs over
    values: torch.Tensor  # (n,), what the channel answered
    images: torch.Tensor  # (n,), int64, the number of the image
    places: torch.Tensor  # (n, 2), int64, row and column in the feature map


def feature_maps(model, x, layer, batch_size=500):
    """What comes out of one layer.

    Args:
        model: any nn.Module; it runs in eval mode, without gradients.
        x: images, float (N, C, H, W), on any device. batch_size: how many run at once.
        layer: the layer's name, as `model.named_modules()` has it.
    Returns: its output on the CPU, (N, …); of a layer that runs more than once, the last one.
    Raises: ValueError for an unknown layer, one that does not run, or images that do not fit.
    """
    x = hooks.images(model, x)
    module, maps = hooks.layer_of(model, layer), []
    batch_size = whole_number("batch_size", batch_size, 1)
    for batch in x.split(batch_size):
        seen = {}

        def keep(module, args, output, seen=seen):
            seen["output"] = output.clone()  # a layer behind it may work in place

        with hooks.hooked([(module, keep)]), evaluating(model):
            hooks.run(model, batch)
        if "output" not in seen:
            raise ValueError(f"layer {layer!r} did not run on these images")
        maps.append(seen["output"].cpu())
    return torch.cat(maps)


def field_of(model, layer, input_size=(1, 28, 28)):
    """Which pixels each cell of `layer` sees, as a `Field` (size, jump, start).

    Args:
        model: a chain of layers up to `layer`; connections that skip layers but keep the size of
            the maps do no harm.
        layer: its name. input_size: (C, H, W) of one image.
    Raises: ValueError where the layer has no such cells: behind Flatten, Linear or a global pool,
        in a network that branches, or with kernels that are not square.

    size ← size + (k − 1)·d·jump, start ← start − p·jump, jump ← jump·s, for kernel k, dilation d,
    padding p and stride s: Araujo, Norris and Sim, "Computing receptive fields of convolutional
    neural networks", Distill, 2019.
    """
    x = hooks.images(model, torch.zeros(1, *input_size), "input_size")
    return _field(model, layer, x)


def top_patches(model, images, layer, channel, count=6):
    """The patches of `images` to which one channel of `layer` answers most strongly.

    At most one patch is taken of each image. See Zeiler and Fergus, "Visualizing and understanding
    convolutional networks", 2014.

    Args:
        model, layer: as for `field_of`. images: float (N, C, H, W).
        channel: its number, counted from 0. count: how many patches, at most N.
    Returns: a `TopPatches`.
    Raises: ValueError as `field_of`, and for a channel or a count that is not there.
    """
    maps, x = feature_maps(model, images, layer), images.detach().cpu()
    size, jump, start = _field(model, layer, hooks.images(model, images[:1]))
    channel = whole_number("channel", channel)
    count = whole_number("count", count, 1)
    if channel >= maps.shape[1]:
        raise ValueError(f"channel={channel} is too large: {layer!r} has {maps.shape[1]} channels")
    if count > len(x):
        raise ValueError(f"count={count} is too large: there are {len(x)} images")
    values, cells = maps[:, channel].flatten(1).max(1)
    if not values.isfinite().all():
        raise ValueError(
            f"channel {channel} of {layer!r} answers with numbers that are not finite: look for "
            "nan in the images and in the weights"
        )
    values, chosen = values.sort(descending=True, stable=True)
    values, chosen = values[:count], chosen[:count]
    places = torch.stack([cells[chosen] // maps.shape[3], cells[chosen] % maps.shape[3]], 1)
    padded = F.pad(x[chosen], (size,) * 4)  # a patch hangs over by less than its own size
    corners = (places * jump + start + size).tolist()
    patches = [p[:, i : i + size, j : j + size] for p, (i, j) in zip(padded, corners, strict=True)]
    return TopPatches(torch.stack(patches), values, chosen, places)


def _field(model, layer, x):
    """The `Field` of `layer`, by walking along the chain of layers up to it."""
    module, ran = hooks.layer_of(model, layer), hooks.steps(model, x)
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
        size, jump = widened(size, jump, kernel, stride, dilation)
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

"""Look inside a trained network: its feature maps, what excites them, and what an answer rests on.

Every function leaves the model as it was: hooks are removed, each layer keeps its mode, and no
gradient is left in a parameter.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from . import _watching
from ._modes import evaluating
from ._numbers import whole_number
from ._overlays import draw_overlays, show_overlays
from ._watching import Field

__all__ = [
    "Field",
    "TopPatches",
    "draw_overlays",
    "feature_maps",
    "field_of",
    "grad_cam",
    "last_activation",
    "occlusion",
    "show_overlays",
    "top_patches",
]

_ACTIVATIONS = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU),
    *(nn.Mish, nn.Softplus, nn.Hardswish, nn.Tanh, nn.Sigmoid),
)


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
    x = _watching.images(model, x)
    module, maps = _watching.layer_of(model, layer), []
    batch_size = whole_number("batch_size", batch_size, 1)
    for batch in x.split(batch_size):
        seen = {}

        def keep(module, args, output, seen=seen):
            seen["output"] = output.clone()  # a layer behind it may work in place

        with _watching.hooked([(module, keep)]), evaluating(model):
            _watching.run(model, batch)
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
    x = _watching.images(model, torch.zeros(1, *input_size), "input_size")
    return _watching.field(model, layer, x)


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
    size, jump, start = _watching.field(model, layer, _watching.images(model, images[:1]))
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


def occlusion(model, x, target=None, patch=7, stride=3, value=0.0, batch_size=500):
    """How far the probability of a class falls when a square of the image is covered.

    The square is slid over the image as a kernel is. See Zeiler and Fergus, "Visualizing and
    understanding convolutional networks", 2014.

    Args:
        model: from images to logits (N, classes), or with a softmax at the end.
        x: images, float (N, C, H, W). target: the class, one for each image, or None for the
            predicted ones.
        patch, stride: side and step of the square, in pixels. value: what it is filled with.
    Returns: the drop, float32 (N, rows, columns), as many as the square has places; below 0 where
        covering raised the probability.
    Raises: ValueError for images or a target that do not fit, or a square larger than the image.
    """
    x = _watching.images(model, x)
    batch_size = whole_number("batch_size", batch_size, 1)
    patch = whole_number("patch", patch, 1)
    stride = whole_number("stride", stride, 1)
    height, width = x.shape[2:]
    if patch > min(height, width):
        raise ValueError(f"patch={patch} is larger than the images of {height} × {width}")
    rows, columns = ((side - patch) // stride + 1 for side in (height, width))
    corners = [(i * stride, j * stride) for i in range(rows) for j in range(columns)]
    scores, target = _scores(model, x, target, batch_size)
    each = torch.arange(len(x), device=x.device)
    with evaluating(model):
        before, drops = scores.softmax(1)[each, target], []
        for image, which, sure in zip(x, target, before, strict=True):
            covered = image.repeat(len(corners), 1, 1, 1)
            for copy, (i, j) in zip(covered, corners, strict=True):
                copy[:, i : i + patch, j : j + patch] = value
            after = [
                _watching.logits(model, batch).softmax(1)[:, which]
                for batch in covered.split(batch_size)
            ]
            drops.append((sure - torch.cat(after)).view(rows, columns))
    return torch.stack(drops).float().cpu()


def last_activation(model, input_size=(1, 28, 28)):
    """The layer of Grad-CAM by default: the first activation behind the last convolution.

    The maps of Grad-CAM's paper have been through a ReLU. A convolution's own output has not: where
    a batch norm follows that moves it, its weighted sum is below 0 everywhere for many images.
    Where no activation layer follows while there are maps, it is the last convolution itself.

    Raises: ValueError for a model without nn.Conv2d.
    """
    x = _watching.images(model, torch.zeros(1, *input_size), "input_size")
    return _last_activation(_watching.steps(model, x))


def _last_activation(ran):
    last = max((i for i, step in enumerate(ran) if isinstance(step.layer, nn.Conv2d)), default=None)
    if last is None:
        raise ValueError("Grad-CAM needs a convolution layer, and this model has none: give layer=")
    names = (s.name for s in ran[last:] if isinstance(s.layer, _ACTIVATIONS) and len(s.out) == 4)
    return next(names, ran[last].name)


def grad_cam(model, x, target=None, layer=None, batch_size=500):
    """Where the maps of a layer speak for a class: coarse, and from 0 to 1.

    ReLU(Σ_k α_k A_k), where α_k is the mean of dy/dA_k over map A_k, and y the score before
    softmax, divided by its largest value: Selvaraju et al., "Grad-CAM: visual explanations from
    deep networks via gradient-based localization", 2017.

    Args:
        model: from images to logits (N, classes), or with a softmax at the end.
        x: images, float (N, C, H, W). target: the class, one for each image, or None for the
            predicted ones.
        layer: a layer with maps (N, C, H, W), by its name; None is `last_activation`.
    Returns: float32 (N, H, W) of that layer. The largest value of each image is 1; where nothing
        speaks for the class, all are 0.
    Raises: ValueError for an unknown layer or one without maps, for images or a target that do not
        fit, and without a layer for a model that has no convolution.
    """
    x = _watching.images(model, x)
    batch_size = whole_number("batch_size", batch_size, 1)
    layer = _last_activation(_watching.steps(model, x)) if layer is None else layer
    module = _watching.layer_of(model, layer)
    _, target = _scores(model, x, target, batch_size)
    parts = zip(x.split(batch_size), target.split(batch_size), strict=True)
    return torch.cat([_cam(model, images, classes, layer, module) for images, classes in parts])


def _scores(model, x, target, batch_size):
    """The scores of the classes, (N, C), and the class to explain for each image, (N,)."""
    with evaluating(model):
        scores = torch.cat([_watching.logits(model, batch) for batch in x.split(batch_size)])
    if len(wrong := (~scores.isfinite()).any(1).nonzero()):
        raise ValueError(
            f"the model's answer to image {wrong[0].item()} is not finite, so there is nothing to "
            "explain: look for nan in the image and in the weights"
        )
    return scores, _watching.targets(target, scores)


def _cam(model, x, target, layer, module):
    seen = {}

    def branch_off(module, args, output):
        if not isinstance(output, torch.Tensor) or output.ndim != 4:
            seen["shape"] = tuple(getattr(output, "shape", ()))
            return None
        seen["maps"] = output.detach().requires_grad_()
        return seen["maps"].clone()  # a layer behind it may work in place

    with evaluating(model), torch.enable_grad(), _watching.hooked([(module, branch_off)]):
        scores = _watching.logits(model, x)
        if "maps" not in seen:
            shape = seen.get("shape")
            what = "did not run on these images" if shape is None else f"gives {shape}, no maps"
            raise ValueError(f"layer {layer!r} {what}: Grad-CAM needs maps (N, C, H, W)")
        chosen = scores[torch.arange(len(x)), target].sum()
        (gradient,) = torch.autograd.grad(chosen, seen["maps"])
    seen = (gradient.mean((2, 3), keepdim=True) * seen["maps"].detach()).sum(1).relu()
    largest = seen.amax((1, 2), keepdim=True)
    return (seen / largest.where(largest > 0, 1)).float().cpu()

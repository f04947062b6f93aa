"""Which pixels an answer rests on: occlusion and Grad-CAM."""

import operator
import reprlib

import torch
from torch import nn

from .._modes import evaluating
from .._numbers import whole_number
from . import hooks

_ACTIVATIONS = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU),
    *(nn.Mish, nn.Softplus, nn.Hardswish, nn.Tanh, nn.Sigmoid),
)


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
    x = hooks.images(model, x)
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
                hooks.logits(model, batch).softmax(1)[:, which]
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
    x = hooks.images(model, torch.zeros(1, *input_size), "input_size")
    return _last_activation(hooks.steps(model, x))


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
    x = hooks.images(model, x)
    batch_size = whole_number("batch_size", batch_size, 1)
    layer = _last_activation(hooks.steps(model, x)) if layer is None else layer
    module = hooks.layer_of(model, layer)
    _, target = _scores(model, x, target, batch_size)
    parts = zip(x.split(batch_size), target.split(batch_size), strict=True)
    return torch.cat([_cam(model, images, classes, layer, module) for images, classes in parts])


def _scores(model, x, target, batch_size):
    """The scores of the classes, (N, C), and the class to explain for each image, (N,)."""
    with evaluating(model):
        scores = torch.cat([hooks.logits(model, batch) for batch in x.split(batch_size)])
    if len(wrong := (~scores.isfinite()).any(1).nonzero()):
        raise ValueError(
            f"the model's answer to image {wrong[0].item()} is not finite, so there is nothing to "
            "explain: look for nan in the image and in the weights"
        )
    return scores, _targets(target, scores)


def _cam(model, x, target, layer, module):
    seen = {}

    def branch_off(module, args, output):
        if not isinstance(output, torch.Tensor) or output.ndim != 4:
            seen["shape"] = tuple(getattr(output, "shape", ()))
            return None
        seen["maps"] = output.detach().requires_grad_()
        return seen["maps"].clone()  # a layer behind it may work in place

    with evaluating(model), torch.enable_grad(), hooks.hooked([(module, branch_off)]):
        scores = hooks.logits(model, x)
        if "maps" not in seen:
            shape = seen.get("shape")
            what = "did not run on these images" if shape is None else f"gives {shape}, no maps"
            raise ValueError(f"layer {layer!r} {what}: Grad-CAM needs maps (N, C, H, W)")
        chosen = scores[torch.arange(len(x)), target].sum()
        (gradient,) = torch.autograd.grad(chosen, seen["maps"])
    seen = (gradient.mean((2, 3), keepdim=True) * seen["maps"].detach()).sum(1).relu()
    largest = seen.amax((1, 2), keepdim=True)
    return (seen / largest.where(largest > 0, 1)).float().cpu()


def _targets(target, scores):
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

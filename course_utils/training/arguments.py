"""What `fit` and `evaluate` accept: each refusal is a ValueError with the way out."""

import torch
import torch.nn.functional as F

from .._modes import device_of, evaluating
from .._numbers import real_number


def tensors(name, split):
    """The images and labels of a Split or a pair, checked."""
    if isinstance(split, (tuple, list)) and len(split) == 2:
        images, labels = split
    elif hasattr(split, "images") and hasattr(split, "labels"):
        images, labels = split.images, split.labels
    else:
        hint = ": did you mean digits.train?" if hasattr(split, "train") else ""
        raise ValueError(
            f"{name} is a {type(split).__name__}, but a Split or a pair (images, labels) "
            f"is needed{hint}"
        )
    if not isinstance(images, torch.Tensor) or not isinstance(labels, torch.Tensor):
        raise ValueError(f"{name}: images and labels must be tensors, see torch.as_tensor")
    if len(images) != len(labels):
        raise ValueError(f"{name} has {len(images):,} images but {len(labels):,} labels")
    if len(images) == 0:
        raise ValueError(f"{name} is empty: at least one image is needed")
    if images.dtype == torch.uint8:
        raise ValueError(f"{name}: images are uint8, 0 to 255: use images.float() / 255")
    # A sum is quicker than to ask each number; it may overflow where all of them are finite.
    if images.is_floating_point() and not images.sum().isfinite():
        wrong = images.isfinite().flatten(1).all(1).logical_not().nonzero().flatten()
        if len(wrong):
            raise ValueError(
                f"{name}: image {wrong[0]} holds nan or infinity ({len(wrong):,} of "
                f"{len(images):,} do): leave it out, or look at where it was made"
            )
    return images, labels


def check_fits(model, name, images, labels, loss):
    """Try two images, so that what does not fit is said before a long training."""
    try:
        with evaluating(model):
            logits = model(images[:2].to(device_of(model)))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        _refuse_missing_channel(model, name, images)
        from ..anatomy.summary import refuse_misfit

        refuse_misfit(model, images[:2].shape)
        raise ValueError(f"{name}: the model cannot take these images: {error}") from error
    if labels.dtype != torch.int64 or labels.ndim != 1:
        of_classes = labels.ndim == 2 and labels.shape[1] > 1
        way_out = "labels.argmax(1)" if of_classes else "labels.long().flatten()"
        raise ValueError(
            f"{name}: labels are {labels.dtype} of shape {tuple(labels.shape)}, but the number of "
            f"a class for each image is needed, int64 of shape (N,): use {way_out}. A loss that "
            "wants them otherwise can make them so itself"
        )
    if not isinstance(logits, torch.Tensor) or logits.shape[:1] != (len(images[:2]),):
        made = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
    elif logits.ndim != 2:
        made = tuple(logits.shape)
    else:
        _check_classes(name, labels, logits.shape[1])
        return
    raise ValueError(
        f"the model turns {name} images {tuple(images[:2].shape)} into {made}: "
        "logits must have the shape (N, classes)"
    )


def _refuse_missing_channel(model, name, images):
    """Say so where pictures (N, H, W) lack the axis of the channels, and would fit with it."""
    if images.ndim != 3:
        return
    try:
        with evaluating(model):
            model(images[:2, None].to(device_of(model)))
    except Exception:
        return
    raise ValueError(
        f"{name}: images of shape {tuple(images.shape)} have no axis for the channels, (N, C, H, "
        "W): use images[:, None]"
    )


def _check_classes(name, labels, classes):
    low, high = labels.min().item(), labels.max().item()
    if low < 0 or high >= classes:
        raise ValueError(
            f"{name}: labels go from {low} to {high}, but the model has {classes} logits: "
            f"labels must be 0 to {classes - 1}"
        )


def check_model(model):
    if not isinstance(model, torch.nn.Module):
        what = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        raise ValueError(f"model is {what}: give an nn.Module, such as models.mnist_cnn()")


def check_loss(loss):
    if isinstance(loss, type) or not callable(loss):
        made = f"make one, {loss.__name__}()" if isinstance(loss, type) else "give a function"
        what = loss.__name__ if isinstance(loss, type) else repr(loss)
        raise ValueError(f"loss={what} is no function of (logits, labels): {made}")


def check_history(history):
    """`history`, if `fit` can go on with it."""
    if not hasattr(history, "step_loss") or not hasattr(history, "epochs"):
        raise ValueError(f"history is a {type(history).__name__}: give what fit returned, or None")
    return history


def check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(
            f"{name}={value!r} is unknown: choose from {', '.join(map(repr, choices))}"
        )


def check_smoothing(value, optimizer, loss):
    """The `label_smoothing` that the arguments of `fit` stand for."""
    if value is None:
        return 0.1 if optimizer is None and loss is F.cross_entropy else 0.0
    value = real_number("label_smoothing", value, "a number from 0 up to 1", lambda n: 0 <= n < 1)
    if value and loss is not F.cross_entropy:
        raise ValueError(f"label_smoothing={value} works with loss=F.cross_entropy only")
    return value


def device_here(device):
    """`device` as a torch.device; ValueError with those that are here unless it is one of them."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError):
        here = [
            "cpu",
            *(f"cuda:{number}" for number in range(torch.cuda.device_count())),
            *(["mps"] if torch.backends.mps.is_available() else []),
        ]
        raise ValueError(
            f"device={str(device)!r} is not here: this machine has {' and '.join(here)}. Choose one"
            " of them, or leave device out"
        ) from None
    return torch.device(device)

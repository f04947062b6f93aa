"""What `fit` and `evaluate` need around the loop: checked arguments, devices, modes, generators."""

import contextlib
import math
import random
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from .._modes import device_of, evaluating
from .._numbers import whole_number
from .results import History


def seed_everything(seed):
    """Seed the generators of Python, NumPy and torch, on every device, with one integer >= 0.

    The workers of a `DataLoader` follow: it seeds all three in each of them from torch's generator.
    """
    seed = whole_number("seed", seed, 0)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  (seeds the generator that other code draws from)
    torch.manual_seed(seed)


@dataclass
class Plan:
    """What the arguments of `fit` stand for, checked."""

    images: torch.Tensor
    labels: torch.Tensor
    validation: tuple | None  # images and labels
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    history: History
    shuffle: torch.Generator
    label_smoothing: float
    bfloat16: bool
    steps: int
    device: torch.device
    home: torch.device  # where the model came from


def plan(
    model,
    train,
    validation,
    epochs,
    batch_size,
    lr,
    optimizer,
    loss,
    schedule,
    label_smoothing,
    patience,
    seed,
    device,
    precision,
    history,
):
    """Check the arguments of `fit`, and make the model and everything else ready to train."""
    epochs = whole_number("epochs", epochs, 1)
    batch_size = whole_number("batch_size", batch_size, 1)
    images, labels = tensors("train", train)
    if patience is not None and whole_number("patience", patience, 1) and validation is None:
        raise ValueError(f"patience={patience} needs validation=…, the images to watch the loss on")
    check_choice("schedule", schedule, ("auto", "one-cycle", None))
    check_choice("precision", precision, ("auto", "float32", "bfloat16"))
    label_smoothing = smoothing(label_smoothing, optimizer, loss)
    check_model(model)
    home = device_of(model)
    if device is None:
        device = "cuda" if torch.cuda.is_available() and optimizer is None else home
    device = device_here(device)
    steps = epochs * math.ceil(len(images) / batch_size)
    bfloat16 = precision == "bfloat16" or (
        precision == "auto" and gains_from_bfloat16(model, device)
    )
    history = History() if history is None else check_history(history)
    history.interrupted, history.stopped = False, None

    check_fits(model, "train", images, labels, loss)
    if validation is not None:
        validation = tensors("validation", validation)
        check_fits(model, "validation", *validation, loss)
    model.to(device)
    images, labels = images.to(device), labels.to(device)
    if images.ndim == 4 and not any(p.ndim == 5 for p in model.parameters()):
        model.to(memory_format=torch.channels_last)  # up to 1.6 times as fast, the same numbers
    optimizer, scheduler = prepare(model, lr, optimizer, schedule, steps)
    shuffle = torch.Generator().manual_seed(whole_number("seed", seed))
    for _ in history.epochs:
        torch.randperm(len(images), generator=shuffle)
    return Plan(
        images=images,
        labels=labels,
        validation=validation,
        optimizer=optimizer,
        scheduler=scheduler,
        history=history,
        shuffle=shuffle,
        label_smoothing=label_smoothing,
        bfloat16=bfloat16,
        steps=steps,
        device=device,
        home=home,
    )


def leave(model, home):
    """The model as `fit` leaves it: in eval mode, where it came from."""
    model.eval()
    model.to(home)
    model.to(memory_format=torch.contiguous_format)  # so that weight.view(…) works


def prepare(model, lr, optimizer, schedule, steps):
    """The optimizer and the schedule that the arguments of `fit` stand for."""
    own = optimizer is None
    if own:
        lr = 0.01 if lr is None else lr
        if not lr > 0:
            raise ValueError(f"lr={lr} must be greater than 0")
        if not any(p.requires_grad for p in model.parameters()):
            raise ValueError("the model has no parameter to train: requires_grad is True for none")
        optimizer = torch.optim.AdamW(model.parameters(), lr=lr, fused=True)
    elif lr is not None:
        raise ValueError(f"lr={lr} would be ignored: set it in the optimizer that you hand in")
    if schedule == "one-cycle" or (schedule == "auto" and own):
        peaks = [group["lr"] for group in optimizer.param_groups]
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(
            optimizer, peaks, total_steps=steps + 1, cycle_momentum=own
        )
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)


def smoothing(value, optimizer, loss):
    """The `label_smoothing` that the arguments of `fit` stand for."""
    if value is None:
        return 0.1 if optimizer is None and loss is F.cross_entropy else 0.0
    if not 0 <= value < 1:
        raise ValueError(f"label_smoothing={value} must be at least 0 and less than 1")
    if value and loss is not F.cross_entropy:
        raise ValueError(f"label_smoothing={value} works with loss=F.cross_entropy only")
    return value


def smooth(loss, logits, share):
    """The cross-entropy against targets of which `share` is spread over all classes."""
    return (1 - share) * loss - share * logits.log_softmax(1).mean() if share else loss


def why_not_finite(model, history, steps_before):
    """What to do about the loss that has ended a training, which began after `steps_before`."""
    line = f"The loss became {history.step_loss[-1]} at step {len(history.step_loss):,}: "
    if all(p.isfinite().all() for p in model.parameters()):
        return f"{line}try a smaller learning rate. The weights are those before this step."
    if len(history.step_loss) == steps_before + 1:
        return f"{line}the weights were not finite to begin with, so make the model anew."
    return f"{line}try a smaller learning rate, with a new model: these weights are spoilt."


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
    except (RuntimeError, ValueError, IndexError) as error:
        from ..anatomy.summary import refuse_misfit

        refuse_misfit(model, images[:2].shape)
        raise ValueError(f"{name}: the model cannot take these images: {error}") from error
    if loss is not F.cross_entropy or labels.is_floating_point():
        return
    if logits.ndim != 2 or logits.shape[0] != len(images[:2]):
        raise ValueError(
            f"the model turns {name} images {tuple(images[:2].shape)} into {tuple(logits.shape)}: "
            "logits must have the shape (N, classes)"
        )
    if labels.dtype != torch.int64 or labels.ndim != 1:
        raise ValueError(
            f"{name}: labels are {labels.dtype} of shape {tuple(labels.shape)}, but cross-entropy "
            "needs int64 of shape (N,): use labels.long().flatten()"
        )
    low, high, classes = labels.min().item(), labels.max().item(), logits.shape[1]
    if low < 0 or high >= classes:
        raise ValueError(
            f"{name}: labels go from {low} to {high}, but the model has {classes} logits: "
            f"labels must be 0 to {classes - 1}"
        )


def check_model(model):
    if not isinstance(model, torch.nn.Module):
        what = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        raise ValueError(f"model is {what}: give an nn.Module, such as models.mnist_cnn()")


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


def channels_last_forward(model):
    """`model` with the weights of its 2-d convolutions laid out channels last: twice as fast.

    The model itself stays as it is; a new layout would cut the ties of tensors that share its
    memory, such as a state_dict.
    """
    weights = {
        name: weight.to(memory_format=torch.channels_last)
        for name, weight in model.named_parameters()
        if weight.ndim == 4
    }
    if not weights or isinstance(model, torch.jit.ScriptModule):
        return model
    return lambda images: torch.func.functional_call(model, weights, (images,))


@contextlib.contextmanager
def generators_apart(device, seed):
    """Seed torch's generators for dropout and the like, and give them back as they were."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def is_large(model):
    """Has it so many parameters that a step is worth spreading out or converting?"""
    return sum(p.numel() for p in model.parameters()) >= 1_000_000


@contextlib.contextmanager
def fitting_threads(model, device):
    """One thread for a small network on the processor, then as many as before.

    A step of a small network is over in about ten milliseconds. Two threads save a fifth of that
    on an idle machine; on a busy one they wait for each other and take many times as long. One
    thread also gives the same numbers however many cores there are.
    """
    threads = torch.get_num_threads()
    if device.type == "cpu" and not is_large(model):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def gains_from_bfloat16(model, device):
    """Does the processor compute bfloat16 itself (emulated, it is several times slower)?"""
    if not is_large(model):
        return False
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # These names are private and change between versions of torch: without them, the answer is no.
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device.type == "cpu" and any(getattr(torch.cpu, n, lambda: False)() for n in names)

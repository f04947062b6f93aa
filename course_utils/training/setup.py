"""What `fit` and `evaluate` need around the loop: devices, modes, layouts, generators, threads."""

import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from .._modes import device_of
from .._numbers import whole_number
from . import arguments, optimizers
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
    scheduler: torch.optim.lr_scheduler.LRScheduler | None
    give_back: Callable  # call it when the optimizer is no longer needed
    history: History
    shuffle: torch.Generator
    label_smoothing: float
    bfloat16: bool
    batches: list  # how many images each step of an epoch takes
    still: list  # the modules that stay in eval mode
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
    arguments.check_model(model)
    arguments.check_loss(loss)
    epochs = whole_number("epochs", epochs, 1)
    batch_size = whole_number("batch_size", batch_size, 1)
    images, labels = arguments.tensors("train", train)
    if patience is not None and whole_number("patience", patience, 1) and validation is None:
        raise ValueError(f"patience={patience} needs validation=…, the images to watch the loss on")
    arguments.check_choice("schedule", schedule, ("auto", "one-cycle", None))
    arguments.check_choice("precision", precision, ("auto", "float32", "bfloat16"))
    label_smoothing = arguments.check_smoothing(label_smoothing, optimizer, loss)
    home = device_of(model)
    if device is None:
        device = "cuda" if torch.cuda.is_available() and optimizer is None else home
    device = arguments.device_here(device)
    batches = batch_sizes(len(images), batch_size)
    bfloat16 = precision == "bfloat16" or (
        precision == "auto" and gains_from_bfloat16(model, device)
    )
    history = History() if history is None else arguments.check_history(history)
    history.interrupted, history.stopped = False, None

    shuffle = torch.Generator().manual_seed(whole_number("seed", seed))
    for _ in history.epochs:
        torch.randperm(len(images), generator=shuffle)

    arguments.check_fits(model, "train", images, labels, loss)
    if validation is not None:
        validation = arguments.tensors("validation", validation)
        arguments.check_fits(model, "validation", *validation, loss)
    optimizers.check_optimizer(optimizer, lr, model)
    still = kept_in_eval_mode(model)
    model.to(device)
    images, labels = images.to(device), labels.to(device)
    some = images[: min(2, *batches)]
    if len(some) == 1 and "more than 1 value" in str(fault_of_a_step(model, some, still)):
        model.to(home)
        raise ValueError(
            "a batch of one image gives batch norm nothing to divide by: use a batch_size of 2 or "
            "more, and at least 2 images"
        )
    if images.ndim == 4 and not any(p.ndim == 5 for p in model.parameters()):
        model.to(memory_format=torch.channels_last)  # up to 1.6 times as fast, the same numbers
        if fault_of_a_step(model, some, still):
            model.to(memory_format=torch.contiguous_format)
    give_back = optimizers.lend(optimizer)
    optimizer, scheduler = optimizers.prepare(model, lr, optimizer, schedule, epochs * len(batches))
    return Plan(
        images=images,
        labels=labels,
        validation=validation,
        optimizer=optimizer,
        scheduler=scheduler,
        give_back=give_back,
        history=history,
        shuffle=shuffle,
        label_smoothing=label_smoothing,
        bfloat16=bfloat16,
        batches=batches,
        still=still,
        device=device,
        home=home,
    )


def leave(model, home):
    """The model as `fit` leaves it: in eval mode, where it came from."""
    model.eval()
    model.to(home)
    model.to(memory_format=torch.contiguous_format)  # so that weight.view(…) works


def batch_sizes(images, batch_size):
    """How many images each step of an epoch takes.

    A last batch of a single image joins the one before it: batch norm has nothing to divide by
    where there is one.
    """
    full, rest = divmod(images, batch_size)
    sizes = [batch_size] * full + [rest] * bool(rest)
    if rest == 1 < len(sizes):
        sizes[-2:] = [batch_size + 1]
    return sizes


def kept_in_eval_mode(model):
    """The modules that the student has put into eval mode, and that training leaves there.

    In a model that is in eval mode as a whole, as `fit` leaves it, these are the frozen ones that
    keep statistics.
    """
    modules = [module for module in model.modules() if not module.training]
    if model.training:
        return modules
    return [
        module
        for module in modules
        if getattr(module, "running_mean", None) is not None
        and list(module.parameters())
        and not any(p.requires_grad for p in module.parameters())
    ]


def train_mode(model, still):
    """Train mode, but for the modules in `still`."""
    model.train()
    for module in still:
        module.training = False


def fault_of_a_step(model, images, still):
    """What the model raises, forward and backward in train mode, or None if it runs.

    As its weights are laid out now: `x.view(len(x), -1)` does not take every layout. Nothing is
    changed: no weight, no gradient, no statistic, no generator.
    """
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    modes = [(module, module.training) for module in model.modules()]
    learning = [p for p in model.parameters() if p.requires_grad]
    device = images.device
    try:
        train_mode(model, still)
        with generators_apart(device, 0), torch.enable_grad():
            total = model(images).float().sum()
            torch.autograd.grad(total, learning, allow_unused=True)
        return None
    except Exception as error:
        return error
    finally:
        for module, training in modes:
            module.training = training
        with torch.no_grad():
            for name, buffer in model.named_buffers():
                buffer.copy_(buffers[name])


def smooth(loss, logits, share):
    """The cross-entropy against targets of which `share` is spread over all classes."""
    return (1 - share) * loss - share * logits.log_softmax(1).mean() if share else loss


def why_not_finite(model, history, steps_before, best):
    """What to do about the loss that has ended a training, which began after `steps_before`.

    best: the weights that `patience` has kept, or None.
    """
    line = f"The loss became {history.step_loss[-1]} at step {len(history.step_loss):,}: "
    if best is not None:
        return f"{line}try a smaller learning rate. The best weights are back."
    if all(p.isfinite().all() for p in model.parameters()):
        return f"{line}try a smaller learning rate. The weights are those before this step."
    if len(history.step_loss) == steps_before + 1:
        return f"{line}the weights were not finite to begin with, so make the model anew."
    return f"{line}try a smaller learning rate, with a new model: these weights are spoilt."


def quick_forward(model, images):
    """`model` with the weights of its 2-d convolutions laid out channels last: twice as fast.

    Or the model as it is where `images`, some of those to come, do not pass in that layout. The
    model itself stays as it is; a new layout would cut the ties of tensors that share its memory,
    such as a state_dict.
    """
    weights = {
        name: weight.to(memory_format=torch.channels_last)
        for name, weight in model.named_parameters()
        if weight.ndim == 4
    }
    if not weights or isinstance(model, torch.jit.ScriptModule):
        return model

    def forward(images):
        return torch.func.functional_call(model, weights, (images,))

    try:
        forward(images)
    except Exception:  # what fails the other way, too, fails when it is called
        return model
    return forward


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

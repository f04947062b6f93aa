"""Train a network, measure it, save it.

`fit` is a training loop that one could write oneself: shuffle, take a batch, forward, loss,
backward, step, record. What surrounds the loop checks the arguments and shows the progress.
"""

import io
import math
import pickle
import random
import time
import zipfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from . import _files, _fitting, _live
from ._records import Epoch, Evaluation, History

__all__ = [
    *("Epoch", "Evaluation", "History", "evaluate", "fit"),
    *("load_checkpoint", "save_checkpoint", "seed_everything"),
]


def seed_everything(seed):
    """Seed the generators of Python, NumPy and torch, on every device, with one integer >= 0.

    The workers of a `DataLoader` follow: it seeds all three in each of them from torch's generator.
    """
    seed = _fitting.whole_number("seed", seed, 0)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  (seeds the generator that other code draws from)
    torch.manual_seed(seed)


def fit(
    model,
    train,
    *,
    validation=None,
    epochs=1,
    batch_size=64,
    lr=None,
    optimizer=None,
    loss=F.cross_entropy,
    schedule="auto",
    label_smoothing=None,
    patience=None,
    seed=0,
    device=None,
    precision="auto",
    progress=True,
    log_dir=None,
    history=None,
):
    """Train `model` in place and return the record.

    Args:
        model: an nn.Module from images (N, …) to logits (N, C). Afterwards it is in eval mode, on
            the device it came from.
        train: a `Split`, or a pair of tensors: images float (N, …) and labels int64 (N,).
        validation: the same, measured in float32 after each epoch.
        epochs: passes over `train`.
        batch_size: images a step; the last batch of an epoch may be smaller.
        lr: the largest learning rate of the default optimizer, AdamW; None is 0.01.
        optimizer: a torch.optim.Optimizer made from `model.parameters()`, in place of AdamW.
        loss: a function of (logits, labels) that returns their mean loss.
        schedule: "one-cycle" (up for 30 % of the steps, then down to 0; Smith and Topin,
            "Super-convergence", 2018), None for a constant lr, or "auto": "one-cycle" with the
            default optimizer, None with yours.
        label_smoothing: share s of the target that goes to all classes alike (Szegedy et al.,
            "Rethinking the Inception architecture", 2016). None is 0.1 with the default optimizer
            and loss, and 0 with yours. It acts on the gradient; the record has the plain loss.
        patience: stop after so many epochs without a smaller validation loss, and go back to the
            best weights of this call. None trains to the end and keeps the last weights.
        seed: fixes shuffling and dropout. The weights were drawn when the model was made, and the
            generators outside are left as they were. On a CPU the same seed gives the same result.
        device: "cpu", "cuda" …; None is a CUDA GPU if there is one, else the model's own. With your
            own optimizer None is always the model's own.
        precision: "float32", "bfloat16" (autocast), or "auto": bfloat16 where the processor
            computes it natively and the model has over a million parameters. Small ones lose more
            time to the conversions than they gain.
            On a processor such a small one also keeps to one thread, see `fitting_threads`.
        progress: a bar and the live curve in a notebook, tqdm in a terminal. False is silent.
        log_dir: a folder for TensorBoard's log.
        history: a `History` to go on with: the record grows, the shuffling goes on where it was.
            The weights are the model's present ones, optimizer and schedule start anew (hand in
            your own optimizer to keep its state).

    Returns: a `History`. The stop button (or Ctrl-C) ends training but loses nothing: the history
        so far comes back with `.interrupted`. A loss that is nan or infinite ends it with a
        sentence in `.stopped`.

    Raises: ValueError for arguments that do not fit each other, or a model and its images.
    """
    epochs = _fitting.whole_number("epochs", epochs, 1)
    batch_size = _fitting.whole_number("batch_size", batch_size, 1)
    images, labels = _fitting.tensors("train", train)
    if (
        patience is not None
        and _fitting.whole_number("patience", patience, 1)
        and validation is None
    ):
        raise ValueError(f"patience={patience} needs validation=…, the images to watch the loss on")
    _fitting.check_choice("schedule", schedule, ("auto", "one-cycle", None))
    _fitting.check_choice("precision", precision, ("auto", "float32", "bfloat16"))
    label_smoothing = _fitting.smoothing(label_smoothing, optimizer, loss)
    _fitting.check_model(model)
    home = _fitting.device_of(model)
    if device is None:
        device = "cuda" if torch.cuda.is_available() and optimizer is None else home
    device = _fitting.device_here(device)
    steps = epochs * math.ceil(len(images) / batch_size)
    bfloat16 = precision == "bfloat16" or (
        precision == "auto" and _fitting.gains_from_bfloat16(model, device)
    )
    history = History() if history is None else _fitting.check_history(history)
    history.interrupted, history.stopped = False, None
    steps_before = len(history.step_loss)

    _fitting.check_fits(model, "train", images, labels, loss)
    if validation is not None:
        _fitting.check_fits(model, "validation", *_fitting.tensors("validation", validation), loss)
    model.to(device)
    images, labels = images.to(device), labels.to(device)
    if images.ndim == 4 and not any(p.ndim == 5 for p in model.parameters()):
        model.to(memory_format=torch.channels_last)  # up to 1.6 times as fast, the same numbers
    optimizer, scheduler = _fitting.prepare(model, lr, optimizer, schedule, steps)
    watchers = _live.watchers(progress, steps, log_dir)
    shuffle = torch.Generator().manual_seed(_fitting.whole_number("seed", seed))
    for _ in history.epochs:
        torch.randperm(len(images), generator=shuffle)
    best_loss, best_weights, waited = math.inf, None, 0
    began = time.perf_counter()

    try:
        with _fitting.generators_apart(device, seed), _fitting.fitting_threads(model, device):
            for _ in range(epochs):
                epoch_began, total = time.perf_counter(), 0.0
                model.train()
                for batch in torch.randperm(len(images), generator=shuffle).split(batch_size):
                    x, y = images[batch], labels[batch]
                    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
                        logits = model(x)
                        batch_loss = loss(logits, y)
                        objective = _fitting.smooth(batch_loss, logits, label_smoothing)
                    history.step_loss.append(batch_loss.item())
                    if not math.isfinite(history.step_loss[-1]):
                        raise FloatingPointError  # before the step, which would spoil the weights
                    total += history.step_loss[-1] * len(batch)
                    optimizer.zero_grad()
                    objective.backward()
                    optimizer.step()
                    step_lr = optimizer.param_groups[0]["lr"]
                    scheduler.step()
                    for watcher in watchers:
                        watcher.step(history)

                record = Epoch(
                    epoch=len(history.epochs) + 1,
                    steps=len(history.step_loss),
                    train_loss=total / len(images),
                    lr=step_lr,
                )
                if validation is not None:
                    result = evaluate(model, validation, loss=loss)
                    record.validation_loss = result.loss
                    record.validation_accuracy = result.accuracy
                record.seconds = time.perf_counter() - epoch_began
                history.epochs.append(record)
                for watcher in watchers:
                    watcher.epoch(history)

                if patience is not None:
                    waited += 1
                    if record.validation_loss < best_loss:
                        best_loss, waited = record.validation_loss, 0
                        best_weights = {k: v.clone() for k, v in model.state_dict().items()}
                    elif waited == patience:
                        history.stopped = (
                            f"Stopped early: no smaller validation loss for {patience} epochs; "
                            "the best weights are back."
                        )
                        break
            if best_weights is not None:
                model.load_state_dict(best_weights)
    except KeyboardInterrupt:
        history.interrupted = True
    except FloatingPointError:
        history.stopped = _fitting.why_not_finite(model, history, steps_before)
    finally:
        model.eval()
        model.to(home)
        model.to(memory_format=torch.contiguous_format)  # so that weight.view(…) works
        history.seconds += time.perf_counter() - began
        for watcher in watchers:
            watcher.close(history)
    return history


def evaluate(model, split, *, batch_size=1000, device=None, loss=F.cross_entropy):
    """Measure `model` on a `Split`, or on a pair (images, labels), in float32.

    It runs in eval mode and without gradients; afterwards every layer has its mode again. `device`
    None is the model's own; another one moves the model there. Returns an `Evaluation`; raises
    ValueError where the images, the labels and the model do not fit.
    """
    images, labels = _fitting.tensors("split", split)
    batch_size = _fitting.whole_number("batch_size", batch_size, 1)
    _fitting.check_model(model)
    device = _fitting.device_here(_fitting.device_of(model) if device is None else device)
    model.to(device)
    _fitting.check_fits(model, "split", images, labels, loss)
    logits, total = [], 0.0
    with _fitting.evaluating(model):
        forward = _fitting.channels_last_forward(model)
        for x, y in zip(images.split(batch_size), labels.split(batch_size), strict=True):
            logits.append(forward(x.to(device)).float())
            total += loss(logits[-1], y.to(device)).item() * len(y)
    logits = torch.cat(logits).cpu()
    classes, predictions = logits.shape[1], logits.argmax(1)
    cells = labels.cpu() * classes + predictions
    confusion = torch.bincount(cells, minlength=classes**2).view(classes, classes)
    return Evaluation(total / len(labels), confusion, predictions, logits.softmax(1))


def save_checkpoint(model, path):
    """Save the weights of `model` to `path`, or leave the old file whole if that fails half-way.

    They are written beside it and renamed, which the operating system does in one piece. Folders
    are made as needed. Raises OSError when the disk is full or read-only.
    """
    _fitting.check_model(model)
    path, weights = Path(path), io.BytesIO()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _files.unwritable(path, error) from None
    torch.save(model.state_dict(), weights)
    _files.write(_files.checked(path), weights.getbuffer())


def load_checkpoint(model, path):
    """Load weights saved by `save_checkpoint` into `model` and return it; its mode stays.

    Only tensors are read, never code (`weights_only=True`). Raises FileNotFoundError when there is
    no such file, and ValueError when it is broken or belongs to another model; then the model is
    unchanged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {str(path)!r}: save_checkpoint makes one")
    try:
        with zipfile.ZipFile(path) as file:  # torch itself does not look at the checksums
            state = None if file.testzip() else torch.load(path, "cpu", weights_only=True)
    except pickle.UnpicklingError:  # what weights_only refuses
        raise ValueError(
            f"{str(path)!r} holds more than weights, perhaps a whole model, and such a file can run"
            " any code: it is not read. Save the weights alone, with save_checkpoint"
        ) from None
    except Exception:  # torch raises six kinds here, by where the file is cut
        state = None
    if state is None:
        raise ValueError(
            f"{str(path)!r} is damaged or not a complete checkpoint, perhaps cut short: save it"
            " again, or take another copy"
        )
    expected = model.state_dict()
    if not isinstance(state, dict) or not all(hasattr(v, "shape") for v in state.values()):
        inside = f", but {', '.join(map(repr, state))}" if isinstance(state, dict) else ""
        raise ValueError(f"{str(path)!r} holds no weights of a model alone{inside}")
    other = f"{str(path)!r} belongs to another model"
    for name in [*expected, *state]:
        if name not in state or name not in expected:
            owner = "the checkpoint" if name in state else "this model"
            raise ValueError(f"{other}: only {owner} has {name!r}")
        if state[name].shape != expected[name].shape:
            saved, mine = tuple(state[name].shape), tuple(expected[name].shape)
            raise ValueError(f"{other}: {name!r} has shape {saved} there and {mine} here")
    model.load_state_dict(state)
    return model

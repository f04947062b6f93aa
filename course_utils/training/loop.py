"""Train a network, and measure it.

`fit` is a training loop that one could write oneself: shuffle, take a batch, forward, loss,
backward, step, record. What surrounds the loop checks the arguments and shows the progress.
"""

import math
import time

import torch
import torch.nn.functional as F

from .._modes import device_of, evaluating
from .._numbers import whole_number
from . import arguments, setup
from . import progress as watching
from .results import Evaluation, add_epoch


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
            the device it came from. A layer that was put into eval mode stays in it meanwhile; in a
            model that is in eval mode as a whole, a frozen batch norm does.
        train: a `Split`, or a pair of tensors: images float (N, …) and labels int64 (N,), the
            number of a class for each.
        validation: the same, measured in float32 after each epoch.
        epochs: passes over `train`.
        batch_size: images a step; the last batch of an epoch may be smaller. A last one of a single
            image joins the one before: batch norm cannot work with one.
        lr: the largest learning rate of the default optimizer, AdamW; None is 0.01.
        optimizer: a torch.optim.Optimizer made from `model.parameters()`, in place of AdamW. Its
            settings are as before afterwards, its state has grown.
        loss: a function of (logits, labels) that returns their mean loss.
        schedule: "one-cycle" (up for 30 % of the steps, then down to 0; Smith and Topin,
            "Super-convergence", 2018), None for a constant lr, or "auto": "one-cycle" with the
            default optimizer, None with yours.
        label_smoothing: share s of the target that goes to all classes alike (Szegedy et al.,
            "Rethinking the Inception architecture", 2016). None is 0.1 with the default optimizer
            and loss, and 0 with yours. It acts on the gradient; the record has the plain loss.
        patience: stop after so many epochs without a smaller validation loss, and go back to the
            best weights of this call, also where it ends early for another reason. None trains to
            the end and keeps the last weights.
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
    plan = setup.plan(
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
    )
    images, labels, history = plan.images, plan.labels, plan.history
    optimizer, scheduler = plan.optimizer, plan.scheduler
    watchers = watching.watchers(progress, epochs * len(plan.batches), log_dir)
    best, steps_before, began = Best(patience), len(history.step_loss), time.perf_counter()
    try:
        with setup.generators_apart(plan.device, seed), setup.fitting_threads(model, plan.device):
            for _ in range(epochs):
                epoch_began, total = time.perf_counter(), 0.0
                setup.train_mode(model, plan.still)
                order = torch.randperm(len(images), generator=plan.shuffle)
                for batch in order.split(plan.batches):
                    x, y = images[batch], labels[batch]
                    with torch.autocast(plan.device.type, torch.bfloat16, enabled=plan.bfloat16):
                        logits = model(x)
                        batch_loss = loss(logits, y)
                        objective = setup.smooth(batch_loss, logits, plan.label_smoothing)
                    history.step_loss.append(batch_loss.item())
                    if not math.isfinite(history.step_loss[-1]):
                        raise FloatingPointError  # before the step, which would spoil the weights
                    total += history.step_loss[-1] * len(batch)
                    optimizer.zero_grad()
                    objective.backward()
                    optimizer.step()
                    step_lr = float(optimizer.param_groups[0]["lr"])
                    if scheduler:
                        scheduler.step()
                    for watcher in watchers:
                        watcher.step(history)

                measured = plan.validation and _measure(model, *plan.validation, loss)
                add_epoch(history, total / len(images), step_lr, measured, epoch_began)
                for watcher in watchers:
                    watcher.epoch(history)
                if best.is_out_of_patience(model, history):
                    break
    except KeyboardInterrupt:
        history.interrupted = True
    except FloatingPointError:
        history.stopped = setup.why_not_finite(model, history, steps_before, best.weights)
    finally:
        plan.give_back()
        best.bring_back(model)
        setup.leave(model, plan.home)
        history.seconds += time.perf_counter() - began
        for watcher in watchers:
            watcher.close(history)
    return history


class Best:
    """The best weights of a training, if `patience` is asked for, and how long they are best."""

    def __init__(self, patience):
        self.patience, self.loss, self.weights, self.waited = patience, math.inf, None, 0

    def is_out_of_patience(self, model, history):
        """Look at the last epoch; write into the history why the training stops, if it does."""
        if self.patience is None:
            return False
        self.waited += 1
        if history.epochs[-1].validation_loss < self.loss:
            self.loss, self.waited = history.epochs[-1].validation_loss, 0
            self.weights = {k: v.clone() for k, v in model.state_dict().items()}
        elif self.waited == self.patience:
            end = "the best weights are back" if self.weights else "it never was a finite number"
            history.stopped = (
                f"Stopped early: no smaller validation loss for {self.patience} epochs; {end}."
            )
            return True
        return False

    def bring_back(self, model):
        if self.weights is not None:
            model.load_state_dict(self.weights)


def evaluate(model, split, *, batch_size=1000, device=None, loss=F.cross_entropy):
    """Measure `model` on a `Split`, or on a pair (images, labels), in float32.

    It runs in eval mode and without gradients; afterwards every layer has its mode again. `device`
    None is the model's own; another one moves the model there. Returns an `Evaluation`; raises
    ValueError where the images, the labels and the model do not fit.
    """
    images, labels = arguments.tensors("split", split)
    batch_size = whole_number("batch_size", batch_size, 1)
    arguments.check_model(model)
    device = arguments.device_here(device_of(model) if device is None else device)
    model.to(device)
    arguments.check_fits(model, "split", images, labels, loss)
    return _measure(model, images, labels, loss, batch_size)


def _measure(model, images, labels, loss, batch_size=1000):
    """The `Evaluation` of checked arguments, where the model is."""
    device, logits, total = device_of(model), [], 0.0
    with evaluating(model):
        forward = setup.quick_forward(model, images[:2].to(device))
        for x, y in zip(images.split(batch_size), labels.split(batch_size), strict=True):
            logits.append(forward(x.to(device)).float())
            total += loss(logits[-1], y.to(device)).item() * len(y)
    logits = torch.cat(logits).cpu()
    classes, predictions = logits.shape[1], logits.argmax(1)
    cells = labels.cpu() * classes + predictions
    confusion = torch.bincount(cells, minlength=classes**2).view(classes, classes)
    return Evaluation(total / len(labels), confusion, predictions, logits.softmax(1))

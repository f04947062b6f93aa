"""What training and evaluation give back, and what runs with several seeds say together."""

import math
import time
from dataclasses import dataclass, field

import torch

from .._tables import html_table, text_table


@dataclass
class Epoch:
    """One pass over the training images; the validation figures are None without validation."""

    epoch: int  # counted from 1
    steps: int  # steps of the whole history by the end of this epoch
    train_loss: float  # mean over the images, as they were met
    lr: float  # learning rate of the last step
    validation_loss: float | None = None
    validation_accuracy: float | None = None  # in [0, 1]
    seconds: float = 0.0


@dataclass(repr=False)
class History:
    """The record of a training; `fit` fills it in and it grows if handed to `fit` again.

    `step_loss` holds the loss of each step, `epochs` an `Epoch` for each completed pass.
    `interrupted` is True after the stop button or Ctrl-C, `stopped` the sentence that says why
    training ended early, or None. `seconds` is the wall time of all training.
    """

    step_loss: list = field(default_factory=list)
    epochs: list = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False
    stopped: str | None = None

    @property
    def best_epoch(self):
        """Number of the epoch with the smallest validation loss; None without validation."""
        measured = [e for e in self.epochs if e.validation_loss is not None]
        return min(measured, key=lambda e: e.validation_loss).epoch if measured else None

    def _table(self):
        header = ["epoch", "training loss", "validation loss", "validation accuracy", "lr"]
        rows = [
            [
                *(e.epoch, f"{e.train_loss:.4f}"),
                "–" if e.validation_loss is None else f"{e.validation_loss:.4f}",
                "–" if e.validation_accuracy is None else f"{e.validation_accuracy:.2%}",
                f"{e.lr:.2g}",
            ]
            for e in self.epochs
        ]
        return header, rows

    def summary(self):
        """One line without times, so that it is the same on every run of the same training."""
        line = f"{_count(len(self.epochs), 'epoch')}, {_count(len(self.step_loss), 'step')}"
        if self.epochs:
            last = self.epochs[-1]
            line += f": training loss {last.train_loss:.3f}"
            if last.validation_accuracy is not None:
                line += f", validation accuracy {last.validation_accuracy:.2%}"
        line += ". Interrupted." if self.interrupted else "."
        return f"{line} {self.stopped}" if self.stopped else line

    def __repr__(self):
        return f"{text_table(*self._table())}\n{self.summary()}" if self.epochs else self.summary()

    def _repr_html_(self):
        return html_table(*self._table(), self.summary())


def add_epoch(history, train_loss, lr, measured, began):
    """Add an `Epoch`: the `Evaluation` that was measured, or None, and when it began."""
    figures = (measured.loss, measured.accuracy) if measured else (None, None)
    seconds = time.perf_counter() - began
    epoch, steps = len(history.epochs) + 1, len(history.step_loss)
    history.epochs.append(Epoch(epoch, steps, train_loss, lr, *figures, seconds))


@dataclass(repr=False, eq=False)
class Evaluation:
    """How well a network does on a set of N images with C classes; prints as a table.

    `loss` is the mean, `accuracy` in [0, 1], `confusion` int64 (C, C) with a row for each true
    class and a column for each predicted one, `predictions` int64 (N,), `probabilities` float32
    (N, C), the softmax of the logits. `precision`, `recall` and `f1` are float32 (C,), one value a
    class, 0 for one that was never predicted or never met. `means` are the macro averages.
    """

    loss: float
    confusion: torch.Tensor
    predictions: torch.Tensor
    probabilities: torch.Tensor

    @property
    def accuracy(self):
        return self.confusion.trace().item() / len(self.predictions)

    @property
    def precision(self):
        """Of the images predicted as a class, the share that belong to it."""
        return _share(self.confusion.diag(), self.confusion.sum(0))

    @property
    def recall(self):
        """Of the images that belong to a class, the share predicted as it."""
        return _share(self.confusion.diag(), self.confusion.sum(1))

    @property
    def f1(self):
        """The harmonic mean of precision and recall, 2TP / (2TP + FP + FN)."""
        return _share(2 * self.confusion.diag(), self.confusion.sum(0) + self.confusion.sum(1))

    @property
    def met(self):
        """Which classes were met or predicted, bool (C,)."""
        return (self.confusion.sum(0) + self.confusion.sum(1)) > 0

    @property
    def means(self):
        """Precision, recall and F1, each the mean over the classes that were met or predicted.

        So does scikit-learn, `precision_recall_fscore_support(…, average="macro")`: a class that
        does not occur at all says nothing about the network.
        """
        return tuple(m[self.met].mean().item() for m in (self.precision, self.recall, self.f1))

    def _table(self):
        values = zip(self.precision, self.recall, self.f1, self.confusion.sum(1), strict=True)
        rows = [
            [label, *([f"{p:.4f}", f"{r:.4f}", f"{f:.4f}"] if self.met[label] else "–––"), f"{n:,}"]
            for label, (p, r, f, n) in enumerate(values)
        ]
        rows.append(["mean", *(f"{m:.4f}" for m in self.means), f"{len(self.predictions):,}"])
        return ["class", "precision", "recall", "F1", "images"], rows

    def _summary(self):
        n = _count(len(self.predictions), "image")
        line = f"Accuracy {self.accuracy:.2%}, loss {self.loss:.4f} on {n}."
        if absent := [str(label) for label in (~self.met).nonzero().flatten().tolist()]:
            one = len(absent) == 1
            which = f"Class {absent[0]} does" if one else f"{len(absent)} classes do"
            line += f" {which} not occur, and the means leave {'it' if one else 'them'} out."
        if wrong := (~self.probabilities.isfinite()).any(1).sum().item():
            line += f" {wrong:,} of the answers are nan, and count as class 0: look at the weights."
        return line

    def __repr__(self):
        return f"{text_table(*self._table())}\n{self._summary()}"

    def _repr_html_(self):
        return html_table(*self._table(), self._summary())


def mean_interval(values):
    """The mean of `values` with its 95 % t-interval, as three floats (mean, low, high).

    If the runs that gave the values are repeated many times with new seeds, 95 of 100 intervals
    hold the true mean, as long as the values scatter about normally: "Student", "The probable
    error of a mean", 1908.

    Args:
        values: at least 2 numbers, one a run.
    Raises: ValueError for fewer.
    """
    values = [float(value) for value in values]
    if len(values) < 2:
        raise ValueError(f"{len(values)} values give no interval: at least 2 are needed, one a run")
    import statistics  # both take a while to load, and a training needs none of them

    from scipy.special import stdtrit

    t = float(stdtrit(len(values) - 1, 0.975))
    half = t * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    return mean, mean - half, mean + half


def _count(n, noun):
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _share(part, whole):
    """part / whole, and 0 where the whole is empty."""
    return part.float() / whole.clamp(min=1)

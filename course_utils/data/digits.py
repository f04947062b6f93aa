"""Handwritten digits: MNIST, or its stand-in that needs no network."""

import os
from dataclasses import dataclass

import torch

from . import embedded, mnist

SOURCES = ("auto", "mnist", "embedded")
ABOUT = {
    "mnist": "MNIST, handwritten digits of 28×28 pixels (LeCun, Cortes and Burges; CC BY-SA 3.0)",
    "embedded": "the embedded digits, handwritten, of 28×28 pixels, redrawn copies of the 1,797 in"
    " scikit-learn (Alpaydin and Kaynak, UCI; CC BY 4.0)",
}


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Images with their labels; also a map-style data set for `torch.utils.data.DataLoader`.

    images: (N, 1, 28, 28), float32 in [0, 1], white strokes on black. labels: (N,), int64 in 0…9.
    `split[3]` is the pair (image (1, 28, 28), label ()); a slice, list, tensor or mask, a Split.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        images, labels = self.images[index], self.labels[index]
        return Split(images, labels) if labels.ndim else (images, labels)

    def __repr__(self):
        return f"Split({len(self):,} images of {'×'.join(map(str, self.images.shape[1:]))})"


@dataclass(frozen=True, eq=False, repr=False)
class Digits:
    """The three splits; `.source` is "mnist" or "embedded", `.reason` says why it is embedded."""

    train: Split
    validation: Split
    test: Split
    source: str
    reason: str = ""

    def describe(self) -> str:
        """Say which data set this is, its sizes and its source; if it is embedded, why."""
        lines = [f"Data set: {ABOUT[self.source]}.", f"Sizes: {self._sizes()}."]
        if self.source == "embedded":
            lines += [f"Why not MNIST: {self.reason}.", f"To use MNIST: {mnist.WAY_OUT}."]
        return "\n".join(lines)

    def _sizes(self):
        parts = {"training": self.train, "validation": self.validation, "test": self.test}
        return ", ".join(f"{len(split):,} {name} images" for name, split in parts.items())

    def __repr__(self):
        why = f" ({self.reason})" if self.reason else ""
        return f"Digits from {self.source}: {self._sizes()}{why}"


def load_digits(source: str = "auto", root: str | os.PathLike | None = None) -> Digits:
    """Load handwritten digits as three splits of float32 images (N, 1, 28, 28) in [0, 1].

    source: "mnist" reads MNIST, and downloads it where it is missing or damaged; "embedded" makes
    the stand-in from scikit-learn's digits, without a network; "auto" is the first that works.
    root: the folder that holds MNIST/raw. Without it: COURSE_DATA, a relative one seen from the
    working folder or from the course's folder; else data/ in the course's folder; else ./data.

    MNIST has 55,000 training, 5,000 validation (the training file's last) and 10,000 test images;
    the embedded digits 55,062, 2,000 and 4,000. Every call gives tensors of its own.

    Raises ValueError for another source; DataUnavailable, a RuntimeError, when "mnist" fails.
    """
    if source not in SOURCES:
        raise ValueError(f"source={source!r} is unknown: choose one of {', '.join(SOURCES)}")
    reason = "the embedded digits were asked for"
    if source != "embedded":
        try:
            return _digits(mnist.load(root), "mnist")
        except mnist.DataUnavailable as error:
            if source == "mnist":
                raise
            reason = error.cause
    parts = {name: (part.images, part.labels) for name, part in embedded.build().items()}
    return _digits(parts, "embedded", reason)


def _digits(parts, source, reason=""):
    splits = {name: _split(*part) for name, part in parts.items()}
    return Digits(**splits, source=source, reason=reason)


def _split(images, labels):
    """Turn uint8 images of 28×28 and labels (N,) into a Split with memory of its own."""
    images = images.to(torch.float32).div_(255).view(-1, 1, 28, 28)
    return Split(images, labels.to(torch.int64, copy=True))

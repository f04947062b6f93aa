"""Digits as MNIST frames them: what a drawing becomes, and some examples to begin with."""

import math

import numpy as np
import torch

from course_utils._arrays import real_tensor
from course_utils.data import embedded

FIELD, LONGER_SIDE = 28, 20
CENTRE_PIXEL = 14  # MNIST's own digits have their centre of mass here, or up to half a pixel off


def prepare_digit(ink):
    """Frame a drawing as MNIST does, in Python as in the browser (`ink.js`).

    The box around all ink is scaled, keeping its proportions, until its longer side is 20 pixels;
    each pixel is the average of the ink that it covers. It is laid into 28 × 28 pixels, by whole
    ones, so that its centre of mass is in the middle; where that would cut off ink, it stays at the
    edge. After LeCun, Cortes and Burges, "The MNIST database of handwritten digits".

    Args:
        ink: (H, W), or (1, H, W), or (1, 1, H, W): 0 for nothing to 1 for full ink.
    Returns:
        (28, 28), float32 in [0, 1]; all 0 where nothing is drawn.
    Raises:
        ValueError: `ink` has another shape or other numbers.
    """
    ink = as_picture("ink", ink).double()
    rows, columns = ink.sum(1).nonzero().flatten(), ink.sum(0).nonzero().flatten()
    image = torch.zeros(FIELD, FIELD)
    if not len(rows):
        return image
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    longer = max(box.shape)
    height, width = (max(1, math.floor(n * LONGER_SIDE / longer + 0.5)) for n in box.shape)
    small = _shares(box.shape[0], height) @ box @ _shares(box.shape[1], width).T
    top, left = _first(small.sum(1)), _first(small.sum(0))
    image[top : top + height, left : left + width] = small.clamp(max=1)
    return image


def _shares(length, count):
    """(count, length): how much of each of `count` cells laid over `length` small ones is which."""
    edges = torch.arange(count + 1, dtype=torch.float64) * (length / count)
    cells = torch.arange(length)
    end = torch.minimum(edges[1:, None], cells + 1)
    return (end - torch.maximum(edges[:-1, None], cells)).clamp(min=0) * (count / length)


def _first(mass):
    """Where a side begins, `mass` (n,) on it, so that its centre of mass is in the middle."""
    centre = (mass @ torch.arange(len(mass), dtype=mass.dtype) / mass.sum()).item()
    # Halves go down, as in MNIST; a hair less, so that rounding elsewhere doesn't decide them.
    first = math.ceil(CENTRE_PIXEL - 0.5 - centre - 1e-6)
    return min(max(first, 0), FIELD - len(mass))


def as_picture(name, values, shape=None):
    """(H, W), float32, checked: numbers from 0 to 1. Raises ValueError."""
    picture = real_tensor(name, values, "a tensor or an array of shape (H, W)")
    found = tuple(picture.shape)
    while picture.ndim > 2 and picture.shape[0] == 1:
        picture = picture[0]
    if picture.ndim != 2 or not picture.numel() or (shape and tuple(picture.shape) != shape):
        size = ", ".join(map(str, shape)) if shape else "H, W"
        raise ValueError(f"{name} of shape {found} is not possible: give ({size})")
    low, high = picture.min().item(), picture.max().item()
    if not (low >= 0 and high <= 1):  # so that NaN is refused as well
        divide = "; divide by 255" if not picture.is_floating_point() and high <= 255 else ""
        raise ValueError(
            f"{name} goes from {low:.4g} to {high:.4g}: give numbers from 0, black, to 1, white "
            f"ink{divide}"
        )
    return picture.to(torch.float32, copy=True)


def example_digits():
    """One handwritten digit of each kind, 0 to 9, from the embedded test images: (10, 28, 28).

    Each is the scan that is nearest to the mean of its kind.
    """
    pixels, labels = embedded.read_scans()
    generator = torch.Generator().manual_seed(embedded.SEED)
    scans = embedded.divide(labels, generator)["test"]
    images = torch.from_numpy((pixels / 16).astype(np.float32))
    kinds = [scans[labels[scans] == digit] for digit in range(10)]
    off = [(images[kind] - images[kind].mean(0)).norm(dim=(1, 2)) for kind in kinds]
    chosen = torch.stack([kind[o.argmin()] for kind, o in zip(kinds, off, strict=True)])
    # Ten scans take milliseconds; the whole data set would take a second.
    small = images[chosen, None]
    strokes, centres = embedded.redraw(small)
    moves = embedded.draw_moves(centres, generator, strength=0)
    return embedded.render(strokes, moves).float() / 255


def to_bytes(pictures):
    """What the browser gets of pictures (…, 28, 28): float32, little-endian."""
    return pictures.contiguous().numpy().astype("<f4").tobytes()


def from_bytes(data):
    """The pictures of `to_bytes`, (N, 28, 28)."""
    return torch.from_numpy(np.frombuffer(data, "<f4").astype(np.float32)).view(-1, FIELD, FIELD)

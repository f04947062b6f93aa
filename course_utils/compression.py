"""Make a network smaller: fewer bits for each number, or fewer numbers."""

import torch

__all__ = ["dequantize", "prune_mask", "quantize"]


def quantize(x, bits=8):
    """Round the numbers of `x` to one of 2^bits steps between its smallest and its largest.

    q = round(x / scale) + zero_point, with scale = (high − low) / (2^bits − 1); low and high are
    the ends of `x`, widened to 0 where 0 lies outside, so that 0 stays exactly 0. After Jacob et
    al., "Quantization and training of neural networks for efficient integer-arithmetic-only
    inference", 2018.

    Args:
        x: a float tensor of any shape. bits: 2 to 8.
    Returns:
        (q, scale, zero_point): int8 in the shape of x, from −2^(bits−1) to 2^(bits−1) − 1; a float;
        an int. Where x is 0 everywhere, scale is 1.
    Raises:
        ValueError: bits is not possible, or x is empty or holds a number that is not finite.
    """
    if bits not in range(2, 9):
        raise ValueError(f"bits={bits!r} is not possible: choose 2 to 8")
    if not x.numel() or not x.isfinite().all():
        raise ValueError("x has to hold numbers, all of them finite")
    lowest, steps = -(2 ** (bits - 1)), 2**bits - 1
    low, high = min(x.min().item(), 0.0), max(x.max().item(), 0.0)
    scale = (high - low) / steps or 1.0
    zero_point = round(lowest - low / scale)
    q = (x / scale).round() + zero_point
    return q.clamp(lowest, lowest + steps).to(torch.int8), scale, zero_point


def dequantize(q, scale, zero_point):
    """The numbers that `quantize` rounded to: scale · (q − zero_point), float32."""
    return scale * (q.float() - zero_point)


def prune_mask(weight, sparsity):
    """Which weights magnitude pruning keeps: all but the share `sparsity` with the least |weight|.

    After Han et al., "Learning both weights and connections for efficient neural networks", 2015.

    Args:
        weight: a tensor of any shape. sparsity: from 0 to 1; the number of weights to drop is
            rounded to the nearest whole number.
    Returns:
        A bool tensor in the shape of weight, False where a weight is dropped.
    Raises:
        ValueError: sparsity is not possible, or a weight is not finite.
    """
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity={sparsity!r} is not possible: give a share from 0 to 1")
    if not weight.isfinite().all():
        raise ValueError("weight has to hold numbers, all of them finite")
    order = weight.abs().flatten().argsort(stable=True)
    mask = torch.ones(weight.numel(), dtype=torch.bool)
    mask[order[: round(sparsity * weight.numel())]] = False
    return mask.view(weight.shape)

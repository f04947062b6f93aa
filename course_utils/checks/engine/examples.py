"""Tensors for the cases of the checks: the same ones each time, for each seed."""

import torch


def whole(*shape, seed, low=-4, high=10, dtype=torch.float64):
    """Small whole numbers from `low` to below `high`, so that faults can be followed by hand."""
    return torch.randint(low, high, shape, generator=_seeded(seed)).to(dtype)


def uniform(*shape, seed, dtype=torch.float64):
    """Numbers between 0 and 1."""
    return torch.rand(*shape, dtype=dtype, generator=_seeded(seed))


def normal(*shape, seed, dtype=torch.float64):
    """Normally distributed numbers, of mean 0 and variance 1."""
    return torch.randn(*shape, dtype=dtype, generator=_seeded(seed))


def _seeded(seed):
    return torch.Generator().manual_seed(seed)

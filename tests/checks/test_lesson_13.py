"""Right ways to solve the exercises of lesson 13."""

import math

import torch


def block_summed(d):
    linears = sum(n * m + m for n, m in [(d, 3 * d), (d, d), (d, 4 * d), (4 * d, d)])
    return linears + 2 * (d + d)


def gpt_in_a_loop(layers, d, vocabulary, context):
    total = vocabulary * d + context * d + d + d
    for _ in range(layers):
        total += block_summed(d)
    return total


def combined_in_loops(gradients, counts):
    total = sum(n * gradient for gradient, n in zip(gradients, counts.tolist(), strict=True))
    return total / sum(counts.tolist())


def scale_by_halving(gradients):
    scale = 2.0**60
    while not (gradients.double() * scale).to(torch.float16).isfinite().all():
        scale /= 2
    return scale


def scale_by_logarithm(gradients):
    return 2.0 ** math.floor(math.log2(65504 / gradients.abs().max().item()))


def scale_by_exponent(gradients):
    _, exponent = torch.frexp(65504 / gradients.abs().max().double())
    return torch.tensor(2.0, dtype=torch.float64) ** (exponent - 1)


RIGHT = {
    "block_parameters": [
        block_summed,
        lambda d: 12 * d * d + 13 * d,
        lambda d: torch.tensor(d * (12 * d + 13)),
        lambda d: float(12 * d**2 + 13 * d),
    ],
    "gpt_parameters": [
        gpt_in_a_loop,
        lambda layers, d, vocabulary, context: (
            d * (vocabulary + context + 2 + layers * (12 * d + 13))
        ),
        lambda layers, d, vocabulary, context: torch.tensor(
            gpt_in_a_loop(layers, d, vocabulary, context)
        ),
    ],
    "combine_gradients": [
        combined_in_loops,
        lambda gradients, counts: counts.to(gradients.dtype) @ gradients / counts.sum(),
        lambda gradients, counts: gradients.repeat_interleave(counts, dim=0).mean(0),
    ],
    "loss_scale": [scale_by_halving, scale_by_logarithm, scale_by_exponent],
}

"""The checks of lesson 09 accept every right way to count and to compare."""

import math
import statistics

import numpy as np
import pytest
import torch
from torch import nn

from course_utils import anatomy, checks, models
from course_utils.seeds import mean_interval


def built(in_channels, out_channels, kernel_size, groups=1, bias=True):
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(kernel_size) - 1]
    layer = kind(in_channels, out_channels, kernel_size, groups=groups, bias=bias)
    return sum(p.numel() for p in layer.parameters())


def in_loops(in_channels, out_channels, kernel_size, groups=1, bias=True):
    count = 0
    for _ in range(out_channels):
        for _ in range(in_channels // groups):
            cells = 1
            for side in kernel_size:
                cells *= side
            count += cells
        if bias:
            count += 1
    return count


def one_formula(in_channels, out_channels, kernel_size, groups=1, bias=True):
    return out_channels * (in_channels / groups * np.prod(kernel_size) + int(bias))


def as_tensor(in_channels, out_channels, kernel_size, groups=1, bias=True):
    weight = torch.empty(out_channels, in_channels // groups, *kernel_size)
    return torch.tensor(weight.numel() + (out_channels if bias else 0))


def stacked_built(depth, width, kernel_size=3):
    return anatomy.count_parameters(models.stacked_cnn(depth, width, kernel_size))


def stacked_in_a_loop(depth, width, kernel_size=3):
    count, channels = 0, 1
    for _ in range(depth):
        count += width * channels * kernel_size**2 + width
        channels = width
    return count + 10 * channels + 10


def stacked_formula(depth, width, kernel_size=3):
    k2 = kernel_size * kernel_size
    return width * k2 * (1 + (depth - 1) * width) + depth * width + (width + 1) * 10


def by_hand(accuracies):
    mean = sum(accuracies) / len(accuracies)
    squares = sum((a - mean) ** 2 for a in accuracies)
    t = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 10: 2.262}[len(accuracies)]
    half = t * (squares / (len(accuracies) - 1) / len(accuracies)) ** 0.5
    return mean, mean - half, mean + half


def with_torch(accuracies):
    x = torch.tensor(accuracies, dtype=torch.float64)
    t = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 10: 2.262}[len(x)]
    half = t * x.std() / len(x) ** 0.5
    return x.mean(), x.mean() - half, x.mean() + half


def with_numpy(accuracies):
    x = np.array(accuracies)
    t = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 10: 2.262}[len(x)]
    half = t * x.std(ddof=1) / np.sqrt(len(x))
    return [x.mean(), x.mean() - half, x.mean() + half]


def exact_quantile(accuracies):
    from scipy import stats

    error = statistics.stdev(accuracies) / math.sqrt(len(accuracies))
    mean = statistics.mean(accuracies)
    return mean, *stats.t.interval(0.95, len(accuracies) - 1, loc=mean, scale=error)


def he_formula(in_channels, out_channels, kernel_size, groups=1):
    return (2 * groups / (in_channels * kernel_size**2)) ** 0.5


def he_of_a_layer(in_channels, out_channels, kernel_size, groups=1):
    weight = nn.Conv2d(in_channels, out_channels, kernel_size, groups=groups).weight
    return math.sqrt(2.0 / weight[0].numel())


def he_as_tensor(in_channels, out_channels, kernel_size, groups=1):
    return torch.sqrt(torch.tensor(2 / (in_channels // groups * kernel_size * kernel_size)))


def test_the_six_layers_have_the_counts_that_the_check_expects():
    layers = [
        *(nn.Conv2d(3, 8, 5), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, groups=8)),
        *(nn.Conv2d(8, 16, 1), nn.MaxPool2d(2), nn.Linear(16 * 7 * 7, 10)),
    ]
    counts = [sum(p.numel() for p in layer.parameters()) for layer in layers]
    for answer in (counts, tuple(counts), torch.tensor(counts)):
        assert checks.parameters_by_hand(answer).passed


def test_he_std_is_the_one_that_torch_draws_with():
    layer = nn.Conv2d(64, 64, 3, groups=2)
    models.he_initialize(layer)
    reference = checks.EXERCISES["he_std"].reference
    assert layer.weight.std().item() == pytest.approx(reference(64, 64, 3, groups=2), rel=0.02)


RIGHT = {
    "conv_parameters": [built, in_loops, one_formula, as_tensor],
    "stacked_parameters": [stacked_built, stacked_in_a_loop, stacked_formula],
    "t_interval": [by_hand, with_torch, with_numpy, exact_quantile, mean_interval],
    "he_std": [he_formula, he_of_a_layer, he_as_tensor],
}

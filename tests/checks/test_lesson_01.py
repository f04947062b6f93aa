"""Right ways to solve the exercises of lesson 01."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import ops


def unfolded(x, weight, bias=None, stride=1, padding=0):
    rows = (x.shape[2] + 2 * padding - weight.shape[2]) // stride + 1
    patches = F.unfold(x, weight.shape[2:], padding=padding, stride=stride)
    output = weight.flatten(1) @ patches
    output = output if bias is None else output + bias[:, None]
    return output.reshape(x.shape[0], weight.shape[0], rows, -1)


def with_einsum(x, weight, bias=None, stride=1, padding=0):
    x = F.pad(x, (padding,) * 4)
    windows = x.unfold(2, weight.shape[2], stride).unfold(3, weight.shape[3], stride)
    output = torch.einsum("nchwij,ocij->nohw", windows, weight)
    return output if bias is None else output + bias[:, None, None]


def plane_in_loops(x, weight):
    k, m = weight.shape
    rows, columns = (n - s + 1 for n, s in zip(x.shape, weight.shape, strict=True))
    cells = [
        [(x[i : i + k, j : j + m] * weight).sum() for j in range(columns)] for i in range(rows)
    ]
    return torch.tensor(cells, dtype=x.dtype)


def plane_of_shifts(x, weight):
    rows, columns = (n - s + 1 for n, s in zip(x.shape, weight.shape, strict=True))
    total = 0
    for i, row in enumerate(weight):
        for j, number in enumerate(row):
            total = total + number * x[i : i + rows, j : j + columns]
    return total


def plane_unfolded(x, weight):
    windows = x.unfold(0, weight.shape[0], 1).unfold(1, weight.shape[1], 1)
    return torch.einsum("hwkm,km->hw", windows, weight)


def size_counted(size, kernel_size, stride=1, padding=0, dilation=1):
    span = dilation * (kernel_size - 1) + 1
    return sum(1 for _ in range(0, size + 2 * padding - span + 1, stride))


def size_floored(size, kernel_size, stride=1, padding=0, dilation=1):
    return math.floor((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1)


def size_of_torch(size, kernel_size, stride=1, padding=0, dilation=1):
    layer = nn.Conv1d(1, 1, kernel_size, stride=stride, padding=padding, dilation=dilation)
    return torch.tensor(layer(torch.zeros(1, 1, size)).shape[-1])


RIGHT = {
    "conv2d": [unfolded, with_einsum, F.conv2d, ops.conv2d, ops.conv2d_im2col],
    "conv2d_plane": [plane_in_loops, plane_of_shifts, plane_unfolded],
    "output_size": [size_counted, size_floored, size_of_torch],
    "edge_kernel": [
        [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
        torch.tensor([[0.0, -1, 0], [0, 0, 0], [0, 1, 0]]),
        np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])[::-1],
    ],
}

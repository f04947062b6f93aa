"""The checks of lesson 03 accept every right way to write it."""

import torch
import torch.nn.functional as F

from course_utils import checks, ops


def columns_in_loops(x, kernel_size):
    k_h, k_w = kernel_size
    columns = []
    for i in range(x.shape[1] - k_h + 1):
        for j in range(x.shape[2] - k_w + 1):
            column = []
            for channel in x:
                for row in channel[i : i + k_h, j : j + k_w]:
                    column.extend(row.tolist())
            columns.append(column)
    return torch.tensor(columns, dtype=x.dtype).T


def columns_by_unfold(x, kernel_size):
    windows = x.unfold(1, kernel_size[0], 1).unfold(2, kernel_size[1], 1)
    return windows.permute(0, 3, 4, 1, 2).reshape(x.shape[0] * kernel_size[0] * kernel_size[1], -1)


def columns_by_index(x, kernel_size):
    h, w = x.shape[1] - kernel_size[0] + 1, x.shape[2] - kernel_size[1] + 1
    rows = torch.arange(kernel_size[0])[:, None] + torch.arange(h)
    cols = torch.arange(kernel_size[1])[:, None] + torch.arange(w)
    return x[:, rows[:, None, :, None], cols[None, :, None, :]].flatten(3).flatten(0, 2)


def macs_in_loops(x_shape, weight_shape, stride=1, padding=0):
    total, rows, cols = 0, x_shape[2] + 2 * padding, x_shape[3] + 2 * padding
    for _ in range(0, rows - weight_shape[2] + 1, stride):
        for _ in range(0, cols - weight_shape[3] + 1, stride):
            total += x_shape[0] * weight_shape[0] * weight_shape[1]
    return total * weight_shape[2] * weight_shape[3]


def macs_from_the_output(x_shape, weight_shape, stride=1, padding=0):
    weight = torch.zeros(weight_shape)
    return F.conv2d(torch.zeros(x_shape), weight, None, stride, padding).numel() * weight[0].numel()


def macs_as_a_float(x_shape, weight_shape, stride=1, padding=0):
    places = 1.0
    for n, k in zip(x_shape[2:], weight_shape[2:], strict=True):
        places *= ops.output_size(n, k, stride, padding) * k
    return x_shape[0] * places * weight_shape[0] * weight_shape[1]


def mixed_in_loops(x, weight):
    out = x.new_zeros(x.shape[0], weight.shape[0], *x.shape[2:])
    for o in range(weight.shape[0]):
        for c in range(weight.shape[1]):
            out[:, o] += weight[o, c] * x[:, c]
    return out


def gathered(x, weight, stride=1):
    rows = (x.shape[0] - 1) * stride + weight.shape[0]
    cols = (x.shape[1] - 1) * stride + weight.shape[1]
    out = torch.zeros(rows, cols, dtype=x.dtype)
    for k in range(weight.shape[0]):
        for m in range(weight.shape[1]):
            h, w = (x.shape[0] - 1) * stride + 1, (x.shape[1] - 1) * stride + 1
            out[k : k + h : stride, m : m + w : stride] += weight[k, m] * x
    return out


def by_gradient(x, weight, stride=1):
    rows = (x.shape[0] - 1) * stride + weight.shape[0]
    cols = (x.shape[1] - 1) * stride + weight.shape[1]
    start = torch.zeros(1, 1, rows, cols, dtype=x.dtype, requires_grad=True)
    output = F.conv2d(start, weight[None, None], stride=stride)
    return torch.autograd.grad(output, start, x[None, None])[0][0, 0]


def test_lists_are_as_good_as_tuples_for_shapes():
    right = [[8, 1, 5, 5], [32, 8, 3, 7], [64, 40, 9], [16, 3, 3, 3, 3]]
    assert checks.weight_shapes(right).passed
    assert checks.weight_shapes([torch.Size(shape) for shape in right]).passed


RIGHT = {
    "im2col": [columns_in_loops, columns_by_unfold, columns_by_index],
    "conv2d_macs": [macs_in_loops, macs_from_the_output, macs_as_a_float],
    "pointwise": [
        mixed_in_loops,
        lambda x, weight: torch.einsum("oc,nchw->nohw", weight, x),
        lambda x, weight: F.linear(x.permute(0, 2, 3, 1), weight).permute(0, 3, 1, 2),
        lambda x, weight: F.conv2d(x, weight[:, :, None, None]),
        lambda x, weight: torch.tensordot(weight, x, ([1], [1])).transpose(0, 1),
    ],
    "transposed_plane": [
        gathered,
        by_gradient,
        lambda x, weight, stride=1: ops.conv_transpose2d(
            x[None, None], weight[None, None], stride=stride
        )[0, 0],
    ],
}

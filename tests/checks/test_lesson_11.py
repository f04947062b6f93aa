"""The checks of lesson 11 accept every right way to write an answer."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def shape_in_a_loop(shape, out_channels, kernel_size, stride=1, padding=0):
    result = [shape[0], out_channels]
    for size in shape[2:]:
        places = 0
        while places * stride + kernel_size <= size + 2 * padding:
            places += 1
        result.append(places)
    return tuple(result)


def shape_asked_of_torch(shape, out_channels, kernel_size, stride=1, padding=0):
    layer = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(shape) - 3]
    return layer(shape[1], out_channels, kernel_size, stride, padding)(torch.zeros(shape)).shape


def shape_as_a_list(shape, out_channels, kernel_size, stride=1, padding=0):
    sizes = torch.tensor(shape[2:])
    sizes = (sizes + 2 * padding - kernel_size).div(stride, rounding_mode="floor") + 1
    return [shape[0], out_channels, *sizes.tolist()]


def fires_in_a_loop(x, weight):
    best, place = -math.inf, None
    for start in range(x.shape[1] - weight.shape[1] + 1):
        answer = 0.0
        for channel in range(len(x)):
            for k in range(weight.shape[1]):
                answer += float(x[channel, start + k] * weight[channel, k])
        if answer > best:
            best, place = answer, start
    return place


def fires_unfolded(x, weight):
    return (x.unfold(1, weight.shape[1], 1) * weight[:, None]).sum((0, 2)).argmax()


def fires_in_double(x, weight):
    return int(F.conv1d(x.double(), weight.double()[None]).flatten().topk(1).indices)


def power_in_a_loop(x, frequency, rate):
    cosine = sine = 0.0
    for n, sample in enumerate(x.tolist()):
        cosine += sample * math.cos(2 * math.pi * frequency * n / rate)
        sine += sample * math.sin(2 * math.pi * frequency * n / rate)
    return cosine**2 + sine**2


def power_as_a_complex_sum(x, frequency, rate):
    turns = torch.exp(-2j * math.pi * frequency / rate * torch.arange(len(x)))
    return (x * turns).sum().abs() ** 2


def power_by_goertzel(x, frequency, rate):
    turn, before, last = 2 * math.cos(2 * math.pi * frequency / rate), 0.0, 0.0
    for sample in x.tolist():
        before, last = last, sample + turn * last - before
    return last**2 + before**2 - turn * last * before


def power_by_convolution(x, frequency, rate):
    angle = 2 * torch.pi * frequency / rate * torch.arange(len(x), dtype=x.dtype)
    kernels = torch.stack([angle.cos(), angle.sin()])[:, None]
    return F.conv1d(x[None, None], kernels).square().sum()


RIGHT = {
    "conv_shape": [shape_in_a_loop, shape_asked_of_torch, shape_as_a_list],
    "fires_at": [fires_in_a_loop, fires_unfolded, fires_in_double],
    "tone_power": [
        power_in_a_loop,
        power_as_a_complex_sum,
        power_by_goertzel,
        power_by_convolution,
    ],
    "conv1d_by_hand": [kind([1, 4, 3, 1]) for kind in (list, tuple, torch.tensor)],
    "film_by_hand": [
        kind([[0, 0, 0, 2, -3], [0, 0, 2, -3, 1]]) for kind in (list, tuple, torch.tensor)
    ],
}

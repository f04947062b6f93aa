"""A convolution in one direction, for the exercises of lesson 11."""

import torch.nn.functional as F


def _conv1d(x, weight, **options):
    return F.conv1d(x[None], weight[None], **options)[0, 0]


def _each_channel(x, weight):
    return F.conv1d(x[None], weight[:, None], groups=len(x))[0]

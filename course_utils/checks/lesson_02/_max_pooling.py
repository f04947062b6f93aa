"""What the exercises of lesson 02 share: max pooling as torch does it."""

import torch.nn.functional as F


def _max(x, kernel_size, stride=None, padding=0):
    return F.max_pool2d(x, kernel_size, stride, padding)

"""How many parameters a convolution has."""

import math


def _conv(in_channels, out_channels, kernel_size, groups=1, bias=True):
    weights = out_channels * in_channels // groups * math.prod(kernel_size)
    return weights + out_channels * bias

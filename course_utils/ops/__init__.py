"""Convolution and pooling as torch computes them, in code that can be read: see `reference`."""

from .geometry import output_size
from .reference import (
    avg_pool2d,
    conv2d,
    conv2d_backward,
    conv2d_im2col,
    conv_transpose2d,
    max_pool2d,
    max_pool2d_backward,
)

__all__ = [
    "avg_pool2d",
    "conv2d",
    "conv2d_backward",
    "conv2d_im2col",
    "conv_transpose2d",
    "max_pool2d",
    "max_pool2d_backward",
    "output_size",
]

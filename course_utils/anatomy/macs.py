"""How many multiply-accumulate operations the layers cost that consist of sums of products."""

import math

from torch import nn

from .layers import CONVOLUTIONS, TRANSPOSED


def macs_of(layer, args, kwargs, out):
    """MACs of one call `layer(*args, **kwargs)` that gave the tensor `out`; biases not counted."""
    if isinstance(layer, CONVOLUTIONS):
        return out.numel() * layer.in_channels // layer.groups * math.prod(layer.kernel_size)
    if isinstance(layer, TRANSPOSED):
        came_in = args[0] if args else kwargs["input"]
        return came_in.numel() * layer.out_channels // layer.groups * math.prod(layer.kernel_size)
    if isinstance(layer, nn.MultiheadAttention):
        given = dict(zip(("query", "key"), args, strict=False)) | kwargs
        return _of_attention(layer, given["query"], given["key"])
    return out.numel() * layer.in_features if isinstance(layer, nn.Linear) else 0


def _of_attention(layer, query, key):
    """Four products with matrices of weights, and two that compare and mix the tokens.

    For N sequences of L tokens with E features that attend to themselves that is
    N · (4·L·E² + 2·L²·E), whatever the number of heads: Vaswani et al., "Attention is all you
    need", 2017, section 3.2.
    """
    features = layer.embed_dim
    queries, keys = query.numel() // features, key.numel() // layer.kdim  # tokens of all sequences
    sequences = 1 if query.ndim == 2 else query.shape[0 if layer.batch_first else 1]
    compared = keys // sequences + (layer.bias_k is not None) + bool(layer.add_zero_attn)
    projections = 2 * queries * features**2 + keys * features * (layer.kdim + layer.vdim)
    return projections + 2 * queries * compared * features

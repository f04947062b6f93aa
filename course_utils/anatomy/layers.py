"""The kinds of layers that count, and the layers of a network that run as one."""

from torch import nn

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
POOLS = (
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d),
    *(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
)
ADAPTIVE = (
    *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
    *(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


_WHOLE = (*CONVOLUTIONS, *TRANSPOSED, nn.Linear, nn.MultiheadAttention)


def leaves(model):
    """Layers that run as one: without children, or of a kind that has its parts for itself.

    Attention calls them unseen; a convolution has some where its weight is computed from another.
    """
    whole = [m for m in model.modules() if isinstance(m, _WHOLE)]
    inside = {part for m in whole for part in m.modules() if part is not m}
    return {
        name: m
        for name, m in model.named_modules()
        if m not in inside and (m in whole or next(m.children(), None) is None)
    }


def dimensions(layer):
    """Along how many axes a convolution or pool moves."""
    kinds = (*CONVOLUTIONS, *TRANSPOSED, *POOLS, *ADAPTIVE)
    return next(int(kind.__name__[-2]) for kind in kinds if isinstance(layer, kind))

"""Random stacks of layers for the tests of `ShapeBuilder`: most fit together, some do not."""

import random

import torch

from course_utils.widgets.shape_builder.catalogue import check_layers
from course_utils.widgets.shape_builder.mismatch import find_mismatch
from course_utils.widgets.shape_builder.modules import make


def random_stack(seed):
    """`(layers, input_size)` as JSON has them; what is left out has its default."""
    draw = random.Random(seed)
    wild = draw.random() < 0.4  # may ask for what cannot be
    size = draw.choice([(1, 28, 28), (3, 17, 12), (2, 9, 20), (4, 6, 6), (5, 1, 3), (12,)])
    shape, layers = list(size), []
    for _ in range(draw.randint(0, 7)):
        kind = draw.choice(IMAGE if len(shape) == 3 or draw.random() < 0.04 else FEATURES)
        layer = {"type": kind, "options": _options(draw, kind, shape, wild)}
        if draw.random() < 0.2:
            layer["name"] = f"{draw.choice('abc')}{len(layers)}"
        layers.append(layer)
        shape = _guess(layer, shape)
    return layers, list(size)


IMAGE = [
    *(["Conv2d"] * 6 + ["ConvTranspose2d"] * 3 + ["MaxPool2d"] * 3 + ["AvgPool2d"] * 3),
    *("AdaptiveAvgPool2d", "BatchNorm2d", "ReLU", "LeakyReLU", "GELU", "Sigmoid", "Tanh"),
    *("Softmax", "Dropout", "Dropout2d", "Identity", "Flatten", "Flatten", "Linear", "BatchNorm1d"),
]
FEATURES = [
    *(["Linear"] * 4 + ["BatchNorm1d"] * 2 + ["ReLU", "LeakyReLU", "GELU", "Sigmoid", "Tanh"]),
    *("Softmax", "Dropout", "Identity", "Flatten"),
]


def _options(draw, kind, shape, wild):
    off = wild and draw.random() < 0.2
    count = shape[0] + (draw.randint(1, 3) if off else 0)

    def pair(low, high):
        one, two = draw.randint(low, high), draw.randint(low, high)
        return one if draw.random() < 0.6 else [one, two]

    if kind in ("Conv2d", "ConvTranspose2d"):
        groups = draw.choice([1, 1, 1, count, 2]) if count % 2 == 0 or wild else 1
        out = groups * draw.randint(1, 3) if not wild or draw.random() < 0.8 else 5
        options = {"in_channels": count, "out_channels": out, "kernel_size": pair(1, 4)}
        options |= {"stride": pair(1, 3), "padding": pair(0, 2), "dilation": pair(1, 2)}
        options |= {"groups": groups, "bias": draw.random() < 0.7}
        if kind == "Conv2d" and draw.random() < 0.15:
            options |= {"padding": "same", "stride": pair(1, 2) if off else 1}
        if kind == "ConvTranspose2d":
            options["output_padding"] = pair(0, 2 if wild else 0)
    elif kind in ("MaxPool2d", "AvgPool2d"):
        options = {"kernel_size": pair(1, 4), "ceil_mode": draw.random() < 0.5}
        options["padding"] = pair(0, 2) if wild else 0
        if draw.random() < 0.6:
            options["stride"] = pair(1, 3)
        if kind == "MaxPool2d":
            options["dilation"] = pair(1, 3)
        else:
            options["count_include_pad"] = draw.random() < 0.5
    elif kind == "Linear":
        last = shape[-1] + (draw.randint(1, 3) if off else 0)
        options = {"in_features": last, "out_features": draw.randint(1, 9)}
        options["bias"] = draw.random() < 0.7
    elif kind in ("BatchNorm1d", "BatchNorm2d"):
        options = {"num_features": count, "affine": draw.random() < 0.7}
        options |= {"eps": draw.choice([1e-5, 0.001]), "momentum": draw.choice([0.1, 0.25])}
    elif kind == "Softmax":
        options = {"dim": draw.choice([1, -1, 0, *([3, -3] if wild else [])])}
    elif kind == "AdaptiveAvgPool2d":
        options = {"output_size": pair(1, 5)}
    elif kind in ("Dropout", "Dropout2d"):
        options = {"p": draw.choice([0, 0.5, 0.25, 1])}
    elif kind == "LeakyReLU":
        options = {"negative_slope": draw.choice([0.01, -0.2, 2]), "inplace": True}
    else:
        options = {}
    return options


def _guess(layer, shape):
    """What comes out, so that the next layer may fit; for a layer that does not, what came in."""
    (layer,) = check_layers([{**layer, "name": None}])
    if find_mismatch([layer], [tuple(shape)], 0):
        return shape
    return list(make(layer).eval()(torch.zeros(1, *shape)).shape[1:])

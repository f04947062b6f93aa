"""What passes through a stack of layers: the shapes, up to the first layer that does not fit.

torch computes them, on the meta device, where a tensor has a shape and no numbers.
`shapes.js` computes the same in the browser.
"""

import copy
import math
import warnings
from collections import OrderedDict

import torch
from torch import nn

from course_utils.anatomy import Summary, summarize
from course_utils.widgets.shape_builder.mismatch import find_mismatch, find_too_large
from course_utils.widgets.shape_builder.modules import make, names_of

# Operations up to which a stack is really run: a moment's work, while torch takes seconds to get
# its meta device ready for all of the layers.
_CHEAP = 3e7
_RESHAPING = ("Conv2d", "ConvTranspose2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "Flatten")


def follow(layers, input_size):
    """`(summary, mismatch)`: the anatomy of the layers that work, and the one that does not.

    As `anatomy.summarize` has it, shapes have a batch of one in front.
    """
    shapes, modules, mismatch = [tuple(input_size)], [], None
    cost = math.prod(input_size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's advice is for those who run the network
        for index, layer in enumerate(layers):
            mismatch = find_mismatch(layers, shapes, index)
            if mismatch is None:
                with torch.device("meta"):
                    module = make(layer).eval()
                shape = _shape_after(layer, module, shapes[-1])
                mismatch = find_too_large(layers, shape, index)
            if mismatch is not None:
                break
            modules.append(module)
            cost += _cost(module, shapes[-1], shape)
            shapes.append(shape)
        if not modules:
            return Summary((), (1, *input_size), 0, 0, 0), mismatch
        model = nn.Sequential(OrderedDict(zip(names_of(layers), modules, strict=False)))
        device = "cpu" if cost <= _CHEAP else "meta"
        with torch.device(device):
            return summarize(model.to_empty(device=device), (1, *input_size)), mismatch


def _shape_after(layer, module, came_in):
    if layer["type"] in _RESHAPING:
        with torch.device("meta"), torch.no_grad():
            return tuple(module(torch.empty(1, *came_in)).shape[1:])
    return (*came_in[:-1], module.out_features) if layer["type"] == "Linear" else came_in


def _cost(module, came_in, shape):
    """About how many operations a layer takes, its weights counted as well."""
    cells = max(math.prod(came_in), math.prod(shape))
    weights = sum(p.numel() for p in module.parameters())
    kernel = getattr(module, "weight", None)
    return weights + cells * (kernel[0].numel() if kernel is not None and kernel.ndim > 1 else 1)


def mend(layers, mismatch):
    """A new list of layers, in which the mend of `mismatch` is done."""
    layers, index, value = copy.deepcopy(layers), mismatch.index, mismatch.value
    if mismatch.action == "set":
        layers[index]["options"][mismatch.option] = value
    elif mismatch.action == "insert":
        layers.insert(index, {"type": "Flatten", "options": {}})
    elif mismatch.action == "move":
        layers.insert(index, layers.pop(value))
    elif mismatch.action == "replace":
        layers[index]["type"] = value
    else:
        del layers[index]
    return layers

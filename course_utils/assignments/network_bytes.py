"""A network as bytes that hold nothing but a plan of layers and float32 numbers.

`unpack` makes every layer anew by torch.nn's own constructors, from options that are plain numbers,
and then fills in the weights. So nothing that a sender attaches to a layer can arrive: no code, no
hook, no replaced `forward`, no tensor besides those the layer has by itself. The bytes are a line
of JSON and then the numbers, so that no unpickler, not even a careful one, has to read them.
"""

import json
import math
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

_CONVOLUTION = "in_channels out_channels kernel_size stride padding dilation groups bias"
_POOLING = "kernel_size stride padding ceil_mode"
LAYERS = {  # the layers that a network may have, each with the options that it is made from
    "Conv2d": f"{_CONVOLUTION} padding_mode",
    "Linear": "in_features out_features bias",
    "BatchNorm1d": "num_features eps momentum",
    "BatchNorm2d": "num_features eps momentum",
    "GroupNorm": "num_groups num_channels eps affine",
    "MaxPool2d": f"{_POOLING} dilation",
    "AvgPool2d": f"{_POOLING} count_include_pad",
    "AdaptiveAvgPool2d": "output_size",
    "AdaptiveMaxPool2d": "output_size",
    "Flatten": "start_dim end_dim",
    "PixelUnshuffle": "downscale_factor",
    "ChannelShuffle": "groups",
    "ZeroPad2d": "padding",
    "Dropout": "p",
    "Dropout2d": "p",
    "Identity": "",
    "ReLU": "",
    "ReLU6": "",
    "LeakyReLU": "negative_slope",
    "PReLU": "num_parameters",
    "ELU": "alpha",
    "GELU": "approximate",
    "SiLU": "",
    "Mish": "",
    "Hardswish": "",
    "Tanh": "",
    "Sigmoid": "",
}
LARGEST = 8_000_000  # bytes
_MOST_LAYERS, _DEEPEST, _LARGEST_OPTION = 200, 8, 1_000_000
_COUNTER = "num_batches_tracked"  # counts steps; no answer depends on it
_MAY_DIFFER = {
    "training",
    "inplace",
    "init",
    "_parameters",
    "_buffers",
    "_modules",
}


class Refused(ValueError):
    """A network that cannot be copied; the message is a sentence that says why."""


def pack(network):
    """A network as bytes, for `unpack`.

    network: an nn.Sequential of the layers in `LAYERS`; others of these may be nested in it.
    Returns: bytes. Raises: Refused, with a sentence that names the layer and what is wrong.
    """
    if type(network) is not nn.Sequential:
        raise Refused(f"The network is {_kind(network)}; it has to be an nn.Sequential.")
    tensors, memory = [], {}
    plan = _plan_of(network, "", tensors, memory, 0)
    size = sum(tensor.numel() for tensor in tensors)
    if 4 * size > LARGEST // 2:
        raise Refused(f"The network has {size:,} numbers, far too many.")
    values = [tensor.detach().cpu().contiguous().numpy() for tensor in tensors]
    return b"\n".join(
        [json.dumps(plan).encode(), b"".join(v.astype("<f4").tobytes() for v in values)]
    )


def unpack(data):
    """The network that `pack` made into bytes, with new layers, in eval mode.

    data: bytes from anywhere. Returns: nn.Sequential. Raises: Refused, with a sentence.
    """
    if not isinstance(data, bytes) or len(data) > LARGEST:
        raise Refused(f"A packed network is at most {LARGEST:,} bytes, and nothing else.")
    head, _, values = data.partition(b"\n")
    try:
        plan = json.loads(head)
    except (ValueError, RecursionError):
        raise Refused("These bytes are no packed network.") from None
    if not _is_pair(plan) or plan[0] != "Sequential":
        raise Refused("These bytes are no packed network.")
    with torch.device("meta"):  # shapes without memory, until it is known that they are small
        network = _built(plan, [0], 0)
    places = [t for m in network.modules() for t in _tensors_of(m).values()]
    if 4 * sum(place.numel() for place in places) != len(values):
        raise Refused("The packed network has more or fewer numbers than its layers.")
    network.to_empty(device="cpu")
    numbers = torch.from_numpy(np.frombuffer(values, dtype="<f4").astype(np.float32))
    if not numbers.isfinite().all():
        raise Refused("Some of the network's numbers are NaN or infinite.")
    places = [t for m in network.modules() for t in _tensors_of(m).values()]
    with torch.no_grad():
        for place, part in zip(places, numbers.split([p.numel() for p in places]), strict=True):
            place.copy_(part.view(place.shape))
        for name, buffer in network.named_buffers():
            if name.endswith(_COUNTER):
                buffer.zero_()
    return network.eval()


# ---- from a network to its plan -----------------------------------------------------------------


def _plan_of(layer, path, tensors, memory, depth):
    """A layer as [its name, its options or its layers]; its tensors are added to `tensors`."""
    kind, where = type(layer).__name__, f"Layer {path}" if path else "The network"
    if type(layer) is nn.Sequential:
        if depth > _DEEPEST:
            raise Refused(f"{where} is nested too deep: at most {_DEEPEST} times.")
        _refuse_extras(layer, nn.Sequential(), where)
        inside = []
        for name, part in layer._modules.items():
            below = f"{path}.{name}" if path else name
            inside.append([name, _plan_of(part, below, tensors, memory, depth + 1)])
        return [kind, inside]
    if kind not in LAYERS or type(layer) is not getattr(nn, kind):
        raise Refused(f"{where} is {_kind(layer)}, which is not on the list of layers.")
    options = {name: _option_of(layer, name) for name in LAYERS[kind].split()}
    where = f"{where} ({kind})"
    with torch.device("meta"):
        fresh = _made(kind, options, where)
    _refuse_extras(layer, fresh, where)
    for name, place in _tensors_of(fresh).items():
        _refuse_tensor(getattr(layer, name), place, f"The {name} of layer {path} ({kind})", memory)
        tensors.append(getattr(layer, name))
    return [kind, options]


def _option_of(layer, name):
    value = getattr(layer, name, None)
    if name == "bias":
        return value is not None
    return list(value) if isinstance(value, tuple) else value


def _refuse_extras(layer, fresh, where):
    """Refuse a layer that has, knows or does anything that a new one does not."""
    expected = vars(fresh)
    for name, value in vars(layer).items():
        if name not in expected and name not in _MAY_DIFFER:
            raise Refused(f"{where} has `{name}`, which such a layer does not have by itself.")
        if name in _MAY_DIFFER:
            continue
        if "hook" in name and value:
            raise Refused(f"{where} has a hook: a function that is called beside the layer.")
        if type(value) is not type(expected[name]) or value != expected[name]:
            raise Refused(f"{where}: {name}={_short(value)} is not possible here.")
    for group in ("_parameters", "_buffers"):
        mine = {name for name, t in getattr(layer, group).items() if t is not None}
        usual = {name for name, t in getattr(fresh, group).items() if t is not None}
        if mine != usual:
            names = ", ".join(sorted(mine ^ usual))
            raise Refused(f"{where}: the tensors differ from those of such a layer: {names}.")
    if type(fresh) is not nn.Sequential and layer._modules:
        raise Refused(f"{where} has layers inside: {', '.join(layer._modules)}.")


def _refuse_tensor(tensor, place, where, memory):
    """Refuse a tensor that is not a plain one of its own, of finite float32 numbers."""
    plain = type(tensor) in (nn.Parameter, torch.Tensor) and tensor.layout == torch.strided
    if not plain or tensor.is_quantized or tensor.is_meta:
        raise Refused(f"{where} is not a plain tensor.")
    if tensor.shape != place.shape:
        shapes = f"{tuple(tensor.shape)}; it should be {tuple(place.shape)}"
        raise Refused(f"{where} has the shape {shapes}.")
    if tensor.dtype != torch.float32:
        raise Refused(f"{where} is {tensor.dtype}; it has to be torch.float32.")
    if not tensor.isfinite().all():
        raise Refused(f"{where} holds NaN or infinite numbers.")
    other = memory.setdefault(tensor.untyped_storage().data_ptr(), where)
    if other is not where:
        raise Refused(f"{where} is also t{other[1:]}. Make a layer for each place.")


# ---- from a plan to a network -------------------------------------------------------------------


def _built(plan, made, depth):
    """The layers of a plan, with weights yet to be filled in."""
    if not _is_pair(plan) or not isinstance(plan[0], str) or depth > _DEEPEST + 1:
        raise Refused("The packed network's plan makes no sense.")
    kind, inside = plan
    made[0] += 1
    if made[0] > _MOST_LAYERS:
        raise Refused(f"The network has more than {_MOST_LAYERS} layers.")
    if kind == "Sequential":
        if not isinstance(inside, list) or not all(
            _is_pair(part) and isinstance(part[0], str) and len(part[0]) <= 60 for part in inside
        ):
            raise Refused("The packed network's plan makes no sense.")
        layers = OrderedDict((name, _built(part, made, depth + 1)) for name, part in inside)
        return _called(nn.Sequential, "the network", layers)
    if kind not in LAYERS or not isinstance(inside, dict) or set(inside) != {*LAYERS[kind].split()}:
        raise Refused(f"{kind[:40]!r} with these options is not on the list of layers.")
    return _made(kind, inside, f"a layer ({kind})")


def _made(kind, options, where):
    """A new layer. Raises: Refused, for options that are not plain, small, or possible."""
    for name, value in options.items():
        if not all(
            map(_is_plain, value if isinstance(value, list) and len(value) <= 4 else [value])
        ):
            raise Refused(f"{where}: {name}={_short(value)} is not possible here.")
    tuples = {n: tuple(v) if isinstance(v, list) else v for n, v in options.items()}
    return _called(getattr(nn, kind), where, **tuples)


def _called(constructor, where, *args, **options):
    try:
        return constructor(*args, **options)
    except (
        TypeError,
        ValueError,
        RuntimeError,
        KeyError,
        ArithmeticError,
        AssertionError,
    ) as error:
        raise Refused(f"{where} cannot be made: {str(error).rstrip('.')}.") from None


def _is_plain(value):
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) <= _LARGEST_OPTION
    return value is None or (isinstance(value, str) and len(value) <= 20)


def _is_pair(value):
    return isinstance(value, list) and len(value) == 2


def _tensors_of(layer):
    """A layer's own tensors by name: its parameters, and a batch norm's mean and variance."""
    own = {**layer._parameters, **layer._buffers}
    return {name: t for name, t in own.items() if t is not None and name != _COUNTER}


def _short(value):
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _kind(value):
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"

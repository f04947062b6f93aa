"""A trained network as data: what its layers are, and all their weights in one string of bytes.

The browser computes from exactly these two (`network.js`), and so does `run` here.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from course_utils import anatomy

LARGEST = 4_000_000  # numbers: 16 MB, what a notebook still sends and stores without pain
SUPPORTED = (
    "nn.Sequential, also nested, of Conv2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, BatchNorm2d, "
    "BatchNorm1d, ReLU, LeakyReLU, GELU, SiLU, Tanh, Sigmoid, Flatten, Linear, Dropout, Identity, "
    "and Softmax or LogSoftmax at the end"
)
WAY_OUT = "or pass predict=model in place of the model: then Python answers, without feature maps"
ACTIVATIONS = ("relu", "leaky_relu", "gelu", "gelu_tanh", "silu", "tanh", "sigmoid")
_IDLE = (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d)  # outside training they do nothing
_AT_THE_END = (nn.Softmax, nn.LogSoftmax)


def network_description(model, input_size=(1, 28, 28)):
    """Describe `model` so that a browser can run it.

    Args:
        model: an nn.Sequential, of nn.Sequential too, on any device. It counts as in eval mode.
        input_size: (C, H, W) of one image.
    Returns:
        (description, weights). `description` is ready for JSON: "input", the size (C, H, W), and
        "layers", each with its "name", "kind", "shape" (C, H, W) or (n,) of the output, options as
        in torch, and for layers with weights where "weight" and "bias" start in `weights`: float32,
        little-endian. Layers that do nothing in eval mode are left out. Batch norm is its scale
        γ / √(σ² + ε) and shift β − μ·scale. So is a Softmax or LogSoftmax at the end: softmax of
        what comes before it gives the probabilities in every case.
    Raises:
        ValueError: a layer that the browser does not know, or an input that does not fit.
    """
    layers, tensors, start = [], [], 0
    chain = list(_chain(model))
    drops = (*_IDLE, *_AT_THE_END)
    while chain and type(chain[-1][1]) in drops:
        name, last = chain.pop()
        if type(last) in _AT_THE_END:  # before it, a log-softmax changes nothing; a softmax does
            drops = (*_IDLE, nn.LogSoftmax)
        if type(last) in _AT_THE_END and last.dim not in (None, 1, -1):
            raise ValueError(
                f"layer {name!r} is {last}: over dimension {last.dim} it compares the images of a "
                "batch, not the classes; use dim=1"
            )
    for name, layer in chain:
        if type(layer) in _IDLE:
            continue
        options, weights = _describe(name, layer)
        for key, tensor in zip(("weight", "bias"), weights, strict=False):
            options[key] = start
            start += tensor.numel()
        tensors += weights
        layers.append({"name": name, **options})
    if start > LARGEST:
        raise ValueError(
            f"the network has {start:,} numbers, and a browser gets at most {LARGEST:,}: take a "
            f"smaller one, {WAY_OUT}"
        )
    flat = torch.cat([torch.empty(0), *[t.flatten() for t in tensors]])
    description = {"input": list(input_size), "layers": layers}
    _add_shapes(description, flat, model)
    return description, flat.numpy().astype("<f4").tobytes()


def read_weights(weights):
    """The bytes of `network_description` as a tensor (n,)."""
    # torch refuses to read nothing.
    return torch.frombuffer(bytearray(weights), dtype=torch.float32) if weights else torch.empty(0)


def run(description, weights, x, after=None):
    """Run the network that `network_description` describes.

    Args:
        weights: (n,), from `read_weights`. x: (1, C, H, W), or with `after`, the name of a layer,
            what comes out of that layer, (1, …).
    Returns:
        The output of every layer by its name, (1, …), in the order in which they ran.
    """
    outputs, layers = {}, description["layers"]
    if after is not None:
        layers = layers[[layer["name"] for layer in layers].index(after) + 1 :]
    for layer in layers:
        x = _RUN[layer["kind"]](x, layer, weights)
        outputs[layer["name"]] = x
    return outputs


def grad_cam(description, weights, x, layer, digit):
    """Where the maps of `layer` speak for the class `digit`: (H, W), the largest value is 1.

    ReLU(Σ_k α_k A_k), where α_k is the mean of dy/dA_k over map A_k, and y the score before
    softmax: Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
    localization", 2017. All 0 where nothing speaks for the class.
    """
    with torch.enable_grad():
        maps = run(description, weights, x)[layer].detach().requires_grad_()
        after = run(description, weights, maps, after=layer)
        scores = list(after.values())[-1] if after else maps
        (gradient,) = torch.autograd.grad(scores.flatten()[digit], maps)
    seen = (gradient.mean((2, 3), keepdim=True) * maps.detach()).sum(1)[0].relu()
    return seen / seen.max() if seen.max() > 0 else seen


def _chain(model, prefix=""):
    """The layers in the order in which they run, each with its name; one used twice comes twice."""
    if not isinstance(model, nn.Sequential) or type(model).forward is not nn.Sequential.forward:
        which = f"layer {prefix[:-1]!r}" if prefix else "model"
        raise ValueError(
            f"{which} is a {type(model).__name__}: what runs in the browser is {SUPPORTED}. "
            f"Build it of these, {WAY_OUT}"
        )
    for name, layer in model._modules.items():
        if isinstance(layer, nn.Sequential):
            yield from _chain(layer, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", layer


def _describe(name, layer):
    """(options, tensors) of one layer; raises ValueError for one that the browser can't compute."""
    kind = type(layer)
    reason = "the browser does not know it"
    if kind in _AT_THE_END:
        reason = "it is not at the end of the network"
    if kind is nn.Conv2d and layer.padding_mode != "zeros":
        reason = f"the browser pads with zeros only, not padding_mode={layer.padding_mode!r}"
    elif kind in (nn.BatchNorm1d, nn.BatchNorm2d) and layer.running_mean is None:
        reason = "it has no running statistics, so an image's answer depends on its batch"
    elif kind is nn.Flatten and (layer.start_dim, layer.end_dim) != (1, -1):
        reason = "the browser flattens all dimensions after the first, nn.Flatten()"
    elif kind is nn.MaxPool2d and layer.return_indices:
        reason = "it returns indices as well"
    elif kind in _KINDS:
        options, tensors = _KINDS[kind](layer)
        tensors = [t.detach().to("cpu", torch.float32) for t in tensors]
        if any(not t.isfinite().all() for t in tensors):
            raise ValueError(
                f"layer {name!r} ({kind.__name__}) holds a weight that is not finite: train it "
                "again, with a smaller learning rate"
            )
        return options, tensors
    raise ValueError(
        f"layer {name!r} is {layer if kind in _KINDS else kind.__name__}: {reason}. "
        f"What runs in the browser is {SUPPORTED}. Build the network of these, {WAY_OUT}"
    )


def _add_shapes(description, flat, model):
    x = torch.zeros(1, *description["input"])
    for layer in description["layers"]:
        came = tuple(x.shape)
        try:
            if len(came) != _DIMENSIONS.get(layer["kind"], len(came)):
                raise ValueError
            x = _RUN[layer["kind"]](x, layer, flat)
        except (RuntimeError, ValueError, IndexError):
            anatomy.summarize(model, (1, *description["input"]))  # raises a sentence
            flatten = ": put nn.Flatten() before it" if layer["kind"] == "linear" else ""
            raise ValueError(f"layer {layer['name']!r} cannot take {came}{flatten}") from None
        layer["shape"] = list(x.shape[1:])


def _pair(value):
    return [int(v) for v in (value if isinstance(value, (tuple, list)) else (value, value))]


def _conv(layer):
    kernel, dilation = _pair(layer.kernel_size), _pair(layer.dilation)
    if isinstance(layer.padding, str):
        same = layer.padding == "same"
        total = [d * (k - 1) * same for k, d in zip(kernel, dilation, strict=True)]
        # Where 'same' pads by an odd number, bottom and right get one more.
        padding = [n // 2 for n in total] + [n - n // 2 for n in total]
    else:
        padding = _pair(layer.padding) * 2
    options = {"kind": "conv", "size": list(layer.weight.shape), "stride": _pair(layer.stride)}
    options |= {"padding": padding, "dilation": dilation, "groups": layer.groups}
    bias = torch.zeros(layer.out_channels) if layer.bias is None else layer.bias
    return options, [layer.weight, bias]


def _norm(layer):
    # In double precision: a variance near 0 makes the scale large.
    scale = (layer.running_var.detach().double() + layer.eps).rsqrt()
    shift = -layer.running_mean.detach().double()
    if layer.affine:
        scale = scale * layer.weight.detach()
    shift = shift * scale + (layer.bias.detach() if layer.affine else 0)
    kind = "scale" if type(layer) is nn.BatchNorm2d else "scale_flat"
    return {"kind": kind, "size": [layer.num_features]}, [scale, shift]


def _max_pool(layer):
    options = {"kind": "max_pool", "kernel": _pair(layer.kernel_size)}
    options |= {"stride": _pair(layer.stride), "padding": _pair(layer.padding)}
    return {**options, "dilation": _pair(layer.dilation), "ceil_mode": layer.ceil_mode}, []


def _avg_pool(layer):
    options = {"kind": "avg_pool", "kernel": _pair(layer.kernel_size)}
    options |= {"stride": _pair(layer.stride), "padding": _pair(layer.padding)}
    options |= {"ceil_mode": layer.ceil_mode, "count_include_pad": layer.count_include_pad}
    return {**options, "divisor": layer.divisor_override}, []


def _adaptive(layer):
    return {"kind": "adaptive_avg_pool", "size": layer.output_size}, []


def _linear(layer):
    bias = torch.zeros(layer.out_features) if layer.bias is None else layer.bias
    size = [layer.out_features, layer.in_features]
    return {"kind": "linear", "size": size}, [layer.weight, bias]


def _plain(kind):
    return lambda layer: ({"kind": kind}, [])


_KINDS = {
    nn.Conv2d: _conv,
    nn.BatchNorm1d: _norm,
    nn.BatchNorm2d: _norm,
    nn.Linear: _linear,
    nn.MaxPool2d: _max_pool,
    nn.AvgPool2d: _avg_pool,
    nn.AdaptiveAvgPool2d: _adaptive,
    nn.LeakyReLU: lambda layer: ({"kind": "leaky_relu", "slope": layer.negative_slope}, []),
    nn.GELU: lambda layer: ({"kind": "gelu" if layer.approximate == "none" else "gelu_tanh"}, []),
    nn.ReLU: _plain("relu"),
    nn.SiLU: _plain("silu"),
    nn.Tanh: _plain("tanh"),
    nn.Sigmoid: _plain("sigmoid"),
    nn.Flatten: _plain("flatten"),
}
# What a layer takes, (1, n) or (1, C, H, W), where its function below would take the other as well.
_DIMENSIONS = {"linear": 2, "scale_flat": 2, "scale": 4}


def _read(layer, weights):
    """The weight, of shape `size`, and the bias, one number for each output map or number."""
    size = layer["size"]
    weight = weights[layer["weight"] :][: math.prod(size)].view(size)
    return weight, weights[layer["bias"] :][: size[0]]


def _run_conv(x, layer, weights):
    top, left, bottom, right = layer["padding"]
    options = {name: layer[name] for name in ("stride", "dilation", "groups")}
    return F.conv2d(F.pad(x, (left, right, top, bottom)), *_read(layer, weights), **options)


def _run_scale(x, layer, weights):
    weight, bias = (t.view(-1, *[1] * (x.ndim - 2)) for t in _read(layer, weights))
    if len(weight) != x.shape[1]:
        raise ValueError
    return x * weight + bias


def _run_max_pool(x, layer, weights):
    options = {name: layer[name] for name in ("stride", "padding", "dilation", "ceil_mode")}
    return F.max_pool2d(x, layer["kernel"], **options)


def _run_avg_pool(x, layer, weights):
    options = {name: layer[name] for name in ("stride", "padding", "ceil_mode")}
    options |= {"count_include_pad": layer["count_include_pad"]}
    return F.avg_pool2d(x, layer["kernel"], **options, divisor_override=layer["divisor"])


_RUN = {
    "conv": _run_conv,
    "scale": _run_scale,
    "scale_flat": _run_scale,
    "linear": lambda x, layer, weights: F.linear(x, *_read(layer, weights)),
    "max_pool": _run_max_pool,
    "avg_pool": _run_avg_pool,
    "adaptive_avg_pool": lambda x, layer, _: F.adaptive_avg_pool2d(x, layer["size"]),
    "leaky_relu": lambda x, layer, _: F.leaky_relu(x, layer["slope"]),
    "gelu": lambda x, *_: F.gelu(x),
    "gelu_tanh": lambda x, *_: F.gelu(x, approximate="tanh"),
    "relu": lambda x, *_: F.relu(x),
    "silu": lambda x, *_: F.silu(x),
    "tanh": lambda x, *_: torch.tanh(x),
    "sigmoid": lambda x, *_: torch.sigmoid(x),
    "flatten": lambda x, *_: x.flatten(1),
}

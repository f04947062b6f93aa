"""From an nn.Sequential to the layers of a `ShapeBuilder`, and back: as modules, and as code."""

from torch import nn

from course_utils.widgets.shape_builder.catalogue import LAYERS, NORMS, POOLS, choices, format_value

# What a module may have besides its options: at these values the table says all of it.
_FIXED = {
    "padding_mode": "zeros",
    "return_indices": False,
    "divisor_override": None,
    "track_running_stats": True,
    "start_dim": 1,
    "end_dim": -1,
    "approximate": "none",
}


def read_layers(module, path="", seen=None, layers=None):
    """The layers of an nn.Sequential, with those of a Sequential inside it in line with the rest.

    Raises ValueError, with the place, for a layer that is not in the table or is set in a way that
    the table cannot say.
    """
    if type(module) is not nn.Sequential:
        raise ValueError(f"a {type(module).__name__} is not an nn.Sequential: give one, or a list")
    seen, layers = {} if seen is None else seen, [] if layers is None else layers
    for name, child in module._modules.items():  # named_children leaves out what comes twice
        here, kind = f"{path}.{name}" if path else name, type(child).__name__
        if type(child) is nn.Sequential:
            read_layers(child, here, seen, layers)
            continue
        place = f"layer {len(layers)} (named {here!r})"
        if kind not in LAYERS or type(child) is not getattr(nn, kind):
            raise ValueError(f"{place} is a {kind}, which is not supported: use {choices()}")
        if id(child) in seen and next(child.parameters(), None) is not None:
            raise ValueError(
                f"{place} is the same object as {seen[id(child)]}: give each layer its own weights"
            )
        seen[id(child)] = place
        layer = {"type": kind, "options": _read_options(child, kind, place)}
        if not here.replace(".", "").isdigit():
            layer["name"] = here.replace(".", "_")
        layers.append(layer)
    return layers


def _read_options(module, kind, place):
    for name, usual in _FIXED.items():
        if getattr(module, name, usual) != usual:
            raise ValueError(
                f"{place} has {name}={getattr(module, name)!r}, which is not supported: "
                f"use {name}={usual!r}"
            )
    if kind in NORMS and module.affine and module.bias is None:
        raise ValueError(f"{place} has bias=False, which is not supported: use bias=True")
    options = {option.name: getattr(module, option.name) for option in LAYERS[kind]}
    if "bias" in options:
        options["bias"] = module.bias is not None
    if options.get("padding") == "valid":
        options["padding"] = 0
    return options


def make(layer):
    """The module of a layer, with new weights."""
    options = layer["options"].items()
    return getattr(nn, layer["type"])(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in options}
    )


def names_of(layers):
    """The name of each layer inside an nn.Sequential: its own, or its number."""
    return [layer.get("name", str(index)) for index, layer in enumerate(layers)]


def write_code(layers):
    """The layers as Python text; run, it leaves the network in `model`."""
    calls = [f"nn.{write_call(layer)}" for layer in layers]
    if not any("name" in layer for layer in layers):
        body = "".join(f"    {call},\n" for call in calls)
        return f"from torch import nn\n\nmodel = nn.Sequential(\n{body})\n"
    pairs = zip(names_of(layers), calls, strict=True)
    body = "".join(f"            ({format_value(name)}, {call}),\n" for name, call in pairs)
    return (
        "from collections import OrderedDict\n\nfrom torch import nn\n\n"
        f"model = nn.Sequential(\n    OrderedDict(\n        [\n{body}        ]\n    )\n)\n"
    )


def write_call(layer):
    """A layer as a call: Conv2d(1, 8, kernel_size=5)."""
    return f"{layer['type']}({', '.join(_arguments(layer))})"


def _arguments(layer):
    """The arguments in a call: how many come in and go out first, then what is not the default."""
    options = layer["options"]
    for option in LAYERS[layer["type"]]:
        value, usual = options[option.name], option.default
        if layer["type"] in POOLS and option.name == "stride":
            usual = options["kernel_size"]
        if usual is None and option.kind == "whole" and option.name != "dim":
            yield format_value(value)
        elif value != usual or option.name == "p":
            yield f"{option.name}={format_value(value)}"

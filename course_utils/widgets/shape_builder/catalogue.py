"""The layers that a `ShapeBuilder` knows: their options, and how they are checked.

A layer is a dict, as JSON has it: `{"type": "Conv2d", "name": "conv1", "options": {…}}`; `name` may
be missing. `layers.json` is the table for both languages; `catalogue.js` refuses in the same words.
"""

import json
import math
import operator
import reprlib
from pathlib import Path
from typing import NamedTuple

from torch import nn

MOST_LAYERS = 64
_MOST_CELLS, _MOST_FEATURES = 1024, 2**20  # of the input: per axis of an image, and in all


class Option(NamedTuple):
    """An argument of a layer. `kind` says what it may be, `place` where the browser shows it.

    kind: whole; pair (one number, or two for height and width); padding (a pair, or 'same');
    number; yesno. place: main (always shown), more (shown in the chosen row, or where it is not
    the default), kept (written out, given back, not edited). A `default` of None must be given.
    """

    name: str
    kind: str
    default: object
    low: float
    high: float
    place: str


LAYERS = {
    kind: tuple(Option(**option) for option in options)
    for kind, options in json.loads(
        (Path(__file__).parent / "layers.json").read_text("utf-8")
    ).items()
}
CONVOLUTIONS = ("Conv2d", "ConvTranspose2d")
POOLS = ("MaxPool2d", "AvgPool2d")
NORMS = ("BatchNorm2d", "BatchNorm1d")


def label(layers, index):
    """How a sentence names a layer: conv1 (Conv2d), or layer 0 (Conv2d)."""
    name, kind = layers[index].get("name"), layers[index]["type"]
    return f"{name} ({kind})" if name else f"layer {index} ({kind})"


def check_input_size(size):
    """`size` as a tuple (C, H, W) or (features,). Raises ValueError with a sentence."""
    parts = list(size) if isinstance(size, (list, tuple)) else [size]
    most = {1: _MOST_FEATURES, 3: _MOST_CELLS}.get(len(parts), 0)
    numbers = [_as_whole(part, 1, most) for part in parts]
    if None in numbers or not numbers:
        raise ValueError(
            f"input_size=({_show(parts)}) is not possible: give (C, H, W), each from 1 to "
            f"{_MOST_CELLS}, or (features,) from 1 to {_MOST_FEATURES}, without a batch"
        )
    return tuple(numbers)


def check_layers(layers):
    """The list with every option filled in. Raises ValueError with a sentence."""
    if not isinstance(layers, (list, tuple)):
        raise ValueError(
            f"layers={_show(layers)} is not possible: give an nn.Sequential, or a list of dicts "
            "such as {'type': 'ReLU'}"
        )
    if len(layers) > MOST_LAYERS:
        raise ValueError(f"{len(layers)} layers are too many: give at most {MOST_LAYERS}")
    checked = [_check_layer(layer, index) for index, layer in enumerate(layers)]
    names = [layer["name"] for layer in checked if "name" in layer]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the name {name!r} is there twice: give each layer its own")
    return checked


def _check_layer(layer, index):
    if not isinstance(layer, dict) or "type" not in layer:
        raise ValueError(f"layer {index} is {_show(layer)}: give a dict such as {{'type': 'ReLU'}}")
    if unknown := sorted(map(str, set(layer) - {"type", "name", "options"})):
        raise ValueError(f"layer {index} has an entry {unknown[0]!r}: give type, name and options")
    kind, options = layer["type"], layer.get("options", {})
    if not isinstance(kind, str) or kind not in LAYERS:
        raise ValueError(f"layer {index} is of the type {_show(kind)}: choose {choices()}")
    checked = {"type": kind}
    if layer.get("name") is not None:
        checked["name"] = _check_name(layer["name"], index)
    me, known = label({index: checked}, index), {option.name: option for option in LAYERS[kind]}
    if not isinstance(options, dict):
        raise ValueError(f"{me} has options={_show(options)}: give a dict from names to values")
    for name in options:
        if name not in known:
            listed = ", ".join(known) or "none"
            raise ValueError(f"{me} has no option {_show(name)}: its options are {listed}")
    checked["options"] = {}
    for name, option in known.items():
        value = options.get(name, option.default)
        if name == "stride" and kind in POOLS and value is None:
            value = checked["options"]["kernel_size"]
        if name not in options and value is None:
            raise ValueError(f"{me} needs {name}: give its value in options")
        checked["options"][name] = _check_option(option, value, me)
    return checked


def _check_name(name, index):
    if not isinstance(name, str) or not name or "." in name or name.isdigit() or len(name) > 40:
        raise ValueError(
            f"layer {index} has the name {_show(name)}: give a text of 1 to 40 characters, "
            "without a dot, that is no number"
        )
    if hasattr(nn.Sequential(), name):
        raise ValueError(f"layer {index} has the name {name!r}, which torch uses: give another")
    return name


def _check_option(option, value, me):
    sides = value if isinstance(value, (list, tuple)) and len(value) == 2 else [value]
    if option.kind == "yesno" and isinstance(value, bool):
        return value
    if option.kind == "padding" and isinstance(value, str) and value == "same":
        return value
    if option.kind == "number" and (number := _as_number(value, option)) is not None:
        return number
    if option.kind in ("whole", "pair", "padding") and (len(sides) == 1 or option.kind != "whole"):
        wholes = [_as_whole(side, option.low, option.high) for side in sides]
        if None not in wholes:
            return wholes[0] if wholes[0] == wholes[-1] else wholes
    low, high = format_value(option.low), format_value(option.high)
    allowed = {
        "whole": f"give a whole number from {low} to {high}",
        "pair": f"give a whole number from {low} to {high}, or two for height and width",
        "padding": f"give a whole number from {low} to {high}, two for height and width, or same",
        "number": f"give a number from {low} to {high}",
        "yesno": "give True or False",
    }[option.kind]
    raise ValueError(f"{me}: {option.name}={_show(value)} is not possible: {allowed}")


def _as_whole(value, low, high):
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None
    return number if number is not None and low <= number <= high else None


def _as_number(value, option):
    try:
        number = math.nan if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return number if option.low <= number <= option.high else None


def _show(value):
    if isinstance(value, str):
        return value if len(value) <= 40 else value[:39] + "…"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_show, value[:4])) + (", …" if len(value) > 4 else "")
    return format_value(value) if isinstance(value, (int, float)) else reprlib.repr(value)


def format_value(value):
    """A value as Python code has it: 3, (3, 5), "same", 0.5, True."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)):
        return f"({', '.join(map(format_value, value))})"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return repr(value)


def choices():
    return ", ".join(list(LAYERS)[:-1]) + f" or {list(LAYERS)[-1]}"

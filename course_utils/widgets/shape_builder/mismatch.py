"""Why a layer does not fit what comes in, in a sentence, and what would mend it.

Shapes are those of one image or one row of features, without the batch: (C, H, W) or (F,).
`mismatch.js` says the same in the browser.
"""

import math
from dataclasses import dataclass

from course_utils.widgets.shape_builder.catalogue import (
    CONVOLUTIONS,
    NORMS,
    POOLS,
    format_value,
    label,
)
from course_utils.widgets.shape_builder.modules import names_of

MOST_NUMBERS = 2**30  # in one tensor; as float32 that is 4 GiB
_IMAGES_ONLY = (*CONVOLUTIONS, *POOLS, "AdaptiveAvgPool2d", "BatchNorm2d")
_FEATURES_ONLY = ("Linear", "BatchNorm1d", "Softmax")  # a Flatten in front of one stays there


@dataclass(frozen=True)
class Mismatch:
    """The first layer that does not fit what comes in.

    `sentence` says why and ends with `mend`, the way out. `action` is what that does: "set" gives
    the option `option` the value `value`; "insert" puts a Flatten before the layer; "move" puts
    layer number `value`, a Flatten, behind it; "replace" makes it a layer of the type `value`;
    "delete" takes it out.
    """

    index: int
    name: str
    type: str
    sentence: str
    mend: str
    action: str
    option: str | None = None
    value: object = None

    def __str__(self):
        return self.sentence


def find_mismatch(layers, shapes, index):
    """The `Mismatch` of layer `index`, to which `shapes[index]` comes; None where it fits."""
    kind, options = layers[index]["type"], layers[index]["options"]
    came_in, gives = shapes[index], _what_comes(layers, shapes, index)
    problem = _options_at_odds(kind, options)
    if problem is None and kind in _IMAGES_ONLY and len(came_in) == 1:
        problem = _no_image(layers, shapes, index, gives)
    if problem is None:
        problem = _wrong_count(kind, options, came_in, gives)
    if problem is None and len(came_in) == 3:
        problem = _no_room(kind, options, came_in, gives)
    return problem and _refuse(layers, index, *problem)


def find_too_large(layers, shape, index):
    """A `Mismatch` where the output of layer `index` has too many numbers to go on with."""
    if math.prod(shape) <= MOST_NUMBERS:
        return None
    says = f"would give {write_shape(shape)}, more numbers than the {MOST_NUMBERS:,} of 4 GiB"
    return _refuse(layers, index, says, "delete")


def write_shape(shape):
    """32 × 5 × 5, or 800 features."""
    return " × ".join(map(str, shape)) if len(shape) == 3 else _plural(shape[0], "feature")


def _refuse(layers, index, says, action, option=None, value=None):
    mend = {
        "set": lambda: f"set {option}={format_value(value)}",
        "insert": lambda: "insert a Flatten before it",
        "move": lambda: f"move {label(layers, value)} behind it",
        "replace": lambda: f"use {value}",
        "delete": lambda: "delete it",
    }[action]()
    sentence = f"{label(layers, index)} {says}: {mend}"
    name, kind = names_of(layers)[index], layers[index]["type"]
    return Mismatch(index, name, kind, sentence, mend, action, option, value)


def _what_comes(layers, shapes, index):
    shape = shapes[index]
    written = write_shape(shape)
    if index == 0:
        return f"the input {'is' if len(shape) == 3 else 'has'} {written}"
    before = shapes[index - 1]
    if layers[index - 1]["type"] == "Flatten" and len(before) == 3:
        written = f"{write_shape(before)} = {written}"
    return f"{label(layers, index - 1)} gives {written}"


# Each of these returns None, or what `_refuse` takes: (says, action, option, value).


def _options_at_odds(kind, options):
    """Options that fit no input at all."""
    if kind in CONVOLUTIONS:
        groups, sides = options["groups"], (options["in_channels"], options["out_channels"])
        for name, count in zip(("in_channels", "out_channels"), sides, strict=True):
            if count % groups:
                common = math.gcd(*sides)
                fits = max(n for n in range(1, min(groups, common) + 1) if common % n == 0)
                says = f"has groups={groups}, which does not divide {name}={count}"
                return says, "set", "groups", fits
    if options.get("padding") == "same" and options["stride"] != 1:
        stride = format_value(options["stride"])
        says = f'has padding="same", which keeps the size, so stride={stride} is not allowed'
        return says, "set", "stride", 1
    if kind == "ConvTranspose2d":
        most = [max(s, d) - 1 for s, d in _sides(options, "stride", "dilation")]
        return _at_most(options, "output_padding", most, "its stride and dilation allow")
    if kind in POOLS:
        half = [k // 2 for (k,) in _sides(options, "kernel_size")]
        kernel = format_value(options["kernel_size"])
        return _at_most(options, "padding", half, f"kernel_size={kernel} allows")
    return None


def _at_most(options, name, most, reason):
    values = [value for (value,) in _sides(options, name)]
    if all(value <= limit for value, limit in zip(values, most, strict=True)):
        return None
    says = f"has {name}={format_value(options[name])}, but {reason} at most {_written(most)}"
    return says, "set", name, one([min(pair) for pair in zip(values, most, strict=True)])


def _no_image(layers, shapes, index, gives):
    """A layer for images behind the end of the image."""
    says = f"expects an image (C, H, W), but {gives}"
    if layers[index]["type"] == "BatchNorm2d":
        return says, "replace", None, "BatchNorm1d"
    last_image = max((i for i in range(index) if len(shapes[i]) == 3), default=None)
    between = [] if last_image is None else layers[last_image + 1 : index]
    if last_image is None or any(layer["type"] in _FEATURES_ONLY for layer in between):
        return says, "delete"
    return says, "move", None, last_image


def _wrong_count(kind, options, came_in, gives):
    """A number of channels or features that is not the one expected."""
    image, count, last = len(came_in) == 3, came_in[0], came_in[-1]
    which = f", which is {_plural(count, 'channel')}" if image else ""
    if kind in CONVOLUTIONS and options["in_channels"] != count:
        says = f"expects in_channels={options['in_channels']}, but {gives}{which}"
        return says, "set", "in_channels", count
    if kind == "BatchNorm1d" and image:
        return f"expects features, but {gives}", "replace", None, "BatchNorm2d"
    if kind in NORMS and options["num_features"] != count:
        says = f"expects num_features={options['num_features']}, but {gives}{which}"
        return says, "set", "num_features", count
    if kind == "Linear" and options["in_features"] != last:
        says = f"expects in_features={options['in_features']}, but {gives}"
        if not image:
            return says, "set", "in_features", count
        says += (
            f", and it works along the last axis, which has {last}. Usually a Flatten is missing"
        )
        return says, "insert"
    if kind == "Softmax" and not -len(came_in) - 1 <= options["dim"] <= len(came_in):
        says = (
            f"has dim={options['dim']}, but {gives}: with the batch that is {len(came_in) + 1} axes"
        )
        return says, "set", "dim", 1
    return None


def _no_room(kind, options, came_in, gives):
    """A window larger than the image, or a padding that leaves nothing."""
    if kind == "ConvTranspose2d":
        sides = _sides(options, "kernel_size", "stride", "dilation", "output_padding")
        whole = [
            (n - 1) * s + d * (k - 1) + o + 1
            for n, (k, s, d, o) in zip(came_in[1:], sides, strict=True)
        ]
        most = [(n - 1) // 2 for n in whole]
        return _at_most(options, "padding", most, f"the {_by(whole)} cells that it makes allow")
    if kind not in ("Conv2d", *POOLS) or options["padding"] == "same":
        return None
    names = ("kernel_size", "stride", "padding")
    dilation = options.get("dilation", 1)
    sides = _sides({**options, "dilation": dilation}, *names, "dilation")
    rooms, reaches, fits = [], [], []
    for n, (k, s, p, d) in zip(came_in[1:], sides, strict=True):
        rooms.append(n + 2 * p)
        reaches.append(d * (k - 1) + 1)
        # Rounding up lets a window hang over the end, by less than a stride.
        enough = reaches[-1] - (s - 1 if options.get("ceil_mode") else 0) <= rooms[-1]
        fits.append(k if enough else (rooms[-1] - 1) // d + 1)
    if one(fits) == options["kernel_size"]:
        return None
    spread = f" with dilation={format_value(dilation)}" if dilation != 1 else ""
    padded = f", {_by(rooms)} with its padding" if options["padding"] != 0 else ""
    says = f"covers {_by(reaches)} cells{spread}, but {gives}{padded}"
    return says, "set", "kernel_size", one(fits)


def one(pair):
    """A pair, or one number where both are equal."""
    return pair[0] if pair[0] == pair[-1] else list(pair)


def _sides(options, *names):
    """For the height and for the width: the values of these options."""
    pairs = [value if isinstance(value, list) else [value] * 2 for value in map(options.get, names)]
    return list(zip(*pairs, strict=True))


def _plural(count, word):
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _by(pair):
    return f"{pair[0]} × {pair[1]}"


def _written(pair):
    return format_value(one(pair))

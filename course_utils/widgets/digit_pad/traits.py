"""The state of DigitPad that no other widget has: a picture, a class, a layer."""

import operator
import reprlib

import torch
import traitlets

from course_utils.widgets.digit_pad import ink
from course_utils.widgets.digit_pad.network import ACTIVATIONS
from course_utils.widgets.shared.base import refuse


class Picture(traitlets.TraitType):
    """What the network sees, (28, 28); the browser has it as bytes."""

    def __init__(self):
        super().__init__()
        self.tag(
            sync=True,
            to_json=lambda image, _: ink.to_bytes(image),
            from_json=lambda data, _: ink.from_bytes(data)[0],
        )

    def make_dynamic_default(self):
        return torch.zeros(ink.FIELD, ink.FIELD)

    def validate(self, obj, value):
        try:
            return ink.as_picture(self.name, value, (ink.FIELD, ink.FIELD))
        except ValueError as error:
            refuse(error)


class Target(traitlets.TraitType):
    """A class by its number, or None for the one that the network says."""

    def __init__(self):
        super().__init__(None, allow_none=True)
        self.tag(sync=True)

    def validate(self, obj, value):
        try:
            return class_number(self.name, value, len(obj._classes))
        except ValueError as error:
            refuse(error)


class Layer(traitlets.TraitType):
    """The name of one of the network's layers that `names(network)` lists; "" where it has none."""

    def __init__(self, names):
        super().__init__("")
        self.names = names
        self.tag(sync=True)

    def validate(self, obj, value):
        names = self.names(obj._network)
        if value not in (names or [""]):
            raise traitlets.TraitError(
                f"{self.name}={reprlib.repr(value)} is not possible: {one_of(names)}"
            )
        return value


def layer_names(network):
    """The layers whose outputs are worth a look: flattening changes no number."""
    layers = network.get("layers", [])
    return [layer["name"] for layer in layers if layer["kind"] != "flatten"]


def cam_names(network):
    """The last convolution and what follows it, as long as that has maps: where Grad-CAM works."""
    layers = network.get("layers", [])
    last = max(
        (i for i, layer in enumerate(layers) if layer["kind"] == "conv"), default=len(layers)
    )
    return [layer["name"] for layer in layers[last:] if len(layer["shape"]) == 3]


def first_layers(network):
    """What is shown at first: the first layer, and Grad-CAM behind the last activation.

    The maps of Grad-CAM's paper have been through a ReLU. A convolution's own output has not: where
    a batch norm follows that moves it, its weighted sum is below 0 everywhere for most images.
    """
    kinds = {layer["name"]: layer["kind"] for layer in network.get("layers", [])}
    cams = cam_names(network)
    rectified = [name for name in cams if kinds[name] in ACTIVATIONS]
    return {
        "layer": [*layer_names(network), ""][0],
        "cam_layer": [*rectified[:1], *cams, ""][0],
    }


def one_of(names):
    return f"choose one of {', '.join(names)}" if names else "the network has no such layers"


def class_number(name, value, classes):
    """`value` as the number of one of `classes` classes, or None. Raises ValueError."""
    if value is None:
        return None
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or not 0 <= number < classes:
        raise ValueError(
            f"{name}={reprlib.repr(value)} is not possible: give the number of a class, 0 to "
            f"{classes - 1}, or None for the predicted one"
        )
    return number

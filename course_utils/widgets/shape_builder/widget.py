"""A stack of layers to build and to mend, with what every layer gives and costs."""

import copy
from collections import OrderedDict

import traitlets
from torch import nn

from course_utils.widgets.shape_builder.catalogue import check_input_size, check_layers
from course_utils.widgets.shape_builder.modules import make, names_of, read_layers, write_code
from course_utils.widgets.shape_builder.picture import draw_stack
from course_utils.widgets.shape_builder.shapes import follow, mend
from course_utils.widgets.shared.base import CourseWidget, refuse


class Layers(traitlets.TraitType):
    """An nn.Sequential, or a list of dicts {type, options, and perhaps name}; holds the dicts."""

    def make_dynamic_default(self):
        # The name is right: traitlets asks it of a trait whose default is made for each instance.
        return check_layers(
            [
                {"type": kind, "options": dict(options)}
                for kind, options in (
                    ("Conv2d", {"in_channels": 1, "out_channels": 8, "kernel_size": 5}),
                    ("ReLU", {}),
                    ("MaxPool2d", {"kernel_size": 2}),
                    ("Conv2d", {"in_channels": 8, "out_channels": 32, "kernel_size": 5}),
                    ("ReLU", {}),
                    ("MaxPool2d", {"kernel_size": 2}),
                    ("Flatten", {}),
                    ("Linear", {"in_features": 512, "out_features": 10}),
                )
            ]
        )

    def get(self, obj, cls=None):
        # A copy: writing into the list that is held would be noticed by nobody.
        return copy.deepcopy(super().get(obj, cls))

    def validate(self, obj, value):
        try:
            return check_layers(read_layers(value) if isinstance(value, nn.Module) else value)
        except ValueError as error:
            return refuse(error)


class InputSize(traitlets.TraitType):
    """(C, H, W), or (features,)."""

    def validate(self, obj, value):
        try:
            return check_input_size(value)
        except ValueError as error:
            return refuse(error)


class ShapeBuilder(CourseWidget):
    """Stack layers; see every output shape, parameters, MACs and receptive field.

    A stack that does not fit together is a possible state: `mismatch` says where, why and what
    mends it, and the layers from there on have no shape.

    Args:
        model_or_layers: an nn.Sequential, of which the options are read and not the weights, or a
            list of dicts such as `{"type": "Conv2d", "name": "conv1", "options": {"in_channels":
            1, "out_channels": 8, "kernel_size": 5}}`. `name` may be left out, and so may options
            that torch has a default for. A Sequential inside another is written out in line.
        input_size: (C, H, W), or (features,); without the batch.

    Both may be assigned later on, as `layers` and `input_size`. What `layers` gives is a copy:
    change it and assign it.

    Raises: TraitError for a layer that is not supported, an unknown option or a value that no
        stack could have.
    """

    layers = Layers().tag(sync=True)
    input_size = InputSize((1, 28, 28)).tag(sync=True)

    def __init__(self, model_or_layers=None, input_size=(1, 28, 28), **more):
        if model_or_layers is not None:
            more["layers"] = model_or_layers
        super().__init__(input_size=input_size, **more)

    @property
    def summary(self):
        """What `anatomy.summarize` says of the layers that work; it prints as a table."""
        return follow(self.layers, self.input_size)[0]

    @property
    def rows(self):
        """A row for each layer that works: name, type, output_shape (with a batch of one),
        parameters, macs, receptive_field."""
        return list(self.summary.rows)

    @property
    def mismatch(self):
        """None, or the first layer that does not fit: index, name, type, sentence, mend, action,
        option, value. See `Mismatch`."""
        return follow(self.layers, self.input_size)[1]

    @property
    def output(self):
        """The shape that comes out for a batch of one, a tuple; None where a layer does not fit."""
        summary, mismatch = follow(self.layers, self.input_size)
        if mismatch is not None:
            return None
        return summary.rows[-1].output_shape if summary.rows else summary.input_size

    @property
    def code(self):
        """The stack as Python text that leaves an equal network in `model`."""
        return write_code(self.layers)

    def to_module(self, check=True):
        """The stack as a new nn.Sequential, in training mode, with new random weights.

        Layers have their names, or their numbers. `check=False` gives a stack that does not fit
        together too: then torch complains, when it is built or when it runs.

        Raises: ValueError with the sentence of `mismatch`.
        """
        if check and (mismatch := self.mismatch):
            raise ValueError(mismatch.sentence)
        modules = map(make, self.layers)
        return nn.Sequential(OrderedDict(zip(names_of(self.layers), modules, strict=True)))

    def mend(self):
        """Do what `mismatch.mend` says. The next layer may not fit then: see `mismatch` again."""
        if mismatch := self.mismatch:
            self.layers = mend(self.layers, mismatch)

    def draw(self):
        """The table of the layers as a picture; a mismatch is outlined, with its sentence."""
        return draw_stack(self.layers, self.input_size)

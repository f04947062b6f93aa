"""DigitPad: draw a digit, and see what the network makes of it."""

import reprlib

import torch
import traitlets

from course_utils.widgets.digit_pad import arguments, ink, picture
from course_utils.widgets.digit_pad import network as networks
from course_utils.widgets.digit_pad.traits import (
    Layer,
    Picture,
    Target,
    cam_names,
    class_number,
    first_layers,
    layer_names,
    one_of,
)
from course_utils.widgets.shared.base import CourseWidget, refuse
from course_utils.widgets.shared.traits import Whole, YesNo


class DigitPad(CourseWidget):
    """A pad to draw a digit on; the network's answer follows the stroke, in the browser.

    Args:
        model: an nn.Sequential from images (N, 1, 28, 28) to logits (N, 10), as in eval mode; see
            `network_description` for the layers that run in the browser. Its weights are copied:
            after more training, assign it again, `pad.model = model`.
        predict: instead of a model, a function of an image (1, 1, 28, 28) that returns logits or
            probabilities, (10,) or (1, 10); an nn.Module runs in eval mode. Python answers, so
            there are no feature maps and no Grad-CAM. Numbers from 0 to 1 with the sum 1 are taken
            as probabilities, all others as logits.
        classes: what the outputs stand for, 2 to 20 words.
        examples: images (N, 28, 28) or (N, 1, 28, 28) to choose from, at most 20; by default ten
            handwritten digits. The first is shown at the beginning.
        image: what the network sees, (28, 28), 0 for black to 1 for white ink; all 0 is an empty
            pad. Set it to show a picture. pen: the pen's width on the pad of 280 pixels, 8 to 40.
        show_cam: lay Grad-CAM over the picture, for the class number `explain`, or None for the
            predicted one, at `cam_layer`: the last convolution or what follows it, by default the
            first activation there. layer: the layer whose feature maps are shown.
    Raises:
        traitlets.TraitError: what was given is impossible; the sentence says what is allowed.
    """

    image = Picture()
    pen = Whole(24, 8, 40)
    show_cam = YesNo(True)
    explain = Target()
    layer = Layer(layer_names)
    cam_layer = Layer(cam_names)
    _source = traitlets.Unicode("none").tag(sync=True)  # who answers: none, network or python
    _classes = traitlets.List().tag(sync=True)
    _network = traitlets.Dict().tag(sync=True)
    _weights = traitlets.Bytes().tag(sync=True)
    _examples = traitlets.Bytes().tag(sync=True)
    _asked = traitlets.Int(0).tag(sync=True)  # counts what the browser sends to `predict`
    _answer = traitlets.Dict().tag(sync=True)

    def __init__(
        self, model=None, *, predict=None, classes="0123456789", examples=None, image=None, **state
    ):
        try:
            classes = arguments.read_classes(classes)
            examples = arguments.read_examples(examples)
            arguments.check_source(model, predict)
            network, weights = arguments.describe(model, len(classes))
        except ValueError as error:
            refuse(error)
        self._model, self._predict, self._done = model, predict, (None, None)
        first = examples[0] if len(examples) else torch.zeros(ink.FIELD, ink.FIELD)
        super().__init__(
            _source="python" if predict else "network" if network else "none",
            _classes=classes,
            _network=network,
            _weights=weights,
            _examples=ink.to_bytes(examples),
            image=first if image is None else image,
            **{**first_layers(network), **state},
        )

    @property
    def classes(self):
        """What the outputs stand for; given once, to the constructor."""
        return tuple(self._classes)

    @property
    def examples(self):
        """The images to choose from, (N, 28, 28); given once, to the constructor."""
        return ink.from_bytes(self._examples)

    @property
    def model(self):
        """The network. The pad has a copy of its weights; assign it anew after more training."""
        return self._model

    @model.setter
    def model(self, model):
        try:
            network, weights = arguments.describe(model, len(self._classes))
        except ValueError as error:
            refuse(error)
        self._model, self._predict = model, None
        with self.hold_trait_notifications():
            self._source = "network" if network else "none"
            self._network, self._weights = network, weights
            for name, first in first_layers(network).items():
                if getattr(self, name) not in self.traits()[name].names(network):
                    setattr(self, name, first)

    @property
    def output(self):
        """The logits for `image`, (10,): what comes before a softmax that the model may end in.

        With `predict` what it returned, probabilities as their logarithm. None where nothing is
        drawn or nothing answers. Raises ValueError where `predict` failed.
        """
        return self._scores(self.image)

    @property
    def probabilities(self):
        """The softmax of `output`, (10,); None where there is none."""
        output = self.output
        return None if output is None else output.softmax(0)

    @property
    def prediction(self):
        """The number of the most probable class; None where there is none."""
        output = self.output
        return None if output is None else int(output.argmax())

    @property
    def feature_maps(self):
        """The output of each layer for `image` by its name: (C, H, W), or (n,) when flat."""
        return self._maps(self.image)

    def grad_cam(self, layer=None, digit=None):
        """Where `layer` speaks for a class: (H, W) of its maps, from 0 to 1 for the strongest.

        Args:
            layer: its name; by default `cam_layer`. Any layer with maps will do here.
            digit: the number of the class; by default the predicted one.
        Raises:
            ValueError: there is no network, no convolution, no such layer or class, or no image.
        """
        return self._cam(self.image, layer, digit)

    def draw(self):
        """What the network sees with Grad-CAM, the probabilities, and some feature maps."""
        image = self.image
        # A picture of nothing helps nobody: an empty pad shows the first example.
        return picture.draw(self, image if image.any() else [*self.examples, image][0])

    def _maps(self, image):
        if self._source != "network" or not image.any():
            return {}
        numbers = networks.read_weights(self._weights)
        outputs = networks.run(self._network, numbers, image[None, None])
        return {name: output[0] for name, output in outputs.items()}

    def _scores(self, image):
        if self._source != "python":
            maps = list(self._maps(image).values())
            return maps[-1] if maps else None
        answer = self._answer if image is self.image else self._call_predict(image)
        if answer["sentence"]:
            raise ValueError(answer["sentence"])
        return None if answer["scores"] is None else torch.tensor(answer["scores"])

    def _cam(self, image, layer=None, digit=None):
        if self._source != "network":
            raise ValueError("Grad-CAM needs the layers of a network: give DigitPad(model)")
        if layer is None and not self.cam_layer:
            raise ValueError("Grad-CAM needs a convolution layer, and this network has none")
        layer = self.cam_layer if layer is None else layer
        names = [e["name"] for e in self._network["layers"] if len(e["shape"]) == 3]
        if layer not in names:
            raise ValueError(f"layer={reprlib.repr(layer)} is not possible: {one_of(names)}")
        digit = class_number("digit", digit, len(self._classes))
        if not image.any():
            raise ValueError("nothing is drawn: draw a digit, or set image")
        digit = int(self._scores(image).argmax()) if digit is None else digit
        numbers = networks.read_weights(self._weights)
        return networks.grad_cam(self._network, numbers, image[None, None], layer, digit)

    @traitlets.observe("image", "_asked")
    def _ask(self, change):
        # What the browser sends changes both at once and needs one answer.
        asked, image = self._done
        if self._source != "python" or (asked == self._asked and image is self.image):
            return
        self._done = self._asked, self.image
        self._answer = {"asked": self._asked, **self._call_predict(self.image)}

    @traitlets.default("_answer")
    def _no_answer(self):
        return {"asked": 0, "scores": None, "sentence": None}

    def _call_predict(self, image):
        answer = {"scores": None, "sentence": None}
        if not image.any():
            return answer
        try:
            scores = arguments.call(self._predict, image, len(self._classes))
        except Exception as error:  # whatever goes wrong in it: the pad has to stay alive
            return {**answer, "sentence": f"predict raised {type(error).__name__}: {error}"}
        return {**answer, "scores": scores.tolist()}

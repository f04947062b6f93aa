"""Numbers that are none: nan and infinity in what is drawn, explained and exported."""

import torch
from world import Fault

from course_utils import compression, deploy, interpret, models, ops, plotting, widgets

NAN, INFINITY = float("nan"), float("inf")


def images():
    x = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    x[1, 0, 3, 3] = NAN
    return x


def spoilt():
    model = models.mnist_cnn().eval()
    next(model.parameters()).data.view(-1)[0] = NAN
    return model


def drawn(draw):
    """The words below a picture, which must be there and have ink."""

    def provoke(world):
        figure = draw()
        plotting.figure_png(figure)
        texts = [text.get_text() for axes in figure.axes for text in axes.texts]
        return "; ".join([figure.alt_text, *(axes.get_title() for axes in figure.axes), *texts])

    return provoke


def curves(**lines):
    return drawn(
        lambda: plotting.draw_curves({n: ([1, 2, 3], y) for n, y in lines.items()}, "", "")
    )


class History:
    step_loss, epochs = [2.0, 1.0, INFINITY], ()


FIELD = interpret.Field(7, 3, 0)
ANSWER = ("answer to image 1 is not finite", "look for nan in the image and in the weights")
ROWS = [
    Fault(
        "a picture to be drawn holds nan",
        "NaN in input",
        drawn(lambda: plotting.draw_images(images(), ["one", "two"])),
        "two\n(1 of 784 numbers are nan or infinite)",
    ),
    Fault(
        "a signed picture to be drawn holds nothing but nan",
        "NaN in input",
        drawn(lambda: plotting.draw_images(torch.full((1, 8, 8), NAN), signed=True)),
        "64 of 64 numbers are nan or infinite",
    ),
    Fault(
        "a curve ends in nan",
        "NaN in input",
        curves(good=[1, 2, 3], bad=[1, NAN, NAN]),
        ("bad goes from 1 to nan", "bad, 2 nan"),
    ),
    Fault("a curve is nothing but nan", "NaN in input", curves(bad=[NAN] * 3), "bad, 3 nan"),
    Fault(
        "the last loss of a history is infinite",
        "NaN in weights",
        drawn(lambda: plotting.draw_history(History)),
        ("over 3 steps", "1 of 3 losses are nan or infinite"),
    ),
    Fault(
        "a confusion matrix holds nan",
        "NaN in input",
        lambda world: plotting.draw_confusion(torch.full((3, 3), NAN)),
        "confusion of shape (3, 3) has to be finite counts",
    ),
    Fault(
        "a map to be laid over a picture is nan",
        "NaN in weights",
        drawn(lambda: interpret.draw_overlays(images()[:1], torch.full((1, 9, 9), NAN), FIELD)),
        ("81 of 81 numbers are nan or infinite", "no number"),
    ),
    Fault(
        "an image to be explained by Grad-CAM holds nan",
        "NaN in input",
        lambda world: interpret.grad_cam(models.mnist_cnn(), images()),
        ANSWER,
    ),
    Fault(
        "an image to be explained by occlusion holds nan",
        "NaN in input",
        lambda world: interpret.occlusion(models.mnist_cnn(), images()),
        ANSWER,
    ),
    Fault(
        "a network with nan weights is to be explained",
        "NaN in weights",
        lambda world: interpret.grad_cam(spoilt(), images()[:1]),
        ("answer to image 0 is not finite", "in the weights"),
    ),
    Fault(
        "the patches that excite a channel most are looked for among nan",
        "NaN in input",
        lambda world: interpret.top_patches(models.mnist_cnn(), images(), "conv1", 0, 2),
        "channel 0 of 'conv1' answers with numbers that are not finite",
    ),
    Fault(
        "nan goes through a convolution: so it should, to the cells that see it",
        "NaN in input",
        lambda world: ops.conv2d(images(), torch.ones(1, 1, 3, 3)).isnan().sum().item(),
        "9",
    ),
    Fault(
        "a network with nan weights is to become a page",
        "NaN in weights",
        lambda world: deploy.export_html(spoilt(), world.folder / "a.html"),
        ("layer 'conv1' (Conv2d) holds a weight that is not finite", "smaller learning rate"),
    ),
    Fault(
        "a network with nan weights is to become an ONNX file",
        "NaN in weights",
        lambda world: deploy.export_onnx(spoilt(), world.folder / "a.onnx"),
        ("'conv1.weight' holds a number that is not finite", "smaller learning rate"),
    ),
    Fault(
        "a network with nan weights is to be drawn for",
        "NaN in weights",
        lambda world: widgets.DigitPad(spoilt()),
        "layer 'conv1' (Conv2d) holds a weight that is not finite",
    ),
    Fault(
        "weights to be rounded hold nan",
        "NaN in weights",
        lambda world: compression.quantize(images()),
        "x has to hold numbers, all of them finite",
    ),
    Fault(
        "weights to be pruned hold nan",
        "NaN in weights",
        lambda world: compression.prune_mask(images(), 0.5),
        "weight has to hold numbers, all of them finite",
    ),
]

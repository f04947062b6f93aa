"""What DigitPad is given, checked; every refusal is a ValueError with the way out."""

import reprlib

import torch
from torch import nn

from course_utils._modes import device_of, evaluating
from course_utils.widgets.digit_pad import ink
from course_utils.widgets.digit_pad.network import network_description

MOST_EXAMPLES = 20


def read_classes(classes):
    """The words for the outputs, as a list."""
    try:
        words = [str(word) for word in classes]
    except TypeError:
        words = []
    if not 2 <= len(words) <= 20 or len(set(words)) < len(words):
        raise ValueError(
            f"classes={reprlib.repr(classes)} is not possible: give 2 to 20 different words, one "
            "for each output"
        )
    if wrong := [word for word in words if not 1 <= len(word.strip()) <= 12]:
        raise ValueError(f"class {wrong[0]!r} is not possible: give words of 1 to 12 letters")
    return words


def read_examples(examples):
    """The images to choose from, (N, 28, 28)."""
    if examples is None:
        return ink.example_digits()
    try:
        count = len(examples)
    except TypeError:
        count = -1
    if not 0 <= count <= MOST_EXAMPLES:
        shape = f" of shape {tuple(examples.shape)}" if isinstance(examples, torch.Tensor) else ""
        raise ValueError(
            f"examples{shape} is not possible: give at most {MOST_EXAMPLES} images, (N, 28, 28) or "
            "(N, 1, 28, 28), such as digits.test.images[:10]"
        )
    size = (ink.FIELD, ink.FIELD)
    images = [ink.as_picture(f"examples[{i}]", image, size) for i, image in enumerate(examples)]
    return torch.stack(images) if images else torch.empty(0, *size)


def check_source(model, predict):
    if model is not None and predict is not None:
        raise ValueError("model and predict are both given: give one of them")
    if predict is not None and not callable(predict):
        raise ValueError(
            f"predict={reprlib.repr(predict)} is not possible: give a function of an image "
            "(1, 1, 28, 28) that returns logits or probabilities"
        )


def describe(model, classes):
    """`network_description`, and a check that there is one output for each class."""
    if model is None:
        return {}, b""
    network, weights = network_description(model, (1, ink.FIELD, ink.FIELD))
    shape = tuple([network["input"], *(layer["shape"] for layer in network["layers"])][-1])
    if shape != (classes,):
        end = "nn.Flatten()" if len(shape) == 3 and shape[0] == classes else "a Linear layer"
        raise ValueError(
            f"the network turns an image into {shape}; it must return {classes} numbers, one for "
            f"each class: end it in {end} with {classes} outputs, or give as many classes"
        )
    return network, weights


def call(predict, image, classes):
    """What `predict` says of an image (28, 28), as logits (classes,).

    Raises ValueError where it returns something else, and whatever it raises itself.
    """
    batch = image.clone()[None, None]
    if isinstance(predict, nn.Module):
        with evaluating(predict):
            returned = predict(batch.to(device_of(predict)))
    else:
        with torch.no_grad():
            returned = predict(batch)
    wanted = f"return {classes} logits or probabilities, ({classes},) or (1, {classes})"
    try:
        scores = torch.as_tensor(returned).detach().to("cpu", torch.float32)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"it returned a {type(returned).__name__}; {wanted}") from None
    if tuple(scores.shape) not in ((classes,), (1, classes)):
        raise ValueError(f"it returned shape {tuple(scores.shape)}; {wanted}")
    scores = scores.flatten()
    if not scores.isfinite().all():
        raise ValueError(f"it returned a number that is not finite; {wanted}")
    if scores.min() >= 0 and abs(scores.sum().item() - 1) < 1e-3:
        return scores.clamp(min=1e-30).log()  # probabilities: softmax takes them back
    return scores

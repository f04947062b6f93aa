"""Lesson 12, exercise 4: Where a drawing stands."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later

REACHES = "lesson 12, 'What reaches the network'"


def _places(image):
    rows = torch.arange(image.shape[0], dtype=image.dtype)
    return rows, torch.arange(image.shape[1], dtype=image.dtype)


def _centre(image):
    total = image.sum().item()
    return tuple(value / total for value in not_divided(image))


mistake = Mistakes()
mistake.value(
    "swapped",
    lambda image: _centre(image)[::-1],
    "Row and column are swapped: first how far down, then how far to the right.",
)


@mistake("The sums are not divided by all of the ink.")
def not_divided(image):
    rows, columns = _places(image)
    return (image.sum(1) @ rows).item(), (image.sum(0) @ columns).item()


mistake.value(
    "counted_from_1",
    lambda image: tuple(value + 1 for value in _centre(image)),
    "Rows and columns are counted from 0.",
)
mistake.value(
    "unweighted",
    lambda image: tuple(image.nonzero().double().mean(0).tolist()),
    "Each pixel with ink counts the same. A pixel counts as much as it has ink.",
)


def _of_the_box(image):
    return tuple((places.min() + places.max()).item() / 2 for places in image.nonzero().T)


mistake.value(
    "box",
    _of_the_box,
    "That is the middle of the box around the ink. How much ink lies where matters too.",
)


mistake.value(
    "darkest_pixel",
    lambda image: divmod(image.argmax().item(), image.shape[1]),
    "That is the place of the pixel with the most ink. All pixels with ink count.",
)
mistake.value(
    "divided_by_pixels",
    lambda image: tuple(value / image.numel() for value in not_divided(image)),
    "The sums are divided by the number of pixels. Divide by the ink.",
)
mistake.value(
    "middle_of_the_picture",
    lambda image: tuple((n - 1) / 2 for n in image.shape),
    "That is the middle of the picture, wherever the ink is.",
)
mistake.value(
    "share_of_the_side",
    lambda image: tuple(value / n for value, n in zip(_centre(image), image.shape, strict=True)),
    "Those are shares of the picture's height and width. Give rows and columns.",
)
mistake.value(
    "whole_pixels",
    lambda image: tuple(round(value) for value in _centre(image)),
    "The answer is rounded. Keep the decimals: the centre may lie between pixels.",
)
mistake.value(
    "way_to_the_middle",
    lambda image: tuple(
        (n - 1) / 2 - value for value, n in zip(_centre(image), image.shape, strict=True)
    ),
    "That is how far the ink has to move to stand in the middle. Where does it stand?",
)


@later
def cases():
    return (
        Case((torch.tensor([[0.0, 0, 0.5], [0, 0, 0], [0, 0, 0]]),)),
        Case((torch.tensor([[0.0, 0.5, 0.5], [0, 0, 1.0]]),)),
        Case((torch.tensor([[0.25, 0, 0, 0, 0], [0, 0, 0, 1, 0.75], [0, 0, 0, 0, 0]]),)),
        Case((torch.arange(20.0).view(5, 4) / 20,)),
    )


centre_of_mass = Exercise(
    name="centre_of_mass",
    lesson=REACHES,
    reference=_centre,
    cases=cases,
    mistakes=mistake,
)

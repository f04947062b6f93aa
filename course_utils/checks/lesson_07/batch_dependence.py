"""Lesson 07, exercise 6: Who depends on whom."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later

COMPANY = "lesson 07, 'It learns, and cheats'"


class _Network:
    """A linear answer to each image, then something with the batch. Images of 2 × 2 only."""

    def __init__(self, says, weight, mix=lambda y: y):
        self.says, self.mix = says, mix
        self.weight = torch.tensor(weight)

    def __call__(self, images):
        return self.mix(images.flatten(1) @ self.weight)

    def __repr__(self):
        return f"<a network {self.says}>"


_PLAIN = ((1.0, 2.0), (0.5, -1.0), (2.0, 1.0), (1.0, 0.5))
_LOWER = tuple(tuple(-abs(w) for w in row) for row in _PLAIN)
_EDGES = ((1.0, 2.0), (-1.0, -2.0), (1.0, 2.0), (-1.0, -2.0))


def _images(n):
    return torch.rand(n, 1, 2, 2, generator=torch.Generator().manual_seed(n)) + 0.1


def _rows(network, images, of=lambda gradient: gradient.abs().sum((1, 2, 3)) > 0):
    """One row for each answer, made of the gradient of that answer."""
    rows = []
    for i in range(len(images)):
        x = images.clone().requires_grad_()
        network(x)[i].sum().backward()
        rows.append(of(x.grad))
    return torch.stack(rows)


def _changing(network, images, change):
    """One column for each image, made by changing that image."""
    before = network(images)
    columns = []
    for j in range(len(images)):
        changed = images.clone()
        changed[j] = change(changed[j])
        columns.append((network(changed) - before).abs().sum(1) > 1e-5)
    return torch.stack(columns, 1)


mistake = Mistakes()


@mistake(
    "A row also has what the rows before it had. `backward` adds to the gradient that is "
    "there: it has to be cleared for each answer, or taken with `torch.autograd.grad`."
)
def accumulated(network, images):
    x, rows = images.clone().requires_grad_(), []
    for i in range(len(images)):
        network(x)[i].sum().backward()
        rows.append(x.grad.abs().sum((1, 2, 3)) > 0)
    return torch.stack(rows)


mistake.value(
    "transposed",
    lambda network, images: _rows(network, images).T,
    "Rows and columns are swapped: row i is for the answer, column j for the image.",
)


@mistake(
    "All rows are the same: that is the gradient of the sum of all the answers. It says "
    "that an image matters, not to which answer."
)
def all_answers_at_once(network, images):
    x = images.clone().requires_grad_()
    network(x).sum().backward()
    return (x.grad.abs().sum((1, 2, 3)) > 0).repeat(len(images), 1)


mistake.value(
    "cancels",
    lambda network, images: _rows(network, images, lambda g: g.sum((1, 2, 3)).abs() > 1e-5),
    "It misses a network that compares pixels. There, gradients of opposite sign cancel "
    "when they are added up, and a number added to every pixel changes nothing. Take the "
    "size of each gradient first, or change an image at random.",
    also=(lambda network, images: _changing(network, images, lambda image: image + 1),),
)
mistake.value(
    "positive_only",
    lambda network, images: _rows(network, images, lambda g: g.sum((1, 2, 3)) > 1e-5),
    "A negative gradient is a dependence too.",
)
mistake.value(
    "own_image_only",
    lambda network, images: torch.eye(len(images), dtype=torch.bool),
    "Only the diagonal is True, for every network. Does the function ask the network at all?",
)
mistake.value(
    "everything",
    lambda network, images: torch.ones(len(images), len(images), dtype=torch.bool),
    "Everything is True, for every network.",
)
mistake.value(
    "turned_round",
    lambda network, images: ~_rows(network, images),
    "True and False are exchanged: True where the answer does depend on the image.",
)
mistake.value(
    "amounts",
    lambda network, images: _rows(network, images, lambda g: g.abs().sum((1, 2, 3))),
    "Those are the sizes of the gradients. True or False is asked for.",
    also=(lambda network, images: _rows(network, images, lambda g: g.abs().amax((1, 2, 3))),),
)
mistake.value(
    "pixels_kept",
    lambda network, images: _rows(network, images, lambda g: g.abs() > 0),
    "There is an answer for every pixel of image j. One is enough: does any of them matter?",
)


@mistake("There is one value for each answer. There should be one for each answer and each image.")
def one_for_each_answer(network, images):
    seen = _rows(network, images)
    return seen.any(1)


@later
def cases():
    return (
        Case((_Network("that looks at each image alone", _PLAIN), _images(2))),
        Case(
            (
                _Network("whose answer i looks at image i − 1", _PLAIN, lambda y: y.roll(1, 0)),
                _images(3),
            )
        ),
        Case((_Network("with negative weights", _LOWER), _images(3))),
        Case((_Network("that sees differences of pixels only", _EDGES), _images(3))),
        Case(
            (
                _Network("that subtracts the batch's mean", _PLAIN, lambda y: y - y.mean(0)),
                _images(3),
            )
        ),
        Case(
            (
                _Network("whose answer i adds up images 0 to i", _PLAIN, lambda y: y.cumsum(0)),
                _images(4),
            )
        ),
    )


batch_dependence = Exercise(
    name="batch_dependence",
    lesson=COMPANY,
    reference=_rows,
    cases=cases,
    mistakes=mistake,
)

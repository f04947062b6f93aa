"""Lesson 04, exercise 2: Back to the image, with a pencil."""

import torch
import torch.nn.functional as F

from course_utils import ops
from course_utils.checks.engine import Exercise, Mistakes, later

IMAGE = "lesson 04, 'To the image'"


def kernel():
    return torch.tensor([[1.0, 2], [3, 4]])


def gradient():
    return torch.tensor([[1.0, -1], [2, 0]])


def _laid(weight, grad_output):
    """The kernel laid down for every output cell, times its gradient."""
    return F.conv_transpose2d(grad_output[None, None], weight[None, None])[0, 0]


def _overwritten(order):
    grid = torch.zeros(3, 3)
    for i, j in order:
        grid[i : i + 2, j : j + 2] = gradient()[i, j] * kernel()
    return grid


_READING = [(0, 0), (0, 1), (1, 0), (1, 1)]


mistake = Mistakes()
mistake.value(
    "overwritten",
    later(lambda: _overwritten(_READING)),
    "Where copies overlap, only one of them is left. They have to be added.",
    also=(
        later(lambda: _overwritten(_READING[:3])),
        later(lambda: _overwritten(_READING[::-1])),
    ),
)
mistake.value(
    "flipped_kernel",
    later(lambda: _laid(kernel().flip(0, 1), gradient())),
    "The kernel was laid down turned by 180°. Each copy lies as it lay on the way forward.",
)
mistake.value(
    "gradients_ignored",
    later(lambda: _laid(kernel(), torch.ones(2, 2))),
    "Each copy counts once here. It has to be multiplied by the gradient of its cell.",
)
mistake.value(
    "sign_lost", later(lambda: _laid(kernel(), gradient().abs())), "The −1 was taken for 1."
)
mistake.value(
    "last_copy_counted",
    later(lambda: _laid(kernel(), torch.tensor([[1.0, -1], [2, 1]]))),
    "The copy at the bottom right was added once. Its gradient is 0.",
)
mistake.value(
    "transposed_gradient",
    later(lambda: _laid(kernel(), gradient().T)),
    "Two copies have changed places: y[0, 1] lies to the right of y[0, 0].",
)
mistake.value(
    "transposed_kernel",
    later(lambda: _laid(kernel().T, gradient())),
    "Rows and columns of the kernel are swapped.",
)
mistake.value(
    "turned_gradient",
    later(lambda: _laid(kernel(), gradient().flip(0, 1))),
    "The copies lie in the wrong corners: y[0, 0] came from the window at the upper left.",
)
mistake.value(
    "gradient_of_the_kernel",
    later(lambda: ops.conv2d(torch.arange(1.0, 10).reshape(1, 3, 3), gradient()[None, None])[0]),
    "That is dL/dW, the gradient of the kernel. The image has nine cells.",
)
mistake.value(
    "averaged",
    later(lambda: _laid(kernel(), gradient()) / torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]])),
    "The sums are divided by the number of copies. They stay sums.",
)


image_gradient_by_hand = Exercise(
    name="image_gradient_by_hand",
    lesson=IMAGE,
    reference=later(lambda: _laid(kernel(), gradient()).long()),
    mistakes=mistake,
)

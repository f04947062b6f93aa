"""Lesson 01, exercise 1: With a pencil."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Exercise, Mistakes, later

SLIDING = "lesson 01, 'Slide, multiply, add'"


def image():
    return torch.tensor([[2.0, 0, 1], [1, 3, 2], [0, 1, 4]])


def kernel():
    return torch.tensor([[1.0, -1], [2, 0]])


def _by_hand(x, weight):
    return F.conv2d(x[None, None], weight[None, None])[0, 0]


mistake = Mistakes()
mistake.value(
    "flipped_kernel",
    later(lambda: _by_hand(image(), kernel().flip(0, 1))),
    "The kernel was turned by 180°. Lay it on the image as it stands.",
)
mistake.value(
    "transposed_kernel",
    later(lambda: _by_hand(image(), kernel().T)),
    "Rows and columns of the kernel are swapped.",
)
mistake.value(
    "sign_lost",
    later(lambda: _by_hand(image(), kernel().abs())),
    "The −1 of the kernel was taken for 1.",
)
mistake.value(
    "kernel_ignored",
    later(lambda: _by_hand(image(), torch.ones(2, 2))),
    "The cells under the window were added without multiplying by the kernel.",
)
mistake.value(
    "matrix_product",
    later(
        lambda: torch.stack(
            [
                torch.stack([(image()[i : i + 2, j : j + 2] @ kernel()).sum() for j in (0, 1)])
                for i in (0, 1)
            ]
        )
    ),
    "That is a product of matrices. Multiply cell by cell instead.",
)
mistake.value(
    "one_output_only",
    later(lambda: image()[:2, :2] * kernel()),
    "Those are the four products of the first window. Their sum is one output number.",
)
mistake.value(
    "averaged",
    later(lambda: _by_hand(image(), kernel()) / 4),
    "The sum is not divided by the number of cells.",
)
mistake.value(
    "transposed_output",
    later(lambda: _by_hand(image(), kernel()).T),
    "The numbers are right, but rows and columns of the output are swapped.",
)


output_by_hand = Exercise(
    name="output_by_hand",
    lesson=SLIDING,
    reference=later(lambda: _by_hand(image(), kernel())),
    mistakes=mistake,
)

"""Lesson 11, exercise 5: A film of one row."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Exercise, Mistakes, later

FILM = "lesson 11, 'A film of one row'"


def strip():
    return torch.tensor([[2.0, 0, 0, 0, 0, 1], [2, 0, 0, 0, 1, 0], [2, 0, 0, 1, 0, 0]])


def motion():
    return torch.tensor([[1.0, -2], [-1, 2]])


def _film(x, weight):
    return F.conv2d(x[None, None], weight[None, None])[0, 0]


mistake = Mistakes()
mistake.value(
    "time_turned_around",
    later(lambda: _film(strip(), motion().flip(0))),
    "The rows of the kernel are swapped: its upper row lies on the earlier frame.",
)
mistake.value(
    "place_turned_around",
    later(lambda: _film(strip(), motion().flip(1))),
    "Left and right of the kernel are swapped.",
)
mistake.value(
    "flipped_kernel",
    later(lambda: _film(strip(), motion().flip(0, 1))),
    "The kernel was turned by 180°. Lay it on the film as it stands.",
)
mistake.value(
    "transposed_kernel",
    later(lambda: _film(strip(), motion().T)),
    "Rows and columns of the kernel are swapped. Down is time in the film and in it.",
)
mistake.value(
    "sign_lost",
    later(lambda: _film(strip(), motion().abs())),
    "The minus signs of the kernel were lost.",
)
mistake.value(
    "earlier_frame_only",
    later(lambda: _film(strip(), motion() * torch.tensor([[1.0], [0]]))),
    "Only the upper row of the kernel was used. It reads two frames at once.",
)
mistake.value(
    "later_frame_only",
    later(lambda: _film(strip(), motion() * torch.tensor([[0.0], [1]]))),
    "Only the lower row of the kernel was used. It reads two frames at once.",
)
mistake.value(
    "standing_dot_lost",
    later(lambda: strip()[1:, :-1] - strip()[:-1, :-1]),
    "That is the difference of two frames. The kernel also weighs the neighbour to the right.",
    also=(
        later(lambda: strip()[1:] - strip()[:-1]),
        later(lambda: strip()[1:, 1:] - strip()[:-1, 1:]),
    ),
)
mistake.value(
    "relu",
    later(lambda: _film(strip(), motion()).relu()),
    "Negative numbers became 0. That would be ReLU; here the convolution alone is asked for.",
)
mistake.value(
    "transposed_output",
    later(lambda: _film(strip(), motion()).T),
    "The numbers are right, but rows and columns of the output are swapped.",
)


film_by_hand = Exercise(
    name="film_by_hand",
    lesson=FILM,
    reference=later(lambda: _film(strip(), motion()).long()),
    mistakes=mistake,
)

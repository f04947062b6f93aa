"""Lesson 02, exercise 1: Four windows."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Exercise, Mistakes, later

LARGEST = "lesson 02, 'The largest of each window'"


def image():
    return torch.tensor(
        [[1.0, -3, 4, 2, 9], [-6, 0, 3, -7, 5], [-2, -4, -1, 6, 8], [-5, -8, 2, 1, 7]]
    )


def _by_hand(x, pool=F.max_pool2d, **options):
    return pool(x[None, None], 2, **options)[0, 0].tolist()


mistake = Mistakes()
mistake.value(
    "stride_one",
    later(lambda: _by_hand(image(), stride=1)),
    "The window moved by one cell. Without a stride it moves by its own width.",
)
mistake.value(
    "incomplete_window_kept",
    later(lambda: _by_hand(image(), ceil_mode=True)),
    "At the last column the window no longer fits, so that column is left out.",
)
mistake.value(
    "negative_taken_for_zero",
    later(lambda: _by_hand(image().relu())),
    "In one window every number is negative, and one of those is still the largest: 0 does "
    "not stand there.",
)
mistake.value(
    "largest_magnitude",
    later(lambda: _by_hand(image().abs())),
    "The signs were ignored: −6 is smaller than 1.",
)
mistake.value(
    "farthest_from_zero",
    [[-6, -7], [-8, 6]],
    "Those are the numbers farthest from 0. The largest is the one farthest to the right "
    "on the number line.",
)
mistake.value(
    "sign_lost", [[1, 4], [2, 6]], "−2 is the largest of its window, and its sign belongs to it."
)
mistake.value("minimum", [[-6, -7], [-8, -1]], "Those are the smallest numbers of the windows.")
mistake.value(
    "averaged",
    later(lambda: _by_hand(image(), F.avg_pool2d)),
    "Those are the averages. Keep the largest number of each window.",
)
mistake.value(
    "first_cell_kept",
    later(lambda: image()[::2, :4:2].tolist()),
    "Those are the top left cells of the windows. Compare all four cells of each.",
)
mistake.value(
    "started_at_the_second_column",
    later(lambda: _by_hand(image()[:, 1:])),
    "The first window starts in the corner. What does not fit is left out at the end.",
)
mistake.value(
    "transposed_output",
    later(lambda: torch.tensor(_by_hand(image())).T.tolist()),
    "The numbers are right, but rows and columns of the output are swapped.",
)
mistake.value(
    "one_window",
    9.0,
    "That is the largest number of the whole image. One is asked for from each window.",
)


max_pool_by_hand = Exercise(
    name="max_pool_by_hand",
    lesson=LARGEST,
    reference=later(lambda: _by_hand(image())),
    mistakes=mistake,
)

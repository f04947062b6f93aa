"""Lesson 03, exercise 2: Image to columns."""

import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole

COLUMNS = "lesson 03, 'Windows as columns'"


def _columns(x, kernel_size):
    return F.unfold(x[None], kernel_size)[0]


def _windows(x, kernel_size):
    """Every window: (C, H_out, W_out, K_h, K_w)."""
    return x.unfold(1, kernel_size[0], 1).unfold(2, kernel_size[1], 1)


mistake = Mistakes()
mistake.value(
    "windows_as_rows",
    lambda x, k: _columns(x, k).T,
    "Each window is a row here. It should be a column.",
)
mistake.value(
    "channels_last_in_a_column",
    lambda x, k: _windows(x, k).permute(3, 4, 0, 1, 2).flatten(0, 2).flatten(1),
    "Within a column the channels alternate. First comes the whole window of channel 0, "
    "then that of channel 1.",
)
mistake.value(
    "windows_column_by_column",
    lambda x, k: _windows(x, k).permute(0, 3, 4, 2, 1).flatten(3).flatten(0, 2),
    "The windows run down the image first. Reading order runs along a row first.",
)
mistake.value(
    "window_column_by_column",
    lambda x, k: _windows(x, k).permute(0, 4, 3, 1, 2).flatten(3).flatten(0, 2),
    "Within a window the numbers run down first. Write it out row by row.",
)
mistake.value(
    "last_window_forgotten",
    lambda x, k: _columns(x[:, :-1, :-1], k),
    "The last row and the last column of windows are missing: n − k + 1 windows fit.",
)
mistake.value(
    "first_channel_only",
    lambda x, k: _columns(x[:1], k),
    "Only the first channel is written out. A column holds the window in all channels.",
)
mistake.value(
    "channels_summed",
    lambda x, k: _columns(x.sum(0, keepdim=True), k),
    "The channels are added up. They stand below one another; the sum comes later, with "
    "the weights.",
)
mistake.value(
    "windows_side_by_side",
    lambda x, k: F.unfold(x[None], k, stride=k)[0],
    "The window moves by its own width. Here the stride is 1: windows overlap.",
)
mistake.value(
    "kernel_height_and_width_exchanged",
    lambda x, k: _columns(x, (k[1], k[0])),
    "Height and width of the kernel are exchanged.",
)
mistake.value(
    "reshaped_only",
    lambda x, k: _columns(x, k).T.reshape(x.shape[0] * k[0] * k[1], -1),
    "The numbers are right, but in the wrong cells. `reshape` does not exchange rows "
    "and columns: set the windows side by side with `torch.stack(…, dim=1)`.",
)


@later
def cases():
    return (
        Case((whole(1, 3, 4, seed=1, low=-9), (2, 2))),
        Case((whole(2, 3, 3, seed=2, low=-9), (2, 2))),
        Case((whole(1, 4, 5, seed=3, low=-9), (3, 2))),
        Case((whole(3, 5, 4, seed=4, low=-9), (2, 3))),
        Case((whole(2, 6, 7, seed=5, low=-9).float(), (1, 4))),
    )


im2col = Exercise(
    name="im2col",
    lesson=COLUMNS,
    reference=_columns,
    cases=cases,
    mistakes=mistake,
)

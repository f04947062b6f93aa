"""The exercises of lesson 03 in which a layer is written: im2col, 1 × 1, transposed."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistake

COLUMNS = "lesson 03, 'Windows as columns'"
POINTWISE = "lesson 03, 'One by one'"
BACK_UP = "lesson 03, 'The way back up'"


def _numbers(*shape, seed=0):
    """Small whole numbers, so that faults can be followed with a pencil."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-9, 10, shape, generator=generator).double()


# ---- im2col -------------------------------------------------------------------------------------


def _columns(x, kernel_size):
    return F.unfold(x[None], kernel_size)[0]


def _windows(x, kernel_size):
    """Every window: (C, H_out, W_out, K_h, K_w)."""
    return x.unfold(1, kernel_size[0], 1).unfold(2, kernel_size[1], 1)


im2col = Exercise(
    name="im2col",
    lesson=COLUMNS,
    reference=_columns,
    cases=(
        Case((_numbers(1, 3, 4, seed=1), (2, 2))),
        Case((_numbers(2, 3, 3, seed=2), (2, 2))),
        Case((_numbers(1, 4, 5, seed=3), (3, 2))),
        Case((_numbers(3, 5, 4, seed=4), (2, 3))),
        Case((_numbers(2, 6, 7, seed=5).float(), (1, 4))),
    ),
    mistakes=(
        Mistake(
            "windows_as_rows",
            lambda x, k: _columns(x, k).T,
            "Each window is a row here. It should be a column.",
        ),
        Mistake(
            "channels_last_in_a_column",
            lambda x, k: _windows(x, k).permute(3, 4, 0, 1, 2).flatten(0, 2).flatten(1),
            "Within a column the channels alternate. First comes the whole window of channel 0, "
            "then that of channel 1.",
        ),
        Mistake(
            "windows_column_by_column",
            lambda x, k: _windows(x, k).permute(0, 3, 4, 2, 1).flatten(3).flatten(0, 2),
            "The windows run down the image first. Reading order runs along a row first.",
        ),
        Mistake(
            "window_column_by_column",
            lambda x, k: _windows(x, k).permute(0, 4, 3, 1, 2).flatten(3).flatten(0, 2),
            "Within a window the numbers run down first. Write it out row by row.",
        ),
        Mistake(
            "last_window_forgotten",
            lambda x, k: _columns(x[:, :-1, :-1], k),
            "The last row and the last column of windows are missing: n − k + 1 windows fit.",
        ),
        Mistake(
            "first_channel_only",
            lambda x, k: _columns(x[:1], k),
            "Only the first channel is written out. A column holds the window in all channels.",
        ),
        Mistake(
            "channels_summed",
            lambda x, k: _columns(x.sum(0, keepdim=True), k),
            "The channels are added up. They stand below one another; the sum comes later, with "
            "the weights.",
        ),
        Mistake(
            "windows_side_by_side",
            lambda x, k: F.unfold(x[None], k, stride=k)[0],
            "The window moves by its own width. Here the stride is 1: windows overlap.",
        ),
        Mistake(
            "kernel_height_and_width_exchanged",
            lambda x, k: _columns(x, (k[1], k[0])),
            "Height and width of the kernel are exchanged.",
        ),
        Mistake(
            "reshaped_only",
            lambda x, k: _columns(x, k).T.reshape(x.shape[0] * k[0] * k[1], -1),
            "The numbers are right, but in the wrong cells. `reshape` does not exchange rows "
            "and columns: set the windows side by side with `torch.stack(…, dim=1)`.",
        ),
    ),
)


# ---- 1 × 1 --------------------------------------------------------------------------------------


def _mix(x, weight):
    return torch.einsum("oc,nchw->nohw", weight, x)


pointwise = Exercise(
    name="pointwise",
    lesson=POINTWISE,
    reference=_mix,
    cases=(
        Case((_numbers(1, 2, 1, 2, seed=1), _numbers(1, 2, seed=2))),
        Case((_numbers(1, 2, 2, 3, seed=3), _numbers(2, 2, seed=4))),
        Case((_numbers(2, 3, 3, 2, seed=5), _numbers(4, 3, seed=6))),
        Case((_numbers(3, 4, 4, 4, seed=7).float(), _numbers(4, 4, seed=8).float())),
    ),
    mistakes=(
        Mistake(
            "weight_transposed",
            lambda x, w: _mix(x, w.T if w.shape[0] == w.shape[1] else w),
            "The weight is applied transposed: its rows are the output channels.",
            also=(lambda x, w: _mix(x, w.T.reshape(w.shape)),),
        ),
        Mistake(
            "channels_last",
            lambda x, w: _mix(x, w).permute(0, 2, 3, 1),
            "The channels stand last. PyTorch keeps them second: (N, C, H, W).",
        ),
        Mistake(
            "rows_and_columns_exchanged",
            lambda x, w: _mix(x, w).transpose(2, 3),
            "Rows and columns of the picture are exchanged.",
        ),
        Mistake(
            "cells_in_the_wrong_order",
            lambda x, w: (x.flatten(2).transpose(1, 2) @ w.T).reshape(_mix(x, w).shape),
            "The numbers are right, but in the wrong cells: `reshape` does not bring the channels "
            "back in front of the pixels. `transpose` or `permute` does.",
        ),
        Mistake(
            "pixels_scrambled_first",
            lambda x, w: _mix(
                x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, x.shape[1]).reshape(x.shape), w
            ),
            "The pixels were rearranged before the product. `x.flatten(2)` keeps each image's "
            "channels as rows.",
        ),
        Mistake(
            "one_channel_only",
            lambda x, w: _mix(x[:, :1], w[:, :1]),
            "Only the first input channel is used. Each output is a sum over all of them.",
        ),
        Mistake(
            "averaged",
            lambda x, w: _mix(x, w) / w.shape[1],
            "The sum over the channels is divided by their number. A convolution adds up.",
        ),
        Mistake(
            "outputs_summed",
            lambda x, w: _mix(x, w).sum(1, keepdim=True).expand(_mix(x, w).shape),
            "The output channels are added up. Each row of the weight gives a channel of its own.",
        ),
        Mistake(
            "activation_added",
            lambda x, w: _mix(x, w).relu(),
            "Negative sums became 0. The activation is a layer of its own.",
        ),
        Mistake(
            "batch_summed",
            lambda x, w: _mix(x, w).sum(0, keepdim=True),
            "The images of the batch are added up. Each keeps to itself.",
        ),
        Mistake(
            "one_image_for_all",
            lambda x, w: _mix(x[:1], w).expand(x.shape[0], -1, -1, -1),
            "Every image gives the answer of the first one.",
        ),
    ),
)


# ---- transposed ---------------------------------------------------------------------------------


def _lay(x, weight, stride=1):
    return F.conv_transpose2d(x[None, None], weight[None, None], stride=stride)[0, 0]


def _overwritten(x, weight, stride=1):
    out = _lay(torch.zeros_like(x), weight, stride)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            rows = slice(i * stride, i * stride + weight.shape[0])
            cols = slice(j * stride, j * stride + weight.shape[1])
            out[rows, cols] = x[i, j] * weight
    return out


def _convolved_with_zeros(x, weight, stride=1):
    spread = _lay(x, torch.ones_like(weight[:1, :1]), stride)
    borders = [n - 1 for n in weight.shape]
    return F.conv2d(spread[None, None], weight[None, None], padding=borders)[0, 0]


transposed_plane = Exercise(
    name="transposed_plane",
    lesson=BACK_UP,
    reference=_lay,
    cases=(
        Case((_numbers(1, 2, seed=11), _numbers(1, 2, seed=12))),
        Case((_numbers(2, 2, seed=13), _numbers(2, 2, seed=14))),
        Case((_numbers(2, 3, seed=15), _numbers(3, 2, seed=16)), {"stride": 2}),
        Case((_numbers(3, 2, seed=17), _numbers(2, 2, seed=18)), {"stride": 3}),
        Case((_numbers(4, 3, seed=19).float(), _numbers(2, 4, seed=20).float()), {"stride": 2}),
    ),
    mistakes=(
        Mistake(
            "overwritten",
            _overwritten,
            "Where copies overlap, the later one has replaced the earlier. They add up: `+=`.",
        ),
        Mistake(
            "stride_ignored",
            lambda x, w, stride=1: F.pad(
                _lay(x, w),
                [0, (x.shape[1] - 1) * (stride - 1), 0, (x.shape[0] - 1) * (stride - 1)],
            ),
            "All copies lie one cell apart. They begin `stride` cells apart.",
            also=(lambda x, w, stride=1: _lay(x, w),),
        ),
        Mistake(
            "kernel_turned",
            lambda x, w, stride=1: _lay(x, w.flip(0, 1), stride),
            "The copies are turned by 180°. They are laid down as the kernel stands.",
            also=(_convolved_with_zeros,),
        ),
        Mistake(
            "kernel_transposed",
            lambda x, w, stride=1: _lay(x, w.T if w.shape[0] == w.shape[1] else w, stride),
            "The kernel's rows became columns. What is transposed is the large matrix, not the "
            "kernel.",
        ),
        Mistake(
            "not_multiplied",
            lambda x, w, stride=1: _lay(torch.ones_like(x), w, stride),
            "The copies are all the same. Each is multiplied by its input number.",
        ),
        Mistake(
            "added_instead_of_multiplied",
            lambda x, w, stride=1: (
                _lay(torch.ones_like(x), w, stride) + _lay(x, torch.ones_like(w), stride)
            ),
            "The input number is added to the kernel. It multiplies it.",
        ),
        Mistake(
            "last_copy_forgotten",
            lambda x, w, stride=1: _lay(
                torch.cat([x.flatten()[:-1], x.new_zeros(1)]).view(x.shape), w, stride
            ),
            "The copy of the last input cell is missing: `range(n)` already ends before n.",
        ),
        Mistake(
            "too_small",
            lambda x, w, stride=1: _lay(x, w, stride)[: x.shape[0] * stride, : x.shape[1] * stride],
            "The output is too small: the last copy hangs over by more than that.",
        ),
        Mistake(
            "too_large",
            lambda x, w, stride=1: F.pad(_lay(x, w, stride), [0, stride, 0, stride]),
            "The output is too large. The last copy begins at (H − 1) · stride.",
            also=(lambda x, w, stride=1: F.pad(_lay(x, w, stride), [0, 1, 0, 1]),),
        ),
        Mistake(
            "plain_convolution",
            lambda x, w, stride=1: F.conv2d(
                x[None, None], w[None, None], stride=stride, padding=[n - 1 for n in w.shape]
            )[0, 0],
            "That is a padded convolution of the input: the window gathers. Here each input number "
            "is spread out.",
        ),
        Mistake(
            "averaged",
            lambda x, w, stride=1: (
                _lay(x, w, stride) / _lay(torch.ones_like(x), torch.ones_like(w), stride).clamp(1)
            ),
            "Where copies overlap, their mean is taken. They add up.",
        ),
    ),
)

"""Lesson 03, exercise 4: One by one."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole

POINTWISE = "lesson 03, 'One by one'"


def _mix(x, weight):
    return torch.einsum("oc,nchw->nohw", weight, x)


mistake = Mistakes()
mistake.value(
    "weight_transposed",
    lambda x, w: _mix(x, w.T if w.shape[0] == w.shape[1] else w),
    "The weight is applied transposed: its rows are the output channels.",
    also=(lambda x, w: _mix(x, w.T.reshape(w.shape)),),
)
mistake.value(
    "channels_last",
    lambda x, w: _mix(x, w).permute(0, 2, 3, 1),
    "The channels stand last. PyTorch keeps them second: (N, C, H, W).",
)
mistake.value(
    "rows_and_columns_exchanged",
    lambda x, w: _mix(x, w).transpose(2, 3),
    "Rows and columns of the picture are exchanged.",
)
mistake.value(
    "cells_in_the_wrong_order",
    lambda x, w: (x.flatten(2).transpose(1, 2) @ w.T).reshape(_mix(x, w).shape),
    "The numbers are right, but in the wrong cells: `reshape` does not bring the channels "
    "back in front of the pixels. `transpose` or `permute` does.",
)
mistake.value(
    "pixels_scrambled_first",
    lambda x, w: _mix(
        x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, x.shape[1]).reshape(x.shape), w
    ),
    "The pixels were rearranged before the product. `x.flatten(2)` keeps each image's "
    "channels as rows.",
)
mistake.value(
    "one_channel_only",
    lambda x, w: _mix(x[:, :1], w[:, :1]),
    "Only the first input channel is used. Each output is a sum over all of them.",
)
mistake.value(
    "averaged",
    lambda x, w: _mix(x, w) / w.shape[1],
    "The sum over the channels is divided by their number. A convolution adds up.",
)
mistake.value(
    "outputs_summed",
    lambda x, w: _mix(x, w).sum(1, keepdim=True).expand(_mix(x, w).shape),
    "The output channels are added up. Each row of the weight gives a channel of its own.",
)
mistake.value(
    "activation_added",
    lambda x, w: _mix(x, w).relu(),
    "Negative sums became 0. The activation is a layer of its own.",
)
mistake.value(
    "batch_summed",
    lambda x, w: _mix(x, w).sum(0, keepdim=True),
    "The images of the batch are added up. Each keeps to itself.",
)
mistake.value(
    "one_image_for_all",
    lambda x, w: _mix(x[:1], w).expand(x.shape[0], -1, -1, -1),
    "Every image gives the answer of the first one.",
)


@later
def cases():
    return (
        Case((whole(1, 2, 1, 2, seed=1, low=-9), whole(1, 2, seed=2, low=-9))),
        Case((whole(1, 2, 2, 3, seed=3, low=-9), whole(2, 2, seed=4, low=-9))),
        Case((whole(2, 3, 3, 2, seed=5, low=-9), whole(4, 3, seed=6, low=-9))),
        Case((whole(3, 4, 4, 4, seed=7, low=-9).float(), whole(4, 4, seed=8, low=-9).float())),
    )


pointwise = Exercise(
    name="pointwise",
    lesson=POINTWISE,
    reference=_mix,
    cases=cases,
    mistakes=mistake,
)

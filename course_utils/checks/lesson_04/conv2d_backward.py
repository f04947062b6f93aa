"""Lesson 04, exercise 3: Your own backward pass."""

import torch
import torch.nn.functional as F

from course_utils import ops
from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole

CONVOLUTION = "lesson 04, 'Back through a convolution'"


def _conv(x, weight, grad_output, stride=1):
    return ops.conv2d_backward(x, weight, grad_output, stride)


def _x(*args):
    return _conv(*args)[0]


def _weight(*args):
    return _conv(*args)[1]


def _bias(*args):
    return _conv(*args)[2]


def _with(grad_x=_x, grad_weight=_weight, grad_bias=_bias):
    """The right gradients but for a part, computed by a function of the same arguments."""

    def answer(x, weight, grad_output, stride=1):
        parts = (grad_x, grad_weight, grad_bias)
        return tuple(part(x, weight, grad_output, stride) for part in parts)

    return answer


def _in_loops(x, weight, grad_output, step, overwrite=False):
    """grad_x and grad_weight with a wrong step, or with `=` in the place of `+=`."""
    grad_x, grad_weight = torch.zeros_like(x), torch.zeros_like(weight)
    for i in range(grad_output.shape[2]):
        for j in range(grad_output.shape[3]):
            rows = slice(i * step, i * step + weight.shape[2])
            columns = slice(j * step, j * step + weight.shape[3])
            window = x[:, None, :, rows, columns]
            grad = grad_output[:, :, i, j, None, None, None]
            keep = 0 if overwrite else 1
            grad_x[:, :, rows, columns] = keep * grad_x[:, :, rows, columns] + (grad * weight).sum(
                1
            )
            grad_weight.mul_(keep).add_((grad * window).sum(0))
    return grad_x, grad_weight


def _last_row_lost(x, weight, grad_output, stride):
    shorter = grad_output.clone()
    shorter[:, :, -1], shorter[..., -1] = 0, 0
    return _conv(x, weight, shorter, stride)


def _without_stride(turn):
    """grad_x as one convolution of a padded grad_output, which is right without a stride only."""

    def grad_x(x, weight, grad_output, stride):
        sides = [k - 1 for k in weight.shape[:1:-1] for _ in (0, 1)]
        kernel = weight.flip(2, 3) if turn else weight
        return F.conv2d(F.pad(grad_output, sides), kernel.transpose(0, 1))

    return grad_x


def _weight_without_stride(x, weight, grad_output, stride):
    return F.conv2d(x.transpose(0, 1), grad_output.transpose(0, 1)).transpose(0, 1)


def _overwritten(part):
    return lambda x, w, g, s: _in_loops(x, w, g, s, overwrite=True)[part]


def _small_steps(part):
    return lambda x, w, g, s: _in_loops(x, w, g, 1)[part]


def _no_gradient(part):
    return lambda x, w, g, s: _conv(x, w, torch.ones_like(g), s)[part]


mistake = Mistakes()
mistake.value(
    "overlaps_overwritten",
    _with(grad_x=_overwritten(0)),
    "Where windows overlap in grad_x, only the last one is left. They have to be added up.",
    also=(_with(grad_x=_overwritten(0), grad_weight=_overwritten(1)),),
)
mistake.value(
    "last_window_only",
    _with(grad_weight=_overwritten(1)),
    "grad_weight comes from the last window alone: every window adds its part.",
)
mistake.value(
    "flipped_kernel",
    _with(grad_x=lambda x, w, g, s: _x(x, w.flip(2, 3), g, s)),
    "In grad_x the kernel lies turned by 180°. Each output cell lays it back as it lay on "
    "the way forward.",
    also=(
        _with(grad_x=_without_stride(turn=False)),
        _with(_without_stride(turn=False), _weight_without_stride),
    ),
)
mistake.value(
    "grad_weight_turned",
    _with(grad_weight=lambda *args: _weight(*args).flip(2, 3)),
    "grad_weight is turned by 180°: weight (0, 0) meets the upper left of each window.",
)
mistake.value(
    "bias_averaged",
    _with(grad_bias=lambda x, w, g, s: g.mean((0, 2, 3))),
    "grad_bias is a mean. The bias is added to every cell, and what comes back is summed.",
    also=(_with(grad_bias=lambda x, w, g, s: g.sum((2, 3)).mean(0)),),
)
mistake.value(
    "bias_per_image",
    _with(grad_bias=lambda x, w, g, s: g.sum((2, 3))),
    "grad_bias has a row for each image. All images share the bias: sum over them too.",
)
mistake.value(
    "bias_in_one_number",
    _with(grad_bias=lambda x, w, g, s: g.sum()),
    "grad_bias is one number. Every output channel has a bias of its own.",
    also=(_with(grad_bias=lambda x, w, g, s: g.sum().reshape(1)),),
)
mistake.value(
    "cells_counted",
    _with(grad_bias=_no_gradient(2)),
    "grad_bias counts the cells. Sum what comes back to them from behind.",
)
mistake.value(
    "grad_output_ignored",
    _with(_no_gradient(0), _no_gradient(1), _no_gradient(2)),
    "`grad_output` plays no part: multiply every window by the gradient of its cell.",
    also=(
        _with(_no_gradient(0), _no_gradient(1)),
        _with(_no_gradient(0)),
        _with(grad_weight=_no_gradient(1)),
    ),
)
mistake.value(
    "stride_ignored",
    _with(_small_steps(0), _small_steps(1)),
    "The stride is ignored: the window of cell (i, j) begins in row i · stride.",
    also=(
        _with(_small_steps(0)),
        _with(grad_weight=_small_steps(1)),
        _with(_without_stride(turn=True)),
        _with(_without_stride(turn=True), _weight_without_stride),
    ),
)
mistake.value(
    "first_kernel_only",
    _with(grad_x=lambda x, w, g, s: _x(x, w[:1], g[:, :1], s)),
    "grad_x hears of the first output channel only. Every output channel saw the image.",
    also=(_with(grad_x=lambda x, w, g, s: _x(x, w[-1:], g[:, -1:], s)),),
)
mistake.value(
    "one_image_only",
    _with(
        grad_weight=lambda x, w, g, s: _weight(x[:1], w, g[:1], s),
        grad_bias=lambda x, w, g, s: _bias(x[:1], w, g[:1], s),
    ),
    "grad_weight comes from one image of the batch. All images used the kernel: add up.",
    also=(
        _with(grad_weight=lambda x, w, g, s: _weight(x[:1], w, g[:1], s)),
        _with(grad_weight=lambda x, w, g, s: _weight(x[-1:], w, g[-1:], s)),
    ),
)
mistake.value(
    "batch_averaged",
    _with(grad_weight=lambda x, w, g, s: _weight(x, w, g, s) / len(x)),
    "grad_weight is averaged over the images. Gradients add up; if the loss is a mean, "
    "`grad_output` knows it already.",
)
mistake.value(
    "first_channel_only",
    _with(
        grad_x=lambda x, w, g, s: (
            _x(x, w[:, :1], g, s) if w.shape[1] == 1 else _x(x, w[:, :1].expand_as(w), g, s)
        )
    ),
    "Every input channel of grad_x gets the first plane of the kernel: each has its own.",
)
mistake.value(
    "last_window_lost",
    _with(
        lambda *args: _last_row_lost(*args)[0],
        lambda *args: _last_row_lost(*args)[1],
    ),
    "The last row and column of `grad_output` are left out: `range` stops before its end.",
)
mistake.value(
    "order_swapped",
    lambda x, w, g, stride=1: tuple(_conv(x, w, g, stride)[i] for i in (1, 0, 2)),
    "The order is grad_x, grad_weight, grad_bias.",
)


@later
def cases():
    image = torch.arange(1.0, 10).reshape(1, 1, 3, 3).double()
    kernel = torch.tensor([[1.0, 2], [3, 4]]).reshape(1, 1, 2, 2).double()
    gradient = torch.tensor([[1.0, -1], [2, 0]]).reshape(1, 1, 2, 2).double()
    return (
        Case((image, kernel, gradient)),
        Case((whole(1, 1, 3, 4, seed=0), whole(1, 1, 2, 3, seed=1), whole(1, 1, 2, 2, seed=2))),
        Case((whole(1, 2, 3, 3, seed=0), whole(1, 2, 2, 2, seed=3), whole(1, 1, 2, 2, seed=4))),
        Case((whole(1, 1, 3, 3, seed=0), whole(2, 1, 2, 2, seed=5), whole(1, 2, 2, 2, seed=6))),
        Case((whole(2, 1, 3, 3, seed=0), whole(1, 1, 2, 2, seed=7), whole(2, 1, 2, 2, seed=8))),
        Case(
            (whole(1, 1, 5, 4, seed=0), whole(1, 1, 3, 2, seed=9), whole(1, 1, 2, 2, seed=10)),
            {"stride": 2},
        ),
        Case(
            (whole(2, 3, 6, 5, seed=0), whole(4, 3, 3, 2, seed=11), whole(2, 4, 2, 2, seed=12)),
            {"stride": 2},
        ),
        Case(
            (
                whole(1, 2, 5, 4, seed=0).float(),
                whole(3, 2, 2, 2, seed=13).float(),
                whole(1, 3, 4, 3, seed=14).float(),
            )
        ),
    )


conv2d_backward = Exercise(
    name="conv2d_backward",
    lesson=CONVOLUTION,
    reference=_conv,
    cases=cases,
    mistakes=mistake,
)

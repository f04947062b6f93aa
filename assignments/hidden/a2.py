"""A2 · Gradients, a tool and a backward pass: what the students never see."""

import itertools

import torch
import torch.nn.functional as F

from course_utils.checks import Case, Exercise, Mistake

PROOF = "lesson 04, 'The proof: finite differences'"
POOLING = "lesson 04, 'Back through ReLU and pooling'"

# Whoever calls one of these has not written a backward pass.
AUTOGRAD = ("run_backward", "_make_dual")


def _numbers(*shape, seed=0):
    """Small whole numbers, so that faults can be followed with a pencil."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-4, 10, shape, generator=generator).double()


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


# ---- task 3: a gradient by nudges ---------------------------------------------------------------


def _cells(x):
    return itertools.product(*(range(size) for size in x.shape))


def _by_nudges(slope):
    """Every cell of the gradient is slope(at, eps, cell); at(h) is f with the cell nudged by h."""

    def answer(f, x, eps=1e-6):
        grad = torch.zeros_like(x)
        for place in _cells(x):

            def at(nudge, place=place):
                nudged = x.clone()
                nudged[place] += nudge
                return f(nudged)

            grad[place] = slope(at, eps, x[place])
        return grad

    return answer


_central = _by_nudges(lambda at, h, cell: (at(h) - at(-h)) / (2 * h))


def _numerical_gradient(f, x, eps=1e-6):
    return _central(f, x, eps)


def _with_eps(fixed):
    return lambda f, x, eps=1e-6: _central(f, x, fixed)


def _all_at_once(f, x, eps=1e-6):
    return (f(x + eps) - f(x - eps)) / (2 * eps)


def _rows(f, x, eps=1e-6):
    grad = torch.zeros_like(x)
    for row in range(len(x)):
        up, down = x.clone(), x.clone()
        up[row] += eps
        down[row] -= eps
        grad[row] = (f(up) - f(down)) / (2 * eps)
    return grad


def _nudges_stay(f, x, eps=1e-6):
    grad, nudged = torch.zeros_like(x), x.clone()
    for place in _cells(x):
        nudged[place] += eps
        up = f(nudged)
        nudged[place] -= 2 * eps
        grad[place] = (up - f(nudged)) / (2 * eps)
    return grad


def _up_from_down(f, x, eps=1e-6):
    grad = torch.zeros_like(x)
    for place in _cells(x):
        nudged = x.clone()
        nudged[place] += eps
        up = f(nudged)
        nudged[place] -= eps
        grad[place] = (up - f(nudged)) / (2 * eps)
    return grad


def _one_cell(which):
    def answer(f, x, eps=1e-6):
        right, grad = _central(f, x, eps), torch.zeros_like(x)
        grad.view(-1)[which] = right.view(-1)[which]
        return grad

    return answer


# Plain functions without closures, so that they can be sent to where the student's code runs.
def _squares(x):
    return (x**2).sum()


def _cubes(x):
    return (x**3).sum()


def _product(x):
    return x.prod()


def _neighbours(x):
    return (x * x.flip(-1)).sum() + (x[0] * x[1]).sum()


def _waves(x):
    return torch.sin(x).sum() * torch.cos(x[0, 0])


def _convolved(x):
    return (F.conv2d(x, torch.ones(1, 2, 2, 2, dtype=x.dtype)) ** 2).sum()


_WAVES = torch.tensor([[0.3, -1.1], [0.7, 0.1]], dtype=torch.float64)
_EXPECTED = _WAVES.cos() * torch.cos(_WAVES[0, 0])
_EXPECTED[0, 0] -= _WAVES.sin().sum() * torch.sin(_WAVES[0, 0])

# Where eps is a power of two and the numbers are short, no style of writing rounds anything.
numerical_gradient = Exercise(
    name="numerical_gradient",
    lesson=PROOF,
    reference=_numerical_gradient,
    hidden=True,
    without=AUTOGRAD,
    cases=(
        Case((_squares, torch.tensor([3.0]).double()), {"eps": 0.5}),
        Case((_cubes, torch.tensor([1.0, -2]).double()), {"eps": 0.5}),
        Case((_product, torch.tensor([2.0, -3, 0.5]).double()), {"eps": 0.25}),
        Case((_neighbours, _numbers(2, 3, seed=1)), {"eps": 0.125}),
        Case((_waves, _WAVES), {}, _EXPECTED.tolist()),
        Case((_convolved, _numbers(1, 2, 3, 2, seed=2)), {"eps": 2.0**-6}),
        Case((_cubes, torch.tensor([[1.0, -2], [0.5, 4]])), {"eps": 0.25}),
        Case((_cubes, torch.tensor(4.0).double()), {"eps": 0.5}),
    ),
    mistakes=(
        Mistake(
            "one_sided",
            _by_nudges(lambda at, h, cell: (at(h) - at(0)) / h),
            "There is one nudge only, so the bend of the curve is felt. Nudge to both sides.",
            also=(_by_nudges(lambda at, h, cell: (at(0) - at(-h)) / h),),
        ),
        Mistake(
            "divided_by_eps",
            _by_nudges(lambda at, h, cell: (at(h) - at(-h)) / h),
            "The gradient is twice as large as it should be: how far apart are the two nudges?",
        ),
        Mistake(
            "one_nudge_too_wide",
            _by_nudges(lambda at, h, cell: (at(h) - at(0)) / (2 * h)),
            "Only one side is nudged, but the difference is divided as if both were.",
            also=(_by_nudges(lambda at, h, cell: (at(0) - at(-h)) / (2 * h)),),
        ),
        Mistake(
            "not_divided",
            _by_nudges(lambda at, h, cell: at(h) - at(-h)),
            "That is how far f moves. A slope is how far it moves for each step of x.",
        ),
        Mistake(
            "precedence",
            _by_nudges(lambda at, h, cell: (at(h) - at(-h)) / 2 * h),
            "`/ 2 * eps` divides by 2 and then multiplies by eps.",
        ),
        Mistake(
            "sign_turned",
            _by_nudges(lambda at, h, cell: (at(-h) - at(h)) / (2 * h)),
            "The sign is turned: a gradient is positive where f grows with x.",
        ),
        Mistake(
            "added",
            _by_nudges(lambda at, h, cell: (at(h) + at(-h)) / (2 * h)),
            "The two values of f are added. What counts is how they differ.",
        ),
        Mistake(
            "eps_ignored",
            _with_eps(1e-6),
            "The argument eps is ignored: the nudges always have the same size.",
            also=(_with_eps(1e-5), _with_eps(1e-4), _with_eps(1e-3)),
        ),
        Mistake(
            "all_at_once",
            lambda f, x, eps=1e-6: torch.zeros_like(x) + _all_at_once(f, x, eps),
            "All cells are nudged at the same time. One after the other, each has its own slope.",
            also=(_all_at_once,),
        ),
        Mistake(
            "rows_not_cells",
            _rows,
            "Whole rows are nudged at once. Every cell needs nudges of its own.",
        ),
        Mistake(
            "nudges_stay",
            _nudges_stay,
            "A nudge is not taken back before the next cell has its turn.",
        ),
        Mistake(
            "relative_nudge",
            _by_nudges(lambda at, h, cell: (at(h * cell) - at(-h * cell)) / (2 * h)),
            "The nudges grow with the number that is nudged. Each should be eps.",
            also=(_by_nudges(lambda at, h, cell: (at(h * cell) - at(-h * cell)) / (2 * h * cell)),),
        ),
        Mistake(
            "half_a_nudge",
            _by_nudges(lambda at, h, cell: (at(h / 2) - at(-h / 2)) / h),
            "Each nudge is half of eps. It should be eps up and eps down.",
        ),
        Mistake(
            "wrong_kind_of_size",
            _by_nudges(lambda at, h, cell: ((at(h) - at(-h)) / (2 * h)).abs()),
            "The signs are lost. A slope can be negative.",
        ),
        Mistake(
            "one_cell_only",
            _one_cell(0),
            "Only one cell has a gradient: does the function return inside its loop?",
            also=(_one_cell(-1),),
        ),
        Mistake(
            "nothing_moved",
            lambda f, x, eps=1e-6: torch.zeros_like(x),
            "The gradient is 0 everywhere: the nudges do not reach what f is called with.",
        ),
        Mistake(
            "flattened",
            lambda f, x, eps=1e-6: _central(f, x, eps).flatten(),
            "The numbers are in one row. The gradient has the shape of x.",
        ),
    ),
)


# ---- task 4: back through an average pooling ----------------------------------------------------


def _spread(share=lambda k: 1 / k**2, step=None, add=True, only=None, rows=None):
    """Every output cell hands `share` of its gradient to each cell of its window.

    step: the stride that is used. add: or else a window overwrites what was there. only: how wide
    the part of the window is that gets something. rows: how many rows and columns of output count.
    """

    def answer(grad_output, x_shape, kernel_size, stride):
        grad_x = torch.zeros(x_shape, dtype=grad_output.dtype)
        move, width = step(kernel_size, stride) if step else stride, only or kernel_size
        for i in range(grad_output.shape[2])[:rows]:
            for j in range(grad_output.shape[3])[:rows]:
                window = grad_x[:, :, i * move :, j * move :][:, :, :width, :width]
                part = grad_output[:, :, i : i + 1, j : j + 1] * share(kernel_size)
                window.copy_((window if add else 0) + part.expand_as(window))
        return grad_x

    return answer


_shared = _spread()


def _avg_pool2d_backward(grad_output, x_shape, kernel_size, stride):
    return _shared(grad_output, x_shape, kernel_size, stride)


def _counts(grad_output, x_shape, kernel_size, stride):
    """How many windows read each cell, at least 1."""
    ones = torch.ones_like(grad_output)
    return _spread(share=lambda k: 1)(ones, x_shape, kernel_size, stride).clamp(min=1)


def _divided_by(count):
    def answer(grad_output, x_shape, kernel_size, stride):
        grad_x = _spread(share=lambda k: 1)(grad_output, x_shape, kernel_size, stride)
        return grad_x / count(grad_output, x_shape, kernel_size, stride)

    return answer


def _sides_swapped(grad_output, x_shape, kernel_size, stride):
    grad_x = torch.zeros(x_shape, dtype=grad_output.dtype)
    for i in range(grad_output.shape[2]):
        for j in range(grad_output.shape[3]):
            window = grad_x[:, :, j * stride :, i * stride :][:, :, :kernel_size, :kernel_size]
            window += grad_output[:, :, i : i + 1, j : j + 1] / kernel_size**2
    return grad_x


def _cropped(grad_output, x_shape, kernel_size, stride):
    rows, columns = ((n - 1) * stride + kernel_size for n in grad_output.shape[2:])
    return _shared(grad_output, x_shape, kernel_size, stride)[:, :, :rows, :columns]


def _stretched(grad_output, x_shape, kernel_size, stride):
    return F.interpolate(grad_output, size=x_shape[2:]) / kernel_size**2


def _from_the_end(grad_output, x_shape, kernel_size, stride):
    turned = _shared(grad_output.flip(2, 3), x_shape, kernel_size, stride)
    return turned.flip(2, 3)


def _border_filled(grad_output, x_shape, kernel_size, stride):
    inside = _cropped(grad_output, x_shape, kernel_size, stride)
    below, right = x_shape[2] - inside.shape[2], x_shape[3] - inside.shape[3]
    return F.pad(inside, (0, right, 0, below), mode="replicate")


def _of(change):
    """The right rule for another gradient."""
    return lambda grad_output, *others: _shared(change(grad_output), *others)


avg_pool2d_backward = Exercise(
    name="avg_pool2d_backward",
    lesson=POOLING,
    reference=_avg_pool2d_backward,
    hidden=True,
    without=(*AUTOGRAD, "avg_pool2d", "adaptive_avg_pool2d", "avg_pool2d_backward"),
    cases=(
        Case((_numbers(1, 1, 1, 1), (1, 1, 3, 3), 3, 3)),
        Case((_numbers(1, 1, 2, 2, seed=1), (1, 1, 4, 4), 2, 2)),
        Case((_numbers(1, 1, 2, 3, seed=2), (1, 1, 3, 4), 2, 1)),
        Case((_numbers(1, 1, 2, 2, seed=3), (1, 1, 5, 4), 2, 2)),
        Case((_numbers(1, 1, 1, 3, seed=4), (1, 1, 3, 7), 3, 2)),
        Case((_numbers(2, 3, 2, 2, seed=5), (2, 3, 6, 5), 3, 2)),
        Case((_numbers(1, 2, 3, 2, seed=6), (1, 2, 8, 6), 2, 3)),
        Case((_numbers(2, 1, 2, 2, seed=7).float(), (2, 1, 4, 4), 3, 1)),
        Case((_random(1, 2, 4, 3, seed=8), (1, 2, 10, 9), 4, 2)),
    ),
    mistakes=(
        Mistake(
            "overlaps_overwritten",
            _spread(add=False),
            "Where windows overlap, only the last one is left. What a cell gets has to be added "
            "up.",
        ),
        Mistake(
            "stride_ignored",
            _spread(step=lambda kernel_size, stride: kernel_size),
            "The stride is ignored: the windows stand side by side, or one cell apart.",
            also=(_spread(step=lambda kernel_size, stride: 1),),
        ),
        Mistake(
            "not_divided",
            _spread(share=lambda k: 1),
            "Each cell gets the whole gradient. An average is made of parts, and hands back parts.",
        ),
        Mistake(
            "divided_by_the_side",
            _spread(share=lambda k: 1 / k),
            "The gradient is divided by the side of the window. How many cells share it?",
        ),
        Mistake(
            "divided_by_the_stride",
            _divided_by(lambda grad_output, x_shape, k, stride: stride**2),
            "The gradient is divided by the stride squared. It is shared among the cells of the "
            "window.",
        ),
        Mistake(
            "overlaps_averaged",
            _divided_by(lambda *args: args[2] ** 2 * _counts(*args)),
            "Where windows overlap, their parts are averaged. They have to be added.",
            also=(_divided_by(_counts),),
        ),
        Mistake(
            "divided_by_the_outputs",
            _divided_by(lambda grad_output, *others: grad_output[0, 0].numel()),
            "The gradient is divided by the number of output cells. It is shared among the cells "
            "of the window.",
        ),
        Mistake(
            "divided_by_the_image",
            _divided_by(lambda grad_output, x_shape, k, stride: x_shape[2] * x_shape[3]),
            "The gradient is divided by the number of pixels of the image. It is shared among the "
            "cells of the window.",
        ),
        Mistake(
            "one_cell_only",
            _spread(share=lambda k: 1, only=1),
            "Only one cell of each window gets something. An average has no winner.",
            also=(_spread(only=1),),
        ),
        Mistake(
            "border_dropped",
            _cropped,
            "The rows and columns that no window reads are missing. The gradient has the shape of "
            "x.",
        ),
        Mistake(
            "border_filled",
            _border_filled,
            "Cells that no window reads get a gradient. They have no say in the output.",
        ),
        Mistake(
            "stretched",
            _stretched,
            "The gradient was stretched to the size of the image. That is right only where the "
            "windows neither overlap nor leave anything out.",
        ),
        Mistake(
            "from_the_end",
            _from_the_end,
            "The windows begin at the lower right. The first one stands at the upper left.",
        ),
        Mistake(
            "last_window_lost",
            _spread(rows=-1),
            "The last row and column of output cells are left out: `range` stops before its end.",
        ),
        Mistake(
            "grad_output_ignored",
            _of(torch.ones_like),
            "`grad_output` plays no part: each window hands on the gradient of its output cell.",
        ),
        Mistake(
            "rows_and_columns_swapped",
            _sides_swapped,
            "The rows of `grad_output` run along the columns of the image.",
        ),
        Mistake(
            "one_channel_only",
            _of(lambda g: g[:, :1].expand_as(g)),
            "All channels get the gradient of the first. Each has its own.",
            also=(_of(lambda g: g.sum(1, keepdim=True).expand_as(g)),),
        ),
        Mistake(
            "one_image_only",
            _of(lambda g: g[:1].expand_as(g)),
            "All images of the batch get the gradient of the first. Each has its own.",
            also=(_of(lambda g: g.sum(0, keepdim=True).expand_as(g)),),
        ),
    ),
)

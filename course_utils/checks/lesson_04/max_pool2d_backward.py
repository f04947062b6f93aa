"""Lesson 04, exercise 4: Back through a max pooling."""

import torch

from course_utils import ops
from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole

POOLING = "lesson 04, 'Back through ReLU and pooling'"


def _pool(x, grad_output, kernel_size, stride):
    return ops.max_pool2d_backward(x[None], grad_output[None], kernel_size, stride)[0]


def _first(window):
    """Where the first of the largest numbers stands, as a mask."""
    mask = torch.zeros(window.numel(), dtype=torch.bool)
    mask[window.argmax()] = True
    return mask.view_as(window)


def _last(window):
    return _first(window.flip(0, 1)).flip(0, 1)


def _share(share, step=None, add=True, keep=1):
    """Every window hands `grad · share(window)` to its cells.

    add: or else it overwrites what they got before. keep: 0 lets it clear the whole window first.
    """

    def answer(x, grad_output, kernel_size, stride):
        grad_x, move = torch.zeros_like(x), step or stride
        for i in range(grad_output.shape[0]):
            for j in range(grad_output.shape[1]):
                rows = slice(i * move, i * move + kernel_size)
                columns = slice(j * move, j * move + kernel_size)
                if not x[rows, columns].numel():
                    continue
                part = share(x[rows, columns])
                given = grad_output[i, j] * part
                there = grad_x[rows, columns] * keep
                grad_x[rows, columns] = (
                    there + given if add else torch.where(part != 0, given, there)
                )
        return grad_x

    return answer


def _place_in_reading_order(x, grad_output, kernel_size, stride):
    grad_x = torch.zeros(x.numel(), dtype=x.dtype)
    for i in range(grad_output.shape[0]):
        for j in range(grad_output.shape[1]):
            window = x[i * stride :, j * stride :][:kernel_size, :kernel_size]
            grad_x[window.argmax()] += grad_output[i, j]
    return grad_x.view_as(x)


mistake = Mistakes()
mistake.value(
    "overlaps_overwritten",
    _share(_first, add=False),
    "A cell that wins several windows keeps the gradient of the last one only. They add up.",
    also=(_share(_first, keep=0),),
)
mistake.value(
    "tie_to_all",
    _share(lambda window: window == window.max()),
    "At a tie every winner gets the whole gradient. Only the first one should.",
    also=(
        _share(lambda window: window == window.max(), add=False),
        _share(lambda window: window == window.max(), keep=0),
    ),
)
mistake.value(
    "tie_shared",
    _share(lambda window: (window == window.max()) / (window == window.max()).sum()),
    "At a tie the gradient is shared, as `amax` does it. Max pooling gives all to the first.",
)
mistake.value(
    "tie_to_the_last",
    _share(_last),
    "At a tie the last winner gets the gradient. It should be the first, in reading order.",
)


@mistake(
    "The winner's place is counted from the corner of its window, but used in the whole image.",
    also=(_place_in_reading_order,),
)
def place_in_the_window(x, grad_output, kernel_size, stride):
    grad_x = torch.zeros_like(x)
    for i in range(grad_output.shape[0]):
        for j in range(grad_output.shape[1]):
            window = x[i * stride :, j * stride :][:kernel_size, :kernel_size]
            grad_x[divmod(int(window.argmax()), kernel_size)] += grad_output[i, j]
    return grad_x


@mistake(
    "The stride is ignored: the window always moves by its own width.",
    also=(_share(_first, step=1),),
)
def stride_ignored(x, grad_output, kernel_size, stride):
    return _share(_first, step=kernel_size)(x, grad_output, kernel_size, stride)


mistake.value(
    "to_every_cell",
    _share(torch.ones_like),
    "Every cell of the window gets the gradient. Only the winner had a say.",
)
mistake.value(
    "averaged",
    _share(lambda window: torch.ones_like(window) / window.numel()),
    "The gradient is shared among the whole window: that is average pooling.",
)


@mistake("The windows won are counted. Each brings the gradient of its output cell.")
def grad_output_ignored(x, grad_output, kernel_size, stride):
    return _pool(x, torch.ones_like(grad_output), kernel_size, stride)


mistake.value(
    "value_for_slope",
    _share(lambda window: _first(window) * window),
    "The gradient is multiplied by the winner's value. A maximum passes it on as it is.",
)
mistake.value(
    "smallest_wins",
    _share(lambda window: _first(-window)),
    "The smallest number of each window gets the gradient.",
)


@mistake("The largest number of the whole image gets everything. Each window has a winner.")
def largest_of_all(x, grad_output, kernel_size, stride):
    return _first(x) * grad_output.sum()


mistake.value(
    "rows_and_columns_swapped",
    _share(lambda window: _first(window).T if window.shape[0] == window.shape[1] else 0),
    "Row and column of the winner are swapped inside the window.",
)


@mistake("The gradients are added to the image itself. Begin with zeros.")
def starts_from_the_image(x, grad_output, kernel_size, stride):
    return _pool(x, grad_output, kernel_size, stride) + x


@later
def cases():
    middle = torch.tensor([[1.0, 2, 0], [3, 9, 4], [6, 5, 1]]).double()
    count = torch.tensor([[1.0, 2], [3, 4]]).double()
    return (
        Case((torch.tensor([[1.0, 3], [4, 2]]).double(), torch.tensor([[5.0]]).double(), 2, 2)),
        Case((torch.tensor([[7.0, 7], [1, 7]]).double(), torch.tensor([[6.0]]).double(), 2, 2)),
        Case((torch.tensor([[1.0, 5, -2, -8], [2, 0, -4, -3]]).double(), count[:1], 2, 2)),
        Case((middle, count, 2, 1)),
        Case((whole(5, 7, seed=1), whole(2, 3, seed=2), 3, 2)),
        Case((whole(6, 5, seed=3) - 10, whole(2, 2, seed=4), 2, 3)),
        Case((whole(4, 4, seed=5).float(), whole(3, 3, seed=6).float(), 2, 1)),
    )


max_pool2d_backward = Exercise(
    name="max_pool2d_backward",
    lesson=POOLING,
    reference=_pool,
    cases=cases,
    mistakes=mistake,
)

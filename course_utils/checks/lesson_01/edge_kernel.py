"""Lesson 01, exercise 5: A kernel for horizontal edges."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.reading import read

KERNELS = "lesson 01, 'What a kernel can see'"


def _responses(kernel):
    """What a kernel answers to a flat picture and to edges: zero, plus or minus, for each."""
    weight = read(kernel).cells
    if weight.is_complex():
        raise ValueError("The kernel's numbers are complex; real ones are expected")
    if weight.shape != (3, 3):
        raise ValueError(f"The kernel has shape {tuple(weight.shape)}; it should be (3, 3)")

    def respond(picture):
        return F.conv2d(picture[None, None], weight[None, None])[0, 0].sign()

    return respond


def _kernels(flat):
    """Kernels that answer `flat` to a flat picture, and to the two edges all that is possible."""
    return tuple(
        [[0, 0, 0], [0, flat - bottom - right, right], [0, bottom, 0]]
        for bottom in (-1, 0, 1)
        for right in (-1, 0, 1)
    )


mistake = Mistakes()
mistake.value(
    "wrong_direction",
    [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "This kernel sees vertical edges, where left and right differ. Top and bottom should.",
)
mistake.value(
    "sign_turned",
    [[1, 2, 1], [0, 0, 0], [-1, -2, -1]],
    "It answers to a bright bottom with a minus. A bright bottom should give a plus.",
    also=([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]], [[2, 1, 0], [1, 0, -1], [0, -1, -2]]),
)
mistake.value(
    "all_edges",
    [[-2, -1, 0], [-1, 0, 1], [0, 1, 2]],
    "It answers to vertical edges too: where only left and right differ, it should give 0.",
    also=([[0, -1, -2], [1, 0, -1], [2, 1, 0]],),
)
mistake.value("sees_nothing", [[0, 0, 0], [0, 0, 0], [0, 0, 0]], "It answers to none of the edges.")
mistake.value(
    "wrong_direction_turned",
    [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
    "This kernel sees vertical edges, bright on the left. Compare top and bottom instead.",
)
mistake.value(
    "blind_to_bottom",
    [[1, 1, 1], [1, 1, 1], [0, 0, 0]],
    "It adds up the upper rows and is blind to the bottom one. It should compare the two.",
)
mistake.value(
    "not_zero_on_flat",
    [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
    "It answers to a flat picture: the nine numbers have to add up to 0.",
    also=tuple(k for k in _kernels(1) if k[1][2] != 1 or k[2][1] != 0),
)
mistake.value(
    "negative_on_flat",
    [[-1, -1, -1], [-1, -1, -1], [-1, -1, -1]],
    "It answers to a flat picture, with a minus: the nine numbers have to add up to 0.",
    also=_kernels(-1),
)


@later
def cases():
    flat = torch.full((3, 3), 5.0, dtype=torch.float64)
    bottom_bright = torch.tensor([[0.0] * 3, [0.0] * 3, [5.0] * 3], dtype=torch.float64)
    right_bright = bottom_bright.T.contiguous()
    return (Case((flat,)), Case((bottom_bright,)), Case((right_bright,)))


edge_kernel = Exercise(
    name="edge_kernel",
    lesson=KERNELS,
    reference=[[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    prepare=_responses,
    cases=cases,
    mistakes=mistake,
)

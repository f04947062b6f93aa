"""The exercises of lesson 01 that need no code of one's own: by hand, a size, a kernel."""

import torch
import torch.nn.functional as F

from course_utils import ops
from course_utils.checks.engine import Case, Exercise, Mistake
from course_utils.checks.engine.reading import read

SLIDING = "lesson 01, 'Slide, multiply, add'"
SIZES = "lesson 01, 'How large is the output?'"
KERNELS = "lesson 01, 'What a kernel can see'"

# ---- one output number after the other, by hand -------------------------------------------------

HAND_IMAGE = torch.tensor([[2.0, 0, 1], [1, 3, 2], [0, 1, 4]])
HAND_KERNEL = torch.tensor([[1.0, -1], [2, 0]])


def _by_hand(image, kernel, **options):
    return F.conv2d(image[None, None], kernel[None, None], **options)[0, 0]


output_by_hand = Exercise(
    name="output_by_hand",
    lesson=SLIDING,
    reference=_by_hand(HAND_IMAGE, HAND_KERNEL),
    mistakes=(
        Mistake(
            "flipped_kernel",
            _by_hand(HAND_IMAGE, HAND_KERNEL.flip(0, 1)),
            "The kernel was turned by 180°. Lay it on the image as it stands.",
        ),
        Mistake(
            "transposed_kernel",
            _by_hand(HAND_IMAGE, HAND_KERNEL.T),
            "Rows and columns of the kernel are swapped.",
        ),
        Mistake(
            "sign_lost",
            _by_hand(HAND_IMAGE, HAND_KERNEL.abs()),
            "The −1 of the kernel was taken for 1.",
        ),
        Mistake(
            "kernel_ignored",
            _by_hand(HAND_IMAGE, torch.ones(2, 2)),
            "The cells under the window were added without multiplying by the kernel.",
        ),
        Mistake(
            "matrix_product",
            torch.stack(
                [
                    torch.stack(
                        [(HAND_IMAGE[i : i + 2, j : j + 2] @ HAND_KERNEL).sum() for j in (0, 1)]
                    )
                    for i in (0, 1)
                ]
            ),
            "That is a product of matrices. Multiply cell by cell instead.",
        ),
        Mistake(
            "one_output_only",
            HAND_IMAGE[:2, :2] * HAND_KERNEL,
            "Those are the four products of the first window. Their sum is one output number.",
        ),
        Mistake(
            "averaged",
            _by_hand(HAND_IMAGE, HAND_KERNEL) / 4,
            "The sum is not divided by the number of cells.",
        ),
        Mistake(
            "transposed_output",
            _by_hand(HAND_IMAGE, HAND_KERNEL).T,
            "The numbers are right, but rows and columns of the output are swapped.",
        ),
    ),
)


# ---- the size of the output ---------------------------------------------------------------------


def _size(size, kernel_size, stride=1, padding=0, dilation=1):
    return ops.output_size(size, kernel_size, stride, padding, dilation)


def _span(kernel_size, dilation):
    return dilation * (kernel_size - 1) + 1


output_size = Exercise(
    name="output_size",
    lesson=SIZES,
    reference=_size,
    cases=(
        Case((3, 2)),
        Case((28, 5)),
        Case((7, 3), {"stride": 2}),
        Case((8, 3), {"stride": 2}),
        Case((5, 3), {"padding": 1}),
        Case((9, 3), {"dilation": 2}),
        Case((28, 3), {"stride": 3, "padding": 2, "dilation": 2}),
    ),
    mistakes=(
        Mistake(
            "one_too_few",
            lambda n, k, stride=1, padding=0, dilation=1: (
                (n + 2 * padding - _span(k, dilation)) // stride
            ),
            "One place is missing: the window has a place before it takes its first step.",
        ),
        Mistake(
            "padding_forgotten",
            lambda n, k, stride=1, padding=0, dilation=1: (n - _span(k, dilation)) // stride + 1,
            "The padding is missing.",
        ),
        Mistake(
            "padding_on_one_side",
            lambda n, k, stride=1, padding=0, dilation=1: (
                (n + padding - _span(k, dilation)) // stride + 1
            ),
            "Padding is added on both sides, so it counts twice.",
        ),
        Mistake(
            "rounded_up",
            lambda n, k, stride=1, padding=0, dilation=1: (
                -(-(n + 2 * padding - _span(k, dilation)) // stride) + 1
            ),
            "A window that would hang over the border is dropped, so round down.",
        ),
        Mistake(
            "not_rounded",
            lambda n, k, stride=1, padding=0, dilation=1: (
                (n + 2 * padding - _span(k, dilation)) / stride + 1
            ),
            "There are no half windows: the answer has to be a whole number, rounded down.",
        ),
        Mistake(
            "stride_ignored",
            lambda n, k, stride=1, padding=0, dilation=1: n + 2 * padding - _span(k, dilation) + 1,
            "The stride is missing.",
        ),
        Mistake(
            "dilation_ignored",
            lambda n, k, stride=1, padding=0, dilation=1: (n + 2 * padding - k) // stride + 1,
            "The dilation is missing: it spreads the kernel over more cells.",
        ),
        Mistake(
            "dilation_times_kernel",
            lambda n, k, stride=1, padding=0, dilation=1: (
                (n + 2 * padding - dilation * k) // stride + 1
            ),
            "Among k cells there are k − 1 gaps; dilation widens the gaps, not the cells.",
        ),
        Mistake(
            "same_size",
            lambda n, k, stride=1, padding=0, dilation=1: n,
            "The output has one number for each place the window fits into, not one for each cell.",
        ),
    ),
)


# ---- a kernel of one's own ----------------------------------------------------------------------


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


_FLAT = torch.full((3, 3), 5.0, dtype=torch.float64)
_BOTTOM_BRIGHT = torch.tensor([[0.0] * 3, [0.0] * 3, [5.0] * 3], dtype=torch.float64)
_RIGHT_BRIGHT = _BOTTOM_BRIGHT.T.contiguous()

edge_kernel = Exercise(
    name="edge_kernel",
    lesson=KERNELS,
    reference=[[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    prepare=_responses,
    cases=(Case((_FLAT,)), Case((_BOTTOM_BRIGHT,)), Case((_RIGHT_BRIGHT,))),
    mistakes=(
        Mistake(
            "wrong_direction",
            [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
            "This kernel sees vertical edges, where left and right differ. Top and bottom should.",
        ),
        Mistake(
            "sign_turned",
            [[1, 2, 1], [0, 0, 0], [-1, -2, -1]],
            "It answers to a bright bottom with a minus. A bright bottom should give a plus.",
            also=([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]], [[2, 1, 0], [1, 0, -1], [0, -1, -2]]),
        ),
        Mistake(
            "all_edges",
            [[-2, -1, 0], [-1, 0, 1], [0, 1, 2]],
            "It answers to vertical edges too: where only left and right differ, it should give 0.",
            also=([[0, -1, -2], [1, 0, -1], [2, 1, 0]],),
        ),
        Mistake(
            "sees_nothing",
            [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
            "It answers to none of the edges.",
        ),
        Mistake(
            "wrong_direction_turned",
            [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
            "This kernel sees vertical edges, bright on the left. Compare top and bottom instead.",
        ),
        Mistake(
            "blind_to_bottom",
            [[1, 1, 1], [1, 1, 1], [0, 0, 0]],
            "It adds up the upper rows and is blind to the bottom one. It should compare the two.",
        ),
        Mistake(
            "not_zero_on_flat",
            [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
            "It answers to a flat picture: the nine numbers have to add up to 0.",
            also=tuple(k for k in _kernels(1) if k[1][2] != 1 or k[2][1] != 0),
        ),
        Mistake(
            "negative_on_flat",
            [[-1, -1, -1], [-1, -1, -1], [-1, -1, -1]],
            "It answers to a flat picture, with a minus: the nine numbers have to add up to 0.",
            also=_kernels(-1),
        ),
    ),
)

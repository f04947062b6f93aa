"""Lesson 01, exercise 3: The size of the output."""

from course_utils import ops
from course_utils.checks.engine import Case, Exercise, Mistakes

SIZES = "lesson 01, 'How large is the output?'"


def _size(size, kernel_size, stride=1, padding=0, dilation=1):
    return ops.output_size(size, kernel_size, stride, padding, dilation)


def _span(kernel_size, dilation):
    return dilation * (kernel_size - 1) + 1


mistake = Mistakes()
mistake.value(
    "one_too_few",
    lambda n, k, stride=1, padding=0, dilation=1: (n + 2 * padding - _span(k, dilation)) // stride,
    "One place is missing: the window has a place before it takes its first step.",
)
mistake.value(
    "padding_forgotten",
    lambda n, k, stride=1, padding=0, dilation=1: (n - _span(k, dilation)) // stride + 1,
    "The padding is missing.",
)
mistake.value(
    "padding_on_one_side",
    lambda n, k, stride=1, padding=0, dilation=1: (n + padding - _span(k, dilation)) // stride + 1,
    "Padding is added on both sides, so it counts twice.",
)
mistake.value(
    "rounded_up",
    lambda n, k, stride=1, padding=0, dilation=1: (
        -(-(n + 2 * padding - _span(k, dilation)) // stride) + 1
    ),
    "A window that would hang over the border is dropped, so round down.",
)
mistake.value(
    "not_rounded",
    lambda n, k, stride=1, padding=0, dilation=1: (
        (n + 2 * padding - _span(k, dilation)) / stride + 1
    ),
    "There are no half windows: the answer has to be a whole number, rounded down.",
)
mistake.value(
    "stride_ignored",
    lambda n, k, stride=1, padding=0, dilation=1: n + 2 * padding - _span(k, dilation) + 1,
    "The stride is missing.",
)
mistake.value(
    "dilation_ignored",
    lambda n, k, stride=1, padding=0, dilation=1: (n + 2 * padding - k) // stride + 1,
    "The dilation is missing: it spreads the kernel over more cells.",
)
mistake.value(
    "dilation_times_kernel",
    lambda n, k, stride=1, padding=0, dilation=1: (n + 2 * padding - dilation * k) // stride + 1,
    "Among k cells there are k − 1 gaps; dilation widens the gaps, not the cells.",
)
mistake.value(
    "same_size",
    lambda n, k, stride=1, padding=0, dilation=1: n,
    "The output has one number for each place the window fits into, not one for each cell.",
)


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
    mistakes=mistake,
)

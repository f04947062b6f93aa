"""Lesson 09, exercise 3: Count a whole network."""

from course_utils.checks.engine import Case, Exercise, Mistakes
from course_utils.checks.lesson_09._conv import _conv

BUDGET = "lesson 09, 'The same budget'"


def _stacked(depth, width, kernel_size=3):
    first, others = _conv(1, width, (kernel_size,) * 2), _conv(width, width, (kernel_size,) * 2)
    return first + (depth - 1) * others + 10 * width + 10


mistake = Mistakes()
mistake.value(
    "one_layer_too_many",
    lambda d, w, kernel_size=3: _stacked(d + 1, w, kernel_size),
    "There is one convolution too many. The first one is among the `depth`.",
)
mistake.value(
    "first_like_the_others",
    lambda d, w, kernel_size=3: d * (w * w * kernel_size**2 + w) + 10 * w + 10,
    "The first convolution is counted like the others. It reads an image of one channel.",
)
mistake.value(
    "all_like_the_first",
    lambda d, w, kernel_size=3: d * (w * kernel_size**2 + w) + 10 * w + 10,
    "Every convolution is counted as if it read one channel. From the second on they read "
    "`width` of them.",
)
mistake.value(
    "head_forgotten",
    lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) - 10 * w - 10,
    "The linear layer at the end is missing.",
)
mistake.value(
    "bias_of_head_forgotten",
    lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) - 10,
    "The linear layer has a bias too, one for each class.",
)
mistake.value(
    "biases_forgotten",
    lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) - d * w - 10,
    "The biases are missing: one per output channel of each convolution, one per class.",
)
mistake.value(
    "biases_of_convolutions_forgotten",
    lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) - d * w,
    "The biases of the convolutions are missing.",
)
mistake.value(
    "one_bias_a_layer",
    lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) - d * (w - 1),
    "One bias is counted for each convolution. It has one for each of its output channels.",
)
mistake.value(
    "side_for_area",
    lambda d, w, kernel_size=3: (
        w * kernel_size + w + (d - 1) * (w * w * kernel_size + w) + 10 * w + 10
    ),
    "A kernel of side k has k · k numbers, not k.",
)
mistake.value(
    "kernel_size_ignored",
    lambda d, w, kernel_size=3: _stacked(d, w),
    "Every kernel is taken for one of 3 × 3. Use the argument `kernel_size`.",
)
mistake.value(
    "bias_of_head_by_width",
    lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) - 10 + w,
    "The linear layer has a bias for each of its 10 outputs, not for each input.",
)
mistake.value(
    "one_layer_too_few",
    lambda d, w, kernel_size=3: _stacked(d - 1, w, kernel_size),
    "There is one convolution too few, counting the first.",
)
mistake.value(
    "positions_reach_the_head",
    lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) + 10 * w * (9 - 1),
    "The linear layer is given every position. The average leaves one number per channel.",
    also=(
        lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) + 10 * w * (49 - 1),
        lambda d, w, kernel_size=3: _stacked(d, w, kernel_size) + 10 * w * (784 - 1),
    ),
)


stacked_parameters = Exercise(
    name="stacked_parameters",
    lesson=BUDGET,
    reference=_stacked,
    cases=(
        Case((1, 2), {"kernel_size": 1}),
        Case((1, 3)),
        Case((2, 3)),
        Case((3, 4), {"kernel_size": 5}),
        Case((4, 13)),
    ),
    mistakes=mistake,
)

"""Lesson 08, exercise 2: The smallest exact shift."""

from course_utils.checks.engine import Exercise, Mistakes
from course_utils.checks.lesson_08._receptive_field import _field, _kernels_multiplied

MOVES = "lesson 08, 'When the digit moves'"


# The five stacks of the lesson: (kernel, stride, dilation) of every layer.
STACKS = (
    ((3, 1, 1), (3, 1, 1), (3, 1, 1)),
    ((5, 1, 1), (2, 2, 1)),
    ((3, 3, 1), (3, 2, 1)),
    ((3, 1, 4),),
    ((3, 2, 1), (2, 2, 1), (2, 2, 1)),
)


_POOLED = (set(), {1}, {0}, set(), {1, 2})  # which of their layers are poolings


def _of_each(answer):
    return [answer(stack, pools) for stack, pools in zip(STACKS, _POOLED, strict=True)]


def _strides(stack, keep=lambda number: True):
    steps = 1
    for number, (_, s, _) in enumerate(stack):
        steps *= s if keep(number) else 1
    return steps


mistake = Mistakes()
mistake.value(
    "last_stride",
    _of_each(lambda stack, pools: stack[-1][1]),
    "Only the last layer's stride is counted. The image passes through all of them.",
)
mistake.value(
    "strides_added",
    _of_each(lambda stack, pools: 1 + sum(s - 1 for _, s, _ in stack)),
    "The strides are added. To move the last output by one cell, the one before it must "
    "move by that layer's whole stride.",
    also=(_of_each(lambda stack, pools: sum(s for _, s, _ in stack)),),
)
mistake.value(
    "pooling_not_counted",
    _of_each(lambda stack, pools: _strides(stack, lambda n: n not in pools)),
    "The poolings are not counted. A pooling has a stride too: by default the size of its window.",
)
mistake.value(
    "only_pooling_counted",
    _of_each(lambda stack, pools: _strides(stack, lambda n: n in pools)),
    "Only the poolings are counted. A convolution with a stride skips places as well.",
)
mistake.value(
    "always_one",
    [1] * len(STACKS),
    "A convolution with stride 1 follows every shift. What else stands in these stacks?",
)
mistake.value(
    "receptive_fields",
    _of_each(lambda stack, pools: _field(stack)[0]),
    "Those are the sizes of what a cell sees. Asked is how far apart the neighbours lie.",
)
mistake.value(
    "dilation_counted",
    _of_each(lambda stack, pools: _strides(stack) * stack[-1][2]),
    "Dilation spreads the kernel, but the kernel still stops at every pixel.",
)
mistake.value(
    "largest_stride",
    _of_each(lambda stack, pools: max(s for _, s, _ in stack)),
    "Only the largest stride of each stack is counted. All of them multiply.",
)
mistake.value(
    "layers_counted",
    _of_each(lambda stack, pools: len(stack)),
    "Those are the numbers of layers. How many there are does not matter.",
)
mistake.value(
    "kernels_multiplied",
    _of_each(lambda stack, pools: _kernels_multiplied(stack)[0]),
    "Those are the kernels' sizes, multiplied. What matters is the step of a kernel, not its size.",
)


smallest_shift = Exercise(
    name="smallest_shift",
    lesson=MOVES,
    reference=_of_each(lambda stack, pools: _strides(stack)),
    mistakes=mistake,
)

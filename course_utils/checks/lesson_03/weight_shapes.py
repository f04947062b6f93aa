"""Lesson 03, exercise 1: Four weights."""

from course_utils.checks.engine import Exercise, Mistakes

SHAPES = "lesson 03, 'One, two, three dimensions'"
_SHAPES = ((8, 1, 5, 5), (32, 8, 3, 7), (64, 40, 9), (16, 3, 3, 3, 3))


def _each(change):
    return tuple(change(shape) for shape in _SHAPES)


mistake = Mistakes()
mistake.value(
    "in_before_out",
    _each(lambda s: (s[1], s[0], *s[2:])),
    "Input and output channels are exchanged. The layer is written (in, out), its weight "
    "(out, in, …).",
)
mistake.value(
    "kernel_first",
    _each(lambda s: (*s[2:], s[1], s[0])),
    "The kernel stands first, as in TensorFlow. In PyTorch the channels do.",
    also=(_each(lambda s: (*s[2:], s[0], s[1])),),
)
mistake.value(
    "input_channels_left_out",
    _each(lambda s: (s[0], *s[2:])),
    "The input channels are missing. Each output channel has a kernel for every one.",
)
mistake.value(
    "output_channels_left_out",
    _each(lambda s: s[1:]),
    "The output channels are missing. Each of them has kernels of its own.",
)
mistake.value(
    "only_the_kernel",
    _each(lambda s: s[2:]),
    "That is the kernel alone. There is one for each pair of output and input channel.",
)
mistake.value(
    "always_two_dimensions",
    ((8, 1, 5, 5), (32, 8, 3, 7), (64, 40, 9, 9), (16, 3, 3, 3)),
    "The kernel has two numbers in all four. It has as many as the layer has directions: "
    "one in Conv1d, three in Conv3d.",
    also=(
        ((8, 1, 5, 5), (32, 8, 3, 7), (64, 40, 9), (16, 3, 3, 3)),
        ((8, 1, 5, 5), (32, 8, 3, 7), (64, 40, 9, 9), (16, 3, 3, 3, 3)),
        ((8, 1, 5, 5), (32, 8, 3, 7), (64, 40, 1, 9), (16, 3, 3, 3, 3)),
    ),
)
mistake.value(
    "one_number_for_the_kernel",
    ((8, 1, 5), (32, 8, 3, 7), (64, 40, 9), (16, 3, 3)),
    "A kernel size that is one number still holds for every direction: 5 means 5 × 5 in Conv2d.",
)
mistake.value(
    "kernel_turned",
    ((8, 1, 5, 5), (32, 8, 7, 3), (64, 40, 9), (16, 3, 3, 3, 3)),
    "Height and width are exchanged in one of them: height comes first.",
)
mistake.value(
    "batch_in_the_weight",
    _each(lambda s: (1, *s)),
    "There is a 1 in front of each. Images come in batches; weights do not.",
)


weight_shapes = Exercise(
    name="weight_shapes",
    lesson=SHAPES,
    reference=_SHAPES,
    mistakes=mistake,
)

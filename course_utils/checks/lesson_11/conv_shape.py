"""Lesson 11, exercise 2: The shape that comes out."""

from course_utils.checks.engine import Case, Exercise, Mistakes

SHAPES = "lesson 11, 'The shape that comes out'"


def _size(n, k, stride, padding):
    return (n + 2 * padding - k) // stride + 1


def _shape(shape, out_channels, kernel_size, stride=1, padding=0):
    sizes = (_size(n, kernel_size, stride, padding) for n in shape[2:])
    return (shape[0], out_channels, *sizes)


mistake = Mistakes()
mistake.value(
    "one_too_few",
    lambda s, c, k, stride=1, padding=0: (
        *(s[0], c),
        *((n + 2 * padding - k) // stride for n in s[2:]),
    ),
    "One place is missing: the window has a place before it takes its first step.",
)
mistake.value(
    "channels_kept",
    lambda s, c, k, stride=1, padding=0: (*s[:2], *_shape(s, c, k, stride, padding)[2:]),
    "The channels that went in came out. As many come out as there are filters.",
)
mistake.value(
    "channels_slid_over",
    lambda s, c, k, stride=1, padding=0: (
        s[0],
        *(_size(n, k, stride, padding) for n in s[1:]),
    ),
    "The kernel was moved along the channels. It covers all of them at once.",
)
mistake.value(
    "padding_forgotten",
    lambda s, c, k, stride=1, padding=0: _shape(s, c, k, stride),
    "The padding is missing.",
)
mistake.value(
    "padding_on_one_side",
    lambda s, c, k, stride=1, padding=0: (
        *(s[0], c),
        *((n + padding - k) // stride + 1 for n in s[2:]),
    ),
    "Padding is added on both sides, so it counts twice.",
)
mistake.value(
    "stride_ignored",
    lambda s, c, k, stride=1, padding=0: _shape(s, c, k, 1, padding),
    "The stride plays no part. A larger step leaves fewer places.",
)


@mistake("Only the last size was changed. The window slides along all of them.")
def last_direction_only(shape, out_channels, kernel_size, stride=1, padding=0):
    return (shape[0], out_channels, *shape[2:-1], _size(shape[-1], kernel_size, stride, padding))


@mistake("A film keeps all its frames here. The kernel of a Conv3d slides along time, too.")
def depth_kept(shape, out_channels, kernel_size, stride=1, padding=0):
    done = _shape(shape, out_channels, kernel_size, stride, padding)
    return done if len(shape) < 5 else (*done[:2], shape[2], *done[3:])


mistake.value(
    "rounded_up",
    lambda s, c, k, stride=1, padding=0: (
        *(s[0], c),
        *(-(-(n + 2 * padding - k) // stride) + 1 for n in s[2:]),
    ),
    "The division is rounded up. What is left at the end is not enough for a step.",
)
mistake.value(
    "not_rounded",
    lambda s, c, k, stride=1, padding=0: (
        *(s[0], c),
        *((n + 2 * padding - k) / stride + 1 for n in s[2:]),
    ),
    "There are no half places: what is left at the end is not enough for a step.",
)
mistake.value(
    "sizes_only",
    lambda s, c, k, stride=1, padding=0: _shape(s, c, k, stride, padding)[2:],
    "Those are the sizes alone. The batch and the channels belong to the shape.",
)
mistake.value(
    "batch_and_channels_swapped",
    lambda s, c, k, stride=1, padding=0: (
        *(c, s[0]),
        *_shape(s, c, k, stride, padding)[2:],
    ),
    "Batch and channels have changed places: N comes first, then C_out.",
)


conv_shape = Exercise(
    name="conv_shape",
    lesson=SHAPES,
    reference=_shape,
    cases=(
        Case(((2, 3, 7), 4, 3)),
        Case(((5, 1, 9), 2, 3), {"stride": 3}),
        Case(((5, 2, 10, 9), 6, 3), {"padding": 1}),
        Case(((1, 3, 9, 12), 8, 4), {"stride": 2, "padding": 2}),
        Case(((6, 1, 5, 18, 16), 8, 3)),
        Case(((3, 2, 8, 20, 31), 16, 5), {"stride": 3, "padding": 1}),
    ),
    mistakes=mistake,
)

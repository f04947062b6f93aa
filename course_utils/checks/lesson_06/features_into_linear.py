"""Lesson 06, exercise 1: What goes into the first Linear."""

import math

from course_utils.checks.engine import Case, Exercise, Mistakes

SIZES = "lesson 06, 'A size that does not fit'"


def _side(size, layers, kernel_size, padding, pool=lambda side: side // 2, extra=1):
    """The side of the last map: `layers` times a convolution and a pooling."""
    for _ in range(layers):
        size = pool(size + 2 * padding - kernel_size + extra)
    return size


def _features(size, channels, kernel_size, padding=0):
    return channels[-1] * _side(size, len(channels), kernel_size, padding) ** 2


mistake = Mistakes()
mistake.value(
    "channels_forgotten",
    lambda n, c, k, padding=0: _side(n, len(c), k, padding) ** 2,
    "That is one channel. Flatten lays all the channels of the last map side by side.",
)
mistake.value(
    "one_side_only",
    lambda n, c, k, padding=0: c[-1] * _side(n, len(c), k, padding),
    "A map has rows and columns: the side counts twice.",
)


@mistake("The last pooling is missing: it halves the sides once more before the Flatten.")
def last_pool_forgotten(size, channels, kernel_size, padding=0):
    before = _side(size, len(channels) - 1, kernel_size, padding)
    return channels[-1] * (before + 2 * padding - kernel_size + 1) ** 2


mistake.value(
    "pooling_forgotten",
    lambda n, c, k, padding=0: c[-1] * _side(n, len(c), k, padding, lambda s: s) ** 2,
    "The poolings are missing: each halves the sides.",
)
mistake.value(
    "kernel_ignored",
    lambda n, c, k, padding=0: c[-1] * _side(n, len(c), 1, 0) ** 2,
    "The convolutions are taken to keep the size. They keep it only with enough padding.",
)
mistake.value(
    "padding_forgotten", lambda n, c, k, padding=0: _features(n, c, k), "The padding is missing."
)
mistake.value(
    "padding_on_one_side",
    lambda n, c, k, padding=0: c[-1] * _side(n, len(c), k - padding, 0) ** 2,
    "Padding is added on both sides, so it counts twice.",
)
mistake.value(
    "one_too_few",
    lambda n, c, k, padding=0: c[-1] * _side(n, len(c), k, padding, extra=0) ** 2,
    "A convolution's output has one number more: the first window counts too.",
)
mistake.value(
    "rounded_up",
    lambda n, c, k, padding=0: c[-1] * _side(n, len(c), k, padding, lambda s: -(-s // 2)) ** 2,
    "With an odd side the pooling drops the last row and column, so round down.",
)
mistake.value(
    "not_rounded",
    lambda n, c, k, padding=0: c[-1] * _side(n, len(c), k, padding, lambda s: s / 2) ** 2,
    "There are no half rows: halve with `//` in place of `/`.",
)
mistake.value(
    "channels_multiplied",
    lambda n, c, k, padding=0: math.prod(c) * _side(n, len(c), k, padding) ** 2,
    "The channels are multiplied. A convolution adds up its input channels, so only the "
    "last number of channels is left.",
)
mistake.value(
    "first_channels",
    lambda n, c, k, padding=0: c[0] * _side(n, len(c), k, padding) ** 2,
    "Those are the channels of the first convolution. Which map reaches the Flatten?",
)
mistake.value(
    "one_layer_only",
    lambda n, c, k, padding=0: c[-1] * _side(n, 1, k, padding) ** 2,
    "Only the first convolution and pooling were followed: there is one for each number in "
    "`channels`.",
)


features_into_linear = Exercise(
    name="features_into_linear",
    lesson=SIZES,
    reference=_features,
    cases=(
        Case((6, (2,), 3)),
        Case((28, (6, 16), 5)),
        Case((28, (16,), 3), {"padding": 1}),
        Case((28, (32,), 3)),
        Case((29, (3, 4), 3), {"padding": 1}),
        Case((21, (4, 8), 2)),
    ),
    mistakes=mistake,
)

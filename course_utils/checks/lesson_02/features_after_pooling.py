"""Lesson 02, exercise 4: How many features?"""

from course_utils.checks.engine import Case, Exercise, Mistakes

FEATURES = "lesson 02, 'How many numbers are left?'"


def _features(size, channels, kernel_size, pool):
    return channels * ((size - kernel_size + 1) // pool) ** 2


mistake = Mistakes()
mistake.value(
    "pooled_twice",
    lambda n, c, k, p: c * ((n - k + 1) // p // p) ** 2,
    "The size is divided by `pool` twice, and there is one pooling layer. For the network "
    "above that gives 1152, the number that does not work.",
)
mistake.value(
    "declared_number",
    lambda n, c, k, p: c * 6 * 6,
    "6 · 6 is what the network above declares, and it is wrong. Compute the side from the "
    "four arguments.",
)
mistake.value(
    "one_network_only",
    lambda n, c, k, p: 5408,
    "That is right for the network above only. Compute it from the four arguments.",
)
mistake.value(
    "convolution_forgotten",
    lambda n, c, k, p: c * (n // p) ** 2,
    "The convolution is missing: without padding it makes the picture smaller before the "
    "pooling does.",
)
mistake.value(
    "pooling_forgotten", lambda n, c, k, p: c * (n - k + 1) ** 2, "The pooling is missing."
)
mistake.value(
    "channels_forgotten",
    lambda n, c, k, p: ((n - k + 1) // p) ** 2,
    "That is one channel. The next layer gets the numbers of all of them.",
)
mistake.value(
    "one_side_only",
    lambda n, c, k, p: c * ((n - k + 1) // p),
    "A channel is a square: its height times its width.",
)
mistake.value(
    "pooled_on_one_side",
    lambda n, c, k, p: c * (n - k + 1) ** 2 // p,
    "The pooling divides the height and the width, so a channel shrinks twice.",
)
mistake.value(
    "one_too_few",
    lambda n, c, k, p: c * ((n - k) // p) ** 2,
    "After the convolution one row and one column are missing: the first position counts.",
)
mistake.value(
    "shrunk_by_the_pooling",
    lambda n, c, k, p: c * (n - k + 1 - p + 1) ** 2,
    "That is a pooling with stride 1. By default the window moves by its own width.",
)
mistake.value(
    "order_turned_round",
    lambda n, c, k, p: c * (n // p - k + 1) ** 2,
    "First the convolution, then the pooling: the other order gives another size.",
)
mistake.value(
    "rounded_up",
    lambda n, c, k, p: c * (-(-(n - k + 1) // p)) ** 2,
    "A window that hangs over the end is dropped: round down.",
)
mistake.value(
    "not_rounded",
    lambda n, c, k, p: c * ((n - k + 1) / p) ** 2,
    "There are no half windows: round down, with `//` in place of `/`.",
)


features_after_pooling = Exercise(
    name="features_after_pooling",
    lesson=FEATURES,
    reference=_features,
    cases=(
        Case((6, 1, 3, 2)),
        Case((6, 2, 3, 2)),
        Case((9, 4, 2, 3)),
        Case((14, 32, 3, 2)),
        Case((28, 32, 3, 2)),
        Case((32, 6, 5, 4)),
    ),
    mistakes=mistake,
)

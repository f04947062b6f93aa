"""The exercises of lesson 02 by hand and about sizes: features, windows of adaptive pooling."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistake

LARGEST = "lesson 02, 'The largest of each window'"
FEATURES = "lesson 02, 'How many numbers are left?'"
ADAPTIVE = "lesson 02, 'Say what comes out'"

# ---- one window after the other, by hand --------------------------------------------------------

HAND_IMAGE = torch.tensor(
    [[1.0, -3, 4, 2, 9], [-6, 0, 3, -7, 5], [-2, -4, -1, 6, 8], [-5, -8, 2, 1, 7]]
)


def _by_hand(image, pool=F.max_pool2d, **options):
    return pool(image[None, None], 2, **options)[0, 0].tolist()


max_pool_by_hand = Exercise(
    name="max_pool_by_hand",
    lesson=LARGEST,
    reference=_by_hand(HAND_IMAGE),
    mistakes=(
        Mistake(
            "stride_one",
            _by_hand(HAND_IMAGE, stride=1),
            "The window moved by one cell. Without a stride it moves by its own width.",
        ),
        Mistake(
            "incomplete_window_kept",
            _by_hand(HAND_IMAGE, ceil_mode=True),
            "At the last column the window no longer fits, so that column is left out.",
        ),
        Mistake(
            "negative_taken_for_zero",
            _by_hand(HAND_IMAGE.relu()),
            "In one window every number is negative, and one of those is still the largest: 0 does "
            "not stand there.",
        ),
        Mistake(
            "largest_magnitude",
            _by_hand(HAND_IMAGE.abs()),
            "The signs were ignored: −6 is smaller than 1.",
        ),
        Mistake(
            "farthest_from_zero",
            [[-6, -7], [-8, 6]],
            "Those are the numbers farthest from 0. The largest is the one farthest to the right "
            "on the number line.",
        ),
        Mistake(
            "sign_lost",
            [[1, 4], [2, 6]],
            "−2 is the largest of its window, and its sign belongs to it.",
        ),
        Mistake("minimum", [[-6, -7], [-8, -1]], "Those are the smallest numbers of the windows."),
        Mistake(
            "averaged",
            _by_hand(HAND_IMAGE, F.avg_pool2d),
            "Those are the averages. Keep the largest number of each window.",
        ),
        Mistake(
            "first_cell_kept",
            HAND_IMAGE[::2, :4:2].tolist(),
            "Those are the top left cells of the windows. Compare all four cells of each.",
        ),
        Mistake(
            "started_at_the_second_column",
            _by_hand(HAND_IMAGE[:, 1:]),
            "The first window starts in the corner. What does not fit is left out at the end.",
        ),
        Mistake(
            "transposed_output",
            torch.tensor(_by_hand(HAND_IMAGE)).T.tolist(),
            "The numbers are right, but rows and columns of the output are swapped.",
        ),
        Mistake(
            "one_window",
            9.0,
            "That is the largest number of the whole image. One is asked for from each window.",
        ),
    ),
)


# ---- how many features reach the next layer -----------------------------------------------------


def _features(size, channels, kernel_size, pool):
    return channels * ((size - kernel_size + 1) // pool) ** 2


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
    mistakes=(
        Mistake(
            "pooled_twice",
            lambda n, c, k, p: c * ((n - k + 1) // p // p) ** 2,
            "The size is divided by `pool` twice, and there is one pooling layer. For the network "
            "above that gives 1152, the number that does not work.",
        ),
        Mistake(
            "declared_number",
            lambda n, c, k, p: c * 6 * 6,
            "6 · 6 is what the network above declares, and it is wrong. Compute the side from the "
            "four arguments.",
        ),
        Mistake(
            "one_network_only",
            lambda n, c, k, p: 5408,
            "That is right for the network above only. Compute it from the four arguments.",
        ),
        Mistake(
            "convolution_forgotten",
            lambda n, c, k, p: c * (n // p) ** 2,
            "The convolution is missing: without padding it makes the picture smaller before the "
            "pooling does.",
        ),
        Mistake(
            "pooling_forgotten",
            lambda n, c, k, p: c * (n - k + 1) ** 2,
            "The pooling is missing.",
        ),
        Mistake(
            "channels_forgotten",
            lambda n, c, k, p: ((n - k + 1) // p) ** 2,
            "That is one channel. The next layer gets the numbers of all of them.",
        ),
        Mistake(
            "one_side_only",
            lambda n, c, k, p: c * ((n - k + 1) // p),
            "A channel is a square: its height times its width.",
        ),
        Mistake(
            "pooled_on_one_side",
            lambda n, c, k, p: c * (n - k + 1) ** 2 // p,
            "The pooling divides the height and the width, so a channel shrinks twice.",
        ),
        Mistake(
            "one_too_few",
            lambda n, c, k, p: c * ((n - k) // p) ** 2,
            "After the convolution one row and one column are missing: the first position counts.",
        ),
        Mistake(
            "shrunk_by_the_pooling",
            lambda n, c, k, p: c * (n - k + 1 - p + 1) ** 2,
            "That is a pooling with stride 1. By default the window moves by its own width.",
        ),
        Mistake(
            "order_turned_round",
            lambda n, c, k, p: c * (n // p - k + 1) ** 2,
            "First the convolution, then the pooling: the other order gives another size.",
        ),
        Mistake(
            "rounded_up",
            lambda n, c, k, p: c * (-(-(n - k + 1) // p)) ** 2,
            "A window that hangs over the end is dropped: round down.",
        ),
        Mistake(
            "not_rounded",
            lambda n, c, k, p: c * ((n - k + 1) / p) ** 2,
            "There are no half windows: round down, with `//` in place of `/`.",
        ),
    ),
)


# ---- the windows of an adaptive pooling ---------------------------------------------------------


def _windows(size, output_size):
    return [
        (i * size // output_size, -(-(i + 1) * size // output_size)) for i in range(output_size)
    ]


def _split(size, output_size):
    # As numpy.array_split does it: the first windows take one cell more.
    stops = [(i + 1) * (size // output_size) for i in range(output_size)]
    stops = [stop + min(i + 1, size % output_size) for i, stop in enumerate(stops)]
    return list(zip([0, *stops[:-1]], stops, strict=True))


adaptive_windows = Exercise(
    name="adaptive_windows",
    lesson=ADAPTIVE,
    reference=_windows,
    cases=(
        Case((4, 2)),
        Case((5, 1)),
        Case((5, 3)),
        Case((7, 3)),
        Case((10, 4)),
        Case((3, 5)),
    ),
    mistakes=(
        Mistake(
            "both_rounded_down",
            lambda n, m: [(i * n // m, (i + 1) * n // m) for i in range(m)],
            "The ends are rounded down. A window also takes the cell that it covers in part, so "
            "its end is rounded up.",
        ),
        Mistake(
            "both_rounded_up",
            lambda n, m: [(-(-i * n // m), -(-(i + 1) * n // m)) for i in range(m)],
            "The starts are rounded up. A window also takes the cell that it covers in part, so "
            "its start is rounded down.",
        ),
        Mistake(
            "rounded_inwards",
            lambda n, m: [(-(-i * n // m), (i + 1) * n // m) for i in range(m)],
            "Starts are rounded up and ends down, so some cells belong to no window. It is the "
            "other way round.",
        ),
        Mistake(
            "not_rounded",
            lambda n, m: [(i * n / m, (i + 1) * n / m) for i in range(m)],
            "There are no parts of cells: round the starts down and the ends up.",
        ),
        Mistake(
            "rest_lost",
            lambda n, m: [(i * (n // m), (i + 1) * (n // m)) for i in range(m)],
            "Where `size` is not a multiple of `output_size`, the last cells belong to no window.",
        ),
        Mistake(
            "last_takes_the_rest",
            lambda n, m: [(i * (n // m), (i + 1) * (n // m) if i < m - 1 else n) for i in range(m)],
            "The last window takes all that is left over. The windows share it evenly.",
        ),
        Mistake(
            "first_take_the_rest",
            _split,
            "No cell is in two windows here. Adaptive windows share a cell where the border "
            "between two of them goes through it.",
        ),
        Mistake(
            "one_stride",
            lambda n, m: [(i * (n // m), i * (n // m) + n - (m - 1) * (n // m)) for i in range(m)],
            "Those windows are all equally wide and equally far apart. Adaptive windows are not: "
            "each one's start and end are rounded for themselves.",
        ),
        Mistake(
            "end_included",
            lambda n, m: [(start, stop - 1) for start, stop in _windows(n, m)],
            "Those are the last cells of the windows. `stop` is the cell after, as in a slice.",
        ),
        Mistake(
            "width_for_stop",
            lambda n, m: [(start, stop - start) for start, stop in _windows(n, m)],
            "The second number of each pair is the width here. Return where the window stops.",
        ),
    ),
)

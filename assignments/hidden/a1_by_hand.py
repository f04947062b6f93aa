"""A1 · Arithmetic, the answers by hand: what the students never see.

The right answer depends on the student: each of `BY_HAND` takes the id and returns an `Exercise`.
"""

import torch
import torch.nn.functional as F

from course_utils.assignments import own_numbers as numbers
from course_utils.checks import Exercise, Mistake

SLIDING = "lesson 01, 'Slide, multiply, add'"
TURNING = "lesson 01, 'Cross-correlation or convolution?'"
SIZES = "lesson 01, 'How large is the output?'"
LAST_WINDOW = "lesson 02, 'Stride, padding, and the last window'"
AVERAGE = "lesson 02, 'The average of each window'"


def _plane(image, kernel, **options):
    """One plane in, one plane out, as nested lists."""
    return F.conv2d(image[None, None], kernel[None, None], **options)[0, 0].tolist()


def _turned(plane):
    return [row[::-1] for row in plane[::-1]]


def _transposed(plane):
    return [list(row) for row in zip(*plane, strict=True)]


def _divided(plane, by):
    return [[value / by for value in row] for row in plane]


# ---- task 1: a convolution by hand --------------------------------------------------------------


def _matrix_products(image, kernel):
    windows = image.unfold(0, 3, 1).unfold(1, 3, 1)
    return (windows @ kernel).sum((-1, -2)).tolist()


def _slips(image, kernel):
    """What goes wrong in the same way whichever way round the kernel lies."""
    right = _plane(image, kernel)
    return (
        Mistake(
            "sign_lost",
            _plane(image, kernel.abs()),
            "A minus of the kernel was lost: a negative weight takes away.",
        ),
        Mistake(
            "zeros_taken_for_ones",
            _plane(image, kernel.where(kernel != 0, torch.ones_like(kernel))),
            "Cells under a 0 of the kernel were added. They count nothing.",
        ),
        Mistake(
            "kernel_ignored",
            _plane(image, torch.ones_like(kernel)),
            "The cells under the window were added without multiplying by the kernel.",
        ),
        Mistake(
            "matrix_product",
            _matrix_products(image, kernel),
            "That is a product of matrices. Multiply cell by cell instead.",
        ),
        Mistake("averaged", _divided(right, 9), "The sum is not divided by the number of cells."),
        Mistake(
            "transposed_output",
            _transposed(right),
            "The numbers are right, but rows and columns of the output are swapped.",
        ),
        Mistake(
            "padded",
            _plane(image, kernel, padding=1),
            "The output has the size of the image: it was padded. Here the window stays inside.",
        ),
        Mistake(
            "one_window_only",
            (image[:3, :3] * kernel).tolist(),
            "Those are the nine products of the first window. Their sum is one output number.",
        ),
    )


def convolution_output(student_id):
    """Task 1a: the output of the kernel as it stands."""
    image, kernel = numbers.a1_convolution(student_id)
    return Exercise(
        name="convolution_output",
        lesson=SLIDING,
        reference=_plane(image, kernel),
        mistakes=(
            Mistake(
                "flipped_kernel",
                _plane(image, kernel.flip(0, 1)),
                "The kernel was turned by 180°. That is the next question; here it lies as it "
                "stands.",
            ),
            Mistake(
                "mirrored_kernel",
                _plane(image, kernel.flip(1)),
                "The kernel was mirrored. Lay it on the image as it stands.",
                also=(_plane(image, kernel.flip(0)),),
            ),
            Mistake(
                "transposed_kernel",
                _plane(image, kernel.T),
                "Rows and columns of the kernel are swapped.",
            ),
            *_slips(image, kernel),
        ),
        hidden=True,
    )


def turned_output(student_id):
    """Task 1b: the convolution of mathematics, where the kernel is turned by 180° first."""
    image, kernel = numbers.a1_convolution(student_id)
    turned = kernel.flip(0, 1)
    return Exercise(
        name="turned_output",
        lesson=TURNING,
        reference=_plane(image, turned),
        mistakes=(
            Mistake(
                "not_turned",
                _plane(image, kernel),
                "The kernel was not turned: that is the cross-correlation, as in the question "
                "before.",
            ),
            Mistake(
                "mirrored_only",
                _plane(image, kernel.flip(1)),
                "The kernel was mirrored along one axis only. A turn by 180° does both.",
                also=(_plane(image, kernel.flip(0)),),
            ),
            Mistake(
                "turned_by_90",
                _plane(image, kernel.rot90(1)),
                "The kernel was turned by 90°. It takes half a turn, not a quarter.",
                also=(_plane(image, kernel.rot90(3)),),
            ),
            Mistake(
                "transposed_kernel",
                _plane(image, kernel.T),
                "Rows and columns of the kernel were swapped. That is not a turn by 180°.",
                also=(_plane(image, turned.T),),
            ),
            Mistake(
                "image_turned_too",
                _turned(_plane(image, kernel)),
                "The output was turned, not the kernel. Turn the kernel, then slide it again.",
            ),
            Mistake(
                "signs_turned",
                _plane(image, -kernel),
                "The signs of the kernel were turned round. Its numbers change places instead.",
                also=(_plane(image, -turned),),
            ),
            *_slips(image, turned),
        ),
        hidden=True,
    )


# ---- task 2: pooling by hand --------------------------------------------------------------------


def _pool(image, how, value=0.0, sides=(1, 1, 1, 1), kernel_size=2, stride=2):
    """One pooling of a padded plane; `how` sums up a tensor over its last two axes."""
    padded = F.pad(image, sides, value=value)
    windows = padded.unfold(0, kernel_size, stride).unfold(1, kernel_size, stride)
    return how(windows).tolist()


def _largest(windows):
    return windows.amax((-1, -2))


def _average(windows):
    return windows.mean((-1, -2))


def _average_inside(windows):
    return windows.flatten(2).nanmean(-1)


def _farthest(windows):
    cells = windows.flatten(2)
    return cells.gather(2, cells.abs().argmax(2, keepdim=True))[..., 0]


def max_pooled(student_id):
    """Task 2a: max pooling with padding 1."""
    image = numbers.a1_pooling(student_id)
    low = -torch.inf
    right = _pool(image, _largest, low)
    return Exercise(
        name="max_pooled",
        lesson=LAST_WINDOW,
        reference=right,
        mistakes=(
            Mistake(
                "zero_padding",
                _pool(image, _largest),
                "A 0 of the padding wins over negative numbers. The padding of a maximum must "
                "never win.",
            ),
            Mistake(
                "negative_taken_for_zero",
                torch.tensor(right).relu().tolist(),
                "Where a window holds negative numbers only, one of those is still the largest.",
            ),
            Mistake(
                "padding_forgotten",
                _pool(image, _largest, low, (0, 0, 0, 0)),
                "The padding is missing: the first window reaches over the corner of the image.",
            ),
            Mistake(
                "stride_one",
                _pool(image, _largest, low, stride=1),
                "The window moved by one cell each time. The stride is 2.",
            ),
            Mistake(
                "padding_on_one_side",
                _pool(image, _largest, low, (1, 0, 1, 0)),
                "Padding is missing at the bottom and on the right: it belongs on all four sides.",
            ),
            Mistake(
                "farthest_from_zero",
                _pool(image, _farthest),
                "Those are the numbers farthest from 0. The largest is the one farthest to the "
                "right on the number line.",
            ),
            Mistake(
                "sign_lost",
                _pool(image.abs(), _largest),
                "The signs were ignored: −6 is smaller than 1.",
                also=(torch.tensor(right).abs().tolist(),),
            ),
            Mistake(
                "minimum",
                _pool(-image, lambda windows: -_largest(windows), low),
                "Those are the smallest numbers of the windows.",
                also=(_pool(-image, lambda windows: -_largest(windows)),),
            ),
            Mistake(
                "averaged",
                _pool(image, _average),
                "Those are the averages. Keep the largest number of each window.",
                also=(_pool(image, _average_inside, torch.nan),),
            ),
            Mistake(
                "window_of_three",
                _pool(image, _largest, low, kernel_size=3, stride=1),
                "Those are windows of 3 × 3 that move by one cell. They have 2 × 2 cells.",
            ),
            Mistake(
                "transposed_output",
                _transposed(right),
                "The numbers are right, but rows and columns of the output are swapped.",
            ),
        ),
        hidden=True,
    )


def _sums(image):
    return _pool(image, lambda windows: windows.sum((-1, -2)))


def _average_slips(image, right, how, value):
    """What goes wrong in an average, whether the padding counts or not."""
    return (
        Mistake(
            "padding_forgotten",
            _pool(image, _average, sides=(0, 0, 0, 0)),
            "The padding is missing: the first window reaches over the corner of the image.",
        ),
        Mistake(
            "stride_one",
            _pool(image, how, value, stride=1),
            "The window moved by one cell each time. The stride is 2.",
        ),
        Mistake(
            "padding_on_one_side",
            _pool(image, how, value, (1, 0, 1, 0)),
            "Padding is missing at the bottom and on the right: it belongs on all four sides.",
        ),
        Mistake(
            "not_divided",
            _sums(image),
            "Those are the sums of the windows: divide each by the number of cells that count.",
        ),
        Mistake(
            "divided_by_the_width",
            _divided(_sums(image), 2),
            "All sums are divided by 2. How many cells of each window count?",
        ),
        Mistake(
            "maximum",
            _pool(image, _largest, -torch.inf),
            "Those are the largest numbers of the windows, not their averages.",
            also=(_pool(image, _largest),),
        ),
        Mistake(
            "sign_lost",
            _pool(image.abs(), how, value),
            "The signs were ignored: negative numbers make a sum smaller.",
            also=(torch.tensor(right).abs().tolist(),),
        ),
        Mistake(
            "negative_taken_for_zero",
            _pool(image.relu(), how, 0.0 if value == 0 else torch.nan),
            "Negative cells were left out as if they were 0. They belong to the sum.",
        ),
        Mistake(
            "transposed_output",
            _transposed(right),
            "The numbers are right, but rows and columns of the output are swapped.",
        ),
    )


def average_pooled(student_id):
    """Task 2b: average pooling with padding 1, the zeros of the padding counted."""
    image = numbers.a1_pooling(student_id)
    right = _pool(image, _average)
    return Exercise(
        name="average_pooled",
        lesson=AVERAGE,
        reference=right,
        mistakes=(
            Mistake(
                "padding_not_counted",
                _pool(image, _average_inside, torch.nan),
                "The sums are divided by the cells that lie in the image. Here the zeros of the "
                "padding count as cells too.",
            ),
            Mistake(
                "divided_by_nine",
                _divided(_sums(image), 9),
                "The sums are divided by 9. A window of 2 × 2 has fewer cells.",
            ),
            *_average_slips(image, right, _average, 0.0),
        ),
        hidden=True,
    )


def average_inside(student_id):
    """Task 2c: average pooling with padding 1, only cells of the image counted."""
    image = numbers.a1_pooling(student_id)
    right = _pool(image, _average_inside, torch.nan)
    # Right at the edges, but a corner is divided by 2 as well.
    corners = torch.tensor(right)
    corners[::2, ::2] /= 2
    return Exercise(
        name="average_inside",
        lesson=AVERAGE,
        reference=right,
        mistakes=(
            Mistake(
                "padding_counted",
                _pool(image, _average),
                "All sums are divided by 4. Here the zeros of the padding do not count: divide by "
                "the cells that lie in the image.",
            ),
            Mistake(
                "corners_as_edges",
                corners.tolist(),
                "The corners are divided by 2, as the edges are. How many cells of the image does "
                "a corner window cover?",
            ),
            *_average_slips(image, right, _average_inside, torch.nan),
        ),
        hidden=True,
    )


# ---- task 3: sizes by hand ----------------------------------------------------------------------


def _places(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def _chain(size, layers, places=_places):
    """The sizes after each of three layers; `places` counts the places of one window."""
    first, second, third = layers
    one = places(size, **first)
    two = places(one, **second)
    return [one, two, places(two, third["kernel_size"], stride=third["kernel_size"])]


def _with(**forced):
    """How many places there are if some options are not what they should be."""
    return lambda size, kernel_size, **options: _places(size, kernel_size, **options | forced)


def _one_side(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + padding - dilation * (kernel_size - 1) - 1) // stride + 1


def _rounded_up(size, kernel_size, stride=1, padding=0, dilation=1):
    return -(-(size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride) + 1


def _not_rounded(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1


def layer_sizes(student_id):
    """Task 3a: the number of rows after each of three layers."""
    size, layers = numbers.a1_layers(student_id)
    right = _chain(size, layers)
    one, two, _ = right
    pool, wide, dilation = layers[2]["kernel_size"], layers[1]["kernel_size"], layers[1]["dilation"]
    too_wide = one - dilation * wide + 1
    stepped = _places(one, wide, stride=dilation)
    return Exercise(
        name="layer_sizes",
        lesson=SIZES,
        reference=right,
        mistakes=(
            Mistake(
                "padding_forgotten",
                _chain(size, layers, _with(padding=0)),
                "The padding of the first layer is missing.",
            ),
            Mistake(
                "padding_on_one_side",
                _chain(size, layers, _one_side),
                "Padding is added on both sides, so it counts twice.",
            ),
            Mistake(
                "rounded_up",
                _chain(size, layers, _rounded_up),
                "A window that would hang over the border is dropped, so round down.",
            ),
            Mistake(
                "not_rounded",
                _chain(size, layers, _not_rounded),
                "There are no half windows: every size is a whole number, rounded down.",
            ),
            Mistake(
                "one_too_few",
                _chain(size, layers, lambda *a, **o: _places(*a, **o) - 1),
                "One place is missing in each layer: the window has a place before its first step.",
            ),
            Mistake(
                "stride_ignored",
                _chain(size, ({**layers[0], "stride": 1}, *layers[1:])),
                "The stride of the first layer is missing.",
            ),
            Mistake(
                "dilation_ignored",
                _chain(size, layers, _with(dilation=1)),
                "The dilation of the second layer is missing: its window reaches further.",
            ),
            Mistake(
                "dilation_times_kernel",
                [one, too_wide, too_wide // pool],
                "The window of the second layer is taken too wide: k cells have k − 1 gaps "
                "between them.",
            ),
            Mistake(
                "dilation_as_stride",
                [one, stepped, stepped // pool],
                "Dilation was taken for a stride. It pulls the cells of the window apart; the step "
                "stays 1.",
            ),
            Mistake(
                "pooling_stride_one",
                [one, two, two - pool + 1],
                "The pooling moved by one cell. Without a stride it moves by its own width.",
            ),
            Mistake(
                "padded_everywhere",
                _chain(size, layers, _with(padding=layers[0]["padding"])),
                "Every layer was padded. Only the first one has a padding.",
            ),
            Mistake(
                "not_chained",
                [one, _places(size, **layers[1]), size // pool],
                "Each layer was given the picture. It gets what the layer before it puts out.",
            ),
        ),
        hidden=True,
    )


def _read(rows, starts, kernel_size):
    """Which rows the windows read."""
    return {row for start in starts for row in range(start, start + kernel_size)} & set(range(rows))


def _row_numbers(answer):
    """The answer as sorted whole numbers: the order of the rows is not asked for."""
    if isinstance(answer, torch.Tensor):
        answer = answer.tolist()
    if not isinstance(answer, list | tuple | set | range):
        raise ValueError("The answer should be a list of row numbers")
    listed = sorted(float(row) for row in answer)
    return lambda: torch.tensor(listed, dtype=torch.float64)


def unread_rows(student_id):
    """Task 3b: the rows that no window of a convolution reads."""
    rows, options = numbers.a1_rows(student_id)
    wide, stride, padding = options["kernel_size"], options["stride"], options["padding"]
    every = set(range(rows))
    starts = range(-padding, rows + padding - wide + 1, stride)
    right = every - _read(rows, starts, wide)
    end = starts[-1] + wide
    tail = set(range(end, rows))
    bare = every - _read(rows, range(0, rows - wide + 1, stride), wide)
    mistakes = (
        (
            "padding_forgotten",
            bare,
            "The padding is forgotten: the first window begins above the picture.",
        ),
        (
            "last_window_kept",
            every - _read(rows, range(-padding, rows, stride), wide),
            "A window that would hang over the end, padding included, is dropped.",
        ),
        (
            "end_forgotten",
            right - tail,
            "The rows after the last window are missing.",
        ),
        (
            "only_the_end",
            tail,
            "The rows between two windows are missing: here the step is larger than the window.",
        ),
        (
            "counted_from_one",
            {row + 1 for row in right},
            "The numbers are too large: row 0 is the first row of the picture, below the padding.",
            {row + padding for row in right},
        ),
        (
            "rows_that_are_read",
            every - right,
            "Those are the rows that are read. The others are asked for.",
        ),
        (
            "nothing_unread",
            set(),
            "With a step larger than the window, there are rows that no window reads.",
            every - _read(rows, range(-padding, rows + padding - wide + 1, wide), wide),
        ),
        (
            "stride_as_gap",
            every - _read(rows, range(-padding, rows + padding - wide + 1, stride + wide), wide),
            "The stride was left free between two windows. It is counted from the start of one "
            "window to the start of the next.",
        ),
        (
            "last_window_lost",
            every - _read(rows, starts[:-1], wide),
            "One window is missing at the end: it still fits, with the padding.",
        ),
    )
    return Exercise(
        name="unread_rows",
        lesson=SIZES,
        reference=sorted(right),
        mistakes=tuple(
            Mistake(name, sorted(answer), said, tuple(sorted(one) for one in also))
            for name, answer, said, *also in mistakes
        ),
        prepare=_row_numbers,
        hidden=True,
    )


BY_HAND = (
    convolution_output,
    turned_output,
    max_pooled,
    average_pooled,
    average_inside,
    layer_sizes,
    unread_rows,
)

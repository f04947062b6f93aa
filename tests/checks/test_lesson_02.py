"""The checks of lesson 02 accept every right way to write a pooling."""

import build_notebooks as build
import pytest
import torch
import torch.nn.functional as F

from course_utils import checks, ops
from course_utils.checks.lesson_02 import max_pool_by_hand

LESSON = build.LESSONS / "02_pooling_by_hand.py"


def max_in_loops(x, kernel_size, stride=None, padding=0):
    step, lowest = stride or kernel_size, torch.finfo(x.dtype).min
    x = F.pad(x, (padding,) * 4, value=lowest)
    rows = range(0, x.shape[2] - kernel_size + 1, step)
    columns = range(0, x.shape[3] - kernel_size + 1, step)
    maxima = [
        [x[:, :, i : i + kernel_size, j : j + kernel_size].amax((2, 3)) for j in columns]
        for i in rows
    ]
    return torch.stack([torch.stack(row, -1) for row in maxima], -2)


def max_unfolded(x, kernel_size, stride=None, padding=0):
    step = stride or kernel_size
    x = F.pad(x, (padding,) * 4, value=-torch.inf)
    return x.unfold(2, kernel_size, step).unfold(3, kernel_size, step).amax((4, 5))


def max_of_slices(x, kernel_size, stride=None, padding=0):
    step = stride or kernel_size
    rows = ops.output_size(x.shape[2], kernel_size, step, padding)
    columns = ops.output_size(x.shape[3], kernel_size, step, padding)
    x = F.pad(x, (padding,) * 4, value=float(x.min()) - 1)
    output = x[:, :, : (rows - 1) * step + 1 : step, : (columns - 1) * step + 1 : step]
    for i in range(kernel_size):
        for j in range(kernel_size):
            below, right = i + (rows - 1) * step + 1, j + (columns - 1) * step + 1
            output = torch.maximum(output, x[:, :, i:below:step, j:right:step])
    return output


def average_of_sums(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    step, padded = stride or kernel_size, (padding,) * 4
    counted = F.pad(torch.ones_like(x), padded, value=float(count_include_pad))
    sums = lambda t: t.unfold(2, kernel_size, step).unfold(3, kernel_size, step).sum((4, 5))  # noqa: E731
    return sums(F.pad(x, padded)) / sums(counted)


def average_by_convolution(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    weight = x.new_ones(x.shape[1], 1, kernel_size, kernel_size)
    options = {"stride": stride or kernel_size, "padding": padding, "groups": x.shape[1]}
    counted = F.conv2d(torch.ones_like(x), weight, **options)
    sums = F.conv2d(x, weight, **options)
    return sums / (kernel_size**2 if count_include_pad else counted)


def average_by_nanmean(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    step = stride or kernel_size
    x = F.pad(x, (padding,) * 4, value=0.0 if count_include_pad else torch.nan)
    return x.unfold(2, kernel_size, step).unfold(3, kernel_size, step).flatten(4).nanmean(4)


def test_adaptive_windows_are_those_of_torch():
    x = torch.arange(11.0)
    for size in range(1, 12):
        for output_size in range(1, 12):
            windows = checks.EXERCISES["adaptive_windows"].reference(size, output_size)
            expected = F.adaptive_avg_pool1d(x[None, None, :size], output_size)[0, 0]
            mine = torch.stack([x[start:stop].mean() for start, stop in windows])
            torch.testing.assert_close(mine, expected)


@pytest.mark.parametrize("answer", [[[1, 4], [-2, 6]], torch.tensor([[1, 4], [-2, 6]])])
def test_pooling_by_hand_may_be_a_list_or_a_tensor(answer):
    assert checks.max_pool_by_hand(answer).passed


def test_the_image_of_the_lesson_is_the_one_that_the_check_pools():
    (cell,) = [c for c in build.read_lesson(LESSON).cells if c.source.startswith("four_windows =")]
    shown = {}
    exec(cell.source.split("\nplotting")[0], {"torch": torch}, shown)
    assert torch.equal(shown["four_windows"], max_pool_by_hand.image())


def windows_as(kind):
    def windows(size, output_size):
        ends = range(size, size * output_size + 1, size)
        return kind([[(end - size) // output_size, -(-end // output_size)] for end in ends])

    return windows


def average_of_torch(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    return F.avg_pool2d(x, kernel_size, stride, padding, False, count_include_pad)


def pooled_of_torch(size, channels, kernel_size, pool):
    maps = F.conv2d(torch.zeros(1, 1, size, size), torch.zeros(channels, 1, *[kernel_size] * 2))
    return F.max_pool2d(maps, pool).numel()


RIGHT = {
    "max_pool2d": [max_in_loops, max_unfolded, max_of_slices, ops.max_pool2d],
    "avg_pool2d": [average_of_sums, average_by_convolution, average_by_nanmean, average_of_torch],
    "adaptive_windows": [windows_as(kind) for kind in (list, tuple, torch.tensor)],
    "features_after_pooling": [
        pooled_of_torch,
        lambda size, channels, kernel_size, pool: (
            channels * ((size - kernel_size + 1) // pool) ** 2
        ),
        lambda size, channels, kernel_size, pool: (
            channels * float((size - kernel_size + 1) // pool) ** 2
        ),
    ],
}

"""The explorer of lesson 02 agrees with torch wherever its controls can stand."""

import itertools
import re

import pytest
import torch
import torch.nn.functional as F

from course_utils import explorers
from course_utils.plotting import format_number

IMAGE = torch.tensor([[1, 3, 2, -1, 5], [4, -2, 1, 6, 3], [0, 1, -5, 2, 7], [2, -3, 8, 3, 1]])
# The whole range of the lesson's controls, the position apart.
OPTIONS = list(
    itertools.product(explorers.POOLINGS, range(1, 7), range(1, 5), range(4), (False, True))
)


def by_torch(mode, kernel_size, stride, padding, ceil_mode):
    """What torch gives, or None where it refuses."""
    x = IMAGE[None, None].double()
    options = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    if mode != "max":
        options["count_include_pad"] = mode == "average"
    try:
        return (F.max_pool2d if mode == "max" else F.avg_pool2d)(x, kernel_size, **options)[0, 0]
    except RuntimeError:
        return None


@pytest.mark.parametrize("mode", explorers.POOLINGS)
@pytest.mark.parametrize("kernel_size", range(1, 7))
def test_the_number_said_is_torchs_and_what_torch_refuses_is_refused(mode, kernel_size):
    for options in (o for o in OPTIONS if o[:2] == (mode, kernel_size)):
        expected = by_torch(*options)
        if expected is None:
            with pytest.raises(ValueError, match=r"too large"):
                explorers.pooling_step(IMAGE, *options)
            continue
        height, width = expected.shape
        for position in range(expected.numel()):
            grids, _, text = explorers.pooling_step(IMAGE, *options, position)
            torch.testing.assert_close(grids["output"], expected)
            result = expected.flatten()[position]
            assert f"Number {position + 1} of {height} × {width}:" in text
            if mode == "max":
                row, column = map(int, re.search(r"row (\d+) and column (\d+)", text).groups())
                assert IMAGE[row, column] == result, (options, position)
                assert f": {format_number(result)} wins" in text
            else:
                total, count = re.search(r"sum is ([\d.−-]+); over (\d+) cells", text).groups()
                mean = float(total.replace("−", "-")) / int(count)
                assert mean == pytest.approx(float(result), abs=1e-9), (options, position)
                assert text.endswith(f"makes {format_number(result)}.")


def test_a_position_outside_the_output_is_refused_with_the_limit():
    with pytest.raises(ValueError, match=r"position=6 is not there.*from 0 to 3"):
        explorers.draw_pooling(IMAGE, position=6)


def test_an_unknown_mode_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"mode='min' is unknown: choose one of max, average"):
        explorers.draw_pooling(IMAGE, mode="min")


def test_the_window_and_the_winner_are_outlined():
    options = {"kernel_size": 3, "stride": 2, "padding": 1}
    grids, windows, text = explorers.pooling_step(IMAGE, "max", position=4, **options)
    assert text == "Number 5 of 2 × 3: 8 wins, from row 3 and column 2 of the image."
    assert windows == {"image, padding 1": [(2, 2, 3, 3), (4, 3, 1, 1)], "output": (1, 1, 1, 1)}
    assert grids["image, padding 1"][0].eq(-torch.inf).all()
    assert explorers.draw_pooling(IMAGE, position=4, **options).alt_text == text


@pytest.mark.parametrize("mode", explorers.POOLINGS)
def test_every_window_lies_on_the_paper_and_every_picture_can_be_drawn(mode):
    for options in (o for o in OPTIONS if o[0] == mode and by_torch(*o) is not None):
        last = by_torch(*options).numel() - 1
        (paper, _), (outlined, _), _ = (
            list(part.values()) if isinstance(part, dict) else part
            for part in explorers.pooling_step(IMAGE, *options, last)
        )
        outlined = outlined if isinstance(outlined, list) else [outlined]
        for top, left, height, width in outlined:
            assert top + height <= paper.shape[0]
            assert left + width <= paper.shape[1]
    names = ("mode", "kernel_size", "stride", "padding", "ceil_mode")
    for values in ((mode, 1, 1, 0, False), (mode, 6, 1, 3, True), (mode, 2, 4, 1, True)):
        assert explorers.draw_pooling(IMAGE, **dict(zip(names, values, strict=True)))

"""The explorers of lesson 01 agree with torch wherever their controls can stand."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course_utils import explorers
from course_utils.data import load_photo
from course_utils.plotting import format_number

IMAGE, KERNEL = torch.arange(1, 17).reshape(4, 4), torch.arange(1, 5).reshape(2, 2)
ODD_IMAGE = torch.tensor([[2.0, -1, 0, 5, 1], [3, 3, -4, 1, 0], [0, 7, 1, -2, 2]])
ODD_KERNEL = torch.tensor([[1.0, -2, 3], [0.5, 4, -1]])
# The whole range of the lesson's controls, the position apart.
OPTIONS = list(itertools.product((1, 2, 3), (0, 1), (1, 2, 3, 4), explorers.MODES))


def by_torch(image, kernel, stride, padding, dilation, mode):
    """What torch gives, or None where it refuses."""
    kernel = kernel.rot90(2) if mode == "convolution" else kernel
    x, weight = image[None, None].double(), kernel[None, None].double()
    try:
        return F.conv2d(x, weight, None, stride, padding, dilation)[0, 0]
    except RuntimeError:
        return None


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(
    ("image", "kernel"), [(IMAGE, KERNEL), (ODD_IMAGE, ODD_KERNEL)], ids=["lesson's", "odd"]
)
def test_every_step_shows_torchs_number_and_its_sum(image, kernel, options):
    expected = by_torch(image, kernel, *options)
    if expected is None:
        with pytest.raises(ValueError, match=r"kernel_size=\d is too large for size=\d"):
            explorers.convolution_step(0, *options, image, kernel)
        return
    stride, padding, dilation, mode = options
    height, width = expected.shape
    for position in range(expected.numel()):
        grids, windows, said = explorers.convolution_step(position, *options, image, kernel)
        (name, padded), (_, laid), (_, output) = grids.items()
        assert torch.equal(padded, F.pad(image, (padding,) * 4))
        assert torch.equal(laid, kernel.rot90(2) if mode == "convolution" else kernel)
        assert torch.equal(output.flatten()[: position + 1], expected.flatten()[: position + 1])
        assert output.flatten()[position + 1 :].isnan().all()
        row, column = divmod(position, width)
        assert windows["output"] == (row, column, 1, 1)
        assert _cells(windows[name]) == [
            (row * stride + m * dilation, column * stride + n * dilation)
            for m in range(kernel.shape[0])
            for n in range(kernel.shape[1])
        ]
        assert f"Number {position + 1} of {height} × {width}, in row {row} and column" in said
        terms, result = said.removesuffix(".").rsplit(": ", 1)[1].split(" = ")
        assert result == format_number(expected[row, column])
        terms = terms.split(" + ")
        assert len(terms) == kernel.numel()
        total = sum(math.prod(_value(factor) for factor in term.split("·")) for term in terms)
        assert total == pytest.approx(float(expected[row, column]))
    limit = rf"position={expected.numel()} is not there.*from 0 to {expected.numel() - 1}"
    with pytest.raises(ValueError, match=limit):
        explorers.convolution_step(expected.numel(), *options, image, kernel)


def _cells(outlined):
    """The cells inside of what is outlined, one rectangle or several, as (row, column)."""
    rectangles = [outlined] if isinstance(outlined, tuple) else outlined
    return [
        (top + i, left + j)
        for top, left, height, width in rectangles
        for i in range(height)
        for j in range(width)
    ]


def _value(text):
    return float(text.strip("()").replace("−", "-"))


def test_a_step_is_drawn_as_it_was_computed():
    figure = explorers.draw_convolution_step(
        4, stride=1, padding=1, dilation=2, mode="convolution", image=IMAGE, kernel=KERNEL
    )
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[:1] + texts[8:10] == ["image, padding 1", "1", "2"]
    assert texts[texts.index("kernel, turned") :][:5] == ["kernel, turned", "4", "3", "2", "1"]
    written = texts[texts.index("output") :]
    assert written == ["output", "6", "17", "20", "14", "16"]
    outlined = [patch for patch in figure.axes[0].patches if not patch.get_fill()]
    assert len(outlined) == 4 + 1
    assert "Number 5 of 4 × 4, in row 1 and column 0" in figure.alt_text
    assert figure.alt_text.endswith("0·4 + 2·3 + 0·2 + 10·1 = 16.")


def test_unknown_choices_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="mode='flip' is unknown: choose one of cross-corr"):
        explorers.draw_convolution_step(mode="flip")
    with pytest.raises(ValueError, match="kernel='blur' is unknown: choose one of all edges"):
        explorers.draw_kernel_response("blur")


def test_a_sum_is_written_as_a_person_writes_it():
    assert explorers.write_sum(IMAGE[:2, :2], KERNEL) == "1·1 + 2·2 + 5·3 + 6·4 = 44"
    negative = explorers.write_sum(torch.tensor([2, -1]), torch.tensor([-3.0, 0.5]))
    assert negative == "2·(−3) + (−1)·0.5 = −6.5"


@pytest.mark.parametrize("kernel", explorers.KERNELS)
@pytest.mark.parametrize("photo", ["china", "flower"])
def test_every_kernel_shows_what_torch_answers(kernel, photo):
    picture = load_photo(photo, size=explorers.PHOTO_SIZE)
    weight = torch.tensor(explorers.KERNELS[kernel], dtype=torch.float64)
    adds_up_to = round(float(weight.sum()), 6)
    assert adds_up_to in (0, 1)
    for noise in (0.0, 0.05, 0.1, 0.15, 0.2):
        axes = explorers.draw_kernel_response(kernel, noise, photo).axes
        left, middle, right = (axis.images[0] for axis in axes[:3])
        shown = torch.as_tensor(np.asarray(left.get_array()))
        assert abs(float((shown - picture[0, 0]).std()) - noise) < 0.01
        assert np.allclose(middle.get_array(), weight)
        windows = shown.double().unfold(0, 3, 1).unfold(1, 3, 1)
        expected = torch.einsum("hwij,ij->hw", windows, weight)
        assert np.allclose(right.get_array(), expected, atol=1e-5)
        # A difference has zero in the middle of its scale; a brightness goes from black to white.
        low, high = right.get_clim()
        assert (low, high) == ((-high, high) if adds_up_to == 0 else (0, 1))
        assert (right.get_cmap().name == "signed") == (adds_up_to == 0)


def test_the_named_kernels_do_what_they_are_called():
    kernels = {name: torch.tensor(k, dtype=torch.float64) for name, k in explorers.KERNELS.items()}
    ramp = torch.arange(3.0).double().repeat(3, 1)  # brighter to the right
    answers = {name: float((kernel * ramp).sum()) for name, kernel in kernels.items()}
    assert answers["vertical edges (Sobel)"] == 8
    assert answers["horizontal edges (Sobel)"] == answers["all edges (Laplacian)"] == 0
    assert float((kernels["horizontal edges (Sobel)"] * ramp.T).sum()) == 8
    assert answers["identity"] == pytest.approx(1) == answers["box blur"]
    assert kernels["Gaussian blur"][1, 1] > kernels["Gaussian blur"][0, 1] > 0
    assert kernels["sharpen"][1, 1] > 1

"""Numbers are taken from whatever a student has them in, or refused in a sentence."""

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from course_utils import data, plotting, widgets
from course_utils._arrays import real_tensor

PLAIN = np.arange(16.0).reshape(4, 4) / 16
SAME = {
    "NumPy, from the last to the first row": PLAIN[::-1][::-1],
    "NumPy, columns first": np.asfortranarray(PLAIN),
    "NumPy, the other order of bytes": PLAIN.astype(">f8"),
    "NumPy, of objects": PLAIN.astype(object),
    "NumPy, of many bits": PLAIN.astype(np.longdouble),
    "NumPy, not to be written": np.broadcast_to(PLAIN, (4, 4)),
    "rows": PLAIN.tolist(),
    "float16": torch.from_numpy(PLAIN).half(),
    "bfloat16": torch.from_numpy(PLAIN).bfloat16(),
    "float8": torch.from_numpy(PLAIN).to(torch.float8_e4m3fn),
    "sparse": torch.from_numpy(PLAIN).to_sparse(),
    "with a gradient": torch.from_numpy(PLAIN).requires_grad_(),
    "negated": torch.complex(torch.zeros(4, 4), torch.from_numpy(-PLAIN).float()).conj().imag,
}
WHOLE = {
    "bool": PLAIN > 0.5,
    "uint8": (PLAIN * 16).astype(np.uint8),
    "uint16": (PLAIN * 16).astype(np.uint16),
    "uint32 of torch": torch.arange(16).view(4, 4).to(torch.uint32),
    "uint64": torch.arange(16).view(4, 4).to(torch.uint64),
    "a picture of Pillow": Image.fromarray((PLAIN * 16).astype(np.uint8)),
}


@pytest.mark.parametrize("values", SAME.values(), ids=SAME)
def test_the_same_numbers_are_read_from_everything_that_holds_them(values):
    tensor = real_tensor("x", values)
    torch.testing.assert_close(tensor.double(), torch.from_numpy(PLAIN), rtol=0.07, atol=0)
    assert tensor.device.type == "cpu"
    assert not tensor.requires_grad


@pytest.mark.filterwarnings("ignore:.*quantize_per_tensor")
def test_quantized_numbers_are_read_as_what_they_stand_for():
    values = torch.quantize_per_tensor(torch.from_numpy(PLAIN).float(), 1 / 16, 0, torch.quint8)
    torch.testing.assert_close(real_tensor("x", values).double(), torch.from_numpy(PLAIN))


@pytest.mark.parametrize("values", [*SAME.values(), *WHOLE.values()], ids=[*SAME, *WHOLE])
def test_they_are_drawn_and_shown(values):
    plotting.draw_images([values])
    plotting.draw_grids({"x": values})
    plotting.draw_confusion(values)
    widgets.ConvolutionStepper(input=values)
    widgets.KernelPlayground(values)


def test_numbers_with_steps_backwards_are_the_ones_that_are_seen():
    assert widgets.ConvolutionStepper(input=PLAIN[::-1]).input[0, 0] == 0.75
    assert widgets.KernelPlayground(PLAIN[:, ::-1]).image[0, 0] == 3 / 16


NOT_POSSIBLE = {
    "complex": torch.zeros(4, 4) + 0j,
    "complex of NumPy": PLAIN + 0j,
    "a text": "photo.png",
    "texts": np.array([["a", "b"], ["c", "d"]]),
    "dates": np.array([["2026-01-01"]], "datetime64[D]"),
    "rows of several lengths": [[1, 2], [3]],
    "no number": {"a": 1},
    "on no device": torch.empty(4, 4, device="meta"),
}


@pytest.mark.parametrize("values", NOT_POSSIBLE.values(), ids=NOT_POSSIBLE)
def test_what_holds_no_numbers_is_refused_in_a_sentence(values):
    for draw in (
        lambda: plotting.draw_images([values]),
        lambda: plotting.draw_grids({"x": values}),
        lambda: plotting.draw_confusion(values),
        lambda: widgets.ConvolutionStepper(input=values),
        lambda: widgets.KernelPlayground(values),
        lambda: widgets.DigitPad(image=values),
    ):
        with pytest.raises(
            (ValueError, traitlets.TraitError), match=r"is not possible|holds complex|neither"
        ):
            draw()


def test_labels_may_be_titles():
    images = torch.rand(3, 1, 8, 8)
    for labels in ([3, 1, 4], torch.tensor([3, 1, 4]), np.array([3, 1, 4]), ["3", "1", "4"]):
        assert plotting.draw_images(images, labels).alt_text == "Pictures: 3; 1; 4."
    shares = torch.tensor([0.5, 1, 2])
    assert plotting.draw_images(images, shares).alt_text.startswith("Pictures: 0.5;")


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_shares_in_a_confusion_matrix_are_written_as_shares():
    figure = plotting.draw_confusion(torch.tensor([[0.97, 0.03], [0.001, 0.999]]))
    assert texts(figure) == ["0.97", "0.03", "<0.01", "1"]
    assert "a 0 taken for a 1, 0.030" in figure.alt_text
    counts = plotting.draw_confusion(torch.tensor([[1200, 3], [0, 7]]))
    assert texts(counts) == ["1200", "3", "7"]
    assert "1207 of 1210 right" in counts.alt_text


def test_a_perfect_run_has_no_most_frequent_mistake():
    assert "there is no mistake" in plotting.draw_confusion(torch.eye(3) * 5).alt_text


@pytest.mark.parametrize("largest", [1, 255, 65535, 1e6])
def test_a_photograph_of_floating_point_numbers_is_as_bright_as_it_says(tmp_path, largest):
    pixels = np.linspace(0, largest, 64, dtype=np.float32).reshape(8, 8)
    Image.fromarray(pixels).save(tmp_path / "float.tiff")
    photo = data.load_photo(tmp_path / "float.tiff", size=8)
    expected = torch.linspace(0, 1, 64).view(1, 1, 8, 8)
    torch.testing.assert_close(photo, expected, rtol=0, atol=0.005)


def test_a_photograph_with_numbers_that_are_none_is_black_there(tmp_path):
    pixels = np.ones((8, 8), np.float32)
    pixels[0, 0] = np.nan
    Image.fromarray(pixels).save(tmp_path / "nan.tiff")
    photo = data.load_photo(tmp_path / "nan.tiff", size=8)[0, 0]
    assert (photo[0, 0], photo[4, 4]) == (0, 1)

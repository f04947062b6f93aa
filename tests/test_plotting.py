"""Every picture can be drawn, says in words what it shows, and is the same each time."""

import itertools
from types import SimpleNamespace

import pytest
import torch

from course_utils import plotting

GRID = torch.tensor([[1.0, -2.5], [0.0, 4.0]])
HISTORY = SimpleNamespace(
    step_loss=[2.0, 1.0, 0.5],
    epochs=[SimpleNamespace(epoch=1, validation_accuracy=0.9)],
)
FIGURES = {
    "grids": (plotting.draw_grids, ({"input": GRID}, {"input": (0, 0, 1, 2)})),
    "images": (plotting.draw_images, (torch.rand(7, 1, 8, 8), [f"{i}" for i in range(7)])),
    "signed": (lambda x: plotting.draw_images(x, signed=True), (torch.randn(2, 8, 8),)),
    "curves": (plotting.draw_curves, ({"a": ([1, 2], [3.0, 4.0])}, "x", "y")),
    "history": (plotting.draw_history, (HISTORY,)),
    "confusion": (plotting.draw_confusion, (torch.tensor([[5, 1], [0, 4]]),)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_has_words_and_the_same_bytes_each_time(name):
    draw, arguments = FIGURES[name]
    figure = draw(*arguments)
    assert len(figure.alt_text) > 15
    assert plotting.figure_png(figure) == plotting.figure_png(draw(*arguments))
    assert plotting.bundle(figure)[1]["image/png"]["width"] <= 700


def test_show_displays_with_alt_text_and_returns_nothing(monkeypatch):
    shown = []
    monkeypatch.setattr("course_utils.plotting.style.display", lambda *a, **k: shown.append((a, k)))
    assert plotting.show_grids({"input": GRID}) is None
    assert plotting.show_grids({"input": GRID}, alt="other words") is None
    assert shown[0][1]["metadata"]["image/png"]["alt"] == "input: 1 −2.5; 0 4"
    assert shown[1][1]["metadata"]["image/png"]["alt"] == "other words"


def test_a_figure_without_words_is_refused():
    figure = plotting.draw_grids({"input": GRID})
    figure.alt_text = ""
    with pytest.raises(ValueError, match="no alt text"):
        plotting.show(figure)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: plotting.draw_images([]), "images is empty"),
        (lambda: plotting.draw_images(torch.rand(2, 3, 4, 4)), "shape"),
        (lambda: plotting.draw_images(torch.rand(2, 4, 4), ["one"]), "1 titles for 2 images"),
        (lambda: plotting.draw_grids({"a": GRID}, {"b": (0, 0, 1, 1)}), "windows names"),
    ],
)
def test_a_bad_argument_is_named(draw, words):
    with pytest.raises(ValueError, match=words):
        draw()


@pytest.mark.parametrize(
    ("value", "text"), [(3.0, "3"), (-0.5, "−0.5"), (1 / 3, "0.33"), (-0.001, "0"), (2e6, "2e+06")]
)
def test_numbers_are_written_as_a_person_writes_them(value, text):
    assert plotting.format_number(value) == text


def test_zero_is_white_for_signed_values():
    assert plotting.SIGNED(0.5)[:3] == pytest.approx((1, 1, 1), abs=0.01)


def test_infinity_and_empty_cells_can_be_drawn():
    grid = torch.tensor([[float("-inf"), float("nan")], [1.0, 2.0]])
    assert plotting.figure_png(plotting.draw_grids({"padded": grid}))


def test_a_sum_is_written_as_a_person_writes_it():
    window, kernel = torch.tensor([[1, 2], [5, 6]]), torch.tensor([[1, 2], [3, 4]])
    assert plotting.write_sum(window, kernel) == "1·1 + 2·2 + 5·3 + 6·4 = 44"
    negative = plotting.write_sum(torch.tensor([2, -1]), torch.tensor([-3.0, 0.5]))
    assert negative == "2·(−3) + (−1)·0.5 = −6.5"
    assert plotting.write_sum(torch.tensor([-0.001]), torch.tensor([4.0])) == "0·4 = 0"


def test_names_of_lines_that_end_together_do_not_overlap():
    lines = {name: ([1, 2, 3], [2, 1, end]) for name, end in (("a", 0.5), ("b", 0.5), ("c", 0.49))}
    figure = plotting.draw_curves(lines, "step", "loss")
    figure.draw_without_rendering()
    boxes = sorted((t.get_window_extent() for t in figure.axes[0].texts), key=lambda box: box.y0)
    assert len(boxes) == 3
    assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))

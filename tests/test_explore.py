"""The sliders of a lesson: values go to the picture, and faults become sentences."""

import pytest
import torch

from course_utils import plotting
from course_utils.explore import WIDGET_VIEW, explore


def draw(size, mode, turned):
    if size == 3:
        raise ValueError("size=3 is <not> possible")
    return plotting.draw_grids({f"{mode} {turned}": torch.full((size, size), float(size))})


@pytest.fixture
def explorer():
    return explore(draw, size=(1, 4), mode=["max", "average"], turned=False)


def test_a_control_for_every_argument_and_its_value(explorer):
    assert explorer.values == {"size": 2, "mode": "max", "turned": False}


def test_moving_a_control_draws_a_new_picture_and_its_words(explorer):
    before = explorer._picture.value
    explorer.controls["size"].value = 4
    assert explorer._picture.value != before
    assert "4 4 4 4" in explorer._caption.value


def test_an_impossible_value_shows_the_sentence_and_comes_back(explorer):
    explorer.controls["size"].value = 3
    assert "size=3 is &lt;not&gt; possible" in explorer._caption.value
    assert explorer._picture.layout.display == "none"
    explorer.controls["size"].value = 2
    assert explorer._picture.layout.display is None


def test_a_picture_stays_behind_where_no_kernel_runs(explorer, monkeypatch):
    shown = []
    monkeypatch.setattr("course_utils.explore.display", lambda *a, **k: shown.append((a, k)))
    explorer._ipython_display_()
    ((data,), options) = shown[0]
    assert data["image/png"].startswith(b"\x89PNG")
    assert data[WIDGET_VIEW]["model_id"] == explorer.widget.model_id
    assert options["metadata"]["image/png"]["alt"] == data["text/plain"]


def test_an_abbreviation_that_is_no_control_is_refused():
    with pytest.raises(ValueError, match="mode=None is no control"):
        explore(draw, size=(1, 4), mode=None, turned=False)

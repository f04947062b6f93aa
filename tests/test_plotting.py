"""Every picture can be drawn, says in words what it shows, and is the same each time."""

import itertools
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.colors import CenteredNorm, to_rgba
from matplotlib.patches import Rectangle

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


# ---- what is drawn, artist by artist -----------------------------------------------------------


def texts_of(axes):
    """Where each text stands: {(x, y): text}."""
    return {text.get_position(): text for text in axes.texts}


def window(figure):
    """The outlined windows of a picture of grids."""
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


def shades(figure):
    """The colours of the cells, grid by grid, each (cells, 4)."""
    figure.draw_without_rendering()
    return [mesh.get_facecolor() for mesh in figure.axes[0].collections]


def test_grids_have_their_numbers_in_their_cells_their_titles_above_and_signs_between():
    kernel = torch.tensor([[5.0]])
    axes = plotting.draw_grids({"x": GRID, "W": kernel}, signs=["∗"]).axes[0]
    said = {place: text.get_text() for place, text in texts_of(axes).items()}
    numbers = {(0.5, 0.5): "1", (1.5, 0.5): "−2.5", (0.5, 1.5): "0", (1.5, 1.5): "4"}
    # The kernel begins 1.2 cells after the input, half a cell lower, for it is a row less high.
    assert {place: said.pop(place) for place in numbers} == numbers
    assert said == {(1, -0.2): "x", (3.7, 0.3): "W", (2.6, 1): "∗", (3.7, 1): "5"}
    assert axes.get_xlim() == (-0.05, 4.25)
    assert axes.get_ylim() == (2.05, -0.85)  # the first row is above
    assert axes.get_aspect() == 1
    assert not axes.axison
    titles = {text.get_text(): text.get_weight() for text in axes.texts}
    assert (titles["x"], titles["W"], titles["5"]) == ("bold", "bold", "normal")
    for text in axes.texts:
        assert text.get_horizontalalignment() == "center"
        assert text.get_verticalalignment() == ("bottom" if text.get_text() in "xW" else "center")


def test_the_cells_of_a_grid_lie_around_their_numbers():
    figure = plotting.draw_grids({"x": torch.rand(2, 3), "W": torch.rand(1, 2)})
    corners = [mesh.get_coordinates() for mesh in figure.axes[0].collections]
    assert [each.shape for each in corners] == [(3, 4, 2), (2, 3, 2)]
    assert corners[0][0].tolist() == [[0, 0], [1, 0], [2, 0], [3, 0]]
    assert corners[0][:, 0].tolist() == [[0, 0], [0, 1], [0, 2]]
    np.testing.assert_allclose(corners[1][0], [[4.2, 0.5], [5.2, 0.5], [6.2, 0.5]])
    np.testing.assert_allclose(corners[1][1, 0], [4.2, 1.5])
    assert figure.axes[0].collections[0].get_linewidth() > 0
    assert len(figure.axes[0].collections[0].get_edgecolor()) > 0


def test_cells_at_0_or_more_are_shaded_from_white_to_the_largest():
    (colours,) = shades(plotting.draw_grids({"x": torch.tensor([[0.0, 2.0, 4.0]])}))
    np.testing.assert_allclose(colours, plotting.PALE([0.0, 0.5, 1.0]))
    (same,) = shades(plotting.draw_grids({"x": torch.zeros(1, 2)}))
    np.testing.assert_allclose(same, plotting.PALE([0.0, 0.0]))


def test_cells_below_0_are_blue_above_orange_and_0_is_white_so_pale_that_numbers_are_read():
    for largest, grid in ((4, [[-4.0, 0.0, 2.0]]), (8, [[-4.0, 0.0, 8.0]])):
        (colours,) = shades(plotting.draw_grids({"x": torch.tensor(grid)}))
        expected = [plotting.SIGNED(0.5 + v / (2 * 2.5 * largest)) for v in grid[0]]
        np.testing.assert_allclose(colours, expected)
        below, zero, above = colours
        assert below[2] > below[0]
        assert min(zero[:3]) > 0.98
        assert above[0] > above[2]
        # The contrast of dark text, by the WCAG's formula for the luminance.
        light = [((c + 0.055) / 1.055) ** 2.4 @ [0.2126, 0.7152, 0.0722] for c in colours[:, :3]]
        assert all((value + 0.05) / (0.016 + 0.05) > 4.5 for value in light)


def test_cells_without_a_number_are_grey_and_only_nan_is_left_empty():
    grid = torch.tensor([[float("nan"), float("-inf"), 1.0, -1.0]])
    figure = plotting.draw_grids({"x": grid})
    (colours,) = shades(figure)
    grey = to_rgba("#f3f3f3")
    assert [tuple(colour) == pytest.approx(grey) for colour in colours] == [1, 1, 0, 0]
    assert [text.get_text() for text in figure.axes[0].texts] == ["x", "−∞", "1", "−1"]
    (colours,) = shades(plotting.draw_grids({"x": torch.full((1, 2), float("nan"))}))
    np.testing.assert_allclose(colours, [grey, grey])


def test_windows_outline_their_cells_over_the_shades_and_hide_no_number():
    windows = {"x": (1, 0, 1, 2), "W": [(0, 0, 1, 1), (0, 1, 1, 1)]}
    figure = plotting.draw_grids({"x": GRID, "W": torch.tensor([[1.0, 2.0]])}, windows)
    places = [(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in window(figure)]
    assert places == [(0, 1, 2, 1), (3.2, 0.5, 1, 1), (4.2, 0.5, 1, 1)]
    for patch in window(figure):
        assert not patch.get_fill()
        assert patch.get_edgecolor() == to_rgba(plotting.OUTLINE)
        assert patch.get_linewidth() >= 2
        assert all(patch.get_zorder() > mesh.get_zorder() for mesh in figure.axes[0].collections)
    assert window(plotting.draw_grids({"x": GRID})) == []


def test_grids_fit_a_page_and_long_numbers_their_cells():
    def made(columns, value, **options):
        figure = plotting.draw_grids({"x": torch.full((2, columns), value)}, **options)
        sizes = {text.get_fontsize() for text in figure.axes[0].texts[1:]}
        assert len(sizes) == 1
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in figure.axes[0].texts[1 : columns + 1]]
        assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))
        return figure, sizes.pop()

    short, long = made(3, 1.0), made(3, -123456.0)
    assert short[0].get_size_inches() == pytest.approx((3 * 0.5 + 0.2, 2.9 * 0.5 + 0.1))
    assert short[1] == 11 > long[1]
    wide, large = made(40, 12.25), made(3, 1.0, size=1.0)
    assert wide[0].get_size_inches()[0] == pytest.approx(plotting.WIDTH)
    assert large[0].get_size_inches()[0] == pytest.approx(3.2)


def test_a_large_grid_is_told_by_its_size_and_a_small_one_by_its_numbers():
    words = plotting.draw_grids({"x": GRID, "y": torch.zeros(6, 7)}).alt_text
    assert words == "x: 1 −2.5; 0 4. y: 6 by 7 numbers"
    assert plotting.draw_grids({"x": torch.zeros(6, 6)}).alt_text.startswith("x: 0 0 0 0 0 0; ")


def test_pictures_stand_in_rows_with_titles_and_frames_each_from_black_to_white():
    images = torch.rand(7, 1, 4, 6) * 3
    figure = plotting.draw_images(images, [f"picture {i}" for i in range(7)])
    grid = figure.axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols, len(figure.axes)) == (2, 5, 10)
    assert not any(axes.axison for axes in figure.axes)
    for number, (axes, image) in enumerate(zip(figure.axes, images, strict=False)):
        (shown,), (frame,) = axes.images, axes.patches
        np.testing.assert_array_equal(shown.get_array(), image[0])
        assert shown.get_cmap().name == "gray"
        assert shown.get_clim() == (image.min(), image.max())
        assert axes.get_title() == f"picture {number}"
        assert axes.title.get_weight() == "normal"
        assert (*frame.get_xy(), frame.get_width(), frame.get_height()) == (-0.5, -0.5, 6, 4)
        assert not frame.get_fill()
        assert not frame.get_clip_on()
    assert not any(axes.images or axes.get_title() for axes in figure.axes[7:])
    assert figure.alt_text == f"Pictures: {'; '.join(f'picture {i}' for i in range(7))}."
    assert plotting.draw_images(images, columns=4).alt_text == "7 pictures in 2 rows."


def test_pictures_with_limits_share_them():
    figure = plotting.draw_images(torch.rand(2, 3, 3), limits=(-1, 2))
    assert [axes.images[0].get_clim() for axes in figure.axes] == [(-1, 2), (-1, 2)]


def test_pictures_keep_to_the_width_of_a_page_and_have_room_for_their_titles():
    def size(*arguments, **options):
        return plotting.draw_images(*arguments, **options).get_size_inches()

    images = torch.rand(6, 3, 3)
    assert size(images) == pytest.approx((plotting.WIDTH, 2 * plotting.WIDTH / 5))
    assert size(images, columns=2) == pytest.approx((2 * 2.6, 3 * 2.6))
    assert size(images, columns=3, height=1) == pytest.approx((3, 2))
    lines = ["one"] * 5 + ["one\ntwo"]
    assert size(images, lines, columns=3, height=1) == pytest.approx((3, 2 * 1.44))
    assert size(images, height=3)[0] == plotting.WIDTH


def test_signed_pictures_share_one_scale_around_0_and_have_it_beside_them():
    images = torch.tensor([[[1.0, -2.0]], [[0.5, 8.0]]])
    figure = plotting.draw_images(images, signed=True)
    *pictures, bar = figure.axes
    for axes in pictures:
        (shown,) = axes.images
        assert shown.get_cmap()(0.1) == plotting.SIGNED(0.1)
        assert isinstance(shown.norm, CenteredNorm)
        assert (shown.norm.vmin, shown.norm.vmax) == (-8, 8)
    assert bar.get_ylabel() == "value"
    assert bar.get_ylim() == (-8, 8)
    assert len(plotting.draw_images(images).axes) == 2  # no scale for what has one each
    titled = plotting.draw_images(images, ["a\nb", ""], signed=True)
    assert titled.alt_text == "Signed pictures: a, b."


@pytest.mark.parametrize("signed", [True, False])
def test_what_is_no_number_has_a_colour_of_its_own_and_is_told_in_the_title(signed):
    image = torch.tensor([[1.0, float("nan")], [float("inf"), 0.0]])
    figure = plotting.draw_images([image, image.nan_to_num(0, 0)], ["odd", "sound"], signed=signed)
    shown = figure.axes[0].images[0]
    assert np.ma.getmaskarray(shown.get_array()).tolist() == [[False, True], [True, False]]
    assert shown.get_cmap()(np.ma.masked) != shown.get_cmap()(0.5)
    red, green, blue, _ = shown.get_cmap()(np.ma.masked)
    assert red > 0.6 > 0.4 > green
    assert blue > green
    assert figure.axes[0].get_title() == "odd\n(2 of 4 numbers are nan or infinite)"
    assert figure.axes[1].get_title() == "sound"
    unnamed = plotting.draw_images([image], signed=signed).axes[0]
    assert unnamed.get_title() == "(2 of 4 numbers are nan or infinite)"


def test_curves_hold_their_points_with_about_a_dozen_marks_and_a_name_at_the_end():
    x = list(range(120))
    curves = {"square": (x, [v**2 for v in x]), "line": ([0, 1, 2], [5.0, 6.0, 7.0])}
    axes = plotting.draw_curves(curves, "step", "loss", "A title").axes[0]
    for line, (wanted_x, wanted_y) in zip(axes.lines, curves.values(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), wanted_x)
        np.testing.assert_array_equal(line.get_ydata(), wanted_y)
    assert [line.get_markevery() for line in axes.lines] == [10, 1]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("step", "loss", "A title")
    colours = [line.get_color() for line in axes.lines]
    assert len(set(colours)) == 2
    assert len({line.get_marker() for line in axes.lines}) == 2
    named = {text.get_text(): (text.xy, text.get_color()) for text in axes.texts}
    assert named == {"square": ((119, 119**2), colours[0]), "line": ((2, 7), colours[1])}
    # Beside the end, not on it, and not cut off there.
    assert {text.xyann[0] for text in axes.texts} == {8}
    assert not any(text.get_annotation_clip() for text in axes.texts)
    assert axes.get_legend() is None
    figure = axes.figure
    assert figure.alt_text == (
        "loss against step: square goes from 0 to 1.42e+04; line goes from 5 to 7."
    )


def test_names_far_apart_stand_at_the_heights_of_their_ends():
    curves = {"low": ([0, 1], [0.0, 0.0]), "high": ([0, 1], [0.0, 100.0])}
    axes = plotting.draw_curves(curves, "x", "y").axes[0]
    assert [text.xyann for text in axes.texts] == [pytest.approx((8, 0))] * 2


def test_names_that_are_too_near_move_apart_by_equal_parts_and_in_order():
    curves = {"upper": ([0, 1], [0.0, 100.0]), "lower": ([0, 1], [100.0, 100.0])}
    axes = plotting.draw_curves(curves, "x", "y").axes[0]
    up, down = (text.xyann[1] for text in axes.texts)
    assert up == pytest.approx(-down)
    assert abs(up - down) == pytest.approx(13)
    curves = {"upper": ([0, 1], [0.0, 100.0]), "lower": ([0, 1], [100.0, 99.0])}
    up, down = (t.xyann[1] for t in plotting.draw_curves(curves, "x", "y").axes[0].texts)
    assert up > 0 > down


@pytest.mark.parametrize("log_x", [False, True])
@pytest.mark.parametrize("log_y", [False, True])
def test_axes_of_curves_are_logarithmic_only_where_asked_for(log_x, log_y):
    curves = {"a": ([8, 16, 1024], [1.0, 2.0, 3.0])}
    axes = plotting.draw_curves(curves, "x", "y", log_x=log_x, log_y=log_y).axes[0]
    assert axes.get_xscale() == ("log" if log_x else "linear")
    assert axes.get_yscale() == ("log" if log_y else "linear")
    ticks = [label.get_text() for label in axes.get_xticklabels()]
    if log_x:  # the points themselves
        assert ticks == ["8", "16", "1,024"]
        assert list(axes.get_xticks()) == [8, 16, 1024]
        assert list(axes.get_xticks(minor=True)) == []


def test_many_points_of_a_logarithmic_axis_are_not_all_named():
    eight, nine = ({"a": (range(1, n), range(1, n))} for n in (9, 10))
    assert len(plotting.draw_curves(eight, "x", "y", log_x=True).axes[0].get_xticks()) == 8
    ticks = plotting.draw_curves(nine, "x", "y", log_x=True).axes[0].get_xticks()
    assert {1, 10} <= set(ticks)
    assert 3 not in ticks


def test_there_is_no_half_epoch_but_there_is_a_half_second():
    def ticks(x):
        axes = plotting.draw_curves({"a": (x, [1.0, 2.0])}, "x", "y").axes[0]
        axes.figure.draw_without_rendering()
        return [tick % 1 for tick in axes.get_xticks()]

    assert not any(ticks([1, 2]))
    assert any(ticks([1.0, 2.0]))


def test_curves_have_lines_across_and_keep_the_limits_they_are_given():
    curves = {"a": ([0, 1], [0.2, 0.4])}
    axes = plotting.draw_curves(curves, "x", "y", y_limits=(0, 1)).axes[0]
    assert axes.get_ylim() == (0, 1)
    assert all(line.get_visible() for line in axes.get_ygridlines())
    assert not any(line.get_visible() for line in axes.get_xgridlines())
    assert plotting.draw_curves(curves, "x", "y").axes[0].get_ylim() != (0, 1)


def test_a_curve_ends_where_its_numbers_do_and_says_so():
    inf = float("inf")
    curves = {"part": ([0, 1, 2, 3], [1.0, 2.0, inf, inf]), "none": ([0, 1], [inf, inf])}
    axes = plotting.draw_curves(curves, "x", "y").axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [1, 2, np.nan, np.nan])
    texts = {text.get_text(): text for text in axes.texts}
    assert set(texts) == {"part, 2 nan", "none, 2 nan"}
    assert texts["part, 2 nan"].xy == (1, 2)
    middle = texts["none, 2 nan"]
    assert middle.get_transform() == axes.transAxes
    assert middle.get_position() == (0.5, pytest.approx(0.8))
    assert middle.get_color() == axes.lines[1].get_color()
    with pytest.raises(ValueError, match="'a' has 2 x and 1 y"):
        plotting.draw_curves({"a": ([1, 2], [3.0])}, "x", "y")
    with pytest.raises(ValueError, match="'a' has 0 x and 0 y"):
        plotting.draw_curves({"a": ([], [])}, "x", "y")
    assert plotting.draw_curves({}, "x", "y").alt_text == "y against x: no line yet."


def history_of(losses, accuracies=()):
    epochs = [
        SimpleNamespace(epoch=i, validation_accuracy=v) for i, v in enumerate(accuracies, start=1)
    ]
    return SimpleNamespace(step_loss=losses, epochs=epochs)


def test_a_history_shows_each_loss_and_their_running_mean_from_0_up():
    losses = [float(loss) for loss in range(200, 0, -1)]
    figure = plotting.draw_history(history_of(losses, [0.5]))
    (axes,) = figure.axes  # one accuracy is no curve
    each, mean = axes.lines
    assert list(each.get_ydata()) == losses
    assert list(mean.get_xdata()) == list(range(3, 200))
    np.testing.assert_allclose(mean.get_ydata(), [losses[i] - 1.5 for i in range(197)])
    assert [text.get_text() for text in axes.get_legend().texts] == ["one batch", "mean of 4"]
    assert {line.get_marker() for line in axes.lines} == {"none"}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "training loss")
    assert axes.get_title() == "loss"
    assert axes.get_ylim()[0] == 0
    assert axes.get_ylim()[1] > 200
    assert figure.alt_text == (
        "Training loss over 200 steps, from 200.00 to a mean of 2.50 at the end; "
        "validation accuracy 0.500 after epoch 1."
    )


def test_a_history_of_several_epochs_shows_their_accuracies_beside_the_loss():
    accuracies = [0.5 + 0.01 * i for i in range(25)]
    figure = plotting.draw_history(history_of([2.0, 1.0], accuracies))
    left, right = figure.axes
    assert left.get_title() == "loss"
    (line,) = right.lines
    assert list(line.get_xdata()) == list(range(1, 26))
    assert list(line.get_ydata()) == accuracies
    assert (right.get_xlabel(), right.get_ylabel()) == ("epoch", "validation accuracy")
    assert right.get_title() == "accuracy"
    assert list(right.get_xticks()) == list(range(1, 26, 2))
    few = plotting.draw_history(history_of([2.0, 1.0], [0.5, None, 0.75])).axes[1]
    assert list(few.get_xticks()) == list(few.lines[0].get_xdata()) == [1, 3]


def test_a_history_leaves_out_losses_that_are_no_numbers_and_says_how_many():
    figure = plotting.draw_history(history_of([2.0, 1.0, float("nan")]))
    (axes,) = figure.axes
    assert list(axes.lines[0].get_ydata()) == [2, 1]
    assert axes.get_title() == "loss\n(1 of 3 losses are nan or infinite)"
    assert figure.alt_text == (
        "Training loss over 3 steps, from 2.00 to a mean of 1.00 at the end; "
        "1 of 3 losses are nan or infinite."
    )
    empty = plotting.draw_history(history_of([]))
    assert not empty.axes[0].lines
    assert empty.alt_text == "Training loss over 0 steps."


def test_a_confusion_matrix_has_each_count_in_its_cell_and_the_right_ones_bold():
    counts = torch.tensor([[90, 0, 10], [1, 99, 0], [0, 0, 0]])
    figure = plotting.draw_confusion(counts)
    axes = figure.axes[0]
    texts = {text.get_position(): text for text in axes.texts}
    said = {place: text.get_text() for place, text in texts.items()}
    assert said == {(0, 0): "90", (2, 0): "10", (0, 1): "1", (1, 1): "99"}  # (column, row)
    assert {place for place, text in texts.items() if text.get_weight() == "bold"} == {
        *((0, 0), (1, 1)),
    }
    # White on dark, and dark on what is a tenth of its row or less.
    assert {place: text.get_color() for place, text in texts.items()} == {
        (0, 0): "white",
        (1, 1): "white",
        (2, 0): plotting.TEXT,
        (0, 1): plotting.TEXT,
    }
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    assert list(axes.get_xticks()) == list(axes.get_yticks()) == [0, 1, 2]
    assert not any(spine.get_visible() for spine in axes.spines.values())
    assert figure.alt_text == (
        "Confusion matrix: 189 of 200 right; the most frequent mistake is a 0 taken for a 2, "
        "10 times."
    )


def test_the_shade_of_a_confusion_is_the_share_of_its_row_on_a_logarithmic_scale():
    (shown,) = plotting.draw_confusion(torch.tensor([[90, 10], [1, 999]])).axes[0].images
    shares = np.array([[0.9, 0.1], [0.001, 0.999]])
    np.testing.assert_allclose(shown.get_array(), np.log10(shares + 1e-4))
    assert shown.get_clim() == (-4, 0.6)
    assert shown.get_cmap().name == "Blues"
    for wrong in (torch.ones(2, 3), torch.tensor([[1.0, float("nan")], [0.0, 1.0]])):
        with pytest.raises(ValueError, match="has to be finite counts"):
            plotting.draw_confusion(wrong)


def test_every_picture_is_drawn_in_the_style_of_the_course_and_leaves_the_readers_alone():
    before = dict(matplotlib.rcParams)
    for draw, arguments in FIGURES.values():
        figure = draw(*arguments)
        assert figure.dpi == 144
        assert figure.get_size_inches()[0] <= plotting.WIDTH + 1e-6
    assert dict(matplotlib.rcParams) == before

    @plotting.in_style
    def size():
        return matplotlib.rcParams["lines.linewidth"]

    with matplotlib.rc_context({"lines.linewidth": 9}):
        assert size() == 2
    assert size.__name__ == "size"


def test_a_picture_in_a_notebook_is_as_wide_as_its_inches_say():
    data, metadata = plotting.bundle(plotting.draw_grids({"x": torch.zeros(2, 10)}), alt="words")
    width = int.from_bytes(data["image/png"][16:20])
    assert metadata["image/png"] == {"alt": "words", "width": round(width * 96 / 144)}
    assert metadata["image/png"]["width"] == pytest.approx(5.3 * 96, rel=0.05)
    assert data["text/plain"] == "words"


@pytest.mark.parametrize("name", ["grids", "images", "curves", "history", "confusion"])
def test_each_show_displays_what_its_draw_draws(name, monkeypatch):
    shown = []
    names = plotting.show.__globals__
    monkeypatch.setitem(names, "display", lambda *a, **k: shown.append((a, k)))
    _, arguments = FIGURES[name]
    show = getattr(plotting, f"show_{name}")
    figure = getattr(plotting, f"draw_{name}")(*arguments)
    assert show.__name__ == f"show_{name}"
    assert f"draw_{name}" in show.__doc__
    assert show(*arguments) is None
    ((data,), options) = shown[0]
    assert data == plotting.bundle(figure)[0]
    assert options["raw"]
    assert options["metadata"]["image/png"]["alt"] == figure.alt_text

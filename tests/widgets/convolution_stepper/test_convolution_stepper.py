"""ConvolutionStepper shows torch's numbers, in Python and in the browser, whatever is set."""

import itertools
import random
import re

import page as pages
import pytest
import torch
import torch.nn.functional as F
from node import needs_node, run_node
from traitlets import TraitError

from course_utils.plotting import format_number
from course_utils.widgets import ConvolutionStepper
from course_utils.widgets.convolution_stepper.widget import MODES

INPUT = torch.tensor([[2.0, -1, 0, 5, 1], [3, 3, -4, 1, 0], [0, 7, 1, -2, 2]])
KERNEL = torch.tensor([[1.0, -2, 3], [0.5, 4, -1]])


def by_torch(input, kernel, stride, padding, dilation, mode):
    """What torch gives, or None where it refuses."""
    x, weight = (g if g.ndim == 3 else g[None] for g in (input, kernel))
    weight = weight.rot90(2, (-2, -1)) if mode == "convolution" else weight
    try:
        return F.conv2d(x[None], weight[None], None, stride, padding, dilation)[0, 0]
    except RuntimeError:
        return None


def make_cases(count=400):
    """Random states of the widget, each with torch's answers or Python's sentence."""
    generator, choose = torch.Generator().manual_seed(0), random.Random(0)
    for _ in range(count):
        channels = choose.choice([(), (), (2,), (3,)])
        shape = choose.randint(1, 9), choose.randint(1, 9)
        size = choose.randint(1, 4), choose.randint(1, 4)
        x = torch.randint(-9, 10, (*channels, *shape), generator=generator).double()
        weight = torch.randint(-30, 31, (*channels, *size), generator=generator).double() / 10
        if choose.random() < 0.05:
            weight = torch.ones(2 + len(x) % 2, 2, 2).double()
        state = {"stride": choose.randint(1, 5), "padding": choose.randint(0, 3)}
        state |= {"dilation": choose.randint(1, 4), "mode": choose.choice(MODES)}
        case = {"state": {"input": x.tolist(), "kernel": weight.tolist(), **state}}
        try:
            widget = ConvolutionStepper(input=x, kernel=weight, **state)
        except TraitError as error:
            assert by_torch(x, weight, **state) is None
            yield {**case, "sentence": str(error)}
            continue
        yield {**case, **torchs_answers(widget, choose)}


def torchs_answers(widget, choose):
    """The output, and what autograd says about which cells it was made of."""
    x, weight = (g if g.ndim == 3 else g[None] for g in (widget.input, widget.kernel))
    weight = weight.flip(-2, -1) if widget.mode == "convolution" else weight
    padded = F.pad(x, (widget.padding,) * 4).requires_grad_()
    options = {"stride": widget.stride, "dilation": widget.dilation}
    touching = F.conv2d(padded[None], torch.ones_like(weight)[None], **options)[0, 0]
    position = choose.randrange(touching.numel())
    (one,) = torch.autograd.grad(touching.flatten()[position], padded, retain_graph=True)
    (all_,) = torch.autograd.grad(touching.sum(), padded)
    window = F.unfold(
        padded.detach()[None], weight.shape[-2:], dilation=widget.dilation, stride=widget.stride
    )[0, :, position]
    return {
        "output": F.conv2d(padded[None], weight[None], **options)[0, 0].tolist(),
        "position": position,
        "reached": one[0].nonzero().tolist(),
        "read": all_[0].bool().tolist(),
        "products": (window * weight.flatten()).tolist(),
    }


@needs_node
def test_the_browsers_arithmetic_is_torchs(tmp_path):
    run_node("convolution_stepper/convolution.test.mjs", list(make_cases()), tmp_path)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("channels", [1, 3])
def test_output_is_torchs_over_the_whole_range_of_every_control(mode, channels):
    x = torch.stack([INPUT, INPUT.flip(0), -INPUT])[:channels].squeeze(0)
    weight = torch.stack([KERNEL, 2 * KERNEL, KERNEL.flip(1)])[:channels].squeeze(0)
    legal = 0
    for stride, padding, dilation in itertools.product(range(1, 6), range(4), range(1, 5)):
        expected = by_torch(x, weight, stride, padding, dilation, mode)
        options = {"stride": stride, "padding": padding, "dilation": dilation, "mode": mode}
        if expected is None:
            with pytest.raises(TraitError, match=r"kernel_size=\d is too large for size=\d"):
                ConvolutionStepper(input=x, kernel=weight, **options)
            continue
        widget = ConvolutionStepper(input=x, kernel=weight, **options)
        torch.testing.assert_close(widget.output, expected)
        legal += 1
    assert legal > 40


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"stride": 0}, r"stride=0 is not possible: give a whole number from 1 to 5"),
        ({"stride": 1.5}, r"stride=1.5 is not possible: give a whole number"),
        ({"stride": True}, r"stride=True is not possible"),
        ({"padding": -1}, r"padding=-1 is not possible: give a whole number from 0 to 3"),
        ({"dilation": "2"}, r"dilation='2' is not possible"),
        ({"mode": "flip"}, r"mode='flip' is not possible: choose one of cross-correlation, conv"),
        ({"input": [[1, 2], [3]]}, r"input=.* is not possible: give a tensor, or rows of numbers"),
        ({"input": torch.zeros(13, 2)}, r"input of shape \(13, 2\) is not possible: give \(H, W\)"),
        ({"input": torch.zeros(0, 2)}, r"input of shape \(0, 2\) is not possible"),
        ({"input": torch.zeros(4, 3, 3)}, r"or \(C, H, W\) with C up to 3"),
        ({"input": [[float("nan")] * 2] * 2}, r"input holds a number that is not finite"),
        ({"kernel": torch.ones(8, 1)}, r"kernel of shape \(8, 1\) .* 1 to 7 rows and columns"),
        ({"kernel": torch.ones(2, 2, 2)}, r"input has 1 channel\(s\) and kernel has 2"),
        ({"kernel": torch.ones(4, 1)}, r"kernel_size=4 is too large for size=3: with dilation=1"),
        ({"dilation": 3}, r"kernel_size=2 is too large for size=3: with dilation=3 it covers 4"),
        ({"position": 4}, r"position=4 is not there: the output has 2 × 2 .* from 0 to 3"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_impossible_value_is_refused_in_a_sentence_and_nothing_changes(change, sentence):
    widget = ConvolutionStepper()
    before = widget.output
    ((name, value),) = change.items()
    with pytest.raises(TraitError, match=sentence):
        setattr(widget, name, value)
    assert torch.equal(widget.output, before)
    assert widget.position == 0


def test_two_values_that_are_possible_only_together_can_be_set_together():
    widget = ConvolutionStepper()
    with widget.hold_trait_notifications():
        widget.input = torch.ones(2, 4, 4)
        widget.kernel = torch.ones(2, 3, 3)
    assert torch.equal(widget.output, torch.full((2, 2), 18.0))


def test_the_position_stays_inside_an_output_that_becomes_smaller():
    widget = ConvolutionStepper(position=3)
    widget.stride = 2
    assert widget.position == 0


def test_a_grid_keeps_its_dtype_and_is_not_tied_to_the_students_tensor():
    mine = INPUT.double()
    widget = ConvolutionStepper(input=mine, kernel=KERNEL)
    mine[0, 0] = 100
    assert widget.input[0, 0] == 2
    assert widget.output.dtype == torch.float64
    assert ConvolutionStepper(input=torch.ones(1, 1, 2, 2)).input.shape == (2, 2)


@pytest.mark.parametrize("padding", [0, 2])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dilation", [1, 2])
def test_the_static_picture_says_the_sum_at_the_position(padding, mode, dilation):
    options = {"padding": padding, "mode": mode, "dilation": dilation, "stride": 2}
    widget = ConvolutionStepper(input=torch.cat([INPUT, INPUT]), kernel=KERNEL, **options)
    widget.position = widget.output.numel() - 1
    result = format_number(widget.output[-1, -1])
    assert widget.draw().alt_text.endswith(f" = {result}.")
    data, metadata = widget._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in data
    assert metadata["image/png"]["alt"] == data["text/plain"] == widget.draw().alt_text


def test_the_static_picture_has_every_channel():
    widget = ConvolutionStepper(input=torch.ones(3, 4, 4), kernel=torch.ones(3, 2, 2))
    assert widget.draw().alt_text.count("1·1") == 12


# In the browser. A page shows the default: 1 to 9 in 3 × 3, the kernel 1 to 4 in 2 × 2.


@pytest.fixture
def widget():
    return ConvolutionStepper()


def numbers(page, title, view=0):
    """The numbers that a grid shows, as a tensor."""
    box = page.locator(".cu").nth(view).locator(".cu-grid-box", has_text=re.compile(f"^{title}"))
    rows = [row.locator("td").all_inner_texts() for row in box.first.locator("tr").all()]
    return torch.tensor([[float(text.replace("−", "-")) for text in row] for row in rows])


def grid(page, title):
    return page.locator(".cu-grid-box", has_text=re.compile(f"^{title}")).first


def agree(page, widget):
    """The page shows what Python has, once Python has heard what the page saved."""
    pages.settle(page)
    pages.pull(page, widget)
    expected = by_torch(
        *(getattr(widget, n) for n in ("input", "kernel", "stride", "padding", "dilation", "mode"))
    )
    torch.testing.assert_close(widget.output, expected)
    torch.testing.assert_close(numbers(page, "output"), expected, atol=0.005, rtol=0)
    said = page.locator(".cu-words").first.inner_text()
    row, column = divmod(widget.position, expected.shape[1])
    height, width = expected.shape
    assert said.startswith(f"Number {widget.position + 1} of {height} × {width}, in row {row}")
    assert f" = {format_number(expected[row, column])}." in said


def test_every_slider_by_mouse_and_by_keyboard(page, widget):
    for name, value in [("padding", "2"), ("stride", "3"), ("dilation", "2"), ("padding", "1")]:
        page.get_by_label(name, exact=True).fill(value)
        agree(page, widget)
        assert getattr(widget, name) == int(value)
    for name in ("stride", "dilation"):
        page.get_by_label(name, exact=True).focus()
        page.keyboard.press("ArrowLeft")
        agree(page, widget)
    assert (widget.stride, widget.padding, widget.dilation) == (2, 1, 1)
    track = page.get_by_label("stride", exact=True).bounding_box()
    page.mouse.click(track["x"] + track["width"] - 4, track["y"] + track["height"] / 2)
    agree(page, widget)
    assert widget.stride == 5


def test_the_mode_turns_the_kernel(page, widget):
    page.get_by_label("mode").select_option("convolution")
    agree(page, widget)
    assert torch.equal(numbers(page, "turned"), torch.tensor([[4.0, 3], [2, 1]]))
    assert "1·4 + 2·3 + 4·2 + 5·1 = 23." in page.locator(".cu-words").inner_text()


def test_stepping_by_mouse_and_by_keyboard_outlines_the_window(page, widget):
    page.get_by_role("button", name="the next output number").click()
    agree(page, widget)
    assert widget.position == 1
    window = grid(page, "input").locator(".cu-window").all_inner_texts()
    assert window == ["2", "3", "5", "6"]
    grid(page, "output").locator("td").nth(1).focus()
    page.keyboard.press("ArrowDown")
    agree(page, widget)
    assert widget.position == 3
    assert page.locator(".cu-words").inner_text().endswith("5·1 + 6·2 + 8·3 + 9·4 = 77.")
    page.get_by_role("button", name="the first output number").press("Enter")
    agree(page, widget)
    assert widget.position == 0


def test_hovering_shows_a_window_and_leaves_the_position(page, widget):
    grid(page, "output").locator("td").nth(2).hover()
    pages.settle(page)
    assert grid(page, "input").locator(".cu-window").all_inner_texts() == ["4", "5", "7", "8"]
    page.mouse.move(5, 5)
    pages.settle(page)
    assert grid(page, "input").locator(".cu-window").all_inner_texts() == ["1", "2", "4", "5"]
    agree(page, widget)


def test_hovering_a_product_marks_its_two_factors_and_its_term(page):
    grid(page, "products").locator("td").nth(2).hover()
    pages.settle(page)
    assert grid(page, "input").locator(".cu-active").all_inner_texts() == ["4"]
    assert grid(page, "kernel").locator(".cu-active").all_inner_texts() == ["3"]
    assert page.locator(".cu-term").all_inner_texts() == ["4·3"]


def test_hovering_an_input_cell_marks_the_outputs_that_read_it(page):
    grid(page, "input").locator("td").nth(5).hover()  # row 1, column 2: in the windows on the right
    pages.settle(page)
    assert grid(page, "output").locator(".cu-reader").all_inner_texts() == ["47", "77"]


def test_products_are_added_one_by_one(page):
    add = page.get_by_role("button", name="add up the products one by one")
    sums = []
    for _ in range(5):
        add.click()
        pages.settle(page)
        sums.append(page.locator(".cu-words").inner_text().split(" = ")[1])
    assert sums == ["1 so far.", "5 so far.", "17 so far.", "37.", "2 so far."]


def test_playing_goes_to_the_last_number_and_stops(page, widget):
    page.clock.install()
    page.get_by_role("button", name="show one output number after the other").click()
    for expected in (1, 2, 3, 3):
        page.clock.run_for(950)
        assert page.evaluate("model.get('position')") == expected
    assert "play" in page.get_by_role("button", name="show one output number").inner_text()


def test_cells_are_edited_by_mouse_and_by_keyboard(page, widget):
    grid(page, "input").locator("td").nth(4).click()
    page.keyboard.type("-2,5")
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.input[1, 1] == -2.5
    page.keyboard.press("ArrowRight")
    page.keyboard.type("7")  # a digit opens the cell
    page.keyboard.press("Tab")
    agree(page, widget)
    assert widget.input[1, 2] == 7
    grid(page, "kernel").locator("td").nth(0).focus()
    page.keyboard.press("Enter")
    page.keyboard.type("0")
    page.keyboard.press("Escape")
    agree(page, widget)
    assert widget.kernel[0, 0] == 1


def test_a_cell_of_the_padding_cannot_be_edited_and_others_land_where_they_were_typed(page, widget):
    page.get_by_label("padding", exact=True).fill("1")
    agree(page, widget)
    labels = [
        cell.get_attribute("aria-label") for cell in grid(page, "input").locator("td").all()[5:8]
    ]
    assert labels == [
        "padding: 0, in the window",
        "row 0, column 0: 1, in the window",
        "row 0, column 1: 2",
    ]
    grid(page, "input").locator("td").nth(0).click()
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    assert widget.input.sum() == 45
    grid(page, "input").locator("td").nth(6).click()  # row 1, column 1: the first of the image
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.input[0, 0] == 9


def test_what_is_no_number_is_refused_and_nothing_is_lost(page, widget):
    grid(page, "kernel").locator("td").nth(1).click()
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    assert "“two” is no number" in page.locator(".cu-refusal").inner_text()
    agree(page, widget)
    assert widget.kernel[0, 1] == 2


def test_an_impossible_combination_says_pythons_sentence_and_the_next_change_may_mend_it(
    page, widget
):
    page.get_by_label("dilation").fill("3")
    pages.settle(page)
    with pytest.raises(TraitError) as refused:
        ConvolutionStepper(dilation=3)
    assert page.locator(".cu-refusal").inner_text() == f"Not possible: {refused.value}."
    assert page.evaluate("model.get('dilation')") == 1
    assert numbers(page, "output").shape == (2, 2)
    page.get_by_label("padding").fill("1")
    agree(page, widget)
    assert (widget.dilation, widget.padding) == (3, 1)
    assert page.locator(".cu-refusal").is_hidden()


def test_sizes_and_channels_can_be_changed(page, widget):
    page.locator("summary").click()
    for label, value in [("input rows", 5), ("input columns", 4), ("kernel rows", 3)]:
        page.get_by_label(label).fill(str(value))
        page.keyboard.press("Enter")
        agree(page, widget)
    assert widget.input.shape == (5, 4)
    assert widget.kernel.shape == (3, 2)
    page.get_by_label("channels").fill("2")
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.input.shape == (2, 5, 4)
    page.get_by_role("button", name="fill the input").click()
    agree(page, widget)
    page.get_by_label("channels").fill("9")
    page.keyboard.press("Enter")
    assert "channels=9 is not possible: give a whole number from 1 to 3" in (
        page.locator(".cu-refusal").inner_text()
    )


def test_unread_cells_are_marked_and_counted(page):
    page.get_by_label("stride").fill("2")
    pages.settle(page)
    assert grid(page, "input").locator(".cu-unread").all_inner_texts() == ["3", "6", "7", "8", "9"]
    assert page.locator(".cu-words").inner_text().endswith("The 5 hatched cells are never read.")


def test_python_moves_the_browser(page, widget):
    widget.kernel, widget.position = [[0, 1], [-1, 0]], 2
    pages.push(page, widget, "kernel", "position")
    agree(page, widget)


def test_two_views_show_the_same_and_close_without_a_trace(browser, widget):
    page = pages.mount(browser, widget, views=2)
    page.get_by_label("padding").nth(1).fill("1")
    agree(page, widget)
    assert torch.equal(numbers(page, "output", 0), numbers(page, "output", 1))
    page.get_by_role("button", name="show one output number after the other").first.click()
    assert pages.close(page) == [0, 0, 0]
    page.evaluate("model.set('stride', 2)")
    assert page.errors == []
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [700, 390])
def test_it_fits_the_page(browser, theme, width, tmp_path):
    widget = ConvolutionStepper(input=torch.ones(2, 6, 12), kernel=torch.ones(2, 3, 3), padding=3)
    page = pages.mount(browser, widget, theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    pages.looks(page, tmp_path, f"stepper-{theme}-{width}")
    page.close()

"""KernelPlayground shows torch's answers, in Python and in the browser, whatever is set."""

import base64
import io
import random
import re
import struct

import matplotlib
import page as pages
import pytest
import torch
import torch.nn.functional as F
from matplotlib.colors import to_rgb
from node import needs_node, run_node
from PIL import Image
from torch import nn
from traitlets import TraitError

from course_utils import data
from course_utils.plotting import SIGNED, format_number
from course_utils.widgets import KernelPlayground
from course_utils.widgets.kernel_playground.kernels import PRESETS, SIZES, preset
from course_utils.widgets.kernel_playground.widget import ABOVE, BELOW, DISPLAYS, PICTURES, _picture


def random_numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def by_torch(widget, dtype=torch.float32):
    x, weight = widget.image.to(dtype), widget.kernel.float().to(dtype)
    return F.conv2d(x[None, None], weight[None, None], padding=widget.padding)[0, 0]


FILTERS = random_numbers(6, 4, 5, 5, seed=1)


def make_cases(count=300):
    """Random states of the widget, each with torch's answers or Python's sentence."""
    generator, choose = torch.Generator().manual_seed(0), random.Random(0)
    widget = KernelPlayground(filters=FILTERS)
    for _ in range(count):
        shape = choose.randint(1, 16), choose.randint(1, 16)
        x = torch.rand(shape, generator=generator)
        x = choose.choice([x, x, x, 10 * x - 3, torch.zeros(shape), torch.ones(shape)])
        size, padding = choose.choice(SIZES), choose.randint(0, 3)
        kernel = choose.choice(
            [
                preset(choose.choice(PRESETS), size),
                torch.randn(size, size, generator=generator, dtype=torch.float64) * 2,
                torch.rand(size, size, generator=generator, dtype=torch.float64) / size**2,
                FILTERS.sum(1)[choose.randrange(6)],
                torch.zeros(size, size),
            ]
        )
        case = {"kernel": kernel.tolist(), "padding": padding, "display": choose.choice(DISPLAYS)}
        try:
            with widget.hold_trait_notifications():
                widget.image, widget.kernel, widget.padding = x, kernel, padding
                widget.display = case["display"]
        except TraitError as error:
            content = KernelPlayground(image=x, padding=3).get_state(["image"])["image"]
            yield {**case, "picture": base64.b64encode(content).decode(), "sentence": str(error)}
            continue
        yield {**case, **torchs_answers(widget, choose)}


def torchs_answers(widget, choose):
    output = by_torch(widget, torch.float64)
    size, padding = len(widget.kernel), widget.padding
    position = choose.randrange(output.numel())
    x = torch.stack([widget.image, torch.ones_like(widget.image)])[:, None]
    windows = F.unfold(x, size, padding=padding)[:, :, position]
    return {
        "picture": base64.b64encode(widget.get_state(["image"])["image"]).decode(),
        "output": output.tolist(),
        # What the rounding of a float32 is measured by: the largest sum of magnitudes.
        "largest": float(widget.image.abs().max() * widget.kernel.abs().sum()),
        "place": divmod(position, output.shape[1]),
        "window": windows[0].tolist(),
        "inside": windows[1].bool().tolist(),
        "shown": widget.shown,
        "name": widget.kernel_name,
        "words": widget.describe(),
    }


@needs_node
def test_the_browsers_arithmetic_is_torchs(tmp_path):
    state = KernelPlayground(filters=FILTERS).get_state()
    images = [KernelPlayground(image=_picture(name)).get_state(["image"]) for name in PICTURES]
    constants = {
        "presets": state["_presets"],
        "filters": state["filters"],
        "album": base64.b64encode(state["_album"]).decode(),
        "pictures": [base64.b64encode(image["image"]).decode() for image in images],
        "signed": (SIGNED(torch.linspace(0, 1, 101).numpy())[:, :3] * 255).tolist(),
    }
    cases = {"cases": list(make_cases()), "constants": constants}
    run_node("kernel_playground/filtering.test.mjs", cases, tmp_path)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("padding", range(4))
def test_output_is_torchs_for_every_size_and_padding(size, padding):
    kernel = random_numbers(size, size, seed=size)
    for shape in ((9, 14), (7, 7), (256, 256), (512, 300)):
        widget = KernelPlayground(random_numbers(*shape), kernel, padding=padding)
        assert widget.output.shape == tuple(n + 2 * padding - size + 1 for n in shape)
        assert widget.output.dtype == torch.float32
        torch.testing.assert_close(widget.output, by_torch(widget))


def test_the_first_picture_is_the_photograph_and_the_first_kernel_finds_vertical_edges():
    widget = KernelPlayground()
    assert torch.equal(widget.image, data.load_photo("china", size=256)[0, 0])
    assert widget.kernel.tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert (widget.picture, widget.padding, widget.shown) == ("china", 0, "signed")


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_of_the_menu_can_be_named_and_another_one_is_ones_own(picture):
    widget = KernelPlayground(picture=picture)
    assert torch.equal(widget.image, _picture(picture))
    widget.image = torch.ones(5, 8)
    assert widget.picture == "own"
    widget.picture = picture
    assert torch.equal(widget.image, _picture(picture))
    assert KernelPlayground(image=torch.ones(3, 3)).picture == "own"
    assert KernelPlayground(image=_picture(picture), picture=picture).picture == picture


def test_a_picture_comes_in_many_shapes_and_is_not_tied_to_the_students_tensor():
    x = torch.rand(6, 7)
    for same in (x, x[None], x[None, None], x.double(), x.numpy(), x.tolist()):
        assert torch.equal(KernelPlayground(image=same).image, x)
    widget = KernelPlayground(image=x)
    x[0, 0] = 50
    assert widget.image[0, 0] <= 1
    widget.image = torch.arange(30).reshape(5, 6)
    assert widget.image.dtype == torch.float32
    assert widget.image[4, 5] == 29


def test_a_colour_picture_becomes_its_luma():
    colour = data.load_photo("flower", size=64, color=True)
    widget = KernelPlayground(image=colour)
    torch.testing.assert_close(widget.image, data.load_photo("flower", size=64)[0, 0])
    red = torch.zeros(3, 4, 4)
    red[0] = 1
    torch.testing.assert_close(KernelPlayground(image=red).image, torch.full((4, 4), 0.299))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kernel": torch.ones(2, 2)}, r"kernel of shape \(2, 2\) .* 3 × 3, 5 × 5 or 7 × 7"),
        ({"kernel": torch.ones(3, 5)}, r"kernel of shape \(3, 5\) is not possible"),
        ({"kernel": torch.ones(9, 9)}, r"kernel of shape \(9, 9\) is not possible"),
        ({"kernel": torch.ones(2, 3, 3)}, r"kernel of shape \(2, 3, 3\) is not possible"),
        ({"kernel": [[1, 2], [3]]}, r"kernel=.* is not possible: give a tensor, or rows"),
        ({"kernel": [[float("nan")] * 3] * 3}, r"kernel holds a number that is not finite"),
        ({"kernel": [[1001] * 3] * 3}, r"kernel holds a number .* from −1000 to 1000"),
        ({"kernel": "sharper"}, r"kernel='sharper' is unknown: choose one of vertical edges"),
        ({"padding": 4}, r"padding=4 is not possible: give a whole number from 0 to 3"),
        ({"padding": "same"}, r"padding='same' is not possible"),
        ({"padding": 1.0}, r"padding=1.0 is not possible"),
        ({"display": "gray"}, r"display='gray' .* choose one of automatic, signed, grey"),
        ({"picture": "moon"}, r"picture='moon' .* choose one of china, flower, digit, own"),
        ({"image": "moon"}, r"image='moon' is not possible: give a tensor or an array"),
        ({"image": torch.zeros(513, 5)}, r"image of shape \(513, 5\) .* 1 to 512 rows"),
        ({"image": torch.zeros(0, 5)}, r"image of shape \(0, 5\) is not possible"),
        ({"image": torch.zeros(5)}, r"image of shape \(5,\) .* \(H, W\) for grey or \(3, H, W\)"),
        ({"image": torch.zeros(8, 9, 3)}, r"\(8, 9, 3\) .* by .permute\(2, 0, 1\)"),
        ({"image": torch.zeros(2, 9, 9)}, r"image of shape \(2, 9, 9\) is not possible"),
        ({"image": torch.full((5, 5), torch.inf)}, r"image holds .* no NaN or infinity"),
        ({"image": torch.full((5, 5), torch.nan)}, r"from −1,000,000 to 1,000,000"),
        ({"image": torch.zeros(5, 5, dtype=torch.cfloat)}, r"give real ones"),
        ({"image": torch.zeros(2, 9)}, r"a kernel of 3 × 3 does not fit into a picture of 2 × 9 "),
        ({"filters": 3}, r"filters=3 is not possible: give an nn.Conv2d or its weight"),
        ({"filters": torch.ones(2, 1, 4, 4)}, r"filters of shape \(2, 4, 4\) .* 1 to 512 of them"),
        ({"filters": torch.ones(513, 1, 3, 3)}, r"filters of shape \(513, 3, 3\)"),
        ({"filters": torch.full((1, 1, 3, 3), torch.nan)}, r"filters holds a number that is not"),
        ({"filters": nn.Conv2d(1, 2, 3, dilation=2)}, r"filters with dilation=\(2, 2\)"),
        ({"filters": nn.Conv2d(1, 2, 1)}, r"filters of shape \(2, 1, 1\) is not possible"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_impossible_value_is_refused_in_a_sentence_and_nothing_changes(change, sentence):
    widget = KernelPlayground()
    before = widget.output
    ((name, value),) = change.items()
    with pytest.raises(TraitError, match=sentence):
        setattr(widget, name, value)
    assert torch.equal(widget.output, before)
    assert widget.picture == "china"
    with pytest.raises(TraitError, match=sentence):
        KernelPlayground(**change)


def test_a_damaged_picture_from_the_browser_is_refused():
    widget = KernelPlayground()
    for content in (b"", b"12345678", struct.pack("<2I", 2, 3) + bytes(20)):
        with pytest.raises(TraitError, match="damaged"):
            widget.set_state({"image": content})
    assert widget.image.shape == (256, 256)


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_a_grey_picture_answers_to_a_learned_filter_as_torchs_layer_does(size, groups):
    layer = nn.Conv2d(3, 6, size, groups=groups)
    widget = KernelPlayground(image=torch.rand(12, 15), filters=layer)
    assert widget.filters.shape == (6, size, size)
    answers = F.conv2d(widget.image.expand(1, 3, -1, -1), layer.weight, groups=groups)[0]
    for number, expected in enumerate(answers.detach()):
        widget.kernel = widget.filters[number]
        torch.testing.assert_close(widget.output, expected)
        assert widget.kernel_name == f"filter {number}"
    assert torch.equal(KernelPlayground(filters=layer.weight).filters, widget.filters)
    widget.filters = None
    assert widget.kernel_name == "own"


@pytest.mark.parametrize("size", SIZES)
def test_presets_are_what_they_are_called_in_every_size(size):
    kernels = {name: preset(name, size) for name in PRESETS}
    assert all(kernel.shape == (size, size) for kernel in kernels.values())
    for name, kernel in kernels.items():
        is_mean = "edges" not in name
        assert float(kernel.sum()) == pytest.approx(1.0 if is_mean else 0.0, abs=1e-12)
        assert KernelPlayground(kernel=kernel).kernel_name == name
    # A step from 0 to 1 answers 4, a slope across it nothing; and what is flat stays as it is.
    step = torch.zeros(1, 1, 21, 21, dtype=torch.float64)
    step[..., 11:] = 1
    answers = {name: F.conv2d(step, kernel[None, None])[0, 0] for name, kernel in kernels.items()}
    assert float(answers["vertical edges (Sobel)"].max()) == pytest.approx(4)
    assert answers["horizontal edges (Sobel)"].abs().max() < 1e-12
    assert torch.equal(kernels["identity"], kernels["identity"] * torch.eye(size))
    assert torch.all(answers["identity"] == step[0, 0, : 22 - size, size // 2 : 22 - size // 2 - 1])
    assert answers["sharpen"].min() < 0
    assert answers["sharpen"].max() > 1
    ramp = torch.arange(21.0, dtype=torch.float64).expand(1, 1, 21, 21)
    assert F.conv2d(ramp, kernels["all edges (Laplacian)"][None, None]).abs().max() < 1e-9
    assert len(kernels["box blur"].unique()) == 1
    for name in ("Gaussian blur", "sharpen", "all edges (Laplacian)", "emboss"):
        assert torch.allclose(kernels[name], kernels[name].T)
    with pytest.raises(ValueError, match="size=4 is not possible"):
        preset("identity", 4)


def test_grey_is_chosen_where_the_answers_are_brightness_and_can_be_overruled():
    widget = KernelPlayground(image=_picture("flower"))
    shown = {}
    for name in PRESETS:
        widget.kernel = name
        shown[name] = widget.shown
    assert {name for name, how in shown.items() if how == "signed"} == {
        name for name in PRESETS if "edges" in name
    }
    widget.kernel = widget.kernel * 0.5  # half as bright, all between black and white
    assert widget.shown == "grey"
    widget.kernel = widget.kernel * 2.6  # adds up to 1.3: too bright here and there
    assert widget.shown == "grey"
    assert "are above 1, drawn orange" in widget.describe()
    widget.kernel = widget.kernel * 2
    assert widget.shown == "signed"
    widget.kernel = [[0, 0, 0], [0, 50, -49], [0, 0, 0]]  # adds up to 1, but far from brightness
    assert widget.shown == "signed"
    widget.display = "grey"
    assert widget.shown == "grey"


def test_what_grey_cuts_off_is_counted():
    x = torch.tensor([[0.0, 0.2, 0.4, 0.6, 1.0]]).expand(5, 5)
    kernel = [[0, 0, 0], [0, 0, 2], [0, 0, 0]]
    widget = KernelPlayground(x, kernel, display="grey", padding=1)  # 0.4, 0.8, 1.2, 2, 0 in a row
    assert "Cut off: 40.0 % are above 1, drawn orange." in widget.describe()
    widget.image = x - 0.5  # the range is the picture's own where that is wider: −0.5 to 1
    assert "Black is −0.5, white is 1. Cut off: 20.0 % are below −0.5" in widget.describe()
    widget.kernel = "box blur"
    assert "Cut off" not in widget.describe()


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"kernel": preset("all edges (Laplacian)", 7), "padding": 3},
        {"kernel": "sharpen", "picture": "flower"},
        {"image": torch.zeros(4, 9), "display": "signed"},
        {"image": torch.ones(512, 7) * 300, "kernel": preset("emboss", 5)},
        {"kernel": torch.full((3, 3), -999.99), "display": "grey"},
        {"kernel": torch.zeros(3, 3)},
    ],
    ids=lambda state: "-".join(state) or "default",
)
def test_the_static_picture_says_what_it_shows_within_seven_inches(state):
    widget = KernelPlayground(**state)
    figure = widget.draw()
    assert figure.alt_text == widget.describe()
    low, high = (format_number(n) for n in (by_torch(widget).min(), by_torch(widget).max()))
    assert f"answers from {low} to {high}, mean " in figure.alt_text
    png, metadata = (part["image/png"] for part in widget._repr_mimebundle_())
    assert png.startswith(b"\x89PNG")
    assert metadata["width"] <= 7.1 * 96


# In the browser. A page shows a small picture, so that every number on it can be compared.


@pytest.fixture
def widget():
    image = torch.rand(20, 26, generator=torch.Generator().manual_seed(3))
    return KernelPlayground(image=image, filters=FILTERS)


def grid(page, title, view=0):
    boxes = page.locator(".cu").nth(view).locator(".cu-grid-box")
    return boxes.filter(has=page.get_by_text(re.compile(f"^{title}")))


def read(page, view=0):
    """Everything that a view says and shows."""
    return (
        page.locator(".cu")
        .nth(view)
        .evaluate(
            """(root) => {
          const text = (name) => root.querySelector(name).innerText;
          const cells = (table) =>
            [...table.rows].map((row) => [...row.cells].map((cell) => cell.innerText));
          const [picture, answer] = [...root.querySelectorAll("canvas")].map((c) => {
            const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
            return [c.height, c.width, toBase64(new Uint8Array(data.buffer))];
          });
          const [window, kernel] = [...root.querySelectorAll("table")].map(cells);
          const name = root.querySelector("select[id$=kernel-menu]").value;
          return { words: text(".cu-words"), value: text(".cu-value"), picture, answer, window,
            kernel, name, reading: text(".cu-reading") };
        }"""
        )
    )


def as_numbers(rows):
    return torch.tensor([[float(text.replace("−", "-")) for text in row] for row in rows])


def as_pixels(canvas):
    """What a canvas shows, (H, W, 3), 0 to 255."""
    height, width, text = canvas
    colours = torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)
    return colours.reshape(height, width, 4)[..., :3].int()


def place(page):
    """The row and the column of the answer that is read out, and its number."""
    said = page.locator(".cu-reading").first.inner_text()
    row, column, number = re.search(r"row (\d+), column (\d+).*(?:=|to) (\S+)\.$", said).groups()
    return int(row), int(column), number


def agree(page, widget):
    """The page shows what Python has, once Python has heard what the page saved."""
    pages.settle(page)
    pages.pull(page, widget)
    output = by_torch(widget)
    torch.testing.assert_close(widget.output, output)
    shown = read(page)
    assert shown["words"] == widget.describe()
    assert shown["name"] == widget.kernel_name
    row, column, number = place(page)
    assert shown["value"] == number == format_number(output[row, column])
    padded = F.pad(widget.image, (widget.padding,) * 4)
    size = len(widget.kernel)
    grids = {
        "kernel": widget.kernel.float(),
        "window": padded[row : row + size, column : column + size],
    }
    for name, grid in grids.items():
        torch.testing.assert_close(as_numbers(shown[name]), grid, atol=0.0051, rtol=0.01)
    low, high = widget._grey
    compare_colours(shown["picture"], (widget.image - low) / (high - low), signed=False)
    if widget.shown == "signed":
        largest = float(output.abs().max()) or 1.0
        compare_colours(shown["answer"], (output / largest + 1) / 2, signed=True)
    else:
        compare_colours(shown["answer"], (output - low) / (high - low), signed=False)


def compare_colours(canvas, shade, signed):
    """A canvas has the colours of `shade`: 0 to 1 are the ends, what lies beyond is marked."""
    drawn, slack = as_pixels(canvas), 2e-5
    colours = SIGNED if signed else matplotlib.colormaps["gray"]
    expected = torch.tensor(colours(shade.clamp(0, 1).numpy()))[..., :3] * 255
    inside = (shade >= -slack) & (shade <= 1 + slack)
    for outside, mark in [(shade < -slack, BELOW), (shade > 1 + slack, ABOVE)]:
        assert (drawn[outside] == (torch.tensor(to_rgb(mark)) * 255).round()).all()
    # Matplotlib's scale has 256 steps, up to 4 levels apart; a step in each may differ.
    assert drawn.shape[:2] == shade.shape
    assert not inside.any() or (drawn - expected)[inside].abs().max() <= 6


def test_every_preset_and_learned_filter_by_its_name(page, widget):
    for size in ("5 × 5", "7 × 7", "3 × 3"):
        page.get_by_role("button", name=size).click()
        for name in PRESETS:
            page.get_by_label("kernel", exact=True).select_option(name)
            agree(page, widget)
            assert widget.kernel_name == name
            assert len(widget.kernel) == int(size[0])
    page.get_by_label("kernel", exact=True).select_option("filter 4 (learned)")
    agree(page, widget)
    torch.testing.assert_close(widget.kernel, FILTERS[4].sum(0).double(), check_dtype=False)
    page.get_by_label("kernel", exact=True).focus()
    page.keyboard.press("ArrowDown")
    agree(page, widget)
    assert widget.kernel_name == "filter 5"


def test_the_marked_cell_follows_the_slider_by_mouse_and_by_keyboard(page, widget):
    slider = page.get_by_role("slider", name="row 1, column 1")
    slider.fill("2.5")
    agree(page, widget)
    assert widget.kernel[1, 1] == 2.5
    assert widget.kernel_name == "own"
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 3, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    agree(page, widget)
    assert widget.kernel[1, 1] == -4
    slider.focus()
    for key, number in [("ArrowRight", -3.9), ("+", -3.8), ("-", -3.9), ("ArrowLeft", -4)]:
        page.keyboard.press(key)
        agree(page, widget)
        assert float(widget.kernel[1, 1]) == pytest.approx(number)
    page.get_by_role("button", name="0.1 more").click()
    page.get_by_role("button", name="0.1 less").press("Enter")
    page.get_by_role("button", name="0.1 less").press("Enter")
    agree(page, widget)
    assert float(widget.kernel[1, 1]) == pytest.approx(-4.1)
    assert slider.get_attribute("min") == "-5"  # it reaches as far as its number


def test_a_cell_is_chosen_and_typed_by_mouse_and_by_keyboard(page, widget):
    cells = grid(page, "kernel").locator("td")
    cells.nth(5).click()
    page.keyboard.type("-1,5")
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.kernel[1, 2] == -1.5
    page.get_by_role("slider", name="row 1, column 2").fill("0.7")
    agree(page, widget)
    assert float(widget.kernel[1, 2]) == pytest.approx(0.7)
    cells.nth(5).focus()
    page.keyboard.press("ArrowUp")
    pages.settle(page)
    page.get_by_role("slider", name="row 0, column 2").fill("0.3")
    agree(page, widget)
    assert float(widget.kernel[0, 2]) == pytest.approx(0.3)
    cells.nth(8).focus()
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.kernel[2, 2] == 7
    assert cells.nth(8).evaluate("e => e === document.activeElement")


def test_what_is_no_number_or_out_of_range_is_refused_and_nothing_is_lost(page, widget):
    before = widget.output
    for typed, sentence in [("two", "“two” is no number"), ("1001", None)]:
        grid(page, "kernel").locator("td").nth(0).click()
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        if sentence is None:
            with pytest.raises(TraitError) as refused:
                widget.kernel = torch.full((3, 3), 1001.0)
            sentence = f"Not possible: {refused.value}."
        assert sentence in page.locator(".cu-refusal").inner_text()
        agree(page, widget)
        assert torch.equal(widget.output, before)
    page.get_by_role("slider", name="row 0, column 0").fill("2")  # the next change is free
    agree(page, widget)
    assert widget.kernel[0, 0] == 2
    assert page.locator(".cu-refusal").is_hidden()


def test_a_larger_kernel_keeps_its_numbers_in_the_middle_and_a_smaller_one_its_middle(page, widget):
    before = widget.kernel
    page.get_by_role("button", name="7 × 7").click()
    agree(page, widget)
    assert torch.equal(widget.kernel, F.pad(before, (2,) * 4))
    assert page.get_by_role("slider", name="row 3, column 3").is_visible()
    page.get_by_role("button", name="5 × 5").press("Enter")
    agree(page, widget)
    assert torch.equal(widget.kernel, F.pad(before, (1,) * 4))
    assert page.get_by_role("button", name="5 × 5").get_attribute("aria-pressed") == "true"


def test_the_size_is_kept_by_zero_padding_also_when_the_kernel_grows(page, widget):
    keep = page.get_by_role("checkbox")
    keep.press("Space")
    agree(page, widget)
    assert (widget.padding, widget.output.shape) == (1, (20, 26))
    page.get_by_role("button", name="7 × 7").click()
    agree(page, widget)
    assert (widget.padding, widget.output.shape) == (3, (20, 26))
    keep.click()
    agree(page, widget)
    assert (widget.padding, widget.output.shape) == (0, (14, 20))
    page.get_by_role("button", name="3 × 3").click()
    agree(page, widget)
    assert widget.padding == 0
    widget.padding = 3
    pages.push(page, widget, "padding")
    agree(page, widget)
    assert page.get_by_text("zero padding of 3").is_visible()
    assert keep.evaluate("e => e.indeterminate")


def test_dividing_by_the_sum_turning_and_resetting(page, widget):
    first = widget.kernel
    press = page.get_by_role("button", name="divide the numbers by their sum")
    press.click()
    assert "add up to 0, so they cannot" in page.locator(".cu-refusal").inner_text()
    agree(page, widget)
    grid(page, "kernel").locator("td").nth(1).click()
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    press.press("Enter")
    agree(page, widget)
    assert float(widget.kernel.sum()) == pytest.approx(1)
    assert "adds up to 1" in grid(page, "kernel").inner_text()
    turned = widget.kernel.flip(0, 1)
    page.get_by_role("button", name="turn the kernel by 180°").click()
    agree(page, widget)
    assert torch.equal(widget.kernel, turned)
    page.get_by_role("button", name="the kernel as it was").click()
    agree(page, widget)
    assert torch.equal(widget.kernel, first)
    page.get_by_label("kernel", exact=True).select_option("own")  # one's own is not lost
    agree(page, widget)
    assert torch.equal(widget.kernel, turned)


def test_the_pictures_of_the_menu_and_the_way_back(page, widget):
    mine = widget.image
    for name in ("flower", "digit", "china"):
        page.get_by_label("picture", exact=True).select_option(name)
        pages.settle(page)
        sent = pages.pull(page, widget)
        assert sent["picture"] == name
        copy = KernelPlayground(image=_picture(name))
        copy.set_state({"image": sent["image"]})
        torch.testing.assert_close(copy.image, _picture(name), atol=1 / 500, rtol=0)
        # In Python the picture has all its digits, and the browser hears of them.
        assert torch.equal(widget.image, _picture(name))
        pages.push(page, widget, "image", "picture")
        agree(page, widget)
        assert widget.picture == name
    page.get_by_label("picture", exact=True).focus()
    page.keyboard.press("End")
    agree(page, widget)
    assert widget.picture == "own"
    assert torch.equal(widget.image, mine)


def test_the_window_follows_the_mouse_on_both_pictures_and_the_keys(page, widget):
    for padding in (0, 2):
        widget.padding = padding
        pages.push(page, widget, "padding")
        height, width = widget.output.shape
        for which, row, column in [(1, 4, 11), (1, 0, 0), (0, 9, 3), (1, height - 1, width - 1)]:
            canvas = page.locator("canvas").nth(which)
            box, (rows, columns) = canvas.bounding_box(), (widget.image, widget.output)[which].shape
            page.mouse.move(
                box["x"] + (column + 0.5) * box["width"] / columns,
                box["y"] + (row + 0.5) * box["height"] / rows,
            )
            agree(page, widget)
            # On the picture the mouse is in the window's middle.
            shift = padding - 1 if which == 0 else 0
            assert place(page)[:2] == (row + shift, column + shift)
            scale = page.locator("canvas").first.bounding_box()["width"] / 26
            outlines = [page.locator(".cu-outline").nth(i).bounding_box() for i in (0, 1)]
            corner = page.locator("canvas").first.bounding_box()
            assert outlines[0]["width"] == pytest.approx(3 * scale, abs=0.5)
            left = corner["x"] + (column + shift - padding) * scale
            assert outlines[0]["x"] == pytest.approx(left, abs=0.5)
            top = corner["y"] + (row + shift - padding) * scale
            assert outlines[0]["y"] == pytest.approx(top, abs=0.5)
    page.get_by_role("application").focus()
    for key, move in [("ArrowUp", (-1, 0)), ("Shift+ArrowLeft", (0, -10)), ("ArrowDown", (1, 0))]:
        row, column, _ = place(page)
        page.keyboard.press(key)
        agree(page, widget)
        assert place(page)[:2] == (row + move[0], column + move[1])
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")  # as far as there are answers
    agree(page, widget)
    assert place(page)[1] == widget.output.shape[1] - 1


def test_pointing_at_a_cell_names_its_product(page, widget):
    grid(page, "window").locator("td").nth(3).hover()
    pages.settle(page)
    value = read(page)["window"][1][0]
    assert f"{value}·(−2) = " in page.locator(".cu-reading").inner_text()
    assert grid(page, "kernel").locator(".cu-window").all_inner_texts() == ["−2"]
    page.mouse.move(2, 2)
    pages.settle(page)
    assert page.locator(".cu-reading").inner_text().count("·") == 9


def test_the_colours_can_be_chosen(page, widget):
    for display in ("grey", "signed", "automatic"):
        page.get_by_label("colours").select_option(display)
        agree(page, widget)
        assert widget.display == display
    page.get_by_label("colours").select_option("grey")
    agree(page, widget)
    assert "drawn blue" in page.locator(".cu-words").inner_text()
    assert page.locator(".cu-ticks").inner_text().split("\n") == ["> 1", "0.5", "< 0"]
    page.get_by_label("colours").select_option("signed")
    agree(page, widget)
    largest = format_number(widget.output.abs().max())
    assert page.locator(".cu-ticks").inner_text().split("\n") == [largest, "0", f"−{largest}"]


def test_numbers_of_any_size_are_drawn_and_said(page, widget):
    for image in (torch.zeros(7, 9), random_numbers(30, 9) * 1e5, -torch.ones(9, 9)):
        widget.image = image
        pages.push(page, widget, "image", "picture")
        for display in DISPLAYS:
            widget.display = display
            pages.push(page, widget, "display")
            agree(page, widget)
    assert "NaN" not in page.locator(".cu").inner_text()


def test_a_kernel_that_does_not_fit_is_refused_in_pythons_words(page, widget):
    widget.image = torch.rand(4, 9)
    pages.push(page, widget, "image", "picture")
    agree(page, widget)
    page.get_by_role("button", name="7 × 7").click()
    with pytest.raises(TraitError) as refused:
        widget.kernel = preset("identity", 7)
    assert page.locator(".cu-refusal").inner_text() == f"Not possible: {refused.value}."
    agree(page, widget)
    assert len(widget.kernel) == 3
    page.get_by_role("checkbox").click()  # what was refused does not stand in the way
    agree(page, widget)
    assert (widget.padding, len(widget.kernel)) == (1, 3)


def as_file(picture, name="mine.png"):
    content = io.BytesIO()
    picture.save(content, format="PNG")
    return {"name": name, "mimeType": "image/png", "buffer": content.getvalue()}


def choose_file(page, file):
    page.evaluate("model.saved = []")
    page.locator("input[type=file]").set_input_files(file)
    page.wait_for_function("model.saved.length || !document.querySelector('.cu-refusal').hidden")


def test_a_file_becomes_a_grey_picture_on_white_and_a_large_one_is_made_smaller(page, widget):
    stripes = torch.randint(0, 256, (30, 40, 4), generator=torch.Generator().manual_seed(5))
    stripes[..., 3] = 255
    stripes[:, :10, 3] = 0  # transparent: white
    choose_file(page, as_file(Image.fromarray(stripes.numpy().astype("uint8"))))
    agree(page, widget)
    assert widget.picture == "own"
    luma = (stripes[..., :3].double() / 255) @ torch.tensor([0.299, 0.587, 0.114]).double()
    luma[:, :10] = 1
    torch.testing.assert_close(widget.image.double(), luma, atol=1e-5, rtol=0)
    choose_file(page, as_file(Image.new("RGB", (2000, 1000), (255, 0, 0))))
    agree(page, widget)
    assert widget.image.shape == (128, 256)
    torch.testing.assert_close(widget.image, torch.full((128, 256), 0.299))


def test_a_file_that_is_no_picture_or_too_small_is_refused_and_nothing_is_lost(page, widget):
    before = widget.image
    choose_file(page, {"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture"})
    assert "“notes.png” is no picture that this browser" in page.locator(".cu-refusal").inner_text()
    choose_file(page, as_file(Image.new("L", (2, 9))))
    page.wait_for_function("document.querySelector('.cu-refusal').innerText.includes('9 × 2')")
    assert "a kernel of 3 × 3 does not fit" in page.locator(".cu-refusal").inner_text()
    agree(page, widget)
    assert torch.equal(widget.image, before)


def test_a_file_can_be_chosen_by_keyboard(page):
    with page.expect_file_chooser():
        page.get_by_role("button", name="a file from this computer").press("Enter")


def test_python_moves_the_browser(page, widget):
    page.get_by_role("button", name="7 × 7").click()
    grid(page, "kernel").locator("td").nth(48).click()  # a cell that is not there afterwards
    page.keyboard.press("Escape")
    agree(page, widget)
    with widget.hold_trait_notifications():
        widget.kernel, widget.image = "emboss", torch.rand(5, 40)
        widget.padding, widget.filters = 1, None
    pages.push(page, widget, "kernel", "image", "padding", "filters", "picture")
    agree(page, widget)
    options = page.get_by_label("kernel", exact=True).locator("option").all_inner_texts()
    assert not any("filter" in option for option in options)


def test_two_views_show_the_same_and_close_without_a_trace(browser, widget):
    page = pages.mount(browser, widget, views=2)
    page.get_by_role("slider", name="row 1, column 1").nth(1).fill("3")
    agree(page, widget)
    assert read(page, 0) == read(page, 1)
    page.locator("input[type=file]").first.set_input_files(as_file(Image.new("L", (9, 9))))
    assert pages.close(page) == [0, 0, 0]
    page.evaluate("model.set('padding', 2)")
    pages.settle(page)
    assert page.errors == []
    page.close()


STATES = {
    "default": {},
    "seven": {"kernel": preset("all edges (Laplacian)", 7), "padding": 3},
    "grey": {"kernel": "sharpen", "picture": "flower", "filters": FILTERS},
    "digit": {"kernel": preset("Gaussian blur", 5), "picture": "digit", "padding": 3},
}


@pytest.mark.parametrize(
    ("state", "theme", "width"),
    [
        *(("default", "light", 700), ("default", "dark", 390), ("seven", "dark", 700)),
        *(("seven", "light", 390), ("grey", "light", 700), ("grey", "light", 390)),
        *(("grey", "dark", 700), ("digit", "dark", 700)),
    ],
)
def test_it_fits_the_page(browser, state, theme, width, tmp_path):
    page = pages.mount(browser, KernelPlayground(**STATES[state]), theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.errors == []
    pages.looks(page, tmp_path, f"playground-{state}-{theme}-{width}")
    page.close()

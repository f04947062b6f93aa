"""PoolingExplorer shows torch's numbers, in Python and in the browser, whatever is set."""

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
from course_utils.widgets import PoolingExplorer
from course_utils.widgets.pooling_explorer.widget import KERNELS, MODES, make_kernel, write_average

INPUT = torch.tensor([[1.0, 3, 2, -1, 5], [4, -2, 1, 6, 3], [0, 1, -5, 2, 7], [2, -3, 8, 3, 1]])
NAMES = ("mode", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
# The whole range of these controls.
OPTIONS = [
    dict(zip(NAMES, values, strict=True))
    for values in itertools.product(
        MODES, range(1, 6), range(1, 5), range(3), (False, True), (False, True)
    )
]


def by_torch(x, mode, kernel_size, stride, padding, ceil_mode, count_include_pad):
    """What torch gives, or None where it refuses."""
    options = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    if mode == "average":
        options["count_include_pad"] = count_include_pad
    try:
        return (F.max_pool2d if mode == "max" else F.avg_pool2d)(x[None], kernel_size, **options)[0]
    except RuntimeError:
        return None


def put(widget, **values):
    """Set several values at once."""
    with widget.hold_trait_notifications():
        for name, value in values.items():
            setattr(widget, name, value)


def change_by_torch(before, after):
    """The share of numbers that differ, and the size of the change."""
    scale = max(before.abs().max(), after.abs().max()).item()
    differs = ~torch.isclose(after, before, rtol=0, atol=1e-6 * scale)
    length = before.norm().item()
    change = (after - before).norm().item() / length if length else None
    return differs.double().mean().item(), change


def make_cases(count=1):
    """Every combination of the options, each on another input, with torch's answers."""
    generator, choose = torch.Generator().manual_seed(0), random.Random(0)
    for number, options in enumerate(OPTIONS * count):
        height, width = choose.randint(1, 12), choose.randint(1, 12)
        # Few different numbers make ties, fractions make sums that are rounded.
        x = torch.randint(-9, 10, (height, width), generator=generator).double()
        x = x / choose.choice([1, 1, 4, 7])
        x = -x.abs() if number % 5 == 0 else x * (number % 31 > 0)
        state = {**options, "shift": number % 5, "kernel": KERNELS[number % 4]}
        case = {"state": {"input": x.tolist(), "position": 0, **state}}
        try:
            widget = PoolingExplorer(input=x, **state)
        except TraitError as error:
            assert by_torch(x, **options) is None
            yield {**case, "sentence": str(error)}
            continue
        yield {**case, **torchs_answers(widget, with_readers=number % 8 == 0)}
        last = widget.output.numel() - 1
        with pytest.raises(TraitError) as refused:
            widget.position = last + 1
        yield {
            "state": {**case["state"], "position": last + 1},
            "sentence": str(refused.value),
        }


def torchs_answers(widget, with_readers):
    x, options = widget.input, {name: getattr(widget, name) for name in NAMES}
    weight = make_kernel(widget.kernel, widget.kernel_size)
    convolved = None
    if min(x.shape) + 2 * widget.padding >= widget.kernel_size:
        both = torch.stack([x, widget.shifted])[:, None]
        convolved = F.conv2d(both, weight[None, None], None, widget.stride, widget.padding)[:, 0]
    height, width = widget.output.shape
    places = {(0, 0), (height // 2, width // 2), (height - 1, width - 1)}
    answers = {
        "output": by_torch(x, **options).tolist(),
        "winners": None if widget.mode == "average" else widget.winners.tolist(),
        "paper": [
            [float(v) if v.isfinite() else str(v.item()) for v in row] for row in widget._paper()
        ],
        "said": [[*place, widget._say_window(*place)] for place in sorted(places)],
        "shifted": widget.shifted.tolist(),
        "report": widget.shift_report(),
        "convolved": None if convolved is None else convolved.tolist(),
        "weight": weight.tolist(),
    }
    if with_readers:
        averaging = {**options, "mode": "average"}
        jacobian = torch.autograd.functional.jacobian(lambda x: by_torch(x, **averaging), x)
        read = jacobian.ne(0)  # (H_out, W_out, H, W)
        answers["readers"] = [
            [read[:, :, i, j].nonzero().tolist() for j in range(x.shape[1])]
            for i in range(x.shape[0])
        ]
    return answers


@needs_node
def test_the_browsers_arithmetic_is_torchs(tmp_path):
    run_node("pooling_explorer/pooling.test.mjs", list(make_cases()), tmp_path)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_output_and_winners_are_torchs_over_the_whole_range_of_every_control(dtype):
    x, legal = INPUT.to(dtype), 0
    widget = PoolingExplorer(input=x)
    for options in OPTIONS:
        expected = by_torch(x, **options)
        if expected is None:
            with pytest.raises(TraitError, match=r"too large for (kernel_)?size=\d"):
                put(widget, **options)
            continue
        put(widget, **options)
        assert torch.equal(widget.output, expected)
        assert widget.output.dtype == dtype
        if options["mode"] == "average":
            assert widget.winners is None
        else:
            assert widget.winners.dtype == torch.int64
            assert torch.equal(x.flatten()[widget.winners], expected)
        legal += 1
    assert legal > 250


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("mode", MODES)
def test_half_precision_is_torchs_and_can_be_drawn(dtype, mode):
    widget = PoolingExplorer(input=INPUT.to(dtype), mode=mode, shift=1)
    pool = F.max_pool2d if mode == "max" else F.avg_pool2d
    assert torch.equal(widget.output, pool(INPUT.to(dtype)[None], 2)[0])
    assert widget.output.dtype == dtype
    assert widget._repr_mimebundle_()[0]["text/plain"].startswith("Number 1 of 2 × 2")


def test_of_equal_numbers_the_first_wins_as_in_torch():
    widget = PoolingExplorer(input=torch.full((4, 5), -2.0), kernel_size=3, padding=1, stride=1)
    _, winners = F.max_pool2d(widget.input[None], 3, 1, 1, return_indices=True)
    assert torch.equal(widget.winners, winners[0])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mode": "min"}, r"mode='min' is not possible: choose one of max, average"),
        ({"kernel_size": 0}, r"kernel_size=0 is not possible: give a whole number from 1 to 5"),
        ({"kernel_size": 6}, r"kernel_size=6 is not possible: give a whole number from 1 to 5"),
        ({"stride": 5}, r"stride=5 is not possible: give a whole number from 1 to 4"),
        ({"stride": 2.0}, r"stride=2.0 is not possible: give a whole number"),
        ({"padding": -1}, r"padding=-1 is not possible: give a whole number from 0 to 2"),
        ({"padding": 2}, r"padding=2 is too large for kernel_size=2: max pooling allows at most 1"),
        ({"ceil_mode": 1}, r"ceil_mode=1 is not possible: give True or False"),
        ({"count_include_pad": None}, r"count_include_pad=None is not possible"),
        ({"shift": 5}, r"shift=5 is not possible: give a whole number from 0 to 4"),
        ({"kernel": "emboss"}, r"kernel='emboss' is not possible: choose one of vertical edges"),
        ({"position": 9}, r"position=9 is not there: the output has 3 × 3 .* from 0 to 8"),
        ({"input": [[1, 2, 3]]}, r"kernel_size=2 is too large for size=1: .* there are only 1"),
        ({"input": [[1, 2], [3]]}, r"input=.* is not possible: give a tensor, or rows of numbers"),
        ({"input": torch.zeros(2, 13)}, r"input of shape \(2, 13\) is not possible: give \(H, W\)"),
        ({"input": torch.zeros(2, 3, 3)}, r"input of shape \(2, 3, 3\) is not possible"),
        ({"input": [[float("nan")] * 2] * 2}, r"input holds a number that is not finite"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_impossible_value_is_refused_in_a_sentence_and_nothing_changes(change, sentence):
    widget = PoolingExplorer()
    before = widget.output
    ((name, value),) = change.items()
    with pytest.raises(TraitError, match=sentence):
        setattr(widget, name, value)
    assert torch.equal(widget.output, before)
    assert widget.position == 0
    with pytest.raises(TraitError, match=sentence):
        PoolingExplorer(**change)


def test_an_average_is_refused_in_its_own_name():
    with pytest.raises(TraitError, match=r"average pooling allows at most 1"):
        PoolingExplorer(mode="average", kernel_size=3, padding=2)


def test_values_that_are_possible_only_together_can_be_set_together():
    widget = PoolingExplorer(position=8)
    with widget.hold_trait_notifications():
        widget.padding, widget.kernel_size = 2, 4
    assert widget.output.shape == (4, 4)
    assert widget.position == 8
    widget.stride = 4  # the output has 2 × 2 numbers now
    assert widget.position == 3


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("mode", MODES)
def test_the_shift_report_is_torchs_for_every_shift_stride_and_window(kernel, mode):
    widget = PoolingExplorer(input=INPUT.repeat(2, 2) + torch.arange(10) // 5, mode=mode)
    both = list(MODES) if mode == "max" else list(MODES)[::-1]
    for size, stride, shift in itertools.product(range(1, 6), range(1, 5), range(5)):
        options = {"kernel_size": size, "stride": stride, "padding": size // 2 % 3}
        put(widget, **options, shift=shift, kernel=kernel)
        moved = torch.zeros_like(widget.input)
        moved[:, shift:] = widget.input[:, : 10 - shift]
        assert torch.equal(widget.shifted, moved)
        report = widget.shift_report()
        assert list(report) == [*both, "convolution"]
        weight = make_kernel(kernel, size)[None, None]
        settings = {"ceil_mode": False, "count_include_pad": True}
        for name, values in report.items():
            before, after = (
                F.conv2d(x[None, None], weight, None, stride, options["padding"])[0, 0]
                if name == "convolution"
                else by_torch(x, name, **options, **settings)
                for x in (widget.input.double(), moved.double())
            )
            expected = change_by_torch(before, after)
            assert (values["changed"], values["relative"]) == pytest.approx(expected)
            if shift == 0:
                assert (values["changed"], values["moved"]) == (0, None)
            if shift and shift % stride == 0 and options["padding"] == 0:
                assert values["moved"] == shift // stride


def test_no_share_is_given_of_nothing():
    report = PoolingExplorer(input=torch.zeros(4, 4), shift=1).shift_report()
    for values in report.values():
        assert values == {"changed": 0, "relative": None, "moved": None}


def test_a_kernel_that_does_not_fit_has_no_report():
    widget = PoolingExplorer(input=[[3, 1, 2], [1, 1, 0]], kernel_size=3, stride=4, ceil_mode=True)
    widget.shift = 1
    report = widget.shift_report()
    assert report["max"] == {"changed": 0, "relative": 0, "moved": None}
    assert report["convolution"] == {"changed": None, "relative": None, "moved": None}
    assert "convolution" not in widget.draw().alt_text


def test_the_kernels_are_sobels_and_sum_to_what_they_should():
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]).double()
    assert torch.equal(make_kernel("vertical edges", 3), sobel)
    assert torch.equal(make_kernel("horizontal edges", 3), sobel.T)
    for size in range(1, 6):
        assert make_kernel("blur", size).sum() == make_kernel("one cell", size).sum() == 1
        if size > 1:
            assert make_kernel("vertical edges", size).sum() == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "Number 1 of 2 × 2, in row 0 and column 0 of the output: "
         "max of 1, 3, 4, −2 is 4, from row 1, column 0."),
        ({"kernel_size": 3, "padding": 1, "position": 4}, "Number 5 of 2 × 3, in row 1 and "
         "column 1 of the output: max of −2, 1, 6, 1, −5, 2, −3, 8, 3 is 8, from row 3, column 2."),
        ({"padding": 1}, "Number 1 of 3 × 3, in row 0 and column 0 of the output: "
         "max of 1 is 1, from row 0, column 0; 3 cells of padding never win."),
        ({"mode": "average", "padding": 1, "position": 1}, "Number 2 of 3 × 3, in row 0 and "
         "column 1 of the output: (0 + 0 + 3 + 2) / 4 = 1.25; 2 cells of padding count as 0."),
        ({"mode": "average", "padding": 1, "position": 1, "count_include_pad": False},
         "Number 2 of 3 × 3, in row 0 and column 1 of the output: (3 + 2) / 2 = 2.5; "
         "2 cells of padding do not count."),
        ({"mode": "average", "ceil_mode": True, "kernel_size": 3, "position": 3},
         "Number 4 of 2 × 2, in row 1 and column 1 of the output: (−5 + 2 + 7 + 8 + 3 + 1) / 6 "
         "≈ 2.67; 3 cells outside do not count."),
        ({"kernel_size": 3, "stride": 3, "ceil_mode": True, "position": 2},
         "Number 3 of 2 × 2, in row 1 and column 0 of the output: max of 2, −3, 8 is 8, from "
         "row 3, column 2; 6 cells outside never win."),
        ({"input": [[7, 7], [7, 0]]}, "Number 1 of 1 × 1, in row 0 and column 0 of the output: "
         "max of 7, 7, 7, 0 is 7, from row 0, column 0; 3 cells tie, and the first in reading "
         "order wins."),
    ],
)  # fmt: skip
def test_the_static_picture_says_what_it_shows(options, sentence):
    widget = PoolingExplorer(**{"input": INPUT, **options})
    assert widget.draw().alt_text == sentence
    data, metadata = widget._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in data
    assert metadata["image/png"]["alt"] == sentence
    assert metadata["image/png"]["width"] <= 7 * 96


def test_the_static_picture_of_a_shift_says_what_changed():
    text = PoolingExplorer(shift=2, mode="average").draw().alt_text
    assert "When the input moves right by 2 columns: average changes in 100% of its cells" in text
    assert text.count("moved by 1 and otherwise the same") == 3


def test_an_average_is_written_as_a_person_writes_it():
    assert write_average([1.0, -2, 0], -1 / 3) == "(1 − 2 + 0) / 3 ≈ −0.33"
    assert write_average([-5.0], -5.0) == "−5 / 1 = −5"


# In the browser. A page shows the default: a seven in 6 × 6, the maximum of each 2 × 2.


@pytest.fixture
def widget():
    return PoolingExplorer()


@pytest.fixture
def page(browser, widget):
    page = pages.mount(browser, widget, width=700)
    yield page
    assert page.errors == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    assert not re.search(r"NaN|undefined|null", page.locator("body").inner_text())
    page.close()


def grid(page, title, view=0):
    box = page.locator(".cu").nth(view).locator(".cu-grid-box", has_text=re.compile(f"^{title}"))
    return box.first


# All that a view shows, read at once, two frames later: what was changed is on the screen by then.
_READ = """async (view) => {
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
  const root = document.querySelectorAll(".cu")[view];
  const grids = [...root.querySelectorAll(".cu-grid-box")].map((box) => {
    const cells = [...box.querySelectorAll("tr")].map((row) => [...row.children]);
    const marks = {};
    cells.forEach((line, i) => line.forEach((cell, j) =>
      cell.classList.forEach((name) => (marks[name] ??= []).push([i, j]))));
    return { marks, text: cells.map((line) => line.map((cell) => cell.textContent)) };
  });
  return { input: grids[0], output: grids[1],
           words: root.querySelector(".cu-words").innerText,
           lines: [...root.querySelectorAll(".cu-line")].map((line) => line.innerText) };
}"""


def shown(page, view=0):
    return page.evaluate(_READ, view)


def numbers(page, view=0):
    """The numbers of the output grid, as a tensor."""
    rows = shown(page, view)["output"]["text"]
    return torch.tensor([[float(text.replace("−", "-")) for text in row] for row in rows])


def marked(page, title, name):
    """The places of the cells of a grid that have a mark."""
    return shown(page)[title]["marks"].get(f"cu-{name}", [])


def words(page):
    return shown(page)["words"]


def agree(page, widget, reading=False):
    """The page shows what Python has, once Python has heard what the page saved.

    `reading`: an input cell is pointed at, so the words are about that one.
    """
    seen = shown(page)
    pages.pull(page, widget)
    expected = by_torch(widget.input, **{name: getattr(widget, name) for name in NAMES})
    torch.testing.assert_close(widget.output, expected)
    got = [[float(text.replace("−", "-")) for text in row] for row in seen["output"]["text"]]
    torch.testing.assert_close(torch.tensor(got), expected, atol=0.00501, rtol=0)
    row, column = divmod(widget.position, expected.shape[1])
    assert seen["output"]["marks"]["cu-window"] == [[row, column]]
    assert seen["words"].startswith("Input row" if reading else widget._say_place())
    if widget.mode == "max":
        marks, wide = seen["input"]["marks"], widget.input.shape[1]
        place = divmod(int(widget.winners[row, column]), wide)
        assert marks["cu-active"] == [[n + widget.padding for n in place]]
        won = {divmod(int(n), wide) for n in widget.winners.flatten()}
        assert {(i - widget.padding, j - widget.padding) for i, j in marks["cu-won"]} == won
    agree_on_the_shift(seen["lines"], widget)


def agree_on_the_shift(lines, widget):
    for said, (name, values) in zip(lines, widget.shift_report().items(), strict=True):
        assert said.startswith(f"{name} {widget.kernel_size} × {widget.kernel_size}")
        if values["changed"] is None:
            assert "There is none: kernel_size=" in said
            continue
        count, cells = map(int, re.search(r"(\d+) of (\d+)\n", said).groups())
        assert count / cells == pytest.approx(values["changed"])
        size = values["relative"]
        found = re.search(r"size of change\n(.*)", said)[1]
        # Two decimals; a tie such as 0.125 may be written either way.
        assert found == "not defined" if size is None else abs(float(found) - size) < 0.00501
        moved = re.search(r"The output moved by (\d+) column", said)
        assert (moved and int(moved[1])) == values["moved"]


def test_every_slider_and_box_by_keyboard(page, widget):
    for name, key, value in [
        ("kernel_size", "ArrowRight", 3),
        ("padding", "ArrowRight", 1),
        ("stride", "ArrowLeft", 1),
        ("stride", "End", 4),
        ("ceil_mode", "Space", True),
        ("stride", "ArrowLeft", 3),
        ("kernel_size", "End", 5),
        ("padding", "End", 2),
        ("shift", "End", 4),
        ("shift", "ArrowLeft", 3),
        ("ceil_mode", "Space", False),
    ]:
        page.get_by_label(name, exact=True).press(key)
        agree(page, widget)
        assert getattr(widget, name) == value


def test_every_slider_and_box_by_mouse(page, widget):
    for name, share in [("kernel_size", 1), ("padding", 1), ("stride", 0), ("shift", 0.5)]:
        track = page.get_by_label(name, exact=True).bounding_box()
        across = 8 + share * (track["width"] - 16)
        page.mouse.click(track["x"] + across, track["y"] + track["height"] / 2)
        agree(page, widget)
    assert (widget.kernel_size, widget.padding, widget.stride, widget.shift) == (5, 2, 1, 2)
    page.get_by_label("ceil_mode").click()
    agree(page, widget)
    assert widget.ceil_mode is True


def test_every_combination_shows_what_torch_computes(page, widget):
    widget.input = INPUT
    pages.push(page, widget, "input")
    choose = random.Random(1)
    possible = [one for one in OPTIONS if by_torch(INPUT, **one) is not None]
    for options in choose.sample(possible, 40):
        more = {"shift": choose.randint(0, 4), "kernel": choose.choice(KERNELS), "position": 0}
        put(widget, **options, **more)
        widget.position = choose.randrange(widget.output.numel())
        state = widget.get_state([*NAMES, *more])
        page.evaluate(
            "all => { for (const n in all) model.set(n, all[n]); model.dirty = {}; }", state
        )
        agree(page, widget)


def test_the_padding_counts_only_in_an_average(page, widget):
    box = page.get_by_label("count_include_pad")
    assert box.is_disabled()
    reason = box.evaluate("box => box.closest('.cu-control').title")
    assert reason == "for average only: in a maximum the padding never wins"
    page.get_by_label("padding", exact=True).fill("1")
    agree(page, widget)
    assert grid(page, "input").locator("td").first.inner_text() == "−∞"
    page.get_by_label("mode", exact=True).select_option("average")
    agree(page, widget)
    assert box.is_enabled()
    assert grid(page, "input").locator("td").first.inner_text() == "0"
    assert words(page).endswith("(0 + 0 + 0 + 0) / 4 = 0; 3 cells of padding count as 0.")
    box.press("Space")
    agree(page, widget)
    assert widget.count_include_pad is False
    assert grid(page, "input").locator("td").first.inner_text() == ""
    assert len(marked(page, "input", "uncounted")) == 28
    assert words(page).endswith("0 / 1 = 0; 3 cells of padding do not count.")


def test_a_window_that_hangs_over_has_cells_outside(page, widget):
    page.get_by_label("kernel_size").fill("3")
    agree(page, widget)
    left = marked(page, "input", "unread")
    assert left == [[i, j] for i in range(6) for j in range(6) if 5 in (i, j)]
    assert words(page).endswith(" The 11 hatched cells are never read.")
    page.get_by_label("ceil_mode").check()
    agree(page, widget)
    assert marked(page, "input", "unread") == []
    outside = marked(page, "input", "outside")
    assert outside == [[i, j] for i in range(7) for j in range(7) if 6 in (i, j)]
    page.get_by_label("stride").fill("4")
    page.get_by_label("ceil_mode").uncheck()
    agree(page, widget)
    assert len(marked(page, "input", "unread")) == 27


def test_stepping_by_mouse_and_by_keyboard_moves_the_window(page, widget):
    page.get_by_role("button", name="the next window").click()
    agree(page, widget)
    assert marked(page, "input", "window") == [[0, 2], [0, 3], [1, 2], [1, 3]]
    grid(page, "output").locator("td").nth(1).focus()
    page.keyboard.press("ArrowDown")
    agree(page, widget)
    assert widget.position == 4
    page.keyboard.press("End")
    agree(page, widget)
    assert widget.position == 5
    page.get_by_role("button", name="the window before").press("Enter")
    agree(page, widget)
    assert widget.position == 4
    page.get_by_role("button", name="the first window").press("Enter")
    agree(page, widget)
    assert widget.position == 0
    grid(page, "output").locator("td").nth(8).click()
    page.mouse.move(3, 3)
    agree(page, widget)
    assert widget.position == 8
    page.get_by_label("stride").fill("4")  # the output has 2 × 2 numbers now
    agree(page, widget)
    assert widget.position == 3
    assert page.locator(".cu-refusal").is_hidden()


def test_hovering_shows_a_window_and_leaves_the_position(page, widget):
    grid(page, "output").locator("td").nth(5).hover()
    pages.settle(page)
    assert marked(page, "input", "window") == [[2, 4], [2, 5], [3, 4], [3, 5]]
    assert "max of 2, 0, 0, 1 is 2, from row 2, column 4" in words(page)
    page.mouse.move(3, 3)
    agree(page, widget)
    assert widget.position == 0


def test_an_input_cell_shows_the_outputs_it_reaches_by_mouse_and_by_keyboard(page, widget):
    page.get_by_label("kernel_size").fill("3")
    page.get_by_label("stride").fill("1")
    grid(page, "input").locator("td").nth(15).hover()  # row 2, column 3: a 5
    pages.settle(page)
    reached = [[i, j] for i in range(3) for j in range(1, 4)]
    assert marked(page, "output", "reader") == reached
    # A 6, 7, 8 or 9 is in every other window that holds the 5.
    assert marked(page, "output", "winner") == [[2, 3]]
    assert "Input row 2, column 3 holds 5. 9 windows read it" in words(page)
    page.mouse.move(3, 3)
    agree(page, widget)
    assert marked(page, "output", "reader") == []
    grid(page, "input").locator("td").nth(0).focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    pages.settle(page)
    assert words(page).startswith("Input row 1, column 4 holds 9. 4 windows read it")
    assert marked(page, "output", "winner") == [[0, 2], [0, 3], [1, 2], [1, 3]]
    assert grid(page, "input").locator("td").nth(10).get_attribute("data-wins") == "4"


def test_playing_goes_to_the_last_window_and_stops(page):
    page.get_by_label("stride").fill("4")
    pages.settle(page)
    page.clock.install()
    play = page.get_by_role("button", name="show one window after the other")
    play.click()
    for expected in (1, 2, 3, 3):
        page.clock.run_for(950)
        assert page.evaluate("model.get('position')") == expected
    assert "play" in play.inner_text()


def test_cells_are_edited_by_mouse_and_by_keyboard(page, widget):
    page.get_by_label("padding", exact=True).fill("1")
    pages.settle(page)
    grid(page, "input").locator("td").nth(9).click()  # row 0, column 0, behind one of padding
    page.keyboard.type("-2,5")
    page.keyboard.press("Enter")
    agree(page, widget, reading=True)
    assert widget.input[0, 0] == -2.5
    page.mouse.move(3, 3)
    page.keyboard.press("ArrowRight")
    page.keyboard.type("20")
    page.keyboard.press("Tab")
    agree(page, widget)
    assert widget.input[0, 1] == 20
    grid(page, "input").locator("td").nth(0).click()  # padding
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    pages.settle(page)
    assert page.locator(".cu-cell-input").count() == 0
    grid(page, "input").locator("td").nth(9).click()
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    assert "“two” is no number" in page.locator(".cu-refusal").inner_text()
    page.get_by_label("mode", exact=True).focus()
    page.mouse.move(3, 3)
    agree(page, widget)
    assert widget.input[0, 0] == -2.5


@pytest.mark.parametrize("mode", MODES)
def test_an_impossible_combination_says_pythons_sentence_and_the_next_change_mends_it(
    page, widget, mode
):
    page.get_by_label("mode", exact=True).select_option(mode)
    page.get_by_label("padding", exact=True).fill("2")
    pages.settle(page)
    with pytest.raises(TraitError) as refused:
        PoolingExplorer(mode=mode, padding=2)
    assert page.locator(".cu-refusal").inner_text() == f"Not possible: {refused.value}."
    assert page.evaluate("model.get('padding')") == 0
    assert numbers(page).shape == (3, 3)
    page.get_by_label("kernel_size").fill("4")
    agree(page, widget)
    assert (widget.kernel_size, widget.padding) == (4, 2)
    assert page.locator(".cu-refusal").is_hidden()


def test_another_input_can_have_another_shape(page, widget):
    page.locator("summary").press("Enter")
    for label, value in [("rows", 4), ("columns", 9)]:
        page.get_by_label(label, exact=True).fill(str(value))
        page.keyboard.press("Enter")
        agree(page, widget)
    assert widget.input.shape == (4, 9)
    page.get_by_role("button", name="fill the input").press("Space")
    agree(page, widget)
    assert widget.input[:, 6:].any()
    page.get_by_label("rows", exact=True).fill("13")
    page.keyboard.press("Enter")
    refusal = page.locator(".cu-refusal")
    assert "rows=13 is not possible: give a whole number from 1 to 12" in refusal.inner_text()
    page.get_by_label("rows", exact=True).fill("1")
    page.keyboard.press("Enter")
    with pytest.raises(TraitError) as refused:
        PoolingExplorer(input=[[0.0] * 9])
    assert refusal.inner_text() == f"Not possible: {refused.value}."
    page.get_by_label("padding", exact=True).fill("1")
    agree(page, widget)
    assert widget.input.shape == (1, 9)


def test_the_shift_is_compared_for_three_operations(page, widget):
    for shift in ("1", "2", "3"):
        page.get_by_label("shift", exact=True).fill(shift)
        agree(page, widget)
    page.get_by_label("shift", exact=True).fill("2")
    agree(page, widget)
    notes = page.locator(".cu-note").all_inner_texts()
    assert notes == ["The output moved by 1 column and is otherwise the same."] * 3
    weights = {}
    for kernel in KERNELS:
        page.get_by_label("kernel of the convolution").select_option(kernel)
        agree(page, widget)
        weights[kernel] = page.locator(".cu-mini[aria-label^='kernel']").get_attribute("aria-label")
    assert weights["vertical edges"] == "kernel: −1 1; −1 1"
    assert weights["blur"] == "kernel: 0.25 0.25; 0.25 0.25"
    page.get_by_label("mode", exact=True).press("ArrowDown")
    agree(page, widget)
    first = page.locator(".cu-operation strong").first.inner_text()
    assert (widget.mode, first) == ("average", "average 2 × 2")


def test_the_small_pictures_hold_the_outputs_and_mark_the_cells_that_changed(page, widget):
    page.get_by_label("shift", exact=True).fill("3")
    pages.settle(page)
    after = page.locator(".cu-line").first.locator(".cu-mini").nth(1)
    expected = by_torch(
        F.pad(widget.input, (3, 0))[:, :6], **{name: getattr(widget, name) for name in NAMES}
    )
    shown = after.locator("span").all_inner_texts()
    assert shown == [format_number(value) for value in expected.flatten()]
    changed = after.locator("span").evaluate_all(
        "all => all.map(one => one.classList.contains('cu-changed'))"
    )
    assert changed == (expected != widget.output).flatten().tolist()


def test_what_has_no_size_and_what_does_not_fit_is_said_in_words(page, widget):
    put(widget, input=torch.zeros(2, 4), kernel_size=3, stride=4, ceil_mode=True, shift=1)
    pages.push(page, widget, "input", "kernel_size", "stride", "ceil_mode", "shift")
    agree(page, widget)
    first, _, last = page.locator(".cu-note").all_inner_texts()
    assert first == "The output was 0 everywhere before: no size to compare with."
    assert last.startswith("There is none: kernel_size=3 is too large for size=2: with dilation=1")


def test_python_moves_the_browser(page, widget):
    widget.mode, widget.position, widget.shift = "average", 4, 1
    pages.push(page, widget, "mode", "position", "shift")
    agree(page, widget)


def test_two_views_show_the_same_and_close_without_a_trace(browser, widget):
    page = pages.mount(browser, widget, views=2)
    page.get_by_label("padding", exact=True).nth(1).fill("1")
    page.get_by_label("shift", exact=True).nth(0).fill("1")
    pages.settle(page)
    pages.pull(page, widget)
    assert torch.equal(numbers(page, 0), widget.output)
    assert torch.equal(numbers(page, 1), widget.output)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)")
    assert len(ids) == len(set(ids)) > 10
    page.get_by_role("button", name="show one window after the other").first.click()
    page.evaluate("model.set('stride', 1)")  # a redraw is on its way
    assert pages.close(page) == [0, 0, 0]
    page.evaluate("model.set('stride', 3)")
    assert page.errors == []
    page.close()


LOOKS = {
    "default": {"shift": 1},
    "largest": {
        "input": torch.arange(144).reshape(12, 12) * 7 % 25 - 9.5,
        "kernel_size": 4,
        "stride": 1,
        "padding": 2,
        "shift": 3,
        "position": 100,
    },
    "hanging": {
        "input": INPUT.repeat(2, 2),
        "mode": "average",
        "kernel_size": 3,
        "padding": 1,
        "ceil_mode": True,
        "count_include_pad": False,
        "position": 5,
        "shift": 2,
        "kernel": "blur",
    },
}


@pytest.mark.parametrize(
    ("name", "theme", "width"),
    [
        ("default", "light", 700),
        ("default", "dark", 390),
        ("largest", "dark", 700),
        ("largest", "light", 390),
        ("hanging", "dark", 700),
    ],
)
def test_it_fits_the_page(browser, name, theme, width, tmp_path):
    page = pages.mount(browser, PoolingExplorer(**LOOKS[name]), theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.errors == []
    pages.looks(page, tmp_path, f"pooling-{name}-{theme}-{width}")
    page.close()

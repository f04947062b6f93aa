"""GradientTracer shows torch's forward pass and torch's gradients, in Python and in the browser."""

import itertools
import random

import page as pages
import pytest
import torch
import torch.nn.functional as F
from node import needs_node, run_node
from traitlets import TraitError

from course_utils.plotting import format_number
from course_utils.widgets import GradientTracer
from course_utils.widgets.gradient_tracer.widget import LOSSES, POOLINGS

DEFAULTS = {
    "bias": 0.0,
    "stride": 1,
    "padding": 0,
    "pooling": "max",
    "pool_size": 2,
    "pool_stride": 2,
    "loss": "sum",
    "target": None,
    "source": "loss",
}


def by_torch(input, kernel, **options):
    """The stages and the gradients as `torch.nn` and `backward` give them, in nested lists."""
    o = {**DEFAULTS, **options}
    x = input[None, None].clone().requires_grad_()
    conv = torch.nn.Conv2d(1, 1, kernel.shape, o["stride"], o["padding"], dtype=input.dtype)
    with torch.no_grad():
        conv.weight.copy_(kernel)
        conv.bias.fill_(o["bias"])
    pool = {"max": torch.nn.MaxPool2d, "average": torch.nn.AvgPool2d}.get(o["pooling"])
    pool = pool(o["pool_size"], o["pool_stride"]) if pool else torch.nn.Identity()
    z = conv(x)
    a = torch.relu(z)
    y = pool(a) + 0.0  # a tensor of its own, also without pooling
    target = torch.zeros_like(y[0, 0]) if o["target"] is None else torch.as_tensor(o["target"])
    if o["loss"] == "sum":
        loss = y.sum()
    else:
        loss = F.mse_loss(y[0, 0], target.to(y.dtype), reduction="sum")
    for stage in (z, a, y):
        stage.retain_grad()
    (loss if o["source"] == "loss" else y[0, 0][tuple(o["source"])]).backward()
    stages = {"z": z[0, 0], "a": a[0, 0], "y": y[0, 0], "loss": loss}
    gradients = {
        "y": y.grad[0, 0],
        "a": a.grad[0, 0],
        "z": z.grad[0, 0],
        "x": x.grad[0, 0],
        "W": conv.weight.grad[0, 0],
        "b": conv.bias.grad[0],
    }
    return {k: v.detach() for k, v in stages.items()}, gradients


def is_smooth(stages, options):
    """Whether no ReLU is near 0 and no window of a maximum near a tie."""
    if stages["z"].abs().min() < 0.05:
        return False
    if options["pooling"] != "max":
        return True
    size, stride = options["pool_size"], options["pool_stride"]
    windows = F.unfold(stages["z"][None, None], size, stride=stride)[0]
    best = windows.topk(min(2, len(windows)), 0).values
    return bool(len(best) < 2 or ((best[0] - best[1] > 0.05) | (best[0] < 0)).all())


def count_ties(stages, options):
    """In how many windows of a maximum the largest number stands twice."""
    if options["pooling"] != "max":
        return 0
    size, stride = options["pool_size"], options["pool_stride"]
    windows = F.unfold(stages["a"][None, None], size, stride=stride)[0]
    return int(((windows == windows.amax(0)).sum(0) > 1).sum())


def make_cases(count=480):
    """Random states of the widget, each with torch's answers or Python's sentence."""
    generator, choose = torch.Generator().manual_seed(0), random.Random(0)
    for _ in range(count):
        whole = choose.random() < 0.75
        few = choose.choice([1, 1, 1, 2, 9])  # few different numbers make many ties
        scale = 1 if whole else choose.choice([3, 7, 10])

        x, kernel = (
            torch.randint(-few, few + 1, shape, generator=generator).double() / scale
            for shape in (
                (choose.choice([1, 3, 4, 5, 6, 8]), choose.choice([2, 3, 5, 6, 7, 8])),
                (choose.randint(1, 4), choose.randint(1, 4)),
            )
        )
        if not whole:
            x, kernel = (g + torch.rand(g.shape, generator=generator) / 3 for g in (x, kernel))
        options = {
            "bias": choose.choice([0.0, 0.0, -1.0, 2.0] if whole else [0.0, 0.37, -1.25]),
            "stride": choose.choice([1, 1, 1, 2, 3, 4]),
            "padding": choose.randint(0, 2),
            "pooling": choose.choice([*POOLINGS, "max"]),
            "pool_size": choose.choice([1, 2, 2, 3, 4]),
            "pool_stride": choose.randint(1, 4),
            "loss": choose.choice(LOSSES),
            "target": None,
            "source": choose.choice(["loss", [choose.choice([0, 0, 1, 2]), choose.choice([0, 1])]]),
        }
        state = {"input": x.tolist(), "kernel": kernel.tolist(), **options}
        try:
            widget = GradientTracer(input=x, kernel=kernel, **options)
            if choose.random() < 0.5:
                wrong = choose.random() < 0.1
                shape = widget.output.shape[0] + wrong, widget.output.shape[1]
                target = torch.randint(-5, 6, shape, generator=generator).double()
                options["target"] = state["target"] = target.tolist()
                widget = GradientTracer(input=x, kernel=kernel, **options)
        except TraitError as error:
            yield {"state": state, "sentence": str(error)}
            continue
        if options["target"] and len(options["target"]) != len(widget.output):
            options["target"] = None  # a sum has no use for it
        stages, gradients = by_torch(x, kernel, **options)
        yield {
            "state": state,
            "whole": whole,
            "smooth": is_smooth(stages, options),
            "ties": count_ties(stages, options),
            "stages": {name: value.tolist() for name, value in stages.items()},
            "gradients": {name: value.tolist() for name, value in gradients.items()},
        }
    base = {"input": [[1.0, 2], [3, 4]], "kernel": [[1.0]], **DEFAULTS}
    for change in (
        {"bias": 1001},
        {"bias": -2000.5},
        {"input": [[1.0, 1000.5], [3, 4]]},
        {"kernel": [[-1001.0]]},
        {"target": [[2000000.0]]},
    ):
        with pytest.raises(TraitError) as refused:
            GradientTracer(**{**base, **change})
        yield {"state": {**base, **change}, "sentence": str(refused.value)}


@needs_node
def test_the_browsers_arithmetic_is_torchs(tmp_path):
    run_node("gradient_tracer/gradients.test.mjs", list(make_cases()), tmp_path)


# In Python.


def near(got, expected):
    for name, value in expected.items():
        torch.testing.assert_close(got[name], value, rtol=1e-5, atol=1e-6)


def check(widget):
    """What the widget says is what torch says."""
    names = [*DEFAULTS, "input", "kernel"]
    options = {name: getattr(widget, name) for name in names}
    stages, gradients = by_torch(**options)
    near(widget.stages, stages)
    near(widget.gradients, gradients)
    return stages, gradients


X = torch.tensor(
    [[2.0, -1, 0, 5, 1, 1], [3, 3, -4, 1, 0, 2], [0, 7, 1, -2, 2, 2], [1, 0, 3, 3, -1, 0]]
)
W = torch.tensor([[1.0, -2, 1], [0, 1, -1]])


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("loss", LOSSES)
def test_stages_and_gradients_are_torchs_over_the_whole_range_of_every_control(pooling, loss):
    widget = GradientTracer(input=X, kernel=W, pooling=pooling, loss=loss)
    legal = 0
    every = itertools.product(range(1, 5), range(3), range(1, 5), range(1, 5))
    for number, (stride, padding, size, step) in enumerate(every):
        options = {"stride": stride, "padding": padding, "pool_size": size, "pool_stride": step}
        z = [(n + 2 * padding - k) // stride + 1 for n, k in zip(X.shape, W.shape, strict=True)]
        if pooling != "none" and size > min(z):
            with pytest.raises(TraitError, match=rf"pool_size={size} does not fit the {z[0]} × "):
                set_together(widget, options)
            continue
        set_together(widget, options)
        height, width = widget.output.shape
        widget.source = "loss" if number % 2 else (height - 1, number % width)
        check(widget)
        legal += 1
    assert legal > 60


def set_together(widget, options):
    with widget.hold_trait_notifications():
        for name, value in options.items():
            setattr(widget, name, value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_all_is_computed_in_the_dtype_of_the_tensors(dtype):
    widget = GradientTracer(input=X.to(dtype), kernel=W.to(dtype), bias=0.5, loss="squared error")
    widget.target = torch.ones(1, 2)
    assert {g.dtype for g in [*widget.gradients.values(), *widget.stages.values()]} == {dtype}
    assert GradientTracer(input=X.double(), kernel=W).output.dtype == torch.float64


def test_gradients_work_where_gradients_are_switched_off():
    widget = GradientTracer()
    with torch.no_grad():
        assert torch.equal(widget.gradients["W"], torch.tensor([[3.0, -1], [8, 1]]))
    assert not widget.output.requires_grad
    assert not widget.input.requires_grad


def test_the_default_has_a_tie_and_shut_cells_and_ends_in_four_outputs():
    widget = GradientTracer()
    stages, gradients = check(widget)
    near(widget.forward(), stages)
    assert torch.equal(widget.output, stages["y"])
    assert count_ties(stages, DEFAULTS) == 1
    assert int((stages["z"] <= 0).sum()) == 6
    assert int((stages["z"] == 0).sum()) == 1
    assert stages["y"].shape == (2, 2)
    assert gradients["W"].tolist() == [[3, -1], [8, 1]]


def test_the_target_may_have_any_shape_until_the_loss_uses_it():
    widget = GradientTracer(target=torch.ones(3, 3))
    check_sum = widget.stages["loss"]
    with pytest.raises(TraitError, match=r"target of shape \(3, 3\) does not fit the output of sh"):
        widget.loss = "squared error"
    assert widget.loss == "sum"
    assert torch.equal(widget.stages["loss"], check_sum)
    set_together(widget, {"loss": "squared error", "pool_stride": 1})
    check(widget)
    widget.target = None
    check(widget)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"stride": 0}, r"stride=0 is not possible: give a whole number from 1 to 4"),
        ({"padding": 3}, r"padding=3 is not possible: give a whole number from 0 to 2"),
        ({"pool_size": 5}, r"pool_size=5 is not possible: give a whole number from 1 to 4"),
        ({"pool_stride": 1.5}, r"pool_stride=1.5 is not possible: give a whole number"),
        ({"pooling": "min"}, r"pooling='min' is not possible: choose one of max, average, none"),
        ({"loss": "mse"}, r"loss='mse' is not possible: choose one of sum, squared error"),
        ({"bias": "1"}, r"bias='1' is not possible: give a number from -1000 to 1000"),
        ({"bias": float("nan")}, r"bias=nan is not possible"),
        (
            {"input": torch.zeros(9, 2)},
            r"input of shape \(9, 2\) is not possible: give \(H, W\), wi",
        ),
        ({"input": torch.zeros(2, 3, 3)}, r"input of shape \(2, 3, 3\) is not possible"),
        ({"input": [[float("inf")] * 4] * 4}, r"input holds a number that is not finite"),
        ({"input": torch.full((4, 4), 1001.0)}, r"input holds a number beyond 1000: give numbers"),
        ({"kernel": torch.ones(5, 1)}, r"kernel of shape \(5, 1\) is not possible"),
        ({"kernel": [[-2000, 1]]}, r"kernel holds a number beyond 1000"),
        (
            {"input": torch.ones(1, 5)},
            r"kernel of 2 × 2 does not fit an input of 1 × 5 with padding=0",
        ),
        ({"pool_size": 3, "stride": 2}, r"pool_size=3 does not fit the 2 × 2 cells after the conv"),
        ({"target": "zero"}, r"target='zero' is not possible: give a tensor, or rows of numbers"),
        ({"target": [[1e7]]}, r"target holds a number beyond 1000000"),
        (
            {"target": [[1]], "loss": "squared error"},
            r"shape \(1, 1\) does not fit .* shape \(2, 2\)",
        ),
        ({"source": (2, 0)}, r"source=\(2, 0\) is not there: the output has 2 × 2 .* to \(1, 1\)"),
        ({"source": (-1, 0)}, r"source=\(-1, 0\) is not possible: give 'loss', or the row and"),
        ({"source": "y"}, r"source='y' is not possible"),
        ({"source": (True, 0)}, r"source=\(True, 0\) is not possible"),
        ({"source": 3}, r"source=3 is not possible"),
        ({"source": None}, r"source=None is not possible"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_impossible_value_is_refused_in_a_sentence_and_nothing_changes(change, sentence):
    widget = GradientTracer()
    before = widget.gradients["x"]
    with pytest.raises(TraitError, match=sentence):
        set_together(widget, change)
    assert torch.equal(widget.gradients["x"], before)
    assert widget.source == "loss"
    with pytest.raises(TraitError, match=sentence):
        GradientTracer(**change)


def test_an_output_that_a_smaller_y_no_longer_has_gives_way_to_the_loss():
    widget = GradientTracer(source=[1, 1])
    assert widget.source == (1, 1)
    widget.pool_size = 3
    assert widget.source == "loss"
    check(widget)
    widget.pooling, widget.source = "none", (3, 3)
    widget.stride = 3
    assert widget.source == "loss"


@pytest.mark.parametrize(
    ("pooling", "source", "size"),
    [("max", "loss", (8, 8)), ("average", (0, 1), (3, 4)), ("none", (0, 1), (5, 2))],
)
def test_the_static_picture_says_the_loss_and_the_gradient_of_the_kernel(pooling, source, size):
    widget = GradientTracer(
        input=torch.arange(size[0] * size[1]).reshape(size) % 7 - 2.5,
        pooling=pooling,
        source=source,
        pool_stride=1,
        padding=1,
        loss="squared error",
    )
    figure = widget.draw()
    top = "L" if source == "loss" else "y[0, 1]"
    rows = "; ".join(" ".join(map(format_number, row)) for row in widget.gradients["W"])
    assert f"is L = {format_number(widget.stages['loss'])}. " in figure.alt_text
    assert f"d{top}/dW: {rows}. " in figure.alt_text
    assert figure.alt_text.endswith(f"d{top}/db: {format_number(widget.gradients['b'])}.")
    assert figure.get_size_inches()[0] < 7.001
    data, metadata = widget._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == data["text/plain"] == figure.alt_text
    written = [text.get_text() for text in figure.axes[0].texts]
    for grid in (widget.output, *(widget.gradients[name] for name in "xWzay")):
        assert all(format_number(v) in written for v in grid.flatten())


# In the browser.


@pytest.fixture
def widget():
    return GradientTracer()


def grid(page, title, view=0):
    """A grid by its title: "x", "+ b", "dL/dW" …"""
    boxes = page.locator(".cu").nth(view).locator(".cu-grid-box")
    return boxes.filter(has=page.locator(f".cu-title:text-is('{title}')")).first


def all_numbers(page, view=0):
    """The numbers that each grid shows, by its title, as a tensor; what is empty is left out."""
    grids = (
        page.locator(".cu")
        .nth(view)
        .evaluate(
            """(root) => Object.fromEntries([...root.querySelectorAll(".cu-grid-box")]
          .filter((box) => box.querySelector("table") && box.offsetParent)
          .map((box) => [box.querySelector(".cu-title").textContent,
            [...box.querySelector("table").rows].map(
              (row) => [...row.cells].map((cell) => cell.textContent))]))"""
        )
    )
    plain = lambda text: float(text.replace("−", "-"))  # noqa: E731
    rows = {title: [[plain(t) for t in row if t] for row in grid] for title, grid in grids.items()}
    return {title: torch.tensor([row for row in grid if row]) for title, grid in rows.items()}


def words(page):
    pages.settle(page)
    return page.locator(".cu-words").first.inner_text()


def agree(page, widget, view=0):
    """The page shows torch's numbers, and Python has them once it has heard what was saved."""
    pages.settle(page)
    pages.pull(page, widget)
    stages, gradients = check(widget)
    shown = {
        "x": F.pad(widget.input, (widget.padding,) * 4),
        "W": widget.kernel,
        "+ b": torch.tensor([[widget.bias]]),
        **{name: stages[name] for name in "zay"},
    }
    top = "L" if widget.source == "loss" else "y"
    for name, value in gradients.items():
        shown[f"d{top}/d{name}"] = value if value.ndim else value.reshape(1, 1)
    if widget.loss == "squared error":
        shown["t"] = torch.zeros_like(stages["y"]) if widget.target is None else widget.target
    found = all_numbers(page, view)
    assert set(found) == set(shown)
    for title, expected in shown.items():
        got = found[title]
        assert got.shape == expected.shape, title
        assert (got - expected).abs().max() < 0.0051, title
    loss = page.locator(".cu").nth(view).locator(".cu-loss").inner_text()
    assert loss == format_number(stages["loss"])


def cell(page, title, row, column):
    return grid(page, title).locator("tr").nth(row).locator("td").nth(column)


def test_every_slider_and_menu_by_mouse_and_by_keyboard(page, widget):
    agree(page, widget)
    changes = [
        *[("padding", "2"), ("stride", "3"), ("stride", "2"), ("pool size", "3")],
        *[("pool stride", "1"), ("padding", "1"), ("stride", "1"), ("pool stride", "4")],
    ]
    for label, value in changes:
        page.get_by_label(label, exact=True).fill(value)
        agree(page, widget)
        assert getattr(widget, label.replace(" ", "_")) == int(value)
    for name in ("padding", "pool size", "pool stride"):
        page.get_by_label(name, exact=True).focus()
        page.keyboard.press("ArrowLeft")
        agree(page, widget)
    assert (widget.padding, widget.pool_size, widget.pool_stride) == (0, 2, 3)
    track = page.get_by_label("stride", exact=True).bounding_box()
    page.mouse.click(track["x"] + 39, track["y"] + track["height"] / 2)
    agree(page, widget)
    assert widget.stride == 2
    for pooling, loss in itertools.product(["average", "none", "max"], ["squared error", "sum"]):
        page.get_by_label("pooling").select_option(pooling)
        page.get_by_label("loss", exact=True).select_option(loss)
        agree(page, widget)
        assert page.get_by_label("pool size").is_hidden() == (pooling == "none")
    page.get_by_label("pooling").focus()
    page.keyboard.type("ave")
    agree(page, widget)
    assert widget.pooling == "average"


def test_an_output_and_the_loss_are_chosen_by_mouse_and_by_keyboard(page, widget):
    cell(page, "y", 1, 0).click()
    agree(page, widget)
    assert widget.source == (1, 0)
    assert cell(page, "y", 1, 0).get_attribute("class").count("cu-chosen") == 1
    assert page.locator(".cu-loss").get_attribute("aria-pressed") == "false"
    page.keyboard.press("ArrowUp")  # moves, and chooses nothing yet
    agree(page, widget)
    assert widget.source == (1, 0)
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.source == (0, 0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    agree(page, widget)
    assert widget.source == (0, 1)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className").startswith("cu-loss")
    assert words(page) == "L = 3 + 7 + 5 + 4 = 19."
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.source == "loss"
    cell(page, "y", 0, 1).click()
    page.locator(".cu-loss").click()
    agree(page, widget)
    assert widget.source == "loss"


def test_input_kernel_bias_and_target_are_edited_by_mouse_and_by_keyboard(page, widget):
    cell(page, "x", 1, 1).click()
    page.keyboard.type("-2,5")
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.input[1, 1] == -2.5
    page.get_by_label("padding").fill("2")
    cell(page, "x", 2, 3).click()  # row 0, column 1 of x
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.input[0, 1] == 9
    cell(page, "x", 0, 0).click()  # padding
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    agree(page, widget)
    cell(page, "W", 1, 0).focus()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.kernel[1, 0] == 3
    cell(page, "+ b", 0, 0).focus()
    page.keyboard.press("Enter")
    page.keyboard.type("-1.5")
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.bias == -1.5
    page.get_by_label("loss", exact=True).select_option("squared error")
    cell(page, "t", 1, 0).click()
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    agree(page, widget)
    assert widget.target[1, 0] == 4
    assert widget.target.dtype == widget.input.dtype
    page.get_by_role("button", name="set every cell of the target").press("Enter")
    agree(page, widget)
    assert widget.target is None


def outlined(page, title, which="window"):
    """The places of the outlined cells of a grid."""
    return page.evaluate(
        """([table, name]) => [...table.querySelectorAll(`td.cu-${name}`)].map(
          (cell) => [Number(cell.dataset.row), Number(cell.dataset.column)])""",
        [grid(page, title).locator("table").element_handle(), which],
    )


def test_a_gradient_of_the_kernel_is_told_with_its_sum_and_its_cells(page):
    cell(page, "dL/dW", 0, 1).hover()
    assert words(page) == (
        "dL/dW[0, 1] = 1·(−1) + 1·1 + 1·(−1) = −1, the sum of dL/dz · x "
        "(13 terms that are 0 left out)."
    )
    assert outlined(page, "dL/dz") == [[0, 2], [2, 0], [3, 2]]
    assert outlined(page, "x") == [[0, 3], [2, 1], [3, 3]]
    assert len(outlined(page, "x", "faint")) == 13
    assert page.locator(".cu-difference").inner_text() == (
        "Check with h = 0.0001: (L(W[0, 1] + h) − L(W[0, 1] − h)) / 2h = −1.0000; "
        "the gradient is −1.0000."
    )
    page.mouse.move(2, 2)
    assert words(page).startswith("L = 3 + 7 + 5 + 4 = 19. dL/dW: 3 −1; 8 1. dL/db = 4.")
    assert outlined(page, "x") == []


def test_a_gradient_of_the_input_is_told_by_keyboard_and_with_padding_in_its_place(page):
    page.get_by_label("padding").fill("1")
    pages.settle(page)
    cell(page, "dL/dx", 0, 0).focus()
    assert words(page) == "Padding: its zeros are constants and get no gradient."
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    said = words(page)
    assert said.startswith("dL/dx[0, 0] = ")
    assert said.endswith("the sum of dL/dz · W.")
    shown = cell(page, "dL/dx", 1, 1).inner_text()
    assert f" = {shown}, the sum" in said
    places = {(i, j) for which in ("window", "faint") for i, j in outlined(page, "dL/dz", which)}
    assert places == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert cell(page, "dL/dx", 1, 1).get_attribute("class").count("cu-active") == 1


def test_at_a_tie_the_finite_difference_is_told_to_differ(page):
    cell(page, "dL/dx", 0, 3).hover()
    pages.settle(page)
    assert (
        page.locator(".cu-difference")
        .inner_text()
        .endswith(
            "= −0.5000; the gradient is −1.0000. "
            "At a tie or at 0 the function has a corner: the two need not agree."
        )
    )


def test_ties_overlaps_and_losers_are_told(page):
    cell(page, "dL/da", 0, 2).hover()
    tie = "tie: 7 stands at (0, 2) and (1, 2); the first in reading order takes it."
    assert words(page) == f"dL/da[0, 2] = 1, from output (0, 1); {tie}"
    assert outlined(page, "dL/dy") == [[0, 1]]
    cell(page, "dL/da", 1, 2).hover()
    assert words(page) == f"dL/da[1, 2] = 0: {tie}"
    page.get_by_label("pool stride").fill("1")
    pages.settle(page)
    cell(page, "dL/da", 0, 2).hover()
    assert words(page) == f"dL/da[0, 2] = 1 + 1 = 2, from outputs (0, 1) and (0, 2); {tie}"
    assert outlined(page, "dL/dy") == [[0, 1], [0, 2]]
    page.get_by_label("pooling").select_option("average")
    pages.settle(page)
    cell(page, "dL/da", 0, 1).hover()
    assert words(page) == "dL/da[0, 1] = 1/4 + 1/4 = 0.5, from outputs (0, 0) and (0, 1)."


def test_a_cell_that_relu_shuts_is_hatched_and_says_why(page):
    for title in ("z", "a", "dL/dz"):
        assert outlined(page, title, "unread") == [[0, 1], [0, 3], [1, 1], [1, 3], [2, 3], [3, 3]]
    label = cell(page, "dL/dz", 1, 1).get_attribute("aria-label")
    assert label == "dL/dz row 1, column 1: 0, shut by ReLU, because z = −2"
    cell(page, "dL/dz", 1, 1).hover()
    assert words(page) == "dL/dz[1, 1] = dL/da[1, 1]·0 = 0·0 = 0: ReLU is shut, z = −2 < 0."
    assert outlined(page, "a", "winner") == [[0, 2], [1, 0], [2, 0], [3, 2]]


def test_forward_numbers_are_told_with_their_sums(page):
    cell(page, "z", 1, 1).hover()
    assert words(page) == "z[1, 1] = 0·1 + 2·(−1) + 1·2 + 2·(−1) + 0 = −2."
    assert outlined(page, "x") == [[1, 1], [1, 2], [2, 1], [2, 2]]
    cell(page, "y", 0, 0).hover()
    assert words(page) == "y[0, 0] = max(2, 0, 3, 0) = 3, from a[1, 0]."
    assert outlined(page, "a") == [[1, 0]]
    assert outlined(page, "a", "faint") == [[0, 0], [0, 1], [1, 1]]


def filled(page):
    return (
        page.locator(".cu-backward td").count() - page.locator(".cu-backward .cu-pending").count()
    )


def test_backward_is_filled_step_by_step_in_its_order(page, widget):
    press = page.get_by_role("button", name="fill the next gradient").press
    for expected in ("dL/dy[0, 0] = 1", "dL/dy[0, 1] = 1"):
        press("Enter")
        assert words(page).startswith(expected)
    assert filled(page) == 2
    assert page.get_by_text("2 of 66 gradients").is_visible()
    cell(page, "dL/dW", 0, 0).hover()
    assert words(page) == "dL/dW[0, 0] is still to come: press step."
    page.mouse.move(2, 2)
    for _ in range(2 + 4):
        press("Enter")
    assert words(page) == "dL/da[0, 3] = 0: 7 at (0, 2) wins output (0, 1)."
    cell(page, "y", 0, 1).click()  # another source: begins anew
    page.mouse.move(2, 2)
    page.get_by_label("stride", exact=True).focus()
    assert words(page).endswith("Press step or play to fill in the gradients of y[0, 1].")
    assert filled(page) == 0
    page.get_by_role("button", name="fill all gradients").click()
    agree(page, widget)
    page.get_by_label("padding").fill("1")  # all stay filled
    agree(page, widget)
    press("Enter")
    pages.settle(page)
    assert filled(page) == 1 + 7 * 7 - 25


def test_playing_fills_all_and_stops(page, widget):
    page.clock.install()
    play = page.get_by_role("button", name="play")
    play.press("Enter")
    page.clock.run_for(20)
    assert 1 <= filled(page) < 10  # time goes on by itself, too
    page.clock.run_for(2000)
    page.get_by_role("button", name="pause").click()
    page.clock.run_for(50)
    some = filled(page)
    assert 5 < some < 30
    page.clock.run_for(2000)
    assert filled(page) == some
    play.click()
    page.clock.run_for(15000)
    assert play.inner_text() == "▶ play"
    agree(page, widget)


def test_an_impossible_combination_says_pythons_sentence_and_the_next_change_may_mend_it(
    page, widget
):
    page.get_by_label("pool size").fill("4")
    agree(page, widget)
    page.get_by_label("stride", exact=True).fill("2")
    pages.settle(page)
    with pytest.raises(TraitError) as refused:
        GradientTracer(pool_size=4, stride=2)
    assert page.locator(".cu-refusal").inner_text() == f"Not possible: {refused.value}."
    assert page.evaluate("model.get('stride')") == 1
    agree(page, widget)
    page.get_by_label("pool size").fill("2")
    agree(page, widget)
    assert (widget.stride, widget.pool_size) == (2, 2)
    assert page.locator(".cu-refusal").is_hidden()


def test_a_target_that_no_longer_fits_is_kept_until_one_says_otherwise(page, widget):
    page.get_by_label("loss", exact=True).select_option("squared error")
    cell(page, "t", 0, 0).click()
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    agree(page, widget)
    page.get_by_label("pool stride").fill("1")
    pages.settle(page)
    with pytest.raises(TraitError) as refused:
        widget.pool_stride = 1
    assert page.locator(".cu-refusal").inner_text() == f"Not possible: {refused.value}."
    assert all_numbers(page)["t"][0, 0] == 4
    page.get_by_role("button", name="set every cell of the target").click()
    agree(page, widget)
    assert widget.pool_stride == 1


def test_a_number_too_large_is_refused_in_the_words_of_python(page, widget):
    for title, change in [("+ b", {"bias": 2000}), ("W", {"kernel": [[2000, 0]]})]:
        cell(page, title, 0, 0).click()
        page.keyboard.type("2000")
        page.keyboard.press("Enter")
        pages.settle(page)
        with pytest.raises(TraitError) as refused:
            GradientTracer(**change)
        assert page.locator(".cu-refusal").inner_text() == f"Not possible: {refused.value}."
        cell(page, title, 0, 0).click()
        page.keyboard.type("1")
        page.keyboard.press("Enter")
        agree(page, widget)


def test_a_chosen_output_that_is_gone_gives_way_to_the_loss_as_in_python(page, widget):
    cell(page, "y", 1, 1).click()
    page.get_by_label("pool size").fill("4")
    agree(page, widget)
    assert widget.source == "loss"
    assert page.evaluate("model.get('source')") == "loss"


def test_python_moves_the_browser(page, widget):
    set_together(widget, {"kernel": W, "input": X, "source": (0, 0), "pool_stride": 1})
    pages.push(page, widget, "kernel", "input", "source", "pool_stride")
    agree(page, widget)
    set_together(widget, {"loss": "squared error", "target": [[1, -2, 3], [0, 0.5, 2]]})
    pages.push(page, widget, "loss", "target")
    agree(page, widget)


def test_two_views_show_the_same_and_close_without_a_trace(browser, widget):
    page = pages.mount(browser, widget, views=2)
    page.get_by_label("padding").nth(1).fill("1")
    agree(page, widget, 0)
    agree(page, widget, 1)
    page.get_by_role("button", name="play").first.click()
    pages.settle(page)
    assert pages.close(page) == [0, 0, 0]
    page.evaluate("model.set('stride', 2)")
    pages.settle(page)
    assert page.errors == []
    page.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 700), ("dark", 390)])
def test_it_fits_the_page(browser, theme, width, tmp_path):
    page = pages.mount(browser, GradientTracer(), theme, width=width)
    cell(page, "dL/dW", 1, 0).hover()
    pages.settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    tops = {
        b["y"] for b in (b.bounding_box() for b in page.locator(".cu-backward .cu-sign").all()) if b
    }
    assert len(tops) <= (2 if width == 700 else 4)
    pages.looks(page, tmp_path, f"tracer-{theme}-{width}")
    page.close()
    decimals = torch.arange(64).reshape(8, 8) * 0.37 - 11
    wide = GradientTracer(input=decimals, padding=2, pool_stride=1, loss="squared error", bias=-300)
    page = pages.mount(browser, wide, theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for table in page.locator(".cu-grid-box").all():
        assert "NaN" not in table.inner_text()
    pages.looks(page, tmp_path, f"tracer-wide-{theme}-{width}")
    page.close()


# What the static picture shows, artist by artist.


def drawn(widget):
    """{(x, y): text} of the static picture, each place rounded to hundredths."""
    axes = widget.draw().axes[0]
    return axes, {tuple(round(c, 2) for c in t.get_position()): t for t in axes.texts}


def test_the_static_picture_has_each_stage_above_its_gradient_and_each_number_in_its_cell():
    widget = GradientTracer()
    axes, texts = drawn(widget)
    titles = {place: t for place, t in texts.items() if t.get_weight() == "bold"}
    assert all(t.get_verticalalignment() == "bottom" for t in titles.values())
    by_name = {t.get_text(): place for place, t in titles.items()}
    assert set(by_name) == {*"xWzay", *(f"dL/d{name}" for name in "xWzay")}
    assert len({by_name[name][1] for name in "xWza"}) == 1  # one line
    assert by_name["x"][0] < by_name["W"][0] < by_name["z"][0] < by_name["a"][0]
    forward = {"x": widget.input, "W": widget.kernel, **{n: widget.stages[n] for n in "zay"}}
    grids = {**forward, **{f"dL/d{name}": widget.gradients[name] for name in "xWzay"}}
    for name, grid in grids.items():
        middle, above = by_name[name]
        left, top = middle - grid.shape[1] / 2, above + 0.15
        for (row, column), value in zip(
            itertools.product(*map(range, grid.shape)), grid.flatten(), strict=True
        ):
            text = texts[round(left + column + 0.5, 2), round(top + row + 0.5, 2)]
            assert text.get_text() == format_number(value), name
    for name in "xWzay":
        assert by_name[f"dL/d{name}"][0] == by_name[name][0]
        assert by_name[f"dL/d{name}"][1] > by_name[name][1] + forward[name].shape[0]
    assert len(texts) == len(axes.texts) == len(grids) + sum(g.numel() for g in grids.values()) + 1


def test_the_static_picture_is_cut_around_what_is_drawn_with_the_first_row_above():
    for size in ((5, 5), (8, 8), (3, 4)):
        widget = GradientTracer(input=torch.ones(size))
        axes, texts = drawn(widget)
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        assert (left, top) == (-0.2, -0.1)
        assert bottom > top
        cells = [corner for mesh in axes.collections for corner in mesh.get_coordinates()]
        ends = torch.tensor([tuple(corner) for row in cells for corner in row]).amax(0)
        assert right == pytest.approx(ends[0].item() + 0.2)
        (said,) = [place for place, t in texts.items() if t.get_text().startswith("backward")]
        assert said[0] == 0
        assert ends[1] < said[1] < bottom
        assert axes.get_aspect() == 1
        assert not axes.axison
        width, height = axes.figure.get_size_inches()
        assert width / height == pytest.approx((right - left) / (bottom - top), rel=0.1)


def test_the_static_picture_outlines_the_output_that_is_differentiated():
    assert not drawn(GradientTracer())[0].patches
    axes, texts = drawn(GradientTracer(source=(1, 0)))
    (outline,) = axes.patches
    assert not outline.get_fill()
    assert (outline.get_width(), outline.get_height()) == (1, 1)
    ((x, y),) = [place for place, t in texts.items() if t.get_text() == "y"]
    assert outline.get_xy() == pytest.approx((x - 1, y + 0.15 + 1))
    assert any(t.get_text() == "dy/dW" for t in texts.values())


def test_the_static_picture_writes_bias_loss_and_the_gradient_of_the_bias():
    widget = GradientTracer(bias=0.5)
    loss, gradient = (format_number(v) for v in (widget.stages["loss"], widget.gradients["b"]))
    said = [t.get_text() for t in widget.draw().axes[0].texts][-1]
    assert said == f"backward from L.   b = 0.5,   L = {loss},   dL/db = {gradient}"

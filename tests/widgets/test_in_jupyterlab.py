"""Every widget, and a student's way through lesson 01, in a real JupyterLab in a real browser."""

import json
import re
import shutil

import gallery
import labserver
import page as pages
import pytest
import torch
import torch.nn.functional as F

from course_utils import widgets

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not pages.CHROMIUM, reason="no Chromium here to drive"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the notebooks, and one more that has every widget."""
    folder = tmp_path_factory.mktemp("course") / "notebooks"
    shutil.copytree(labserver.lab.NOTEBOOKS, folder)
    gallery.write(folder / "gallery.ipynb")
    return folder


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    with labserver.serve(folder, tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="module")
def lesson(browser, server):
    """Lesson 01, every cell run."""
    page = labserver.open_notebook(browser, server, "01_convolution_by_hand.ipynb")
    yield page
    page.close()


@pytest.fixture(scope="module")
def page(browser, server):
    """The notebook with every widget, every cell run."""
    page = labserver.open_notebook(browser, server, "gallery.ipynb")
    yield page
    page.close()


def test_lesson_01_runs_from_top_to_bottom_without_an_error(lesson):
    assert lesson.locator(".jp-CodeCell").count() > 10
    lesson.wait_for_function(  # the first cell, which is folded, shows no number
        """() => [...document.querySelectorAll(".jp-CodeCell .jp-InputArea-prompt")]
          .every((prompt) => /^\\[\\d+\\]:$/.test(prompt.innerText.trim()))"""
    )
    errors = lesson.locator("[data-mime-type$='.error'], [data-mime-type$='.stderr']")
    assert errors.all_inner_texts() == []


def shown(page, title):
    """The widget of this name on the page."""
    page.bring_to_front()  # the browser draws no page that is behind another
    root = page.get_by_role("group", name=title, exact=True)
    root.scroll_into_view_if_needed()
    return root


def of_kernel(page, expression, expected=None):
    """What an expression is in the kernel; waits for `expected`, as messages take their time."""

    def ask():
        return json.loads(labserver.ask(page, f"import json; print(json.dumps({expression}))"))

    if expected is not None:
        pages.until(page, lambda: ask() == expected)
    answer = ask()
    assert expected in (None, answer), expression
    pages.settle(page)  # until what was changed is on the screen, too
    return answer


def numbers(root, title):
    """The numbers in the grid with this title."""
    box = root.locator(".cu-grid-box", has=root.page.get_by_text(re.compile(f"^{title}"))).first
    rows = [row.locator("td").all_inner_texts() for row in box.locator("tr").all()]
    return torch.tensor([[as_number(text) for text in row] for row in rows])


def as_number(text):
    return float(text.replace("−", "-").replace(",", ""))


def test_every_widget_is_in_the_notebook():
    assert list(gallery.CELLS) == widgets.__all__


def test_convolution_stepper(page):
    root = shown(page, "Convolution, step by step")
    root.get_by_label("padding", exact=True).fill("1")
    root.get_by_role("button", name="the next output number").click()
    root.locator("td.cu-editable").first.focus()
    page.keyboard.type("8")  # by keyboard alone: a digit opens the cell
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")  # JupyterLab leaves the arrow keys to the widget
    of_kernel(page, "stepper.input.tolist()[0]", [8, 2, 3])
    of_kernel(page, "[stepper.padding, stepper.position]", [1, 1])
    output = torch.tensor(of_kernel(page, "stepper.output.tolist()"))
    x = torch.tensor([[8.0, 2, 3], [4, 5, 6], [7, 8, 9]])
    kernel = torch.tensor([[1.0, 2], [3, 4]])
    expected = F.conv2d(x[None, None], kernel[None, None], padding=1)[0, 0]
    assert torch.equal(output, expected)
    assert torch.equal(numbers(root, "output"), expected)


def test_kernel_playground(page):
    root = shown(page, "A picture and what a kernel answers")
    root.get_by_label("kernel", exact=True).select_option("Gaussian blur")
    slider = root.get_by_role("slider", name="row 1, column 1")
    slider.fill("0.5")
    for _ in range(3):
        slider.press("ArrowLeft")
    pages.settle(page)
    kernel = numbers(root, "kernel")
    of_kernel(page, "round(playground.kernel[1, 1].item(), 6)", round(kernel[1, 1].item(), 6))
    assert kernel[1, 1] < 0.5
    expected = of_kernel(
        page,
        "[f(torch.nn.functional.conv2d(playground.image[None, None], "
        "playground.kernel.float()[None, None])).item() for f in (torch.amin, torch.amax)]",
    )
    said = re.search(r"answers from (\S+) to (\S+?),", root.locator(".cu-words").inner_text())
    assert [as_number(text) for text in said.groups()] == pytest.approx(expected, abs=0.0051)


def test_pooling_explorer(page):
    root = shown(page, "Pooling, window by window")
    root.get_by_label("kernel_size", exact=True).fill("3")
    root.get_by_label("stride", exact=True).press("ArrowLeft")
    root.get_by_label("mode", exact=True).select_option("average")
    of_kernel(page, "[pooling.kernel_size, pooling.stride, pooling.mode]", [3, 1, "average"])
    x = torch.tensor(of_kernel(page, "pooling.input.tolist()"))
    expected = F.avg_pool2d(x[None], 3, 1)[0]
    assert torch.allclose(torch.tensor(of_kernel(page, "pooling.output.tolist()")), expected)
    assert torch.allclose(numbers(root, "output"), expected, atol=0.0051)


def test_gradient_tracer(page):
    root = shown(page, "Gradients, step by step")
    root.get_by_label("padding", exact=True).fill("1")
    root.get_by_label("pool stride", exact=True).press("ArrowLeft")  # windows overlap
    of_kernel(page, "[tracer.padding, tracer.pool_stride]", [1, 1])
    x, weight, bias = (
        torch.tensor(of_kernel(page, f"torch.as_tensor(tracer.{name}).tolist()"))
        for name in ("input", "kernel", "bias")
    )
    weight.requires_grad_()
    z = F.conv2d(x[None, None], weight[None, None], bias.reshape(1), padding=1)
    F.max_pool2d(z.relu(), 2, 1).sum().backward()
    assert torch.equal(torch.tensor(of_kernel(page, "tracer.gradients['W'].tolist()")), weight.grad)
    assert torch.equal(numbers(root, "dL/dW"), weight.grad)


def test_shape_builder(page):
    root = shown(page, "Layers and their shapes")
    row = root.locator(".sb-list .sb-row").first
    row.locator(".sb-head").click()
    row.get_by_label("out_channels", exact=True).fill("7")
    page.keyboard.press("Enter")
    of_kernel(page, "builder.mismatch is None", False)
    mismatch = of_kernel(page, "builder.mismatch.sentence")
    assert mismatch in root.locator(".sb-problem:visible").inner_text()
    for _ in range(2):  # the batch norm, then the second convolution
        root.locator(".sb-mend:visible").press("Enter")
        pages.settle(page)
    of_kernel(page, "builder.mismatch is None", True)
    of_kernel(page, "list(builder.to_module()(torch.zeros(2, 1, 28, 28)).shape)", [2, 10])
    counted = of_kernel(page, "sum(p.numel() for p in builder.to_module().parameters())")
    assert f"{counted:,}" in root.locator(".sb-total").inner_text()


def test_depth_explorer(page):
    root = shown(page, "Depth, width and what they cost")
    root.get_by_label("depth", exact=True).fill("7")
    root.get_by_label("width", exact=True).press("ArrowRight")
    of_kernel(page, "[depth.depth, depth.width]", [7, 17])
    counted = of_kernel(
        page,
        "[sum(p.numel() for p in depth.to_module().parameters()), depth.macs, "
        "list(depth.to_module()(torch.zeros(1, 1, 28, 28)).shape)]",
    )
    assert counted[2] == [1, 10]
    tiles = root.locator(".cu-tile .cu-total").all_inner_texts()
    assert [as_number(text) for text in tiles[:2]] == counted[:2]


def test_digit_pad(page):
    root = shown(page, "Draw a digit")
    root.get_by_role("button", name="clear").click()
    box = root.locator("canvas").first.bounding_box()
    page.mouse.move(box["x"] + 140, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 240, steps=8)
    page.mouse.up()
    says(page, root)
    canvas = root.locator("canvas").first
    canvas.focus()
    before = of_kernel(page, "pad.image.sum().item()")
    page.keyboard.press("Space")  # by keyboard alone: the pen down, a stroke, the pen up
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    says(page, root)
    assert of_kernel(page, "pad.image.sum().item()") != before


def says(page, root):
    """The answer on the page is what the network says in Python about the image there."""
    pages.settle(page)
    code = "pad._model.eval()(pad.image[None, None]).softmax(1)[0]"

    def agree():
        digit, share = of_kernel(page, f"[{code}.argmax().item(), {code}.max().item()]")
        said = re.search(r"says (\d) with (\d+) %", root.locator(".cu-words").inner_text())
        return said and int(said[1]) == digit and abs(int(said[2]) - 100 * share) < 0.51

    assert pages.until(page, agree)


def test_the_page_reports_no_error(page):
    assert page.errors == []

"""Every widget, and a student's way through lesson 01, in a real JupyterLab in a real browser."""

import json
import re
import shutil

import gallery
import labserver
import page as pages
import pytest
import torch

pytestmark = pytest.mark.skipif(not pages.CHROMIUM, reason="no Chromium here to drive")


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
    lesson.wait_for_function(
        """() => [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")]
          .every((prompt) => /^\\[\\d+\\]:$/.test(prompt.innerText.trim()))"""
    )
    errors = lesson.locator("[data-mime-type$='.error'], [data-mime-type$='.stderr']")
    assert errors.all_inner_texts() == []


def shown(page, title):
    """The widget of this name on the page."""
    root = page.get_by_role("group", name=title)
    root.scroll_into_view_if_needed()
    return root


def of_kernel(page, expression, expected=None):
    """What an expression is in the kernel; waits for `expected`, as messages take their time."""
    for _ in range(40):
        answer = json.loads(labserver.ask(page, f"import json; print(json.dumps({expression}))"))
        if expected is None or answer == expected:
            return answer
        page.wait_for_timeout(50)
    raise AssertionError(f"{expression} is {answer}, not {expected}")


def numbers(root, title):
    """The numbers in the grid with this title."""
    box = root.locator(".cu-grid-box", has_text=re.compile(f"^{title}")).first
    rows = [row.locator("td").all_inner_texts() for row in box.locator("tr").all()]
    return torch.tensor([[float(text.replace("−", "-")) for text in row] for row in rows])


def test_convolution_stepper(page):
    root = shown(page, "Convolution, step by step")
    root.get_by_label("padding").fill("1")
    root.get_by_role("button", name="the next output number").click()
    root.locator("td.cu-editable").first.focus()
    page.keyboard.type("8")  # by keyboard alone: a digit opens the cell
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")  # JupyterLab leaves the arrow keys to the widget
    pages.settle(page)
    of_kernel(page, "stepper.input.tolist()[0]", [8, 2, 3])
    of_kernel(page, "[stepper.padding, stepper.position]", [1, 1])
    output = torch.tensor(of_kernel(page, "stepper.output.tolist()"))
    expected = torch.nn.functional.conv2d(
        torch.tensor([[[[8.0, 2, 3], [4, 5, 6], [7, 8, 9]]]]),
        torch.tensor([[[[1.0, 2], [3, 4]]]]),
        padding=1,
    )[0, 0]
    assert torch.equal(output, expected)
    assert torch.equal(numbers(root, "output"), expected)

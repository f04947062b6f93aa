"""Faults planted on purpose, away from the default values, each turn the tests red.

A row is the widget whose tests must notice, the file, what is replaced in it, and by what; and a
part of the names of the tests that must go red.
"""

import shutil
from pathlib import Path

import page as pages
import pytest
import warm
from node import needs_node

ROOT = Path(__file__).resolve().parents[2]
FAULTS = {
    # What the browser computes.
    "the distance in a window is the stride": (
        *("convolution_stepper", "shared/convolution.js"),
        *("m * dilation", "m * stride", "arithmetic"),
    ),
    "dilation 3 is taken for 2": (
        *("convolution_stepper", "shared/convolution.js", "n * dilation };"),
        *("n * (dilation > 2 ? 2 : dilation) };", "arithmetic"),
    ),
    "padding on one side only": (
        *("convolution_stepper", "shared/convolution.js"),
        *("size + 2 * padding - d", "size + padding - d", "arithmetic"),
    ),
    "the kernel is mirrored, not turned": (
        *("convolution_stepper", "shared/convolution.js", 'mode === "convolution" ? turn(k)'),
        *('mode === "convolution" ? k.map((row) => [...row].reverse())', "arithmetic"),
    ),
    "ceil_mode keeps a window that begins behind the input": (
        *("pooling_explorer", "pooling_explorer/pooling.js"),
        *("size + padding ? count - 1 : count", "size + padding ? count : count", "arithmetic"),
    ),
    "what hangs over counts in an average": (
        *("pooling_explorer", "pooling_explorer/pooling.js"),
        *("Math.min(kernel_size, size + padding - start)", "kernel_size", "arithmetic"),
    ),
    "of two equal maxima the last wins": (
        *("gradient_tracer", "gradient_tracer/gradients.js"),
        *("a[cell[0]][cell[1]] > a[best[0]]", "a[cell[0]][cell[1]] >= a[best[0]]", "arithmetic"),
    ),
    "ReLU has slope 1 at 0": (
        *("gradient_tracer", "gradient_tracer/gradients.js"),
        *("local = z[row][column] > 0", "local = z[row][column] >= 0", "arithmetic"),
    ),
    "the gradient of the input forgets the padding": (
        *("gradient_tracer", "gradient_tracer/gradients.js"),
        *("column + padding - q * stride", "column - q * stride", "arithmetic"),
    ),
    "half an odd size is rounded up": (
        *("depth_explorer", "depth_explorer/counts.js"),
        *(
            "    size = Math.floor(size / 2);\n    field",
            "    size = Math.ceil(size / 2);\n    field",
        ),
        "browser_counts",
    ),
    "a partner may be 5 % off, not 10": (
        *("depth_explorer", "depth_explorer/counts.js"),
        *("* FARTHEST <= own", "* FARTHEST * 2 <= own", "browser_counts"),
    ),
    "the fifth weight of a row of seven is the fourth": (
        *("kernel_playground", "kernel_playground/filtering.js"),
        *("e * line[at + 4] +\n      f", "d * line[at + 4] +\n      f", "arithmetic"),
    ),
    "a picture is read without its last row of padding": (
        *("kernel_playground", "kernel_playground/filtering.js"),
        *("(i + padding) * wide + padding", "(i + padding) * wide + padding - 1", "arithmetic"),
    ),
    "groups are forgotten in the parameters": (
        *("shape_builder", "shape_builder/shapes.js"),
        *("(in_channels / groups) * out", "in_channels * out", "arithmetic"),
    ),
    "a transposed convolution counts its output cells": (
        *("shape_builder", "shape_builder/shapes.js"),
        *(
            'type === "Conv2d" ? [shape, options.in_channels]',
            "true ? [shape, options.in_channels]",
        ),
        "arithmetic",
    ),
    "groups read the wrong channels": (
        *("digit_pad", "digit_pad/network.js"),
        *(
            "Math.floor((map * groups) / maps) * channels",
            "0 * Math.floor(map / groups)",
            "browsers_network",
        ),
    ),
    "Grad-CAM keeps what speaks against the class": (
        *("digit_pad", "digit_pad/network.js"),
        *("(value > 0 ? value / largest : 0)", "value / largest", "browsers_network"),
    ),
    "a digit is 21 pixels long": (
        *(
            "digit_pad",
            "digit_pad/ink.js",
            "LONGER_SIDE = 20",
            "LONGER_SIDE = 21",
            "frames_a_digit",
        ),
    ),
    # What Python says.
    "a turned kernel is only mirrored in Python": (
        *("convolution_stepper", "convolution_stepper/widget.py"),
        *("weight.flip(-2, -1) if turned", "weight.flip(-1) if turned", "output_is_torchs"),
    ),
    "the shift cuts the wrong end off": (
        *("pooling_explorer", "pooling_explorer/widget.py"),
        *("(self.shift, 0))[:, : self", "(0, self.shift))[:, : self", "arithmetic"),
    ),
    "the mean in place of the sum": (
        *(
            "gradient_tracer",
            "gradient_tracer/widget.py",
            "loss = y.sum()",
            "loss = y.mean()",
            "range",
        ),
    ),
    "a padding of 3 is taken for 2 in Python": (
        *("kernel_playground", "kernel_playground/widget.py"),
        *("padding=self.padding)[0, 0]", "padding=min(2, self.padding))[0, 0]", "output"),
    ),
    # What the page shows and does.
    "a typed number lands in the wrong row": (
        *("convolution_stepper", "convolution_stepper/view.js"),
        *("row - padding(), column - padding()", "row, column - padding()", "padding_cannot"),
    ),
    "a cell is called by the wrong row": (
        *("convolution_stepper", "convolution_stepper/view.js"),
        *("i - padding}, column", "i}, column", "padding_cannot"),
    ),
    "a hyphen stands for a minus sign": (
        *("all_widgets", "shared/numbers.js", 'text.replaceAll("-", "−")', "text"),
        "writes_numbers",
    ),
    "a half is rounded up": (
        *("all_widgets", "shared/numbers.js"),
        *("roundHalfEven(value).toFixed", "value.toFixed", "writes_numbers"),
    ),
    "a timer outlives its view": (
        *("convolution_stepper", "shared/view.js"),
        *("for (const timer of this.timers) clearTimeout(timer);", "", "two_views"),
    ),
    "an impossible value is sent to Python": (
        *("convolution_stepper", "shared/view.js"),
        *("if (sentence === null) {", "if (sentence !== undefined) {", "impossible_combination"),
    ),
}


@pytest.fixture(scope="module")
def pytest_elsewhere():
    with warm.pytest_elsewhere() as run:
        yield run


def copied(folder):
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "course_utils", folder / "course_utils", ignore=ignore)
    shutil.copytree(ROOT / "tests" / "widgets", folder / "tests" / "widgets", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)


def command(widget, tests):
    place = "test_all_widgets.py" if widget == "all_widgets" else widget
    return [f"tests/widgets/{place}", "-k", tests, "--exitfirst", "-p", "no:cacheprovider"]


@pytest.mark.more
@needs_node
@pytest.mark.skipif(not pages.CHROMIUM, reason="no Chromium here to drive")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_turns_the_tests_red(fault, tmp_path, pytest_elsewhere):
    widget, file, right, wrong, tests = FAULTS[fault]
    copied(tmp_path)
    path = tmp_path / "course_utils" / "widgets" / file
    text = path.read_text("utf-8")
    assert text.count(right) == 1, f"{right!r} stands {text.count(right)} times in {file}"
    path.write_text(text.replace(right, wrong), "utf-8")
    code, printed = pytest_elsewhere(tmp_path, command(widget, tests))
    # 1 says that a test failed; 0 that none did, 5 that none was found.
    assert code == 1, printed[-3000:]


@pytest.mark.more
@needs_node
def test_without_a_fault_they_are_green(tmp_path, pytest_elsewhere):
    copied(tmp_path)
    code, printed = pytest_elsewhere(tmp_path, command("pooling_explorer", "arithmetic"))
    assert code == 0, printed[-3000:]

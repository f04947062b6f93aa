"""Faults planted on purpose, away from the default values, each turn the tests red.

A row is a file of the package, what is replaced there, and the tests that must notice.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import page as pages
import pytest
from node import needs_node

ROOT = Path(__file__).resolve().parents[2]

# (widget, file, right, wrong, the tests that must go red)
FAULTS = [
    (
        *("convolution_stepper", "arithmetic/convolution.js", "m * dilation", "m * stride"),
        "the_browsers_arithmetic",
    ),
    (
        *("convolution_stepper", "arithmetic/convolution.js"),
        *("n * dilation };", "n * (dilation > 2 ? 2 : dilation) };", "the_browsers_arithmetic"),
    ),
    (
        *("convolution_stepper", "arithmetic/convolution.js"),
        *("size + 2 * padding - d", "size + padding - d", "the_browsers_arithmetic"),
    ),
    (
        *("convolution_stepper", "arithmetic/convolution.js"),
        *('mode === "convolution" ? turn(k)', 'mode === "convolution" ? k.map((r) => [...r].reverse())'),
        "the_browsers_arithmetic",
    ),
    (
        *("convolution_stepper", "convolution_stepper.py"),
        *("weight.flip(-2, -1) if turned", "weight.flip(-1) if turned"),
        "output_is_torchs",
    ),
    (
        *("convolution_stepper", "convolution_stepper.js", "i - padding}, column", "i}, column"),
        "padding_cannot",
    ),
    (
        *("convolution_stepper", "convolution_stepper.js"),
        *("row - padding(), column - padding()", "row, column - padding()", "padding_cannot"),
    ),
    (
        *("all_widgets", "shared/numbers.js", 'text.replaceAll("-", "−")', "text"),
        "writes_numbers",
    ),
    (
        *("all_widgets", "shared/numbers.js", "roundHalfEven(value).toFixed", "value.toFixed"),
        "writes_numbers",
    ),
    (
        *("convolution_stepper", "shared/view.js"),
        *("for (const timer of this.timers) clearTimeout(timer);", "", "two_views"),
    ),
]


@pytest.mark.more
@needs_node
@pytest.mark.skipif(not pages.CHROMIUM, reason="no Chromium here to drive")
@pytest.mark.parametrize(
    ("widget", "file", "right", "wrong", "tests"),
    FAULTS,
    ids=[f"{fault[0]}: {fault[2]} → {fault[3]}" for fault in FAULTS],
)
def test_a_planted_fault_turns_the_tests_red(widget, file, right, wrong, tests, tmp_path):
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "course_utils", tmp_path / "course_utils", ignore=ignore)
    shutil.copytree(ROOT / "tests" / "widgets", tmp_path / "tests" / "widgets", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "course_utils" / "widgets" / file
    text = path.read_text("utf-8")
    assert text.count(right) == 1, f"{right!r} is {text.count(right)} times in {file}"

    def run():
        line = [sys.executable, "-m", "pytest", f"tests/widgets/test_{widget}.py", "-k", tests]
        done = subprocess.run(
            [*line, "--exitfirst", "-p", "no:cacheprovider"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout[-2000:]

    path.write_text(text.replace(right, wrong), "utf-8")
    code, said = run()
    assert code == 1, said  # 1: a test failed; 5 would mean that none was found

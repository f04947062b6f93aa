"""A check is found by its name alone: at run time, by an editor, and by someone who looks."""

import ast
import subprocess
import sys
from pathlib import Path

import checks_stub
import pytest

from course_utils import checks
from course_utils.checks import EXERCISES, Exercise

ROOT = Path(__file__).resolve().parents[2]
CHECKS = ROOT / "course_utils" / "checks"


@pytest.mark.parametrize("name", EXERCISES)
def test_a_check_stands_in_the_file_of_its_name_in_the_folder_of_its_lesson(name):
    exercise = getattr(checks, name)
    assert isinstance(exercise, Exercise)
    assert exercise.name == name
    lesson = exercise.lesson.removeprefix("lesson ")[:2]
    tree = ast.parse((CHECKS / f"lesson_{lesson}" / f"{name}.py").read_text("utf-8"))
    last = tree.body[-1]  # the exercise stands at the end, below what it is made of
    assert [target.id for target in last.targets] == [name]


def test_an_editor_finds_every_check():
    assert (CHECKS / "__init__.pyi").read_text("utf-8") == checks_stub.stub(), "make notebooks"


def test_a_check_that_is_not_there_is_named():
    with pytest.raises(AttributeError, match="no_such_check"):
        checks.no_such_check  # noqa: B018
    assert set(EXERCISES) < set(dir(checks))
    assert "no_such_check" not in EXERCISES


def test_no_tensor_is_computed_when_the_checks_are_imported_and_no_matplotlib_is_loaded():
    code = """
import sys
import torch

made = []

class Watch(torch.overrides.TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        made.append(function)
        return function(*args, **(kwargs or {}))

from course_utils import checks
with Watch():
    list(checks.EXERCISES.values())
assert not made, made
assert "matplotlib" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)

"""Checks of the exercises: `checks.<exercise>(your_answer)` says whether it is right, or why not.

Each exercise has a file of its name: `checks.conv2d` is `lesson_01/conv2d.py`. It holds a
reference, small cases, and the wrong answers that people give (see `engine.Exercise`). The file is
loaded when its exercise is first used.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path

from course_utils.checks.engine import Case, Exercise, Mistake
from course_utils.checks.engine.prediction import compare_prediction
from course_utils.checks.engine.result import Result

_FILES = {
    path.stem: f"{__name__}.{path.parent.name}.{path.stem}"
    for path in sorted(Path(__file__).parent.glob("lesson_*/*.py"))
    if not path.stem.startswith("_")
}


class _Exercises(Mapping):
    """Every exercise by its name, in the order of the lessons; loaded when it is asked for."""

    def __getitem__(self, name):
        return getattr(importlib.import_module(_FILES[name]), name)

    def __iter__(self):
        return iter(_FILES)

    def __len__(self):
        return len(_FILES)


EXERCISES = _Exercises()

__all__ = ["EXERCISES", "Case", "Exercise", "Mistake", "Result", "compare_prediction", *_FILES]


def __getattr__(name):
    if name in _FILES:
        return EXERCISES[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_FILES})

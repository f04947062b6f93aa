"""Every exercise of every lesson has a check, and every check accepts at least three right ways.

The right ways to the exercises of a lesson are `RIGHT` in its own file: test_lesson_10.py, say.
"""

import importlib
import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from course_utils import checks
from course_utils.checks import EXERCISES

HERE = Path(__file__).resolve().parent
LESSONS = sorted((HERE.parents[1] / "lessons").glob("*.py"))
RIGHT = [
    (path.stem[-2:], name, right)
    for path in sorted(HERE.glob("test_lesson_*.py"))
    for name, ways in importlib.import_module(path.stem).RIGHT.items()
    for right in ways
]


@pytest.mark.parametrize(
    ("lesson", "name", "right"), RIGHT, ids=[f"{name}-{n}" for n, (_, name, _) in enumerate(RIGHT)]
)
def test_a_right_answer_in_any_style_is_accepted(lesson, name, right):
    result = EXERCISES[name](right)
    assert result.passed, str(result)
    assert EXERCISES[name].lesson.startswith(f"lesson {lesson},")


def test_every_exercise_that_asks_for_code_is_tried_with_at_least_three_right_ways():
    tried = [name for _, name, _ in RIGHT]
    asks = [e.name for e in EXERCISES.values() if e.wants_function or callable(e.reference)]
    assert len(asks) > 45
    assert not [(name, tried.count(name)) for name in asks if tried.count(name) < 3]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_below_the_heading_of_every_exercise_stands_one_check(lesson):
    text = lesson.read_text()
    starts = [found.start() for found in re.finditer(r"^# ### Exercise \d", text, re.M)]
    assert starts
    for start, end in pairwise([*starts, len(text)]):
        section = re.split(r"^# ##+ (?!Exercise)", text[start:end], flags=re.M)[0]
        asked = re.findall(r"^checks\.(\w+)\(", section, re.M)
        asked = [name for name in asked if name != "compare_prediction"]
        assert len(asked) == 1, section.splitlines()[0]
        assert asked[0] in EXERCISES


BY_HAND = [e for e in EXERCISES.values() if e.is_value and not isinstance(e.reference, tuple | str)]


@pytest.mark.parametrize("exercise", BY_HAND, ids=lambda e: e.name)
def test_a_value_may_be_a_list_a_tensor_an_array_or_have_a_gradient(exercise):
    plain = torch.as_tensor(exercise.reference)
    strange = torch.stack([plain.double()] * 2, -1)[..., 0].requires_grad_()  # not contiguous, too
    for right in (plain.tolist(), plain.numpy(), plain.double(), strange, plain.float()):
        assert exercise(right).passed


def test_a_step_counted_in_large_numbers_has_to_be_exact():
    cases = checks.gpt_parameters.cases
    count = checks.gpt_parameters.reference(*cases[-1].args)
    assert count > 10**11
    assert not checks.gpt_parameters(lambda *a: checks.gpt_parameters.reference(*a) + 1).passed

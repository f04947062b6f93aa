"""The tables of known wrong answers in assignments/hidden: each is rejected, and told apart."""

import importlib
import inspect
import re
from pathlib import Path

import pytest
from grading import build

from course_utils.checks import Exercise
from course_utils.checks.engine.compare import fault

HIDDEN = Path(build.HERE) / "hidden"


def exercises():
    """Every exercise of every assignment; those with numbers of one's own for two students."""
    for path in sorted(HIDDEN.glob("[a-z]*.py")):
        module = importlib.import_module(f"hidden.{path.stem}")
        for name, value in vars(module).items():
            if isinstance(value, Exercise):
                yield pytest.param(value, id=f"{path.stem}-{name}")
            elif (
                inspect.isfunction(value)
                and value.__module__ == module.__name__
                and (list(inspect.signature(value).parameters) == ["student_id"])
            ):
                for student in ("ada", "20261122"):
                    yield pytest.param(value(student), id=f"{path.stem}-{name}-{student}")


ALL = list({param.id: param for param in exercises()}.values())


def test_each_assignment_has_some():
    assert {param.id[:2] for param in ALL} == {"a1", "a2", "a3", "a4"}


@pytest.mark.parametrize("exercise", ALL)
def test_the_reference_is_accepted_and_a_hidden_result_shows_no_number(exercise):
    assert exercise(exercise.reference).passed
    assert exercise.hidden
    wrong = exercise(exercise.mistakes[0].answer)
    assert "expected" not in str(wrong)
    assert " = " not in str(wrong).split(exercise.mistakes[0].sentence)[0]


@pytest.mark.parametrize("exercise", ALL)
def test_at_least_eight_mistakes_are_known_each_rejected_with_its_own_diagnosis(exercise):
    assert len({mistake.name for mistake in exercise.mistakes}) >= 8
    for mistake in exercise.mistakes:
        for answer in mistake.answers:
            result = exercise(answer)
            assert (result.passed, result.diagnosis) == (False, mistake.name)


@pytest.mark.parametrize("exercise", ALL)
def test_no_sentence_gives_the_answer(exercise):
    if not exercise.wants_function and not exercise.prepare:
        for mistake in exercise.mistakes:
            said = str(exercise(mistake.answer))
            assert str(exercise.reference) not in said


@pytest.mark.parametrize("exercise", ALL)
def test_it_sends_to_a_heading_of_a_lesson(exercise):
    number, heading = exercise.lesson.removeprefix("lesson ").split(", ", 1)
    (path,) = (build.HERE.parent / "lessons").glob(f"{number}_*.py")
    headings = re.findall(r"^# ##+ (.+)$", path.read_text("utf-8"), re.M)
    assert heading.strip("'") in headings


@pytest.mark.parametrize("exercise", ALL)
def test_its_cases_are_all_needed_or_at_least_not_the_same(exercise):
    answers = [exercise._answer(exercise.reference, case)[0] for case in exercise.cases]
    assert len(answers) == 1 or any(fault(answers[0], other) for other in answers[1:])

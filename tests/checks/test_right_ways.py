"""Every check accepts the right answer, in whatever way it is written.

`lesson_NN/right_ways.py` holds a table for each lesson: of every exercise that asks for code at
least three ways that people write.
"""

import runpy
from pathlib import Path

import pytest

from course_utils.checks import EXERCISES

TABLES = sorted(Path(__file__).parent.glob("lesson_*/right_ways.py"))
RIGHT_WAYS = {
    name: ways for table in TABLES for name, ways in runpy.run_path(table)["RIGHT_WAYS"].items()
}


@pytest.mark.parametrize(
    ("name", "way"), [(name, way) for name, ways in RIGHT_WAYS.items() for way in ways]
)
def test_a_right_answer_is_accepted(name, way):
    result = EXERCISES[name](way)
    assert result.passed, str(result)


def test_every_exercise_that_asks_for_code_is_tried_with_at_least_three_ways():
    asks = [e for e in EXERCISES.values() if e.wants_function or callable(e.reference)]
    assert len(asks) > 45
    assert not [e.name for e in asks if len(RIGHT_WAYS.get(e.name, ())) < 3]

"""What the graded assignments use: numbers of one's own, examples to try, and `graded`.

Everything here works in JupyterLab and in Colab, with no nbgrader installed.
"""

import contextlib
import hashlib
import inspect
import os
import random
import unicodedata

from course_utils.checks import Case, Exercise

NO_ID = "write your id here"


class NotYet(AssertionError):
    """A graded cell whose check does not pass; the message is what the check says.

    `result` is the `checks.Result`.
    """

    def __init__(self, result):
        super().__init__(str(result))
        self.result = result


def graded(result):
    """Show what a check says; where nbgrader runs the notebook, fail unless the check passes.

    So "Run All" never stops at an exercise that is not done yet, and nbgrader still sees it.

    result: a `checks.Result`. Returns: the same. Raises: NotYet, under nbgrader only.
    """
    if os.environ.get("NBGRADER_EXECUTION") and not result.passed:
        raise NotYet(result)
    return result


def examples(function, *cases, lesson="", without=()):
    """Check a function on examples that say what should come back.

    function: the student's. cases: `Case(args, kwargs, expected)`, the smallest first.
    lesson: where to read on. without: PyTorch's functions that it may not call.
    Returns: a `checks.Result`.
    """
    name, names = "your function", ()
    with contextlib.suppress(Exception):  # of what is no function, or one without a signature
        name = function.__name__
        if not hasattr(function, "call_elsewhere"):
            names = tuple(inspect.signature(function).parameters)
    check = Exercise(name, lesson, None, (), cases, without=tuple(without), names=names)
    return check(function)


def normal_id(student_id):
    """A student's id as it is compared: text without spaces around it, in small letters."""
    return unicodedata.normalize("NFKC", str(student_id)).strip().casefold()


def numbers_for(student_id, question):
    """A source of random numbers that depends on the student and the question alone.

    student_id: text or number. While it is not filled in, everybody gets the example's numbers,
    and a sentence says so. question: text. Returns: a `random.Random`, the same on every machine.
    """
    if normal_id(student_id) in ("", NO_ID):
        print("Write your id into `student_id` first. Until then these are example numbers.")
    text = f"{question}/{normal_id(student_id)}"
    return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


__all__ = ["NO_ID", "Case", "NotYet", "examples", "graded", "normal_id", "numbers_for"]

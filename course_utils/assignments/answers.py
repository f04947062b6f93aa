"""What becomes of an answer: it is tried on examples, and graded."""

import contextlib
import inspect
import os

from ..checks import Exercise


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

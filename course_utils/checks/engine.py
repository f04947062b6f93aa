"""One mechanism for every exercise: a reference, cases, and a table of named wrong solutions.

An `Exercise` runs a student's answer on small cases, shows the smallest one that fails, and then
asks of each known misconception: would it have given exactly these wrong answers?
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from course_utils.checks import guard
from course_utils.checks.compare import fault, kind_of, same
from course_utils.checks.result import Result


@dataclass(frozen=True)
class Case:
    """The arguments of one call of the student's function."""

    args: tuple = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def copy(self):
        """The same arguments in new tensors, so that nobody can spoil them for the next."""
        fresh = lambda value: value.clone() if isinstance(value, torch.Tensor) else value  # noqa: E731
        return (
            tuple(fresh(value) for value in self.args),
            {name: fresh(value) for name, value in self.kwargs.items()},
        )


@dataclass(frozen=True)
class Mistake:
    """A misconception: its name, what a student with it would answer, and one sentence about it.

    `also` holds other answers that the same misconception leads to.
    """

    name: str
    answer: Any
    sentence: str
    also: tuple = ()

    @property
    def answers(self):
        return (self.answer, *self.also)


@dataclass(frozen=True)
class Exercise:
    """The check of one exercise: call it with the student's answer.

    Args:
        name: what the student calls it by, `checks.<name>`.
        lesson: where to read on: the lesson and one of its headings, "lesson 01, 'Sizes'".
        reference: the right answer: a function, or a value (a number, tensor, list or tuple).
        mistakes: the known wrong answers, most likely first.
        cases: for a function, the calls to compare, the smallest first.
        prepare: makes a function of the answer (a kernel, say), where the answer itself is a value
            but what matters is what it does. It may raise ValueError, with a sentence.
        seconds: how long one call may take.
    """

    name: str
    lesson: str
    reference: Any
    mistakes: tuple[Mistake, ...]
    cases: tuple[Case, ...] = (Case(),)
    prepare: Callable | None = None
    seconds: float = 5.0

    def __call__(self, answer):
        if answer is None or answer is ... or guard.is_stub(answer):
            return self._result("not_attempted")
        if callable(self.reference) and not self.prepare and not callable(answer):
            return self._result(
                "wrong_type",
                f"A function is checked here; this is {kind_of(answer)}. Pass the function itself, "
                f"without calling it: `checks.{self.name}(my_function)`.",
            )
        if self.prepare:
            try:
                self.prepare(answer)
            except (TypeError, ValueError) as error:
                return self._result("wrong_type", f"{error}.")
        expected = [self._answer(self.reference, case)[0] for case in self.cases]
        got, stopped = self._run(answer)
        wrong = [n for n in range(len(got)) if fault(expected[n], got[n])]
        if wrong:
            first = wrong[0]
            diagnosis, sentence = self._diagnose(got) or fault(expected[first], got[first])
            return self._result(diagnosis, sentence, first, expected[first], got[first])
        return stopped or Result(self.name, passed=True, total=len(self.cases))

    def _run(self, answer):
        """What an answer gives for the cases, up to one that stops it; and what to say of that."""
        got = []
        for number, case in enumerate(self.cases):
            try:
                value, changed = self._answer(answer, case)
            except guard.OutOfTime:
                sentence = f"Stopped after {self.seconds:g} seconds: does a loop never end?"
                return got, self._result("endless_loop", sentence, number)
            except guard.Crash as crash:
                return got, self._crashed(crash, number)
            if value is NotImplemented or value is ...:
                return got, self._result("not_attempted")
            if value is None:
                sentence = "The function returned None. Is the last line a `return`?"
                return got, self._result("returned_nothing", sentence, number)
            if changed:
                sentence = (
                    f"The argument `{changed}` was changed in place. Work on a copy (`.clone()`), "
                    "since whoever calls your function still needs the original."
                )
                return got, self._result("input_changed", sentence, number)
            got.append(value)
        return got, None

    def _answer(self, answer, case):
        """What an answer gives for a case, and the name of an argument that it changed, if any."""
        if self.prepare:
            answer = self.prepare(answer)
        if not callable(answer):
            return answer, None
        args, kwargs = case.copy()
        value = guard.call(answer, args, kwargs, self.seconds)
        before, after = self._named(case.args, case.kwargs), self._named(args, kwargs)
        changed = [name for name in before if not same(before[name], after[name])]
        return value, changed[0] if changed else None

    def _diagnose(self, got):
        """The first misconception that would have given exactly these answers."""
        for mistake in self.mistakes:
            for answer in mistake.answers:
                theirs, _ = self._run(answer)
                pairs = zip(theirs, got, strict=False)
                if len(theirs) >= len(got) and not any(fault(one, two) for one, two in pairs):
                    return mistake.name, mistake.sentence
        return None

    def _named(self, args, kwargs):
        reference = self.prepare(self.reference) if self.prepare else self.reference
        if not callable(reference):
            return {}
        return inspect.signature(reference).bind(*args, **kwargs).arguments

    def _crashed(self, crash, number):
        if isinstance(crash.error, NotImplementedError):
            return self._result("not_attempted")
        where = f"\n  {crash.line}" if crash.line else ""
        return self._result("crash", f"Your code stopped with {crash}{where}", number)

    def _result(self, diagnosis, sentence="", number=None, expected=None, got=None):
        arguments = {}
        if number is not None:
            arguments = self._named(self.cases[number].args, self.cases[number].kwargs)
        return Result(
            self.name,
            passed=False,
            total=len(self.cases),
            diagnosis=diagnosis,
            sentence=sentence,
            lesson=self.lesson,
            number=number,
            arguments=arguments,
            expected=expected,
            got=got,
            secret=not callable(self.reference) and not self.prepare,
        )

"""One mechanism for every exercise: a reference, cases, and a table of named wrong solutions.

An `Exercise` runs a student's answer on small cases, shows the smallest one that fails, and then
asks of each known misconception: would it have given exactly these wrong answers?
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from course_utils.checks.engine import guard
from course_utils.checks.engine.compare import fault, same
from course_utils.checks.engine.reading import kind_of, parts, read_once
from course_utils.checks.engine.result import Result, grids

_STOPPED = object()  # in place of an answer that a wrong solution never gives


@dataclass(frozen=True)
class Case:
    """The arguments of one call of the student's function.

    `expected` is what should come back, where there is no reference to ask.
    """

    args: tuple = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = None

    def copy(self):
        """The same arguments in new tensors, so that nobody can spoil them for the next."""
        return _fresh(self.args), _fresh(dict(self.kwargs))


def _fresh(value):
    if isinstance(value, torch.Tensor):
        return value.clone()
    if type(value) is dict:
        return {name: _fresh(part) for name, part in value.items()}
    return type(value)(map(_fresh, value)) if type(value) in (list, tuple) else value


class later:
    """What a function without arguments gives, computed when it is first asked for.

    So that importing a check computes no tensor: `@later` over `def cases()`, say, or
    `reference=later(lambda: …)`.
    """

    def __init__(self, make):
        self.value = functools.cache(make)


class _Resolved:
    """Gives what a `later` stands for in place of the `later`."""

    def __getattribute__(self, name):
        value = super().__getattribute__(name)
        return value.value() if type(value) is later else value


@dataclass(frozen=True)
class Mistake(_Resolved):
    """A misconception: its name, what a student with it would answer, and one sentence about it.

    `also` holds other answers that the same misconception leads to.
    """

    name: str
    answer: Any
    sentence: str
    also: tuple = ()

    @property
    def answers(self):
        return (self.answer, *(a.value() if type(a) is later else a for a in self.also))


class Mistakes(Sequence):
    """The wrong answers to one exercise, in the order in which they are written down.

    ```
    mistake = Mistakes()

    @mistake("Each window is one step further than the last.")
    def window_stands_still(x, weight):
        ...
    ```

    The function stays what it was, so that the next mistake can call it. Where the answer is a
    value: `mistake.value("bias_forgotten", [320, 64], "There is a bias, too.")`.
    """

    def __init__(self):
        self._known = []

    def __call__(self, sentence, *, also=()):
        """A decorator: the function below is what a student would write who needs `sentence`."""

        def add(function):
            self.value(function.__name__, function, sentence, also)
            return function

        return add

    def value(self, name, answer, sentence, also=()):
        """A wrong value, or a `later`, or a function made elsewhere; its misconception's name."""
        self._known.append(Mistake(name, answer, sentence, tuple(also)))

    def __getitem__(self, number):
        return self._known[number]

    def __len__(self):
        return len(self._known)


@dataclass(frozen=True, repr=False)
class Exercise(_Resolved):
    """The check of one exercise: call it with the student's answer.

    Reference and cases may be a `later`: they are computed when they are first needed.

    Args:
        name: what the student calls it by, `checks.<name>`; its file is called the same.
        lesson: where to read on: the lesson and one of its headings, "lesson 01, 'Sizes'".
        reference: the right answer: a function, or a value (a number, tensor, list or tuple). None
            where each case says what it expects.
        mistakes: the known wrong answers, most likely first.
        cases: for a function, the calls to compare, the smallest first.
        prepare: makes a function of the answer (a kernel, say), where the answer itself is a value
            but what matters is what it does. It may raise ValueError, with a sentence.
        seconds: how long one call may take.
        without: names of PyTorch's functions that the answer may not call, "conv2d", say. Where any
            is given, the course's own functions may not be called either.
        hidden: the result says what is wrong, but shows neither the case nor any number of it.
        names: what the arguments are called, where there is no reference to ask.
    """

    name: str
    lesson: str
    reference: Any
    mistakes: Sequence[Mistake]
    cases: tuple[Case, ...] = (Case(),)
    prepare: Callable | None = None
    seconds: float = 5.0
    without: tuple[str, ...] = ()
    hidden: bool = False
    names: tuple[str, ...] = ()
    _kept: dict = field(default_factory=dict, init=False, compare=False)

    def __repr__(self):  # it must not show the table, nor the reference
        return f"The check of an exercise: call it with your answer, `checks.{self.name}(answer)`."

    def __dir__(self):  # nor should the Tab key offer them
        return ["cases", "lesson", "name", "seconds"]

    @property
    def wants_function(self):
        return not self.prepare and (self.reference is None or callable(self.reference))

    @property
    def is_value(self):
        return not self.prepare and not self.wants_function

    def __call__(self, answer):
        if answer is None or answer is ... or guard.is_stub(answer):
            return self._result("not_attempted")
        if self.wants_function and not callable(answer):
            return self._result(
                "wrong_type",
                f"A function is checked here; this is {kind_of(answer)}. Pass the function itself, "
                f"without calling it: `checks.{self.name}(my_function)`.",
            )
        if callable(answer) and self.is_value:
            sentence = f"A value is checked here; this is {kind_of(answer)}: pass what it gives."
            return self._result("wrong_type", sentence)
        with guard.listening():
            if self.prepare and (refused := self._refused(answer)):
                return self._result("wrong_type", refused)
            got, stopped = self._run(answer)
        strictly, loosely = (
            [n for n, value in enumerate(got) if fault(self._expected(n), value, loose)]
            for loose in (self.is_value, True)  # a value by hand may be of any dtype
        )
        if not strictly:
            return stopped or Result(self.name, passed=True, total=len(self.cases))
        if mistake := self._mistake(got):
            return self._wrong(mistake.name, mistake.sentence, strictly[0], got)
        if loosely and (mistake := self._mistake(got, loosely=True)):
            return self._wrong(mistake.name, mistake.sentence, loosely[0], got)
        first = strictly[0]
        found = fault(self._expected(first), got[first], self.is_value)
        return self._wrong(*found, first, got)

    def _refused(self, answer):
        """Why an answer cannot be tried at all, as a sentence, or None."""
        try:
            self.prepare(answer)
        except (TypeError, ValueError) as error:
            return f"{guard.message_of(error)}."
        except Exception:
            return f"This is {kind_of(answer)}, which cannot be checked here."
        return None

    def _run(self, answer):
        """What an answer gives for the cases, up to one that stops it; and what to say of that."""
        got = []
        for number in range(len(self.cases)):
            value, stopped = self._try(answer, number)
            if stopped:
                return got, stopped
            got.append(value)
        return got, None

    def _try(self, answer, number):
        """What an answer gives for a case; or what to say if it stops there."""
        try:
            value, changed = self._answer(answer, self.cases[number], self.without)
        except guard.Shortcut as shortcut:
            return _STOPPED, self._result("shortcut", f"{shortcut}", number)
        except guard.OutOfTime as late:
            sentence = f"Stopped after {self.seconds:g} seconds: does a loop never end?"
            if getattr(late, "busy", False):
                sentence += (
                    " It computes on in the background and makes all else slow: restart the kernel "
                    "(menu Kernel) when you have mended it."
                )
            return _STOPPED, self._result("endless_loop", sentence, number)
        except guard.Crash as crash:
            return _STOPPED, self._crashed(crash, number)
        if value is NotImplemented or value is ...:
            return _STOPPED, self._result("not_attempted")
        if value is None:
            sentence = "The function returned None. Is the last line a `return`?"
            return _STOPPED, self._result("returned_nothing", sentence, number)
        if changed:
            sentence = (
                f"The argument `{changed}` was changed in place. Work on a copy (`.clone()`), "
                "since whoever calls your function still needs the original."
            )
            return _STOPPED, self._result("input_changed", sentence, number)
        return value, None

    def _answer(self, answer, case, without=()):
        """What an answer gives for a case, and the name of an argument that it changed, if any."""
        if self.prepare:
            answer = self.prepare(answer)
        if not callable(answer):
            return answer, None
        args, kwargs = case.copy()
        value = guard.call(answer, args, kwargs, self.seconds, without)
        before, after = self._named(case.args, case.kwargs), self._named(args, kwargs)
        changed = [name for name in before if not same(before[name], after[name])]
        return value, changed[0] if changed else None

    def _expected(self, number):
        """What should come back for a case."""
        case = self.cases[number]
        if case.expected is not None:
            return case.expected
        if number not in self._kept:
            self._kept[number] = self._answer(self.reference, case)[0]
        return self._kept[number]

    def _mistake(self, got, loosely=False):
        """The first misconception that would have given exactly these answers."""
        got = [value if parts(value) else read_once(value) for value in got]
        for mistake in self.mistakes:
            for answer in mistake.answers:
                if all(self._agrees(answer, n, value, loosely) for n, value in enumerate(got)):
                    return mistake
        return None

    def _agrees(self, answer, number, value, loosely):
        """Whether a wrong answer of the table gives this value for a case."""
        place = id(answer), number
        if place not in self._kept:
            self._kept[place] = read_once(self._try(answer, number)[0])
        theirs = self._kept[place]
        return theirs is not _STOPPED and not fault(theirs, value, loosely)

    def _named(self, args, kwargs):
        if self.reference is None:
            names = (*self.names, *(f"argument {n + 1}" for n in range(len(self.names), len(args))))
            return dict(zip(names, args, strict=False)) | kwargs
        reference = self.prepare(self.reference) if self.prepare else self.reference
        if not callable(reference):
            return {}
        return inspect.signature(reference).bind(*args, **kwargs).arguments

    def _crashed(self, crash, number):
        raised = ": raise " in crash.line or not crash.error.args
        if (
            isinstance(crash.error, NotImplementedError) and raised
        ):  # torch has its own of that name
            return self._result("not_attempted")
        if not crash.line and isinstance(crash.error, TypeError):  # raised where it is tried out
            kind = "wrong_type" if self.prepare else "crash"
            return self._result(kind, f"Your answer could not be used: {crash}", number)
        where = f"\n  {crash.line}" if crash.line else ""
        return self._result("crash", f"Your code stopped with {crash}{where}", number)

    def _wrong(self, diagnosis, sentence, number, got):
        expected, secret = self._expected(number), self.is_value
        shown = not secret and not self.hidden and not isinstance(expected, str)
        return self._result(
            diagnosis,
            sentence,
            number,
            expected=expected if shown else None,
            got=got[number],
            grids=() if self.hidden else grids(expected, got[number], secret),
        )

    def _result(self, diagnosis, sentence="", number=None, **found):
        arguments = {}
        if number is not None and not self.hidden:
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
            hidden=self.hidden,
            **found,
        )

"""What a check says, as plain text and as HTML."""

import html
import textwrap
from dataclasses import dataclass, field
from typing import Any

import torch

from course_utils._numbers import format_number
from course_utils.checks.engine.compare import differing, fault
from course_utils.checks.engine.reading import parts, read

WIDTH, SIDE = 100, 8  # of a line, in characters; of a picture of numbers, in cells


@dataclass(frozen=True)
class Result:
    """The outcome of a check. `str()` is for people, `.passed` and `.diagnosis` for programs.

    `.diagnosis` is a short name such as "flipped_kernel", or None if the answer is right.
    `.expected` is None where what is expected is itself the solution, and with `.hidden`, where
    nothing of the case is shown either.
    """

    exercise: str
    passed: bool
    total: int
    diagnosis: str | None = None
    sentence: str = ""
    lesson: str = ""
    number: int | None = None
    arguments: dict = field(default_factory=dict)
    expected: Any = None
    got: Any = None
    grids: tuple = ()
    hidden: bool = False

    @property
    def headline(self):
        if self.passed:
            cases = "" if self.total == 1 else f" All {self.total} cases agree."
            return f"✓ {self.exercise}: right.{cases}"
        if self.diagnosis == "not_attempted":
            return f"○ {self.exercise}: not attempted yet."
        if self.number is None or self.total == 1 or self.hidden:
            return f"✗ {self.exercise}: not yet."
        return (
            f"✗ {self.exercise}: not yet. Case {self.number + 1} of {self.total}, "
            "the smallest that fails:"
        )

    @property
    def advice(self):
        if not self.sentence:
            return ""
        gap = "\n" if "\n" in self.sentence else " "  # a line of code stands alone
        if not self.lesson:
            return self.sentence
        return f"{self.sentence}{gap}Read again: {self.lesson}."

    def __str__(self):
        lines = [self.headline]
        if not self.passed and self.sentence:
            lines += [_wrapped(line, "    ") for line in self._shown]
            for name, rows in self.grids:
                lines += [_wrapped(f"  {name}:", "  "), *_aligned(rows)]
            lines += [_wrapped(line) for line in self.advice.split("\n")]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        colour = "#009E73" if self.passed else "#777777" if not self.sentence else "#D55E00"
        parts = [f"<b>{html.escape(self.headline)}</b>"]
        if not self.passed and self.sentence:
            if shown := html.escape("\n".join(self._shown)):
                style = "margin:4px 0;white-space:pre-wrap;padding-left:4ch;text-indent:-4ch"
                parts += [f"<pre style='{style}'>{line}</pre>" for line in shown.split("\n")]
            if self.grids:
                tables = "".join(_html_grid(name, rows) for name, rows in self.grids)
                parts.append(f"<div style='display:flex;flex-wrap:wrap;gap:4px 2em'>{tables}</div>")
            advice = html.escape(self.advice).replace("\n", "<br>")
            parts.append(f"<div style='overflow-wrap:anywhere'>{advice}</div>")
        body = "".join(f"<div>{part}</div>" for part in parts)
        return f"<div style='border-left:4px solid {colour};padding:2px 0 2px 10px'>{body}</div>"

    @property
    def _shown(self):
        given = {} if self.hidden else self.arguments
        return [f"  {name} = {_inline(value)}" for name, value in given.items()]


def grids(expected, got, secret=False):
    """What came beside what should have: a name and rows of cells, of the first plane that differs.

    A cell that differs ends in *. Where what is expected is secret, only what came is in it.
    """
    part = ""
    if isinstance(expected, tuple):
        given = parts(got)
        if given is None or len(given) != len(expected):
            return ()
        pairs = zip(expected, given, strict=True)
        which = next((n for n, (one, two) in enumerate(pairs) if fault(one, two)), 0)
        expected, got, part = expected[which], given[which], f" (part {which + 1})"
    if isinstance(expected, str | bool):
        return ()
    try:
        right, theirs = read(expected), read(got)
    except TypeError:
        return ()
    names = [(f"expected{part}", right), (f"got{part}", theirs)][secret:]
    if right.shape != theirs.shape:
        return tuple(_grid(f"{name}, shape {t.shape}", t.cells, None) for name, t in names)
    marks = differing(right, theirs)
    starred = ", * differs" if marks.any() else ""
    return tuple(_grid(name + starred * (t is theirs), t.cells, marks) for name, t in names)


def _grid(name, tensor, marks):
    """A name, and the first (H, W) plane with a differing cell, at most 8 by 8 of it, as rows."""
    marks = torch.zeros(tensor.shape, dtype=torch.bool) if marks is None else marks
    tensor = tensor.reshape((1,) * (2 - tensor.dim()) + tuple(tensor.shape))
    marks = marks.reshape(tensor.shape)
    if not tensor.numel():
        return name, ()
    whole = tensor.numel() == tensor[(0,) * (tensor.dim() - 2)].numel()
    place = []
    while tensor.dim() > 2:
        which = int(marks.flatten(1).any(1).int().argmax())
        tensor, marks, place = tensor[which], marks[which], [*place, f"{which}"]
    first = [int(marks.any(1 - axis).int().argmax()) for axis in (0, 1)]
    for axis, size in enumerate(tensor.shape):
        start = max(0, min(first[axis] - 3, size - SIDE))
        tensor, marks = (t.narrow(axis, start, min(size, SIDE)) for t in (tensor, marks))
        place.append(f"{start}:{start + SIDE}" if size > SIDE else ":")
    if not whole or place[-2:] != [":", ":"]:
        name += f", at [{', '.join(place)}]"
    return name, tuple(
        tuple(_number(value) + "*" * mark for value, mark in zip(row, flags, strict=True))
        for row, flags in zip(tensor.tolist(), marks.tolist(), strict=True)
    )


def _number(value):
    if isinstance(value, complex):
        return f"{_number(value.real)} + {_number(value.imag)}j"
    return format_number(value)


def _aligned(rows):
    width = max((len(cell) for row in rows for cell in row), default=0)
    return ["    " + "  ".join(cell.rjust(width) for cell in row) for row in rows]


def _html_grid(name, rows):
    style = "border:1px solid #999;padding:2px 6px;text-align:right"
    mark = "outline:3px solid #D55E00;outline-offset:-3px;font-weight:bold"
    body = "".join(
        "<tr>"
        + "".join(
            f"<td style='{style}{';' + mark if '*' in cell else ''}'>{cell}</td>" for cell in row
        )
        + "</tr>"
        for row in rows
    )
    name = html.escape(name)
    table = (
        f"<table aria-label='{name}' style='border-collapse:collapse;margin:4px 0'>{body}</table>"
    )
    return f"<div><div>{name}</div>{table}</div>"


def _wrapped(line, further=""):
    """A line as lines of at most 100 characters; those of a student's code keep their indent."""
    indent = line[: len(line) - len(line.lstrip())] + further
    return textwrap.fill(
        line, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=True
    )


def _inline(value):
    """An argument on one line: a small tensor as nested lists, a large one by its shape."""
    if not isinstance(value, torch.Tensor):
        return repr(value)
    if value.numel() > 40:
        return f"a tensor of shape {tuple(value.shape)}"
    return _nested(value.tolist()) + (f" of shape {tuple(value.shape)}" if value.dim() > 2 else "")


def _nested(values):
    if isinstance(values, list):
        return "[" + ", ".join(_nested(v) for v in values) + "]"
    return str(values) if isinstance(values, bool) else format_number(values)

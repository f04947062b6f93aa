"""What a check says, as plain text and as HTML."""

import html
from dataclasses import dataclass, field
from typing import Any

import torch

from course_utils.checks.compare import differing, fault
from course_utils.plotting import format_number


@dataclass(frozen=True)
class Result:
    """The outcome of a check. `str()` is for people, `.passed` and `.diagnosis` for programs.

    `.diagnosis` is a short name such as "flipped_kernel", or None if the answer is right.
    Where what is expected is itself the solution, `.secret` is True and it is not shown.
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
    secret: bool = False

    @property
    def headline(self):
        if self.passed:
            cases = "" if self.total == 1 else f" All {self.total} cases agree."
            return f"✓ {self.exercise}: right.{cases}"
        if self.diagnosis == "not_attempted":
            return f"○ {self.exercise}: not attempted yet."
        if self.number is None or self.total == 1:
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
        return f"{self.sentence}{gap}Read again: {self.lesson}."

    def __str__(self):
        lines = [self.headline]
        if not self.passed and self.sentence:
            lines += [f"  {name} = {_inline(value)}" for name, value in self.arguments.items()]
            for name, plane, marks in self._planes():
                lines += [f"  {name}:"] + ["    " + row for row in _text_rows(plane, marks)]
            lines.append(self.advice)
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        colour = "#009E73" if self.passed else "#777777" if not self.sentence else "#D55E00"
        parts = [f"<b>{html.escape(self.headline)}</b>"]
        if not self.passed and self.sentence:
            shown = [f"{name} = {_inline(value)}" for name, value in self.arguments.items()]
            if shown:
                parts.append(f"<pre style='margin:4px 0'>{html.escape(chr(10).join(shown))}</pre>")
            grids = "".join(
                "<div style='margin-right:2em'>"
                + html.escape(name)
                + _html_grid(plane, marks)
                + "</div>"
                for name, plane, marks in self._planes()
            )
            if grids:
                parts.append(f"<div style='display:flex;flex-wrap:wrap'>{grids}</div>")
            parts.append(html.escape(self.advice).replace("\n", "<br>"))
        body = "".join(f"<div>{part}</div>" for part in parts)
        return f"<div style='border-left:4px solid {colour};padding:2px 0 2px 10px'>{body}</div>"

    def _planes(self):
        """(name, (H, W) numbers, which of them differ) of the expected and the given answer."""
        if self.expected is None or isinstance(self.expected, str | bool):
            return []
        expected, got, part = self.expected, self.got, ""
        if isinstance(expected, tuple):
            if not isinstance(got, tuple | list) or len(got) != len(expected):
                return []
            which = next(
                i for i, (e, g) in enumerate(zip(expected, got, strict=True)) if fault(e, g)
            )
            expected, got, part = expected[which], got[which], f" (part {which + 1})"
        try:
            expected, got = torch.as_tensor(expected).detach(), torch.as_tensor(got).detach()
        except (TypeError, ValueError, RuntimeError):
            return []
        before = [] if self.secret else [(f"expected{part}", expected)]
        if expected.shape != got.shape:
            return [
                (f"{name}, shape {tuple(t.shape)}", *_first_plane(t, None))
                for name, t in [*before, (f"got{part}", got)]
            ]
        marks = differing(expected, got)
        return [
            (name, *_first_plane(t, marks)) for name, t in [*before, (f"got{part}, * differs", got)]
        ]


def _first_plane(tensor, marks):
    """The first (H, W) plane with a differing cell, at most 8 by 8 of it, and its marks."""
    marks = torch.zeros(tensor.shape, dtype=torch.bool) if marks is None else marks
    tensor = tensor.reshape((1,) * (2 - tensor.dim()) + tuple(tensor.shape))
    marks = marks.reshape(tensor.shape)
    while tensor.dim() > 2:
        which = int(marks.flatten(1).any(1).int().argmax()) if tensor.shape[0] else 0
        if not tensor.shape[0]:
            return torch.zeros(0, 0), torch.zeros(0, 0)
        tensor, marks = tensor[which], marks[which]
    return tensor[:8, :8], marks[:8, :8]


def _cells(plane, marks):
    return [
        [
            format_number(value) + ("*" if mark else "")
            for value, mark in zip(row, flags, strict=True)
        ]
        for row, flags in zip(plane.tolist(), marks.tolist(), strict=True)
    ]


def _text_rows(plane, marks):
    rows = _cells(plane, marks)
    width = max((len(cell) for row in rows for cell in row), default=0)
    return ["  ".join(cell.rjust(width) for cell in row) for row in rows]


def _html_grid(plane, marks):
    style = "border:1px solid #999;padding:2px 6px;text-align:right"
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td style='{style}{';outline:3px solid #D55E00' if '*' in cell else ''}'>{cell}</td>"
            for cell in row
        )
        + "</tr>"
        for row in _cells(plane, marks)
    )
    return f"<table style='border-collapse:collapse;margin:4px'>{rows}</table>"


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

"""A pretend class, to try the grading with and to test it: `python assignments pretend FOLDER`.

Ordinary students answer rightly, partly, wrongly or not at all. Hostile ones try what a grader must
survive. Each has a name that says what was done, and `EXPECTED` says what the grader should make of
it, as far as that is known beforehand.
"""

import argparse
import copy
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from grading import build

SOLUTION = build.build_notebooks.without_markers


@dataclass(frozen=True)
class Student:
    """What one student hands in for A1.

    answers: cells filled in otherwise than in the solution, by name; None leaves one empty.
    change: does something to the notebook. write: writes the file, given its path and the notebook.
    reason: part of what grades.csv should say. score: the points, or None where any will do.
    """

    answers: Any = None
    change: Any = None
    write: Any = None
    reason: str = ""
    score: float | None = None
    file: str = "A1_arithmetic.ipynb"


def filled_in(release, master, student_id, other=None):
    """A release with the master's solutions, but for the answers in `other`."""
    notebook, other = copy.deepcopy(release), dict(other or {})
    solutions = {cell.metadata.nbgrader.grade_id: cell
                 for cell in master.cells if "nbgrader" in cell.metadata}
    for cell in notebook.cells:
        settings = cell.metadata.get("nbgrader", {})
        name = settings.get("grade_id")
        if not settings.get("solution") or other.get(name, "") is None:
            continue
        if name == "student_id":
            cell.source = f"student_id = {student_id!r}"
        elif name in other:
            cell.source = other[name]
        else:
            cell.source = SOLUTION(solutions[name].source)
    return notebook


def _cell(notebook, name):
    return next(cell for cell in notebook.cells
                if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def _text(text):
    return lambda path, notebook: path.write_text(text, "utf-8")


def _delete(*names):
    def change(notebook):
        notebook.cells = [cell for cell in notebook.cells
                          if cell.metadata.get("nbgrader", {}).get("grade_id") not in names]

    return change


def _duplicate(name):
    def change(notebook):
        place = notebook.cells.index(_cell(notebook, name))
        notebook.cells.insert(place, copy.deepcopy(notebook.cells[place]))
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{number}"

    return change


def _set(name, source=None, **settings):
    def change(notebook):
        cell = _cell(notebook, name)
        cell.source = cell.source if source is None else source
        cell.metadata.nbgrader.update(settings)

    return change


def _also(source):
    """One more cell of code, at the end of the setup."""
    def change(notebook):
        notebook.cells.insert(2, nbformat.v4.new_code_cell(source))

    return change


def _kernel(name, language):
    def change(notebook):
        notebook.metadata["kernelspec"] = {"name": name, "display_name": name, "language": language}
        notebook.metadata["language_info"] = {"name": language}

    return change

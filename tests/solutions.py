"""The lessons with their solutions, and what their checks must have said when they were run."""

import copy
import re
from pathlib import Path

import build_notebooks as build
from needed_cells import needed_cells

from course_utils.checks import EXERCISES

ROOT = Path(__file__).resolve().parent.parent

MASTERS = sorted(build.LESSONS.glob("*.py"))
LONGEST = ["10", "06", "13", "08", "09", "12"]  # begun first, so that no core waits at the end
CHECK = re.compile(r"^checks\.(\w+)\(", re.M)


def longest_first(paths):
    """Lessons or notebooks in the order in which they are best begun."""
    return sorted(paths, key=lambda p: ([*LONGEST, p.stem[:2]].index(p.stem[:2]), p.stem))


def said(cell):
    """Everything a cell printed or showed, as text."""
    outputs = cell.get("outputs", [])
    return "\n".join(o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in outputs)


def checks_of(notebook):
    """(name of the exercise, what its check said), in order."""
    for cell in notebook.cells:
        for name in CHECK.findall(cell.source) if cell.cell_type == "code" else []:
            if name in EXERCISES:
                yield name, said(cell)


def solved(notebook):
    """A lesson's master, as `read_lesson` gives it, as the notebook of someone who knows all."""
    return build.convert(notebook, build.without_markers)


def what_exercises_need(notebook):
    """The code cells with a solution or a check, and those that make the names that they use."""

    def is_wanted(cell):
        answers = "### BEGIN SOLUTION" in cell.source and "prediction = " not in cell.source
        return answers or set(CHECK.findall(cell.source)) & set(EXERCISES)

    return needed_cells(notebook.cells, is_wanted)


def every_cell_twice(notebook):
    """The same lesson with its code cells only, and each of them two times."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells = [copy.deepcopy(cell) for cell in cells for _ in range(2)]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"{number}"
    return notebook


def assert_that_all_is_right(notebook, asked):
    """Every check of `asked`, the names in order, was run and passed, and all was predicted."""
    done = list(checks_of(notebook))
    assert [name for name, _ in done] == asked
    assert done
    for name, text in done:
        assert f"✓ {name}: right" in text, text
    predictions = [said(c) for c in notebook.cells if "compare_prediction(" in c.source]
    assert not [text for text in predictions if "No prediction made" in text]

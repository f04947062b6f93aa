"""The lessons with their solutions run, pass their own checks, and need no network and no MNIST."""

import copy
import os
import re
import sys
from pathlib import Path

import nbformat
import pytest

from course_utils.checks import EXERCISES

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import build_notebooks as build  # noqa: E402
from needed_cells import needed_cells  # noqa: E402

MASTERS = sorted(build.LESSONS.glob("*.py"))
LONGEST = ["10", "06", "13", "08", "09", "12"]  # begun first, so that no core waits at the end
LONGEST_FIRST = sorted(MASTERS, key=lambda p: ([*LONGEST, p.stem[:2]].index(p.stem[:2]), p.stem))
# Of these, the ones that are tried beside busy programs: lesson 13 starts workers, and a check of
# lesson 07 calls what is imported only then.
RACE = ["07", "13"]
CHECK = re.compile(r"^checks\.(\w+)\(", re.M)


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


def what_exercises_need(notebook):
    """The code cells with a solution or a check, and those that make the names that they use."""

    def is_wanted(cell):
        answers = "### BEGIN SOLUTION" in cell.source and "prediction = " not in cell.source
        return answers or set(CHECK.findall(cell.source)) & set(EXERCISES)

    return needed_cells(notebook.cells, is_wanted)


def every_cell_twice(notebook):
    """The code cells, each of them two times."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    twice = [copy.deepcopy(cell) for cell in cells for _ in range(2)]
    for number, cell in enumerate(twice):
        cell["id"] = f"{number}"
    return twice


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.more)])
@pytest.mark.parametrize(
    "master",
    [
        pytest.param(p, id=p.stem, marks=[pytest.mark.processes] * (p.stem[:2] in RACE))
        for p in LONGEST_FIRST
    ],
)
def test_the_solutions_pass_their_checks_offline(master, whole, tmp_path, record_property):
    """Each with what it needs; `make test-more` runs the whole lessons, and every cell twice."""
    record_property("notebook", f"{'twice' if whole else 'solved'}/{master.stem}.ipynb")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests/no_network")}
    environment["COURSE_DATA"] = str(tmp_path)
    notebook = build.read_lesson(master)
    if whole:
        notebook.cells = every_cell_twice(notebook)
    asked = list(checks_of(notebook))
    if not whole and master.stem != "12_deploy":  # whose cells hand files to each other
        notebook.cells = what_exercises_need(notebook)
    notebook = build.convert(notebook, build.without_markers)
    build.execute(notebook, build.NOTEBOOKS, env=environment)
    done = list(checks_of(notebook))
    assert [name for name, _ in done] == [name for name, _ in asked]
    assert done
    for name, text in done:
        assert f"✓ {name}: right" in text, text
    predictions = [said(c) for c in notebook.cells if "compare_prediction(" in c.source]
    assert not [text for text in predictions if "No prediction made" in text]


@pytest.mark.parametrize("master", MASTERS, ids=lambda p: p.stem)
def test_the_students_notebook_says_not_attempted_and_goes_on(master):
    notebook = nbformat.read(build.NOTEBOOKS / f"{master.stem}.ipynb", as_version=4)
    for name, text in checks_of(notebook):
        assert f"○ {name}: not attempted yet" in text, text


def test_every_exercise_stands_in_a_lesson_that_its_pointer_names():
    asked = {}
    for master in MASTERS:
        notebook = build.read_lesson(master)
        headings = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
        for cell in notebook.cells:
            for name in CHECK.findall(cell.source):
                asked[name] = (master.stem[:2], headings)
    for name, exercise in EXERCISES.items():
        assert name in asked, f"no lesson asks for {name}"
        number, headings = asked[name]
        lesson, heading = re.fullmatch(r"lesson (\d\d), '(.+)'", exercise.lesson).groups()
        assert lesson == number
        assert re.search(rf"^#+ .*{re.escape(heading)}", headings, re.M), exercise.lesson

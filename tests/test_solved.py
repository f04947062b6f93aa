"""The lessons with their solutions run, pass their own checks, and need no network and no MNIST."""

import os
import re

import nbformat
import pytest
import solutions
from solutions import CHECK, MASTERS, ROOT, build, checks_of, what_exercises_need

from course_utils.checks import EXERCISES

# Of these, the ones that are tried beside busy programs: lesson 13 starts workers, and a check of
# lesson 07 calls what is imported only then.
RACE = ["07", "13"]


@pytest.mark.parametrize(
    "master",
    [
        pytest.param(p, id=p.stem, marks=[pytest.mark.processes] * (p.stem[:2] in RACE))
        for p in solutions.longest_first(MASTERS)
    ],
)
def test_the_solutions_pass_their_checks_offline(master, tmp_path, record_property):
    """Each with what it needs; `make test-more` runs all cells, each twice, on lowest versions."""
    record_property("notebook", f"solved/{master.stem}.ipynb")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests/no_network")}
    environment["COURSE_DATA"] = str(tmp_path)
    notebook = build.read_lesson(master)
    asked = [name for name, _ in checks_of(notebook)]
    if master.stem != "12_deploy":  # whose cells hand files to each other
        notebook.cells = what_exercises_need(notebook)
    notebook = solutions.solved(notebook)
    build.execute(notebook, build.NOTEBOOKS, env=environment)
    solutions.assert_that_all_is_right(notebook, asked)


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

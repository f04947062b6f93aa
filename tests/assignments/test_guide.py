"""What the teacher's guide says is so."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from grading import build, execute, student_side

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "assignments" / "README.md").read_text("utf-8")


def test_each_command_is_one_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    commands = set(re.findall(r"(?:^|`)make ([a-z-]+)", GUIDE, re.M))
    assert {"assignments", "grade", "pretend-class", "solutions", "forget-grades"} <= commands
    for command in commands:
        assert re.search(rf"^{command}:", makefile, re.M), command


def test_the_example_of_a_check_works_as_it_says():
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(code, {})
    assert said.getvalue().startswith("✗ double: not yet.")
    assert "2 was added. Multiply by it." in said.getvalue()


def test_the_minutes_of_each_lesson_are_those_of_its_card():
    said = dict(re.findall(r"^\| (\d\d) \| (\d+) \|", GUIDE, re.M))
    cards = {
        path.name[:2]: re.search(r"\*(\d+) minutes\.", path.read_text("utf-8"))[1]
        for path in sorted((ROOT / "lessons").glob("*.py"))
    }
    assert said == cards


@pytest.mark.parametrize("name", build.masters())
def test_the_table_says_of_each_assignment_what_its_first_cell_says(name):
    path = build.masters()[name]
    notebook = build.read_master(path)
    (line,) = re.findall(
        rf"^\| {name} \| \[([^\]]+)\]\(([^)]+)\).*?\| ([\d, ]+) \| (\d+) \| 20 \| (\d+)",
        GUIDE,
        re.M,
    )
    title, file, after, minutes, to_read = line
    first = notebook.cells[0].source
    assert f"{name} · {title}" in first
    assert file == path.name
    assert f"about {minutes} minutes" in first
    card = re.search(r"\*After lessons ([\d, and]+)", first)[1]
    assert re.findall(r"\d+", card) == re.findall(r"\d+", after)
    read = [
        c.metadata.nbgrader.points
        for c in notebook.cells
        if c.metadata.get("nbgrader", {}).get("grade") and c.cell_type == "markdown"
    ]
    assert sum(read) == int(to_read)


def test_both_timetables_have_every_lesson_and_every_assignment():
    week, term = GUIDE.split("**One term")[0], GUIDE.split("**One term")[1].split("## What each")[0]
    for plan in (week.split("**One week")[1], term):
        assert set(re.findall(r"\bA\d", plan)) == set(build.masters())
        numbers = set(re.findall(r"\b\d\d\b", plan))
        assert {f"{n:02d}" for n in range(14)} <= numbers


def test_the_limits_are_the_graders():
    limits = execute.Execute.class_traits()
    assert f"{limits['seconds'].default_value:g} for a notebook" in GUIDE
    assert f"{limits['memory'].default_value / 1e9:g} GB of memory" in GUIDE
    assert f"{build.course().Execute.timeout} seconds for a cell" in GUIDE
    assert f"{student_side.PRINTED // 10**6} million" in GUIDE

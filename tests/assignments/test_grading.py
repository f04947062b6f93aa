"""A class is graded: everybody gets what is theirs, whatever the others do."""

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from grading import build, classroom, grade, report, sandbox
from made_once import once
from nbgrader.api import Gradebook

HOSTILE = pytest.mark.more
QUICK = {name: one for name, one in classroom.ORDINARY.items() if not one.slow}


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["student"].removeprefix("'"): row for row in csv.DictReader(file)}


def graded(course, factory, name, students, runs=((None, {}),)):
    """The course's folder after a class was graded in a copy of it."""

    def make(folder):
        for made in ("release", "source"):
            shutil.copytree(course / made, folder / made)
        shutil.copy(course / "gradebook.db", folder)
        classroom.write(folder / "class", folder, students)
        before = fingerprint(folder / "class")
        said = []
        for only, limits in runs:
            grade.grade(folder / "class", folder, only, 2, said.append, **limits)
        (folder / "said.json").write_text(json.dumps(said))
        assert fingerprint(folder / "class") == before, "grading changed what was handed in"

    return once(factory, name, make)


def fingerprint(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="session")
def ordinary(course, tmp_path_factory):
    return graded(course, tmp_path_factory, "ordinary", QUICK)


@pytest.fixture
def a_copy(ordinary, tmp_path):
    """A graded course that a test may change."""
    return Path(shutil.copytree(ordinary, tmp_path / "course"))


@pytest.fixture(scope="session")
def everybody(course, tmp_path_factory):
    if sandbox.landlock_version() < 6:
        pytest.skip("hostile code is run only where Landlock shuts it in")
    students = {**classroom.ORDINARY, **classroom.HOSTILE}
    # Endless loops are given up early; whoever trains a network is given time.
    runs = ((["A1", "A2"], {"timeout": 30}), (["A3", "A4"], {}))
    return graded(course, tmp_path_factory, "everybody", students, runs)


def check_student(folder, name, student):
    row = rows_of(folder / "grades.csv")[name]
    if student.score is not None:
        assert float(row["score"]) == student.score, row["reason"]
    assert student.reason in row["reason"]


@pytest.mark.parametrize("name", QUICK)
def test_an_ordinary_student_gets_the_points_and_the_reason(ordinary, name):
    check_student(ordinary, name, QUICK[name])


@HOSTILE
@pytest.mark.parametrize("name", classroom.HOSTILE)
def test_a_hostile_student_gets_the_points_and_the_reason(everybody, name):
    check_student(everybody, name, classroom.HOSTILE[name])


@HOSTILE
@pytest.mark.parametrize("name", classroom.ORDINARY)
def test_nobody_else_is_affected(everybody, ordinary, name):
    check_student(everybody, name, classroom.ORDINARY[name])
    if name in QUICK:
        one, other = (rows_of(folder / "grades.csv")[name] for folder in (everybody, ordinary))
        assert one == other


@HOSTILE
def test_the_leaderboard_has_the_networks_inside_the_budget_and_no_name_but_the_nickname(everybody):
    with (everybody / "leaderboard.csv").open(encoding="utf-8-sig", newline="") as file:
        (line,) = csv.DictReader(file)
    assert (line["rank"], line["nickname"]) == ("1", "ada")
    assert float(line["accuracy"]) > 0.97
    assert int(line["parameters"]) <= 10_000
    page = (everybody / "leaderboard.html").read_text("utf-8")
    assert "budget<" not in page.replace("budget challenge", "")


@HOSTILE
def test_no_page_and_no_notebook_shows_a_hidden_test_or_another_students_file(everybody):
    for path in [*everybody.rglob("feedback/**/*.html"), *everybody.rglob("autograded/**/*.ipynb")]:
        found = re.findall(
            "LEAKED.{200}|DESTROYED.{100}|KILLED.{100}|CONNECTED", path.read_text("utf-8")
        )
        assert not found, f"{path}: {found[0]}"


@HOSTILE
def test_there_are_at_least_thirty_of_them(everybody):
    assert (
        len(rows_of(everybody / "grades.csv")) == len(classroom.ORDINARY | classroom.HOSTILE) >= 30
    )


def test_every_student_has_a_line_and_a_page(ordinary):
    rows = rows_of(ordinary / "grades.csv")
    assert set(rows) == set(QUICK)
    for name in rows:
        (page,) = (ordinary / "feedback" / name).rglob("*.html")
        assert page.stat().st_size > 300


def test_a_page_says_what_was_lost_and_shows_no_hidden_test(ordinary):
    (page,) = (ordinary / "feedback" / "turned kernel").rglob("*.html")
    text = page.read_text("utf-8")
    assert "BEGIN HIDDEN" not in text
    assert "from hidden" not in text
    reason = rows_of(ordinary / "grades.csv")["turned kernel"]["reason"]
    sentence = reason.partition("depthwise_conv2d_hidden: ")[2].split(". ")[0]
    assert sentence[:40] in re.sub(r"\s+", " ", text)


def test_a_page_holds_the_notebook_and_nothing_of_the_grader(ordinary):
    (page,) = (ordinary / "feedback" / "ada").rglob("*.html")
    text = page.read_text("utf-8")
    assert "A1 · Arithmetic" in text
    for word in ("student_side", "exchange", "/tmp", str(ordinary)):
        assert word not in text, word


def test_what_a_person_reads_waits_for_a_person(ordinary):
    rows = rows_of(ordinary / "grades.csv")
    assert rows["ada"]["to_read"] == "3"
    assert rows["empty"]["to_read"] == "0"


def test_grading_again_gives_the_same_grades_and_keeps_what_a_person_gave(a_copy, tmp_path):
    before = rows_of(a_copy / "grades.csv")
    config = build.course(a_copy).CourseDirectory
    with Gradebook(config.db_url, config.course_id) as book:
        submission = book.find_submission("A1", "ada")
        (mark,) = [g for nb in submission.notebooks for g in nb.grades if g.needs_manual_grade]
        mark.manual_score = 2
        book.db.commit()
    for name in ("ada", "turned kernel"):
        shutil.copytree(a_copy / "class" / name, tmp_path / "again" / name)
    path = grade.grade(tmp_path / "again", a_copy, workers=1, say=lambda text: None)
    after = rows_of(path)
    assert float(after.pop("ada")["score"]) == float(before.pop("ada")["score"]) + 2
    assert after == before


def test_a_spreadsheet_never_runs_a_name():
    from grading.report import _harmless

    assert _harmless("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert _harmless("-x") == "'-x"
    assert _harmless(-3) == -3
    assert _harmless("") == ""


@pytest.mark.parametrize("missing", ["release", "submissions", "nothing in it"])
def test_what_is_missing_is_said(ordinary, tmp_path, missing):
    root = tmp_path if missing == "release" else ordinary
    folder = tmp_path / "no" if missing == "submissions" else tmp_path
    with pytest.raises(SystemExit, match=r"make assignments|is no folder|holds no submission"):
        grade.grade(folder, root)


def test_a_pretend_class_is_taken_out_again_and_nothing_is_lost(course, tmp_path):
    for made in ("release", "source"):
        shutil.copytree(course / made / "A2", tmp_path / made / "A2")
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "cnn") as book:
        book.add_student("ada")
    (tmp_path / "grades.csv").write_text("student\nada\n")
    (tmp_path / "feedback" / "ada").mkdir(parents=True)
    said = []
    report.forget(tmp_path, say=said.append)
    (kept,) = tmp_path.glob("graded-*")
    assert {path.name for path in kept.iterdir()} == {"gradebook.db", "grades.csv", "feedback"}
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "cnn") as book:
        assert not book.students
        assert [assignment.name for assignment in book.assignments] == ["A2"]
    assert "class is empty" in said[0]


def test_lines_of_students_who_are_not_in_this_run_stay(a_copy, tmp_path):
    rows = rows_of(a_copy / "grades.csv")
    (tmp_path / "one" / "new").mkdir(parents=True)
    after = rows_of(grade.grade(tmp_path / "one", a_copy, say=lambda text: None))
    assert after.pop("new")["reason"] == "no notebook was handed in"
    assert after == rows


@HOSTILE
def test_where_the_system_cannot_fork_kernels_start_one_by_one(ordinary, tmp_path):
    """The way of macOS and Windows, where it matters that it works at all."""
    code = (
        "import sys, json, tempfile; from pathlib import Path\n"
        "from grading import grade, kernels\n"
        "kernels.CAN_FORK = False\n"
        "root, scratch = Path(sys.argv[1]), Path(sys.argv[2])\n"
        "grade._start(grade._settings(root, scratch))\n"
        "assert grade._grade_one('ada', 'A1') is None\n"
        "from nbgrader.api import Gradebook\n"
        "from grading import build\n"
        "with Gradebook(build.course(root).CourseDirectory.db_url, 'cnn') as book:\n"
        "    print('score', book.find_submission('A1', 'ada').score)\n"
    )
    path = os.pathsep.join([str(build.HERE), str(build.HERE.parent)])
    line = [sys.executable, "-c", code, str(ordinary), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": path}
    run = subprocess.run(line, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert f"score {classroom.ALL}" in run.stdout

"""A class is graded: everybody gets what is theirs, whatever the others do."""

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace

import pytest
from grading import build, classroom, grade, leaderboard, report, sandbox
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


class Pool:
    """In place of a pool of processes: a submission named "bomb" takes the whole pool with it."""

    def __init__(self, made, count):
        self.jobs, self.count = [], count
        made.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def submit(self, function, student, assignment):
        job, broken = Future(), any(student == "bomb" for student, _ in self.jobs)
        self.jobs.append((student, job))
        if student == "bomb" or broken:
            job.set_exception(BrokenProcessPool())
        else:
            job.set_result(None)
        return job


def test_a_process_that_dies_costs_only_the_student_whose_work_it_was(monkeypatch):
    made, said = [], []
    monkeypatch.setattr(grade, "_pool", lambda settings, count: Pool(made, count))
    names = ["ada", "bomb", "eve", "bomb", "zoe"]
    todo = [SimpleNamespace(student=n, assignment=f"A{i}") for i, n in enumerate(names)]
    outcomes = grade._in_parallel(todo, {}, 4, said.append)
    died = "the process that graded it ended, twice"
    assert outcomes == {
        ("ada", "A0"): None,
        ("bomb", "A1"): died,
        ("eve", "A2"): None,
        ("bomb", "A3"): died,
        ("zoe", "A4"): None,
    }
    assert [pool.count for pool in made] == [4, 1, 1, 1]  # the rest one at a time, in new pools
    assert len(said) == 3


@pytest.mark.parametrize(
    ("problem", "path", "expected", "pages"),
    [
        (None, "a/A1.ipynb", ("lost; late", 3, "A1.ipynb"), 0),
        ("too large", "a/A1.ipynb", ("could not be graded: too large; late", 0, "A1.ipynb"), 1),
        (None, None, ("late", 0, ""), 1),
    ],
)
def test_a_line_says_what_became_of_a_submission(monkeypatch, problem, path, expected, pages):
    called = []
    monkeypatch.setattr(report, "_points", lambda *_: {"score": 3})
    monkeypatch.setattr(report, "_lost", lambda *_: ["lost"])
    monkeypatch.setattr(report, "_forget", lambda *_: called.append("forgotten"))
    monkeypatch.setattr(report, "_page", lambda root, one, reasons: called.append(reasons))
    book = SimpleNamespace(find_assignment=lambda name: SimpleNamespace(max_score=20.0))
    one = SimpleNamespace(student="ada", assignment="A1", path=path and Path(path), notes=["late"])
    row = report._row(book, Path(), one, problem)
    assert (row["reason"], row["score"], row["file"]) == expected
    assert row["max_score"] == 20
    assert called == ["forgotten"] * bool(problem) + [[*row["reason"].split("; ")]] * pages


def entry(root, student, **line):
    folder = root / "autograded" / student / "A4"
    folder.mkdir(parents=True)
    (folder / "entry.json").write_text(json.dumps(line), "utf-8")


def test_the_leaderboard_puts_the_better_first_and_of_two_as_good_the_smaller(tmp_path):
    entry(tmp_path, "s1", nickname="large", accuracy=0.98, parameters=9000, macs=10)
    entry(tmp_path, "s2", nickname="small", accuracy=0.98, parameters=800, macs=90)
    entry(tmp_path, "s3", nickname="  =SUM(A1)\n ", accuracy=0.97, parameters=10, macs=1)
    entry(tmp_path, "s4", nickname="<b>best</b>", accuracy=0.99, parameters=1234, macs=5678)
    entry(tmp_path, "s5", nickname="quick", accuracy=0.98, parameters=800, macs=80)
    leaderboard.write(tmp_path)
    with (tmp_path / "leaderboard.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [list(row.values()) for row in csv.DictReader(file)]
    assert rows == [
        ["1", "<b>best</b>", "0.99", "1234", "5678"],
        ["2", "quick", "0.98", "800", "80"],
        ["3", "small", "0.98", "800", "90"],
        ["4", "large", "0.98", "9000", "10"],
        ["5", "'=SUM(A1)", "0.97", "10", "1"],
    ]
    page = (tmp_path / "leaderboard.html").read_text("utf-8")
    cells = re.findall(r"<td>(.*?)</td>", page)
    assert cells[:5] == ["1", "&lt;b&gt;best&lt;/b&gt;", "99.00%", "1,234", "5,678"]
    assert len(cells) == 25


def test_where_nobody_is_on_it_there_is_no_leaderboard(tmp_path):
    leaderboard.write(tmp_path)
    assert list(tmp_path.iterdir()) == []

"""What a graded class gets: grades.csv, and pages for what could not be graded."""

import csv
import html
import time
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry

from grading import build, leaderboard

# What grading makes in the course's folder.
GRADED = ("gradebook.db", "grades.csv", "submitted", "autograded", "feedback")
COLUMNS = ("student", "assignment", "score", "max_score", "to_read", "file", "reason")


def write(root, submissions, outcomes):
    """Write grades.csv, the leaderboard, and a page for each submission that has none.

    Lines of an earlier run stay, for students who are not in this one. Returns: the CSV's path.
    """
    root = Path(root)
    path = root / "grades.csv"
    config = build.course(root).CourseDirectory
    students = {one.student for one in submissions if one.path}
    with Gradebook(config.db_url, config.course_id) as book:
        rows = {(one.student, one.assignment): one for one in submissions}
        for key, one in rows.items():
            rows[key] = _row(book, root, one, outcomes.get(key))
        for row in _earlier(path):
            key = row["student"], row["assignment"]
            if key not in rows and (key[1] or key[0] not in students):
                rows[key] = row | _points(book, *key)
    with path.open("w", newline="", encoding="utf-8-sig") as file:  # the mark that Excel wants
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for key in sorted(rows):
            writer.writerow({name: _harmless(value) for name, value in rows[key].items()})
    leaderboard.write(root)
    return path


def _earlier(path):
    """The lines of grades.csv as it is."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    return [{name: row[name].removeprefix("'") for name in COLUMNS} for row in rows]


def _points(book, student, assignment):
    """What the gradebook says of a submission now, a person's points included."""
    try:
        submission = book.find_submission(assignment, student)
    except MissingEntry:
        return {}
    waiting = [
        grade.max_score
        for notebook in submission.notebooks
        for grade in notebook.grades
        if grade.needs_manual_grade
    ]
    return {"score": _number(submission.score), "to_read": _number(sum(waiting))}


def forget(root=build.HERE, say=print):
    """Move grades, feedback and submissions into a folder with the date; nothing is deleted."""
    root = Path(root)
    names = [*GRADED, *(path.name for path in root.glob("leaderboard.*"))]
    found = [root / name for name in names if (root / name).exists()]
    if not found:
        return say("Nothing has been graded yet.")
    target = root / time.strftime("graded-%Y-%m-%d-%H%M%S")
    target.mkdir()
    for path in found:
        path.rename(target / path.name)
    for name in [path.name for path in (root / "release").iterdir()]:
        build.build(name, root, run=False)  # a gradebook with the assignments and no students
    return say(f"The grades are in {target} now, and the class is empty.")


def _row(book, root, one, problem):
    row = {
        "student": one.student,
        "assignment": one.assignment,
        "score": 0,
        "max_score": "",
        "to_read": 0,
        "file": one.path.name if one.path else "",
    }
    reasons = list(one.notes)
    if one.assignment:
        row["max_score"] = _number(book.find_assignment(one.assignment).max_score)
    if problem:
        reasons.insert(0, f"could not be graded: {problem}")
        _forget(book, one)
    elif one.path:
        row |= _points(book, one.student, one.assignment)
        reasons = _lost(root, one) + reasons
    if problem or not one.path:
        _page(root, one, reasons)
    row["reason"] = "; ".join(reasons)
    return row


def _forget(book, one):
    """Take back the points of an earlier run: what could not be graded has none."""
    try:
        submission = book.find_submission(one.assignment, one.student)
    except MissingEntry:
        return
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            grade.auto_score, grade.needs_manual_grade = 0, False
    book.db.commit()


def _lost(root, one):
    """The tests that did not pass, and why: those with one reason together."""
    (path,) = (root / "autograded" / one.student / one.assignment).glob("*.ipynb")
    reasons = {}
    for cell in nbformat.read(path, as_version=4).cells:
        settings = cell.metadata.get("nbgrader", {})
        if settings.get("grade") and settings.get("locked"):
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    reasons.setdefault(output.evalue[:300], []).append(settings["grade_id"])
    return [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]


def _page(root, one, reasons):
    """A feedback page for what nbgrader could not read."""
    folder = root / "feedback" / one.student / (one.assignment or "unreadable")
    folder.mkdir(parents=True, exist_ok=True)
    items = "".join(f"<li>{html.escape(reason)}</li>" for reason in reasons)
    (folder / "feedback.html").write_text(
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{html.escape(one.student)}"
        f"</title><body style='font-family:sans-serif;max-width:45em;margin:2em auto'>"
        f"<h1>{html.escape(one.student)} {one.assignment}</h1>"
        f"<p>This could not be graded, so it has no points yet:</p><ul>{items}</ul>"
        "<p>Open the notebook once more, run it from top to bottom, save it, and hand in the "
        "file that ends in .ipynb.</p></body></html>",
        "utf-8",
    )


def _harmless(value):
    """A cell that a spreadsheet shows and never runs as a formula."""
    if isinstance(value, int | float) or not value.startswith(tuple("=+-@\t\r")):
        return value
    return f"'{value}"


def _number(value):
    return int(value) if value == int(value) else round(float(value), 2)

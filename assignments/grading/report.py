"""What a graded class gets: grades.csv, pages for what could not be graded, the leaderboard."""

import csv
import html
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry

from grading import build

COLUMNS = ("student", "assignment", "score", "max_score", "to_read", "file", "reason")


def write(root, submissions, outcomes):
    """Write grades.csv, and a page for each submission that has none. Returns the CSV's path."""
    root = Path(root)
    config = build.course(root)
    rows = []
    with Gradebook(config.CourseDirectory.db_url, config.CourseDirectory.course_id) as book:
        for one in submissions:
            rows.append(_row(book, root, one, outcomes.get((one.student, one.assignment))))
    path = root / "grades.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:  # so that Excel reads names right
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return path


def _row(book, root, one, problem):
    row = {"student": one.student, "assignment": one.assignment, "score": 0, "max_score": "",
           "to_read": 0, "file": one.path.name if one.path else ""}
    reasons = list(one.notes)
    if one.assignment:
        row["max_score"] = _number(book.find_assignment(one.assignment).max_score)
    if problem:
        reasons.insert(0, f"could not be graded: {problem}")
        _forget(book, one)
    elif one.path:
        submission = book.find_submission(one.assignment, one.student)
        row["score"] = _number(submission.score)
        row["to_read"] = _number(sum(
            grade.max_score for notebook in submission.notebooks
            for grade in notebook.grades if grade.needs_manual_grade
        ))
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
    """For each test that did not pass, its name and why."""
    (path,) = (root / "autograded" / one.student / one.assignment).glob("*.ipynb")
    reasons = []
    for cell in nbformat.read(path, as_version=4).cells:
        settings = cell.metadata.get("nbgrader", {})
        if settings.get("grade") and settings.get("locked"):
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    reasons.append(f"{settings['grade_id']}: {_one_line(output.evalue)}")
    return reasons


def _one_line(text):
    """The sentences of a check without the numbers of its case."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [line for line in lines if line.endswith((".", "!", "?"))]
    return (kept[-1] if kept else lines[-1] if lines else "")[:300]


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
        "file that ends in .ipynb.</p></body></html>", "utf-8")


def _harmless(value):
    """A cell that a spreadsheet shows and never runs as a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(tuple("=+-@\t\r")) and not isinstance(value, int | float) else value


def _number(value):
    return int(value) if value == int(value) else round(float(value), 2)



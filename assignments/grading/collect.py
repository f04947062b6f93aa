"""Find what was handed in: a folder of any shape, as learning platforms give them.

A student is a folder of `submissions`, or a file in it: `ada/anything.ipynb`, `ada/A1/….ipynb`,
`ada_A1_arithmetic.ipynb`. Which assignment a notebook is follows from its cells, not from its name.
"""

import json
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

LARGEST = 50_000_000  # bytes of a notebook; an honest one has some hundred thousand


@dataclass
class Submission:
    """What one student handed in for one assignment.

    `path` is the notebook that counts, or None; `notes` are sentences for the teacher.
    """

    student: str
    assignment: str
    path: Path | None = None
    notebook: dict | None = None
    notes: list[str] = field(default_factory=list)


def collect(folder, known):
    """Every submission in `folder`, sorted by student and assignment.

    known: for each assignment the names of its graded cells, `{"A1": {"pooling_hidden", …}, …}`.
    A file that cannot be read, or that is of no assignment, gives a Submission without a path, so
    that each student has a line. Raises: FileNotFoundError, if there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder. Give the one with the students' notebooks")
    found = defaultdict(list)
    for student, files in sorted(_students(folder, known).items()):
        for path in files:
            assignment, notebook, problem = _read(path, known)
            found[student, assignment].append((path, notebook, problem))
        if not files:
            found[student, ""].append((None, None, "no notebook was handed in"))
    submissions = [_choose(*key, files) for key, files in sorted(found.items())]
    # A file of no assignment matters only to somebody who handed in nothing else.
    handed_in = {one.student for one in submissions if one.path}
    for one in [one for one in submissions if not one.path and one.student in handed_in]:
        for other in submissions:
            if other.path and other.student == one.student:
                other.notes += one.notes
        submissions.remove(one)
    return submissions


def _students(folder, known):
    """The files of each student: `{"ada": [path, …], …}`."""
    students = defaultdict(list)
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith((".", "__MACOSX")):
            continue
        if entry.is_dir() and not entry.is_symlink():
            students[_name(entry.name)] += sorted(
                path
                for path in entry.rglob("*")
                if path.is_file()
                and not path.is_symlink()
                and ".ipynb" in path.name
                and ".ipynb_checkpoints" not in path.parts
            )
        elif entry.is_file() and not entry.is_symlink() and ".ipynb" in entry.name:
            stem = re.split(rf"[_ -]*(?:{'|'.join(known)})_", entry.name.split(".ipynb")[0])[0]
            students[_name(stem)].append(entry)
    return students


def _name(text):
    """A student's name as nbgrader can use it in a path and in its database."""
    text = unicodedata.normalize("NFC", text).strip()
    return re.sub(r"[^\w.@ -]", "_", text).replace("+", "_").strip(". ") or "_"


def _read(path, known):
    """(assignment or "", the notebook or None, what is wrong or None) of a file."""
    size = path.stat().st_size
    if size > LARGEST:
        limit = LARGEST // 10**6
        return "", None, f"{path.name} has {size / 1e6:.0f} MB, more than the {limit} allowed"
    try:
        notebook = nbformat.read(path, as_version=4)
        cells = notebook.cells
        names = {cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") for cell in cells}
        json.dumps(notebook).encode()
    except Exception as error:  # whatever a damaged file leads to
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        return "", None, f"{path.name} is no notebook that can be read ({reason})"
    shared = {assignment: len(names & cells) for assignment, cells in known.items()}
    best = max(shared, key=shared.get)
    if not shared[best]:
        return "", None, f"{path.name} holds no cell of {', '.join(known)}"
    return best, notebook, None


def _choose(student, assignment, files):
    """One Submission of all files of a student for an assignment: the latest counts."""
    good = sorted((file for file in files if not file[2]), key=lambda file: _age(file[0]))
    submission = Submission(
        student, assignment, notes=[problem for *_, problem in files if problem]
    )
    if good:
        submission.path, submission.notebook = good[-1][:2]
        if len(good) > 1:
            others = ", ".join(path.name for path, *_ in good[:-1])
            submission.notes.append(
                f"{submission.path.name} counts, the latest; also here: {others}"
            )
    return submission


def _age(path):
    """What sorts files from old to new: their time, then the number in "A1 (2).ipynb"."""
    number = re.search(r"\((\d+)\)", path.name)
    return path.stat().st_mtime, int(number[1]) if number else 0, path.name

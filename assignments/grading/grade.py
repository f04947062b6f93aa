"""Grade a folder of submissions: `make grade SUBMISSIONS=folder`.

    python assignments grade FOLDER             every assignment found in it
    python assignments grade FOLDER --only A1   one of them

Writes, beside nbgrader's own folders, `grades.csv` (a line for each student and assignment), a
feedback page for each student, and for A4 the class's leaderboard.
"""

import argparse
import json
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import nbformat

from course_utils.assignments import normal_id
from grading import build, report, sandbox
from grading.collect import collect
from grading.repair import own_id, repair

HERE = build.HERE
PACKAGE = HERE.parent / "course_utils"
STUDENT_MODULES = ("sandbox.py", "student_side.py")
# What nbgrader does with a notebook that has run; the first of its steps is replaced.
AFTER_EXECUTE = [
    *(f"nbgrader.preprocessors.{step}" for step in ("IgnorePattern", "LimitOutput")),
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    *(
        f"nbgrader.preprocessors.{step}"
        for step in ("SaveAutoGrades", "AssignLatePenalties", "CheckCellMetadata")
    ),
]
# What Python and its libraries read of the system; of /etc only what is no secret.
SYSTEM = (
    *("/usr", "/lib", "/lib64", "/bin", "/sbin", "/opt", "/proc", "/sys", "/dev"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/passwd", "/etc/nsswitch.conf"),
)


def grade(folder, root=HERE, only=None, workers=None, say=print, **limits):
    """Grade all submissions in `folder`; returns the path of grades.csv.

    root: the course's folder, in which `make assignments` has made source/, release/ and the
    gradebook. only: names of assignments. workers: how many at a time, one per processor core.
    limits: of `execute.Execute`, such as timeout=60, the seconds that a cell may take.
    Raises: SystemExit with a sentence, where something is missing.
    """
    root, start = Path(root), time.monotonic()
    releases = {
        path.parent.name: nbformat.read(path, as_version=4)
        for path in sorted((root / "release").glob("*/*.ipynb"))
    }
    if not releases or not (root / "gradebook.db").is_file():
        sys.exit("There are no assignments yet: run `make assignments` first.")
    try:
        submissions = collect(folder, {name: _graded(nb) for name, nb in releases.items()})
    except FileNotFoundError as error:
        sys.exit(f"{error}: make grade SUBMISSIONS=folder")
    submissions = [one for one in submissions if not only or one.assignment in ("", *only)]
    if not submissions:
        sys.exit(f"{folder} holds no submission: a folder per student, or a notebook per student.")
    say(f"{len(submissions)} submissions; {sandbox.isolation()}.")
    names = {normal_id(one.student) for one in submissions}
    for one in submissions:
        if one.path:
            _place(one, root, releases[one.assignment], names)
    todo = [one for one in submissions if one.path]
    with tempfile.TemporaryDirectory(prefix="grading-") as scratch:
        settings = _settings(root, Path(scratch))
        settings["execute"] |= limits
        outcomes = _in_parallel(todo, settings, workers or os.cpu_count() or 1, say)
    path = report.write(root, submissions, outcomes)
    say(f"{path} and feedback/ are written, {time.monotonic() - start:.0f} s.")
    return path


def _graded(release):
    return {
        cell.metadata.nbgrader.grade_id
        for cell in release.cells
        if "nbgrader" in cell.metadata and cell.metadata.nbgrader.grade_id != "setup"
    }


def _place(one, root, release, names):
    """Put a submission, mended, where nbgrader looks for it."""
    notebook, notes = repair(one.notebook, release)
    one.notes += notes + own_id(notebook, one.student, names)
    one.notebook = None
    target = root / "submitted" / one.student / one.assignment
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    (name,) = (path.name for path in (root / "release" / one.assignment).glob("*.ipynb"))
    nbformat.write(notebook, target / name)


# ---- the processes


def _settings(root, scratch):
    """What each process has to know to grade: folders, and the environment of the kernels."""
    library = scratch / "library"  # what a student's process may import, and nothing beside it
    shutil.copytree(PACKAGE, library / "course_utils", ignore=shutil.ignore_patterns("__pycache__"))
    for name in STUDENT_MODULES:
        shutil.copy(Path(__file__).parent / name, library)
    digits, readable = _digits(scratch)
    environment = {
        name: os.environ[name]
        for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "COMSPEC")
        if name in os.environ
    }
    environment |= {
        "PYTHONPATH": str(library),
        "COURSE_DATA": digits,
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
        "PYTHONHASHSEED": "0",
        "PYTHONWARNINGS": "ignore",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    python = {sys.prefix, sys.base_prefix, sys.exec_prefix, *filter(None, _site_folders())}
    readable = [*SYSTEM, *sorted(python), str(library), *readable]
    launcher = str(library / "sandbox.py")
    execute = {"environment": environment, "readable": json.dumps(readable)}
    execute |= {"launcher": launcher, "root": str(root)}
    return {"root": str(root), "execute": execute}


def _site_folders():
    return [folder for folder in sys.path if folder.endswith(("site-packages", "dist-packages"))]


def _digits(scratch):
    """(COURSE_DATA, folders to be read): the same data set for every submission."""
    from course_utils import data

    if data.load_digits().source == "mnist":
        folder = str(data.mnist.data_folder())
        return folder, [folder]
    (scratch / "no digits").mkdir()
    return str(scratch / "no digits"), []


def _in_parallel(todo, settings, workers, say):
    """Grade each submission: `{(student, assignment): what went wrong or None}`.

    A process that dies takes what it worked on with it; that is tried once more, alone.
    """
    outcomes, alone = {}, []
    for batch, count in ((todo, workers), (alone, 1)):
        batch = list(batch)
        while batch:
            with _pool(settings, count) as pool:
                jobs = {pool.submit(_grade_one, one.student, one.assignment): one for one in batch}
                for job in as_completed(jobs):
                    one = jobs[job]
                    try:
                        outcomes[one.student, one.assignment] = job.result()
                    except BrokenProcessPool:
                        continue
                    say(f"{len(outcomes):4d} of {len(todo)}  {one.assignment}  {one.student}")
            left = [one for one in batch if (one.student, one.assignment) not in outcomes]
            if count == 1 and left:  # the first of them broke the pool
                why = "the process that graded it ended, twice"
                outcomes[left[0].student, left[0].assignment] = why
                left = left[1:]
            elif left:
                alone += left
                left = []
            batch = left
    return outcomes


def _pool(settings, count):
    return ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(settings,),
    )


def _start(settings):
    """Make a process ready to grade: nbgrader, with our way of running a notebook."""
    global _api
    import logging
    import warnings

    os.environ.update(
        COURSE_DATA=settings["execute"]["environment"]["COURSE_DATA"], OMP_NUM_THREADS="1"
    )
    import torch
    from nbgrader.apps import NbGraderAPI

    from grading import execute

    torch.set_num_threads(1)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    config = build.course(settings["root"])
    config.Autograde.autograde_preprocessors = [execute.Execute, *AFTER_EXECUTE]
    config.Execute.update(settings["execute"])
    _api = NbGraderAPI(config=config)


def _grade_one(student, assignment):
    """Autograde a submission and write its feedback; what went wrong, or None."""
    try:
        done = _api.autograde(assignment, student, force=True, create=True)
        if not done["success"]:
            return _cause(done)
        done = _api.generate_feedback(assignment, student, force=True)
        return None if done["success"] else _cause(done)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _cause(done):
    """The line of nbgrader's log that says why, not the one that says that there was a reason."""
    text = (done.get("log") or "") + (done.get("error") or "")
    lines = [
        line.strip() for line in text.splitlines() if re.match(r"\s*[\w.]+(Error|Exception)", line)
    ]
    lines = [line for line in lines if "NbGraderException" not in line] or lines
    return lines[-1][:300] if lines else "nbgrader gave no reason"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("submissions", help="the folder with the students' notebooks")
    parser.add_argument("--only", nargs="*", help="grade only these assignments: A1 …")
    parser.add_argument("--workers", type=int, help="how many at a time; one per core otherwise")
    arguments = parser.parse_args()
    grade(arguments.submissions, only=arguments.only, workers=arguments.workers)


if __name__ == "__main__":
    main()

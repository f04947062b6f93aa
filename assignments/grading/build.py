"""Make the assignments: masters to nbgrader's source/, source/ to what students get, release/.

python assignments build            all assignments
python assignments build A1 A3      these
python assignments build --quick    without running them
"""

import argparse
import json
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbgrader.apps import NbGraderAPI
from nbgrader.validator import Validator
from traitlets.config import PyFileConfigLoader

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE.parent / "tools"))

import build_notebooks  # noqa: E402
import colab  # noqa: E402

HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")


class BadMaster(ValueError):
    """A master of an assignment that cannot be handed out; the message says why."""


def masters():
    """The assignments by name, `{"A1": path of its master, …}`, in order."""
    return {path.name.split("_")[0]: path for path in sorted(HERE.glob("A*_*.py"))}


def course(root=HERE):
    """nbgrader's settings, with the course's folder in `root`."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(HERE)).load_config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{Path(root) / 'gradebook.db'}?timeout=60"
    return config


def read_master(path):
    """A master as nbgrader wants it: each cell with its role, solutions and hidden tests in."""
    notebook = build_notebooks.read_lesson(path)
    roles = build_notebooks.jupytext.read(path, fmt="py:percent").cells
    names, setup_seen = set(), False
    for cell, original in zip(notebook.cells, roles, strict=True):
        role = {
            k: original.metadata[k]
            for k in ("answer", "tests", "written", "points")
            if k in original.metadata
        }
        if cell.cell_type == "code" and not setup_seen:
            setup_seen, role = True, {"setup": "setup"}
        points = role.pop("points", None)
        if not role:
            if "### BEGIN " in cell.source:
                raise BadMaster(f"a solution stands outside an answer: {cell.source[:60]!r}")
            continue
        ((kind, name),) = role.items()
        _refuse(cell, kind, name, points, names)
        names.add(name)
        cell.metadata["nbgrader"] = {
            "grade": kind in ("tests", "written"),
            "solution": kind in ("answer", "written"),
            "locked": kind in ("tests", "setup"),
            "task": False,
            "grade_id": name,
            "schema_version": 3,
        } | ({"points": points} if points is not None else {})
    # None of nbgrader's cells: where it grades, the package is there and the cell does nothing.
    return colab.with_set_up(notebook, path.stem, colab.repository_url())


def _refuse(cell, kind, name, points, names):
    """Raise BadMaster where a cell's role contradicts the cell."""
    graded = kind in ("tests", "written")
    for wrong, why in (
        (name in names, "there is another cell of that name"),
        (graded != (points is not None), "tests and written questions have points, others none"),
        (kind == "written" and cell.cell_type != "markdown", "a written question is a text cell"),
        (kind in ("answer", "tests") and cell.cell_type != "code", "it should be a code cell"),
        (
            ("### BEGIN SOLUTION" in cell.source) and kind not in ("answer", "written"),
            "a solution stands outside an answer",
        ),
        (HIDDEN[0] in cell.source and kind != "tests", "hidden tests stand outside a test cell"),
        (HIDDEN[0] in cell.source and HIDDEN[1] not in cell.source, f"{HIDDEN[1]} is missing"),
    ):
        if wrong:
            raise BadMaster(f"cell {name!r} ({kind}): {why}")


def build(assignment, root=HERE, run=True):
    """Write source/ and release/ of one assignment; with `run`, also see that both work.

    Raises: BadMaster, if a solution fails a test or the release stops with an error.
    """
    path, root = masters()[assignment], Path(root)
    source = root / "source" / assignment / f"{path.stem}.ipynb"
    source.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(read_master(path), source)
    api = NbGraderAPI(config=course(root))
    done = api.generate_assignment(assignment, force=True, create=True)
    if not done["success"]:
        raise BadMaster(f"nbgrader refuses {assignment}: {done.get('error') or done.get('log')}")
    release = root / "release" / assignment / source.name
    if run:
        config = course(root)
        config.Execute.timeout = 600  # the computer may be busy; nobody is graded here
        complaints = Validator(config=config).validate(str(source))
        if complaints:
            raise BadMaster(f"the solution of {assignment} fails: {json.dumps(complaints)[:2000]}")
        run_as_student(release)
    return release


def run_as_student(release):
    """Run a release from top to bottom, unanswered. Raises: BadMaster, if a cell fails."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    notebook = nbformat.read(release, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        allow_errors=True,
        resources={"metadata": {"path": str(release.parent)}},
    )
    client.execute(env=environment)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise BadMaster(f"{release.name}, unanswered, stops: {output.evalue}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("assignments", nargs="*", help="A1, A2, …; all if none is given")
    parser.add_argument("--quick", action="store_true", help="do not run them")
    arguments = parser.parse_args()
    known = masters()
    if unknown := [name for name in arguments.assignments if name not in known]:
        sys.exit(f"there is no assignment {', '.join(unknown)}; there are {', '.join(known)}")
    for name in arguments.assignments or known:
        print(f"{name} …", end=" ", flush=True)
        try:
            release = build(name, run=not arguments.quick)
        except BadMaster as error:
            sys.exit(f"\n{error}\nNothing else was made.")
        print(release.relative_to(HERE.parent))


if __name__ == "__main__":
    main()

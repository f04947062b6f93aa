"""A notebook in which every cell is run twice, or the last cell first."""

import ast
import builtins
import copy
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import build_notebooks as build  # noqa: E402

MASTERS = sorted(build.LESSONS.glob("*.py"))
MAY_TAKE_LONGER = [
    pytest.param(p, id=p.stem, marks=[] if p.stem.startswith("00") else [pytest.mark.more])
    for p in MASTERS
]


def code_of(master, change):
    notebook = build.convert(build.read_lesson(master), change)
    return notebook, [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("master", MAY_TAKE_LONGER)
def test_every_cell_can_be_run_twice(master, tmp_path, record_property):
    """As students have it, with no network and no data set."""
    record_property("notebook", f"twice/{master.stem}.ipynb")
    notebook, cells = code_of(master, build.without_solutions)
    notebook.cells = [copy.deepcopy(cell) for cell in cells for _ in range(2)]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"{number}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests/no_network")}
    environment["COURSE_DATA"] = str(tmp_path)
    build.execute(notebook, build.NOTEBOOKS, env=environment)  # raises where a cell fails


@pytest.mark.parametrize("master", MASTERS, ids=lambda p: p.stem)
def test_the_last_cell_run_first_names_what_an_earlier_cell_makes(master):
    """Python's own NameError, for which lesson 00 has a line: so nothing may come before it."""
    _, cells = code_of(master, build.without_solutions)
    *earlier, last = [cell.source for cell in cells]
    with pytest.raises(NameError) as caught:
        exec(compile(last, "the last cell", "exec"), {"__builtins__": builtins})
    made = {
        getattr(node, "id", None) or getattr(node, "name", None) or getattr(node, "asname", None)
        for source in earlier
        for node in ast.walk(ast.parse(source))
    }
    assert caught.value.name in made
    table = (build.LESSONS / "00_start_here.py").read_text("utf-8")
    assert "`NameError: name … is not defined` | A cell above has not run." in table

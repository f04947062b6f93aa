"""A notebook whose last cell is run first. tests/test_solved.py runs every cell twice."""

import ast
import builtins
from pathlib import Path

import build_notebooks as build
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

MASTERS = sorted(build.LESSONS.glob("*.py"))


@pytest.mark.parametrize("master", MASTERS, ids=lambda p: p.stem)
def test_the_last_cell_run_first_names_what_an_earlier_cell_makes(master):
    """Python's own NameError, for which lesson 00 has a line: so nothing may come before it."""
    notebook = build.convert(build.read_lesson(master), build.without_solutions)
    *earlier, last = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
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

"""The committed notebooks are what their masters say, and hold nothing that they should not."""

import base64
import io
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import build_notebooks as build
import nbformat
import numpy as np
import pytest
import torch
from PIL import Image

from course_utils import plotting
from course_utils.data import load_photo

ROOT = Path(__file__).resolve().parent.parent

MASTERS = sorted(build.LESSONS.glob("*.py"))
lessons = pytest.mark.parametrize("master", MASTERS, ids=lambda p: p.stem)


def stored(master):
    return nbformat.read(build.NOTEBOOKS / f"{master.stem}.ipynb", as_version=4)


def test_every_lesson_has_a_notebook_and_no_notebook_is_without_a_lesson():
    assert MASTERS
    assert {p.stem for p in MASTERS} == {p.stem for p in build.NOTEBOOKS.glob("*.ipynb")}


@lessons
def test_a_notebook_has_the_cells_of_its_master(master):
    wanted = build.for_students(master)
    have = stored(master)
    assert [(c.cell_type, c.source, c.id, c.metadata) for c in have.cells] == [
        (c.cell_type, c.source, c.id, c.metadata) for c in wanted.cells
    ], "run `make notebooks`"
    nbformat.validate(have)


@lessons
def test_no_solution_leaks_into_a_notebook(master):
    text = (build.NOTEBOOKS / f"{master.stem}.ipynb").read_text(encoding="utf-8")
    assert "SOLUTION" not in text
    for cell in build.read_lesson(master).cells:
        student = build.without_solutions(cell.source)
        for block in build.SOLUTION.finditer(cell.source + "\n"):
            # Short lines (`total = 0`) may well stand elsewhere; a long one is the solution itself.
            for line in filter(lambda s: len(s.strip()) > 25, block["body"].splitlines()):
                assert line.strip() not in student
                assert json.dumps(line.strip(), ensure_ascii=False)[1:-1] not in text, line


@lessons
def test_cells_are_short_and_run_in_order(master):
    notebook = build.read_lesson(master)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        lines = [line for line in build.without_markers(cell.source).splitlines() if line.strip()]
        assert len(lines) <= 20, cell.source
        assert not re.search(r"^\s*[%!]|import \*", cell.source, re.M), cell.source
    assert len(code[0].source.splitlines()) <= 8
    counts = [cell.execution_count for cell in stored(master).cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@lessons
def test_ids_are_unique_and_follow_from_the_text_alone(master, tmp_path):
    before = build.read_lesson(master)
    ids = [cell.id for cell in before.cells]
    assert len(set(ids)) == len(ids)
    longer = tmp_path / master.name
    longer.write_text(
        "# %% [markdown]\n# A new first cell.\n\n" + master.read_text("utf-8"), "utf-8"
    )
    assert [cell.id for cell in build.read_lesson(longer).cells][1:] == ids


@lessons
def test_a_notebook_stores_no_widget_without_its_picture_no_time_and_no_path(master):
    path = build.NOTEBOOKS / f"{master.stem}.ipynb"
    assert path.stat().st_size < 500_000
    notebook = stored(master)
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        assert "execution" not in cell.metadata
        for output in cell.get("outputs", []):
            assert output.output_type != "error" or "raises-exception" in cell.metadata.tags
            assert output.get("name") != "stderr", output
            assert build.WIDGET_VIEW not in output.get("data", {})
            assert not build.MACHINE_PATH.search(json.dumps(output.get("data", output.get("text"))))


@lessons
def test_every_picture_has_alt_text(master):
    for cell in stored(master).cells:
        for output in cell.get("outputs", []):
            for kind in output.get("data", {}):
                if kind.startswith("image/"):
                    assert len(output.metadata[kind]["alt"]) > 15
        if cell.cell_type == "markdown":
            assert not re.search(r"!\[\]|<img(?![^>]*\balt=\"[^\"]+)", cell.source)


@lessons
def test_a_lesson_has_the_parts_of_a_lesson(master):
    texts = [c.source for c in build.read_lesson(master).cells if c.cell_type == "markdown"]
    assert texts[0].startswith("# ")
    assert "minutes" in texts[0]
    assert "You will be able to" in texts[0]
    assert any(text.startswith("## Recap") for text in texts)
    exercises = sum(text.startswith("### Exercise") for text in texts)
    if master.stem != "00_start_here":
        assert 3 <= exercises <= 6
        assert sum("<summary>Hint" in text for text in texts) >= exercises


def test_a_solution_becomes_a_stub_in_a_function_and_nothing_at_the_top():
    inside = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n\nf(1)"
    assert build.without_solutions(inside) == "def f(x):\n    ...  # your code here\n\nf(1)"
    assert build.without_markers(inside) == "def f(x):\n    return x\n\nf(1)"
    outside = "a = None\n### BEGIN SOLUTION\na = 1\n### END SOLUTION"
    assert build.without_solutions(outside) == "a = None"
    assert build.without_markers(outside) == "a = None\na = 1"


def test_measured_times_stay_until_the_lesson_changes():
    def lesson(shown, *sources):
        tags = {"tags": ["measured"]}
        output = nbformat.v4.new_output("stream", text=shown)
        code = [nbformat.v4.new_code_cell(source, outputs=[output]) for source in sources]
        code[0].metadata = nbformat.from_dict(tags)
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(shown), *code])

    def shown(notebook):
        return [cell.outputs[0].text for cell in notebook.cells if cell.cell_type == "code"]

    before = lesson("7 ms", "a", "b")
    assert shown(build.keep_measured(lesson("9 ms", "a", "b"), before)) == ["7 ms", "9 ms"]
    assert shown(build.keep_measured(lesson("9 ms", "a", "c"), before)) == ["9 ms", "9 ms"]
    assert shown(build.keep_measured(lesson("9 ms", "a", "b"), None)) == ["9 ms", "9 ms"]


def test_a_widget_without_a_picture_and_a_path_of_the_machine_are_refused():
    output = lambda data: nbformat.v4.new_output("display_data", data=data)  # noqa: E731
    with pytest.raises(ValueError, match="no picture"):
        build._clean(output({build.WIDGET_VIEW: {"model_id": "1"}, "text/plain": "x"}), "cell 1")
    kept = output({build.WIDGET_VIEW: {"model_id": "1"}, "image/png": "abc"})
    build._clean(kept, "cell 1")
    assert list(kept.data) == ["image/png"]
    with pytest.raises(ValueError, match="path"):
        build._clean(output({"text/plain": "/home/ada/course"}), "cell 1")


def test_a_stored_picture_is_half_as_large_and_looks_the_same():
    pictures = [load_photo(size=96)[0, 0], torch.arange(81.0).reshape(9, 9) - 40]
    photo = plotting.draw_images(pictures, signed=True)
    data, _ = plotting.bundle(photo)
    png = base64.b64encode(data["image/png"]).decode()
    output = nbformat.v4.new_output("display_data", data={"image/png": png})
    cell = nbformat.v4.new_code_cell(outputs=[output])
    build.with_small_pictures(nbformat.v4.new_notebook(cells=[cell]))
    small = cell.outputs[0].data["image/png"]
    assert len(small) < len(png) / 2
    before, after = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(p))).convert("RGB")).astype(int)
        for p in (png, small)
    )
    assert np.abs(before - after).max() <= 8  # of 255


@lessons
def test_a_cell_that_loads_the_digits_is_not_compared(master):
    """It may have to say that it waits for another notebook's download."""
    for cell in build.read_lesson(master).cells:
        if cell.cell_type == "code" and "load_digits(" in cell.source:
            assert "nbval-ignore-output" in cell.metadata.get("tags", []), cell.source


@pytest.fixture
def small_course(tmp_path, monkeypatch):
    """A course of two lessons, built by `run(*arguments)`, which returns what was printed."""
    for name in ("LESSONS", "NOTEBOOKS", "SOLVED"):
        monkeypatch.setattr(build, name, tmp_path / name.lower())
        (tmp_path / name.lower()).mkdir()
    for name in ("01_one", "02_two"):
        (tmp_path / "lessons" / f"{name}.py").write_text(
            f"# %% [markdown]\n# # {name}\n\n# %%\n1 + 1\n"
        )
    monkeypatch.setattr(build, "execute", lambda notebook, folder: notebook)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["build_notebooks.py", *arguments])
        build.main()

    run.built = lambda folder: sorted(path.stem for path in (tmp_path / folder).glob("*.ipynb"))
    return run


@pytest.mark.parametrize(
    ("arguments", "notebooks", "solved"),
    [
        ((), ["01_one", "02_two"], ["01_one", "02_two"]),
        (("02",), ["02_two"], ["02_two"]),
        (("--solved",), [], ["01_one", "02_two"]),
        (("01", "--solved"), [], ["01_one"]),
    ],
)
def test_what_is_asked_for_is_built_and_nothing_else(
    small_course, monkeypatch, arguments, notebooks, solved
):
    monkeypatch.setattr("course_utils.data.load_digits", lambda: SimpleNamespace(source="mnist"))
    small_course(*arguments)
    assert small_course.built("notebooks") == notebooks
    assert small_course.built("solved") == solved


def test_a_lesson_that_is_not_there_is_said(small_course):
    with pytest.raises(SystemExit, match="no lesson with number 07, 08 in lessons/"):
        small_course("07", "08")
    assert small_course.built("solved") == []


def test_without_mnist_no_notebook_is_built(small_course, monkeypatch):
    monkeypatch.setattr("course_utils.data.load_digits", lambda: SimpleNamespace(source="embedded"))
    with pytest.raises(SystemExit, match="Nothing in notebooks/ was changed"):
        small_course()
    assert small_course.built("notebooks") == []

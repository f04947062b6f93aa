"""The state of the widgets that a lesson shows, for a page that has no kernel."""

import ast
import base64
import contextlib
import io
import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from needed_cells import needed_cells

from course_utils.widgets import __all__ as WIDGETS


def shown_by(cell):
    """What a code cell ends in: "widget", "sliders" (they need Python), or None."""
    statements = ast.parse(cell.source).body
    if not statements or not isinstance(statements[-1], ast.Expr):
        return None
    value = statements[-1].value
    if isinstance(value, ast.Name):  # it was made in the same cell
        made = [
            s.value
            for s in statements[:-1]
            if isinstance(s, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == value.id for t in s.targets)
        ]
        value = made[-1] if made else value
    if not isinstance(value, ast.Call):
        return None
    called = value.func
    if isinstance(called, ast.Attribute) and called.attr in WIDGETS:
        return "widget"
    return "sliders" if isinstance(called, ast.Name) and called.id == "explore" else None


def packed(widget):
    """A widget's own state: what JSON holds under "state", bytes as base64 under "buffers"."""
    import anywidget

    of_jupyter = set(anywidget.AnyWidget.class_trait_names())
    state, buffers = {}, {}
    for name, value in sorted(widget.get_state().items()):
        if name in of_jupyter or name in ("_esm", "_css", "_anywidget_id"):
            continue
        if isinstance(value, bytes | bytearray | memoryview):
            buffers[name] = base64.b64encode(bytes(value)).decode()
        else:
            state[name] = value
    text = {"widget": type(widget).__name__, "state": state, "buffers": buffers}
    return json.loads(json.dumps(text))


def run(path, cells):
    """Run the cells that the widgets of a notebook need; cells: (id, source, may raise, is shown).

    Returns {cell's id: (packed state, module, style sheet)}.
    Nothing is shown, and the folder is the notebook's own, as in a kernel.
    """
    os.chdir(Path(path).parent)
    names, found = {"__name__": "__main__"}, {}
    for key, source, may_raise, is_shown in cells:
        tree = ast.parse(source)
        last = tree.body.pop() if is_shown else None
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                exec(compile(tree, f"<{key}>", "exec"), names)
            except Exception as error:
                if not may_raise:
                    said = f"{Path(path).stem}, cell {key}: {type(error).__name__}: {error}"
                    raise RuntimeError(said) from error
        if is_shown:
            widget = eval(compile(ast.Expression(last.value), f"<{key}>", "eval"), names)
            if getattr(widget, "_source", None) == "python":
                continue  # it asks Python for its answers
            found[key] = packed(widget), str(widget._esm), str(widget._css)
    return found


def states(notebooks, processes=2):
    """{path: what `run` returns} for the notebooks that show widgets; notebooks: {path: notebook}.

    Each runs in a process of its own on one thread, so that two builds give the same bytes.
    Raises RuntimeError: a cell that a widget needs failed.
    """
    jobs = {}
    for path, notebook in notebooks.items():
        shown = {c.id for c in notebook.cells if c.cell_type == "code" and shown_by(c) == "widget"}
        if shown:
            cells = needed_cells(notebook.cells, lambda cell, shown=shown: cell.id in shown)
            jobs[path] = [
                (c.id, c.source, "raises-exception" in c.metadata.get("tags", []), c.id in shown)
                for c in cells
            ]
    settings = {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)  # read when a process starts
    try:
        context = get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context, max_tasks_per_child=1) as pool:
            running = {path: pool.submit(run, path, cells) for path, cells in jobs.items()}
            return {path: done.result() for path, done in running.items()}
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)

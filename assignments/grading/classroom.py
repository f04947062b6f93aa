"""A pretend class, to try the grading with and to test it: `python assignments pretend FOLDER`.

Ordinary students answer rightly, partly, wrongly or not at all. Hostile ones try what a grader must
survive. Each has a name that says what was done, and `EXPECTED` says what the grader should make of
it, as far as that is known beforehand.
"""

import argparse
import copy
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from grading import build

SOLUTION = build.build_notebooks.without_markers


@dataclass(frozen=True)
class Student:
    """What one student hands in.

    answers: cells filled in otherwise than in the solution, by name; None leaves one empty, and
        "*" all.
    change: does something to the notebook. write: writes the file, given its path and the notebook.
    slow: whether it trains for longer than a quick test should.
    reason: part of what grades.csv should say. score: the points, or None where any will do.
    """

    answers: Any = None
    change: Any = None
    write: Any = None
    reason: str = ""
    score: float | None = None
    file: str = ""
    assignment: str = "A1"
    slow: bool = False


def filled_in(release, master, student_id, other=None):
    """A release with the master's solutions, but for the answers in `other`."""
    notebook, other = copy.deepcopy(release), dict(other or {})
    solutions = {
        cell.metadata.nbgrader.grade_id: cell
        for cell in master.cells
        if "nbgrader" in cell.metadata
    }
    for cell in notebook.cells:
        settings = cell.metadata.get("nbgrader", {})
        name = settings.get("grade_id")
        if not settings.get("solution") or "*" in other or other.get(name, "") is None:
            continue
        if name in other:
            cell.source = other[name]
        elif name == "student_id":
            cell.source = f"student_id = {student_id!r}"
        else:
            cell.source = SOLUTION(solutions[name].source)
    return notebook


def _cell(notebook, name):
    return next(
        cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name
    )


def _text(text):
    return lambda path, notebook: path.write_text(text, "utf-8")


def _delete(*names):
    def change(notebook):
        notebook.cells = [
            cell
            for cell in notebook.cells
            if cell.metadata.get("nbgrader", {}).get("grade_id") not in names
        ]

    return change


def _duplicate(name):
    def change(notebook):
        place = notebook.cells.index(_cell(notebook, name))
        notebook.cells.insert(place, copy.deepcopy(notebook.cells[place]))
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{number}"

    return change


def _set(name, source=None, **settings):
    def change(notebook):
        cell = _cell(notebook, name)
        cell.source = cell.source if source is None else source
        cell.metadata.nbgrader.update(settings)

    return change


def _also(source):
    """One more cell of code, at the end of the setup."""

    def change(notebook):
        notebook.cells.insert(2, nbformat.v4.new_code_cell(source))

    return change


def _kernel(name, language):
    def change(notebook):
        notebook.metadata["kernelspec"] = {"name": name, "display_name": name, "language": language}
        notebook.metadata["language_info"] = {"name": language}

    return change


# ---- who is in the class

FLIPPED = '''def depthwise_conv2d(x, weight, bias=None, stride=1, padding=0):
    """Turns the kernel."""
    weight = weight.flip(2, 3)
    k_h, k_w = weight.shape[2:]
    x = F.pad(x, (padding,) * 4)
    windows = x.unfold(2, k_h, stride).unfold(3, k_w, stride)
    output = torch.einsum("ncijhw,chw->ncij", windows, weight[:, 0])
    return output if bias is None else output + bias[:, None, None]'''
EINSUM = FLIPPED.replace("    weight = weight.flip(2, 3)\n", "").replace("Turns the", "Right:")
WITHOUT_BIAS = EINSUM.replace("output if bias is None else output + bias[:, None, None]", "output")
STRIDE_1 = EINSUM.replace("k_h, stride)", "k_h, 1)").replace("k_w, stride)", "k_w, 1)")
LIBRARY = '''def depthwise_conv2d(x, weight, bias=None, stride=1, padding=0):
    """Lets PyTorch do it."""
    return F.conv2d(x, weight, bias, stride, padding, groups=x.shape[1])'''
REFERENCE = '''def depthwise_conv2d(x, weight, bias=None, stride=1, padding=0):
    """Lets the course's own function do it."""
    from course_utils import ops
    return ops.conv2d(x, weight, bias, stride, padding, groups=x.shape[1])'''
ONLY_MAXIMUM = '''def range_pool2d(x, kernel_size, stride=None):
    """Forgets the minimum."""
    stride = stride or kernel_size
    return x.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride).amax((-1, -2))'''
IN_PLACE = '''def range_pool2d(x, kernel_size, stride=None):
    """Changes what it is given."""
    x.sub_(x.min())
    stride = stride or kernel_size
    windows = x.unfold(2, kernel_size, stride).unfold(3, kernel_size, stride)
    return windows.amax((-1, -2)) - windows.amin((-1, -2))'''


def _range_pool(body):
    return f'def range_pool2d(x, kernel_size, stride=None):\n    """Mine."""\n    {body}'


TURNED = (
    "convolution_output = F.conv2d(image[None, None], kernel.flip(0, 1)[None, None])[0, 0].tolist()"
)
ZEROS = "max_pooled = F.max_pool2d(F.pad(signed_image, (1, 1, 1, 1))[None, None], 2)[0, 0].tolist()"
ALL = 17  # of the 20 points; a person gives the other three

ORDINARY = {
    "ada": Student(score=ALL),
    "李华": Student(score=ALL),
    "Zoë Ångström": Student({"depthwise_conv2d": EINSUM}, score=ALL),
    "renamed the file": Student(score=ALL, file="My homework FINAL (2).ipynb"),
    "two files": Student(
        score=ALL,
        reason="counts, the latest",
        write=lambda path, notebook: (
            path.with_name("A1 (1).ipynb").write_text(nbformat.writes(notebook), "utf-8"),
            path.write_text(nbformat.writes(notebook), "utf-8"),
        ),
    ),
    "empty": Student({"*": None}, score=0, reason="not attempted"),
    "half done": Student(
        {"depthwise_conv2d": None, "range_pool2d": None}, score=8, reason="not attempted"
    ),
    "turned kernel by hand": Student(
        {"convolution_output": TURNED}, score=15, reason="convolution_output_form: "
    ),
    "zeros under the maximum": Student({"max_pooled": ZEROS}, score=16, reason="max_pooled_form: "),
    "turned kernel": Student(
        {"depthwise_conv2d": FLIPPED}, score=12, reason="depthwise_conv2d_hidden: "
    ),
    "forgot the bias": Student({"depthwise_conv2d": WITHOUT_BIAS}, score=12, reason="bias"),
    "ignored the stride": Student({"depthwise_conv2d": STRIDE_1}, score=12, reason="tride"),
    "only the maximum": Student({"range_pool2d": ONLY_MAXIMUM}, score=13, reason="smallest"),
    "let PyTorch do it": Student({"depthwise_conv2d": LIBRARY}, score=12, reason="calls conv2d"),
    "changed its input": Student({"range_pool2d": IN_PLACE}, score=13, reason="changed in place"),
    "crashes": Student(
        {"range_pool2d": _range_pool("return x.mximum()")}, score=13, reason="AttributeError"
    ),
    "returns nothing": Student(
        {"range_pool2d": _range_pool("y = x.amax()")}, score=13, reason="returned None"
    ),
    "a syntax error": Student(
        {"range_pool2d": "def range_pool2d(x:\n    return 1"}, score=13, reason="is not there"
    ),
    "with the numbers of ada": Student(
        {"student_id": "student_id = 'ada'"}, reason="carries the id 'ada'"
    ),
    "gradients": Student(score=20, assignment="A2"),
    "gradients empty": Student({"*": None}, score=0, assignment="A2", reason="not attempted"),
    "classifier": Student(score=16, assignment="A3"),
    "budget": Student(score=16, assignment="A4", slow=True),
    "nothing handed in": Student(
        write=lambda path, notebook: None, score=0, reason="no notebook was handed in"
    ),
}

FORBIDDEN = """
import os, pathlib, glob
found = []
wanted = ("**/hidden/*.py", "**/gradebook.db", "**/A1_arithmetic.ipynb", "**/assignments/*.py")
wanted += ("shadow",)
for place in ("..", "../..", os.path.expanduser("~root"), "/tmp", "/home", "/etc", {root!r}):
    for pattern in wanted:
        try:
            for path in pathlib.Path(place).glob(pattern):
                found.append(str(path))
                print("LEA" + "KED", path, path.read_bytes()[:300])
        except OSError as error:
            pass
"""
OUTSIDE = """
import os, shutil
inside = [{root!r} + "/" + name for name in ("submitted", "gradebook.db", "release")]
for target in (*inside, {folder!r}):
    for attempt in (lambda: shutil.rmtree(target), lambda: os.remove(target),
                    lambda: open(target + "/planted", "w").write("planted")):
        try:
            attempt()
            print("DES" + "TROYED", target)
        except OSError as error:
            print(type(error).__name__)
"""
TAMPER = """
import course_utils.assignments, course_utils.checks.engine, course_utils.checks.engine.guard
class Yes:
    passed = True
    def __call__(self, *args, **kwargs): return Yes()
course_utils.assignments.graded = lambda result: Yes()
course_utils.assignments.examples = lambda *args, **kwargs: Yes()
course_utils.checks.Exercise.__call__ = lambda self, answer: Yes()
torch.isclose = torch.equal = torch.allclose = lambda *args, **kwargs: True
import builtins
builtins.AssertionError = type("AssertionError", (Exception,), {{}})
get_ipython().showtraceback = lambda *args, **kwargs: None
""".replace("{{}}", "{}")
SPY = """
seen = []
def watch(info):
    seen.append(info.raw_cell)
    if "hidden" in info.raw_cell: print("LEA" + "KED", info.raw_cell)
get_ipython().events.register("pre_run_cell", watch)
"""
KILLER = """
import os, signal, psutil
for process in psutil.process_iter():
    if process.pid not in (os.getpid(), 1):
        try: process.kill(); print("KIL" + "LED", process)
        except (psutil.Error, OSError): pass
"""
STAYS = """
import subprocess, sys
forever = "import time; time.sleep(10**6)"
subprocess.Popen([sys.executable, "-c", forever], start_new_session=True)
"""
STUBBORN = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True: pass
"""
COLAB = """
!pip install -q git+https://github.com/OWNER/REPOSITORY
%matplotlib inline
"""
NETWORK = """
import socket, urllib.request
for attempt in (lambda: socket.socket().connect(("127.0.0.1", 22)),
                lambda: urllib.request.urlopen("http://example.org", timeout=3)):
    try: attempt(); print("CON" + "NECTED")
    except OSError as error: print(type(error).__name__)
"""

HOSTILE = {
    "endless loop in an answer": Student(
        {"range_pool2d": _range_pool("while True: pass")}, score=13, reason="Stopped"
    ),
    "endless loop in a cell": Student(change=_also("while True: pass"), score=ALL),
    "loop that will not stop": Student(change=_also(STUBBORN), score=0, reason="did not stop"),
    "sleeps": Student(
        {"range_pool2d": _range_pool("import time; time.sleep(10**6)")}, reason="range_pool2d"
    ),
    "sys.exit": Student(
        {"range_pool2d": _range_pool("import sys; sys.exit()")}, score=13, reason="SystemExit"
    ),
    "exit in a cell": Student(change=_also("exit()"), score=0, reason="process ended"),
    "os._exit": Student(
        {"range_pool2d": _range_pool("import os; os._exit(0)")}, score=13, reason="process ended"
    ),
    "a gigabyte printed at once": Student(change=_also("print('x' * 10**9)")),
    "a gigabyte printed in lines": Student(
        change=_also("for n in range(10**7): print('x' * 100)"), score=ALL
    ),
    "a gigabyte shown": Student(
        change=_also("from IPython.display import HTML, display\ndisplay(HTML('x' * 10**9))")
    ),
    "memory hog": Student(
        change=_also("x = [bytearray(10**8) for n in range(10**4)]"), score=0, reason="of memory"
    ),
    "memory hog in torch": Student(
        {"range_pool2d": _range_pool("return torch.ones(10**10)")}, reason="range_pool2d"
    ),
    "an answer of a gigabyte": Student(
        {"range_pool2d": _range_pool("return torch.ones(2 * 10**8)")},
        score=13,
        reason="range_pool2d",
    ),
    "fills the disk": Student(
        change=_also("with open('big', 'wb') as f:\n    while True: f.write(bytes(10**7))"),
        score=ALL,
    ),
    "deleted the answers": Student(
        change=_delete("depthwise_conv2d", "range_pool2d"), score=8, reason="had been deleted"
    ),
    "deleted the tests": Student(
        {"range_pool2d": ONLY_MAXIMUM},
        score=13,
        reason="had been deleted",
        change=_delete("range_pool2d_examples", "range_pool2d_hidden", "setup"),
    ),
    "deleted everything": Student(
        change=lambda notebook: notebook.update(cells=notebook.cells[:2]),
        score=0,
        reason="holds no cell",
    ),
    "cells twice": Student(
        change=lambda notebook: (
            [
                _duplicate(name)(notebook)
                for name in ("range_pool2d", "range_pool2d_examples", "setup")
            ]
            and None
        ),
        score=ALL,
        reason="stood there twice",
    ),
    "changed the tests": Student(
        {"range_pool2d": ONLY_MAXIMUM},
        score=13,
        reason="had been changed",
        change=_set("range_pool2d_hidden", "pass", points=1000),
    ),
    "made a test of its own": Student(
        change=_set("range_pool2d", grade=True, locked=True, points=100), score=ALL
    ),
    "moved the tests up": Student(
        change=lambda notebook: notebook.cells.insert(
            2, notebook.cells.pop(notebook.cells.index(_cell(notebook, "range_pool2d_hidden")))
        ),
        score=ALL,
    ),
    "broken JSON": Student(
        write=_text('{"cells": ['), score=0, reason="no notebook that can be read"
    ),
    "an empty file": Student(write=_text(""), score=0, reason="no notebook that can be read"),
    "a web page": Student(
        write=_text("<!doctype html><p>Please log in"), score=0, reason="no notebook that can be"
    ),
    "another notebook": Student(
        write=_text(nbformat.writes(nbformat.v4.new_notebook())), score=0, reason="holds no cell"
    ),
    "too large": Student(
        write=lambda path, notebook: os.truncate(path, 10**8) if path.touch() is None else None,
        score=0,
        reason="more than the 50 allowed",
    ),
    "wrong kernel": Student(change=_kernel("ir", "R"), score=ALL),
    "kernel that is not installed": Student(change=_kernel("my-env", "python"), score=ALL),
    "reads the hidden tests": Student(
        {"range_pool2d": ONLY_MAXIMUM}, change=_also(FORBIDDEN), score=13
    ),
    "calls the reference": Student(
        {"depthwise_conv2d": REFERENCE}, score=12, reason="calls course_utils"
    ),
    "spies on the tests": Student({"range_pool2d": ONLY_MAXIMUM}, change=_also(SPY), score=13),
    "tampers with the checks": Student(
        {"range_pool2d": ONLY_MAXIMUM}, change=_also(TAMPER), score=13
    ),
    "writes outside its folder": Student(change=_also(OUTSIDE), score=ALL),
    "kills other processes": Student(change=_also(KILLER)),
    "leaves a process behind": Student(change=_also(STAYS), score=ALL),
    "comes from Colab": Student(change=_also(COLAB), score=ALL),
    "goes online": Student(change=_also(NETWORK), score=ALL),
}


def write(folder, root=build.HERE, students=None):
    """Write the notebooks of a class, a folder for each student; returns their names.

    root: a course's folder with release/. students: from `ORDINARY` and `HOSTILE`; both if None.
    """
    folder, root = Path(folder), Path(root)
    students = {**ORDINARY, **HOSTILE} if students is None else students
    models = {}
    for assignment in {student.assignment for student in students.values()}:
        (path,) = (root / "release" / assignment).glob("*.ipynb")
        master = build.read_master(build.masters()[assignment])
        models[assignment] = path.name, nbformat.read(path, as_version=4), master
    for name, student in students.items():
        file, release, master = models[student.assignment]
        notebook = filled_in(release, master, name, student.answers)
        if student.change:
            student.change(notebook)
        for cell in notebook.cells:
            cell.source = cell.source.replace("{root!r}", repr(str(root.resolve())))
            cell.source = cell.source.replace("{folder!r}", repr(str(folder.resolve())))
        target = folder / name / (student.file or file)
        target.parent.mkdir(parents=True, exist_ok=True)
        if student.write:
            student.write(target, notebook)
        else:
            target.write_text(json.dumps(notebook), "utf-8")
    return list(students)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="where to write the notebooks; made if it is not there")
    parser.add_argument(
        "--hostile",
        action="store_true",
        help="also those who attack: grade them only where Landlock 6 or newer is named",
    )
    arguments = parser.parse_args()
    names = write(arguments.folder, students=None if arguments.hostile else ORDINARY)
    print(f"{len(names)} students of a pretend class are in {arguments.folder}.")


if __name__ == "__main__":
    main()

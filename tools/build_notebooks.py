"""Build notebooks/ from lessons/: take the solutions out, run every notebook, store its outputs.

    python tools/build_notebooks.py            all lessons
    python tools/build_notebooks.py 01 06      these lessons
    python tools/build_notebooks.py --measure  their measured times anew, too
    python tools/build_notebooks.py --solved   only build/solved/, which keeps the solutions

The stored outputs are made on MNIST, so it has to be there (see data/README.md). Cells tagged
"measured" keep the times they show until the lesson's code changes, or with --measure; so two
builds on one machine give the same bytes.
"""

import argparse
import base64
import hashlib
import io
import os
import re
import sys
from pathlib import Path

import colab
import jupytext
import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
LESSONS, NOTEBOOKS, SOLVED = ROOT / "lessons", ROOT / "notebooks", ROOT / "build" / "solved"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SOLUTION = re.compile(
    r"^(?P<indent>[ ]*)### BEGIN SOLUTION\n(?P<body>.*?)^[ ]*### END SOLUTION[ ]*\n?", re.M | re.S
)
# A path of the machine that built the notebook says nothing to anyone else.
MACHINE_PATH = re.compile(
    r"(?:/home/|/root/|/tmp/|/Users/|[A-Z]:\\\\)[\w.-]+|" + re.escape(str(ROOT))
)


def without_solutions(source):
    """The student's text of a cell: `...` stands where a function's solution was."""

    def stub(match):
        return f"{match['indent']}...  # your code here\n" if match["indent"] else ""

    return SOLUTION.sub(stub, source + "\n").rstrip("\n")


def without_markers(source):
    """The teacher's text of a cell: the solution without the lines that mark it."""
    return SOLUTION.sub(lambda match: match["body"], source + "\n").rstrip("\n")


def read_lesson(path):
    """A lesson's master as a notebook, solutions and their markers included.

    A cell's id follows from its text alone, so it changes when the cell does and only then.
    """
    notebook = jupytext.read(path, fmt="py:percent")
    seen = {}
    for cell in notebook.cells:
        text = f"{path.stem}/{cell.cell_type}/{cell.source}"
        seen[text] = seen.get(text, 0) + 1
        cell.id = hashlib.sha256(f"{text}/{seen[text]}".encode()).hexdigest()[:12]
        tags = cell.metadata.get("tags", [])
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def convert(notebook, change):
    """The notebook with `change` applied to the text of every code cell."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = change(cell.source)
    return notebook


def for_students(path):
    """What students open of a lesson, not yet run: no solutions, and ready for Colab."""
    notebook = convert(read_lesson(path), without_solutions)
    return colab.stamped(notebook, path.stem, colab.repository_url())


def execute(notebook, folder, timeout=600, env=None):
    """Run a notebook from top to bottom in `folder` and keep what does not depend on the run.

    `env` replaces the environment variables that the kernel sees.
    """
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=timeout,
        record_timing=False,
        store_widget_state=False,
        shutdown_kernel="immediate",  # a kernel left to end by itself takes three seconds
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    ).execute(**({"env": env} if env else {}))
    notebook.metadata["language_info"] = {"name": "python"}
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            _clean(output, f"cell {number}")
    return notebook


def _clean(output, where):
    """Drop from an output what is dead without its kernel; refuse what must not be stored."""
    data = output.get("data", {})
    if output.get("output_type") == "error":
        output["traceback"] = _own_lines(output["traceback"])
    if data.pop(WIDGET_VIEW, None) and not any(kind.startswith("image/") for kind in data):
        raise ValueError(f"{where} shows a widget that leaves no picture behind: use `explore`")
    texts = [output.get("text", ""), *(v for v in data.values() if isinstance(v, str))]
    texts += output.get("traceback", [])
    if found := next((m for text in texts if (m := MACHINE_PATH.search(text))), None):
        raise ValueError(f"{where} prints a path of this machine: {found[0]}")
    if output.get("name") == "stderr":
        raise ValueError(f"{where} writes to stderr: {output['text'][:300]}")


def _own_lines(traceback):
    """A traceback without what happened in files: the notebook's own lines, and the message."""
    inside = [bool(re.match(r"(\x1b\[[\d;]*m)*File ", entry)) for entry in traceback]
    note = f"    [... {sum(inside)} calls inside the libraries are left out here ...]\n"
    kept = []
    for entry, drop in zip(traceback, inside, strict=True):
        if not drop:
            kept.append(entry)
        elif note not in kept:
            kept.append(note)
    return kept


def keep_measured(notebook, stored):
    """The notebook with what its cells tagged "measured" show in `stored`, an earlier build.

    Times differ from run to run. As long as the lesson's code is the same, those of the earlier
    build stay, so that two builds give the same bytes. `stored` is None where there is none.
    """
    old, new = _code_cells(stored), _code_cells(notebook)
    if [cell.source for cell in old] == [cell.source for cell in new]:
        for before, cell in zip(old, new, strict=True):
            if "measured" in cell.metadata.get("tags", []):
                cell.outputs = before.outputs
    return notebook


def _code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"] if notebook else []


def with_small_pictures(notebook):
    """The notebook with its pictures in 256 colours: half the bytes, no difference to be seen."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = _smaller(data["image/png"])
    return notebook


def _smaller(png):
    # This method is off by a few levels of 255 at most, also in a photograph beside a colour scale.
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    picture = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    picture.save(buffer, "png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lessons", nargs="*", help="numbers of lessons; all if none is given")
    parser.add_argument("--solved", action="store_true", help="build only build/solved/")
    parser.add_argument("--measure", action="store_true", help="measure times anew, too")
    arguments = parser.parse_args()

    masters = sorted(LESSONS.glob("*.py"))
    if arguments.lessons:
        masters = [p for p in masters if p.name.split("_")[0] in arguments.lessons]
    if not masters:
        sys.exit(f"no lesson with number {', '.join(arguments.lessons)} in {LESSONS.name}/")

    SOLVED.mkdir(parents=True, exist_ok=True)
    for path in masters:
        solved = convert(read_lesson(path), without_markers)
        nbformat.write(solved, SOLVED / f"{path.stem}.ipynb")
    if arguments.solved:
        return

    from course_utils.data import load_digits

    if load_digits().source != "mnist":
        sys.exit(
            "The stored outputs are made on MNIST, and it is not here: connect to the network, or "
            "set COURSE_DATA to a folder that holds it. Nothing in notebooks/ was changed."
        )
    if folder := os.environ.get("COURSE_DATA"):
        os.environ["COURSE_DATA"] = str(Path(folder).resolve())
    for path in masters:
        print(f"{path.stem} …", end=" ", flush=True)
        target = NOTEBOOKS / f"{path.stem}.ipynb"
        stored = nbformat.read(target, as_version=4) if target.exists() else None
        notebook = with_small_pictures(execute(for_students(path), NOTEBOOKS))
        if not arguments.measure:
            keep_measured(notebook, stored)
        nbformat.write(notebook, target)
        print(f"{target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()

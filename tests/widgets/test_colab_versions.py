"""Every notebook that shows a widget runs on the versions that Colab has, and leaves its picture.

The packages that decide how a widget is shown and synced have Colab's versions (August 2026);
torch and the like are those of the environment that runs the tests.
"""

import json
import os
import site
import subprocess
import sys
from pathlib import Path

import filelock
import gallery
import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import run_tests  # noqa: E402

PINS = {
    "ipywidgets": "7.7.1",
    "anywidget": "0.9.21",
    "traitlets": "5.7.1",
    "ipython": "7.34.0",
    "ipykernel": "6.17.1",
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
NOTEBOOKS = [
    path
    for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    if "explore(" in (text := path.read_text("utf-8")) or "widgets." in text
]

pytestmark = pytest.mark.more


@pytest.fixture(scope="module")
def python():
    """An interpreter with Colab's versions; made once, shared by all who run the tests."""
    folder = ROOT / "build" / "colab-versions"
    folder.parent.mkdir(exist_ok=True)
    binary, ready = folder / "bin" / "python", folder / "ready.json"
    with filelock.FileLock(f"{folder}.lock"):
        if not ready.exists() or json.loads(ready.read_text()) != PINS:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            wanted = [f"{name}=={version}" for name, version in PINS.items()]
            # IPython 7 imports setuptools without saying so.
            line = [binary, "-m", "pip", "install", "--quiet", *wanted, "setuptools"]
            subprocess.run(line, check=True)
            # Behind its own packages, those of the environment that runs this test.
            (packages,) = folder.glob("lib/python*/site-packages")
            (packages / "rest.pth").write_text("\n".join([*site.getsitepackages(), str(ROOT)]))
            ready.write_text(json.dumps(PINS))
    return binary


def run(notebook, python, tmp_path):
    """Execute a notebook with that interpreter, with no network and no data set."""

    class Manager(AsyncKernelManager):
        @property
        def kernel_spec(self):
            line = [str(python), "-Xfrozen_modules=off", "-m", "ipykernel_launcher"]
            return KernelSpec(argv=[*line, "-f", "{connection_file}"], language="python")

    NotebookClient(
        notebook,
        kernel_manager_class=Manager,
        timeout=300,
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute(env=run_tests.offline(os.environ, str(tmp_path)))
    return notebook


def test_the_versions_are_colabs(python):
    code = "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))"
    line = [python, "-c", code, *PINS]
    assert subprocess.check_output(line, text=True).split() == list(PINS.values())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_with_widgets_runs(path, python, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    run(notebook, python, tmp_path)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    widgets = [out.data for out in outputs if WIDGET_VIEW in out.get("data", {})]
    assert widgets
    assert all("image/png" in data and data["text/plain"] for data in widgets)


def test_every_widget_is_shown_with_its_picture(python, tmp_path):
    notebook = run(gallery.write(tmp_path / "gallery.ipynb"), python, tmp_path)
    shown = [cell.outputs[-1].data for cell in notebook.cells[1:]]
    assert len(shown) == len(gallery.CELLS)
    assert all({WIDGET_VIEW, "image/png", "text/plain"} <= set(data) for data in shown)

"""Run a notebook as a stranger does: one file in an empty folder, and no clone anywhere near."""

import importlib.metadata
import os
import subprocess
from pathlib import Path

import environments
import nbclient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from packaging.utils import canonicalize_name

HERE = Path(__file__).resolve().parent
# A cell that shows an Output widget can miss its reply: https://github.com/jupyter/nbclient/issues/312
nbclient.output_widget.OutputWidget.send = lambda *args, **kwargs: None

KERNEL = "from ipykernel import kernelapp; kernelapp.launch_new_instance()"
LIKE_COLAB = f"import google.colab.output; {KERNEL}"


def layer(folder, base):
    """A virtual environment that sees all of another one, and keeps for itself what is added.

    base: the other one's interpreter. Returns: the new one's.
    """
    subprocess.run([*environments.UV, "venv", f"--python={base}", folder], check=True)
    python = folder / "bin" / "python"
    (packages_of(python) / "below.pth").write_text(f"{packages_of(base)}\n")
    return python


def packages_of(python):
    """Where the packages of an environment are, given its interpreter."""
    (folder,) = python.parent.parent.glob("lib/python*/site-packages")
    return folder


def surroundings(folder, wheels, *paths):
    """Environment variables: no network, no data set, pip with `wheels` as its only source."""
    # A kernel that sees PYTEST_… does not show what its subprocesses write.
    others = ("COURSE_", "PIP_", "PYTHON", "PYTEST")
    plain = {k: v for k, v in os.environ.items() if not k.startswith(others)}
    path = os.pathsep.join(map(str, [HERE.parent / "no_network", *paths]))
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": os.devnull}
    pip |= {"PIP_NO_CACHE_DIR": "1"}
    return {**plain, **pip, "PYTHONPATH": path, "COLAB_CALLS": str(folder / "calls.txt")}


def run(notebook, python, folder, env, kernel=KERNEL):
    """Execute a notebook in `folder` with the kernel of another environment.

    Raises: CellExecutionError, if a cell fails that is not meant to; AssertionError, if something
    fails that Jupyter only mentions, such as a widget that cannot be shown.
    """

    class Manager(AsyncKernelManager):
        @property
        def kernel_spec(self):
            line = [str(python), "-Xfrozen_modules=off", "-c", kernel, "-f", "{connection_file}"]
            return KernelSpec(argv=line, language="python")

    nbclient.NotebookClient(
        notebook,
        kernel_manager_class=Manager,
        timeout=300,
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(folder)}},
    ).execute(env=env)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert "Traceback" not in output.get("text", ""), output.text
    return notebook


def installed(python):
    """The packages of one environment, those of a layer below left out: names with versions."""
    found = importlib.metadata.distributions(path=[str(packages_of(python))])
    return {canonicalize_name(package.name): package.version for package in found}

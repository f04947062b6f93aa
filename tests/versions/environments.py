"""The sets of versions that the course is tried on, each an environment of its own under build/.

    colab    what Colab has, and nothing that it has not
    newest   what an installation gets today
    lowest   every package at the lower bound that pyproject.toml allows

uv makes them: pip cannot choose the lowest versions, and uv links files instead of copying them.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import filelock
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "versions"
UV = [sys.executable, "-m", "uv", "--quiet"]
COLAB = {  # in August 2026, on Python 3.13
    "torch": "2.11.0",
    "torchvision": "0.26.0",
    "ipywidgets": "7.7.1",
    "anywidget": "0.9.21",
    "matplotlib": "3.10.0",
    "numpy": "2.1.3",
    "scikit-learn": "1.6.1",
    "ipython": "7.34.0",
    "ipykernel": "6.17.1",
    "traitlets": "5.7.1",
    "pillow": "11.3.0",
    "jupyterlab_widgets": "3.0.16",
    "notebook": "6.5.7",
    "tqdm": "4.67.3",
}
# Python as Colab has it, and the lowest: NumPy 2.0 has no wheel for Python 3.13.
PYTHONS = {"colab": "3.13 3.12 3.11", "newest": "3.13 3.12 3.11", "lowest": "3.11 3.12"}


def python_for(name):
    """An interpreter for a set: COURSE_PYTHON_COLAB and the like, one on PATH, or this one.

    Returns: (path, version as text), or (None, what was looked for) if there is none.
    """
    own = os.environ.get(f"COURSE_PYTHON_{name.upper()}")
    versions = PYTHONS[name].split()
    found = [own] if own else [shutil.which(f"python{version}") for version in versions]
    for path in found if own else [*filter(None, found), sys.executable]:
        version = _version(path)  # None for a name on PATH that is a mere pointer to nothing
        if version in versions or (own and version):
            return path, version
    return None, f"Python {own or ' or '.join(versions)}"


def wanted(name):
    """What a set is resolved from: (requirements, options of `uv pip compile`)."""
    course = [str(ROOT / "pyproject.toml")]
    if name == "colab":
        pins = [f"{package}=={version}" for package, version in COLAB.items()]
        # pip, as Colab has it; setuptools, which IPython 7 imports.
        return "\n".join([*pins, "pip", "setuptools"]), course
    lowest = ["--resolution=lowest-direct"] if name == "lowest" else []
    return "pip>=24", [*course, "--extra=deploy", "--extra=lab", *lowest]


def index():
    """uv's option for the index that pip is set to use, if it is set to use one."""
    line = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    said = subprocess.run(line, capture_output=True, text=True).stdout.strip()
    address = os.environ.get("PIP_INDEX_URL") or said
    return [f"--default-index={address}"] if address else []


def make(name, run_id=""):
    """Make or bring up to date the environment `name`. Returns: its interpreter.

    run_id: tells the runs of the tests apart; within one, nothing is looked up twice.
    """
    python, version = python_for(name)
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    binary, done = folder / "env" / "bin" / "python", folder / "made-for"
    with filelock.FileLock(folder / "lock"):
        stamp = f"{run_id} {python} {version}"
        if run_id and done.exists() and done.read_text() == stamp:
            return binary
        if _version(binary) != version:
            shutil.rmtree(folder / "env", ignore_errors=True)
            subprocess.run([*UV, "venv", f"--python={python}", folder / "env"], check=True)
        requirements, options = wanted(name)
        (folder / "requirements.in").write_text(requirements)
        locked = folder / "requirements.txt"
        line = [*UV, "pip", "compile", "--upgrade", folder / "requirements.in", *options, *index()]
        line += [f"--python={binary}", f"--output-file={locked}"]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
        line = [*UV, "pip", "sync", f"--python={binary}", locked, *index()]
        subprocess.run(line, check=True)
        done.write_text(stamp)
    return binary


def bounds():
    """What the course needs, with the lower bounds of pyproject.toml: packaging's Requirements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = project["dependencies"] + extras["deploy"] + extras["lab"]
    return [Requirement(line) for line in lines]


def _version(python):
    """Of an interpreter, as in "3.13"; None if it does not start."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        said = subprocess.run([python, "-c", code], capture_output=True, text=True)
    except OSError:
        return None
    return said.stdout.strip() or None

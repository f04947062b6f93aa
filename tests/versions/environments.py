"""The sets of versions that the course is tried on, each an environment of its own under build/.

    colab    what Colab has, and nothing that it has not
    newest   what an installation gets today
    lowest   every package at the lower bound that pyproject.toml allows
    py312, py314   the newest once more, on other versions of Python

uv makes them: pip cannot choose the lowest versions, and uv links files instead of copying them.

`python tests/versions/environments.py SET ARGUMENTS` makes one, and runs its Python on the course.
"""

import functools
import os
import re
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
PYTHONS = {
    "colab": "3.13 3.12 3.11",
    "newest": "3.13 3.12 3.11",
    "lowest": "3.11 3.12",
    "py312": "3.12",
    "py314": "3.14",
}


@functools.cache
def python_for(name):
    """An interpreter for a set: COURSE_PYTHON_COLAB and the like, one that is here, or uv's.

    Returns: (path, version as text), or (None, what was looked for) if there is none.
    """
    if own := os.environ.get(f"COURSE_PYTHON_{name.upper()}"):
        version = _version(own)
        return (Path(own), version) if version else (None, f"Python {own}")
    versions = PYTHONS[name].split()
    for version in versions:
        for path in _pythons(version):
            if _version(path) == version:  # None for a name that is a mere pointer to nothing
                return path, version
    return None, f"Python {' or '.join(versions)}"


def _pythons(version):
    """Where a Python may be: on PATH, this one, pyenv's, one that uv downloads into build/."""
    yield shutil.which(f"python{version}") or sys.executable
    yield Path(sys.executable)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from pyenv.glob(f"{version}.*/bin/python")
    folder = FOLDER / "pythons"
    env = {"UV_HTTP_RETRIES": "0", **os.environ, "UV_PYTHON_INSTALL_DIR": str(folder)}
    subprocess.run([*UV, "python", "install", version], env=env, capture_output=True)
    yield from folder.glob(f"*-{version}.*/bin/python{version}")


def wanted(name):
    """What a set is resolved from: (requirements, options of `uv pip compile`)."""
    course = [str(ROOT / "pyproject.toml")]
    if name == "colab":
        pins = [f"{package}=={version}" for package, version in COLAB.items()]
        # pip, as Colab has it; setuptools, which IPython 7 imports.
        return "\n".join([*pins, "pip", "setuptools"]), course
    lowest = ["--resolution=lowest-direct"] if name == "lowest" else []
    return "pip>=24", [*course, "--all-extras", *lowest]


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
    extras = project["optional-dependencies"].values()
    return [Requirement(line) for lines in (project["dependencies"], *extras) for line in lines]


def described(name):
    """A set in words, once it is made: its Python and its torch."""
    _, version = python_for(name)
    locked = FOLDER / name / "requirements.txt"
    torch = re.search(r"^torch==(\S+)", locked.read_text("utf-8") if locked.exists() else "", re.M)
    return f"{name}, Python {version}, torch {torch[1] if torch else 'not installed'}"


def _version(python):
    """Of an interpreter, as in "3.13"; None if it does not start."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        said = subprocess.run([python, "-c", code], capture_output=True, text=True)
    except OSError:
        return None
    return said.stdout.strip() or None


if __name__ == "__main__":
    python = make(sys.argv[1])
    (FOLDER / sys.argv[1] / "made-for").unlink()  # with the course in it, it is another set
    line = [*UV, "pip", "install", f"--python={python}", "--no-deps", "--editable", ROOT, *index()]
    subprocess.run(line, check=True)
    sys.exit(subprocess.run([python, *sys.argv[2:]], cwd=ROOT).returncode)

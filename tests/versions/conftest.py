"""What the tests of the sets of versions share: each is made once, however many tests ask."""

import subprocess
import sys
import tomllib
from pathlib import Path

import alone
import environments
import filelock
import pytest

ROOT = environments.ROOT


@pytest.fixture(scope="session")
def run_id(tmp_path_factory):
    """The same for all processes of one run of the tests, and for no other run."""
    base = tmp_path_factory.getbasetemp()
    return str(base if not base.name.startswith("popen-") else base.parent)


@pytest.fixture(scope="session")
def make(run_id):
    """`environments.make`, or skipped where Python is not the one that a set needs."""

    def make(name):
        python, version = environments.python_for(name)
        if python is None:
            pytest.skip(f"there is no {version} here")
        return environments.make(name, run_id)

    return make


@pytest.fixture(scope="session")
def wheels(make, run_id):
    """A folder with the course's wheel, and what Colab lacks: all that pip gets to see."""
    base = make("colab")
    folder = Path(run_id) / "wheels"
    folder.mkdir(exist_ok=True)
    done = folder / "done"
    with filelock.FileLock(folder / "lock"):
        if not done.exists():
            pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", ROOT]
            subprocess.run([*pip, f"--wheel-dir={folder}"], check=True)
            project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
            lacking = project["project"]["optional-dependencies"]["deploy"]
            lacking = [*lacking, *project["build-system"]["requires"]]
            pip = [base, "-m", "pip", "download", "--quiet", "--only-binary=:all:", *lacking]
            have = environments.FOLDER / "colab" / "requirements.txt"
            subprocess.run([*pip, f"--constraint={have}", f"--dest={folder}"], check=True)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """The course as a local git repository that pip can install from: its address."""
    folder = tmp_path_factory.mktemp("repository")
    line = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.check_output(line, cwd=ROOT, text=True).split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for line in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "-m", "course"]):
        subprocess.run(["git", *line], cwd=folder, check=True)
    return folder.as_uri()


@pytest.fixture(scope="session")
def from_wheel(make, wheels, tmp_path_factory):
    """For a set: (interpreter, environment variables) with the course installed from its wheel."""
    made = {}

    def from_wheel(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            python = alone.layer(folder / "env", make(name))
            (wheel,) = wheels.glob("course_utils-*.whl")
            env = alone.surroundings(folder, wheels)
            line = [
                python,
                "-m",
                "pip",
                "install",
                "--quiet",
                f"course-utils[deploy] @ {wheel.as_uri()}",
            ]
            subprocess.run(line, check=True, env=env, cwd=folder)
            made[name] = python, env
        return made[name]

    return from_wheel

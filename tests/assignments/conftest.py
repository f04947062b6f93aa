"""The assignments and a pretend class, made once however many processes run the tests."""

import os
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "assignments"))


def once(factory, name, make):
    """A folder that the first process fills with `make(folder)` and the others find."""
    base = factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / name
    with FileLock(f"{folder}.lock"):
        if not (folder / ".done").is_file():
            folder.mkdir(exist_ok=True)
            make(folder)
            (folder / ".done").touch()
    return folder


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """A course's folder with source/, release/ and a gradebook, as `make assignments` makes it."""
    from grading import build

    def make(folder):
        for name in build.masters():
            build.build(name, folder, run=False)

    return once(tmp_path_factory, "course", make)

"""The assignments and a pretend class, made once however many processes run the tests."""

import os
import sys
from pathlib import Path

import pytest
from made_once import once

ROOT = Path(__file__).resolve().parents[2]
# nbgrader calls alembic by its name, and one test makes a gradebook before nbgrader's settings,
# which see to that, are read.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """A course's folder with source/, release/ and a gradebook, as `make assignments` makes it."""
    from grading import build

    def make(folder):
        for name in build.masters():
            build.build(name, folder, run=False)

    return once(tmp_path_factory, "course", make)

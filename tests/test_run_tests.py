"""What `make test-more` does beside pytest's own work."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import run_tests

ROOT = Path(__file__).resolve().parent.parent

START = "import run_tests; programs = run_tests.busy_programs(2); programs.__enter__(); "
SAY = "import psutil; print(*(child.pid for child in psutil.Process().children()), flush=True); "


def children():
    return psutil.Process().children()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_busy_programs_end_however_the_tests_do(error):
    before = children()

    def tests():
        with run_tests.busy_programs(2):
            assert len(children()) == len(before) + 2
            raise error

    with pytest.raises(error):
        tests()
    assert children() == before


@pytest.mark.processes
def test_busy_programs_end_when_the_tests_are_killed():
    line = [sys.executable, "-c", START + SAY + "import os; os._exit(9)"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    said = subprocess.run(line, env=env, capture_output=True, text=True).stdout.split()
    assert len(said) == 2
    left = [psutil.Process(int(pid)) for pid in said if psutil.pid_exists(int(pid))]
    _, alive = psutil.wait_procs(left, timeout=60)
    assert alive == []


@pytest.fixture
def lines(monkeypatch):
    """The commands of `make test-more`, noted instead of run."""
    lines = {}

    def run(name, line, environment):
        lines[name] = line
        return name, True, 1.0

    monkeypatch.setattr(run_tests, "run", run)
    monkeypatch.setattr(run_tests, "has_mnist", lambda: False)
    return lines


def test_a_set_without_its_python_is_left_out_and_said(lines, monkeypatch):
    here = {"py314": (None, "Python 3.14")}
    python_for = lambda name: here.get(name, ("python", "3.13"))  # noqa: E731
    monkeypatch.setattr(run_tests.environments, "python_for", python_for)
    results = list(run_tests.test_more({}))
    left_out = [name for name, passed, _ in results if passed is None]
    assert "unit tests, py314: Python 3.14 is not here, and uv could not get it" in left_out
    assert "unit tests, py314" not in lines
    assert {"unit tests, lowest", "unit tests, newest", "unit tests, py312"} <= set(lines)


def test_only_what_is_named_is_left_out_on_other_versions(lines):
    for name in run_tests.LEFT_OUT:
        assert (ROOT / "tests" / name).exists()
    assert run_tests.ALL[0] == "tests"
    assert all((ROOT / name).exists() for name in run_tests.SOME)

"""Run every test: `make test`, or with `--more` what takes longer: `make test-more`.

`make test` runs every notebook twice with no network and no data set: as it is stored, and, as one
of the tests, with its solutions. `make test-more` runs them on MNIST, where that can be had, and
the unit tests on other versions of Python and of all packages.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [sys.executable, "-m", "pytest", "--numprocesses=auto", "--dist=worksteal"]
NBVAL = [
    "--dist=loadfile",
    "--nbval",
    "--nbval-current-env",
    "--nbval-cell-timeout=300",
    "notebooks",
]
sys.path.insert(0, str(ROOT / "tests" / "versions"))

import environments  # noqa: E402

# What the unit tests are: all tests but those of whole notebooks and of JupyterLab, and those of
# the project around the package. A new file is in.
LEFT_OUT = ["versions", "widgets/test_in_jupyterlab.py", "test_solved.py", "test_links.py"]
LEFT_OUT += ["test_make_venv.py"]
ALL = ["tests", *(f"--ignore=tests/{name}" for name in LEFT_OUT)]
# What the system can refuse an ordinary user: files, processes, memory, the network.
SYSTEM = [f"tests/test_{name}.py" for name in ("data", "deploy", "start", "workers")]
SYSTEM += ["tests/training", "tests/faults"]
SYSTEM += ["tests/assignments/test_collect.py", "tests/assignments/test_sandbox.py"]
SOME = ["tests/ops", "tests/checks", "tests/training"]
# Grading takes as long as all the rest; its neighbours' age matters more than their youth.
ON_VERSIONS = {"lowest": ALL, "newest": [*ALL, "--ignore=tests/assignments"]}
ON_VERSIONS |= {"py312": SOME, "py314": SOME}


def offline(environment, folder):
    """The environment of a machine with no network and no data set."""
    path = os.pathsep.join(
        filter(None, [str(ROOT / "tests/no_network"), os.environ.get("PYTHONPATH")])
    )
    return {**environment, "PYTHONPATH": path, "COURSE_DATA": folder}


def has_mnist():
    """Whether MNIST is here, or can be downloaded."""
    code = "from course_utils import data; data.load_digits('mnist')"
    return (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True).returncode == 0
    )


@contextlib.contextmanager
def busy_programs(count):
    """Keep cores busy meanwhile. The programs end with this one, however it ends."""
    spin = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): sum(range(10**6))"
    line = [sys.executable, "-c", spin, str(os.getpid())]
    programs = [subprocess.Popen(line) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def run(name, line, environment):
    """Run one command to its end. Returns: (name, whether it went well, seconds)."""
    print(f"\n=== {name} ===", flush=True)
    start = time.monotonic()
    code = subprocess.run(line, cwd=ROOT, env=environment).returncode
    return name, code == 0, time.monotonic() - start


def test(environment, part):
    """What `make test` runs, or one part of it. Yields: results of `run`."""
    if part in (None, "tests"):
        yield run("tests", [*PYTEST, "-m", "not more", "tests"], environment)
    if part == "system":
        yield run("what the system can refuse", [*PYTEST, "-m", "not more", *SYSTEM], environment)
    if part == "unit":
        yield run("unit tests", [*PYTEST, "-m", "not more", *ALL], environment)
    if part in (None, "notebooks"):
        with tempfile.TemporaryDirectory() as empty:
            yield run("notebooks, no network", [*PYTEST, *NBVAL], offline(environment, empty))


def test_more(environment):
    """What `make test-more` runs. Yields: results of `run`, or (what is left out and why, None)."""
    # One more than cores: many of them wait, for a time limit or for what another one makes.
    more = f"--numprocesses={(os.cpu_count() or 1) + 1}"
    yield run("long tests", [*PYTEST, more, "-m", "more", "tests"], environment)
    many = {**environment, "HYPOTHESIS_PROFILE": "more"}
    yield run("arithmetic, many cases", [*PYTEST, "tests/ops"], many)
    if has_mnist():
        yield run("notebooks, MNIST", [*PYTEST, *NBVAL], environment)
    else:
        yield "notebooks, MNIST: it is not here; they run on the embedded digits only", None, 0
    races = "processes and not more"  # which ran just now, on a machine that was full
    with busy_programs(2):
        yield run("processes, busy machine", [*PYTEST, "-m", races, "tests"], environment)
    no_browser = {**environment, "COURSE_NO_BROWSER": "1"}  # it is the same one on all versions
    for name, tests in ON_VERSIONS.items():
        python, version = environments.python_for(name)
        if python is None:
            yield f"unit tests, {name}: {version} is not here, and uv could not get it", None, 0
            continue
        line = [sys.executable, environments.__file__, name, *PYTEST[1:], "-m", "not more", *tests]
        _, passed, seconds = run(f"unit tests, {name}", line, no_browser)
        yield f"unit tests, {environments.described(name)}", passed, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--more", action="store_true", help="run only what takes longer")
    parser.add_argument(
        "--part",
        choices=["tests", "unit", "system", "notebooks"],
        help="of make test, run only this",
    )
    arguments = parser.parse_args()
    # The tests run side by side, so each keeps to one core.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    more = arguments.more
    results = list(test_more(environment) if more else test(environment, arguments.part))
    print()
    for name, passed, seconds in results:
        word = {True: "passed", False: "FAILED", None: "not run"}[passed]
        print(f"{word:7}  {seconds:6.1f} s  {name}")
    failed = sum(passed is False for _, passed, _ in results)
    print(f"runs: {sum(bool(passed) for _, passed, _ in results)} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()

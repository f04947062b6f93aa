"""Run every test: `make test`, or with `--more` what takes longer: `make test-more`.

`make test` runs every notebook twice with no network and no data set: as it is stored, and, as one
of the tests, with its solutions. `make test-more` runs them on MNIST, where that can be had.
"""

import argparse
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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--more", action="store_true", help="run only what takes longer")
    more = parser.parse_args().more
    # The tests run side by side, so each keeps to one core.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as empty:
        if more:
            thorough = {**environment, "HYPOTHESIS_PROFILE": "more"}
            runs = [
                ("long tests", [*PYTEST, "-m", "more", "tests"], environment),
                ("arithmetic, many cases", [*PYTEST, "tests/test_ops.py"], thorough),
            ]
            if has_mnist():
                runs.append(("notebooks, MNIST", [*PYTEST, *NBVAL], environment))
            else:
                print("MNIST is not here: the notebooks run on the embedded digits only.")
        else:
            runs = [
                ("tests", [*PYTEST, "-m", "not more", "tests"], environment),
                ("notebooks, no network", [*PYTEST, *NBVAL], offline(environment, empty)),
            ]
        results = []
        for name, line, variables in runs:
            print(f"\n=== {name} ===", flush=True)
            start = time.monotonic()
            code = subprocess.run(line, cwd=ROOT, env=variables).returncode
            results.append((name, code, time.monotonic() - start))
    print()
    for name, code, seconds in results:
        print(f"{'passed' if code == 0 else 'FAILED'}  {seconds:6.1f} s  {name}")
    failed = sum(code != 0 for _, code, _ in results)
    print(f"runs: {len(results) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()

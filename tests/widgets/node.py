"""Run the widgets' arithmetic under Node, on cases that torch has answered."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(not NODE, reason="no Node here to run the widgets' arithmetic")


def run_node(test, cases, folder):
    """Run `tests/widgets/<test>`, an ES module of node:test, which reads `cases` from CASES."""
    path = Path(folder) / "cases.json"
    path.write_text(json.dumps(cases, allow_nan=False))
    done = subprocess.run(
        [NODE, "--test", "--test-reporter=spec", str(Path(__file__).parent / test)],
        env={**os.environ, "CASES": str(path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]

"""What every test run shares: where the data is, and the time that each notebook took."""

import os
import re
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent

# The same cases each time, so that CI never fails by chance; "search" looks for new ones.
settings.register_profile("default", deadline=None, max_examples=60, derandomize=True)
settings.register_profile("more", deadline=None, max_examples=600, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# Notebooks run in notebooks/, so a folder given relative to the project is made absolute here.
if folder := os.environ.get("COURSE_DATA"):
    os.environ["COURSE_DATA"] = str((ROOT / folder).resolve())


def pytest_configure(config):
    """Make an error of every warning that a module of ours raises.

    What a neighbour raises in its own modules, or deprecates there, is the neighbour's affair: it
    comes and goes with the versions. A module is known by its name, so each new file counts.
    """
    folders = ["course_utils", "assignments", "benchmarks", "tests", "tools"]
    names = {"conftest"}
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        in_package = (path.parent / "__init__.py").exists()
        names.add(path.parent.name if in_package else path.stem)
    # A warning of the compiler or of pytest has a path in place of a name; a colon parts fields.
    paths = rf"{re.escape(str(ROOT)).replace(':', '.')}.({'|'.join(folders)})."
    ours = rf"{paths}|({'|'.join(sorted(names))})(\.|\Z)"
    # Before pyproject's, which can make exceptions; Python, too, leaves out what is deprecated.
    quiet = ["ignore::DeprecationWarning", "ignore::PendingDeprecationWarning"]
    config.getini("filterwarnings")[:0] = [*quiet, f"error:::{ours}"]


def pytest_collection_modifyitems(items):
    """Begin with the solved notebooks: begun last, one would keep one core at work alone."""
    items.sort(key=lambda item: "test_the_solutions_pass_their_checks_offline" not in item.nodeid)


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter):
    """Print how long each notebook took, slowest first."""
    seconds = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "duration"):
                properties = dict(getattr(report, "user_properties", []))
                name = properties.get("notebook") or report.nodeid.split("::")[0]
                if name.endswith(".ipynb"):
                    seconds[name] += report.duration
    if seconds:
        terminalreporter.section("time of each notebook")
        for name, time in sorted(seconds.items(), key=lambda item: -item[1]):
            terminalreporter.write_line(f"{time:6.1f} s  {name}")

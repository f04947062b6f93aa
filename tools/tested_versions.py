"""Note the versions that are installed here: `make tested` does it after every test was green.

data/tested_versions.txt has a line for each package, NAME==VERSION and nothing else. Lesson 00's
self-check compares an installation that fails with it; `pip install --constraint` takes it, too.
"""

import importlib.metadata as metadata
import platform
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

FILE = Path(__file__).resolve().parent.parent / "data" / "tested_versions.txt"
# The course itself, what installs, and what differs between the builds of PyTorch.
NOT_NOTED = ("course-utils", "pip", "setuptools", "wheel", "nvidia-", "cuda-", "triton")


def lines(distributions):
    """What is noted, sorted: no build of a version ("+cpu"), no address."""
    found = {
        canonicalize_name(package.name): Version(package.version).public
        for package in distributions
    }
    return [f"{name}=={found[name]}" for name in sorted(found) if not name.startswith(NOT_NOTED)]


def main():
    noted = lines(metadata.distributions())
    head = f"# Every test was green with these, on Python {platform.python_version()}."
    FILE.write_text("\n".join([head, *noted, ""]), "utf-8")
    print(f"{len(noted)} versions are noted in data/{FILE.name}.")


if __name__ == "__main__":
    main()

"""What several processes of one test run share."""

import os

from filelock import FileLock


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

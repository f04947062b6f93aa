"""Files that appear whole or not at all, and a sentence where they cannot be written."""

import contextlib
import os
from pathlib import Path


def checked(path):
    """`path` as a Path to a file in a folder that exists; raises an OSError with a sentence."""
    path = Path(path).expanduser()
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder: give the name of a file in it")
    if not path.parent.is_dir():
        folder = str(path.parent)
        raise FileNotFoundError(
            f"there is no folder {folder!r}: make it first, Path({folder!r}).mkdir(parents=True)"
        )
    return path


def write(path, data):
    """Write bytes in one piece: whoever reads sees the old file or the new one. Returns path.

    They are written beside it and renamed, which the operating system does at a stroke, also where
    the kernel is killed half-way. Raises an OSError with a sentence.
    """
    path = Path(path)
    # A short name of its own for every process: `path.name` may be as long as names can be.
    beside = path.with_name(f".{path.stem[:50]}.{os.getpid()}")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
    return path


def unwritable(path, error):
    """`error`, of the same kind and number, with a sentence that names the path and a way out."""
    reason = error.strerror or type(error).__name__
    said = type(error)(
        f"{str(path)!r} cannot be written ({reason}): choose another folder, or make room"
    )
    said.errno = error.errno
    return said

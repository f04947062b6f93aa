"""One download at a time, however many notebooks ask for it."""

import contextlib
import os
import sys

LOCK_PATIENCE = 600.0  # seconds to wait for another notebook's download before starting our own


@contextlib.contextmanager
def alone(folder):
    """Let one kernel download while others wait; go on without a lock where none can be had."""
    import filelock

    lock = filelock.FileLock(folder / ".lock")
    try:
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            print("Another notebook is downloading MNIST; waiting for it.", file=sys.stderr)
            lock.acquire(timeout=LOCK_PATIENCE)
    except (OSError, NotImplementedError):
        pass  # it only saves work: files appear whole, by os.replace
    try:
        yield lock.is_locked
    finally:
        if lock.is_locked:
            lock.release()
            with contextlib.suppress(OSError):
                os.unlink(lock.lock_file)

"""Downloads that do not hang, one notebook at a time, and say why where they fail."""

import contextlib
import errno
import os
import queue
import sys
import threading
import urllib.error
import urllib.request

PATIENCE = 5.0  # seconds that a server may stay silent
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
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


def require_answer(url):
    """Raise OSError unless url answers in PATIENCE seconds, all told: sockets time only a part.

    The look-up of a name, too, can hang for long: it is asked in a thread.
    """
    answers, request = queue.SimpleQueue(), urllib.request.Request(url, method="HEAD")

    def ask():
        try:
            urllib.request.urlopen(request, timeout=PATIENCE).close()
            answers.put(None)
        except urllib.error.HTTPError as error:
            error.close()
            answers.put(None)  # an answer, too
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        error = answers.get(timeout=PATIENCE)
    except queue.Empty:
        error = TimeoutError()
    if error is not None:
        raise error


def reason_of(error):
    """Say why a download failed; raise the error if it is the disk that failed."""
    cause = error
    while cause is not None:  # torchvision tries again over http, which can hide the first cause
        if getattr(cause, "errno", None) in DISK_FULL:
            raise cause
        cause = cause.__context__
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"HTTP error {error.code}"
    if not isinstance(error, OSError):
        return "a damaged file or something else (a login page?)"
    reason = getattr(error, "reason", error)
    late = isinstance(reason, TimeoutError)
    return f"no network ({f'no answer in {PATIENCE:g} s' if late else reason})"

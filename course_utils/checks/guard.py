"""Call a student's function so that nothing it does can stop the notebook."""

import ctypes
import dis
import linecache
import threading
import time
import traceback


class OutOfTime(BaseException):
    """Raised inside code that runs too long. Not an `Exception`: a broad `except` lets it pass."""


class Crash(Exception):
    """A student's code raised `error`; `line` is the line of theirs that it came from."""

    def __init__(self, error, line):
        super().__init__(f"{type(error).__name__}: {error}")
        self.error, self.line = error, line


def call(function, args, kwargs, seconds):
    """`function(*args, **kwargs)`, stopped after `seconds`.

    It runs in a thread of its own, into which an exception is thrown when time is up. That works
    in Jupyter and on Windows too, where signals do not help.

    Raises:
        OutOfTime: it was still running.
        Crash: it raised, or tried to end the program.
    """
    outcome = {}

    def run():
        try:
            outcome["value"] = function(*args, **kwargs)
        except OutOfTime:
            pass
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    # An exception thrown from outside can be swallowed by the code that runs, so throw it again.
    patience = time.monotonic() + 1
    while thread.is_alive() and time.monotonic() < patience:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(OutOfTime)
        )
        thread.join(0.05)
    if "error" in outcome:
        raise Crash(outcome["error"], _line_of(outcome["error"], function)) from None
    if "value" not in outcome:
        raise OutOfTime
    return outcome["value"]


def _line_of(error, function):
    """The student's own line that an error came from, as text, or "" if there is none."""
    written_in = getattr(getattr(function, "__code__", None), "co_filename", None)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == written_in:
            text = linecache.getline(frame.filename, frame.lineno).strip()
            return f"line {frame.lineno}: {text}" if text else f"line {frame.lineno}"
    return ""


def is_stub(function):
    """Whether a function has only a docstring and `...`, `pass` or `return None` for a body."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    idle = {"RESUME", "NOP", "CACHE", "LOAD_CONST", "POP_TOP", "RETURN_VALUE", "RETURN_CONST"}
    return all(step.opname in idle for step in dis.get_instructions(code)) and all(
        constant in (None, ..., function.__doc__) for constant in code.co_consts
    )

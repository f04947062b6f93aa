"""Call a student's function so that nothing it does can stop the notebook."""

import builtins
import contextlib
import ctypes
import dis
import io
import linecache
import os
import sys
import sysconfig
import threading
import time
import traceback
import types
from pathlib import Path

CHECKS = str(Path(__file__).resolve().parent.parent) + os.sep
PACKAGE = str(Path(CHECKS).parent) + os.sep
_PYTHON = sysconfig.get_path("stdlib") + os.sep
PRINTED = 4000  # as many characters of what an answer prints are shown
MESSAGE = 300  # and as many of an error's message
LOADING = 60  # seconds that may go by while modules are loaded, and are not a student's


class OutOfTime(BaseException):
    """Raised inside code that runs too long. Not an `Exception`: a broad `except` lets it pass.

    `busy`: whether the code goes on computing, since it could not be stopped.
    """

    busy = False


class _Parked(OutOfTime):
    """An exception that is never ready: the thread in which it is made sleeps instead.

    For code that catches whatever is thrown to stop it. It stays where it is, and costs nothing.
    """

    def __init__(self):
        while True:
            time.sleep(3600)


class Crash(Exception):
    """A student's code raised `error`; `line` is the line of theirs that it came from."""

    def __init__(self, error, line):
        message = message_of(error)
        super().__init__(f"{type(error).__name__}: {message}" if message else type(error).__name__)
        self.error, self.line = error, line


def message_of(error):
    """What an error says, in few words, whatever its class does when it is asked."""
    try:
        message = str(error)
    except Exception:
        return "(its message cannot be shown)"
    return message if len(message) <= MESSAGE else message[:MESSAGE].rstrip() + " …"


class Shortcut(Exception):
    """A student's code called something that was to be written by hand."""


def call(function, args, kwargs, seconds, without=()):
    """`function(*args, **kwargs)`, stopped after `seconds`.

    It runs in a thread of its own, into which an exception is thrown when time is up. That works
    in Jupyter and on Windows too, where signals do not help. The time in which it loads modules is
    not counted, nor, where the system tells it (Linux), that in which other programs kept it
    waiting.

    Raises:
        OutOfTime: it was still running.
        Crash: it raised, or tried to end the program.
        Shortcut: it called one of PyTorch's functions named in `without`, or the course's own.
    """
    if hasattr(type(function), "call_elsewhere"):  # in another process, which has its own guard
        return function.call_elsewhere(args, kwargs, seconds, without)
    outcome = {}

    def watch(frame, event, called):
        file = frame.f_code.co_filename
        if event == "c_call" and getattr(called, "__name__", "") in without:
            name, caller = called.__name__, frame
        elif event == "call" and file.startswith(PACKAGE) and not file.startswith(CHECKS):
            name, caller = f"course_utils' {frame.f_code.co_name}", frame.f_back
        else:
            return
        if _is_students(caller, run):
            outcome.setdefault("shortcut", name)

    def run():
        try:
            try:
                if without:
                    sys.setprofile(watch)
                outcome["value"] = function(*args, **kwargs)
                thread.left = True
            except OutOfTime:
                thread.left = True
            except BaseException as error:
                thread.left = True
                outcome["error"] = error
            finally:
                if without:
                    sys.setprofile(None)
            thread.let_arrive()
        except OutOfTime:  # the one that was on its way when the thread left
            pass

    thread = _Stoppable(target=run, daemon=True)
    thread.start()
    try:
        _wait(thread, seconds)
    finally:  # also where the student interrupts the kernel
        busy = _stop(thread)
    if "shortcut" in outcome:
        raise Shortcut(
            f"Your function calls {outcome['shortcut']}. Here it is to compute the answer itself."
        )
    if "error" in outcome:
        raise Crash(outcome["error"], _line_of(outcome["error"])) from None
    if "value" not in outcome:
        late = OutOfTime()
        late.busy = busy
        raise late
    return outcome["value"]


def _wait(thread, seconds):
    """Until it ends or has had its seconds.

    Not those in which other programs kept it waiting, nor those in which modules are loaded: the
    first optimizer of a process brings a thousand of them, and is no loop without end.
    """
    start, loading, modules = time.monotonic(), 0.0, len(sys.modules)
    while thread.is_alive():
        now = time.monotonic()
        left = start + seconds + loading + _queued(thread) - now
        if left <= 0:
            return
        thread.join(min(left, 0.1))
        if len(sys.modules) != modules and loading < LOADING:
            loading += time.monotonic() - now
        modules = len(sys.modules)


def _queued(thread):
    """Seconds in which a thread could not go on, all processors being busy; 0 if nobody counts."""
    try:  # https://docs.kernel.org/scheduler/sched-stats.html
        counted = Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text()
        return int(counted.split()[1]) / 1e9
    except (OSError, LookupError, ValueError):
        return 0.0


class _Stoppable(threading.Thread):
    """A thread into which an exception can be thrown until it has `left` the student's code.

    Python looks for what was thrown where a function is called and where a loop turns. So nothing
    can arrive between the end of the student's code and `left = True` in the line behind it, and at
    most one exception afterwards: one that was on its way. It must be let arrive: cleared instead,
    it would leave Python 3.11 looking for it for ever.
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.left, self._throwing = False, threading.Lock()

    def throw(self, exception):
        with self._throwing:
            if not self.left:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self.ident), ctypes.py_object(exception)
                )

    def let_arrive(self):
        """Called by the thread itself when it has left: afterwards nothing is on its way."""
        with self._throwing:
            pass


def _stop(thread):
    """Stop a thread, or at least put it to sleep. Returns: whether it still computes."""
    # An exception thrown from outside can be swallowed by the code that runs, so throw it again.
    patience, pause = time.monotonic() + 1, 0.05
    while thread.is_alive() and time.monotonic() < patience:
        thread.throw(OutOfTime)
        thread.join(pause)
        pause *= 1.5
    if not thread.is_alive():
        return False
    thread.throw(_Parked)
    thread.join(0.1)
    before = time.process_time()
    thread.join(0.2)
    return thread.is_alive() and time.process_time() - before > 0.05


def _is_students(frame, run):
    """Whether a call was made by a student's code, and not by a check that tries it out."""
    while _is_library(frame.f_code.co_filename):
        frame = frame.f_back
    return frame.f_code is run.__code__ or not frame.f_code.co_filename.startswith(PACKAGE)


def _is_library(filename, course=None):
    """Whether a file belongs to Python or an installed package; to the course's only if given."""
    if filename.startswith(PACKAGE):
        return course is not None
    installed = "site-packages" in filename or "dist-packages" in filename
    return installed or filename.startswith((_PYTHON, "<frozen"))


def _line_of(error):
    """The student's own line that an error came from, as text, or "" if there is none.

    It may stand in another cell than the function that was called: every cell has its own file.
    """
    trace = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in reversed(trace) if not _is_library(frame.filename, PACKAGE)]
    for frame in own:
        if text := linecache.getline(frame.filename, frame.lineno).strip():
            return f"line {frame.lineno}: {text}"
    return f"line {own[0].lineno}" if own else ""


def is_stub(function):
    """Whether a function has only a docstring and `...`, `pass` or `return None` for a body."""
    try:
        code = function.__code__
    except Exception:
        return False
    if not isinstance(code, types.CodeType):
        return False
    idle = {"RESUME", "NOP", "CACHE", "LOAD_CONST", "POP_TOP", "RETURN_VALUE", "RETURN_CONST"}
    return all(step.opname in idle for step in dis.get_instructions(code)) and all(
        constant in (None, ..., function.__doc__) for constant in code.co_consts
    )


class _Heard(io.TextIOBase):
    """What is printed while an answer is tried: its beginning, and how much more there was."""

    def __init__(self):
        self.text, self.lines_left_out = "", 0

    def write(self, text):
        room = PRINTED - len(self.text)
        self.text += text[:room]
        self.lines_left_out += text[room:].count("\n")
        return len(text)

    def writable(self):
        return True


def _ask(prompt=""):
    raise EOFError("input() has nobody to ask here: a check passes everything as arguments")


@contextlib.contextmanager
def listening():
    """Print what an answer prints, but no flood of it; `input()` raises instead of waiting.

    It is printed at the end and from outside, since not every version of Jupyter shows what another
    thread prints below the cell that started it.
    """
    heard, asks = _Heard(), builtins.input
    builtins.input = _ask
    try:
        with contextlib.redirect_stdout(heard):
            yield
    finally:
        builtins.input = asks
        if left_out := heard.lines_left_out:
            heard.text = heard.text[: heard.text.rfind("\n") + 1]
            heard.text += f"… {left_out} more printed lines are left out.\n"
        print(heard.text, end="")

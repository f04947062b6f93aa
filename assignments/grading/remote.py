"""A student's names, as the tests see them: values are copied, functions are called over there.

The tests run here, in the grader's process; the student's code in a process of its own. Between
them go files with tensors, numbers and text, read with torch's loader that admits nothing else.
"""

import io
import marshal
import os
import pickle
import types
import zipfile
from pathlib import Path

import torch

from course_utils.assignments import budget
from course_utils.checks.engine import guard

LARGEST = 200_000_000  # bytes that an answer may have


class Unanswered(Exception):
    """The student's process has no such name, or does not answer; the message says which."""


class Remote:
    """A function of the student's. Calling it calls the student's, with what `plain` can carry."""

    def __init__(self, name, ask, stub=False):
        self.__name__, self._ask, self._stub = name, ask, stub

    def __call__(self, *args, **kwargs):
        return self.call_elsewhere(args, kwargs, 20.0)

    def call_elsewhere(self, args, kwargs, seconds, without=()):
        """As `guard.call` would: the value, or the exception that it raises."""
        if self._stub:
            return NotImplemented
        reply = self._ask(
            {
                "kind": "call",
                "name": self.__name__,
                "args": tuple(_portable(value) for value in args),
                "kwargs": {name: _portable(value) for name, value in kwargs.items()},
                "seconds": seconds,
                "without": tuple(without),
            },
            seconds + 5,
        )
        kind = reply.get("kind")
        if kind == "out of time":
            raise guard.OutOfTime
        if kind == "shortcut":
            raise guard.Shortcut(reply["text"])
        if kind == "crash":
            known = {"NotImplementedError": NotImplementedError, "TypeError": TypeError}
            name = str(reply["type"])
            kind = known.get(name) or type(name, (Exception,), {})
            raise guard.Crash(kind(*filter(None, [str(reply["text"])])), str(reply["line"]))
        _copy_back(args, reply["args"])
        _copy_back(tuple(kwargs.values()), tuple(reply["kwargs"].values()))
        return _received(reply["value"])


def fetch(name, ask):
    """What the student's process has under `name`. Raises: Unanswered, if nothing."""
    reply = ask({"kind": "fetch", "name": name}, 20)
    kind = reply.get("kind")
    if kind == "value":
        return _received(reply["value"])
    if kind == "network" and reply["packed"] is not None:
        try:
            return budget.unpack(reply["packed"])
        except Exception:  # not of torch's own layers: it can be called all the same
            return Remote(name, ask)
    if kind in ("function", "network"):
        return Remote(name, ask, bool(reply.get("stub")))
    raise Unanswered(
        f"`{name}` is not there. Was its cell deleted or renamed, or did it stop with an error?"
    )


def exchange(folder, request, run):
    """Write a request, let `run()` have it answered, and read the answer, as data only."""
    folder = Path(folder)
    reply = folder / "reply"
    reply.unlink(missing_ok=True)
    (folder / "request").write_bytes(pickle.dumps(request))
    run()
    try:
        with open(os.open(reply, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(LARGEST + 1)
    except OSError:  # it was not written, or is a link to something else
        raise guard.OutOfTime from None
    with zipfile.ZipFile(io.BytesIO(content)) as parts:  # as torch.save writes it
        size = max(size, sum(part.file_size for part in parts.infolist()))
    if size > LARGEST:
        raise Unanswered(f"`{request['name']}` gave more than {LARGEST // 10**6} MB.")
    found = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    return found if isinstance(found, dict) else {}


def _portable(value):
    """A function as its code, which fits the same version of Python on the other side."""
    if isinstance(value, types.FunctionType):
        return ("a function's code", marshal.dumps(value.__code__))
    return value


def _received(value):
    if isinstance(value, dict) and "__kind__" in value:
        if value["__kind__"] == "not attempted":
            return NotImplemented
        return type(str(value.get("type")), (), {})()
    if isinstance(value, list | tuple):
        return type(value)(_received(part) for part in value)
    if isinstance(value, dict):
        return {name: _received(part) for name, part in value.items()}
    return value


def _copy_back(mine, theirs):
    """Let a tensor that was changed over there be seen changed here."""
    for one, other in zip(mine, theirs, strict=False):
        if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
            if one.shape != other.shape:
                one.resize_(0)
            elif not torch.equal(one, other):
                with torch.no_grad():
                    one.copy_(other)

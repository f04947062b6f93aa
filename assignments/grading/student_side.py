"""What the grader asks of a student's process: a value by its name, or a call of a function.

Runs beside the student's code and so is trusted with nothing: it knows no test and no right answer,
and what it sends back is data, which the other side (`remote.py`) reads as such.
"""

import importlib
import marshal
import pickle
import random
import socket
import types
from pathlib import Path

# torch._dynamo is what the first optimizer imports, and takes longest.
COMMON = ("torch._dynamo", "matplotlib.pyplot", "ipykernel.kernelapp", "ipykernel.ipkernel")
COMMON += tuple(f"course_utils.{name}" for name in ("assignments.budget", "plotting"))
PRINTED = 2_000_000  # characters that a notebook may print before it is stopped


def load():
    """Import what nearly every notebook imports."""
    for name in COMMON:
        importlib.import_module(name)


def prepare():
    """Make a run repeatable, and bounded in what it prints. Called before the kernel starts."""
    import numpy as np
    import torch
    from ipykernel.iostream import OutStream

    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 (the global generator is what a student may use)
    torch.manual_seed(0)
    written, plain_write = [0], OutStream.write

    def write(stream, text):
        written[0] += len(text)
        if written[0] > PRINTED:
            written[0] = 0
            plain_write(stream, "\n[stopped: the notebook printed too much]\n")
            raise RuntimeError(f"stopped: more than {PRINTED:,} characters were printed")
        return plain_write(stream, text)

    def no_network(*args, **kwargs):
        raise OSError("there is no network while a notebook is graded")

    OutStream.write = write
    socket.getaddrinfo = socket.create_connection = no_network


def work(folder):
    """Answer the request in `folder`, in the student's kernel."""
    import torch
    from IPython import get_ipython

    request = pickle.loads((Path(folder) / "request").read_bytes())
    names = get_ipython().user_ns
    if request["kind"] == "fetch":
        reply = _describe(names, request["name"])
    else:
        reply = _call(names[request["name"]], request)
    torch.save(reply, Path(folder) / "reply")


def _describe(names, name):
    import torch

    from course_utils.checks.engine import guard

    if name not in names:
        return {"kind": "missing"}
    value = names[name]
    if isinstance(value, torch.nn.Module):
        return {"kind": "network", "packed": _packed(value)}
    if callable(value):
        return {"kind": "function", "stub": guard.is_stub(value), "type": type(value).__name__}
    return {"kind": "value", "value": plain(value)}


def _packed(network):
    try:
        from course_utils.assignments import budget

        return budget.pack(network)
    except Exception:
        return None


def _call(function, request):
    import torch

    from course_utils.checks.engine import guard

    args = tuple(_resolved(value) for value in request["args"])
    kwargs = {name: _resolved(value) for name, value in request["kwargs"].items()}
    if isinstance(function, torch.nn.Module):
        function = _in_eval_mode(function)
    try:
        value = guard.call(function, args, kwargs, request["seconds"], request["without"])
    except guard.OutOfTime:
        return {"kind": "out of time"}
    except guard.Shortcut as shortcut:
        return {"kind": "shortcut", "text": str(shortcut)}
    except guard.Crash as crash:
        name, _, text = str(crash).partition(": ")
        return {"kind": "crash", "type": name, "text": text, "line": crash.line}
    return {"kind": "value", "value": plain(value), "args": plain(args), "kwargs": plain(kwargs)}


def _resolved(value):
    """An argument as it was over there: a function is made again from its code."""
    if isinstance(value, tuple) and value[:1] == ("a function's code",):
        return types.FunctionType(marshal.loads(value[1]), _usual_names(), "function")
    return value


def _usual_names():
    import math

    import torch
    import torch.nn.functional as F

    return {"torch": torch, "F": F, "math": math}


def _in_eval_mode(network):
    from course_utils._modes import evaluating

    def answer(*args, **kwargs):
        with evaluating(network):
            return network(*args, **kwargs)

    return answer


def plain(value, depth=0):
    """A value as tensors, numbers, texts and containers of them; else what it is called."""
    import numpy as np
    import torch

    if isinstance(value, torch.Tensor):
        return torch.as_tensor(value.detach().to("cpu").to_dense()).clone().contiguous()
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, bool | int | float | complex | str | type(None)):
        return value if not isinstance(value, str) else value[:100_000]
    if value is ... or value is NotImplemented:
        return {"__kind__": "not attempted"}
    if depth < 20:
        if isinstance(value, list | tuple):
            kind = list if isinstance(value, list) else tuple
            return kind(plain(part, depth + 1) for part in value)
        if isinstance(value, dict):
            return {str(k): plain(part, depth + 1) for k, part in value.items()}
    return {"__kind__": "other", "type": type(value).__name__}

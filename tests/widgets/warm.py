"""Run pytest many times, each in a process of its own that begins with the libraries imported.

Half of the time of a short test is `import torch`. So one process imports it and divides.
"""

import contextlib
import json
import os
import subprocess
import sys


def serve():
    """For each line, a folder, arguments and a file: run pytest there, write what it returned."""
    import hypothesis  # noqa: F401
    import matplotlib.figure  # noqa: F401
    import torchvision  # noqa: F401

    for line in sys.stdin:
        folder, arguments, log = json.loads(line)
        pid = os.fork()
        if not pid:
            _run(folder, arguments, log)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _run(folder, arguments, log):
    import pytest

    code = 70
    try:
        os.chdir(folder)
        sys.path.insert(0, folder)
        with open(log, "w", encoding="utf-8") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            code = int(pytest.main(arguments))
    finally:
        os._exit(code)


@contextlib.contextmanager
def pytest_elsewhere():
    """Gives `run(folder, arguments)`, which returns pytest's exit status and what it printed."""
    # As at a command line: the folder of this file is not the place to import from.
    start = "import runpy, sys; sys.path.pop(0); runpy.run_path(sys.argv[1])['serve']()"
    line = [sys.executable, "-c", start, __file__]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    hidden = {k: v for k, v in os.environ.items() if k != "PYTHONPATH" and "PYTEST" not in k}
    with subprocess.Popen(line, env=hidden, **pipes) as server:

        def run(folder, arguments):
            log = os.path.join(folder, "pytest.log")
            print(json.dumps([str(folder), arguments, log]), file=server.stdin, flush=True)
            code = int(server.stdout.readline())
            with open(log, encoding="utf-8") as file:
                return code, file.read()

        yield run
        server.stdin.close()

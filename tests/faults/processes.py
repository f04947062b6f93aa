"""Kernels that can be interrupted and killed: processes that begin with torch imported."""

import multiprocessing
import signal
import time

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["torch", "torchvision.datasets", "course_utils.data", "mirrors"])


def _run(pipe, function, arguments):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # `make test &` ignores it
    pipe.send("begun")
    pipe.send(function(*arguments))


class Child:
    def __init__(self, function, arguments):
        self._pipe, theirs = _context.Pipe()
        self._process = _context.Process(target=_run, args=(theirs, function, arguments))
        self._process.start()
        theirs.close()
        assert self._pipe.recv() == "begun"
        self.pid = self._process.pid

    def wait_for(self, happened):
        """Wait until `happened()`; a child that ends before is an error."""
        while not happened():
            assert self._process.is_alive(), "it ended too early"
            time.sleep(0.001)

    def kill(self):
        self._process.kill()
        self._process.join()

    def result(self):
        """What the function returned."""
        result = self._pipe.recv()
        self._process.join()
        return result


def start(function, *arguments):
    """Run `function`, which stands at the top of a module, in a process of its own."""
    return Child(function, arguments)

"""Stop a student's process that takes too much memory or time, and all that it started."""

import contextlib
import threading
import time

import psutil

EVERY = 0.1  # seconds between two looks


class Watch(threading.Thread):
    """Looks after one process until `end`. `.reason` says why it was stopped, else None."""

    def __init__(self, process_id, folder, memory, seconds):
        super().__init__(daemon=True)
        self.folder = str(folder)
        self.process = psutil.Process(process_id)
        self.memory, self.seconds, self.until = memory, seconds, time.monotonic() + seconds
        self.reason = None
        self._over = threading.Event()

    def run(self):
        while not self._over.wait(EVERY) and self.process.is_running():
            if time.monotonic() > self.until:
                return self.stop(f"the notebook ran for more than {self.seconds:g} seconds")
            if self._used() > self.memory:
                return self.stop(f"it used more than {self.memory / 1e9:g} GB of memory")
        return None

    def stop(self, reason):
        """Kill the process and its children; the first reason stays."""
        self.reason = self.reason or reason
        kill(family(self.process))

    def end(self):
        """Stop looking, and kill what is left, also what has made itself independent."""
        self._over.set()
        self.join()
        kill([*family(self.process), *self._strays()])

    def _strays(self):
        """Processes that work in the student's folder, whoever their parent is by now."""
        strays = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.cwd().startswith(self.folder):
                    strays.append(process)
        return strays

    def _used(self):
        used = 0
        for process in family(self.process):
            with contextlib.suppress(psutil.Error):
                used += process.memory_info().rss
        return used


def family(process):
    """A process and all that it started and that still runs."""
    with contextlib.suppress(psutil.Error):
        return [process, *process.children(recursive=True)]
    return []


def kill(processes):
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()

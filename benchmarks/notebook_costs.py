"""What each notebook costs: seconds and memory, run from top to bottom as a student would.

    python benchmarks/notebook_costs.py                     # some five minutes a round
    python benchmarks/notebook_costs.py --lessons 06 12     # only these, printed and not stored
    python benchmarks/notebook_costs.py --cells 10          # and which cells take the time
    ROUNDS=1 python benchmarks/notebook_costs.py

Every notebook of notebooks/ runs in a kernel of its own, one after the other, with as many threads
as PyTorch takes by itself; and once more all of them side by side, one on each core with one
thread, as tests run them. On MNIST where it is here, else on the embedded digits.

    seconds   from the start of the kernel to the end of the last cell
    memory    of the kernel and all processes it starts, looked at 20 times a second: the sum of
              their proportional set sizes (a page that two share counts half for each), at its
              highest; and the kernel's own highest resident set, which the system keeps (VmHWM)

A section of benchmarks/RESULTS.md is written.
"""

import contextlib
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from results import keep, load, machine, options, spread, table, write_section

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
INTERVAL = 0.05  # seconds between two looks at the memory
IMPORTS_PYTORCH = re.compile(r"^(import|from) torch\b", re.M)
TARGET_SECONDS, TARGET_BYTES = 240, 2 * 2**30  # of all notebooks together; of each


class Memory:
    """Watches from a thread what is started meanwhile: `with Memory() as memory: …`.

    A process that this one had started before, and whatever it starts, is somebody else's.

    peak: bytes, the highest sum over all of them. kernel: bytes, the highest resident set of the
    first of them. looks: how often it looked.
    """

    def __init__(self):
        self.peak, self.kernel, self.looks = 0, 0, 0
        self._before = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._before = psutil.Process().children()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _watch(self):
        while not self._done.wait(INTERVAL):
            self.look()

    def processes(self):
        """The processes that are watched and still run; what this one started, eldest first."""
        started = [child for child in psutil.Process().children() if child not in self._before]
        started.sort(key=psutil.Process.create_time)
        below = []
        for child in started:
            with contextlib.suppress(psutil.Error):  # it has ended meanwhile
                below += child.children(recursive=True)
        return started + below

    def processor_time(self):
        """Seconds of processor time that they have had so far."""
        total = 0.0
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
                # Those that have ended stand in the books of the process that started them.
                total += getattr(times, "children_user", 0) + getattr(times, "children_system", 0)
        return total

    def look(self):
        """Look once."""
        with contextlib.suppress(psutil.Error):
            processes = self.processes()
            self.peak = max(self.peak, sum(map(memory_of, processes)))
            for first in processes[:1]:
                self.kernel = max(self.kernel, highest_resident_set(first))
            self.looks += 1


def memory_of(process):
    """The bytes of a process: its proportional set size, its resident set where there is none."""
    try:
        return process.memory_full_info().pss
    except (AttributeError, psutil.AccessDenied):
        return process.memory_info().rss
    except psutil.Error:  # it has ended meanwhile
        return 0


def highest_resident_set(process):
    """The most bytes that a process ever had in memory; those of now, where no system counts."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return process.memory_info().rss


def run(path):
    """Run a notebook. Returns: {"seconds", "ready", "peak", "kernel" (bytes), "looks", "cells"}.

    "ready" are the seconds until the first cell that imports PyTorch has ended. Each entry of
    "cells" is (seconds, seconds of processor time, the cell's code).
    """
    notebook = nbformat.read(path, as_version=4)
    cells, began_cell, ended, ready = [], {}, [], []

    def at_start(cell, cell_index):
        began_cell[cell_index] = time.perf_counter(), memory.processor_time()

    def at_end(cell, cell_index, execute_reply):
        ended.append(time.perf_counter())
        wall, processor = began_cell[cell_index]
        cells.append((ended[-1] - wall, memory.processor_time() - processor, cell.source))
        if IMPORTS_PYTORCH.search(cell.source):
            ready.append(ended[-1])

    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=900,
        on_cell_execute=at_start,
        on_cell_executed=at_end,
        shutdown_kernel="immediate",
        extra_arguments=["--log-level=ERROR"],  # no warning that the channel is not encrypted
        resources={"metadata": {"path": str(path.parent)}},
    )
    began = time.perf_counter()
    with Memory() as memory:
        try:
            client.execute()
        except (CellExecutionError, DeadKernelError, AssertionError) as error:
            # nbclient trips over its own assertion when a kernel is killed.
            sys.exit(f"{path.name} does not run to its end, so it has no time: {error}")
    return {
        "seconds": ended[-1] - began,
        "ready": (ready or ended)[0] - began,
        "peak": memory.peak,
        "kernel": memory.kernel,
        "looks": memory.looks,
        "cells": cells,
    }


def side_by_side(paths):
    """Seconds that the notebooks take together, begun in this order, one on each core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    context = multiprocessing.get_context("spawn")
    began = time.perf_counter()
    with ProcessPoolExecutor(cores, context, initializer=_one_thread) as pool:
        list(pool.map(_seconds, paths))
    return time.perf_counter() - began


def _one_thread():
    os.environ["OMP_NUM_THREADS"] = "1"


def _seconds(path):
    return run(path)["seconds"]


def source_of_the_digits():
    """The data set's name; it is downloaded now, if it has to be.

    Asked in another process: one here with PyTorch would share its pages with the kernels, and so
    halve their share.
    """
    code = "from course_utils import data; print(data.load_digits().source)"
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()[-1]


def slowest_cells(runs, most):
    """The cells of one notebook that take longest, as lines: median seconds and the code."""
    medians = []
    for number, versions in enumerate(zip(*(one["cells"] for one in runs), strict=True), 1):
        seconds, processor = (statistics.median(cell[i] for cell in versions) for i in (0, 1))
        medians.append((seconds, processor, number, versions[0][2]))
    return [
        f"    {seconds:6.2f} s ({processor:.2f} of the processor's) [{number}] "
        + " / ".join(source.splitlines())[:100]
        for seconds, processor, number, source in sorted(medians, reverse=True)[:most]
    ]


def gigabytes(size):
    return size / 2**30


def report(runs, together, source, packages, rounds, load_at_start):
    """The section of RESULTS.md; `together` are the seconds of all notebooks side by side."""
    rows, total, ready = [], 0.0, 0.0
    for name, costs in runs.items():
        seconds = [one["seconds"] for one in costs]
        peak = [gigabytes(one["peak"]) for one in costs]
        kernel = [gigabytes(one["kernel"]) for one in costs]
        total += statistics.median(seconds)
        ready += statistics.median(one["ready"] for one in costs)
        rows.append([name, spread(seconds), spread(peak, 2), spread(kernel, 2)])
    largest = max(max(one["peak"], one["kernel"]) for costs in runs.values() for one in costs)
    data_set = "MNIST" if source == "mnist" else "the embedded digits (MNIST was not here)"
    header = ["notebook", "seconds", "GiB, kernel and its processes", "GiB, kernel alone"]
    looks = sum(one["looks"] for costs in runs.values() for one in costs)
    seconds = sum(one["seconds"] for costs in runs.values() for one in costs)
    return f"""
## Notebooks

`python benchmarks/notebook_costs.py`; {machine(*packages)}
On {data_set}; load of the machine at the start: {load_at_start}. Medians (least–most) of
{rounds} {"round" if rounds == 1 else "rounds"}.

{table(header, rows)}

All {len(rows)}, side by side on all cores: {together:.0f} s. The target is {TARGET_SECONDS} s on
two cores: {"met" if together <= TARGET_SECONDS else "not met"}. One after the other: {total:.0f} s;
{ready:.0f} s of them pass until the kernels have started and PyTorch is imported.
The largest takes {gigabytes(largest):.2f} GiB. The target is {gigabytes(TARGET_BYTES):.0f} GiB: \
{"met" if largest <= TARGET_BYTES else "not met"}.

The stored notebooks, unsolved, one after the other, each in a kernel of its own, with as many
threads as PyTorch takes by itself. Seconds from the start of the kernel to the end of the last
cell. Memory: the sum of the proportional set sizes of the kernel and all its processes, at its
highest of {looks / seconds:.0f} looks a second; and the kernel's highest resident set, which the
system keeps and which counts every shared library in full.
"""


def main():
    parser = options(__doc__.splitlines()[0], "one round of lesson 00 alone, which is stored")
    parser.add_argument("--lessons", nargs="+", help="numbers of lessons; nothing is stored then")
    parser.add_argument("--cells", type=int, default=0, help="print so many of the slowest cells")
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", 3)))
    arguments = parser.parse_args()
    chosen = ["00"] if arguments.quick else arguments.lessons
    rounds = 1 if arguments.quick else arguments.rounds
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    if chosen:
        paths = [path for path in paths if path.name.split("_")[0] in chosen]
    if not paths or rounds < 1:
        sys.exit(f"Nothing to run: lessons {chosen}, rounds {rounds}. Lessons are 00, 01, …")
    load_at_start = load()
    source = source_of_the_digits()
    runs = {path.stem: [] for path in paths}
    for number in range(rounds):
        for path in paths:
            cost = run(path)
            runs[path.stem].append(cost)
            print(
                f"{number + 1}/{rounds} {path.stem}: {cost['seconds']:.1f} s, "
                f"{gigabytes(cost['peak']):.2f} GiB (kernel {gigabytes(cost['kernel']):.2f})",
                flush=True,
            )
            if arguments.cells and number == rounds - 1:
                print("\n".join(slowest_cells(runs[path.stem], arguments.cells)), flush=True)
    longest_first = sorted(paths, key=lambda path: -runs[path.stem][0]["seconds"])
    together = side_by_side(longest_first)
    packages = ("torch", "jupyterlab", "ipykernel", "nbclient")
    text = report(runs, together, source, packages, rounds, load_at_start)
    print(text)
    if arguments.lessons and not arguments.quick:
        return
    write_section("notebook_costs", text, arguments.output)
    names = ("seconds", "ready", "peak", "kernel")
    figures = {
        stem: {name: [one[name] for one in costs] for name in names} for stem, costs in runs.items()
    }
    measured = {"source": source, "together": together, "notebooks": figures}
    keep("notebook_costs", measured, arguments.output)


if __name__ == "__main__":
    main()

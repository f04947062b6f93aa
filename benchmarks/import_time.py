"""How long `import course_utils` takes, and what each of its modules costs when first used.

    python benchmarks/import_time.py           # some three minutes

Every import happens in a fresh interpreter and is timed inside it; the contestants take turns. The
whole life of an interpreter is timed, too, with the import and without. The modules are imported
after PyTorch, which nearly all of them need, so its time stands apart.
A section of benchmarks/RESULTS.md is written.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from results import keep, load, machine, options, spread, table, write_section

import course_utils

ROOT = Path(__file__).resolve().parent.parent
TARGET = 0.050  # seconds, for the package itself
PACKAGE_ROUNDS, MODULE_ROUNDS = 30, 3
YARDSTICKS = ("torch", "torchvision", "matplotlib.pyplot")


def seconds_of(statement, before="pass"):
    """Seconds that `statement` takes in a fresh interpreter, after `before`."""
    code = (
        f"import time; {before}; began = time.perf_counter(); {statement}; "
        "print(time.perf_counter() - began)"
    )
    line = [sys.executable, "-c", code]
    return float(subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def life_of(statement):
    """Seconds from the start of an interpreter that executes `statement` to its end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True)
    return time.perf_counter() - began


def measure_package(rounds):
    """{"course_utils", "with", "without"}: seconds, one of each per round."""
    times = {"course_utils": [], "with": [], "without": []}
    for _ in range(rounds):
        times["course_utils"].append(seconds_of("import course_utils"))
        times["with"].append(life_of("import course_utils"))
        times["without"].append(life_of("pass"))
    return times


def measure_modules(names, rounds, yardsticks=YARDSTICKS):
    """Seconds of each import, one per round: of libraries alone, of our modules after PyTorch."""
    imports = {name: (f"import {name}", "pass") for name in yardsticks}
    imports |= {
        f"course_utils.{name}": (f"import course_utils.{name}", "import torch") for name in names
    }
    times = {name: [] for name in imports}
    for number in range(rounds):
        for name, (statement, before) in imports.items():
            times[name].append(seconds_of(statement, before))
        print(f"{number + 1}/{rounds} rounds of modules", flush=True)
    return times


def report(package, modules, load_at_start):
    """The section of RESULTS.md."""
    milliseconds = {
        n: [1000 * one for one in all_of] for n, all_of in {**package, **modules}.items()
    }
    middle = statistics.median(milliseconds["course_utils"])
    more = statistics.median(
        a - b for a, b in zip(milliseconds["with"], milliseconds["without"], strict=True)
    )
    rows = [
        ["`import course_utils`", spread(milliseconds["course_utils"])],
        ["an interpreter that imports it, from start to end", spread(milliseconds["with"])],
        ["an interpreter that does nothing, from start to end", spread(milliseconds["without"])],
    ]
    costs = sorted(modules, key=lambda name: -statistics.median(modules[name]))
    libraries = [[f"`{n}` alone", spread(milliseconds[n], 0)] for n in costs if n in YARDSTICKS]
    ours = [
        [f"`{n}`, after `torch`", spread(milliseconds[n], 0)] for n in costs if n not in YARDSTICKS
    ]
    met = "met" if middle <= 1000 * TARGET else "not met"
    return f"""
## Import

`python benchmarks/import_time.py`; {machine("torch", "torchvision", "matplotlib")}
Load of the machine at the start: {load_at_start}.

{table(["", "ms: median (least–most)"], rows)}

`import course_utils` takes {middle:.1f} ms; an interpreter's life grows by {more:.1f} ms (median of
the differences). The target is {1000 * TARGET:.0f} ms: {met}. It loads no library; each of its
modules loads what it needs when it is first used:

{table(["", "ms: median (least–most)"], libraries + ours)}

Fresh interpreters, timed inside; files are in the system's cache. {len(package["with"])} rounds for
the package and {len(modules["torch"])} for the modules, in turns.
"""


def main():
    parser = options(__doc__.splitlines()[0], "three rounds, and one module of course_utils")
    arguments = parser.parse_args()
    load_at_start = load()
    names = ["ops"] if arguments.quick else course_utils.__all__
    seconds_of("import course_utils")  # so that the files are compiled and in the cache
    package = measure_package(3 if arguments.quick else PACKAGE_ROUNDS)
    modules = measure_modules(
        names,
        1 if arguments.quick else MODULE_ROUNDS,
        YARDSTICKS[:1] if arguments.quick else YARDSTICKS,
    )
    text = report(package, modules, load_at_start)
    write_section("import_time", text, arguments.output)
    keep("import_time", {"package": package, "modules": modules}, arguments.output)
    print(text)


if __name__ == "__main__":
    main()

"""Where the benchmarks put what they measured: sections of RESULTS.md, and figures in results.json.

A benchmark ends with two calls, one for people and one for the plot and the table of targets:

    write_section("import_time", text)
    keep("import_time", {"course_utils": [0.031, 0.033, …]})

`python benchmarks/overview.py` draws the plot and writes the table from what was kept, whichever
benchmarks ran. Another page than RESULTS.md has its own figures beside it: `try.md` and `try.json`.
"""

import argparse
import json
import os
import platform
import re
import statistics
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
TITLE = "# Measured\n"


def write_section(name, text, page=RESULTS, first=False):
    """Replace the section `name` of `page`; a new one goes to the end, or the top if `first`."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    old = page.read_text(encoding="utf-8") if page.exists() else TITLE
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if pattern.search(old):
        new = pattern.sub(lambda _: section, old)
    elif first:
        title, _, rest = old.partition("\n")
        new = f"{title}\n\n{section}\n\n{rest.strip()}".rstrip() + "\n"
    else:
        new = f"{old.rstrip()}\n\n{section}\n"
    _replace(page, new)


def keep(name, figures, page=RESULTS):
    """Store the figures of one benchmark beside `page`, in place of those it had before.

    figures: numbers, texts, and lists and dicts of them. They are stored as measured, each
    repetition, and nothing is rounded but digits that no clock has. `overview.py` expects of
    "time_to_99": {"runs": {contestant: [[seconds, accuracy] of each seed]}, "usual": [[seconds so
    far, accuracy] of each epoch]}.
    """
    path = figures_of(page)
    everything = kept(page)
    everything[name] = _rounded(figures)
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(everything[key])}" for key in everything)
    _replace(path, f"{{\n{lines}\n}}\n")


def kept(page=RESULTS):
    """All figures kept beside `page`, as {benchmark: figures}; empty if there are none."""
    path = figures_of(page)
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def figures_of(page):
    """The file of a page's figures: results.json for RESULTS.md."""
    return page.with_name(f"{page.stem.lower()}.json")


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(one) for one in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _replace(path, text):
    """Write a file whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def options(description, quick):
    """A parser with the two options that every benchmark here has; `quick` says what it leaves."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument(
        "--output", type=Path, default=RESULTS, help="another page than benchmarks/RESULTS.md"
    )
    return parser


def table(header, rows):
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def spread(values, digits=1):
    """The median and the extremes of `values`, as one text: "5.1 (4.8–6.0)"."""
    middle = statistics.median(values)
    return f"{middle:.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def machine(*packages):
    """The processor, its cores and the versions of `packages`, in one line."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = re.findall(r"model name\s*: (.+)", info.read_text())
        processor = names[0] if names else processor
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return (
        f"{processor}, {cores} cores, {platform.system()}; Python "
        f"{platform.python_version()}{', ' if versions else ''}{versions}."
    )


def load():
    """How many processes wanted a core in the last minute, as a text; "unknown" on Windows."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"

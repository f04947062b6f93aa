"""What the installation costs a student: `make lab` in an empty clone, until JupyterLab answers.

    python benchmarks/install.py                      # some five minutes, and gigabytes to download
    TORCH_INDEX=address python benchmarks/install.py  # with PyTorch from another index

Twice, each time in a clone of its own: first with nothing downloaded before, then with everything
in the caches of pip and uv, which leaves the installation alone. What the build of PyTorch that was
not installed costs comes by arithmetic. A section of benchmarks/RESULTS.md is written.
"""

import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from results import keep, load, machine, options, table, write_section

ROOT = Path(__file__).resolve().parent.parent
TARGET_BYTES, TARGET_SECONDS = 1.6e9, 60  # of .venv with the small build; beside the download
UNITS = {"kB": 1e3, "KiB": 2**10, "MB": 1e6, "MiB": 2**20, "GB": 1e9, "GiB": 2**30}
# PyTorch's own wheel for the processor (Linux, x86-64, CPython 3.11), version 2.13.0+cpu: the bytes
# of the file in its index, and of what it unpacks to.
SMALL_TORCH = {"download": 191_794_682, "installed": 699_298_109}
LARGE = ("nvidia-", "cuda-", "triton")  # what the ordinary build needs beside itself, on Linux


def until_it_answers(clone, caches):
    """Run `make lab` in a clone until the server answers. Returns: (seconds, what it said)."""
    kept = {"PIP_CACHE_DIR": str(caches / "pip"), "UV_CACHE_DIR": str(caches / "uv")}
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    log = clone.with_suffix(".log")
    line = ["make", "lab", f"PYTHON={sys._base_executable}", "PORT=8990"]
    began = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(
            line,
            cwd=clone,
            env={**environment, **kept},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not (found := re.search(r"http://\S+/lab\S*\?token=\w+", log.read_text("utf-8"))):
            if process.poll() is not None:
                sys.exit(f"make lab ended:\n{log.read_text('utf-8')[-3000:]}")
            time.sleep(0.1)
        with urllib.request.urlopen(found[0], timeout=60) as answer:
            answer.read()
        return time.monotonic() - began, log.read_text("utf-8")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def downloaded(said):
    """The bytes that pip and uv fetched, by what they say; wheels that lay on disk count, too."""
    sizes = re.findall(r"Downloading \S+ \(([\d.]+) ?(kB|KiB|MB|MiB|GB|GiB)\)", said)
    local = re.findall(r"Processing (/\S+\.whl)", said)
    local += re.findall(r"Downloading file://(/\S+\.whl)", said)
    found = sum(float(number) * UNITS[unit] for number, unit in sizes)
    return round(found) + sum(Path(path).stat().st_size for path in local)


def packages(clone):
    """What is installed: {name: bytes on disk}."""
    (place,) = (clone / ".venv").glob("lib/python*/site-packages")
    return {
        package.name.lower(): sum(
            os.path.getsize(path)
            for path in map(package.locate_file, package.files or ())
            if os.path.exists(path)
        )
        for package in importlib.metadata.distributions(path=[str(place)])
    }


def on_disk(folder):
    """Bytes of a folder's files, each counted once."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum({(s.st_dev, s.st_ino): s.st_size for s in map(os.stat, files)}.values())


def clone_to(folder):
    """The course as it is committed, with nothing installed."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def measure():
    """Both installations: a dict of seconds, bytes and packages."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        caches = folder / "caches"
        first = clone_to(folder / "first")
        seconds, said = until_it_answers(first, caches)
        found = {
            "seconds": seconds,
            "downloaded": downloaded(said),
            "venv": on_disk(first / ".venv"),
        }
        found["packages"] = packages(first)
        found["development"] = sorted(set(found["packages"]) & development())
        shutil.rmtree(first)
        found["beside the download"], _ = until_it_answers(clone_to(folder / "second"), caches)
    return found


def development():
    """The packages that only tests and grading need."""
    named = importlib.metadata.requires("course-utils")
    extra = {line.split(";")[0].split(">")[0] for line in named if "'dev'" in line}
    return extra - {"nbclient", "nbformat", "nbconvert", "jinja2", "pygments", "pyyaml"}


def build_of(found):
    """Which build of PyTorch was installed."""
    large = any(name.startswith(LARGE) for name in found["packages"])
    return "ordinary" if large else "small"


def with_small_torch(found):
    """Bytes of .venv with PyTorch's build for the processor, by arithmetic."""
    large = sum(size for name, size in found["packages"].items() if name.startswith(LARGE))
    if not large:
        return found["venv"]
    return found["venv"] - large - found["packages"]["torch"] + SMALL_TORCH["installed"]


def report(found, load_at_start):
    """The section of RESULTS.md."""
    small = with_small_torch(found)
    build = build_of(found)
    torch = f"{SMALL_TORCH['installed'] / 1e9:.2f}"
    beside = found["beside the download"]
    rows = [
        ["from an empty folder to JupyterLab's answer", f"{found['seconds']:.0f} s"],
        ["the same with everything downloaded before", f"{beside:.0f} s"],
        ["downloaded", f"{found['downloaded'] / 1e9:.2f} GB"],
        ["`.venv`", f"{found['venv'] / 1e9:.2f} GB"],
        ["packages", len(found["packages"])],
        ["of them tools of development", ", ".join(found["development"]) or "none"],
    ]
    if build == "ordinary":
        rows.append(["`.venv` with PyTorch's small build, by arithmetic", f"{small / 1e9:.2f} GB"])
    size = "met" if small <= TARGET_BYTES else "not met"
    speed = "met" if beside <= TARGET_SECONDS else "not met"
    return f"""
## Installation

`python benchmarks/install.py`; {machine("pip", "torch")}
Load of the machine at the start: {load_at_start}.

{table([f"with PyTorch's {build} build", ""], rows)}

`make lab` in a clone with nothing installed, all caches empty; then once more in another clone.
Wheels that lie on this machine's disk count as downloaded. By arithmetic: what is here, less
NVIDIA's libraries, triton and torch, and {torch} GB for torch 2.13.0+cpu, which is
{SMALL_TORCH["download"] / 1e9:.2f} GB to download. Targets: {TARGET_BYTES / 1e9:.1f} GB of `.venv`
with the small build, {size}; {TARGET_SECONDS} s beside the download, {speed} by the {build} build.
"""


def main():
    arguments = options(
        __doc__.splitlines()[0], "nothing: the network decides how long it takes"
    ).parse_args()
    load_at_start = load()
    found = measure()
    text = report(found, load_at_start)
    write_section("install", text, arguments.output)
    keep("install", found, arguments.output)
    print(text)


if __name__ == "__main__":
    main()

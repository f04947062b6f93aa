"""The self-check of lesson 00: does this machine have what the course needs?"""

import html
import importlib
import importlib.metadata as metadata
import platform
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

INSTALL = "Run `make lab` again in the course's folder, or `pip install --editable '.[lab]'`."
MODULES = {"scikit-learn": "sklearn", "ipython": "IPython"}  # where it is not the package's name


@dataclass(frozen=True)
class Finding:
    """One line of the self-check: fine or not, what was found, and what to do if it is not."""

    fine: bool
    found: str
    advice: str = ""

    def __str__(self):
        return f"{'✓' if self.fine else '✗'} {self.found}" + (
            f" {self.advice}" if not self.fine else ""
        )


class Report(list):
    """The findings, as lines of text and, in a notebook, with a green or red edge to each."""

    def __repr__(self):
        return "\n".join(str(finding) for finding in self)

    def _repr_html_(self):
        lines = []
        for finding in self:
            colour = "#009E73" if finding.fine else "#D55E00"
            style = f"border-left:4px solid {colour};padding-left:10px;margin:4px 0"
            lines.append(f"<div style='{style}'>{html.escape(str(finding))}</div>")
        return "".join(lines)


def python_version(version=sys.version_info):
    """Whether Python is new enough."""
    found = f"Python {version[0]}.{version[1]} on {platform.system()}."
    return Finding(version[:2] >= (3, 11), found, "The course needs Python 3.11 or newer.")


def packages(requirements=None):
    """Whether every package that `course-utils` needs is here and loads: a line, or one a fault."""
    requirements = requirements or metadata.requires("course-utils")
    needed = [r for r in map(Requirement, requirements) if not r.marker]
    found = [_package(requirement) for requirement in needed]
    faults = [finding for finding in found if not finding.fine]
    # Only the first that does not load: to load PyTorch again after that ends the process.
    faults += [next(filter(None, map(_loads, needed)), None)] if not faults else []
    return list(filter(None, faults)) or [Finding(True, ", ".join(f.found for f in found) + ".")]


def _package(requirement):
    name = requirement.name
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(False, f"{name} is not installed.", INSTALL)
    if requirement.specifier.contains(version, prereleases=True):
        return Finding(True, f"{name} {version}")
    needed = f"The course needs {name}{requirement.specifier}."
    return Finding(False, f"{name} is {version}.", f"{needed} {INSTALL}")


def _loads(requirement):
    """None, or what is wrong with a package that is here and does not load."""
    name = requirement.name
    try:
        importlib.import_module(MODULES.get(name, name))
    except Exception as error:  # a self-check reports every fault as a line
        found = f"{name} {metadata.version(name)} does not load: {_first_line(error)}"
        return Finding(False, found, way_back([*_packages_in(error), name]))
    return None


def widgets(version=metadata.version):
    """Whether the part of ipywidgets that JupyterLab draws sliders with is here, and fits."""
    try:
        kernel, page = version("ipywidgets"), version("jupyterlab_widgets")
    except metadata.PackageNotFoundError as error:
        return Finding(False, f"Sliders cannot be shown: {error.name} is not installed.", INSTALL)
    # ipywidgets 7 goes with jupyterlab_widgets 1, and 8 with 3; Colab brings its own.
    fits = kernel.startswith("7.") or page.startswith("3.")
    found = f"Sliders: ipywidgets {kernel} with jupyterlab_widgets {page}."
    back = "" if fits else way_back(["ipywidgets", "jupyterlab-widgets"])
    return Finding(fits, found, f"The two do not fit together. {back}")


def device():
    """Where networks are trained here."""
    import torch

    if torch.cuda.is_available():
        return Finding(True, f"Networks can be trained on {torch.cuda.get_device_name()}.")
    if torch.backends.mps.is_available():
        return Finding(True, "Networks can be trained on this Mac's GPU.")
    threads = torch.get_num_threads()
    return Finding(
        True, f"Networks are trained on the processor, {threads} threads. That is enough."
    )


def arithmetic():
    """Whether PyTorch computes: the first number of the course."""
    import torch
    import torch.nn.functional as F

    image, kernel = torch.arange(1.0, 10).view(1, 1, 3, 3), torch.arange(1.0, 5).view(1, 1, 2, 2)
    number = F.conv2d(image, kernel)[0, 0, 0, 0].item()
    found = f"PyTorch computes: the first number of lesson 01 is {number:g}."
    back = "" if number == 37 else way_back(["torch", "numpy"])
    return Finding(number == 37, found, f"It should be 37: PyTorch is damaged. {back}")


def digits():
    """Which data set is in use. The embedded one is fine too; it says how to get MNIST."""

    def described():
        from course_utils.data import load_digits

        return Finding(True, load_digits().describe().replace("\n", " "))

    return _tried(described, "The data set cannot be loaded", "Read data/README.md.")


def installation():
    """What can be said of the packages alone: one line each."""
    found = Report([python_version(), *packages()])
    if all(finding.fine for finding in found):  # else the rest fails, for reasons already named
        found += [
            _tried(arithmetic, "PyTorch does not compute", INSTALL),
            _tried(widgets, "Sliders cannot be shown", INSTALL),
        ]
    return found


def self_check():
    """Everything above, one line each."""
    found = installation()
    if all(finding.fine for finding in found):
        found.insert(-1, _tried(device, "PyTorch's device cannot be named", INSTALL))
        found.append(digits())
    return found


def say_what_is_wrong():
    """Print the faults of the installation, if there are any: what `make` does after installing."""
    faults = [finding for finding in installation() if not finding.fine]
    if faults:
        print("This installation is at fault, so lessons may fail:", *faults, sep="\n")


def _tried(check, what, advice):
    try:
        return check()
    except Exception as error:  # a self-check reports every fault as a line
        suspects = [] if isinstance(error, OSError) else _packages_in(error)
        back = way_back(suspects) if suspects else INSTALL
        advice = advice if back == INSTALL else f"{advice} {back}"
        return Finding(False, f"{what}: {_first_line(error)}", advice)


# ---- The way back to the versions that were tested ----------------------------------------------


def tested_versions():
    """The versions that every test of the course was last green with: names with versions."""
    package = Path(__file__).parent
    places = package.parent / "data", package / "stored"  # in the project; where it is installed
    files = [place / "tested_versions.txt" for place in places]
    file = next((file for file in files if file.exists()), None)
    lines = file.read_text("utf-8").splitlines() if file else []
    return dict(line.split("==") for line in lines if "==" in line)


def way_back(suspects, tested=None, version=metadata.version):
    """A sentence that names the package at fault, most likely, and the command that mends it.

    Args:
        suspects: names of packages, the likeliest first. If none of them is another than the
            tested version, the one of all packages that is furthest from it is named.
        tested: names with versions, those of `tested_versions()` by default.
        version: says which version of a package is installed.
    Returns: INSTALL, if everything here is as it was tested.
    """
    tested = tested_versions() if tested is None else tested
    other = {}
    for name, good in tested.items():
        try:
            here = Version(version(name)).public
        except metadata.PackageNotFoundError:
            continue
        if here != good:
            other[name] = here
    if not other:
        return INSTALL

    def distance(name):
        """How far a version is from the tested one; the major number counts most."""
        pairs = zip(Version(other[name]).release, Version(tested[name]).release, strict=False)
        return [abs(here - good) for here, good in pairs]

    likely = [name for name in map(canonicalize_name, suspects) if name in other]
    name = likely[0] if likely else max(other, key=distance)
    pair = ["torch", "torchvision"]  # one is built for the other
    wanted = [f"{one}=={tested[one]}" for one in (pair if name in pair else [name])]
    return (
        f"Most likely it is {name}: here it is {other[name]}, and the course was last tested with "
        f"{tested[name]}. This goes back: {sys.executable} -m pip install {' '.join(wanted)}"
    )


def _first_line(error):
    return f"{type(error).__name__}: {(str(error).strip() or 'no reason given').splitlines()[0]}"


def _packages_in(error):
    """The packages that an error comes from, the likeliest first: what was missed, then frames."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    modules = [frame.f_globals.get("__name__", "") for frame in reversed(frames)]
    if isinstance(error, ImportError) and error.name:
        modules.insert(0, error.name)
    packages_of = metadata.packages_distributions()
    found = [packages_of.get(module.split(".")[0], []) for module in modules]
    return list(dict.fromkeys(package for packages in found for package in packages))

"""The self-check of lesson 00: does this machine have what the course needs?"""

import html
import importlib.metadata as metadata
import platform
import sys
from dataclasses import dataclass

from packaging.requirements import Requirement

INSTALL = "Run `make lab` again in the course's folder, or `pip install --editable '.[lab]'`."


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
    """Whether every package that `course-utils` needs is here: one line, or one for each fault."""
    requirements = requirements or metadata.requires("course-utils")
    found = [_package(r) for r in map(Requirement, requirements) if not r.marker]
    faults = [finding for finding in found if not finding.fine]
    return faults or [Finding(True, ", ".join(finding.found for finding in found) + ".")]


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


def widgets(version=metadata.version):
    """Whether the part of ipywidgets that JupyterLab draws sliders with is here, and fits."""
    try:
        kernel, page = version("ipywidgets"), version("jupyterlab_widgets")
    except metadata.PackageNotFoundError as error:
        return Finding(False, f"Sliders cannot be shown: {error.name} is not installed.", INSTALL)
    # ipywidgets 7 goes with jupyterlab_widgets 1, and 8 with 3; Colab brings its own.
    fits = kernel.startswith("7.") or page.startswith("3.")
    found = f"Sliders: ipywidgets {kernel} with jupyterlab_widgets {page}."
    return Finding(fits, found, f"The two do not fit together. {INSTALL}")


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
    advice = f"It should be 37: PyTorch is damaged. {INSTALL}"
    return Finding(
        number == 37, f"PyTorch computes: the first number of lesson 01 is {number:g}.", advice
    )


def digits():
    """Which data set is in use. The embedded one is fine too; it says how to get MNIST."""
    from course_utils.data import load_digits

    try:
        return Finding(True, load_digits().describe().replace("\n", " "))
    except Exception as error:  # a self-check reports every fault as a line
        return Finding(False, f"The data set cannot be loaded: {error}", "Read data/README.md.")


def self_check():
    """Everything above, one line each."""
    return Report([python_version(), *packages(), arithmetic(), device(), widgets(), digits()])

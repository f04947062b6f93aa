"""Machines that lack something: a package, an alphabet, the dot of decimal numbers."""

import locale
import subprocess
import sys

import pytest
from tiny import network, quiet, same
from world import Fault

from course_utils import data, deploy, models, plotting, seeds, start, widgets
from course_utils.training import load_checkpoint, save_checkpoint


def without(*packages, do):
    """Do something where `import` finds none of these packages."""

    def provoke(world):
        for name in [n for n in sys.modules if n.partition(".")[0] in packages]:
            world.patch.delitem(sys.modules, name)
        for name in packages:
            world.patch.setitem(sys.modules, name, None)  # Python's own way to bar an import
        return do(world)

    return provoke


def export(world):
    deploy.export_onnx(models.lenet(), world.folder / "a.onnx")


def quantize(world):
    deploy.quantize_onnx(world.folder / "a.onnx", world.folder / "b.onnx", None)


def log(world):
    quiet(world.model, world.images, log_dir=world.folder / "logs")


def embedded(world):
    from course_utils.data import embedded as stand_in

    world.patch.setattr(stand_in, "build", stand_in.build.__wrapped__)  # nothing from memory
    return data.load_digits("embedded").describe()


def check_itself(missing):
    return lambda world: start.Report(start.packages([f"{missing}>=1", "torch>=2"]))


def everything(world):
    """Save, load, draw, measure, export: what touches files and writes numbers."""
    folder = world.folder
    history = quiet(world.model, world.images, epochs=2)
    save_checkpoint(world.model, folder / "weights 卷积.pt")
    twin = load_checkpoint(network(1), folder / "weights 卷积.pt")
    assert same(twin, world.model)
    figure = plotting.draw_history(history)
    assert plotting.figure_png(figure)
    page = deploy.export_html(models.lenet(), folder / "Цифры.html", title="Цифры 数字")
    assert "Цифры 数字" in page.read_text("utf-8")
    assert seeds.stored("depth_sweep")["settings"]
    pad = widgets.DigitPad(models.lenet())
    assert pad.draw().alt_text
    return f"{figure.alt_text} {widgets.KernelPlayground().describe()}"


MAKES = ("weights 卷积.pt", "Цифры.html")


def in_locale(name):
    """The same in a locale of another country, made here if the machine does not have it."""

    def provoke(world):
        code = f"{name}.UTF-8"
        makes = ["localedef", "-i", name, "-f", "UTF-8", str(world.folder.parent / code)]
        try:
            made = subprocess.run(makes, capture_output=True).returncode in (0, 1)
        except FileNotFoundError:
            made = False
        if not made:
            pytest.skip(f"the locale {name} cannot be made here")
        world.patch.setenv("LOCPATH", str(world.folder.parent))
        before = locale.setlocale(locale.LC_ALL)
        try:
            locale.setlocale(locale.LC_ALL, code)
            world.notes["decimal point"] = locale.localeconv()["decimal_point"]
            return everything(world)
        finally:
            locale.setlocale(locale.LC_ALL, before)

    return provoke


def it_was_a_comma(world):
    assert world.notes["decimal point"] == ","


def describe(world):
    digits = data.load_digits("embedded")
    return f"{digits.describe()} {start.self_check()!r}"


NUMBERS = ("Training loss over 12 steps, from 1.", "to a mean of 1.", "answers from −")
EXTRA = "pip install onnx onnxruntime onnxscript"
ROWS = [
    Fault(
        "onnx is not installed",
        "a missing package",
        without("onnx", do=export),
        ("needs the package onnx, which is not installed", EXTRA),
    ),
    Fault(
        "onnxscript is not installed",
        "a missing package",
        without("onnxscript", do=export),
        ("needs the package onnxscript, which is not installed", EXTRA),
    ),
    Fault(
        "onnxruntime is not installed",
        "a missing package",
        without("onnxruntime", do=quantize),
        ("needs the package onnxruntime, which is not installed", EXTRA),
    ),
    Fault(
        "TensorBoard is not installed",
        "a missing package",
        without("tensorboard", "torch.utils.tensorboard", do=log),
        ("needs TensorBoard, which is not installed", "pip install tensorboard, or leave log_dir"),
    ),
    Fault(
        "torchvision is not installed: the embedded digits do without it",
        "a missing package",
        without("torchvision", do=embedded),
        "the embedded digits",
    ),
    Fault(
        "a package of the course is not installed: the self-check names it",
        "a missing package",
        check_itself("no-such-package"),
        ("✗ no-such-package is not installed. Run `make lab` again",),
    ),
    Fault(
        "the machine speaks German, and writes 3,5",
        "another locale",
        in_locale("de_DE"),
        NUMBERS,
        kept=it_was_a_comma,
        makes=MAKES,
        trains=True,
    ),
    Fault(
        "the machine speaks Turkish, where the small I has no dot",
        "another locale",
        in_locale("tr_TR"),
        NUMBERS,
        kept=it_was_a_comma,
        makes=MAKES,
        trains=True,
        more=True,
    ),
    Fault(
        "the machine speaks Chinese",
        "another locale",
        in_locale("zh_CN"),
        NUMBERS,
        makes=MAKES,
        trains=True,
        more=True,
    ),
    Fault(
        "the folder has spaces, Cyrillic and Chinese characters",
        "another alphabet",
        everything,
        NUMBERS,
        makes=MAKES,
        trains=True,
    ),
    Fault(
        "the machine knows ASCII only",
        "another alphabet",
        describe,
        ("the embedded digits", "✓ PyTorch computes: the first number of lesson 01 is 37"),
        more=True,
        where="ascii",
    ),
]

"""The self-check says what is fine, what is not, and what to do about it."""

import importlib.metadata as metadata
import os
import subprocess
import sys

import pytest

from course_utils import data, start


def test_this_machine_is_fine():
    report = start.self_check()
    assert all(finding.fine for finding in report), report
    assert repr(report).count("✓") == len(report)
    assert "#009E73" in report._repr_html_()


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (lambda: start.python_version((3, 10, 1)), "Python 3.11 or newer"),
        (lambda: start.packages(["torch>=999"])[0], "The course needs torch>=999"),
        (lambda: start.packages(["no-such-package>=1"])[0], "no-such-package is not installed"),
        (lambda: start.widgets({"ipywidgets": "8.1", "jupyterlab_widgets": "1.0"}.get), "not fit"),
    ],
)
def test_a_fault_is_a_red_line_with_a_way_out(finding, words):
    finding = finding()
    assert not finding.fine
    assert words in str(finding)
    assert finding.advice in str(finding)
    assert "✗" in start.Report([finding])._repr_html_()


def test_missing_widgets_are_named():
    def version(name):
        raise metadata.PackageNotFoundError(name)

    assert "ipywidgets is not installed" in str(start.widgets(version))


def test_a_broken_data_set_is_a_line_and_not_a_crash(monkeypatch):
    def load_digits():
        raise OSError("the disk is gone")

    monkeypatch.setattr(data, "load_digits", load_digits)
    finding = start.digits()
    assert not finding.fine
    assert "the disk is gone" in str(finding)


# ---- The way back -------------------------------------------------------------------------------


def said_with(folder, **packages):
    """What `make` says after installing, with packages of version 999 that hold other code."""
    for name, code in packages.items():
        (folder / f"{name}.py").write_text(code)
        about = folder / f"{name}-999.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 999\n")
        (about / "top_level.txt").write_text(name)
    code = "from course_utils import start; start.say_what_is_wrong(); print(start.self_check())"
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    line = [sys.executable, "-c", code]
    env = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(line, env=env, capture_output=True, text=True, check=True).stdout


def test_a_new_version_that_does_not_load_is_named_with_the_command_that_goes_back(tmp_path):
    said = said_with(tmp_path, tqdm="raise AttributeError('gone\\nand more')")
    assert "does not load: AttributeError: gone Most likely it is tqdm" in said  # PyTorch needs it
    good = start.tested_versions()["tqdm"]
    assert f"here it is 999, and the course was last tested with {good}." in said
    assert f"{sys.executable} -m pip install tqdm=={good}\n" in said


def test_a_package_below_the_one_that_does_not_load_is_the_one_named(tmp_path):
    said = said_with(tmp_path, pyparsing="")
    assert "matplotlib" in said.split("does not load: ImportError")[0]
    assert "Most likely it is pyparsing: here it is 999" in said


def test_pytorch_that_does_not_load_is_one_line_and_goes_back_with_torchvision(tmp_path):
    said = said_with(tmp_path, torch="raise OSError('libtorch: undefined symbol')")
    tested = start.tested_versions()
    pair = f"torch=={tested['torch']} torchvision=={tested['torchvision']}"
    assert f"-m pip install {pair}" in said
    assert "PyTorch does not compute" not in said


def test_of_packages_that_have_nothing_to_do_with_it_the_furthest_is_named():
    tested = {"near": "1.5.0", "far": "2.0", "same": "1.0", "absent": "1.0"}
    here = {"near": "1.6.0", "far": "3.0", "same": "1.0+cpu"}

    def version(name):
        if name not in here:
            raise metadata.PackageNotFoundError(name)
        return here[name]

    assert "Most likely it is far: here it is 3.0" in start.way_back(["other"], tested, version)
    assert "Most likely it is near" in start.way_back(["same", "near"], tested, version)
    assert start.way_back(["same"], {"same": "1.0"}, version) == start.INSTALL


def test_the_tested_versions_are_names_and_versions_within_the_bounds():
    tested = start.tested_versions()
    assert len(tested) > 100
    for requirement in map(start.Requirement, metadata.requires("course-utils")):
        assert requirement.specifier.contains(tested[requirement.name.lower()]), requirement


def put_package(folder, name, code):
    (folder / f"{name}.py").write_text(code)
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "top_level.txt").write_text(name)


def test_packages_are_loaded_only_where_all_are_there_and_the_first_that_fails_is_named(
    tmp_path, monkeypatch
):
    for name in ("brittle_one", "brittle_two"):
        put_package(tmp_path, name, f"raise RuntimeError('{name} is damaged')")
    put_package(tmp_path, "sound_one", "")
    monkeypatch.syspath_prepend(tmp_path)

    def said(*requirements):
        return [(finding.fine, finding.found) for finding in start.packages(list(requirements))]

    damaged = (False, "brittle_one 1.0 does not load: RuntimeError: brittle_one is damaged")
    assert said("sound_one>=1", "brittle_one", "brittle_two") == [damaged]
    old = (False, "sound_one is 1.0.")
    gone = (False, "not-there-at-all is not installed.")
    assert said("brittle_one", "sound_one>=2", "not-there-at-all") == [old, gone]
    assert said("sound_one") == [(True, "sound_one 1.0.")]
    assert said("sound_one", 'brittle_one; extra == "lab"') == [(True, "sound_one 1.0.")]

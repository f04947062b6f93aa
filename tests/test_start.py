"""The self-check says what is fine, what is not, and what to do about it."""

import importlib.metadata as metadata

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

"""Every lesson runs on Colab, on the newest versions of everything and on the lowest.

One notebook file in an empty folder, no clone of the course, no network and no data set. On Colab
the notebook's own first cell installs the course; otherwise it is installed from its wheel.
"""

import re

import alone
import colab
import environments
import gallery
import nbformat
import pytest
import solutions
from grading import build
from nbclient.exceptions import CellExecutionError
from packaging.utils import canonicalize_name
from packaging.version import Version

NOTEBOOKS = solutions.longest_first((environments.ROOT / "notebooks").glob("*.ipynb"))
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
OWN_WIDGET = re.compile(r"widgets\.[A-Z]")
MANAGER = "output.enable_custom_widget_manager\n"

pytestmark = pytest.mark.more
lessons = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def say(record_property, name, path):
    """Have the time printed, and what was run on which Python."""
    _, version = environments.python_for(name)
    record_property("notebook", f"{name} versions, Python {version}: {path.stem}.ipynb")


@pytest.fixture
def on_colab(make, wheels, repository, tmp_path):
    """Runs a notebook as Colab does. Returns: what was installed, and what Colab was asked for."""
    python = alone.layer(tmp_path / "env", make("colab"))
    folder = tmp_path / "content"
    folder.mkdir()
    (tmp_path / "calls.txt").touch()
    env = alone.surroundings(tmp_path, wheels, alone.HERE / "fake_colab")

    def on_colab(notebook, stem, url=repository):
        colab.stamped(notebook, stem, url)
        nbformat.write(notebook, folder / f"{stem}.ipynb")
        alone.run(notebook, python, folder, env, alone.LIKE_COLAB)
        return alone.installed(python), (tmp_path / "calls.txt").read_text("utf-8")

    return on_colab


def views(notebook):
    """The outputs that show a widget."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output for output in outputs if WIDGET_VIEW in output.get("data", {})]


@lessons
def test_on_colab(path, on_colab, make, record_property):
    say(record_property, "colab", path)
    notebook = nbformat.read(path, as_version=4)
    added, calls = on_colab(notebook, path.stem)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert first.outputs == []  # quietly
    assert "course-utils" in added
    if path.stem not in colab.EXTRAS:
        assert set(added) == {"course-utils"}
    assert not set(added) & set(alone.installed(make("colab"))), "what Colab has stays as it is"
    for output in views(notebook):
        assert output.data["image/png"]
        assert output.data["text/plain"]
    own = [output for output in views(notebook) if WIDGET_VIEW in output.metadata]
    assert calls == (MANAGER if OWN_WIDGET.search(path.read_text("utf-8")) else "")
    assert all("custom_widget_manager" in str(output.metadata) for output in own)
    assert bool(own) == bool(calls)


@pytest.mark.parametrize("name", build.masters())
def test_an_assignment_on_colab(name, on_colab, monkeypatch, tmp_path, repository):
    monkeypatch.setattr(colab, "repository_url", lambda: repository)
    release = build.build(name, tmp_path / "course", run=False)
    notebook = nbformat.read(release, as_version=4)
    added, _ = on_colab(notebook, release.stem)
    assert set(added) == {"course-utils"}


def test_on_colab_an_address_that_leads_nowhere_is_said(on_colab, tmp_path):
    notebook = nbformat.read(NOTEBOOKS[0], as_version=4)
    nowhere = tmp_path / "nowhere"
    with pytest.raises(CellExecutionError, match="could not be installed") as error:
        on_colab(notebook, "01_x", nowhere.as_uri())
    assert f"fatal: '{nowhere}' does not appear" in str(error.value)  # git's own words


@lessons
def test_from_the_wheel_on_the_newest(path, from_wheel, tmp_path, record_property):
    say(record_property, "newest", path)
    python, env = from_wheel("newest")
    notebook = nbformat.read(path, as_version=4)
    nbformat.write(notebook, tmp_path / path.name)
    alone.run(notebook, python, tmp_path, env)


@pytest.mark.parametrize(
    "master", solutions.longest_first(solutions.MASTERS), ids=lambda path: path.stem
)
def test_solved_with_each_cell_twice_on_the_lowest(master, from_wheel, tmp_path, record_property):
    say(record_property, "lowest", master)
    python, env = from_wheel("lowest")
    notebook = solutions.build.read_lesson(master)
    notebook = solutions.solved(solutions.every_cell_twice(notebook))
    asked = [name for name, _ in solutions.checks_of(notebook)]
    alone.run(notebook, python, tmp_path, env)
    solutions.assert_that_all_is_right(notebook, asked)


def test_every_widget_is_shown_with_its_picture_on_colab(on_colab, tmp_path):
    notebook = gallery.write(tmp_path / "gallery.ipynb")
    _, calls = on_colab(notebook, "gallery")
    assert len(views(notebook)) == len(gallery.CELLS)
    assert all({"image/png", "text/plain"} <= set(output.data) for output in views(notebook))
    assert calls == MANAGER


def test_the_versions_are_colabs(make):
    have = alone.installed(make("colab"))
    wanted = {canonicalize_name(name): version for name, version in environments.COLAB.items()}
    assert {name: have[name] for name in wanted} == wanted


def test_the_lowest_versions_are_the_bounds_of_pyproject(make):
    more = {"ipython": "8.10"}  # by nbgrader, which Colab's set, with 7.34, is without
    have = alone.installed(make("lowest"))
    for requirement in environments.bounds():
        (bound,) = requirement.specifier
        assert bound.operator == ">="
        lowest = more.get(requirement.name, bound.version)
        assert Version(have[requirement.name]) == Version(lowest), requirement

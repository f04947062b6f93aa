"""One setting and one command let the course be opened in Colab; without them no link is dead.

What the set-up cell does on Colab itself is tried in tests/versions.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import build_notebooks
import colab
import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent

URL = "https://github.com/ada/course"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def setting(folder, text):
    path = folder / "pyproject.toml"
    path.write_text(f'[project]\nname = "x"\n{text}')
    return path


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://github.com/ada/course", URL),
        ("https://github.com/ada/course/", URL),
        ("https://github.com/ada/course.git", URL),
        ("http://www.github.com/ada/course.git/", URL),
        ("https://gitlab.com/a/group/course.git", "https://gitlab.com/a/group/course.git"),
        ("file:///srv/course", "file:///srv/course"),
    ],
)
def test_an_address_may_be_written_as_people_write_it(tmp_path, written, url):
    path = setting(tmp_path, f'[project.urls]\nRepository = "{written}"')
    assert colab.repository_url(path) == url


@pytest.mark.parametrize(
    "written",
    [
        '""',
        "7",
        '"github.com/ada/course"',
        '"git@github.com:ada/course.git"',
        '"https://github.com/ada"',
        '"https://github.com/ada/course/tree/main"',
        '"https://gitlab.com"',
        "'https://example.org/a\"b'",
        '"https://example.org/a b"',
    ],
)
def test_what_is_no_address_is_refused_with_the_way_out(tmp_path, written):
    path = setting(tmp_path, f"[project.urls]\nRepository = {written}")
    with pytest.raises(ValueError, match="is no address") as error:
        colab.repository_url(path)
    assert "https://github.com/OWNER/NAME" in str(error.value)


def test_without_the_setting_there_is_no_address_and_no_badge(tmp_path):
    assert colab.repository_url(setting(tmp_path, "")) is None
    other = '[project.urls]\nHomepage = "https://example.org"'
    assert colab.repository_url(setting(tmp_path, other)) is None
    assert colab.badge("01_x", None) == ""


def test_a_badge_opens_the_notebook_and_only_github_has_one():
    target = "https://colab.research.google.com/github/ada/course/blob/main/notebooks/01_x.ipynb"
    assert colab.badge("01_x", URL).endswith(f"]({target})")
    assert colab.badge_target("01_x", URL) == target
    assert colab.badge("01_x", "https://gitlab.com/ada/course") == ""


def run_set_up(monkeypatch, stem, url, *, here=(), on_colab=False, pip=0):
    """Execute a set-up cell where only the modules `here` are installed.

    Returns: the command lines that it ran; each ends with the exit status `pip`.
    """
    lines, done = [], types.SimpleNamespace(returncode=pip, stderr="pip's own words")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in here or None)
    monkeypatch.setattr(subprocess, "run", lambda line, **options: lines.append(line) or done)
    if on_colab:
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    exec(compile(colab.set_up_cell(stem, url).source, "set-up", "exec"), {})
    return lines


@pytest.mark.parametrize("url", [URL, None])
@pytest.mark.parametrize("on_colab", [True, False])
def test_where_the_package_is_the_set_up_does_nothing(monkeypatch, url, on_colab):
    assert not run_set_up(monkeypatch, "01_x", url, here=["course_utils"], on_colab=on_colab)


def test_on_colab_it_installs_from_the_address(monkeypatch):
    (line,) = run_set_up(monkeypatch, "01_x", URL, on_colab=True)
    assert line[:4] == [sys.executable, "-m", "pip", "install"]
    assert line[-1] == f"course-utils @ git+{URL}"


def test_lesson_12_gets_what_colab_lacks_even_if_another_lesson_ran_before(monkeypatch):
    lines = run_set_up(monkeypatch, "12_deploy", URL, here=["course_utils"], on_colab=True)
    assert lines[0][-1] == f"course-utils[deploy] @ git+{URL}"
    (master,) = (ROOT / "lessons").glob("12_*.py")
    assert master.stem in colab.EXTRAS


@pytest.mark.parametrize(
    ("url", "on_colab", "said"),
    [
        (URL, True, "Is there a network.*pip's own words"),
        (URL, False, "make lab"),
        (None, True, r"!pip install 'course-utils @ git\+ADDRESS'"),
        (None, False, "make lab"),
    ],
)
def test_what_it_cannot_do_it_says(monkeypatch, url, on_colab, said):
    with pytest.raises((ModuleNotFoundError, RuntimeError), match=said):
        run_set_up(monkeypatch, "01_x", url, on_colab=on_colab, pip=1)


@pytest.mark.parametrize("url", [URL, None])
@pytest.mark.parametrize("stem", ["01_x", "12_deploy"])
def test_the_set_up_is_short_folded_and_has_no_magic(url, stem):
    cell = colab.set_up_cell(stem, url)
    assert len(cell.source.splitlines()) <= 8
    assert not re.search(r"^\s*[%!]", cell.source, re.M)
    assert cell.metadata.jupyter.source_hidden
    assert cell.metadata.cellView == "form"
    assert cell.source.startswith("# @title Set up")


@pytest.fixture
def course(tmp_path):
    """A copy of what `make stamp` reads and writes."""
    for name in ("tools", "lessons", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("runs", "__*"))
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def stamp(course, url=None):
    """Write the setting, run the command. Returns: its result."""
    plain = (ROOT / "pyproject.toml").read_text("utf-8")
    plain = re.sub(r"^\[project.urls\]\n(?:\w+ = .*\n)*", "", plain, flags=re.M)
    more = f'\n[project.urls]\nRepository = "{url}"\n' if url else ""
    (course / "pyproject.toml").write_text(plain + more, "utf-8")
    line = [sys.executable, "tools/colab.py"]
    return subprocess.run(line, cwd=course, capture_output=True, text=True)


def stamped_cells(notebook):
    cells = [notebook.cells[0], *(cell for cell in notebook.cells if cell.id == colab.TAG)]
    assert len(cells) == 2
    return [(cell.id, cell.source, cell.metadata) for cell in cells]


def contents(course):
    pages = [course / "README.md", *course.glob("notebooks/*.ipynb")]
    return {page.name: page.read_bytes() for page in pages}


def test_a_stamp_is_complete_repeatable_and_can_be_taken_back(course, monkeypatch):
    if colab.repository_url():
        assert stamp(course).returncode == 0
    unset = contents(course)
    assert not [name for name, page in unset.items() if b"colab.research.google.com" in page]

    assert stamp(course, f"{URL}.git").returncode == 0
    first = contents(course)
    assert stamp(course, URL).returncode == 0
    assert contents(course) == first
    readme = first["README.md"].decode()
    monkeypatch.setattr(colab, "repository_url", lambda: URL)
    for path in NOTEBOOKS:
        badge = (
            f"https://colab.research.google.com/github/ada/course/blob/main/notebooks/{path.name}"
        )
        assert readme.count(badge) == 1
        after = nbformat.reads(first[path.name].decode(), as_version=4)
        before = nbformat.reads(unset[path.name].decode(), as_version=4)
        assert after.cells[0].source.count(badge) == 1
        assert [cell.get("outputs") for cell in after.cells] == [
            cell.get("outputs") for cell in before.cells
        ]
        # A build writes the same.
        built = build_notebooks.for_students(ROOT / "lessons" / f"{path.stem}.py")
        assert stamped_cells(after) == stamped_cells(built)

    assert stamp(course).returncode == 0
    assert contents(course) == unset


def test_nonsense_changes_nothing_and_says_so(course):
    before = contents(course)
    result = stamp(course, "somewhere")
    assert result.returncode != 0
    assert "'somewhere' is no address" in result.stderr
    assert "Traceback" not in result.stderr
    assert contents(course) == before


def test_the_readme_says_what_is_true_of_colab():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert colab.paragraph(colab.repository_url()) in readme, "run `make stamp`"

"""environment.yml, the continuous integration and the package say the same as pyproject.toml."""

import importlib
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import colab
import environments
import lesson_table
import numpy as np
import pytest
import yaml
from packaging.version import Version
from PIL import Image

import course_utils

ROOT = Path(__file__).resolve().parent.parent
LESSONS = ROOT / "lessons"
TESTED = ROOT / "data" / "tested_versions.txt"

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# Where conda-forge calls a package by another name than PyPI.
CONDA = {"torch": "pytorch", "matplotlib": "matplotlib-base", "playwright": "playwright-python"}


def bounds(requirements):
    return dict(re.fullmatch(r"([\w-]+)(.*)", line).groups() for line in requirements)


def test_environment_yml_has_the_packages_and_bounds_of_pyproject():
    wanted = {"python": PROJECT["requires-python"], "pip": ""}
    extras = PROJECT["optional-dependencies"]
    course = [*PROJECT["dependencies"], *(line for extra in extras.values() for line in extra)]
    for name, bound in bounds(course).items():
        wanted[CONDA.get(name, name)] = bound
    *conda, pip = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    assert bounds(conda) == wanted
    assert pip == {"pip": ["--editable ."]}


def test_every_dependency_says_its_reason():
    for line in (ROOT / "pyproject.toml").read_text("utf-8").splitlines():
        if re.match(r'    "[\w-]+>=', line):
            assert re.search(r"# \S", line), line


def test_the_bounds_admit_what_colab_has():
    needed = {requirement.name: requirement.specifier for requirement in environments.bounds()}
    shared = set(needed) & set(environments.COLAB)
    assert len(shared) > 8
    for name in shared:
        assert environments.COLAB[name] in needed[name], name


def test_the_version_is_said_once_more_in_the_package():
    assert course_utils.__version__ == PROJECT["version"]


def test_importing_the_package_loads_nothing():
    code = (
        "import sys, course_utils; "
        "heavy = {'torch', 'numpy', 'matplotlib', 'sklearn', 'IPython'} & set(sys.modules); "
        "assert not heavy, heavy; course_utils.ops; assert 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_an_unknown_submodule_is_an_attribute_error():
    assert "ops" in dir(course_utils)
    assert not hasattr(course_utils, "no_such_module")


def test_ci_calls_the_commands_of_the_readme():
    script = (ROOT / ".ci/run").read_text("utf-8")
    assert "make test\n" in script
    assert "make test" in (ROOT / "README.md").read_text("utf-8")
    assert "bash .ci/run" in (ROOT / ".github/workflows/ci.yml").read_text("utf-8")


def test_every_path_that_the_map_names_is_there():
    chart = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    paths = re.findall(r"`((?:course_utils|assignments)/[\w/]+\.\w+)`", chart)
    assert len(paths) > 6
    for path in paths:
        assert "_NN/" in path or (ROOT / path).exists(), path


def test_the_package_lists_all_its_public_modules_and_the_map_explains_each():
    folder = ROOT / "course_utils"
    files = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    rooms = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert len(files) > 5 < len(rooms)
    assert course_utils.__all__ == sorted(files | rooms)
    chart = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for name in files | rooms:
        assert f"| `{name}/` |" in chart or f"| `{name}.py` |" in chart, name


def test_every_public_name_of_a_room_is_there():
    for name in course_utils.__all__:
        room = importlib.import_module(f"course_utils.{name}")
        for public in getattr(room, "__all__", ()):
            assert hasattr(room, public), f"{name}.{public}"


def test_a_file_of_more_than_400_lines_is_named_here():
    """One idea a file. Name one that needs more, and say in the commit why it does."""
    named = set()
    kinds = {".py", ".js", ".css", ".html"}
    files = [path for path in (ROOT / "course_utils").rglob("*") if path.suffix in kinds]
    assert len(files) > 100
    long = {path.name for path in files if len(path.read_text("utf-8").splitlines()) > 400}
    assert long == named


def test_the_readme_quotes_only_what_was_measured():
    readme = (ROOT / "README.md").read_text("utf-8")
    measured = (ROOT / "benchmarks/RESULTS.md").read_text("utf-8")
    section = readme.split("## How fast")[1].split("\n## ")[0]
    figures = re.findall(r"\d+\.\d+", section)
    assert figures
    assert [figure for figure in figures if figure not in measured] == []


def test_the_readme_has_the_table_of_lessons_that_the_tool_writes():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert lesson_table.rows(colab.repository_url()) in readme, "run tools/lesson_table.py"


def test_each_picture_of_the_table_is_the_cover_of_its_lesson(tmp_path, monkeypatch):
    stored = lesson_table.PICTURES
    monkeypatch.setattr(lesson_table, "PICTURES", tmp_path / "new")
    monkeypatch.setattr(lesson_table, "write", lambda url: None)
    lesson_table.main()
    names = sorted(path.name for path in stored.iterdir())
    assert names == [f"{master.stem[:2]}.png" for master in sorted(LESSONS.glob("*.py"))]
    for name in names:
        old, new = (
            np.asarray(Image.open(folder / name).convert("RGB"), float)
            for folder in (stored, tmp_path / "new")
        )
        assert old.shape == (150, 240, 3)
        assert np.abs(old - new).mean() < 1, name  # pillow's versions choose other palettes


def test_the_map_in_lesson_00_says_what_each_lesson_says():
    text = (ROOT / "lessons/00_start_here.py").read_text("utf-8")
    for master in sorted(LESSONS.glob("*.py")):
        title, question, minutes = lesson_table.facts_of(master)
        row = rf"\| \[?{master.stem[:2]} {title}.*\| {re.escape(question)} \| {minutes} \|"
        assert re.search(row, text), title


def test_the_style_is_kept():
    tested = re.search(r"^ruff==(.+)$", TESTED.read_text("utf-8"), re.MULTILINE)[1]
    if Version(version("ruff")).release[:2] > Version(tested).release[:2]:
        pytest.skip(f"ruff {version('ruff')} may ask for another style than {tested} does")
    for command in (["check"], ["format", "--check"]):
        line = [sys.executable, "-m", "ruff", *command, "--quiet", "."]
        result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + "run `make format`"

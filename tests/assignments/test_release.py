"""What students get: complete, runnable, and with nothing in it that is not for them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from grading import build

ROOT = Path(__file__).resolve().parents[2]
NAMES = list(build.masters())
BETWEEN = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)### END \1", re.S)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def master(name):
    return build.masters()[name]


@pytest.fixture
def release(course, name):
    (path,) = (course / "release" / name).iterdir()
    return path


def secret_lines():
    """Each line that no student may see: of solutions, hidden tests, and all of hidden/."""
    lines = set()
    for path in build.masters().values():
        text = path.read_text("utf-8").replace("\n# ### ", "\n### ")
        for _, body in BETWEEN.findall(text):
            lines |= {line.strip().removeprefix("# ").strip() for line in body.splitlines()}
    for path in (ROOT / "assignments" / "hidden").rglob("*.py"):
        lines |= {line.strip() for line in path.read_text("utf-8").splitlines()}
    return {line for line in lines if len(line) >= 12}


def public_lines():
    """Lines that a student may see anyway: of the lessons without solutions, of the masters."""
    lines = set()
    for path in [*build.masters().values(), *(ROOT / "course_utils").rglob("*.py")]:
        text = BETWEEN.sub("", path.read_text("utf-8").replace("\n# ### ", "\n### "))
        lines |= {line.strip().removeprefix("# ").strip() for line in text.splitlines()}
    return lines


def test_there_are_four_and_each_has_twenty_points():
    assert NAMES == ["A1", "A2", "A3", "A4"]
    for path in build.masters().values():
        notebook = build.read_master(path)
        points = [
            c.metadata.nbgrader.get("points", 0) for c in notebook.cells if "nbgrader" in c.metadata
        ]
        assert sum(points) == 20, path.name


def test_two_or_three_questions_are_for_a_person_and_have_a_visible_rubric(course):
    questions = []
    for name in NAMES:
        (path,) = (course / "release" / name).iterdir()
        cells = nbformat.read(path, as_version=4).cells
        for number, cell in enumerate(cells):
            settings = cell.metadata.get("nbgrader", {})
            if settings.get("grade") and settings.get("solution"):
                before = " ".join(c.source for c in cells[max(0, number - 2) : number])
                assert "| points |" in before or "points" in before, name
                assert re.search(r"\|\s*\d", before), (
                    f"{name}: no rubric before {settings.grade_id}"
                )
                questions.append(name)
    assert 2 <= len(questions) <= 3
    assert len(set(questions)) == len(questions)


def test_no_byte_of_a_release_is_a_solution_or_a_hidden_test(course):
    secrets = secret_lines() - public_lines()
    assert len(secrets) > 500
    for path in (course / "release").rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            lines = {line.strip() for line in raw.decode("utf-8").splitlines()}
            for cell in nbformat.read(path, as_version=4).cells:
                lines |= {
                    line.strip().removeprefix("# ").strip() for line in cell.source.splitlines()
                }
            leaked = lines & secrets
            assert not leaked, f"{path.name}: {sorted(leaked)[:3]}"
            for word in (b"BEGIN SOLUTION", b"HIDDEN TESTS", b"from hidden", b"hidden."):
                assert word not in raw, f"{path.name}: {word!r}"


def test_the_search_for_leaks_finds_one(course, tmp_path):
    (path,) = (course / "source" / "A1").iterdir()
    text = nbformat.read(path, as_version=4)
    lines = {line.strip() for cell in text.cells for line in cell.source.splitlines()}
    assert len(lines & (secret_lines() - public_lines())) > 30


def test_a_release_stores_no_output_and_names_no_path(release):
    text = release.read_text("utf-8")
    for cell in json.loads(text)["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert str(ROOT) not in text
    assert not re.search(r"/(home|root|tmp)/", text)


def test_cells_that_are_graded_are_locked_and_answers_are_not(release):
    cells = nbformat.read(release, as_version=4).cells
    roles = [c.metadata.nbgrader for c in cells if "nbgrader" in c.metadata]
    assert roles[0].grade_id == "setup"
    for role in roles:
        assert role.locked == (not role.solution)
        assert role.checksum
    assert len({role.grade_id for role in roles}) == len(roles)


def test_each_answer_is_left_to_the_student(release):
    for cell in nbformat.read(release, as_version=4).cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            place = "your code here" if cell.cell_type == "code" else "Write your answer here"
            assert place in cell.source, cell.metadata.nbgrader.grade_id


def test_text_tells_each_task_its_points(release):
    cells = nbformat.read(release, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    tests = [c.metadata.nbgrader for c in cells if c.metadata.get("nbgrader", {}).get("grade")]
    assert "20 points" in text
    assert len(re.findall(r"\d points?\b", text)) >= len(tests) / 2


def test_unanswered_they_run_through_without_nbgrader_and_without_a_network(course, tmp_path):
    """As in Colab: the file in an empty folder, the package, and no nbgrader."""
    releases = sorted((course / "release").glob("*/*.ipynb"))
    for release in releases:
        (tmp_path / release.name).write_bytes(release.read_bytes())
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules['nbgrader'] = None\n"
        + (ROOT / "tests/no_network/sitecustomize.py").read_text("utf-8")
    )
    code = (
        "import sys, glob; sys.path[0:0] = [sys.argv[1]]\n"
        "import nbformat\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "for path in sorted(glob.glob('A*.ipynb')):\n"
        "    shell.reset()\n"
        "    for cell in nbformat.read(path, as_version=4).cells:\n"
        "        if cell.cell_type == 'code':\n"
        "            shell.run_cell(cell.source).raise_error()\n"
        "    print('through', path)\n"
        "assert 'hidden' not in sys.modules\n"
    )
    (tmp_path / "data").mkdir()
    environment = {
        "PYTHONPATH": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "COURSE_DATA": str(tmp_path / "data"),
        "MPLBACKEND": "agg",
    }
    run = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    assert run.stdout.count("through A") == len(releases) == 4
    assert run.stdout.count("not attempted yet") >= 4
    assert "Traceback" not in run.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('# %% tests="a"\nassert 1', "tests and written questions have points"),
        ('# %% answer="a" points=3\npass', "tests and written questions have points"),
        ('# %% answer="a"\npass\n# %% answer="a"\npass', "another cell of that name"),
        ("# %%\nx = 1\n# %%\n### BEGIN SOLUTION\ny = 1\n### END SOLUTION", None),
        ('# %% written="a" points=1\npass', "a written question is a text cell"),
        ('# %% answer="a"\n### BEGIN HIDDEN TESTS\npass\n### END HIDDEN TESTS', "outside a test"),
        (
            '# %% tests="a" points=1\n### BEGIN HIDDEN TESTS\npass',
            "### END HIDDEN TESTS is missing",
        ),
        (
            '# %% tests="a" points=1\n### BEGIN SOLUTION\npass\n### END SOLUTION',
            "outside an answer",
        ),
    ],
)
def test_a_master_that_contradicts_itself_is_refused(tmp_path, text, said):
    path = tmp_path / "A9_odd.py"
    path.write_text("# %%\nimport torch\n" + text + "\n")
    with pytest.raises(build.BadMaster, match=said or "a solution stands outside an answer"):
        build.read_master(path)

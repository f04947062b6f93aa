"""A warning of our own modules is an error in every test; what a neighbour deprecates is not."""

import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
KINDS = [DeprecationWarning, PendingDeprecationWarning, FutureWarning, UserWarning]
every_kind = pytest.mark.parametrize("kind", KINDS)


def warn_in(module, kind, filename="x.py"):
    """Raise a warning as a line of `module` would."""
    code = compile("import warnings; warnings.warn('soon gone', kind)", filename, "exec")
    exec(code, {"__name__": module, "kind": kind})


@every_kind
@pytest.mark.parametrize(
    "module",
    ["course_utils", "course_utils.ops", "grading.build", "hidden.a1", "colab", "conftest"],
)
def test_a_warning_raised_in_a_module_of_ours_is_an_error(module, kind):
    with pytest.raises(kind, match="soon gone"):
        warn_in(module, kind)


@every_kind
@pytest.mark.parametrize("module", ["pyparsing.core", "nbgrader.api", "tests_of_others", "labour"])
def test_a_warning_raised_in_a_neighbours_module_is_none(module, kind):
    with warnings.catch_warnings(record=True):  # else it stands in each summary
        warn_in(module, kind)


def test_a_neighbour_that_blames_our_line_is_heard():
    def old():
        warnings.warn("call new() instead", DeprecationWarning, stacklevel=2)  # the caller's line

    with pytest.raises(DeprecationWarning, match="new"):
        old()


def test_what_the_compiler_says_about_a_file_of_ours_is_an_error():
    doubtful = r"'\d'"
    with pytest.raises(SyntaxError, match="escape"):
        compile(doubtful, str(ROOT / "course_utils" / "x.py"), "eval")
    with warnings.catch_warnings(record=True):
        compile(doubtful, str(ROOT / ".venv" / "lib" / "x.py"), "eval")


def test_every_module_of_ours_that_is_loaded_counts():
    folders = [ROOT / name for name in ("course_utils", "assignments", "tests", "tools")]
    paths = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    ours = [
        name
        for name, path in paths.items()
        if path and any(folder in Path(path).parents for folder in folders)
    ]
    assert __name__ in ours
    for name in ours:
        with pytest.raises(UserWarning):
            warn_in(name, UserWarning)

"""Write course_utils/checks/__init__.pyi, with which an editor finds the file of each check.

At run time `checks.X` is found by its file's name. An editor does not run the package, so for it
the names are written down here, by `make notebooks`; a test sees that none is missing.
"""

from pathlib import Path

CHECKS = Path(__file__).resolve().parent.parent / "course_utils" / "checks"
HEAD = """# Written by tools/checks_stub.py, for editors.
from collections.abc import Mapping

from .engine import Case as Case
from .engine import Exercise as Exercise
from .engine import Mistake as Mistake
from .engine.prediction import compare_prediction as compare_prediction
from .engine.result import Result as Result
"""


def stub():
    """The text of the file."""
    files = sorted(CHECKS.glob("lesson_*/[!_]*.py"))
    lines = [f"from .{f.parent.name}.{f.stem} import {f.stem} as {f.stem}\n" for f in files]
    return HEAD + "".join(lines) + "\nEXERCISES: Mapping[str, Exercise]\n"


if __name__ == "__main__":
    (CHECKS / "__init__.pyi").write_text(stub(), "utf-8")

"""nbgrader's settings for this course. nbgrader reads them when it is started in this folder.

`make assignments` and `make grade` read them too, and set more where they grade in a sandbox.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
c = get_config()  # noqa: F821 (traitlets gives it to a configuration file)

c.CourseDirectory.root = str(HERE)
c.CourseDirectory.course_id = "cnn"
# Several processes write grades at the same time; each waits for its turn.
c.CourseDirectory.db_url = f"sqlite:///{HERE / 'gradebook.db'}?timeout=60"

# What stands in the students' notebook where a solution was.
c.ClearSolutions.code_stub = {"python": "# your code here"}
c.ClearSolutions.text_stub = "*Write your answer here.*"

c.OverwriteKernelspec.enabled = True
c.Execute.timeout = 100
# A feedback page says what was lost and why, and shows no hidden test.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]


def put_first(variable, folder):
    """Look in `folder` before the other folders of an environment variable."""
    others = [one for one in os.environ.get(variable, "").split(os.pathsep) if one]
    os.environ[variable] = os.pathsep.join(dict.fromkeys([str(folder), *others]))


put_first("PYTHONPATH", HERE)  # hidden tests import `hidden`, which students do not get
put_first("PATH", Path(sys.executable).parent)  # nbgrader calls alembic by its name

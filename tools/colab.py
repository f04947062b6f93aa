"""Stamp the course with its address: what lets a notebook be opened in Colab by one click.

    python tools/colab.py      README.md and notebooks/, nothing is executed (`make stamp`)

The address is `Repository` in pyproject.toml, [project.urls]. While it is unset there is no badge,
and each notebook's first cell says how to get the package.
"""

import json
import re
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import nbformat

ROOT = Path(__file__).resolve().parent.parent
BRANCH = "main"
PICTURE = "https://colab.research.google.com/assets/colab-badge.svg"
TAG = "set-up"  # of the cell that is the same in all notebooks
# What a notebook needs beside the package: the extra of pyproject.toml, and modules that it brings.
EXTRAS = {"12_deploy": ("deploy", ("onnx", "onnxruntime", "onnxscript"))}
WAY_OUT = "Write `Repository` as https://github.com/OWNER/NAME, or take the line out."
PARAGRAPH = re.compile(
    r"(?<=<!-- tools/colab.py writes this -->\n).*?(?=<!-- until here -->)", re.S
)
BADGE = re.compile(r"\n\n\[!\[Open this notebook in Colab\]\(\S+\)\]\(\S+\)")

SET = """\
# @title Set up: run this cell and go on. On Colab it installs the course's package, once.
import importlib.util, subprocess, sys
if not all(map(importlib.util.find_spec, {modules})):
    if "google.colab" not in sys.modules:
        raise ModuleNotFoundError('What this notebook needs is not here: open it with `make lab`, or run: pip install "{package} @ git+{url}"')
    pip = subprocess.run([sys.executable, "-m", "pip", "install", "-qq", "{package} @ git+{url}"], capture_output=True, text=True)
    if pip.returncode != 0:
        raise RuntimeError("The course's package could not be installed. Is there a network? Then run this cell again. pip says: " + pip.stderr)"""  # noqa: E501

UNSET = """\
# @title Set up: run this cell and go on.
import importlib.util
if not all(map(importlib.util.find_spec, {modules})):
    raise ModuleNotFoundError(
        "What this notebook needs is not here. On your own computer, `make lab` opens it with all of that. On Colab, "
        "run `!pip install '{package} @ git+ADDRESS'` in a new cell, with the address of the course's repository."
    )"""  # noqa: E501

ON_COLAB = {
    "badge": """\
**Colab.** Click a lesson's badge in the table above. The notebook's first cell installs the helper
package there, once, and leaves what Colab has as it is.
""",
    "address": """\
**Colab.** Upload a notebook from `notebooks/`. Its first cell installs the helper package there,
once, and leaves what Colab has as it is.
""",
    "unset": """\
**Colab.** Upload a notebook from `notebooks/`, and in a new first cell run
`!pip install "course-utils[deploy] @ git+ADDRESS"`, with the address of this repository in place of
ADDRESS. That adds the helper package and leaves what Colab has as it is. To spare students that,
see [CONTRIBUTING.md](CONTRIBUTING.md#colab).
""",
}


def repository_url(pyproject=ROOT / "pyproject.toml"):
    """The address of the course's repository as pyproject.toml has it, without what may trail it.

    Returns: "https://github.com/OWNER/NAME" and the like, or None while it is unset.
    Raises: ValueError, if what stands there is no address that pip can install from.
    """
    project = tomllib.loads(Path(pyproject).read_text("utf-8"))["project"]
    written = project.get("urls", {}).get("Repository")
    return None if written is None else _checked(written)


def _checked(written):
    url = str(written).strip().rstrip("/")
    parts = urlsplit(url)
    if parts.hostname in ("github.com", "www.github.com"):
        url = f"https://github.com{parts.path}".removesuffix(".git")
        right = parts.scheme in ("http", "https") and re.fullmatch(r"/[\w-]+/[\w.-]+", parts.path)
    else:
        right = parts.scheme in ("https", "http") and parts.hostname and parts.path.strip("/")
        right = right or (parts.scheme == "file" and parts.path.strip("/"))
    if not right or parts.query or parts.fragment or re.search(r"[\s\"'\\{}]", url):
        raise ValueError(f"pyproject.toml: Repository = {written!r} is no address. {WAY_OUT}")
    return url


def badge_target(stem, url=None):
    """The address that opens a notebook in Colab, or None: Colab opens them from GitHub only.

    stem: of the notebook. url: as from `repository_url`, which is asked if none is given.
    """
    url = url or repository_url()
    if not url or not url.startswith("https://github.com/"):
        return None
    owner_and_name = url.removeprefix("https://github.com/")
    file = f"blob/{BRANCH}/notebooks/{stem}.ipynb"
    return f"https://colab.research.google.com/github/{owner_and_name}/{file}"


def badge(stem, url, name="this notebook"):
    """Markdown of the badge that opens a notebook in Colab, or "" where there can be none.

    stem, url: as for `badge_target`; None is no address. name: what the link opens, in words.
    """
    target = url and badge_target(stem, url)
    return f"[![Open {name} in Colab]({PICTURE})]({target})" if target else ""


def set_up_cell(stem, url):
    """The first code cell of every notebook that students open: it sees to `course_utils`.

    Where the package is, it does nothing. On Colab it installs it; elsewhere it says what to do.
    """
    extra, modules = EXTRAS.get(stem, ("", ()))
    source = (SET if url else UNSET).format(
        modules=json.dumps(["course_utils", *modules]),
        package=f"course-utils[{extra}]" if extra else "course-utils",
        url=url,
    )
    # Folded, in JupyterLab as in Colab: nobody has to read it.
    metadata = {"tags": [TAG], "cellView": "form", "jupyter": {"source_hidden": True}}
    return nbformat.v4.new_code_cell(source, id=TAG, metadata=metadata)


def with_set_up(notebook, stem, url):
    """The notebook with the set-up cell as its first code cell, in place of the one it may have."""
    cells = notebook.cells
    first = next(cell for cell in cells if cell.cell_type == "code")
    cell, place = set_up_cell(stem, url), cells.index(first)
    if TAG in first.metadata.get("tags", []):
        cell.execution_count = cells.pop(place).execution_count
    cells.insert(place, cell)
    return notebook


def stamped(notebook, stem, url):
    """The notebook with its set-up cell and its badge, in place of those that it may have.

    Outputs stay as they are. The cells' ids do, too: the badge is no part of the lesson's text.
    """
    notebook, mark = with_set_up(notebook, stem, url), badge(stem, url)
    title, *rest = BADGE.sub("", notebook.cells[0].source).split("\n", 1)
    notebook.cells[0].source = "\n".join([f"{title}\n\n{mark}" if mark else title, *rest])
    return notebook


def paragraph(url):
    """What the README says about Colab."""
    return ON_COLAB["badge" if badge("", url) else "address" if url else "unset"]


def main():
    import lesson_table  # which asks this file for badges

    try:
        url = repository_url()
    except ValueError as error:
        sys.exit(f"{error} Nothing was changed.")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        nbformat.write(stamped(notebook, path.stem, url), path)
    lesson_table.write(url)
    readme = ROOT / "README.md"
    readme.write_text(PARAGRAPH.sub(paragraph(url), readme.read_text("utf-8")), "utf-8")
    print(f"stamped with {url}" if url else "no address in pyproject.toml: stamped without")


if __name__ == "__main__":
    main()

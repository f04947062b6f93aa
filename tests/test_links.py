"""Every link to a file of the project leads somewhere, and every picture has words."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("notebooks/*.ipynb")]
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def text_of(page):
    if page.suffix != ".ipynb":
        return re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    cells = nbformat.read(page, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def anchors(page):
    """The names that a link can jump to: GitHub's and JupyterLab's ways of writing a heading."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.M)
    return {h.strip().replace(" ", "-") for h in headings} | {
        re.sub(r"[^\w -]", "", h.strip().lower()).replace(" ", "-") for h in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere_and_pictures_have_words(page):
    for picture, words, target in LINK.findall(text_of(page)):
        assert not picture or len(words) > 15, target
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target

"""Write the README's table: questions and minutes from lessons/, pictures from notebooks/.

    python tools/lesson_table.py      the README's table and docs/lessons/

A lesson's picture is the last one of the cell with the tag "cover".
"""

import base64
import io
import re
from pathlib import Path

import colab
import nbformat
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
README, PICTURES = ROOT / "README.md", ROOT / "docs" / "lessons"
BEGIN, END = "<!-- tools/lesson_table.py writes this -->\n", "<!-- until here -->"
TABLE = re.compile(f"(?<={BEGIN}).*?(?={END})", re.S)
SIZE = (240, 150)  # pixels: the most that a picture takes
COVER = "cover"  # tags the cell whose last picture stands for the lesson


def cover_of(notebook):
    """(PNG as base64, alt text) of the picture that stands for a notebook."""
    cells = nbformat.read(notebook, as_version=4).cells
    (cell,) = (cell for cell in cells if COVER in cell.metadata.get("tags", []))
    shown = [output for output in cell.outputs if "image/png" in output.get("data", {})][-1]
    return shown.data["image/png"], shown.metadata["image/png"]["alt"]


def facts_of(master):
    """(title, question, minutes) as the first cell of a lesson says them."""
    text = master.read_text("utf-8")
    title = re.search(r"^# # \d\d · (.+)$", text, re.M)[1]
    question = re.search(r"^# \*\*Question: (.+?)\*\*$", text, re.M)[1]
    minutes = re.search(r"^# \*(\d+) minutes\.", text, re.M)[1]
    return title, question[0].upper() + question[1:], minutes


def rows(url=None):
    """The table, as it should stand in the README; with badges if Colab can open the course.

    url: of the course's repository, as `colab.repository_url` has it.
    """
    lines = ["| | lesson | question | minutes |", "| --- | --- | --- | --- |"]
    if colab.badge("", url):
        lines = [f"{line} {more} |" for line, more in zip(lines, ("", "---"), strict=True)]
    for master in sorted((ROOT / "lessons").glob("*.py")):
        number = master.stem[:2]
        title, question, minutes = facts_of(master)
        notebook = f"notebooks/{master.stem}.ipynb"
        _, alt = cover_of(ROOT / notebook)
        words = re.sub(r"[\[\]|\s]+", " ", re.split(r"(?<=[a-z)])[.:;] ", alt)[0])[:160].strip()
        picture = f"![From lesson {number}: {words}](docs/lessons/{number}.png)"
        line = f"| {picture} | [{number} {title}]({notebook}) | {question} | {minutes} |"
        mark = colab.badge(master.stem, url, f"lesson {number}")
        lines.append(f"{line} {mark} |" if mark else line)
    return "\n".join(lines) + "\n"


def draw(number, notebook):
    """Save the small picture of a lesson."""
    png, _ = cover_of(notebook)
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    image.thumbnail(SIZE, Image.Resampling.LANCZOS)
    framed = Image.new("RGB", SIZE, "white")
    framed.paste(image, ((SIZE[0] - image.width) // 2, (SIZE[1] - image.height) // 2))
    PICTURES.mkdir(parents=True, exist_ok=True)
    framed.quantize(128).save(PICTURES / f"{number}.png", optimize=True)


def write(url):
    """Put the table into the README."""
    README.write_text(TABLE.sub(lambda _: rows(url), README.read_text("utf-8")), "utf-8")


def main():
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        draw(notebook.stem[:2], notebook)
    write(colab.repository_url())


if __name__ == "__main__":
    main()

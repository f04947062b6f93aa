"""Write the README's table: questions and minutes from lessons/, pictures from notebooks/.

python tools/lesson_table.py               the README's table and docs/lessons/
python tools/lesson_table.py --list 04     the pictures of a notebook with their numbers
"""

import argparse
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
# Which of a notebook's pictures stands for it, counted from 0.
CHOSEN = {
    "00": 1, "01": 21, "02": 0, "03": 3, "04": 16, "05": 4, "06": 13,
    "07": 2, "08": 8, "09": 5, "10": 3, "11": 6, "12": 8, "13": 2,
}  # fmt: skip


def pictures_of(notebook):
    """The stored pictures of a notebook with their alt texts, in order."""
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                yield png, output["metadata"].get("image/png", {}).get("alt", "")


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
        _, alt = list(pictures_of(ROOT / notebook))[CHOSEN[number]]
        words = re.sub(r"[\[\]|\s]+", " ", re.split(r"(?<=[a-z)])[.:;] ", alt)[0])[:160].strip()
        picture = f"![From lesson {number}: {words}](docs/lessons/{number}.png)"
        line = f"| {picture} | [{number} {title}]({notebook}) | {question} | {minutes} |"
        mark = colab.badge(master.stem, url, f"lesson {number}")
        lines.append(f"{line} {mark} |" if mark else line)
    return "\n".join(lines) + "\n"


def draw(number, notebook):
    """Save the small picture of a lesson."""
    png, _ = list(pictures_of(notebook))[CHOSEN[number]]
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", metavar="NN", help="only list the pictures of this lesson")
    wanted = parser.parse_args().list
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        number = notebook.stem[:2]
        if wanted == number:
            for place, (_, alt) in enumerate(pictures_of(notebook)):
                print(place, alt[:100])
        elif not wanted:
            draw(number, notebook)
    if not wanted:
        write(colab.repository_url())


if __name__ == "__main__":
    main()

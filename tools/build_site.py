"""Build build/site/: the lessons as web pages, to read without installing anything.

    python tools/build_site.py                     all of it; the widgets work on the pages
    python tools/build_site.py --without-widgets   their pictures only, in seconds

The pages show the notebooks as they are stored. Only the cells that a widget needs are run, to get
its first state. The folder can be served from any place, or opened as files: it asks for nothing
outside of itself. `tools/site/` holds its templates, its style and its scripts.
"""

import argparse
import json
import re
import shutil
import sys
from pathlib import Path

import colab
import jinja2
import lesson_table
import nbformat
import site_text
import site_widgets
from PIL import Image
from site_cells import Page

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS, ASSETS, SITE = (
    ROOT / "notebooks",
    Path(__file__).parent / "site",
    ROOT / "build" / "site",
)
COPIED = ["style.css", "site.js", "host.js", "icon.svg"]


def facts():
    """What is known of each lesson: dicts with name, number, title, question, minutes, picture."""
    words = {
        n: alt for alt, n in re.findall(r"!\[(.+?)\]\(docs/lessons/(\d\d)", lesson_table.rows())
    }
    found = []
    for master in sorted((ROOT / "lessons").glob("*.py")):
        title, question, minutes = lesson_table.facts_of(master)
        found.append(
            {
                "name": master.stem,
                "number": master.stem[:2],
                "title": title,
                "question": site_text.markdown(question)[0].strip()[3:-4],  # without its <p>
                "minutes": int(minutes),
                "picture": words[master.stem[:2]],  # what it says
            }
        )
    return found


def resolver(names, address=None):
    """A function from a link in a lesson to the one on the site, or None where there is none."""

    def resolve(url):
        if re.match(r"[a-z]+:", url):
            return url
        path, sign, anchor = url.partition("#")
        anchor = sign + site_text.slug(anchor.replace("-", " "))
        if not path:
            return anchor
        if path.endswith(".ipynb") and Path(path).stem in names:
            return f"{Path(path).stem}.html{anchor}"
        target = (NOTEBOOKS / path).resolve()
        if address and target.is_relative_to(ROOT):
            return f"{address}/blob/{colab.BRANCH}/{target.relative_to(ROOT).as_posix()}"
        return None

    return resolve


def about():
    """What the README says of the course: (title, first paragraph as HTML, picture, its words)."""
    text = (ROOT / "README.md").read_text("utf-8")
    title, first, words, picture = re.match(
        r"# (.+)\n\n((?:.+\n)+)\n!\[(.+?)\]\((.+?)\)", text
    ).groups()
    return title, site_text.markdown(first, lambda url: None)[0], ROOT / picture, words


def script(name, value):
    """A file that hands a value to the page. Opened from a disk, a page may load scripts only."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"courseSite.put({json.dumps(name)},{text});\n"


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def write_widgets(folder, states):
    """Write each widget's state, and its kind's module and style sheet; returns its cells' ids."""
    for found in states.values():
        for key, (state, module, style) in found.items():
            kind = state["widget"]
            write(folder / f"widgets/{key}.js", script(f"widgets/{key}.js", state))
            code = script(f"widgets/{kind}.js", {"module": module, "style": style})
            write(folder / f"widgets/{kind}.js", code)
    return {key for found in states.values() for key in found}


def build(folder, notebooks, states):
    """Write the site.

    folder: is there and empty. notebooks: {path: notebook}. states: what `site_widgets.states`
    returns for them, or {}. Returns the number of its pages.
    """
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS), trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    lessons = [lesson for lesson in facts() if NOTEBOOKS / f"{lesson['name']}.ipynb" in notebooks]
    address = colab.repository_url()
    resolve = resolver({lesson["name"] for lesson in lessons}, address)
    live = write_widgets(folder, states)
    course, summary, cover, words = about()
    shared = {"course": course, "lessons": lessons, "address": address}
    index = []
    for place, lesson in enumerate(lessons):
        path = NOTEBOOKS / f"{lesson['name']}.ipynb"
        page = Page(notebooks[path], resolve, live)
        index += [[f"{lesson['name']}.html", page.title, *section] for section in page.sections]
        for name, data in page.pictures.items():
            write(folder / "pictures" / name, data)
        html = templates.get_template("lesson.html").render(
            **shared,
            page=page,
            lesson=lesson,
            previous=lessons[place - 1] if place else None,
            following=lessons[place + 1] if place + 1 < len(lessons) else None,
            colab=colab.badge_target(lesson["name"], address),
        )
        write(folder / f"{lesson['name']}.html", html)
        write(folder / "notebooks" / path.name, path.read_bytes())
        picture = lesson_table.PICTURES / f"{lesson['number']}.png"
        write(folder / "pictures" / f"lesson-{lesson['number']}.png", picture.read_bytes())
    hours = round(sum(lesson["minutes"] for lesson in lessons) / 60)
    with Image.open(cover) as image:
        width, height = image.size
    write(folder / "pictures" / "course.png", cover.read_bytes())
    html = templates.get_template("index.html").render(
        **shared,
        summary=summary,
        hours=hours,
        lesson=None,
        live=len(live),
        picture={"words": words, "width": width, "height": height},
    )
    write(folder / "index.html", html)
    write(folder / "search.js", script("search.js", index))
    for name in COPIED:
        write(folder / "assets" / name, (ASSETS / name).read_bytes())
    return len(lessons) + 1


def emptied(folder):
    """The folder, there and empty; refuses to empty one that is not a site of ours."""
    if folder.exists():
        if any(folder.iterdir()) and not (folder / "assets" / "host.js").exists():
            sys.exit(f"{folder} holds something else than a site: choose another --output")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=SITE, help="the folder to write")
    parser.add_argument("--without-widgets", action="store_true", help="keep their pictures only")
    arguments = parser.parse_args()
    notebooks = {
        path: nbformat.read(path, as_version=4) for path in sorted(NOTEBOOKS.glob("*.ipynb"))
    }
    states = {}
    if not arguments.without_widgets:
        print("Working out the first state of the widgets: a minute or two …", flush=True)
        try:
            states = site_widgets.states(notebooks)
        except RuntimeError as error:
            sys.exit(
                f"A cell that a widget needs failed: {error}\nNothing was written. "
                "With --without-widgets the site is built with their pictures."
            )
    folder = emptied(arguments.output)
    count = build(folder, notebooks, states)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{count} pages, {size / 1e6:.1f} MB. Open {folder / 'index.html'}, or serve the folder.")


if __name__ == "__main__":
    main()

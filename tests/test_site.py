"""The pages of the site, made from notebooks without running anything."""

import base64
import io
import json
import re
from pathlib import Path

import build_site
import nbformat
import pytest
import site_text
from PIL import Image
from site_cells import Page
from site_widgets import shown_by

ROOT = Path(__file__).resolve().parent.parent

code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
output = nbformat.v4.new_output
NAMES = {"00_start", "01_next"}


def png(width=80, height=40):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(buffer, "png")
    return base64.b64encode(buffer.getvalue()).decode()


def page_of(*cells, live=(), address=None):
    notebook = nbformat.v4.new_notebook(cells=[text("# 00 · Start"), *cells])
    return Page(notebook, build_site.resolver(NAMES, address), live)


def with_output(kind, metadata=None, source="x", **fields):
    shown = output("display_data", data={kind: fields["data"], "text/plain": "plain"})
    shown.metadata = nbformat.from_dict(metadata or {})
    return code(source, outputs=[shown])


def test_each_kind_of_output_is_shown():
    error = output(
        "error", ename="ValueError", evalue="no", traceback=["\x1b[31mValueError\x1b[0m: <no>"]
    )
    page = page_of(
        code("print(1 < 2)", outputs=[output("stream", text="yes & no\n")]),
        with_output("text/html", data="<table><tr><td>5</td></tr></table>"),
        with_output("text/markdown", data="| a | b |\n| - | - |\n| `c` | **9** |"),
        code("y", outputs=[output("execute_result", data={"text/plain": "tensor(<3>)"})]),
        code("# broken\nz", outputs=[error]),
    )
    assert '<pre class="stream">yes &amp; no</pre>' in page.html
    assert '<div class="scroll html"><table><tr><td>5</td></tr></table></div>' in page.html
    assert '<div class="scroll"><table>' in page.html
    assert "<strong>9</strong>" in page.html
    assert "tensor(&lt;3&gt;)" in page.html
    assert (
        '<pre class="error"><span class="ansi-red-fg">ValueError</span>: &lt;no&gt;</pre>'
        in page.html
    )
    assert '<span class="nb">print</span>' in page.html


def test_a_picture_keeps_its_words_and_its_size():
    words = {"alt": 'a "navy" box', "width": 40}
    page = page_of(with_output("image/png", {"image/png": words}, data=png()))
    (name,) = page.pictures
    assert (
        f'<img src="pictures/{name}" alt="a &quot;navy&quot; box" width="40" height="20">'
        in page.html
    )
    assert page.pictures[name] == base64.b64decode(png())


def test_a_widget_that_works_on_the_page_has_its_place_and_sliders_say_what_they_need():
    widget = with_output("image/png", data=png(), source="widgets.DigitPad(network)")
    sliders = with_output("image/png", data=png(), source="explore(draw, row=(1, 5))")
    page = page_of(widget, sliders, live={widget.id})
    assert page.html.count(f'<figure class="widget" data-widget="{widget.id}">') == 1
    assert page.html.count("sliders move this picture: they need Python") == 1
    assert "data-widget" not in page_of(widget).html


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("widgets.DigitPad(network)", "widget"),
        ("pad = widgets.DigitPad(network)\npad", "widget"),
        ("pad = widgets.DigitPad(network)", None),
        ("plotting.show(widgets.KernelPlayground(photo).draw())", None),
        ("for n in (1, 2):\n    print(widgets.ShapeBuilder(n).mismatch)", None),
        ("explore(draw, row=(1, 5))", "sliders"),
        ("# nothing", None),
    ],
)
def test_what_a_cell_ends_in_is_read_off_its_text(source, kind):
    assert shown_by(code(source)) == kind


def test_every_widget_and_all_sliders_of_the_lessons_are_found():
    found = [
        (path.stem[:2], shown_by(cell))
        for path in sorted(build_site.NOTEBOOKS.glob("*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code" and shown_by(cell)
    ]
    lessons = [number for number, kind in found if kind == "widget"]
    assert set(lessons) >= {"01", "02", "04", "07", "08", "09", "12"}
    assert {number for number, kind in found if kind == "sliders"} >= {"00", "02", "06"}


def test_links_lead_to_pages_of_the_site_or_are_no_links():
    page = page_of(
        text("[a](01_next.ipynb) [b](01_next.ipynb#Slide,-multiply,-add) [c](#how-large)"),
        text("[d](../data/README.md) [e](https://pytorch.org) ![f g](https://example.org/f.svg)"),
    )
    assert re.findall(r'href="([^"]+)"', page.html) == [
        "01_next.html",
        "01_next.html#slide-multiply-add",
        "#how-large",
        "https://pytorch.org",
    ]
    assert " d " in page.html.replace("<p>", " ")
    assert "f g" in page.html
    assert "<img" not in page.html
    there = page_of(text("[d](../data/README.md)"), address="https://github.com/ada/course")
    assert 'href="https://github.com/ada/course/blob/main/data/README.md"' in there.html


def test_a_picture_of_another_host_becomes_its_words_and_one_of_the_course_its_place_on_the_site():
    places = {"docs/lessons/04.png": "pictures/04.png"}
    shown, _ = site_text.markdown(
        "![away](https://example.org/a.png) ![here](docs/lessons/04.png) ![stays](other.png)",
        places.get,
    )
    assert shown.startswith("<p>away <img")
    assert re.findall(r'src="(.*?)"', shown) == ["pictures/04.png", "other.png"]
    data, _ = site_text.markdown("![dot](data:image/png;base64,AAAA)", places.get)
    assert 'src="data:image/png;base64,AAAA"' in data


def test_a_link_that_leads_nowhere_on_the_site_is_only_its_words():
    html, _ = site_text.markdown("[next](a.ipynb) and [gone](b.ipynb)", {"a.ipynb": "a.html"}.get)
    assert re.findall(r'href="(.*?)"', html) == ["a.html"]
    assert "gone" in html


def test_headings_have_names_of_their_own_and_sections_hold_what_stands_below_them():
    page = page_of(
        text("## Loss, $L^2$\n\nOne.\n\n### Exercise 1 · Its root  ★★☆ 8 minutes\n\nTwo."),
        code("loss = 1"),
        text("## Loss, $L^2$"),
    )
    assert page.headings[1:] == [
        (2, "loss-l-2", "Loss, L 2"),
        (3, "exercise-1--its-root--8-minutes", "Exercise 1 · Its root"),
        (2, "loss-l-2-2", "Loss, L 2"),
    ]
    assert page.sections[1:3] == [
        ("loss-l-2", "Loss, L 2", "One."),
        ("exercise-1--its-root--8-minutes", "Exercise 1 · Its root", "Two. loss = 1"),
    ]


def test_hints_fold_and_what_asks_for_something_stands_out():
    page = page_of(
        text("<details><summary>Hint 1: here</summary>\n\nA **word**.\n\n</details>"),
        text("**Predict.** How many?\n\n**Try:** drag it."),
        text("### Exercise 1 · Loops  ★☆☆ 5 minutes"),
    )
    assert "<details><summary>Hint 1: here</summary>" in page.html
    assert "<strong>word</strong>" in page.html
    assert '<p class="ask predict">' in page.html
    assert '<p class="ask try">' in page.html
    assert 'class="exercise">Exercise 1' in page.html


def test_the_set_up_cell_and_the_badge_are_not_on_the_page():
    colab = build_site.colab
    url = "https://github.com/ada/course"
    notebook = nbformat.v4.new_notebook(cells=[text("# 01 · Next\n\nWords."), code("x = 1")])
    page = Page(colab.stamped(notebook, "01_next", url), build_site.resolver(NAMES))
    assert "x" in page.html
    assert "find_spec" not in page.html
    assert "colab" not in page.html.lower()


def test_every_formula_of_the_lessons_becomes_mathml():
    count = 0
    for path in build_site.NOTEBOOKS.glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown" and "$" in cell.source:
                html, _ = site_text.markdown(cell.source)
                count += html.count("<math")
                left = re.sub(r"<(pre|code)\b.*?</\1>", "", html, flags=re.S)
                assert not re.search(r"\$|\\[a-z]+", left), cell.source
    assert count > 100


@pytest.mark.parametrize("tex", [r"\left( x", "x^", r"\nosuch x"])
def test_what_is_no_formula_is_refused_with_its_text(tex):
    with pytest.raises(ValueError, match=re.escape(f"the formula {tex!r} cannot be written")):
        site_text.formula(tex, display=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Three lessons of the course as a site, without widgets, built twice: the two folders."""
    paths = sorted(build_site.NOTEBOOKS.glob("0[017]*.ipynb"))
    notebooks = {path: nbformat.read(path, as_version=4) for path in paths}
    folders = [tmp_path_factory.mktemp("site") for _ in "12"]
    for folder in folders:
        assert build_site.build(folder, notebooks, {}) == 4
    return folders


def test_two_builds_give_the_same_bytes(site):
    first, second = (
        {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in site
    )
    assert first == second


def test_pages_lead_to_the_next_and_the_one_before(site):
    pages = ["00_start_here.html", "01_convolution_by_hand.html", "07_bug_clinic.html"]
    texts = [(site[0] / page).read_text("utf-8") for page in pages]
    for i, html in enumerate(texts):
        before, after = ["", *pages][i], [*pages, ""][i + 1]
        assert re.findall(r'<a rel="prev" href="([^"]+)"', html) == [before] * bool(before)
        assert re.findall(r'<a rel="next" href="([^"]+)"', html) == [after] * bool(after)
        assert html.count('aria-current="page"') == 1


def test_a_page_has_no_dead_link_no_foreign_resource_and_no_picture_without_words(site):
    for page in site[0].glob("*.html"):
        html = page.read_text("utf-8")
        for target in re.findall(
            r'<(?:img|script|link|audio|source)\b[^>]*?(?:src|href)="([^"]+)"', html
        ):
            assert target.startswith("data:") or (site[0] / target).is_file(), target
        for target in re.findall(r'<a\b[^>]*?href="([^"#:]+)(?:#[^"]*)?"', html):
            assert (site[0] / target).is_file(), target
        for image in re.findall(r"<img\b[^>]*>", html):
            assert re.search(r'alt="[^"]{10,}"', image), image
        assert "nbval" not in html
    for path in (*site[0].glob("assets/*"), site[0] / "search.js"):
        assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", path.read_text("utf-8")) or (
            path.name == "search.js"
        ), path


def test_the_search_has_every_section_with_its_words(site):
    file = (site[0] / "search.js").read_text("utf-8")
    inside = file.removeprefix("courseSite.put(").removesuffix(");\n")
    name, sections = json.loads(f"[{inside}]")
    assert name == "search.js"
    found = [(s[0], s[2]) for s in sections if "dilation" in s[3].lower()]
    assert ("01_convolution_by_hand.html", "dilation") in found
    for page, _, anchor, _, _ in sections:
        assert f'id="{anchor}"' in (site[0] / page).read_text("utf-8")


def test_a_folder_that_is_no_site_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SystemExit, match="something else than a site"):
        build_site.emptied(tmp_path)
    assert (tmp_path / "thesis.txt").exists()

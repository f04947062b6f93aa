"""What every widget promises: a picture behind it, names for all controls, no trace when closed."""

import math
import random
import re
import subprocess

import node
import page as pages
import pytest
import torch
import traitlets

from course_utils import plotting, widgets
from course_utils.widgets.shared.base import FOLDER, CourseWidget, compose, scope
from course_utils.widgets.shared.traits import Choice, Whole

every_widget = pytest.mark.parametrize("name", widgets.__all__)


def state_of(widget):
    """The synced traits that belong to the course, not to Jupyter."""
    own = set(type(widget).class_trait_names(sync=True)) - set(CourseWidget.class_trait_names())
    return sorted(name for name in own if not name.startswith("_"))


@every_widget
def test_it_comes_with_a_picture_and_its_words(name):
    data, metadata = getattr(widgets, name)()._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert len(data["text/plain"]) > 20
    assert metadata["image/png"]["alt"] == data["text/plain"]
    assert metadata["image/png"]["width"] <= 700
    assert "application/vnd.jupyter.widget-view+json" in data


@every_widget
def test_its_state_refuses_nonsense_with_the_name_of_the_trait(name):
    widget = getattr(widgets, name)()
    assert state_of(widget)
    for trait in state_of(widget):
        with pytest.raises(traitlets.TraitError, match=rf"\b{trait.replace('_', '.')}"):
            setattr(widget, trait, object())


@every_widget
def test_its_docstring_names_every_argument(name):
    cls = getattr(widgets, name)
    for trait in state_of(cls()):
        assert re.search(rf"\b{trait}\b", cls.__doc__), trait


@node.needs_node
@every_widget
def test_its_modules_make_one_module(name, tmp_path):
    path = tmp_path / "widget.mjs"
    path.write_text(getattr(widgets, name)._esm)
    done = subprocess.run([node.NODE, "--check", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"^import\b", path.read_text(), re.M)


@node.needs_node
def test_the_browser_writes_numbers_as_python_does(tmp_path):
    choose = random.Random(0)
    numbers = [0.0, -0.0, math.inf, -math.inf, 0.125, 0.375, -2.625, 1e5, -123456.0, 1e21, 0.005]
    numbers += [choose.randint(-800, 800) / 8 for _ in range(400)]  # many ties
    numbers += [choose.uniform(-1, 1) * 10 ** choose.randint(-4, 9) for _ in range(800)]
    # JSON knows no infinity, so numbers travel as text.
    cases = [[repr(n).replace("inf", "Infinity"), plotting.format_number(n)] for n in numbers]
    sums = []
    for size in range(1, 12):
        window, kernel = (torch.randint(-9, 10, (size,)) / 2 for _ in "ab")
        written = plotting.write_sum(window, kernel).rsplit(" = ", 1)[0]
        sums.append([window.tolist(), kernel.tolist(), written])
    wholes, stepper = [], widgets.ConvolutionStepper(input=torch.ones(12, 12))
    for value in (-1, 0, 1, 3, 5, 6, 2.5):
        try:
            stepper.stride = value
            wholes.append([value, None])
        except traitlets.TraitError as error:
            wholes.append([value, str(error)])
    cases = {"numbers": cases, "sums": sums, "wholes": wholes}
    node.run_node("numbers.test.mjs", cases, tmp_path)


def test_a_module_that_is_imported_twice_is_written_once():
    text = compose(FOLDER / "convolution_stepper/view.js")
    assert text.count("function formatNumber(") == 1
    assert text.count("export") == text.count("export default") == 1


def test_a_style_sheet_is_held_to_its_widget():
    css = ".cu a, .cu :is(x, y) b {c: d}\n@media print { .cu-x::before > z {e: f; g: h} }"
    assert scope(css, "R") == (
        ".cu:where(.R, .R *) a, .cu:where(.R, .R *) :is(x, y) b {c: d}\n"
        "@media print { .cu-x:where(.R, .R *)::before > z {e: f; g: h} }"
    )
    for name in widgets.__all__:
        css = getattr(widgets, name)._css
        for selectors in re.findall(r"([^{};]+)\{", css):
            commas = re.findall(r",(?![^(]*\))", selectors)
            at = selectors.strip().startswith("@")
            assert selectors.count(":where(.cu-") == (0 if at else len(commas) + 1), selectors
        assert "keyframes" not in css


def test_no_module_asks_anything_of_the_network():
    for path in FOLDER.rglob("*.js"):
        asks = re.search(r"https?://(?!www\.w3\.org/)|\bfetch\(|XMLHttp", path.read_text())
        assert not asks, path


@pytest.fixture(params=["light", "dark"])
def theme(request):
    return request.param


@every_widget
@pytest.mark.parametrize("width", [700, 390])
def test_it_fits_the_page_in_both_themes(browser, name, theme, width, tmp_path):
    page = pages.mount(browser, getattr(widgets, name)(), theme, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.errors == []
    pages.looks(page, tmp_path, f"{name}-{theme}-{width}")
    page.close()


@every_widget
def test_a_slider_goes_as_far_as_its_trait_and_a_menu_holds_its_words(browser, name):
    page = pages.mount(browser, getattr(widgets, name)())
    found = page.evaluate(
        """[...document.querySelectorAll("input[type=range], select")].map((e) => [
              e.id.split("-").at(-1),
              e.type === "range" ? [+e.min, +e.max] : [...e.options].map((o) => o.value)])"""
    )
    page.close()
    traits = getattr(widgets, name).class_traits()
    compared = 0
    for trait, shown in found:
        match traits.get(trait):
            case Whole(low=low, high=high):
                assert shown == [low, high], trait
            case Choice(options=options):
                assert set(shown) == set(options), trait
            case _:
                continue
        compared += 1
    # Two have no such trait: ShapeBuilder's state is its layers, KernelPlayground's its kernel.
    assert compared >= {"ShapeBuilder": 0, "KernelPlayground": 1, "DigitPad": 1}.get(name, 4)


@every_widget
def test_two_views_share_no_id_and_every_control_has_a_name(browser, name):
    page = pages.mount(browser, getattr(widgets, name)(), views=2)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    nameless = page.evaluate(
        """() => [...document.querySelectorAll(
              "button, input, select, textarea, [tabindex], [role=img], [role=grid]")]
            .filter((e) => e.checkVisibility())
            .filter((e) => !(e.labels?.length || e.getAttribute("aria-label") || e.title
              || document.getElementById(e.getAttribute("aria-labelledby"))?.textContent
              || e.textContent.trim()))
            .map((e) => e.outerHTML.slice(0, 200))"""
    )
    assert nameless == []
    page.close()


@every_widget
def test_pressing_everything_raises_nothing_and_closing_leaves_no_trace(browser, name):
    page = pages.mount(browser, getattr(widgets, name)())
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    # Handles, not places in a list: a click may change which controls there are.
    for element in page.query_selector_all(".cu button, .cu input[type=checkbox]"):
        pages.settle(page)  # what the last click changed is drawn
        if element.is_visible() and element.is_enabled():
            element.click()
    for element in page.locator(".cu input[type=range]:visible").all():
        if element.is_enabled():
            element.press("End")
            element.press("Home")
    pages.settle(page)
    said = page.locator(".cu").inner_text()
    assert not re.search(r"NaN|undefined|\[object", said), said
    assert pages.close(page) == [0, 0, 0]
    assert page.errors == []
    page.close()

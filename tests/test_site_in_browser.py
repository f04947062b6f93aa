"""The site in Chromium, served from a sub-folder: every page, its widgets, search, printing."""

import base64
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import build_site
import nbformat
import page as pages
import pytest
import site_widgets
import torch
import torch.nn.functional as F
from filelock import FileLock

from course_utils import widgets
from course_utils.widgets.digit_pad import network

ROOT = Path(__file__).resolve().parent.parent

pytestmark = [
    pytest.mark.more,
    # Playwright leaves its own transport to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
NAMES = ["index", *sorted(path.stem for path in build_site.NOTEBOOKS.glob("*.ipynb"))]
every_page = pytest.mark.parametrize("name", NAMES)
THEMES = ("light", "dark")
AXE = "axe-core@4"  # what it calls a fault changes from one major version to the next


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site, built once for all processes of this run; COURSE_SITE names one that is there."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "www" / "deep" / "course"
    with FileLock(shared / "site.lock"):
        if not folder.exists():
            new = shared / "new-site"
            if there := os.environ.get("COURSE_SITE"):
                shutil.copytree(there, new)
            else:
                line = [sys.executable, "tools/build_site.py", "--output", new]
                done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
                assert done.returncode == 0, done.stderr
            folder.parent.mkdir(parents=True)
            new.rename(folder)
    return folder


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served: in a folder below the host's root."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=site.parent.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/deep/course"
        server.shutdown()


@pytest.fixture
def visit(browser, address):
    """Opens a page of the site; at the end no error, failed request or foreign request is left."""
    contexts, faults = [], []

    def asked(request):
        if not request.url.startswith((address, "data:", "blob:")):
            faults.append(f"asks {request.url}")

    def open_page(name, theme="light", width=1280, height=900):
        size = {"width": width, "height": height}
        contexts.append(browser.new_context(viewport=size, color_scheme=theme))
        page = contexts[-1].new_page()
        page.on("console", lambda m: m.type in ("error", "warning") and faults.append(m.text))
        page.on("pageerror", lambda e: faults.append(str(e)))
        page.on("request", asked)
        page.on("requestfailed", lambda r: faults.append(f"failed: {r.url}"))
        page.on("response", lambda r: r.status >= 400 and faults.append(f"{r.status}: {r.url}"))
        page.goto(f"{address}/{name}.html", wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def wake(page):
    """Bring every widget near, so that it loads; returns how many work."""
    count = page.locator("figure[data-widget]").count()
    for i in range(count):
        page.locator("figure[data-widget]").nth(i).scroll_into_view_if_needed()
        page.locator("figure[data-widget]").nth(i).locator(".cu").wait_for()
    pages.settle(page)
    return count


def widget_cells(name):
    path = build_site.NOTEBOOKS / f"{name}.ipynb"
    cells = nbformat.read(path, as_version=4).cells if path.exists() else []
    return [c for c in cells if c.cell_type == "code" and site_widgets.shown_by(c) == "widget"]


@every_page
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", THEMES)
def test_a_page_fits_its_window_and_reports_no_error(visit, name, width, theme):
    page = visit(name, theme, width)
    assert wake(page) == len(widget_cells(name))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wordless = "[...document.images].filter((i) => !i.alt.trim()).map((i) => i.src)"
    assert page.evaluate(wordless) == []
    broken = "[...document.images].filter((i) => !i.naturalWidth).map((i) => i.src)"
    page.evaluate("Promise.all([...document.images].map((i) => i.decode()))")
    assert page.evaluate(broken) == []
    dead = """() => [...document.querySelectorAll("a[href*='#']")].filter((a) =>
        a.pathname === location.pathname
          && !document.getElementById(decodeURIComponent(a.hash.slice(1)))).map((a) => a.href)"""
    assert page.evaluate(dead) == []
    ink, paper = page.evaluate(
        "['color', 'backgroundColor'].map((what) => getComputedStyle(document.body)[what])"
    )
    brightness = lambda colour: sum(map(int, re.findall(r"\d+", colour)[:3]))  # noqa: E731
    assert (brightness(ink) < brightness(paper)) == (theme == "light")


@pytest.fixture(scope="session")
def axe():
    """The text of axe-core, which npm brings; kept in build/."""
    npm, folder = shutil.which("npm"), ROOT / "build" / "axe"
    file = folder / "node_modules" / "axe-core" / "axe.min.js"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(ROOT / "build" / "axe.lock"):
        if not file.exists():
            if not npm:
                pytest.skip("no npm here to fetch axe-core with")
            line = [npm, "install", "--no-save", "--no-audit", "--prefix", str(folder), AXE]
            done = subprocess.run(line, capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"npm could not fetch {AXE}: {done.stderr.strip()[-300:]}")
    return file.read_text("utf-8")


@every_page
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_the_accessibility_audit_finds_nothing(visit, name, theme, width, axe):
    page = visit(name, theme, width)
    wake(page)
    page.evaluate("document.querySelectorAll('article > details').forEach((d) => (d.open = true))")
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    said = [
        f"{fault['impact']}: {fault['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for fault in found
        for node in fault["nodes"]
    ]
    assert not said, "\n".join(said)


@pytest.fixture
def widget_of(visit):
    """A widget at work: (page, its element, a function that reads its state)."""

    def find(name, kind, which=0):
        page = visit(name)
        wake(page)
        group = page.locator(f"figure[data-widget] .cu-{kind}").nth(which)
        group.scroll_into_view_if_needed()

        def state(trait):
            return group.evaluate(
                """(e, trait) => {
                  const value = courseSite.live.get(e.closest("figure")).model.get(trait);
                  return value instanceof DataView ? [...new Uint8Array(value.buffer)] : value;
                }""",
                trait,
            )

        return page, group, state

    return find


def numbers(group, title):
    """The numbers in the grid with this title."""
    box = group.locator(".cu-grid-box", has=group.page.get_by_text(re.compile(f"^{title}"))).first
    rows = [row.locator("td").all_inner_texts() for row in box.locator("tr").all()]
    return torch.tensor([[as_number(text) for text in row] for row in rows])


def as_number(text):
    return float(text.replace("−", "-").replace(",", ""))


def test_convolution_stepper_works_and_starts_again(widget_of):
    page, group, state = widget_of("01_convolution_by_hand", "convolution-stepper")
    before = numbers(group, "output")
    group.get_by_label("padding", exact=True).fill("1")
    group.get_by_role("button", name="the next output number").click()
    group.locator("td.cu-editable").first.focus()
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    pages.settle(page)
    assert state("padding") == state("position") == 1
    x, kernel = (torch.tensor(state(name), dtype=torch.float) for name in ("input", "kernel"))
    assert x[0, 0] == 8
    expected = F.conv2d(x[None, None], kernel[None, None], padding=1)[0, 0]
    assert torch.equal(numbers(group, "output"), expected)
    page.get_by_role("button", name="Start again").first.click()
    pages.settle(page)
    assert torch.equal(numbers(group, "output"), before)


def test_kernel_playground_works(widget_of):
    page, group, state = widget_of("01_convolution_by_hand", "kernel-playground")
    group.get_by_label("kernel", exact=True).select_option("Gaussian blur")
    slider = group.get_by_role("slider", name="row 1, column 1")
    slider.fill("0.5")
    for _ in range(3):
        slider.press("ArrowLeft")
    pages.settle(page)
    playground = widgets.KernelPlayground(kernel=state("kernel"))
    playground.set_state({"image": bytes(state("image"))})
    assert playground.kernel[1, 1] < 0.5
    said = re.search(r"answers from (\S+) to (\S+?),", group.locator(".cu-words").inner_text())
    expected = playground.output.min().item(), playground.output.max().item()
    assert [as_number(text) for text in said.groups()] == pytest.approx(expected, abs=0.0051)


def test_pooling_explorer_works(widget_of):
    page, group, state = widget_of("02_pooling_by_hand", "pooling-explorer")
    group.get_by_label("kernel_size", exact=True).fill("3")
    group.get_by_label("stride", exact=True).press("ArrowLeft")
    group.get_by_label("mode", exact=True).select_option("average")
    pages.settle(page)
    x, stride = torch.tensor(state("input"), dtype=torch.float), state("stride")
    expected = F.avg_pool2d(x[None], 3, stride)[0]
    assert torch.allclose(numbers(group, "output"), expected, atol=0.0051)


def test_gradient_tracer_works(widget_of):
    page, group, state = widget_of("04_autograd", "gradient-tracer", which=1)
    group.get_by_label("padding", exact=True).fill("1")
    group.get_by_label("pool stride", exact=True).press("ArrowLeft")
    pages.settle(page)
    x, weight, bias = (
        torch.tensor(state(name), dtype=torch.float) for name in ("input", "kernel", "bias")
    )
    weight.requires_grad_()
    z = F.conv2d(x[None, None], weight[None, None], bias.reshape(1), padding=1)
    F.max_pool2d(z.relu(), 2, state("pool_stride")).sum().backward()
    assert torch.equal(numbers(group, "dL/dW"), weight.grad)


def test_shape_builder_works(widget_of):
    page, group, state = widget_of("07_bug_clinic", "shape-builder")
    group.locator(".sb-mend:visible").press("Enter")
    pages.settle(page)
    builder = widgets.ShapeBuilder(state("layers"), input_size=state("input_size"))
    assert builder.mismatch is None
    counted = sum(p.numel() for p in builder.to_module().parameters())
    assert f"{counted:,}" in group.locator(".sb-total").inner_text()


def test_depth_explorer_works(widget_of):
    page, group, state = widget_of("09_depth_and_parameters", "depth-explorer")
    group.get_by_label("depth", exact=True).fill("7")
    group.get_by_label("width", exact=True).press("ArrowRight")
    pages.settle(page)
    names = ("depth", "width", "kernel_size", "input_size")
    depth = widgets.DepthExplorer(**{name: state(name) for name in names})
    assert (depth.depth, depth.width) == (7, 14)
    counted = sum(p.numel() for p in depth.to_module().parameters()), depth.macs
    tiles = group.locator(".cu-tile .cu-total").all_inner_texts()
    assert tuple(as_number(text) for text in tiles[:2]) == counted


@pytest.mark.parametrize("name", ["08_look_inside", "12_deploy"])
def test_digit_pad_works(widget_of, name):
    page, group, state = widget_of(name, "digit-pad")
    group.get_by_role("button", name="clear").click()
    canvas = group.locator("canvas").first
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 140, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 240, steps=8)
    page.mouse.up()
    assert_it_says_what_python_says(page, group, state)
    drawn = state("image")
    canvas.focus()
    for key in ["Space", *["ArrowRight"] * 12, "Space"]:
        page.keyboard.press(key)
    assert_it_says_what_python_says(page, group, state)
    assert state("image") != drawn


def assert_it_says_what_python_says(page, group, state):
    pages.settle(page)
    weights = network.read_weights(bytes(state("_weights")))

    def agree():
        pixels = torch.frombuffer(bytearray(state("image")), dtype=torch.float32)
        image = pixels.reshape(1, 1, 28, 28)
        logits = list(network.run(state("_network"), weights, image).values())[-1]
        shares = logits.softmax(1)[0]
        said = re.search(r"says (\d) with (\d+) %", group.locator(".cu-words").inner_text())
        return int(said[1]) == shares.argmax() and abs(int(said[2]) - 100 * shares.max()) < 0.51

    assert pages.until(page, agree)  # the last stroke reaches the state a moment later


@every_page
def test_a_widget_begins_as_its_picture_shows_it(site, name):
    for cell in widget_cells(name):
        file = (site / "widgets" / f"{cell.id}.js").read_text("utf-8")
        packed = json.loads(f"[{file.removeprefix('courseSite.put(').rstrip()[:-2]}]")[1]
        if packed["widget"] == "DigitPad":
            continue  # its picture is of MNIST, which may not be here
        widget = getattr(widgets, packed["widget"])()
        buffers = {name: base64.b64decode(b) for name, b in packed["buffers"].items()}
        state = {name: value for name, value in packed["state"].items() if value not in ([], None)}
        widget.set_state({**state, **buffers})
        assert widget.draw().alt_text == cell.outputs[0].data["text/plain"]


def test_the_state_of_a_trained_network_is_the_same_each_time(site):
    path = build_site.NOTEBOOKS / "12_deploy.ipynb"
    states = site_widgets.states({path: nbformat.read(path, as_version=4)})
    for key, (state, _, _) in states[path].items():
        name = f"widgets/{key}.js"
        assert (site / name).read_text("utf-8") == build_site.script(name, state)


def test_without_its_state_the_picture_stays(browser, address):
    page = browser.new_page()
    page.route("**/widgets/*.js", lambda route: route.abort())
    page.goto(f"{address}/01_convolution_by_hand.html")
    figure = page.locator("figure[data-widget]").first
    figure.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    assert figure.locator("img").is_visible()
    assert figure.locator(".cu, .live").count() == 0
    page.close()


def test_with_no_javascript_all_can_be_read(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/01_convolution_by_hand.html")
    assert page.locator("figure[data-widget] img").first.is_visible()
    assert not page.locator(".search-switch").is_visible()
    page.get_by_role("link", name="Next").click()
    assert page.get_by_role("heading", level=1).inner_text() == "02 · Pooling by hand"
    context.close()


def test_a_page_opened_from_a_disk_works_too(browser, site):
    page = browser.new_page()
    errors = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto((site / "01_convolution_by_hand.html").as_uri())
    assert wake(page) == len(widget_cells("01_convolution_by_hand"))
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Search all lessons").fill("dilation")
    assert page.locator("#found").get_by_role("option").count() > 2
    assert errors == []
    page.close()


def test_search_finds_with_the_keyboard_alone(visit):
    page = visit("index")
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Search all lessons")
    field.fill("Dilation KERNEL")
    options = page.locator("#found").get_by_role("option")
    assert "Dilation" in options.first.inner_text()
    assert options.first.get_attribute("aria-selected") == "true"
    page.keyboard.press("ArrowDown")
    assert options.nth(1).get_attribute("aria-selected") == "true"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/01_convolution_by_hand.html#dilation")
    page.keyboard.press("Control+k")
    field.fill("zxqj")
    assert page.get_by_text("No section has all of these words.").is_visible()
    page.keyboard.press("Escape")
    assert not field.is_visible()


def test_the_chosen_colours_are_remembered(visit):
    page = visit("index", "light")
    page.get_by_label("Colours").select_option("dark")
    colour = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(colour)
    page.get_by_role("link", name=re.compile("A convolution by hand")).click()
    page.wait_for_url("**/01_convolution_by_hand.html")
    assert page.evaluate(colour) == dark
    page.get_by_label("Colours").select_option("")
    assert page.evaluate(colour) != dark


def test_the_lessons_are_reached_on_a_phone(visit):
    page = visit("06_mnist_cnn", width=390)
    menu = page.get_by_role("button", name="Lessons")
    menu.press("Enter")
    assert menu.get_attribute("aria-expanded") == "true"
    page.get_by_role("link", name="10 Fine-tuning").click()
    page.wait_for_url("**/10_fine_tuning.html")


def test_the_first_key_leads_past_the_navigation(visit):
    page = visit("02_pooling_by_hand")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_a_printed_page_has_all_of_the_lesson_and_no_navigation(visit, tmp_path):
    page = visit("02_pooling_by_hand", "dark")
    data = page.pdf(format="A4")
    assert data.startswith(b"%PDF")
    assert data.count(b"/Type /Page\n") > 5 or len(re.findall(rb"/Type\s*/Page\b", data)) > 5
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for part in (".top", ".lessons", ".contents", ".turn", ".bottom", ".copy"):
        assert not page.locator(part).first.is_visible(), part
    closed = page.locator("article details:not([open])").count()
    assert closed == 0
    assert page.locator("article details p").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 36, 48)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("article details[open]").count() == 0

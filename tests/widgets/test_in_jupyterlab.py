"""A student's way through lesson 01: a real JupyterLab in a real browser."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import lab  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
]
# Every cell is rendered, also those off the screen, so that their text can be read.
SETTINGS = '{"windowingMode": "none"}'

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here to drive"),
    # Playwright leaves its own transport to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a JupyterLab that serves a copy of the notebooks."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(lab.NOTEBOOKS, home / "notebooks")
    environment = dict(os.environ)
    for name in ("CONFIG_DIR", "RUNTIME_DIR"):
        environment[f"JUPYTER_{name}"] = str(home / name)
    for name in ("SETTINGS_DIR", "WORKSPACES_DIR"):
        environment[f"JUPYTERLAB_{name}"] = str(home / name)
    settings = home / "SETTINGS_DIR/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS)
    port = lab.choose_port(9500)
    line = lab.command(port, "localhost", screen=False, root=True, folder=home / "notebooks")
    line.append("--LabApp.expose_app_in_browser=True")
    log = home / "log"
    with log.open("w") as output:
        process = subprocess.Popen(line, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        for _ in range(600):
            if found := re.search(r"(http://localhost:\d+)/lab\S*\?token=(\w+)", log.read_text()):
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield found.groups()
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def page(server):
    """Lesson 01, open in the browser, every cell run."""
    from playwright.sync_api import sync_playwright

    address, token = server
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        page = browser.new_page(viewport={"width": 1100, "height": 1400})
        page.set_default_timeout(180_000)
        page.goto(f"{address}/doc/tree/01_convolution_by_hand.ipynb?reset&token={token}")
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        # The page says "idle" before there is a kernel, and would then run nothing.
        page.evaluate(
            """async () => { const panel = window.jupyterapp.shell.currentWidget;
            await panel.context.ready; await panel.sessionContext.ready;
            await panel.sessionContext.session.kernel.info; }"""
        )
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.set_default_timeout(30_000)
        yield page
        browser.close()


def test_lesson_01_runs_from_top_to_bottom_without_an_error(page):
    assert page.locator(".jp-CodeCell").count() > 10
    prompts = page.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
    assert all(re.fullmatch(r"\[\d+\]:", prompt.strip()) for prompt in prompts), prompts
    errors = page.locator("[data-mime-type$='.error'], [data-mime-type$='.stderr']")
    assert errors.all_inner_texts() == []


def test_moving_a_slider_changes_the_picture_and_its_words(page):
    output = page.locator(".jp-OutputArea-output", has=page.locator(".widget-slider")).first
    picture = output.locator("img.widget-image")
    before, words = picture.get_attribute("src"), output.locator("[role=status]").inner_text()
    track = output.locator(".noUi-base").first
    track.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # a slider ignores clicks within 300 ms of being drawn
    box = track.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.95, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "([img, src]) => img.src !== src", arg=[picture.element_handle(), before]
    )
    # The last of the four windows of a 3 × 3 image: the sum stands below the picture.
    assert words.endswith("1·1 + 2·2 + 4·3 + 5·4 = 37.")
    assert output.locator("[role=status]").inner_text().endswith("= 77.")

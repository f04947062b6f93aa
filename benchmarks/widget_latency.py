"""How soon a widget answers: the playground beside its twin of `interact` and matplotlib.

    python benchmarks/widget_latency.py        # about a minute; needs JupyterLab and Chromium

Both stand in one notebook in a real JupyterLab: a photograph of 256 × 256, a kernel of 5 × 5, one
slider for its middle number. They take turns. Each time a real key press (an arrow on the focused
slider) changes the number by 0.1. Measured in the page, from the moment the press arrives in it:

    drawn   until the new pixels are there: `putImageData` has returned, or the new <img> is loaded
    frame   until the frame with them is painted: a message posted in the next animation frame's
            callback, which the browser delivers after it has laid out and painted that frame

Writes its section of benchmarks/RESULTS.md.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
from results import machine, table, write_section

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import lab  # noqa: E402

REPETITIONS, WARM_UP = 80, 8
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
]
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
OURS = """\
from course_utils.widgets import KernelPlayground
from course_utils.widgets._kernels import preset

KernelPlayground(kernel=preset("Gaussian blur", 5))
"""
TWIN = """\
import ipywidgets
import matplotlib.pyplot as plt
import torch.nn.functional as F
from course_utils import data

picture = data.load_photo("china", size=256)
gaussian = preset("Gaussian blur", 5).float()

def answer(middle):
    kernel = gaussian.clone()
    kernel[2, 2] = middle
    output = F.conv2d(picture, kernel[None, None])
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.2))
    left.imshow(picture[0, 0], cmap="gray", vmin=0, vmax=1)
    right.imshow(output[0, 0], cmap="gray", vmin=0, vmax=1)
    for axes in (left, right):
        axes.axis("off")
    plt.show()

ipywidgets.interact(answer, middle=ipywidgets.FloatSlider(0.1, min=-4, max=4, step=0.1));
"""
# `press(kind)` resolves to {drawn, frame}, in milliseconds, for the next key press.
PROBE = """() => {
const twin = document.querySelector(".widget-interact");
const put = CanvasRenderingContext2D.prototype.putImageData;
CanvasRenderingContext2D.prototype.putImageData = function (...all) {
  put.apply(this, all);
  window.onDrawn?.();
};
const afterFrame = (action) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = action;
  channel.port2.postMessage(null);
});
window.press = (kind) => new Promise((resolve) => {
  let begin = null;
  addEventListener("keydown", () => { begin = performance.now(); }, { capture: true, once: true });
  const finish = () => {
    const drawn = performance.now() - begin;
    // The playground draws inside of an animation frame: the message is posted from that one.
    const painted = () => resolve({ drawn, frame: performance.now() - begin });
    if (kind === "playground") {
      const channel = new MessageChannel();
      channel.port1.onmessage = painted;
      channel.port2.postMessage(null);
    } else afterFrame(painted);
  };
  if (kind === "playground") {
    window.onDrawn = () => { window.onDrawn = null; finish(); };
    return;
  }
  const before = twin.querySelector("img").src;
  const observer = new MutationObserver(() => {
    const image = twin.querySelector("img");
    if (!image || image.src === before) return;
    observer.disconnect();
    if (image.complete) finish();
    else image.addEventListener("load", finish, { once: true });
  });
  observer.observe(twin, { childList: true, subtree: true, attributes: true });
});
}"""


@contextmanager
def notebook_server(home):
    """A JupyterLab with one notebook of both contestants; gives the address to open."""
    cells = [nbformat.v4.new_code_cell(source) for source in (OURS, TWIN)]
    folder = home / "notebooks"
    folder.mkdir()
    kernel = {"name": "python3", "display_name": "Python 3"}  # otherwise JupyterLab asks for one
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "both.ipynb")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("CONFIG_DIR", "RUNTIME_DIR"):
        environment[f"JUPYTER_{name}"] = str(home / name)
    for name in ("SETTINGS_DIR", "WORKSPACES_DIR"):
        environment[f"JUPYTERLAB_{name}"] = str(home / name)
    for name, setting in SETTINGS.items():
        path = home / "SETTINGS_DIR/@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(setting))
    line = lab.command(lab.choose_port(9600), "localhost", False, root=True, folder=folder)
    line.append("--LabApp.expose_app_in_browser=True")
    log = home / "log"
    with log.open("w") as output:
        server = subprocess.Popen(line, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        pattern = r"(http://localhost:\d+)/lab\S*\?token=(\w+)"
        for _ in range(600):
            if found := re.search(pattern, log.read_text()):
                break
            if server.poll() is not None:
                sys.exit(f"JupyterLab did not start:\n{log.read_text()}")
            time.sleep(0.1)
        else:
            sys.exit(f"JupyterLab did not start within a minute:\n{log.read_text()}")
        yield f"{found[1]}/doc/tree/both.ipynb?reset&token={found[2]}"
    finally:
        server.terminate()
        server.wait(20)


def open_notebook(page, address):
    """Run the notebook and wait until both have drawn."""
    page.set_default_timeout(120_000)
    page.goto(address)
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    # The page says "idle" before there is a kernel, and would then run nothing.
    page.evaluate(
        """async () => { const panel = window.jupyterapp.shell.currentWidget;
        await panel.context.ready; await panel.sessionContext.ready;
        await panel.sessionContext.session.kernel.info; }"""
    )
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_selector(".cu canvas")
    page.wait_for_selector(".widget-interact img")
    page.evaluate(PROBE)


def measure(repetitions=REPETITIONS):
    """Times in milliseconds: {"playground": [{"drawn": …, "frame": …}, …], "twin": […]}."""
    from playwright.sync_api import sync_playwright

    times = {"playground": [], "twin": []}
    with (
        tempfile.TemporaryDirectory() as home,
        notebook_server(Path(home)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        page = browser.new_page(viewport={"width": 1100, "height": 1600})
        open_notebook(page, address)
        sliders = {
            "playground": page.locator(".cu-cell input[type=range]"),
            "twin": page.locator(".widget-interact .noUi-handle").first,
        }
        for number in range(WARM_UP + repetitions):
            for kind, slider in sliders.items():
                slider.focus()
                # Each begins when the other is done, its messages to the kernel included.
                page.wait_for_timeout(150)
                pending = page.evaluate_handle(f"[press('{kind}')]")
                page.keyboard.press("ArrowLeft" if number % 2 else "ArrowRight")
                result = pending.evaluate("([promise]) => promise")
                if number >= WARM_UP:
                    times[kind].append(result)
        browser.close()
    return times


def summarise(values):
    """The median, the middle half and the extremes, as one text."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.1f} ({low:.1f}–{high:.1f}; {min(values):.1f}–{max(values):.1f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--output", type=Path, help="another file than benchmarks/RESULTS.md")
    options = parser.parse_args()
    if not CHROMIUM:
        sys.exit("This benchmark drives Chromium, which is not here: install chromium.")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    times = measure(options.repetitions)
    names = {
        "playground": "`KernelPlayground`, computed in the browser",
        "twin": "its twin, `interact` and matplotlib",
    }
    rows, medians = [], {}
    for kind, name in names.items():
        drawn, frame = ([one[what] for one in times[kind]] for what in ("drawn", "frame"))
        rows.append([name, summarise(drawn), summarise(frame)])
        medians[kind] = statistics.median(frame)
    ratio = medians["twin"] / medians["playground"]
    chromium = subprocess.run([CHROMIUM, "--version"], capture_output=True, text=True).stdout
    packages = ("jupyterlab", "ipywidgets", "anywidget", "matplotlib", "torch")
    header = ["ms: median (middle half; least–most)", "new pixels there", "frame painted"]
    text = f"""
## Widget latency

`python benchmarks/widget_latency.py`; {machine(*packages)}
Chromium {re.search(r"[0-9.]+", chromium)[0]}, headless, painting by software; load of the machine
at the start: {load:.1f}.

{table(header, rows)}

Until its frame is painted, the twin takes {ratio:.1f} times as long.

{len(times["twin"])} key presses each, in turns, in one notebook in JupyterLab: an arrow on a slider
changes the middle number of a 5 × 5 kernel on a photograph of 256 × 256; both show the photograph
and the answer. From the press's arrival in the page until `putImageData` has returned or the
new `<img>` is loaded, and until a message posted from that animation frame (of the twin: from the
next one) arrives, which is after the frame is painted.
"""
    write_section("widget_latency", text, *([options.output] if options.output else []))
    print(text)


if __name__ == "__main__":
    main()

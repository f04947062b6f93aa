"""How soon a widget answers: the playground beside its twin of `interact` and matplotlib.

    python benchmarks/widget_latency.py        # about a minute; needs JupyterLab and Chromium

Both stand in one notebook in a real JupyterLab: a photograph of 256 × 256, a kernel of 5 × 5, one
slider for its middle number. They take turns. Each time a real key press (an arrow on the focused
slider) changes the number by 0.1. Measured in the page, from the moment the press arrives in it:

    drawn     until the new pixels are there: `putImageData` has returned, the new <img> is loaded
    frame     until the next frame: the first animation frame callback after that
    painted   until that frame is painted: a message posted from the callback, which the browser
              delivers after it has laid out and painted the frame

Writes its section of benchmarks/RESULTS.md.
"""

import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from results import keep, load, machine, options, table, write_section

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "widgets"))

import labserver  # noqa: E402
from page import CHROMIUM, open_browser  # noqa: E402

REPETITIONS, WARM_UP, QUICK = 80, 8, 5
OURS = """\
from course_utils.widgets import KernelPlayground
from course_utils.widgets.kernel_playground.kernels import preset

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
window.press = (kind) => new Promise((resolve) => {
  let begin = null;
  addEventListener("keydown", () => { begin = performance.now(); }, { capture: true, once: true });
  const finish = () => {
    const drawn = performance.now() - begin;
    requestAnimationFrame(() => {
      const frame = performance.now() - begin;
      const channel = new MessageChannel();
      channel.port1.onmessage = () => resolve({ drawn, frame, painted: performance.now() - begin });
      channel.port2.postMessage(null);
    });
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


def write_notebook(folder):
    """One notebook of both contestants."""
    cells = [nbformat.v4.new_code_cell(source) for source in (OURS, TWIN)]
    folder.mkdir()
    kernel = {"name": "python3", "display_name": "Python 3"}  # otherwise JupyterLab asks for one
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "both.ipynb")


def measure(repetitions=REPETITIONS):
    """Times in milliseconds: {"playground": [{"drawn": …, "frame": …}, …], "twin": […]}."""
    from playwright.sync_api import sync_playwright

    times = {"playground": [], "twin": []}
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        folder = Path(home) / "notebooks"
        write_notebook(folder)
        with labserver.serve(folder, Path(home)) as server:
            browser = open_browser(playwright)
            page = labserver.open_notebook(browser, server, "both.ipynb", height=1600)
            page.wait_for_selector(".cu canvas")
            page.wait_for_selector(".widget-interact img")
            page.evaluate(PROBE)
            take_turns(page, times, repetitions)
            browser.close()
    return times


def take_turns(page, times, repetitions):
    """Press an arrow on each slider in turn, and add what was measured to `times`."""
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
                # The clock of the browser has steps of 0.1 ms; digits behind that mean nothing.
                times[kind].append({what: round(ms, 3) for what, ms in result.items()})


def summarise(values):
    """The median, the middle half and the extremes, as one text."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.1f} ({low:.1f}–{high:.1f}; {min(values):.1f}–{max(values):.1f})"


def main():
    parser = options(__doc__.splitlines()[0], f"{QUICK} key presses each")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    arguments = parser.parse_args()
    if not CHROMIUM:
        sys.exit("This benchmark drives Chromium, which is not here: install chromium.")
    load_at_start = load()
    times = measure(QUICK if arguments.quick else arguments.repetitions)
    names = {
        "playground": "`KernelPlayground`, computed in the browser",
        "twin": "its twin, `interact` and matplotlib",
    }
    rows, medians = [], {}
    for kind, name in names.items():
        measured = {what: [one[what] for one in times[kind]] for what in times[kind][0]}
        rows.append([name, *map(summarise, measured.values())])
        medians[kind] = statistics.median(measured["frame"])
    ratio = medians["twin"] / medians["playground"]
    chromium = subprocess.run([CHROMIUM, "--version"], capture_output=True, text=True).stdout
    packages = ("jupyterlab", "ipywidgets", "anywidget", "matplotlib", "torch")
    header = [
        "ms: median (middle half; least–most)",
        "new pixels there",
        "next frame",
        "it is painted",
    ]
    text = f"""
## Widget latency

`python benchmarks/widget_latency.py`; {machine(*packages)}
Chromium {re.search(r"[0-9.]+", chromium)[0]}, headless, painting by software; load of the machine
at the start: {load_at_start}.

{table(header, rows)}

Until the next frame, the twin takes {ratio:.1f} times as long.

{len(times["twin"])} key presses each, in turns, in one notebook in JupyterLab: an arrow on a slider
changes the middle number of a 5 × 5 kernel on a photograph of 256 × 256; both show the photograph
and the answer. From the press's arrival in the page until `putImageData` has returned or the
new `<img>` is loaded; until the first animation frame callback after that; and until a message
posted from it arrives, which is after that frame is laid out and painted.
"""
    write_section("widget_latency", text, arguments.output)
    keep("widget_latency", times, arguments.output)
    print(text)


if __name__ == "__main__":
    main()

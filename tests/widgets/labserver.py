"""A real JupyterLab for the tests: started on a folder, opened in Chromium, its kernel asked."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import lab

PATIENCE = 300  # seconds, only so that nothing hangs for ever: a busy machine needs its time
SETTINGS = {
    # Every cell is rendered, also those off the screen, so that their text can be read.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@contextlib.contextmanager
def serve(folder, home, theme="light"):
    """JupyterLab on `folder`, its own files in `home`; yields (address, token)."""
    environment = dict(os.environ)
    for name in ("CONFIG_DIR", "RUNTIME_DIR"):
        environment[f"JUPYTER_{name}"] = str(home / name)
    for name in ("SETTINGS_DIR", "WORKSPACES_DIR"):
        environment[f"JUPYTERLAB_{name}"] = str(home / name)
    settings = {**SETTINGS, "apputils-extension/themes": {"theme": f"JupyterLab {theme.title()}"}}
    for name, values in settings.items():
        path = home / "SETTINGS_DIR/@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    with socket.socket() as free:  # one that the system chooses: neighbours do not meet on it
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    line = lab.command(port, "localhost", screen=False, root=True, folder=folder)
    line.append("--LabApp.expose_app_in_browser=True")
    log = home / "log"
    with log.open("w") as output:
        process = subprocess.Popen(line, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        yield address_of(process, log)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def address_of(process, log):
    """(address, token) that a JupyterLab writes to its log, once it answers there.

    One that ends before is an error: it writes an address also where another program has it.
    """
    while not (found := re.search(r"(http://localhost:\d+)/lab\S*\?token=(\w+)", log.read_text())):
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    address, token = found.groups()
    answer_of(f"{address}/api/status?token={token}", process, log)
    return address, token


def answer_of(url, process, log):
    """What a server answers, JSON; one that is only just starting is asked again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)
        except OSError:  # refused, or forbidden by another's server
            assert process.poll() is None, log.read_text()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def open_notebook(browser, server, name, height=1400):
    """The page of a notebook, every cell run; what the console says is kept in `page.errors`."""
    address, token = server
    page = browser.new_page(viewport={"width": 1100, "height": height})
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{address}/doc/tree/{name}?reset&token={token}")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    # The page says "idle" before there is a kernel, and would then run nothing.
    page.evaluate(
        """async () => { const panel = window.jupyterapp.shell.currentWidget;
        await panel.context.ready; await panel.sessionContext.ready;
        await panel.sessionContext.session.kernel.info; }"""
    )
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    return page


def ask(page, code):
    """Run `code` in the notebook's kernel; returns what it prints."""
    return page.evaluate(
        """async (code) => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          const future = kernel.requestExecute({ code, store_history: false });
          let text = "";
          future.onIOPub = (message) => {
            if (message.header.msg_type === "stream") text += message.content.text;
            if (message.header.msg_type === "error") text += message.content.traceback.join("\\n");
          };
          await future.done;
          return text;
        }""",
        code,
    )

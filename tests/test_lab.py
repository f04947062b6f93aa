"""`make lab` finds a port, tells a desktop from a server, and serves the notebooks."""

import functools
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import lab
import labserver
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def taken_port():
    with socket.socket() as server:
        server.bind(("localhost", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_taken_port_is_passed_over(taken_port):
    assert not lab.is_free(taken_port, "localhost")
    assert lab.choose_port(taken_port) > taken_port


def test_when_no_port_is_free_the_way_out_is_named(monkeypatch):
    monkeypatch.setattr(lab, "is_free", lambda port, ip: False)
    with pytest.raises(SystemExit, match="make lab PORT=9000"):
        lab.choose_port(8888)


@pytest.mark.parametrize(
    ("environment", "screen"),
    [
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({}, False),
        ({"DISPLAY": ":10", "SSH_CONNECTION": "1.2.3.4"}, False),
    ],
)
def test_a_browser_opens_only_where_someone_sees_it(environment, screen, monkeypatch):
    monkeypatch.setattr(lab.sys, "platform", "linux")
    assert lab.has_screen(environment) is screen


def test_the_command_fits_the_place():
    assert "--no-browser" in lab.command(8888, "localhost", screen=False, root=False)
    assert "--no-browser" not in lab.command(8888, "localhost", screen=True, root=False)
    assert "--allow-root" in lab.command(8888, "localhost", screen=False, root=True)


def test_what_the_reader_has_set_comes_first():
    assert lab.surroundings({"A": "b"})["A"] == "b"
    assert lab.surroundings({})["OMP_WAIT_POLICY"] == "PASSIVE"
    own = lab.surroundings({"OMP_WAIT_POLICY": "ACTIVE", "JUPYTER_CONFIG_PATH": "own"})
    assert own["OMP_WAIT_POLICY"] == "ACTIVE"
    assert own["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0] == "own"


@pytest.mark.processes
@pytest.mark.skipif(os.name == "nt", reason="ends JupyterLab by a POSIX signal")
def test_the_lab_serves_the_notebooks_without_questions_and_says_that_its_port_was_taken(
    taken_port, tmp_path
):
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment |= {"JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path / "r")}
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "tools/lab.py"), "--port", str(taken_port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        address, token = labserver.address_of(process, log)
        assert f"Port {taken_port} is taken" in log.read_text()
        answer_of = functools.partial(labserver.answer_of, process=process, log=log)
        url = f"{address}/{{}}?content=0&token={token}"
        lesson = answer_of(url.format("api/contents/00_start_here.ipynb"))
        assert lesson["type"] == "notebook"
        name = "@jupyterlab/apputils-extension:notification"
        defaults = answer_of(url.format(f"lab/api/settings/{name}"))["schema"]["properties"]
        asked = {what: defaults[what]["default"] for what in ("fetchNews", "checkForUpdates")}
        assert asked == {"fetchNews": "false", "checkForUpdates": False}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(labserver.PATIENCE)

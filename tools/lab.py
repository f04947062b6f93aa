"""Open the course in JupyterLab: `make lab`.

On a desktop the browser opens by itself. Over ssh, or where there is no screen, the address is
printed instead. A port that is taken is said, and the next free one is used.
"""

import argparse
import os
import shutil
import socket
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
FIRST = "00_start_here.ipynb"


def is_free(port, ip):
    """Whether a server can listen on `port` of this machine."""
    with socket.socket() as probe:
        # Without this a port counts as taken for a minute after its server has stopped.
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
        except OSError:
            return False
    return True


def choose_port(wanted, ip="localhost"):
    """`wanted`, or the next port that is free."""
    for port in range(wanted, min(wanted + 50, 65_536)):
        if is_free(port, ip):
            return port
    sys.exit(f"Ports {wanted} to {wanted + 49} are all taken. Choose another: make lab PORT=9000")


def has_screen(environment):
    """Whether a browser window that opens here is one that the user can see."""
    if "SSH_CONNECTION" in environment or "SSH_TTY" in environment:
        return False
    if sys.platform.startswith("linux"):
        return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    return True


def command(port, ip, screen, root, folder=NOTEBOOKS):
    """The command line of a JupyterLab that serves `folder`."""
    options = [
        f"--ServerApp.root_dir={folder}",
        f"--ServerApp.port={port}",
        f"--ServerApp.ip={ip}",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
    ]
    if not screen:
        options.append("--no-browser")
    if root:
        options.append("--allow-root")
    return [sys.executable, "-m", "jupyterlab", *options]


def surroundings(environment):
    """The environment variables for JupyterLab: what the reader has set comes first.

    Its defaults come from tools/jupyter, too: it neither asks about news nor looks for updates.

    The threads of PyTorch sleep while they wait for each other. They wait actively by default,
    which is best on an idle machine and bad on a busy one. A step of lesson 05's network took, on
    two cores, 1.3 ms with active and 4.0 with sleeping threads; with three other programs at work,
    18 with active and 5 with sleeping ones. Whole lessons take the same time on an idle machine, so
    the choice is the one that spares the worst. PyTorch reads this as it loads.
    """
    paths = [environment.get("JUPYTER_CONFIG_PATH"), str(Path(__file__).with_name("jupyter"))]
    path = os.pathsep.join(filter(None, paths))
    return {"OMP_WAIT_POLICY": "PASSIVE", **environment, "JUPYTER_CONFIG_PATH": path}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8888)
    parser.add_argument("--ip", default="localhost", help="0.0.0.0 inside a container")
    arguments = parser.parse_args()

    port = choose_port(arguments.port, arguments.ip)
    if port != arguments.port:
        print(f"Port {arguments.port} is taken, by another JupyterLab perhaps. Using {port}.")
    screen = has_screen(os.environ)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    print(f"The course opens at http://{arguments.ip}:{port}/lab/tree/{FIRST}")
    if screen:
        print("Your browser opens it by itself. Ctrl+C here ends JupyterLab.", flush=True)
    else:
        print("There is no screen here: open the address that ends in a token, further below.")
        if "SSH_CONNECTION" in os.environ:
            print(f"From your own computer, first: ssh -L {port}:localhost:{port} <this machine>")
        if shutil.which("docker") is None and Path("/.dockerenv").exists():
            print("In a container: make lab IP=0.0.0.0, and publish the port with -p.")
        print("Ctrl+C here ends JupyterLab.", flush=True)
    line = command(port, arguments.ip, screen, root)
    if os.name == "nt":  # there, exec would leave the terminal before the server has stopped
        import subprocess

        sys.exit(subprocess.call(line, env=surroundings(os.environ)))
    os.execve(line[0], line, surroundings(os.environ))


if __name__ == "__main__":
    main()

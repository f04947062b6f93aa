"""Where a student's kernel comes from: forked from a server that is warm, or started anew."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import psutil
from jupyter_client.provisioning import LocalProvisioner

CAN_FORK = sys.platform.startswith("linux")


class Server:
    """A process that has PyTorch loaded and forks a kernel for each order (`sandbox.py`)."""

    def __init__(self, launcher, environment):
        self.process = subprocess.Popen(
            [sys.executable, launcher, "--serve"],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def start(self, order):
        """The number of a new kernel's process. Raises: RuntimeError, if the server is gone."""
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(order), file=self.process.stdin, flush=True)
            if answer := self.process.stdout.readline():
                return int(answer)
        raise RuntimeError("the process that starts students' kernels ended")


class Forked:
    """As much of `subprocess.Popen` as jupyter_client needs, for a process not our child."""

    stdin = stdout = stderr = None

    def __init__(self, number):
        self.pid = number
        try:
            self.process = psutil.Process(number)
        except psutil.NoSuchProcess:
            self.process = None

    def poll(self):
        """None while it runs. Afterwards 0: nobody knows its exit code."""
        with contextlib.suppress(psutil.Error):
            if self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE:
                return None
        return 0

    def wait(self):
        while self.poll() is None:
            time.sleep(0.05)
        return 0

    def send_signal(self, number):
        if self.poll() is None:
            with contextlib.suppress(OSError):
                os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def terminate(self):
        self.send_signal(signal.SIGTERM)


class ForkingProvisioner(LocalProvisioner):
    """Starts a kernel through a `Server`, with an `order` that lacks only the file's name."""

    server, order = None, None

    async def launch_kernel(self, cmd, **kwargs):
        order = {**self.order, "connection_file": self.parent.connection_file}
        self.process = Forked(self.server.start(order))
        self.pid, self.pgid = self.process.pid, None
        return self.connection_info

"""A fault as a row of a table, and the small world in which it is provoked.

A row says what goes wrong, what a student then sees, and what is kept. Whatever a row says, `meet`
looks at more: every file that was there is the same afterwards, to the byte, no other file has
appeared, half-written or whole, and the network's weights and modes are as they were.
"""

import contextlib
import copy
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from mirrors import serving
from tiny import network, same, stripes

ODD_NAME = "Мои файлы 卷积 課程 é"  # where every row happens
LONGEST_TRACEBACK = 40  # lines
OWN_DISKS = ["unshare", "--map-root-user", "--mount"]  # what is mounted there, nobody else sees
NEW_DISK = ["mount", "-t", "tmpfs", "tmpfs"]
# The place is closed and not the disk: whoever is root only there may not change the disk itself.
NO_MORE_WRITING = ["mount", "-o", "remount,bind,ro"]


@dataclass(frozen=True)
class Fault:
    """One row.

    what: a sentence. kind: which of `KINDS` it is. provoke: does it, in a `World`; what it returns
    or raises is what the student sees. says: parts of that. given: what there is before. kept:
    looks at what must be there afterwards. makes, changes: names of files that may appear or
    change. trains: the weights may change. more: it takes longer. races: it starts processes, or
    waits for somebody. where: "here", or in a process of its own: one with "own disks", or one in
    "ascii", a locale that knows no other letters.
    """

    what: str
    kind: str
    provoke: Callable
    says: str | tuple
    given: Callable = lambda world: None
    kept: Callable = lambda world: None
    makes: tuple = ()
    changes: tuple = ()
    trains: bool = False
    more: bool = False
    races: bool = False
    where: str = "here"


class World:
    """A folder with an odd name, mirrors, a small network and its images."""

    def __init__(self, folder, patch, stack):
        self.folder, self.patch, self._stack = folder, patch, stack
        self.model, self.images = network(), stripes()
        self.notes = {}  # what a fault leaves for the look afterwards
        folder.mkdir(parents=True, exist_ok=True)
        patch.chdir(folder)

    def mirrors(self, *kinds):
        """Mirrors of these kinds, and no other; see `mirrors.Mirror`."""
        return self._stack.enter_context(serving(self.patch))(*kinds)

    def enter(self, context):
        return self._stack.enter_context(context)

    def disk(self, kilobytes, read_only=False):
        """A new disk of this size, with a file on it; only where="own disks" may make one."""
        place = self.folder / "disk"
        place.mkdir()
        subprocess.run([*NEW_DISK, "-o", f"size={kilobytes}k", str(place)], check=True)
        (place / "old").write_bytes(b"an old file")
        if read_only:
            subprocess.run([*NO_MORE_WRITING, str(place)], check=True)

    def server(self, reply=b"", hang=False):
        """The port of a server that sends `reply` and closes, or that never says anything."""
        listener = self.enter(socket.create_server(("127.0.0.1", 0)))
        held = self.enter(contextlib.ExitStack())

        def serve():
            with contextlib.suppress(OSError):  # closed
                while True:
                    connection = held.enter_context(listener.accept()[0])
                    if not hang:
                        connection.recv(4096)
                        connection.sendall(reply)
                        connection.close()

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    def files(self):
        return {p.relative_to(self.folder): p.read_bytes() for p in _files_in(self.folder)}


def _files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def _empty_folders(folder):
    return [path for path in folder.rglob("*") if path.is_dir() and not [*path.iterdir()]]


@dataclass(frozen=True)
class Seen:
    """What the student saw, and what was lost by it, as sentences."""

    text: str
    lost: tuple = ()


def meet(fault, folder):
    """Provoke a fault in a new world below `folder`; return what was `Seen`."""
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        world = World(Path(folder), patch, stack)
        fault.given(world)
        files, empty = world.files(), _empty_folders(world.folder)
        model = copy.deepcopy(world.model)
        modes, lost = [m.training for m in model.modules()], []
        try:
            text = str(fault.provoke(world))
        except Exception as error:
            text = str(error) or type(error).__name__
            lines = "".join(traceback.format_exception(error)).count("\n")
            if lines > LONGEST_TRACEBACK:
                lost.append(f"the sentence stands below {lines} lines of traceback")
        after = world.files()
        for path, content in files.items():
            if path.name not in fault.changes and after.get(path) != content:
                lost.append(f"{path} is {'another' if path in after else 'gone'}")
        new = {path.name for path in after if path not in files} - {*fault.makes}
        new |= {path.name for path in _empty_folders(world.folder) if path not in empty}
        lost += [f"{name} was left behind" for name in sorted(new)]
        if not fault.trains:
            if not same(world.model, model):
                lost.append("the weights are others")
            if [m.training for m in world.model.modules()] != modes:
                lost.append("the modes of the layers are others")
        fault.kept(world)
    return Seen(text, tuple(lost))


def elsewhere(fault, folder):
    """A command that runs Python with disks of its own or in ASCII, and its environment."""
    here = Path(__file__).resolve().parent
    which = [fault.where, "more" if fault.more else "few", str(folder)]
    python = [sys.executable, str(here / "elsewhere.py"), *which]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])}
    if fault.where == "ascii":
        environment |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        environment.pop("PYTHONIOENCODING", None)
        return python, environment
    return OWN_DISKS + python, environment


def no_own_disks():
    """Why disks cannot be mounted here, or not be closed; an empty text where both can be done."""
    with tempfile.TemporaryDirectory() as place:
        commands = [shlex.join([*mount, place]) for mount in (NEW_DISK, NO_MORE_WRITING)]
        try:
            line = [*OWN_DISKS, "sh", "-c", " && ".join(commands)]
            done = subprocess.run(line, capture_output=True, text=True)
        except FileNotFoundError:
            return "no `unshare` here"
    return (done.stderr.strip() or "no reason given") if done.returncode else ""

"""nbgrader's step that runs a submission: the student's cells there, the tests here.

`Execute` takes the place of nbgrader's own. A student's cells run in a kernel that `sandbox.py`
starts, with a time, memory and printing limit. The graded cells never reach that kernel: their
text is taken from the gradebook and runs in this process, where the student's functions are
stand-ins that ask the kernel (`remote.py`). So no test can be read or changed from a submission.
"""

import ast
import builtins
import contextlib
import importlib.util
import io
import json
import os
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

import nbclient.output_widget
import nbgrader.preprocessors
import zmq
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient.exceptions import DeadKernelError
from nbclient.util import run_sync
from nbformat.v4 import new_code_cell, new_output
from nbgrader.api import Gradebook
from traitlets import Dict, Float, Integer, Unicode

from course_utils.assignments import NotYet
from grading import kernels, remote
from grading.watch import Watch

SETUP = "setup"  # the name of the first code cell of every assignment

# A cell that shows an Output widget can miss its reply: https://github.com/jupyter/nbclient/issues/312
nbclient.output_widget.OutputWidget.send = lambda *args, **kwargs: None


class Execute(nbgrader.preprocessors.Execute):
    """Run a submission and test it. Its outputs hold, for each test, nothing or one error."""

    seconds = Float(180.0, help="how long a whole notebook may run").tag(config=True)
    memory = Integer(2_500_000_000, help="bytes of memory that it may use").tag(config=True)
    printed = Integer(1_000_000, help="characters of output kept of a cell").tag(config=True)
    environment = Dict(help="environment variables of the kernel").tag(config=True)
    launcher = Unicode(help="the script that starts a kernel").tag(config=True)
    root = Unicode(help="the course's folder").tag(config=True)
    readable = Unicode("[]", help="folders that it may read, as JSON").tag(config=True)

    shell_timeout_interval = 1
    raise_on_iopub_timeout = False

    def preprocess(self, nb, resources, km=None):
        self.where = resources["nbgrader"]
        self.sources, self.worth = self._graded_cells(self.where)
        self.gone, self.waiting, self.watch = None, [], None
        # A short path, since the kernel's sockets are files in it and their names are limited.
        self.folder = Path(tempfile.mkdtemp(prefix="nb-"))
        try:
            for name in ("work", "run", "exchange", "spec/graded"):
                (self.folder / name).mkdir(parents=True)
            resources["metadata"] = {"path": str(self.folder / "work")}
            return super().preprocess(nb, resources, km)
        finally:
            if self.watch:
                self.watch.end()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _graded_cells(self, where):
        """The text of each test cell and of the setup, from the gradebook and not the student."""
        with Gradebook(where["db_url"]) as book:
            notebook = book.find_notebook(where["notebook"], where["assignment"])
            tests = {cell.name for cell in notebook.grade_cells}
            answers = {cell.name for cell in notebook.solution_cells}
            sources = {cell.name: cell.source for cell in notebook.source_cells}
        return sources, tests - answers

    # ---- the kernel

    def create_kernel_manager(self):
        spec = {"argv": [sys.executable, self.launcher, "{connection_file}"]}
        spec |= {"display_name": "graded", "language": "python"}
        (self.folder / "spec/graded/kernel.json").write_text(json.dumps(spec))
        manager = AsyncKernelManager(
            kernel_name="graded",
            kernel_spec_manager=KernelSpecManager(
                kernel_dirs=[str(self.folder / "spec")], ensure_native_kernel=False
            ),
            connection_file=str(self.folder / "run/kernel.json"),
        )
        if os.name == "posix":
            manager.transport, manager.ip = "ipc", str(self.folder / "run/s")
        # One message of more than this ends the connection instead of filling this process.
        manager.context.setsockopt(zmq.MAXMSGSIZE, 50_000_000)
        self.km = manager
        return manager

    async def async_start_new_kernel(self, **kwargs):
        work, run, exchange = (str(self.folder / name) for name in ("work", "run", "exchange"))
        places = ("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR")
        order = {
            "folder": work,
            "readable": json.loads(self.readable),
            "writable": [work, run, exchange, "/dev/null", "/dev/shm"],
            "memory": 2 * self.memory,
            "file_size": 200_000_000,
            "environment": {"JUPYTER_RUNTIME_DIR": run} | dict.fromkeys(places, work),
            "log": str(self.folder / "kernel.log"),
        }
        if kernels.CAN_FORK:
            self.km.kernel_id = self.km.kernel_id or "graded"
            self.km.provisioner = kernels.ForkingProvisioner(
                kernel_id=self.km.kernel_id, kernel_spec=self.km.kernel_spec, parent=self.km
            )
            self.km.provisioner.server, self.km.provisioner.order = self._server(), order
        with open(order["log"], "w") as log:
            environment = {**self.environment, **order["environment"], "SANDBOX": json.dumps(order)}
            kwargs |= {"env": environment, "cwd": work, "stdout": log, "stderr": log}
            await super().async_start_new_kernel(**kwargs)
        self.watch = Watch(self.km.provisioner.process.pid, self.folder, self.memory, self.seconds)
        self.watch.start()

    def _server(self):
        """The server of this process, started anew if it is gone."""
        if self.launcher not in _servers or _servers[self.launcher].process.poll() is not None:
            _servers[self.launcher] = kernels.Server(self.launcher, self.environment)
        return _servers[self.launcher]

    start_new_kernel = run_sync(async_start_new_kernel)

    # ---- the cells

    def preprocess_cell(self, cell, resources, index):
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in self.worth:
            self._judge(cell)
        elif cell.cell_type == "code" and not self.gone:
            self.seen, self.stuck = 0, False
            with self._alive():
                cell, resources = super().preprocess_cell(cell, resources, index)
            if self.stuck and not self.gone:
                self._see_whether_it_listens()
        if index == len(self.nb.cells) - 1:
            for test in self.waiting:
                self._judge(test, last=True)
            self._enter_the_leaderboard()
        return cell, resources

    async def _async_handle_timeout(self, timeout, cell=None):
        self.stuck = True
        return await super()._async_handle_timeout(timeout, cell)

    def process_message(self, msg, cell, cell_index):
        """Keep the first part of what a cell prints, and no more."""
        if msg["msg_type"] in ("stream", "display_data", "execute_result", "update_display_data"):
            size = len(str(msg["content"]))
            self.seen = getattr(self, "seen", 0) + size
            if self.seen > self.printed:
                return None
        return super().process_message(msg, cell, cell_index)

    @contextlib.contextmanager
    def _alive(self):
        """If the kernel dies, remember why, and go on without it."""
        try:
            yield
        except (DeadKernelError, RuntimeError, OSError, zmq.ZMQError) as error:
            self._ended(f"the notebook's process ended ({error})")
        if self.watch.reason and not self.gone:
            self._ended("")

    def _ended(self, reason):
        self.gone = self.watch.reason or reason
        self.watch.stop(self.gone)

    def _see_whether_it_listens(self):
        try:
            self._ask({"kind": "fetch", "name": "_"}, 5)
        except (remote.guard.OutOfTime, remote.Unanswered):
            self._ended(f"a cell ran for more than {self.timeout} seconds and did not stop")

    # ---- the tests

    def _ask(self, request, seconds):
        """One request to the student's process and its answer."""
        if self.gone:
            raise remote.Unanswered(f"Nothing could be tested any more: {self.gone}.")
        folder = self.folder / "exchange"
        cell = new_code_cell(f"__import__('student_side').work({str(folder)!r})")
        before, self.timeout, self.stuck = self.timeout, int(seconds), False
        first = self.nb.cells[0]  # executing a cell puts it into the notebook, so it is put back

        def run():
            with self._alive():
                self.execute_cell(cell, 0)
            for output in cell.outputs:
                if output.output_type == "error" and not self.stuck:
                    raise remote.Unanswered(f"It cannot be asked: {output.ename}: {output.evalue}")

        try:
            return remote.exchange(folder, request, run)
        finally:
            self.timeout, self.nb.cells[0] = before, first

    def _judge(self, cell, last=False):
        """Run the test of this cell here; what it says of the answer becomes the cell's output."""
        source = self.sources[cell.metadata.nbgrader.grade_id]
        cell.outputs, cell.execution_count = [], None
        try:
            space = dict(_names_of(self.sources.get(SETUP, "")))
            for name in _missing(source, space):
                space[name] = remote.fetch(name, self._ask)
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(source, "<tests>", "exec"), space)
        except remote.Unanswered as error:
            if not (last or self.gone):  # its cell may stand further down
                self.waiting.append(cell)
            cell.outputs = [_error("not_there", str(error))]
        except NotYet as error:
            result = error.result
            said = getattr(result, "sentence", "") or getattr(result, "why", "")
            sentence = said or str(result).split("\n")[0]
            cell.outputs = [_error(result.diagnosis or "not_yet", sentence, str(result))]
        except remote.guard.OutOfTime:
            cell.outputs = [_error("endless_loop", "It was stopped: it took too long.")]
        except remote.guard.Crash as crash:
            cell.outputs = [_error("crash", f"Your code stopped with {crash} {crash.line}".strip())]
        except Exception as error:  # what a test raises for an answer that nobody thought of
            text = str(error) or traceback.format_exception_only(error)[-1].strip()
            cell.outputs = [_error(type(error).__name__, text)]

    def _enter_the_leaderboard(self):
        """Where the assignment has a leaderboard, store this network's line beside the notebook."""
        module = f"hidden.{self.where['assignment'].lower()}"
        if not self.root or not importlib.util.find_spec(module):
            return
        make = getattr(importlib.import_module(module), "entry", None)
        with contextlib.suppress(remote.Unanswered, remote.guard.OutOfTime):
            if make and (line := make(remote.fetch("network", self._ask))):
                line["nickname"] = str(remote.fetch("nickname", self._ask))[:40]
                folder = Path(self.root, "autograded", self.where["student"])
                folder = folder / self.where["assignment"]
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "entry.json").write_text(json.dumps(line), "utf-8")


def _error(diagnosis, sentence, text=None):
    """What a test says: its diagnosis and a sentence for grades.csv, all of it for the page."""
    text = text or sentence
    return new_output("error", ename=diagnosis, evalue=" ".join(sentence.split()), traceback=[text])


_servers, _setups = {}, {}


def _names_of(setup):
    """What the setup cell of an assignment defines, once for all submissions."""
    if setup not in _setups:
        space = {"__name__": "__main__"}
        exec(compile(setup, "<setup>", "exec"), space)
        _setups[setup] = space
    return _setups[setup]


def _missing(source, space):
    """The names that a test uses and neither defines nor finds in `space`, in order of use."""
    tree = ast.parse(source)
    bound = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    bound |= {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    used = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return [
        name
        for name in dict.fromkeys(used)
        if name not in bound and name not in space and not hasattr(builtins, name)
    ]

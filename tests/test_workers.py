"""Workers end cleanly, and when they do not, a student reads their own words."""

import ast
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch

from course_utils import models, workers

pytestmark = pytest.mark.processes
ROOT = Path(__file__).resolve().parent.parent
posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc or makes a namespace")


def lesson_worker():
    """The worker's text in lesson 13."""
    lesson = ast.parse((ROOT / "lessons/13_scaling_up.py").read_text("utf-8"))
    assigned = {s.targets[0].id: s.value for s in lesson.body if _names_one(s)}
    return ast.literal_eval(assigned["WORKER"])


def _names_one(statement):
    return isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)


def write(folder, text):
    path = folder / "worker.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def said_by(folder, text, count=2):
    """What a student reads when workers with this text fail."""
    with pytest.raises(RuntimeError) as caught:
        workers.run(count, write(folder, text))
    return str(caught.value)


@pytest.fixture
def given(tmp_path):
    """What the lesson hands its workers."""
    torch.manual_seed(0)
    images, labels = torch.rand(8, 1, 28, 28).double(), torch.arange(8)
    weights = models.lenet().double().state_dict()
    torch.save({"weights": weights, "images": images, "labels": labels}, tmp_path / "given")
    return tmp_path


@linux
def test_no_thread_of_the_group_outlives_its_destruction_in_the_lesson(given):
    """A thread that still drops a tensor when Python ends aborts the process, now and then.

    The group's threads ask for Python's lock to drop a tensor that Python knows. While Python ends,
    asking ends the thread, amid a destructor: "terminate called without an active exception"
    (pytorch/pytorch#190489). destroy_process_group joins them, if nothing else holds the group.
    """
    looks = """
    import os
    names = [open(f"/proc/self/task/{task}/comm").read() for task in os.listdir("/proc/self/task")]
    assert not [name for name in names if "gloo" in name], names
    """
    before = "assert dist.is_initialized() and 'DistributedDataParallel' in open(__file__).read()"
    destroy = "dist.destroy_process_group()"
    text = lesson_worker()
    assert text.count(destroy) == 1
    text = text.replace(destroy, f"{before}\n{destroy}") + textwrap.dedent(looks)
    workers.run(2, write(given, text), "given")
    assert {"given.0", "given.1"} <= {path.name for path in given.iterdir()}


def test_a_worker_that_raises_is_quoted_with_its_line_and_the_other_is_not(tmp_path):
    said = said_by(
        tmp_path,
        """\
        import os, time
        while os.environ["RANK"] == "0":
            time.sleep(0.1)
        raise ValueError("three is too many")
        """,
    )
    assert said.startswith("worker 1 failed (exit code 1):\nTraceback")
    assert 'worker.py", line 4' in said
    assert said.endswith("ValueError: three is too many")
    assert "worker 0" not in said
    assert "elastic" not in said


def test_what_two_workers_say_alike_is_said_once(tmp_path):
    (tmp_path / "logs").mkdir()
    for rank in (0, 1):
        log = tmp_path / f"logs/run/attempt_0/{rank}/stderr.log"
        log.parent.mkdir(parents=True)
        trace = "Traceback (most recent call last):\n  File 'w.py', line 1\nKeyError: 'weights'"
        log.write_text(
            "a warning\n" + "".join(f"[rank{rank}]: {line}\n" for line in trace.split("\n"))
        )
    words = workers._last_words(tmp_path / "logs")
    listed = "".join(
        f"  rank      : {rank} (local_rank: {rank})\n  exitcode  : 1 (pid: 7)\n" for rank in (0, 1)
    )
    assert (
        workers._failure(listed, words) == f"worker 0 and worker 1 failed (exit code 1):\n{trace}"
    )


def test_the_first_to_break_off_is_quoted_first_even_if_torchrun_saw_only_the_second(tmp_path):
    for rank, text, when in ((1, "ValueError: mine", 100), (0, "Connection closed by peer", 200)):
        log = tmp_path / f"run/attempt_0/{rank}/stderr.log"
        log.parent.mkdir(parents=True)
        log.write_text(f"Traceback (most recent call last):\n{text}")
        os.utime(log, (when, when))
    said = workers._failure(
        "  rank      : 0 (local_rank: 0)\n  exitcode  : 1 (pid: 7)\n", workers._last_words(tmp_path)
    )
    assert said.index("worker 1 failed:") < said.index("mine") < said.index("worker 0 failed")


@posix
@pytest.mark.parametrize("name", ["SIGKILL", pytest.param("SIGABRT", marks=pytest.mark.more)])
def test_a_signal_is_named_with_the_worker_that_it_ended(tmp_path, name):
    said = said_by(
        tmp_path,
        f"""\
        import os, signal, time
        while os.environ["RANK"] == "0":
            time.sleep(0.1)
        os.kill(os.getpid(), signal.{name})
        """,
    )
    number = signal.Signals[name]
    assert said.startswith(f"worker 1 was ended by signal {number:d} ({name}, ")
    assert name == "SIGKILL" or 'worker.py", line 4' in said  # no one can write after SIGKILL
    assert "Extension modules" not in said


@pytest.mark.more
def test_a_program_that_is_not_there_and_a_number_that_is_none_are_said(tmp_path):
    with pytest.raises(RuntimeError, match=r"can't open file.*nowhere\.py"):
        workers.run(1, tmp_path / "nowhere.py")
    with pytest.raises(RuntimeError, match=r"(?s)did not start.*ValueError.*many"):
        workers.run("many", write(tmp_path, ""))


@posix
@pytest.mark.parametrize(
    "stopped_by", [subprocess.TimeoutExpired("torchrun", 7), KeyboardInterrupt()]
)
def test_workers_that_hang_are_stopped_and_none_is_left(tmp_path, monkeypatch, stopped_by):
    class Impatient(subprocess.Popen):
        """Its limit passes, or the student interrupts, when both workers hang."""

        def communicate(self, input=None, timeout=None):
            if timeout == 7:
                while len(list(tmp_path.glob("pid.*"))) < 2:
                    assert self.poll() is None
                    time.sleep(0.05)
                raise stopped_by
            return super().communicate(input, timeout)

    monkeypatch.setattr(subprocess, "Popen", Impatient)
    hangs = """\
    import os, sys, time
    print("waiting for the other", file=sys.stderr, flush=True)
    open(f"pid.{os.getpid()}", "w").close()
    time.sleep(1000)
    """
    with pytest.raises((RuntimeError, KeyboardInterrupt)) as caught:
        workers.run(2, write(tmp_path, hangs), limit=7)
    if isinstance(stopped_by, subprocess.TimeoutExpired):
        assert str(caught.value).startswith("the workers had not ended after 7 s, and were stopped")
        assert "worker 0 wrote last:\nwaiting for the other" in str(caught.value)
    for path in tmp_path.glob("pid.*"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.suffix[1:]), 0)


@pytest.mark.more
def test_workers_meet_where_the_usual_port_is_taken_and_another_is_named(tmp_path, monkeypatch):
    text = """\
    import torch.distributed as dist
    dist.init_process_group("gloo")
    dist.barrier()
    dist.destroy_process_group()
    """
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("", 29500))
        except OSError:
            pass  # taken already, which is as good
        else:
            taken.listen()
        monkeypatch.setenv("MASTER_PORT", "29500")
        monkeypatch.setenv("MASTER_ADDR", "nowhere.invalid")
        workers.run(2, write(tmp_path, text))


@linux
@pytest.mark.more
def test_workers_meet_where_there_is_no_network_and_the_host_has_an_unknown_name(tmp_path):
    apart = ["unshare", "--user", "--map-root-user", "--net", "--uts", "sh", "-c"]
    alone = 'hostname nowhere && ip link set lo up && exec "$@"'
    if subprocess.run([*apart, alone, "sh", "true"], capture_output=True).returncode:
        pytest.skip("no user namespaces, or no `ip` or `hostname`, on this machine")
    text = """\
    import socket, torch.distributed as dist
    dist.init_process_group("gloo")
    dist.barrier()
    open(f"met.{dist.get_rank()}.{socket.gethostname()}", "w").close()
    dist.destroy_process_group()
    """
    program = write(tmp_path, text)
    code = f"from course_utils import workers; workers.run(2, {str(program)!r})"
    subprocess.run([*apart, alone, "sh", sys.executable, "-c", code], check=True, cwd=ROOT)
    assert sorted(path.name for path in tmp_path.glob("met.*")) == [
        "met.0.nowhere",
        "met.1.nowhere",
    ]

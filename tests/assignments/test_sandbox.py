"""What a student's process can reach, and what it can send back."""

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from grading import remote, sandbox, student_side

from course_utils.checks.engine import guard

GRADING = Path(sandbox.__file__).parent
needs_landlock = pytest.mark.skipif(not sandbox.landlock_version(), reason="no Landlock here")

pytestmark = pytest.mark.processes


def inside(tmp_path, code):
    """What `code` prints where only the system can be read and tmp_path/own be written."""
    (tmp_path / "own").mkdir()
    readable = [*("/usr", "/lib", "/lib64", "/etc", "/proc", "/dev"), sys.prefix, sys.base_prefix]
    start = (
        "import sys; sys.path.insert(0, sys.argv[1]); import sandbox, json, os, socket, signal; "
        "from pathlib import Path; "
        "sandbox.restrict(json.loads(sys.argv[2]), [sys.argv[3], '/dev/null']); "
        "os.chdir(sys.argv[3])\n"
        "def attempt(action):\n"
        "    try: print('done', action())\n"
        "    except OSError as error: print(type(error).__name__)\n"
    )
    line = [sys.executable, "-c", start + code, str(GRADING), json.dumps(readable)]
    run = subprocess.run([*line, str(tmp_path / "own")], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.split("\n")[:-1]


@needs_landlock
def test_other_files_can_be_neither_read_nor_listed_nor_written_nor_removed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hidden tests")
    said = inside(
        tmp_path,
        "secret = Path('..') / 'secret'\n"
        "attempt(secret.read_text); attempt(lambda: secret.write_text('mine'))\n"
        "attempt(lambda: os.listdir('..')); attempt(secret.unlink)\n"
        "attempt(lambda: (Path('..') / 'new').write_text('x'))\n"
        "attempt(lambda: os.rename('../secret', 'mine'))\n"
        "attempt(lambda: os.link('../secret', 'mine'))\n"
        "attempt(lambda: os.truncate('../secret', 0))\n",
    )
    assert set(said) <= {"PermissionError", "OSError"}, said
    assert len(said) == 8
    assert secret.read_text() == "hidden tests"
    assert {path.name for path in tmp_path.iterdir()} == {"own", "secret"}


@needs_landlock
def test_its_own_folder_is_its_own(tmp_path):
    code = "attempt(lambda: Path('a').write_text('x')); attempt(lambda: Path('a').unlink())"
    assert inside(tmp_path, code) == ["done 1", "done None"]


@needs_landlock
def test_what_it_starts_is_shut_in_too(tmp_path):
    (tmp_path / "secret").write_text("hidden tests")
    said = inside(tmp_path, "print(os.system('cat ../secret 2>/dev/null') != 0)")
    assert said == ["True"]


@needs_landlock
@pytest.mark.skipif(sandbox.landlock_version() < 4, reason="this Landlock does not know of TCP")
def test_there_is_no_network(tmp_path):
    code = "attempt(lambda: socket.create_connection(('127.0.0.1', 9), 1))"
    assert inside(tmp_path, code) == ["PermissionError"]


@needs_landlock
@pytest.mark.skipif(sandbox.landlock_version() < 6, reason="this Landlock does not know of signals")
def test_it_cannot_end_the_grader(tmp_path):
    code = "attempt(lambda: os.kill(os.getppid(), signal.SIGCONT))"
    assert inside(tmp_path, code) == ["PermissionError"]


def test_what_isolation_there_is_is_said():
    assert ("Landlock" in sandbox.isolation()) == bool(sandbox.landlock_version())


# ---- what comes back


@pytest.mark.parametrize(
    "value",
    [
        3,
        2.5,
        True,
        None,
        "text",
        [1, (2, "x")],
        {"a": torch.ones(2)},
        torch.arange(6.0).view(2, 3),
        torch.tensor(1),
        torch.zeros(0, 4),
        torch.ones(2, dtype=torch.int64),
    ],
)
def test_data_come_back_as_they_were(tmp_path, value):
    torch.save({"kind": "value", "value": student_side.plain(value)}, tmp_path / "reply")
    reply = torch.load(tmp_path / "reply", weights_only=True)
    back = remote._received(reply["value"])
    assert str(back) == str(value)


def test_an_object_comes_back_as_the_name_of_its_kind():
    class Model:
        pass

    assert type(remote._received(student_side.plain(Model()))).__name__ == "Model"
    nested = remote._received(student_side.plain([Model(), 1]))
    assert type(nested[0]).__name__ == "Model"


def test_an_answer_that_would_run_code_here_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, ("touch " + str(tmp_path / "pwned"),)

    def run():
        torch.save({"kind": "value", "value": Evil()}, tmp_path / "reply")

    with pytest.raises(Exception, match=r"[Ww]eights"):
        remote.exchange(tmp_path, {"kind": "fetch", "name": "x"}, run)
    assert not (tmp_path / "pwned").exists()


def test_a_link_in_place_of_an_answer_is_no_answer(tmp_path):
    (tmp_path / "other").write_text("x")
    with pytest.raises(guard.OutOfTime):
        remote.exchange(
            tmp_path,
            {"kind": "fetch", "name": "x"},
            lambda: (tmp_path / "reply").symlink_to(tmp_path / "other"),
        )


def test_an_answer_that_unpacks_to_gigabytes_is_refused_unread(tmp_path):
    def run():
        with zipfile.ZipFile(tmp_path / "reply", "w", zipfile.ZIP_DEFLATED) as bomb:
            bomb.writestr("archive/data/0", bytes(remote.LARGEST + 1))

    with pytest.raises(remote.Unanswered, match="more than 200 MB"):
        remote.exchange(tmp_path, {"kind": "fetch", "name": "x"}, run)


def test_a_change_in_place_over_there_is_seen_here():
    def ask(request, seconds):
        request["args"][0].add_(1)
        return {"kind": "value", "value": 0, "args": (torch.ones(2),), "kwargs": {}}

    mine = torch.zeros(2)
    remote.Remote("f", ask)(mine)
    assert torch.equal(mine, torch.ones(2))


def test_a_function_travels_as_its_code():
    code = remote._portable(lambda x: torch.sin(x) + 1)
    assert student_side._resolved(code)(torch.zeros(1)).item() == 1


def test_a_process_that_takes_too_much_is_stopped_with_its_children(tmp_path):
    from grading.watch import Watch

    hungry = "import sys; x = b'x' * 400_000_000; sys.stdin.read()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hungry!r}])"
    pipe = subprocess.PIPE  # closed when the last of them has ended
    process = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=tmp_path, stdin=pipe, stdout=pipe
    )
    watch = Watch(process.pid, tmp_path, memory=200_000_000, seconds=10**6)
    watch.start()
    with process:
        assert process.stdout.read() == b""
        assert process.wait() == -signal.SIGKILL
    watch.end()
    assert watch.reason == "it used more than 0.2 GB of memory"

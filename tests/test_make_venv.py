"""What `make` installs: all with pip; PyTorch without NVIDIA's libraries, where it can be had.

A stand-in for PyTorch's index serves small wheels on loopback, and another one for pip's index.
"""

import contextlib
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import venv
from pathlib import Path

import make_venv
import pytest
import wheels
from wheels import wheel

ROOT = Path(__file__).resolve().parent.parent

pip = pytest.importorskip("pip", reason="pip is not here: uv makes environments without it")
uv = pytest.importorskip("uv")

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere pip has the small PyTorch itself"
)
NVIDIA = ["nvidia-cudnn-cu13", "triton"]


def pair(folder, torch, torchvision, build="+cpu", requires=()):
    """torch and its torchvision, as wheels."""
    wheel(folder, "torch", f"{torch}{build}", requires)
    wheel(folder, "torchvision", f"{torchvision}{build}", [f"torch=={torch}"])


@contextlib.contextmanager
def served(folder):
    """An index of the wheels in a folder: (its address, the paths that were asked for)."""
    asked = []

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            *_, name = self.path.rstrip("/").split("/")
            if name.endswith(".whl"):
                return self.answer((folder / name.replace("%2B", "+")).read_bytes())
            found = sorted(folder.glob(f"{name.replace('-', '_')}-*.whl"))
            links = [
                f'<a href="/files/{path.name.replace("+", "%2B")}">{path.name}</a>'
                for path in found
            ]
            page = f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>"
            return self.answer(page.encode(), 200 if found else 404)

        def answer(self, body, status=200):
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self):
            return self.do_GET()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def pytorch(tmp_path):
    """The folder of PyTorch's index, its address, and what it was asked for."""
    folder = tmp_path / "pytorch"
    folder.mkdir()
    with served(folder) as (address, asked):
        yield folder, address, asked


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """The folder of pip's own index, and what it was asked for; pip is set to nothing else."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name, needs in {"lamp": ["oil"], "oil": [], "pencil": []}.items():
        wheel(folder, name, "1", needs)
    pair(folder, "2.15.0", "0.30.0", "", NVIDIA)
    for name in NVIDIA:
        wheel(folder, name, "1")
    program = f'#!/bin/sh\nexec {uv.find_uv_bin()} "$@"\n'
    wheel(folder, "uv", "1", (), {"uv-1.data/scripts/uv": program})
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_", "TORCH_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)  # whatever this machine's pip is set to
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with served(folder) as (address, asked):
        monkeypatch.setenv("PIP_INDEX_URL", address)
        yield folder, asked


@pytest.fixture
def course(tmp_path, mirror, monkeypatch):
    """A small course, and in it an environment that holds pip alone. Returns: `installed`."""
    folder = tmp_path / "course"
    (folder / "course_utils").mkdir(parents=True)
    (folder / "data").mkdir()
    shutil.copy(wheels.__file__, folder / "backend.py")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "course-utils"\nversion = "1"\n'
        'dependencies = [\n"torch>=2.7",\n"torchvision>=0.22",\n"lamp>=1",\n]\n'
        '[project.optional-dependencies]\nlab = []\ndeploy = []\ndev = ["pencil"]\n'
    )
    (folder / "course_utils" / "start.py").write_text("def say_what_is_wrong(): print('looked')\n")
    monkeypatch.setattr(make_venv, "ROOT", folder)
    monkeypatch.setattr(make_venv, "has_nvidia_driver", lambda: False)
    monkeypatch.setattr(make_venv, "PATIENCE", 1)
    with_pip_alone(folder / ".venv")

    def installed(torch="auto", extras=make_venv.STUDENT):
        installation = make_venv.Installation(folder / ".venv", torch)
        installation.bring(set(extras))
        return installation.packages()

    return installed


def with_pip_alone(folder):
    """A virtual environment; made quicker than by `python -m venv`, which unpacks pip."""
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    shutil.copytree(Path(pip.__file__).parent, packages / "pip")


# ---- Which PyTorch ------------------------------------------------------------------------------


def test_without_a_driver_the_small_build_is_taken_and_nothing_of_nvidia(
    course, mirror, pytorch, monkeypatch
):
    folder, address, _ = pytorch
    pair(folder, "2.14.1", "0.29.1")
    monkeypatch.setenv("TORCH_INDEX", address)
    found = course()
    assert (found["torch"], found["torchvision"]) == ("2.14.1+cpu", "0.29.1+cpu")
    assert set(found) == {"torch", "torchvision", "lamp", "oil", "course-utils"}


def test_what_pytorch_itself_needs_comes_from_pips_index(course, mirror, pytorch, monkeypatch):
    folder, address, asked = pytorch
    pair(folder, "2.15.0", "0.30.0", requires=["candle"])
    wheel(mirror[0], "candle", "3")
    monkeypatch.setenv("TORCH_INDEX", address)
    found = course()
    assert found["candle"] == "3"
    assert found["torch"] == "2.15.0+cpu"
    assert not [path for path in asked if "lamp" in path]


def test_pips_constraints_hold_for_the_small_build(course, mirror, pytorch, monkeypatch, tmp_path):
    folder, address, _ = pytorch
    for torch, torchvision in (("2.13.0", "0.28.0"), ("2.14.1", "0.29.1"), ("2.15.0", "0.30.0")):
        pair(folder, torch, torchvision)
    (tmp_path / "constraints.txt").write_text("torch<=2.14.1\n")  # and torchvision must follow
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "constraints.txt"))
    monkeypatch.setenv("TORCH_INDEX", address)
    found = course()
    assert (found["torch"], found["torchvision"]) == ("2.14.1+cpu", "0.29.1+cpu")


@pytest.mark.parametrize(
    "fault", ["silent", "gone", "empty", "too old", "only torch", "no build", "no pair"]
)
def test_whatever_is_wrong_with_the_index_a_line_says_so_and_pips_pytorch_serves(
    course, mirror, pytorch, monkeypatch, capfd, fault
):
    folder, address, _ = pytorch
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        if fault == "silent":
            address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        elif fault == "gone":
            address = "http://127.0.0.1:9/"
        elif fault == "too old":
            pair(folder, "2.6.0", "0.21.0")
        elif fault == "only torch":
            wheel(folder, "torch", "2.14.1+cpu")
        elif fault == "no build":
            pair(folder, "2.14.1", "0.29.1", "+cu130")
        elif fault == "no pair":
            wheel(folder, "torch", "2.14.1+cpu")
            wheel(folder, "torchvision", "0.30.0+cpu", ["torch==2.15.0"])
        monkeypatch.setenv("TORCH_INDEX", address)
        found = course()
    assert (found["torch"], found["torchvision"]) == ("2.15.0", "0.30.0")
    assert set(NVIDIA) <= set(found)
    said = capfd.readouterr().out
    (line,) = [line for line in said.splitlines() if "is not to be had" in line]
    words = {"silent": "does not answer", "gone": "does not answer", "too old": "that fits"}
    words |= {"no pair": "do not fit together"}
    assert words.get(fault, "the index has") in line
    assert "looked" in said


@pytest.mark.parametrize("driver", [True, False])
def test_with_a_driver_or_when_cuda_is_asked_for_the_index_is_never_asked(
    course, pytorch, monkeypatch, driver
):
    folder, address, asked = pytorch
    pair(folder, "2.14.1", "0.29.1")
    monkeypatch.setenv("TORCH_INDEX", address)
    monkeypatch.setattr(make_venv, "has_nvidia_driver", lambda: driver)
    assert course("auto" if driver else "cuda")["torch"] == "2.15.0"
    assert asked == []


def test_a_class_with_a_mirror_of_its_own_waits_for_no_other_index(course, capfd):
    assert course()["torch"] == "2.15.0"
    assert "TORCH=cpu asks PyTorch's index" in capfd.readouterr().out


def test_without_uv_pips_pytorch_serves(course, mirror, monkeypatch, capfd):
    (mirror[0] / "uv-1-py3-none-any.whl").unlink()
    assert course("cpu")["torch"] == "2.15.0"
    assert "uv, which knows the index, could not be installed" in capfd.readouterr().out


def test_an_installation_that_is_there_is_left_alone_until_something_changes(
    course, mirror, pytorch, monkeypatch
):
    folder, address, asked = pytorch
    pair(folder, "2.14.1", "0.29.1")
    monkeypatch.setenv("TORCH_INDEX", address)
    course()
    del mirror[1][:], asked[:]
    assert "pencil" not in course()
    assert mirror[1] == asked == []
    assert "pencil" in course(extras=[*make_venv.STUDENT, "dev"])
    assert asked == []  # PyTorch is there
    del mirror[1][:]
    course()
    assert mirror[1] == []


def test_another_build_takes_the_place_of_the_one_that_is_here(course, pytorch, monkeypatch):
    folder, address, _ = pytorch
    pair(folder, "2.14.1", "0.29.1")
    monkeypatch.setenv("TORCH_INDEX", address)
    assert course("cuda")["torch"] == "2.15.0"
    small = course("cpu")
    assert small["torch"] == "2.14.1+cpu"
    assert not set(NVIDIA) & set(small)
    assert course("auto") == small
    assert set(NVIDIA) <= set(course("cuda"))


# ---- The rest -----------------------------------------------------------------------------------


def test_an_environment_whose_python_has_gone_is_made_anew(tmp_path):
    installation = make_venv.Installation(tmp_path / "env")
    (tmp_path / "env/bin").mkdir(parents=True)
    installation.python.symlink_to(tmp_path / "gone")
    installation.make()
    assert installation.pip("--version", capture_output=True).returncode == 0
    assert set(installation.packages()) <= {"pip", "setuptools"}


def test_an_old_python_is_told_what_the_course_needs():
    code = "import sys; sys.version_info = (3, 9, 2); sys.version = '3.9.2 (main)'"
    code = f"{code}; import make_venv; make_venv.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "tools", capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "is Python 3.9.2." in done.stderr
    assert "make lab PYTHON=python3.12" in done.stderr


def test_an_installation_that_stops_says_how_it_goes_on(course, mirror):
    (mirror[0] / "oil-1-py3-none-any.whl").unlink()
    with pytest.raises(SystemExit, match="Run the same command again"):
        course("cuda")


def test_pips_settings_come_from_its_files_and_its_variables(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://one.example/index\nconstraint = a.txt b.txt\ntimeout = 7\n"
        "[install]\nindex-url = https://two.example/index\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_PROXY", "http://proxy.example:3128")
    installation = make_venv.Installation(ROOT / "x")
    installation.python = sys.executable
    wanted = {
        "UV_DEFAULT_INDEX": "https://two.example/index",
        "UV_CONSTRAINT": "a.txt b.txt",
        "ALL_PROXY": "http://proxy.example:3128",
        "UV_HTTP_TIMEOUT": "7",
    }
    assert wanted.items() <= installation.uv_settings().items()
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.example")
    assert installation.uv_settings()["UV_DEFAULT_INDEX"] == "https://own.example"

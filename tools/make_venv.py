"""Install the course into .venv: what every `make` command does first, and again after a change.

    python tools/make_venv.py                                 # what a student needs
    python tools/make_venv.py --extras assignments,dev        # and what grades and tests
    python tools/make_venv.py --torch cpu                     # or cuda; auto, the default, chooses

pip installs, with all of its own settings: mirrors, proxies, certificates, constraints. There is
one exception. On Linux its PyTorch comes with 4 GB of NVIDIA's libraries. Where no NVIDIA driver is
at work, PyTorch's own index has a build without them, and uv knows that index. TORCH_INDEX names
another one to ask, such as a copy near you. Whatever is wrong with the index, pip's PyTorch serves.
"""

import argparse
import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import rmtree, which

ROOT = Path(__file__).resolve().parent.parent
STUDENT = ("lab", "deploy")
PAIR = ("torch", "torchvision")  # one is built for the other
PATIENCE = 5  # seconds for an answer of PyTorch's index, before pip does without it
UV = "uv>=0.8"  # knows --torch-backend
# What uv calls pip's settings. It needs them for PyTorch alone; pip installs all the rest.
SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "constraint": "UV_CONSTRAINT",
    "proxy": "ALL_PROXY",
    "cert": "SSL_CERT_FILE",
    "trusted-host": "UV_INSECURE_HOST",
    "no-cache-dir": "UV_NO_CACHE",
}


def main():
    if sys.version_info < (3, 11):  # noqa: UP036 - whatever `python3` is, it runs this
        sys.exit(
            f"This course needs Python 3.11 or newer; '{sys.executable}' is Python "
            f"{sys.version.split()[0]}.\nInstall one, then for instance: make lab PYTHON=python3.12"
        )
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--extras", default="", help="more than a student needs, such as dev")
    parser.add_argument("--torch", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    arguments = parser.parse_args()
    extras = {*STUDENT, *filter(None, arguments.extras.split(","))}
    Installation(arguments.venv, arguments.torch).bring(extras)


class Installation:
    """A virtual environment, and the build of PyTorch that belongs into it."""

    def __init__(self, folder, torch="auto"):
        self.folder, self.torch = folder.absolute(), torch
        programs = "Scripts" if os.name == "nt" else "bin"
        self.python = self.folder / programs / f"python{'.exe' if os.name == 'nt' else ''}"
        self.notes = self.folder / "course.json"  # what was installed, for which pyproject.toml

    def bring(self, extras):
        """Install what is missing; does nothing where nothing is."""
        state = {"pyproject": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()}
        before = json.loads(self.notes.read_text()) if self.notes.exists() else {}
        if before.get("pyproject") == state["pyproject"]:
            have = set(before["extras"])
            if extras <= have and self.python.exists() and not self.has_the_wrong_torch():
                return
            extras = extras | have
        self.make()
        if self.has_the_wrong_torch():
            self.remove_torch()
        print(f"Installing the course into {self.folder.name}: once, some minutes …", flush=True)
        if not self.version_of("torch") and self.wants_small_torch():
            self.install_small_torch()
        self.install_rest(extras)
        if len({is_small(self.version_of(name)) for name in PAIR}) > 1:
            print("torch and torchvision are of two builds: both come from pip now.", flush=True)
            self.remove_torch()
            self.install_rest(extras)
        code = "from course_utils import start; start.say_what_is_wrong()"
        if subprocess.run([self.python, "-c", code], cwd=ROOT).returncode:
            print(
                "The self-check broke off. To go back to the versions that were tested: "
                f"{self.python} -m pip install --requirement data/tested_versions.txt",
                flush=True,
            )
        self.notes.write_text(json.dumps({**state, "extras": sorted(extras)}))

    def make(self):
        """Make the environment, if it is not there or its Python has gone."""
        if self.python.exists():
            return
        rmtree(self.folder, ignore_errors=True)
        if subprocess.run([sys.executable, "-m", "venv", self.folder]).returncode:
            rmtree(self.folder, ignore_errors=True)
            sys.exit(
                f"Python could not make {self.folder}. "
                "On Debian and Ubuntu: sudo apt install python3-venv"
            )

    def pip(self, *line, **options):
        """Run pip. Returns: a CompletedProcess."""
        line = [self.python, "-m", "pip", "--disable-pip-version-check", *line]
        return subprocess.run(line, cwd=ROOT, **options)

    def install_rest(self, extras):
        """All that the course needs, by pip alone."""
        # Python compiles what it loads; to compile all the rest takes long, and room.
        line = ["install", "--no-compile", "--editable", f".[{','.join(sorted(extras))}]"]
        if self.pip(*line).returncode:
            sys.exit(
                "The installation stopped. Is there a network? Run the same command again: "
                "it goes on."
            )

    # ---- PyTorch ----------------------------------------------------------------------------

    def wants_small_torch(self):
        """Whether to ask PyTorch's index for the build without NVIDIA's libraries."""
        if self.torch == "cuda" or not sys.platform.startswith("linux"):
            return False  # pip has the small build for macOS and Windows
        if self.torch == "cpu":
            return True
        if has_nvidia_driver():
            return False
        own = {"index-url", "no-index"} & set(self.settings())
        if own and "TORCH_INDEX" not in os.environ:
            print(
                f"pip is set to a source of its own ({', '.join(sorted(own))}), so PyTorch comes "
                "from there, with NVIDIA's libraries. TORCH=cpu asks PyTorch's index for the build "
                "without; TORCH_INDEX=address asks a copy of it.",
                flush=True,
            )
            return False
        return True

    def install_small_torch(self):
        """PyTorch without NVIDIA's libraries; or a line that says why not."""
        # In the environment: from some machines' /tmp no program can be started.
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            line = ["install", "--quiet", "--target", folder, "--no-deps", UV]
            if self.pip(*line, capture_output=True, text=True).returncode:
                reason = "uv, which knows the index, could not be installed"
            else:
                reason = self.install_with(Path(folder) / "bin" / "uv")
        if reason:
            print(
                f"PyTorch's build without NVIDIA's libraries is not to be had: {reason}. "
                "The ordinary one is taken, some 4 GB larger.",
                flush=True,
            )

    def install_with(self, uv):
        """Have uv choose torch and torchvision and install them. Returns: what failed, or None."""
        index = os.environ.get("TORCH_INDEX")
        source = ["--index", index] if index else ["--torch-backend", "cpu"]
        patience = {"UV_HTTP_TIMEOUT": PATIENCE, "UV_HTTP_CONNECT_TIMEOUT": PATIENCE}
        patience = {name: str(seconds) for name, seconds in patience.items()}
        wanted = "\n".join(requirements(PAIR))

        def ask(*options):
            line = [uv, "pip", "compile", "-", "--python", self.python, "--no-header", *source]
            return subprocess.run(
                [*line, "--no-annotate", "--color", "never", *options],
                env={**self.uv_settings(), **patience, "UV_HTTP_RETRIES": "0"},
                input=wanted,
                text=True,
                capture_output=True,
                cwd=ROOT,
            )

        # What the index has; then, if the other packages can be looked up, what fits together.
        said = ask("--no-deps")
        if said.returncode:
            return reason_in(said.stderr)
        better = ask()
        chosen = (said if better.returncode else better).stdout.splitlines()
        chosen = [line for line in chosen if re.split("[=<>]", line)[0] in PAIR]
        if not all(map(is_small, chosen)):
            return f"the index has {' and '.join(chosen) or 'nothing'}"
        print(f"Without NVIDIA's libraries: {', '.join(chosen)}.", flush=True)
        line = [uv, "pip", "install", "--python", self.python, "--no-deps", *source, *chosen]
        if subprocess.run(line, cwd=ROOT, env=self.uv_settings()).returncode:
            return "the download stopped"
        if not self.pair_fits():
            self.remove_torch()
            return f"{' and '.join(chosen)} do not fit together"
        return None

    def pair_fits(self):
        """Whether the torchvision that is here was built for the torch that is here."""
        (about,) = self.files("torchvision-*.dist-info/METADATA")
        needs = re.search(r"^Requires-Dist: torch *\(?== *([\w.]+)", about.read_text("utf-8"), re.M)
        return not needs or needs[1] == self.version_of("torch").partition("+")[0]

    def settings(self):
        """What pip is set to, by its files and by PIP_…: names with values, the last word wins."""
        said = self.pip("config", "list", capture_output=True, text=True).stdout
        found = {}
        for section in ("global", "install", ":env:"):
            for name, value in re.findall(rf"^{section}\.([\w-]+)=(.*)$", said, re.MULTILINE):
                found[name] = ast.literal_eval(value)
        return {name: value for name, value in found.items() if value not in ("", "0", "false")}

    def uv_settings(self):
        """The environment variables that tell uv what pip is set to."""
        settings = self.settings()
        ours = {uv: settings[pip] for pip, uv in SETTINGS.items() if pip in settings}
        ours = {name: " ".join(value.split()) for name, value in ours.items()}
        if "timeout" in settings:
            ours["UV_HTTP_TIMEOUT"] = settings["timeout"]
        return {**ours, **os.environ}

    def has_the_wrong_torch(self):
        """Whether TORCH asks for another build than the one that is here."""
        version = self.version_of("torch")
        return bool(version) and self.torch == ("cuda" if is_small(version) else "cpu")

    def remove_torch(self):
        """Take PyTorch away, NVIDIA's libraries included."""
        parts = (*PAIR, "triton", "nvidia-", "cuda-")
        names = [name for name in self.packages() if name.startswith(parts)]
        self.pip("uninstall", "--quiet", "--yes", *names)

    def version_of(self, name):
        """Of an installed package; None, if it is not."""
        return self.packages().get(name)

    def packages(self):
        """What is installed: names with versions."""
        # Read from the names of folders: this Python is another than the one in there.
        folders = [folder.name.removesuffix(".dist-info") for folder in self.files("*.dist-info")]
        pairs = (name.split("-", 1) for name in folders)
        return {name.lower().replace("_", "-"): version for name, version in pairs}

    def files(self, pattern):
        """What fits a pattern where packages are installed."""
        place = "Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"
        return list(self.folder.glob(f"{place}/{pattern}"))


def has_nvidia_driver():
    """Whether NVIDIA's driver is at work on this Linux, or on the Windows below it."""
    places = (
        "/proc/driver/nvidia/version",
        "/sys/module/nvidia/version",
        "/usr/lib/wsl/lib/libcuda.so",
    )
    return any(map(os.path.exists, places)) or which("nvidia-smi") is not None


def is_small(requirement):
    """Whether a version, or a requirement that ends in one, is of a build for the processor."""
    return "+cpu" in (requirement or "")


def requirements(names):
    """The lines of pyproject.toml for some packages."""
    import tomllib

    lines = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    return [line for line in lines if re.split(r"[^\w-]", line)[0] in names]


def reason_in(said):
    """One line from what uv said."""
    if "No solution found" in said:
        return f"the index has no {' and '.join(requirements(PAIR))} that fits"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"the index does not answer ({lines[-1] if lines else 'uv failed'})"


if __name__ == "__main__":
    main()

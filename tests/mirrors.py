"""Mirrors of MNIST on this machine, good and broken ones, that hold tiny files in its place."""

import contextlib
import gzip
import hashlib
import http.server
import threading
import types
from pathlib import Path

import numpy as np

from course_utils.data import mnist

RAW = Path("MNIST", "raw")


def tiny_files():
    """MNIST's four files with 12 training and 6 test images, by name."""
    files = {}
    for part, count in (("train", 12), ("t10k", 6)):
        pixels = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
        header = np.array([0x803, count, 28, 28], dtype=">i4").tobytes()
        files[f"{part}-images-idx3-ubyte"] = header + pixels.tobytes()
        header = np.array([0x801, count], dtype=">i4").tobytes()
        files[f"{part}-labels-idx1-ubyte"] = header + bytes(i % 10 for i in range(count))
    return files


FILES = tiny_files()
ARCHIVES = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in FILES.items()}


class Mirror(http.server.BaseHTTPRequestHandler):
    """A mirror at /good/; others that fail or wait, each as its path says."""

    def do_GET(self):
        kind, name = self.path.split("/")[1:]
        content = ARCHIVES[name]
        self.server.asked.append(f"{self.command} {name}")
        if kind in ("hang", "held"):
            (self.server.over if kind == "hang" else self.server.go_on).wait()
        if kind == "refuse":
            return self.send_error(403)
        body = {"html": b"<html>Please log in</html>", "wrong": content[:-1] + b"?"}.get(
            kind, content
        )
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return None
        self.wfile.write(body if kind not in ("cut", "stall") else body[:100])
        self.wfile.flush()
        if kind == "stall":
            self.server.over.wait()
        return None

    do_HEAD = do_GET

    def handle(self):
        with contextlib.suppress(OSError):  # the reader has gone
            super().handle()

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serving(monkeypatch):
    """Put mirrors on this machine that hold tiny files in MNIST's place: use("good", …).

    Gives the function `use`; what it returns knows the `urls`, and what they were `asked`. A mirror
    that is "held" answers once its `go_on` is set.
    """
    import torchvision  # takes seconds, which whoever asks no mirror saves

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.asked, server.over, server.go_on = [], threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"

    def use(*kinds):
        urls = [f"{base}/{kind}/" for kind in kinds]
        monkeypatch.setattr(mnist, "MIRRORS", urls)
        return types.SimpleNamespace(urls=urls, asked=server.asked, go_on=server.go_on)

    sums = [(name, hashlib.md5(content).hexdigest()) for name, content in ARCHIVES.items()]
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", sums)
    sums = {name: hashlib.md5(content).hexdigest() for name, content in FILES.items()}
    monkeypatch.setattr(mnist, "MD5", sums)
    monkeypatch.setattr(mnist, "VALIDATION", 4)
    monkeypatch.setenv("no_proxy", "*")
    try:
        yield use
    finally:
        server.over.set()
        server.go_on.set()
        server.shutdown()
        server.server_close()


def put(root, files=FILES):
    (root / RAW).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (root / RAW / name).write_bytes(content)


def held(root):
    return {path.name: path.read_bytes() for path in (root / RAW).iterdir()}

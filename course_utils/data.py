"""The course's pictures: MNIST or its stand-in that needs no network, and a photograph."""

import contextlib
import errno
import gzip
import hashlib
import http.client
import io
import os
import queue
import shutil
import socket
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import torch

from . import _embedded
from ._embedded import load_photo as load_photo
from ._locks import alone

SOURCES = ("auto", "mnist", "embedded")
VALIDATION = 5_000  # images at the end of MNIST's training file
PATIENCE = 5.0  # seconds that a mirror may stay silent
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
MNIST_MD5 = {  # of the uncompressed files; torchvision knows the sums of the compressed ones only
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
MIRRORS = [  # torchvision's own, here because it takes seconds to import: not without a network
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
]
ABOUT = {
    "mnist": "MNIST, handwritten digits of 28×28 pixels (LeCun, Cortes and Burges; CC BY-SA 3.0)",
    "embedded": "the embedded digits, handwritten, of 28×28 pixels, redrawn copies of the 1,797 in"
    " scikit-learn (Alpaydin and Kaynak, UCI; CC BY 4.0)",
}
WAY_OUT = "load with a network, or set COURSE_DATA to a folder that holds MNIST/raw"


class DataUnavailable(RuntimeError):
    """MNIST can be neither read nor fetched; `.cause` says why without the way out."""

    def __init__(self, cause: str, raw: Path):
        super().__init__(
            f"MNIST is not available: {cause}. Put its four files into {raw}, or {WAY_OUT},"
            ' or use load_digits(source="embedded").'
        )
        self.cause = cause


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Images with their labels; also a map-style data set for `torch.utils.data.DataLoader`.

    images: (N, 1, 28, 28), float32 in [0, 1], white strokes on black. labels: (N,), int64 in 0…9.
    `split[3]` is the pair (image (1, 28, 28), label ()); a slice, list, tensor or mask, a Split.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        images, labels = self.images[index], self.labels[index]
        return Split(images, labels) if labels.ndim else (images, labels)

    def __repr__(self):
        return f"Split({len(self):,} images of {'×'.join(map(str, self.images.shape[1:]))})"


@dataclass(frozen=True, eq=False, repr=False)
class Digits:
    """The three splits; `.source` is "mnist" or "embedded", `.reason` says why it is embedded."""

    train: Split
    validation: Split
    test: Split
    source: str
    reason: str = ""

    def describe(self) -> str:
        """Say which data set this is, its sizes and its source; if it is embedded, why."""
        lines = [f"Data set: {ABOUT[self.source]}.", f"Sizes: {self._sizes()}."]
        if self.source == "embedded":
            lines += [f"Why not MNIST: {self.reason}.", f"To use MNIST: {WAY_OUT}."]
        return "\n".join(lines)

    def _sizes(self):
        parts = {"training": self.train, "validation": self.validation, "test": self.test}
        return ", ".join(f"{len(split):,} {name} images" for name, split in parts.items())

    def __repr__(self):
        why = f" ({self.reason})" if self.reason else ""
        return f"Digits from {self.source}: {self._sizes()}{why}"


def load_digits(source: str = "auto", root: str | os.PathLike | None = None) -> Digits:
    """Load handwritten digits as three splits of float32 images (N, 1, 28, 28) in [0, 1].

    source: "mnist" reads MNIST, and downloads it where it is missing or damaged; "embedded" makes
    the stand-in from scikit-learn's digits, without a network; "auto" is the first that works.
    root: the folder that holds MNIST/raw. Without it: COURSE_DATA, a relative one seen from the
    working folder or from the course's folder; else data/ in the course's folder; else ./data.

    MNIST has 55,000 training, 5,000 validation (the training file's last) and 10,000 test images;
    the embedded digits 55,062, 2,000 and 4,000. Every call gives tensors of its own.

    Raises ValueError for another source; DataUnavailable, a RuntimeError, when "mnist" fails.
    """
    if source not in SOURCES:
        raise ValueError(f"source={source!r} is unknown: choose one of {', '.join(SOURCES)}")
    reason = "the embedded digits were asked for"
    if source != "embedded":
        try:
            return _mnist(_root(root) / "MNIST" / "raw")
        except DataUnavailable as error:
            if source == "mnist":
                raise
            reason = error.cause
    splits = {name: _split(part.images, part.labels) for name, part in _embedded.build().items()}
    return Digits(**splits, source="embedded", reason=reason)


def _split(images, labels):
    """Turn uint8 images of 28×28 and labels (N,) into a Split with memory of its own."""
    images = images.to(torch.float32).div_(255).view(-1, 1, 28, 28)
    return Split(images, labels.to(torch.int64, copy=True))


def _root(root):
    if root is not None:
        return Path(root).expanduser().absolute()
    clone = Path(__file__).resolve().parent.parent
    bases = [Path.cwd(), clone] if (clone / "pyproject.toml").is_file() else [Path.cwd()]
    if not (chosen := os.environ.get("COURSE_DATA")):
        return bases[-1] / "data"
    # Kernels run in notebooks/, so a path set in the course's folder must be looked for there too.
    places = [base / Path(chosen).expanduser() for base in bases]
    return next((place for place in places if place.is_dir()), places[-1]).resolve()


def _mnist(raw):
    files = {name: _read(raw, name) for name in MNIST_MD5}
    missing = [name for name, content in files.items() if content is None]
    if missing:
        damaged = ", ".join(name for name in missing if os.path.exists(raw / name))
        try:
            _fetch(raw)
        except DataUnavailable as error:
            what = f"damaged and not replaced: {damaged} in {raw}; " if damaged else ""
            raise DataUnavailable(what + error.cause, raw) from None
        files |= {name: _read(raw, name) for name in missing}
    # IDX: a header of 4 bytes and 4 more for each dimension, then a byte a value.
    images, labels, test_images, test_labels = (
        torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=16 if "idx3" in name else 8)
        for name, content in files.items()
    )
    return Digits(
        train=_split(images[: -VALIDATION * 784], labels[:-VALIDATION]),
        validation=_split(images[-VALIDATION * 784 :], labels[-VALIDATION:]),
        test=_split(test_images, test_labels),
        source="mnist",
    )


def _read(raw, name):
    """Return the content of one of MNIST's files, plain or as .gz; None unless it is intact."""
    for path, opener in ((raw / name, open), (raw / f"{name}.gz", gzip.open)):
        try:
            with opener(path, "rb") as file:
                content = file.read()
        except (OSError, EOFError, zlib.error):
            continue
        if hashlib.md5(content, usedforsecurity=False).hexdigest() == MNIST_MD5[name]:
            return content
    return None


def _fetch(raw):
    """Download what is missing in raw; each file appears there complete or not at all."""
    new = [folder for folder in (raw, *raw.parents) if not os.path.exists(folder)]
    try:
        raw.mkdir(parents=True, exist_ok=True)
        with alone(raw) as locked:
            for left in raw.glob(".download-*") if locked else ():  # by a kernel that was killed
                shutil.rmtree(left, ignore_errors=True)
            missing = [name for name in MNIST_MD5 if _read(raw, name) is None]
            if missing:
                # Beside its target, so that os.replace does it at a stroke; gone whatever happens.
                with tempfile.TemporaryDirectory("", ".download-", raw, True) as folder:
                    _download(missing, Path(folder), raw)
    except OSError as error:  # the disk's; a network's has become DataUnavailable
        cause = "the disk is full" if error.errno in DISK_FULL else error.strerror or error
        raise DataUnavailable(f"the folder {raw} cannot be written ({cause})", raw) from None
    finally:
        for folder in new:
            with contextlib.suppress(OSError):  # not empty: it has been put to use
                folder.rmdir()


def _download(names, folder, raw):
    """Fetch files with torchvision's downloader into folder, check them, move them into raw."""
    mirrors, failures = list(MIRRORS), []
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)  # torchvision sets none, and would wait for ever
    try:
        for name in names:
            archive = f"{name}.gz"  # what the mirrors hold
            while _read(folder, name) is None:
                if not mirrors:
                    raise DataUnavailable("; ".join(failures), raw)
                url = mirrors[0] + archive
                try:
                    _knock(url)
                    fetch, sums = _downloader()
                    print(f"Downloading {archive} to {raw}", file=sys.stderr)
                    with contextlib.redirect_stdout(io.StringIO()):
                        fetch(url, folder, filename=archive, md5=sums[archive])
                    if _read(folder, name) is None:
                        raise RuntimeError("the unpacked file fails its checksum")
                except (OSError, RuntimeError, EOFError, http.client.HTTPException) as error:
                    host = urlsplit(mirrors.pop(0)).hostname  # one that hangs is not asked again
                    failures.append(f"{host}: {_explain(error)}")
            os.replace(folder / name, raw / name)
    finally:
        socket.setdefaulttimeout(timeout)


def _downloader():
    """torchvision's function and the sums of MNIST's archives; ImportError where it is damaged."""
    try:
        from torchvision.datasets import MNIST
        from torchvision.datasets.utils import download_and_extract_archive
    except (OSError, RuntimeError) as error:  # not to be taken for the mirror's
        raise ImportError(f"torchvision cannot be imported: {error}") from error
    return download_and_extract_archive, dict(MNIST.resources)


def _knock(url):
    """Raise OSError unless url answers in PATIENCE seconds, all told: sockets time only a part."""
    answers, request = queue.SimpleQueue(), urllib.request.Request(url, method="HEAD")

    def ask():
        try:
            urllib.request.urlopen(request, timeout=PATIENCE).close()
            answers.put(None)
        except urllib.error.HTTPError as error:
            error.close()
            answers.put(None)  # an answer, too
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        error = answers.get(timeout=PATIENCE)
    except queue.Empty:
        error = TimeoutError()
    if error is not None:
        raise error


def _explain(error):
    """Say why a mirror failed; raise the error if it is the disk that failed."""
    cause = error
    while cause is not None:  # torchvision tries again over http, which can hide the first cause
        if getattr(cause, "errno", None) in DISK_FULL:
            raise cause
        cause = cause.__context__
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"HTTP error {error.code}"
    if not isinstance(error, OSError):
        return "a damaged file or something else (a login page?)"
    reason = getattr(error, "reason", error)
    late = isinstance(reason, TimeoutError)
    return f"no network ({f'no answer in {PATIENCE:g} s' if late else reason})"

"""MNIST's four files: where they lie, and how they get there whole."""

import contextlib
import gzip
import hashlib
import http.client
import io
import os
import shutil
import socket
import sys
import tempfile
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import torch

from . import downloads

VALIDATION = 5_000  # images at the end of MNIST's training file
MD5 = {  # of the uncompressed files; torchvision knows the sums of the compressed ones only
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
MIRRORS = [  # torchvision's own, here because it takes seconds to import: not without a network
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
]
WAY_OUT = "load with a network, or set COURSE_DATA to a folder that holds MNIST/raw"


class DataUnavailable(RuntimeError):
    """MNIST can be neither read nor fetched; `.cause` says why without the way out."""

    def __init__(self, cause: str, raw: Path):
        super().__init__(
            f"MNIST is not available: {cause}. Put its four files into {raw}, or {WAY_OUT},"
            ' or use load_digits(source="embedded").'
        )
        self.cause = cause


def data_folder(root=None):
    """The folder that holds MNIST/raw: `root`, or what `load_digits` says of it."""
    if root is not None:
        return Path(root).expanduser().absolute()
    clone = Path(__file__).resolve().parents[2]
    bases = [Path.cwd(), clone] if (clone / "pyproject.toml").is_file() else [Path.cwd()]
    if not (chosen := os.environ.get("COURSE_DATA")):
        return bases[-1] / "data"
    # Kernels run in notebooks/, so a path set in the course's folder must be looked for there too.
    places = [base / Path(chosen).expanduser() for base in bases]
    return next((place for place in places if place.is_dir()), places[-1]).resolve()


def load(root=None):
    """The images and labels of each split, uint8, as the files have them; fetched where missing.

    root: as for `load_digits`. Returns: {"train": (images (N · 784,), labels (N,)), …}. Raises
    DataUnavailable.
    """
    raw = data_folder(root) / "MNIST" / "raw"
    files = {name: _read(raw, name) for name in MD5}
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
    pixels = VALIDATION * 784
    return {
        "train": (images[:-pixels], labels[:-VALIDATION]),
        "validation": (images[-pixels:], labels[-VALIDATION:]),
        "test": (test_images, test_labels),
    }


def _read(raw, name):
    """Return the content of one of MNIST's files, plain or as .gz; None unless it is intact."""
    for path, opener in ((raw / name, open), (raw / f"{name}.gz", gzip.open)):
        try:
            with opener(path, "rb") as file:
                content = file.read()
        except (OSError, EOFError, zlib.error):
            continue
        if hashlib.md5(content, usedforsecurity=False).hexdigest() == MD5[name]:
            return content
    return None


def _fetch(raw):
    """Download what is missing in raw; each file appears there complete or not at all."""
    new = [folder for folder in (raw, *raw.parents) if not os.path.exists(folder)]
    try:
        raw.mkdir(parents=True, exist_ok=True)
        with downloads.alone(raw) as locked:
            for left in raw.glob(".download-*") if locked else ():  # by a kernel that was killed
                shutil.rmtree(left, ignore_errors=True)
            missing = [name for name in MD5 if _read(raw, name) is None]
            if missing:
                # Beside its target, so that os.replace does it at a stroke; gone whatever happens.
                with tempfile.TemporaryDirectory("", ".download-", raw, True) as folder:
                    _download(missing, Path(folder), raw)
    except OSError as error:  # the disk's; a network's has become DataUnavailable
        cause = (
            "the disk is full" if error.errno in downloads.DISK_FULL else error.strerror or error
        )
        raise DataUnavailable(f"the folder {raw} cannot be written ({cause})", raw) from None
    finally:
        for folder in new:
            with contextlib.suppress(OSError):  # not empty: it has been put to use
                folder.rmdir()


def _download(names, folder, raw):
    """Fetch files with torchvision's downloader into folder, check them, move them into raw."""
    mirrors, failures = list(MIRRORS), []
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(downloads.PATIENCE)  # torchvision sets none, and would wait for ever
    try:
        for name in names:
            archive = f"{name}.gz"  # what the mirrors hold
            while _read(folder, name) is None:
                if not mirrors:
                    raise DataUnavailable("; ".join(failures), raw)
                url = mirrors[0] + archive
                try:
                    downloads.require_answer(url)
                    fetch, sums = _downloader()
                    print(f"Downloading {archive} to {raw}", file=sys.stderr)
                    with contextlib.redirect_stdout(io.StringIO()):
                        fetch(url, folder, filename=archive, md5=sums[archive])
                    if _read(folder, name) is None:
                        raise RuntimeError("the unpacked file fails its checksum")
                except (OSError, RuntimeError, EOFError, http.client.HTTPException) as error:
                    host = urlsplit(mirrors.pop(0)).hostname  # one that hangs is not asked again
                    failures.append(f"{host}: {downloads.reason_of(error)}")
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

"""What can happen on the way from a mirror to the data folder."""

import os
import signal
import sys
import urllib.request

from mirrors import ARCHIVES, FILES, RAW, put
from processes import start
from world import Fault

from course_utils import data
from course_utils.data import downloads, mnist

LABELS, IMAGES = "t10k-labels-idx1-ubyte", "train-images-idx3-ubyte"
NEW = tuple(FILES)


def impatient(world):
    """For those who never answer. Who answers may take its time, which a busy machine needs."""
    world.patch.setattr(downloads, "PATIENCE", 0.3)


def auto(world):
    """What a student sees who loads the digits: with "auto", every lesson goes on."""
    digits = data.load_digits(root=world.folder)
    assert len(digits.train) > 0
    return digits.describe()


def asked_for_mnist(world):
    return data.load_digits("mnist", root=world.folder).describe()


def from_a_mirror(kind):
    def load(world):
        world.mirrors(kind)
        if kind == "stall":
            impatient(world)
        return auto(world)

    return load


def through_a_proxy(reply=b"", hang=False):
    def load(world):
        world.mirrors()
        if hang:
            impatient(world)
        world.patch.setattr(mnist, "MIRRORS", ["http://mnist.invalid/"])
        world.patch.delenv("no_proxy")
        world.patch.delenv("NO_PROXY", raising=False)
        port = world.server(reply, hang)
        world.patch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        world.patch.setattr(urllib.request, "_opener", None)  # it remembers who was the proxy
        return auto(world)

    return load


def from_nowhere(address):
    def load(world):
        world.mirrors()
        world.patch.setattr(mnist, "MIRRORS", [address])
        return asked_for_mnist(world)

    return load


def not_encrypted(world):
    port = world.server(b"HTTP/1.0 200 OK\r\n\r\n")
    return from_nowhere(f"https://127.0.0.1:{port}/")(world)


def with_a_damaged_file(content):
    def given(world):
        put(world.folder, FILES | {IMAGES: content(FILES[IMAGES])})

    return given


def mirror_is_back(world):
    world.mirrors("good")
    text = asked_for_mnist(world)
    assert world.files()[RAW / IMAGES] == FILES[IMAGES]
    return text


def stopped_by_hand(world):
    """The stop button, while the first file is on its way."""
    mirror = world.mirrors("stall")
    child = start(download, mirror.urls, world.folder)
    child.wait_for(lambda: any(line.startswith("GET") for line in mirror.asked))
    os.kill(child.pid, signal.SIGINT)
    return child.result()


def download(urls, folder):
    mnist.MIRRORS = urls
    try:
        data.load_digits("mnist", root=folder)
    except KeyboardInterrupt:
        return "KeyboardInterrupt"
    return "nothing stopped it"


def killed_before(world):
    put(world.folder, {})
    (world.folder / RAW / ".download-abc").mkdir()
    (world.folder / RAW / ".download-abc" / "half").write_bytes(b"half a file")


def two_at_once(world):
    mirror = world.mirrors("held")
    words = [world.folder.parent / f"said by {name}" for name in "ab"]
    for file in words:
        file.touch()
    kernels = [start(download_tiny, mirror.urls, world.folder / "new", file) for file in words]
    for kernel in kernels:
        kernel.wait_for(lambda: any("waiting" in file.read_text("utf-8") for file in words))
    mirror.go_on.set()
    said = [kernel.result() for kernel in kernels]
    assert sorted(line.split()[1] for line in mirror.asked if line.startswith("GET")) == sorted(
        name for name in ARCHIVES for _ in range(2)
    ), "each file once: torchvision's look for redirects, and the file"
    return " ".join(said)


def download_tiny(urls, folder, words):
    import contextlib
    import hashlib

    import torchvision

    sums = lambda files: [(n, hashlib.md5(c).hexdigest()) for n, c in files.items()]  # noqa: E731
    mnist.MIRRORS, mnist.VALIDATION, mnist.MD5 = urls, 4, dict(sums(FILES))
    downloads.PATIENCE = 300  # the mirror holds still until the other kernel waits
    torchvision.datasets.MNIST.resources = sums(ARCHIVES)
    os.environ["no_proxy"] = "*"
    with words.open("w", 1, "utf-8") as file, contextlib.redirect_stderr(file):
        digits = data.load_digits("mnist", root=folder)
    waits = [line for line in words.read_text("utf-8").splitlines() if "waiting" in line]
    return f"{len(digits.train)} training images. {' '.join(waits)}"


def damaged_torchvision(world):
    class Damaged:
        def __getattr__(self, name):
            raise RuntimeError("operator torchvision::nms does not exist")

    world.mirrors("good")
    world.patch.setitem(sys.modules, "torchvision.datasets", Damaged())
    return asked_for_mnist(world)


EMBEDDED = "Data set: the embedded digits"
HOW_TO = "set COURSE_DATA to a folder that holds MNIST/raw"
ROWS = [
    Fault(
        "there is no network: no name can be looked up",
        "no network",
        from_nowhere("http://mnist.invalid/"),
        ("no network", "Put its four files into", HOW_TO, 'source="embedded"'),
    ),
    Fault(
        "there is no network: nobody answers the call",
        "no network",
        from_nowhere("http://127.0.0.1:9/"),
        ("no network", "refused", HOW_TO),
    ),
    Fault(
        "a proxy hangs",
        "a proxy that hangs",
        through_a_proxy(hang=True),
        (EMBEDDED, "no answer in 0.3 s", HOW_TO),
        races=True,
    ),
    Fault(
        "a proxy wants a password",
        "a proxy that hangs",
        through_a_proxy(b"HTTP/1.0 407 Proxy Authentication Required\r\n\r\n"),
        (EMBEDDED, "HTTP error 407", HOW_TO),
    ),
    Fault(
        "a proxy breaks the encryption",
        "a proxy that hangs",
        not_encrypted,
        ("no network", "SSL", HOW_TO),
    ),
    Fault(
        "a mirror falls silent in the middle of a file",
        "a proxy that hangs",
        from_a_mirror("stall"),
        (EMBEDDED, "no answer in 0.3 s"),
        races=True,
    ),
    Fault(
        "a download is cut in the middle",
        "a download cut in the middle",
        from_a_mirror("cut"),
        (EMBEDDED, "a damaged file"),
    ),
    Fault(
        "a mirror has a file with a wrong checksum",
        "a wrong checksum",
        from_a_mirror("wrong"),
        (EMBEDDED, "a damaged file"),
    ),
    Fault(
        "a mirror answers with an HTML page",
        "a mirror that answers with an HTML page",
        from_a_mirror("html"),
        (EMBEDDED, "a login page?"),
    ),
    Fault(
        "a mirror refuses",
        "a mirror that answers with an HTML page",
        from_a_mirror("refuse"),
        (EMBEDDED, "HTTP error 403"),
    ),
    Fault(
        "the download is stopped by hand",
        "a download cut in the middle",
        stopped_by_hand,
        "KeyboardInterrupt",
        given=lambda world: put(world.folder, {LABELS: b"old"}),
        races=True,
    ),
    Fault(
        "a kernel was killed while it downloaded",
        "a download cut in the middle",
        mirror_is_back,
        "Data set: MNIST",
        given=killed_before,
        makes=NEW,
        changes=("half",),
    ),
    Fault(
        "a file on the disk is cut short, and there is no network",
        "a corrupted file",
        from_a_mirror("refuse"),
        (EMBEDDED, f"damaged and not replaced: {IMAGES}"),
        given=with_a_damaged_file(lambda content: content[:1000]),
    ),
    Fault(
        "a byte of a file on the disk has flipped, and a mirror is there",
        "a corrupted file",
        mirror_is_back,
        "Data set: MNIST",
        given=with_a_damaged_file(lambda content: content[:-1] + bytes([content[-1] ^ 1])),
        changes=(IMAGES,),
    ),
    Fault(
        "two kernels download at once",
        "two kernels at once",
        two_at_once,
        ("8 training images.", "waiting for it"),
        makes=NEW,
        races=True,
    ),
    Fault(
        "torchvision is damaged, which is not the mirror's fault",
        "a missing package",
        damaged_torchvision,
        "torchvision cannot be imported: operator torchvision::nms does not exist",
    ),
]

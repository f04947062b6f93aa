import contextlib
import errno
import gzip
import hashlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import types
from pathlib import Path

import filelock
import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from course_utils import _embedded, data

HERE = Path(__file__).parent
RAW = Path("MNIST", "raw")
PARTS = ("train", "validation", "test")


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
    """A mirror at /good/; others that fail, each as its path says."""

    def do_GET(self):
        kind, name = self.path.split("/")[1:]
        content = ARCHIVES[name]
        self.server.asked.append(f"{self.command} {name}")
        if kind in ("hang", "slow"):
            self.server.over.wait(20 if kind == "hang" else 0.1)
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
            self.server.over.wait(20)
        return None

    do_HEAD = do_GET

    def handle(self):
        with contextlib.suppress(OSError):  # the reader has gone
            super().handle()

    def log_message(self, *args):
        pass


@pytest.fixture
def mirrors(monkeypatch):
    """Put mirrors on this machine that hold tiny files in MNIST's place: mirrors("good", …)."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.asked, server.over = [], threading.Event()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"

    def use(*kinds):
        urls = [f"{base}/{kind}/" for kind in kinds]
        monkeypatch.setattr(data, "MIRRORS", urls)
        return types.SimpleNamespace(urls=urls, asked=server.asked)

    sums = [(name, hashlib.md5(content).hexdigest()) for name, content in ARCHIVES.items()]
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", sums)
    sums = {name: hashlib.md5(content).hexdigest() for name, content in FILES.items()}
    monkeypatch.setattr(data, "MNIST_MD5", sums)
    monkeypatch.setattr(data, "VALIDATION", 4)
    monkeypatch.setenv("no_proxy", "*")
    yield use
    server.over.set()
    server.shutdown()
    server.server_close()


def put(root, files=FILES):
    (root / RAW).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (root / RAW / name).write_bytes(content)


def held(root):
    return {path.name: path.read_bytes() for path in (root / RAW).iterdir()}


def fingerprint(digits):
    parts = [getattr(digits, part) for part in PARTS]
    tensors = [t for part in parts for t in (part.images, part.labels)]
    return hashlib.sha256(b"".join(t.numpy().tobytes() for t in tensors)).hexdigest()


def test_download_fetches_what_is_missing_into_a_folder_of_any_name(mirrors, tmp_path, capsys):
    asked = mirrors("good").asked
    root = tmp_path / "Meine Daten 数据"
    put(root, {"t10k-labels-idx1-ubyte": FILES["t10k-labels-idx1-ubyte"]})
    digits = data.load_digits("mnist", root=root)
    assert digits.source == "mnist"
    assert [len(getattr(digits, part)) for part in PARTS] == [8, 4, 6]
    assert digits.validation.labels.tolist() == [8, 9, 0, 1]  # the last of the training file
    assert held(root) == FILES, "the four files and nothing else"
    assert not any("t10k-labels" in line for line in asked)
    out, err = capsys.readouterr()
    assert out == ""
    assert "100%" in err
    before = len(asked)
    assert fingerprint(data.load_digits(root=root)) == fingerprint(digits)
    assert len(asked) == before
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("kind", ["cut", "wrong", "html", "refuse", "stall", "hang"])
def test_second_mirror_serves_when_the_first_is_broken(kind, mirrors, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "PATIENCE", 0.5)
    mirrors(kind, "good")
    assert data.load_digits("mnist", root=tmp_path).source == "mnist"
    assert held(tmp_path) == FILES


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("cut", "damaged file or something else"),
        ("wrong", "damaged file or something else"),
        ("html", "login page"),
        ("refuse", "HTTP error 403"),
        ("stall", "no answer in 0.3 s"),
        ("hang", "no answer in 0.3 s"),
    ],
)
def test_failed_download_leaves_nothing_and_says_why(kind, cause, mirrors, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "PATIENCE", 0.3)
    asked = mirrors(kind, kind).asked
    root = tmp_path / "new"
    with pytest.raises(data.DataUnavailable, match=cause) as error:
        data.load_digits("mnist", root=root)
    for way_out in (str(root / RAW), "COURSE_DATA", 'source="embedded"'):
        assert way_out in str(error.value)
    assert not root.exists()
    assert {line.split()[1] for line in asked} == {"train-images-idx3-ubyte.gz"}, "one file tried"
    assert cause in data.load_digits("auto", root=root).describe()


@pytest.mark.parametrize("damage", [lambda c: c[:1000], lambda c: c[:-1] + b"?", lambda c: b""])
def test_damaged_file_is_replaced_or_kept_when_there_is_no_network(damage, mirrors, tmp_path):
    damaged = FILES | {"train-images-idx3-ubyte": damage(FILES["train-images-idx3-ubyte"])}
    put(tmp_path, damaged)
    mirrors("cut")
    with pytest.raises(data.DataUnavailable, match="damaged and not replaced: train-images"):
        data.load_digits("mnist", root=tmp_path)
    assert held(tmp_path) == damaged
    mirrors("good")
    assert data.load_digits("auto", root=tmp_path).source == "mnist"
    assert held(tmp_path) == FILES


def test_interrupted_download_leaves_the_old_state(mirrors, tmp_path, monkeypatch):
    def half_a_file(url, folder, filename, md5):
        (folder / filename).write_bytes(b"half")
        raise KeyboardInterrupt

    put(tmp_path, damaged := FILES | {"train-images-idx3-ubyte": b"old"})
    mirrors("good")
    monkeypatch.setattr("torchvision.datasets.utils.download_and_extract_archive", half_a_file)
    with pytest.raises(KeyboardInterrupt):
        data.load_digits("mnist", root=tmp_path)
    assert held(tmp_path) == damaged
    assert socket.getdefaulttimeout() is None


def test_what_a_killed_kernel_left_is_cleared_away(mirrors, tmp_path):
    put(tmp_path, {})
    (tmp_path / RAW / ".download-abc").mkdir()
    mirrors("good")
    data.load_digits("mnist", root=tmp_path)
    assert held(tmp_path) == FILES


def test_second_reader_waits_for_the_first_download(mirrors, tmp_path, capsys):
    asked = mirrors("slow").asked
    readers = [
        threading.Thread(target=data.load_digits, args=("mnist", tmp_path / "new")) for _ in "ab"
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert held(tmp_path / "new") == FILES
    assert len(asked) == 3 * len(FILES), "a knock, torchvision's look for redirects, a GET"
    assert "Another notebook is downloading MNIST; waiting" in capsys.readouterr().err


@pytest.mark.more
def test_two_kernels_at_once_download_once(mirrors, tmp_path):
    served = mirrors("good")
    script = f"""if True:
        import sys, time, pathlib, torchvision
        from course_utils import data
        data.MNIST_MD5, data.VALIDATION = {data.MNIST_MD5!r}, 4
        data.MIRRORS = {served.urls!r}
        torchvision.datasets.MNIST.resources = {torchvision.datasets.MNIST.resources!r}
        folder = pathlib.Path(sys.argv[1])
        (folder / sys.argv[2]).touch()
        while not (folder / "a").exists() or not (folder / "b").exists():
            time.sleep(0.01)
        print(len(data.load_digits("mnist", root=folder / "new").train))"""
    commands = [[sys.executable, "-c", script, tmp_path, name] for name in "ab"]
    pipe = subprocess.PIPE
    kernels = [subprocess.Popen(c, cwd=HERE.parent, stdout=pipe, stderr=pipe) for c in commands]
    for out, err in [kernel.communicate() for kernel in kernels]:
        assert out.strip() == b"8", err.decode()
    assert held(tmp_path / "new") == FILES
    assert len(served.asked) == 3 * len(FILES)


def refuse(*args, **kwargs):
    raise PermissionError(errno.EACCES, "Permission denied")


def test_read_only_folder_serves_intact_files_and_says_so_otherwise(mirrors, tmp_path, monkeypatch):
    mirrors("good")
    monkeypatch.setattr(data.tempfile, "mkdtemp", refuse)  # root may write into any folder
    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    put(tmp_path)
    assert data.load_digits(root=tmp_path).source == "mnist"
    (tmp_path / RAW / "t10k-labels-idx1-ubyte").unlink()
    digits = data.load_digits(root=tmp_path)
    assert digits.source == "embedded"
    assert f"{tmp_path / RAW} cannot be written (Permission denied)" in digits.describe()


def test_lock_that_cannot_be_had_stops_no_download(mirrors, tmp_path, monkeypatch):
    mirrors("good")
    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    assert data.load_digits("mnist", root=tmp_path).source == "mnist"


def test_full_disk_is_named_and_leaves_nothing(mirrors, tmp_path, monkeypatch):
    def full(file, mode="r", *args):
        if "w" in mode:
            raise OSError(errno.ENOSPC, "No space left on device")
        return open(file, mode, *args)

    mirrors("good", "good")
    monkeypatch.setattr(torchvision.datasets.utils, "open", full, raising=False)
    with pytest.raises(data.DataUnavailable, match="the disk is full"):
        data.load_digits("mnist", root=tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert "the disk is full" in data.load_digits(root=tmp_path).describe()


def test_compressed_files_alone_are_read_without_a_network(mirrors, tmp_path):
    served = mirrors("hang")
    put(tmp_path, ARCHIVES)
    assert len(data.load_digits("mnist", root=tmp_path).test) == 6
    assert served.asked == []


def test_course_data_is_seen_from_the_working_folder_then_from_the_clone(tmp_path, monkeypatch):
    clone = tmp_path / "the clone"
    for folder in ("course_utils", "notebooks", "data"):
        (clone / folder).mkdir(parents=True)
    (clone / "pyproject.toml").touch()
    monkeypatch.setattr(data, "__file__", str(clone / "course_utils" / "data.py"))
    monkeypatch.chdir(clone / "notebooks")
    monkeypatch.delenv("COURSE_DATA", raising=False)
    assert data._root(None) == clone / "data"
    assert data._root("here") == clone / "notebooks" / "here"
    monkeypatch.setenv("COURSE_DATA", os.path.join("..", "shared"))
    (tmp_path / "shared").mkdir()
    assert data._root(None) == tmp_path / "shared"
    (clone / "shared").mkdir()
    assert data._root(None) == clone / "shared"
    (clone / "pyproject.toml").unlink()
    monkeypatch.delenv("COURSE_DATA")
    assert data._root(None) == clone / "notebooks" / "data"


def test_the_mirrors_are_torchvisions():
    assert set(data.MIRRORS) == set(torchvision.datasets.MNIST.mirrors)


def test_a_damaged_torchvision_is_not_taken_for_a_damaged_mirror(mirrors, tmp_path, monkeypatch):
    class Damaged:
        def __getattr__(self, name):
            raise RuntimeError("operator torchvision::nms does not exist")

    mirrors("good")
    monkeypatch.setitem(sys.modules, "torchvision.datasets", Damaged())
    with pytest.raises(ImportError, match="torchvision cannot be imported: operator"):
        data.load_digits("mnist", root=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_real_mnist_has_its_sizes():
    root = data._root(None)
    if any(data._read(root / RAW, name) is None for name in data.MNIST_MD5):
        pytest.skip(f"no MNIST in {root}: set COURSE_DATA to a folder that has it")
    digits = data.load_digits("mnist")
    assert [len(getattr(digits, part)) for part in PARTS] == [55_000, 5_000, 10_000]
    assert digits.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert digits.train.images.mean() == pytest.approx(0.1307, abs=1e-3)
    assert "55,000 training" in digits.describe()


@pytest.fixture(scope="module")
def embedded():
    return data.load_digits("embedded")


def test_unknown_source_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="source='cifar' is unknown: choose one of auto, mnist"):
        data.load_digits("cifar")


def test_embedded_splits_look_like_mnist(embedded):
    for part, size in zip(PARTS, (55_062, 2_000, 4_000), strict=True):
        split = getattr(embedded, part)
        assert split.images.shape == (size, 1, 28, 28)
        assert split.images.dtype == torch.float32
        assert split.labels.dtype == torch.int64
        assert (split.images.min(), split.images.max()) == (0, 1)
        grey = split.images * 255
        assert (grey - grey.round()).abs().max() < 1e-4, "256 levels"
        assert split.images.mean() == pytest.approx(0.1307, abs=0.01)  # MNIST's own
        assert split.images.std() == pytest.approx(0.3081, abs=0.01)
        share = torch.bincount(split.labels) / size
        assert len(share) == 10
        assert (share - 0.1).abs().max() < 0.005


def test_embedded_splits_share_no_scan():
    from sklearn.datasets import load_digits

    labels = torch.from_numpy(load_digits().target)
    built = _embedded.build()
    scans = {part: set(built[part].originals.tolist()) for part in PARTS}
    assert [len(scans[part]) for part in PARTS] == [1197, 200, 400]
    assert len(set.union(*scans.values())) == 1797
    for part in PARTS:
        first = built[part].originals[: len(scans[part])]
        assert set(first.tolist()) == scans[part], "first each scan once"
        assert torch.equal(built[part].labels, labels[built[part].originals])


def test_embedded_digits_are_the_same_in_another_process_without_a_network(embedded, tmp_path):
    script = """if True:
        import hashlib, sys
        from course_utils import data
        assert not {"sklearn", "torchvision", "PIL", "filelock"} & set(sys.modules)
        digits = data.load_digits(root="ein Ordner 数据")
        pixels = digits.train.images.numpy().tobytes() + digits.test.images.numpy().tobytes()
        assert not {"sklearn", "torchvision"} & set(sys.modules), "seconds for nothing"
        print(hashlib.sha256(pixels).hexdigest(), digits.reason)"""
    pixels = embedded.train.images.numpy().tobytes() + embedded.test.images.numpy().tobytes()
    env = os.environ | {"PYTHONIOENCODING": "utf-8"}
    env["PYTHONPATH"] = os.pathsep.join([str(HERE / "no_network"), str(HERE.parent)])
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert done.stdout.startswith(hashlib.sha256(pixels).hexdigest()), done.stderr
    assert "no network" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_from_scikit_learns_folder_is_what_scikit_learn_gives(monkeypatch):
    def everything():
        (scans, labels), photos = _embedded._scans(), map(data.load_photo, _embedded.PHOTOS)
        return [torch.from_numpy(scans), labels, *photos]

    found = everything()
    assert _embedded._shipped("data/digits.csv.gz").is_file()
    assert _embedded._shipped("images/china.jpg").is_file()
    monkeypatch.setattr(_embedded, "_shipped", lambda name: Path("moved in a later version", name))
    for ours, theirs in zip(found, everything(), strict=True):
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)


def test_embedded_digits_leave_torch_as_it_was():
    _embedded.build.cache_clear()
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    data.load_digits("embedded")
    assert torch.equal(torch.rand(4), expected)
    assert torch.get_num_threads() == threads


def test_pictures_changed_in_place_spoil_no_later_load(embedded):
    before = fingerprint(embedded)
    mine = data.load_digits("embedded")
    mine.train.images.zero_()
    mine.test.labels.zero_()
    assert fingerprint(data.load_digits("embedded")) == before == fingerprint(embedded)


def test_split_is_a_data_set_and_can_be_sliced(embedded):
    split = embedded.validation[:100]
    assert len(split) == 100
    image, label = split[-1]
    assert (image.shape, label.shape) == ((1, 28, 28), ())
    for index in (slice(2, 9, 2), [2, 4, 6, 8], torch.tensor([2, 4, 6, 8])):
        assert torch.equal(split[index].labels, split.labels[2:9:2])
    assert isinstance(split[torch.tensor([3])], data.Split)
    assert len(split[split.labels == 3]) == (split.labels == 3).sum()
    assert len(list(split)) == 100
    batches = list(torch.utils.data.DataLoader(split, batch_size=64))
    assert [images.shape for images, _ in batches] == [(64, 1, 28, 28), (36, 1, 28, 28)]
    assert torch.equal(torch.cat([labels for _, labels in batches]), split.labels)
    assert repr(split) == "Split(100 images of 1×28×28)"
    assert "asked for" in repr(embedded)


def test_blocked_network_leaves_this_machine_reachable():
    script = """if True:
        import socket
        server = socket.create_server(("127.0.0.1", 0))
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5).close()
        for refused in (
            lambda: socket.create_connection(("203.0.113.1", 80)),
            lambda: socket.socket().connect(("203.0.113.1", 80)),
            lambda: socket.socket().connect_ex(("203.0.113.1", 80)),
            lambda: socket.getaddrinfo("example.org", 80),
        ):
            try:
                refused()
            except OSError as error:
                print(error)"""
    env = os.environ | {"PYTHONPATH": str(HERE / "no_network")}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True)
    assert done.stdout.count("the network is blocked") == 4, done.stderr


@pytest.mark.parametrize("name", ["china", "flower"])
def test_photo_is_a_square_batch_of_one(name):
    grey, color = data.load_photo(name, size=65), data.load_photo(name, size=65, color=True)
    assert (grey.shape, color.shape) == ((1, 1, 65, 65), (1, 3, 65, 65))
    assert grey.dtype == color.dtype == torch.float32
    for x in (grey, color):
        assert 0 <= x.min() < 0.1
        assert 0.8 < x.max() <= 1
    luma = 0.299 * color[:, :1] + 0.587 * color[:, 1:2] + 0.114 * color[:, 2:]
    assert torch.allclose(grey, luma, atol=1e-6)


def test_own_picture_of_any_kind_is_read(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera on its side
    half = Image.new("RGB", (40, 40), "white")
    half.paste("black", (0, 20, 40, 40))
    half.save(tmp_path / "side.png", exif=exif)
    x = data.load_photo(tmp_path / "side.png", size=40)
    assert x[0, 0, :, 2].max() < 0.1 < 0.9 < x[0, 0, :, -2].min(), "the bottom is left now"
    pictures = {
        "clear.png": Image.new("RGBA", (30, 20), (0, 0, 0, 0)),
        "print.jpg": Image.new("CMYK", (20, 30), (0, 0, 0, 0)),
        "deep.png": Image.fromarray(np.full((9, 9), 65535, dtype=np.uint16)),
        "tiny.gif": Image.new("P", (1, 1), 0),
    }
    for name, picture in pictures.items():
        picture.save(tmp_path / name)
        x = data.load_photo(str(tmp_path / name), size=16, color=True)
        assert x.shape == (1, 3, 16, 16)
        assert (x.mean() > 0.98) == (name != "tiny.gif"), name


def test_photo_refuses_what_it_cannot_show(tmp_path):
    (tmp_path / "text.jpg").write_text("not a picture")
    with pytest.raises(ValueError, match="cannot be read as a picture"):
        data.load_photo(tmp_path / "text.jpg")
    for name in ("chyna", None, 3, tmp_path):
        with pytest.raises(ValueError, match="is neither 'china' nor 'flower' nor a picture file"):
            data.load_photo(name)
    for size in (0, -1, 2.5, "big", 10**6, True):
        with pytest.raises(ValueError, match="is not a whole number of pixels from 1 to 4096"):
            data.load_photo(size=size)

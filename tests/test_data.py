import errno
import hashlib
import io
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import filelock
import pytest
import torch
import torchvision
from mirrors import ARCHIVES, FILES, RAW, held, put, serving

from course_utils import data
from course_utils.data import downloads, mnist
from course_utils.data import embedded as stand_in

HERE = Path(__file__).parent
PARTS = ("train", "validation", "test")


@pytest.fixture
def mirrors(monkeypatch):
    """Put mirrors on this machine that hold tiny files in MNIST's place: mirrors("good", …)."""
    with serving(monkeypatch) as use:
        yield use


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


@pytest.mark.processes
@pytest.mark.parametrize("kind", ["cut", "wrong", "html", "refuse", "stall", "hang"])
def test_second_mirror_serves_when_the_first_is_broken(kind, mirrors, tmp_path, monkeypatch):
    if kind in ("stall", "hang"):
        # Which is all the good one has on a busy machine.
        monkeypatch.setattr(downloads, "PATIENCE", 2)
    mirrors(kind, "good")
    assert data.load_digits("mnist", root=tmp_path).source == "mnist"
    assert held(tmp_path) == FILES


@pytest.mark.processes
def test_second_reader_waits_for_the_first_download(mirrors, tmp_path, monkeypatch):
    mirror = mirrors("held")
    monkeypatch.setattr(downloads, "PATIENCE", 300)

    class GoOn(io.StringIO):
        def write(self, text):
            if "Another notebook is downloading MNIST; waiting" in text:
                mirror.go_on.set()
            return len(text)

    monkeypatch.setattr(sys, "stderr", GoOn())
    readers = [
        threading.Thread(target=data.load_digits, args=("mnist", tmp_path / "new")) for _ in "ab"
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert mirror.go_on.is_set(), "the second said that it waits"
    assert held(tmp_path / "new") == FILES
    assert len(mirror.asked) == 3 * len(FILES), "a knock, torchvision's look for redirects, a GET"


def refuse(*args, **kwargs):
    raise PermissionError(errno.EACCES, "Permission denied")


def test_read_only_folder_serves_intact_files_and_says_so_otherwise(mirrors, tmp_path, monkeypatch):
    mirrors("good")
    monkeypatch.setattr(mnist.tempfile, "mkdtemp", refuse)  # root may write into any folder
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
    monkeypatch.setattr(mnist, "__file__", str(clone / "course_utils" / "data" / "mnist.py"))
    monkeypatch.chdir(clone / "notebooks")
    monkeypatch.delenv("COURSE_DATA", raising=False)
    assert mnist.data_folder(None) == clone / "data"
    assert mnist.data_folder("here") == clone / "notebooks" / "here"
    monkeypatch.setenv("COURSE_DATA", os.path.join("..", "shared"))
    (tmp_path / "shared").mkdir()
    assert mnist.data_folder(None) == tmp_path / "shared"
    (clone / "shared").mkdir()
    assert mnist.data_folder(None) == clone / "shared"
    (clone / "pyproject.toml").unlink()
    monkeypatch.delenv("COURSE_DATA")
    assert mnist.data_folder(None) == clone / "notebooks" / "data"


def test_the_mirrors_are_torchvisions():
    assert set(mnist.MIRRORS) == set(torchvision.datasets.MNIST.mirrors)


def test_real_mnist_has_its_sizes():
    root = mnist.data_folder(None)
    if any(mnist._read(root / RAW, name) is None for name in mnist.MD5):
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
    built = stand_in.build()
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
        (scans, labels), photos = stand_in.read_scans(), map(data.load_photo, stand_in.PHOTOS)
        return [torch.from_numpy(scans), labels, *photos]

    found = everything()
    assert stand_in._shipped("data/digits.csv.gz").is_file()
    assert stand_in._shipped("images/china.jpg").is_file()
    monkeypatch.setattr(stand_in, "_shipped", lambda name: Path("moved in a later version", name))
    for ours, theirs in zip(found, everything(), strict=True):
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)


def test_embedded_digits_leave_torch_as_it_was():
    stand_in.build.cache_clear()
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


@pytest.mark.processes
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

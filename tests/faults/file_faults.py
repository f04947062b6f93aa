"""What can happen to files: checkpoints, pages, ONNX files, on disks that are full or locked."""

import contextlib
import io
import pickle

import torch
from processes import start
from tiny import network, quiet
from torch import nn
from world import Fault

from course_utils import data, deploy, models
from course_utils.training import load_checkpoint, save_checkpoint


def load(name):
    return lambda world: load_checkpoint(world.model, world.folder / name)


def write(name, content):
    return lambda world: (world.folder / name).write_bytes(content)


def other_model(change):
    def given(world):
        save_checkpoint(change(network(1)), world.folder / "model.pt")

    return given


def wider(model):
    model[4] = nn.Linear(50, 4)
    return model


def damaged(change):
    """A good checkpoint, its bytes changed."""

    def given(world):
        save_checkpoint(network(1), world.folder / "model.pt")
        content = (world.folder / "model.pt").read_bytes()
        (world.folder / "model.pt").write_bytes(bytes(change(bytearray(content))))

    return given


def flip_a_weight(content):
    weight = network(1)[4].weight.detach().numpy().tobytes()
    content[content.index(weight) + 40] ^= 0x40
    return content


class Payload:
    """Unpickled, it writes a file: what a checkpoint from a stranger may do."""

    def __reduce__(self):
        return exec, ("open('broken in', 'w').close()",)


def with_code(world):
    torch.save({"0.weight": Payload()}, world.folder / "model.pt")


def with_bare_code(world):
    (world.folder / "model.pt").write_bytes(pickle.dumps({"0.weight": Payload()}))


def large():
    return nn.Linear(1000, 2000)


def killed_while_saving(world):
    """SIGKILL, when the new file is half written beside the old one."""
    path = world.folder / "model.pt"
    for _ in range(50):
        child = start(save_for_ever, path)
        child.wait_for(lambda: [*world.folder.glob(".model*")])
        child.kill()
        if left := [*world.folder.glob(".model*")]:  # else the kill came after the renaming
            world.notes["half"] = [file.stat().st_size for file in left]
            for file in left:
                file.unlink()
            return "killed"
    return "never killed in time"


def save_for_ever(path):
    model = large()
    nn.init.ones_(model.weight)
    while True:
        save_checkpoint(model, path)


def whole_afterwards(world):
    weights = load_checkpoint(large(), world.folder / "model.pt").weight
    assert (weights == weights[0, 0]).all(), "one of the two, and nothing in between"


def save_old(world):
    model = large()
    nn.init.zeros_(model.weight)
    save_checkpoint(model, world.folder / "model.pt")


def save_over_a_folder(world):
    save_checkpoint(world.model, world.folder)


def a_disk(kilobytes, read_only=False):
    return lambda world: world.disk(kilobytes, read_only)


def save(world):
    save_checkpoint(models.mnist_cnn(), world.folder / "disk" / "old")


def save_into_new_folder(world):
    save_checkpoint(models.mnist_cnn(), world.folder / "disk" / "new" / "model.pt")


def page(world):
    deploy.export_html(models.mnist_cnn(), world.folder / "disk" / "old", examples=[])


def load_digits(world):
    world.mirrors("good", "good")
    return data.load_digits("mnist", root=world.folder / "disk").describe()


def log(world):
    logs = world.folder / "disk" / "logs"
    with contextlib.redirect_stderr(io.StringIO()) as said:
        history = quiet(world.model, world.images, epochs=40, log_dir=logs)
        for file in logs.iterdir():
            file.unlink()
    logs.rmdir()
    return f"{history} {said.getvalue()}"


def quantize(content):
    def act(world):
        (world.folder / "a.onnx").write_bytes(content)
        deploy.quantize_onnx(world.folder / "a.onnx", world.folder / "b.onnx", torch.ones(2, 1))

    return act


def page_in_no_folder(world):
    deploy.export_html(models.lenet(), world.folder / "none" / "a.html")


NO_CODE = ("holds more than weights", "it is not read", "save_checkpoint")
BROKEN = ("is damaged or not a complete checkpoint", "save it again")
ROWS = [
    Fault(
        "the kernel is killed while it saves a checkpoint",
        "killed while saving",
        killed_while_saving,
        "killed",
        given=save_old,
        kept=whole_afterwards,
        changes=("model.pt",),
        races=True,
    ),
    Fault(
        "the disk is full when a checkpoint is saved",
        "disk full",
        save,
        ("cannot be written (No space left on device)", "make room"),
        given=a_disk(64),
        where="own disks",
    ),
    Fault(
        "the disk is full when a page is exported",
        "disk full",
        page,
        ("cannot be written (No space left on device)", "make room"),
        given=a_disk(64),
        where="own disks",
    ),
    Fault(
        "the disk is full when MNIST is downloaded",
        "disk full",
        load_digits,
        ("cannot be written (the disk is full)", "set COURSE_DATA to a folder"),
        given=a_disk(12),
        where="own disks",
    ),
    Fault(
        "the disk is full when TensorBoard's log is written",
        "disk full",
        log,
        ("40 epochs", "logs' cannot be written (No space left on device)", "Training goes on"),
        given=a_disk(8),
        trains=True,
        more=True,
        where="own disks",
    ),
    Fault(
        "a checkpoint is saved on a read-only disk",
        "read-only folder",
        save,
        ("cannot be written (Read-only file system)", "choose another folder"),
        given=a_disk(64, read_only=True),
        where="own disks",
    ),
    Fault(
        "a checkpoint is saved in a new folder of a read-only disk",
        "read-only folder",
        save_into_new_folder,
        ("cannot be written (Read-only file system)", "choose another folder"),
        given=a_disk(64, read_only=True),
        where="own disks",
    ),
    Fault(
        "a page is exported to a read-only disk",
        "read-only folder",
        page,
        ("cannot be written (Read-only file system)", "choose another folder"),
        given=a_disk(64, read_only=True),
        where="own disks",
    ),
    Fault(
        "MNIST is to be downloaded to a read-only disk",
        "read-only folder",
        load_digits,
        ("cannot be written (Read-only file system)", "set COURSE_DATA to a folder"),
        given=a_disk(64, read_only=True),
        more=True,
        where="own disks",
    ),
    Fault(
        "a log is to be written to a read-only disk",
        "read-only folder",
        log,
        ("logs' cannot be written (Read-only file system)", "choose another folder"),
        given=a_disk(64, read_only=True),
        more=True,
        where="own disks",
    ),
    Fault(
        "a checkpoint has layers of another size",
        "a checkpoint of another model",
        load("model.pt"),
        ("belongs to another model", "'4.weight' has shape (4, 50) there and (4, 36) here"),
        given=other_model(wider),
    ),
    Fault(
        "a checkpoint has fewer layers",
        "a checkpoint of another model",
        load("model.pt"),
        ("belongs to another model", "only this model has '4.weight'"),
        given=other_model(lambda model: model[:4]),
    ),
    Fault(
        "a checkpoint holds more than the weights",
        "a checkpoint of another model",
        load("model.pt"),
        "holds no weights of a model alone, but 'model', 'epoch'",
        given=lambda world: torch.save({"model": {}, "epoch": 3}, world.folder / "model.pt"),
    ),
    Fault(
        "a checkpoint is cut in the middle",
        "a truncated checkpoint",
        load("model.pt"),
        BROKEN,
        given=damaged(lambda content: content[: len(content) // 2]),
    ),
    Fault(
        "a checkpoint lacks its last bytes",
        "a truncated checkpoint",
        load("model.pt"),
        BROKEN,
        given=damaged(lambda content: content[:-20]),
    ),
    Fault(
        "a checkpoint is empty",
        "a truncated checkpoint",
        load("model.pt"),
        BROKEN,
        given=write("model.pt", b""),
    ),
    Fault(
        "a byte of a weight in a checkpoint has flipped",
        "a corrupted file",
        load("model.pt"),
        BROKEN,
        given=damaged(flip_a_weight),
    ),
    Fault(
        "a login page was saved in place of a checkpoint",
        "a corrupted file",
        load("model.pt"),
        BROKEN,
        given=write("model.pt", b"<!doctype html><title>Please log in</title>"),
    ),
    Fault(
        "a checkpoint has code in it",
        "a checkpoint with code in it",
        load("model.pt"),
        NO_CODE,
        given=with_code,
    ),
    Fault(
        "a checkpoint is a bare pickle with code in it",
        "a checkpoint with code in it",
        load("model.pt"),
        BROKEN,
        given=with_bare_code,
    ),
    Fault(
        "a whole model was saved instead of its weights",
        "a checkpoint with code in it",
        load("model.pt"),
        NO_CODE,
        given=lambda world: torch.save(world.model, world.folder / "model.pt"),
    ),
    Fault(
        "a checkpoint is not there",
        "a corrupted file",
        load("model.pt"),
        ("there is no checkpoint", "save_checkpoint makes one"),
    ),
    Fault(
        "a checkpoint is to be saved over a folder",
        "read-only folder",
        save_over_a_folder,
        ("is a folder", "give the name of a file in it"),
    ),
    Fault(
        "a page is to be saved in a folder that is not there",
        "read-only folder",
        page_in_no_folder,
        ("there is no folder", "mkdir(parents=True)"),
    ),
    Fault(
        "an ONNX file is damaged",
        "a corrupted file",
        quantize(b"<html>"),
        ("cannot be read, perhaps it is damaged", "export_onnx"),
        makes=("a.onnx",),
    ),
    Fault(
        "the data folder is a file",
        "read-only folder",
        lambda world: data.load_digits(root=world.folder / "data").describe(),
        ("the embedded digits", "cannot be written (Not a directory)"),
        given=write("data", b"a file"),
    ),
]

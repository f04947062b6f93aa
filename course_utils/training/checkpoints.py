"""Save the weights of a network, and load them: whole or not at all, and never code."""

import io
import pickle
import re
import zipfile
from pathlib import Path

import torch

from .. import _files
from . import arguments

_BEFORE_ZIP = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)  # what an old file begins with
# What stands in names where a network is wrapped, in a DataParallel or by torch.compile.
_WRAPPING = re.compile(r"(?:^|(?<=\.))(?:module|_orig_mod)\.")


def save_checkpoint(model, path):
    """Save the weights of `model` to `path`, or leave the old file whole if that fails half-way.

    They are written beside it and renamed, which the operating system does in one piece. Folders
    are made as needed. Raises OSError when the disk is full or read-only.
    """
    arguments.check_model(model)
    path, weights = Path(path).expanduser(), io.BytesIO()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _files.unwritable(path, error) from None
    torch.save(model.state_dict(), weights)
    _files.write(_files.checked(path), weights.getbuffer())


def load_checkpoint(model, path):
    """Load weights saved by `save_checkpoint` into `model` and return it; its mode stays.

    Only tensors are read, never code (`weights_only=True`). Raises FileNotFoundError when there is
    no such file, and ValueError when it is broken or belongs to another model; then the model is
    unchanged.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {str(path)!r}: save_checkpoint makes one")
    try:
        state = torch.load(path, "cpu", weights_only=True) if _is_whole(path) else None
    except pickle.UnpicklingError:  # what weights_only refuses
        raise ValueError(
            f"{str(path)!r} holds more than weights, perhaps a whole model, and such a file can run"
            " any code: it is not read. Save the weights alone, with save_checkpoint"
        ) from None
    except Exception:  # torch raises six kinds here, by where the file is cut
        state = None
    if state is None:
        raise ValueError(
            f"{str(path)!r} is damaged or not a complete checkpoint, perhaps cut short: save it"
            " again, or take another copy"
        )
    expected = model.state_dict()
    if not isinstance(state, dict) or not all(hasattr(v, "shape") for v in state.values()):
        inside = f", but {', '.join(map(repr, state))}" if isinstance(state, dict) else ""
        raise ValueError(f"{str(path)!r} holds no weights of a model alone{inside}")
    for theirs in set(state) - set(expected):
        for mine in set(expected) - set(state):
            if _WRAPPING.sub("", theirs) == _WRAPPING.sub("", mine):
                raise ValueError(
                    f"{str(path)!r} has {theirs!r} where this model has {mine!r}: `module.` comes "
                    "from DataParallel or DistributedDataParallel, `_orig_mod.` from torch.compile."
                    " Save the model inside, save_checkpoint(model.module, …) or model._orig_mod, "
                    "and load into the model inside"
                )
    other = f"{str(path)!r} belongs to another model"
    for name in [*expected, *state]:
        if name not in state or name not in expected:
            owner = "the checkpoint" if name in state else "this model"
            raise ValueError(f"{other}: only {owner} has {name!r}")
        if state[name].shape != expected[name].shape:
            saved, mine = tuple(state[name].shape), tuple(expected[name].shape)
            raise ValueError(f"{other}: {name!r} has shape {saved} there and {mine} here")
    model.load_state_dict(state)
    return model


def _is_whole(path):
    """Whether a file is one that torch.save has written, with the sums of its parts right.

    torch itself does not look at them. Before version 1.6 it wrote no zip files.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            return file.testzip() is None
    with path.open("rb") as file:
        return file.read(len(_BEFORE_ZIP)) == _BEFORE_ZIP

"""Save the weights of a network, and load them: whole or not at all, and never code."""

import io
import pickle
import zipfile
from pathlib import Path

import torch

from .. import _files
from . import setup


def save_checkpoint(model, path):
    """Save the weights of `model` to `path`, or leave the old file whole if that fails half-way.

    They are written beside it and renamed, which the operating system does in one piece. Folders
    are made as needed. Raises OSError when the disk is full or read-only.
    """
    setup.check_model(model)
    path, weights = Path(path), io.BytesIO()
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
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {str(path)!r}: save_checkpoint makes one")
    try:
        with zipfile.ZipFile(path) as file:  # torch itself does not look at the checksums
            state = None if file.testzip() else torch.load(path, "cpu", weights_only=True)
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

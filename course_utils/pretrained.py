"""Networks of torchvision with their published weights, or without them and with a reason."""

import contextlib
import io
import pickle
import socket
from pathlib import Path

import torch

from .data import downloads


def load(build, weights):
    """Make a torchvision network, with its published weights if they can be had soon.

    They are read from torch's cache, or fetched into it if the server answers within
    `data.downloads.PATIENCE` seconds.

    Args:
        build: a function of torchvision.models, such as `shufflenet_v2_x0_5`.
        weights: what belongs to it, such as `ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1`.
    Returns: the network in eval mode, and None; or a network with random weights, and the reason as
        a few words. No error of the network or of the disk is raised.
    """
    network, reason = build(), None
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    timeout = socket.getdefaulttimeout()
    try:
        if not (folder / weights.url.rpartition("/")[2]).is_file():
            downloads.require_answer(weights.url)
        socket.setdefaulttimeout(downloads.PATIENCE)
        with contextlib.redirect_stderr(io.StringIO()):
            state = weights.get_state_dict(progress=False, check_hash=True)
        network.load_state_dict(state)
    except OSError as error:
        reason = _words(error)
    except (RuntimeError, EOFError, KeyError, pickle.UnpicklingError):
        network, reason = build(), "a damaged file in torch's cache"
    finally:
        socket.setdefaulttimeout(timeout)
    return network.eval(), reason


def _words(error):
    try:
        return downloads.reason_of(error)
    except OSError as full:  # raised anew where the disk is what failed
        return f"the disk cannot be written ({full.strerror})"

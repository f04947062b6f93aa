"""Train a network, measure it, save it."""

from .checkpoints import load_checkpoint, save_checkpoint
from .loop import evaluate, fit
from .results import Epoch, Evaluation, History
from .setup import seed_everything

__all__ = [
    "Epoch",
    "Evaluation",
    "History",
    "evaluate",
    "fit",
    "load_checkpoint",
    "save_checkpoint",
    "seed_everything",
]

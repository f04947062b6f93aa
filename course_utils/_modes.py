"""A network in eval mode for a while, on the device it is on."""

import contextlib

import torch


def device_of(model):
    return next((p.device for p in model.parameters()), torch.device("cpu"))


@contextlib.contextmanager
def evaluating(model):
    """Eval mode without gradients; then each layer gets its own mode back, frozen ones too."""
    with in_eval_mode(model), torch.no_grad():
        yield


@contextlib.contextmanager
def in_eval_mode(model):
    """Eval mode alone, for gradients, or where another thread computes."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training

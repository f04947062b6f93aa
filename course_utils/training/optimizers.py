"""The optimizer of a training, the default one or one that a student lends, and its schedule."""

import torch

from .._numbers import real_number


def prepare(model, lr, optimizer, schedule, steps):
    """The optimizer and the schedule, None for a constant lr, that the arguments of `fit` mean."""
    own = optimizer is None
    if own:
        lr = 0.01 if lr is None else float(lr)
        optimizer = torch.optim.AdamW(model.parameters(), lr=lr, fused=True)
    if schedule == "one-cycle" or (schedule == "auto" and own):
        peaks = [float(group["lr"]) for group in optimizer.param_groups]
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(
            optimizer, peaks, total_steps=steps + 1, cycle_momentum=own
        )
    return optimizer, None


def check_optimizer(optimizer, lr, model):
    """Whether the optimizer, or the lr of the default one, can train the model."""
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError("the model has no parameter to train: requires_grad is True for none")
    if optimizer is None:
        if lr is not None:
            real_number("lr", lr, "a number above 0", lambda n: n > 0)
        return
    if lr is not None:
        raise ValueError(f"lr={lr} would be ignored: set it in the optimizer that you hand in")
    if not isinstance(optimizer, torch.optim.Optimizer):
        what = optimizer.__name__ if isinstance(optimizer, type) else repr(optimizer)
        raise ValueError(
            f"optimizer={what} is none: make one, such as "
            "torch.optim.Adam(model.parameters(), lr=0.001)"
        )
    learning = {id(p) for p in model.parameters() if p.requires_grad}
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not learning & held:
        raise ValueError(
            "the optimizer holds no parameter of this model that learns: it was made for another "
            "model, or before the layers were changed. Make it anew from model.parameters()"
        )


def lend(optimizer):
    """A function that gives a student's optimizer its settings back; its state stays.

    A schedule writes into the groups of an optimizer, and wraps its `step`.
    """
    before = set(vars(optimizer)) if optimizer else set()
    groups = [
        (group, {name: _copied(value) for name, value in group.items() if name != "params"})
        for group in (optimizer.param_groups if optimizer else ())
    ]

    def give_back():
        for name in set(vars(optimizer)) - before if optimizer else ():
            delattr(optimizer, name)
        for group, settings in groups:
            for name in set(group) - {"params", *settings}:
                del group[name]
            for name, value in settings.items():
                if isinstance(group[name], torch.Tensor):
                    group[name].copy_(value)
                else:
                    group[name] = value

    return give_back


def _copied(value):
    return value.clone() if isinstance(value, torch.Tensor) else value

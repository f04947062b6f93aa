"""How an optimizer's rule is checked: the path it takes, step for step beside torch.optim."""

import functools

import torch
from torch import nn

from course_utils.checks.engine.reading import kind_of

LIMIT, LONG = 1e-10, 50  # how close a path must stay to torch's, and from how many steps on


def torch_path(optimizer, w, gradients, **options):
    """Where `optimizer`, a class of torch.optim, takes w (n,) by gradients (T, n): (T, n)."""
    w, places = nn.Parameter(w.clone()), []
    stepper = optimizer([w], **options)
    for gradient in gradients:
        w.grad = gradient.clone()
        stepper.step()
        places.append(w.detach().clone())
    return torch.stack(places)


@functools.cache
def _ready():
    """Use torch.optim once: its first use loads much, and must not count as a student's time."""
    one = numbers(1)
    torch_path(torch.optim.SGD, one, one[None], lr=1)


class Path:
    """A student's rule, applied step after step; of long paths also the distance from torch's."""

    def __init__(self, rule, optimizer):
        if not callable(rule):
            raise TypeError(
                f"A function is checked here; this is {kind_of(rule)}. Pass the function itself, "
                "without calling it"
            )
        _ready()
        self.rule, self.optimizer = rule, optimizer
        self.__code__ = getattr(rule, "__code__", None)  # an error is looked up in the student's

    def __call__(self, w, gradients, **options):
        state, places, start = {}, [], w
        for gradient in gradients:
            w = self.rule(w.clone(), gradient.clone(), state, **options)
            if not isinstance(w, torch.Tensor) or w.shape != start.shape:
                return w
            places.append(w.detach().clone())
        path = torch.stack(places)
        if len(path) < LONG:
            return path
        right = torch_path(self.optimizer, start, gradients, **options)
        return path, (path - right).abs().max() // LIMIT


def numbers(*rows):
    """A float64 tensor of these numbers."""
    return torch.tensor(rows, dtype=torch.float64)

"""Lesson 04, exercise 6: The loop."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistakes, later

LEARNS = "lesson 04, 'A kernel learns'"


def _mean_square(y, target):
    return (y - target).square().mean()


def _descend(x, target, lr, steps, loss=_mean_square, start=0.0, keep=0.0, turn=1.0):
    """Gradient descent; keep: how much of the last gradients stays in the sum."""
    weight, total = torch.full((1, 1, 3, 3), start, dtype=x.dtype), 0.0
    for _ in range(steps):
        leaf = weight.clone().requires_grad_()
        total = keep * total + torch.autograd.grad(loss(F.conv2d(x, leaf), target), leaf)[0]
        weight = weight - turn * lr * total
    return weight


def _descend_with(**change):
    return lambda x, target, lr, steps: _descend(x, target, lr, steps, **change)


def _lesson(*shape, seed, dtype=torch.float64):
    """A picture, and what a kernel of whole numbers makes of it."""
    generator = torch.Generator().manual_seed(seed)
    x = (torch.randint(-4, 5, shape, generator=generator) / 2).to(dtype)
    kernel = torch.randint(-2, 3, (1, 1, 3, 3), generator=generator).to(dtype)
    return x, F.conv2d(x, kernel)


mistake = Mistakes()
mistake.value(
    "uphill", _descend_with(turn=-1.0), "The kernel goes with the gradient, uphill. Subtract it."
)
mistake.value(
    "gradients_pile_up",
    _descend_with(keep=1.0),
    "The gradients of all steps pile up: `backward()` adds to what is in `.grad`.",
)
mistake.value(
    "one_step_too_few",
    lambda x, t, lr, steps: _descend(x, t, lr, steps - 1),
    "One step is missing.",
)
mistake.value(
    "one_step_too_many",
    lambda x, t, lr, steps: _descend(x, t, lr, steps + 1),
    "That is one step too many.",
)
mistake.value(
    "only_one_step",
    lambda x, t, lr, steps: _descend(x, t, lr, 1),
    "Every step begins at zeros again: the kernel has to be made before the loop.",
)
mistake.value(
    "sum_of_squares",
    _descend_with(loss=lambda y, t: (y - t).square().sum()),
    "The squares are summed. The loss is their mean, so the gradient is smaller.",
    also=(_descend_with(loss=lambda y, t: (y - t).square().sum() / len(y)),),
)
mistake.value(
    "two_forgotten",
    _descend_with(turn=0.5),
    "Every step is half as long as it should be: a square has the slope 2(y − t).",
)
mistake.value(
    "lr_ignored",
    lambda x, t, lr, steps: _descend(x, t, 1.0, steps),
    "The learning rate is missing.",
    also=(lambda x, t, lr, steps: _descend(x, t, 0.1, steps),),
)
mistake.value(
    "not_squared",
    _descend_with(loss=lambda y, t: (y - t).mean()),
    "The differences are not squared, so positive and negative ones cancel.",
)
mistake.value(
    "absolute_difference",
    _descend_with(loss=lambda y, t: (y - t).abs().mean()),
    "That is the mean absolute difference. The loss here is the mean of the squares.",
)
mistake.value(
    "root_taken",
    _descend_with(loss=lambda y, t: _mean_square(y, t).sqrt()),
    "A root was taken of the mean. The loss is the mean of the squares itself.",
)
mistake.value(
    "starts_elsewhere",
    _descend_with(start=1.0),
    "The search starts with ones. Let it start with zeros, so that all get the same.",
)
mistake.value(
    "momentum",
    _descend_with(keep=0.9),
    "A part of the last step is kept. That is momentum, of lesson 05; the plain step is asked for.",
)


@later
def cases():
    return (
        Case((*_lesson(1, 1, 4, 4, seed=1), 0.1, 1)),
        Case((*_lesson(1, 1, 4, 5, seed=2), 0.05, 2)),
        Case((*_lesson(2, 1, 6, 5, seed=3), 0.1, 5)),
        Case((*_lesson(1, 1, 7, 7, seed=4, dtype=torch.float32), 0.02, 3)),
    )


learn_kernel = Exercise(
    name="learn_kernel",
    lesson=LEARNS,
    reference=_descend,
    cases=cases,
    mistakes=mistake,
)

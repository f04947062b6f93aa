"""Lesson 05, exercise 3: Momentum."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.lesson_05._optimizers import _against, fifty, four, start

MOMENTUM = "lesson 05, 'Momentum'"


def _momentum(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * state.get("v", 0) + grad
    return w - lr * state["v"]


def _never_updated(w, grad, state, lr, momentum=0.9):
    return w - lr * (momentum * state.setdefault("v", 0 * grad) + grad)


mistake = Mistakes()
mistake.value(
    "state_forgotten",
    lambda w, grad, state, lr, momentum=0.9: w - lr * grad,
    "That is plain SGD: earlier gradients play no part. Keep v in `state`, store the new "
    "one there, and go along it.",
    also=(_never_updated,),
)


@mistake(
    "The new gradient is multiplied by 1 − momentum. That makes v an average; here, and in "
    "torch.optim.SGD, the gradient is added whole."
)
def damped(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * state.get("v", 0) + (1 - momentum) * grad
    return w - lr * state["v"]


mistake.value(
    "argument_ignored",
    lambda w, grad, state, lr, momentum=0.9: _momentum(w, grad, state, lr),
    "It is right for a momentum of 0.9 only. Use the argument.",
)


@mistake("v stays what it was after the first step. Each new v has to be stored in `state`.")
def first_kept(w, grad, state, lr, momentum=0.9):
    if "v" not in state:
        state["v"] = grad
        return w - lr * grad
    return w - lr * (momentum * state["v"] + grad)


@mistake("The first gradient counts twice: before the first step v is 0.")
def first_twice(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * state.get("v", grad) + grad
    return w - lr * state["v"]


@mistake("The gradient belongs into v, also for the steps that follow.")
def first_gradient_as_velocity(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * state.get("v", grad)
    return w - lr * (state["v"] + grad)


@mistake("The step uses the old velocity and comes one gradient late. First v, then w.")
def old_velocity(w, grad, state, lr, momentum=0.9):
    before = state.get("v", 0 * grad)
    state["v"] = momentum * before + grad
    return w - lr * before


@mistake("That is Nesterov's momentum, which looks one step ahead. Here the step is lr · v.")
def nesterov(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * state.get("v", 0) + grad
    return w - lr * (grad + momentum * state["v"])


@mistake("The learning rate is multiplied in twice, in v and in the step.")
def lr_twice(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * state.get("v", 0) + lr * grad
    return w - lr * state["v"]


@mistake("The new gradient is multiplied by the momentum, too. Only what is old fades.")
def gradient_faded(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * (state.get("v", 0) + grad)
    return w - lr * state["v"]


@mistake(
    "The momentum is multiplied to the gradient, and the old velocity never fades. It is "
    "the other way round."
)
def swapped(w, grad, state, lr, momentum=0.9):
    state["v"] = state.get("v", 0) + momentum * grad
    return w - lr * state["v"]


mistake.value(
    "uphill",
    lambda w, grad, state, lr, momentum=0.9: 2 * w - _momentum(w, grad, state, lr, momentum),
    "The step goes uphill: the gradient points to where the loss grows.",
)


@mistake("The old velocity is subtracted from the gradient, so it brakes where it should push.")
def brake(w, grad, state, lr, momentum=0.9):
    state["v"] = grad - momentum * state.get("v", 0)
    return w - lr * state["v"]


mistake.value(
    "weight_faded",
    lambda w, grad, state, lr, momentum=0.9: momentum * w - lr * grad,
    "The momentum is multiplied to the weight. It belongs to the velocity.",
)
mistake.value(
    "velocity_returned",
    lambda w, grad, state, lr, momentum=0.9: w - _momentum(w, grad, state, lr, momentum),
    "That is the step alone. Return the place where it leads from w.",
)


@later
def cases():
    return (
        Case((start(), four()[:1]), {"lr": 0.5, "momentum": 0.9}),
        Case((start(), four()[:2]), {"lr": 0.5, "momentum": 0.9}),
        Case((start(), four()[:3]), {"lr": 0.5, "momentum": 0.5}),
        Case((start(), four()), {"lr": 0.5, "momentum": 0.8}),
        fifty(momentum=0.9),
    )


momentum_step = Exercise(
    name="momentum_step",
    lesson=MOMENTUM,
    reference=_momentum,
    prepare=_against(torch.optim.SGD),
    cases=cases,
    mistakes=mistake,
)

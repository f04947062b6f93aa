"""Lesson 05, exercise 2: One step of SGD."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.lesson_05._optimizers import _against, fifty, four, start

STEP = "lesson 05, 'What step() does'"


def _sgd(w, grad, state, lr):
    return w - lr * grad


mistake = Mistakes()
mistake.value(
    "uphill",
    lambda w, grad, state, lr: w + lr * grad,
    "The step goes uphill: the gradient points to where the loss grows.",
)
mistake.value(
    "lr_forgotten", lambda w, grad, state, lr: w - grad, "The learning rate plays no part."
)
mistake.value(
    "step_returned",
    lambda w, grad, state, lr: -lr * grad,
    "That is the step alone. Return the place where it leads from w.",
    also=(lambda w, grad, state, lr: lr * grad,),
)
mistake.value(
    "divided_by_lr",
    lambda w, grad, state, lr: w - grad / lr,
    "The gradient is divided by the learning rate, so a small rate makes a large step.",
)


@mistake(
    "The gradients of earlier steps are added in, as when `zero_grad` is forgotten. This "
    "rule remembers nothing."
)
def accumulated(w, grad, state, lr):
    state["sum"] = state.get("sum", 0) + grad
    return w - lr * state["sum"]


mistake.value(
    "sign_only",
    lambda w, grad, state, lr: w - lr * grad.sign(),
    "Only the signs of the gradient are used. Its size counts too: steep means far.",
)
mistake.value(
    "magnitude_only",
    lambda w, grad, state, lr: w - lr * grad.abs(),
    "The sign of the gradient is lost. It says which way is uphill.",
)
mistake.value(
    "normalised",
    lambda w, grad, state, lr: w - lr * grad / grad.norm(),
    "The gradient is divided by its length, so that all steps are equally long. This rule "
    "takes it as it is.",
)
mistake.value(
    "averaged",
    lambda w, grad, state, lr: w - lr * grad.mean(),
    "All weights move by the mean of the gradient. Each moves by its own part of it.",
)
mistake.value(
    "relative",
    lambda w, grad, state, lr: w * (1 - lr * grad),
    "The step is multiplied by the weight itself. How far to go does not depend on where w is.",
)
mistake.value(
    "weight_decayed",
    lambda w, grad, state, lr: (1 - lr) * w - lr * grad,
    "The weight itself is made smaller as well. That is weight decay, a later section.",
)


@mistake("The second step starts where the first one did. Start from the w that is handed in.")
def from_the_start(w, grad, state, lr):
    return state.setdefault("w", w) - lr * grad


@later
def cases():
    return (
        Case((start(), four()[:1]), {"lr": 0.5}),
        Case((start(), four()[:2]), {"lr": 0.5}),
        Case((start(), four()), {"lr": 0.1}),
        fifty(),
    )


sgd_step = Exercise(
    name="sgd_step",
    lesson=STEP,
    reference=_sgd,
    prepare=_against(torch.optim.SGD),
    cases=cases,
    mistakes=mistake,
)

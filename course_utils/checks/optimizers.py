"""The exercises of lesson 05 that write an optimizer's rule: SGD and momentum (Adam: adam.py).

A rule is called as `rule(w, grad, state, **options)` and returns the new w; `state` is a dict that
is empty before the first step. What is compared is the path over several given gradients, and over
fifty of them its distance from the path of torch.optim itself, which has to stay below 1e-10.
"""

import torch

from course_utils.checks.engine import Case, Exercise, Mistake
from course_utils.checks.paths import Path, numbers

STEP = "lesson 05, 'What step() does'"
MOMENTUM = "lesson 05, 'Momentum'"


def _against(optimizer):
    return lambda rule: Path(rule, optimizer)


def _random(*shape, seed):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


W = numbers(1, -2)
FOUR = numbers([0.5, -2], [1, 0.5], [-3, 0.25], [2, 1])
FIFTY = Case((_random(5, seed=1), _random(50, 5, seed=2)), {"lr": 0.05})

# ---- gradient descent ---------------------------------------------------------------------------


def _sgd(w, grad, state, lr):
    return w - lr * grad


def _accumulated(w, grad, state, lr):
    state["sum"] = state.get("sum", 0) + grad
    return w - lr * state["sum"]


def _from_the_start(w, grad, state, lr):
    return state.setdefault("w", w) - lr * grad


sgd_step = Exercise(
    name="sgd_step",
    lesson=STEP,
    reference=_sgd,
    prepare=_against(torch.optim.SGD),
    cases=(
        Case((W, FOUR[:1]), {"lr": 0.5}),
        Case((W, FOUR[:2]), {"lr": 0.5}),
        Case((W, FOUR), {"lr": 0.1}),
        FIFTY,
    ),
    mistakes=(
        Mistake(
            "uphill",
            lambda w, grad, state, lr: w + lr * grad,
            "The step goes uphill: the gradient points to where the loss grows.",
        ),
        Mistake(
            "lr_forgotten",
            lambda w, grad, state, lr: w - grad,
            "The learning rate plays no part.",
        ),
        Mistake(
            "step_returned",
            lambda w, grad, state, lr: -lr * grad,
            "That is the step alone. Return the place where it leads from w.",
            also=(lambda w, grad, state, lr: lr * grad,),
        ),
        Mistake(
            "divided_by_lr",
            lambda w, grad, state, lr: w - grad / lr,
            "The gradient is divided by the learning rate, so a small rate makes a large step.",
        ),
        Mistake(
            "accumulated",
            _accumulated,
            "The gradients of earlier steps are added in, as when `zero_grad` is forgotten. This "
            "rule remembers nothing.",
        ),
        Mistake(
            "sign_only",
            lambda w, grad, state, lr: w - lr * grad.sign(),
            "Only the signs of the gradient are used. Its size counts too: steep means far.",
        ),
        Mistake(
            "magnitude_only",
            lambda w, grad, state, lr: w - lr * grad.abs(),
            "The sign of the gradient is lost. It says which way is uphill.",
        ),
        Mistake(
            "normalised",
            lambda w, grad, state, lr: w - lr * grad / grad.norm(),
            "The gradient is divided by its length, so that all steps are equally long. This rule "
            "takes it as it is.",
        ),
        Mistake(
            "averaged",
            lambda w, grad, state, lr: w - lr * grad.mean(),
            "All weights move by the mean of the gradient. Each moves by its own part of it.",
        ),
        Mistake(
            "relative",
            lambda w, grad, state, lr: w * (1 - lr * grad),
            "The step is multiplied by the weight itself. How far to go does not depend on where "
            "w is.",
        ),
        Mistake(
            "weight_decayed",
            lambda w, grad, state, lr: (1 - lr) * w - lr * grad,
            "The weight itself is made smaller as well. That is weight decay, a later section.",
        ),
        Mistake(
            "from_the_start",
            _from_the_start,
            "The second step starts where the first one did. Start from the w that is handed in.",
        ),
    ),
)

# ---- momentum -----------------------------------------------------------------------------------


def _momentum(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * state.get("v", 0) + grad
    return w - lr * state["v"]


def _damped(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * state.get("v", 0) + (1 - momentum) * grad
    return w - lr * state["v"]


def _never_updated(w, grad, state, lr, momentum=0.9):
    return w - lr * (momentum * state.setdefault("v", 0 * grad) + grad)


def _first_kept(w, grad, state, lr, momentum=0.9):
    if "v" not in state:
        state["v"] = grad
        return w - lr * grad
    return w - lr * (momentum * state["v"] + grad)


def _first_twice(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * state.get("v", grad) + grad
    return w - lr * state["v"]


def _first_once_less(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * state.get("v", grad)
    return w - lr * (state["v"] + grad)


def _old_velocity(w, grad, state, lr, momentum=0.9):
    before = state.get("v", 0 * grad)
    state["v"] = momentum * before + grad
    return w - lr * before


def _nesterov(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * state.get("v", 0) + grad
    return w - lr * (grad + momentum * state["v"])


def _lr_twice(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * state.get("v", 0) + lr * grad
    return w - lr * state["v"]


def _gradient_faded(w, grad, state, lr, momentum=0.9):
    state["v"] = momentum * (state.get("v", 0) + grad)
    return w - lr * state["v"]


def _swapped(w, grad, state, lr, momentum=0.9):
    state["v"] = state.get("v", 0) + momentum * grad
    return w - lr * state["v"]


def _subtracted(w, grad, state, lr, momentum=0.9):
    state["v"] = grad - momentum * state.get("v", 0)
    return w - lr * state["v"]


momentum_step = Exercise(
    name="momentum_step",
    lesson=MOMENTUM,
    reference=_momentum,
    prepare=_against(torch.optim.SGD),
    cases=(
        Case((W, FOUR[:1]), {"lr": 0.5, "momentum": 0.9}),
        Case((W, FOUR[:2]), {"lr": 0.5, "momentum": 0.9}),
        Case((W, FOUR[:3]), {"lr": 0.5, "momentum": 0.5}),
        Case((W, FOUR), {"lr": 0.5, "momentum": 0.8}),
        Case(FIFTY.args, {"lr": 0.05, "momentum": 0.9}),
    ),
    mistakes=(
        Mistake(
            "state_forgotten",
            lambda w, grad, state, lr, momentum=0.9: w - lr * grad,
            "That is plain SGD: earlier gradients play no part. Keep v in `state`, store the new "
            "one there, and go along it.",
            also=(_never_updated,),
        ),
        Mistake(
            "damped",
            _damped,
            "The new gradient is multiplied by 1 − momentum. That makes v an average; here, and in "
            "torch.optim.SGD, the gradient is added whole.",
        ),
        Mistake(
            "argument_ignored",
            lambda w, grad, state, lr, momentum=0.9: _momentum(w, grad, state, lr),
            "It is right for a momentum of 0.9 only. Use the argument.",
        ),
        Mistake(
            "first_kept",
            _first_kept,
            "v stays what it was after the first step. Each new v has to be stored in `state`.",
        ),
        Mistake(
            "first_twice",
            _first_twice,
            "The first gradient counts twice: before the first step v is 0.",
        ),
        Mistake(
            "first_gradient_as_velocity",
            _first_once_less,
            "The gradient belongs into v, also for the steps that follow.",
        ),
        Mistake(
            "old_velocity",
            _old_velocity,
            "The step uses the old velocity and comes one gradient late. First v, then w.",
        ),
        Mistake(
            "nesterov",
            _nesterov,
            "That is Nesterov's momentum, which looks one step ahead. Here the step is lr · v.",
        ),
        Mistake(
            "lr_twice",
            _lr_twice,
            "The learning rate is multiplied in twice, in v and in the step.",
        ),
        Mistake(
            "gradient_faded",
            _gradient_faded,
            "The new gradient is multiplied by the momentum, too. Only what is old fades.",
        ),
        Mistake(
            "swapped",
            _swapped,
            "The momentum is multiplied to the gradient, and the old velocity never fades. It is "
            "the other way round.",
        ),
        Mistake(
            "uphill",
            lambda w, grad, state, lr, momentum=0.9: (
                2 * w - _momentum(w, grad, state, lr, momentum)
            ),
            "The step goes uphill: the gradient points to where the loss grows.",
        ),
        Mistake(
            "brake",
            _subtracted,
            "The old velocity is subtracted from the gradient, so it brakes where it should push.",
        ),
        Mistake(
            "weight_faded",
            lambda w, grad, state, lr, momentum=0.9: momentum * w - lr * grad,
            "The momentum is multiplied to the weight. It belongs to the velocity.",
        ),
        Mistake(
            "velocity_returned",
            lambda w, grad, state, lr, momentum=0.9: w - _momentum(w, grad, state, lr, momentum),
            "That is the step alone. Return the place where it leads from w.",
        ),
    ),
)

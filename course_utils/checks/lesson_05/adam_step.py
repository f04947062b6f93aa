"""Lesson 05, exercise 4: Adam."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.lesson_05._optimizers import fifty, four, start
from course_utils.checks.lesson_05._paths import Path, numbers

ADAM = "lesson 05, 'Adam'"


def _variant(
    moment=lambda m, beta: 1 - beta,
    corrected=lambda t, beta: 1 - beta**t,
    only=("m", "v"),
    square=lambda grad, m: grad**2,
    move=lambda m, v, eps: m / (v.sqrt() + eps),
    start=0,
    remember=("m", "v", "t"),
):
    """Adam with something changed: a rule (w, grad, state, lr, …)."""

    def rule(w, grad, state, lr, beta1=0.9, beta2=0.999, eps=1e-8):
        t = state.get("t", start) + 1
        m = beta1 * state.get("m", 0 * grad) + moment(0, beta1) * grad
        v = beta2 * state.get("v", 0 * grad) + moment(0, beta2) * square(grad, m)
        state |= {name: new for name, new in {"m": m, "v": v, "t": t}.items() if name in remember}
        m = m / corrected(t, beta1) if "m" in only else m
        v = v / corrected(t, beta2) if "v" in only else v
        return w - lr * move(m, v, eps)

    return rule


_adam = _variant()


def _combined(root):
    """Both corrections in one factor before the step, as some write it."""

    def rule(w, grad, state, lr, beta1=0.9, beta2=0.999, eps=1e-8):
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * grad
        v = state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * grad**2
        return w - lr * (1 - beta2**t) ** root / (1 - beta1**t) * m / (v.sqrt() + eps)

    return rule


def _usual_eps(w, grad, state, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    return _adam(w, grad, state, lr, beta1, beta2)


def torch_adam(parameters, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """`torch.optim.Adam`, called with the names that the exercise uses."""
    return torch.optim.Adam(parameters, lr, (beta1, beta2), eps)


def _random(*shape, seed):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


mistake = Mistakes()
mistake.value(
    "uncorrected",
    _variant(only=()),
    "The bias correction is missing: m and v start at 0 and are too small at first.",
)
mistake.value(
    "counted_from_zero",
    _variant(start=-1),
    "At the first step t is 0, and 1 − β⁰ is 0. Count the step before you correct.",
)
mistake.value(
    "step_never_counted",
    _variant(remember=("m", "v")),
    "t stays at 1 in every step. Keep the count in `state`, beside m and v.",
)
mistake.value(
    "state_forgotten",
    _variant(remember=("t",)),
    "m and v begin anew in every step. Store them in `state`.",
    also=(_variant(remember=()),),
)


@mistake(
    "The corrected m and v are stored, so the next step corrects them again. Store them "
    "as they were before the correction."
)
def stored_corrected(w, grad, state, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    t = state.get("t", 0) + 1
    m = (beta1 * state.get("m", 0) + (1 - beta1) * grad) / (1 - beta1**t)
    v = (beta2 * state.get("v", 0) + (1 - beta2) * grad**2) / (1 - beta2**t)
    state.update(m=m, v=v, t=t)
    return w - lr * m / (v.sqrt() + eps)


mistake.value(
    "eps_before_the_correction",
    _combined(root=0.5),
    "eps is added to a root that is not corrected yet, so it weighs more in the first "
    "steps. First correct v, then take the root, then add eps.",
)
mistake.value(
    "correction_of_v_outside_the_root",
    _combined(root=1),
    "v is corrected after its root was taken. Divide v itself, then take the root.",
)
mistake.value(
    "counted_too_far", _variant(start=1), "At the first step t is 2. The count begins with 1."
)


@mistake(
    "It is right for the usual values only. Use the arguments beta1, beta2 and eps.",
    also=(_usual_eps,),
)
def arguments_ignored(w, grad, state, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    return _adam(w, grad, state, lr)


mistake.value(
    "root_forgotten",
    _variant(move=lambda m, v, eps: m / (v + eps)),
    "The square root of v is missing: v is a mean of squares.",
)
mistake.value(
    "square_forgotten",
    _variant(square=lambda grad, m: grad, move=lambda m, v, eps: m / (v.sqrt() + eps)),
    "v averages the gradient itself. It should average its square.",
)
mistake.value(
    "betas_swapped",
    lambda w, grad, state, lr, beta1=0.9, beta2=0.999, eps=1e-8: _adam(
        w, grad, state, lr, beta2, beta1, eps
    ),
    "The two betas are swapped: β₁ belongs to m, β₂ to v.",
)
mistake.value(
    "sums",
    _variant(moment=lambda m, beta: 1),
    "The new gradient is added whole. m and v are averages: its share is 1 − β.",
)
mistake.value(
    "only_m_corrected", _variant(only=("m",)), "v is not corrected: it starts at 0, as m does."
)
mistake.value(
    "only_v_corrected", _variant(only=("v",)), "m is not corrected: it starts at 0, as v does."
)
mistake.value(
    "correction_times_t",
    _variant(corrected=lambda t, beta: 1 - beta * t),
    "The correction is 1 − β to the power of t, not 1 − β times t.",
    also=(_variant(corrected=lambda t, beta: (1 - beta) ** t),),
)
mistake.value(
    "eps_under_the_root",
    _variant(move=lambda m, v, eps: m / (v + eps).sqrt()),
    "eps is under the root. It is added after the root is taken.",
)
mistake.value(
    "eps_forgotten",
    _variant(move=lambda m, v, eps: m / v.sqrt()),
    "eps is missing below the line. A weight whose gradient was always 0 gives 0/0.",
)
mistake.value(
    "momentum_squared",
    _variant(square=lambda grad, m: m**2),
    "v averages the square of m. It should average the square of the gradient.",
)
mistake.value(
    "not_divided", _variant(move=lambda m, v, eps: m), "v is not used: divide by its root."
)
mistake.value(
    "gradient_in_place_of_m",
    lambda w, grad, state, lr, beta1=0.9, beta2=0.999, eps=1e-8: _adam(
        w, grad, state, lr, 0.0, beta2, eps
    ),
    "The step goes along the last gradient. It should go along m, the average.",
)
mistake.value(
    "one_scale_for_all",
    _variant(square=lambda grad, m: (grad**2).mean()),
    "All weights share one v. Each has its own.",
)
mistake.value(
    "uphill",
    _variant(move=lambda m, v, eps: -m / (v.sqrt() + eps)),
    "The step goes uphill: the gradient points to where the loss grows.",
)
mistake.value(
    "step_returned",
    lambda w, grad, state, **options: w - _adam(w, grad, state, **options),
    "That is the step alone. Return the place where it leads from w.",
)


@later
def cases():
    return (
        Case((start(), four()[:1]), {"lr": 0.5}),
        Case((start(), four()[:2]), {"lr": 0.5}),
        Case((start(), four()), {"lr": 0.5, "beta1": 0.8, "beta2": 0.9}),
        Case((start(), four()), {"lr": 0.5, "eps": 0.1}),
        Case((start(), numbers([0, 1], [0, -4])), {"lr": 0.5}),
        fifty(),
    )


adam_step = Exercise(
    name="adam_step",
    lesson=ADAM,
    reference=_adam,
    prepare=lambda rule: Path(rule, torch_adam),
    cases=cases,
    mistakes=mistake,
)

"""What the exercises share that write an optimizer's rule: SGD, momentum and Adam.

A rule is called as `rule(w, grad, state, **options)` and returns the new w; `state` is a dict that
is empty before the first step. What is compared is the path over several given gradients, and over
fifty of them its distance from the path of torch.optim itself, which has to stay below 1e-10.
"""

from course_utils.checks.engine import Case
from course_utils.checks.engine.examples import normal
from course_utils.checks.lesson_05._paths import Path, numbers


def _against(optimizer):
    return lambda rule: Path(rule, optimizer)


def start():
    return numbers(1, -2)


def four():
    """Gradients of four steps."""
    return numbers([0.5, -2], [1, 0.5], [-3, 0.25], [2, 1])


def fifty(**options):
    """A case of fifty steps."""
    return Case((normal(5, seed=1), normal(50, 5, seed=2)), {"lr": 0.05, **options})

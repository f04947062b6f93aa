"""Lesson 13, exercise 5: The largest scale."""

import math

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later

SHORTER = "lesson 13, 'Shorter numbers'"
_LARGEST = torch.finfo(torch.float16).max


def _below(ratio):
    """The largest power of two that is at most `ratio`."""
    return 2.0 ** math.floor(math.log2(ratio))


def _scale(gradients):
    return _below(_LARGEST / gradients.abs().max().item())


mistake = Mistakes()
mistake.value(
    "one_step_too_far",
    lambda g: 2 * _scale(g),
    "With this scale the largest gradient becomes infinite. It is the one that goes one "
    "step too far.",
)
mistake.value(
    "one_step_too_early",
    lambda g: _scale(g) / 2,
    "It could be twice as large, and nothing would become infinite yet.",
)
mistake.value(
    "sign_ignored",
    lambda g: _below(_LARGEST / g.max().item()) if g.max() > 0 else 1.0,
    "A large negative gradient overflows as well: look at the magnitudes.",
)
mistake.value(
    "never_below_one",
    lambda g: max(1.0, _scale(g)),
    "The scale never goes below 1. One of these gradients is too large as it is.",
)
mistake.value(
    "not_a_power_of_two",
    lambda g: _LARGEST / g.abs().max().item(),
    "That is not a power of two. Another factor would round every gradient once more.",
    also=(lambda g: math.floor(_LARGEST / g.abs().max().item()),),
)
mistake.value(
    "exponent",
    lambda g: math.log2(_scale(g)),
    "That is the exponent. The scale is 2 to that power.",
)
mistake.value(
    "smallest_gradient",
    lambda g: _below(_LARGEST / g[g != 0].abs().min().item()),
    "The smallest gradient was made to fit. The largest overflows first.",
)
mistake.value(
    "mean_gradient",
    lambda g: _below(_LARGEST / g.abs().mean().item()),
    "The mean magnitude was made to fit. Every single gradient has to.",
)
mistake.value(
    "limit_of_bfloat16",
    lambda g: _below(torch.finfo(torch.bfloat16).max / g.abs().max().item()),
    "That is the range of float32 and of bfloat16. float16 ends much earlier.",
)
mistake.value(
    "largest_becomes_one",
    lambda g: _below(1 / g.abs().max().item()),
    "With this scale the largest gradient is at most 1. float16 goes much further.",
)
mistake.value(
    "inverse",
    lambda g: 1 / _scale(g),
    "That is one divided by the scale: what the gradient is multiplied by on the way back.",
)


@later
def cases():
    return (
        Case((torch.tensor([0.5]),)),
        Case((torch.tensor([3.0, -40, 0.1]),)),
        Case((torch.tensor([1e-8, -2e-5, 7e-3]),)),
        Case((torch.tensor([[1.5, -0.2], [0.0, 0.7]]),)),
        Case((torch.tensor([-300_000.0, 2.0]),)),
        Case((torch.tensor([1.0, 2.0, 4.0]),)),
    )


loss_scale = Exercise(
    name="loss_scale",
    lesson=SHORTER,
    reference=_scale,
    cases=cases,
    mistakes=mistake,
)

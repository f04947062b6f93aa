"""Lesson 04, exercise 5: A leaky ReLU."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, guard, later

RULE = "lesson 04, 'Teach PyTorch a rule'"


class _Passes:
    """Calls both passes of a `torch.autograd.Function`."""

    def __init__(self, function):
        self.function = function
        # Where the student's code stands, so that a crash is reported with their line.
        self.__code__ = function.forward.__code__

    def __call__(self, z, slope, grad_output):
        if guard.is_stub(self.function.forward):
            return NotImplemented
        leaf = z.clone().requires_grad_()
        output = self.function.apply(leaf, slope)
        if output is None or guard.is_stub(self.function.backward):
            return output if output is None else (output.detach(), torch.zeros_like(z))
        return output.detach(), torch.autograd.grad(output, leaf, grad_output)[0]


def _passes(function):
    if not isinstance(function, type) or not issubclass(function, torch.autograd.Function):
        raise ValueError("A class made from torch.autograd.Function is checked here: pass it as is")
    return _Passes(function)


def _leak(z, slope, one):
    """`one` where z is positive, slope · one elsewhere."""
    return torch.where(z > 0, one, slope * one)


def _leaky(forward=lambda z, slope: _leak(z, slope, z), backward=_leak):
    """A leaky ReLU, with both passes open to be got wrong."""

    class Leaky(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z, slope):
            ctx.save_for_backward(z)
            ctx.slope = slope
            return forward(z, slope)

        @staticmethod
        def backward(ctx, grad_output):
            (z,) = ctx.saved_tensors
            return backward(z, ctx.slope, grad_output), None

    return Leaky


_AS_RELU = "Where z is not positive, no gradient comes back: that is the gate of the plain ReLU."


mistake = Mistakes()
mistake.value("plain_gate", _leaky(backward=lambda z, s, g: g * (z > 0)), _AS_RELU)
mistake.value(
    "grad_output_ignored",
    _leaky(backward=lambda z, s, g: _leak(z, s, torch.ones_like(g))),
    "That is the slope alone. Multiply it by the gradient that comes from behind.",
)
mistake.value(
    "gate_asks_the_gradient",
    _leaky(backward=lambda z, s, g: _leak(g, s, g)),
    "The gate asks whether the gradient is positive. It has to ask z.",
)
mistake.value(
    "no_gradient",
    _leaky(backward=lambda z, s, g: torch.zeros_like(g)),
    "The forward pass is right, but no gradient comes back: write `backward` too.",
)
mistake.value(
    "always_open",
    _leaky(backward=lambda z, s, g: g.clone()),
    "The gradient passes unchanged everywhere. Where z is not positive, the slope is another one.",
)
mistake.value(
    "sides_swapped",
    _leaky(
        lambda z, s: torch.where(z > 0, s * z, z),
        lambda z, s, g: torch.where(z > 0, s * g, g),
    ),
    "The two sides are swapped: positive numbers pass as they are.",
    also=(_leaky(backward=lambda z, s, g: torch.where(z > 0, s * g, g)),),
)
mistake.value(
    "at_zero",
    _leaky(backward=lambda z, s, g: torch.where(z >= 0, g, s * g)),
    "At z = 0 the gradient passes unchanged. 0 is not positive.",
)
mistake.value(
    "plain_relu",
    _leaky(lambda z, s: z.clamp(min=0), lambda z, s, g: g * (z > 0)),
    "That is the plain ReLU: elsewhere it should give slope · z, not 0.",
    also=(_leaky(lambda z, s: z.clamp(min=0)),),
)
mistake.value(
    "slope_for_value",
    _leaky(lambda z, s: torch.where(z > 0, z, torch.full_like(z, s))),
    "Where z is not positive, forward gives the slope alone. Multiply it by z.",
)
mistake.value(
    "value_for_slope",
    _leaky(backward=lambda z, s, g: g * _leak(z, s, z)),
    "The gradient is multiplied by the output. It should be by the slope at that place.",
)
mistake.value(
    "slope_fixed",
    _leaky(lambda z, s: _leak(z, 0.01, z), lambda z, s, g: _leak(z, 0.01, g)),
    "The slope is always the same number. Use the argument `slope`.",
    also=(_leaky(lambda z, s: _leak(z, 0.1, z), lambda z, s, g: _leak(z, 0.1, g)),),
)


@later
def cases():
    z = torch.tensor([[-4.0, 2], [0.5, -1]]).double()
    back = torch.tensor([[3.0, -5], [7, -2]]).double()
    row = torch.tensor([-3.0, -0.25, 0, 0.25, 3])
    return (
        Case((z, 0.25, back)),
        Case((z, 0.5, torch.ones_like(z))),
        Case((row, 0.1, torch.arange(1.0, 6))),
        Case((z.reshape(1, 1, 2, 2), 0.0, back.reshape(1, 1, 2, 2))),
    )


leaky_relu_function = Exercise(
    name="leaky_relu_function",
    lesson=RULE,
    reference=_leaky(),
    prepare=_passes,
    cases=cases,
    mistakes=mistake,
)

"""The exercises of lesson 04 that use autograd: a rule of one's own, and a kernel that learns."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistake, guard

RULE = "lesson 04, 'Teach PyTorch a rule'"
LEARNS = "lesson 04, 'A kernel learns'"

# ---- a rule of one's own ------------------------------------------------------------------------


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


_Z = torch.tensor([[-4.0, 2], [0.5, -1]]).double()
_BACK = torch.tensor([[3.0, -5], [7, -2]]).double()
_ROW = torch.tensor([-3.0, -0.25, 0, 0.25, 3])
_AS_RELU = "Where z is not positive, no gradient comes back: that is the gate of the plain ReLU."

leaky_relu_function = Exercise(
    name="leaky_relu_function",
    lesson=RULE,
    reference=_leaky(),
    prepare=_passes,
    cases=(
        Case((_Z, 0.25, _BACK)),
        Case((_Z, 0.5, torch.ones_like(_Z))),
        Case((_ROW, 0.1, torch.arange(1.0, 6))),
        Case((_Z.reshape(1, 1, 2, 2), 0.0, _BACK.reshape(1, 1, 2, 2))),
    ),
    mistakes=(
        Mistake("plain_gate", _leaky(backward=lambda z, s, g: g * (z > 0)), _AS_RELU),
        Mistake(
            "grad_output_ignored",
            _leaky(backward=lambda z, s, g: _leak(z, s, torch.ones_like(g))),
            "That is the slope alone. Multiply it by the gradient that comes from behind.",
        ),
        Mistake(
            "gate_asks_the_gradient",
            _leaky(backward=lambda z, s, g: _leak(g, s, g)),
            "The gate asks whether the gradient is positive. It has to ask z.",
        ),
        Mistake(
            "no_gradient",
            _leaky(backward=lambda z, s, g: torch.zeros_like(g)),
            "The forward pass is right, but no gradient comes back: write `backward` too.",
        ),
        Mistake(
            "always_open",
            _leaky(backward=lambda z, s, g: g.clone()),
            "The gradient passes unchanged everywhere. Where z is not positive, the slope is "
            "another one.",
        ),
        Mistake(
            "sides_swapped",
            _leaky(
                lambda z, s: torch.where(z > 0, s * z, z),
                lambda z, s, g: torch.where(z > 0, s * g, g),
            ),
            "The two sides are swapped: positive numbers pass as they are.",
            also=(_leaky(backward=lambda z, s, g: torch.where(z > 0, s * g, g)),),
        ),
        Mistake(
            "at_zero",
            _leaky(backward=lambda z, s, g: torch.where(z >= 0, g, s * g)),
            "At z = 0 the gradient passes unchanged. 0 is not positive.",
        ),
        Mistake(
            "plain_relu",
            _leaky(lambda z, s: z.clamp(min=0), lambda z, s, g: g * (z > 0)),
            "That is the plain ReLU: elsewhere it should give slope · z, not 0.",
            also=(_leaky(lambda z, s: z.clamp(min=0)),),
        ),
        Mistake(
            "slope_for_value",
            _leaky(lambda z, s: torch.where(z > 0, z, torch.full_like(z, s))),
            "Where z is not positive, forward gives the slope alone. Multiply it by z.",
        ),
        Mistake(
            "value_for_slope",
            _leaky(backward=lambda z, s, g: g * _leak(z, s, z)),
            "The gradient is multiplied by the output. It should be by the slope at that place.",
        ),
        Mistake(
            "slope_fixed",
            _leaky(lambda z, s: _leak(z, 0.01, z), lambda z, s, g: _leak(z, 0.01, g)),
            "The slope is always the same number. Use the argument `slope`.",
            also=(_leaky(lambda z, s: _leak(z, 0.1, z), lambda z, s, g: _leak(z, 0.1, g)),),
        ),
    ),
)

# ---- gradient descent ---------------------------------------------------------------------------


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


learn_kernel = Exercise(
    name="learn_kernel",
    lesson=LEARNS,
    reference=_descend,
    cases=(
        Case((*_lesson(1, 1, 4, 4, seed=1), 0.1, 1)),
        Case((*_lesson(1, 1, 4, 5, seed=2), 0.05, 2)),
        Case((*_lesson(2, 1, 6, 5, seed=3), 0.1, 5)),
        Case((*_lesson(1, 1, 7, 7, seed=4, dtype=torch.float32), 0.02, 3)),
    ),
    mistakes=(
        Mistake(
            "uphill",
            _descend_with(turn=-1.0),
            "The kernel goes with the gradient, uphill. Subtract it.",
        ),
        Mistake(
            "gradients_pile_up",
            _descend_with(keep=1.0),
            "The gradients of all steps pile up: `backward()` adds to what is in `.grad`.",
        ),
        Mistake(
            "one_step_too_few",
            lambda x, t, lr, steps: _descend(x, t, lr, steps - 1),
            "One step is missing.",
        ),
        Mistake(
            "one_step_too_many",
            lambda x, t, lr, steps: _descend(x, t, lr, steps + 1),
            "That is one step too many.",
        ),
        Mistake(
            "only_one_step",
            lambda x, t, lr, steps: _descend(x, t, lr, 1),
            "Every step begins at zeros again: the kernel has to be made before the loop.",
        ),
        Mistake(
            "sum_of_squares",
            _descend_with(loss=lambda y, t: (y - t).square().sum()),
            "The squares are summed. The loss is their mean, so the gradient is smaller.",
            also=(_descend_with(loss=lambda y, t: (y - t).square().sum() / len(y)),),
        ),
        Mistake(
            "two_forgotten",
            _descend_with(turn=0.5),
            "Every step is half as long as it should be: a square has the slope 2(y − t).",
        ),
        Mistake(
            "lr_ignored",
            lambda x, t, lr, steps: _descend(x, t, 1.0, steps),
            "The learning rate is missing.",
            also=(lambda x, t, lr, steps: _descend(x, t, 0.1, steps),),
        ),
        Mistake(
            "not_squared",
            _descend_with(loss=lambda y, t: (y - t).mean()),
            "The differences are not squared, so positive and negative ones cancel.",
        ),
        Mistake(
            "absolute_difference",
            _descend_with(loss=lambda y, t: (y - t).abs().mean()),
            "That is the mean absolute difference. The loss here is the mean of the squares.",
        ),
        Mistake(
            "root_taken",
            _descend_with(loss=lambda y, t: _mean_square(y, t).sqrt()),
            "A root was taken of the mean. The loss is the mean of the squares itself.",
        ),
        Mistake(
            "starts_elsewhere",
            _descend_with(start=1.0),
            "The search starts with ones. Let it start with zeros, so that all get the same.",
        ),
        Mistake(
            "momentum",
            _descend_with(keep=0.9),
            "A part of the last step is kept. That is momentum, of lesson 05; the plain step is "
            "asked for.",
        ),
    ),
)

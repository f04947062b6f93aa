"""A2 · Gradients, swish and Nesterov's momentum: what the students never see."""

import torch

from course_utils.checks import Case, Exercise, Mistake
from hidden.a2 import AUTOGRAD

CHAIN = "lesson 04, 'Back by the chain rule'"
MOMENTUM = "lesson 05, 'Momentum'"


def _numbers(*shape, seed=0):
    """Small whole numbers, so that faults can be followed with a pencil."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-4, 10, shape, generator=generator).double()


def _random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


# ---- task 5: swish ------------------------------------------------------------------------------


def _swish(
    inner=lambda s: s * (1 - s),
    to_x=lambda x, beta, s, slope: s + beta * x * slope,
    to_beta=lambda x, beta, s, slope: x**2 * slope,
    collect=torch.sum,
    back=lambda grad_output: (grad_output, grad_output),
    sigmoid=torch.sigmoid,
    gate=lambda x, beta: beta * x,
):
    """grad_x and grad_beta, with each part of the rule open to be got wrong."""

    def answer(grad_output, x, beta=1.0):
        s = sigmoid(gate(x, beta))
        slope = inner(s)
        one, other = back(grad_output)
        return one * to_x(x, beta, s, slope), collect(other * to_beta(x, beta, s, slope))

    return answer


_right_swish = _swish()


def _swish_backward(grad_output, x, beta=1.0):
    return _right_swish(grad_output, x, beta)


def _beta_ignored(grad_output, x, beta=1.0):
    return _right_swish(grad_output, x, 1.0)


def _beta_in_the_sigmoid_ignored(grad_output, x, beta=1.0):
    return _swish(gate=lambda x, beta: x)(grad_output, x, beta)


swish_backward = Exercise(
    name="swish_backward",
    lesson=CHAIN,
    reference=_swish_backward,
    hidden=True,
    without=AUTOGRAD,
    cases=(
        Case((torch.tensor([3.0]).double(), torch.tensor([0.0]).double())),
        Case((torch.tensor([1.0, 1]).double(), torch.tensor([1.0, -2]).double())),
        Case((torch.tensor([3.0, -1]).double(), torch.tensor([0.5, 2]).double()), {"beta": 2.0}),
        Case((_random(2, 3, seed=1), _random(2, 3, seed=2)), {"beta": 0.5}),
        Case((_random(4, seed=3), 2 * _random(4, seed=4)), {"beta": -1.5}),
        Case((_random(2, 2, 3, 1, seed=5), _random(2, 2, 3, 1, seed=6)), {"beta": 3.0}),
        Case((_random(3, seed=7), _random(3, seed=8)), {"beta": 0.0}),
        Case((_random(2, 2, seed=9).float(), _random(2, 2, seed=10).float())),
        Case((torch.tensor([1.0, 2]).double(), torch.tensor([1000.0, -1000]).double())),
    ),
    mistakes=(
        Mistake(
            "product_rule_forgotten",
            _swish(to_x=lambda x, beta, s, slope: s),
            "x is used twice, and in grad_x one of its two ways is missing.",
            also=(
                _swish(to_x=lambda x, beta, s, slope: beta * x * slope),
                _swish(to_x=lambda x, beta, s, slope: x * slope),
            ),
        ),
        Mistake(
            "inner_slope_lost",
            _swish(to_x=lambda x, beta, s, slope: s + x * slope),
            "In grad_x a factor is missing: when x grows by 1, by how much does beta · x grow?",
        ),
        Mistake(
            "x_lost",
            _swish(to_x=lambda x, beta, s, slope: s + beta * slope),
            "In grad_x, the way through the sigmoid lost the factor that the sigmoid is multiplied "
            "by.",
            also=(_swish(to_x=lambda x, beta, s, slope: s + slope),),
        ),
        Mistake(
            "slope_of_a_product",
            _swish(to_x=lambda x, beta, s, slope: slope),
            "In grad_x the slopes of x and of the sigmoid are multiplied. A product gives each "
            "factor the other one.",
            also=(_swish(to_x=lambda x, beta, s, slope: beta * slope),),
        ),
        Mistake(
            "beta_not_summed",
            _swish(collect=lambda parts: parts),
            "grad_beta has the shape of x. There is one beta, used by every cell of x.",
        ),
        Mistake(
            "beta_averaged",
            _swish(collect=torch.mean),
            "grad_beta is a mean over the cells. What a number gets from all its uses is added.",
        ),
        Mistake(
            "beta_factor_lost",
            _swish(to_beta=lambda x, beta, s, slope: x * slope),
            "In grad_beta a factor is missing: x stands in front of the sigmoid, and beside beta.",
            also=(_swish(to_beta=lambda x, beta, s, slope: slope),),
        ),
        Mistake(
            "beta_as_x",
            _swish(to_beta=lambda x, beta, s, slope: beta * x * slope),
            "In grad_beta the factor beside x was taken, where the one beside beta belongs.",
            also=(_swish(to_beta=lambda x, beta, s, slope: s + beta * x * slope),),
        ),
        Mistake(
            "beta_without_slope",
            _swish(to_beta=lambda x, beta, s, slope: x**2 * s),
            "In grad_beta the sigmoid itself stands in the place of its slope.",
            also=(_swish(to_beta=lambda x, beta, s, slope: x * s),),
        ),
        Mistake(
            "beta_ignored",
            _beta_ignored,
            "It is right for beta = 1 only.",
            also=(_beta_in_the_sigmoid_ignored,),
        ),
        Mistake(
            "wrong_slope_of_the_sigmoid",
            _swish(inner=lambda s: 1 - s),
            "The slope of the sigmoid is another one: s · (1 − s) for s = sigmoid(beta · x).",
            also=(
                _swish(inner=lambda s: s),
                _swish(inner=lambda s: s**2),
                _swish(inner=lambda s: s * (1 + s)),
                _swish(inner=lambda s: 1 - s**2),
                _swish(inner=lambda s: s * (s - 1)),
            ),
        ),
        Mistake(
            "grad_output_ignored",
            _swish(back=lambda g: (torch.ones_like(g), torch.ones_like(g))),
            "`grad_output` plays no part, or only in one of the two gradients.",
            also=(
                _swish(back=lambda g: (g, torch.ones_like(g))),
                _swish(back=lambda g: (torch.ones_like(g), g)),
            ),
        ),
        Mistake(
            "grad_output_summed",
            _swish(back=lambda g: (g.sum(), g)),
            "Each cell of x gets all of `grad_output`. It has only its own output cell.",
            also=(_swish(back=lambda g: (g.sum(), g.sum())),),
        ),
        Mistake(
            "order_swapped",
            lambda grad_output, x, beta=1.0: _right_swish(grad_output, x, beta)[::-1],
            "The order is turned round: grad_x comes first.",
        ),
        Mistake(
            "overflows",
            _swish(sigmoid=lambda z: z.exp() / (1 + z.exp())),
            "For a large x the result is nan: a power of e became infinite on the way.",
            also=(_swish(sigmoid=lambda z: 1 - (-z).exp() / (1 + (-z).exp())),),
        ),
    ),
)


# ---- task 6: Nesterov's momentum ----------------------------------------------------------------


def _nesterov(
    decayed=lambda grad, w, decay, lr: grad + decay * w,
    first=lambda g, mu: g,
    fade=lambda buffer, g, mu, lr: mu * buffer + g,
    ahead=lambda g, v, mu, grad, buffer: g + mu * v,
    go=lambda w, step, lr, decay: w - lr * step,
    kept=lambda v, step, buffer, g: v,
):
    """The new parameter and buffer, with each part of the rule open to be got wrong."""

    def answer(parameter, grad, buffer, lr, momentum, weight_decay=0.0):
        g = decayed(grad, parameter, weight_decay, lr)
        v = first(g, momentum) if buffer is None else fade(buffer, g, momentum, lr)
        step = ahead(g, v, momentum, grad, buffer)
        new = go(parameter, step, lr, weight_decay)
        return new, kept(v, step, buffer, g)

    return answer


_right_nesterov = _nesterov()


def _nesterov_step(parameter, grad, buffer, lr, momentum, weight_decay=0.0):
    return _right_nesterov(parameter, grad, buffer, lr, momentum, weight_decay)


def _first_step_plain(parameter, grad, buffer, lr, momentum, weight_decay=0.0):
    if buffer is None:
        g = grad + weight_decay * parameter
        return parameter - lr * g, g
    return _right_nesterov(parameter, grad, buffer, lr, momentum, weight_decay)


def _momentum_fixed(parameter, grad, buffer, lr, momentum, weight_decay=0.0):
    return _right_nesterov(parameter, grad, buffer, lr, 0.9, weight_decay)


def _lr_inside(parameter, grad, buffer, lr, momentum, weight_decay=0.0):
    g = grad + weight_decay * parameter
    v = lr * g if buffer is None else momentum * buffer + lr * g
    return parameter - lr * g - momentum * v, v


def _lr_twice(parameter, grad, buffer, lr, momentum, weight_decay=0.0):
    g = grad + weight_decay * parameter
    v = lr * g if buffer is None else momentum * buffer + lr * g
    return parameter - lr * (g + momentum * v), v


def _decoupled(w, step, lr, decay):
    return (1 - lr * decay) * w - lr * step


_plain = {"decayed": lambda grad, w, decay, lr: grad}

nesterov_step = Exercise(
    name="nesterov_step",
    lesson=MOMENTUM,
    reference=_nesterov_step,
    hidden=True,
    without=(*AUTOGRAD, "_log_api_usage_once", "_fused_sgd_"),
    cases=(
        Case((*torch.tensor([[1.0], [2]]).double(), None, 0.1, 0.5)),
        Case((*torch.tensor([[1.0, -2], [2, 1], [4, -3]]).double(), 0.1, 0.5)),
        Case((*torch.tensor([[3.0, -2], [2, 1]]).double(), None, 0.5, 0.8, 0.25)),
        Case((*_numbers(3, 2, 3, seed=1), 0.5, 0.75), {"weight_decay": 0.25}),
        Case((*_random(3, 4, 2, 3, 3, seed=2), 0.05, 0.9), {"weight_decay": 0.01}),
        Case((*_random(2, 5, seed=3), None, 0.02, 0.95)),
        Case((*_random(3, 5, seed=4).float(), 0.02, 0.95, 0.1)),
    ),
    mistakes=(
        Mistake(
            "plain_momentum",
            _nesterov(ahead=lambda g, v, mu, grad, buffer: v),
            "That is plain momentum. Nesterov's goes from the new buffer one step ahead.",
        ),
        Mistake(
            "no_momentum",
            _nesterov(ahead=lambda g, v, mu, grad, buffer: g),
            "The buffer is kept, but the step goes along the gradient alone.",
        ),
        Mistake(
            "gradient_left_out",
            _nesterov(ahead=lambda g, v, mu, grad, buffer: mu * v),
            "The step goes along momentum times the buffer. The gradient belongs to it once more.",
        ),
        Mistake(
            "buffer_not_faded_ahead",
            _nesterov(ahead=lambda g, v, mu, grad, buffer: g + v),
            "In the step the new buffer counts in full. It fades there, too.",
        ),
        Mistake(
            "momentum_on_the_gradient",
            _nesterov(ahead=lambda g, v, mu, grad, buffer: mu * g + v),
            "In the step the momentum is multiplied to the gradient, and should be to the buffer.",
        ),
        Mistake(
            "first_step_plain",
            _first_step_plain,
            "The first step is plain SGD. It looks ahead like all others; only its buffer is new.",
        ),
        Mistake(
            "first_twice",
            _nesterov(first=lambda g, mu: (1 + mu) * g),
            "The first gradient is in the first buffer more than once.",
        ),
        Mistake(
            "first_damped",
            _nesterov(first=lambda g, mu: (1 - mu) * g),
            "The first gradient is in the first buffer only in part.",
            also=(_nesterov(first=lambda g, mu: mu * g), _nesterov(first=lambda g, mu: 0 * g)),
        ),
        Mistake(
            "damped",
            _nesterov(
                first=lambda g, mu: (1 - mu) * g,
                fade=lambda buffer, g, mu, lr: mu * buffer + (1 - mu) * g,
            ),
            "The new gradient is multiplied by 1 − momentum. Here it goes into the buffer whole.",
            also=(_nesterov(fade=lambda buffer, g, mu, lr: mu * buffer + (1 - mu) * g),),
        ),
        Mistake(
            "buffer_never_fades",
            _nesterov(fade=lambda buffer, g, mu, lr: buffer + g),
            "The old buffer does not fade: it is multiplied by the momentum before it is used.",
            also=(_nesterov(fade=lambda buffer, g, mu, lr: buffer + mu * g),),
        ),
        Mistake(
            "weight_decay_ignored",
            _nesterov(**_plain),
            "The weight decay plays no part.",
        ),
        Mistake(
            "weight_decay_decoupled",
            _nesterov(**_plain, go=_decoupled),
            "The weight decay goes past the buffer, as in AdamW. In SGD it is a part of the "
            "gradient.",
        ),
        Mistake(
            "weight_decay_times_lr",
            _nesterov(decayed=lambda grad, w, decay, lr: grad + lr * decay * w),
            "The weight decay is multiplied by lr on its way into the gradient. lr comes with the "
            "step.",
        ),
        Mistake(
            "weight_decay_turned",
            _nesterov(decayed=lambda grad, w, decay, lr: grad - decay * w),
            "The weight decay makes the weights larger: its sign is turned.",
        ),
        Mistake(
            "lr_in_the_buffer",
            _nesterov(fade=lambda buffer, g, mu, lr: mu * buffer + lr * g),
            "The learning rate is in the buffer. In PyTorch it only scales the step.",
            also=(_lr_inside, _lr_twice),
        ),
        Mistake(
            "step_kept",
            _nesterov(kept=lambda v, step, buffer, g: step),
            "What is handed back as the buffer is the step. The next one needs the buffer itself.",
        ),
        Mistake(
            "old_buffer_kept",
            _nesterov(kept=lambda v, step, buffer, g: g if buffer is None else buffer),
            "The buffer that is handed back is the old one.",
            also=(_nesterov(kept=lambda v, step, buffer, g: g),),
        ),
        Mistake(
            "uphill",
            _nesterov(go=lambda w, step, lr, decay: w + lr * step),
            "The step goes uphill: the gradient points to where the loss grows.",
        ),
        Mistake(
            "step_returned",
            _nesterov(go=lambda w, step, lr, decay: -lr * step),
            "That is the step alone. Return the place where it leads from the old parameter.",
            also=(_nesterov(go=lambda w, step, lr, decay: lr * step),),
        ),
        Mistake(
            "lr_forgotten",
            _nesterov(go=lambda w, step, lr, decay: w - step),
            "The learning rate plays no part.",
        ),
        Mistake(
            "momentum_fixed",
            _momentum_fixed,
            "It is right for a momentum of 0.9 only. Use the argument.",
        ),
        Mistake(
            "order_swapped",
            lambda *args, **kwargs: _right_nesterov(*args, **kwargs)[::-1],
            "The order is turned round: the parameter comes first.",
        ),
    ),
)

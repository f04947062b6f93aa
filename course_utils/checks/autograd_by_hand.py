"""The exercises of lesson 04 that need a pencil: the gradients of a graph, and back to an image."""

import torch
import torch.nn.functional as F

from course_utils import ops
from course_utils.checks.engine import Case, Exercise, Mistake

CHAIN = "lesson 04, 'Back by the chain rule'"
IMAGE = "lesson 04, 'To the image'"

# ---- the graph of five operations ---------------------------------------------------------------


def _graph(
    x,
    w,
    b,
    square=lambda e: 2 * e,
    gate=lambda z, a, back: back if z > 0 else 0.0,
    product=lambda p, w, x: (p * x, p * w),
    bias=lambda p, b: p,
    direct=lambda e: -e,
):
    """The seven gradients, with each operation's rule open to be got wrong."""
    z = w * x + b
    a = max(z, 0.0)
    back = square(a - x)
    dz = gate(z, a, back)
    dw, dx = product(dz, w, x)
    return back, back, dz, dz, bias(dz, b), dw, dx + direct(back)


def _graph_with(**rules):
    return lambda x, w, b: _graph(x, w, b, **rules)


def _slopes_only(x, w, b):
    z = w * x + b
    return 2.0 * (max(z, 0.0) - x), 1.0, float(z > 0), 1.0, 1.0, x, w - 1.0


def _direct_way_gated(x, w, b):
    *others, dp, db, dw, _ = _graph(x, w, b)
    return *others, dp, db, dw, dp * w - dp


graph_gradients = Exercise(
    name="graph_gradients",
    lesson=CHAIN,
    reference=_graph,
    cases=(
        Case((2.0, 4.0, -3.0)),
        Case((1.0, 3.0, 2.0)),
        Case((3.0, 0.5, 0.25)),
        Case((2.0, 1.0, -3.0)),
        Case((-2.0, 3.0, 4.0)),
        Case((2.0, 3.0, -6.0)),
        Case((-1.5, -2.0, 0.5)),
    ),
    mistakes=(
        Mistake(
            "direct_way_lost",
            _graph_with(direct=lambda e: 0.0),
            "x is used twice, and one of the two ways back is missing in dL/dx.",
            also=(_graph_with(product=lambda p, w, x: (p * x, 0.0)),),
        ),
        Mistake(
            "minus_lost",
            _graph_with(direct=lambda e: e),
            "In e = a − x a larger x makes e smaller: that way back to x brings a minus.",
        ),
        Mistake(
            "direct_way_gated",
            _direct_way_gated,
            "The direct way from e to x goes through the ReLU here. It does not touch it.",
        ),
        Mistake(
            "factors_swapped",
            _graph_with(product=lambda p, w, x: (p * w, p * x)),
            "A factor gets the gradient times the other factor, not times itself.",
        ),
        Mistake(
            "gate_always_open",
            _graph_with(gate=lambda z, a, back: back),
            "The ReLU always lets the gradient through. Where z is not positive it is shut.",
        ),
        Mistake(
            "relu_at_zero",
            _graph_with(gate=lambda z, a, back: back if z >= 0 else 0.0),
            "At z = 0 the gradient passes here. PyTorch shuts the gate there.",
        ),
        Mistake(
            "two_forgotten",
            _graph_with(square=lambda e: e),
            "The slope of e² is not e.",
        ),
        Mistake(
            "loss_for_slope",
            _graph_with(square=lambda e: e**2),
            "dL/de is the loss itself here. How much does e² grow when e grows a little?",
        ),
        Mistake(
            "gate_asks_the_gradient",
            _graph_with(gate=lambda z, a, back: back if back > 0 else 0.0),
            "The gate asks whether the gradient is positive. It has to ask z.",
        ),
        Mistake(
            "value_for_slope",
            _graph_with(gate=lambda z, a, back: back * a),
            "The gradient is multiplied by what came out of the ReLU. It should be by the slope.",
        ),
        Mistake(
            "bias_multiplied",
            _graph_with(bias=lambda p, b: p * b),
            "dL/db is multiplied by b. A sum passes the gradient on as it is.",
        ),
        Mistake(
            "not_chained",
            _slopes_only,
            "Those are the slopes of the single operations. Each has to be multiplied by the "
            "gradient that comes back from the operation after it.",
        ),
        Mistake(
            "numbers_of_the_text",
            lambda x, w, b: (6.0, 6.0, 6.0, 6.0, 6.0, 12.0, 18.0),
            "Those are always the numbers of the example. Compute them from x, w and b.",
        ),
        Mistake(
            "from_the_front",
            lambda x, w, b: _graph(x, w, b)[::-1],
            "The numbers are right, but their order is turned round: dL/de comes first.",
        ),
    ),
)

# ---- back to the image, with a pencil -----------------------------------------------------------

HAND_KERNEL = torch.tensor([[1.0, 2], [3, 4]])
HAND_GRADIENT = torch.tensor([[1.0, -1], [2, 0]])


def _laid(kernel=HAND_KERNEL, gradient=HAND_GRADIENT):
    """The kernel laid down for every output cell, times its gradient."""
    return F.conv_transpose2d(gradient[None, None], kernel[None, None])[0, 0]


def _overwritten(order):
    grid = torch.zeros(3, 3)
    for i, j in order:
        grid[i : i + 2, j : j + 2] = HAND_GRADIENT[i, j] * HAND_KERNEL
    return grid


_READING = [(0, 0), (0, 1), (1, 0), (1, 1)]

image_gradient_by_hand = Exercise(
    name="image_gradient_by_hand",
    lesson=IMAGE,
    reference=_laid().long(),
    mistakes=(
        Mistake(
            "overwritten",
            _overwritten(_READING),
            "Where copies overlap, only one of them is left. They have to be added.",
            also=(_overwritten(_READING[:3]), _overwritten(_READING[::-1])),
        ),
        Mistake(
            "flipped_kernel",
            _laid(HAND_KERNEL.flip(0, 1)),
            "The kernel was laid down turned by 180°. Each copy lies as it lay on the way forward.",
        ),
        Mistake(
            "gradients_ignored",
            _laid(gradient=torch.ones(2, 2)),
            "Each copy counts once here. It has to be multiplied by the gradient of its cell.",
        ),
        Mistake(
            "sign_lost",
            _laid(gradient=HAND_GRADIENT.abs()),
            "The −1 was taken for 1.",
        ),
        Mistake(
            "last_copy_counted",
            _laid(gradient=torch.tensor([[1.0, -1], [2, 1]])),
            "The copy at the bottom right was added once. Its gradient is 0.",
        ),
        Mistake(
            "transposed_gradient",
            _laid(gradient=HAND_GRADIENT.T),
            "Two copies have changed places: y[0, 1] lies to the right of y[0, 0].",
        ),
        Mistake(
            "transposed_kernel",
            _laid(HAND_KERNEL.T),
            "Rows and columns of the kernel are swapped.",
        ),
        Mistake(
            "turned_gradient",
            _laid(gradient=HAND_GRADIENT.flip(0, 1)),
            "The copies lie in the wrong corners: y[0, 0] came from the window at the upper left.",
        ),
        Mistake(
            "gradient_of_the_kernel",
            ops.conv2d(torch.arange(1.0, 10).reshape(1, 3, 3), HAND_GRADIENT[None, None])[0],
            "That is dL/dW, the gradient of the kernel. The image has nine cells.",
        ),
        Mistake(
            "averaged",
            _laid() / torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]),
            "The sums are divided by the number of copies. They stay sums.",
        ),
    ),
)

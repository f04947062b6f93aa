"""Lesson 04, exercise 1: The backward pass of the graph."""

from course_utils.checks.engine import Case, Exercise, Mistakes

CHAIN = "lesson 04, 'Back by the chain rule'"


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


mistake = Mistakes()
mistake.value(
    "direct_way_lost",
    _graph_with(direct=lambda e: 0.0),
    "x is used twice, and one of the two ways back is missing in dL/dx.",
    also=(_graph_with(product=lambda p, w, x: (p * x, 0.0)),),
)
mistake.value(
    "minus_lost",
    _graph_with(direct=lambda e: e),
    "In e = a − x a larger x makes e smaller: that way back to x brings a minus.",
)


@mistake("The direct way from e to x goes through the ReLU here. It does not touch it.")
def direct_way_gated(x, w, b):
    *others, dp, db, dw, _ = _graph(x, w, b)
    return *others, dp, db, dw, dp * w - dp


mistake.value(
    "factors_swapped",
    _graph_with(product=lambda p, w, x: (p * w, p * x)),
    "A factor gets the gradient times the other factor, not times itself.",
)
mistake.value(
    "gate_always_open",
    _graph_with(gate=lambda z, a, back: back),
    "The ReLU always lets the gradient through. Where z is not positive it is shut.",
)
mistake.value(
    "relu_at_zero",
    _graph_with(gate=lambda z, a, back: back if z >= 0 else 0.0),
    "At z = 0 the gradient passes here. PyTorch shuts the gate there.",
)
mistake.value("two_forgotten", _graph_with(square=lambda e: e), "The slope of e² is not e.")
mistake.value(
    "loss_for_slope",
    _graph_with(square=lambda e: e**2),
    "dL/de is the loss itself here. How much does e² grow when e grows a little?",
)
mistake.value(
    "gate_asks_the_gradient",
    _graph_with(gate=lambda z, a, back: back if back > 0 else 0.0),
    "The gate asks whether the gradient is positive. It has to ask z.",
)
mistake.value(
    "value_for_slope",
    _graph_with(gate=lambda z, a, back: back * a),
    "The gradient is multiplied by what came out of the ReLU. It should be by the slope.",
)
mistake.value(
    "bias_multiplied",
    _graph_with(bias=lambda p, b: p * b),
    "dL/db is multiplied by b. A sum passes the gradient on as it is.",
)


@mistake(
    "Those are the slopes of the single operations. Each has to be multiplied by the "
    "gradient that comes back from the operation after it."
)
def not_chained(x, w, b):
    z = w * x + b
    return 2.0 * (max(z, 0.0) - x), 1.0, float(z > 0), 1.0, 1.0, x, w - 1.0


mistake.value(
    "numbers_of_the_text",
    lambda x, w, b: (6.0, 6.0, 6.0, 6.0, 6.0, 12.0, 18.0),
    "Those are always the numbers of the example. Compute them from x, w and b.",
)
mistake.value(
    "from_the_front",
    lambda x, w, b: _graph(x, w, b)[::-1],
    "The numbers are right, but their order is turned round: dL/de comes first.",
)


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
    mistakes=mistake,
)

"""A2 · Gradients, the answers by hand: what the students never see.

The right answer depends on the student: each of `BY_HAND` takes the id and returns an `Exercise`.
"""

import torch
import torch.nn.functional as F

from course_utils.assignments.own_numbers import a2_convolution, a2_graph
from course_utils.checks import Exercise, Mistake

CHAIN = "lesson 04, 'Back by the chain rule'"
KERNEL = "lesson 04, 'To the kernel'"
IMAGE = "lesson 04, 'To the image'"

# ---- task 1, by hand: p = u·v, z = p + c, r = ReLU(z), e = r − k·p, L = e² ----------------------


def _graph(
    own,
    c="c",
    value=lambda z: max(z, 0),
    square=lambda e: 2 * e,
    to_r=lambda e: e,
    gate=lambda z, back: back if z > 0 else 0,
    to_p=lambda z, e, own: z - own["k"] * e,
    product=lambda p, u, v: (p * v, p * u),
):
    """The six gradients, with each operation's rule open to be got wrong."""
    u, v, k = own["u"], own["v"], own["k"]
    z = u * v + own[c]
    grad_e = square(value(z) - k * u * v)
    grad_r = to_r(grad_e)
    grad_z = gate(z, grad_r)
    grad_p = to_p(grad_z, grad_e, own)
    return [grad_e, grad_r, grad_z, grad_p, *product(grad_p, u, v)]


def _slopes_only(own):
    e = max(own["u"] * own["v"] + own["c"], 0) - own["k"] * own["u"] * own["v"]
    return [2 * e, 1, 1, 1 - own["k"], own["v"], own["u"]]


def _values(own):
    p = own["u"] * own["v"]
    z = p + own["c"]
    return [max(z, 0) - own["k"] * p, max(z, 0), z, p, own["u"], own["v"]]


def graph_gradients(student_id):
    """The check of the six gradients where the ReLU is open."""
    own = a2_graph(student_id)
    return Exercise(
        name="graph_gradients",
        lesson=CHAIN,
        reference=_graph(own),
        hidden=True,
        mistakes=(
            Mistake(
                "one_way_lost",
                _graph(own, to_p=lambda z, e, own: -own["k"] * e),
                "p is used twice, and one of its two ways back is missing in dL/dp.",
                also=(
                    _graph(own, to_p=lambda z, e, own: z),
                    _graph(own, to_p=lambda z, e, own: own["k"] * e),
                ),
            ),
            Mistake(
                "minus_lost",
                _graph(own, to_p=lambda z, e, own: z + own["k"] * e),
                "A larger k·p makes e smaller: that way back to p brings a minus.",
            ),
            Mistake(
                "factor_lost",
                _graph(own, to_p=lambda z, e, own: z - e),
                "In e the number p stands k times. That way back has the slope −k, not −1.",
            ),
            Mistake(
                "factors_swapped",
                _graph(own, product=lambda p, u, v: (p * u, p * v)),
                "In a product, a factor gets the gradient times the other factor.",
            ),
            Mistake(
                "product_as_a_sum",
                _graph(own, product=lambda p, u, v: (p, p)),
                "u and v get the gradient of p as it is. That would be right for u + v.",
            ),
            Mistake(
                "two_forgotten",
                _graph(own, square=lambda e: e),
                "The slope of e² is not e.",
            ),
            Mistake(
                "loss_for_slope",
                _graph(own, square=lambda e: e**2),
                "dL/de is the loss itself here. How much does e² grow when e grows a little?",
            ),
            Mistake(
                "value_for_slope",
                _graph(own, gate=lambda z, back: back * z),
                "At the ReLU the gradient is multiplied by the number that came out of it.",
            ),
            Mistake(
                "gate_shut",
                _graph(own, gate=lambda z, back: 0),
                "The ReLU lets nothing back here. What counts is whether its input is positive.",
            ),
            Mistake(
                "constant_multiplied",
                _graph(own, to_p=lambda z, e, own: own["c"] * z - own["k"] * e),
                "The way from z to p brings a factor c. A sum passes the gradient on as it is.",
            ),
            Mistake(
                "not_chained",
                _slopes_only(own),
                "Those are the slopes of the single operations. Each has to be multiplied by the "
                "gradient that comes back from the operation after it.",
            ),
            Mistake(
                "values_not_gradients",
                _values(own),
                "Those are the numbers of the forward pass. The gradients are asked for.",
            ),
            Mistake(
                "from_the_front",
                _graph(own)[::-1],
                "The numbers are right, but their order is turned round: dL/de comes first.",
            ),
        ),
    )


def shut_gradients(student_id):
    """The check of dL/du and dL/dv where the ReLU is shut."""
    own = a2_graph(student_id)

    def ends(c="c_shut", **rules):
        return _graph(own, c, **rules)[4:]

    open_e = _graph(own)[0] / 2
    return Exercise(
        name="shut_gradients",
        lesson=CHAIN,
        reference=ends(),
        hidden=True,
        mistakes=(
            Mistake(
                "nothing_comes_back",
                [0, 0],
                "The ReLU is shut, but it is only one of the two ways from L to p.",
            ),
            Mistake(
                "gate_open",
                ends(gate=lambda z, back: back),
                "The ReLU still lets the gradient through. Its input is negative now.",
            ),
            Mistake(
                "relu_forgotten",
                ends(value=lambda z: z, gate=lambda z, back: back),
                "There is no ReLU here, neither forward nor back: r is z, although z is negative.",
            ),
            Mistake(
                "forward_open",
                ends(value=lambda z: z),
                "On the way back the ReLU is shut, but on the way forward the negative z came "
                "through.",
            ),
            Mistake(
                "forward_not_repeated",
                ends(square=lambda e: 2 * open_e),
                "With another c, e is another number too: go forward once more.",
            ),
            Mistake(
                "same_as_before",
                ends("c"),
                "Those are the gradients of the first c.",
            ),
            Mistake(
                "minus_lost",
                ends(to_p=lambda z, e, own: z + own["k"] * e),
                "A larger k·p makes e smaller: that way back to p brings a minus.",
            ),
            Mistake(
                "factor_lost",
                ends(to_p=lambda z, e, own: z - e),
                "In e the number p stands k times. That way back has the slope −k, not −1.",
            ),
            Mistake(
                "factors_swapped",
                ends(product=lambda p, u, v: (p * u, p * v)),
                "In a product, a factor gets the gradient times the other factor.",
            ),
            Mistake(
                "product_as_a_sum",
                ends(product=lambda p, u, v: (p, p)),
                "u and v get the gradient of p as it is. That would be right for u + v.",
            ),
            Mistake(
                "two_forgotten",
                ends(square=lambda e: e),
                "The slope of e² is not e.",
            ),
            Mistake(
                "loss_for_slope",
                ends(square=lambda e: e**2),
                "dL/de is the loss itself here. How much does e² grow when e grows a little?",
            ),
        ),
    )


# ---- task 2, by hand: back through a convolution ------------------------------------------------


def _laid(kernel, grad_output):
    """The kernel laid onto the image for every output cell, times its gradient."""
    return F.conv_transpose2d(grad_output[None, None], kernel[None, None])[0, 0]


def _overwritten(kernel, grad_output, order):
    grid = torch.zeros(3, 3, dtype=kernel.dtype)
    for i, j in order:
        grid[i : i + 2, j : j + 2] = grad_output[i, j] * kernel
    return grid


def _windows(image, grad_output):
    """The windows of the image, each times the gradient of its output cell, added up."""
    return F.conv2d(image[None, None], grad_output[None, None])[0, 0]


_READING = [(0, 0), (0, 1), (1, 0), (1, 1)]


def image_gradient(student_id):
    """The check of dL/dx, three by three."""
    image, kernel, grad = a2_convolution(student_id)
    ones = torch.ones_like(grad)
    return Exercise(
        name="image_gradient",
        lesson=IMAGE,
        reference=_laid(kernel, grad).tolist(),
        hidden=True,
        mistakes=(
            Mistake(
                "overwritten",
                _overwritten(kernel, grad, _READING),
                "Where copies of the kernel overlap, only one of them is left.",
                also=(_overwritten(kernel, grad, _READING[::-1]),),
            ),
            Mistake(
                "flipped_kernel",
                _laid(kernel.flip(0, 1), grad),
                "The kernel was laid down turned by 180°. Each copy lies as it lay on the way "
                "forward.",
            ),
            Mistake(
                "gradients_ignored",
                _laid(kernel, ones),
                "Each copy of the kernel counts once here. dL/dy plays no part.",
            ),
            Mistake(
                "sign_lost",
                _laid(kernel, grad.abs()),
                "A minus of dL/dy was lost.",
                also=(_laid(kernel.abs(), grad), _laid(kernel.abs(), grad.abs())),
            ),
            Mistake(
                "transposed_gradient",
                _laid(kernel, grad.T),
                "Two copies have changed places: y[0, 1] lies to the right of y[0, 0].",
            ),
            Mistake(
                "transposed_kernel",
                _laid(kernel.T, grad),
                "Rows and columns of the kernel are swapped.",
            ),
            Mistake(
                "turned_gradient",
                _laid(kernel, grad.flip(0, 1)),
                "The copies lie in the wrong corners: y[0, 0] came from the window at the upper "
                "left.",
            ),
            Mistake(
                "gradient_of_the_kernel",
                _windows(image, grad),
                "That is dL/dW, the gradient of the kernel. The image has nine cells.",
            ),
            Mistake(
                "averaged",
                _laid(kernel, grad) / _laid(ones, ones),
                "The sums are divided by the number of copies. They stay sums.",
            ),
            Mistake(
                "multiplied_by_the_image",
                _laid(kernel, grad) * image,
                "Every cell is multiplied by its pixel. What a pixel gets does not depend on how "
                "bright it is.",
            ),
            Mistake(
                "same_corners_only",
                grad.repeat_interleave(2, 0).repeat_interleave(2, 1)[:3, :3]
                * kernel.repeat(2, 2)[:3, :3],
                "The copies lie side by side, as with a stride of 2. Here the stride is 1.",
            ),
            Mistake(
                "transposed_output",
                _laid(kernel, grad).T,
                "The numbers are right, but rows and columns are swapped.",
            ),
        ),
    )


def kernel_gradient(student_id):
    """The check of dL/dW, two by two."""
    image, kernel, grad = a2_convolution(student_id)
    window = {(i, j): image[i : i + 2, j : j + 2] for i, j in _READING}
    return Exercise(
        name="kernel_gradient",
        lesson=KERNEL,
        reference=_windows(image, grad).tolist(),
        hidden=True,
        mistakes=(
            Mistake(
                "gradients_ignored",
                _windows(image, torch.ones_like(grad)),
                "The windows were added as they are. dL/dy plays no part.",
            ),
            Mistake(
                "turned",
                _windows(image, grad).flip(0, 1),
                "The numbers are right, but turned by 180°. W[0, 0] met the upper left of each "
                "window.",
            ),
            Mistake(
                "turned_gradient",
                _windows(image, grad.flip(0, 1)),
                "dL/dy was turned by 180°: the window at the upper left belongs to y[0, 0].",
            ),
            Mistake(
                "transposed_gradient",
                _windows(image, grad.T),
                "Two windows have changed places: that of y[0, 1] lies to the right.",
            ),
            Mistake(
                "sign_lost",
                _windows(image, grad.abs()),
                "A minus of dL/dy was lost.",
            ),
            Mistake(
                "cell_by_cell",
                grad * window[0, 0],
                "One window was multiplied cell by cell. Each of the four windows is multiplied by "
                "one number.",
            ),
            Mistake(
                "one_window_only",
                grad[1, 1] * window[1, 1],
                "Only one window is counted. All four met the kernel.",
                also=(grad[0, 0] * window[0, 0],),
            ),
            Mistake(
                "averaged",
                _windows(image, grad) / 4,
                "The sum is divided by the number of windows. It stays a sum.",
            ),
            Mistake(
                "multiplied_by_the_kernel",
                _windows(image, grad) * kernel,
                "Every cell is multiplied by its own weight. A factor gets the gradient times the "
                "other factor.",
            ),
            Mistake(
                "gradient_of_the_image",
                _laid(kernel, grad),
                "That is dL/dx, the gradient of the image. The kernel has four cells.",
            ),
            Mistake(
                "output",
                F.conv2d(image[None, None], kernel[None, None])[0, 0],
                "That is the output y of the way forward. dL/dy plays no part.",
            ),
            Mistake(
                "transposed_output",
                _windows(image, grad).T,
                "The numbers are right, but rows and columns are swapped.",
            ),
        ),
    )


BY_HAND = (graph_gradients, shut_gradients, image_gradient, kernel_gradient)

# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A2 · Gradients
#
# Two gradients with a pencil, a tool that tests any gradient, two backward passes that PyTorch
# would otherwise do for you, and the rule of an optimizer.
#
# *After lessons 04 and 05. 20 points, about 80 minutes.*
#
# | task | what | points |
# | --- | --- | --: |
# | 1 | the gradients of a small graph, by hand | 3 |
# | 2 | back through a convolution, by hand | 3 |
# | 3 | a gradient by nudges | 4 |
# | 4 | back through an average pooling | 4 |
# | 5 | back through swish | 3 |
# | 6 | Nesterov's momentum | 3 |
#
# **How it is graded.** Behind each task stands a check. It tries a few examples, as often as you
# like. When your notebook is graded, your answers meet further cases: other sizes, other numbers,
# other number types. So read the whole task, not only its examples. An answer by hand is looked at
# for its form only; whether the numbers are right is seen when it is graded.
#
# Write your code where it says `# your code here`. Use torch, but in tasks 3 to 6 do not call
# `course_utils`. The cells with checks are locked. Everywhere else you may add cells. It works in
# JupyterLab and in Colab. Before you hand it in, run it from top to bottom in a fresh kernel
# (Restart, Run All). Hand in this one file.

# %%
import torch
import torch.nn.functional as F

from course_utils import assignments, plotting
from course_utils.assignments import Case, own_numbers

# %% [markdown]
# ## Your numbers
#
# Tasks 1 and 2 have other numbers for everyone. Write the id that your teacher knows you by.

# %% answer="student_id"
student_id = "write your id here"
### BEGIN SOLUTION
student_id = "a student"
### END SOLUTION

# %% [markdown]
# ## 1 · A small graph, by hand  (3 points)
#
# Two numbers u and v go in, and two constants k and c are given. The way forward has five
# operations:
#
# | step | operation |
# | :-- | :-- |
# | 1 | p = u · v |
# | 2 | z = p + c |
# | 3 | r = ReLU(z) |
# | 4 | e = r − k · p |
# | 5 | L = e² |
#
# Mind that p is used twice. These are your numbers:

# %%
graph = own_numbers.a2_graph(student_id)
print(", ".join(f"{name} = {graph[name]}" for name in ("u", "v", "k", "c")))

# %% [markdown]
# Go forward once and write down p, z, r and e. Then go back from L, and write the six gradients
# into the list, in this order. They are whole numbers. *(2 points)*

# %% answer="graph_gradients"
graph_gradients = None  # [dL/de, dL/dr, dL/dz, dL/dp, dL/du, dL/dv]
### BEGIN SOLUTION
own = own_numbers.a2_graph(student_id)
p = own["u"] * own["v"]
grad_e = 2 * (p + own["c"] - own["k"] * p)
grad_p = grad_e - own["k"] * grad_e
graph_gradients = [grad_e, grad_e, grad_e, grad_p, grad_p * own["v"], grad_p * own["u"]]
### END SOLUTION

# %% tests="graph_gradients_hidden" points=2
# The form is checked now, the six numbers when your notebook is graded.
assignments.graded(own_numbers.form("graph_gradients", graph_gradients, (6,), student_id))
### BEGIN HIDDEN TESTS
from hidden import a2_by_hand

assignments.graded(a2_by_hand.graph_gradients(student_id)(graph_gradients))
### END HIDDEN TESTS

# %% [markdown]
# Now c becomes smaller, and nothing else changes:

# %%
print(f"c = {graph['c_shut']}, with u, v and k as before")

# %% [markdown]
# Go forward again. What are dL/du and dL/dv now? *(1 point)*

# %% answer="shut_gradients"
shut_gradients = None  # [dL/du, dL/dv]
### BEGIN SOLUTION
grad_e = 2 * (0 - own["k"] * p)
grad_p = -own["k"] * grad_e
shut_gradients = [grad_p * own["v"], grad_p * own["u"]]
### END SOLUTION

# %% tests="shut_gradients_hidden" points=1
# The form is checked now, the two numbers when your notebook is graded.
assignments.graded(own_numbers.form("shut_gradients", shut_gradients, (2,), student_id))
### BEGIN HIDDEN TESTS
from hidden import a2_by_hand

assignments.graded(a2_by_hand.shut_gradients(student_id)(shut_gradients))
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · Back through a convolution, by hand  (3 points)
#
# Your image x has 3 × 3 pixels, your kernel W has 2 × 2 weights. The convolution, as in lesson 01,
# has stride 1 and no padding, so its output y has 2 × 2 cells. From behind comes dL/dy, one
# gradient for each of them.

# %%
image, kernel, grad_output = own_numbers.a2_convolution(student_id)
plotting.show_grids({"image x": image, "kernel W": kernel, "dL/dy": grad_output}, signs=["∗", ""])
print("x =", image.tolist(), " W =", kernel.tolist(), " dL/dy =", grad_output.tolist())

# %% [markdown]
# What comes back to the image? Write dL/dx as three rows of three whole numbers. *(2 points)*

# %% answer="image_gradient"
image_gradient = None  # [[?, ?, ?], [?, ?, ?], [?, ?, ?]]
### BEGIN SOLUTION
x, w, back = own_numbers.a2_convolution(student_id)
laid = torch.zeros(3, 3, dtype=torch.int64)
for i in (0, 1):
    for j in (0, 1):
        laid[i : i + 2, j : j + 2] += back[i, j] * w
image_gradient = laid.tolist()
### END SOLUTION

# %% tests="image_gradient_hidden" points=2
# The form is checked now, the nine numbers when your notebook is graded.
assignments.graded(own_numbers.form("image_gradient", image_gradient, (3, 3), student_id))
### BEGIN HIDDEN TESTS
from hidden import a2_by_hand

assignments.graded(a2_by_hand.image_gradient(student_id)(image_gradient))
### END HIDDEN TESTS

# %% [markdown]
# And to the kernel? Write dL/dW as two rows of two whole numbers. *(1 point)*

# %% answer="kernel_gradient"
kernel_gradient = None  # [[?, ?], [?, ?]]
### BEGIN SOLUTION
kernel_gradient = [[int((back * x[m:, n:][:2, :2]).sum()) for n in (0, 1)] for m in (0, 1)]
### END SOLUTION

# %% tests="kernel_gradient_hidden" points=1
# The form is checked now, the four numbers when your notebook is graded.
assignments.graded(own_numbers.form("kernel_gradient", kernel_gradient, (2, 2), student_id))
### BEGIN HIDDEN TESTS
from hidden import a2_by_hand

assignments.graded(a2_by_hand.kernel_gradient(student_id)(kernel_gradient))
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · A gradient by nudges  (4 points)
#
# Lesson 04 tested its gradients with two nudges, one up and one down. Make a tool of it that works
# for any function f of a tensor, f(x) being one number:
#
# $$\frac{df}{dx_i} \approx \frac{f(x \text{ with } x_i + h) - f(x \text{ with } x_i - h)}{2h},
# \qquad h = \text{eps}$$
#
# - x can have any shape: a single number, a row, a batch of images. The result has the shape and
#   the dtype of x.
# - Each cell of x gets nudges of its own, while all the others stay what they are.
# - Afterwards x has to be what it was, to the last bit. (x + eps − 2 · eps + eps is not always x:
#   numbers are rounded. So work on copies, or put the old number back.)
# - No autograd: neither `backward()` nor `torch.autograd` nor `torch.func`.
#
# For example, for the sum of the squares of [3, −1], the gradient is [6, −2].


# %% answer="numerical_gradient"
def numerical_gradient(f, x, eps=1e-6):
    """The gradient of f at x by central differences.

    f: a function of a tensor like x; it returns one number, as a tensor of shape (). x: any shape,
    floats. eps: the size of a nudge. Returns: a tensor like x.
    """
    ### BEGIN SOLUTION
    slopes = []
    for cell in range(x.numel()):
        nudge = torch.zeros(x.numel(), dtype=x.dtype)
        nudge[cell] = eps
        nudge = nudge.reshape(x.shape)
        slopes.append((f(x + nudge) - f(x - nudge)) / (2 * eps))
    return torch.stack(slopes).reshape(x.shape)
    ### END SOLUTION


# %%
numerical_gradient(lambda x: (x**2).sum(), torch.tensor([3.0, -1.0], dtype=torch.float64))  # try it

# %% tests="numerical_gradient_examples" points=1
double = torch.float64
assignments.graded(
    assignments.examples(
        numerical_gradient,
        Case((lambda x: (x**2).sum(), torch.tensor([3.0, -1], dtype=double)), {}, [6.0, -2.0]),
        Case((lambda x: x.prod(), torch.tensor([[0.1, 0.3]], dtype=double)), {}, [[0.3, 0.1]]),
        Case((lambda x: x**3, torch.tensor(2.0, dtype=double)), {"eps": 0.5}, 12.25),
        lesson="lesson 04, 'The proof: finite differences'",
        without=("run_backward", "_make_dual"),
    )
)

# %% tests="numerical_gradient_hidden" points=3
# More cases are tried when your notebook is graded: other functions, shapes and nudges.
### BEGIN HIDDEN TESTS
from hidden import a2

assignments.graded(a2.numerical_gradient(numerical_gradient))
### END HIDDEN TESTS

# %% [markdown]
# Keep this tool at hand. It finds mistakes in tasks 4 and 5.

# %% [markdown]
# ## 4 · Back through an average pooling  (4 points)
#
# Average pooling slides a window over each plane of x, without padding, and takes the mean of its
# cells. You get what comes back to the output, `grad_output`, and hand back what comes back to x.
#
# - x itself is not needed, only its shape: (N, C, H, W). The result has this shape and the dtype of
#   `grad_output`.
# - The stride can be smaller than the window, equal to it, or larger.
# - Some rows and columns at the end of x may lie in no window.
# - No autograd, and no average pooling of PyTorch's.
#
# For example, one plane of 2 × 3, a window of 2 × 2 and stride 1 give two output cells. If [4, 8]
# comes back, the plane gets
#
# |  |  |  |
# | --: | --: | --: |
# | 1 | 3 | 2 |
# | 1 | 3 | 2 |


# %% answer="avg_pool2d_backward"
def avg_pool2d_backward(grad_output, x_shape, kernel_size, stride):
    """The gradient of an average pooling.

    grad_output: (N, C, H_out, W_out). x_shape: the tuple (N, C, H, W). kernel_size, stride: int.
    Returns: (N, C, H, W), of the dtype of grad_output.
    """
    ### BEGIN SOLUTION
    grad_x = torch.zeros(x_shape, dtype=grad_output.dtype)
    for i in range(grad_output.shape[2]):
        for j in range(grad_output.shape[3]):
            rows = slice(i * stride, i * stride + kernel_size)
            columns = slice(j * stride, j * stride + kernel_size)
            share = grad_output[:, :, i, j] / kernel_size**2
            grad_x[:, :, rows, columns] += share[:, :, None, None]
    return grad_x
    ### END SOLUTION


# %%
avg_pool2d_backward(torch.tensor([[[[4.0, 8.0]]]]), (1, 1, 2, 3), kernel_size=2, stride=1)  # try it

# %% [markdown]
# Here is how to test a backward pass with your tool. Take as the loss the sum of `grad_output`
# times the output. Then dL/dy is `grad_output`, and the nudges of x must give what your function
# hands back.

# %%
x = torch.rand(1, 1, 2, 3, dtype=torch.float64)
behind = torch.tensor([[[[4.0, 8.0]]]], dtype=torch.float64)
numerical_gradient(lambda x: (behind * F.avg_pool2d(x, 2, stride=1)).sum(), x)

# %% tests="avg_pool2d_backward_examples" points=1
back = torch.tensor([[[[4.0, 8.0]]]], dtype=torch.float64)
assignments.graded(
    assignments.examples(
        avg_pool2d_backward,
        Case((back, (1, 1, 2, 4), 2, 2), {}, back.new_tensor([[[[1, 1, 2, 2], [1, 1, 2, 2]]]])),
        Case((back, (1, 1, 2, 3), 2, 1), {}, back.new_tensor([[[[1, 3, 2], [1, 3, 2]]]])),
        Case((back, (1, 1, 2, 5), 1, 3), {}, back.new_tensor([[[[4, 0, 0, 8, 0], [0] * 5]]])),
        lesson="lesson 04, 'Back through ReLU and pooling'",
        without=("run_backward", "_make_dual", "avg_pool2d", "avg_pool2d_backward"),
    )
)

# %% tests="avg_pool2d_backward_hidden" points=3
# More cases are tried when your notebook is graded: batches, channels, other windows and strides.
### BEGIN HIDDEN TESTS
from hidden import a2

assignments.graded(a2.avg_pool2d_backward(avg_pool2d_backward))
### END HIDDEN TESTS

# %% [markdown]
# ## 5 · Back through swish  (3 points)
#
# **Swish** (Ramachandran, Zoph and Le, 2017) is an activation without the kink of the ReLU. Each
# number x becomes
#
# $$y = x \cdot \sigma(\beta x), \qquad \sigma(t) = \frac{1}{1 + e^{-t}}$$
#
# β is one number for all cells. It can be learned, like a weight, so it needs a gradient too. The
# slope of the sigmoid at t is σ(t) · (1 − σ(t)).
#
# - Draw the graph first: t = β · x, s = σ(t), y = x · s. How often is x used in it? And β, for all
#   the cells together?
# - `grad_x` has the shape and dtype of x. `grad_beta` is one number: a tensor of shape (), or a
#   number of Python's.
# - x can be large, 1000 or −1000. `torch.sigmoid` can cope with that.
# - No autograd.
#
# For example, for x = 0 and `grad_output` = 3, `grad_x` is 1.5 and `grad_beta` is 0, for every β.


# %% answer="swish_backward"
def swish_backward(grad_output, x, beta=1.0):
    """The gradients of y = x · sigmoid(beta · x).

    grad_output, x: of one shape. beta: a number.
    Returns: grad_x, a tensor like x, and grad_beta, one number.
    """
    ### BEGIN SOLUTION
    s = torch.sigmoid(beta * x)
    grad_s = grad_output * x
    grad_t = grad_s * s * (1 - s)
    return grad_output * s + grad_t * beta, (grad_t * x).sum()
    ### END SOLUTION


# %%
swish_backward(torch.tensor([3.0]), torch.tensor([0.0]))  # try it here, and test it with your tool

# %% tests="swish_backward_examples" points=1
assignments.graded(
    assignments.examples(
        swish_backward,
        Case((torch.tensor([3.0]), torch.tensor([0.0])), {"beta": 2.0}, ([1.5], 0.0)),
        Case((torch.ones(2), torch.tensor([1.0, -1.0])), {}, ([0.92767, 0.07233], 0.39322)),
        lesson="lesson 04, 'Back by the chain rule'",
        without=("run_backward", "_make_dual"),
    )
)

# %% tests="swish_backward_hidden" points=2
# More cases are tried when your notebook is graded: other shapes, other β, large x.
### BEGIN HIDDEN TESTS
from hidden import a2_rules

assignments.graded(a2_rules.swish_backward(swish_backward))
### END HIDDEN TESTS

# %% [markdown]
# ## 6 · Nesterov's momentum  (3 points)
#
# Momentum adds up old gradients in a **buffer**, called v in lesson 05, and goes along it.
# Nesterov's variant looks one step ahead: it goes along the gradient, and along what will be left
# of the new buffer in the next step. PyTorch does it like this, with the weight w, its gradient,
# the momentum μ and the weight decay λ:
#
# $$g = \text{grad} + \lambda w, \qquad v \leftarrow \mu\, v + g, \qquad
# w \leftarrow w - \text{lr} \cdot (g + \mu\, v)$$
#
# Before the first step there is no buffer: `buffer` is None, and the new v is g. The v in the last
# formula is the new one.
#
# - Return the new parameter and the new buffer. Leave the arguments as they are.
# - Step for step it has to equal `torch.optim.SGD(…, nesterov=True)`, which may not be called.
#
# For example, w = 1, grad = 2, no buffer, lr = 0.1, μ = 0.5 and λ = 0 give the new w = 0.7 and the
# new buffer 2.


# %% answer="nesterov_step"
def nesterov_step(parameter, grad, buffer, lr, momentum, weight_decay=0.0):
    """One step of SGD with Nesterov's momentum.

    parameter, grad: of one shape. buffer: of that shape, or None before the first step.
    lr, momentum, weight_decay: numbers.
    Returns: the new parameter and the new buffer, both of that shape.
    """
    ### BEGIN SOLUTION
    grad = grad + weight_decay * parameter
    buffer = grad if buffer is None else momentum * buffer + grad
    return parameter - lr * (grad + momentum * buffer), buffer
    ### END SOLUTION


# %%
nesterov_step(torch.tensor([1.0]), torch.tensor([2.0]), None, lr=0.1, momentum=0.5)  # try it here

# %% tests="nesterov_step_examples" points=1
w, g, v = (torch.tensor([number], dtype=torch.float64) for number in (1.0, 2.0, 4.0))
assignments.graded(
    assignments.examples(
        nesterov_step,
        Case((w, g, None, 0.1, 0.5), {}, (g.new_tensor([0.7]), g.new_tensor([2.0]))),
        Case((w, g, v, 0.1, 0.5), {}, (g.new_tensor([0.6]), g.new_tensor([4.0]))),
        Case((w, g, v, 0.1, 0.5, 1.0), {}, (g.new_tensor([0.45]), g.new_tensor([5.0]))),
        lesson="lesson 05, 'Momentum'",
        without=("_log_api_usage_once", "_fused_sgd_"),
    )
)

# %% tests="nesterov_step_hidden" points=2
# More cases are tried when your notebook is graded: other shapes, steps and number types.
### BEGIN HIDDEN TESTS
from hidden import a2_rules

assignments.graded(a2_rules.nesterov_step(nesterov_step))
### END HIDDEN TESTS

# %% [markdown]
# That is all. Restart the kernel, run all cells, look whether every check has said what it should,
# and hand in this file.

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
# # 04 · Autograd
#
# **Question: how does a kernel learn?**
#
# You will be able to
#
# - work out every gradient of a small computation with a pencil, and prove it with a finite
#   difference
# - say, cell by cell, what a convolution, a ReLU and a pooling hand back, and teach PyTorch a backward
#   pass of your own
# - find the nine numbers of an unknown kernel by gradient descent
#
# *60 minutes. Before this: [01 · A convolution by hand](01_convolution_by_hand.ipynb),
# [02 · Pooling by hand](02_pooling_by_hand.ipynb) and
# [03 · Convolution in PyTorch](03_convolution_in_pytorch.ipynb).*

# %%
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure

from course_utils import anatomy, checks, data, models, ops, plotting, widgets

# %% [markdown]
# ## Nine unknown numbers
#
# Lesson 01 ended with a question. Here is a photograph, and what a kernel of 3 × 3 makes of it. How
# would you find the nine numbers of that kernel, from the two pictures alone?

# %%
secret = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])  # you may look, the search may not
photo = data.load_photo(size=64)
answer = F.conv2d(photo, secret[None, None])
shown = [photo, 0.5 + answer / answer.abs().max() / 2]
titles = ["the photograph", "the kernel's answer\n(mid-grey is 0)"]
alt = "A photograph, and its vertical edges: bright and dark lines on mid-grey."
plotting.show_images(shown, titles, limits=(0, 1), height=2.4, alt=alt)

# %% [markdown]
# One could guess nine numbers, convolve, and say in one number how wrong the result is. That number
# is the **loss**. Then change the guess so that the loss gets smaller, and again, until it is
# almost 0.
#
# What has to be known is: which way to change each of the nine, and how much does it matter? This
# lesson computes that, first for a machine with one weight, then for a convolution. At the end it
# finds the kernel.
#
# ## What would a little more do?
#
# The machine takes a number x and should give the same number back. It has one weight w and one
# bias b. ReLU(z) is z where z is positive, and 0 elsewhere. Five operations lead from x to the loss
# L. Drawn like this they are a **computation graph**. (The next
# two cells only draw; skip their code.)

# %%
PLACES = {"x": (0, 0, "x"), "w": (0, 1.7, "w"), "b": (1.25, 1.7, "b"), "p": (1.25, 0.85, "p = w·x")}
PLACES |= {"z": (2.5, 0.85, "z = p + b"), "a": (3.75, 0.85, "a = ReLU(z)")}
PLACES |= {"e": (5, 0.85, "e = a − x"), "L": (6.25, 0.85, "L = e²")}
ARROWS = ["xp", "wp", "pz", "bz", "za", "ae", "xe", "eL"]


# %%
@plotting.in_style
def draw_graph(numbers, gradients=None):
    """The five operations, with the number of each and, if given, its gradient."""
    figure, boxes = Figure(figsize=(7, 2.6)), {}
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-0.5, 6.75), ylim=(-0.4, 2.1))
    axes.axis("off")
    for name, (x, y, text) in PLACES.items():
        text += f"\n{plotting.format_number(numbers[name])}"
        text += f"\ndL/d{name} = {gradients[name]}" if gradients else ""
        frame = {"fc": "white", "ec": "#777777"}
        boxes[name] = axes.text(x, y, text, ha="center", va="center", bbox=frame).get_bbox_patch()
    for start, end in ARROWS:
        style = {"arrowstyle": "-|>", "color": "#555555", "shrinkA": 1, "shrinkB": 1}
        style |= {"connectionstyle": "arc3,rad=0.2" if start + end == "xe" else "arc3"}
        style |= {"patchA": boxes[start], "patchB": boxes[end]}
        axes.annotate("", PLACES[end][:2], PLACES[start][:2], arrowprops=style)
    return figure


# %%
def forward(x, w, b, nudged="", by=0.0):
    """All eight numbers of the graph, by name; `by` is added to the one that is nudged."""
    extra = dict.fromkeys("xwbpzae", 0.0) | {nudged: by}
    value = {"x": x + extra["x"], "w": w + extra["w"], "b": b + extra["b"]}
    value["p"] = value["w"] * value["x"] + extra["p"]
    value["z"] = value["p"] + value["b"] + extra["z"]
    value["a"] = max(value["z"], 0.0) + extra["a"]
    value["e"] = value["a"] - value["x"] + extra["e"]
    value["L"] = value["e"] ** 2
    return value


numbers = forward(2.0, 4.0, -3.0)
said = ", ".join(f"{name} = {number:g}" for name, number in numbers.items())
plotting.show(draw_graph(numbers), f"The graph of five operations, forward: {said}.")

# %% [markdown]
# The machine gives 5 where it should give 2, so the loss is 9. Would a larger w make it better or
# worse? Try it: give w a nudge, from 4 to 4.01.
#
# **Predict.** How many times as far as w does the loss move? A whole number will do. (Follow the
# nudge through the graph: by how much does p move, and z, a, e, L?)

# %%
prediction = None
### BEGIN SOLUTION
prediction = 12
### END SOLUTION

# %%
nudged = forward(2.0, 4.0, -3.0, nudged="w", by=0.01)
moved = {name: nudged[name] - numbers[name] for name in "wpzaeL"}
checks.compare_prediction(prediction, round(moved["L"] / 0.01))
for name in moved:
    print(f"{name}: {numbers[name]:g} → {nudged[name]:.4f}, moved by {moved[name]:.4f}")

# %% [markdown]
# w moved by 0.01, p by twice that because x is 2, and z, a, e just as p. The square then takes it
# times 6, and a little. The ratio, for ever smaller nudges, is the **derivative** of L with respect
# to w, dL/dw = 12. It is positive: a larger w makes the loss larger.
#
# ## Back by the chain rule
#
# The factors 2 · 1 · 1 · 1 · 6 belong to the single operations, and they multiply. That is the
# **chain rule**. It is best applied from the end, because then every step uses the one before:
#
# | operation | what it hands back | here |
# | :-- | :-- | :-- |
# | L = e² | a square has the slope 2e | dL/de = 2 · 3 = 6 |
# | e = a − x | to a times 1, to x times −1 | dL/da = 6 · 1 = 6, and 6 · (−1) = −6 to x |
# | a = ReLU(z) | times 1 where z is positive, else times 0 | dL/dz = 6 · 1 = 6 |
# | z = p + b | to both times 1 | dL/dp = 6 and dL/db = 6 |
# | p = w·x | to each factor times the **other** factor | dL/dw = 6 · 2 = 12, and 6 · 4 = 24 to x |
# | x, used twice | what comes back from all its uses is **added** | dL/dx = −6 + 24 = 18 |
#
# This is the **backward pass**, or backpropagation (Rumelhart, Hinton and Williams, 1986). All the
# derivatives together are the **gradient**; each is also called the gradient of its number.

# %%
by_hand = {"e": 2 * 3, "a": 6 * 1, "z": 6 * 1, "p": 6 * 1, "b": 6 * 1}
by_hand |= {"w": 6 * 2, "x": 6 * (-1) + 6 * 4}
said = ", ".join(f"dL/d{name} = {number}" for name, number in by_hand.items())
plotting.show(
    draw_graph(numbers, {**by_hand, "L": 1}), f"The same graph with its gradients: {said}."
)

# %% [markdown]
# *Change one thing.* With b = −9 instead of −3, z is −1 and the ReLU hands back nothing. Which of
# the seven gradients are then 0? One leaf of the graph still gets something. Which, and by which way?
#
# ## The proof: finite differences
#
# Never believe a gradient that you have not tested. The test is the nudge, and it needs no chain rule.
# Better than one nudge are two, up and down:
#
# $$\frac{dL}{dw} \approx \frac{L(w + h) - L(w - h)}{2h}$$


# %%
def finite_difference(name, h=1e-6):
    """How strongly L follows the number `name` of the graph, by two nudges of size h."""
    up, down = (forward(2.0, 4.0, -3.0, nudged=name, by=nudge)["L"] for nudge in (h, -h))
    return (up - down) / (2 * h)


print(f"one nudge of 0.01:   {moved['L'] / 0.01:.4f}")
print(f"two nudges of 0.01:  {finite_difference('w', 0.01):.4f}")

# %% [markdown]
# The curve L(w) bends. One nudge feels the bend, two cancel it.
#
# How small should h be? Not as small as possible: w + h and w − h then give almost the same L,
# and of their difference few digits are left. Here is the error for a function whose slope is known:
# $e^w$ at w = 1 has the slope e.


# %%
def error(k, dtype):
    """How far two nudges of exp at 1, by h = 10 ** -k, are from its slope."""
    h = 10.0**-k
    up, down = torch.tensor([1 + h, 1 - h], dtype=torch.float64).to(dtype).exp()
    return abs((up - down).item() / (2 * h) - torch.e)


errors = {str(d)[6:]: [error(k, d) for k in range(11)] for d in (torch.float32, torch.float64)}
alt = "Error against k. float32 is best near k = 2, float64 near k = 5; both get worse again."
curves = {name: (range(11), line) for name, line in errors.items()}
plotting.show_curves(curves, "k, for the step h = 10⁻ᵏ", "error", log_y=True, alt=alt)
for name, low, high in (("float32", 1, 3), ("float64", 4, 7)):
    assert low <= errors[name].index(min(errors[name])) <= high
assert errors["float32"][6] > 0.01 > 1e-4 > errors["float32"][2]
assert errors["float64"][6] < 1e-8

# %% [markdown]
# Read it from left to right. At first a ten times smaller h gives a hundred times smaller error: that
# is the bend, which shrinks as h². Then rounding takes over, and the error grows as 1/h. The best
# step is about the cube root of the precision, 0.005 in float32 and 0.000006 in float64. **Test
# gradients in float64.** With h = 10⁻⁶, float32 gets not even two digits right.

# %%
for dtype in (torch.float32, torch.float64):
    eps = torch.finfo(dtype).eps
    print(f"{dtype}: precision {eps:.1e}, cube root {eps ** (1 / 3):.1e}")

# %% [markdown]
# Then why not use finite differences for everything? Count: two runs for each weight. For the network
# of lesson 06 that makes

# %%
print(f"{2 * anatomy.count_parameters(models.mnist_cnn()):,} runs")

# %% [markdown]
# for a single gradient. One backward pass gives all of it.
#
# ## Autograd
#
# PyTorch does the pass for you. A tensor with `requires_grad=True` has its computation recorded:
# every result remembers the operation that made it, in `.grad_fn`. `L.backward()` walks that graph
# from L to the leaves, applies for each operation its rule, and leaves the gradients in `.grad`.

# %%
x, w, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (2, 4, -3))
p = w * x
z = p + b
a = torch.relu(z)
e = a - x
L = e**2
for tensor in (p, z, a, e):
    print(type(tensor.grad_fn).__name__)
    tensor.retain_grad()  # PyTorch keeps only the leaves' gradients unless told to
L.backward()
tensors = {"e": e, "a": a, "z": z, "p": p, "b": b, "w": w, "x": x}
autograd = {name: tensor.grad.item() for name, tensor in tensors.items()}
print(autograd)

# %% [markdown]
# **Predict.** We compute the loss again, from the same x, w and b, and call `backward()` once more.
# What is `w.grad` then?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 24
### END SOLUTION

# %%
again = (torch.relu(w * x + b) - x) ** 2
again.backward()
checks.compare_prediction(prediction, w.grad.item())

# %% [markdown]
# `backward()` **adds** to what is in `.grad`. It has to: x is used twice, and both uses deliver to
# the same place. But it also adds what is left from the last call. So whoever trains
# clears the gradients before every step.

# %% [markdown]
# ### Exercise 1 · The backward pass of the graph  ★★☆ 7 minutes
#
# Write the table above as a function, for any x, w and b. `forward(x, w, b)["z"]` gives you the z of
# the forward pass, and so on. Where z is exactly 0, let the ReLU hand back 0, as PyTorch does.


# %%
def my_gradients(x, w, b):
    """The gradients of the graph. x, w, b: numbers.

    Returns: seven numbers, dL/de, dL/da, dL/dz, dL/dp, dL/db, dL/dw, dL/dx, in this order.
    """
    ### BEGIN SOLUTION
    value = forward(x, w, b)
    grad_e = 2 * value["e"]
    grad_a = grad_e
    grad_z = grad_a if value["z"] > 0 else 0.0
    grad_p = grad_b = grad_z
    grad_w, grad_x = grad_p * x, grad_p * w - grad_e
    return grad_e, grad_a, grad_z, grad_p, grad_b, grad_w, grad_x
    ### END SOLUTION


# %%
my_gradients(2.0, 4.0, -3.0)  # try it here

# %%
checks.graph_gradients(my_gradients)

# %% [markdown]
# <details><summary>Hint 1: the order</summary>
#
# Begin with `v = forward(x, w, b)`, then go through the rows of the table from top to bottom. Each
# row uses the result of the one above.
#
# </details>
#
# <details><summary>Hint 2: the ReLU</summary>
#
# `dz = da if v["z"] > 0 else 0.0`. What counts is what went into the ReLU, not the gradient that
# comes back.
#
# </details>
#
# <details><summary>Hint 3: the two ways to x</summary>
#
# One comes through the product and brings dL/dp times w. The other comes straight from e = a − x. What
# is the slope of a − x when x grows?
#
# </details>

# %% [markdown]
# Four ways to the same seven numbers: the pencil, two nudges, PyTorch, and your function.

# %%
result = checks.graph_gradients(my_gradients)
yours = dict(zip("eazpbwx", my_gradients(2.0, 4.0, -3.0), strict=True)) if result.passed else {}
instead = "not attempted yet" if result.diagnosis == "not_attempted" else "not right yet"
print(f"{'':5}  by hand  finite difference  autograd  your code")
for name, number in by_hand.items():
    nudges = finite_difference(name)
    own = f"{yours[name]:9.4f}" if yours else instead
    print(f"dL/d{name}  {number:7.4f}  {nudges:17.4f}  {autograd[name]:8.4f}  {own}")
    assert number == autograd[name] == yours.get(name, number)
    assert abs(number - nudges) < 1e-6

# %% [markdown]
# ## Back through a convolution
#
# An output number of a convolution is a sum of products, so nothing new is needed: **each factor gets
# the gradient times the other factor**, and what a number gets from several places is added.
#
# Image and kernel are those of lesson 01. From behind, from whatever comes after, arrives one gradient
# for each output cell: `grad_output`, or dL/dy. Where it comes from does not matter here.

# %%
image = torch.arange(1.0, 10).reshape(3, 3)
kernel = torch.tensor([[1.0, 2], [3, 4]])
y = F.conv2d(image[None, None], kernel[None, None])[0, 0]
grad_output = torch.tensor([[1.0, -1], [2, 0]])
grids = {"image x": image, "kernel W": kernel, "output y": y, "dL/dy": grad_output}
plotting.show_grids(grids, signs=["∗", "=", ""])

# %% [markdown]
# ### To the kernel
#
# Output cell (0, 0) multiplied the kernel with the window 1, 2, 4, 5. So it hands the kernel that
# window, times its own gradient. The next cell hands back its window, and so on.

# %%
parts, grad_weight = {}, torch.zeros(2, 2)
for i in (0, 1):
    for j in (0, 1):
        window = image[i : i + 2, j : j + 2]
        grad_weight += grad_output[i, j] * window
        parts[f"{plotting.format_number(grad_output[i, j])} ×"] = window
plotting.show_grids({**parts, "dL/dW": grad_weight}, signs="+++=")

# %% [markdown]
# Each weight collects the pixels that it met, times the gradient of the place where it met them:
#
# $$\frac{dL}{dW}[m, n] = \sum_i \sum_j \frac{dL}{dy}[i, j] \cdot x[i + m,\; j + n]$$
#
# That is the formula of lesson 01, with dL/dy in the place of the kernel. The gradient of a kernel
# is itself a convolution. And the bias, which was added to every cell, gets from every cell its
# gradient: **what is spread out on the way forward is summed up on the way back.**

# %%
as_convolution = F.conv2d(image[None, None], grad_output[None, None])[0, 0]
assert torch.equal(as_convolution, grad_weight)
print("dL/dW as a convolution of x:", as_convolution.tolist())
print("dL/db = 1 − 1 + 2 + 0 =", int(grad_output.sum()))

# %% [markdown]
# ### To the image
#
# A layer in front of this one needs dL/dx. Now take as the loss the sum of the four outputs, so
# that every output cell has the gradient 1.
#
# **Predict.** What is the gradient of the pixel in the middle, the 5? In which windows does it lie,
# and which weight does it meet there?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 10
### END SOLUTION

# %%
laid, grad_x = {}, torch.zeros(3, 3)
for i in (0, 1):
    for j in (0, 1):
        grad_x[i : i + 2, j : j + 2] += 1 * kernel
        laid[f"y[{i}, {j}]"] = torch.full((3, 3), torch.nan)
        laid[f"y[{i}, {j}]"][i : i + 2, j : j + 2] = kernel
checks.compare_prediction(prediction, int(grad_x[1, 1]))
alt = "The kernel in each of the four corners, and their sum, dL/dx: 1 3 2; 4 10 6; 3 7 4."
plotting.show_grids({**laid, "dL/dx": grad_x}, signs="+++=", alt=alt)

# %% [markdown]
# Each output cell lays the kernel, times its gradient, back onto the window that it came from. **Where
# the copies overlap, they add up.** The middle lies in all four windows and meets each weight
# once: 4 + 3 + 2 + 1. A corner lies in one.

# %% [markdown]
# ### Exercise 2 · Back to the image, with a pencil  ★★☆ 5 minutes
#
# The same image and kernel, but with the gradients [[1, −1], [2, 0]] from above. Work out dL/dx.

# %%
grids = {"kernel W": kernel, "dL/dy": grad_output, "dL/dx": torch.full((3, 3), torch.nan)}
alt = "kernel W: 1 2; 3 4. dL/dy: 1 −1; 2 0. dL/dx: an empty grid of three by three."
plotting.show_grids(grids, alt=alt)

# %%
image_gradient = None  # [[?, ?, ?], [?, ?, ?], [?, ?, ?]]
### BEGIN SOLUTION
image_gradient = [[1, 1, -2], [5, 5, -4], [6, 8, 0]]
### END SOLUTION

# %%
checks.image_gradient_by_hand(image_gradient)

# %% [markdown]
# <details><summary>Hint 1: one copy after the other</summary>
#
# Draw an empty grid of 3 × 3. The first copy, 1 times the kernel, goes to the upper left. The second
# is −1 times the kernel: −1, −2, −3, −4. It goes to the upper right.
#
# </details>
#
# <details><summary>Hint 2: a cell that gets three</summary>
#
# The middle gets 1 · 4 from the first copy, (−1) · 3 from the second, 2 · 2 from the third and 0 · 1
# from the last.
#
# </details>

# %% [markdown]
# As a formula, with r and c for the pixel: output cell (i, j) laid weight (r − i, c − j) on it. So
#
# $$\frac{dL}{dx}[r, c] = \sum_i \sum_j \frac{dL}{dy}[i, j] \cdot W[r - i,\; c - j]$$
#
# The minus signs of lesson 01 are back: this is the convolution of mathematics, with the kernel
# **turned by 180°**. So that each copy has its place, dL/dy gets a ring of zeros first. That is also
# what a transposed convolution computes.

# %%
ones = torch.ones(1, 1, 2, 2)
ring, turned = F.pad(ones, (1, 1, 1, 1)), kernel.flip(0, 1)
full = F.conv2d(ring, turned[None, None])
assert torch.equal(full[0, 0], grad_x)
assert torch.equal(F.conv_transpose2d(ones, kernel[None, None]), full)
grids = {"dL/dy with a ring": ring, "W turned": turned, "dL/dx": full}
plotting.show_grids(grids, signs="∗=")

# %% [markdown]
# Here it is to take into your hands. Behind the convolution stands a ReLU, which is open everywhere here.

# %% tags=["nbval-ignore-output"]
tracer = widgets.GradientTracer(input=image, kernel=kernel, pooling="none")
tracer

# %% [markdown]
# **Try:** click the output cell y[0, 0], then y[1, 1]. Which pixels get a gradient, and which numbers
# are dL/dW? Then click L again and point at dL/dx in the middle: there is your sum. **Notice:** the line
# at the bottom compares what you point at with two nudges.

# %% [markdown]
# ### Exercise 3 · Your own backward pass  ★★★ 12 minutes
#
# The whole thing: a batch, several channels, a stride. The pictures above stay true for each pair of an
# input and an output channel.


# %%
def my_conv2d_backward(x, weight, grad_output, stride=1):
    """The gradients of F.conv2d(x, weight, bias, stride).

    x: (N, C_in, H, W). weight: (C_out, C_in, K_h, K_w). grad_output: (N, C_out, H_out, W_out).
    Returns: grad_x, grad_weight, grad_bias, shaped like x, weight and (C_out,).
    """
    ### BEGIN SOLUTION
    grad_x, grad_weight = torch.zeros_like(x), torch.zeros_like(weight)
    for i in range(grad_output.shape[2]):
        for j in range(grad_output.shape[3]):
            rows = slice(i * stride, i * stride + weight.shape[2])
            columns = slice(j * stride, j * stride + weight.shape[3])
            for o in range(len(weight)):
                grad = grad_output[:, o, i, j].view(-1, 1, 1, 1)
                grad_weight[o] += (grad * x[:, :, rows, columns]).sum(0)
                grad_x[:, :, rows, columns] += grad * weight[o]
    return grad_x, grad_weight, grad_output.sum((0, 2, 3))
    ### END SOLUTION


# %%
my_conv2d_backward(image[None, None], kernel[None, None], grad_output[None, None])  # try it here

# %%
checks.conv2d_backward(my_conv2d_backward)

# %% [markdown]
# <details><summary>Hint 1: begin small</summary>
#
# Make zeros for `grad_x` and `grad_weight` with `torch.zeros_like`. Loop over the images n, the output
# channels o, and the rows i and columns j of `grad_output`. Forget the stride at first: the check shows
# the smallest case that fails.
#
# </details>
#
# <details><summary>Hint 2: one output cell</summary>
#
# `g = grad_output[n, o, i, j]` is one number. Its window is `x[n, :, i : i + k_h, j : j + k_w]`, with
# all input channels. To `grad_weight[o]` you add g times the window. To the same window of `grad_x` you
# add g times `weight[o]`.
#
# </details>
#
# <details><summary>Hint 3: stride and bias</summary>
#
# With a stride, the window of cell (i, j) begins in row `i * stride` and column `j * stride`. The bias
# of channel o was added to every cell of every image: sum `grad_output` over the axes 0, 2 and 3.
#
# </details>

# %% [markdown]
# Your function beside autograd. (Until your check passes, `ops.conv2d_backward`, the course's own
# loops, stands in for it.)

# %%
passed = checks.conv2d_backward(my_conv2d_backward).passed
own_backward = my_conv2d_backward if passed else ops.conv2d_backward
draw = torch.Generator().manual_seed(0)
shapes = {"x": (2, 3, 6, 6), "weight": (4, 3, 3, 3), "bias": (4,)}
leaves = [torch.randn(shape, generator=draw, dtype=torch.float64) for shape in shapes.values()]
y = F.conv2d(*(leaf.requires_grad_() for leaf in leaves), stride=2)
grad_y = torch.randn(y.shape, generator=draw, dtype=torch.float64)
expected = torch.autograd.grad(y, leaves, grad_y)
mine = own_backward(leaves[0].detach(), leaves[1].detach(), grad_y, 2)
for name, one, other in zip(shapes, mine, expected, strict=True):
    assert torch.allclose(one, other, rtol=0, atol=1e-10)
    print(f"grad_{name}: shape {tuple(one.shape)}, equal to ten decimals")
assert (mine[0][..., 5, :] == 0).all()
assert (mine[0][..., 5] == 0).all()

# %% [markdown]
# The two last assertions: with stride 2, no window reads the last row and column of a 6 × 6 image (lesson
# 01), and so their gradient is 0. Who has no say in the loss gets no blame.
#
# Count the work, too. A product on the way forward becomes two on the way back, one for x and one for
# W. So the backward pass of a convolution costs about twice its forward pass, however many weights it has.
#
# ## Back through ReLU and pooling
#
# A **ReLU** is a gate. Where z was positive, the gradient passes unchanged. Elsewhere nothing passes.

# %%
z = torch.tensor([[-2.0, -0.5, 0, 0.5, 2]], requires_grad=True)
behind = torch.tensor([[3.0, 3, 3, 3, 3]])
(through,) = torch.autograd.grad(torch.relu(z), z, behind)
assert through.tolist() == [[0, 0, 0, 3, 3]]
plotting.show_grids({"z": z, "gradient from behind": behind, "dL/dz": through}, signs=["", "→"])

# %% [markdown]
# And at exactly 0? There the curve has a kink: slope 0 on the left, 1 on the right. Mathematics leaves it
# open, so PyTorch had to choose, and it passes nothing: what is switched off stays off. Bertoin and
# others (2021) compared the choices; in their experiments plain gradient descent did best with 0.
#
# **Max pooling** is a switch. Only the largest number of a window came through, so it alone gets the
# gradient. Where windows overlap, one cell can win several times. Then it gets several gradients, and
# again they add up.

# %%
x = torch.tensor([[1.0, 2, 0], [3, 9, 4], [6, 5, 1]], requires_grad=True)
pooled = F.max_pool2d(x[None], 2, stride=1)[0]
behind = torch.tensor([[1.0, 2], [3, 4]])
(grad_x,) = torch.autograd.grad(pooled, x, behind)
assert grad_x[1, 1] == 10
grids = {"x": x, "maxima, stride 1": pooled, "from behind": behind, "dL/dx": grad_x}
plotting.show_grids(grids, signs=["→", "", "→"])

# %% [markdown]
# The 9 won all four windows: 1 + 2 + 3 + 4. The 6, second largest of all, won none.
#
# **Predict.** A window with a tie: 7 and 7 in the first row, 1 and 2 below. The gradient from behind is 1.
# How much of it does PyTorch's max pooling give to the *first* 7?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 1
### END SOLUTION


# %%
def gradient_of(function, x):
    """dL/dx for L = function(x), where function gives one number. x: a tensor of floats."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(function(x), x)[0]


tie = torch.tensor([[7.0, 7], [1, 2]])
first = gradient_of(lambda x: F.max_pool2d(x[None], 2).sum(), tie)
shared = gradient_of(torch.amax, tie)
averaged = gradient_of(lambda x: F.avg_pool2d(x[None], 2).sum(), tie)
nudge = torch.tensor([[0.5, 0], [0, 0]])
slope = ((tie + nudge).max() - (tie - nudge).max()) / (2 * 0.5)
checks.compare_prediction(prediction, first[0, 0].item())
plotting.show_grids({"x": tie, "max_pool2d": first, "amax": shared, "avg_pool2d": averaged})
print(f"two nudges of the first 7: {slope:g}")
assert first.tolist() == [[1, 0], [0, 0]]
assert shared.tolist() == [[0.5, 0.5], [0, 0]]

# %% [markdown]
# Max pooling gives everything to the first winner in reading order, the one whose place it noted on the
# way forward (lesson 02: `winners`). `torch.amax` shares it among the two. Two nudges say ½: up, the
# maximum follows; down, the other 7 holds it. At a tie, as at the kink of the ReLU, there is no one right
# answer, and so a gradient test must keep away from both. Average pooling has no winner: it was a sum of
# quarters, and hands back quarters.
#
# All together now. This input has a tie, and six cells that the ReLU shuts, one of them at exactly 0.

# %% tags=["nbval-ignore-output"]
tracer = widgets.GradientTracer()
assert (tracer.stages["z"] <= 0).sum() == 6
tracer

# %% [markdown]
# **Try:** press "step" some times, and say before each where the gradient will go; let "play" do the
# rest. Find the tie. **Notice:** of the sixteen cells of dL/da at most four are not 0, one for each window.
# Then set `pool stride` to 1: which cell now wins more than once?

# %% [markdown]
# ### Exercise 4 · Back through a max pooling  ★★☆ 8 minutes
#
# For one plane. At a tie the first in reading order gets everything, and windows may overlap.


# %%
def my_max_pool2d_backward(x, grad_output, kernel_size, stride):
    """The gradient of a max pooling.

    x: (H, W). grad_output: (H_out, W_out). kernel_size, stride: int. Returns: (H, W), dtype of x.
    """
    ### BEGIN SOLUTION
    grad_x = torch.zeros_like(x)
    for i in range(grad_output.shape[0]):
        for j in range(grad_output.shape[1]):
            top, left = i * stride, j * stride
            window = x[top : top + kernel_size, left : left + kernel_size]
            row, column = divmod(int(window.argmax()), window.shape[1])
            grad_x[top + row, left + column] += grad_output[i, j]
    return grad_x
    ### END SOLUTION


# %%
my_max_pool2d_backward(x.detach(), behind, kernel_size=2, stride=1)  # try it here: 10 in the middle

# %%
checks.max_pool2d_backward(my_max_pool2d_backward)

# %% [markdown]
# <details><summary>Hint 1: the plan</summary>
#
# Begin with zeros. For every cell of `grad_output`, find the winner of its window, and add the gradient
# to the winner's place. The window of cell (i, j) begins in row `i * stride` and column `j * stride`.
#
# </details>
#
# <details><summary>Hint 2: who won?</summary>
#
# `window.argmax()` numbers the cells of the window row by row and gives the first largest one. In a window
# of width k, number n stands in row n // k and column n % k.
#
# </details>
#
# <details><summary>Hint 3: from the window to the image</summary>
#
# Row and column of the winner count from the corner of its window. Add the row and column where the window
# begins.
#
# </details>

# %% [markdown]
# ## Teach PyTorch a rule
#
# Autograd knows a rule for every operation that PyTorch has. You can add your own: a class with a
# `forward` that computes, and a `backward` that gets dL/doutput and returns one gradient **for each
# argument** of `forward`. What backward needs to know is kept in `ctx`. Here is the convolution, with your
# backward pass (or its stand-in):


# %%
class Conv2d(torch.autograd.Function):
    """A convolution with a backward pass of our own."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return ops.conv2d(x, weight, bias)

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        return own_backward(x, weight, grad_output)


few = [leaf.detach()[:2, :2, :4, :4] for leaf in leaves[:2]] + [leaves[2].detach()[:2]]
few = [leaf.clone().requires_grad_() for leaf in few]
print(torch.autograd.gradcheck(Conv2d.apply, few))

# %% [markdown]
# `gradcheck` is the nudge, done with care: it nudges every number of every argument, in float64, and compares
# with what `backward` says. Run it on every backward pass that you write. It finds what eyes miss:


# %%
class Forgetful(Conv2d):
    """The same, but where windows overlap the last one overwrites the others: `=` for `+=`."""

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        grad_x, grad_weight, grad_bias = own_backward(x, weight, grad_output)
        for i, row in enumerate(grad_output.unbind(2)):
            for j, cell in enumerate(row.unbind(2)):  # (N, C_out)
                copies = cell[:, :, None, None, None] * weight
                grad_x[:, :, i : i + 3, j : j + 3] = copies.sum(1)
        return grad_x, grad_weight, grad_bias


kink = torch.zeros(1, dtype=torch.float64, requires_grad=True)
for name, rule, inputs in (("overwritten", Forgetful.apply, few), ("kink", torch.relu, kink)):
    print(f"{name}: {torch.autograd.gradcheck(rule, inputs, raise_exception=False)}")

# %% [markdown]
# The second False is a false alarm: it is the ReLU at z = 0, where two nudges say ½ and PyTorch says 0.
# Test at random numbers, which miss kinks and ties.

# %% [markdown]
# ### Exercise 5 · A leaky ReLU  ★★☆ 6 minutes
#
# The ReLU's gate can shut for ever: no gradient, no change. A **leaky ReLU** (Maas, Hannun and Ng, 2013) leaves
# it ajar. It gives z where z is positive, and `slope` · z elsewhere. Write both passes. `slope` is a plain number
# and needs no gradient, so return `None` for it.


# %%
class MyLeakyReLU(torch.autograd.Function):
    """z where z is positive, slope · z elsewhere."""

    @staticmethod
    def forward(ctx, z, slope):
        """z: a tensor of any shape. slope: a number. Returns: a tensor like z."""
        ### BEGIN SOLUTION
        ctx.save_for_backward(z)
        ctx.slope = slope
        return torch.where(z > 0, z, slope * z)
        ### END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        """grad_output: a tensor like z. Returns: dL/dz, and None for slope."""
        ### BEGIN SOLUTION
        (z,) = ctx.saved_tensors
        return torch.where(z > 0, grad_output, ctx.slope * grad_output), None
        ### END SOLUTION


# %%
checks.leaky_relu_function(MyLeakyReLU)

# %% [markdown]
# <details><summary>Hint 1: forward</summary>
#
# `ctx.save_for_backward(z)` keeps a tensor; a plain number goes into an attribute, such as `ctx.slope = slope`.
# `torch.where(condition, one, other)` chooses cell by cell.
#
# </details>
#
# <details><summary>Hint 2: backward</summary>
#
# `(z,) = ctx.saved_tensors` gets it back; mind the comma. The gradient that comes from behind is multiplied by 1
# or by the slope. Which of the two is decided by z.
#
# </details>

# %% [markdown]
# ## A kernel learns
#
# Back to the photograph. The guess begins with nine zeros, and the loss is the mean of the squared differences
# between its answer and the one wanted, over all n places: $L = \frac{1}{n} \sum (y - t)^2$. Its gradient
# with respect to an output cell is $2 (y - t) / n$, and from there you know the way to the kernel.

# %%
x = (photo - photo.mean()) / photo.std()  # mean 0 and standard deviation 1
target = F.conv2d(x, secret[None, None])
guess = torch.zeros(1, 1, 3, 3, requires_grad=True)
loss = (F.conv2d(x, guess) - target).square().mean()
loss.backward()

difference = F.conv2d(x, guess.detach()) - target
by_our_rule = F.conv2d(x, 2 * difference / difference.numel())  # dL/dW: x convolved with dL/dy
assert torch.allclose(by_our_rule, guess.grad, rtol=1e-3, atol=1e-3)
alt = "The gradient for a guess of zeros: about 0 in the middle column, positive left, negative right."
plotting.show_grids({"dL/dW": guess.grad[0, 0]}, alt=alt)
assert (guess.grad[0, 0, :, 0] > 0).all()
assert (guess.grad[0, 0, :, 2] < 0).all()

# %% [markdown]
# Read the signs. More weight on the right would make the loss smaller, more on the left larger. So do the
# opposite of the gradient, a little at a time, for all nine at once, and ask again:
#
# $$W \;\leftarrow\; W - \text{lr} \cdot \frac{dL}{dW}$$
#
# That is **gradient descent**, and lr is the **learning rate**.

# %% [markdown]
# ### Exercise 6 · The loop  ★★☆ 8 minutes
#
# Write it. Let autograd find the gradient, or compute it yourself.


# %%
def learn_kernel(x, target, lr, steps):
    """Find a 3 × 3 kernel by gradient descent on the mean squared difference, from zeros.

    x: (N, 1, H, W). target: (N, 1, H - 2, W - 2). Returns: (1, 1, 3, 3), of the dtype of x.
    """
    ### BEGIN SOLUTION
    weight = torch.zeros(1, 1, 3, 3, dtype=x.dtype, requires_grad=True)
    for _ in range(steps):
        loss = ((F.conv2d(x, weight) - target) ** 2).mean()
        (gradient,) = torch.autograd.grad(loss, weight)
        with torch.no_grad():
            weight -= lr * gradient
    return weight.detach()
    ### END SOLUTION


# %%
learn_kernel(x, target, lr=0.1, steps=10)  # try it here

# %%
checks.learn_kernel(learn_kernel)

# %% [markdown]
# <details><summary>Hint 1: one step</summary>
#
# Compute the loss of the present kernel, then its gradient, then a kernel that is the old one minus lr times the
# gradient. `torch.autograd.grad(loss, weight)` returns a tuple with one gradient and leaves `.grad` alone.
#
# </details>
#
# <details><summary>Hint 2: with backward()</summary>
#
# `backward()` adds to `weight.grad`, so set `weight.grad = None` after every step.
#
# </details>
#
# <details><summary>Hint 3: an error about a leaf</summary>
#
# Changing a leaf in place must not be recorded. Do it under `with torch.no_grad():`.
#
# </details>

# %% [markdown]
# Here is the search, a thousand steps, with the gradient from our own rule and no autograd at all.


# %%
def descend(x, target, lr, steps):
    """Gradient descent from zeros. Returns: the kernels and the losses, after 0, 1, …, steps steps."""
    kernel, kernels, losses = torch.zeros(1, 1, 3, 3), [], []
    for _ in range(steps + 1):
        difference = F.conv2d(x, kernel) - target
        kernels.append(kernel[0, 0])
        losses.append(difference.square().mean().item())
        kernel = kernel - lr * F.conv2d(x, 2 * difference / difference.numel())
    return kernels, losses


kernels, losses = descend(x, target, lr=0.1, steps=1000)

# %% tags=["cover", "nbval-ignore-output"]
moments = {"1 step": 1, "10 steps": 10, "100 steps": 100, "1000 steps": 1000}
plotting.show_grids({name: kernels[step] for name, step in moments.items()})
answers = [F.conv2d(x, kernels[step][None, None]) for step in moments.values()]
titles = [f"{name}\nloss {losses[step]:.1g}" for name, step in moments.items()]
alt = "The answers of these kernels: after 1 step hardly anything, then edges that grow stronger."
plotting.show_images(answers, titles, columns=4, signed=True, alt=alt)

# %%
assert (kernels[1000] - secret).abs().max() < 0.05
assert 0.8 < losses[0] < 2
assert losses[1000] < 0.0001
found = [[round(v, 1) + 0.0 for v in row] for row in kernels[1000].tolist()]
print("after 1000 steps, to one decimal:", found)

# %% [markdown]
# Nobody told it what an edge is. It had examples, a loss, and the slope of the loss. The left is negative and
# the right positive after one step. A hundred steps later the picture looks right; the numbers take longer.
#
# **Predict.** Larger steps are faster, up to a point. With lr = 0.15 in place of 0.1, is the loss after
# 100 steps smaller than it was with 0.1? True or False.

# %%
prediction = None
### BEGIN SOLUTION
prediction = False
### END SOLUTION

# %%
_, larger = descend(x, target, lr=0.15, steps=100)
checks.compare_prediction(prediction, larger[100] < losses[100])
curves = {"lr 0.1": (range(31), losses[:31]), "lr 0.15": (range(31), larger[:31])}
alt = "With lr 0.1 the loss falls; with lr 0.15 it grows more than a thousandfold in 30 steps."
plotting.show_curves(curves, "step", "loss", log_y=True, alt=alt)
assert larger[5] < larger[0] < larger[30] / 1000

# %% [markdown]
# The gradient says which way is down *here*. A step that is too long lands on the other side of the valley, higher
# than before, and the next one higher still. It need not show at once: here one direction only is too steep, and it
# takes about ten steps until its error outgrows the rest.
#
# So the steepest direction limits the step, and the flat ones then take long. In a photograph neighbours are alike:
# change all nine weights together, and the answer changes much; raise one and lower its neighbour, and it
# hardly does. *Change one thing:* show the search noise instead, in which no pixel is like its neighbour.

# %% tags=["nbval-ignore-output"]
noise = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
from_noise, _ = descend(noise, F.conv2d(noise, secret[None, None]), lr=0.4, steps=100)
close = {}
for name, found in {"photograph": kernels, "noise": from_noise}.items():
    close[name] = [bool((k - secret).abs().max() < 0.1) for k in found].index(True)
    print(f"{name}: every weight is within 0.1 after {close[name]} steps")
assert close["photograph"] > 20 * close["noise"]

# %% [markdown]
# ## Recap
#
# - **By hand.** Go from the loss backward. Each operation takes the gradient that arrives times its own slope: a sum
#   passes it on, a product gives each factor the other one, a number used twice adds what it gets. Two nudges, in
#   float64, prove it.
# - **Convolution, ReLU, pooling.** dL/dW is x convolved with dL/dy; dL/db is its sum; dL/dx lays the kernel back
#   down, which is a convolution of the padded dL/dy with the turned kernel. A ReLU is a gate, a max pooling a switch,
#   an average pooling shares out. `torch.autograd.Function` makes your rule a part of PyTorch, and `gradcheck` tests it.
# - **Learning.** Start anywhere, compute the loss and its gradient, take a small step against it, repeat.
#
# Common mistakes:
#
# - `=` for `+=` where windows overlap, or where a number is used twice
# - a kernel that is turned where it should not be, or not turned where it should
# - a gate that asks the gradient whether it is positive, not what went in
# - gradients that are not cleared, and so pile up from step to step
# - a gradient test in float32, or at a kink or a tie
# - a learning rate that is too large: the loss grows, and ends as inf or nan
#
# **To take with you:** start the search with nine equal numbers, and all nine still find their own way. Suppose a layer
# has two kernels and both start with zeros, and a ReLU follows. What gradient do they get at its kink? And if both start with the same
# numbers, can they ever become different?
#
# Next: [05 · Training from scratch](05_training_from_scratch.ipynb), on losses for classes, and on better ways down
# than the plain step.

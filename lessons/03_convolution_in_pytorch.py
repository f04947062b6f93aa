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
# # 03 · Convolution in PyTorch
#
# **Question: how does PyTorch do it, and what does it cost?**
#
# You will be able to
#
# - say the shape of every weight of `Conv1d`, `Conv2d`, `Conv3d`, with groups, 1 × 1 and transposed
# - write a convolution as one matrix product, and say why that is fast
# - count the multiplications of a layer before you run it
#
# *50 minutes. Before this: [01 · A convolution by hand](01_convolution_by_hand.ipynb) and
# [02 · Pooling by hand](02_pooling_by_hand.ipynb).*

# %%
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import nn

from course_utils import checks, ops, plotting

# %% [markdown]
# ## One call
#
# In lesson 01 you wrote a convolution in loops. In PyTorch it is one call. It wants the image as
# (N, C, H, W): images, channels, rows, columns. And it wants the kernels as (C_out, C_in, K_h, K_w):
# one stack of kernels for each output channel.

# %%
image = torch.arange(1.0, 10).view(1, 1, 3, 3)
kernel = torch.tensor([[1.0, 2], [3, 4]]).view(1, 1, 2, 2)
output = F.conv2d(image, kernel)
grids = {"image": image[0, 0], "kernel": kernel[0, 0], "output": output[0, 0]}
plotting.show_grids(grids, signs=["∗", "="])

# %% [markdown]
# The numbers of lesson 01. A whole digit takes the same call:

# %%
digit = torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))
weight = torch.rand(1, 1, 3, 3, generator=torch.Generator().manual_seed(1))
tuple(F.conv2d(digit, weight).shape)

# %% [markdown]
# `F.conv2d` is a function: you bring the kernel. `nn.Conv2d` is a **layer**: it makes a kernel and a
# bias, keeps them, and training changes them. Below it stands the same function.

# %%
torch.manual_seed(0)
layer = nn.Conv2d(in_channels=3, out_channels=16, kernel_size=5)
x = torch.randn(2, 3, 28, 28)
assert torch.equal(layer(x), F.conv2d(x, layer.weight, layer.bias))
for name, parameter in layer.named_parameters():
    print(f"{name:6} {tuple(parameter.shape)!s:15} {parameter.numel():5,} numbers")

# %% [markdown]
# What is in the kernel before any training? Random numbers, small ones. If one output number is a
# sum of $n$ products, here $n = 3 \cdot 5 \cdot 5 = 75$, PyTorch draws each weight evenly from
# $-1/\sqrt n$ to $1/\sqrt n$. Then the answers are neither huge nor tiny, however many products there
# are.

# %%
n = 3 * 5 * 5
bound = n**-0.5
assert layer.weight.abs().max() <= bound
assert layer.weight.abs().max() > 0.99 * bound
print(f"1/√{n} = {bound:.4f}; the largest weight is {layer.weight.abs().max():.4f}")

# %% [markdown]
# ## One, two, three dimensions
#
# Sound runs along one line, a picture has two directions, a film has three. For each there is a
# layer. The first two numbers of its weight are always (C_out, C_in); after them comes the kernel,
# with one number for each direction.

# %%
inputs = {"Conv1d": (2, 4, 100), "Conv2d": (2, 4, 28, 28), "Conv3d": (2, 4, 8, 28, 28)}
print(f"{'layer':7} {'input':19} {'weight':16} output")
for name, shape in inputs.items():
    one = getattr(nn, name)(4, 6, kernel_size=3)
    out = tuple(one(torch.zeros(shape)).shape)
    print(f"{name:7} {shape!s:19} {tuple(one.weight.shape)!s:16} {out}")

# %% [markdown]
# The arithmetic does not change. A line of sound is a picture with one row:

# %%
sound, kernel_1d = torch.randn(1, 4, 100), torch.randn(6, 4, 3)
flat = F.conv2d(sound[:, :, None], kernel_1d[:, :, None])  # one row each
torch.testing.assert_close(F.conv1d(sound, kernel_1d), flat[:, :, 0])
print("Conv1d is Conv2d on a picture with one row.")

# %% [markdown]
# ### Exercise 1 · Four weights  ★☆☆ 3 minutes
#
# Which shape does each weight have? Answer before you make the layers.
#
# 1. `nn.Conv2d(1, 8, kernel_size=5)`
# 2. `nn.Conv2d(8, 32, kernel_size=(3, 7))`
# 3. `nn.Conv1d(40, 64, kernel_size=9)`
# 4. `nn.Conv3d(3, 16, kernel_size=3)`
#
# Write four tuples, for instance `((1, 2, 3, 4), …)`.

# %%
weights = None
### BEGIN SOLUTION
weights = ((8, 1, 5, 5), (32, 8, 3, 7), (64, 40, 9), (16, 3, 3, 3, 3))
### END SOLUTION

# %%
checks.weight_shapes(weights)

# %% [markdown]
# <details><summary>Hint 1: which comes first</summary>
#
# The layer is written (in, out), its weight (out, in, …): one stack of kernels for each *output* channel.
#
# </details>
# <details><summary>Hint 2: nearly there</summary>
#
# A kernel size that is one number holds for every direction: one in `Conv1d`, three in `Conv3d`.
#
# </details>

# %% [markdown]
# ## The matrix behind it
#
# You will read that a layer computes $f(Wx + b)$: a matrix times the input, plus a bias, then an
# activation. Where is the matrix in a convolution?
#
# Write the nine pixels of our image as one column. Each of the four output numbers is a sum over
# pixels, so it is one row of a matrix with nine columns. To find column $j$, send in an image
# that is 1 at pixel $j$ and 0 everywhere else.
#
# **Predict.** The matrix has 4 rows and 9 columns, 36 cells. How many of them are not zero?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 16
### END SOLUTION

# %%
units = torch.eye(9).view(9, 1, 3, 3)
matrix = F.conv2d(units, kernel).flatten(1).T
assert torch.equal(matrix @ image.flatten(), output.flatten())
plotting.show_grids({"W: one row for each output, one column for each pixel": matrix})
checks.compare_prediction(prediction, int((matrix != 0).sum()))

# %% [markdown]
# Read one row: the kernel's four numbers, at the pixels of one window. Read the rows from top to
# bottom: always the same four numbers, pushed to the next window. That is all there is to a
# convolution layer:
#
# - **Locality**: most of $W$ is zero. An output sees its window and nothing else.
# - **Weight sharing**: what is not zero repeats. Learn four numbers, not 36.
#
# On a digit the difference is larger. A `Linear` layer from 28 × 28 pixels to 26 × 26 numbers is free to
# choose every cell of that matrix:

# %%
free = nn.Linear(28 * 28, 26 * 26, bias=False).weight.numel()
shared = nn.Conv2d(1, 1, kernel_size=3, bias=False).weight.numel()
print(f"Linear: {free:,} weights. Conv2d: {shared}. {free // shared:,} times as many.")

# %% [markdown]
# ## Windows as columns
#
# Nobody multiplies with a matrix that is almost all zeros. The trick that made convolutions fast on
# ordinary computers turns it around: leave the kernel small, and write out the *windows*. Each
# window becomes a column. Then one product of two full matrices gives every output at once. It is
# called **im2col**, image to columns (Chellapilla, Puri and Simard, 2006).

# %%
columns = F.unfold(image, kernel_size=2)[0]
row = kernel.flatten(1)
grids = {"kernel, as a row": row, "one column for each window": columns}
plotting.show_grids(grids | {"output": row @ columns}, signs=["·", "="])

# %% [markdown]
# The first column is the window 1, 2, 4, 5. It gives 37, as before. With several channels the column
# goes on below: first the window in channel 0, then in channel 1, and so on. With several kernels,
# each is a row.
#
# **Predict.** An image of 1 × 28 × 28 becomes the columns of a 3 × 3 kernel without padding. How many
# numbers have to be stored now, where there were 784?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 9 * 26 * 26
### END SOLUTION

# %%
stored = F.unfold(digit, kernel_size=3).numel()
checks.compare_prediction(prediction, stored)
print(f"{stored / digit.numel():.1f} times as many as pixels")

# %% [markdown]
# Each pixel is written once for every window it stands in, so the memory grows up to nine-fold, a little less
# at the borders. That is the price. What it buys you will measure below.

# %% [markdown]
# ### Exercise 2 · Image to columns  ★★☆ 10 minutes
#
# Write the windows of one image out as columns: stride 1, no padding, any number of channels. Windows go
# in reading order. Within a column: channel by channel, each window row by row.


# %%
def my_im2col(x, kernel_size):
    """Windows as columns. x: (C, H, W). kernel_size: (K_h, K_w).

    Returns: (C · K_h · K_w, H_out · W_out).
    """
    ### BEGIN SOLUTION
    k_h, k_w = kernel_size
    h_out, w_out = x.shape[1] - k_h + 1, x.shape[2] - k_w + 1
    windows = [x[:, i : i + k_h, j : j + k_w] for i in range(h_out) for j in range(w_out)]
    return torch.stack([window.flatten() for window in windows], dim=1)
    ### END SOLUTION


# %%
checks.im2col(my_im2col)

# %% [markdown]
# <details><summary>Hint 1: one window</summary>
#
# `x[:, i : i + k_h, j : j + k_w]` is the window at row i, column j, in all channels. `.flatten()`
# makes it one long row of numbers, in the order that is asked for.
#
# </details>
# <details><summary>Hint 2: many columns</summary>
#
# Collect the flat windows in a list. `torch.stack(list, dim=1)` sets them side by side as columns.
#
# </details>

# %% [markdown]
# ## Three ways, one answer
#
# Now there are three: loops over the output places, as in lesson 01; im2col; PyTorch. Here are the
# first two in the shortest form, for a batch, with nothing but stride 1:


# %%
def with_loops(x, weight):
    """x: (N, C_in, H, W). weight: (C_out, C_in, K_h, K_w). Returns: (N, C_out, H_out, W_out)."""
    (c_out, _, k_h, k_w), (n, _, h, w) = weight.shape, x.shape
    out = x.new_zeros(n, c_out, h - k_h + 1, w - k_w + 1)
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            window = x[:, None, :, i : i + k_h, j : j + k_w]  # (N, 1, C_in, K_h, K_w)
            out[:, :, i, j] = (window * weight).sum((2, 3, 4))
    return out


def with_columns(x, weight):
    """The same as one matrix product."""
    columns = F.unfold(x, weight.shape[2:])  # (N, C_in · K_h · K_w, places)
    size = [n - k + 1 for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)]
    return (weight.flatten(1) @ columns).unflatten(2, size)


# %% [markdown]
# Are they equal? For numbers of **float64**, with about 16 decimal digits, to ten digits behind the
# point. The package holds both with all of PyTorch's options, so compare those too.

# %%
torch.manual_seed(0)
x, weight = torch.randn(2, 4, 9, 7).double(), torch.randn(6, 2, 3, 2).double()
bias, worst, cases = torch.randn(6).double(), 0.0, 0
for stride in (1, 2, (3, 1)):
    for padding in (0, 1, (2, 1)):
        for dilation in (1, 2):
            options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": 2}
            right = F.conv2d(x, weight, bias, **options)
            for ours in (ops.conv2d, ops.conv2d_im2col):
                worst = max(worst, (ours(x, weight, bias, **options) - right).abs().max().item())
                cases += 1
full = torch.randn(6, 4, 3, 2).double()
for ours in (with_loops, with_columns):
    worst = max(worst, (ours(x, full) - F.conv2d(x, full)).abs().max().item())
assert worst < 1e-10
print(f"{cases + 2} comparisons, every difference below 1e-10")

# %% [markdown]
# Why not equal to the last digit? A computer rounds after every addition, and each way adds in
# another order. In **float32**, which networks use, the differences are larger and still harmless:

# %% tags=["nbval-ignore-output"]
gap = (with_columns(x.float(), full.float()) - F.conv2d(x, full)).abs().max()
assert gap < 1e-4
print(
    f"float32 against float64: at most {gap:.0e} apart, for numbers up to {right.abs().max():.0f}"
)

# %% [markdown]
# ## How long does each take?
#
# **Predict.** A picture of 64 × 64 with 4 channels, 8 kernels of 3 × 3. How many times as fast as the
# loops is PyTorch: closest to 10, 100, 1,000 or 10,000 times? All on one core, since such a picture
# is done before a second core has begun to help.

# %%
prediction = None
### BEGIN SOLUTION
prediction = 1000
### END SOLUTION


# %%
def milliseconds(way, x, weight, repeats):
    """The median time of one call."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        way(x, weight)
        times.append(1000 * (perf_counter() - start))
    return sorted(times)[repeats // 2]


torch.set_num_threads(1)  # one core

# %% tags=["cover", "nbval-ignore-output", "measured"]
ways = {"loops": (with_loops, 3), "im2col": (with_columns, 21), "PyTorch": (F.conv2d, 21)}
sides = [8, 16, 32, 64]
weight = torch.randn(8, 4, 3, 3)
times = {name: [] for name in ways}
for side in sides:
    x = torch.randn(1, 4, side, side)
    for name, (way, repeats) in ways.items():
        times[name].append(milliseconds(way, x, weight, repeats))
curves = {name: (sides, line) for name, line in times.items()}
labels = {"x_label": "side of the picture, in pixels", "y_label": "milliseconds"}
plotting.show_curves(curves, **labels, log_x=True, log_y=True)

# %% tags=["nbval-ignore-output", "measured"]
faster = times["loops"][-1] / times["PyTorch"][-1]
nearest = min((10, 100, 1000, 10_000), key=lambda power: max(power / faster, faster / power))
checks.compare_prediction(prediction, nearest)
print(f"at 64 × 64 PyTorch takes 1/{faster:.0f} of the time of the loops,")
print(f"and im2col 1/{times['loops'][-1] / times['im2col'][-1]:.0f}")

# %% [markdown]
# Both axes are logarithmic: one step up is ten times the time. The loops climb with the number of
# places, since each place costs a round through Python, and that round costs far more than its
# $8 \cdot 36$ multiplications. The other two make one call for the whole picture. For a small picture much of their time is
# the call itself, so their lines begin flatter than they end.
#
# The work is the same in all three. What differs is how much of the time is work. PyTorch hands the
# layer to a library written for the processor, which keeps numbers near and multiplies many
# at once. It need not store the columns.
#
# **Change one thing:** make 8 kernels 64. Which lines move?

# %% [markdown]
# ## Counting the work
#
# Times depend on the machine. The amount of work does not. The unit is the **MAC**, multiply and
# accumulate: one product, added to a sum. One output number is a sum of $C_{in} \cdot K_h \cdot K_w$
# products, and there are $N \cdot C_{out} \cdot H_{out} \cdot W_{out}$ output numbers:
#
# $$\text{MACs} = N \cdot C_{out} \cdot H_{out} \cdot W_{out} \cdot C_{in} \cdot K_h \cdot K_w$$
#
# Adding the bias is not counted. Some papers count **FLOPs**, floating-point operations: a product and
# an addition are two, so FLOPs = 2 · MACs.
#
# **Predict.** The course's network begins with `nn.Conv2d(1, 8, kernel_size=5)` on 28 × 28 pixels. How many
# MACs is that for one image?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 115_200
### END SOLUTION

# %%
from torch.utils.flop_counter import FlopCounterMode

first = nn.Conv2d(1, 8, kernel_size=5)
with FlopCounterMode(display=False) as counter:
    first(torch.zeros(1, 1, 28, 28))
macs = counter.get_total_flops() // 2
assert macs == 1 * 8 * 24 * 24 * 1 * 5 * 5
checks.compare_prediction(prediction, macs)

# %% [markdown]
# PyTorch's own counter watches the call and agrees with the formula: $8 \cdot 24 \cdot 24$ outputs of
# $1 \cdot 5 \cdot 5$ products each.

# %% [markdown]
# ### Exercise 3 · MACs  ★★☆ 6 minutes
#
# Write the formula as a function. Stride and padding are one number each; `x_shape` and
# `weight_shape` are tuples. `ops.output_size(size, kernel_size, stride, padding)` from lesson 01 is yours to use.


# %%
def my_macs(x_shape, weight_shape, stride=1, padding=0):
    """The MACs of a convolution. x_shape: (N, C_in, H, W). weight_shape: (C_out, C_in, K_h, K_w)."""
    ### BEGIN SOLUTION
    n, _, h, w = x_shape
    c_out, c_in, k_h, k_w = weight_shape
    h_out = ops.output_size(h, k_h, stride, padding)
    w_out = ops.output_size(w, k_w, stride, padding)
    return n * c_out * h_out * w_out * c_in * k_h * k_w
    ### END SOLUTION


# %%
checks.conv2d_macs(my_macs)

# %% [markdown]
# <details><summary>Hint 1: what the sum runs over</summary>
#
# Two counts, multiplied: how many output numbers there are, and how many products make one of them.
#
# </details>
# <details><summary>Hint 2: nearly there</summary>
#
# Stride and padding change only the number of places, `h_out` and `w_out`.
#
# </details>

# %% [markdown]
# ## Groups
#
# So far every output channel saw all input channels. With **groups** it sees only those of its own
# group. A 1 means: this output channel (row) reads that input channel (column).

# %%
links = {}
for groups in (1, 2, 4):
    grouped = nn.Conv2d(4, 4, kernel_size=3, groups=groups, bias=False)
    nn.init.ones_(grouped.weight)
    sees = [(grouped(torch.eye(4)[c].view(1, 4, 1, 1).expand(1, 4, 3, 3)) > 0) for c in range(4)]
    name = f"groups={groups}: {grouped.weight.numel()} weights"
    links[name] = torch.cat(sees).flatten(1).T.float()
plotting.show_grids(links, size=0.42)

# %% [markdown]
# The weight's second number is no longer C_in but C_in / groups, and the layer has that many fewer
# weights and MACs. With as many groups as channels, on the right, each channel keeps to itself. That is a
# **depthwise** convolution.
#
# ## One by one
#
# At the other end is the 1 × 1 convolution. Its window is a single pixel: it looks at no neighbour at all. What
# is left is the sum over the channels. At every pixel it mixes the channels in the same way, as a
# `Linear` layer would.

# %% [markdown]
# ### Exercise 4 · One by one  ★★☆ 7 minutes
#
# Write the 1 × 1 convolution without `conv2d` and without a loop over pixels.


# %%
def my_pointwise(x, weight):
    """Mix the channels at each pixel. x: (N, C_in, H, W). weight: (C_out, C_in).

    Returns: (N, C_out, H, W).
    """
    ### BEGIN SOLUTION
    return (weight @ x.flatten(2)).unflatten(2, x.shape[2:])
    ### END SOLUTION


# %%
checks.pointwise(my_pointwise)

# %% [markdown]
# <details><summary>Hint 1: one pixel</summary>
#
# The channels of one pixel are a vector (C_in,). What turns it into a vector (C_out,)?
#
# </details>
# <details><summary>Hint 2: all pixels</summary>
#
# `x.flatten(2)` is (N, C_in, H · W): every pixel is a column. `weight @ …` multiplies each image's matrix.
# Or write it as `torch.einsum("oc,nchw->…", weight, x)`.
#
# </details>

# %% [markdown]
# Now put the two ends together: first each channel by itself (3 × 3, depthwise), then the channels among
# each other (1 × 1, **pointwise**). That is a **depthwise separable** convolution, from which
# MobileNet is built (Howard and others, 2017).
#
# **Predict.** From 32 to 64 channels, 3 × 3, no bias: the usual layer has $64 \cdot 32 \cdot 3 \cdot 3$ =
# 18,432 weights. How many do the two layers have together?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 32 * 9 + 64 * 32
### END SOLUTION

# %%
usual = nn.Conv2d(32, 64, kernel_size=3, padding=1, bias=False)
depthwise = nn.Conv2d(32, 32, kernel_size=3, padding=1, groups=32, bias=False)
pointwise = nn.Conv2d(32, 64, kernel_size=1, bias=False)
pair = depthwise.weight.numel() + pointwise.weight.numel()
assert usual.weight.numel() == 64 * 32 * 3 * 3 == 18_432
checks.compare_prediction(prediction, pair)
assert abs(pair / 18_432 - (1 / 64 + 1 / 9)) < 1e-12
print(f"{pair / 18_432:.3f} of the weights, and of the MACs: 1/64 + 1/9")

# %% [markdown]
# An eighth of the work, and so an eighth of the time? Measure it, for one image.

# %% tags=["nbval-ignore-output", "measured"]
x, took = torch.randn(1, 32, 56, 56), {}
for layer in (usual, depthwise, pointwise):
    with torch.no_grad():
        took[layer] = milliseconds(lambda x, _, layer=layer: layer(x), x, None, 51)
    macs = layer.weight.numel() * 56 * 56 / 1e6
    kind = f"{layer.kernel_size}, groups={layer.groups}"
    print(f"{kind:17} {macs:5.1f} million MACs in {took[layer]:.2f} ms: ", end="")
    print(f"{macs / took[layer]:3.0f} million each millisecond")
parts = (took[depthwise] + took[pointwise]) / took[usual]
print(f"{pair / 18_432:.2f} of the MACs took {parts:.2f} of the time on this machine")

# %% [markdown]
# The two shares need not agree. Compare the rates in the last column: a depthwise layer does little
# with each number that it fetches, and fetching takes time as well. MACs say how much is to be
# computed, not how long it takes.

# %% [markdown]
# ## The way back up
#
# A strided convolution makes a picture smaller. Some networks have to make it larger again: to colour
# each pixel of a street scene, or to draw. For that there is the **transposed convolution**.
#
# The name says what it is. Take the matrix $W$ above, 4 × 9, which made 4 numbers of 9. Its transpose
# makes 9 numbers of 4:

# %%
four = torch.tensor([[1.0, 2], [3, 4]]).view(1, 1, 2, 2)
nine = F.conv_transpose2d(four, kernel)
assert torch.equal(matrix.T @ four.flatten(), nine.flatten())
grids = {"input": four[0, 0], "kernel": kernel[0, 0], "output": nine[0, 0]}
plotting.show_grids(grids, signs=["∗ᵀ", "="])

# %% [markdown]
# By hand it goes like this: for every input number, lay down a copy of the kernel, multiplied by that number. Where
# copies overlap, add. The stride says how far apart the copies lie. With stride 2 and a 2 × 2 kernel
# nothing overlaps, and you see the four copies:

# %%
copies = F.conv_transpose2d(four, kernel, stride=2)[0, 0]
corners = [(i, j, 2, 2) for i in (0, 2) for j in (0, 2)]
title = "output with stride 2"
plotting.show_grids({"input": four[0, 0], title: copies}, {title: corners}, signs=["→"])

# %% [markdown]
# **Predict.** Convolve the 3 × 3 image, then apply the transposed convolution with the same kernel. Do you get the
# image back? Write `True` or `False`.

# %%
prediction = None
### BEGIN SOLUTION
prediction = False
### END SOLUTION

# %%
there_and_back = F.conv_transpose2d(F.conv2d(image, kernel), kernel)
checks.compare_prediction(prediction, torch.equal(there_and_back, image))
plotting.show_grids({"image": image[0, 0], "there and back": there_and_back[0, 0]})

# %% [markdown]
# The shape is back, the numbers are not. Nine numbers went through a bottleneck of four, so
# nothing could restore them. "Transposed" means the transposed matrix, not the inverse. (Some texts say
# "deconvolution"; that promises too much.)
#
# You will meet this layer once more, in disguise: in lesson 04 it carries the gradient of a convolution
# back to its input.

# %% [markdown]
# ### Exercise 5 · Lay down the copies  ★★★ 10 minutes
#
# Write the transposed convolution of one plane.


# %%
def my_transposed(x, weight, stride=1):
    """Lay down scaled copies. x: (H, W). weight: (K_h, K_w).

    Returns: ((H − 1) · stride + K_h, (W − 1) · stride + K_w).
    """
    ### BEGIN SOLUTION
    (h, w), (k_h, k_w) = x.shape, weight.shape
    out = x.new_zeros((h - 1) * stride + k_h, (w - 1) * stride + k_w)
    for i in range(h):
        for j in range(w):
            top, left = i * stride, j * stride
            out[top : top + k_h, left : left + k_w] += x[i, j] * weight
    return out
    ### END SOLUTION


# %%
checks.transposed_plane(my_transposed)

# %% [markdown]
# <details><summary>Hint 1: begin with zeros</summary>
#
# Make the output with `x.new_zeros(height, width)`, sized as the docstring says. Then two loops, over the
# *input* cells.
#
# </details>
# <details><summary>Hint 2: where a copy lies</summary>
#
# The copy of input cell (i, j) begins at row `i * stride`, column `j * stride`, and is as large as the kernel.
#
# </details>
# <details><summary>Hint 3: nearly there</summary>
#
# `out[rows, columns] += x[i, j] * weight`. What would `=` do where two copies overlap?
#
# </details>

# %% [markdown]
# ## Recap
#
# - **Shapes.** `Conv1d`, `Conv2d` and `Conv3d` keep weights of (C_out, C_in / groups, kernel …). A 1 × 1
#   kernel mixes channels, a depthwise one (`groups=C_in`) never does. The transposed layer applies
#   the transposed matrix. It lays down a copy of the kernel for each input number.
# - **One matrix product.** A convolution is a matrix that is mostly zeros and repeats the same few numbers. im2col
#   writes the windows out as columns instead. It is fast since Python is called once, not once for each
#   output, and it pays with memory.
# - **The work.** MACs = output numbers × products in each. It is a count, not a time.
#
# **Common mistakes.** Writing the weight as (in, out, …). Forgetting a factor of the MACs, most often the
# input channels. Reading MACs as seconds. Taking a transposed convolution for the inverse.
# `=` for `+=` where copies overlap.
#
# **To take along.** A `Linear` layer on a 28 × 28 image and a convolution with a 28 × 28 kernel and no padding
# have the same number of weights for each output. What is left of locality and of sharing?
#
# Next: [04 · Autograd](04_autograd.ipynb), on how a kernel learns.

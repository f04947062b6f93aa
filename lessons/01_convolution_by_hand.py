# %% [markdown]
# # 01 · A convolution by hand
#
# **Question: what does one output number come from?**
#
# You will be able to
#
# - work out any number of a convolution's output with a pencil, and name the cells it came from
# - say how large the output is, for any stride, padding and dilation
# - write a convolution over several channels that equals PyTorch's, and choose a kernel for a
#   purpose
#
# *50 minutes. Before this: [00 · Start here](00_start_here.ipynb).*

# %%
import torch
import torch.nn.functional as F

from course_utils import checks, data, ops, plotting, widgets

# %% [markdown]
# ## Slide, multiply, add
#
# To a computer, a picture is a table of numbers. To find a stroke or an edge in it, ask the same
# small question at every place: does what stands *here* look like what I am looking for? A
# convolution asks it with a second, much smaller table, the **kernel**.
#
# It works like this. Lay the kernel on a corner of the image. The cells under it are the
# **window**. Multiply each cell of the window by the number that lies on it, and add the products
# up. That sum is one number of the output. Then move the window by one cell and do it again.

# %%
image = torch.arange(1, 10).reshape(3, 3)
kernel = torch.tensor([[1, 2], [3, 4]])
plotting.show_grids({"image": image, "kernel": kernel}, windows={"image": (0, 0, 2, 2)})

# %% [markdown]
# **Predict.** The kernel lies on the outlined window. Which number comes out? Write it in place of
# `None`, or go on.

# %%
prediction = None
### BEGIN SOLUTION
prediction = 37
### END SOLUTION

# %%
window = image[0:2, 0:2]
products = window * kernel
checks.compare_prediction(prediction, products.sum().item())
plotting.show_grids({"window": window, "kernel": kernel, "products": products}, signs=["×", "="])
print(plotting.write_sum(window, kernel))

# %% [markdown]
# Four products, one sum, one output number. `*` multiplies cell by cell here; it is not a product
# of matrices.
#
# The kernel has two rows and two columns, so in an image of 3 × 3 it fits into four places. Here
# they are, in reading order, each with its sum:

# %%
places = {}
for i in range(2):
    for j in range(2):
        window = image[i : i + 2, j : j + 2]
        print(f"row {i}, column {j}:  {plotting.write_sum(window, kernel)}")
        places[f"→ {(window * kernel).sum()}"] = (i, j, 2, 2)
plotting.show_grids(dict.fromkeys(places, image), windows=places)

# %% [markdown]
# Written in the order of their places, the four sums are the output. It is called a **feature
# map**: it says, for each place, how strongly the image answers to the kernel there. As a formula,
# with $i, j$ for the place and $m, n$ for the cell of the kernel, both counted from 0:
#
# $$\text{output}[i, j] = \sum_m \sum_n \text{image}[i + m,\; j + n] \cdot \text{kernel}[m, n]$$
#
# `F.conv2d` is PyTorch's own. It expects two more axes, for images and for channels.
# `[None, None]` adds them, `[0, 0]` takes them away; the section on channels says what for.


# %%
def convolve(image, kernel, **options):
    """One plane in, one plane out. image: (H, W). kernel: (K_h, K_w). Returns: (H_out, W_out)."""
    return F.conv2d(image[None, None], kernel[None, None], **options)[0, 0]


output = convolve(image, kernel)
assert output.tolist() == [[37, 47], [67, 77]]
plotting.show_grids({"image": image, "kernel": kernel, "output": output}, signs=["∗", "="])

# %% [markdown]
# ### Exercise 1 · With a pencil  ★☆☆ 5 minutes
#
# Work out the four output numbers below, on paper. Mind the minus sign and the zero. You
# will rarely do this by hand again, but when a program gives a wrong number, you will know where
# to look.

# %%
small = torch.tensor([[2, 0, 1], [1, 3, 2], [0, 1, 4]])
weights = torch.tensor([[1, -1], [2, 0]])
plotting.show_grids({"image": small, "kernel": weights})

# %%
by_hand = None  # [[?, ?], [?, ?]]
### BEGIN SOLUTION
by_hand = [[4, 5], [-2, 3]]
### END SOLUTION

# %%
checks.output_by_hand(by_hand)

# %% [markdown]
# <details><summary>Hint 1: which numbers meet</summary>
#
# In the first window, the kernel's 1 lies on the 2, its −1 on the 0, its 2 on the 1, and its 0 on
# the 3.
#
# </details>
#
# <details><summary>Hint 2: write the sum out</summary>
#
# The first number is 2·1 + 0·(−1) + 1·2 + 3·0. The second window starts one cell further to the
# right, the third in the second row.
#
# </details>

# %% [markdown]
# ### Exercise 2 · Your own loops  ★★☆ 8 minutes
#
# Now tell the computer to do it. Two loops move the window, two more run through the kernel. Write
# all four, or let `*` and `.sum()` do the inner two.


# %%
def my_convolve(x, weight):
    """Slide, multiply, add. x: (H, W). weight: (K_h, K_w). Returns: (H_out, W_out), dtype of x."""
    ### BEGIN SOLUTION
    k_h, k_w = weight.shape
    rows, columns = x.shape[0] - k_h + 1, x.shape[1] - k_w + 1
    result = torch.zeros(rows, columns, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            result[i, j] = (x[i : i + k_h, j : j + k_w] * weight).sum()
    return result
    ### END SOLUTION


# %%
my_convolve(image, kernel)  # try it here

# %%
checks.conv2d_plane(my_convolve)

# %% [markdown]
# <details><summary>Hint 1: what you need before the loops</summary>
#
# How many rows and columns does the output have? Make a tensor of zeros of that size, with
# `dtype=x.dtype`, and return it at the end. The kernel need not be square.
#
# </details>
#
# <details><summary>Hint 2: where the window stands</summary>
#
# `x[i : i + 2, j : j + 2]` cuts out the window of a kernel of 2 × 2 in row i and column j. For any
# kernel, take its height and width in place of the 2.
#
# </details>
#
# <details><summary>Hint 3: how many places</summary>
#
# A window of height k begins in row 0 at the earliest and in row H − k at the latest. That makes
# H − k + 1 places, so the outer loop runs over `range(H - k + 1)`.
#
# </details>

# %% [markdown]
# ## Cross-correlation or convolution?
#
# A published article works through this same image and kernel. Its formula is
# $\sum_m \sum_n \text{image}[i - m,\; j - n] \cdot \text{kernel}[m, n]$, with minus signs. It gives
# the result [[9, 11], [13, 19]], and then a "second feature map" from the same kernel.
#
# The signs matter. With plus, as above, the sum is a **cross-correlation**: the kernel lies on the
# image as it stands. With minus it is what mathematics calls a **convolution**: the further right
# in the kernel, the further *left* in the image. That lays the kernel down turned by 180°.

# %%
with_minus = torch.zeros(2, 2, dtype=torch.int64)
for i in (1, 2):  # the first row and column that have a neighbour above and to the left
    for j in (1, 2):
        for m in (0, 1):
            for n in (0, 1):
                with_minus[i - 1, j - 1] += image[i - m, j - n] * kernel[m, n]

turned = kernel.flip(0, 1)
assert torch.equal(with_minus, convolve(image, turned))
plotting.show_grids({"image": image, "kernel, turned": turned, "output": with_minus}, signs="∗=")

# %% [markdown]
# **Predict.** Which of the two is the article's result: `"cross-correlation"`, `"convolution"`,
# `"both"` or `"neither"`?

# %%
prediction = None
### BEGIN SOLUTION
prediction = "neither"
### END SOLUTION

# %%
article = torch.tensor([[9, 11], [13, 19]])
results = {"cross-correlation": output, "convolution": with_minus}
same = [name for name, result in results.items() if torch.equal(result, article)]
checks.compare_prediction(prediction, " and ".join(same) or "neither")
plotting.show_grids({**results, "the article": article})

# %% [markdown]
# Neither. The published numbers are not those of this kernel, whichever way round. And there is no
# second map: one kernel gives one feature map. Two minutes with a pencil show it.
#
# PyTorch, like every library for neural networks, computes the cross-correlation and calls it
# `conv2d`. For a network it makes no difference: it learns its kernels, and would learn a turned
# one instead. From here on "convolution" means what PyTorch does. But when a kernel comes from a
# book on signals, ask which way round it is meant.
#
# Here are image and kernel once more, to take into your hands. Every number of them can be
# changed: click it and type.

# %% tags=["nbval-ignore-output"]
stepper = widgets.ConvolutionStepper(input=image, kernel=kernel)
stepper

# %% [markdown]
# **Try:** press `next ▶` three times and read each sum. Point at one of the products: which two
# numbers is it made of? Then set `mode` to convolution, and notice which numbers now meet.

# %% [markdown]
# ## How large is the output?
#
# Rows and columns are counted in the same way, so take a single row. Here are 7 cells and a window
# of 3. Each line shows one place the window fits into.

# %%
row = torch.arange(7)
starts = range(7 - 3 + 1)
title = "cells 0 to 6, a window of 3"
windows = [(line, start, 1, 3) for line, start in enumerate(starts)]
plotting.show_grids({title: row.repeat(len(starts), 1)}, windows={title: windows}, size=0.4)

# %% [markdown]
# The first window begins in cell 0, the last in cell 7 − 3 = 4. With the 0 that makes five places.
# For $n$ cells and a window of $k$ there are
#
# $$n - k + 1$$
#
# places, and each gives one output number.
#
# **Predict.** An image of 28 × 28 and a kernel of 5 × 5: how many rows does the output have?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 24
### END SOLUTION

# %%
digit_sized, kernel_5 = torch.zeros(28, 28), torch.zeros(5, 5)
checks.compare_prediction(prediction, len(convolve(digit_sized, kernel_5)))

# %% [markdown]
# That is all there is to the output being smaller: there are fewer places than cells. It is
# sometimes explained by "repeated information" being removed. The count does not even look at the
# information:

# %%
for name, picture in {"1 to 9": image, "nine times 5": torch.full((3, 3), 5)}.items():
    print(f"{name}: {convolve(picture, kernel).tolist()}")

# %% [markdown]
# An image in which nothing repeats and one in which everything does: both end as 2 × 2.
#
# ### Stride
#
# The window may move by more than one cell at a time. The step is called the **stride**. It makes
# the output small on purpose, and the work with it. With stride 2, in rows of 7 and of 8 cells:

# %%
rows = {"7 cells, stride 2": 7, "8 cells, stride 2": 8}
grids = {title: torch.arange(n).repeat(3, 1) for title, n in rows.items()}
windows = [(line, 2 * line, 1, 3) for line in range(3)]
plotting.show_grids(grids, windows=dict.fromkeys(grids, windows), size=0.4)

# %% [markdown]
# In both there are three places. Counted: after its first place the window has $n - k$ cells left
# to move, and each step uses up $s$ of them. What is left over at the end is not enough for a
# step, so the division is rounded down (that is what $\lfloor\;\rfloor$ says):
#
# $$\left\lfloor \frac{n - k}{s} \right\rfloor + 1$$
#
# For 7 cells that is 4/2 + 1 = 3, and for 8 cells ⌊5/2⌋ + 1 = 3 again. Look at the last one, cell
# 7: no window covers it. In two dimensions the same happens at the right and at the bottom:

# %%
picture = torch.arange(1, 37).reshape(6, 6)
reads = torch.zeros(6, 6, dtype=torch.int64)
for i in (0, 2):
    for j in (0, 2):
        reads[i : i + 3, j : j + 3] += 1
border = [(5, 0, 1, 6), (0, 5, 6, 1)]
grids = {"image": picture, "windows that read each cell": reads}
plotting.show_grids(grids, windows=dict.fromkeys(grids, border))
print(f"{(reads == 0).sum()} of {reads.numel()} cells are never read")

# %% [markdown]
# With a kernel of 3 × 3 and stride 2, the last row and the last column of a 6 × 6 image may hold
# anything:

# %%
ones = torch.ones(3, 3, dtype=torch.int64)
spoiled = picture.clone()
spoiled[5, :] = spoiled[:, 5] = 999
before, after = convolve(picture, ones, stride=2), convolve(spoiled, ones, stride=2)
assert torch.equal(before, after)
plotting.show_grids({"before": before, "after": after}, signs="=")

# %% [markdown]
# PyTorch does not warn about this. It rarely hurts a photograph. In a table of measurements, or a
# drawing that touches its border, it can hide what you are looking for.
#
# ### Padding
#
# There is another loss at the border: the middle cell of a 3 × 3 image lies in all four windows of
# a 2 × 2 kernel, a corner in one only. **Padding** puts rows and columns of zeros around the
# image, $p$ of them on each of the four sides. The window can then stand half outside, and the
# output need not shrink.

# %%
padded = F.pad(image, (1, 1, 1, 1))
output = convolve(image, ones, padding=1)
assert torch.equal(output, convolve(padded, ones))
plotting.show_grids(
    {"image, padding 1": padded, "kernel": ones, "output": output},
    windows={"image, padding 1": (0, 0, 3, 3), "output": (0, 0, 1, 1)},
    signs="∗=",
)

# %% [markdown]
# Three rows in, three rows out. A row of $n$ cells has become one of $n + 2p$, padded at both
# ends. An odd kernel of $k$ cells and $p = (k - 1)/2$ keep the size.
#
# The zeros are made up. The kernel here adds nine numbers, and in the corner five of them are
# zeros that the image never held: 12, where the middle has 45. Expect feature maps to fade, or to
# show an edge, along a padded border.
#
# ### Dilation
#
# A kernel can look further without getting more weights: its cells are pulled apart. **Dilation**
# $d$ is the distance between neighbours; 1 is the usual. The four outlined cells are one window of
# a 2 × 2 kernel with dilation 2.

# %%
image_5 = torch.arange(1, 26).reshape(5, 5)
output = convolve(image_5, kernel, dilation=2)
apart = [(0, 0, 1, 1), (0, 2, 1, 1), (2, 0, 1, 1), (2, 2, 1, 1)]
grids = {"image, dilation 2": image_5, "kernel": kernel, "output": output}
plotting.show_grids(grids, windows={"image, dilation 2": apart, "output": (0, 0, 1, 1)}, signs="∗=")
print(plotting.write_sum(image_5[0:3:2, 0:3:2], kernel))

# %% [markdown]
# From its first to its last cell, this window covers 3 cells. In general, $k$ cells have $k - 1$
# gaps between them, each a step of $d$, and so the window reaches over $d\,(k - 1) + 1$ cells. Put
# that in the place of $k$, and $n + 2p$ in the place of $n$, and you have counted all there is:
#
# $$\text{output size} = \left\lfloor \frac{n + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1$$

# %%
examples = [
    {"size": 3, "kernel_size": 2},
    {"size": 28, "kernel_size": 5},
    {"size": 8, "kernel_size": 3, "stride": 2},
    {"size": 3, "kernel_size": 3, "padding": 1},
    {"size": 5, "kernel_size": 2, "dilation": 2},
]
for example in examples:
    print(ops.output_size(**example), "from", example)

# %% [markdown]
# ### Exercise 3 · The size of the output  ★★☆ 6 minutes
#
# Write that function yourself. A size counted wrong is a common reason why a network stops at its
# first run. Try yours on the five examples above.


# %%
def my_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    """How many places a window has along one axis. All arguments and the answer are ints."""
    ### BEGIN SOLUTION
    room = size + 2 * padding - dilation * (kernel_size - 1) - 1
    return room // stride + 1
    ### END SOLUTION


# %%
my_output_size(8, 3, stride=2)  # try it here

# %%
checks.output_size(my_output_size)

# %% [markdown]
# <details><summary>Hint 1: in which order</summary>
#
# First how many cells there are, with the padding. Then over how many of them the window reaches.
# The difference is the room it has to move.
#
# </details>
#
# <details><summary>Hint 2: whole numbers</summary>
#
# `7 / 2` is 3.5 in Python, and `7 // 2` is 3. And the window has one place before it takes a step.
#
# </details>

# %% [markdown]
# Here are all the options at once, on an image of 4 × 4.

# %% tags=["nbval-ignore-output"]
stepper = widgets.ConvolutionStepper(input=torch.arange(1, 17).reshape(4, 4))
stepper

# %% [markdown]
# **Try:** set `dilation` to 4. Why is it not possible, and which other option makes it possible
# again? Then set `stride` to 3 with dilation 1 and no padding. Which cells are never read? They are
# hatched.
#
# Python knows what you do up there. Run the next cell after each change: `stepper.output` is what
# you see.

# %% tags=["nbval-ignore-output"]
print(f"stride {stepper.stride}, padding {stepper.padding}, dilation {stepper.dilation}")
print(stepper.output)

# %% [markdown]
# ## Several channels
#
# A colour photograph has three numbers for each pixel: how much red, green and blue. They are kept
# as three planes of the same size, the **channels**. White means much of a colour.

# %%
colour = data.load_photo("flower", size=64, color=True)
print("shape:", tuple(colour.shape))
plotting.show_images(colour[0], ["channel 0: red", "channel 1: green", "channel 2: blue"])

# %% [markdown]
# The kernel then has as many planes as the image has channels. Each plane slides over its own
# channel, and the results are **added up**. At the end one more number is added to every cell, the
# **bias**. So there is still one output plane, whatever number of channels comes in. By hand, with
# two channels:

# %%
x = torch.stack([image, torch.tensor([[1, 0, 1], [0, 1, 0], [1, 0, 1]])])  # (2, 3, 3)
weight = torch.stack([kernel, torch.tensor([[2, 0], [0, 1]])])  # (2, 2, 2)
maps = [convolve(x[c], weight[c]) for c in (0, 1)]
for c in (0, 1):
    names = f"channel {c}", f"kernel, plane {c}", f"map {c}"
    plotting.show_grids(dict(zip(names, (x[c], weight[c], maps[c]), strict=True)), signs="∗=")

# %%
bias = torch.tensor(100)
output = maps[0] + maps[1] + bias
grids = {"map 0": maps[0], "map 1": maps[1], "bias": bias.expand(2, 2), "output": output}
plotting.show_grids(grids, signs="++=")
assert torch.equal(output, F.conv2d(x[None], weight[None], bias[None])[0, 0])

# %% [markdown]
# The maps are added, not kept apart. In the next cell, point at any output number: its eight
# products come from both channels.

# %% tags=["nbval-ignore-output"]
stepper = widgets.ConvolutionStepper(input=x, kernel=weight)
stepper

# %% [markdown]
# **Try:** change one number of the second kernel plane. How many of the four output numbers change,
# and why not all?
#
# If you want more than one output plane, take more than one
# kernel: each sees all input channels and gives one **output channel**, with a bias of its own.
# And images come in batches of N. That explains all four axes:
#
# | tensor | shape | here |
# | --- | --- | --- |
# | x | (N, C_in, H, W) | (10, 3, 32, 32): ten colour images |
# | weight | (C_out, C_in, K_h, K_w) | (8, 3, 5, 5): eight kernels, three planes in each |
# | bias | (C_out,) | (8,): one number for each kernel |
# | output | (N, C_out, H_out, W_out) | ? |

# %%
x = torch.rand(10, 3, 32, 32)
weight, bias = torch.rand(8, 3, 5, 5), torch.rand(8)
print(tuple(F.conv2d(x, weight, bias).shape))

# %% [markdown]
# **Predict.** How many numbers does this layer have to learn, weights and biases together?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 8 * 3 * 5 * 5 + 8
### END SOLUTION

# %%
checks.compare_prediction(prediction, weight.numel() + bias.numel())

# %% [markdown]
# 8 · 3 · 5 · 5 weights and 8 biases. Neither the size of the images nor their number is in it: the
# same few weights are used at every place.

# %% [markdown]
# ### Exercise 4 · The whole convolution  ★★★ 12 minutes
#
# Everything at once: a batch, channels, a bias, stride and padding. (Dilation is left out.)


# %%
def my_conv2d(x, weight, bias=None, stride=1, padding=0):
    """What F.conv2d computes.

    x: (N, C_in, H, W). weight: (C_out, C_in, K_h, K_w). bias: (C_out,) or None.
    Returns: (N, C_out, H_out, W_out), in the dtype of x.
    """
    ### BEGIN SOLUTION
    k_h, k_w = weight.shape[2:]
    x = F.pad(x, (padding, padding, padding, padding))
    rows, columns = (x.shape[2] - k_h) // stride + 1, (x.shape[3] - k_w) // stride + 1
    result = torch.zeros(len(x), len(weight), rows, columns, dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = x[:, None, :, top : top + k_h, left : left + k_w]
            result[:, :, i, j] = (window * weight).sum((2, 3, 4))
    return result if bias is None else result + bias[:, None, None]
    ### END SOLUTION


# %%
my_conv2d(torch.ones(1, 2, 3, 3), torch.ones(1, 2, 2, 2))  # try it here: four times 8

# %%
checks.conv2d(my_conv2d)

# %% [markdown]
# <details><summary>Hint 1: begin small</summary>
#
# Four loops will do: over the images `n`, the kernels `o`, and the rows `i` and columns `j` of the
# output. Begin with zeros in the `dtype` of x. Get it right without stride, padding and bias first:
# the check shows the smallest case that fails.
#
# </details>
#
# <details><summary>Hint 2: one window, all channels</summary>
#
# `x[n, :, i : i + k_h, j : j + k_w]` has the shape (C_in, K_h, K_w), and `weight[o]` has it too.
# Their product, summed over everything, is one output number.
#
# </details>
#
# <details><summary>Hint 3: the options</summary>
#
# `F.pad(x, (padding,) * 4)` gives a padded copy; work on that. Place i of the output has its
# window at row `i * stride`. Add `bias[o]` once, at the end.
#
# </details>

# %% [markdown]
# Your function beside PyTorch's, and beside `ops.conv2d`, the course's own loops. (Until your
# check passes, those stand in for yours.) All agree to the tenth decimal.

# %%
own = my_conv2d if checks.conv2d(my_conv2d).passed else ops.conv2d
x = torch.rand(2, 3, 9, 8, dtype=torch.float64)
weight, bias = torch.rand(4, 3, 3, 2).double(), torch.rand(4).double()
arguments = (x, weight, bias, 2, 1)  # stride 2, padding 1
expected = F.conv2d(*arguments)
for convolution in (own, ops.conv2d):
    assert torch.allclose(convolution(*arguments), expected, rtol=0, atol=1e-10)
print("equal to F.conv2d, shape", tuple(expected.shape))

# %% [markdown]
# ## What a kernel can see
#
# Why should sums of products find anything? Take a dark image with a bright stripe, and a kernel
# with minus on the left and plus on the right.

# %%
stripe = torch.tensor([0, 0, 0, 9, 9, 9, 0, 0]).repeat(3, 1)
left_to_right = torch.tensor([[-1, 0, 1]] * 3)
answer = convolve(stripe, left_to_right)
assert answer.tolist() == [[0, 27, 27, 0, -27, -27]]
plotting.show_grids({"image": stripe, "kernel": left_to_right, "output": answer}, signs="∗=")

# %% [markdown]
# Where left and right of the window are equal, plus and minus cancel: 0. Where it gets brighter
# from left to right the answer is positive, where it gets darker negative. This kernel finds
# **vertical edges**, and its sign tells the one side of the stripe from the other.
#
# **Predict.** The sky of the photograph below is bright and flat: its pixels are all about 0.94.
# What does this kernel answer there, to one decimal?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.0
### END SOLUTION

# %% tags=["cover"]
photo = data.load_photo(size=96)[0, 0]
vertical = convolve(photo, left_to_right.float())
assert (photo[5:25, 60:90] - 0.94).abs().max() < 0.03  # a part of the sky
sky = vertical[5:25, 60:90].abs().mean()
checks.compare_prediction(prediction, round(sky.item(), 1))
plotting.show(widgets.KernelPlayground(photo, "vertical edges (Sobel)").draw())

# %% [markdown]
# The picture shows a kernel that is used often, named after Irwin Sobel: the middle row counts
# double. Its nine numbers add up to 0, so every flat area gives 0, bright or dark.
#
# Negative answers are as much an answer as positive ones. White is zero here, blue negative,
# orange positive. A program that shows numbers as grey values would paint everything below zero
# black, and lose one side of every pillar:

# %%
print(f"{(vertical > 0.1).float().mean():.0%} of the answers are above 0.1")
print(f"{(vertical < -0.1).float().mean():.0%} are below −0.1")

# %% [markdown]
# Kernels whose numbers add up to 1 keep the brightness. Nine times 1/9 replaces each pixel by the
# mean of its surroundings: a blur. And 5 in the middle with −1 on four sides adds to each pixel
# what makes it different from its neighbours: it looks sharper.

# %%
blurred = convolve(photo, torch.full((3, 3), 1 / 9))
assert abs(blurred.mean() - photo.mean()) < 0.01
sharper = convolve(photo, torch.tensor([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]))
pictures = [photo, blurred, sharper]
plotting.show_images(pictures, ["photograph", "blurred", "sharpened"], limits=(0, 1))

# %% [markdown]
# ### Exercise 5 · A kernel for horizontal edges  ★★☆ 5 minutes
#
# Invent a kernel of 3 × 3 that answers to horizontal edges: positive where the *bottom* of the
# window is brighter than the top, 0 on flat areas, and 0 at vertical edges. There is more than
# one.

# %%
horizontal = None  # [[?, ?, ?], [?, ?, ?], [?, ?, ?]]
### BEGIN SOLUTION
horizontal = [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]
### END SOLUTION

# %% tags=["nbval-ignore-output"]
if horizontal is not None:  # try it here
    answer = convolve(photo, torch.tensor(horizontal).float())
    plotting.show_images([answer], ["your kernel's answer"], signed=True, height=3)

# %%
checks.edge_kernel(horizontal)

# %% [markdown]
# <details><summary>Hint 1: from the one to the other</summary>
#
# The kernel above compares left with right. What has to change place for it to compare top with
# bottom?
#
# </details>
#
# <details><summary>Hint 2: the signs</summary>
#
# The row that lies on the brighter part should be positive. For 0 on flat areas, another row must
# take away as much as it adds.
#
# </details>

# %% [markdown]
# Now with any kernel. Choose one from the menu or make your own: click one of its numbers, and drag
# the slider. The picture can be yours too.

# %% tags=["nbval-ignore-output"]
playground = widgets.KernelPlayground(data.load_photo(size=144))
playground

# %% [markdown]
# **Try:** go through the menu of kernels and guess each answer before you look. Then take "identity"
# and drag the number in the middle down to −1. What do the colours say, and what would a program
# have shown that paints everything below zero black?
#
# Cameras add noise: a small random number to every pixel. Here is the photograph with much of it.

# %% tags=["nbval-ignore-output"]
noisy = photo + 0.1 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))
widgets.KernelPlayground(noisy, "all edges (Laplacian)")

# %% [markdown]
# **Try:** what has become of the edges? Does Sobel fare better, and why? Choose a Gaussian blur of
# 5 × 5: why would it help to blur before you look for edges?

# %% [markdown]
# ## Recap
#
# - **One output number** is the sum of the products of a window with the kernel. It comes from the
#   cells under the window and no others. Over several channels the sums are added, and the bias
#   once.
# - **The size** is the number of places: ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1. Stride makes it smaller
#   and may leave cells at the border unread, padding makes it larger with zeros, dilation lets the
#   window reach further.
# - **A kernel** is a question. Numbers that add up to 0 ask for differences, numbers that add up to
#   1 keep the brightness. One kernel gives one feature map; C_out kernels give C_out.
#
# Common mistakes:
#
# - turning the kernel, because a formula in a book says so: PyTorch does not turn it
# - a product of matrices in place of a product cell by cell
# - counting one place too few, or padding on one side only
# - forgetting that every kernel sees *all* input channels
# - showing signed answers as grey values
#
# **To take with you:** nobody writes kernels by hand any more; networks find their own. Suppose
# you had the photograph and the picture of its vertical edges, but not the kernel. How would you
# find its nine numbers? Lesson 04 does it by gradient descent.
#
# Next: [02 · Pooling by hand](02_pooling_by_hand.ipynb), on what to keep of a feature map and what
# to throw away.

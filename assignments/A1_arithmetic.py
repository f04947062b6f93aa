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
# # A1 · Arithmetic
#
# Convolution and pooling: by hand with numbers of your own, as code, and in words.
#
# *After lessons 01 and 02. 20 points, about 60 minutes.*
#
# | task | | points |
# | --- | --- | --- |
# | 1 | a convolution by hand | 3 |
# | 2 | pooling by hand | 3 |
# | 3 | sizes by hand | 2 |
# | 4 | a depthwise convolution, as code | 5 |
# | 5 | a range pooling, as code | 4 |
# | 6 | a picture moves, in words | 3 |
#
# **How it is graded.** Write your answers into the cells that say `# your code here` or *Write your
# answer here*. Below each answer stands a cell that checks it. Run it as often as you like. It
# tries a few examples now; when your notebook is graded, further cases are tried. What a check says
# never stops the notebook. The checking cells themselves are put back to what they were before they
# are graded, so changing them changes nothing. You may add cells of your own.
#
# You can work in JupyterLab or in Colab. Hand in this one file, under the name it has.

# %%
import torch
import torch.nn.functional as F

from course_utils import assignments, plotting
from course_utils.assignments import Case, own_numbers

# %% [markdown]
# ## Your id
#
# Tasks 1 to 3 have other numbers for everybody. They are made from your id, so write it here first:
# the id or name that you hand in under. Mind the quotation marks.

# %% answer="student_id"
student_id = "write your id here"
### BEGIN SOLUTION
student_id = "ada"
### END SOLUTION

# %% [markdown]
# ## Task 1 · A convolution by hand (3 points)
#
# An image of 4 × 4 and a kernel of 3 × 3. No padding, stride 1. Take paper and a pencil. You may
# compare with PyTorch afterwards.

# %%
image, kernel = own_numbers.a1_convolution(student_id)
plotting.show_grids({"your image": image, "your kernel": kernel})

# %% [markdown]
# **a) (2 points)** What is the output, if the kernel lies on the image as it stands? Write it as a
# list of rows in place of `None`. An output of 2 × 2 looks like this: `[[1, 2], [3, 4]]`.

# %% answer="convolution_output"
convolution_output = None
### BEGIN SOLUTION
convolution_output = F.conv2d(image[None, None], kernel[None, None])[0, 0].tolist()
### END SOLUTION

# %% [markdown]
# In tasks 1 to 3 the checks look at the form of your answer only: is it a list of numbers, and does
# it have the right shape? Whether the numbers are right is compared when it is graded.

# %% tests="convolution_output_form" points=2
assignments.graded(own_numbers.form("convolution_output", convolution_output, (2, 2), student_id))
### BEGIN HIDDEN TESTS
from hidden import a1_by_hand

assignments.graded(a1_by_hand.convolution_output(student_id)(convolution_output))
### END HIDDEN TESTS

# %% [markdown]
# **b) (1 point)** And what is the output of the convolution of mathematics, which turns the kernel
# by 180° first? Same image, same kernel.

# %% answer="turned_output"
turned_output = None
### BEGIN SOLUTION
turned_output = F.conv2d(image[None, None], kernel.flip(0, 1)[None, None])[0, 0].tolist()
### END SOLUTION

# %% tests="turned_output_form" points=1
assignments.graded(own_numbers.form("turned_output", turned_output, (2, 2), student_id))
### BEGIN HIDDEN TESTS
from hidden import a1_by_hand

assignments.graded(a1_by_hand.turned_output(student_id)(turned_output))
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2 · Pooling by hand (3 points)
#
# Another image of 4 × 4, with negative numbers. All three poolings have a window of 2 × 2, stride
# 2 and padding 1, so all three outputs have 3 × 3 numbers. Draw the padding round the image first,
# then the nine windows.

# %%
signed_image = own_numbers.a1_pooling(student_id)
plotting.show_grids({"your image": signed_image})

# %% [markdown]
# **a) (1 point)** Max pooling. Again as a list of rows.

# %% answer="max_pooled"
max_pooled = None
### BEGIN SOLUTION
max_pooled = F.max_pool2d(signed_image[None, None], 2, padding=1)[0, 0].tolist()
### END SOLUTION

# %% tests="max_pooled_form" points=1
assignments.graded(own_numbers.form("max_pooled", max_pooled, (3, 3), student_id))
### BEGIN HIDDEN TESTS
from hidden import a1_by_hand

assignments.graded(a1_by_hand.max_pooled(student_id)(max_pooled))
### END HIDDEN TESTS

# %% [markdown]
# **b) (1 point)** Average pooling with `count_include_pad=True`, which is the default: the zeros of
# the padding count as cells. Do not round. A fraction may stay one, such as `-3 / 4`.

# %% answer="average_pooled"
average_pooled = None
### BEGIN SOLUTION
average_pooled = F.avg_pool2d(signed_image[None, None], 2, padding=1)[0, 0].tolist()
### END SOLUTION

# %% tests="average_pooled_form" points=1
assignments.graded(own_numbers.form("average_pooled", average_pooled, (3, 3), student_id))
### BEGIN HIDDEN TESTS
from hidden import a1_by_hand

assignments.graded(a1_by_hand.average_pooled(student_id)(average_pooled))
### END HIDDEN TESTS

# %% [markdown]
# **c) (1 point)** Average pooling with `count_include_pad=False`: only cells of the image count.

# %% answer="average_inside"
average_inside = None
### BEGIN SOLUTION
average_inside = F.avg_pool2d(signed_image[None, None], 2, padding=1, count_include_pad=False)
average_inside = average_inside[0, 0].tolist()
### END SOLUTION

# %% tests="average_inside_form" points=1
assignments.graded(own_numbers.form("average_inside", average_inside, (3, 3), student_id))
### BEGIN HIDDEN TESTS
from hidden import a1_by_hand

assignments.graded(a1_by_hand.average_inside(student_id)(average_inside))
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3 · Sizes by hand (2 points)
#
# **a) (1 point)** A picture goes through three layers, one after the other. What is not named has
# its default: no padding, dilation 1, and for the stride what lesson 02 says of a pooling.

# %%
size, layers = own_numbers.a1_layers(student_id)
print(f"picture: {size} rows, {size} columns")
for kind, options in zip(("convolution", "convolution", "max pooling"), layers, strict=True):
    print(f"then a {kind}:", ", ".join(f"{name} {value}" for name, value in options.items()))

# %% [markdown]
# How many rows are there after each layer? Write three numbers, such as `[24, 20, 10]`.

# %% answer="layer_sizes"
layer_sizes = None
### BEGIN SOLUTION
x = torch.zeros(1, 1, size, size)
weights = [torch.zeros(1, 1, *[layer["kernel_size"]] * 2) for layer in layers]
x1 = F.conv2d(x, weights[0], stride=layers[0]["stride"], padding=layers[0]["padding"])
x2 = F.conv2d(x1, weights[1], dilation=layers[1]["dilation"])
layer_sizes = [len(x1[0, 0]), len(x2[0, 0]), len(x2[0, 0]) // layers[2]["kernel_size"]]
### END SOLUTION

# %% tests="layer_sizes_form" points=1
assignments.graded(own_numbers.form("layer_sizes", layer_sizes, (3,), student_id))
### BEGIN HIDDEN TESTS
from hidden import a1_by_hand

assignments.graded(a1_by_hand.layer_sizes(student_id)(layer_sizes))
### END HIDDEN TESTS

# %% [markdown]
# **b) (1 point)** Another picture, and one convolution. Its stride is larger than its kernel.

# %%
rows, options = own_numbers.a1_rows(student_id)
print(f"picture: {rows} rows, numbered 0 to {rows - 1}")
print("convolution:", ", ".join(f"{name} {value}" for name, value in options.items()))

# %% [markdown]
# Which rows of the picture are read by no window at all? Write their numbers as a list, such as
# `[4, 9]`. The first row of the picture itself is row 0; the rows of the padding have no number.

# %% answer="unread_rows"
unread_rows = None
### BEGIN SOLUTION
read = set()
padding, k = options["padding"], options["kernel_size"]
for start in range(-padding, rows + padding - k + 1, options["stride"]):
    read |= set(range(start, start + k))
unread_rows = [row for row in range(rows) if row not in read]
### END SOLUTION

# %% tests="unread_rows_form" points=1
assignments.graded(own_numbers.form("unread_rows", unread_rows, (None,), student_id))
### BEGIN HIDDEN TESTS
from hidden import a1_by_hand

assignments.graded(a1_by_hand.unread_rows(student_id)(unread_rows))
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4 · A depthwise convolution (5 points)
#
# In lesson 01 every kernel saw all channels, and the results were added up. There is a cheaper
# kind. In a **depthwise convolution** each channel has one kernel of its own, with a single plane.
# It slides over that channel only. Nothing is added up over channels, so as many channels come out
# as went in.
#
# An example with two channels. Each kernel has one row and two columns:
#
# | | image | kernel | output, without bias |
# | --- | --- | --- | --- |
# | channel 0 | [[1, 2], [3, 4]] | [[1, 1]] | [[3], [7]] |
# | channel 1 | [[5, 6], [7, 8]] | [[1, −1]] | [[−1], [−1]] |
#
# With the bias [0, 10] the output is [[3], [7]] and [[9], [9]].
#
# Write it, with bias, stride and padding as in `my_conv2d` of lesson 01. `stride` and `padding` are
# whole numbers. The arithmetic should be yours: PyTorch's convolutions, `F.unfold` and the course's
# own functions may not be called. Loops, slices, `F.pad`, products and sums are all you need.


# %% answer="depthwise_conv2d"
def depthwise_conv2d(x, weight, bias=None, stride=1, padding=0):
    """Each channel is convolved with its own kernel.

    x: (N, C, H, W). weight: (C, 1, K_h, K_w). bias: (C,) or None. stride, padding: int.
    Returns: (N, C, H_out, W_out), in the dtype of x.
    """
    ### BEGIN SOLUTION
    k_h, k_w = weight.shape[2:]
    x = F.pad(x, (padding, padding, padding, padding))
    rows, columns = (x.shape[2] - k_h) // stride + 1, (x.shape[3] - k_w) // stride + 1
    output = x.new_zeros(*x.shape[:2], rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = x[:, :, top : top + k_h, left : left + k_w]
            output[:, :, i, j] = (window * weight[:, 0]).sum((2, 3))
    return output if bias is None else output + bias[:, None, None]
    ### END SOLUTION


# %%
depthwise_conv2d(torch.ones(1, 2, 3, 3), torch.ones(2, 1, 2, 2))  # try it here: eight times 4

# %% [markdown]
# Three examples: one channel, the two channels above, and one channel with stride 2 and padding 1.
# (2 points)

# %% tests="depthwise_conv2d_examples" points=2
plane = torch.tensor([[[[1.0, 0, 2], [3, 1, 0], [0, 2, 1]]]])
kernel_2 = torch.tensor([[[[1.0, -1], [2, 0]]]])
two = torch.tensor([[[[1.0, 2], [3, 4]], [[5, 6], [7, 8]]]])
kernels = torch.tensor([[[[1.0, 1]]], [[[1, -1]]]])
both, ones = {"stride": 2, "padding": 1}, torch.ones(1, 1, 2, 2)
assignments.graded(
    assignments.examples(
        depthwise_conv2d,
        Case((plane, kernel_2), expected=torch.tensor([[[[7.0, 0], [2, 5]]]])),
        Case(
            (two, kernels, torch.tensor([0.0, 10])),
            expected=torch.tensor([[[[3.0], [7]], [[9], [9]]]]),
        ),
        Case((plane, ones), both, expected=torch.tensor([[[[1.0, 2], [3, 4]]]])),
        lesson="lesson 01, 'Several channels'",
        without=("conv1d", "conv2d", "conv3d", "convolution", "im2col"),
    )
)

# %% [markdown]
# Further cases (3 points).

# %% tests="depthwise_conv2d_hidden" points=3
# When your notebook is graded: other sizes, several images and channels, other number types.
### BEGIN HIDDEN TESTS
from hidden import a1

assignments.graded(a1.depthwise_conv2d(depthwise_conv2d))
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5 · A range pooling (4 points)
#
# How rough is a picture, and where? Max pooling does not say: a flat bright sky and a bright speck
# give the same. The **range** of a window is its largest number minus its smallest. It is 0 where
# the window is flat, and large at an edge.
#
# An example. The window has 2 × 2 cells and moves by its own width. In the first window the
# largest number is 4 and the smallest is −1:
#
# | image | output |
# | --- | --- |
# | [[1, 4, 7, 7], [−1, 2, 7, 7]] | [[5, 0]] |
#
# Write a pooling that keeps the range of each window. There is no padding. A window that does not
# fit into the image is dropped. If no stride is given, it is the window's width. PyTorch's max
# poolings and the course's own functions may not be called; `amax` and `amin` may.


# %% answer="range_pool2d"
def range_pool2d(x, kernel_size, stride=None):
    """The largest number of each window minus the smallest.

    x: (N, C, H, W). kernel_size, stride: int; stride=None means kernel_size.
    Returns: (N, C, H_out, W_out), in the dtype of x.
    """
    ### BEGIN SOLUTION
    stride = stride or kernel_size
    rows = (x.shape[2] - kernel_size) // stride + 1
    columns = (x.shape[3] - kernel_size) // stride + 1
    output = x.new_zeros(*x.shape[:2], rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = x[:, :, top : top + kernel_size, left : left + kernel_size]
            output[:, :, i, j] = window.amax((2, 3)) - window.amin((2, 3))
    return output
    ### END SOLUTION


# %%
range_pool2d(torch.arange(16.0).reshape(1, 1, 4, 4), 2)  # try it here: four times 5

# %% [markdown]
# Three examples: the one above, one with stride 1, and one with two channels in which a row and a
# column are left over. (2 points)

# %% tests="range_pool2d_examples" points=2
rough = torch.tensor([[[[1.0, 4, 7, 7], [-1, 2, 7, 7]]]])
first, second = [[-2.0, -5, 0], [-3, -2, 9], [8, 9, 9]], [[6.0, 6, 0], [6, 6, 0], [0, 0, 0]]
assignments.graded(
    assignments.examples(
        range_pool2d,
        Case((rough, 2), expected=torch.tensor([[[[5.0, 0]]]])),
        Case((rough, 2), {"stride": 1}, expected=torch.tensor([[[[5.0, 5, 0]]]])),
        Case((torch.tensor([[first, second]]), 2), expected=torch.tensor([[[[3.0]], [[0]]]])),
        lesson="lesson 02, 'The largest of each window'",
        without=("max_pool1d", "max_pool2d", "max_pool3d", "adaptive_max_pool2d"),
    )
)

# %% [markdown]
# Further cases (2 points).

# %% tests="range_pool2d_hidden" points=2
# When your notebook is graded: other sizes and strides, several images, other number types.
### BEGIN HIDDEN TESTS
from hidden import a1

assignments.graded(a1.range_pool2d(range_pool2d))
### END HIDDEN TESTS

# %% [markdown]
# ## Task 6 · A picture moves (3 points)
#
# A picture is moved by one pixel to the right. The column at its right end is lost, and at its left
# end a column of zeros comes in. Three layers see the picture before and after:
#
# - a convolution of 3 × 3 with stride 1 and padding 1,
# - the same convolution with stride 2,
# - a max pooling of 2 × 2 with stride 2.
#
# What happens to each output? And at the border: what stays the same, what does not? Write five to
# ten sentences of your own. A person reads them.
#
# | part | what earns the points | points |
# | --- | --- | --- |
# | stride 1 | what the output does away from the border, and why | 1 |
# | stride 2 | what the two other outputs do, and why; which moves are simple or forgiven | 1 |
# | border | what stays (size, windows, padding); which numbers the move does not explain | 1 |
#
# Half points are given where the "what" is right and the "why" is missing.
#
# Here is a picture to try it on. Change what you like.

# %%
picture = torch.zeros(1, 1, 4, 8)
picture[..., 2:4] = torch.tensor([5.0, 9])
moved = torch.zeros_like(picture)
moved[..., 1:] = picture[..., :-1]
for name, shown in {"before": picture, "after": moved}.items():
    print(name, F.conv2d(shown, torch.ones(1, 1, 3, 3), padding=1)[0, 0, 1].tolist())

# %% [markdown] written="shifted_picture" points=3
# ### BEGIN SOLUTION
# **Stride 1.** The output moves along: by one column to the right, its numbers unchanged
# (equivariant). The same kernel does the same sum at every place, and the window one column further
# right now sees exactly what its neighbour saw before.
#
# **Stride 2.** The windows begin at every second column, before and after. After the move they see
# what used to lie between them. So the output is in general made of other numbers; it is not the
# old one moved, since half an output column does not exist. The max pooling stands on the same
# grid. As long as the largest number stays in its window (it moves from the left column to the
# right one) and nothing larger comes in from the left, the output number stays as it is. When it
# crosses into the next window, it changes. So small moves are forgiven in part only. Moved by two
# pixels, both outputs move by exactly one column.
#
# **The border.** The size of the output stays, and so do the places of the windows and of the
# padding: the zeros of the padding do not move along. In the first output columns the windows see
# the column that came in, so these numbers were not in the old output. What the last column held
# is lost, and the last output numbers no longer count it.
# ### END SOLUTION

# %% [markdown]
# ## Before you hand in
#
# Choose *Run All* (in JupyterLab: *Run → Run All Cells*, in Colab: *Runtime → Run all*). Is your id
# in its cell? Does any check still say "not attempted yet"? Then save, and hand in this one file.

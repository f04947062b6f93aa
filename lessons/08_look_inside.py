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
# # 08 · Look inside
#
# **Question: what did it learn?**
#
# You will be able to
#
# - show what a layer answers to: its filters, its feature maps, and the patches that excite it most
# - say which pixels a number inside a network can see, and what becomes of it when the image is
#   shifted
# - draw a map of what an answer rests on, in two ways, and test such a map before you believe it
#
# *50 minutes. Before this: [07 · Bug clinic](07_bug_clinic.ipynb).*

# %%
import copy

import torch
import torch.nn.functional as F
from torch import nn

from course_utils import anatomy, checks, data, interpret, models, plotting, training, widgets

# %% [markdown]
# A trained network is 44,386 numbers, and nobody has written down what they are for. There are three
# ways to find out something: look at the weights, look at what comes out of each layer, or change the
# image and see what happens.
#
# Here is the network of lesson 06, trained on 20,000 images. A copy from before the training is kept,
# to compare with.

# %% tags=["nbval-ignore-output"]
digits = data.load_digits()
training.seed_everything(0)
network = models.mnist_cnn()
untrained = copy.deepcopy(network).eval()
training.fit(network, digits.train[:20_000], progress=False)
some = digits.validation[:1000]
accuracy = training.evaluate(network, some).accuracy
assert accuracy > 0.96
print(f"{accuracy:.1%} of 1,000 validation images are right")

# %% [markdown]
# ## The filters
#
# A **filter** is all the weights that make one output channel: a kernel for each input channel. The
# first layer gets one channel, the image. So each of its 8 filters is a single kernel of 5 × 5, which
# can be drawn. Orange weights are above 0, blue ones below.

# %% tags=["nbval-ignore-output"]
plotting.show_images(
    torch.cat([untrained.conv1.weight, network.conv1.weight]),
    [f"{name} {n}" for name in ("before", "filter") for n in range(8)],
    columns=8,
    signed=True,
    alt="The 8 kernels of the first layer: before training, blue and orange at random; after it, "
    "some with one blue and one orange side.",
)

# %% [markdown]
# Above: drawn at random. Below: after training. Some filters now have a blue and an orange side, like the
# kernels for edges in lesson 01. Others have no name. Do not look for one too hard: that a picture
# reminds you of something does not say what the network does with it.
#
# And this works for the first layer only. The second convolution makes 32 maps out of 8.
#
# **Predict.** How many tables of 5 × 5 weights does the second convolution have?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 256
### END SOLUTION

# %%
filters, kernels = network.conv2.weight.shape[:2]
checks.compare_prediction(prediction, filters * kernels)
print(f"{filters} filters, each with {kernels} kernels")

# %% [markdown]
# Each of the 32 filters has 8 kernels, and they lie on 8 maps, not on pixels. Drawn, they say little.
# So ask what comes out.
#
# ## The feature maps
#
# A **hook** is a function that PyTorch calls each time a layer has run. With it you can keep what the
# layer gave, without touching the network.

# %%
kept = {}


def keep(layer, inputs, output):
    kept["maps"] = output


four = some[(some.labels == 4).nonzero()[0]]
image = four.images
handle = network.conv1.register_forward_hook(keep)
with torch.no_grad():
    network(image)
handle.remove()  # else it is called for ever
by_hand = F.conv2d(image, network.conv1.weight, network.conv1.bias)
torch.testing.assert_close(kept["maps"], by_hand)
print("the maps of conv1:", tuple(kept["maps"].shape))

# %% [markdown]
# `interpret.feature_maps` does this for any layer and many images. It also puts the network into eval
# mode, and afterwards back as it was. Here are the 8 maps behind the first ReLU.

# %% tags=["nbval-ignore-output"]
maps = interpret.feature_maps(network, image, "relu1")
assert maps.shape == (1, 8, 12, 12)
assert maps.min() == 0
names = [f"map {n}" for n in range(8)]
alt = "A handwritten 4, and the 8 maps of the first ReLU: parts of its strokes."
plotting.show_images([image, *maps[0]], ["image", *names], columns=5, height=1.4, alt=alt)

# %% [markdown]
# Each map shows the digit as one filter sees it: one keeps the upper sides of strokes, another the
# left sides, say. Hold them against the filters above. *Change one thing:* take
# `some.images[1:2]`, and then `"relu2"`, in a cell of your own. How much of the digit is left there?
#
# ## How far does a cell see?
#
# A number in a feature map is made from a few pixels only. The square of pixels that can change it is
# its **receptive field**. A cell of a 3 × 3 convolution sees 3 pixels per side.
#
# **Predict.** Behind it stands a second 3 × 3 convolution, with stride 1. How many pixels per side
# does one of *its* cells see?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 5
### END SOLUTION

# %%
two = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3))
checks.compare_prediction(prediction, anatomy.receptive_field(two))
line = {"a row of pixels": 7, "first convolution": 5, "second": 3}
sees = {"a row of pixels": (0, 1, 1, 5), "first convolution": (0, 1, 1, 3), "second": (0, 1, 1, 1)}
cells = {name: torch.arange(count)[None] for name, count in line.items()}
plotting.show_grids(cells, windows=sees, signs=["→", "→"])

# %% [markdown]
# Cell 1 of the second layer is made of cells 1, 2, 3 of the first, and those of pixels 1 to 5. The second kernel
# adds two steps to the next cell, one on either side.
#
# A stride makes these steps longer. Behind a pooling of 2 × 2, neighbouring cells lie two pixels
# apart. That distance is the **jump**. For the network of this lesson, layer by layer:
#
# | layer | size of the field | jump |
# | --- | --- | --- |
# | a pixel | 1 | 1 |
# | convolution 5 × 5 | 1 + 4 steps of 1 = 5 | 1 |
# | max pooling 2 × 2, stride 2 | 5 + 1 step of 1 = 6 | 1 · 2 = 2 |
# | convolution 5 × 5 | 6 + 4 steps of 2 = 14 | 2 |
# | max pooling 2 × 2, stride 2 | 14 + 1 step of 2 = 16 | 2 · 2 = 4 |

# %%
for layer in ("conv1", "pool1", "conv2", "pool2"):
    size, jump, start = interpret.field_of(network, layer)
    print(f"{layer}: size {size:2}, jump {jump}")
assert (size, jump) == (16, 4)
assert anatomy.receptive_field(network) == 16

# %% [markdown]
# ### Exercise 1 · Size and jump  ★★☆ 8 minutes
#
# Write the rule behind the table. Dilation counts too: a kernel of 3 with dilation 2 covers 5 cells,
# 4 steps from the first to the last.


# %%
def field_and_jump(layers):
    """How far a cell sees, and how far apart neighbours lie, after all layers, in pixels per side.

    layers: a list of (kernel_size, stride, dilation), the first layer first; may be empty.
    Returns: two whole numbers, (size, jump).
    """
    ### BEGIN SOLUTION
    size, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        size += (kernel_size - 1) * dilation * jump
        jump *= stride
    return size, jump
    ### END SOLUTION


# %%
field_and_jump([(5, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1)])  # try it here: 16 and 4

# %%
checks.field_and_jump(field_and_jump)

# %% [markdown]
# <details><summary>Hint 1: where it begins</summary>
#
# Before the first layer a cell is a pixel: the size is 1, the jump is 1. Then go through the layers
# and change both numbers at each.
#
# </details>
#
# <details><summary>Hint 2: the steps of one kernel</summary>
#
# A kernel of k has k − 1 gaps between its cells. With dilation d each gap is d cells wide. How many
# pixels is one cell further?
#
# </details>
#
# <details><summary>Hint 3: when to use the stride</summary>
#
# The stride says how far apart the cells lie that come *out*. So first let the size grow by
# `(kernel_size - 1) * dilation * jump`, then multiply the jump.
#
# </details>

# %% [markdown]
# ### Measured by gradient
#
# A rule can be wrong. A measurement: take one cell in the middle, and compute its gradient with
# respect to every pixel. Where the pixel cannot change the cell, the gradient is 0. Max pooling hands
# the gradient to the winner of each window alone, so 200 images are taken, to let every pixel win
# once.


# %%
def measured_field(stack, size=41):
    """Pixel rows with a gradient from a cell in the middle. Returns: first to last, and how many."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(200, 1, size, size, generator=generator, requires_grad=True)
    output = stack(x)
    row, column = output.shape[2] // 2, output.shape[3] // 2
    output[:, :, row, column].sum().backward()
    touched = x.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    return (touched[-1] - touched[0] + 1).item(), len(touched)


print("by gradient:", measured_field(two)[0], "  by the rule:", anatomy.receptive_field(two))

# %% [markdown]
# Now for stacks with stride, pooling and dilation. The two numbers have to be equal in every line.


# %%
def conv(kernel_size, **options):
    return nn.Conv2d(1, 1, kernel_size, **options)


pool = nn.MaxPool2d
stacks = {
    "conv 5, pool 2": [conv(5), pool(2)],
    "conv 5, pool 2, conv 5, pool 2": [conv(5), pool(2), conv(5), pool(2)],
    "conv 3 stride 2, conv 3 padding 1": [conv(3, stride=2), conv(3, padding=1)],
    "conv 3 with dilation 1, 2, 4": [conv(3), conv(3, dilation=2), conv(3, dilation=4)],
    "average 3 stride 2, conv 3 dilation 3": [nn.AvgPool2d(3, stride=2), conv(3, dilation=3)],
}
for name, layers in stacks.items():
    stack = nn.Sequential(*layers)
    rule, (measured, count) = anatomy.receptive_field(stack), measured_field(stack)
    print(f"{name:38} rule {rule:2}   gradient {measured:2}   rows touched {count:2}")
    assert rule == measured

# %% [markdown]
# Equal every time. Two lines are worth a second look. The fourth: dilation widens the view and needs not one
# weight more. The last: the field is 15 from end to end, but only 9 rows are touched. A dilation that is
# larger than what each cell sees leaves holes.
#
# ### What a cell sees well
#
# The receptive field says what *can* count. Not all of it counts alike. Three convolutions with
# kernels of three ones, in one dimension, and the gradient of the middle cell:

# %%
row = torch.zeros(1, 1, 7, requires_grad=True)
y = row
for _ in range(3):
    y = F.conv1d(y, torch.ones(1, 1, 3))
y.sum().backward()
assert row.grad[0, 0].tolist() == [1, 3, 6, 7, 6, 3, 1]
plotting.show_grids({"gradient of one cell, for each of 7 pixels": row.grad[0]}, size=0.6)

# %% [markdown]
# It counts the paths: from a pixel at the end only one way leads to the cell, from the middle seven.
# The same in the trained network: how much a cell behind the second convolution changes with each of
# its 16 × 16 pixels, the mean over 200 digits.

# %% tags=["nbval-ignore-output"]
x = some.images[:200].clone().requires_grad_()
cells = network[:7](x)[:, :, 2, 2]  # up to norm2, a cell near the middle
(gradient,) = torch.autograd.grad(cells.abs().sum(), x)
strength = gradient.abs().mean(dim=(0, 1))
seen = interpret.field_of(network, "norm2").pixels(2)
field = strength[seen.start : seen.stop, seen.start : seen.stop]
assert (strength > 0).sum() == (field > 0).sum()  # outside of it there is nothing at all
inner = (field[4:12, 4:12].sum() / field.sum()).item()
assert 0.33 < inner < 0.7
print(f"the inner 8 × 8 are 25% of the pixels and have {inner:.0%} of the gradient")
alt = "Mean gradient for each pixel: exactly 0 outside a square of 16 by 16, largest in its middle."
titles = ["all 28 × 28 pixels", "the 16 × 16 it sees"]
plotting.show_images([strength, field], titles, limits=(0, strength.max().item()), alt=alt)

# %% [markdown]
# The square has sharp borders and a bright middle. This is the **effective receptive field** (Luo, Li,
# Urtasun and Zemel, 2016). In deep networks it is much smaller than the rule says: most of the view
# is seen out of the corner of the eye.
#
# ## What excites a channel
#
# Now we know which 16 × 16 pixels a cell behind `relu2` sees. So we can ask each of its 32 channels: which
# of these squares, from 1,000 images, made you answer most strongly? At most one is taken of each
# image.

# %% tags=["nbval-ignore-output"]
channels = [0, 1, 2, 3]
found = [interpret.top_patches(network, some.images, "relu2", c, count=6) for c in channels]
patches = torch.cat([top.patches for top in found])
assert patches.shape == (24, 1, 16, 16)
titles = [
    f"channel {c}: {v:.1f}" for c, top in zip(channels, found, strict=True) for v in top.values
]
alt = "For each of four channels the six patches that excite it most: parts of strokes."
plotting.show_images(patches, titles, columns=6, height=1.15, alt=alt)

# %% [markdown]
# Each row is one channel, with what it answered. Do the six share something: a corner, an end, a
# direction? Many do, more or less. The patches come from different digits, so a channel stands for a
# part rather than for a digit.
#
# Is a patch really all that the cell saw? Then the patch alone, without the rest of its image, has to
# give the same number.

# %% tags=["nbval-ignore-output"]
alone = network[:8](patches)[..., 0, 0]
again = torch.cat([alone[6 * n : 6 * n + 6, c] for n, c in enumerate(channels)])
torch.testing.assert_close(again.detach(), torch.cat([top.values for top in found]))
assert again.min() > 0
print("24 patches, cut out and shown alone: the same 24 numbers")

# %% [markdown]
# It does. One warning: these are the *strongest* answers of 1,000 images. What the channel does in
# all the others, where it answers a little, this picture does not show.
#
# ## When the digit moves
#
# A published article says that convolution brings "translation invariance". Two words are mixed up
# here (lesson 02). **Equivariant**: shift the input, and the output shifts along. **Invariant**: shift
# the input, and the output stays. Which is it? Measure the largest difference between "first
# shift, then apply" and "first apply, then shift".


# %%
def move(x, pixels):
    """x, moved to the right by so many columns; zeros come in from the left."""
    return F.pad(x, (pixels, 0))[..., : x.shape[-1]]


def gap(f, x, pixels, cells, border=0):
    """max |f(shift x) − shift f(x)|, leaving out so many cells of the output at every side."""
    difference = (f(move(x, pixels)) - move(f(x), cells)).abs()
    inside = slice(border, difference.shape[-1] - border)
    return difference[..., inside, inside].max().item()


photo = data.load_photo(size=64)
edges = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])[None, None] / 4
convolve = lambda x: F.conv2d(x, edges, padding=1)
print(f"everywhere:          {gap(convolve, photo, pixels=1, cells=1):.2f}")
print(f"without the borders: {gap(convolve, photo, pixels=1, cells=1, border=8):.2f}")
assert gap(convolve, photo, pixels=1, cells=1, border=8) < 1e-6
assert gap(convolve, photo, pixels=1, cells=1) > 0.1

# %% [markdown]
# So convolution is equivariant: away from the borders the difference is 0. At the borders it is not,
# since padding and new pixels take part there. And invariant it is not at all:

# %%
print(f"if the output should stay: {gap(convolve, photo, pixels=1, cells=0, border=8):.2f}")
assert gap(convolve, photo, pixels=1, cells=0, border=8) > 0.1

# %% [markdown]
# Next, layers with a stride. With stride 2 an output cell is two pixels wide, and there is no half
# cell to move by.
#
# **Predict.** Max pooling of 2 × 2, and the photo is shifted by 1, 2, 3 and 4 pixels. After how many
# of these four shifts has the output moved along exactly?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 2
### END SOLUTION


# %%
def best_gap(f, x, pixels, jump):
    """The smaller gap of the two whole numbers of cells next to pixels / jump."""
    border = 8 // jump
    return min(gap(f, x, pixels, n, border) for n in (pixels // jump, -(-pixels // jump)))


layers = {
    "convolution, stride 1": (convolve, 1),
    "convolution, stride 2": (lambda x: F.conv2d(x, edges, padding=1, stride=2), 2),
    "max pooling 2 × 2": (lambda x: F.max_pool2d(x, 2), 2),
    "average pooling 2 × 2": (lambda x: F.avg_pool2d(x, 2), 2),
}
table = {
    name: [best_gap(f, photo, n, jump) for n in (1, 2, 3, 4)] for name, (f, jump) in layers.items()
}
print(f"{'shift by':24}     1     2     3     4")
for name, gaps in table.items():
    print(f"{name:24}" + "".join(f"{g:6.2f}" for g in gaps))

# %%
exact = [g < 1e-6 for g in table["max pooling 2 × 2"]]
checks.compare_prediction(prediction, sum(exact))
assert exact == [False, True, False, True]
assert [g < 1e-6 for g in table["convolution, stride 2"]] == exact
assert max(table["convolution, stride 1"]) < 1e-6

# %% [markdown]
# A layer with stride 2 follows even shifts exactly and odd ones not at all, whether it is a
# convolution or a pooling. In a network the strides multiply: it is the jump that counts. The trained network,
# on a digit:

# %% tags=["nbval-ignore-output"]
room = F.pad(image, (8, 8, 8, 8))  # so that nothing leaves the image
for end, name in ((1, "conv1"), (4, "relu1"), (5, "conv2"), (8, "relu2")):
    jump = interpret.field_of(network, name).jump
    with torch.no_grad():
        gaps = [best_gap(network[:end], room, n, jump) for n in (1, 2, 3, 4)]
    print(f"{name}, jump {jump}: " + "".join(f"{g:7.2f}" for g in gaps))
    assert [g < 1e-3 for g in gaps] == [n % jump == 0 for n in (1, 2, 3, 4)]

# %% [markdown]
# ### Exercise 2 · The smallest exact shift  ★★☆ 4 minutes
#
# By how many pixels must an image be shifted, at least, so that the output of these stacks moves by
# whole cells, exactly (borders apart)? Write five whole numbers.
#
# - 3 convolutions of 3 × 3, stride 1
# - convolution 5 × 5 with stride 1, max pooling 2 × 2
# - max pooling 3 × 3, convolution 3 × 3 with stride 2
# - convolution 3 × 3 with stride 1 and dilation 4
# - convolution 3 × 3 with stride 2, max pooling 2 × 2, max pooling 2 × 2

# %%
smallest_shift = None  # [?, ?, ?, ?, ?]
### BEGIN SOLUTION
smallest_shift = [1, 2, 6, 1, 8]
### END SOLUTION

# %%
checks.smallest_shift(smallest_shift)

# %% [markdown]
# <details><summary>Hint 1: which numbers matter</summary>
#
# Look at the table above: the stride decides, and the size of the kernel does not. A pooling without
# a stated stride has the stride of its window.
#
# </details>
#
# <details><summary>Hint 2: several layers</summary>
#
# To move the last layer's output by one cell, its input must move by its stride. For that, the layer
# before must move its output by as many cells, each of which costs *its* stride.
#
# </details>

# %% [markdown]
# ### And the whole network?
#
# Its last layers see all maps at once, each place with its own weights. Nothing makes *them* treat
# a shifted digit alike. For comparison, a second network with the same first eight layers, but then a
# **global max pooling**: of each of the 32 maps only the largest number goes on, wherever it stands.
#
# **Predict.** The digits are shifted by 6 pixels. What is the accuracy of the first network, as a
# share?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.4
### END SOLUTION

# %% tags=["nbval-ignore-output"]
training.seed_everything(0)
head = [nn.Linear(32, 72), nn.ReLU(), nn.Linear(72, 10)]
pooled = nn.Sequential(*models.mnist_cnn()[:8], nn.AdaptiveMaxPool2d(1), nn.Flatten(), *head)
training.fit(pooled, digits.train[:20_000], progress=False)

shifts = range(7)
curves = {}
for name, model in {"flatten, then linear": network, "global max pooling": pooled}.items():
    moved = [(move(some.images, n), some.labels) for n in shifts]
    curves[name] = (shifts, [training.evaluate(model, split).accuracy for split in moved])
plotting.show_curves(curves, "shift of the image, pixels", "accuracy", y_limits=(0, 1.05))

# %% tags=["nbval-ignore-output"]
flat, pool_all = (accuracies for _, accuracies in curves.values())
checks.compare_prediction(prediction, round(flat[6], 2))
lost = 1 - move(some.images, 6).sum() / some.images.sum()
print(
    f"no shift: {flat[0]:.1%} and {pool_all[0]:.1%}; 6 pixels: {flat[6]:.1%} and {pool_all[6]:.1%}"
)
print(f"at 6 pixels, {lost:.1%} of the ink has left the image")
assert flat[1] > 0.93
assert flat[6] < 0.55
assert pool_all[6] > 0.7

# %% [markdown]
# One pixel does hardly any harm. At 6 pixels the first network misreads about every second digit or more, though a person
# would hardly notice the shift. The second, with another end, reads most of them.
#
# So the article's sentence has to be: **convolution is equivariant, up to borders and strides.
# Invariance comes afterwards, when the place is thrown away**: a little by each pooling, all
# of it by a global one. Or it is learned, from training images that are shifted.
#
# ## Cover a part
#
# Which part of an image does an answer rest on? Ask as a child would: put a thumb on it. Cover a
# square with black, and see how far the probability of the digit falls. This is called
# **occlusion** (Zeiler and Fergus, 2014).

# %% tags=["nbval-ignore-output"]
covered = image.repeat(5, 1, 1, 1)
for n, (top, left) in enumerate([(4, 4), (4, 16), (11, 11), (18, 12)], start=1):
    covered[n, :, top : top + 7, left : left + 7] = 0
with torch.no_grad():
    sure = network(covered).softmax(1)[:, 4]
titles = [f"{p:.0%} a 4" for p in sure]
alt = f"A handwritten 4, whole and with a black square at four places: {', '.join(titles)}."
plotting.show_images(covered, titles, limits=(0, 1), alt=alt)

# %% [markdown]
# The number above each picture is the probability that it is a 4. The first is whole; in the others a
# black square of 7 × 7 hides something.

# %% [markdown]
# ### Exercise 3 · Your own occlusion  ★★☆ 8 minutes
#
# Slide the square over the image as a kernel is slid, and write down each drop: the score of the
# whole image minus the score of the covered one.


# %%
def occlusion_map(score, image, size, stride):
    """How far the score falls when a square of zeros covers each place.

    score: a function from an image (H, W) to a number. image: (H, W), stays as it is.
    size, stride: side and step of the square. Returns: (rows, columns) of places, float64.
    """
    ### BEGIN SOLUTION
    before = score(image)
    rows = range(0, image.shape[0] - size + 1, stride)
    columns = range(0, image.shape[1] - size + 1, stride)
    drops = torch.zeros(len(rows), len(columns), dtype=torch.float64)
    for r, top in enumerate(rows):
        for c, left in enumerate(columns):
            hidden = image.clone()
            hidden[top : top + size, left : left + size] = 0
            drops[r, c] = before - score(hidden)
    return drops
    ### END SOLUTION


# %%
occlusion_map(torch.sum, torch.arange(9.0).reshape(3, 3), size=2, stride=1)  # try it here

# %%
checks.occlusion_map(occlusion_map)

# %% [markdown]
# <details><summary>Hint 1: the places</summary>
#
# They are the places of a kernel without padding: the top edge is at 0, stride, 2 · stride, …, as long as
# top + size is not more than the number of rows. `range(0, H - size + 1, stride)` counts them.
#
# </details>
#
# <details><summary>Hint 2: one place</summary>
#
# Take a fresh `image.clone()` each time, set the square to 0, ask `score`, and subtract. With
# `enumerate(range(…))` you get the place's number and its pixel at once.
#
# </details>

# %% [markdown]
# `interpret.occlusion` does it for a batch, with the probability of a class as the score.
#
# **Predict.** Fifty digits, the square at all its places. Does covering a part ever make the network
# *surer* of the right digit? True or False.

# %%
prediction = None
### BEGIN SOLUTION
prediction = True
### END SOLUTION

# %% tags=["nbval-ignore-output"]
fifty = interpret.occlusion(network, some.images[:50], some.labels[:50], patch=7, stride=3)
assert fifty.shape == (50, 8, 8)
assert fifty.max() > 0.3
checks.compare_prediction(prediction, fifty.min().item() < 0)
print(f"largest drop: {fifty.max():.2f}, largest rise: {-fifty.min():.2f}")

# %% [markdown]
# Sometimes a stroke is in the way. Here are the maps of five digits, each drawn as an outline. Orange:
# covering this lowers the probability. Blue: covering it raises it.

# %% tags=["cover", "nbval-ignore-output"]
five = some[[(some.labels == d).nonzero()[0, 0].item() for d in (0, 3, 4, 7, 8)]]
drops = interpret.occlusion(network, five.images, five.labels, patch=7, stride=3)
assert drops.shape == (5, 8, 8)
titles = [f"as a {label}" for label in five.labels.tolist()]
square = interpret.Field(size=7, jump=3, start=0)
interpret.show_overlays(five.images, drops, square, titles, label="drop")

# %% [markdown]
# Each digit has places that matter and places that do not, and some that disturb.
#
# Mind what was done: a black square on a black ground changes nothing, so the ground comes out white
# whatever it means. And a square can make a new shape: an 8 without its upper left is close to a 3. The map
# answers "what if this were black", and no other question. *Change one thing:* cover with grey,
# `value=0.5`. The maps are not the same.
#
# ## Grad-CAM
#
# Occlusion needs many runs: 64 for each map above. **Grad-CAM** (Selvaraju and others, 2017) needs one
# run forwards and one back. It asks a late layer with maps: which of your maps speak for this class, and where
# are they strong?
#
# Let $A_k$ be map k, and $y$ the logit of the class.
#
# $$\alpha_k = \text{mean over all places of } \frac{\partial y}{\partial A_k} \qquad
# \text{map} = \text{ReLU}\Big(\sum_k \alpha_k A_k\Big)$$
#
# $\alpha_k$ is the weight of map k: how much $y$ grows if the whole map gets a little stronger. The
# ReLU keeps what speaks *for* the class. At the end, everything is divided by the largest value.

# %% tags=["nbval-ignore-output"]
maps = interpret.feature_maps(network, image, "relu2").requires_grad_()
logit = network[8:](maps)[0, 4]  # the layers behind relu2
(gradient,) = torch.autograd.grad(logit, maps)
weight = gradient.mean(dim=(2, 3))[0]
print("maps and gradient:", tuple(maps.shape), tuple(gradient.shape))
print(f"{(weight > 0).sum()} of 32 maps speak for the 4, {(weight < 0).sum()} against it")
assert gradient.shape == (1, 32, 4, 4)

# %% [markdown]
# ### Exercise 4 · Your own Grad-CAM  ★★☆ 8 minutes
#
# From the maps and the gradient of one image to the map of Grad-CAM. If nothing speaks for the class, all numbers
# are 0, and they shall stay 0.


# %%
def grad_cam_map(maps, gradients):
    """Where the maps speak for the class. maps, gradients: (C, H, W). Returns: (H, W), 0 to 1."""
    ### BEGIN SOLUTION
    weight = gradients.mean(dim=(1, 2), keepdim=True)
    total = (weight * maps).sum(dim=0).relu()
    return total / total.max() if total.max() > 0 else total
    ### END SOLUTION


# %%
grad_cam_map(maps[0].detach(), gradient[0])  # try it here

# %%
checks.grad_cam_map(grad_cam_map)

# %% [markdown]
# <details><summary>Hint 1: one weight for each map</summary>
#
# `gradients.mean(dim=(1, 2))` has the shape (C,). To multiply it with maps (C, H, W) it needs two more
# axes: `keepdim=True` keeps them.
#
# </details>
#
# <details><summary>Hint 2: the order</summary>
#
# Multiply, add up over the maps (`dim=0`), then ReLU, then divide by the largest value, if it is
# above 0.
#
# </details>

# %% [markdown]
# Here are the 4 × 4 numbers for the 4, and the maps of the five digits. By default
# `interpret.grad_cam` takes the first activation behind the last convolution, here `relu2`.

# %% tags=["nbval-ignore-output"]
layer = interpret.last_activation(network)
assert layer == "relu2"
cam = interpret.grad_cam(network, image, target=4)
plotting.show_grids({"Grad-CAM of the 4, at relu2": cam[0]}, size=0.6)
cams = interpret.grad_cam(network, five.images, five.labels)
relu2 = interpret.field_of(network, layer)
interpret.show_overlays(five.images, cams, relu2, titles, label="Grad-CAM")

# %% [markdown]
# Two things to know before you read it.
#
# - **It is coarse.** The map has 16 numbers. Drawn smoothly, as most programs do, it seems to know
#   more.
# - **Where does a cell belong?** Cell 0 sees pixels 0 to 15, so it is drawn at their middle, 7.5. Most
#   programs stretch the map over the whole image, and would draw it at 3. Where convolutions have no
#   padding, that is wrong.

# %%
seen, stretch = relu2.pixels(0), 28 / 4
print(f"cell 0 sees pixels {seen[0]} to {seen[-1]}, middle {(seen[0] + seen[-1]) / 2}")
print(f"stretched, it is drawn from {0 - 0.5} to {stretch - 0.5}, middle {stretch / 2 - 0.5}")
assert (seen[0], seen[-1]) == (0, 15)

# %% [markdown]
# Now draw a digit yourself. The network that you trained answers in the browser, with its maps and
# its Grad-CAM (stretched, as usual).

# %% tags=["nbval-ignore-output"]
pad = widgets.DigitPad(network)
pad

# %% [markdown]
# **Try:** draw a 4, then close its top by a stroke. **Notice:** which digit takes over, and whether
# the shaded place is the one that you changed. Then draw something that is no digit. There is an
# answer and a map all the same.

# %% [markdown]
# ## Does the map know the network?
#
# A map that looks convincing may show the image rather than the network. Adebayo and others (2018)
# proposed a test: draw the weights anew, at random. The network then knows nothing. A map that
# explains what it learned has to become another one.
#
# A third kind of map takes part here, because it is popular: input × gradient. For each pixel, its
# brightness times the gradient of the logit, without the sign.


# %%
def input_times_gradient(model, x, labels):
    """|pixel · gradient of the label's logit| for each pixel. x: (N, 1, H, W). Returns: (N, H, W)."""
    x = x.clone().requires_grad_()
    logits = model(x)[torch.arange(len(x)), labels].sum()
    (gradient,) = torch.autograd.grad(logits, x)
    return (x.detach() * gradient).abs()[:, 0]


torch.manual_seed(1)
knows_nothing = copy.deepcopy(network)
for module in knows_nothing.modules():
    if hasattr(module, "reset_parameters"):
        module.reset_parameters()

# %% tags=["nbval-ignore-output"]
both = {"trained": network, "weights drawn anew": knows_nothing}
for name, model in both.items():
    print(f"{name}: accuracy {training.evaluate(model, some).accuracy:.1%}")
pictures = [input_times_gradient(model, five.images, five.labels) for model in both.values()]
titles_2 = [f"{name}, {label}" for name in ("trained", "random") for label in five.labels.tolist()]
alt = "Input times gradient for five digits: trained network above, random weights below. All ten "
alt += "show the strokes of their digit."
plotting.show_images(torch.cat(pictures), titles_2, columns=5, alt=alt)

# %% [markdown]
# Above the trained network, below the one that knows nothing. Would you have told them apart?
#
# To put a number on it: the **correlation** of two maps is 1 if one is a stretched copy of the other,
# and 0 if they have nothing to do with each other.
#
# **Predict.** The mean correlation over 100 images, between trained and random, for input × gradient.

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.6
### END SOLUTION


# %%
def correlation(one, other):
    """Mean correlation of pairs of maps, (N, H, W) each."""
    one, other = (m.flatten(1) - m.flatten(1).mean(1, keepdim=True) for m in (one, other))
    return F.cosine_similarity(one, other).mean().item()


hundred = some[:100]
methods = {
    "input × gradient": input_times_gradient,
    "occlusion": interpret.occlusion,
    "Grad-CAM": interpret.grad_cam,
}

# %% tags=["nbval-ignore-output"]
table = {}
for name, method in methods.items():
    one, other = (method(model, hundred.images, hundred.labels) for model in both.values())
    table[name] = correlation(one, other)
    print(f"{name:18} {table[name]:5.2f}")
checks.compare_prediction(prediction, round(table["input × gradient"], 2))
assert table["input × gradient"] > 0.4
assert abs(table["occlusion"]) < 0.3
assert abs(table["Grad-CAM"]) < 0.3

# %% [markdown]
# Input × gradient shows the strokes whatever the weights are, because it is 0 wherever the pixel is 0.
# It looks right, and says little about the network. The maps of occlusion and Grad-CAM change
# altogether: they pass.
#
# Passing is the least that can be asked. It says that a map depends on the weights, not that you
# read it rightly.

# %% [markdown]
# ### Exercise 5 · What was measured  ★★☆ 4 minutes
#
# Six statements about maps like these. Which of them say no more than what was measured in this
# lesson?
#
# - **a** Covering an orange place of the occlusion map lowered this network's probability for this
#   digit, in this image.
# - **b** Orange at the top of the 4 shows that the network knows a 4 is open there.
# - **c** Where the Grad-CAM map is white, the pixels play no part in the answer.
# - **d** A map that looks like the digit shows that the network looks at what a person looks at.
# - **e** With the weights drawn anew, the Grad-CAM maps became others, so they depend on the weights.
# - **f** The map lies well on the digit, so the answer is right.

# %%
measured_claims = None  # the letters, for instance "bcd"
### BEGIN SOLUTION
measured_claims = "ae"
### END SOLUTION

# %%
checks.measured_claims(measured_claims)

# %% [markdown]
# <details><summary>Hint 1: how to decide</summary>
#
# For each statement, look for the cell that computed it. Some go further: from "here" to "because",
# or from a map to the truth.
#
# </details>
#
# <details><summary>Hint 2: white</summary>
#
# What does the ReLU in Grad-CAM do with a place that speaks against the class? And how many pixels
# stand behind one cell?
#
# </details>

# %% [markdown]
# ## Recap
#
# - **What a layer answers to.** Filters can be drawn in the first layer only. A hook keeps a layer's
#   feature maps. The patches that excite a channel most show its strongest answers, not all of them.
# - **What a number sees.** At each layer size += (k − 1) · d · jump, then jump *= s; the gradient
#   says the same. The middle counts most. Convolution is equivariant, exactly for shifts by a multiple of the
#   jump, away from borders. Invariance comes from throwing the place away, a little by each
#   pooling, all of it by a global one.
# - **Maps of what mattered.** Occlusion covers and asks again. Grad-CAM weighs the maps of a late layer by
#   their mean gradient. Before you believe a map: draw the weights anew, and see whether it changes.
#
# **Common mistakes:** calling convolution invariant; using a layer's own stride for its own size;
# leaving hooks behind; reading a smooth picture of 4 × 4 numbers pixel by pixel; taking a map that
# looks right for an explanation; saying "because" where only "here" was measured.
#
# **A question to take along:** a network tells huskies from wolves, and its Grad-CAM lies on the snow.
# What have you learned about the network, what about the data, and which measurement would you make
# next?
#
# Next: [09 · Depth and parameters](09_depth_and_parameters.ipynb), what depth buys, and what each layer costs.

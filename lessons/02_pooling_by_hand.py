# %% [markdown]
# # 02 · Pooling by hand
#
# **Question: what is kept, what is thrown away?**
#
# You will be able to
#
# - pool by hand: maximum or average, with stride, padding and a window that hangs over the border;
# - say how many numbers reach the next layer, before the error message does;
# - say which shifts of an image pooling forgives, and which it does not.
#
# *45 minutes. Before this: [01 · A convolution by hand](01_convolution_by_hand.ipynb).*

# %%
import torch
import torch.nn.functional as F
from ipywidgets import IntSlider
from torch import nn

from course_utils import checks, data, ops, plotting, widgets
from course_utils.explore import explore

# %% [markdown]
# ## The largest of each window
#
# A convolution layer answers at every pixel: how much edge is *here*? To recognise a digit, "an
# edge about here" will do. **Pooling** sums up. It lays a window on the picture, keeps one number
# for each window, and moves on. **Max pooling** keeps the largest number, **average pooling** the
# average.

# %% tags=["cover"]
photo = data.load_photo()
plotting.show_images(
    [photo, F.max_pool2d(photo, 8), F.avg_pool2d(photo, 8)],
    ["256 × 256 pixels", "maximum of each 8 × 8", "average of each 8 × 8"],
    alt="A photograph, and the same pooled to 32 by 32: the maximum is brighter and loses dark "
    "detail, the average looks like the photograph seen from far away.",
)

# %% [markdown]
# 64 pixels became one. The maximum keeps what is bright: the thin dark lines are gone. The average
# keeps the brightness and blurs every line.
#
# Now with numbers. The window has 2 × 2 cells. It moves by its own width, so no cell is seen twice.

# %%
image = torch.tensor([[1.0, 3, 2, 0], [4, 2, 1, 1], [0, 1, 5, 6], [2, 0, 7, 3]])
four = [(row, column, 2, 2) for row in (0, 2) for column in (0, 2)]
plotting.show_grids({"image": image}, windows={"image": four})

# %% [markdown]
# **Predict.** Max pooling keeps one number of each window. Which one stands at the bottom right of
# the output?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 7
### END SOLUTION

# %%
pooled, winners = ops.max_pool2d(image[None, None], 2, return_indices=True)
checks.compare_prediction(prediction, pooled[0, 0, 1, 1].item())

# %% [markdown]
# `winners` says which cell won each window. Cells are numbered from 0, row by row, so number 14
# stands in row 3, column 2.

# %%
print(winners[0, 0].tolist())
places = [divmod(int(winner), 4) for winner in winners.flatten()]
won = [(row, column, 1, 1) for row, column in places]
plotting.show_grids({"image": image, "output": pooled}, {"image": won}, signs=["→"])

# %% [markdown]
# Sixteen numbers went in, four came out. **Kept:** how strong the strongest answer is, and roughly
# where. **Thrown away:** the twelve others, and the place of the winner inside its window. The next
# layer gets the 4, and not that it stood at the bottom left. (The backward pass does need to know.
# That is lesson 04.)
#
# *Change one thing:* make the 0 in row 3 a 1. The output stays as it is. How large can this number
# get before the output changes?

# %% [markdown]
# ### Exercise 1 · Four windows  ★☆☆ 3 minutes
#
# Max pooling with a window of 2 × 2, by hand. The stride, the step from one window to the next,
# is again the window's width. A window that does not fit into the image is dropped. Write the
# output as a list of rows, such as `[[1, 2], [3, 4]]`.

# %%
four_windows = torch.tensor(
    [[1.0, -3, 4, 2, 9], [-6, 0, 3, -7, 5], [-2, -4, -1, 6, 8], [-5, -8, 2, 1, 7]]
)
plotting.show_grids({"image": four_windows})

# %%
by_hand = None
### BEGIN SOLUTION
by_hand = [[1, 4], [-2, 6]]
### END SOLUTION

# %%
checks.max_pool_by_hand(by_hand)

# %% [markdown]
# <details><summary>Hint 1: where the windows are</summary>
#
# The first window holds 1, −3, −6 and 0. The next one starts two columns further on. How many fit
# side by side?
#
# </details>
# <details><summary>Hint 2: the window with negative numbers only</summary>
#
# −2, −4, −5 and −8. The largest is the one nearest to 0.
#
# </details>

# %% [markdown]
# ## Stride, padding, and the last window
#
# Lesson 01 counted the positions of a kernel. A pooling window slides in the same way, so the same
# formula holds:
#
# $$\text{output} = \left\lfloor \frac{\text{size} + 2 \cdot \text{padding} - \text{kernel size}}{\text{stride}} \right\rfloor + 1$$
#
# Two things differ. Left out, the stride of a convolution is 1; **the stride of a pooling is its
# kernel size**. And the padding of a max pooling is not 0. To see why, pool negative numbers.
#
# **Predict.** With padding 1, each window of 2 × 2 below covers one number and three cells of
# padding. What stands at the top left of the output?

# %%
negative = torch.tensor([[-3.0, -5], [-2, -7]])
prediction = None
### BEGIN SOLUTION
prediction = -3
### END SOLUTION

# %%
right = F.max_pool2d(negative[None, None], 2, padding=1)
wrong = F.max_pool2d(F.pad(negative, (1, 1, 1, 1))[None, None], 2)
checks.compare_prediction(prediction, right[0, 0, 0, 0].item())
padded = F.pad(negative, (1, 1, 1, 1), value=-torch.inf)
titles = ["padded with −∞", "output", "padded with 0", "wrong"]
grids = [padded, right, F.pad(negative, (1, 1, 1, 1)), wrong]
plotting.show_grids(dict(zip(titles, grids, strict=True)), signs=["→", "", "→"])

# %% [markdown]
# Padding must never win. A 0 would: it is larger than every number here, and the picture is gone.
# So a maximum is padded with −∞. PyTorch does this for you. Your own loop has to do it too.
#
# This mistake likes to hide. After a ReLU no number is below 0, and then both paddings give the
# same.
#
# PyTorch allows a padding of at most half the window, so that every window reaches into the image.

# %%
try:
    ops.max_pool2d(negative[None, None], kernel_size=2, padding=2)
except ValueError as error:
    print(error)

# %% [markdown]
# ### The window that hangs over
#
# Five columns and three rows, windows of two: one column and one row are left over. By default they
# are dropped. With `ceil_mode=True` the number of positions is rounded up, and one more window
# hangs over the border. It takes the maximum of the cells that are there.

# %%
five = torch.tensor([[1.0, 0, 2, 1, 3], [0, 4, 1, 0, 1], [1, 9, 2, 1, 8]])
dropped = F.max_pool2d(five[None, None], 2)
kept = F.max_pool2d(five[None, None], 2, ceil_mode=True)
plotting.show_grids({"image": five, "default": dropped, "ceil_mode=True": kept}, signs=["→", "or"])

# %% [markdown]
# The two largest numbers of the image, 9 and 8, stand in its last row. The default never sees them:
# here the border is thrown away. One rule holds for the extra window: it has to *begin*
# inside the image, or in the padding before it.

# %% [markdown]
# ### Exercise 2 · Your own max pooling  ★★☆ 10 minutes
#
# Write it for a batch, with loops over the positions. `ceil_mode` is not asked for. These may help:
#
# - `F.pad(x, (left, right, top, bottom), value=…)`;
# - `x.new_zeros(2, 3, 4, 5)`, zeros of that shape, of the same dtype as `x`;
# - `window.amax((2, 3))`, the maximum over axes 2 and 3.


# %%
def my_max_pool2d(x, kernel_size, stride=None, padding=0):
    """The largest number of each window.

    x: (N, C, H, W). kernel_size, stride, padding: int; stride=None means kernel_size.
    Returns: (N, C, H_out, W_out), of the dtype of x.
    """
    ### BEGIN SOLUTION
    stride = stride or kernel_size
    x = F.pad(x, (padding,) * 4, value=-torch.inf)
    rows = (x.shape[2] - kernel_size) // stride + 1
    columns = (x.shape[3] - kernel_size) // stride + 1
    output = x.new_empty(*x.shape[:2], rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = x[:, :, top : top + kernel_size, left : left + kernel_size]
            output[:, :, i, j] = window.amax((2, 3))
    return output
    ### END SOLUTION


# %%
my_max_pool2d(image[None, None], 2)

# %%
checks.max_pool2d(my_max_pool2d)

# %% [markdown]
# <details><summary>Hint 1: the order of things</summary>
#
# Settle the stride. Pad. Count the positions in both directions, now without padding in the
# formula. Make an empty output. Fill it, one position at a time.
#
# </details>
# <details><summary>Hint 2: one window</summary>
#
# Window (i, j) starts in row `i * stride` and column `j * stride` of the padded images. All images
# and channels can be cut at once: `x[:, :, top:bottom, left:right]` has the shape (N, C,
# kernel_size, kernel_size).
#
# </details>
# <details><summary>Hint 3: a number that never wins</summary>
#
# `-torch.inf` is smaller than every other number. Pass it to `F.pad` as `value`.
#
# </details>

# %% [markdown]
# ## The average of each window
#
# An average is a sum of products in which every weight is the same. So average pooling *is* a
# convolution: its kernel holds 1/4 four times, its stride is 2, and nobody trains it.

# %%
quarter = torch.full((1, 1, 2, 2), 1 / 4)
average = F.avg_pool2d(image[None, None], 2)
assert torch.equal(average, F.conv2d(image[None, None], quarter, stride=2))
plotting.show_grids({"image": image, "average": average}, signs=["→"])

# %% [markdown]
# Every number of a window has its share. That is why the padding raises another question: zeros
# change nothing in a sum, but do they count as cells?
#
# **Predict.** An image of 3 × 3 nines is padded with one ring of zeros. A window of 3 × 3 lies over
# its top left corner: four nines, five zeros. What is the average, if the zeros count?

# %%
nines = torch.full((1, 1, 3, 3), 9.0)
prediction = None
### BEGIN SOLUTION
prediction = 4
### END SOLUTION

# %%
counted = F.avg_pool2d(nines, 3, stride=1, padding=1)
left_out = F.avg_pool2d(nines, 3, stride=1, padding=1, count_include_pad=False)
checks.compare_prediction(prediction, counted[0, 0, 0, 0].item())
plotting.show_grids(
    {"padded": F.pad(nines, (1,) * 4), "counted": counted, "not counted": left_out},
    windows={"padded": (0, 0, 3, 3), "counted": (0, 0, 1, 1), "not counted": (0, 0, 1, 1)},
    signs=["→", "or"],
)

# %% [markdown]
# - Counted: $4 \cdot 9 / 9 = 4$ in the corner, $6 \cdot 9 / 9 = 6$ at the edge. The border gets
#   darker. This is the default, `count_include_pad=True`.
# - Not counted: $4 \cdot 9 / 4 = 9$. A flat picture stays flat.
#
# One thing more is fixed: cells beyond the padding, which `ceil_mode` can add, never count.

# %% [markdown]
# ### Exercise 3 · Your own average pooling  ★★☆ 7 minutes
#
# Start from your max pooling. Two things change: what is done with a window, and what stands in the
# padding.


# %%
def my_avg_pool2d(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    """The average of each window; count_include_pad says whether zeros of the padding count.

    x: (N, C, H, W). Returns: (N, C, H_out, W_out), of the dtype of x.
    """
    ### BEGIN SOLUTION
    stride = stride or kernel_size
    cells = F.pad(torch.ones_like(x), (padding,) * 4, value=float(count_include_pad))
    x = F.pad(x, (padding,) * 4)
    rows = (x.shape[2] - kernel_size) // stride + 1
    columns = (x.shape[3] - kernel_size) // stride + 1
    output = x.new_empty(*x.shape[:2], rows, columns)
    for i in range(rows):
        for j in range(columns):
            down = slice(i * stride, i * stride + kernel_size)
            across = slice(j * stride, j * stride + kernel_size)
            total, count = (t[:, :, down, across].sum((2, 3)) for t in (x, cells))
            output[:, :, i, j] = total / count
    return output
    ### END SOLUTION


# %%
my_avg_pool2d(nines, 3, stride=1, padding=1, count_include_pad=False)

# %%
checks.avg_pool2d(my_avg_pool2d)

# %% [markdown]
# <details><summary>Hint 1: without padding</summary>
#
# Pad with 0, and take the sum of each window over axes 2 and 3, divided by `kernel_size ** 2`. The
# check then stops at the case with `count_include_pad=False`.
#
# </details>
# <details><summary>Hint 2: how many cells count?</summary>
#
# Let a second tensor count for you: 1 wherever a cell counts, 0 elsewhere. Its sum over the same
# window is the number to divide by.
#
# </details>
# <details><summary>Hint 3: the second tensor</summary>
#
# It is `torch.ones_like(x)`, padded with 1 if the padding counts and with 0 if not.
#
# </details>

# %% [markdown]
# ## Turn the knobs
#
# Everything at once. The window and its winner are outlined, the sentence says what happens, and
# every number can be changed: click it and type.

# %% tags=["nbval-ignore-output"]
rows = [1, 3, 2, -1, 5], [4, -2, 1, 6, 3], [0, 1, -5, 2, 7], [2, -3, 8, 3, 1]
explorer = widgets.PoolingExplorer(input=torch.tensor(rows))
explorer

# %% [markdown]
# **Try:** set `kernel_size` to 3 and `padding` to 1. Windows now overlap, and one cell can win several
# of them: point at the 6 and count. Then set `ceil_mode`, and see where one more row of windows
# appears. Then set `padding` to 2: the sentence says what the limit is.

# %% [markdown]
# ## How many numbers are left?
#
# Pooling has no parameters: there is nothing in it to learn. It saves parameters in the layer
# *behind* it, because that layer gets fewer numbers. So this layer has to know how many. A
# published article builds a network for images of 28 × 28 pixels like this:
#
# ```
# nn.Conv2d(1, 32, kernel_size=3)      # 32 channels, no padding
# nn.MaxPool2d(2)
# nn.Flatten()
# nn.Linear(32 * 6 * 6, 128)           # 1152 features
# ```
#
# It stops at the first image. How many features really arrive?

# %% [markdown]
# ### Exercise 4 · How many features?  ★★☆ 5 minutes
#
# Count them for any square image: first the convolution (stride 1, no padding), then the pooling,
# then all channels in one row.


# %%
def features_after_pooling(size, channels, kernel_size, pool):
    """How many numbers are left of a size × size image after convolution and pooling.

    channels: of the convolution's output. kernel_size: of the convolution. pool: of the pooling.
    Returns: an int.
    """
    ### BEGIN SOLUTION
    after_convolution = size - kernel_size + 1
    after_pooling = after_convolution // pool
    return channels * after_pooling * after_pooling
    ### END SOLUTION


# %%
features_after_pooling(size=28, channels=32, kernel_size=3, pool=2)

# %%
checks.features_after_pooling(features_after_pooling)

# %% [markdown]
# <details><summary>Hint 1: one side</summary>
#
# A kernel of 3 fits into 28 cells at 26 positions. Windows of 2 fit into those how often?
#
# </details>
# <details><summary>Hint 2: from one side to all numbers</summary>
#
# Each channel is a square of that side. All channels together go into the next layer. Use `//`,
# since what does not fit is dropped.
#
# </details>

# %% [markdown]
# The mended network, layer by layer:

# %%
side = ops.output_size(ops.output_size(28, kernel_size=3), kernel_size=2, stride=2)
features = 32 * side * side
layers = [nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(features, 128)]
assert nn.Sequential(*layers)(torch.zeros(1, 1, 28, 28)).shape == (1, 128)
for layer in layers:
    print(f"{type(layer).__name__:10}{sum(p.numel() for p in layer.parameters()):8,} parameters")
without = nn.Linear(32 * 26 * 26, 128)
print(f"{'Linear':10}{sum(p.numel() for p in without.parameters()):8,} without the pooling")
assert features == 5408
assert 32 * ((14 - 3 + 1) // 2) ** 2 == 1152
assert without.weight.numel() - layers[-1].weight.numel() > 2_000_000

# %% [markdown]
# 26 positions, 13 after the pooling: $32 \cdot 13 \cdot 13 = 5408$ features. The article's 1152
# would fit images of 14 × 14. And the pooling, with no parameter of its own, saves two million
# parameters in the layer behind it.

# %% [markdown]
# ## Say what comes out
#
# That sum is easily got wrong, and it holds for one image size only. There is another way: fix the
# *output*, and let the windows follow. This is **adaptive pooling**. With an output of 1 × 1 the
# window is the whole map, and it is called **global pooling**: one number for each channel,
# whatever the size of the image.

# %%
pool = nn.AdaptiveAvgPool2d(1)
for size in (20, 28, 57):
    maps = torch.rand(1, 32, size, size)
    assert torch.allclose(pool(maps)[..., 0, 0], maps.mean((2, 3)), atol=1e-6)
    print(f"{tuple(maps.shape)} becomes {tuple(pool(maps).shape)}")

# %% [markdown]
# A linear layer behind it needs 32 inputs, for every image size. The price: nothing is left that
# says *where*.
#
# What if 5 cells are to become 3? Three equal windows would be $5/3$ cells wide. So cut the row
# into three equal parts, and let each window take every cell of which its part covers a piece.
#
# **Predict.** The cells are 10, 20, 30, 40, 50. What is the average in the middle window?

# %%
row = torch.tensor([[10.0, 20, 30, 40, 50]])
prediction = None
### BEGIN SOLUTION
prediction = 30
### END SOLUTION

# %%
three = F.adaptive_avg_pool1d(row, 3)
checks.compare_prediction(prediction, three[0, 1].item())
windows = {"three windows": [(0, 0, 1, 2), (1, 1, 1, 3), (2, 3, 1, 2)]}
plotting.show_grids({"three windows": row.expand(3, 5), "output": three.T}, windows, signs=["→"])

# %% [markdown]
# Each line shows the same five cells. The middle part goes from $5/3$ to $10/3$, so it covers cell 2
# and a piece of cells 1 and 3. The windows overlap: cells 1 and 3 are in two of them.

# %% [markdown]
# ### Exercise 5 · Adaptive windows  ★★☆ 6 minutes
#
# Part number i of `size` cells, cut into `output_size` equal parts, goes from i · size /
# output_size to (i + 1) · size / output_size. Return the windows as pairs (start, stop), as in a
# slice. For 5 cells and 3 parts they are (0, 2), (1, 4), (3, 5).


# %%
def adaptive_windows(size, output_size):
    """The windows of an adaptive pooling along one axis, as a list of (start, stop)."""
    ### BEGIN SOLUTION
    windows = []
    for i in range(output_size):
        start = i * size // output_size
        stop = -(-(i + 1) * size // output_size)
        windows.append((start, stop))
    return windows
    ### END SOLUTION


# %%
adaptive_windows(5, 3)

# %%
checks.adaptive_windows(adaptive_windows)

# %% [markdown]
# <details><summary>Hint 1: which way to round</summary>
#
# A cell of which the part covers only a piece belongs to the window too. So a start is rounded
# down, and a stop is rounded up.
#
# </details>
# <details><summary>Hint 2: rounding up with whole numbers</summary>
#
# `a // b` rounds down. `math.ceil(a / b)` rounds up, and so does `-(-a // b)`.
#
# </details>

# %% [markdown]
# ## A small shift
#
# Nobody writes a 7 in exactly the same place twice. What does pooling do when something moves? One
# bright cell, three places:

# %%
grids, outputs = {}, []
for shift in range(3):
    spot = torch.zeros(1, 1, 2, 4)
    spot[..., 0, shift] = 9
    outputs.append(F.max_pool2d(spot, 2))
    grids |= {f"column {shift}": spot, f"{shift} pooled": outputs[-1]}
plotting.show_grids(grids, signs=["→", "", "→", "", "→"])
assert outputs[0].equal(outputs[1])
assert not outputs[1].equal(outputs[2])

# %% [markdown]
# From column 0 to 1 the output stays the same. From 1 to 2 it changes: the cell has crossed the
# border of its window. So pooling forgives a small shift *sometimes*. For real images, measure it.
#
# Take 200 digits with room around them, find their edges in four directions, and pool. Then shift
# the images to the right and do the same again. How much has the output changed, compared with its
# own size? We divide the length of the difference by the length of the output, both taken as
# vectors.

# %% tags=["nbval-ignore-output"]
digits = F.pad(data.load_digits().test.images[:200], (8, 8, 8, 8))
sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
kernels = torch.stack([sobel, sobel.T, -sobel, -sobel.T])[:, None]


def edges(images):
    """(N, 1, H, W) -> (N, 4, H, W): edges that get brighter to the right, down, left and up."""
    return F.relu(F.conv2d(images, kernels, padding=1))


def change(pool, shift):
    """How much the pooled edges change when the images move: 0 means not at all."""
    before, after = pool(edges(digits)), pool(edges(digits.roll(shift, 3)))
    lengths = (after - before).flatten(1).norm(dim=1) / before.flatten(1).norm(dim=1)
    return lengths.mean().item()


# %% [markdown]
# **Predict.** Shifted by one pixel, the edges themselves change by 0.6 to 0.8 of their size. By how
# much after max pooling of 4 × 4?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.4
### END SOLUTION

# %% tags=["nbval-ignore-output"]
pools = {
    "no pooling": lambda x: x,
    "average 4 × 4": lambda x: F.avg_pool2d(x, 4),
    "max 4 × 4": lambda x: F.max_pool2d(x, 4),
    "global": lambda x: F.adaptive_avg_pool2d(x, 1),
}
table = {name: [change(pool, shift) for shift in range(5)] for name, pool in pools.items()}
checks.compare_prediction(prediction, round(table["max 4 × 4"][1], 2))
curves = {name: (range(5), values) for name, values in table.items()}
plotting.show_curves(curves, "shift of the image, pixels", "change of the output")

# %%
none, averaged, largest, whole = table.values()
assert 0.6 < none[1] < 0.8
assert min(largest[1], averaged[1]) / none[1] > 0.5
assert max(largest[1], averaged[1]) / none[1] < 0.6
assert all(none[i] > averaged[i] > largest[i] > 0.5 for i in range(2, 5))
assert max(whole) < 1e-5

# %% [markdown]
# Four things to read from it:
#
# - After one pixel, both poolings have changed little more than half as much as the edges
#   themselves.
# - From two pixels on, the maximum forgives more than the average.
# - Neither line stays at 0. The tolerance is *approximate*, and it wears off as the shift nears the
#   width of the window.
# - Only the global average does not change at all, as long as nothing leaves the image. It has
#   thrown the place away.
#
# *Change one thing:* run `change(lambda x: F.max_pool2d(x, 8), 1)` in a cell of your own. Then try
# a window of 2.


# %% tags=["nbval-ignore-output"]
def draw_shift(shift):
    moved = edges(digits[:1].roll(shift, 3))[:, :1]
    pictures = [digits[0].roll(shift, 2), moved, F.max_pool2d(moved, 4), F.avg_pool2d(moved, 4)]
    titles = ["image", "edges", "max 4 × 4", "average 4 × 4"]
    figure = plotting.draw_images(pictures, titles)
    parts = [f"{name} {change(pools[name], shift):.2f}" for name in pools]
    figure.alt_text = f"Shifted by {shift}. Change over 200 digits: {', '.join(parts)}."
    return figure


explore(draw_shift, shift=IntSlider(1, 0, 8))

# %% [markdown]
# **Try:** shift by 1, 2, 3 and compare the pooled pictures. Then shift by exactly 4. The pooled
# picture has moved by one cell, and is otherwise the same.
#
# Two words for this, which are often mixed up:
#
# - **Equivariant**: shift the input, and the output shifts along. Convolution with stride 1 is
#   equivariant, away from the borders.
# - **Invariant**: shift the input, and the output stays. Global pooling is invariant, as long as
#   nothing leaves the image. Pooling with a small window is invariant only approximately, and only
#   to small shifts.
#
# A pooling with stride 4 is itself equivariant, but only to shifts by a multiple of 4.


# %%
def tidy(x):
    return F.max_pool2d(edges(x), 4)


assert torch.equal(edges(digits.roll(1, 3)), edges(digits).roll(1, 3))
assert torch.equal(tidy(digits.roll(4, 3)), tidy(digits).roll(1, 3))
assert not torch.equal(tidy(digits.roll(1, 3)), tidy(digits))
print("Edges move along with the image. Pooled edges do so in steps of 4.")

# %% [markdown]
# ## Where the tolerance ends
#
# Stripes, two pixels dark and two pixels bright. Max pooling of 2 × 2. Then the same, with the
# image shifted by a single pixel.

# %%
stripes = (torch.arange(16) // 2 % 2).float().expand(1, 1, 16, 16)
moved = stripes.roll(1, 3)
pictures = [stripes, F.max_pool2d(stripes, 2), moved, F.max_pool2d(moved, 2)]
titles = ["stripes", "pooled", "shifted by 1", "pooled"]
plotting.show_images(
    pictures,
    titles,
    limits=(0, 1),
    alt="Stripes and their pooled picture, which has stripes too. The stripes shifted by one "
    "pixel and their pooled picture: all white.",
)

# %% [markdown]
# One pixel, and the stripes are gone. At first every window lay on dark or on bright. Now every
# window has one bright column, and the maximum is bright everywhere. Half of all output numbers
# have changed.
#
# This is **aliasing**. When every second position is kept, no pattern can repeat faster than every
# four pixels. These stripes stand right at that limit. What is finer does not go away: it comes out
# as something else, and what that is depends on where the windows happen to lie.
#
# The remedy is older than neural networks: blur before you thin out. Zhang (2019, arXiv:1904.11486)
# takes max pooling apart into a maximum with stride 1, a blur, and then every second cell.


# %%
def max_blur_pool(x):
    """Max pooling of 2 × 2 with stride 1, a 3 × 3 blur, and of the result every second cell."""
    row = torch.tensor([1.0, 2, 1]) / 4
    return F.conv2d(F.max_pool2d(x, 2, stride=1), torch.outer(row, row)[None, None], stride=2)


print("stripes, shifted stripes:")
for name, pool in {"max": lambda x: F.max_pool2d(x, 2), "blurred": max_blur_pool}.items():
    one, two = pool(stripes)[0, 0, 0, :4], pool(moved)[0, 0, 0, :4]
    print(f"{name:8} {one.tolist()}, {two.tolist()}: they differ by {(one - two).abs().mean()}")

# %% [markdown]
# The difference is halved, not gone. The price is paler stripes.
#
# Here are the stripes once more, to move yourself. Under "Move the input" stand three outputs before
# and after: of the maximum, of the average, and of a convolution with the same stride.

# %% tags=["nbval-ignore-output"]
few = (torch.arange(12) // 2 % 2).expand(4, 12)
widgets.PoolingExplorer(input=few, shift=1)

# %% [markdown]
# **Try:** the input has moved by one column. Which outputs are nothing like before? Set `shift` to 2:
# which of them have only moved along? Then 3, with `kernel_size` 3: does a larger window help?

# %% [markdown]
# ## Pooling, or a convolution with a stride?
#
# A convolution with stride 2 also halves height and width. Many networks use it in place of
# pooling.

# %%
maps = torch.rand(1, 32, 28, 28)
for layer in (nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Conv2d(32, 32, 3, stride=2, padding=1)):
    count = sum(p.numel() for p in layer.parameters())
    print(f"{type(layer).__name__:10} {tuple(layer(maps).shape)}, {count:5,} parameters")

# %% [markdown]
# | | pooling | convolution with stride 2 |
# | --- | --- | --- |
# | what it keeps | fixed: the largest, or the average | learned |
# | channels | each by itself | mixed |
# | parameters | none | 9,248 here |
# | small shifts | forgiven in part | forgiven only as far as it learns to blur |
#
# Average pooling was a convolution. Can a convolution be max pooling? No: a convolution of a sum is
# the sum of the convolutions, and a maximum doesn't do that.

# %%
a, b = torch.tensor([[[1.0, 0]]]), torch.tensor([[[0.0, 1]]])
print("maximum of the sum:", F.max_pool1d(a + b, 2).item())
print("sum of the maxima: ", (F.max_pool1d(a, 2) + F.max_pool1d(b, 2)).item())

# %% [markdown]
# And a stride alone? Keep every fourth cell and look at no other:

# %% tags=["nbval-ignore-output"]
every_fourth = change(lambda x: x[:, :, ::4, ::4], 1)
print("Change after a shift of one pixel:")
print(f"no pooling        {none[1]:.2f}")
print(f"every fourth cell {every_fourth:.2f}")
print(f"max 4 × 4         {largest[1]:.2f}")
assert every_fourth > 0.9 * none[1]
assert every_fourth > 1.5 * largest[1]

# %% [markdown]
# That forgives next to nothing. It is the look at the neighbours that helps, not the smaller output.

# %% [markdown]
# ## All the same
#
# Your functions (or the course's own, if you skipped an exercise), the course's reference and
# PyTorch, over all the options:

# %%
done = checks.max_pool2d(my_max_pool2d).passed and checks.avg_pool2d(my_avg_pool2d).passed
own_max, own_avg = (my_max_pool2d, my_avg_pool2d) if done else (ops.max_pool2d, ops.avg_pool2d)
x = torch.randn(2, 2, 9, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
cases = [(k, s, p) for k in (1, 2, 3, 5) for s in (1, 2, 3) for p in range(k // 2 + 1)]
for k, s, p in cases:
    torch.testing.assert_close(own_max(x, k, s, p), F.max_pool2d(x, k, s, p))
    torch.testing.assert_close(own_avg(x, k, s, p), F.avg_pool2d(x, k, s, p))
    for up in (False, True):
        options = {"stride": s, "padding": p, "ceil_mode": up}
        torch.testing.assert_close(ops.max_pool2d(x, k, **options), F.max_pool2d(x, k, **options))
        torch.testing.assert_close(ops.avg_pool2d(x, k, **options), F.avg_pool2d(x, k, **options))
print(f"{len(cases)} combinations of window, stride and padding: all equal.")

# %% [markdown]
# ## Recap
#
# - **Pooling by hand.** Lay the window, keep the largest or the average, move on by the stride,
#   which is the window's width unless you say otherwise. Padding never wins a maximum (−∞) and adds
#   nothing to a sum (0). A last window that does not fit is dropped, or kept with `ceil_mode`.
# - **How many numbers are left.** Channels × height × width, each side counted with the formula:
#   $32 \cdot 13 \cdot 13 = 5408$. Or fix the output with adaptive pooling. Pooling has no
#   parameters of its own.
# - **Which shifts are forgiven.** Small ones, in part: most of what stays inside a window.
#   Convolution is equivariant. Pooling makes the answer approximately invariant, and global pooling
#   makes it invariant at the price of the place. Fine patterns can still flip.
#
# **Common mistakes.** Padding a maximum with 0. Taking the default stride for 1. Dividing by 9 at
# the border when the padding should not count. Pooling over the channels. Writing the number of
# features from memory. Calling a convolution invariant.
#
# **To think about.** A network finds the cat in a photograph, wherever it sits. Now it should also
# *say* where it sits. Which pooling would you leave out first?
#
# Next: [03 · Convolution in PyTorch](03_convolution_in_pytorch.ipynb), on how PyTorch does it and what it
# costs.

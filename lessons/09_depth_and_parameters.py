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
# # 09 · Depth and parameters
#
# **Question: what does depth buy, and what does each layer cost?**
#
# You will be able to
#
# - count the parameters and the MACs of any common layer before you build it
# - compare two networks fairly: the same budget, several seeds, an interval, and no conclusion that
#   the interval does not carry
# - say what depth buys, what it costs, and why deep networks need careful weights and residual
#   connections
#
# *60 minutes. Before this: [08 · Look inside](08_look_inside.ipynb).*

# %%
import torch
import torch.nn.functional as F
from IPython.display import Markdown, display
from torch import nn

from course_utils import anatomy, checks, data, models, plotting, training, widgets
from course_utils.seeds import mean_interval, stored

# %% [markdown]
# ## Two prices
#
# A layer has two prices. Its **parameters** are the numbers that training sets: they have to be
# learned, stored and sent. Its MACs, the multiplications with an addition, are the work for one
# image. A layer can be cheap in one and dear in the other.
#
# Take `nn.Conv2d(16, 32, 3)`: 16 channels in, 32 out, kernels of 3 × 3.
#
# **Predict.** How many parameters does it have?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 4640
### END SOLUTION

# %%
layer = nn.Conv2d(16, 32, 3)
for name, parameter in layer.named_parameters():
    print(f"{name:7} {' · '.join(map(str, parameter.shape)):15} = {parameter.numel():5,}")
checks.compare_prediction(prediction, anatomy.count_parameters(layer))

# %% [markdown]
# Each of the 32 outputs has a 3 × 3 kernel for each of the 16 inputs, and one bias: 32·16·3·3 + 32.
# The size of the image is not in that sum. It is in the work:

# %%
for side in (14, 28, 56):
    row = anatomy.summarize(layer, (1, 16, side, side)).rows[0]
    print(f"{side} × {side}: {row.parameters:,} parameters, {row.macs:>10,} MACs")

# %% [markdown]
# ## One line a layer
#
# A published tutorial promises in its title to compare the trainable parameters of different layers,
# and never does. Here is that comparison. Each line of the list below is a layer, the formula, the
# sum written out, an input, and the sum for the MACs. The table is made from this list and from
# nothing else: every layer is built and run, and its counts must equal the sums.

# %%
CONVOLUTIONS = """
nn.Linear(784, 10) | out·in + out | 10·784 + 10 | 784 | 10·784
nn.Conv1d(4, 8, 5) | out·in·k + out | 8·4·5 + 8 | 4×100 | 8·96 · 4·5
nn.Conv2d(1, 16, 3) | out·in·k² + out | 16·1·3·3 + 16 | 1×28×28 | 16·26·26 · 1·3·3
nn.Conv2d(16, 32, 1) | out·in + out | 32·16 + 32 | 16×28×28 | 32·28·28 · 16
nn.Conv3d(1, 8, 3) | out·in·k³ + out | 8·1·3·3·3 + 8 | 1×9×16×16 | 8·7·14·14 · 1·3·3·3
nn.Conv2d(16, 16, 3, groups=16) | out·(in/groups)·k² + out | 16·1·3·3 + 16 | 16×28×28 | 16·26·26 · 1·3·3
nn.ConvTranspose2d(16, 8, 2, stride=2) | in·out·k² + out | 16·8·2·2 + 8 | 16×7×7 | 16·7·7 · 8·2·2
"""

# %% [markdown]
# The sixth line, with as many groups as channels, is called **depthwise**. The rest are layers
# that are no convolutions. An **embedding** is a list of vectors, one for each word of a
# vocabulary; a word is looked up in it. **Attention** lets each word of a text take something from
# each other: four linear layers prepare and finish it, and in between every word is compared with
# every word.


# %%
class SelfAttention(nn.Module):
    """Attention of a text to itself. x: (N, words, features). Returns: the same shape."""

    def __init__(self, features, heads):
        super().__init__()
        self.attention = nn.MultiheadAttention(features, heads, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x)[0]


# %%
OTHERS = """
nn.BatchNorm2d(16) | 2·channels | 2·16 | 16×28×28 | 0
nn.LayerNorm(64) | 2·features | 2·64 | 10×64 | 0
nn.MaxPool2d(2) | 0 | 0 | 16×28×28 | 0
nn.AvgPool2d(2) | 0 | 0 | 16×28×28 | 0
nn.ReLU() | 0 | 0 | 16×28×28 | 0
nn.Dropout(0.5) | 0 | 0 | 16×28×28 | 0
nn.Embedding(1000, 64) | words·features | 1000·64 | 10 | 0
SelfAttention(64, 4) | 4·features² + 4·features | 4·64·64 + 4·64 | 10×64 | 4·10·64·64 + 2·10·10·64
"""


# %%
def worked_out(expression):
    """A sum as it is written above, with its value. Returns: (the number, a text for the table)."""
    value = eval(expression.replace("·", "*"))
    return value, f"{expression} = **{value:,}**" if "·" in expression else f"**{value}**"


lines = ["| layer | parameters | the sum | input | MACs |", "| :--- | :--- | :--- | :--- | :--- |"]
for line in (CONVOLUTIONS + OTHERS).strip().replace("\n\n", "\n").splitlines():
    text, formula, parameters, size, macs = (part.strip() for part in line.split("|"))
    layer = eval(text)  # the text is the layer
    counted = anatomy.summarize(layer, (1, *map(int, size.split("×"))))
    (numbers, numbers_sum), (work, work_sum) = worked_out(parameters), worked_out(macs)
    assert numbers == sum(p.numel() for p in layer.parameters()), text
    assert work == counted.macs, text
    lines.append(
        f"| `{text.removeprefix('nn.')}` | {formula} | {numbers_sum} | {size} | {work_sum} |"
    )
display(Markdown("\n".join(lines)))
print(f"{len(lines) - 2} layers, {2 * len(lines) - 4} sums: all equal what PyTorch counted")

# %% [markdown]
# `in` and `out` are channels or features, `k` is the side of the kernel. Read it for what is *not*
# there:
#
# - No sum of parameters contains the size of an image or the length of a text. The MACs do.
# - Pooling, ReLU and dropout learn nothing. A batch norm learns a scale and a shift per channel.
# - An embedding is all storage and no work. A depthwise convolution is the opposite of a `Linear`:
#   few numbers, each used at every place.
# - A transposed convolution counts its work from the *input*: each cell of it is spread over the
#   output.
# - In attention the length counts twice, and squared in one part: 2·10·10·64.
#
# "MACs" here are those of sums of products. Comparing, scaling, dividing by a deviation and looking
# up count 0 in this course. They are not free: they move memory.
#
# And what a batch norm measures is not trained, though it is stored:

# %%
norm = nn.BatchNorm2d(16)
print("trained: ", {name: tuple(p.shape) for name, p in norm.named_parameters()})
print("measured:", {name: tuple(b.shape) for name, b in norm.named_buffers()})

# %% [markdown]
# ### Exercise 1 · Six layers with a pencil  ★☆☆ 6 minutes
#
# How many trainable parameters does each have? Write down six numbers.
#
# 1. `nn.Conv2d(3, 8, 5)`
# 2. `nn.BatchNorm2d(8)`
# 3. `nn.Conv2d(8, 8, 3, groups=8)`
# 4. `nn.Conv2d(8, 16, 1)`
# 5. `nn.MaxPool2d(2)`
# 6. `nn.Linear(16 * 7 * 7, 10)`

# %%
six_counts = None  # [?, ?, ?, ?, ?, ?]
### BEGIN SOLUTION
six_counts = [608, 16, 80, 144, 0, 7850]
### END SOLUTION

# %%
checks.parameters_by_hand(six_counts)

# %% [markdown]
# <details><summary>Hint 1: ask two questions of each layer</summary>
#
# How many numbers does one output need, and how many outputs are there? A bias is one more for each
# output.
#
# </details>
#
# <details><summary>Hint 2: the third one</summary>
#
# With 8 groups of 8 channels, each output channel reads a single input channel: 9 numbers and a
# bias, eight times.
#
# </details>

# %% [markdown]
# Look at 3 and 4 together: 80 + 144 = 224 parameters. One ordinary 3 × 3 convolution from 8 to 16
# channels has 16·8·9 + 16 = 1,168. That exchange is what MobileNet is made of (Howard et al., 2017).

# %% [markdown]
# ### Exercise 2 · Any convolution  ★★☆ 8 minutes
#
# One function for Conv1d, Conv2d and Conv3d, with groups, with and without bias.


# %%
def conv_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """Trainable parameters of a convolution.

    kernel_size: a tuple with one number per direction: (5,), (3, 3) or (3, 3, 3).
    Returns: a whole number.
    """
    ### BEGIN SOLUTION
    cells = 1
    for side in kernel_size:
        cells *= side
    return out_channels * (in_channels // groups * cells + bias)
    ### END SOLUTION


# %%
conv_parameters(16, 32, (3, 3))  # try it here: 4,640

# %%
checks.conv_parameters(conv_parameters)

# %% [markdown]
# <details><summary>Hint 1: one output channel first</summary>
#
# It has a kernel for each input channel of its group. `math.prod(kernel_size)` counts the cells of a
# kernel, in any number of directions.
#
# </details>
#
# <details><summary>Hint 2: groups</summary>
#
# Groups change what an output channel *reads*: `in_channels // groups` channels. How many output
# channels there are, and so how many biases, stays.
#
# </details>

# %% [markdown]
# ## Where a network keeps them
#
# The tutorial trains the MLP that you know from lesson 05, 784-256-128-64-10: four `Linear` in all.
#
# **Predict.** Which share of its parameters sits in the first of the four, between 0 and 1?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.83
### END SOLUTION

# %%
mlp = anatomy.summarize(models.mlp(), (1, 1, 28, 28))
parts = [row.parameters for row in mlp.rows if row.parameters]
assert parts == [200_960, 32_896, 8_256, 650]
print(" + ".join(f"{n:,}" for n in parts), "=", f"{mlp.parameters:,}")
checks.compare_prediction(prediction, round(parts[0] / mlp.parameters, 2))

# %% [markdown]
# One weight for each pair of a pixel and a hidden number. Now the image grows to 56 × 56. Beside the
# MLP stands a small stack of convolutions that ends in a mean over all positions:

# %%
for side in (28, 56):
    dense = models.mlp((side * side, 256, 128, 64, 10))
    stack = models.stacked_cnn(depth=4, width=13)
    for name, network in {"MLP": dense, "CNN": stack}.items():
        s = anatomy.summarize(network, (1, side, side))
        print(f"{side} × {side}, {name}: {s.parameters:>7,} parameters, {s.macs:>9,} MACs")

# %% [markdown]
# Four times the pixels: the MLP pays in parameters, the convolutions in work. In the MLP, each
# weight is used once for an image, so the two columns nearly agree. A convolution uses each weight
# at every position.
#
# ## The same view for less
#
# One reason to go deep is known since VGG (Simonyan and Zisserman, 2014). To see 7 × 7 pixels,
# take one kernel of 7 × 7, or three of 3 × 3 after each other:

# %%
wide_kernel = nn.Sequential(nn.Conv2d(16, 16, 7))
three_small = nn.Sequential(*(nn.Conv2d(16, 16, 3) for _ in range(3)))
for name, network in {"one 7 × 7": wide_kernel, "three 3 × 3": three_small}.items():
    count, field = anatomy.count_parameters(network), anatomy.receptive_field(network)
    print(f"{name:11}: sees {field} × {field}, {count:6,} parameters")

# %% [markdown]
# 49 numbers against 27 for each pair of channels, and two more ReLUs in between. So **depth buys
# receptive field** cheaply. Does it buy accuracy? For that we need a comparison that is fair.
#
# ## The same budget
#
# **Depth** means here: how many convolutions stand in a row. **Width**: how many channels each
# has. `models.stacked_cnn(depth, width)` makes networks that differ in those two and in nothing
# else: `depth` convolutions of 3 × 3 from 1 channel to `width`, then from `width` to `width`, with
# ReLU, two poolings on the way, then the mean over all positions and one `Linear(width, 10)`.
#
# If a deeper network does better, is it because it is deeper, or because it is larger? To find out,
# keep the budget: what one pays for depth, one saves in width.

# %% [markdown]
# ### Exercise 3 · Count a whole network  ★★☆ 8 minutes
#
# Count `stacked_cnn(depth, width)` without building it. Mind the first convolution: it reads one
# channel.


# %%
def stacked_parameters(depth, width, kernel_size=3):
    """Trainable parameters of models.stacked_cnn(depth, width, kernel_size). Returns: a whole number."""
    ### BEGIN SOLUTION
    first = width * 1 * kernel_size**2 + width
    others = (depth - 1) * (width * width * kernel_size**2 + width)
    return first + others + 10 * width + 10
    ### END SOLUTION


# %%
stacked_parameters(4, 13)  # try it here: 4,872

# %%
checks.stacked_parameters(stacked_parameters)

# %% [markdown]
# <details><summary>Hint 1: three parts</summary>
#
# The first convolution, `depth - 1` others that are all alike, and the linear layer.
#
# </details>
#
# <details><summary>Hint 2: the linear layer</summary>
#
# The mean over all positions leaves one number per channel, whatever the size of the image:
# `nn.Linear(width, 10)`.
#
# </details>

# %% [markdown]
# Width enters squared, so depth is dear. Here is, for each depth, the width that comes nearest to
# 5,000 parameters:


# %%
from course_utils.widgets.depth_explorer import count  # your formula, and one for MACs


def costs(depth, width, side=14):
    """Parameters, MACs and receptive field of a stacked network. Returns: three whole numbers."""
    s = anatomy.summarize(models.stacked_cnn(depth, width), (1, side, side))
    return s.parameters, s.macs, s.rows[-4].receptive_field


def width_for(parameters, depth):
    """The width that comes nearest to a budget. Returns: a whole number."""
    return min(
        range(256, 0, -1), key=lambda w: abs(count("parameters", depth, w, 3, 14) - parameters)
    )


for depth in (1, 2, 3, 4, 6, 8, 16):
    width = width_for(5_000, depth)
    parameters, macs, field = costs(depth, width)
    print(
        f"depth {depth:2} × width {width:3}: {parameters:5,} parameters, {macs:7,} MACs, "
        f"sees {field} × {field}"
    )

# %% [markdown]
# Sixteen layers of 6 channels cost as much as two of 22. The MACs and the view are for images of
# 14 × 14: from here on we use the digits averaged 2 by 2, which is four times less work. From depth 3
# on, one position sees the whole image; what lies outside is padding. And equal parameters are not
# equal work, so a comparison at equal MACs needs other widths. We will make both.
#
# ## One run is one throw
#
# Three depths with 2,000 parameters each, on 2,000 images, for two epochs. And each three times: the
# **seed** decides the first weights and the order of the images, and nothing else changes.

# %% tags=["nbval-ignore-output"]
digits = data.load_digits()
print(digits.describe())


# %%
def smaller(split):
    """The images at half of their size, each pixel the mean of four."""
    return data.Split(F.avg_pool2d(split.images, 2), split.labels)


few, judges = smaller(digits.train[:2_000]), smaller(digits.validation[:1_000])


def accuracy_of(network, lr, seed, train=few, validation=judges):
    """Train two epochs in batches of 50. Returns: accuracy on the validation images."""
    options = {"epochs": 2, "batch_size": 50, "lr": lr, "seed": seed, "progress": False}
    training.fit(network, train, **options)
    return training.evaluate(network, validation, batch_size=100).accuracy


# %% [markdown]
# The networks start from `he_initialize`; what that is, and why, comes further down. The learning
# rate is 0.03 for all.
#
# **Predict.** Depth 1 × width 100, depth 2 × width 14, depth 4 × width 8: one of them will be
# clearly the worst. Which depth?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 1
### END SOLUTION

# %% tags=["nbval-ignore-output"]
live = {}
for depth, width in {1: 100, 2: 14, 4: 8}.items():
    assert abs(costs(depth, width)[0] - 2_000) < 100
    for seed in range(3):
        training.seed_everything(seed)
        network = models.he_initialize(models.stacked_cnn(depth, width))
        live.setdefault(depth, []).append(accuracy_of(network, 0.03, seed))
    print(f"depth {depth} × width {width:3}:", ", ".join(f"{a:.1%}" for a in live[depth]))
checks.compare_prediction(prediction, min(live, key=lambda depth: max(live[depth])))
assert max(live[1]) + 0.05 < min(live[2] + live[4])
assert max(max(live[d]) - min(live[d]) for d in (2, 4)) > 0.02

# %% [markdown]
# Depth 1 is far behind, with every seed: each of its hundred channels sees 3 × 3 pixels, and all
# that is left of a channel is its mean over the image. And depths 2 and 4? Look along one line.
# The three numbers scatter by several percent, and nothing but the seed differs. Where two
# networks differ by less than that, one run of each is one throw of a die.
#
# Before you blame the depth, change one thing: give depth 1 another learning rate.

# %% tags=["nbval-ignore-output"]
faster = []
for seed in range(3):
    training.seed_everything(seed)
    network = models.he_initialize(models.stacked_cnn(1, 100))
    faster.append(accuracy_of(network, 0.1, seed))
for lr, accuracies in {0.03: live[1], 0.1: faster}.items():
    print(f"depth 1, lr {lr:<4}:", ", ".join(f"{a:.1%}" for a in accuracies))
assert sum(faster) / 3 > sum(live[1]) / 3 + 0.03

# %% [markdown]
# A part of the gap was the learning rate. A rate that suits one network can ruin another: whoever
# picks one rate for all has picked the winner.
#
# ## Five seeds and an interval
#
# So run each network several times, and say how well the mean is known. With n runs of mean m and
# standard deviation s (divided by n − 1), the **95 % t-interval** of the mean is
#
# $$m \pm t_n \cdot \frac{s}{\sqrt{n}}$$
#
# The root says that a mean of many runs scatters less than one run. The factor t, by "Student"
# (1908), pays for the fact that s comes from a few runs too:

# %%
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 10: 2.262}  # t for so many runs

# %% [markdown]
# ### Exercise 4 · The interval  ★★☆ 8 minutes
#
# Write it. Five runs are cheap; without the interval they are five anecdotes.


# %%
def t_interval(accuracies):
    """Mean and 95 % t-interval. accuracies: a list of 2, 3, 4, 5 or 10. Returns: mean, low, high."""
    ### BEGIN SOLUTION
    n = len(accuracies)
    mean = sum(accuracies) / n
    deviation = (sum((a - mean) ** 2 for a in accuracies) / (n - 1)) ** 0.5
    half = T[n] * deviation / n**0.5
    return mean, mean - half, mean + half
    ### END SOLUTION


# %%
t_interval([0.92, 0.95, 0.93, 0.96, 0.94])  # try it here: 0.94, about 0.920 to 0.960

# %%
checks.t_interval(t_interval)

# %% [markdown]
# <details><summary>Hint 1: the deviation</summary>
#
# `statistics.stdev` and `torch.std` divide by n − 1. `numpy.std` divides by n unless you say
# `ddof=1`.
#
# </details>
#
# <details><summary>Hint 2: put together</summary>
#
# Half of the width is `T[n] * deviation / n ** 0.5`. Return the mean, then the mean minus that, then
# the mean plus that.
#
# </details>

# %% [markdown]
# With it, a rule for reading. If two intervals do not overlap, the runs tell the two networks
# apart. If they do overlap, **you cannot tell** from these runs. That is not "they are equal", and
# the rule is a strict one: some overlapping pairs do differ, and more seeds would show it.


# %%
def verdict(first, second):
    """What two lists of accuracies say: "better", "worse" or "cannot tell"."""
    (_, low, high), (_, other_low, other_high) = mean_interval(first), mean_interval(second)
    if low > other_high:
        return "better"
    return "worse" if high < other_low else "cannot tell"


print(verdict([0.95, 0.96, 0.97], [0.90, 0.91, 0.92]), "/", verdict([0.9, 0.95], [0.7, 0.8]))

# %% [markdown]
# ## The sweep
#
# Training dozens of networks five times takes too long for a lesson, so
# `benchmarks/depth_sweep.py` did it once, and its numbers lie in `data/depth_sweep.json`.
# Everything that has to be known to do it again is stored with them:

# %%
sweep = stored("depth_sweep")
for name, value in sweep["settings"].items():
    print(f"{name:17} {value}")

# %% [markdown]
# Each network got its own learning rate. Two trials, with seeds that are not used again, begin at
# 0.01 and 0.03 and go up or down until both neighbours are worse or the list ends. Then come the
# five runs that count. Accuracies are those on the validation images; test images were not
# touched.


# %%
USUAL = {"family": "cnn", "kernel_size": 3, "residual": False, "init": "he", "permuted": False}


def measured(**wanted):
    """The networks of the sweep that are as usual but for what is wanted, by depth."""
    wanted = USUAL | wanted
    found = [n for n in sweep["networks"] if all(n.get(k) == v for k, v in wanted.items())]
    return sorted(found, key=lambda n: n["depth"])


def table(networks):
    """Show costs, learning rate and interval. networks: a mapping from a name to one of them."""
    rows = ["| network | parameters | MACs | lr | mean | 95 % interval |", "| :-- |" + " --: |" * 5]
    for name, n in networks.items():
        mean, low, high = mean_interval(n["accuracies"])
        counts = f"{n['parameters']:,} | {n['macs']:,} | {n['lr']}"
        rows.append(f"| {name} | {counts} | {mean:.1%} | {low:.1%} to {high:.1%} |")
    display(Markdown("\n".join(rows)))


def shape(network):
    return f"{network['depth']} × {network['width']}"


# %% [markdown]
# ### At equal parameters
#
# About 5,000 each. In the first column stands depth × width:

# %%
equal = [n for n in measured() if abs(n["parameters"] / 5_000 - 1) < 0.08]
assert all(len(n["accuracies"]) == 5 for n in sweep["networks"])
table({shape(n): n for n in equal})


# %%
def show_means(lines, start=0):
    """Draw means and intervals against depth. lines: a mapping from a name to networks."""
    curves, bars = {}, []
    for i, (name, networks) in enumerate(lines.items()):
        means = torch.tensor([mean_interval(n["accuracies"]) for n in networks]).T
        x = [n["depth"] * 1.03**i for n in networks]  # a step to the right: no bar hides another
        curves[name] = (x, means[0])
        bars.append((means[0] - means[1], means[2] - means[0]))
    figure = plotting.draw_curves(curves, "depth", "validation accuracy", log_x=True)
    axes = figure.axes[0]
    for line, (x, y), sides in zip(list(axes.lines), curves.values(), bars, strict=True):
        axes.errorbar(x, y, torch.stack(sides), fmt="none", ecolor=line.get_color(), capsize=4)
    depths = sorted({n["depth"] for networks in lines.values() for n in networks})
    axes.set_xticks(depths, [str(depth) for depth in depths])
    axes.minorticks_off()
    axes.set_ylim(start, 1)
    plotting.show(figure, alt=f"{figure.alt_text} Bars are 95 % intervals of five seeds.")


show_means({"5,000 parameters": equal}, start=0.5)


# %%
def verdicts(networks, best=4):
    """Print what the intervals say of the network of one depth beside each other one."""
    by_depth = {n["depth"]: n["accuracies"] for n in networks}
    said = {d: verdict(by_depth[best], by_depth[d]) for d in by_depth if d != best}
    for depth, word in said.items():
        print(f"depth {best} beside depth {depth:2}: {word}")
    return said


said = verdicts(equal)
assert [said[d] for d in (1, 2, 8, 16)] == ["better"] * 4
assert said[3] == said[6] == "cannot tell"

# %% [markdown]
# At this budget, depth buys a lot at first and then it costs. One layer is far behind. Four layers
# beat two, and also eight and sixteen: these intervals do not overlap. Depths 3, 4 and 6 cannot be
# told apart, so "four is best" would be more than these runs say. And look at the bar of depth 16. It
# is wide, because some seeds learned and some hardly did; a wide interval is a finding too.
#
# ### At equal MACs
#
# About 422,000 each:

# %%
same_work = [n for n in measured() if abs(n["macs"] / 422_000 - 1) < 0.06]
table({shape(n): n for n in same_work})
said = verdicts(same_work)
assert said[2] == said[3] == "cannot tell"

# %% [markdown]
# With as much work for each, depth 2 may have 29 channels and depth 3 has 27, and now both **cannot
# be told apart** from depth 4. So "four layers beat two" was true at equal parameters and cannot be
# said at equal work. Which budget is the fair one? The one that you pay: memory and downloads ask for
# parameters, a battery asks for MACs. State it with the result. (Nothing is equal in everything: here
# depth 3 has nearly three times the parameters of depth 4.)
#
# ### Is it the depth, or what it sees?
#
# A shallow network can see as much if its kernels are larger. Also about 5,000 parameters:

# %%
larger = [n for k in (3, 5, 7) for n in measured(kernel_size=k) if n["depth"] <= 2]
larger = [n for n in larger if abs(n["parameters"] / 5_000 - 1) < 0.1]
best = measured(depth=4, width=13)[0]
table({f"{shape(n)}, kernel {n['kernel_size']}": n for n in [*larger, best]})
for n in larger:
    word = verdict(best["accuracies"], n["accuracies"])
    print(f"4 × 13 with kernel 3 beside {shape(n)} with kernel {n['kernel_size']}: {word}")
one_layer = {n["kernel_size"]: sum(n["accuracies"]) / 5 for n in larger if n["depth"] == 1}
assert one_layer[7] > one_layer[3] + 0.1

# %% [markdown]
# Two layers with kernels of 5 × 5 or 7 × 7 cannot be told apart from four of 3 × 3, at the same
# number of parameters. Even a single layer gains more than ten of a hundred by kernels of 7 × 7,
# though it stays behind the four. That fits what we saw: what depth buys here is, most of all, a
# view. It does not prove it, for the number of channels changed as well.
#
# Look around yourself. The marks in the lowest picture are the networks of the sweep.

# %%
results = []
for n in sweep["networks"]:
    if n["family"] == "cnn" and n["init"] == "he" and not n["residual"] and not n["permuted"]:
        mean, low, high = mean_interval(n["accuracies"])
        bounds = {"accuracy": mean, "low": max(low, 0.0), "high": min(high, 1.0)}
        results.append({**n, **bounds, "input_size": 14, "seeds": 5})
results = [row for row in results if row["depth"] <= 16]

# %% tags=["nbval-ignore-output"]
shown = {"input_size": 14, "results": results, "equal": "macs"}
widgets.DepthExplorer(depth=4, width=13, **shown)

# %% [markdown]
# **Try:** set the depth to 8, then take a width from the list of networks that cost the same, once
# for MACs and once for parameters. **Notice:** the receptive field grows with every layer. And
# only what was measured has a mark.
#
# ## Fully connected, and a shuffle
#
# The same budget, spent on an MLP: 196-24-10 has 4,978 parameters. And a second question. An image
# is more than a list of pixels: neighbours belong together. Who uses that? Shuffle the pixels of
# every image, all in the same way:

# %%
order = torch.randperm(196, generator=torch.Generator().manual_seed(0))


def shuffled(images):
    """Every image with its pixels in one other order. images: (N, 1, 14, 14)."""
    return images.flatten(1)[:, order].view_as(images)


# %% tags=["nbval-ignore-output"]
five = few.images[:5]
pictures = torch.cat([five, shuffled(five)])
titles = [f"a {label}" for label in few.labels[:5].tolist()]
titles += [f"{title}, shuffled" for title in titles]
plotting.show_images(pictures, titles, columns=5)

# %% [markdown]
# **Predict.** An MLP is trained and tested on shuffled images. Its accuracy is, on average:
# `"higher"`, `"equal"` or `"lower"`?

# %%
prediction = None
### BEGIN SOLUTION
prediction = "equal"
### END SOLUTION

# %%
training.seed_everything(0)
network, twin = models.mlp((196, 24, 10)), models.mlp((196, 24, 10))
twin.load_state_dict(network.state_dict())
with torch.no_grad():
    twin.fc1.weight.copy_(network.fc1.weight[:, order])  # each weight goes with its pixel
    same = torch.allclose(network(few.images), twin(shuffled(few.images)), atol=1e-5)
checks.compare_prediction(prediction, "equal" if same else "not equal")

# %% [markdown]
# For every MLP there is one for the shuffled images that gives the same answers: its first weights
# are shuffled along. A new network draws all of them in the same way, so neither order is easier
# for it. An MLP does not know what a neighbour is. And the CNN?

# %%
rows = {
    "CNN 4 × 13": measured(depth=4, width=13)[0],
    "CNN 4 × 13, shuffled": measured(permuted=True)[0],
}
for n in sweep["networks"]:
    if n["family"] == "mlp":
        rows[f"MLP {'-'.join(map(str, n['sizes']))}{', shuffled' if n['permuted'] else ''}"] = n
table(rows)
cnn, cnn_shuffled, small, small_shuffled, large = (n["accuracies"] for n in rows.values())
print("CNN beside CNN shuffled:", verdict(cnn, cnn_shuffled))
print("MLP beside MLP shuffled:", verdict(small, small_shuffled))
print("CNN beside the MLP of as many parameters:", verdict(cnn, small))
print("CNN shuffled beside the MLP shuffled:", verdict(cnn_shuffled, small_shuffled))
print("CNN beside the large MLP:", verdict(cnn, large))
assert sum(cnn) / 5 - sum(cnn_shuffled) / 5 > 0.1

# %% [markdown]
# Nothing could be told apart for the MLP, shuffled or not, just as it must be. The CNN loses more
# than ten of a hundred: kernels look for neighbours, and there are none any more. In their proper
# order it beats the MLP of the same size; shuffled, it falls behind it. A convolution is a bet
# that neighbours belong together, and images keep it.
#
# The last row is the tutorial's MLP with 196 inputs. It has 19 times the parameters of the CNN,
# and the intervals touch: from these runs you cannot tell.
#
# ## What a layer passes on
#
# In the sweep, depth 16 did worse than depth 2. Is that for lack of ability, or did training not
# get there? Look at the first step. The gradient of the loss reaches the last convolution first
# and goes back from there, layer by layer. Take a network of 24 convolutions, as PyTorch makes it,
# and one batch:


# %%
def gradient_norms(network, batch):
    """Size of the gradient for the weights of each convolution, the first one first."""
    network.zero_grad()
    F.cross_entropy(network(batch.images), batch.labels).backward()
    return [m.weight.grad.norm().item() for m in network.modules() if isinstance(m, nn.Conv2d)]


# %% [markdown]
# **Predict.** The gradient of the first convolution is smaller than that of the last one, by a
# factor of about 10 to the power of … what? A whole number.

# %%
prediction = None
### BEGIN SOLUTION
prediction = 10
### END SOLUTION

# %% tags=["nbval-ignore-output"]
training.seed_everything(0)
plain = gradient_norms(models.stacked_cnn(24, 8), few[:50])
factor = plain[-1] / plain[0]
assert factor > 1e6
checks.compare_prediction(prediction, round(torch.tensor(factor).log10().item()))
print(f"last convolution {plain[-1]:.0e}, first convolution {plain[0]:.0e}")

# %% [markdown]
# Nothing of the loss arrives at the first layers. Why? One output of a convolution is a sum of as
# many products as there are inputs to it, its **fan-in**: channels times kernel cells. If the
# weights have variance v, the sum has v · fan-in times the mean square of what comes in. ReLU then
# throws away the negative half. So a layer multiplies the mean square by about v · fan-in / 2,
# forward, and backward by about the same.
#
# PyTorch draws the weights of a convolution with v = 1 / (3 · fan-in). That makes 1/6 per layer:

# %%
wide = nn.Conv2d(64, 64, 3)
fan_in = 64 * 3 * 3
print(f"variance · fan-in of PyTorch's own weights: {wide.weight.var().item() * fan_in:.2f}")
print(f"23 layers multiply the gradient by about {(1 / 6) ** (23 / 2):.0e}")

# %% [markdown]
# That is most of what we saw. He, Zhang, Ren and Sun ("Delving deep into rectifiers", 2015) turn
# the sum around: which variance makes the factor 1?

# %% [markdown]
# ### Exercise 5 · How large should weights be  ★★☆ 6 minutes
#
# Write the standard deviation that does it, for a convolution with a square kernel.


# %%
def he_std(in_channels, out_channels, kernel_size, groups=1):
    """The deviation of the weights for which v · fan-in / 2 is 1. Returns: a number."""
    ### BEGIN SOLUTION
    fan_in = in_channels // groups * kernel_size**2
    return (2 / fan_in) ** 0.5
    ### END SOLUTION


# %%
he_std(64, 64, 3)  # try it here: about 0.059

# %%
checks.he_std(he_std)

# %% [markdown]
# <details><summary>Hint 1: the variance first</summary>
#
# v · fan-in / 2 = 1. Solve it for v; the deviation is the square root of the variance.
#
# </details>
#
# <details><summary>Hint 2: what adds up in one output</summary>
#
# The cells of the kernel, times the channels that this output reads. With groups these are
# `in_channels // groups`.
#
# </details>
#
# ## A way around
#
# The second remedy is a **residual connection** (He, Zhang, Ren and Sun, "Deep residual learning",
# 2015): a block gives x + f(x) in place of f(x). Whatever f does to the gradient, the x hands it on
# unchanged. In `stacked_cnn(…, residual=True)`, f is a convolution with its ReLU. It costs no
# parameter.
#
# It is no magic either. Each block adds something, so now the numbers *grow*. `he_initialize`
# therefore divides the weights in the blocks by the number of blocks, so that all of them together
# start as large as one (in the spirit of Zhang, Dauphin and Ma, "Fixup initialization", 2019). All
# four, from the last convolution back to the first:

# %%
MAKE = {
    "plain": lambda depth: models.stacked_cnn(depth, 8),
    "plain, He": lambda depth: models.he_initialize(models.stacked_cnn(depth, 8)),
    "residual, He": lambda depth: models.he_initialize(models.stacked_cnn(depth, 8, residual=True)),
    "residual": lambda depth: models.stacked_cnn(depth, 8, residual=True),
}

# %% tags=["nbval-ignore-output"]
norms = {}
for name, make in MAKE.items():
    training.seed_everything(0)
    norms[name] = gradient_norms(make(24), few[:50])[::-1]
lines = {name: (range(24), values) for name, values in norms.items()}
plotting.show_curves(lines, "layers back from the last convolution", "gradient", log_y=True)
assert norms["plain"][-1] < 1e-9
assert 1e-5 < norms["plain, He"][-1] < 1
assert 1e-4 < norms["residual, He"][-1] < 10
assert norms["residual"][-1] > 5 * norms["residual, He"][-1]

# %% [markdown]
# Plain, the gradient dies on the way. With He's weights it arrives. So it does through residual
# connections, but with PyTorch's weights it is far too large, and such a network starts with a loss
# far above 2.3:

# %% tags=["nbval-ignore-output"]
for name, make in MAKE.items():
    training.seed_everything(0)
    with torch.no_grad():
        first_loss = F.cross_entropy(make(24)(few.images[:50]), few.labels[:50]).item()
    print(f"{name:12}: first loss {first_loss:.2f}")
assert first_loss > 5  # the last one is residual with PyTorch's weights

# %% [markdown]
#
# A gradient that arrives is not yet a network that learns. One epoch of 4,000 images, depth 24:

# %% tags=["nbval-ignore-output"]
more, runs, answers = smaller(digits.train[:4_000]), {}, {}
for name in ("plain", "residual, He"):
    training.seed_everything(0)
    options = {"batch_size": 50, "lr": 0.03, "progress": False}
    network = MAKE[name](24)
    steps = training.fit(network, more, **options).step_loss
    runs[name] = [sum(steps[i : i + 8]) / 8 for i in range(0, 80, 8)]
    answers[name] = network(judges.images).argmax(1).bincount(minlength=10).tolist()
lines = {name: (range(8, 88, 8), loss) for name, loss in runs.items()}
plotting.show_curves(lines, "step", "training loss, mean of 8 steps", y_limits=(0, 2.6))
assert runs["plain"][-1] > 2.2
assert runs["residual, He"][-1] < 2.0

# %% [markdown]
# The plain one stays near 2.30, which is −ln(1/10). What does it answer to 1,000 images?

# %% tags=["nbval-ignore-output"]
for name, counts in answers.items():
    print(f"{name:12}: how often it says 0 to 9: {counts}")
assert max(answers["plain"]) == 1000
assert max(answers["residual, He"]) < 900

# %% [markdown]
# One digit for everything. Nothing of the image reaches its end, as nothing of the loss reaches its
# beginning.
#
# And five seeds each, from the sweep. All have width 8, so these depths are paid for with
# parameters:

# %% tags=["cover"]
grows = {
    "plain": measured(width=8, init=None),
    "plain, He": measured(width=8),
    "residual, He": measured(width=8, residual=True),
}
table({f"{name}, {shape(n)}": n for name, found in grows.items() for n in found})
show_means(grows)
assert max(grows["plain"][-1]["accuracies"]) < 0.12

# %% [markdown]
# Plain networks with PyTorch's weights fail as depth grows: at 24, all five answer like a die.
# With He's weights some of the deep ones learn and others do not: look at the bars. What can be
# said, and what cannot?

# %%
for depth in (4, 12, 24):
    runs = {name: n["accuracies"] for name, f in grows.items() for n in f if n["depth"] == depth}
    for other in ("plain", "plain, He"):
        word = verdict(runs["residual, He"], runs[other])
        print(f"depth {depth:2}: residual beside {other:10}: {word}")

# %% [markdown]
# So five seeds tell the deep residual networks from plain ones as PyTorch makes them. They do not tell
# them from plain ones with He's weights, though at depth 24 the means are far apart. Here the rule
# is strict and five seeds are few. "Cannot tell" does not end the question, it says what to do next:
# run more seeds.
#
# ### And at equal parameters?
#
# Does the connection also help where the budget is fixed? 5,000 parameters again, plain and
# residual:

# %%
lines = {"plain": equal, "residual": [n for n in measured(residual=True) if n["width"] in (6, 9)]}
table({f"{name}, {shape(n)}": n for name, found in lines.items() for n in found if n["depth"] > 3})
for n in lines["residual"]:
    twin = next(other for other in equal if other["depth"] == n["depth"])
    word = verdict(n["accuracies"], twin["accuracies"])
    print(f"residual beside plain, both depth {n['depth']:2}: {word}")
    word = verdict(n["accuracies"], best["accuracies"])
    print(f"residual depth {n['depth']:2} beside plain depth 4: {word}")

# %% [markdown]
# At a fixed budget, five seeds do not show that the connection helps. And depth is no aim in itself:
# sixteen residual layers are worse than four plain ones.
#
# ### What this was not
#
# Two epochs of 5,000 small images, no batch normalisation, one optimizer, one shape of network. Real
# residual networks have batch norms and train for days. The method carries over, the numbers do
# not: measure your own. And two networks found their best rate at an end of the list, so perhaps
# there is a better one beyond:

# %%
rates = sweep["settings"]["learning rates"]
for n in sweep["networks"]:
    if n["lr"] in (rates[0], rates[-1]):
        mean = sum(n["accuracies"]) / 5
        print(f"{shape(n)}, kernel {n['kernel_size']}: lr {n['lr']}, mean {mean:.1%}")

# %% [markdown]
# ## Recap
#
# - **Count.** Outputs times what one output reads, plus a bias per output. Image size is not in the
#   parameters of a convolution, but in its MACs; in an MLP it is in both. Pooling and ReLU learn
#   nothing, batch norm two numbers per channel, attention 4·E² + 4·E for E features.
# - **Compare.** The same budget, and say which; a learning rate for each; several seeds; an
#   interval. Overlap means "cannot tell". At 5,000 parameters depth 4 beat depth 2; at equal work
#   the runs did not tell them apart.
# - **Depth** buys a larger view with few parameters. It costs trainability: a factor per layer becomes
#   a power of 23 in 24 layers. Weights of the right size keep the factor near 1, residual connections
#   lead around it, and then they need small weights too.
#
# **Common mistakes:** counting the running statistics of a batch norm as trainable; forgetting
# biases or groups; a deeper network that is also larger; one learning rate for all; one run;
# reading "cannot tell" as "equal"; choosing by the test images; blaming depth for what the first
# weights did.
#
# **A question to take along:** a paper says "our network of 50 layers beats the one of 18 layers by
# 0.3 %", with one run of each. What would you ask its authors, and in which order?
#
# Next: [10 · Fine-tuning](10_fine_tuning.ipynb), on how to reuse a trained network.

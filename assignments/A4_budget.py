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
# # A4 · The budget challenge
#
# A network for a very small device: at most **10,000 parameters** and **150,000 MACs** for an image.
# What is the best accuracy that you can get for that?
#
# *After lessons 06 and 09; lessons 03 and 12 help. 20 points, about 90 minutes.*
#
# | task | | points |
# | --- | --- | --- |
# | 1 | what a convolution costs, as code | 4 |
# | 2 | the network: inside the budget, and three targets | 3 + 2 + 2 + 3 |
# | 3 | a table of the designs that you compared | 2 |
# | 4 | what helped, in words | 4 |
#
# **How it is graded.** Below each answer stands a cell that checks it. It tries a few examples and
# tells you at once what it finds. When your notebook is graded, further cases are tried, and your
# network reads images that you have not seen. The points of a cell are all or nothing. A person
# reads task 4.
#
# Write where it says `# your code here`. The other cells are yours to change, too, and you can add
# new ones. Only the cells with the checks stay as they are. You can work in JupyterLab or in Colab.
# Before you hand in, choose *Restart Kernel and Run All Cells*: your notebook is run from top to
# bottom when it is graded. Then hand in this one file, under the name it has.

# %%
import torch
from torch import nn

from course_utils import anatomy, assignments, data, plotting, training
from course_utils.assignments import Case, budget

# %% [markdown]
# ## Task 1 · What a convolution costs (4 points)
#
# Before you spend a budget, know the prices. Write two functions. Each returns two whole numbers:
# the parameters, and the MACs for one image.
#
# - `standard_cost`: one convolution from `c_in` to `c_out` channels.
# - `separable_cost`: a depthwise convolution (each input channel by itself), then a pointwise one
#   (1 × 1, which mixes the channels).
#
# The kernel of `kernel_size` × `kernel_size` cells is that of the standard and of the depthwise
# convolution. The stride is 1, and the padding keeps `height` and `width`. There is **no bias**: a
# batch norm follows, which brings its own shift.
#
# An example: from 2 to 3 channels with a kernel of 3 × 3, on an image of 4 × 5. The standard
# convolution has 54 parameters and takes 1,080 MACs. The separable pair has 24 and takes 480.
#
# Write formulas. The functions of `course_utils` may not be called here.


# %% answer="standard_cost"
def standard_cost(c_in, c_out, kernel_size, height, width):
    """Parameters and MACs of a convolution without bias. All five are whole numbers.

    Returns: (parameters, MACs for one image).
    """
    ### BEGIN SOLUTION
    parameters = c_out * c_in * kernel_size**2
    return parameters, parameters * height * width
    ### END SOLUTION


# %% tests="standard_cost_examples" points=1
assignments.graded(
    assignments.examples(
        standard_cost,
        Case((2, 3, 3, 4, 5), expected=(54, 1_080)),
        Case((1, 8, 5, 28, 28), expected=(200, 156_800)),
        lesson="lesson 09, 'Two prices'",
        without=("conv2d",),
    )
)
### BEGIN HIDDEN TESTS
from hidden import a4

assignments.graded(a4.standard_cost(standard_cost))
### END HIDDEN TESTS


# %% answer="separable_cost"
def separable_cost(c_in, c_out, kernel_size, height, width):
    """Parameters and MACs of a depthwise and a pointwise convolution together, without bias.

    Returns: (parameters, MACs for one image).
    """
    ### BEGIN SOLUTION
    depthwise = c_in * kernel_size**2
    pointwise = c_in * c_out
    return depthwise + pointwise, (depthwise + pointwise) * height * width
    ### END SOLUTION


# %% tests="separable_cost_examples" points=1
assignments.graded(
    assignments.examples(
        separable_cost,
        Case((2, 3, 3, 4, 5), expected=(24, 480)),
        Case((8, 16, 3, 14, 14), expected=(200, 39_200)),
        lesson="lesson 03, 'One by one'",
        without=("conv2d",),
    )
)

# %% tests="separable_cost_hidden" points=2
# More cases are tried when your notebook is graded: other channels, kernels and sizes.
### BEGIN HIDDEN TESTS
from hidden import a4

assignments.graded(a4.separable_cost(separable_cost))
### END HIDDEN TESTS

# %% [markdown]
# ## The images
#
# MNIST, if it is on your machine or can be loaded, else the embedded digits. Both will do.
#
# **Only the first 20,000 training images may be used to train**, as they are or changed, as often as you
# like. Choose your design by validation images. The test images have no place in this notebook.

# %%
digits = data.load_digits()
few = digits.train[:20_000]
print(digits.describe())

# %% [markdown]
# The device has a simple camera, so its digits do not stand in the middle. The hidden images, by which
# your network is judged, are test images that were **moved by up to 2 pixels** in each direction and
# **turned by up to 10 degrees**. `budget.judges()` are the
# validation images, moved in the same way.

# %%
judges = budget.judges(digits.source)
pairs = torch.cat([digits.validation.images[:8], judges.images[:8]])
plotting.show_images(
    pairs, columns=8, alt="Eight digits as they are, and below them the same, turned and moved."
)

# %% [markdown]
# `budget.moved(few, seed=0)` does the same to the training images. Another seed moves them in another way.
#
# ## Task 2 · The network (10 points)
#
# Build `network`, an `nn.Sequential`, and train it. Blocks in it may be `nn.Sequential` again. The layers
# are those of the list below. A class of your own is not possible here, nor is a layer that is
# used twice: the network is copied layer by layer, so that it can be counted and judged without your
# code.

# %%
print(", ".join(budget.LAYERS))

# %% [markdown]
# **What counts.** All parameters count, frozen ones too, so no more than 10,000 of them. MACs are the
# multiplications with an addition of convolutions and `Linear` for one image, as in `anatomy.summarize`:
# no more than 150,000. The running means and variances of a batch norm do not count.
#
# Here is a network as many would write it first. It is inside one limit and far over the other.

# %%
naive = nn.Sequential(
    nn.Conv2d(1, 8, kernel_size=3, padding=1),  # (N, 8, 28, 28)
    nn.ReLU(),
    nn.MaxPool2d(2),  # (N, 8, 14, 14)
    nn.Conv2d(8, 16, kernel_size=3, padding=1),  # (N, 16, 14, 14)
    nn.ReLU(),
    nn.MaxPool2d(2),  # (N, 16, 7, 7)
    nn.Flatten(),
    nn.Linear(16 * 7 * 7, 10),
)
budget.measure(naive)

# %% [markdown]
# Where did the budget go?

# %%
anatomy.summarize(naive, (1, 28, 28))

# %% [markdown]
# Two convolutions take nearly all of the MACs, and the `Linear` has most of the parameters. Where could
# you save?
#
# - A convolution with stride 2, or a pooling, leaves a quarter of the places to all that follows.
# - A depthwise and a pointwise convolution cost less than a standard one.
# - The mean over all positions before the last `Linear` saves parameters. What does it throw away?
#
# Train as you like. `training.fit` may be used. The training should take less than 20 seconds. Call
# `training.seed_everything` before you build the network, so that you, and we, get the same weights again.
#
# Try your designs in cells of your own, here, and write down what you find: you need it for tasks 3
# and 4. `budget.measure(network, judges)` counts a network and measures its accuracy.

# %% [markdown]
# The last line of the next cell is for the tests. Leave it as it is.

# %% answer="network"
network = None
### BEGIN SOLUTION


def separable(c_in, c_out):
    """Each channel by itself, then the channels among each other."""
    return nn.Sequential(
        nn.Conv2d(c_in, c_in, kernel_size=3, padding=1, groups=c_in, bias=False),
        nn.Conv2d(c_in, c_out, kernel_size=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


def build():
    """Few places soon, many channels late, and a mean at the end."""
    return nn.Sequential(
        nn.Conv2d(1, 8, kernel_size=3, stride=2, padding=1, bias=False),  # (N, 8, 14, 14)
        nn.BatchNorm2d(8),
        nn.ReLU(),
        separable(8, 16),
        nn.MaxPool2d(2),  # (N, 16, 7, 7)
        separable(16, 32),
        nn.MaxPool2d(2),  # (N, 32, 3, 3)
        separable(32, 64),
        separable(64, 48),
        nn.AdaptiveAvgPool2d(1),  # (N, 48, 1, 1)
        nn.Flatten(),
        nn.Linear(48, 10),
    )


def train(network, copies):
    """Train on this many copies of the 20,000 images, each moved in another way."""
    parts = [budget.moved(few, seed) for seed in range(copies)]
    images = torch.cat([part.images for part in parts])
    labels = torch.cat([part.labels for part in parts])
    training.fit(network, (images, labels), batch_size=128, lr=0.02, progress=False)


training.seed_everything(0)
network = build()
train(network, copies=4)
### END SOLUTION
trained_on = digits.source

# %% [markdown]
# **3 points** for a network inside the budget. The check counts it and shows its accuracy on
# `judges`.

# %% tests="network_budget" points=3
assignments.graded(budget.measure(network, budget.judges(trained_on)))

# %% [markdown]
# **2, 2 and 3 points more** if it is inside the budget and reads this share of the hidden images right:
#
# | | first target | second | third |
# | --- | --- | --- | --- |
# | trained on MNIST | 90 % | 95 % | 97 % |
# | trained on the embedded digits | 90 % | 95 % | 98 % |
#
# The hidden images are others than `judges`, so the number will differ a little from yours. It is
# mostly lower, by up to half a percent and at times by one, so aim a little higher. If it is not
# enough: what do the training images look like, and what the hidden ones? Is there a batch norm?
# Which layer takes most of the MACs, and is it worth them?

# %% tests="accuracy_first_hidden" points=2
# The first target is looked at when your notebook is graded.
### BEGIN HIDDEN TESTS
from hidden import a4

assignments.graded(a4.accuracy(network, trained_on, target=1))
### END HIDDEN TESTS

# %% tests="accuracy_second_hidden" points=2
# The second target is looked at when your notebook is graded.
### BEGIN HIDDEN TESTS
from hidden import a4

assignments.graded(a4.accuracy(network, trained_on, target=2))
### END HIDDEN TESTS

# %% tests="accuracy_third_hidden" points=3
# The third target is looked at when your notebook is graded.
### BEGIN HIDDEN TESTS
from hidden import a4

assignments.graded(a4.accuracy(network, trained_on, target=3))
### END HIDDEN TESTS

# %% [markdown]
# ### The leaderboard
#
# Your class may have a leaderboard: the networks inside the budget, ranked by their accuracy on the
# hidden images. Under which name should yours stand there? It earns no points, and it need
# not be your own name. Left empty, your network is listed without one.

# %% answer="nickname"
nickname = ""  # such as "ada"
### BEGIN SOLUTION
nickname = "ada"
### END SOLUTION

# %% [markdown]
# ## Task 3 · The designs that you compared (2 points)
#
# A list of at least three designs, `designs`. Each is a dict with a `"name"`, the `"parameters"`, the
# `"macs"`, and the `"accuracy"` on `judges`, from 0 to 1. One of them is your network. At least three differ in
# their parameters or MACs. They need not all be inside the budget.
#
# Write the numbers down from your runs, or compute them here. If the whole notebook takes more than
# 90 seconds, write them down: there is a limit of time when it is graded.

# %% answer="designs"
designs = None  # [{"name": "naive", "parameters": 9098, "macs": 290080, "accuracy": 0.9}, …]
### BEGIN SOLUTION


def standard(c_in, c_out):
    """A standard convolution in place of the separable pair."""
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


def few_channels():
    """Standard convolutions, so there are channels for half as many."""
    layers = [nn.Conv2d(1, 8, kernel_size=5, stride=2, padding=2, bias=False), nn.BatchNorm2d(8)]
    layers += [nn.ReLU(), nn.MaxPool2d(2), standard(8, 16), nn.MaxPool2d(2), standard(16, 32)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 3 * 3, 10))


def lenet_like():
    """Two convolutions without padding, two Linear, no batch norm."""
    layers = [nn.Conv2d(1, 4, 5), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(4, 12, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(192, 32), nn.ReLU(), nn.Linear(32, 10))


candidates = {"separable": build, "few channels": few_channels, "like LeNet": lenet_like}
designs = []
for name, make in candidates.items():
    training.seed_everything(1)
    candidate = make()
    train(candidate, copies=2)
    m = budget.measure(candidate, judges)
    designs.append({"name": f"{name}, 2 copies", "parameters": m.parameters, "macs": m.macs})
    designs[-1]["accuracy"] = m.accuracy
m = budget.measure(network, judges)
designs.append({"name": "separable, 4 copies", "parameters": m.parameters, "macs": m.macs})
designs[-1]["accuracy"] = m.accuracy
for design in designs:
    print(design)
### END SOLUTION

# %% tests="designs_examples" points=2
# All of this check is visible: the form of the table, and whether it fits your network.
assignments.graded(budget.designs(designs, network, trained_on))

# %% [markdown]
# ## Task 4 · What helped, in words (4 points)
#
# In about 200 words:
#
# 1. Which designs did you try, and what was changed from one to the next?
# 2. What helped? Give the numbers, from your table or from other runs.
# 3. How sure are you? Would another seed give the same order?
# 4. What would you try next, and what do you expect of it?
#
# | points | for |
# | --- | --- |
# | 1 | at least three designs, with what was changed from one to the next, and why it costs less or should see more |
# | 1 | what helped and what did not, each with two numbers that were measured under the same conditions |
# | 1 | how sure: several seeds, or the number of images that a difference stands for, and a comparison that the runs do not decide is called undecided |
# | 1 | a next step with a reason, what it costs in parameters and MACs, and what result would speak against it |

# %% [markdown] written="what_helped" points=4
# ### BEGIN SOLUTION
#
# (The numbers are from MNIST, on `judges`. Others will have others.)
#
# I began with a network like LeNet: 7,822 parameters, 140,864 MACs. Then I exchanged its wide images
# for many channels: stride 2 at once, then depthwise and pointwise pairs. A pair from 32 to 64
# channels costs an eighth of a standard convolution, so there is room for four of them, and the last
# ones see the whole digit. The mean at the end saves parameters: 490 in place of 4,330.
#
# What helped most was no layer. Trained four times over the images as they are, the separable network
# reads 96.3 % and 96.6 % (two seeds), the one like LeNet 95.7 % and 95.2 %. Trained on four moved copies,
# which takes just as many steps, they read 98.2 % and 97.9 % (means of five seeds). Who is judged
# by moved digits should learn from moved digits.
#
# The design helped less. The intervals of five seeds are 98.0 to 98.4 % and 97.6 to 98.2 %. They
# overlap, so these runs do not decide between the two designs. Moved or not is decided: 1.7 % are
# 85 of the 5,000 images, and the seeds scatter by 0.2 %.
#
# Next I would give up the mean. It forgets where in the image something is. With 32 channels at the
# end and `Flatten` that is 9,082 parameters and 132,976 MACs. I expect a few tenths of a percent. If
# the interval of ten seeds still overlaps with that of the mean, the runs do not show a gain.
#
# ### END SOLUTION

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
# # 07 · Bug clinic
#
# **Question: why does my network not run, or not learn?**
#
# You will be able to
#
# - read an error message from below: what came in, what was expected, where the numbers come from
# - tell a program that is mended from one that is only silenced
# - find a bug that raises nothing, from its curve and with five short tests
#
# *50 minutes. Before this: [06 · A CNN for MNIST](06_mnist_cnn.ipynb).*

# %% tags=["nbval-ignore-output"]
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import anatomy, checks, data, models, plotting, training, widgets

digits = data.load_digits()
four = digits.train.images[:4]

# %% [markdown]
# The patients are five published articles about convolutional networks. Every bug in this lesson
# comes from them, or lies one line further on. Some cells **raise an error on purpose**. They are
# marked `# broken`, and "Run All" goes on after them.
#
# ## Read the message from below
#
# The first patient is a small network, typed in as it was printed.

# %% tags=["raises-exception", "nbval-ignore-output"]
# broken
network = nn.Sequential(
    nn.Conv2d(1, 16, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(16 * 13 * 13, 120),
    nn.ReLU(),
    nn.Linear(120, 10),
)
network(four)

# %% [markdown]
# That is a **traceback**. Read it from below.
#
# 1. **The last line is the message.** A Linear multiplies two matrices, `mat1` and `mat2`. `mat1` is
#    what came in, 4 × 3136: four images, 3136 numbers each. `mat2` holds the weights, 2704 × 120.
#    The two inner numbers should be equal.
# 2. **Then look for the arrow in your own code**, above it. What stands between is PyTorch calling
#    itself, and rarely the culprit. (This page leaves those calls out when it is stored. Run the cell to see them.)
# 3. **Take the numbers apart.** 2704 is 16 · 13 · 13, so the author expected maps of 13 × 13.
#
# **Predict.** The image has 28 rows. How many rows do the maps have after this pooling?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 14
### END SOLUTION

# %%
shape = {}
for i, layer in enumerate(network[:4], 1):
    name = type(layer).__name__
    shape[name] = tuple(network[:i](four).shape)
    print(f"after {name:10} {shape[name]}")
assert shape["Flatten"] == (4, 3136)
checks.compare_prediction(prediction, shape["MaxPool2d"][2])

# %% [markdown]
# 16 · 14 · 14 = 3136. The 13 would be right without the padding: 28 → 26 → 13. Somebody added
# `padding=1` and did not follow the shapes anew. Printing the shape after each layer, as above, finds every
# fault of this kind.
#
# From here on the notebook shows the message alone, so that you need not scroll. At home, `%xmode
# Minimal` does the same.

# %%
from IPython import get_ipython

get_ipython().InteractiveTB.set_mode("Minimal")

# %% [markdown]
# ## Mended, or only silenced?
#
# Many changes make that message go away. Here is one: cut the image to 27 × 27. Then the
# pooling gives 13 × 13, and everything runs.

# %%
silenced = lambda images: network(images[:, :, :27, :27])
print(tuple(silenced(four).shape))

# %% [markdown]
# The shape is right. Is it mended? Ask which pixels the answers depend on. A pixel that has no
# influence has gradient 0.
#
# **Predict.** How many of the 784 pixels does no answer depend on?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 55
### END SOLUTION

# %%
training.seed_everything(0)
noise = torch.rand(64, 1, 28, 28, requires_grad=True)
silenced(noise).square().sum().backward()
seen = (noise.grad.abs().sum(0) > 0).float()
checks.compare_prediction(prediction, int((seen == 0).sum()))
alt = "28 by 28 pixels. All are white, which means seen, but the last row and the last column."
plotting.show_images(seen, ["white: pixels that are seen"], limits=(0, 1), alt=alt)

# %% [markdown]
# 28 + 27 = 55: the last row and the last column are lost. The program is **silenced**, not
# **mended**: the message is gone and the fault has become invisible. An error that shouts is better
# than one that whispers.
#
# A change mends if every pixel still counts, every feature arrives, and the answer to an image is
# its own. So before you change a line, say in a sentence what is wrong, and change that.

# %% [markdown]
# ### Exercise 1 · Mend it  ★☆☆ 5 minutes
#
# Return the network, mended. The check looks inside: at the pixels, at the features that reach the
# first Linear, at batches of several sizes. Try a trick too, and see whether it notices.


# %%
def mended_convnet():
    """The article's network, mended. Returns: an nn.Module from (N, 1, 28, 28) to (N, 10)."""
    ### BEGIN SOLUTION
    fc1, fc2 = nn.Linear(16 * 14 * 14, 120), nn.Linear(120, 10)
    front = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*front, fc1, nn.ReLU(), fc2)
    ### END SOLUTION


# %%
checks.mended_convnet(mended_convnet)

# %% [markdown]
# <details><summary>Hint 1: one number</summary>
#
# Copy the broken cell. The layers fit each other but for one number.
#
# </details>
#
# <details><summary>Hint 2: which</summary>
#
# `nn.Linear(…, 120)` wants to know how many numbers Flatten gives. You saw them in the message.
#
# </details>

# %% [markdown]
# ## Follow the shapes
#
# The next network comes from an article about pooling.

# %% tags=["raises-exception", "nbval-ignore-output"]
# broken
pooling_net = nn.Sequential(
    nn.Conv2d(1, 32, kernel_size=3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(32 * 6 * 6, 128),
    nn.ReLU(),
    nn.Linear(128, 2),
)
pooling_net(four)

# %% [markdown]
# The same kind of fault. The widget reads the network and shows it where it happens.

# %% tags=["nbval-ignore-output"]
builder = widgets.ShapeBuilder(pooling_net, input_size=(1, 28, 28))
builder

# %% [markdown]
# **Try:** set height and width of the input to 14. **Notice:** the mark goes away, because 1152 is right
# for images of 14 × 14. The article's network was made for other images than it is given. Go back to 28,
# and press `Mend it`.

# %%
for side in (14, 15, 28):
    mismatch = widgets.ShapeBuilder(pooling_net, input_size=(1, side, side)).mismatch
    print(f"{side} × {side}: {mismatch.mend if mismatch else 'fits'}")

# %% [markdown]
# Now three times the input is at fault, not the network. First a fully connected network
# for 784 pixels, with a batch of 64 images. Where does the 1792 come from?

# %% tags=["raises-exception", "nbval-ignore-output"]
# broken
nn.Linear(784, 256)(digits.train.images[:64])

# %% [markdown]
# A Linear works along the last axis, and takes all the others for a batch: 64 · 1 · 28 = 1792 rows of
# 28. `nn.Flatten()` in front of it was forgotten.
#
# Next, a batch of 60 images that never got their channel axis: (60, 28, 28).

# %% tags=["raises-exception"]
# broken
batch = digits.train.images[:60].squeeze(1)
nn.Conv2d(1, 32, kernel_size=3)(batch)

# %% [markdown]
# With three axes, `Conv2d` believes that it has a single image, (C, H, W): one with 60 channels. The
# way out is `batch.unsqueeze(1)`, which gives (60, 1, 28, 28). Beware of the same fault with *one* image: (1, 28, 28) runs,
# because 1 fits the channels.
#
# The third normalises the images as a recipe for colour photographs says, with three means and three
# deviations.

# %% tags=["raises-exception"]
# broken
from torchvision import transforms

transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))(four[0])

# %% [markdown]
# One channel needs one mean: `Normalize((0.5,), (0.5,))`. The message names the two shapes and
# nothing else. "1 against 3" is nearly always grey against colour.

# %%
mended = nn.Flatten()(digits.train.images[:64])
assert nn.Linear(784, 256)(mended).shape == (64, 256)
assert nn.Conv2d(1, 32, kernel_size=3)(batch.unsqueeze(1)).shape == (60, 32, 26, 26)
assert transforms.Normalize((0.5,), (0.5,))(four[0]).min() == -1
print("all three run, and not a pixel is lost")

# %% [markdown]
# ## The line that is blamed
#
# The line that raises is not always the line with the fault. You met this one in lesson 06: the
# pooling gives 16 · 4 · 4 = 256 features, and the code says 400.


# %%
def logits_of(pooled):
    """The end of the article's network. pooled: (N, 16, 4, 4)."""
    rows = pooled.view(-1, 16 * 5 * 5)
    return nn.Linear(400, 10)(rows)


# %% tags=["raises-exception"]
# broken
labels = torch.zeros(100, dtype=torch.int64)
F.cross_entropy(logits_of(torch.zeros(100, 16, 4, 4)), labels)

# %% tags=["raises-exception"]
# broken
logits_of(torch.zeros(4, 16, 4, 4))

# %% [markdown]
# One fault, two messages. With 100 images, 25,600 numbers make 64 rows of 400: nothing is raised
# until the loss counts the labels. With 4 images, 1024 numbers make no whole rows, and the `view`
# itself complains.
#
# Do not mend the line that is blamed. Cutting the labels to 64 would silence it, and so would
# dropping a batch that does not fit. Go back to the first line where a shape is not what you expect.

# %% [markdown]
# ### Exercise 2 · Into rows  ★☆☆ 4 minutes
#
# Write the line that belongs there, for maps of any size. A wrong size should be raised by the
# Linear, where it can be understood.


# %%
def to_rows(pooled):
    """One row for each image, its features in their order. pooled: (N, C, H, W). Returns: (N, C·H·W)."""
    ### BEGIN SOLUTION
    return pooled.flatten(start_dim=1)
    ### END SOLUTION


# %%
checks.to_rows(to_rows)

# %% [markdown]
# <details><summary>Hint 1: what must not change</summary>
#
# The number of rows is the number of images, `len(pooled)`. Only what comes after that axis is laid in
# one line.
#
# </details>
#
# <details><summary>Hint 2: in PyTorch</summary>
#
# `reshape` takes −1 for one of the axes. Let it be the other one than in the article. `flatten` has
# an argument `start_dim`.
#
# </details>

# %% [markdown]
# ## Names, labels, types, devices
#
# Four short ones. Say the cause before you read on. The first article loads its data so:

# %% tags=["raises-exception"]
# broken
training_set = datasets.MNIST("data", train=True, download=True)

# %% [markdown]
# Python does not know the name: `from torchvision import datasets` is missing. (Another article uses a `train_dataset` that
# no line ever makes. The message is the same.)
#
# Then the network with two outputs, from above, learns ten digits:

# %% tags=["raises-exception"]
# broken
two_outputs = torch.zeros(10, 2)
F.cross_entropy(two_outputs, torch.arange(10))

# %% [markdown]
# "Target" is the label. With two logits the labels may be 0 and 1, and 2 is the first that is out of
# bounds. Digits need ten outputs.
#
# Next, images as they lie on the disk, whole numbers from 0 to 255:

# %% tags=["raises-exception"]
# broken
pixels = (four * 255).to(torch.uint8)
nn.Conv2d(1, 16, kernel_size=3)(pixels)

# %% [markdown]
# "Unsigned char" is what C calls a byte. Weights and images need one type: `pixels.float() / 255`.
# Without the `/ 255` it would run too, and we shall see that again.
#
# Last, weights and images on two devices. You need no GPU to see it: `meta` is a device that knows
# shapes and has no memory.

# %% tags=["raises-exception", "nbval-ignore-output"]
# broken
nn.Linear(784, 10)(torch.zeros(4, 784, device="meta"))

# %% [markdown]
# On a computer with a GPU the message names `cuda:0` and `cpu`. Send both to one device:
# `network.to(device)` and `images.to(device)`. The second returns a new tensor, so write
# `images = images.to(device)`.

# %% [markdown]
# ## It runs, and does something else
#
# No message, and not what the text says. So write the check that raises it. The arithmetic of one
# article, for the image 1 to 9 and the kernel [[1, 2], [3, 4]]:

# %% tags=["raises-exception"]
# broken
image = torch.arange(1.0, 10).reshape(1, 1, 3, 3)
kernel = torch.tensor([[[[1.0, 2], [3, 4]]]])
output = F.conv2d(image, kernel)[0, 0].tolist()
assert output == [[9, 11], [13, 19]], f"conv2d gives {output}"

# %% [markdown]
# Its formula has minus signs, which turns the kernel by 180° (lesson 01). Does that explain the
# numbers? (That was the last broken cell, so whole tracebacks are switched on again.)

# %%
get_ipython().InteractiveTB.set_mode("Context")
turned = F.conv2d(image, kernel.flip(2, 3))[0, 0].tolist()
print("as PyTorch does it: ", output)
print("with a turned kernel:", turned)
assert turned == [[23, 33], [53, 63]]

# %% [markdown]
# No. The published numbers are wrong either way. Three lines that compare with a trusted
# library tell you so before a reader does.
#
# The next one should report its progress. There are 60,000 images in batches of 100.
#
# **Predict.** How many lines does the loop below print?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0
### END SOLUTION

# %%
lines = 0
for batch_number in range(60_000 // 100):
    if batch_number % 2000 == 1999:  # "print every 2000 batches"
        print(f"batch {batch_number + 1}")
        lines += 1
checks.compare_prediction(prediction, lines)

# %% [markdown]
# There are only 600 batches. With batches of 4 there would be 15,000, and the line would do. Silence is
# not success: a report that never comes is a bug.
#
# The third is meant to train one layer of a trained network and to **freeze** the others, that is, to
# leave them as they are. The article's function, with the rest of the file left out:


# %%
def fine_tune(network, layer):
    """Meant to train only `layer`. (It does not.)"""
    for parameter in network.parameters():
        parameter.requires_grad = True
    with torch.no_grad():
        for parameter in network.parameters():
            parameter *= 0.5
    return network


# %%
tuned = models.lenet()
training.evaluate(tuned.eval(), digits.validation[:100])
before = tuned.fc3.weight.detach().clone()
fine_tune(tuned, "fc3")
last = sum(p.numel() for p in tuned.fc3.parameters())
print(f"to train: {anatomy.count_parameters(tuned):,} parameters. In fc3: {last}")
print(f"a weight now: {(tuned.fc3.weight / before).mean():g} of what it was")
print("in training mode:", tuned.training)

# %% [markdown]
# Nothing is frozen, `layer` is never used, all weights are halved, and after the evaluation the network is still in
# evaluation mode, in which it should not be trained. It runs without a word.

# %% [markdown]
# ### Exercise 3 · Freeze, really  ★★☆ 6 minutes
#
# A parameter is trained if its `requires_grad` is True. `network.named_parameters()` gives pairs such
# as `("fc3.weight", parameter)`. The check calls your function twice for one network, with two
# layers.


# %%
def train_only(network, layer):
    """Freeze all parameters but those of one layer, and go to training mode.

    network: an nn.Module. layer: its name, such as "fc3". Returns: the network.
    """
    ### BEGIN SOLUTION
    for name, parameter in network.named_parameters():
        parameter.requires_grad = name.startswith(f"{layer}.")
    return network.train()
    ### END SOLUTION


# %%
checks.train_only(train_only)

# %% [markdown]
# <details><summary>Hint 1: True or False for each</summary>
#
# Go through the pairs, and set each `requires_grad`, either to True or to False. Whoever only sets
# it to False leaves behind what an earlier call has set.
#
# </details>
#
# <details><summary>Hint 2: which belong to the layer</summary>
#
# The name begins with the layer's name and a dot. Without the dot, "fc1" would also be found in
# "fc10.weight".
#
# </details>
#
# <details><summary>Hint 3: the mode</summary>
#
# `network.train()` switches to training mode, and returns the network.
#
# </details>

# %% [markdown]
# ## It runs, and does not learn
#
# Now the bugs that cost days. They raise nothing. The network learns badly, or not at all,
# and you wonder about the architecture.
#
# ### One step, three faults
#
# This step of training has three of them. You saw the five right lines in lesson 06.


# %%
def faulty_step(network, optimizer, images, labels):
    """One step of training, meant well. (The network comes from an evaluation, in eval mode.)"""
    probabilities = network(images).softmax(dim=1)
    loss = F.cross_entropy(probabilities, labels)
    loss.backward()
    optimizer.step()
    return loss.item()


# %% [markdown]
# One of the three can be seen without training. `F.cross_entropy` has a softmax inside. It
# expects logits, and here it gets probabilities. Suppose the network is quite sure and
# right: probability 1 for the true digit, 0 for the other nine.
#
# **Predict.** What is the loss, to two decimals? (Softmax takes $e^1$ and nine times $e^0$.)

# %%
prediction = None
### BEGIN SOLUTION
prediction = 1.46
### END SOLUTION

# %%
perfect = F.one_hot(torch.tensor([3]), 10).float()
floor = F.cross_entropy(perfect, torch.tensor([3])).item()
checks.compare_prediction(prediction, round(floor, 2))
assert abs(floor - torch.tensor((torch.e + 9) / torch.e).log()) < 1e-6

# %% [markdown]
# $-\ln\frac{e}{e + 9} = 1.46$. With softmax twice, no network can get below that. Whenever a loss for ten classes
# comes to rest near 1.46, look for a second softmax.

# %% [markdown]
# ### Exercise 4 · Mend the step  ★★☆ 6 minutes
#
# Mend all three faults. The check runs your step three times on a tiny network and compares every
# weight.


# %%
def train_step(network, optimizer, images, labels):
    """One step. images: (N, …). labels: (N,). Returns: the loss before the step, a number."""
    ### BEGIN SOLUTION
    network.train()
    loss = F.cross_entropy(network(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


# %%
checks.train_step(train_step)

# %% [markdown]
# <details><summary>Hint 1: what the loss wants</summary>
#
# `F.cross_entropy` takes the network's logits as they are.
#
# </details>
#
# <details><summary>Hint 2: what backward leaves behind</summary>
#
# `backward` adds to the gradients that are there. Who clears them, and when?
#
# </details>
#
# <details><summary>Hint 3: the docstring</summary>
#
# It says in which mode the network comes. `network.train()` changes that.
#
# </details>

# %% [markdown]
# ### Six curves
#
# Here is a small network with a loop that can be infected. Six bugs, one at a time, and everything
# else equal: 1,000 images, 6 epochs, batches of 50. First the parts:

# %%
BUGS = ["wrong view", "no zero_grad", "softmax twice"]
BUGS += ["eval forgotten", "labels shuffled", "lr × 100"]
few = digits.train[:1000]
validation = digits.validation[:500]
validation = validation[validation.labels.argsort(stable=True)]  # class by class, as in folders


# %%
class MadeToFit(nn.Module):
    """Gives (N, 256), the right shape, in a way that somebody found by trying."""

    def forward(self, x):
        return x.reshape(256, -1).T


def build(bug=None):
    """x: (N, 1, 28, 28). Returns: logits (N, 10)."""
    first, second = nn.Conv2d(1, 8, 5, stride=2), nn.Conv2d(8, 16, 5, stride=2)
    rows = MadeToFit() if bug == "wrong view" else nn.Flatten()
    head = [nn.Linear(256, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), rows, *head)


# %%
def loss_of(logits, labels, bug):
    return F.cross_entropy(logits.softmax(1) if bug == "softmax twice" else logits, labels)


def learn(network, optimizer, images, labels, bug):
    """One step of training. Returns: the loss, a number."""
    loss = loss_of(network(images), labels, bug)
    if bug != "no zero_grad":
        optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %%
def train(bug=None, split=few, epochs=6, batch_size=50):
    """Train with a bug. Returns: the network, the loss of each step, and of each validation."""
    training.seed_everything(0)
    network, labels = build(bug), split.labels
    if bug == "labels shuffled":
        labels = labels[torch.randperm(len(labels))]
    optimizer = torch.optim.SGD(network.parameters(), lr=20 if bug == "lr × 100" else 0.2)
    steps, checked = [], []
    for _ in range(epochs):
        network.train()
        for batch in torch.randperm(len(split)).split(batch_size):
            steps.append(learn(network, optimizer, split.images[batch], labels[batch], bug))
        if bug != "eval forgotten":
            network.eval()
        with torch.no_grad():
            logits = torch.cat([network(x) for x in validation.images.split(50)])
        checked.append(loss_of(logits, validation.labels, bug).item())
    return network, steps, checked


runs = {bug: train(bug) for bug in [None, *BUGS]}

# %% [markdown]
# A function that draws the runs side by side:

# %%
from matplotlib.figure import Figure


@plotting.in_style
def draw_runs(names):
    """The curves of six runs, each beside the healthy one. names: from a title to the bug."""
    figure, said = Figure(figsize=(plotting.WIDTH, 4.8), layout="constrained"), []
    panels = figure.subplots(2, 3, sharex=True, sharey=True).flat
    for panel, (title, bug) in zip(panels, names.items(), strict=True):
        _, steps, checked = runs[bug]
        panel.plot(runs[None][1], ":", color="#555555", marker="none", label="healthy training")
        panel.plot(steps, color="#0072B2", lw=1.2, marker="none", label="training")
        panel.plot(range(20, 121, 20), checked, "s--", color="#D55E00", ms=4, label="validation")
        panel.set(title=title, ylim=(0, 4))
        said.append(f"{title}: training ends at {steps[-1]:.1f}, validation at {checked[-1]:.1f}")
    figure.supxlabel("step", size=11)
    figure.supylabel("loss", size=11)
    figure.legend(*panel.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    figure.alt_text = "Loss curves of six trainings with a bug. " + "; ".join(said) + "."
    return figure


# %% tags=["cover", "nbval-ignore-output"]
letters = dict(zip("ABCDEF", sorted(BUGS, key=lambda bug: bug[-3:]), strict=True))  # in no order
plotting.show(draw_runs(letters))

# %% [markdown]
# The dotted line is the healthy training, the same in each panel. The blue line is the training loss of
# each step, the orange squares are the validation loss after each epoch. What is above 4 is cut off.

# %% [markdown]
# ### Exercise 5 · Which bug is it?  ★★☆ 8 minutes
#
# Match the letters. Ask of each panel: does the training loss fall at all? How far? Does it stay
# there? Does the validation follow? And ask of each bug: what does it do to the training, what to the validation?


# %%
which_bug = None  # {"A": "wrong view", "B": "no zero_grad", "C": …}
### BEGIN SOLUTION
which_bug = {
    "A": "lr × 100",
    "B": "softmax twice",
    "C": "wrong view",
    "D": "labels shuffled",
    "E": "no zero_grad",
    "F": "eval forgotten",
}
### END SOLUTION

# %%
checks.which_bug(which_bug)

# %% [markdown]
# <details><summary>Hint 1: begin with the sure ones</summary>
#
# One has a floor near 1.46. One is thrown off the plot by its first steps and never comes back.
#
# </details>
#
# <details><summary>Hint 2: training or validation</summary>
#
# A bug in the evaluation cannot touch the training loss: it lies on the dotted line.
#
# </details>
#
# <details><summary>Hint 3: the two flat ones</summary>
#
# Wrong labels can be learned by heart, slowly, which helps with no other image. Images that are
# mixed anew in every batch cannot even be learned by heart.
#
# </details>

# %% [markdown]
# The answer:

# %% tags=["nbval-ignore-output"]
assert checks.which_bug(letters).passed
plotting.show(draw_runs({f"{letter}: {bug}": bug for letter, bug in letters.items()}))

# %% tags=["nbval-ignore-output"]
early = {bug: sum(steps[:20]) / 20 for bug, (_, steps, _) in runs.items()}
late = {bug: sum(steps[-20:]) / 20 for bug, (_, steps, _) in runs.items()}
end = {bug: checked[-1] for bug, (_, _, checked) in runs.items()}
for bug in [None, *BUGS]:
    losses = f"{early[bug]:8.2f} → {late[bug]:4.2f}   validation {end[bug]:5.2f}"
    print(f"{bug or 'healthy':16} training {losses}")
assert max(late[None], end[None], late["eval forgotten"]) < 0.9
assert min(end["eval forgotten"], end["labels shuffled"], end["wrong view"]) > 2
assert early["labels shuffled"] > late["labels shuffled"] > 1.2
assert late["wrong view"] > 2.1
assert min(runs["softmax twice"][1]) > 1.461
assert end["softmax twice"] < 2
assert max(runs["lr × 100"][1][:20]) > 5
assert late["lr × 100"] > 2
assert max(runs["no zero_grad"][2]) > 1.2
assert end["no zero_grad"] > 1.5 * end[None]

# %% [markdown]
# - **lr × 100.** The first steps are so long that the loss shoots up, and what is left cannot learn.
# - **softmax twice.** It learns, slowly, and never gets below 1.46.
# - **wrong view.** Flat at ln 10 ≈ 2.30, or a little above. Somebody turned the numbers until the shape fitted, and each
#   row now holds numbers of all the images in the batch. Silenced, not mended.
# - **labels shuffled.** The training loss creeps down, the validation loss goes up. The network learns
#   by heart. (A network with enough parameters can do that with any labels: Zhang and others,
#   "Understanding deep learning requires rethinking generalization", 2017.)
# - **no zero_grad.** At first it looks well. Then the gradients of all earlier steps pile up, the
#   steps get longer, and it goes wild.
# - **eval forgotten.** The training is healthy, the validation is not. More about this below.

# %% [markdown]
# ## Five short tests
#
# You will not always have a healthy curve beside yours. These tests take seconds and need none.
# They find different bugs, so run them all, in this order.
#
# **1 · The first loss.** Ten classes, nothing learned: near ln 10 ≈ 2.30, as you saw in lesson 06. Here is
# what happens if somebody forgets to divide the pixels by 255:

# %% tags=["nbval-ignore-output"]
training.seed_everything(0)
fresh = models.lenet()
hundred = digits.train[:100]
with torch.no_grad():
    small = F.cross_entropy(fresh(hundred.images), hundred.labels).item()
    large = F.cross_entropy(fresh(hundred.images * 255), hundred.labels).item()
print(f"pixels up to 1: {small:.2f}.   pixels up to 255: {large:.2f}")
assert abs(small - 2.303) < 0.1
assert large > 2.8

# %% [markdown]
# **2 · Look at the inputs, as the network sees them,** with their labels: the batch that enters the
# loop, not the file on the disk. Here is what the run with shuffled labels was fed.

# %% tags=["nbval-ignore-output"]
training.seed_everything(0)
build("labels shuffled")  # draws its weights first, as `train` does
fed = few.labels[torch.randperm(len(few))][:10].tolist()
alt = "Ten digits with the labels that were fed: " + ", ".join(map(str, fed)) + ". Most are wrong."
plotting.show_images(few.images[:10], [f"label {label}" for label in fed], columns=10, alt=alt)
assert sum(a == b for a, b in zip(fed, few.labels[:10].tolist(), strict=True)) < 6

# %% [markdown]
# One look is enough, and no curve can say it so clearly.
#
# **3 · Learn one small batch by heart.** Twenty images, again and again. A sound network gets the
# loss close to 0. One that cannot has a bug in its loss, its steps or its layers.
#
# **4 · The same batch twice.** Call `learn` twice with a learning rate of 0. Nothing has changed,
# so the gradient must be the same.


# %%
def by_heart(bug):
    """The loss after 40 steps on the same 20 images."""
    training.seed_everything(0)
    network, labels = build(bug), few.labels[:20]
    if bug == "labels shuffled":
        labels = labels[torch.randperm(20)]
    optimizer = torch.optim.SGD(network.parameters(), lr=20 if bug == "lr × 100" else 0.2)
    for _ in range(40):
        loss = learn(network, optimizer, few.images[:20], labels, bug)
    return loss


def growth(bug):
    """How much larger the gradient is when the same batch comes for the second time."""
    training.seed_everything(0)
    network = build(bug)
    optimizer = torch.optim.SGD(network.parameters(), lr=0)
    sizes = []
    for _ in range(2):
        learn(network, optimizer, few.images[:50], few.labels[:50], bug)
        sizes.append(network[-1].weight.grad.norm().item())
    return sizes[1] / sizes[0]


# %% [markdown]
# ## It learns, and cheats
#
# **5 · Ask each image alone.** The answer to an image should depend on that image and on nothing else. The run with
# "eval forgotten" breaks this. In training mode, batch normalisation takes mean and deviation from the
# batch. So ask the network of that run in three ways. Only the order and the mode change.

# %% tags=["nbval-ignore-output"]
network = runs["eval forgotten"][0]


def accuracy(split):
    answers = torch.cat([network(x).argmax(1) for x in split.images.split(50)])
    return (answers == split.labels).float().mean().item()


with torch.no_grad():
    network.train()
    in_order = accuracy(validation)
    training.seed_everything(0)
    shuffled = accuracy(validation[torch.randperm(len(validation))])
    network.eval()
    alone = accuracy(validation)
print(
    f"training mode: {in_order:.0%} class by class, {shuffled:.0%} shuffled.   eval mode: {alone:.0%}"
)
assert in_order < 0.6 < 0.75 < min(shuffled, alone)

# %% [markdown]
# The same network and the same images. Class by class it fails: in a batch of sevens, what they all have in common is
# subtracted. Shuffled, it looks well, because the neighbours help. Then the bug is invisible, and the
# figure is not what a single image in the real world would get. Whenever a figure depends on the order of the
# test images, something looks where it should not. The **shuffle test** finds it.
#
# A gradient finds it too, without labels. Does answer 0 depend on image 3?


# %%
def reaches(network, i, images):
    """For each image: does answer i depend on it? Returns: a list of True and False."""
    x = images.clone().requires_grad_()
    network(x)[i].sum().backward()
    return (x.grad.abs().sum((1, 2, 3)) > 0).tolist()


for mode in (False, True):
    print(f"training mode {mode!s:5}: answer 0 depends on", reaches(network.train(mode), 0, four))

# %% [markdown]
# ### Exercise 6 · Who depends on whom  ★★★ 10 minutes
#
# Make the whole table: row i, column j says whether answer i depends on image j. Take gradients, as
# above, or change image j and see which answers change.


# %%
def batch_dependence(network, images):
    """True at [i, j] if answer i depends on image j.

    network: from (N, C, H, W) to (N, K). images: (N, C, H, W). Returns: (N, N), True or False.
    """
    ### BEGIN SOLUTION
    return torch.tensor([reaches(network, i, images) for i in range(len(images))])
    ### END SOLUTION


# %%
checks.batch_dependence(batch_dependence)

# %% [markdown]
# <details><summary>Hint 1: a row at a time</summary>
#
# `reaches(network, i, images)` is row i. Call it for every i, or write its lines into a loop.
#
# </details>
#
# <details><summary>Hint 2: with gradients</summary>
#
# `backward` adds to the gradient that is there. Make a new `x` for every row.
#
# </details>
#
# <details><summary>Hint 3: with changes</summary>
#
# Ask once with the images as they are. For each j, put `torch.rand_like(images[j])` in place of image j in
# a copy, ask again, and compare row by row. That gives a column.
#
# </details>

# %% [markdown]
# Now all six bugs, and three of the tests. Which test finds which bug?

# %% tags=["nbval-ignore-output"]
tests = ("by heart", "twice", "alone")
found = {}
print(" " * 16, *tests, sep="   ")
for bug in [None, *BUGS]:
    asked = runs[bug][0].train(bug == "eval forgotten")  # in the mode in which it is asked
    fine = (by_heart(bug) < 0.1, growth(bug) < 1.5, not any(reaches(asked, 0, four)[1:]))
    found[bug] = {test for test, passed in zip(tests, fine, strict=True) if not passed}
    row = [("BUG" if test in found[bug] else "·").center(len(test)) for test in tests]
    print(f"{bug or 'healthy':16}", *row, sep="   ")
assert found[None] == found["labels shuffled"] == set()
assert found["no zero_grad"] == {"twice"}
assert found["eval forgotten"] == {"alone"}
assert "by heart" in found["softmax twice"] & found["lr × 100"]
assert "alone" in found["wrong view"]

# %% [markdown]
# No test finds all of them. And the shuffled labels pass all three: to the arithmetic, a wrong label is
# as good as a right one. Only looking finds it.

# %% [markdown]
# ## The checklist
#
# | symptom | first thing to look at |
# | --- | --- |
# | `mat1 and mat2 shapes cannot be multiplied` | the shape after each layer, printed. Is `Flatten` missing? |
# | `expected input … to have 1 channels` | is the shape (N, 1, 28, 28)? `unsqueeze(1)`, grey against colour |
# | `doesn't match the broadcast shape` | one number for each channel? |
# | `Expected input batch_size … to match target` | a `view(-1, …)` further up |
# | `shape '[-1, …]' is invalid` | the same `view`, with another batch |
# | `Target … is out of bounds` | number of outputs, labels from 0 |
# | `… type … should be the same` | `.float()`, and divided by 255? |
# | two devices in the message | `.to(device)` for network and images |
# | `name … is not defined` | imports, and the cells above |
# | nothing is printed | the condition in front of the `print` |
# | first loss far from ln(classes) | scale of the inputs, last layer |
# | loss shoots up at once | learning rate: divide by 10 |
# | loss falls, then goes wild | `zero_grad` |
# | loss rests near 1.46 | a second softmax |
# | loss flat at 2.30 | a `view` or `reshape` that mixes; look at the inputs |
# | training falls, validation rises | labels; then too few images (lesson 06) |
# | training well, validation bad from the start | `eval()`; are both prepared alike? |
# | figure changes with the order | ask each image alone |
# | too good to be true | are test images among the training images? |

# %% [markdown]
# ## Recap
#
# - **Read from below.** The last line says what came in and what was expected. Take the numbers
#   apart: 3136 = 16 · 14 · 14. Then follow the shapes, layer by layer, from the start. The line that
#   raises need not be the line with the fault.
# - **Mended or silenced.** Every pixel counts, every feature arrives, every image is answered for itself. Say what
#   is wrong in a sentence before you change a line.
# - **Silent bugs.** The curve is the first hint: a jump, a floor, a flat line, a gap between training
#   and validation. Then the five tests: first loss, look, one batch by heart, the same batch twice, each image alone.
#
# **Common mistakes:** reading a traceback from the top; changing numbers until it runs; `view(-1, …)`;
# forgetting which mode the network is in; changing two things at once, so that you do not know which one
# helped; looking for the bug in the architecture when it is in the data.
#
# **A question to take along:** a colleague reports 99.9 % on a test set, and only 70 % when her program
# runs on one image at a time. Which two tests would you run first, and what do you expect?
#
# Next: [08 · Look inside](08_look_inside.ipynb).

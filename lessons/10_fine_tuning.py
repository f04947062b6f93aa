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
# # 10 · Fine-tuning
#
# **Question: how do I reuse a trained network?**
#
# You will be able to
#
# - give a trained network a new head, and decide which of its layers learn and how fast
# - write LoRA, a small correction beside a frozen layer, for linear layers and for convolutions
# - say by measurement what reuse gains and what it forgets, and mix two networks to keep both
#
# *55 minutes. Before this: [09 · Depth and parameters](09_depth_and_parameters.ipynb).*

# %%
import copy
from collections import OrderedDict

import torch
from torch import nn

from course_utils import anatomy, checks, data, plotting, pretrained, training

# %% [markdown]
# ## Two tasks
#
# You have thousands of labelled images of one kind and a few of another. Can what a network learned
# from the many help with the few?
#
# The many: digits 0 to 4. The few: digits 5 to 9. To make it hard, both look as if they came from a
# bad scanner: shifted anywhere, even over the border, on dirty paper.

# %% tags=["nbval-ignore-output"]
digits = data.load_digits()


def scan(split, first, count, seed):
    """Five digits from `first` on, shifted by up to 6 pixels, with noise. Labels: 0 to 4."""
    part = split[(split.labels >= first) & (split.labels < first + 5)][:count]
    generator = torch.Generator().manual_seed(seed)
    corners = torch.randint(13, (len(part), 2), generator=generator).tolist()
    padded = nn.functional.pad(part.images, (6, 6, 6, 6))
    moved = [x[:, i : i + 28, j : j + 28] for x, (i, j) in zip(padded, corners, strict=True)]
    noise = 0.3 * torch.randn(len(part), 1, 28, 28, generator=generator)
    return data.Split(torch.stack(moved) + noise, part.labels - first)


old = {"train": scan(digits.train, 0, 12_000, 0), "validation": scan(digits.validation, 0, 1000, 1)}
new = {"train": scan(digits.train, 5, 2_000, 2), "validation": scan(digits.validation, 5, 1000, 3)}
old["test"], new["test"] = scan(digits.test, 0, 1500, 4), scan(digits.test, 5, 1500, 5)

# %% tags=["nbval-ignore-output"]
shown = torch.cat([old["train"].images[:5], new["train"].images[:5]])
names = old["train"].labels[:5].tolist() + (new["train"].labels[:5] + 5).tolist()
alt = f"Ten scanned digits, shifted and noisy: {names}. The first five are of the old task."
titles = [f"{'old' if name < 5 else 'new'} task: {name}" for name in names]
plotting.show_images(shown, titles, columns=5, limits=(-0.5, 1.3), alt=alt)

# %% [markdown]
# A network for the old task: two convolutions, a fully connected layer, and a last layer with one
# output for each of five classes. That last layer is called the **head**, all before it the **body**.
# It has no batch norm, on purpose. The reason comes later.


# %%
def build():
    """A body, and a head for five classes. x: (N, 1, 28, 28). Returns: logits (N, 5)."""
    layers = OrderedDict()
    layers["conv1"], layers["pool1"] = nn.Conv2d(1, 8, 5), nn.MaxPool2d(2)  # (N, 8, 12, 12)
    layers["relu1"] = nn.ReLU()
    layers["conv2"], layers["pool2"] = nn.Conv2d(8, 16, 5), nn.MaxPool2d(2)  # (N, 16, 4, 4)
    layers["relu2"] = nn.ReLU()
    layers["flatten"], layers["fc"] = nn.Flatten(), nn.Linear(256, 64)  # (N, 64)
    layers["relu3"] = nn.ReLU()
    layers["head"] = nn.Linear(64, 5)
    return nn.Sequential(layers)


def pretrain(seed):
    """A network trained on the old task, from random weights of this seed."""
    training.seed_everything(seed)
    options = {"epochs": 2, "lr": 0.01, "batch_size": 100, "label_smoothing": 0.0}
    network = build()
    training.fit(network, old["train"], seed=seed, progress=False, **options)
    return network


body_layers = ["conv1", "conv2", "fc"]
print(f"{anatomy.count_parameters(build()):,} parameters")

# %% tags=["nbval-ignore-output"]
trained = pretrain(seed=0)
before = training.evaluate(trained, old["validation"])
print(f"old task, validation: {before.accuracy:.1%}")
assert before.accuracy > 0.88

# %% [markdown]
# Now show it the digits 5 to 9. It has five answers, 0 to 4, and all of them are wrong. Its
# probabilities come from a softmax, so they add up to 1 all the same.
#
# **Predict.** How sure of its answer is it, on average? The answer's probability, from 0.2 to 1.

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.5
### END SOLUTION

# %% tags=["nbval-ignore-output"]
sure = training.evaluate(trained, new["validation"]).probabilities.amax(1).mean().item()
checks.compare_prediction(prediction, round(sure, 2))
assert sure > 0.6

# %% [markdown]
# Quite sure, and always wrong. A head cannot say "none of these". So the head has to go. What about
# the body? Its convolutions have learned strokes, and to live with noise and shifts. The new digits
# consist of strokes too.
#
# ## A new head
#
# The simplest reuse: put a new, random head on the trained body, and train only the head. A parameter
# that must not change is **frozen**. The switch is `requires_grad`: with False, `backward()` computes
# no gradient for it, and the optimizer leaves it alone. A layer's method `requires_grad_(False)` sets
# it for all parameters of the layer.
#
# A published article has a function for this. You met it in lesson 07, as a bug that raises nothing:


# %%
def fine_tune(model, layer):
    """The article's steps, to be mended. model: nn.Module. layer: which one to train from."""
    for parameter in model.parameters():
        parameter.requires_grad = True
        parameter.data = 0.5 * parameter.data
    return model


published = fine_tune(copy.deepcopy(trained), "fc")
learns = [parameter.requires_grad for parameter in published.parameters()]
print(f"{sum(learns)} of {len(learns)} tensors learn")

# %% [markdown]
# Nothing is frozen, the argument `layer` plays no part, and all weights and biases are halved. In lesson
# 07 you repaired the freezing. Now look at the halving.
#
# **Predict.** What does halving everything do to the accuracy on the old task? It was about 0.95.

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.2
### END SOLUTION

# %% tags=["nbval-ignore-output"]
halved = training.evaluate(published, old["validation"])
checks.compare_prediction(prediction, round(halved.accuracy, 2))
print(f"loss {before.loss:.2f} before, {halved.loss:.2f} after")
assert halved.accuracy > before.accuracy - 0.1
assert halved.loss > 3 * before.loss

# %% [markdown]
# Almost nothing, and that is what makes the fault hard to find. In a network of ReLUs, halving the
# weights of a layer halves its output, but for the biases. The largest logit mostly stays the largest,
# but all of them shrink, and the network is no longer sure: the loss is several times as large, not far from
# the −ln(1/5) = 1.61 of a guess. Accuracy alone would not have told you.

# %% [markdown]
# ### Exercise 1 · Freeze  ★★☆ 6 minutes
#
# Write what the article meant: all layers from the first to the one named `upto` are frozen, that one
# included. All later ones learn, whatever they did before. No weight changes.


# %%
def freeze(model, upto):
    """Freeze the early layers. model: nn.Sequential with names. upto: a name. Returns: the model."""
    ### BEGIN SOLUTION
    learns = False
    for name, layer in model.named_children():
        layer.requires_grad_(learns)
        learns = learns or name == upto
    return model
    ### END SOLUTION


# %%
freeze(build(), "conv2")  # try it here

# %%
checks.freeze(freeze)

# %% [markdown]
# <details><summary>Hint 1: go through the layers</summary>
#
# `model.named_children()` gives name and layer, from the first to the last.
#
# </details>
#
# <details><summary>Hint 2: before and after</summary>
#
# Keep a variable that says whether layers learn now. It begins as False. Behind the layer named
# `upto` it becomes True.
#
# </details>
#
# <details><summary>Hint 3: the switch</summary>
#
# `layer.requires_grad_(True)`, with the underscore, sets the switch of all parameters of a layer.
# `layer.requires_grad = True` does not.
#
# </details>

# %% [markdown]
# With the whole body frozen, 325 numbers learn. Twenty labels for each class are a hundred images:


# %%
def few(labels, seed, task=new):
    """So many training images of each class, drawn at random. Returns: a Split of 5 · labels."""
    generator = torch.Generator().manual_seed(seed)
    part = task["train"][torch.randperm(len(task["train"]), generator=generator)]
    chosen = [(part.labels == c).nonzero().flatten()[:labels] for c in range(5)]
    return part[torch.cat(chosen)]


def adapt(network, groups, examples, lr, seed=0):
    """Train these parameters for 40 steps of at most 50 images. Returns: the network."""
    optimizer = torch.optim.AdamW(groups, lr=lr, fused=True)
    epochs = 40 // -(-len(examples) // 50)
    options = {"epochs": epochs, "batch_size": 50, "schedule": "one-cycle", "progress": False}
    history = training.fit(network, examples, optimizer=optimizer, seed=seed, **options)
    assert len(history.step_loss) == 40
    return network


# %% tags=["nbval-ignore-output"]
training.seed_everything(0)
probe = copy.deepcopy(trained)
probe.head = nn.Linear(64, 5)
probe[:-1].requires_grad_(False)
print(f"{anatomy.count_parameters(probe)} of {anatomy.count_parameters(build()):,} learn")
adapt(probe, probe.head.parameters(), few(20, seed=0), lr=0.03)
print(f"new task, validation: {training.evaluate(probe, new['validation']).accuracy:.1%}")
assert training.evaluate(probe, new["validation"]).accuracy > 0.35

# %% [markdown]
# Far better than the 20 % of a guess, and far from good. The body was made to tell 0 to 4 apart.
# What it threw away on the last steps to that answer, no head can bring back.
#
# ## Small steps for early layers
#
# The other extreme is to let everything learn. Then a hundred images move weights that thousands have
# formed. In between: the early layers, which see strokes, take small steps, and the late ones, which
# serve the old answer, take large ones. Howard and Ruder ("Universal language model fine-tuning for text
# classification", 2018) call it **discriminative fine-tuning**.
#
# A PyTorch optimizer takes a list of **parameter groups** in place of a list of parameters. Each group
# is a dictionary with its own learning rate:

# %%
layers = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 2))
slow = {"params": list(layers[0].parameters()), "lr": 0.01}
fast = {"params": list(layers[2].parameters()), "lr": 0.1}
example = torch.optim.SGD([slow, fast])
print([group["lr"] for group in example.param_groups])

# %% [markdown]
# ### Exercise 2 · A learning rate for each layer  ★★☆ 8 minutes
#
# One group for each layer that has parameters. The last layer learns with `lr`, the one before it
# with `lr · factor`, the one before that with `lr · factor²`, and so on. Layers without parameters do
# not count.


# %%
def parameter_groups(model, lr, factor):
    """Groups for an optimizer. model: nn.Sequential. lr > 0. factor: in (0, 1). Returns: a list of dicts."""
    ### BEGIN SOLUTION
    groups, rate = [], lr
    for layer in reversed(model):
        parameters = list(layer.parameters())
        if parameters:
            groups.append({"params": parameters, "lr": rate})
            rate = rate * factor
    return groups
    ### END SOLUTION


# %%
parameter_groups(layers, lr=0.1, factor=0.5)  # try it here

# %%
checks.parameter_groups(parameter_groups)

# %% [markdown]
# <details><summary>Hint 1: from which end</summary>
#
# The last layer is the one whose rate you know. Go through `reversed(model)`.
#
# </details>
#
# <details><summary>Hint 2: which layers</summary>
#
# `list(layer.parameters())` is empty for ReLU, pooling and Flatten. An empty list counts as False.
#
# </details>
#
# <details><summary>Hint 3: the rate</summary>
#
# Begin with `lr`. Each time a layer got its group, multiply the rate by `factor`.
#
# </details>

# %% [markdown]
# ## A small correction: LoRA
#
# A third way leaves every trained weight as it is and learns a correction beside it. For a linear
# layer with weights $W$, the correction is a matrix of the same size, but not any matrix: a product
# of two thin ones.

# %%
up, down = torch.tensor([[1], [2], [0], [-1]]), torch.tensor([[1, 0, 2, 1, 3]])
plotting.show_grids({"up": up, "down": down, "up @ down": up @ down}, signs=["×", "="])
print(f"{up.numel() + down.numel()} numbers make {(up @ down).numel()}")
assert torch.linalg.matrix_rank((up @ down).float()) == 1

# %% [markdown]
# Each row of the product is a multiple of `down`. A matrix made of one column times one row has
# **rank** 1. With $r$ columns and $r$ rows it is a sum of $r$ such products, of rank $r$ at most.
#
# **LoRA**, low-rank adaptation (Hu and others, "LoRA: low-rank adaptation of large language models",
# 2021), freezes $W$ and computes
#
# $$y = W x + b + U D x$$
#
# $D$ goes down, from all inputs to $r$ numbers. $U$ goes up again, to all outputs. Only $U$ and $D$
# learn. One of them begins as zero, so at the start nothing is changed. And when training is over, $U D$
# can be added to $W$: the layer is then as small and fast as before. (The paper also multiplies
# $U D$ by a constant. Here it is 1.)

# %% [markdown]
# ### Exercise 3 · A LoRA layer  ★★★ 12 minutes
#
# Write it for `nn.Linear`. It has to give what the old layer gives before it has learned, and
# `merged()` has to give what it gives afterwards.


# %%
class MyLoRA(nn.Module):
    """A frozen nn.Linear, and beside it `down` (rank, in_features) and `up` (out_features, rank)."""

    def __init__(self, layer, rank):
        super().__init__()
        self.layer = layer
        ### BEGIN SOLUTION
        self.layer.requires_grad_(False)
        self.down = nn.Parameter(0.1 * torch.randn(rank, layer.in_features))
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))
        ### END SOLUTION

    def forward(self, x):
        """x: (N, in_features). Returns: (N, out_features)."""
        ### BEGIN SOLUTION
        return self.layer(x) + x @ self.down.T @ self.up.T
        ### END SOLUTION

    def merged(self):
        """One new nn.Linear that gives the same; the old one stays as it is."""
        ### BEGIN SOLUTION
        linear = copy.deepcopy(self.layer)
        linear.weight.data += self.up.detach() @ self.down.detach()
        return linear
        ### END SOLUTION


# %%
MyLoRA(nn.Linear(6, 5), rank=2)  # try it here

# %%
checks.lora_linear(MyLoRA)

# %% [markdown]
# <details><summary>Hint 1: what learns</summary>
#
# Freeze the old layer with `requires_grad_(False)`. A tensor that should learn is wrapped:
# `nn.Parameter(…)`.
#
# </details>
#
# <details><summary>Hint 2: how they begin</summary>
#
# `down` random, `up` zero. If both were zero, the gradient of each would be multiplied by the other
# and be zero too.
#
# </details>
#
# <details><summary>Hint 3: shapes</summary>
#
# x is (N, in). Times `down.T`, which is (in, rank), gives (N, rank). What takes that to (N, out)?
#
# </details>
#
# <details><summary>Hint 4: merging</summary>
#
# The weight is (out, in), and so is `up @ down`. Copy the layer with `copy.deepcopy`, and add to its
# `weight.data`.
#
# </details>

# %% [markdown]
# ### For a convolution
#
# A convolution's weight is (C_out, C_in, K_h, K_w). Laid flat, each output channel is a row of
# C_in · K_h · K_w numbers: a matrix, and it can have a correction of low rank like any other. Down is
# then a convolution with the same kernel size to $r$ channels, up a 1 × 1 convolution from there. One class
# for both kinds:


# %%
class LoRA(nn.Module):
    """A frozen Linear or Conv2d (stride 1, no padding), and a trainable correction of low rank."""

    def __init__(self, layer, rank):
        super().__init__()
        self.layer, bias = layer.requires_grad_(False), {"bias": False}
        if isinstance(layer, nn.Conv2d):
            self.down = nn.Conv2d(layer.in_channels, rank, layer.kernel_size, **bias)
            self.up = nn.Conv2d(rank, layer.out_channels, 1, **bias)
        else:
            self.down = nn.Linear(layer.in_features, rank, **bias)
            self.up = nn.Linear(rank, layer.out_features, **bias)
        nn.init.zeros_(self.up.weight)

    def forward(self, x):
        return self.layer(x) + self.up(self.down(x))


# %% [markdown]
# Does merging hold for the convolution? Give `up` random numbers, multiply the two flat
# matrices, and compare:

# %%
training.seed_everything(0)
lora = LoRA(nn.Conv2d(8, 16, 5), rank=2).double()
nn.init.normal_(lora.up.weight)
x = torch.randn(3, 8, 12, 12, dtype=torch.float64)
product = lora.up.weight.flatten(1) @ lora.down.weight.flatten(1)
print(tuple(lora.up.weight.flatten(1).shape), "@", tuple(lora.down.weight.flatten(1).shape))

merged = copy.deepcopy(lora.layer)
merged.weight.data += product.reshape(merged.weight.shape)
torch.testing.assert_close(merged(x), lora(x), rtol=0, atol=1e-10)
print("one convolution gives the same, to ten digits")

# %% [markdown]
# ### Exercise 4 · How many learn?  ★☆☆ 5 minutes
#
# Count by hand, for the network of this lesson: the head of 64 inputs and 5 classes; the pair of rank
# 2 beside `fc`, which has 256 inputs and 64 outputs; the pair of rank 2 beside `conv2`, from 8 to 16
# channels with a kernel of 5 × 5. The pairs have no bias.

# %%
trainable_by_hand = None  # [head, pair beside fc, pair beside conv2]
### BEGIN SOLUTION
trainable_by_hand = [325, 640, 432]
### END SOLUTION

# %%
checks.trainable_by_hand(trainable_by_hand)

# %% [markdown]
# <details><summary>Hint 1: the head</summary>
#
# A linear layer has inputs times outputs weights, and as many biases as outputs.
#
# </details>
#
# <details><summary>Hint 2: a pair</summary>
#
# Down has inputs times rank, up has rank times outputs. For the convolution, down has a kernel of
# 25 cells, and up one of a single cell.
#
# </details>

# %% [markdown]
# ## Five ways, three amounts of labels
#
# Now all of them, on the same images. `begin` makes the network and says what learns:


# %%
methods = ["from scratch", "head only", "all layers", "small steps early", "LoRA"]


def begin(method, lr):
    """A network with a new head, and the groups of parameters that learn."""
    network = build() if method == "from scratch" else copy.deepcopy(trained)
    network.head = nn.Linear(64, 5)
    if method == "head only":
        network[:-1].requires_grad_(False)
    if method == "LoRA":
        for name in body_layers:
            setattr(network, name, LoRA(network.get_submodule(name), rank=4))
    if method == "small steps early":
        order = ["head", "fc", "conv2", "conv1"]
        parts = [network.get_submodule(name).parameters() for name in order]
        return network, [{"params": p, "lr": lr * 0.4**i} for i, p in enumerate(parts)]
    return network, [p for p in network.parameters() if p.requires_grad]


for method in methods:
    print(f"{method:18} {anatomy.count_parameters(begin(method, 0.01)[0]):6,} parameters learn")

# %% [markdown]
# A comparison is fair if each method gets the same images, the same number of steps, and a learning
# rate that suits *it*. So the rate is chosen for each, on validation images. To save time: from two
# rates, with one draw of 20 labels a class that is not used again. That is coarse, and it is the same for all.


# %%
def run(method, labels, lr, seed):
    """The network that a method makes of so many labels for each class."""
    training.seed_everything(seed)
    network, groups = begin(method, lr)
    return adapt(network, groups, few(labels, seed), lr, seed)


# %% tags=["nbval-ignore-output"]
rates = {}
for method in methods:
    tried = {lr: run(method, 20, lr, seed=99) for lr in (0.01, 0.03)}
    tried = {lr: training.evaluate(n, new["validation"]).accuracy for lr, n in tried.items()}
    rates[method] = max(tried, key=tried.get)
    listed = ", ".join(f"{lr}: {accuracy:.3f}" for lr, accuracy in tried.items())
    print(f"{method:18} {listed}  →  lr {rates[method]}")

# %% [markdown]
# Three draws of the labels for each method and amount; each trained network is tested once.
#
# **Predict.** A guess is right one time in five. With 20 labels a class, what is the mean test accuracy of
# a network trained from scratch?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.5
### END SOLUTION

# %% tags=["nbval-ignore-output"]
amounts = [5, 20, 100]
scores = torch.zeros(len(methods), len(amounts), 3)
for m, method in enumerate(methods):
    for a, labels in enumerate(amounts):
        for seed in range(3):
            network = run(method, labels, rates[method], seed)
            scores[m, a, seed] = training.evaluate(network, new["test"]).accuracy
mean = scores.mean(2)
checks.compare_prediction(prediction, round(mean[0, 1].item(), 2))


# %%
@plotting.in_style
def draw_scores():
    """The mean of the three draws, and a line from the smallest to the largest."""
    figure = plotting.draw_curves({}, "labelled images of each class", "test accuracy, new task")
    axes = figure.axes[0]
    for m, method in enumerate(methods):
        low, high = mean[m] - scores[m].amin(1), scores[m].amax(1) - mean[m]
        places = torch.arange(3) + 0.13 * (m - 2)
        style = {"fmt": "osD^v"[m], "capsize": 4, "markersize": 7}
        style |= {"mfc": "white"} if m == 0 else {}
        axes.errorbar(places, mean[m], torch.stack([low, high]), label=method, **style)
    axes.axhline(0.2, color="#555555", linestyle=":")
    axes.text(1.4, 0.21, "guess", color="#555555")
    axes.set(xticks=range(3), xticklabels=amounts, xlim=(-0.5, 2.5), ylim=(0.15, 1))
    axes.legend(loc="upper left", ncols=2)
    rows = [
        f"{m}: {', '.join(f'{v:.2f}' for v in row)}" for m, row in zip(methods, mean, strict=True)
    ]
    figure.alt_text = f"Mean accuracy with 5, 20 and 100 labels. {'; '.join(rows)}."
    return figure


# %% tags=["nbval-ignore-output"]
plotting.show(draw_scores())
for m, method in enumerate(methods):
    cells = [
        f"{mean[m, a]:.2f} ({scores[m, a].min():.2f}–{scores[m, a].max():.2f})" for a in range(3)
    ]
    print(f"{method:18} " + "   ".join(cells))

# %% [markdown]
# What does the picture carry? Where two ranges overlap, the order of the two methods may be a matter of
# luck, and three draws do not settle it. Compare what is far apart. The difference of two means, give or
# take its standard error:

# %% tags=["nbval-ignore-output"]
position = {method: m for m, method in enumerate(methods)}


def compare(one, other, labels):
    """Print and return the difference of two means; its standard error from the three draws."""
    pair = scores[[position[one], position[other]], amounts.index(labels)]
    difference = (pair[0].mean() - pair[1].mean()).item()
    error = (pair.var(1).sum() / 3).sqrt().item()
    print(f"{labels:3} labels: {one} − {other} = {difference:+.2f} ± {error:.2f}")
    return difference


assert compare("all layers", "from scratch", 20) > 0
assert compare("all layers", "from scratch", 100) > 0
assert compare("all layers", "head only", 100) > 0
for other in ("small steps early", "LoRA"):
    for labels in amounts:
        compare("all layers", other, labels)

# %% [markdown]
# - With 20 and with 100 labels a class, letting all layers learn from the trained weights did better
#   than beginning from scratch. The trained body is worth many labels.
# - With 100 labels the frozen body is the brake: a head alone made less of them than all layers.
# - Between all layers, small steps early and LoRA, trust your own validation images more than a rule.
#   LoRA is not chosen for accuracy. It is chosen because what you train, and store for each new task, is
#   small.
#
# What made this easy is that the tasks are related. Nothing here says that digits help with X-ray images.
#
# ## What was forgotten
#
# The network has learned the new task. Can it still do the old one? The old head was kept, so put it
# back. Here is a network where all layers have learned with 100 labels a class and a large rate. It began
# with a head that was trained first, on the frozen body (Kumar and others, "Fine-tuning can distort
# pretrained features", 2022, recommend that order).


# %%
def on_old(network, split="validation"):
    """Accuracy on the old task, with the old head in place of the network's own."""
    body = copy.deepcopy(network)
    body.head = trained.head
    return training.evaluate(body, old[split]).accuracy


hundred = few(100, seed=7)
training.seed_everything(7)
start = copy.deepcopy(trained)
start.head = nn.Linear(64, 5)
adapt(start, start.head.parameters(), hundred, lr=0.03)
tuned = copy.deepcopy(start)
tuned = adapt(tuned, tuned.parameters(), hundred, lr=0.03)

# %% [markdown]
# **Predict.** The old task was at about 0.95. What is left of it, after 40 steps on digits 5 to 9?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.5
### END SOLUTION

# %% tags=["nbval-ignore-output"]
left = on_old(tuned)
checks.compare_prediction(prediction, round(left, 2))
print(f"old task: {on_old(start):.3f} → {left:.3f}")
for name, network in {"head only": start, "all layers": tuned}.items():
    print(f"new task, {name}: {training.evaluate(network, new['validation']).accuracy:.3f}")
assert on_old(start) == before.accuracy
assert left < before.accuracy - 0.03

# %% [markdown]
# The old task suffers, though nobody asked for it. It is called **forgetting**, catastrophic where it
# takes everything (McCloskey and Cohen, 1989). No image of the old task was in the training, so nothing
# held its weights in place. With the body frozen there is none: the assertion says *equal*. LoRA can
# even be taken off again:

# %%
with_lora = run("LoRA", 100, 0.01, seed=7)
for name in body_layers:
    setattr(with_lora, name, with_lora.get_submodule(name).layer)
assert on_old(with_lora) == before.accuracy
print("without the pairs, the old accuracy to the last image")

# %% [markdown]
# If one network has to do both, the plainest remedy is to keep some old images and mix them in, which
# is called **rehearsal**. A hundred of each old class, beside the hundred of each new one. The head gets
# ten outputs, the old head's five and the new one's five, so that one loss trains both.

# %% tags=["nbval-ignore-output"]
kept = few(100, seed=7, task=old)
mixed = data.Split(
    torch.cat([kept.images, hundred.images]), torch.cat([kept.labels, hundred.labels + 5])
)
both = copy.deepcopy(start)
both.head = nn.Linear(64, 10)
for name, parameter in both.head.named_parameters():
    parts = [trained.head.get_parameter(name), start.head.get_parameter(name)]
    parameter.data = torch.cat(parts).detach()
adapt(both, both.parameters(), mixed, lr=0.03)


def half(network, split, five):
    """Accuracy of a ten-output network that is told which five classes to choose from."""
    with torch.no_grad():
        return (network(split.images)[:, five].argmax(1) == split.labels).float().mean().item()


rehearsed = half(both, old["validation"], slice(0, 5)), half(both, new["validation"], slice(5, 10))
print(f"with rehearsal: old task {rehearsed[0]:.3f}, new task {rehearsed[1]:.3f}")
assert rehearsed[0] > left

# %% [markdown]
# ## Between two networks
#
# There is another remedy, which needs no old image and no training. Take the weights $w_0$ before and
# $w$ after the fine-tuning, and mix them:
#
# $$w_\alpha = \alpha\, w_0 + (1 - \alpha)\, w$$
#
# At α = 1 it is the old network, at α = 0 the new one. The article with the halved weights quotes this
# formula. Its code has $\alpha\, w_0$ with α = ½, and forgets the rest.

# %% [markdown]
# ### Exercise 5 · Interpolate  ★☆☆ 5 minutes
#
# A network's weights are a dictionary of tensors, its `state_dict()`. Mix two of them.


# %%
def interpolate(w0, w, alpha):
    """The mixture. w0, w: dicts of tensors with the same names. alpha: in [0, 1]. Returns: a new dict."""
    ### BEGIN SOLUTION
    return {name: alpha * w0[name] + (1 - alpha) * w[name] for name in w0}
    ### END SOLUTION


# %%
interpolate({"weight": torch.zeros(2)}, {"weight": torch.ones(2)}, 0.25)  # try it here

# %%
checks.interpolate(interpolate)

# %% [markdown]
# <details><summary>Hint 1: one tensor</summary>
#
# For one name, the formula is `alpha * w0[name]` and something with `w[name]`, added.
#
# </details>
#
# <details><summary>Hint 2: all of them</summary>
#
# Collect the results in a new dictionary, name by name, biases included.
#
# </details>

# %% [markdown]
# Eleven mixtures of `start` (α = 1) and `tuned` (α = 0), each with both heads:


# %%
def mixture(first, second, alpha):
    """A network whose weights lie between those of two others; alpha is the share of the first."""
    weights, w = first.state_dict(), second.state_dict()
    network = build()
    network.load_state_dict({name: torch.lerp(w[name], weights[name], alpha) for name in w})
    return network


alphas = torch.linspace(0, 1, 11)

# %% tags=["cover", "nbval-ignore-output"]
between = [mixture(start, tuned, alpha.item()) for alpha in alphas]
old_line = torch.tensor([on_old(network) for network in between])
new_line = [training.evaluate(network, new["validation"]).accuracy for network in between]
new_line = torch.tensor(new_line)
curves = {"old task": (alphas, old_line), "new task": (alphas, new_line)}
plotting.show_curves(curves, "α: 0 is fine-tuned, 1 is as it was", "validation accuracy")
for name, (_, line) in curves.items():
    chord = (line[0] + line[-1]).item() / 2
    print(f"{name}: {line[5]:.3f} half-way; the mean of the two ends is {chord:.3f}")
    assert line[5] > chord

# %% [markdown]
# No dip. Half-way, each task does better than the mean of its two ends: the curves bulge upwards. The
# first steps back, from α = 0, win much of the old task for little of the new. Wortsman and others
# ("Robust fine-tuning of zero-shot models", 2022) found this for large networks.
#
# Why does a mean of weights work at all? Is it always so? Take two networks for the *old* task,
# trained on the same images, with different random weights at the beginning. Each is at about 0.95.
#
# **Predict.** What is the accuracy half-way between them?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.95
### END SOLUTION

# %% tags=["nbval-ignore-output"]
twin = pretrain(seed=1)
apart = [mixture(trained, twin, alpha.item()) for alpha in alphas]
apart = torch.tensor([training.evaluate(n, old["validation"]).accuracy for n in apart])
checks.compare_prediction(prediction, round(apart[5].item(), 2))
curves = {"independent": (alphas, apart), "fine-tuned": (alphas, old_line)}
plotting.show_curves(curves, "α", "validation accuracy, old task", y_limits=(0, 1))
assert apart[5] < min(apart[0], apart[-1]) - 0.15

# %% [markdown]
# A deep valley between two good networks: a **barrier**. The two may have found the same features, but not
# in the same channels. Channel 3 of one has nothing to do with channel 3 of the other, and their mean
# is neither. The fine-tuned network began where the old one ended, so its channels still mean the same.
# Mix weights only with a common ancestor.
#
# ### And batch norm?
#
# Batch norm also keeps what is not a weight: the mean and the variance of each channel, measured in
# training. They cannot be mixed. The smallest case, a "network" that multiplies by $w$:

# %%
x = torch.tensor([-3.0, -1, 1, 3])
for w in (1.0, -1.0):
    print(f"w = {w:g}: variance of the output {(w * x).var(unbiased=False):g}")
print(f"w = 0, half-way: variance {(0.0 * x).var(unbiased=False):g}, mean of the two above: 5")

# %% [markdown]
# The mixed network has other outputs than either, so its batch norm has to *measure* again: run
# training images through it, in training mode and without steps. `torch.optim.swa_utils.update_bn` does
# that. Our network has no batch norm, so the curves above show the weights alone.
#
# ### The test, once
#
# α is chosen on validation images: the one with the best mean of both tasks. Then the numbers to report.

# %% tags=["nbval-ignore-output"]
best = int((old_line + new_line).argmax())
rows = {"head only (α = 1)": start, "all layers (α = 0)": tuned}
rows[f"mixture (α = {alphas[best]:.1f})"] = between[best]
print("test accuracy        old task  new task")
for name, network in rows.items():
    measured = on_old(network, "test"), training.evaluate(network, new["test"]).accuracy
    print(f"{name:20} {measured[0]:8.3f}  {measured[1]:8.3f}")
measured = half(both, old["test"], slice(0, 5)), half(both, new["test"], slice(5, 10))
print(f"{'rehearsal':20} {measured[0]:8.3f}  {measured[1]:8.3f}")
assert 0 < best < 10

# %% [markdown]
# The best mixture lies inside, neither the one network nor the other. Which of the four rows you
# want depends on what the old task is still worth to you, and on whether you kept its images.

# %% [markdown]
# ## A network from torchvision
#
# In practice you begin with a network that others have trained on a million photographs. The steps are
# the same. This one is small, ShuffleNet V2 (Ma and others, 2018). `pretrained.load` takes the
# published weights from torch's cache, or fetches 5 MB; without a network it makes the same
# layers with random weights.

# %% tags=["nbval-ignore-output"]
from torchvision import models as published_models

weights = published_models.ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1
shuffle, missing = pretrained.load(published_models.shufflenet_v2_x0_5, weights)
print(f"Published weights: {'loaded' if missing is None else f'skipped, {missing}'}.")

# %%
for name, layer in shuffle.named_children():
    parameters = anatomy.count_parameters(layer)
    print(f"{name:8} {type(layer).__name__:18} {parameters:9,} parameters")
print("the head:", shuffle.fc)

# %% [markdown]
# The head is called `fc` here and knows 1,000 classes. Elsewhere it is called `classifier` or `heads`: print
# the network and look for the last Linear.
#
# **Predict.** We freeze everything and put a head for 5 classes in place of `fc`. How many parameters
# learn?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 5125
### END SOLUTION

# %%
shuffle.requires_grad_(False)
shuffle.fc = nn.Linear(1024, 5)
checks.compare_prediction(prediction, anatomy.count_parameters(shuffle))

# %% [markdown]
# Frozen, is it? Show it a batch in training mode, with no step at all:

# %%
batch = new["train"].images[:50].expand(-1, 3, -1, -1)  # gray as red, green and blue
statistic = shuffle.conv1[1].running_mean
kept_mean = statistic.clone()
with torch.no_grad():
    shuffle.train()(batch)
print("changed in training mode:", not torch.equal(statistic, kept_mean))
kept_mean = statistic.clone()
with torch.no_grad():
    shuffle.eval()(batch)
print("changed in eval mode:    ", not torch.equal(statistic, kept_mean))

# %% [markdown]
# `requires_grad_(False)` stops gradients. It does not stop batch norm from measuring. A frozen body with
# batch norm belongs into eval mode; only its head is put into training mode.
#
# Then the body is a function that never changes, and each image has to go through it only once. What
# comes out, 1,024 **features** for an image, is the data set on which the head is trained. This last
# cell runs where the weights could be had.


# %%
def features(split):
    """What the body makes of images enlarged to 112 × 112. Returns: (N, 1024), with the labels."""
    body = copy.deepcopy(shuffle)
    body.fc = nn.Identity()
    parts = []
    for x in split.images.split(100):
        x = nn.functional.interpolate(x, scale_factor=4.0, mode="bilinear").expand(-1, 3, -1, -1)
        with torch.no_grad():
            parts.append(body((x - 0.45) / 0.225))  # about what its own training images had
    return data.Split(torch.cat(parts), split.labels)


assert features(few(1, seed=0)).images.shape == (5, 1024)

# %% tags=["nbval-ignore-output"]
if missing is None:
    training.seed_everything(0)
    head = nn.Linear(1024, 5)
    adapt(head, head.parameters(), features(few(20, seed=0)), lr=0.01)
    seen = training.evaluate(head, features(new["validation"][:500]))
    print(f"20 labels a class, head only: {seen.accuracy:.1%} of 500 validation images")
else:
    print(f"Skipped, {missing}. A head on random weights would say nothing about fine-tuning.")

# %% [markdown]
# Photographs are far from scanned digits. Set the figure, if you got one, beside that of our own small
# body: a large network from elsewhere is not sure to beat a small one from nearby.

# %% [markdown]
# ## Recap
#
# - **A new head, and what learns.** Replace the last layer. `requires_grad_(False)` freezes a layer;
#   parameter groups give each layer its own rate. Frozen batch norm still measures, unless in eval mode.
# - **LoRA.** The trained weight stays, and a product of two thin matrices is added, zero at the start.
#   For a convolution the pair is one to $r$ channels and a 1 × 1 back up. Merged, it costs nothing.
# - **Gain and loss.** With 20 and 100 labels a class, reuse did better than beginning anew. What all
#   layers learned, the old task paid for. Rehearsal, or a mixture of old and new weights, brings much of
#   it back. Mixing needs a common ancestor.
#
# **Common mistakes:** "freezing" with `layer.requires_grad = False`; an optimizer that was made before the
# head was replaced; one learning rate for all methods in a comparison; ranking methods whose ranges
# overlap; never measuring the old task; mixing independent networks; halving weights where two were to
# be mixed.
#
# **A question to take along:** LoRA stores a small pair for each task beside one frozen network. A
# company fine-tunes one large network for a thousand customers. What does it store, and what could it
# not do if each customer's network had been trained whole?
#
# Next: [11 · Beyond images](11_beyond_images.ipynb), where else convolution works.

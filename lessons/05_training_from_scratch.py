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
# # 05 · Training from scratch
#
# **Question: what happens in `loss.backward(); optimizer.step()`?**
#
# You will be able to
#
# - work out a loss from a network's raw outputs, with a pencil and in code that no large number
#   breaks
# - write SGD, momentum and Adam yourself, equal to PyTorch's step for step, and say how they differ
# - write a training loop, say what each of its lines is for, and what weight decay, dropout and a
#   schedule add to it
#
# *60 minutes. Before this: [04 · Autograd](04_autograd.ipynb).*

# %%
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import nn

from course_utils import anatomy, checks, data, models, plotting, training

# %% [markdown]
# ## One number for how wrong
#
# Lesson 04 gave every weight its gradient: how the loss changes when that weight changes. Two
# questions are left. What is a good loss? And what is to be done with the gradient?
#
# A **loss** is one number that says how wrong the answers are. Where the answer is a number, such
# as a temperature, the usual one is the **mean squared error**, MSE: the mean of the squared
# differences. Three predictions, three true values:

# %%
predicted = torch.tensor([2.0, 5.0, 1.0], requires_grad=True)
true = torch.tensor([3.0, 5.0, 4.0])
squares = (predicted - true) ** 2
mse = squares.mean()
mse.backward()
rows = {"prediction": predicted, "truth": true, "squared": squares, "gradient": predicted.grad}
plotting.show_grids({name: row[None] for name, row in rows.items()}, size=0.5)
print(f"MSE = (1 + 0 + 9) / 3 = {mse:.4f}")
assert torch.equal(mse, F.mse_loss(predicted, true))

# %% [markdown]
# The error of 3 counts nine times as much as the error of 1. The gradient is 2 · (prediction −
# truth) / 3: negative where the prediction should go up, zero where it is right.
#
# ## From logits to a loss
#
# Where the answer is a class, MSE does not fit: the digit 7 is no more like 8 than like 1. So a
# network gives one number for each class, its **logits**, and the largest is its answer. They can
# be anything, negative too. To judge them, make them probabilities: raise e to the power of each,
# so that all are positive, and divide by their sum. That is the **softmax**.

# %%
logits = torch.tensor([2.0, 1.0, 0.0])
powers = logits.exp()
softmax = powers / powers.sum()
rows = {"logits": logits, "e to the power": powers, "softmax": softmax}
plotting.show_grids({name: row[None] for name, row in rows.items()}, signs="→→", size=0.55)
print(f"sum of the powers {powers.sum():.2f}, sum of the softmax {softmax.sum():.2f}")

# %% [markdown]
# The **cross-entropy** looks at the probability $p$ of the true class, and at nothing else: the
# loss is $-\ln p$. If $p = 1$ that is 0. The smaller $p$, the larger the loss, without a limit.
#
# **Predict.** The true class is the third one. What is the loss, to two decimals? (If you have no
# calculator: $\ln 0.09$ is a little more than −2.5.)

# %%
prediction = None
### BEGIN SOLUTION
prediction = 2.41
### END SOLUTION

# %%
loss = -softmax[2].log()
checks.compare_prediction(prediction, round(loss.item(), 2))
for number, p in enumerate(softmax.tolist()):
    print(f"if class {number} is true: −ln {p:.3f} = {-torch.tensor(p).log():.3f}")

# %% [markdown]
# Written out in full, the sum runs over all classes $c$, with a target $y_c$ that is 1 for the true
# class and 0 for the others:
#
# $$L = -\sum_c y_c \ln p_c$$
#
# The zeros leave one term of the sum. For a batch, take the mean over its samples. (A published
# article leaves out the sum over the classes. Then the formula gives one number for each class, and
# no loss.)
#
# ### Large logits
#
# The formula is right, and yet a computer cannot always use it as it stands. Here the second
# class is true and has the larger logit. The loss should be small.

# %%
assert torch.tensor(88.0).exp().isfinite()
assert torch.tensor(89.0).exp().isinf()
large = torch.tensor([1000.0, 1001.0])
powers = large.exp()
print("powers: ", powers.tolist())
print("softmax:", (powers / powers.sum()).tolist())

# %% [markdown]
# In float32 nothing above about 3.4 · 10³⁸ can be written, and $e^{89}$ is above it. So the powers
# are infinite, and ∞/∞ is **nan**, "not a number". One such sample spoils every weight.
#
# The way out is to take the logarithm on paper first:
#
# $$-\ln \frac{e^{z_t}}{\sum_c e^{z_c}} = \ln \sum_c e^{z_c} - z_t$$
#
# The first part is called **logsumexp**. The loss stays the same if one number is taken away from
# all logits: it comes off both parts. So take away the largest, $m$. Then the largest power is
# $e^0 = 1$, and nothing overflows.

# %%
shifted = large - large.max()
loss = shifted.exp().sum().log() - shifted[1]
print(f"shifted: {shifted.tolist()}, loss: {loss:.4f}")
assert torch.allclose(loss, F.cross_entropy(large[None], torch.tensor([1])))

# %% [markdown]
# That is why `F.cross_entropy` takes logits and not probabilities, and why the networks of this
# course end in a `Linear` and not in a softmax.

# %% [markdown]
# ### Exercise 1 · Your own cross-entropy  ★★☆ 8 minutes
#
# From logits, for a batch, for large numbers too. Do not call `F.cross_entropy`, but
# `torch.logsumexp` is allowed.


# %%
def cross_entropy(logits, labels):
    """The mean loss of a batch. logits: (N, C). labels: (N,), int64. Returns: one number."""
    ### BEGIN SOLUTION
    shifted = logits - logits.amax(dim=1, keepdim=True)
    of_the_true = shifted[torch.arange(len(labels)), labels]
    return (shifted.exp().sum(dim=1).log() - of_the_true).mean()
    ### END SOLUTION


# %%
cross_entropy(torch.tensor([[2.0, 1, 0]]), torch.tensor([2]))  # try it here: it should be 2.41

# %%
checks.cross_entropy(cross_entropy)

# %% [markdown]
# <details><summary>Hint 1: two parts</summary>
#
# Each sample needs two numbers: the logsumexp of its row, and its row's logit of the true class.
#
# </details>
#
# <details><summary>Hint 2: the logit of the true class</summary>
#
# `logits[torch.arange(N), labels]` takes from row 0 the column `labels[0]`, from row 1 the column
# `labels[1]`, and so on.
#
# </details>
#
# <details><summary>Hint 3: the largest of each row</summary>
#
# `logits.amax(dim=1, keepdim=True)` has the shape (N, 1), so it can be subtracted from every
# column. (`torch.logsumexp(logits, dim=1)` does that for you.)
#
# </details>

# %% [markdown]
# What does `backward()` make of this loss? Its gradient with respect to the logits is as simple
# as it could be: the softmax minus the target.

# %%
leaf = torch.tensor([[2.0, 1.0, 0.0]], requires_grad=True)
F.cross_entropy(leaf, torch.tensor([2])).backward()
target = torch.tensor([[0.0, 0.0, 1.0]])
rows = {"softmax": leaf.softmax(1), "target": target, "gradient": leaf.grad}
plotting.show_grids(rows, signs="−=", size=0.55)
assert torch.allclose(leaf.grad, leaf.softmax(1) - target)

# %% [markdown]
# Down with the logits of the wrong classes, up with that of the true one, by as much as the
# probability is off. From here `backward()` goes on to the weights, as in lesson 04.
#
# ## What step() does
#
# Now the second question. Take a loss with two weights, so that it can be drawn: a long valley,
# twenty times as steep across as along. In a network, too, some weights matter more than others.
#
# $$L(a, b) = \tfrac12 a^2 + \tfrac{20}{2} b^2$$
#
# The gradient points uphill. So step the other way, by its size times a **learning rate**, `lr`.
# That is **gradient descent**. With one batch at a time it is **SGD**, S for stochastic.

# %%
steep = torch.tensor([1.0, 20.0], dtype=torch.float64)
start = torch.tensor([-9.0, 1.0], dtype=torch.float64)


def gradient(w):
    """The gradient of the valley at w (2,), by autograd."""
    w = w.clone().requires_grad_()
    (0.5 * (steep * w**2).sum()).backward()
    return w.grad


w = start
for step in range(3):
    new = w - 0.09 * gradient(w)
    columns = [map(plotting.format_number, values) for values in (w, gradient(w), new)]
    moves = [f"{x} − 0.09·({g}) = {y}" for x, g, y in zip(*columns, strict=True)]
    print(f"step {step + 1}:  a = {moves[0]:30}  b = {moves[1]}")
    w = new

# %% [markdown]
# Along the valley it creeps. Across, $b$ jumps from one side to the other: 1, −0.8, 0.64. Each step
# multiplies $b$ by 1 − 20·lr, here −0.8. With a larger lr the jumps would grow.
#
# **Predict.** From which learning rate on does |b| grow with every step and not shrink?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.1
### END SOLUTION

# %%
checks.compare_prediction(prediction, 2 / steep[1].item())
for lr in (0.09, 0.099, 0.101, 0.11):
    w = start
    for _ in range(50):
        w = w - lr * gradient(w)
    print(f"lr {lr:5}: after 50 steps b = {w[1]:10.5f}, a = {w[0]:8.5f}")

# %% [markdown]
# At 2/20 it turns over: there 1 − 20·lr is −1. The steepest direction sets the limit for all of
# them, and at that limit the flat direction is slow. A loss that grows from step to step or
# becomes nan says: lr too large.

# %% [markdown]
# ### Exercise 2 · One step of SGD  ★☆☆ 3 minutes
#
# From here on a **rule** is a function that gets a weight and its gradient, and returns the new
# weight. `state` is a dict that the rule may keep things in from step to step. This first one needs
# no memory.


# %%
def sgd_step(w, grad, state, lr):
    """One step downhill. w, grad: (n,). state: a dict, not needed here. Returns: the new w, (n,)."""
    ### BEGIN SOLUTION
    return w - lr * grad
    ### END SOLUTION


# %%
checks.sgd_step(sgd_step)

# %% [markdown]
# <details><summary>Hint: look above</summary>
#
# The line `new = …` in the loop of three steps does it, for one lr and for this valley.
#
# </details>

# %% [markdown]
# ## Momentum
#
# Across the valley the gradient changes its sign with every step. Along the valley it keeps it.
# So add the gradients up: what points to and fro cancels, what points the same way grows. Old
# gradients must fade, or the sum would never stop. This is **momentum** (Polyak, 1964). Before
# the first step the velocity $v$ is 0, and then
#
# $$v \leftarrow \mu\, v + g, \qquad w \leftarrow w - \text{lr} \cdot v$$
#
# With $\mu = 0.9$ and a gradient that is always 1, or always changes its sign:

# %%
steady, flipping = [0.0], [0.0]
for t in range(40):
    steady.append(0.9 * steady[-1] + 1)
    flipping.append(0.9 * flipping[-1] + (-1) ** t)
steps = range(41)
curves = {"1, 1, 1, …": (steps, steady), "1, −1, 1, …": (steps, flipping)}
plotting.show_curves(curves, "step", "velocity v")
print(f"after 40 steps: {steady[-1]:.2f} and {flipping[-1]:.2f}")

# %% [markdown]
# The steady gradient grows towards 1/(1 − μ) = 10 times its size, the flipping one shrinks to about
# half. (In some books the new gradient is multiplied by 1 − μ, or the learning rate stands in the
# first formula. PyTorch does it as above.)

# %% [markdown]
# ### Exercise 3 · Momentum  ★★☆ 6 minutes
#
# Now the state is needed: `state` is the same dict in every step, and empty before the first.


# %%
def momentum_step(w, grad, state, lr, momentum=0.9):
    """One step with momentum. w, grad: (n,). state: keeps v. Returns: the new w, (n,)."""
    ### BEGIN SOLUTION
    state["v"] = momentum * state.get("v", 0) + grad
    return w - lr * state["v"]
    ### END SOLUTION


# %%
checks.momentum_step(momentum_step)

# %% [markdown]
# <details><summary>Hint 1: the first step</summary>
#
# `state.get("v", 0)` is what the dict holds under "v", and 0 if it holds nothing yet.
#
# </details>
#
# <details><summary>Hint 2: the order</summary>
#
# First the new v, stored in `state["v"]`. Then the step, with the new v.
#
# </details>

# %% [markdown]
# ## Adam
#
# Momentum still has one learning rate for all weights, and the steepest direction sets it.
# **Adam** (Kingma and Ba, 2015) gives each weight its own scale. It keeps two running averages,
# both 0 before the first step: $m$ of the gradient, $v$ of its square.
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\, g \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2$$
#
# An average that begins at 0 is too small at first. After $t$ steps it has collected the share
# $1 - \beta^t$ of its full weight, so divide by that. This is the **bias correction**:
#
# $$w \leftarrow w - \text{lr} \cdot \frac{\hat m}{\sqrt{\hat v} + \varepsilon}, \qquad
# \hat m = \frac{m}{1 - \beta_1^t}, \quad \hat v = \frac{v}{1 - \beta_2^t}$$
#
# The usual values are $\beta_1 = 0.9$, $\beta_2 = 0.999$, $\varepsilon = 10^{-8}$.
#
# **Predict.** In the first step, one weight has the gradient 20, another 0.002, and lr is 0.1.
# How far does each move? Write a list of two numbers.

# %%
prediction = None
### BEGIN SOLUTION
prediction = [0.1, 0.1]
### END SOLUTION

# %%
two = nn.Parameter(torch.tensor([5.0, 5.0], dtype=torch.float64))
two.grad = torch.tensor([20.0, 0.002], dtype=torch.float64)
torch.optim.Adam([two], lr=0.1).step()
moved = [round(5 - x, 4) for x in two.tolist()]
checks.compare_prediction(prediction, moved)

# %% [markdown]
# In the first step $\hat m = g$ and $\sqrt{\hat v} = |g|$, so the quotient is the sign of $g$ and
# every weight moves by lr. The size of the gradient cancels. And later? Here are 50 steps in
# which one gradient keeps its sign and the other flips each time.

# %%
two = nn.Parameter(torch.tensor([5.0, 5.0], dtype=torch.float64))
adam_of_two = torch.optim.Adam([two], lr=0.1)
for t in range(50):
    two.grad = torch.tensor([20.0, 20.0 * (-1) ** t], dtype=torch.float64)
    adam_of_two.step()
print("moved in 50 steps of lr 0.1:", [round(5 - x, 2) for x in two.tolist()])

# %% [markdown]
# The first has gone lr in every step. The second, after its first step of 0.1, has hardly moved.

# %% [markdown]
# ### Exercise 4 · Adam  ★★★ 12 minutes
#
# Ten lines or fewer. `state` keeps three things.


# %%
def adam_step(w, grad, state, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """One step of Adam. w, grad: (n,). state: keeps m, v and the count of steps. Returns: the new w."""
    ### BEGIN SOLUTION
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * grad
    v = state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * grad**2
    m = m / (1 - beta1**t)
    v = v / (1 - beta2**t)
    return w - lr * m / (v.sqrt() + eps)
    ### END SOLUTION


# %%
checks.adam_step(adam_step)

# %% [markdown]
# <details><summary>Hint 1: count</summary>
#
# `state["t"] = state.get("t", 0) + 1` counts the steps, and makes the first one step 1.
#
# </details>
#
# <details><summary>Hint 2: what is stored</summary>
#
# Store m and v as the first two formulas give them. The corrected ones are for this step only.
#
# </details>
#
# <details><summary>Hint 3: the last line</summary>
#
# The root is taken of the corrected v, and ε is added after that: `v.sqrt() + eps`.
#
# </details>

# %% [markdown]
# ### Fifty steps beside PyTorch's
#
# Are these rules what `torch.optim` does? Walk fifty steps down the valley with each, in float64,
# and compare every place on the way. A class of `torch.optim` is a rule with one state for each
# weight tensor; it reads `w.grad` and changes `w` in place.


# %%
def walk(rule, **options):
    """The places that a rule comes by in 50 steps. Returns: (51, 2)."""
    places, state = [start], {}
    for _ in range(50):
        places.append(rule(places[-1], gradient(places[-1]), state, **options))
    return torch.stack(places)


def walk_torch(optimizer, **options):
    """The same walk with a class of torch.optim. Returns: (51, 2)."""
    w = nn.Parameter(start.clone())
    stepper, places = optimizer([w], **options), [start]
    for _ in range(50):
        w.grad = gradient(w.detach())
        stepper.step()
        places.append(w.detach().clone())
    return torch.stack(places)


# %% tags=["nbval-ignore-output"]
sgd, adam = torch.optim.SGD, torch.optim.Adam
walks = {
    "SGD": (sgd_step, sgd, {"lr": 0.09}),
    "momentum": (momentum_step, sgd, {"lr": 0.03, "momentum": 0.8}),
    "Adam": (adam_step, adam, {"lr": 0.5}),
}
paths = {}
for name, (yours, optimizer, options) in walks.items():
    paths[name] = walk_torch(optimizer, **options)
    check = checks.EXERCISES[yours.__name__]
    rules = {"the check's rule": check.reference, "your rule": yours}
    for whose, rule in rules.items():
        if rule is yours and not check(yours).passed:
            print(f"{name:9} {whose:17} not right yet, or not attempted")
            continue
        difference = (walk(rule, **options) - paths[name]).abs().max().item()
        print(f"{name:9} {whose:17} largest difference from torch.optim {difference:.0e}")
        assert difference < 1e-10

# %% [markdown]
# Where a rule is right, the difference is nothing, or one in the last digits of float64. A rule is
# compared once the check above has accepted it.
#
# Here are the three paths. Each picture shows fifty steps, with a dot for every place on the way.


# %% tags=["cover"]
@plotting.in_style
def draw_paths(paths):
    """Each path over the contours of the valley, in a picture of its own."""
    figure = Figure(figsize=(plotting.WIDTH, 4.6), layout="constrained")
    a, b = torch.meshgrid(torch.linspace(-10, 4, 80), torch.linspace(-2, 2, 60), indexing="xy")
    for axes, (name, path) in zip(figure.subplots(3, 1, sharex=True), paths.items(), strict=True):
        axes.contour(a, b, (a**2 + 20 * b**2) / 2, levels=9, colors="#BBBBBB", linewidths=0.8)
        axes.plot(*path.T, linewidth=1, markersize=3.5)
        axes.plot(0, 0, "k+", markersize=12)
        options = ", ".join(f"{option} {value}" for option, value in walks[name][2].items())
        axes.set(title=f"{name}: {options}", ylabel="b")
    axes.set_xlabel("a")
    ends = [f"{name} ends {path[-1].norm():.2f} from the bottom" for name, path in paths.items()]
    figure.alt_text = f"Fifty steps of three optimizers down a valley: {'; '.join(ends)}."
    print("\n".join(ends))
    return figure


plotting.show(draw_paths(paths))

# %% [markdown]
# SGD zigzags across and creeps along. Momentum swings from side to side and beyond the bottom,
# and comes back. Adam's first step is diagonal, lr far in both directions, though the gradient is
# −9 along and 20 across. Its averages carry it beyond the bottom, too. The learning rates were
# chosen for a good picture, so this is no race. **Change one thing:** in `walks`, give momentum
# the 0.9 that is usual, or Adam a tenth of its lr.
#
# ## A network of four layers
#
# Now to something worth training: a network for the digits without any convolution, as in one of
# the published articles that this course grew from. It lays the 28 × 28 pixels out in a row, and
# each layer is a `Linear`, every output a weighted sum of all inputs plus a bias: 784 → 256 → 128
# → 64 → 10. Such a network is called a **multilayer perceptron**, MLP.
#
# The article says two hidden layers and two output layers. It has three hidden layers, of 256,
# 128 and 64, and one output layer.

# %% [markdown]
# ### Exercise 5 · Count the parameters  ★☆☆ 4 minutes
#
# How many numbers can be learned in each of the four layers? Do it by hand, or let Python multiply.

# %%
mlp_parameters = None  # [?, ?, ?, ?]
### BEGIN SOLUTION
mlp_parameters = [784 * 256 + 256, 256 * 128 + 128, 128 * 64 + 64, 64 * 10 + 10]
### END SOLUTION

# %%
checks.mlp_parameters(mlp_parameters)

# %% [markdown]
# <details><summary>Hint 1: one output</summary>
#
# One output of the last layer has 64 inputs, a weight for each, and one bias.
#
# </details>
#
# <details><summary>Hint 2: all outputs</summary>
#
# Each of the 10 outputs has its own 64 weights and its own bias.
#
# </details>

# %%
anatomy.summarize(models.mlp(), (1, 1, 28, 28))

# %%
counts = [sum(p.numel() for p in layer.parameters()) for layer in models.mlp()]
counts = [count for count in counts if count]
print(" + ".join(f"{count:,}" for count in counts), f"= {sum(counts):,}")
print(f"in the first layer: {counts[0] / sum(counts):.0%}")
print(
    f"in the convolutional network of lesson 06: {anatomy.count_parameters(models.mnist_cnn()):,}"
)
assert counts == [200_960, 32_896, 8_256, 650]
assert sum(counts) == anatomy.count_parameters(models.mlp()) == 242_762

# %% [markdown]
# Four of five parameters are in the first layer, one for each pixel and each output.
#
# ### Something between the layers
#
# Between two `Linear` layers stands an **activation**, a function of each number for itself.
# Without one, two layers would be no more than one, since a weighted sum of weighted sums is a
# weighted sum:

# %%
torch.manual_seed(0)
one, two = nn.Linear(4, 3), nn.Linear(3, 2)
x = torch.randn(5, 4)
single = x @ (two.weight @ one.weight).T + (two.weight @ one.bias + two.bias)
print("two layers are one:", torch.allclose(two(one(x)), single, atol=1e-6))
print("with ReLU between: ", torch.allclose(two(one(x).relu()), single, atol=1e-6))

# %% [markdown]
# Three activations, and their slopes, which autograd finds:

# %%
x = torch.linspace(-5, 5, 201, requires_grad=True)
values, slopes = {}, {}
for name, function in {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "ReLU": torch.relu}.items():
    y = function(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    values[name], slopes[name] = y.detach(), slope
    print(f"{name:8} {y.min():6.3f} to {y.max():.3f}, largest slope {slope.max():.2f}")
print(f"ten sigmoids in a row: at most 0.25¹⁰ = {0.25**10:.1e}")


# %%
@plotting.in_style
def draw_activations():
    """The values of the three functions on the left, their slopes on the right."""
    figure = Figure(figsize=(plotting.WIDTH, 2.8), layout="constrained")
    for axes, part in zip(figure.subplots(1, 2), (values, slopes), strict=True):
        for (name, y), dash in zip(part.items(), ("-", "--", ":"), strict=True):
            axes.plot(x.detach(), y, dash, marker="none", label=name)
        axes.set(xlabel="x", title="value" if part is values else "slope", ylim=(-1.1, 1.6))
        axes.grid(axis="y")
    figure.axes[0].legend(loc="upper left")
    return figure


alt = "Sigmoid, tanh and ReLU on the left, their slopes on the right."
plotting.show(draw_activations(), alt)

# %% [markdown]
# `backward()` multiplies by such a slope in every layer. The sigmoid's is 0.25 at best, and
# nearly 0 away from the middle. Ten layers make a factor of a millionth at best, and little is
# left for the first layers. ReLU's slope is 1 wherever it lets something through. So ReLU is the
# usual choice between layers; where a probability is wanted at the end, softmax or sigmoid serve.
#
# ## The training loop
#
# The data comes in three parts. **Training** images set the weights. **Validation** images show
# how well it goes and choose among settings. **Test** images are for one look, at the end. Lesson
# 06 shows what happens to those who mix them up. One pass through all training images is an
# **epoch**.

# %% tags=["nbval-ignore-output"]
digits = data.load_digits()
print(digits.describe())


# %%
def train(network, optimizer, split, seed):
    """One epoch: once through all images, in a random order. Returns: the loss of each batch."""
    losses, shuffle = [], torch.Generator().manual_seed(seed)
    network.train()
    for batch in torch.randperm(len(split), generator=shuffle).split(64):
        logits = network(split.images[batch])
        loss = F.cross_entropy(logits, split.labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% [markdown]
# Line by line:
#
# | line | what it does |
# | --- | --- |
# | `losses, shuffle = …` | an empty list, and a random generator: the same seed gives the same order |
# | `network.train()` | training mode: layers such as dropout, below, behave otherwise than in use |
# | `for batch in …` | the numbers of all images, shuffled and cut into **batches** of 64 |
# | `logits = …` | forward: 64 images in, 64 × 10 logits out; autograd writes the graph down |
# | `loss = …` | one number for these 64 images, from logits |
# | `zero_grad()` | forgets the gradients of the batch before; `backward()` adds to what is there |
# | `backward()` | goes back through the graph and puts into each weight's `.grad` its gradient |
# | `step()` | changes each weight by the rule, from its `.grad` and its state |
# | `losses.append(…)` | `.item()` keeps the number and lets the graph go; at the end the list is returned |
#
# So the answer to this lesson's question is two sentences long. `backward()` fills in the
# gradients and moves nothing. `step()` moves the weights, and knows nothing of the loss. What
# holds them together is `.grad`. For plain SGD it can be written out:

# %%
torch.manual_seed(0)
first, twin = models.mlp(), models.mlp()
twin.load_state_dict(first.state_dict())
few = digits.train[:64]
for network in (first, twin):
    F.cross_entropy(network(few.images), few.labels).backward()

torch.optim.SGD(first.parameters(), lr=0.1).step()
with torch.no_grad():  # the step itself is no part of the graph
    for w in twin.parameters():
        w -= 0.1 * w.grad

pairs = zip(first.parameters(), twin.parameters(), strict=True)
print("equal after the step:", all(torch.allclose(one, two, atol=1e-7) for one, two in pairs))

# %% [markdown]
# Without `zero_grad()`? A second `backward()` on the same images, and the gradient is doubled:

# %%
twin.zero_grad()
F.cross_entropy(twin(few.images), few.labels).backward()
once = twin[-1].bias.grad.clone()
F.cross_entropy(twin(few.images), few.labels).backward()
print("twice the gradient:", torch.allclose(twin[-1].bias.grad, 2 * once))

# %% [markdown]
# ### What does it reach?
#
# The article trains this MLP with Adam and batches of 64 for ten epochs, and claims an accuracy
# of 90 %. As published it does not run, since nothing flattens the images. `models.mlp()` does.
# Take Adam's usual lr of 0.001. (`fused=True` is the same rule, computed faster.)
#
# **Predict.** What share of the validation images does it get right after one epoch, not ten?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.96
### END SOLUTION

# %% tags=["nbval-ignore-output"]
after_one = []
for seed in (0, 1):
    training.seed_everything(seed)
    network = models.mlp()
    losses = train(network, adam(network.parameters(), lr=0.001, fused=True), digits.train, seed)
    after_one.append(training.evaluate(network, digits.validation).accuracy)
    print(f"seed {seed}: first loss {losses[0]:.2f}, validation accuracy {after_one[-1]:.2%}")
checks.compare_prediction(prediction, round(after_one[0], 2))
assert min(after_one) > 0.92
plotting.show_history(training.History(step_loss=losses))

# %% [markdown]
# One epoch gives more than the ten of the article. Such a claim can be too low as well as too
# high, and running it is the only way to know. Notice, too, what the seed alone does: same
# network, same images, same rule, and other first weights and another order. A difference between
# two settings that is no larger than that tells you nothing.
#
# The article also lists precision, recall and F1, with a wrong formula for the last (it is the
# harmonic mean). Lesson 06 has them.

# %% [markdown]
# ## Smaller weights
#
# A network can know its training images by heart and fail on others. That is overfitting; lesson 06
# shows it. Three remedies hold it back while it trains. The first is to make large weights
# cost something: add a **penalty** to the loss.
#
# $$\text{L2:}\ \ \frac{\lambda}{2} \sum w^2 \qquad\qquad \text{L1:}\ \ \lambda \sum |w|$$
#
# The gradient of the first is $\lambda w$, of the second $\lambda$ times the sign of $w$. Here is
# what each does to a weight that nothing else holds in place:


# %%
def shrink(w, penalty, lr=0.1, steps=12):
    """A weight under a penalty alone. Returns: its value before each step and at the end."""
    values = [w]
    for _ in range(steps):
        w = torch.tensor(w, requires_grad=True)
        penalty(w).backward()
        w = (w - lr * w.grad).item()
        values.append(w)
    return values


penalties = {"L2": lambda w: 1.0 / 2 * w**2, "L1": lambda w: 0.4 * w.abs()}
steps = range(13)
curves = {f"{k}, from {w}": (steps, shrink(w, f)) for w in (1.0, 0.3) for k, f in penalties.items()}
plotting.show_curves(curves, "step", "weight", y_limits=(-0.05, 1.05))

# %% [markdown]
# L2 takes away a share, here a tenth of what is there, so weights become small and never quite
# zero. L1 takes away an amount, here 0.04, so small weights soon reach zero, and then tremble
# around it. L1 is for those who want few weights, L2 for those who want no large one.
#
# ### Weight decay
#
# With plain SGD the L2 penalty comes to this: before each step, multiply $w$ by
# $1 - \text{lr} \cdot \lambda$. That is called **weight decay**, and `torch.optim` has an argument for it.

# %%
g = torch.tensor([3.0, -1.0], dtype=torch.float64)
w = torch.tensor([2.0, 0.5], dtype=torch.float64, requires_grad=True)
with_penalty = w - 0.1 * (g + 0.01 * w)
decayed = (1 - 0.1 * 0.01) * w - 0.1 * g
w.grad = g.clone()
sgd([w], lr=0.1, weight_decay=0.01).step()
print("penalty:        ", [round(x, 6) for x in with_penalty.tolist()])
print("decay:          ", [round(x, 6) for x in decayed.tolist()])
print("torch.optim.SGD:", [round(x, 6) for x in w.tolist()])

# %% [markdown]
# In Adam the two are not the same. `torch.optim.Adam(weight_decay=λ)` adds $\lambda w$ to the
# gradient, and Adam then divides by the size of the gradient. `torch.optim.AdamW` multiplies the
# weight, past all that (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019).
#
# **Predict.** A weight is 1, its gradient from the data is 0, lr is 0.01. With weight_decay 0.001
# Adam's first step has some length. With 0.1 it is how many times as long?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 1
### END SOLUTION


# %%
def first_step(optimizer, weight_decay, grad=0.0):
    """How far a weight of 1 moves in the first step. Returns: a number."""
    w = nn.Parameter(torch.ones(1, dtype=torch.float64))
    w.grad = torch.full_like(w, grad)
    optimizer([w], lr=0.01, weight_decay=weight_decay).step()
    return 1 - w.item()


lengths = [first_step(adam, decay) for decay in (0.001, 0.1)]
checks.compare_prediction(prediction, round(lengths[1] / lengths[0], 2))
print("how far          weight_decay 0.001   weight_decay 0.1")
for grad in (0.0, 100.0):
    for optimizer in (adam, torch.optim.AdamW):
        moved = [first_step(optimizer, decay, grad) for decay in (0.001, 0.1)]
        print(f"gradient {grad:3.0f}, {optimizer.__name__:5} {moved[0]:10.5f} {moved[1]:20.5f}")

# %% [markdown]
# Adam moves by lr, all four times. With gradient 0 the smallest penalty drives the weight as fast
# as a large one; with gradient 100 the penalty makes no difference. AdamW does what was meant: it
# takes lr · λ of the weight away, beside the step. So if you want weight decay with Adam, take
# AdamW.
#
# ## Dropout
#
# The second remedy: in training, let each number of a layer drop out with probability $p$, that
# is, put 0 in its place, anew for every batch (Srivastava et al., 2014). No output can then rely
# on one single other. In use, in **eval mode**, nothing drops out.

# %%
torch.manual_seed(0)
layer = nn.Dropout(p=0.25)
ones = torch.ones(3, 4)
shown = {"input": ones, "training mode": layer.train()(ones), "eval mode": layer.eval()(ones)}
plotting.show_grids(shown)
many = F.dropout(torch.ones(1_000_000), p=0.25)
print(f"of a million: {(many == 0).float().mean():.2f} dropped, mean of all {many.mean():.2f}")

# %% [markdown]
# What is left has become 1.33. If a quarter is dropped, the sums of the next layer would be a
# quarter smaller than in use. So the rest is divided by $1 - p$, here 1/0.75 = 1.33, and the mean
# stays at 1.

# %% [markdown]
# ### Exercise 6 · Dropout  ★★☆ 6 minutes
#
# Chance is handed in, so that it can be checked: `draws` holds a number between 0 and 1 for each
# cell of x. A cell is dropped where its draw is below p.


# %%
def dropout(x, draws, p, training=True):
    """Dropout as PyTorch does it. x, draws: one shape. p: in [0, 1). Returns: a tensor like x."""
    ### BEGIN SOLUTION
    if not training:
        return x
    kept = (draws >= p).to(x.dtype)
    return x * kept / (1 - p)
    ### END SOLUTION


# %%
dropout(torch.ones(4), torch.tensor([0.1, 0.6, 0.3, 0.9]), p=0.5)  # try it: should be 0, 2, 0, 2

# %%
checks.dropout(dropout)

# %% [markdown]
# <details><summary>Hint 1: who stays</summary>
#
# `draws >= p` is True where a cell stays. Multiplied with x, True counts as 1 and False as 0.
#
# </details>
#
# <details><summary>Hint 2: the modes</summary>
#
# In eval mode return x as it is. Only in training is there something to drop and to divide.
#
# </details>

# %% [markdown]
# In a network, `network.train()` and `network.eval()` set the mode of all layers. If you forget
# `eval()`, you get another answer each time:

# %%
torch.manual_seed(0)
dropping = nn.Sequential(nn.Linear(4, 50), nn.ReLU(), nn.Dropout(0.5), nn.Linear(50, 3))
x = torch.randn(1, 4)
for mode in (True, False):
    dropping.train(mode)
    same = torch.equal(dropping(x), dropping(x))
    print(f"{'training' if mode else 'eval':8} mode: the same answer twice is {same}")

# %% [markdown]
# The third remedy is to stop in time, and lesson 06 has it. Which remedy helps, and how much of
# it, only the validation images can say.
#
# ## Schedules
#
# Large steps come far, small steps finish. A **schedule** changes lr while the training runs.
# Three that are common, over 100 steps: `StepLR` halves it, here after every 25.
# `CosineAnnealingLR` lets it fall along half a cosine wave, as
# $\tfrac12 \text{lr}_0\,(1 + \cos(\pi t / 100))$ after $t$ steps. `OneCycleLR` begins small, climbs for
# the first 30 steps and then falls (Smith and Topin, 2018), so that the first steps, from random
# weights, do no harm.

# %%
schedules = {
    "step": lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=25, gamma=0.5),
    "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=100),
    "one-cycle": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=100),
}
rates = {}
for name, make in schedules.items():
    optimizer = sgd([nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
    schedule, rates[name] = make(optimizer), []
    for _ in range(100):
        rates[name].append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()

by_hand = [0.05 * (1 + torch.tensor(torch.pi * t / 100).cos().item()) for t in range(100)]
assert torch.allclose(torch.tensor(rates["cosine"]), torch.tensor(by_hand))


# %%
@plotting.in_style
def draw_schedules(rates):
    """The learning rate of each step, one picture for each schedule."""
    figure = Figure(figsize=(plotting.WIDTH, 2.3), layout="constrained")
    for axes, (name, rate) in zip(figure.subplots(1, 3, sharey=True), rates.items(), strict=True):
        axes.plot(rate, marker="none", drawstyle="steps-post" if name == "step" else "default")
        axes.set(title=name, xlabel="step", ylim=(0, 0.105))
        axes.grid(axis="y")
    figure.axes[0].set_ylabel("lr")
    said = [
        f"{k} goes from {v[0]:.3f} to {v[-1]:.3f}, at most {max(v):.2f}" for k, v in rates.items()
    ]
    figure.alt_text = f"The learning rate over 100 steps: {'; '.join(said)}."
    print("\n".join(said))
    return figure


plotting.show(draw_schedules(rates))

# %% [markdown]
# In the loop it is one more line behind `optimizer.step()`, `schedule.step()`. `training.fit` is
# the loop from above with that line, validation, and a progress bar. One epoch, Adam, lr up to
# 0.003 and down to 0 in one cycle:

# %% tags=["nbval-ignore-output"]
training.seed_everything(0)
network = models.mlp()
optimizer = adam(network.parameters(), lr=0.003, fused=True)
history = training.fit(
    network,
    digits.train,
    validation=digits.validation,
    optimizer=optimizer,
    schedule="one-cycle",
    progress=False,
)
reached = history.epochs[-1].validation_accuracy
assert reached > 0.95
print(f"constant lr: {after_one[0]:.2%} and {after_one[1]:.2%}. One cycle: {reached:.2%}")

# %% [markdown]
# Is that more than the seeds differ by? Look, and try other seeds before you believe it. Then the
# last step, once: the test images.

# %% tags=["nbval-ignore-output"]
final = training.evaluate(network, digits.test)
assert final.accuracy > 0.93
print(f"the MLP after one epoch: {final.accuracy:.2%} of the test images. Claimed: 90 %.")

# %% [markdown]
# **Change one thing:** `epochs=10` in `training.fit`, as many as in the article. What validation
# accuracy does this network reach? (The test images have had their look.) Lesson 06 takes a
# network with convolutions.

# %% [markdown]
# ## Recap
#
# - **The loss.** Cross-entropy is −ln of the probability that the softmax gives the true class.
#   Computed from logits it is logsumexp minus the true logit, and large logits do no harm. Its
#   gradient is softmax minus target.
# - **The step.** `backward()` fills `.grad`, `step()` moves the weights. SGD goes lr · g.
#   Momentum adds up old gradients, so what flips cancels. Adam divides by the gradient's usual
#   size, so each weight moves by about lr or less.
# - **The loop.** Batch, forward, loss, `zero_grad`, `backward`, `step`. Weight decay makes
#   weights smaller, with Adam only as AdamW; dropout needs `train()` and `eval()`; a schedule
#   ends with small steps.
#
# Common mistakes:
#
# - a softmax in front of `F.cross_entropy`, which takes logits
# - forgetting `zero_grad()`, so that gradients add up
# - a learning rate that is too large: the loss grows or becomes nan
# - Adam without bias correction, or with `weight_decay` where AdamW is meant
# - forgetting `eval()` before asking for answers
# - believing a difference that is no larger than that between two seeds
#
# **A question to take along:** multiply the loss by 1000 and change nothing else. What happens to
# the steps of SGD, and what to those of Adam? And if a penalty is part of the loss?
#
# Next: [06 · A CNN for MNIST](06_mnist_cnn.ipynb), on how to train one properly.

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
# # 13 · Scaling up
#
# **Question: what changes between 44 thousand parameters and 175 billion?**
#
# You will be able to
#
# - count the parameters of BERT, GPT-2 and GPT-3 from their sizes, and check the count on a laptop
# - say what one training step costs in memory and in arithmetic, and measure it
# - split a step, in time or among processes, and show that the gradients stay the same
#
# *55 minutes. Before this: [09 · Depth and parameters](09_depth_and_parameters.ipynb) and
# [12 · Deploy](12_deploy.ipynb).*

# %%
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from course_utils import anatomy, checks, data, models, plotting, workers

# %% [markdown]
# ## The other kind of network
#
# Large language models are not convolutional. They are **transformers** (Vaswani and others, 2017). You
# know most of the parts:
#
# - a text is cut into **tokens**, words or pieces of words. An `Embedding` gives each token a vector
#   of $d$ numbers, and a second one adds a vector for its place in the text;
# - then come $L$ equal **blocks**, each with a residual connection around both of its halves;
# - a block's first half is **attention**, its second half two `Linear` layers with an activation between.
#
# A convolution mixes a cell with its neighbours, and the weights of the sum are learned. Attention mixes a token
# with all tokens before it, and the weights of the sum are computed from the tokens themselves. The
# learned part is four `Linear` layers: three that make query, key and value of each token, one for the result.


# %%
class Block(nn.Module):
    """One block of GPT-2. x: (N, T, d), T tokens. Returns the same shape."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.query_key_value, self.result = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        parts = self.query_key_value(self.norm1(x)).unflatten(2, (3 * self.heads, -1))
        query, key, value = parts.transpose(1, 2).chunk(3, dim=1)  # each (N, heads, T, d / heads)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.result(mixed.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


# %% [markdown]
# The whole model is short, too. Its last layer, which gives each token of the vocabulary a logit, has no weights of
# its own: it uses the token embedding once more.


# %%
class GPT(nn.Module):
    """GPT-2's architecture. tokens: (N, T) int64. Returns: logits (N, T, vocabulary)."""

    def __init__(self, layers, d, heads, vocabulary, context):
        super().__init__()
        self.token, self.place = nn.Embedding(vocabulary, d), nn.Embedding(context, d)
        self.blocks = nn.Sequential(*[Block(d, heads) for _ in range(layers)])
        self.norm = nn.LayerNorm(d)

    def forward(self, tokens):
        x = self.token(tokens) + self.place.weight[: tokens.shape[1]]
        return self.norm(self.blocks(x)) @ self.token.weight.T


# %% [markdown]
# A tiny one runs at once. Does it really look only backwards? Change token 5 of 8 (counting from 0) and see
# which outputs move.

# %%
torch.manual_seed(0)
tiny = GPT(layers=2, d=32, heads=4, vocabulary=100, context=16)
tokens = torch.arange(8)[None]
changed = tokens.clone()
changed[0, 5] = 99
moved = (tiny(tokens) - tiny(changed)).abs().amax(2) > 0
assert moved.tolist() == [[False] * 5 + [True] * 3]
plotting.show_grids({"does the output at this place change?": moved.int()})

# %% [markdown]
# ## Count a block
#
# A `Linear` layer from $a$ to $b$ has $a \cdot b$ weights and $b$ biases. A layer norm over $d$ numbers has $2d$: a scale
# and a shift for each.

# %% [markdown]
# ### Exercise 1 · The parameters of a block  ★★☆ 8 minutes
#
# How many parameters does a `Block` of width $d$ have? Read it off the class above and write it as a formula,
# not by making the block.


# %%
def block_parameters(d):
    """The number of parameters of a block of width d."""
    ### BEGIN SOLUTION
    attention = (d * 3 * d + 3 * d) + (d * d + d)
    two_linear = (d * 4 * d + 4 * d) + (4 * d * d + d)
    two_norms = 2 * 2 * d
    return attention + two_linear + two_norms
    ### END SOLUTION


# %%
checks.block_parameters(block_parameters)

# %% [markdown]
# <details><summary>Hint 1: how many layers</summary>
#
# Four `Linear` layers (d to 3d, d to d, d to 4d, 4d to d) and two layer norms.
#
# </details>
# <details><summary>Hint 2: biases</summary>
#
# A layer has as many biases as outputs: 3d, d, 4d and d.
#
# </details>

# %% [markdown]
# The result is $12 d^2 + 13 d$. For large $d$ the square is nearly all of it, and of the $12 d^2$ four are
# attention's and eight belong to the two `Linear` layers.
#
# **Predict.** GPT-3 is 16 times as wide as GPT-2 ($d$ = 12,288 against 768). How many times as many parameters does one
# of its blocks have, about?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 256
### END SOLUTION


# %%
def block_count(d):
    return 12 * d**2 + 13 * d


assert all(anatomy.count_parameters(Block(d, heads=4)) == block_count(d) for d in (4, 32, 768))
checks.compare_prediction(prediction, round(block_count(12_288) / block_count(768)))

# %% [markdown]
# ## Three published models
#
# Now the whole: the token embedding, the places, $L$ blocks, a last layer norm. BERT-base (Devlin and others,
# 2018) is a text model as well, from the same kind of blocks. It reads in both directions, adds an embedding for two segments, a
# norm behind the embeddings instead of one at the end, and a last `Linear` layer, the pooler.

# %% [markdown]
# ### Exercise 2 · The parameters of a GPT  ★★☆ 6 minutes
#
# Write the count of the class `GPT`, again as a formula. `block_count(d)` from above is yours to use.


# %%
def gpt_parameters(layers, d, vocabulary, context):
    """The number of parameters of a GPT with these sizes."""
    ### BEGIN SOLUTION
    return (vocabulary + context) * d + layers * block_count(d) + 2 * d
    ### END SOLUTION


# %%
checks.gpt_parameters(gpt_parameters)

# %% [markdown]
# <details><summary>Hint 1: an embedding</summary>
#
# An embedding is a table: one row of d numbers for each token, or for each place. It has no bias.
#
# </details>
# <details><summary>Hint 2: the last layer</summary>
#
# It uses the token embedding a second time. What is counted once is not counted again.
#
# </details>

# %% [markdown]
# To check a formula for 175 billion you would like to make the model and count. In float32 it needs 4 bytes a
# parameter, 700 GB. But PyTorch has a device for this: on **meta**, a tensor has a shape and a dtype, and no
# numbers at all.

# %%
with torch.device("meta"):
    gpt2 = GPT(layers=12, d=768, heads=12, vocabulary=50_257, context=1024)
    gpt3 = GPT(layers=96, d=12_288, heads=96, vocabulary=50_257, context=2048)
largest = max(gpt3.parameters(), key=lambda p: p.numel())
print(f"{largest.device}: {tuple(largest.shape)}, {largest.numel():,} numbers, none of them stored")

# %% [markdown]
# BERT-base can be made of PyTorch's own encoder layers, which have the same parts:

# %%
with torch.device("meta"):
    blocks = [nn.TransformerEncoderLayer(768, nhead=12, dim_feedforward=3072) for _ in range(12)]
    bert = nn.ModuleDict(
        {
            "token": nn.Embedding(30_522, 768),
            "place": nn.Embedding(512, 768),
            "segment": nn.Embedding(2, 768),
            "norm": nn.LayerNorm(768),
            "blocks": nn.ModuleList(blocks),
            "pooler": nn.Linear(768, 768),
        }
    )

# %%
d, wide = 768, 12_288
formulas = {
    "BERT-base": (30_522 + 512 + 2) * d + 2 * d + 12 * block_count(d) + d * d + d,
    "GPT-2": (50_257 + 1024) * d + 12 * block_count(d) + 2 * d,
    "GPT-3": (50_257 + 2048) * wide + 96 * block_count(wide) + 2 * wide,
}
published = {"BERT-base": 109_482_240, "GPT-2": 124_439_808, "GPT-3": 174_600_000_000}
print(f"{'model':10} {'formula':>15} {'modules':>15} {'published':>15}")
for (name, count), model in zip(formulas.items(), (bert, gpt2, gpt3), strict=True):
    assert anatomy.count_parameters(model) == count
    assert abs(count / published[name] - 1) < 1e-4
    print(f"{name:10} {count:15,} {anatomy.count_parameters(model):15,} {published[name]:15,}")

# %% [markdown]
# All three agree. Two words on "published":
#
# - The first two are the counts of the released weights: the original BERT-base for lower-cased English, and the smallest
#   GPT-2. The papers round, to 110 million, and to 117 million for GPT-2, which OpenAI later
#   corrected to 124 million.
# - No weights of GPT-3 were released. Its paper (Brown and others, 2020) says 175.0 billion in table 2.1 and
#   174,600 million in its table of training costs, D.1. The formula gives the second.
#
# Where are they? Layer by layer:

# %%
print(f"{'part':24} {'GPT-2':>13} {'GPT-3':>17}   share of GPT-3")
total = anatomy.count_parameters(gpt3)
inside = [(f"{name} × L", name) for name in ("query_key_value", "result", "up", "down")]
for title, name in [("token", "token"), ("place", "place"), *inside]:
    two, three = (
        sum(p.numel() for path, p in model.named_parameters() if f".{name}." in f".{path}")
        for model in (gpt2, gpt3)
    )
    print(f"{title:24} {two:13,} {three:17,}   {three / total:6.1%}")

# %% [markdown]
# In GPT-2 almost a third is the vocabulary. In GPT-3 hardly anything is: the vocabulary grew with $d$, the blocks
# with $d^2$ and with $L$.

# %% [markdown]
# ## What a step has to remember
#
# Running a model takes its weights. Training takes more. For each parameter there is a gradient, and Adam keeps
# two running averages (lesson 05). In float32 each of these is 4 bytes.
#
# **Predict.** Weights, gradients and Adam's two averages: how many bytes a parameter?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 16
### END SOLUTION

# %%
model = models.mnist_cnn()
optimizer = torch.optim.Adam(model.parameters())
F.cross_entropy(model(torch.rand(64, 1, 28, 28)), torch.arange(64) % 10).backward()
optimizer.step()
parts = {"weights": list(model.parameters()), "gradients": [p.grad for p in model.parameters()]}
for name in ("exp_avg", "exp_avg_sq"):
    parts[f"Adam's {name}"] = [state[name] for state in optimizer.state.values()]
sizes = {name: sum(t.nbytes for t in tensors) for name, tensors in parts.items()}
for name, size in sizes.items():
    print(f"{name:18} {size:9,} bytes")
checks.compare_prediction(prediction, sum(sizes.values()) // anatomy.count_parameters(model))

# %% [markdown]
# ### Exercise 3 · The memory of GPT-3  ★☆☆ 5 minutes
#
# A graphics card has 80 GB, $80 \cdot 10^9$ bytes. How many cards does it take at the least to hold, in float32,
#
# 1. the weights of GPT-3, to run it,
# 2. all that SGD without momentum keeps, to train it,
# 3. all that Adam keeps?
#
# Take 174,604,259,328 parameters. Write three whole numbers, `[first, second, third]`.

# %%
cards = None
### BEGIN SOLUTION
cards = [9, 18, 35]
### END SOLUTION

# %%
checks.cards_for_gpt3(cards)

# %% [markdown]
# <details><summary>Hint 1: bytes</summary>
#
# Running takes 4 bytes a parameter. SGD keeps weights and gradients. Adam keeps four numbers for each parameter.
#
# </details>
# <details><summary>Hint 2: whole cards</summary>
#
# `math.ceil(bytes / 80e9)`: what does not fit on 8 cards needs a ninth.
#
# </details>

# %% [markdown]
# That was what depends on the parameters. The rest depends on the batch. The backward pass needs numbers from the forward pass: a
# convolution needs its input to find dL/dW (lesson 04), max pooling needs to know who won. What is kept for
# it is called the **activations**. PyTorch tells us about each tensor it keeps:


# %%
def kept_for_backward(net, images, labels):
    """The tensors that a forward pass keeps, without the parameters: [(shape, dtype, bytes)]."""
    own, kept = {p.data_ptr() for p in net.parameters()}, {}

    def keep(tensor):
        if tensor.data_ptr() not in own:  # a tensor that two layers need is kept once
            size = tensor.untyped_storage().nbytes()
            kept[tensor.untyped_storage().data_ptr()] = (tuple(tensor.shape), tensor.dtype, size)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        F.cross_entropy(net(images), labels)
    return list(kept.values())


# %%
net = nn.Sequential(
    nn.Conv2d(1, 8, kernel_size=5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1152, 10)
)
kept = kept_for_backward(net, torch.rand(64, 1, 28, 28), torch.arange(64) % 10)
for shape, dtype, size in kept:
    print(f"{shape!s:18} {str(dtype).removeprefix('torch.'):8} {size:9,} bytes")

# %% [markdown]
# Read it from the top: the convolution's input; the output of ReLU, kept once for ReLU and for the pooling; where the
# winners of the pooling stand, 8 bytes each; the input of the `Linear` layer; what cross-entropy needs. In a formula, for a batch
# of $N$:

# %%
a_row = 4 * 784 + 4 * 8 * 24 * 24 + 8 * 8 * 12 * 12 + 4 * 1152 + 4 * 10 + 8
for n in (1, 64, 256):
    kept = kept_for_backward(net, torch.rand(n, 1, 28, 28), torch.arange(n) % 10)
    measured = sum(size for _, _, size in kept)
    assert measured == n * a_row + 4  # and one number: the sum of the labels' weights
    print(f"batch of {n:3}: computed {n * a_row + 4:9,} bytes, measured {measured:9,}")
print(f"weights, gradients, Adam: {16 * anatomy.count_parameters(net):,} bytes, whatever the batch")

# %% [markdown]
# Equal to the byte. And for a network this small the activations are by far the larger part. If a step does not fit into
# memory, the batch is the first thing to make smaller. How to do that without changing the training comes
# below.
#
# ## What a step has to compute
#
# The forward pass takes one MAC, 2 FLOPs, for each weight of a `Linear` layer and each token. The
# backward pass does about twice that: one product of the same size for the gradient of the input, one for
# the gradient of the weights. Together about **6 FLOPs for each parameter and each token** (Kaplan and others, 2020).

# %%
images, labels = torch.rand(64, 1, 28, 28), torch.arange(64) % 10
with FlopCounterMode(display=False) as forward:
    loss = F.cross_entropy(model(images), labels)
with FlopCounterMode(display=False) as backward:
    loss.backward()
macs = sum(row.macs for row in anatomy.summarize(model, (1, 28, 28)).rows)
assert forward.get_total_flops() == 2 * 64 * macs
ratio = backward.get_total_flops() / forward.get_total_flops()
assert 1.7 < ratio < 2
print(f"forward: {forward.get_total_flops():,} FLOPs, which is 2 · 64 images · {macs:,} MACs")
print(f"backward: {ratio:.2f} times as many (the first layer needs no gradient of its input)")

# %% [markdown]
# The counter needs shapes only, so it works on meta as well. Send one whole text through GPT-2 and GPT-3, without
# computing a single number:

# %%
for name, giant, context in (("GPT-2", gpt2, 1024), ("GPT-3", gpt3, 2048)):
    with FlopCounterMode(display=False) as counter:
        giant(torch.zeros(1, context, dtype=torch.int64, device="meta"))
    each = counter.get_total_flops() / context / anatomy.count_parameters(giant)
    assert 2 < each < 2.4
    print(f"{name}: {each:.2f} FLOPs for each parameter and token, forward")

# %% [markdown]
# The rule says 2. What is above 2 is attention, where every token looks at every other, and which has no
# weights to count by.
#
# GPT-3 was trained on 300 billion tokens (table D.1). So 6 · parameters · tokens:

# %%
flops = 6 * anatomy.count_parameters(gpt3) * 300e9
assert abs(flops / 3.14e23 - 1) < 0.01
print(f"{flops:.3g} FLOPs; the paper says 3.14e+23")

# %% [markdown]
# How long would that take here? Large matrix products are what a processor does best, so take its speed at those.
#
# **Predict.** Training GPT-3 on this machine: how many years?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 100_000
### END SOLUTION

# %% tags=["nbval-ignore-output", "measured"]
from time import perf_counter

square, times = torch.rand(1024, 1024), []
for _ in range(9):
    start = perf_counter()
    square @ square
    times.append(perf_counter() - start)
rate = 2 * 1024**3 / sorted(times)[4]
years = flops / rate / (365 * 24 * 3600)
print(f"{rate / 1e9:.0f} billion FLOPs a second")
checks.compare_prediction(prediction, float(f"{years:.1g}"))

# %% [markdown]
# So no machine does it alone. What follows are the three tricks that everybody uses: do the batch in pieces, compute with shorter
# numbers, and share the work.
#
# ## A batch in pieces
#
# The loss of a batch is a mean over its images, and so is its gradient. So you may run 16 images, then the next 16,
# and so on, and add up the gradients before the one `optimizer.step()`. This is **gradient accumulation**. PyTorch adds to
# `.grad` anyway, unless you call `zero_grad`. Only one batch of 16 is in memory at any time.


# %%
def gradient_of(net, loss):
    """All of a network's gradients as one vector."""
    net.zero_grad()
    loss.backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


torch.manual_seed(0)
net = models.lenet().double()
images, labels = torch.rand(64, 1, 28, 28).double(), torch.randint(10, (64,))
whole = gradient_of(net, F.cross_entropy(net(images), labels))
net.zero_grad()
for piece in torch.arange(64).split(16):
    (F.cross_entropy(net(images[piece]), labels[piece]) / 4).backward()
pieces = torch.cat([p.grad.flatten() for p in net.parameters()])
assert (whole - pieces).abs().max() < 1e-12
print("Four pieces of 16 give the gradient of the 64, to 12 digits behind the point.")

# %% [markdown]
# **Predict.** Someone forgets the `/ 4`. How many times as long is the step that SGD takes?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 4
### END SOLUTION

# %%
net.zero_grad()
for piece in torch.arange(64).split(16):
    F.cross_entropy(net(images[piece]), labels[piece]).backward()
undivided = torch.cat([p.grad.flatten() for p in net.parameters()])
checks.compare_prediction(prediction, round((undivided.norm() / whole.norm()).item(), 6))

# %% [markdown]
# One layer does not play along. Batch normalisation takes mean and deviation over the images that it sees together, and in
# pieces these are others:

# %%
torch.manual_seed(0)
net = models.mnist_cnn().double()
with_norm = gradient_of(net, F.cross_entropy(net(images), labels))
halves = [
    gradient_of(net, F.cross_entropy(net(images[h]), labels[h])) for h in (slice(32), slice(32, 64))
]
off = (with_norm - sum(halves) / 2).norm() / with_norm.norm()
assert off > 0.01
print(f"with batch norm, in two halves: the gradient is off by {off:.0%} of its length")

# %% [markdown]
# Transformers use layer norm instead. It takes its mean over the features of one token, so it does not matter
# which others are there.

# %% [markdown]
# ### Exercise 4 · Put the pieces together  ★★☆ 7 minutes
#
# The last piece of an epoch is often smaller than the others. You have the mean gradient of each piece, and how many images each
# had. What is the mean gradient over all images?


# %%
def combine(gradients, counts):
    """The gradient of the whole batch. gradients: (P, n), a row for each piece. counts: (P,) int64.

    Returns: (n,).
    """
    ### BEGIN SOLUTION
    return (gradients * counts[:, None]).sum(0) / counts.sum()
    ### END SOLUTION


# %%
checks.combine_gradients(combine)

# %% [markdown]
# <details><summary>Hint 1: what a mean is</summary>
#
# A mean gradient times its number of images is a sum over those images. Sums may be added.
#
# </details>
# <details><summary>Hint 2: shapes</summary>
#
# `counts[:, None]` is (P, 1) and multiplies each row by its own number.
#
# </details>

# %% [markdown]
# ## Shorter numbers
#
# A float32 takes 32 bits. Two shorter formats take 16 and are computed much faster where the processor has circuits for
# them. They split their bits in different ways:

# %%
print(f"{'format':9} bits  {'largest':>8}  {'smallest':>8}  {'step after 1':>12}")
for dtype in (torch.float32, torch.float16, torch.bfloat16):
    info = torch.finfo(dtype)
    least = info.tiny * info.eps  # the smallest above 0, with leading zeros
    name = str(dtype).removeprefix("torch.")
    print(f"{name:9} {info.bits:4}  {info.max:8.2g}  {least:8.2g}  {info.eps:12.2g}")

# %% [markdown]
# **float16** is fairly exact, but its range is small: 65,504 at most. **bfloat16** has the range of float32 and
# two to three digits. Each fails in its own way.
#
# **Predict.** Take the number 1 in bfloat16 and add 0.001, a thousand times. What comes out?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 1
### END SOLUTION

# %%
weight = torch.tensor(1.0, dtype=torch.bfloat16)
for _ in range(1000):
    weight += 0.001
checks.compare_prediction(prediction, weight.item())

# %% [markdown]
# The next number after 1 is 1.0078. A step of 0.001 is rounded away, every time. Updates of weights are such small
# steps. So in **mixed precision** (Micikevicius and others, 2018) the weights and the optimizer stay in float32;
# only the large products are computed in 16 bits. `torch.autocast` does that:

# %%
torch.manual_seed(0)
net = models.lenet()
with torch.autocast("cpu", dtype=torch.bfloat16):
    logits = net(torch.rand(64, 1, 28, 28))
    loss = F.cross_entropy(logits, labels)
loss.backward()
print(f"logits: {logits.dtype}, loss: {loss.dtype}")
print(f"weights: {net.conv1.weight.dtype}, their gradients: {net.conv1.weight.grad.dtype}")

# %% [markdown]
# Does a network learn as well that way? The same start, the same batches, once in float32 and once
# with autocast:

# %% tags=["nbval-ignore-output"]
steps = torch.arange(64 * 80).split(64)
train = data.load_digits().train[torch.cat(steps)]  # a copy: the other 200 MB are free again
curves = {}
for name, wanted in (("float32", False), ("bfloat16", True)):
    torch.manual_seed(0)
    net, losses = models.lenet(), []
    optimizer = torch.optim.Adam(net.parameters(), lr=0.003)
    for batch in steps:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=wanted):
            loss = F.cross_entropy(net(train.images[batch]), train.labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    curves[name] = (torch.arange(8) * 10 + 5, torch.tensor(losses).view(8, 10).mean(1))
plotting.show_curves(curves, x_label="step (means of 10)", y_label="training loss")
assert curves["bfloat16"][1][-1] < 0.5 * curves["bfloat16"][1][0]

# %% [markdown]
# On a machine without circuits for 16 bits it is slower, not faster. Here only the result matters: both learn.
#
# float16 has the other trouble. Many gradients are smaller than its smallest number, and become 0. The way out is **loss
# scaling**: multiply the loss by a large number $s$, and so every gradient; compute in float16; come back to
# float32; divide by $s$. Here with $s = 2^{16}$:

# %%
gradients = 10.0 ** torch.arange(-12, -3)
lost = gradients.half() == 0
saved = (gradients * 2**16).half() == 0
names = [f"1e{int(e)}" for e in torch.arange(-12, -3)]
print("gradient  ", *names)
print("float16   ", *(" 0  " if gone else " ok " for gone in lost))
print("scaled    ", *(" 0  " if gone else " ok " for gone in saved))

# %% [markdown]
# How large may $s$ be? Too large, and the largest gradient becomes infinite. Trainers that use float16 look for
# the limit while they run: they double $s$ now and then, and halve it when something became infinite.

# %% [markdown]
# ### Exercise 5 · The largest scale  ★★☆ 7 minutes
#
# Find the largest power of two, …, ¼, ½, 1, 2, 4, …, with which no gradient becomes infinite in float16.


# %%
def largest_scale(gradients):
    """The largest power of two that keeps all of them finite. gradients: float32, any shape.

    Returns: a float.
    """
    ### BEGIN SOLUTION
    scale = 2.0**20
    while not (gradients * scale).half().isfinite().all():
        scale /= 2
    while (gradients * scale * 2).half().isfinite().all():
        scale *= 2
    return scale
    ### END SOLUTION


# %%
checks.loss_scale(largest_scale)

# %% [markdown]
# <details><summary>Hint 1: how to ask</summary>
#
# `(gradients * scale).half()` converts to float16. `.isfinite().all()` says whether all of them fit.
#
# </details>
# <details><summary>Hint 2: which way</summary>
#
# Begin anywhere. Halve while something is infinite; then double while it still fits.
#
# </details>

# %% [markdown]
# ## Many workers
#
# **Data parallelism**: every worker has a copy of the network and its own share of the batch. Each computes the gradient of its share.
# Then they exchange: the **all-reduce** leaves the sum of all gradients with every worker. Each divides by
# the number of workers and takes the same step, so the copies stay equal.
#
# It is gradient accumulation, side by side. Here is a worker. `torchrun` starts it several times and tells each copy its number,
# the **rank**.

# %%
WORKER = """
import sys, torch, torch.distributed as dist, torch.nn.functional as F
import torch.distributed.nn  # before the group: its functions keep one that they find
from course_utils import models

dist.init_process_group("gloo")  # how processors talk; graphics cards use "nccl"
rank, world = dist.get_rank(), dist.get_world_size()
given = torch.load(sys.argv[1], weights_only=True)
mine = torch.arange(len(given["labels"])).chunk(world)[rank]

def gradients_of(net, call):
    net.load_state_dict(given["weights"])
    F.cross_entropy(call(given["images"][mine]), given["labels"][mine]).backward()
    return [p.grad for p in net.parameters()]

net, twin = models.lenet().double(), models.lenet().double()
for gradient in (own := gradients_of(net, net)):
    dist.all_reduce(gradient)  # now the sum over all workers
    gradient /= world
wrapped = gradients_of(twin, torch.nn.parallel.DistributedDataParallel(twin))
torch.save({"rank": rank, "own": own, "wrapped": wrapped}, f"{sys.argv[1]}.{rank}")
dist.destroy_process_group()  # nothing else holds the group, so its threads end here
"""

# %% [markdown]
# The second half does the same with `DistributedDataParallel`, which is what one uses: it wraps the network, and its
# backward pass does the exchange.
#
# `destroy_process_group` ends the group's threads only if nothing else holds the group, and a thread that outlives Python can
# abort a worker whose work is done: so let go of the wrapper first. Here it is gone when `gradients_of` returns.
#
# Now start two workers, as `torchrun --standalone --nproc-per-node=2 worker.py given` does in a terminal. This makes new Python
# processes, so it takes some seconds.

# %%
from pathlib import Path
from tempfile import mkdtemp

torch.manual_seed(0)
net, folder = models.lenet().double(), Path(mkdtemp())
given = {"weights": net.state_dict(), "images": images, "labels": labels}
torch.save(given, folder / "given")
(folder / "worker.py").write_text(WORKER, encoding="utf-8")
workers.run(2, folder / "worker.py", "given")

# %%
whole = gradient_of(net, F.cross_entropy(net(images), labels))
for rank in (0, 1):
    said = torch.load(folder / f"given.{rank}", weights_only=True)
    for way in ("own", "wrapped"):
        gap = (torch.cat([g.flatten() for g in said[way]]) - whole).abs().max()
        assert gap < 1e-12
        print(f"worker {said['rank']}, {way:7}: equal to one process with the whole batch")

# %% [markdown]
# Two workers with 32 images each gave the gradient of one process with all 64, to 12 digits behind the point.
#
# ## When one copy does not fit
#
# Data parallelism needs a whole copy in each worker. GPT-3 does not fit on one card, so its layers have to be split as well:
# **model parallelism**. A `Linear` layer can be cut in two ways, and neither changes the result.

# %%
torch.manual_seed(0)
x, weight = torch.randn(5, 8).double(), torch.randn(6, 8).double()
right = x @ weight.T
by_outputs = torch.cat([x @ half.T for half in weight.chunk(2)], dim=1)
by_inputs = sum(a @ b.T for a, b in zip(x.chunk(2, 1), weight.chunk(2, 1), strict=True))
torch.testing.assert_close(by_outputs, right)
torch.testing.assert_close(by_inputs, right)
print("by outputs: set the halves side by side; by inputs: add them up")

# %% [markdown]
# Cut by outputs, each worker computes some of the results, from the whole input. Cut by inputs, each computes a part of every sum, and
# the parts are added: an all-reduce again. Or whole layers go to different workers, which hand the activations on
# (**pipeline** parallelism). Large models are trained with all of these at
# once (Narayanan and others, 2021).
#
# ## From the sum to the system
#
# In lesson 01 one output number was a sum of four products. Look at the numbers once more:

# %% tags=["cover"]
sizes = {
    "the 2 × 2 kernel of lesson 01": 4,
    "the course's network": anatomy.count_parameters(models.mnist_cnn()),
    "GPT-2": anatomy.count_parameters(gpt2),
    "GPT-3": anatomy.count_parameters(gpt3),
}


@plotting.in_style
def draw_sizes():
    """A line for each model, as long as the logarithm of its parameters."""
    figure = Figure(figsize=(plotting.WIDTH, 2.2), layout="constrained")
    axes = figure.add_subplot(xscale="log", xlim=(1, 1e16), xlabel="parameters")
    axes.barh(list(sizes), list(sizes.values()), height=0.55)
    for row, size in enumerate(sizes.values()):
        axes.text(1.6 * size, row, f"{size:,}", va="center")
    axes.invert_yaxis()
    listed = "; ".join(f"{name}: {size:,}" for name, size in sizes.items())
    figure.alt_text = f"Parameters on a logarithmic scale. {listed}."
    return figure


plotting.show(draw_sizes())

# %% [markdown]
# The scale is logarithmic: one mark to the right is a hundred times as many. Each of the last three is trained the same way: a loss, its gradient by the chain rule, a small step. You have
# done every part of that by hand. What changes on the way up is not the idea. It is the
# bookkeeping: what to keep, where to keep it, in how many bits, and who adds up.

# %% [markdown]
# ## Recap
#
# - **Counting.** A block of width $d$ has $12d^2 + 13d$ parameters; with the embeddings that gives the published counts of BERT-base, GPT-2 and
#   GPT-3. The meta device checks it without memory.
# - **The cost of a step.** 16 bytes a parameter with Adam in float32, and the activations, which grow with the batch. About 6 FLOPs for each parameter and
#   token.
# - **Splitting.** The gradient of a batch is the mean of its images' gradients. So pieces, one after the other or
#   side by side, give the same gradient, if you weight them by their size. Batch norm is the exception.
#
# **Common mistakes.** Counting tied weights twice. Forgetting the division when accumulating. Keeping weights in bfloat16 and wondering
# why they stand still. Dividing by the loss scale while the gradient is still in float16.
#
# **To take along.** Data parallelism with 1,000 workers makes the batch 1,000 times as large. Lesson 05 took many small steps. What would you
# change about the learning rate, and how would you find out?
#
# This was the last lesson. The [map in lesson 00](00_start_here.ipynb) has them all: is there one that you would like to see again?

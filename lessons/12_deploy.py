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
# # 12 · Deploy
#
# **Question: how do other people use it?**
#
# You will be able to
#
# - save a network so that others can load it without risk, and hand it to programs that have no
#   PyTorch
# - make it smaller, by rounding its weights to int8 and by pruning, and say what each of them costs
#   and what it does not bring
# - put it into a web page that works offline, and see to it that a drawing reaches the network in the
#   form that it learned from
#
# *50 minutes. Before this: [06 · A CNN for MNIST](06_mnist_cnn.ipynb) and
# [11 · Beyond images](11_beyond_images.ipynb). It needs ONNX and ONNX Runtime: where they are missing,
# the first cell installs them or says how.*

# %% tags=["nbval-ignore-output"]
import tempfile
from pathlib import Path

import torch

from course_utils import checks, compression, data, deploy, models, plotting, training, widgets

digits = data.load_digits()

# %% [markdown]
# ## A file of numbers
#
# So far, your network has lived in your notebook. When the kernel stops, it is gone. Here is one to
# give away: the network of lesson 06, trained for one epoch on 10,000 images.

# %% tags=["nbval-ignore-output"]
training.seed_everything(0)
network = models.mnist_cnn()
training.fit(network, digits.train[:10_000], progress=False)
few = digits.validation[:1_000]
accuracy = training.evaluate(network, few).accuracy
assert accuracy > 0.95
print(f"{accuracy:.1%} of {len(few):,} validation images")

# %% [markdown]
# What it has learned is in its `state_dict()`: a name and a tensor for everything that it keeps.

# %%
state = network.state_dict()
for name, tensor in state.items():
    print(f"{name:26} {tuple(tensor.shape)!s:14} {tensor.dtype}")

# %% [markdown]
# ### Exercise 1 · What it weighs  ★☆☆ 5 minutes
#
# How many bytes are all these numbers together? A float32 takes 4 bytes, an int64 takes 8. The
# network has 44,386 parameters: every `weight` and `bias` in the list, those of batch normalisation
# included. The rest of the list are not parameters, but they are saved as well.

# %%
checkpoint_bytes = None  # a whole number
### BEGIN SOLUTION
checkpoint_bytes = 4 * (44_386 + 2 * 8 + 2 * 32) + 8 * 2
### END SOLUTION

# %%
checks.checkpoint_bytes(checkpoint_bytes)

# %% [markdown]
# <details><summary>Hint 1: what is not a parameter</summary>
#
# A mean and a variance for each channel, `running_mean` and `running_var`, and a counter,
# `num_batches_tracked`. A shape of `()` is a single number.
#
# </details>
#
# <details><summary>Hint 2: the sum</summary>
#
# The two batch normalisations have 8 and 32 channels. That makes 2 · 8 + 2 · 32 numbers of 4 bytes
# and two numbers of 8 bytes, beside the parameters.
#
# </details>

# %% [markdown]
# Now save it. The file is a little larger than the numbers, because of the names and the wrapping.

# %% tags=["nbval-ignore-output"]
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
torch.save(state, folder / "digits.pt")
size = (folder / "digits.pt").stat().st_size
wrapping = size - sum(tensor.numel() * tensor.element_size() for tensor in state.values())
assert 0 < wrapping < 10_000
print(f"{size / 1000:.0f} kB, of which names and wrapping are {wrapping / 1000:.0f} kB")

# %% [markdown]
# ## A file that runs code
#
# `torch.save` uses **pickle**, Python's own way to write objects into files. A pickle can hold more
# than numbers. It can name a function, and whoever loads the file calls it. So a checkpoint from the
# internet may be a program. Here is a harmless one:


# %%
class Trap:
    """What a stranger can put in the place of a weight: a function and its argument."""

    def __reduce__(self):
        return print, ("This line comes from the file, not from the notebook.",)


torch.save({"conv1.weight": Trap()}, folder / "found.pt")
found = torch.load(folder / "found.pt", weights_only=False)

# %% [markdown]
# Loading was enough. In place of `print` it could have been a function that deletes your files.
#
# **Predict.** `weights_only=True` builds tensors, numbers and lists of them, nothing else. What does
# it do with this file: `"prints"`, `"skips it"` or `"refuses"`?

# %%
prediction = None
### BEGIN SOLUTION
prediction = "refuses"
### END SOLUTION

# %%
import pickle

try:
    found = torch.load(folder / "found.pt", weights_only=True)
    happened = "skips it"
except pickle.UnpicklingError:
    happened = "refuses"
checks.compare_prediction(prediction, happened)

# %% [markdown]
# Since PyTorch 2.6, `weights_only=True` is the default. Write it all the same: your code may run on an
# older one. And give away the `state_dict()`, not the network: `torch.save(network, path)` pickles
# the object itself, and others could load that only by `weights_only=False`.

# %%
twin = models.mnist_cnn()
twin.load_state_dict(torch.load(folder / "digits.pt", weights_only=True))
twin.eval()
with torch.no_grad():
    assert torch.equal(twin(few.images[:10]), network(few.images[:10]))
print("the same logits, to the last bit")

# %% [markdown]
# ## ONNX: the network without PyTorch
#
# To load that file one needs Python, PyTorch, and the code of `models.mnist_cnn()`. A telephone or a
# program in C++ has none of them. **ONNX** (Open Neural Network Exchange) is a file with both the
# numbers and the plan: which operation comes after which. Many programs can read it. One that
# computes it is **ONNX Runtime**.

# %% tags=["nbval-ignore-output"]
import onnx

onnx_file = deploy.export_onnx(network, folder / "digits.onnx")
steps = [node.op_type for node in onnx.load(onnx_file).graph.node]
print(f"{onnx_file.stat().st_size / 1000:.0f} kB:", " → ".join(steps))
assert steps.count("Conv") == steps.count("Gemm") == 2

# %% [markdown]
# `Gemm` is ONNX's name for a fully connected layer. The plan is that of `eval()` mode.
#
# A file that somebody else is to use must be right, so compare: the same images, once through
# PyTorch, once through ONNX Runtime.

# %%
import onnxruntime


def load_onnx(path):
    """A function that computes an ONNX file. images: (N, 1, 28, 28). Returns: logits (N, 10)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(None, {"image": images.numpy()})[0])


in_onnx = load_onnx(onnx_file)
for n in (1, 100):
    with torch.no_grad():
        difference = (in_onnx(few.images[:n]) - network(few.images[:n])).abs().max()
    assert difference < 1e-4
    print(f"batch of {n}: the same logits as PyTorch, to 1e-4")

# %% [markdown]
# Why two batch sizes? To find the plan, PyTorch sends an example through the network and notes what
# happens. Here that was a batch of two images. The file takes any number of them only because
# `export_onnx` declares the batch as open (`dynamic_shapes`, in PyTorch's words). Forget that, and it
# may take two at a time and nothing else. So test an export with other sizes than its example's.
#
# Why "to 1e-4", and not to the last bit? The two may add in another order, and sums of float32 numbers
# are rounded at every step. An export that is *wrong* differs by far more.

# %% [markdown]
# ## Eight bits for a weight
#
# Four bytes for a weight are many. Would one do? One byte can tell 256 numbers apart. An **int8** is
# a whole number from −128 to 127. **Quantisation** stores every weight as one of these.
#
# Here are four weights. The lowest, −5, shall become −128; the highest, 7.75, shall become 127. From
# −128 to 127 there are 255 steps, so a step is 12.75 / 255 = 0.05 wide. That is the **scale**. And 0
# lies 100 steps above the lowest, at −28. That is the **zero point**.

# %%
weights = torch.tensor([[-5, 0, 1.23, 7.75]])
known = torch.tensor([[-128, -28, torch.nan, 127]])
plotting.show_grids({"weight": weights, "as int8": known}, signs=["→"], size=0.7)

# %% [markdown]
# **Predict.** Which number does the weight 1.23 become?

# %%
prediction = None
### BEGIN SOLUTION
prediction = -3
### END SOLUTION

# %%
q, scale, zero_point = compression.quantize(weights)
checks.compare_prediction(prediction, q[0, 2].item())
back = compression.dequantize(q, scale, zero_point)
plotting.show_grids({"weight": weights, "as int8": q, "back": back}, signs="→→", size=0.55)
print(f"scale {scale:.2f}, zero point {zero_point}")

# %% [markdown]
# 1.23 are 24.6 steps. Rounded that is 25, and from the zero point −28 it leads to −3. On the way back
# 25 steps are 1.25: the weight has changed by 0.02. As formulas, with $s$ for the scale and $z$ for
# the zero point (Jacob et al., "Quantization and training of neural networks for efficient
# integer-arithmetic-only inference", 2018):
#
# $$s = \frac{\text{high} - \text{low}}{255} \qquad z = \text{round}\!\left(-128 - \frac{\text{low}}{s}\right)
# \qquad q = \text{round}\!\left(\frac{x}{s}\right) + z \qquad \text{back} = s\,(q - z)$$
#
# Rounding moves a number by half a step at most. So no weight changes by more than $s / 2$.
#
# One special case. 0 should stay exactly 0, because padding and ReLU make so many zeros. Therefore
# low is never above 0 and high never below: where all numbers are positive, low is 0.

# %% [markdown]
# ### Exercise 2 · Your own int8  ★★☆ 8 minutes
#
# Write the first three formulas. After this you know what the word "quantized" in a model's name
# stands for.


# %%
def quantize(x):
    """Round x to int8. x: float32, any shape.

    Returns: (q, scale, zero_point): int8 in the shape of x, a number, a whole number.
    """
    ### BEGIN SOLUTION
    low, high = min(x.min().item(), 0), max(x.max().item(), 0)
    scale = (high - low) / 255
    zero_point = round(-128 - low / scale)
    q = (x / scale).round() + zero_point
    return q.to(torch.int8), scale, zero_point
    ### END SOLUTION


# %%
quantize(weights)  # try it here: scale 0.05, zero point -28

# %%
checks.quantize(quantize)

# %% [markdown]
# <details><summary>Hint 1: low and high</summary>
#
# `x.min().item()` is the smallest number. `min(…, 0)` of Python makes sure that it is not above 0.
#
# </details>
#
# <details><summary>Hint 2: one number, many numbers</summary>
#
# `round(…)` of Python rounds one number to an int. A tensor has `.round()` for all of its numbers.
#
# </details>
#
# <details><summary>Hint 3: the last line</summary>
#
# `.to(torch.int8)` turns a tensor of whole numbers into int8. Do it after the zero point is added:
# before, there are numbers above 127.
#
# </details>

# %% [markdown]
# Now the weights of the network. For each tensor: a step, and the largest change against the bound.

# %% tags=["nbval-ignore-output"]
for name, weight in network.named_parameters():
    if weight.ndim > 1:
        q, scale, zero_point = compression.quantize(weight.detach())
        change = (compression.dequantize(q, scale, zero_point) - weight).abs().max().item()
        print(f"{name:12} step {scale:.5f}, largest change {change:.5f}, bound {scale / 2:.5f}")
        assert change <= 1.001 * scale / 2

# %% [markdown]
# What do such changes do to the answers? And could it be fewer bits still? With 4 bits a weight is one
# of 16 numbers.
#
# **Predict.** Every weight of the network is rounded to 4 bits. What is its accuracy then? You have
# seen it with 32.

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.98
### END SOLUTION

# %% tags=["nbval-ignore-output"]
import copy


def rounded(network, bits):
    """A copy of the network with weights that `bits` bits can hold."""
    coarse = copy.deepcopy(network)
    with torch.no_grad():
        for weight in coarse.parameters():
            if weight.ndim > 1:  # leaves out biases and batch normalisation: they are few
                weight.copy_(compression.dequantize(*compression.quantize(weight, bits)))
    return coarse


by_bits = {n: training.evaluate(rounded(network, n), few).accuracy for n in (8, 6, 5, 4, 3, 2)}
checks.compare_prediction(prediction, round(by_bits[4], 3))
plotting.show_curves({"validation": (list(by_bits), list(by_bits.values()))}, "bits", "accuracy")
assert abs(by_bits[8] - accuracy) < 0.005
assert by_bits[4] > accuracy - 0.03
assert by_bits[2] < by_bits[8] - 0.01

# %% [markdown]
# With 8 bits nothing is lost that could be seen, and with 4 next to nothing. With 2 it falls. A
# sum over hundreds of products forgives small errors: they point to all sides and mostly cancel.
#
# So far only the weights were rounded. A real int8 network also rounds what flows from layer to layer,
# and multiplies whole numbers. For that it has to know between which ends those numbers will lie.
# ONNX Runtime measures them on some training images, which is called **calibration**.

# %% tags=["nbval-ignore-output"]
int8_file = deploy.quantize_onnx(onnx_file, folder / "int8.onnx", digits.train.images[:200])
in_int8 = load_onnx(int8_file)
with torch.no_grad():
    logits, truth = in_int8(few.images), network(few.images)
agree = (logits.argmax(1) == truth.argmax(1)).float().mean().item()
share = int8_file.stat().st_size / onnx_file.stat().st_size
print(f"{share:.0%} of the size; {agree:.1%} of the answers are those of float32")
print(f"largest difference of a logit: {(logits - truth).abs().max():.2f}")
assert 0.25 < share < 0.45
assert agree > 0.97

# %% [markdown]
# Not a quarter of the size, although a byte is a quarter of four: the file has to say how to round
# after every layer, and that plan weighs something in so small a network. And the logits are no longer
# "equal to 1e-4". For int8 you compare answers.

# %% [markdown]
# ## Fewer weights
#
# Another way to be small: leave weights out. Which ones? A weight near 0 adds nearly nothing to its
# sum, so **magnitude pruning** sets those with the smallest magnitude to 0 (Han et al., "Learning both
# weights and connections for efficient neural networks", 2015). The share of zeros is the **sparsity**.
# A **mask** says which weights stay:

# %%
weight = torch.tensor([[3, -1, 0.2, -2], [0.5, -4, 0.1, 1.5]])
mask = compression.prune_mask(weight, 0.5)
grids = {"weight": weight, "mask, sparsity 0.5": mask.int(), "pruned": weight * mask}
plotting.show_grids(grids, signs=["×", "="])

# %% [markdown]
# ### Exercise 3 · Your own mask  ★★☆ 8 minutes
#
# True for a weight that stays, False for one that goes. All weights of the tensor compete with each
# other, whatever its shape.


# %%
def prune_mask(weight, sparsity):
    """Which weights stay. weight: any shape. sparsity: 0 to 1. Returns: bool, the same shape."""
    ### BEGIN SOLUTION
    drop = round(sparsity * weight.numel())
    mask = torch.ones(weight.numel(), dtype=torch.bool)
    mask[weight.abs().flatten().argsort()[:drop]] = False
    return mask.view(weight.shape)
    ### END SOLUTION


# %%
prune_mask(weight, 0.5)  # try it here

# %%
checks.prune_mask(prune_mask)

# %% [markdown]
# <details><summary>Hint 1: how many go</summary>
#
# `weight.numel()` is the number of weights. The share `sparsity` of it goes; round that to a whole
# number.
#
# </details>
#
# <details><summary>Hint 2: which ones</summary>
#
# `weight.abs().flatten()` is one row of magnitudes, and its `.argsort()` lists their places, the
# smallest magnitude first.
#
# </details>
#
# <details><summary>Hint 3: the mask</summary>
#
# Begin with a row of ones, `torch.ones(weight.numel(), dtype=torch.bool)`. Set the first places of the
# list to False, then give the mask its shape with `.view(weight.shape)`.
#
# </details>

# %% [markdown]
# Now prune the network, every convolution and every fully connected layer by the same share.
# `torch.nn.utils.prune` keeps the mask beside the weight, so that what is 0 stays 0 in later training.

# %% tags=["nbval-ignore-output"]
from torch import nn
from torch.nn.utils import prune


def pruned(network, sparsity):
    """A copy of the network without the share `sparsity` of each layer's weights."""
    sparse = copy.deepcopy(network)
    for layer in sparse:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            prune.custom_from_mask(layer, "weight", compression.prune_mask(layer.weight, sparsity))
    return sparse


shares = [0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
measured = [training.evaluate(pruned(network, share), few).accuracy for share in shares]
plotting.show_curves({"pruned": (shares, measured)}, "sparsity", "accuracy", y_limits=(0, 1.05))
assert measured[1] > accuracy - 0.03
assert measured[-1] < 0.6

# %% [markdown]
# Some of the weights are not missed at all. Without most of them the network knows nothing any more.
# But those that are left were trained to work together with the others. Let them learn to do without:

# %% tags=["nbval-ignore-output"]
sparse = pruned(network, 0.9)
before = training.evaluate(sparse, few).accuracy
training.fit(sparse, digits.train[:6_000], progress=False, seed=1)
after = training.evaluate(sparse, few).accuracy
for layer in sparse:
    if prune.is_pruned(layer):
        prune.remove(layer, "weight")  # the mask goes, the zeros stay
zeros = [(p == 0).double().mean().item() for p in sparse.parameters() if p.ndim > 1]
print(f"nine weights of ten are 0: {before:.1%}, trained again: {after:.1%}")
assert min(zeros) > 0.89
assert after > 0.9 > before + 0.3

# %% [markdown]
# One short epoch later, a tenth of the weights does most of the work of all. That is the good news.
#
# **Predict.** `torch.save` writes this network, nine tenths of it zeros. How large is the file, as a
# share of the old one?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 1.0
### END SOLUTION

# %%
torch.save(sparse.state_dict(), folder / "pruned.pt")
files = {name: (folder / f"{name}.pt").stat().st_size for name in ("digits", "pruned")}
checks.compare_prediction(prediction, round(files["pruned"] / files["digits"], 2))

# %% [markdown]
# Just as large. A 0 in float32 takes four bytes like any other number. And a multiplication by 0 takes
# its time like any other multiplication. Zeros pay only if somebody leaves them out: in storage, or in
# the arithmetic. A compressed file does the first.

# %% tags=["nbval-ignore-output"]
import zlib

zipped = {name: len(zlib.compress((folder / f"{name}.pt").read_bytes())) for name in files}
for name in files:
    print(f"{name}.pt: {files[name] / 1000:.0f} kB, compressed {zipped[name] / 1000:.0f} kB")
assert zipped["pruned"] < 0.5 * zipped["digits"]

# %% [markdown]
# The second, leaving them out of the arithmetic, takes special code and hardware, or pruning of another
# kind: whole channels at a time, so that a smaller dense network is left.

# %% [markdown]
# ## One table
#
# What did all of it bring? A fair comparison is made in one run, on the same images, with one thread
# each. Times are noisy, so the four take turns, image by image, and the **median** counts: half of
# the times are below it. Let each load its own file, as a user would.


# %%
def load_torch(path):
    """A function that computes a checkpoint. images: (N, 1, 28, 28). Returns: logits (N, 10)."""
    loaded = models.mnist_cnn()
    loaded.load_state_dict(torch.load(path, weights_only=True))
    return loaded.eval()


kinds = {
    "PyTorch float32": (load_torch, folder / "digits.pt"),
    "PyTorch, 90 % zeros": (load_torch, folder / "pruned.pt"),
    "ONNX float32": (load_onnx, onnx_file),
    "ONNX int8": (load_onnx, int8_file),
}
answer = {name: load(path) for name, (load, path) in kinds.items()}

# %% tags=["nbval-ignore-output"]
import statistics
import time

threads = torch.get_num_threads()
torch.set_num_threads(1)
times = {name: [] for name in answer}
with torch.inference_mode():
    for image in digits.validation.images[:200].split(1):
        for name in answer:
            start = time.perf_counter()
            answer[name](image)
            times[name].append(time.perf_counter() - start)
torch.set_num_threads(threads)
median = {name: statistics.median(times[name]) for name in answer}

# %% [markdown]
# Everything has been chosen on validation images. The table is the end, so it may use the test images,
# for the one time.

# %% tags=["nbval-ignore-output", "measured"]
right = {}
print(f"{'':20}{'file':>8}{'zipped':>9}{'test':>9}{'one image':>12}")
for name, (_, path) in kinds.items():
    content = path.read_bytes()
    with torch.inference_mode():
        said = torch.cat([answer[name](part) for part in digits.test.images.split(500)])
    right[name] = (said.argmax(1) == digits.test.labels).float().mean().item()
    kilobytes = f"{len(content) / 1000:5.0f} kB{len(zlib.compress(content)) / 1000:6.0f} kB"
    print(f"{name:20}{kilobytes}{right[name]:9.2%}{1e6 * median[name]:9.0f} µs")

assert abs(right["ONNX float32"] - right["PyTorch float32"]) < 0.0005
assert abs(right["ONNX int8"] - right["PyTorch float32"]) < 0.02
assert median["ONNX float32"] < median["PyTorch float32"]
assert 0.5 < median["PyTorch, 90 % zeros"] / median["PyTorch float32"] < 2

# %% [markdown]
# Read it line by line.
#
# - **ONNX** gives the same answers, sooner. The arithmetic is the same, so the difference is something
#   else: PyTorch finds out anew before every layer what there is to do, ONNX Runtime once, on loading.
# - **Pruning** makes neither the file smaller nor the answer faster. Only zipped is it small.
# - **int8** is small in both columns. What it does to the time depends on the processor and on the
#   layers: look at your own table, do not assume it.
#
# Run the cells again: the accuracies stay, the times move a little.

# %% [markdown]
# ## What reaches the network
#
# A small, fast, correct network can still fail all its users. It learned from digits that fill the
# picture and stand in its middle. Now somebody draws a small one, in a corner. Take the validation
# images at half their size:

# %% tags=["nbval-ignore-output"]
images, labels = few.images[:500], few.labels[:500]
small = torch.zeros_like(images)
small[:, :, 2:16, 2:16] = nn.functional.avg_pool2d(images, 2)
titles = ["as in training", "as somebody draws it"]
plotting.show_images([images[0], small[0]], titles, limits=(0, 1), height=2)

# %% [markdown]
# You can still read it. **Predict.** What is the network's accuracy on such drawings?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.17
### END SOLUTION

# %% tags=["nbval-ignore-output"]
full_size = training.evaluate(network, (images, labels)).accuracy
half_size = training.evaluate(network, (small, labels)).accuracy
checks.compare_prediction(prediction, round(half_size, 2))
print(f"on the same digits at full size: {full_size:.2f}")
assert half_size < 0.5 < full_size

# %% [markdown]
# Nothing is wrong with the weights. The images are not what they were trained on. So bring each drawing
# into that form: cut out the ink, scale it to 20 pixels at its longer side, and move its **centre of
# mass** to the middle of 28 × 28 pixels. That is how the makers of MNIST framed their digits (LeCun,
# Cortes and Burges, "The MNIST database of handwritten digits").
#
# The centre of mass is where the picture would balance on a finger. Its row is the mean of all rows,
# each counted as often as there is ink in it; its column likewise:
#
# $$\text{row} = \frac{\sum_{i,j} i \cdot \text{ink}[i, j]}{\sum_{i,j} \text{ink}[i, j]}$$

# %%
ink = torch.tensor([[0, 0.5, 0.5], [0, 0, 1]])
plotting.show_grids({"ink": ink}, size=0.6)
print("row:   ", (0 * 1 + 1 * 1) / 2, "= (0 · 1 + 1 · 1) / 2")
print("column:", (0 * 0 + 1 * 0.5 + 2 * 1.5) / 2, "= (0 · 0 + 1 · 0.5 + 2 · 1.5) / 2")

# %% [markdown]
# ### Exercise 4 · Where a drawing stands  ★★☆ 7 minutes
#
# Write both sums. Pictures need not be square.


# %%
def centre_of_mass(image):
    """Where the ink balances. image: (H, W), 0 or more. Returns: (row, column), two numbers."""
    ### BEGIN SOLUTION
    rows, columns = torch.arange(image.shape[0]), torch.arange(image.shape[1])
    row = (image.sum(dim=1) * rows).sum() / image.sum()
    column = (image.sum(dim=0) * columns).sum() / image.sum()
    return row.item(), column.item()
    ### END SOLUTION


# %%
centre_of_mass(ink)  # try it here

# %%
checks.centre_of_mass(centre_of_mass)

# %% [markdown]
# <details><summary>Hint 1: the ink of a row</summary>
#
# `image.sum(dim=1)` adds along each row and leaves one number for every row.
#
# </details>
#
# <details><summary>Hint 2: the mean</summary>
#
# Multiply these by the numbers of the rows, `torch.arange(image.shape[0])`, add up, and divide by all
# of the ink. Then the same for columns, with `dim=0`.
#
# </details>

# %% [markdown]
# The package does all three steps in `prepare_digit`. The same drawings, framed:

# %% tags=["nbval-ignore-output"]
from course_utils.widgets.digit_pad import prepare_digit

framed = torch.stack([prepare_digit(drawing) for drawing in small])[:, None]
mended = training.evaluate(network, (framed, labels)).accuracy
titles = ["as somebody draws it", "as it reaches the network"]
plotting.show_images([small[0], framed[0]], titles, limits=(0, 1), height=2)
print(f"drawn small: {half_size:.2f}, framed: {mended:.2f}, full size: {full_size:.2f}")
assert mended > 0.85

# %% [markdown]
# Most of it is back. What is missing was lost when the digits were made small. Now draw yourself. The
# pad frames what you draw in the same way, and the network answers while you draw. It runs in your
# browser, with the weights that you trained above.

# %% tags=["cover", "nbval-ignore-output"]
pad = widgets.DigitPad(network)
pad

# %% [markdown]
# **Try:** draw a tiny 7 in a corner, then a huge one: what does the network see? Then draw a letter.
# **Notice:** it answers with a digit, and may be quite sure. Ten probabilities have the sum 1; none of
# them says "this is no digit at all". Choose another layer under "feature maps of", and see what
# becomes of your stroke on its way.

# %% [markdown]
# ## One web page
#
# Nobody you know has JupyterLab open. But all of them have a browser. `export_html` writes that pad, the
# arithmetic of the layers, and your weights into one file.
#
# The weights must be text there. **base64** writes three bytes as four letters, and loses nothing.

# %%
runs = Path("runs")
runs.mkdir(exist_ok=True)
page = deploy.export_html(network, runs / "digits.html", title="My first network, live")
text = page.read_text(encoding="utf-8")
size = page.stat().st_size
assert 4 / 3 * 4 * 44_386 < size < 1_000_000
assert "://" not in text
print(f"{page.as_posix()}: {size / 1e6:.1f} MB, and not one address of a server in it")

# %% [markdown]
# Open it: in JupyterLab's file list, go to `runs`, right-click `digits.html` and choose *Open in New
# Browser Tab*. Or download it, switch off the network, and open it with a double click. Mail it to
# somebody, or put it on any web server: there is nothing to install and nothing to run.
#
# It does not ask any server for anything, and it cannot: a line near its beginning forbids the browser
# to load or send whatever is not in the file.

# %%
policy = next(line for line in text.splitlines() if "Content-Security-Policy" in line)
for rule in policy.split('"')[3].split("; "):
    print(rule if "sha256" not in rule else rule[: rule.index("-", 12) + 1] + "…'")

# %% [markdown]
# `'none'` to everything, except for one script and one style, each named by its **hash**: a number
# computed from its text, which changes when a letter does. Whoever draws on the page can be sure that
# the drawing stays there.
#
# Does it say what PyTorch says? A test of this course (`tests/test_deploy.py`) opens such a page in a
# real browser, without a network, draws all ten digits, and compares every probability with
# PyTorch's.
#
# **Change one thing:** export again with `classes=["zero", "one", …]`, ten words of your language, or
# export `rounded(network, 3)`, and draw until you find a digit that only the better network reads.

# %% [markdown]
# ## Recap
#
# - **Save and hand over.** A checkpoint is names and numbers: save the `state_dict()`, load with
#   `weights_only=True`. ONNX adds the plan, so that a program without PyTorch can compute it. Compare
#   its logits with PyTorch's, at two batch sizes.
# - **Make it smaller.** int8 stores a weight as the number of a step; the error is half a step at most,
#   and the file about a third of the size here. Pruning makes zeros, and zeros bring nothing until
#   somebody leaves them out. Size, accuracy and time belong in one table, measured in one run.
# - **Put it where people are.** One file with script and weights is a whole application. What reaches
#   the network has to look like what it was trained on: same size, same place, same range.
#
# **Common mistakes:** loading a stranger's file with `weights_only=False`; saving the whole object; an
# export that takes one batch size only; forgetting `eval()`; rounding with a range that leaves out 0;
# expecting a pruned file to be smaller, or an int8 network to be faster, without looking; measuring
# one network today and the other tomorrow; preparing images in the application otherwise than in
# training.
#
# **A question to take along:** in `eval()` mode, batch normalisation multiplies each channel by a number
# and adds one. So does a convolution, among other things. So the two can be folded into one layer, with
# equal outputs and less to compute. In this network a max pooling stands between them. When may you
# fold all the same? (Think of what a negative factor does to a maximum.)
#
# Next: [13 · Scaling up](13_scaling_up.ipynb).

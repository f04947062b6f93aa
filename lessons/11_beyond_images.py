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
# # 11 · Beyond images
#
# **Question: where else does convolution work?**
#
# You will be able to
#
# - read the shapes of `Conv1d`, `Conv2d` and `Conv3d`, and work out any of them as you did the first
# - build the same small network for text, for sound and for film, and see what its filters look for
# - judge it fairly: against a simple method, against a strong one, and where it fails
#
# *60 minutes. Before this: [10 · Fine-tuning](10_fine_tuning.ipynb).*

# %%
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import anatomy, checks, data, plotting, training

# %% [markdown]
# ## One arithmetic, three shapes
#
# A convolution needs one thing of its data: neighbours must belong together, and a pattern must mean
# the same wherever it stands. The pixels of an image are like that. So are the letters of a line, the
# samples of a sound, and the frames of a film. Only the number of directions to slide in changes.
#
# | data | shape | slides along | weight |
# | --- | --- | --- | --- |
# | text, sound | (N, C, L) | L | (C_out, C_in, K) |
# | image | (N, C, H, W) | H, W | (C_out, C_in, K_h, K_w) |
# | film | (N, C, D, H, W) | D, H, W | (C_out, C_in, K_d, K_h, K_w) |
#
# D, the depth, is time here. Here is `F.conv1d` at work: two channels, a kernel with a row for each,
# and all products of a window make one number.

# %%
x = torch.tensor([[1, 2, 0, 3, 1], [0, 1, 1, 0, 2]])
kernel = torch.tensor([[1, 0, 1], [2, 1, 0]])
output = F.conv1d(x[None], kernel[None])
grids = {"x (C = 2, L = 5)": x, "kernel (2, 3)": kernel, "output (1, 3)": output[0]}
plotting.show_grids(grids, windows={"x (C = 2, L = 5)": (0, 0, 2, 3)}, signs="∗=")
print(plotting.write_sum(x[:, 0:3], kernel))

# %% [markdown]
# The kernel is as high as there are channels, so it moves in one direction only, to the right.

# %% [markdown]
# ### Exercise 1 · One direction, with a pencil  ★☆☆ 5 minutes
#
# Work out the four output numbers. Every one of them is a sum of four products.

# %%
row = torch.tensor([[1, 0, 2, 1, 0], [0, 3, 1, 0, 1]])
weights = torch.tensor([[1, -1], [2, 0]])
plotting.show_grids({"x (2, 5)": row, "kernel (2, 2)": weights})

# %%
conv1d_by_hand = None  # [?, ?, ?, ?]
### BEGIN SOLUTION
conv1d_by_hand = [1, 4, 3, 1]
### END SOLUTION

# %%
checks.conv1d_by_hand(conv1d_by_hand)

# %% [markdown]
# <details><summary>Hint 1: which numbers meet</summary>
#
# The first window is the columns 0 and 1 of both rows. The upper row meets 1 and −1, the lower one 2
# and 0.
#
# </details>
#
# <details><summary>Hint 2: the first sum</summary>
#
# 1·1 + 0·(−1) + 0·2 + 3·0. Then move one column to the right, in both rows at once.
#
# </details>
#
# ### One loop more
#
# With another direction, there is another loop, and nothing else is new. This function convolves in
# any number of directions: for each cell of the kernel it takes the part of `x` that this cell meets,
# multiplies, and adds up.


# %%
def convolve(x, weight):
    """Any number of directions. x: (N, C, *sizes). weight: (C_out, C, *K). Returns: (N, C_out, …)."""
    sizes = [n - k + 1 for n, k in zip(x.shape[2:], weight.shape[2:], strict=True)]
    output = torch.zeros(len(x), len(weight), *sizes)
    for cell in torch.ones(weight.shape[2:]).nonzero().tolist():
        part = x[(..., *(slice(k, k + n) for k, n in zip(cell, sizes, strict=True)))]
        one = weight[(..., *cell)]  # (C_out, C): what this cell weighs
        output += torch.einsum("oc,nc...->no...", one, part)
    return output


for directions, torch_conv in enumerate((F.conv1d, F.conv2d, F.conv3d), start=1):
    x = torch.randn(2, 3, *(9, 8, 7)[:directions])
    weight = torch.randn(4, 3, *(4, 3, 2)[:directions])
    torch.testing.assert_close(convolve(x, weight), torch_conv(x, weight))
    shapes = [tuple(t.shape) for t in (x, weight, torch_conv(x, weight))]
    print(f"{torch_conv.__name__}: {shapes[0]} with {shapes[1]} gives {shapes[2]}")

# %% [markdown]
# ### Exercise 2 · The shape that comes out  ★★☆ 8 minutes
#
# Write that down for any number of directions. A batch of recordings, of images or of films goes in.


# %%
def conv_shape(shape, out_channels, kernel_size, stride=1, padding=0):
    """The shape after a convolution.

    shape: (N, C, *sizes), with one, two or three sizes. out_channels: C_out. kernel_size, stride,
    padding: whole numbers, the same in every direction. Returns: a tuple.
    """
    ### BEGIN SOLUTION
    count, _, *sizes = shape
    return count, out_channels, *((n + 2 * padding - kernel_size) // stride + 1 for n in sizes)
    ### END SOLUTION


# %%
conv_shape((100, 1, 320), 32, kernel_size=128, stride=8)  # try it here

# %%
checks.conv_shape(conv_shape)

# %% [markdown]
# <details><summary>Hint 1: three kinds of entries</summary>
#
# N stays. C is replaced. Each of the others follows the rule of lesson 01, on its own.
#
# </details>
#
# <details><summary>Hint 2: the rule</summary>
#
# $\lfloor (n + 2 \cdot \text{padding} - k) / \text{stride} \rfloor + 1$. In Python, `//` rounds down.
# `shape[2:]` holds the sizes, and `(1, 2, *sizes)` puts them into a tuple.
#
# </details>
#
# ### One network for three tasks
#
# All three tasks below get the same network. A convolution looks for patterns. ReLU keeps what was
# found. Pooling over *all* places leaves one number for each filter: it forgets where. Batch
# normalisation (lesson 06) brings these numbers to one scale, and a linear layer decides.


# %%
def small_network(convolution, pool, classes):
    """Logits (N, classes) from patterns, wherever they stand."""
    filters = convolution.out_channels
    return nn.Sequential(
        convolution,  # (N, filters, …)
        nn.ReLU(),
        pool,  # (N, filters, 1 …)
        nn.Flatten(),  # (N, filters)
        nn.BatchNorm1d(filters),
        nn.Linear(filters, classes),
    )


# %% [markdown]
# It is simple on purpose: between a filter and the answer there is nothing but a weight, so you can
# see what it learned.
#
# ## Text: code or prose?
#
# Python's own library is on your machine: code, and in its docstrings English. Can you tell a line of
# one from a line of the other when capitals, digits and punctuation are gone? First collect the lines.
# `ast.parse` reads a module; we take its docstrings out, and `ast.unparse` writes down what is left.

# %%
import ast
import random
import re
import sysconfig
from pathlib import Path

LENGTH = 32  # letters of a line


def read_module(path):
    """The lines of a module, letters and spaces only. Returns: code, prose, two lists of texts."""
    tree, prose = ast.parse(path.read_text(encoding="utf-8")), []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            node
        ):
            prose += ast.get_docstring(node).splitlines()
            node.body = node.body[1:] or [ast.Pass()]
    parts = ast.unparse(tree).splitlines(), prose
    plain = [[" ".join(re.findall("[a-z]+", line.lower())) for line in part] for part in parts]
    return [[line[:LENGTH].ljust(LENGTH) for line in part if len(line) >= 24] for part in plain]


# %% [markdown]
# Lines of one file resemble each other: the same names come again and again. If some of them are in
# the training part and others in the test part, the network is rewarded for knowing the file by heart.
# So **split by file**, never by line. And a line that also stands in the training part is no test:
# out with it.

# %% tags=["nbval-ignore-output"]
library = Path(sysconfig.get_paths()["stdlib"])
files = [p for p in sorted(library.glob("[a-z]*.py")) if p.stat().st_size < 40_000]
test_files = files[::4]
train_files = [p for p in files if p not in test_files]


def collect(files, each, known=()):
    """`each` lines of code (0) and of prose (1) from these files. Returns: texts, labels."""
    parts = zip(*map(read_module, files), strict=True)  # all code, then all prose
    lines = [sorted({line for part in kind for line in part} - set(known)) for kind in parts]
    picks = [random.Random(0).sample(kind, min(each, len(kind))) for kind in lines]
    return [*picks[0], *picks[1]], torch.tensor([0] * len(picks[0]) + [1] * len(picks[1]))


train_lines, train_labels = collect(train_files, each=3000)
test_lines, test_labels = collect(test_files, each=800, known=train_lines)
assert not set(train_lines) & set(test_lines)
assert 0.4 < test_labels.double().mean() < 0.6
print(f"{len(train_lines)} lines from {len(train_files)} modules to learn from,")
print(f"{len(test_lines)} from {len(test_files)} others to be tested on")

# %% tags=["nbval-ignore-output"]
rows = random.Random(3).sample(range(len(test_lines)), 8)
for row in rows:
    print(test_lines[row])
print("answers:", ", ".join(("code", "prose")[test_labels[row]] for row in rows))

# %% [markdown]
# How many did you get? What did you go by?
#
# A simple method first. Without it, no accuracy means anything. A **bag of characters** counts the
# letters of a line and forgets their order. Logistic regression, a linear layer with a softmax, then
# weighs the counts.

# %% tags=["nbval-ignore-output"]
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


def count_pieces(longest):
    """Count all pieces of 1 to `longest` letters; weigh the counts. Returns: a trained method."""

    def pieces(line):
        sizes = range(1, longest + 1)
        return [line[i : i + k] for k in sizes for i in range(LENGTH - k + 1)]

    strength = 1.0 if longest == 1 else 0.1  # many counts need a stronger L2 penalty
    weigh = LogisticRegression(C=strength, max_iter=1000)
    return make_pipeline(CountVectorizer(analyzer=pieces), weigh).fit(train_lines, train_labels)


bag = count_pieces(1)
bag_accuracy = bag.score(test_lines, test_labels)
assert 0.6 < bag_accuracy < 0.85
print(f"bag of characters: {bag_accuracy:.1%} of the test lines")

# %% [markdown]
# Letters alone are right for about three lines of four. English uses other letters than code does.
#
# Now with order. A letter is not a quantity: b is not twice a. So each of the 27 signs gets a channel
# of its own, which is 1 where that sign stands and 0 elsewhere. This is called **one-hot**.

# %%
ALPHABET = " abcdefghijklmnopqrstuvwxyz"


def one_hot(lines):
    """Texts of LENGTH signs to (N, 27, LENGTH), float32."""
    codes = torch.tensor([[ALPHABET.index(sign) for sign in line] for line in lines])
    return F.one_hot(codes, len(ALPHABET)).transpose(1, 2).float().contiguous()


example = one_hot(["def bad".ljust(LENGTH)])[0]
plotting.show_grids({"channels “ ”, a to f; the first 7 places of “def bad”": example[:7, :7]})

# %% [markdown]
# **Predict.** 32 filters with a kernel of 5 letters go over a line of 32 letters. How many places
# does each have?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 28
### END SOLUTION

# %%
training.seed_everything(0)
reader = small_network(nn.Conv1d(27, 32, kernel_size=5), nn.AdaptiveMaxPool1d(1), classes=2)
checks.compare_prediction(prediction, reader[0](example[None]).shape[2])
anatomy.summarize(reader, (1, 27, LENGTH))

# %% [markdown]
# Max pooling over the 28 places asks: does the pattern stand *anywhere* in the line?

# %% tags=["nbval-ignore-output"]
train_text, test_text = one_hot(train_lines), one_hot(test_lines)
training.fit(reader, (train_text, train_labels), epochs=3, batch_size=50, progress=False)
reader_accuracy = training.evaluate(reader, (test_text, test_labels)).accuracy
trigrams = count_pieces(3)
trigram_accuracy = trigrams.score(test_lines, test_labels)
assert len(trigrams[0].vocabulary_) > 2000
assert reader_accuracy > bag_accuracy + 0.04
assert trigram_accuracy > bag_accuracy + 0.04
for name, share in {
    "bag of characters": bag_accuracy,
    "Conv1d, 5 letters": reader_accuracy,
    "counts of all pieces of 1 to 3 letters": trigram_accuracy,
}.items():
    print(f"{name:40} {share:.1%}")

# %% [markdown]
# The network beats the bag by far. The third line is the honest one: counting all pieces of up to
# three letters, a much older method, does as well or better. It needs thousands
# of counts; the network found its own 32 pieces. If counting is open to you, try it first.
#
# Does the network really use the order? Shuffle the letters within every test line. The bag cannot
# notice.
#
# **Predict.** Which share of the shuffled lines does the network get right?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.57
### END SOLUTION

# %% tags=["nbval-ignore-output"]
dice = random.Random(0)
shuffled = ["".join(dice.sample(line, LENGTH)) for line in test_lines]
assert bag.score(shuffled, test_labels) == bag_accuracy
broken = training.evaluate(reader, (one_hot(shuffled), test_labels)).accuracy
assert broken < reader_accuracy - 0.1
print(f"example: {shuffled[0]!r}")
checks.compare_prediction(prediction, round(broken, 2))

# %% [markdown]
# The bag's figure is the same to the last digit, as it must be. The network's breaks down: with the
# order gone, what it had learned is gone.

# %% [markdown]
# ### Exercise 3 · Where a filter fires  ★★☆ 8 minutes
#
# To see what a filter looks for, find the place where it answers most strongly. Given an input and
# one filter, say where that window begins.


# %%
def fires_at(x, weight):
    """Where a filter answers most. x: (C, L). weight: (C, K). Returns: the window's first place, from 0."""
    ### BEGIN SOLUTION
    return F.conv1d(x[None], weight[None])[0, 0].argmax().item()
    ### END SOLUTION


# %%
fires_at(torch.tensor([[0.0, 0, 1, 2, 0]]), torch.tensor([[1.0, 2]]))  # 1·1 + 2·2 = 5, at place 2

# %%
checks.fires_at(fires_at)

# %% [markdown]
# <details><summary>Hint 1: all places at once</summary>
#
# `F.conv1d` gives the answers at all places. It wants (N, C, L) and (C_out, C, K): `[None]` adds an
# axis in front, `[0]` takes it away.
#
# </details>
#
# <details><summary>Hint 2: from answers to a place</summary>
#
# `argmax` gives the position of the largest number. Which window does the output with number 0 belong
# to?
#
# </details>

# %% [markdown]
# Now for the trained filters. Which ones answer more to code, which to prose? Take each filter's mean
# answer to the test lines of either kind, after batch normalisation. Here are the four that differ most
# in each direction, with the pieces of text to which they answer most strongly.

# %% tags=["nbval-ignore-output"]
with torch.no_grad():
    answers = reader[0](test_text)  # (N, 32, 28)
    found = reader[:5](test_text)  # (N, 32): what the linear layer gets
leaning = found[test_labels == 1].mean(0) - found[test_labels == 0].mean(0)


def favourites(number, many=6):
    """The pieces of text that make a filter answer most strongly, each once."""
    places = answers[:, number].flatten().argsort(descending=True)[:5000].tolist()
    starts = [divmod(place, answers.shape[2]) for place in places]
    pieces = [test_lines[line][start : start + 5].replace(" ", "·") for line, start in starts]
    return list(dict.fromkeys(pieces))[:many]


order = leaning.argsort().tolist()
for side, numbers in {"code": order[:4], "prose": order[:-5:-1]}.items():
    for number in numbers:
        print(f"{side:5}  filter {number:2}  {'  '.join(favourites(number))}")

# %% [markdown]
# A dot is a space. Read each line as one pattern: the filter fires where something like it stands.
# Can you name the words behind them? Nobody told the network about words or keywords. Some filters are
# hard to read; a pattern need not have a name.
#
# ## Sound: which key was pressed?
#
# Each key of a telephone's keypad sounds two tones at once, one for its row and one for its column
# (ITU-T Recommendation Q.23). Hertz, Hz, is the number of oscillations a second.
#
# |  | 1209 Hz | 1336 Hz | 1477 Hz | 1633 Hz |
# | --- | --- | --- | --- | --- |
# | **697 Hz** | 1 | 2 | 3 | A |
# | **770 Hz** | 4 | 5 | 6 | B |
# | **852 Hz** | 7 | 8 | 9 | C |
# | **941 Hz** | * | 0 | # | D |
#
# We make the recordings ourselves: 8,000 samples a second, 40 milliseconds each. The two tones differ
# in loudness, begin anywhere in their oscillation, and are off by up to 1.5 percent. There is noise,
# and, if we like, a **buzz**: short pulses, a hundred a second, as a dimmed lamp on European mains makes
# them.

# %%
import math

RATE, SAMPLES = 8000, 320
ROWS = torch.tensor([697.0, 770, 852, 941])
COLUMNS = torch.tensor([1209.0, 1336, 1477, 1633])


def record(n, seed, noise=0.5, buzz=0.0, drift=0.015, pitch=100, samples=SAMPLES):
    """n key presses. Returns: x (n, 1, samples), all of the same loudness; keys (n,), 0 to 15."""
    dice = torch.Generator().manual_seed(seed)

    def between(low, high):
        return low + (high - low) * torch.rand(n, 1, generator=dice)

    keys, time = torch.randint(16, (n,), generator=dice), torch.arange(samples) / RATE
    x = noise * torch.randn(n, samples, generator=dice)
    for tone in (ROWS[keys // 4], COLUMNS[keys % 4]):
        frequency = tone[:, None] * between(1 - drift, 1 + drift)
        x += between(0.7, 1) * torch.sin(2 * math.pi * (frequency * time + between(0, 1)))
    pulse = ((pitch * time + between(0, 1)) % 1 < 0.05).float() - 0.05
    x += buzz * between(0.5, 1) * pulse
    return (x / x.square().mean(1, keepdim=True).sqrt())[:, None], keys


# %% [markdown]
# Listen. Three presses of one key, then the same with the buzz. (Where the page shows no player, run
# the cell.)

# %% tags=["nbval-ignore-output"]
from IPython.display import Audio

presses = [record(1, 5, buzz=buzz, samples=1200)[0].flatten() for buzz in (0, 0, 0, 10, 10, 10)]
pause = torch.zeros(400)
sound = torch.cat([part for press in presses for part in (press, pause)])
Audio((sound / sound.abs().max()).numpy(), rate=RATE)

# %% tags=["nbval-ignore-output"]
time = torch.arange(SAMPLES) * 1000 / RATE
for name, buzz in {"quiet": 0, "with buzz": 10}.items():
    curve = plotting.draw_curves(
        {"": (time, record(1, 5, buzz=buzz)[0][0, 0])}, "ms", "signal", name
    )
    curve.axes[0].lines[0].set(marker="", linewidth=1)
    curve.set_figheight(1.6)
    alt = f"One key, {name}: 40 milliseconds of its signal."
    plotting.show(curve, alt + (" Four sharp pulses stand out." if buzz else ""))

# %% [markdown]
# ### How much of a tone is in it?
#
# Multiply the signal with a cosine of the frequency in question, sample by sample, and add up. If the
# tone is in it, the products agree in sign and the sum is large. If the tone begins a quarter of an
# oscillation later, they cancel, so do the same with a sine. The sum of the two squares is the
# **power** at that frequency, whenever the tone began. With the signal $x_n$ and $r$ samples a second:
#
# $$P(f) = \Big(\sum_n x_n \cos \frac{2 \pi f n}{r}\Big)^2 + \Big(\sum_n x_n \sin \frac{2 \pi f n}{r}\Big)^2$$

# %% [markdown]
# ### Exercise 4 · The power of a tone  ★★☆ 10 minutes


# %%
def tone_power(x, frequency, rate):
    """The power at one frequency. x: (L,). frequency: in Hz. rate: samples a second. Returns: a number."""
    ### BEGIN SOLUTION
    angle = 2 * torch.pi * frequency / rate * torch.arange(len(x))
    return (x * angle.cos()).sum() ** 2 + (x * angle.sin()).sum() ** 2
    ### END SOLUTION


# %%
tone_power(torch.tensor([1.0, 0, -1, 0]), 2000, 8000)  # 2 · 2 and 0 · 0: 4

# %%
checks.tone_power(tone_power)

# %% [markdown]
# <details><summary>Hint 1: the angle</summary>
#
# `torch.arange(len(x))` is n. From it make one tensor of angles, one for each sample. They are in
# radians, so nothing needs converting.
#
# </details>
#
# <details><summary>Hint 2: two sums</summary>
#
# Multiply `x` by the cosines and add up; then by the sines. Each sum is squared by itself, then they
# are added.
#
# </details>
#
# ### Goertzel's algorithm
#
# Telephone exchanges needed this for eight frequencies, in cheap hardware. Gerald Goertzel's algorithm
# (American Mathematical Monthly, 1958) gets the same power with one multiplication a sample and no
# table of sines. It is an exact method, not a guess; the assertion sets it beside the formula. The
# sums of the formula are a convolution whose kernel is as long as the signal: one place, one output.


# %%
def goertzel(x, frequencies):
    """Powers. x: (N, 1, L). frequencies: (F,), in Hz. Returns: (N, F)."""
    turn = 2 * torch.cos(2 * math.pi * frequencies / RATE)
    before, last = 0.0, torch.zeros(len(x), len(frequencies))
    for sample in x[:, 0].T:
        before, last = last, sample[:, None] + turn * last - before
    return last**2 + before**2 - turn * last * before


some, some_keys = record(100, seed=1)
TONES = torch.cat([ROWS, COLUMNS])
angles = 2 * math.pi * TONES[:, None] / RATE * torch.arange(SAMPLES)
kernels = torch.cat([angles.cos(), angles.sin()])[:, None]  # (16, 1, 320): a Conv1d by hand
sums = F.conv1d(some, kernels)[..., 0]
torch.testing.assert_close(
    goertzel(some, TONES), sums[:, :8] ** 2 + sums[:, 8:] ** 2, rtol=0.01, atol=1
)

# %% [markdown]
# The classical detector takes the strongest of the four rows and of the four columns. A **window**
# that fades the recording in and out makes it more careful: what lies at other frequencies leaks in
# less. We try both, plain and with a Hann window.


# %%
def strongest(powers):
    """The key with the largest row and column power. powers: (N, 8). Returns: (N,), int64."""
    return powers[:, :4].argmax(1) * 4 + powers[:, 4:].argmax(1)


def share(answers, keys):
    return (torch.as_tensor(answers) == keys).double().mean().item()


hann = torch.hann_window(SAMPLES)
quiet, buzzing = record(1000, seed=1), record(1000, seed=1, buzz=10)
clean = share(strongest(goertzel(quiet[0] * hann, TONES)), quiet[1])
assert clean > 0.98
print(f"quiet: {clean:.2f} of 1,000 keys are right with the window")

# %% [markdown]
# Perfect, or all but. With the buzz, ask first what it does. A hundred pulses a second contain the
# tones 100, 200, 300 Hz and so on, among them 700, next to 697, and 1200, next to 1209.
#
# **Predict.** Which share of the keys does plain Goertzel get right through the buzz?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.7
### END SOLUTION

# %% tags=["nbval-ignore-output"]
heard = strongest(goertzel(buzzing[0], TONES))
plain = share(heard, buzzing[1])
assert plain < 0.8
checks.compare_prediction(prediction, round(plain, 2))
wrong = heard[heard != buzzing[1]]
in_reach = ((wrong // 4 == 0) | (wrong % 4 == 0)).double().mean().item()
assert in_reach > 0.8
print(f"{in_reach:.0%} of the wrong answers are in the row of 697 Hz or the column of 1209 Hz")

# %% [markdown]
# The buzz plays its own notes, and Goertzel hears keys in them. It compares powers, and does not know
# which of them the buzz brings along.
#
# ### Learned filters
#
# The network gets 4,000 recordings with the buzz. A kernel of 128 samples lasts 16 milliseconds. Max
# pooling would answer to a single pulse, so this time pooling takes the mean. For comparison a strong
# method too: Goertzel's eight powers, as logarithms, and logistic regression trained on the same
# recordings.

# %%
train_sound = record(4000, seed=2, buzz=10)


def train_ear(recordings, seed=0):
    """The small network for sound, trained on pairs (x, keys). Returns: the network."""
    training.seed_everything(seed)
    convolution = nn.Conv1d(1, 32, kernel_size=128, stride=8)
    network = small_network(convolution, nn.AdaptiveAvgPool1d(1), classes=16)
    training.fit(network, recordings, epochs=6, progress=False)
    return network


ear = train_ear(train_sound)
anatomy.summarize(ear, (1, 1, SAMPLES))

# %% tags=["nbval-ignore-output"]
from sklearn.preprocessing import StandardScaler

weigh = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
weigh.fit(goertzel(train_sound[0], TONES).log(), train_sound[1])
methods = {
    "Goertzel": lambda x: strongest(goertzel(x, TONES)),
    "Goertzel, Hann window": lambda x: strongest(goertzel(x * hann, TONES)),
    "8 powers, logistic regression": lambda x: weigh.predict(goertzel(x, TONES).log()),
    "Conv1d": lambda x: ear(x).argmax(1),
}

# %% tags=["nbval-ignore-output"]
conditions = {
    "quiet": quiet,
    "buzz": buzzing,
    "60 Hz buzz": record(1000, seed=1, buzz=10, pitch=120),
    "hiss": record(1000, seed=1, noise=2.5, drift=0),
}
scores = {
    m: {c: share(how(x), k) for c, (x, k) in conditions.items()} for m, how in methods.items()
}
print(f"{'':30}", *(f"{name:>10}" for name in conditions))
for name, result in scores.items():
    print(f"{name:30}", *(f"{value:>10.2f}" for value in result.values()))

# %% tags=["nbval-ignore-output"]
network = scores["Conv1d"]
for rival in list(scores)[:3]:
    assert network["buzz"] > scores[rival]["buzz"] + 0.02
assert min(network["quiet"], network["buzz"]) > 0.95
assert network["60 Hz buzz"] < network["buzz"] - 0.1
assert scores["Goertzel"]["hiss"] > network["hiss"] + 0.1

# %% [markdown]
# Read it by columns. *Quiet*: nothing to win. *Buzz*: the network is nearly always right, plain
# Goertzel often wrong, the weighed powers in between. *60 Hz buzz*: the same disturbance on an American
# mains, 120 pulses a second. The network never heard it, and does far worse. *Hiss*: strong noise in which all
# frequencies are alike, and tones that are exactly on pitch. That is what Goertzel is made for, and
# there it wins.
#
# Perhaps the network only lacks practice with hiss? Change that one thing:

# %% tags=["nbval-ignore-output"]
hissing = train_ear(record(4000, seed=2, noise=2.5, drift=0))
practised = share(hissing(conditions["hiss"][0]).argmax(1), conditions["hiss"][1])
assert practised > network["hiss"]
assert scores["Goertzel"]["hiss"] > practised + 0.03
print(f"trained on hiss: {practised:.2f}. Goertzel: {scores['Goertzel']['hiss']:.2f}")

# %% [markdown]
# Better, and still behind. When the noise is white and the tones are known, the products with those
# tones over the whole recording are close to the best that can be done, and examples cannot improve
# on it. A network pays where the disturbance has a pattern that your formula does not know, and
# examples of it are at hand.
#
# What do the filters look for? A kernel of 128 numbers shows it best by its **frequency response**:
# how strongly it answers to a tone of each frequency. One line of the picture is one filter, sorted by
# the frequency of its peak.


# %%
@plotting.in_style
def draw_responses(kernels):
    """Frequency responses. kernels: (filters, K). Returns: a figure; and the peaks (filters,), in Hz."""
    gains = torch.fft.rfft(kernels, n=1600).abs()  # one number each 5 Hz
    peaks, order = (5.0 * gains.argmax(1)).sort()
    gains = (gains / gains.amax(1, keepdim=True))[order, 100:361]  # 500 to 1800 Hz
    curve = plotting.draw_curves({}, "frequency in Hz; the marks are the eight tones", "filter")
    axes = curve.axes[0]
    extent = (497.5, 1802.5, len(gains) + 0.5, 0.5)
    axes.grid(False)
    axes.imshow(gains, cmap="Blues", extent=extent, aspect="auto")
    for tone in TONES.tolist():
        axes.axvline(tone, color=plotting.OUTLINE, linewidth=1, linestyle="--")
    axes.set_xticks(TONES.tolist())
    return curve, peaks


# %% tags=["nbval-ignore-output"]
figure, peaks = draw_responses(ear[0].weight.detach()[:, 0])
near = ((peaks[:, None] - TONES).abs().amin(1) < 40).double().mean().item()
assert near > 0.7
alt = "Frequency response of 32 filters; dark where a filter answers. "
plotting.show(figure, alt + f"{near:.0%} peak within 40 Hz of one of the eight tones.")
print(f"{near:.0%} of the filters peak within 40 Hz of one of the eight tones")

# %% [markdown]
# Nobody told the network a frequency. It found the tones by itself. Count the filters that peak at 697,
# next to the buzz, and those at 770. How might it recognise a key of the first row?
#
# ## Film: which way does it move?
#
# A digit moves to the right, to the left, up or down, one pixel a frame, through five frames of 18 by
# 18. The label is the direction. Sometimes it snows: bright dots fall, also one pixel a frame.

# %% tags=["nbval-ignore-output"]
digits = data.load_digits()
WAYS = ("right", "left", "up", "down")
STEPS = torch.tensor([[0, 1], [0, -1], [-1, 0], [1, 0]])  # rows, columns
FRAMES, SIDE, DIGIT = 5, 18, 12
print(digits.describe())


# %%
def film(split, n, seed, snow=0.0, noise=0.1):
    """n films. Returns: x (n, 1, FRAMES, SIDE, SIDE); ways (n,), 0 to 3."""
    dice = torch.Generator().manual_seed(seed)
    images = split.images[torch.randint(len(split), (n,), generator=dice)]
    images = F.interpolate(images, (DIGIT, DIGIT), mode="area")[:, 0]
    ways = torch.randint(4, (n,), generator=dice)
    middle = FRAMES // 2 + torch.randint(3, (n, 2), generator=dice)  # corner in the middle frame
    sky = torch.rand(n, SIDE + FRAMES, SIDE, generator=dice) < snow
    x = noise * torch.randn(n, FRAMES, SIDE, SIDE, generator=dice)
    which, cells = torch.arange(n)[:, None, None], torch.arange(DIGIT)
    for time in range(FRAMES):
        corner = middle + (time - FRAMES // 2) * STEPS[ways]
        rows, columns = corner[:, :1] + cells, corner[:, 1:] + cells
        frame = sky[:, FRAMES - time : FRAMES - time + SIDE].float()
        place = which, rows[:, :, None], columns[:, None]
        frame[place] = frame[place].maximum(images)
        x[:, time] += frame
    return x[:, None], ways


# %% tags=["cover", "nbval-ignore-output"]
clear, snowy = (film(digits.validation, 1000, seed=1, snow=snow) for snow in (0, 0.1))
assert torch.equal(clear[1], snowy[1])
frames = [frame for x, _ in (clear, snowy) for frame in x[0, 0]]
titles = [f"{sky}, frame {t}" for sky in ("clear", "snow") for t in range(FRAMES)]
alt = (
    f"A digit moves {WAYS[clear[1][0]]} through five frames, first on a clear ground, then in snow."
)
plotting.show_images(frames, titles, columns=5, limits=(0, 1), alt=alt)

# %% [markdown]
# The films are made so that the *middle* frame says nothing: where the digit stands in it was drawn
# before the direction played a part. No network can do better than chance on it, one in four. The **mean
# frame**, the average of all five, shows a smear.
#
# **Predict.** What is the best share that any network can reach from the mean frame?

# %%
prediction = None
### BEGIN SOLUTION
prediction = 0.5
### END SOLUTION

# %%
checks.compare_prediction(prediction, 0.5)
x, ways = film(digits.validation, 200, seed=3)
backwards = x.flip(2)  # the last frame first
torch.testing.assert_close(backwards.mean(2), x.mean(2))

# %% [markdown]
# Run a film backwards, and right becomes left, but the mean frame stays the same. The smear shows
# whether the digit moved across or along, never which way. So half is the limit, for any network.
#
# Now simple methods that use time. The **centroid** is the centre of the brightness: where is it in
# the last frame, and where in the first? **Shift and compare** moves each frame by one pixel in each
# of the four directions and asks which fits the next frame best.


# %% tags=["nbval-ignore-output"]
def centroid(x):
    """Where the centre of brightness moves. x: (N, 1, D, H, W). Returns: (N,), int64, 0 to 3."""
    ends = x[:, 0, [0, -1]]  # (N, 2, H, W)
    place = torch.arange(SIDE, dtype=torch.float32)
    centre = (
        torch.stack([ends.sum(3) @ place, ends.sum(2) @ place], 2) / ends.sum((2, 3))[..., None]
    )
    return ((centre[:, 1] - centre[:, 0]) @ STEPS.T.float()).argmax(1)


def shift_and_compare(x):
    """Which shift takes each frame to the next. x: (N, 1, D, H, W). Returns: (N,), int64, 0 to 3."""
    now, after = x[:, :, :-1], x[:, :, 1:]
    moved = [now.roll((down, right), (3, 4)) for down, right in STEPS.tolist()]
    return torch.stack([(m * after).sum((1, 2, 3, 4)) for m in moved], 1).argmax(1)


for name, method in {"centroid": centroid, "shift and compare": shift_and_compare}.items():
    right = share(method(clear[0]), clear[1])
    assert right > 0.98
    print(f"{name}, clear: {right:.2f}")

# %% [markdown]
# On a clear ground both are as good as perfect. No network is needed there.

# %% [markdown]
# ### Exercise 5 · A film of one row  ★★☆ 6 minutes
#
# How can a sum of products see motion? Take a film whose frames are single rows of six cells, and
# write the frames below each other: down is time. Slide the kernel along time and place, and
# write down the output, 2 by 5. Then say: what becomes of the 2, which stands still? What of the 1?

# %%
strip = torch.tensor([[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 1, 0], [2, 0, 0, 1, 0, 0]])
motion = torch.tensor([[1, -2], [-1, 2]])
plotting.show_grids({"frames 0, 1, 2 from top to bottom": strip, "kernel (2 frames, 2)": motion})

# %%
film_by_hand = None  # [[?, ?, ?, ?, ?], [?, ?, ?, ?, ?]]
### BEGIN SOLUTION
film_by_hand = [[0, 0, 0, 2, -3], [0, 0, 2, -3, 1]]
### END SOLUTION

# %%
checks.film_by_hand(film_by_hand)

# %% [markdown]
# <details><summary>Hint 1: it is lesson 01 again</summary>
#
# Forget that down is time. It is an image of 3 × 6 and a kernel of 2 × 2.
#
# </details>
#
# <details><summary>Hint 2: the top right corner</summary>
#
# The window holds 0 and 1 above, 1 and 0 below: 0·1 + 1·(−2) + 1·(−1) + 0·2.
#
# </details>

# %% [markdown]
# The kernel's second row is the first with the opposite sign: it compares a frame with the one before.
# What stands still gives 0. The sign shows the direction: turn the film around, and the strongest
# answer changes from −3 to 3.

# %%
there, back = (F.conv2d(s[None, None], motion[None, None])[0, 0] for s in (strip, strip.flip(0)))
plotting.show_grids({"to the left": there, "to the right": back})
assert (there.min(), back.max()) == (-3, 3)

# %% [markdown]
# ### Learned motion
#
# `Conv3d` learns such kernels. Each covers 3 frames and 5 × 5 pixels. The rivals: the same network
# with `Conv2d` on the middle frame and on the mean frame, the two methods above, and, because we know
# about the snow, an engineer's remedy: replace each pixel by the darkest of a square of 2 × 2, which
# wipes out single dots, and then take the centroid.

# %% tags=["nbval-ignore-output"]
train_film, train_ways = film(digits.train, 3000, seed=2, snow=0.1)


def train_eye(convolution, pool, x):
    """The small network for films or frames x, trained for four epochs. Returns: the network."""
    network = small_network(convolution, pool, classes=4)
    training.fit(network, (x, train_ways), epochs=4, progress=False)
    return network


training.seed_everything(0)
flat = nn.AdaptiveAvgPool2d(1)
middle = train_eye(nn.Conv2d(1, 8, 5), flat, train_film[:, :, FRAMES // 2])
mean = train_eye(nn.Conv2d(1, 8, 5), flat, train_film.mean(2))
eye = train_eye(nn.Conv3d(1, 8, (3, 5, 5)), nn.AdaptiveAvgPool3d(1), train_film)
anatomy.summarize(eye, (1, 1, FRAMES, SIDE, SIDE))


# %% tags=["nbval-ignore-output"]
def darkest(x):
    """Each pixel becomes the darkest of a square of 2 × 2, but not below 0."""
    return F.pad(-F.max_pool3d(-x, (1, 2, 2), stride=1), (0, 1, 0, 1)).clamp(min=0) + 1e-6


methods = {
    "Conv2d on the middle frame": lambda x: middle(x[:, :, FRAMES // 2]).argmax(1),
    "Conv2d on the mean frame": lambda x: mean(x.mean(2)).argmax(1),
    "centroid": centroid,
    "shift and compare": shift_and_compare,
    "wipe out dots, then centroid": lambda x: centroid(darkest(x)),
    "Conv3d": lambda x: eye(x).argmax(1),
}
print(f"{'':30}   clear    snow")
seen = {name: [share(how(x), k) for x, k in (clear, snowy)] for name, how in methods.items()}
for name, (on_clear, in_snow) in seen.items():
    print(f"{name:30} {on_clear:>7.2f} {in_snow:>7.2f}")

# %% tags=["nbval-ignore-output"]
assert seen["Conv2d on the middle frame"][1] < 0.33
assert seen["Conv2d on the mean frame"][1] < 0.56
assert seen["Conv3d"][1] > 0.97
assert seen["Conv3d"][1] > seen["centroid"][1] + 0.03
assert (shift_and_compare(snowy[0]) == 3).double().mean() > 0.7  # "down"
assert seen["wipe out dots, then centroid"][1] > 0.95

# %% [markdown]
# Through the snow, the centroid loses a part, and "shift and compare" says "down" for nearly
# everything: the snow fits best. The network learned from examples what snow is. But look at the line
# above it. Whoever knows what the disturbance looks like gets nearly as far with one line of code and no
# training. Learning is for when you do not know.
#
# And it knows only what it was shown. Let the wind blow the same snow sideways:

# %% tags=["nbval-ignore-output"]
sideways = snowy[0].transpose(3, 4)  # rows become columns, so down becomes right
turned = torch.tensor([WAYS.index(way) for way in ("down", "up", "left", "right")])[snowy[1]]
in_wind = share(eye(sideways).argmax(1), turned)
assert in_wind < 0.8
print(
    f"Conv3d, snow from the side: {in_wind:.2f}; wipe out dots: {share(centroid(darkest(sideways)), turned):.2f}"
)

# %% [markdown]
# ### What the filters learned
#
# For each direction, take the filter that speaks most for it: the one with the largest weight in the
# linear layer. Its three frames are below. Under them stands its mean answer to films of each
# direction, after batch normalisation: a **tuning curve**, in numbers.

# %% tags=["nbval-ignore-output"]
with torch.no_grad():
    found = eye[:5](snowy[0])  # (N, 8): what the linear layer gets
tuning = torch.stack([found[snowy[1] == way].mean(0) for way in range(4)], 1)  # (8, 4)
speaker = eye[-1].weight.argmax(1)  # (4,): a filter for each direction
kernels = eye[0].weight.detach()[speaker, 0]  # (4, 3, 5, 5)
titles = [f"{way},\nframe {t}" for way in WAYS for t in range(3)]
alt = "The three frames of the filters that speak for right, left, up and down; orange and blue cells."
plotting.show_images(kernels.flatten(0, 1), titles, columns=6, signed=True, alt=alt)
print(f"{'mean answer to':16}", *(f"{way:>7}" for way in WAYS))
for way, number in zip(WAYS, speaker.tolist(), strict=True):
    print(f"{'filter for ' + way:16}", *(f"{value:>7.2f}" for value in tuning[number]))
opposite = [1, 0, 3, 2]
for way, number in enumerate(speaker.tolist()):
    assert tuning[number, way] > tuning[number, opposite[way]]

# %% [markdown]
# Read the numbers first: each filter answers more to its own direction than to the opposite one. The
# kernels are less tidy, because they must also cope with strokes of all shapes and with the snow. Look
# for what changes from frame to frame: where does an orange patch go, and which blue one follows it?
# Adelson and Bergen (1985) described motion detectors of this kind, kernels slanted in space and time,
# as a model of how we see motion.

# %% [markdown]
# ## Recap
#
# - **Shapes.** (N, C, L), (N, C, H, W), (N, C, D, H, W): the kernel covers all channels and slides
#   along what comes after them. In every direction the size becomes ⌊(n + 2p − k) / s⌋ + 1.
# - **One network, three tasks.** Convolution, ReLU, pooling over all places, one linear layer. Its
#   filters turned out to be pieces of words, tones of a keypad, and patterns that move.
# - **Judged fairly.** Order beat a bag of characters, and counting short pieces did as well. The network
#   beat Goertzel in a buzz that it was trained on, and lost in hiss. It saw through snow; so did a line
#   of code by somebody who knew about snow.
#
# **Common mistakes:** (N, L, C) handed to `Conv1d`; letters as numbers in one channel; a split by line
# where lines come in files; a rival too weak to lose against; a test only in the condition of the
# training; expecting a single frame, or a mean frame, to know the direction.
#
# **A question to take along:** an electrocardiogram is one signal from each of twelve electrodes at 500
# samples a second. Which shape has a batch of ten seconds, which convolution would you take, and
# which simple method would it have to beat?
#
# Next: [12 · Deploy](12_deploy.ipynb).

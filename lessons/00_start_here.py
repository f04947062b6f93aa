# %% [markdown]
# # 00 · Start here
#
# **Question: does my machine work, and how do I use this?**
#
# You will be able to
#
# - say whether this machine has everything that the course needs, and what to do if not,
# - run a cell, make a prediction, move a slider and have an exercise checked,
# - find your way through the lessons.
#
# *15 minutes. Before this: nothing.*

# %%
from course_utils import start

# %% [markdown]
# A notebook is made of **cells**. Some hold text, like this one. The one above holds Python, and its number in brackets
# says that it has run.
#
# Click on the cell above and press **Shift+Enter**: it runs, and the next cell is chosen. Keep pressing Shift+Enter to go
# through the lesson. *Run → Run All Cells* in the menu runs everything at once.
#
# What is shown below a cell was stored when the course was made. Running the cell puts your own result in its place.
#
# ## Does my machine work?
#
# The next cell looks at your machine. It may take half a minute the first time.

# %% tags=["nbval-ignore-output"]
start.self_check()

# %% [markdown]
# A line that begins with ✓ is fine. A line that begins with ✗ says what to do. Nothing here needs a GPU, and nothing needs
# a network: the last line says which digits the course will use, and the embedded ones do for every lesson.
#
# The next cell loads what this lesson uses.

# %%
import torch

from course_utils import checks, plotting
from course_utils.data import load_digits
from course_utils.explore import explore

# %% [markdown]
# ## Sliders
#
# Most lessons have a picture with controls above it. Move the slider below with the mouse. With the keyboard, press Tab
# until the slider's knob has the focus, and use the arrow keys.


# %% tags=["nbval-ignore-output"]
def draw_one(row, column):
    """A grid of zeros with a one in it."""
    grid = torch.zeros(5, 5)
    grid[row - 1, column - 1] = 1
    figure = plotting.draw_grids({"grid": grid}, {"grid": (row - 1, column - 1, 1, 1)})
    figure.alt_text = f"The one stands in row {row} and column {column}."
    return figure


explore(draw_one, row=(1, 5), column=(1, 5))

# %% [markdown]
# **Try:** move *row* to 1. **Notice:** the one moves up: rows are counted from the top, as in a matrix.
#
# If the picture does not follow, no kernel is running. Choose *Kernel → Restart Kernel and Run All Cells*. On a web page
# without Python the picture stays as it is.
#
# ## The pictures of this course
#
# Most lessons look at handwritten digits. Here are ten of them.

# %% tags=["cover", "nbval-ignore-output"]
digits = load_digits()
first = [int((digits.train.labels == digit).nonzero()[0]) for digit in range(10)]
plotting.show_images(
    digits.train.images[first],
    [f"digit {digit}" for digit in range(10)],
    alt="Ten handwritten digits, white on black, one of each from 0 to 9.",
)

# %% [markdown]
# To the computer a picture is a table of numbers: 0 is black, 1 is white. PyTorch calls such a table a **tensor**. Its
# **shape** says how many numbers there are in each direction.

# %%
picture = digits.train.images[0]
assert picture.min() >= 0
assert picture.max() <= 1
tuple(picture.shape)

# %% [markdown]
# That reads: 1 channel (a grey picture has one, a colour picture three), 28 rows, 28 columns.
#
# ## How a prediction works
#
# Before a cell shows you something, the course often asks what you expect. A guess that turns out wrong is worth more than
# an answer that was only read. You write your guess in place of `None`, and run the cell below it too. If you leave
# `None`, the course goes on.
#
# **Predict.** How many training pictures of digits does the course have? Less than 1,000, or more than 50,000? Write
# `"less"` or `"more"`.

# %%
prediction = None
### BEGIN SOLUTION
prediction = "more"
### END SOLUTION

# %%
checks.compare_prediction(prediction, "more" if len(digits.train) > 50_000 else "less")

# %% [markdown]
# ## How an exercise works
#
# An exercise has stars for its difficulty, and the minutes it takes about. You write your answer in place of `None` or
# `...`, run the cell, then run the check below it. The check says ✓, or shows the smallest case that fails and, if it
# recognises the mistake, names it. A check never stops the notebook, and you can try as often as you like.

# %% [markdown]
# ### Exercise 1 · Count the numbers  ★☆☆ 1 minute
#
# How many numbers make up one picture of a digit?

# %%
numbers_in_a_picture = None
### BEGIN SOLUTION
numbers_in_a_picture = 28 * 28
### END SOLUTION

# %%
checks.pixels(numbers_in_a_picture)

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# The shape above says how many rows and how many columns there are.
#
# </details>
# <details><summary>Hint 2: nearly there</summary>
#
# Python multiplies with `*`.
#
# </details>

# %% [markdown]
# Try a wrong answer too, for instance 56, and read what the check says.

# %% [markdown]
# ## When something goes wrong
#
# | what you see | what helps |
# | --- | --- |
# | `NameError: name … is not defined` | A cell above has not run. *Run → Run All Above Selected Cell* |
# | `[*]` does not go away | The cell is still running. *Kernel → Interrupt Kernel* stops it |
# | everything behaves strangely | *Kernel → Restart Kernel and Run All Cells* |
# | you want the original notebook back | rename yours, then take the original from where you got the course |
#
# ## A map of the course
#
# Each lesson answers one question. They build on one another. In a hurry? 01, 02, 06 and 09 are the core.
#
# | lesson | question | minutes |
# | --- | --- | --- |
# | 00 Start here | Does my machine work, and how do I use this? | 15 |
# | [01 A convolution by hand](01_convolution_by_hand.ipynb) | What does one output number come from? | 50 |
# | [02 Pooling by hand](02_pooling_by_hand.ipynb) | What is kept, what is thrown away? | 45 |
# | [03 Convolution in PyTorch](03_convolution_in_pytorch.ipynb) | How does PyTorch do it, and what does it cost? | 50 |
# | [04 Autograd](04_autograd.ipynb) | How does a kernel learn? | 60 |
# | [05 Training from scratch](05_training_from_scratch.ipynb) | What happens in `loss.backward(); optimizer.step()`? | 60 |
# | [06 A CNN for MNIST](06_mnist_cnn.ipynb) | How do I train one properly? | 60 |
# | [07 Bug clinic](07_bug_clinic.ipynb) | Why does my network not run, or not learn? | 50 |
# | [08 Look inside](08_look_inside.ipynb) | What did it learn? | 50 |
# | [09 Depth and parameters](09_depth_and_parameters.ipynb) | What does depth buy, and what does each layer cost? | 60 |
# | [10 Fine-tuning](10_fine_tuning.ipynb) | How do I reuse a trained network? | 55 |
# | [11 Beyond images](11_beyond_images.ipynb) | Where else does convolution work? | 60 |
# | [12 Deploy](12_deploy.ipynb) | How do other people use it? | 50 |
# | [13 Scaling up](13_scaling_up.ipynb) | What changes between 44 thousand parameters and 175 billion? | 55 |

# %% [markdown]
# ## Recap
#
# - **Does this machine work?** Every line of the self-check begins with ✓, or says what to do.
# - **How do I use a notebook?** Shift+Enter runs a cell. Predictions are yours to make or to skip. Sliders redraw a picture.
#   A check names what is wrong and lets you try again.
# - **Where do I go?** To [01 · A convolution by hand](01_convolution_by_hand.ipynb), with paper and pencil beside you.
#
# **A common mistake:** running cells out of order. If a result surprises you, restart the kernel and run all cells first.
#
# **To take along:** a picture of 28 by 28 numbers is small. How many numbers is a photograph of your phone made of?

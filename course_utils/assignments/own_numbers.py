"""The numbers of one's own in the assignments: each student gets another image, kernel or network.

Every function takes the student's id and gives the same numbers on every machine. They are drawn
again until the task is worth doing: a window of negative numbers only, say, or rows left over.
"""

import hashlib
import random
import unicodedata

import torch
import torch.nn.functional as F

from ..checks import Case, Exercise
from ..checks.engine.reading import read

NO_ID = "write your id here"


def normal_id(student_id):
    """A student's id as it is compared: text without spaces around it, in small letters."""
    return unicodedata.normalize("NFKC", str(student_id)).strip().casefold()


def numbers_for(student_id, question):
    """A source of random numbers that depends on the student and the question alone.

    student_id: text or number. While it is not filled in, everybody gets the example's numbers,
    and a sentence says so. question: text. Returns: a `random.Random`, the same on every machine.
    """
    if normal_id(student_id) in ("", NO_ID):
        print("Write your id into `student_id` first. Until then these are example numbers.")
    text = f"{question}/{normal_id(student_id)}"
    return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


# ---- the form of an answer ----------------------------------------------------------------------


def form(name, answer, shape, student_id):
    """Check that an answer has the form that is asked for. Its numbers are not looked at.

    name: of the answer. answer: a number, nested lists, or a tensor. shape: what it should have,
    with None for a length that is part of the answer. student_id: it has to be filled in.
    Returns: a `checks.Result`.
    """

    def look(given):
        if normal_id(student_id) in ("", NO_ID):
            raise ValueError("Write your id into `student_id` first, and do the task with the "
                             "numbers that you get then")  # fmt: skip
        try:
            numbers = read(given)
        except TypeError:
            kind = "a list of numbers" if len(shape) == 1 else "lists of numbers, equally long"
            raise ValueError(f"This is not {kind if shape else 'a number'}") from None
        right = len(numbers.shape) == len(shape) and all(
            wanted in (None, got) for wanted, got in zip(shape, numbers.shape, strict=True)
        )
        if not right:
            raise ValueError(f"The shape is {numbers.shape}; it should be {_written(shape)}")
        cells = numbers.cells
        if numbers.dtype == torch.bool or cells.is_complex() or not cells.isfinite().all():
            raise ValueError("There is something in it that is no number")
        return lambda: True

    title = f"the form of {name} (its numbers are compared when it is graded)"
    return Exercise(title, "", None, (), (Case(expected=True),), prepare=look)(answer)


def _written(shape):
    """A shape as Python writes it, with "any" for a length that is left open."""
    lengths = ", ".join("any" if length is None else str(length) for length in shape)
    return f"({lengths},)" if len(shape) == 1 else f"({lengths})"


# ---- A1 · Arithmetic ----------------------------------------------------------------------------


def a1_convolution(student_id):
    """An image (4, 4) and a kernel (3, 3) of small whole numbers, int64; 3 cells of it are 0."""
    rng = numbers_for(student_id, "A1 convolution")
    while True:
        image = torch.tensor([[rng.randint(0, 6) for _ in range(4)] for _ in range(4)])
        cells = [0, 0, 0, -1, -2, *(rng.choice((-1, 1, 1, 2, 3)) for _ in range(4))]
        rng.shuffle(cells)
        kernel = torch.tensor(cells).reshape(3, 3)
        # However the kernel is turned or mirrored, the output must be another one.
        ways = [kernel.rot90(quarter) for quarter in range(4)]
        ways = torch.stack([*ways, *(way.T for way in ways)])[:, None]
        outputs = F.conv2d(image[None, None], ways)[0].flatten(1).tolist()
        different = len({tuple(output) for output in outputs}) == len(outputs)
        if different and all(len(set(outputs[way])) == 4 for way in (0, 2)):
            return image, kernel


def a1_pooling(student_id):
    """An image (4, 4) of whole numbers from −9 to 9, float32: all different, none of them 0."""
    rng = numbers_for(student_id, "A1 pooling")
    values = [*range(-9, 0), *range(1, 10)]
    while True:
        cells = rng.sample(values, 16)
        rows = [cells[start : start + 4] for start in range(0, 16, 4)]
        corners = [rows[i][j] for i in (0, 3) for j in (0, 3)]
        pairs = [rows[0][1:3], rows[3][1:3], [rows[1][0], rows[2][0]], [rows[1][3], rows[2][3]]]
        middle = rows[1][1:3] + rows[2][1:3]
        largest = [max(pair) for pair in pairs]
        # Windows of negative numbers only: the one in the middle, and some at the border.
        if (
            max(middle) < 0
            and min(corners) < 0 < max(corners)
            and min(largest) < 0 < max(largest)
            and 0 not in map(sum, pairs)
        ):
            return torch.tensor(rows).float()


def a1_layers(student_id):
    """Three layers, as `(size, layers)`: rows and columns of the picture, and their options.

    layers: three dicts, for a convolution, a dilated convolution and a max pooling.
    """
    rng = numbers_for(student_id, "A1 layers")
    kernel_size, stride, padding = rng.choice(
        ((5, 2, 2), (6, 2, 2), (7, 2, 2), (7, 2, 3), (7, 3, 3), (8, 3, 3))
    )
    places = rng.randint(17, 30)
    size = (places - 1) * stride + 1 + kernel_size - 2 * padding  # one row is left over
    dilation, wide = rng.choice((2, 3)), rng.choice((3, 4))
    left = places - dilation * (wide - 1)
    pool = rng.choice([pool for pool in (2, 3, 4, 5) if left % pool])
    return size, (
        {"kernel_size": kernel_size, "stride": stride, "padding": padding},
        {"kernel_size": wide, "dilation": dilation},
        {"kernel_size": pool},
    )


def a1_rows(student_id):
    """A convolution that steps over rows: `(rows of the picture, its options)`."""
    rng = numbers_for(student_id, "A1 rows")
    kernel_size, padding = rng.choice(((3, 1), (4, 1), (4, 2), (5, 1), (5, 2)))
    stride = kernel_size + rng.choice((1, 2))
    places = rng.choice((3, 4))
    # One more window would begin inside the picture, but hang over its end, padding included.
    rows = places * stride - padding + rng.randint(1, kernel_size - padding - 1)
    return rows, {"kernel_size": kernel_size, "stride": stride, "padding": padding}


# ---- A2 · Gradients -----------------------------------------------------------------------------


def a2_graph(student_id):
    """The numbers u, v, k and c of a small graph, and a smaller c_shut: a dict of whole numbers.

    With c the ReLU of the graph is open, with c_shut it is shut.
    """
    rng = numbers_for(student_id, "A2 graph")
    while True:
        u, v = (rng.choice((-4, -3, -2, -1, 1, 2, 3, 4)) for _ in range(2))
        k, z, z_shut = rng.choice((3, 4, 5)), rng.randint(2, 7), -rng.randint(1, 6)
        p, c = u * v, z - u * v
        e, e_shut, e_free = z - k * p, -k * p, z_shut - k * p
        # Whoever takes a wrong slope, or a wrong e, must come to another number.
        slopes = [s * n for s in (-k, 1 - k, -1, k) for n in (e, e_shut, e_free)]
        slopes += [0, -k * e_shut / 2, -k * e_shut**2 / 2]
        small = abs(k * p) * max(abs(u), abs(v)) <= 54 and 2 < abs(e) < 20
        plain = c in (-1, 0, 1, k, k + 1, 2 * k, 2 * k + 1)  # c stands for a slope
        if small and not plain and abs(u) != abs(v) and len({*slopes}) == len(slopes):
            return {"u": u, "v": v, "k": k, "c": c, "c_shut": z_shut - p}


def a2_convolution(student_id):
    """An image (3, 3), a kernel (2, 2) and the gradient (2, 2) that comes back: int64.

    The image's numbers are all different, and so are the kernel's and the gradient's.
    """
    rng = numbers_for(student_id, "A2 convolution")
    while True:
        image = torch.tensor(rng.sample(range(10), 9)).reshape(3, 3)
        kernel = torch.tensor(rng.sample((-3, -2, -1, 1, 2, 3, 4), 4)).reshape(2, 2)
        grad_output = torch.tensor(rng.sample((-2, -1, 1, 2, 3), 4)).reshape(2, 2)
        grad_image, turned = (
            F.conv_transpose2d(grad_output[None, None], way[None, None])[0, 0]
            for way in (kernel, kernel.flip(0, 1))
        )
        grad_kernel = F.conv2d(image[None, None], grad_output[None, None])[0, 0]
        # Signs, rows and columns that get mixed up must show.
        if (
            kernel.min() < 0
            and len({*(kernel / grad_output).flatten().tolist()}) > 1
            and not grad_image.equal(grad_image.T)
            and not turned.equal(turned.flip(0, 1))
            and len({*grad_kernel.flatten().tolist()}) == 4
        ):
            return image, kernel, grad_output

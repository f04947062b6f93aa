"""Every exercise of every lesson has a check, and every check accepts at least three right ways."""

import importlib
import inspect
import math
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import checks, ops
from course_utils.checks import EXERCISES

HERE = Path(__file__).resolve().parent
LESSONS = sorted((HERE.parent / "lessons").glob("*.py"))


def plane_in_loops(x, weight):
    k, m = weight.shape
    rows, columns = (n - s + 1 for n, s in zip(x.shape, weight.shape, strict=True))
    cells = [
        [(x[i : i + k, j : j + m] * weight).sum() for j in range(columns)] for i in range(rows)
    ]
    return torch.tensor(cells, dtype=x.dtype)


def plane_of_shifts(x, weight):
    rows, columns = (n - s + 1 for n, s in zip(x.shape, weight.shape, strict=True))
    total = 0
    for i, row in enumerate(weight):
        for j, number in enumerate(row):
            total = total + number * x[i : i + rows, j : j + columns]
    return total


def plane_unfolded(x, weight):
    windows = x.unfold(0, weight.shape[0], 1).unfold(1, weight.shape[1], 1)
    return torch.einsum("hwkm,km->hw", windows, weight)


def size_counted(size, kernel_size, stride=1, padding=0, dilation=1):
    span = dilation * (kernel_size - 1) + 1
    return sum(1 for _ in range(0, size + 2 * padding - span + 1, stride))


def size_floored(size, kernel_size, stride=1, padding=0, dilation=1):
    return math.floor((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1)


def size_of_torch(size, kernel_size, stride=1, padding=0, dilation=1):
    layer = nn.Conv1d(1, 1, kernel_size, stride=stride, padding=padding, dilation=dilation)
    return torch.tensor(layer(torch.zeros(1, 1, size)).shape[-1])


def pooled_of_torch(size, channels, kernel_size, pool):
    maps = F.conv2d(torch.zeros(1, 1, size, size), torch.zeros(channels, 1, *[kernel_size] * 2))
    return F.max_pool2d(maps, pool).numel()


def into_linear_built(size, channels, kernel_size, padding=0):
    maps, before = torch.zeros(1, 1, size, size), 1
    for after in channels:
        weight = torch.zeros(after, before, kernel_size, kernel_size)
        maps, before = F.max_pool2d(F.conv2d(maps, weight, padding=padding), 2), after
    return maps.flatten(1).shape[1]


def into_linear_recursive(size, channels, kernel_size, padding=0):
    side = (size + 2 * padding - kernel_size + 1) // 2
    if len(channels) == 1:
        return channels[0] * side**2
    return into_linear_recursive(side, channels[1:], kernel_size, padding)


def into_linear_by_ops(size, channels, kernel_size, padding=0):
    for _ in channels:
        size = ops.output_size(ops.output_size(size, kernel_size, padding=padding), 2, stride=2)
    return torch.tensor(channels[-1] * size * size)


def accuracy_counted(logits, labels):
    rows = zip(logits.tolist(), labels.tolist(), strict=True)
    return sum(row.index(max(row)) == label for row, label in rows) / len(labels)


def accuracy_in_numpy(logits, labels):
    return np.mean(logits.numpy().argmax(1) == labels.numpy())


def confusion_at_once(labels, predictions, classes):
    matrix = torch.zeros(classes, classes, dtype=torch.int64)
    return matrix.index_put_((labels, predictions), torch.tensor(1), accumulate=True)


def confusion_in_lists(labels, predictions, classes):
    pairs = Counter(zip(labels.tolist(), predictions.tolist(), strict=True))
    return [[pairs[i, j] for j in range(classes)] for i in range(classes)]


def confusion_one_hot(labels, predictions, classes):
    return F.one_hot(labels, classes).T @ F.one_hot(predictions, classes)


def shares_in_loops(confusion):
    right = [confusion[c, c] for c in range(len(confusion))]
    sums = confusion.sum(0), confusion.sum(1)
    shares = [[r / s if s else s * 0.0 for r, s in zip(right, one, strict=True)] for one in sums]
    return tuple(torch.tensor(row) for row in shares)


def shares_by_where(confusion):
    right, all_of = confusion.diagonal(), torch.stack([confusion.sum(0), confusion.sum(1)])
    return list(torch.where(all_of > 0, right / all_of, 0.0))


def shares_nan_mended(confusion):
    return tuple((confusion.diag() / confusion.sum(axis)).nan_to_num(0) for axis in (0, 1))


def stop_by_distance(losses, patience):
    kept = 1
    for epoch, loss in enumerate(losses, 1):
        kept = epoch if loss < losses[kept - 1] else kept
        if epoch - kept == patience:
            return [kept, epoch]
    return [kept, len(losses)]


def stop_by_slices(losses, patience):
    for stop in range(1, len(losses) + 1):
        kept = losses.index(min(losses[:stop])) + 1
        if stop - kept >= patience:
            break
    return kept, stop


def stop_as_tensors(losses, patience):
    return tuple(torch.tensor(epoch) for epoch in stop_by_slices(losses, patience))


def block_summed(d):
    linears = sum(n * m + m for n, m in [(d, 3 * d), (d, d), (d, 4 * d), (4 * d, d)])
    return linears + 2 * (d + d)


def gpt_in_a_loop(layers, d, vocabulary, context):
    total = vocabulary * d + context * d + d + d
    for _ in range(layers):
        total += block_summed(d)
    return total


def combined_in_loops(gradients, counts):
    total = sum(n * gradient for gradient, n in zip(gradients, counts.tolist(), strict=True))
    return total / sum(counts.tolist())


def scale_by_halving(gradients):
    scale = 2.0**60
    while not (gradients.double() * scale).to(torch.float16).isfinite().all():
        scale /= 2
    return scale


def scale_by_logarithm(gradients):
    return 2.0 ** math.floor(math.log2(65504 / gradients.abs().max().item()))


def scale_by_exponent(gradients):
    _, exponent = torch.frexp(65504 / gradients.abs().max().double())
    return torch.tensor(2.0, dtype=torch.float64) ** (exponent - 1)


RIGHT = {
    "conv2d_plane": [plane_in_loops, plane_of_shifts, plane_unfolded],
    "output_size": [size_counted, size_floored, size_of_torch],
    "edge_kernel": [
        [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
        torch.tensor([[0.0, -1, 0], [0, 0, 0], [0, 1, 0]]),
        np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])[::-1],
    ],
    "features_after_pooling": [
        pooled_of_torch,
        lambda size, channels, kernel_size, pool: (
            channels * ((size - kernel_size + 1) // pool) ** 2
        ),
        lambda size, channels, kernel_size, pool: (
            channels * float((size - kernel_size + 1) // pool) ** 2
        ),
    ],
    "features_into_linear": [into_linear_built, into_linear_recursive, into_linear_by_ops],
    "accuracy": [
        accuracy_counted,
        accuracy_in_numpy,
        lambda logits, labels: (logits.max(1).indices == labels).double().mean().item(),
        lambda logits, labels: (logits.argmax(1) == labels).sum() / len(labels),
    ],
    "confusion_matrix": [confusion_at_once, confusion_in_lists, confusion_one_hot],
    "precision_recall": [shares_in_loops, shares_by_where, shares_nan_mended],
    "early_stopping": [stop_by_distance, stop_by_slices, stop_as_tensors],
    "block_parameters": [
        block_summed,
        lambda d: 12 * d * d + 13 * d,
        lambda d: torch.tensor(d * (12 * d + 13)),
        lambda d: float(12 * d**2 + 13 * d),
    ],
    "gpt_parameters": [
        gpt_in_a_loop,
        lambda layers, d, vocabulary, context: (
            d * (vocabulary + context + 2 + layers * (12 * d + 13))
        ),
        lambda layers, d, vocabulary, context: torch.tensor(
            gpt_in_a_loop(layers, d, vocabulary, context)
        ),
    ],
    "combine_gradients": [
        combined_in_loops,
        lambda gradients, counts: counts.to(gradients.dtype) @ gradients / counts.sum(),
        lambda gradients, counts: gradients.repeat_interleave(counts, dim=0).mean(0),
    ],
    "loss_scale": [scale_by_halving, scale_by_logarithm, scale_by_exponent],
}


@pytest.mark.parametrize(
    ("name", "right"), [(name, right) for name, all_of in RIGHT.items() for right in all_of]
)
def test_every_style_of_a_right_answer_is_accepted(name, right):
    result = EXERCISES[name](right)
    assert result.passed, str(result)


def test_every_exercise_that_asks_for_code_is_tried_with_at_least_three_right_ways():
    tried = Counter({name: len(all_of) for name, all_of in RIGHT.items()})
    for path in HERE.glob("test_checks*.py"):
        for test in vars(importlib.import_module(path.stem)).values():
            for mark in getattr(test, "pytestmark", ()):
                if mark.name == "parametrize" and mark.args[0] in ("right", "kind"):
                    for name in set(re.findall(r"checks\.(\w+)\(", inspect.getsource(test))):
                        tried[name] += len(mark.args[1])
    asks = [e for e in EXERCISES.values() if e.wants_function or callable(e.reference)]
    assert len(asks) > 45
    assert not [(e.name, tried[e.name]) for e in asks if tried[e.name] < 3]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_below_the_heading_of_every_exercise_stands_one_check(lesson):
    text = lesson.read_text()
    starts = [found.start() for found in re.finditer(r"^# ### Exercise \d", text, re.M)]
    assert starts
    for start, end in pairwise([*starts, len(text)]):
        section = re.split(r"^# ##+ (?!Exercise)", text[start:end], flags=re.M)[0]
        asked = re.findall(r"^checks\.(\w+)\(", section, re.M)
        asked = [name for name in asked if name != "compare_prediction"]
        assert len(asked) == 1, section.splitlines()[0]
        assert asked[0] in EXERCISES


BY_HAND = [e for e in EXERCISES.values() if e.is_value and not isinstance(e.reference, tuple | str)]


@pytest.mark.parametrize("exercise", BY_HAND, ids=lambda e: e.name)
def test_a_value_may_be_a_list_a_tensor_an_array_or_have_a_gradient(exercise):
    plain = torch.as_tensor(exercise.reference)
    strange = torch.stack([plain.double()] * 2, -1)[..., 0].requires_grad_()  # not contiguous, too
    for right in (plain.tolist(), plain.numpy(), plain.double(), strange, plain.float()):
        assert exercise(right).passed


def test_a_step_counted_in_large_numbers_has_to_be_exact():
    cases = checks.gpt_parameters.cases
    count = checks.gpt_parameters.reference(*cases[-1].args)
    assert count > 10**11
    assert not checks.gpt_parameters(lambda *a: checks.gpt_parameters.reference(*a) + 1).passed

"""Right ways to solve the exercises of lesson 06."""

from collections import Counter

import numpy as np
import torch
import torch.nn.functional as F

from course_utils import ops


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


RIGHT = {
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
}

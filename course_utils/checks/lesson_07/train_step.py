"""Lesson 07, exercise 4: Mend the step."""

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks.engine import Exercise, Mistakes
from course_utils.checks.engine.probe import Probe

STEP = "lesson 07, 'One step, three faults'"


def _step(
    loss=F.cross_entropy, start="train", before=("zero",), after=("backward", "update"), sign=1
):
    """A training step, put together of its parts."""

    def step(network, optimizer, images, labels):
        network.train(start == "train")
        value = loss(network(images), labels)
        parts = {
            "zero": optimizer.zero_grad,
            "backward": (sign * value).backward,
            "update": optimizer.step,
        }
        for part in (*before, *after):
            parts[part]()
        return value.item()

    return step


def _of_probabilities(loss):
    return lambda logits, labels: loss(logits.softmax(1), labels)


_TWICE = _of_probabilities(F.cross_entropy)


def _two_steps(step):
    """The losses of two steps, the weights after them and the statistics: all as numbers."""
    generator = torch.Generator().manual_seed(3)
    network = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3)).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.rand(parameter.shape, generator=generator) - 0.4)
    network.eval()  # as an evaluation leaves it
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    losses = []
    for _ in range(3):
        images = torch.rand(6, 4, generator=generator, dtype=torch.float64)
        labels = torch.randint(3, (6,), generator=generator)
        losses.append(step(network, optimizer, images, labels))
    if any(loss is None for loss in losses):
        return None
    weights = torch.cat([p.detach().flatten() for p in network.parameters()])
    statistics = network[1].running_mean
    numbers = [loss.item() if isinstance(loss, torch.Tensor) else float(loss) for loss in losses]
    return torch.tensor(numbers, dtype=torch.float64), weights, statistics


mistake = Mistakes()
mistake.value(
    "softmax_twice",
    _step(_TWICE),
    "Softmax is applied twice: `F.cross_entropy` expects logits and has a softmax inside.",
    also=(
        _step(_TWICE, before=()),
        _step(_TWICE, start="eval"),
        _step(_TWICE, start="eval", before=()),
    ),
)
mistake.value(
    "no_zero_grad",
    _step(before=()),
    "The gradients of earlier steps are still there: `backward` adds to what it finds.",
    also=(_step(start="eval", before=()),),
)
mistake.value(
    "eval_mode",
    _step(start="eval"),
    "The network is in evaluation mode while it trains: batch normalisation uses its old "
    "statistics and collects no new ones.",
)
mistake.value(
    "never_moves",
    _step(before=(), after=("backward", "zero", "update")),
    "The weights never change. Is there a gradient at the moment of `optimizer.step()`, "
    "and is it called at all?",
    also=(_step(before=(), after=("backward",)), _step(start="eval", after=("backward",))),
)
mistake.value(
    "nll_without_log",
    _step(F.nll_loss),
    "`F.nll_loss` expects logarithms of probabilities, and these are logits.",
)
mistake.value(
    "nll_of_probabilities",
    _step(_of_probabilities(F.nll_loss)),
    "`F.nll_loss` expects logarithms of probabilities, and these are the probabilities.",
)
mistake.value(
    "added_up",
    _step(lambda logits, labels: F.cross_entropy(logits, labels, reduction="sum")),
    "The loss is the sum over the batch. With the mean, the learning rate keeps its "
    "meaning when the batch changes.",
)
mistake.value("uphill", _step(sign=-1), "The loss grows: the step goes up the gradient.")


train_step = Exercise(
    name="train_step",
    lesson=STEP,
    reference=_step(),
    prepare=lambda answer: Probe(answer, _two_steps),
    mistakes=mistake,
)

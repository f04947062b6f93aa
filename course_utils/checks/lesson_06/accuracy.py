"""Lesson 06, exercise 2: Accuracy."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole

LOOP = "lesson 06, 'The loop, once by hand'"


def _hits(logits, labels):
    return logits.argmax(1) == labels


def _accuracy(logits, labels):
    return _hits(logits, labels).double().mean().item()


def _of_the_label(logits, labels):
    return logits.softmax(1)[torch.arange(len(labels)), labels]


mistake = Mistakes()
mistake.value(
    "argmax_over_images",
    lambda logits, labels: (logits.argmax(0) == labels).double().mean().item(),
    "The largest logit was looked for in each column. Each row is one image: `dim=1`.",
)
mistake.value(
    "count",
    lambda logits, labels: _hits(logits, labels).sum().item(),
    "That is the number of right answers. Divide it by the number of images.",
)
mistake.value(
    "percent",
    lambda logits, labels: 100 * _accuracy(logits, labels),
    "That is in percent. Here an accuracy is a share, from 0 to 1.",
)
mistake.value(
    "error_rate",
    lambda logits, labels: 1 - _accuracy(logits, labels),
    "That is the share of wrong answers. Count the right ones.",
)
mistake.value(
    "divided_by_classes",
    lambda logits, labels: _hits(logits, labels).sum().item() / logits.shape[1],
    "The count is divided by the number of classes. Each row is one image: count the rows.",
)
mistake.value(
    "smallest_logit",
    lambda logits, labels: _accuracy(-logits, labels),
    "The smallest logit was taken for the answer. The network's answer is the largest.",
)
mistake.value(
    "values_compared",
    lambda logits, labels: (logits.amax(1) == labels).double().mean().item(),
    "The largest logit itself is compared with the label. Its position is the answer.",
)
mistake.value(
    "all_or_nothing",
    lambda logits, labels: _hits(logits, labels).all().item() * 1.0,
    "That is 1 when every answer is right, else 0. Which share of the answers is right?",
)
mistake.value(
    "probability_averaged",
    lambda logits, labels: _of_the_label(logits, labels).mean().item(),
    "That is the mean probability of the true class. An answer is right or wrong, however "
    "sure the network is.",
)
mistake.value(
    "more_than_half",
    lambda logits, labels: (_of_the_label(logits, labels) > 0.5).double().mean().item(),
    "An answer counts here only if its probability is above one half. Being the largest is enough.",
)


@mistake("Every logit counts as an answer of its own here. An image has one answer.")
def cells_counted(logits, labels):
    one_hot = torch.arange(logits.shape[1]) == labels[:, None]
    return ((logits > 0) == one_hot).double().mean().item()


@later
def cases():
    return (
        # As many images as classes, so that an argmax over the images runs and can be named.
        Case((torch.tensor([[6.0, 5.5, 0], [7, 0, 1], [0, 5, 4]]), torch.tensor([0, 2, 1]))),
        Case((torch.tensor([[2.0, 1, 0], [0, 3, 1]]), torch.tensor([0, 2]))),
        Case((torch.tensor([[-1.0, -4], [-2, -1], [1, 5]]), torch.tensor([0, 1, 1]))),
        Case((torch.tensor([[0.3, 0.2, 0.1], [4, 6, 5]]), torch.tensor([0, 0]))),
        Case(
            (
                whole(7, 4, high=90, seed=3, low=0, dtype=torch.int64) / 10 - 4,
                whole(7, high=4, seed=4, low=0, dtype=torch.int64),
            )
        ),
        Case(
            (
                whole(30, 10, high=90, seed=1, low=0, dtype=torch.int64) / 10 - 4,
                whole(30, high=10, seed=2, low=0, dtype=torch.int64),
            )
        ),
    )


accuracy = Exercise(
    name="accuracy",
    lesson=LOOP,
    reference=_accuracy,
    cases=cases,
    mistakes=mistake,
)

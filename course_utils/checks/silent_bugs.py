"""The exercises of lesson 07 about bugs that raise nothing: the step, the curves, the company."""

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks.engine import Case, Exercise, Mistake
from course_utils.checks.engine.probe import Probe
from course_utils.checks.engine.reading import kind_of

STEP = "lesson 07, 'One step, three faults'"
CURVES = "lesson 07, 'Six curves'"

# ---- one step of training -----------------------------------------------------------------------


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


train_step = Exercise(
    name="train_step",
    lesson=STEP,
    reference=_step(),
    prepare=lambda answer: Probe(answer, _two_steps),
    mistakes=(
        Mistake(
            "softmax_twice",
            _step(_TWICE),
            "Softmax is applied twice: `F.cross_entropy` expects logits and has a softmax inside.",
            also=(
                _step(_TWICE, before=()),
                _step(_TWICE, start="eval"),
                _step(_TWICE, start="eval", before=()),
            ),
        ),
        Mistake(
            "no_zero_grad",
            _step(before=()),
            "The gradients of earlier steps are still there: `backward` adds to what it finds.",
            also=(_step(start="eval", before=()),),
        ),
        Mistake(
            "eval_mode",
            _step(start="eval"),
            "The network is in evaluation mode while it trains: batch normalisation uses its old "
            "statistics and collects no new ones.",
        ),
        Mistake(
            "never_moves",
            _step(before=(), after=("backward", "zero", "update")),
            "The weights never change. Is there a gradient at the moment of `optimizer.step()`, "
            "and is it called at all?",
            also=(_step(before=(), after=("backward",)), _step(start="eval", after=("backward",))),
        ),
        Mistake(
            "nll_without_log",
            _step(F.nll_loss),
            "`F.nll_loss` expects logarithms of probabilities, and these are logits.",
        ),
        Mistake(
            "nll_of_probabilities",
            _step(_of_probabilities(F.nll_loss)),
            "`F.nll_loss` expects logarithms of probabilities, and these are the probabilities.",
        ),
        Mistake(
            "added_up",
            _step(lambda logits, labels: F.cross_entropy(logits, labels, reduction="sum")),
            "The loss is the sum over the batch. With the mean, the learning rate keeps its "
            "meaning when the batch changes.",
        ),
        Mistake(
            "uphill",
            _step(sign=-1),
            "The loss grows: the step goes up the gradient.",
        ),
    ),
)


# ---- which curve shows which bug ----------------------------------------------------------------

BUGS = (
    *("wrong view", "no zero_grad", "softmax twice"),
    *("eval forgotten", "labels shuffled", "lr × 100"),
)
_RIGHT = dict(zip("ABCDEF", sorted(BUGS, key=lambda bug: bug[-3:]), strict=True))


def _said(answer):
    """What was said of a curve, as a function of its letter."""
    if not isinstance(answer, dict) or set(answer) != set("ABCDEF"):
        raise TypeError('A dict with the six letters is expected: {"A": …, "B": …, …, "F": …}')
    if other := [bug for bug in answer.values() if not isinstance(bug, str)]:
        raise TypeError(
            f"Each letter gets the name of a bug in quotes; this is {kind_of(other[0])}"
        )
    if unknown := sorted({*answer.values()} - set(BUGS)):
        raise ValueError(f"{unknown[0]!r} is none of the six bugs: {', '.join(BUGS)}")
    if len(set(answer.values())) < len(BUGS):
        raise ValueError("Each bug belongs to one curve, and here one is named twice")
    return lambda letter: answer[letter]


def _exchanged(*bugs):
    turned = dict(zip(bugs, (*bugs[1:], bugs[0]), strict=True))
    return {letter: turned.get(bug, bug) for letter, bug in _RIGHT.items()}


which_bug = Exercise(
    name="which_bug",
    lesson=CURVES,
    reference=_RIGHT,
    prepare=_said,
    cases=tuple(Case((letter,)) for letter in "ABCDEF"),
    mistakes=(
        Mistake(
            "view_and_labels",
            _exchanged("wrong view", "labels shuffled"),
            "Two flat ones are exchanged. Wrong labels stay with their images, so they can be "
            "learned by heart in time. Images that are mixed anew in every batch cannot.",
        ),
        Mistake(
            "lr_and_zero_grad",
            _exchanged("lr × 100", "no zero_grad"),
            "Two wild ones are exchanged. Steps that are far too long do harm from the first on. "
            "Gradients that pile up need time for it.",
        ),
        Mistake(
            "labels_and_eval",
            _exchanged("labels shuffled", "eval forgotten"),
            "Two with a rising validation loss are exchanged. In which one is the training itself "
            "sound?",
        ),
        Mistake(
            "view_and_lr",
            _exchanged("wrong view", "lr × 100"),
            "Two that learn nothing are exchanged. Look at the first steps: which was thrown off "
            "the plot by its own first steps?",
        ),
        Mistake(
            "softmax_and_labels",
            _exchanged("softmax twice", "labels shuffled"),
            "Two slow ones are exchanged. In one of them the validation loss falls along with the "
            "training loss: there the network learns something true.",
        ),
        Mistake(
            "softmax_and_view",
            _exchanged("softmax twice", "wrong view"),
            "In one of two exchanged curves the loss does fall, and ends high above 0. Which bug "
            "keeps a loss from getting small, and which keeps it from falling?",
        ),
        Mistake(
            "zero_grad_and_eval",
            _exchanged("no zero_grad", "eval forgotten"),
            "In two of them the training loss falls well at first. Does it stay down? A mode that "
            "is forgotten in the evaluation cannot touch the training.",
        ),
        Mistake(
            "labels_and_lr",
            _exchanged("labels shuffled", "lr × 100"),
            "Too long a step shows in the first steps already. Wrong labels do not.",
        ),
        Mistake(
            "softmax_and_zero_grad",
            _exchanged("softmax twice", "no zero_grad"),
            "One loss falls smoothly to a floor, another falls, turns and gets rough. Gradients "
            "that pile up do not make anything smooth.",
        ),
        Mistake(
            "three_turned",
            _exchanged("wrong view", "labels shuffled", "lr × 100"),
            "The three that learn nothing are in the wrong places. Sort them by the first ten "
            "steps, then by what the training loss does at the end.",
            also=(_exchanged("wrong view", "lr × 100", "labels shuffled"),),
        ),
    ),
)

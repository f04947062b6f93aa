"""What assignment A3 shows of its checks: the form of a network, and that a training learns.

The same functions run when the notebook is graded. There the network may live in another process,
where it can only be asked for its logits.
"""

import contextlib
import math

import torch
from torch import nn

from .._modes import in_eval_mode
from ..checks.engine import guard
from ..checks.engine.reading import kind_of, read
from ..checks.engine.result import Result
from ..training import History

LIMIT = 60_000
NETWORK = "lesson 06, 'Define the network'"
FOLLOW = "lesson 07, 'Follow the shapes'"
CURVES = "lesson 07, 'Six curves'"
LOOP = "lesson 05, 'The training loop'"


class Unfit(Exception):
    """What is wrong with an answer: a short name, a sentence, and where to read on."""

    def __init__(self, diagnosis, sentence="", lesson=""):
        super().__init__(sentence)
        self.diagnosis, self.lesson = diagnosis, lesson


def result_of(name, check, *args):
    """Run a check that raises Unfit where an answer is not right. Returns: a `checks.Result`."""
    try:
        check(*args)
    except Unfit as unfit:
        return Result(name, False, 1, unfit.diagnosis, str(unfit), unfit.lesson)
    return Result(name, passed=True, total=1)


def network(answer, size):
    """Check the form of a network. answer: the network. size: how many parameters it has."""
    return result_of("network", require_network, answer, size)


def history(losses):
    """Check the losses of a training. losses: one number for each batch, in order."""
    return result_of("history", _require_learning, losses)


def logits_of(answer, images, seconds=20.0):
    """Ask a network in eval mode, without gradients, whatever it does. Raises: Unfit.

    images: (N, 1, 28, 28). Returns: its logits (N, 10). Its modes stay as they are.
    """
    is_here = isinstance(answer, nn.Module)
    # Gradients are switched off in a thread of its own, where guard calls it.
    ask = answer if hasattr(answer, "call_elsewhere") else torch.no_grad()(answer.__call__)
    try:
        with in_eval_mode(answer) if is_here else contextlib.nullcontext():
            logits = guard.call(ask, (images.clone(),), {}, seconds)
    except guard.OutOfTime:
        raise Unfit("endless_loop", f"Stopped after {seconds:g} seconds.") from None
    except guard.Crash as crash:
        sentence = f"With {len(images)} images the network stopped with {crash}"
        raise Unfit("crash", sentence, FOLLOW) from None
    return _checked(logits, len(images))


def _checked(logits, count):
    if not isinstance(logits, torch.Tensor):
        raise Unfit("wrong_type", f"A network returns a tensor; this is {kind_of(logits)}.")
    try:
        cells = read(logits).cells
    except TypeError as error:
        raise Unfit("wrong_type", f"{error}.") from None
    if cells.shape != (count, 10):
        raise Unfit(
            "wrong_shape",
            f"For {count} images the logits have the shape {tuple(cells.shape)}; it should be "
            f"({count}, 10), whatever the number of images.",
            FOLLOW,
        )
    if cells.is_complex():
        raise Unfit("wrong_type", "The logits are complex; real ones are expected.")
    if not cells.isfinite().all():
        raise Unfit("not_finite", "Some logits are nan or infinite.", CURVES)
    return cells


def require_network(answer, size):
    """Raise Unfit unless `answer` is a network of A3's form, with `size` parameters."""
    if answer is None or answer is ... or answer is NotImplemented:
        raise Unfit("not_attempted")
    if isinstance(answer, type) or not callable(answer):
        raise Unfit(
            "wrong_type", f"The network itself is expected; this is {kind_of(answer)}.", NETWORK
        )
    _require_size(answer, size)
    _require_logits(answer)


def _require_size(answer, size):
    if isinstance(answer, nn.Module):  # where it can be counted here, it is
        size = max(size or 0, sum(p.numel() for p in answer.parameters()))
    if not size:
        raise Unfit("no_parameters", "Nothing in this network can learn: it has no parameters.")
    if size > LIMIT:
        raise Unfit(
            "too_large",
            f"The network has {size:,} parameters; at most {LIMIT:,} are allowed. The first Linear "
            "after Flatten usually has the most.",
            NETWORK,
        )


def _require_logits(answer):
    images = torch.rand(7, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    many = logits_of(answer, images)
    if not torch.allclose(many, logits_of(answer, images), atol=1e-4):
        raise Unfit(
            "random",
            "The same images get other logits each time, in eval mode too: something random is "
            "always on. `nn.Dropout` is off in eval mode; `F.dropout(x)` is not.",
            "lesson 05, 'Dropout'",
        )
    alone = torch.cat([logits_of(answer, image[None]) for image in images])
    if not torch.allclose(many, alone, rtol=1e-3, atol=1e-3):
        raise Unfit(
            "mixed",
            "An image gets other logits in a batch than alone: something mixes the images, "
            "such as a `view` or a `reshape` with the wrong numbers.",
            "lesson 07, 'It learns, and cheats'",
        )
    logits = logits_of(answer, torch.cat([images, 50 * images, -50 * images]))
    ends = "The network is to end with its raw logits, without"
    if (logits >= 0).all() and torch.allclose(logits.sum(1), torch.ones(len(logits)).double()):
        raise Unfit(
            "softmax", f"{ends} a softmax: each row adds up to 1.", "lesson 05, 'Large logits'"
        )
    if torch.allclose(logits.logsumexp(1), torch.zeros(len(logits)).double(), atol=1e-4):
        raise Unfit("log_softmax", f"{ends} a log_softmax.", "lesson 05, 'Large logits'")
    if (logits >= 0).all() and (logits == 0).any() and (logits > 0).any():
        raise Unfit("relu_at_the_end", f"{ends} a ReLU: no logit is ever negative.", NETWORK)
    if ((logits >= 0) & (logits <= 1)).all() and logits.max() > 0:
        raise Unfit("sigmoid", f"{ends} a sigmoid: every logit is between 0 and 1.", NETWORK)


def _require_learning(losses):
    if losses is None or losses is ... or losses is NotImplemented:
        raise Unfit("not_attempted")
    if isinstance(losses, History):
        raise Unfit("fit", "That is what `training.fit` returns. Write the loop yourself.", LOOP)
    try:
        losses = [float(read(loss).cells) for loss in losses]
    except Exception:  # whatever a student's class raises
        raise Unfit(
            "wrong_type", f"A list of numbers is expected; this is {kind_of(losses)}.", LOOP
        ) from None
    if len(losses) < 20:
        raise Unfit(
            "too_few",
            f"There are {len(losses)} losses. Keep one for each batch, not one for each epoch.",
            LOOP,
        )
    if not all(map(math.isfinite, losses)):
        raise Unfit("not_finite", "Some losses are nan or infinite: is lr too large?", CURVES)
    _require_falling(losses)


def _require_falling(losses):
    tenth = len(losses) // 10
    end = sum(losses[-tenth:]) / tenth
    if end < 0.5 * losses[0]:
        return
    if min(losses) > 1.461 and end < 2:
        raise Unfit("softmax_twice", "The loss falls and rests above 1.46. Which bug does?", CURVES)
    raise Unfit(
        "not_learned",
        f"The first loss is {losses[0]:.2f}, the mean of the last tenth {end:.2f}, more than half "
        "of it. Go through the lines of the loop.",
        CURVES,
    )

"""The checks of lesson 05 accept every right way to write a loss, an optimizer and dropout."""

import pytest
import torch
import torch.nn.functional as F

from course_utils import checks
from course_utils.checks import EXERCISES
from course_utils.checks.lesson_05._paths import Path, numbers, torch_path
from course_utils.checks.lesson_05.adam_step import torch_adam


def shifted(logits, labels):
    logits = logits - logits.amax(1, keepdim=True)
    true = logits.gather(1, labels[:, None])[:, 0]
    return (logits.exp().sum(1).log() - true).mean()


def in_loops(logits, labels):
    total = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        powers = [torch.tensor(z - max(row), dtype=torch.float64).exp().item() for z in row]
        total -= row[label] - max(row) - torch.tensor(sum(powers)).log().item()
    return total / len(labels)


def with_targets(logits, labels):
    return -(F.one_hot(labels, logits.shape[1]) * logits.log_softmax(1)).sum(1).mean()


def in_float32(logits, labels):
    return F.nll_loss(F.log_softmax(logits.float(), 1), labels)


def sgd_in_place(w, grad, state, lr):
    w -= lr * grad
    return w


def sgd_by_number(w, grad, state, lr):
    return torch.stack([x - lr * g for x, g in zip(w, grad, strict=True)])


def sgd_with_grad(w, grad, state, lr):
    return torch.add(w.requires_grad_(), grad, alpha=-lr)


def momentum_with_lr_inside(w, grad, state, lr, momentum=0.9):
    state["step"] = momentum * state.get("step", 0) - lr * grad
    return w + state["step"]


def momentum_in_place(w, grad, state, lr, momentum=0.9):
    if "v" not in state:
        state["v"] = torch.zeros_like(w)
    state["v"].mul_(momentum).add_(grad)
    return w.sub_(lr * state["v"])


def momentum_from_a_list(w, grad, state, lr, momentum=0.9):
    gradients = state.setdefault("all", [])
    gradients.append(grad)
    faded = [momentum**age * g for age, g in enumerate(reversed(gradients))]
    return w - lr * sum(faded)


def adam_as_in_the_paper(w, grad, state, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    if not state:
        state.update(t=0, m=torch.zeros_like(w), v=torch.zeros_like(w))
    state["t"] += 1
    state["m"] = beta1 * state["m"] + (1 - beta1) * grad
    state["v"] = beta2 * state["v"] + (1 - beta2) * grad * grad
    m_hat = state["m"] / (1 - beta1 ** state["t"])
    v_hat = state["v"] / (1 - beta2 ** state["t"])
    return w - lr * m_hat / (torch.sqrt(v_hat) + eps)


def adam_in_place(w, grad, state, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v = (state.setdefault(name, torch.zeros_like(w)) for name in "mv")
    state["t"] = t = state.get("t", 0) + 1
    m.lerp_(grad, 1 - beta1)
    v.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
    root = (v.sqrt() / (1 - beta2**t) ** 0.5).add_(eps)
    return w.addcdiv_(m, root, value=-lr / (1 - beta1**t))


def adam_of_torch(w, grad, state, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    if not state:
        state["w"] = torch.nn.Parameter(w.clone())
        state["adam"] = torch_adam([state["w"]], lr, beta1, beta2, eps)
    state["w"].grad = grad
    state["adam"].step()
    return state["w"].detach()


@pytest.mark.parametrize(
    ("name", "optimizer", "options"),
    [
        ("sgd_step", torch.optim.SGD, {"lr": 0.05}),
        ("momentum_step", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
        ("adam_step", torch_adam, {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "eps": 1e-4}),
    ],
)
def test_the_references_are_the_rules_of_torch(name, optimizer, options):
    draw = torch.Generator().manual_seed(7)
    w = torch.randn(6, dtype=torch.float64, generator=draw)
    gradients = torch.randn(49, 6, dtype=torch.float64, generator=draw)
    mine = Path(EXERCISES[name].reference, optimizer)(w, gradients, **options)
    assert (mine - torch_path(optimizer, w, gradients, **options)).abs().max() < 1e-12


def test_a_rule_that_strays_by_more_than_1e_minus_10_in_fifty_steps_is_rejected():
    def strays(w, grad, state, lr):
        return w - lr * grad + 1e-11

    result = checks.sgd_step(strays)
    assert not result.passed
    assert result.number == result.total - 1


def test_an_error_in_a_rule_is_shown_with_the_students_line():
    def crashes(w, grad, state, lr, momentum=0.9):
        state["v"] = momentum * state["v"] + grad
        return w - lr * state["v"]

    text = str(checks.momentum_step(crashes))
    assert "KeyError: 'v'" in text
    assert 'state["v"] = momentum * state["v"] + grad' in text


def test_a_rule_of_the_wrong_kind_is_named():
    def forgets(w, grad, state, lr):
        w -= lr * grad

    assert checks.sgd_step(numbers(1, 2)).diagnosis == "wrong_type"
    assert checks.sgd_step(forgets).diagnosis == "returned_nothing"
    assert checks.sgd_step(lambda w, grad, state, lr: w[:1]).diagnosis == "wrong_shape"


def dropout_with_where(x, draws, p, training=True):
    if not training:
        return x
    return torch.where(draws < p, torch.zeros_like(x), x / (1 - p))


def dropout_with_a_mask(x, draws, p, training=True):
    mask = torch.ones_like(x)
    if training:
        mask[draws < p] = 0
        mask /= 1 - p
    return x * mask


def dropout_in_loops(x, draws, p, training=True):
    y = x.clone()
    for place in range(y.numel()) if training else ():
        stays = draws.flatten()[place] >= p
        y.view(-1)[place] = x.flatten()[place] / (1 - p) if stays else 0
    return y


RIGHT = {
    "cross_entropy": [
        shifted,
        in_loops,
        with_targets,
        in_float32,
        lambda logits, labels: F.cross_entropy(logits, labels),
    ],
    "sgd_step": [sgd_in_place, sgd_by_number, sgd_with_grad],
    "momentum_step": [momentum_with_lr_inside, momentum_in_place, momentum_from_a_list],
    "adam_step": [adam_as_in_the_paper, adam_in_place, adam_of_torch],
    "dropout": [dropout_with_where, dropout_with_a_mask, dropout_in_loops],
    "mlp_parameters": [kind([200_960, 32_896, 8_256, 650]) for kind in (list, tuple, torch.tensor)],
}

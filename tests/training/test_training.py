"""fit is the loop that it looks like, and says in a sentence what does not fit."""

import copy
import itertools
import math
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tiny import network, quiet, same, stripes
from torch import nn

from course_utils import training
from course_utils.training import evaluate, seed_everything


def test_fit_lowers_the_loss_and_records_every_step():
    history = quiet(network(), stripes(), validation=stripes(64, 1), epochs=4, lr=0.05)
    assert len(history.step_loss) == 24
    assert [e.epoch for e in history.epochs] == [1, 2, 3, 4]
    assert [e.steps for e in history.epochs] == [6, 12, 18, 24]
    assert history.epochs[-1].train_loss < 0.8 * history.epochs[0].train_loss
    assert history.epochs[-1].validation_accuracy > 0.5
    assert history.seconds > 0
    assert history.stopped is None
    assert not history.interrupted


def test_fit_equals_a_hand_written_loop_step_for_step():
    model, twin = network(), network()
    images, labels = stripes(100)
    sgd = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    history = quiet(model, (images, labels), epochs=2, optimizer=sgd, seed=3)

    optimizer = torch.optim.SGD(twin.parameters(), lr=0.05, momentum=0.9)
    generator, losses = torch.Generator().manual_seed(3), []
    for _ in range(2):
        order = torch.randperm(100, generator=generator)
        for start in range(0, 100, 32):
            batch = order[start : start + 32]
            loss = F.cross_entropy(twin(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert history.step_loss == pytest.approx(losses, rel=1e-5)
    for mine, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_the_defaults_equal_adamw_one_cycle_and_torchs_label_smoothing():
    model, twin = network(), network()
    images, labels = stripes(96)
    history = quiet(model, (images, labels), seed=3, epochs=2)
    optimizer = torch.optim.AdamW(twin.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=7)
    generator, losses = torch.Generator().manual_seed(3), []
    for batch in [b for _ in "12" for b in torch.randperm(96, generator=generator).split(32)]:
        logits = twin(images[batch])
        losses.append(F.cross_entropy(logits, labels[batch]).item())
        optimizer.zero_grad()
        F.cross_entropy(logits, labels[batch], label_smoothing=0.1).backward()
        optimizer.step()
        schedule.step()
    assert history.step_loss == pytest.approx(losses, rel=1e-4)
    for mine, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5)


def test_same_seed_same_weights_and_another_seed_others():
    models = [network() for _ in range(3)]
    for model in models:
        model.insert(4, nn.Dropout(0.5))
    torch.manual_seed(1)
    quiet(models[0], stripes(), seed=5)
    torch.manual_seed(2)
    quiet(models[1], stripes(), seed=5)
    quiet(models[2], stripes(), seed=6)
    assert same(models[0], models[1])
    assert not same(models[0], models[2])


def test_fit_leaves_the_generators_outside_alone():
    before = torch.get_rng_state()
    model = copy.deepcopy(nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(64, 4)))
    before = torch.get_rng_state()
    quiet(model, stripes())
    assert torch.equal(before, torch.get_rng_state())


def test_seed_everything_seeds_python_numpy_and_torch():
    draws = []
    for _ in range(2):
        seed_everything(7)
        draws.append((random.random(), np.random.rand(), torch.rand(1).item()))  # noqa: NPY002
    assert draws[0] == draws[1]


class Drawn(torch.utils.data.Dataset):
    """Every item is what the three generators of the process that reads it draw."""

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return random.random(), np.random.random(), torch.rand(()).item()  # noqa: NPY002


def test_seed_everything_seeds_the_workers_of_a_loader_too():
    def drawn(seed):
        seed_everything(seed)
        loader = torch.utils.data.DataLoader(Drawn(), num_workers=2)
        return [tuple(number.item() for number in item) for item in loader]

    numbers = drawn(7)
    assert numbers == drawn(7)
    assert len({number for item in numbers for number in item}) == 18  # no worker repeats another
    assert not set(numbers) & set(drawn(8))


def test_two_calls_with_one_optimizer_and_history_equal_one_call():
    whole, parts = network(), network()
    quiet(whole, stripes(), epochs=2, optimizer=torch.optim.SGD(whole.parameters(), lr=0.1))
    sgd = torch.optim.SGD(parts.parameters(), lr=0.1)
    history = quiet(parts, stripes(), optimizer=sgd)
    again = quiet(parts, stripes(), optimizer=sgd, history=history)
    assert again is history
    assert [e.epoch for e in history.epochs] == [1, 2]
    assert same(whole, parts)


def test_one_cycle_rises_to_the_largest_lr_and_falls_to_nothing():
    rates = []

    class Recorder(torch.optim.SGD):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    model = network()
    sgd = Recorder(model.parameters(), lr=0.1, momentum=0.9)
    quiet(model, stripes(), epochs=5, optimizer=sgd, schedule="one-cycle")
    assert max(rates) == pytest.approx(0.1, rel=0.02)
    assert rates.index(max(rates)) in (8, 9)
    assert rates[-1] < 0.01 * max(rates)
    assert sgd.param_groups[0]["momentum"] == 0.9


def test_a_ready_optimizer_keeps_its_lr_and_the_weights_it_was_given():
    model = network()
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    history = quiet(model, stripes(), epochs=2, optimizer=sgd)
    assert [e.lr for e in history.epochs] == [0.1, 0.1]
    assert sgd.param_groups[0]["params"][0] is next(model.parameters())


def test_fit_trains_in_train_mode_and_ends_in_eval_mode_with_plain_weights():
    seen = set()

    class Watched(nn.Sequential):
        def forward(self, x):
            if torch.is_grad_enabled():
                seen.add(self.training)
            return super().forward(x)

    model = Watched(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(64, 4)).eval()
    quiet(model, stripes())
    assert seen == {True}
    assert not model.training
    model[1].weight.view(-1)  # fails on weights that are still channels_last


def overfitting():
    """A network that gets worse on `validation`, whose labels are wrong on purpose."""
    images, labels = stripes()
    return network(), (images, labels), (images, (labels + 1) % 4)


def test_early_stopping_goes_back_to_the_best_weights():
    model, train, validation = overfitting()
    history = quiet(model, train, validation=validation, epochs=20, patience=2, lr=0.02)
    losses = [e.validation_loss for e in history.epochs]
    assert len(losses) < 20
    assert len(losses) == history.best_epoch + 2
    assert "no smaller validation loss for 2 epochs" in history.stopped
    assert evaluate(model, validation).loss == pytest.approx(min(losses), rel=1e-5)


def test_without_patience_the_last_weights_stay():
    model, train, validation = overfitting()
    history = quiet(model, train, validation=validation, epochs=3, lr=0.02)
    last = history.epochs[-1].validation_loss
    assert evaluate(model, validation).loss == pytest.approx(last, rel=1e-5)


def test_an_interrupt_returns_the_history_and_training_goes_on():
    model, calls = network(), itertools.count()

    def loss(logits, labels):
        if next(calls) == 8:
            raise KeyboardInterrupt
        return F.cross_entropy(logits, labels)

    history = quiet(model, stripes(), epochs=3, loss=loss)
    assert history.interrupted
    assert len(history.step_loss) == 8
    assert len(history.epochs) == 1
    assert "Interrupted" in repr(history)
    assert not model.training
    quiet(model, stripes(), epochs=2, history=history)
    assert not history.interrupted
    assert len(history.step_loss) == 20
    assert [e.epoch for e in history.epochs] == [1, 2, 3]


def test_a_loss_that_is_not_finite_ends_training_with_a_sentence_and_the_curve():
    model = network()
    sgd = torch.optim.SGD(model.parameters(), lr=1e20)
    history = quiet(model, stripes(), epochs=3, optimizer=sgd)
    assert not math.isfinite(history.step_loss[-1])
    assert all(math.isfinite(value) for value in history.step_loss[:-1])
    assert f"at step {len(history.step_loss)}: try a smaller learning rate" in history.stopped
    assert history.stopped in repr(history)


def test_bfloat16_trains_and_is_not_chosen_for_small_models():
    model = network()
    history = quiet(model, stripes(), epochs=3, precision="bfloat16")
    assert history.step_loss[-1] < history.step_loss[0]
    assert model[0].weight.dtype == torch.float32
    assert not training.setup.gains_from_bfloat16(model, torch.device("cpu"))


images, labels = stripes(40)


@pytest.mark.parametrize(
    ("train", "options", "words"),
    [
        ((images, labels), {"epochs": 0}, "epochs=0 is too small: it must be at least 1"),
        ((images, labels), {"epochs": 1.5}, "epochs=1.5 must be a whole number"),
        ((images, labels), {"batch_size": 0}, "batch_size=0 is too small"),
        ((images, labels), {"lr": -1.0}, "lr=-1.0 is not possible: give a number above 0"),
        (
            (images, labels),
            {"label_smoothing": 1},
            "label_smoothing=1 is not possible",
        ),
        ((images, labels), {"label_smoothing": 0.1, "loss": F.nll_loss}, "loss=F.cross_entropy"),
        ((images, labels), {"patience": 2}, "needs validation="),
        ((images, labels), {"schedule": "linear"}, "schedule='linear' is unknown"),
        ((images, labels), {"precision": "half"}, "precision='half' is unknown"),
        ((images, labels[:9]), {}, "40 images but 9 labels"),
        ((images[:0], labels[:0]), {}, "train is empty"),
        ((images, labels + 1), {}, "labels go from 1 to 4, but the model has 4 logits"),
        ((images, labels.int()), {}, "use labels.long()"),
        (((images * 255).byte(), labels), {}, r"use images.float\(\) / 255"),
        ((images.expand(-1, 3, -1, -1), labels), {}, r"'0' \(Conv2d\) got shape \(2, 3, 8, 8\)"),
        ((images[..., :6], labels), {}, r"'4' \(Linear\) .* in_features=36"),
        ((images, labels), {"validation": (images[:, :, :6], labels)}, r"'4' \(Linear\)"),
        ((images.numpy(), labels), {}, "must be tensors"),
        (images, {}, "train is a Tensor, but a Split or a pair"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_in_a_sentence(train, options, words):
    model = network()
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match=words):
        quiet(model, train, **options)
    assert same(model, before)
    assert model.training


def test_a_lr_beside_a_ready_optimizer_is_refused():
    model = network()
    with pytest.raises(ValueError, match="set it in the optimizer"):
        quiet(model, stripes(), lr=0.1, optimizer=torch.optim.SGD(model.parameters(), lr=0.1))


def test_handing_in_all_digits_asks_for_the_training_split():
    class Digits:
        train = stripes()

    with pytest.raises(ValueError, match=r"did you mean digits\.train\?"):
        quiet(network(), Digits())

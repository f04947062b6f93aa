"""What students bring to training: networks, optimizers, labels and files of their own."""

import copy
import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import training

torch.manual_seed(0)
IMAGES, LABELS = torch.rand(65, 1, 28, 28), torch.randint(10, (65,))
ROUGHLY = {"rtol": 1e-4, "atol": 1e-5}


class Flattens(nn.Module):
    """As lessons 06 and 07 show it, and most students write it."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 3), nn.Conv2d(8, 4, 3, stride=2)
        self.linear = nn.Linear(4 * 12 * 12, 10)

    def flat(self, x):
        return x.view(x.size(0), -1)

    def forward(self, x):
        return self.linear(self.flat(F.relu(self.conv2(F.relu(self.conv1(x))))))


class FlattensByNumber(Flattens):
    def flat(self, x):
        return x.view(-1, 576)


class ReadsItsWeight(Flattens):
    """A layer that lays its own weight out flat."""

    def flat(self, x):
        penalty = self.conv2.weight.view(4, -1).square().sum()
        return x.flatten(1) * (1 + 0 * penalty)


class FlattensInTraining(Flattens):
    def flat(self, x):
        return x.view(len(x), -1) if self.training else x.flatten(1)


class FlattensOnTheWayBack(Flattens):
    class Back(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad.view(len(grad), -1).view(grad.shape)

    def flat(self, x):
        return self.Back.apply(x).flatten(1)


class Plain(Flattens):
    def flat(self, x):
        return x.reshape(len(x), -1)


def trained(model, **options):
    options = {"epochs": 2, "batch_size": 16, "progress": False} | options
    return training.fit(model, options.pop("data", (IMAGES, LABELS)), **options)


def same_start(kind):
    torch.manual_seed(1)
    return kind()


@pytest.mark.parametrize(
    "kind",
    [Flattens, FlattensByNumber, ReadsItsWeight, FlattensInTraining, FlattensOnTheWayBack],
)
def test_a_network_that_runs_when_called_trains_and_is_measured_with_the_same_numbers(kind):
    mine, plain = same_start(kind), same_start(Plain)
    ours, theirs = trained(mine), trained(plain)
    torch.testing.assert_close(ours.step_loss, theirs.step_loss, **ROUGHLY)
    ours, theirs = (training.evaluate(m, (IMAGES, LABELS)) for m in (mine, plain))
    torch.testing.assert_close(ours.probabilities, theirs.probabilities, **ROUGHLY)
    assert all(p.is_contiguous() for p in mine.parameters())


def test_trying_a_network_out_changes_nothing_of_it():
    model = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten())
    model.extend([nn.Dropout(0.5), nn.Linear(4 * 26 * 26, 10)])
    twin, state = copy.deepcopy(model), torch.get_rng_state()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trained(model, epochs=1, batch_size=65, optimizer=optimizer, seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.1)
    order = torch.randperm(65, generator=torch.Generator().manual_seed(3))
    torch.manual_seed(3)
    F.cross_entropy(twin.train()(IMAGES[order]), LABELS[order]).backward()
    optimizer.step()
    torch.set_rng_state(state)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, twin.state_dict()[name], **ROUGHLY)


# ---- a student's own optimizer ------------------------------------------------------------------


def test_a_lent_optimizer_has_its_settings_again_and_learns_the_next_time_as_well():
    model = Flattens()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.8, 0.9))
    settings = [
        {k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups
    ]
    attributes = set(vars(optimizer))
    peaks = []
    for _ in range(3):
        peaks.append(
            max(e.lr for e in trained(model, optimizer=optimizer, schedule="one-cycle").epochs)
        )
        assert [
            {k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups
        ] == settings
        assert set(vars(optimizer)) == attributes
    assert peaks[0] == peaks[1] == peaks[2] > 1e-3
    assert optimizer.state  # which has grown


@pytest.mark.parametrize("wrong", [{"seed": "x"}, {"seed": -1}, {"batch_size": 0}])
def test_a_lent_optimizer_is_not_touched_where_an_argument_is_refused(wrong):
    model = Flattens()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    before = set(vars(optimizer)), set(optimizer.param_groups[0])
    with pytest.raises(ValueError, match=next(iter(wrong))):
        trained(model, optimizer=optimizer, schedule="one-cycle", **wrong)
    assert optimizer.param_groups[0]["lr"] == 0.05
    assert (set(vars(optimizer)), set(optimizer.param_groups[0])) == before


@pytest.mark.parametrize("ends", ["interrupted", "nan"])
def test_a_lent_optimizer_has_its_settings_again_where_training_ends_early(ends):
    model = Flattens()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    calls = []

    def loss(logits, labels):
        calls.append(1)
        if len(calls) == 3 and ends == "interrupted":
            raise KeyboardInterrupt
        return F.cross_entropy(logits, labels) * (float("nan") if len(calls) == 3 else 1)

    trained(model, optimizer=optimizer, schedule="one-cycle", loss=loss)
    assert optimizer.param_groups[0]["lr"] == 0.05


def test_a_learning_rate_that_was_set_between_two_trainings_counts():
    model = Flattens()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    assert trained(model, optimizer=optimizer, epochs=1).epochs[-1].lr == 0.1
    optimizer.param_groups[0]["lr"] = 0.001
    assert trained(model, optimizer=optimizer, epochs=1).epochs[-1].lr == 0.001
    assert optimizer.param_groups[0]["lr"] == 0.001


@pytest.mark.parametrize("schedule", [None, "one-cycle"])
def test_a_learning_rate_that_is_a_tensor_is_recorded_and_stays_the_callers(schedule):
    rate, model = torch.tensor(0.01), Flattens()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    history = trained(model, optimizer=optimizer, schedule=schedule)
    assert rate.item() == pytest.approx(0.01)
    assert optimizer.param_groups[0]["lr"] is rate
    rates = [epoch.lr for epoch in history.epochs]
    assert all(type(r) is float for r in rates)
    assert (len(set(rates)) == 1) == (schedule is None)
    trained(model, lr=rate)
    assert rate.item() == pytest.approx(0.01)


def test_an_optimizer_of_another_model_is_refused():
    optimizer = torch.optim.Adam(Flattens().parameters())
    with pytest.raises(ValueError, match=r"made for another model.*Make it anew from model\.param"):
        trained(Flattens(), optimizer=optimizer)
    frozen = Flattens().requires_grad_(False)
    frozen.linear.requires_grad_(True)
    with pytest.raises(ValueError, match="no parameter of this model that learns"):
        trained(frozen, optimizer=torch.optim.SGD(frozen.conv1.parameters(), lr=0.1))
    trained(frozen, optimizer=torch.optim.SGD(frozen.parameters(), lr=0.1), epochs=1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"optimizer": torch.optim.Adam}, r"optimizer=Adam is none: make one"),
        ({"optimizer": "adam"}, r"optimizer='adam' is none: make one"),
        ({"loss": nn.CrossEntropyLoss}, r"loss=CrossEntropyLoss.*make one, CrossEntropyLoss\(\)"),
        ({"loss": "mse"}, r"loss='mse' is no function"),
        ({"lr": "0.1"}, r"lr='0.1' is not possible: give a number above 0"),
        ({"lr": float("nan")}, r"lr=nan is not possible"),
        ({"lr": True}, r"lr=True is not possible"),
        ({"label_smoothing": "a"}, r"label_smoothing='a' is not possible"),
    ],
)
def test_what_is_none_is_said_before_anything_is_trained(options, said):
    model = Flattens()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match=said):
        trained(model, **options)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


# ---- batches, labels, images --------------------------------------------------------------------


def normed():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 20), nn.BatchNorm1d(20), nn.Linear(20, 10))


def test_a_last_batch_of_one_joins_the_one_before():
    history = trained(normed(), batch_size=16, epochs=3)  # 65 = 4 · 16 + 1
    assert [epoch.steps for epoch in history.epochs] == [4, 8, 12]
    assert [
        e.steps
        for e in trained(
            normed(), batch_size=16, data=(IMAGES[:66], LABELS[:64].repeat(2)[:65])
        ).epochs
    ] == [4, 8]
    assert len(trained(normed(), batch_size=64, epochs=1).step_loss) == 1
    assert len(trained(normed(), batch_size=15, epochs=1).step_loss) == 5


@pytest.mark.parametrize("options", [{"batch_size": 1}, {"data": (IMAGES[:1], LABELS[:1])}])
def test_batches_of_one_are_refused_for_batch_norm_before_the_first_step(options):
    model = normed()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match="a batch of one image gives batch norm nothing"):
        trained(model, **options)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    trained(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), **options)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (LABELS.float(), r"torch.float32 of shape \(65,\).*use labels.long\(\)"),
        (F.one_hot(LABELS, 10), r"shape \(65, 10\).*use labels.argmax\(1\)"),
        (F.one_hot(LABELS, 10).float(), r"use labels.argmax\(1\)"),
        (LABELS[:, None], r"use labels.long\(\).flatten\(\)"),
        (LABELS.to(torch.uint8), r"use labels.long\(\)"),
        (LABELS > 4, r"use labels.long\(\)"),
    ],
)
@pytest.mark.parametrize("loss", [F.cross_entropy, F.mse_loss, nn.BCEWithLogitsLoss()])
def test_labels_are_classes_and_what_else_they_may_be_is_said_at_the_start(labels, said, loss):
    for call in (
        lambda: trained(Flattens(), data=(IMAGES, labels), loss=loss),
        lambda: training.evaluate(Flattens(), (IMAGES, labels), loss=loss),
        lambda: trained(Flattens(), validation=(IMAGES, labels), loss=loss),
    ):
        with pytest.raises(ValueError, match=said):
            call()


def test_a_loss_may_make_of_the_classes_what_it_needs():
    def square(logits, labels):
        return F.mse_loss(logits, F.one_hot(labels, 10).float())

    history = trained(Flattens(), validation=(IMAGES, LABELS), loss=square)
    assert history.epochs[-1].validation_loss < history.step_loss[0]


def test_pictures_without_the_axis_of_channels_are_named_as_the_student_has_them():
    for call in (trained, lambda model, data: training.evaluate(model, data)):
        with pytest.raises(ValueError, match=r"\(65, 28, 28\).*use images\[:, None\]"):
            call(Flattens(), data=(IMAGES[:, 0], LABELS))


# ---- modes, early ends --------------------------------------------------------------------------


def with_norm():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 26 * 26, 10)
    )


def test_a_batch_norm_that_was_put_into_eval_mode_keeps_its_statistics():
    model = with_norm()
    model[1].eval()
    trained(model)
    assert torch.equal(model[1].running_mean, torch.zeros(4))
    assert model[1].num_batches_tracked == 0
    weight = model[1].weight.detach().clone()
    model[:3].requires_grad_(False)  # as a whole in eval mode, and frozen
    trained(model)
    assert torch.equal(model[1].running_mean, torch.zeros(4))
    assert torch.equal(model[1].weight, weight)
    moved = with_norm()
    moved.eval()  # nothing frozen: it trains as ever
    trained(moved)
    assert moved[1].num_batches_tracked > 0


@pytest.mark.parametrize("ends", [KeyboardInterrupt, None])
def test_the_best_weights_come_back_however_training_ends(ends):
    model, seen = Flattens(), []

    def loss(logits, labels):
        if model.training and len(seen) == 2 and not torch.is_inference(logits):
            if ends:
                raise ends
            return F.cross_entropy(logits, labels) * float("nan")
        return F.cross_entropy(logits, labels)

    def validation_loss(logits, labels):
        value = loss(logits, labels)
        if not model.training:
            seen.append({k: v.clone() for k, v in model.state_dict().items()})
            return value * 0 + len(seen)  # the first epoch is the best
        return value

    history = trained(
        model,
        epochs=9,
        validation=(IMAGES[:10], LABELS[:10]),
        patience=5,
        loss=validation_loss,
    )
    assert len(history.epochs) == 2
    assert history.interrupted == bool(ends)
    assert ends or history.stopped.endswith("The best weights are back.")
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, seen[0][name])


def test_where_no_validation_loss_was_a_number_no_weights_are_said_to_be_back():
    model = Flattens()

    def loss(logits, labels):
        return F.cross_entropy(logits, labels) * (1 if model.training else float("nan"))

    history = trained(model, epochs=9, validation=(IMAGES, LABELS), patience=2, loss=loss)
    assert len(history.epochs) == 2
    assert "it never was a finite number" in history.stopped
    assert "back" not in history.stopped


# ---- checkpoints --------------------------------------------------------------------------------


def test_a_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    training.save_checkpoint(normed(), "~/x.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    training.load_checkpoint(normed(), "~/x.pt")


def test_a_checkpoint_of_an_old_torch_is_read_and_a_damaged_one_is_not(tmp_path):
    path, model = tmp_path / "old.pt", normed()
    torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)
    other = training.load_checkpoint(normed(), path)
    assert torch.equal(other[1].weight, model[1].weight)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="is damaged"):
        training.load_checkpoint(normed(), path)


def renamed(model, change):
    return {change(name): value for name, value in model.state_dict().items()}


@pytest.mark.parametrize(
    "change",
    [
        lambda name: f"module.{name}",
        lambda name: f"_orig_mod.{name}",
        lambda name: f"module._orig_mod.{name}",
        lambda name: re.sub(r"^1\.", "1._orig_mod.", name),
    ],
)
def test_names_of_a_wrapped_network_are_told_with_the_way_out(tmp_path, change):
    path = tmp_path / "wrapped.pt"
    torch.save(renamed(normed(), change), path)
    with pytest.raises(ValueError, match=r"where this model has.*`module\.`.*_orig_mod.*inside"):
        training.load_checkpoint(normed(), path)


def test_a_network_whose_own_child_is_called_module_is_saved_and_loaded(tmp_path):
    one, other = nn.Module(), nn.Module()
    one.module, other.module = normed(), normed()
    training.save_checkpoint(one, tmp_path / "x.pt")
    training.load_checkpoint(other, tmp_path / "x.pt")
    assert torch.equal(one.module[1].weight, other.module[1].weight)
    with pytest.raises(ValueError, match="inside"):
        training.load_checkpoint(normed(), tmp_path / "x.pt")

"""fit is the loop it looks like; evaluate agrees with scikit-learn; checkpoints survive faults."""

import copy
import itertools
import math
import random
import sys

import numpy as np
import pytest
import sklearn.metrics
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import _live, training
from course_utils.training import evaluate, fit, load_checkpoint, save_checkpoint, seed_everything


def stripes(n=192, seed=0):
    """Images (n, 1, 8, 8) of noise with one bright row; its number, 0 to 3, is the label."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (n,), generator=generator)
    images = 0.6 * torch.rand(n, 1, 8, 8, generator=generator)
    images[torch.arange(n), 0, 2 * labels] += 0.4
    return images, labels


def network(seed=0, **options):
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 4))
    )


def quiet(model, train, **options):
    return fit(model, train, **{"progress": False, "batch_size": 32, "device": "cpu", **options})


def same(model, other):
    other = other.state_dict()
    return all(torch.equal(value, other[name]) for name, value in model.state_dict().items())


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
    assert not training._fitting.gains_from_bfloat16(model, torch.device("cpu"))


images, labels = stripes(40)


@pytest.mark.parametrize(
    ("train", "options", "words"),
    [
        ((images, labels), {"epochs": 0}, "epochs=0 is too small: it must be at least 1"),
        ((images, labels), {"epochs": 1.5}, "epochs=1.5 must be a whole number"),
        ((images, labels), {"batch_size": 0}, "batch_size=0 is too small"),
        ((images, labels), {"lr": -1.0}, "lr=-1.0 must be greater than 0"),
        ((images, labels), {"label_smoothing": 1}, "label_smoothing=1 must be at least 0"),
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


def test_evaluate_agrees_with_scikit_learn():
    model, (x, y) = network(4), stripes(150, 2)
    quiet(model, stripes(), epochs=2)
    result = evaluate(model, (x, y), batch_size=40)
    predictions = result.predictions.numpy()
    metrics = sklearn.metrics
    assert result.accuracy == pytest.approx(metrics.accuracy_score(y, predictions))
    assert result.confusion.dtype == torch.int64
    assert np.array_equal(result.confusion, metrics.confusion_matrix(y, predictions))
    expected = metrics.precision_recall_fscore_support(y, predictions, zero_division=0)
    for mine, theirs in zip((result.precision, result.recall, result.f1), expected, strict=False):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    double = result.probabilities.double()
    double /= double.sum(1, keepdim=True)
    assert result.loss == pytest.approx(metrics.log_loss(y, double), rel=1e-4)
    assert torch.equal(result.probabilities.argmax(1), result.predictions)


def test_a_class_that_is_never_predicted_has_precision_zero():
    always_two = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    nn.init.zeros_(always_two[1].weight)
    always_two[1].bias.data = torch.tensor([0.0, 0.0, 9.0, 0.0])
    result = evaluate(always_two, stripes())
    assert result.precision[[0, 1, 3]].tolist() == result.f1[[0, 1, 3]].tolist() == [0.0] * 3
    assert result.recall.tolist() == [0.0, 0.0, 1.0, 0.0]
    assert "Accuracy" in repr(result)
    assert result._repr_html_().count("<tr>") == 6


def test_evaluate_restores_the_mode_of_every_layer():
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout(), nn.Flatten(), nn.Linear(64, 4))
    model[0].eval()
    before = copy.deepcopy(model)
    evaluate(model, stripes())
    assert [m.training for m in model.modules()] == [True, False, True, True, True]
    assert same(model, before)


def test_a_checkpoint_comes_back_whole(tmp_path):
    model, other = network(1), network(2)
    save_checkpoint(model, tmp_path / "new" / "model.pt")
    assert load_checkpoint(other, tmp_path / "new" / "model.pt") is other
    assert same(model, other)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["model.pt"]


def test_a_kernel_killed_while_saving_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path, model = tmp_path / "model.pt", network(1)
    save_checkpoint(model, path)

    def killed(state, file):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(network(2), path)
    assert [p.name for p in tmp_path.iterdir()] == ["model.pt"]
    assert same(load_checkpoint(network(3), path), model)


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint .*gone\.pt"):
        load_checkpoint(network(), tmp_path / "gone.pt")


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_broken_checkpoint_is_refused_and_changes_nothing(tmp_path, keep):
    path, model = tmp_path / "model.pt", network()
    save_checkpoint(network(1), path)
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    with pytest.raises(ValueError, match="not a complete checkpoint"):
        load_checkpoint(model, path)
    assert same(model, network())


def test_a_checkpoint_with_code_in_it_is_not_run(tmp_path):
    torch.save({"weight": print}, tmp_path / "code.pt")
    with pytest.raises(ValueError, match="not a complete checkpoint"):
        load_checkpoint(network(), tmp_path / "code.pt")


def test_a_checkpoint_of_another_model_names_the_layer_and_both_shapes(tmp_path):
    wider = network()
    wider[4] = nn.Linear(50, 4)
    save_checkpoint(wider, tmp_path / "wider.pt")
    with pytest.raises(ValueError, match=r"'4.weight' has shape \(4, 50\) there and \(4, 36\)"):
        load_checkpoint(network(), tmp_path / "wider.pt")
    save_checkpoint(network()[:4], tmp_path / "shorter.pt")
    with pytest.raises(ValueError, match=r"only this model has '4.weight'"):
        load_checkpoint(network(), tmp_path / "shorter.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(ValueError, match="holds no weights"):
        load_checkpoint(network(), tmp_path / "list.pt")


def test_tensorboard_gets_each_step_and_the_validation_figures(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = quiet(network(), stripes(), validation=stripes(64, 1), epochs=2, log_dir=tmp_path)
    log = EventAccumulator(str(tmp_path)).Reload()
    losses = [event.value for event in log.Scalars("train/loss")]
    assert losses == pytest.approx(history.step_loss)
    accuracy = log.Scalars("validation/accuracy")
    assert [event.step for event in accuracy] == [6, 12]
    assert accuracy[-1].value == pytest.approx(history.epochs[-1].validation_accuracy)
    assert len(log.Scalars("validation/loss")) == 2


def test_a_missing_tensorboard_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        quiet(network(), stripes(), log_dir=tmp_path)


def test_progress_false_is_silent_and_a_terminal_gets_a_bar_on_stderr(capsys):
    quiet(network(), stripes())
    assert capsys.readouterr() == ("", "")
    history = quiet(network(), stripes(), progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "6/6" in captured.err
    assert captured.err.endswith(history.summary() + "\n")


class Handle:
    """Stands for the display of a notebook: what it shows is the last thing it was given."""

    def __init__(self):
        self.shown = []

    def update(self, data, metadata=None, raw=False):
        self.shown.append((data, metadata))


def test_a_notebook_keeps_one_picture_with_alt_text_and_one_line_without_times(monkeypatch, capsys):
    import IPython.display

    handle = Handle()
    monkeypatch.setattr(IPython.display, "display", lambda first, display_id: handle)
    monkeypatch.setattr(_live, "_in_notebook", lambda: True)
    history = quiet(network(), stripes(), validation=stripes(64, 1), epochs=2, progress=True)
    data, metadata = handle.shown[-1]
    assert data["image/png"].startswith(b"\x89PNG")
    assert "Training loss over 12 steps" in metadata["image/png"]["alt"]
    assert not any("widget" in kind for kind in data)
    assert capsys.readouterr().out == history.summary() + "\n"
    assert " s" not in history.summary().replace(" steps", "")


def test_the_live_curve_is_redrawn_seldom_enough_to_cost_under_a_twentieth(monkeypatch):
    import IPython.display

    clock = [0.0]
    monkeypatch.setattr(_live.time, "perf_counter", lambda: clock[0])
    handle, drawn = Handle(), []
    monkeypatch.setattr(IPython.display, "display", lambda first, display_id: handle)
    notebook = _live.Notebook(steps=10_000)

    def draw(history):
        clock[0] += 0.2
        drawn.append(clock[0])
        return {"image/png": b"", "text/plain": "curve"}, {"image/png": {"width": 9}}

    monkeypatch.setattr(notebook.plotting, "draw_history", lambda history: history)
    monkeypatch.setattr(notebook.plotting, "bundle", draw)
    history = training.History(step_loss=[1.0])
    for _ in range(10_000):
        clock[0] += 0.01
        notebook.step(history)
    assert len(drawn) > 10
    assert 0.2 * len(drawn) < 0.05 * clock[0]
    assert "step 9,9" in handle.shown[-1][0].data


def test_a_history_is_a_table_without_seconds():
    history = quiet(network(), stripes(), validation=stripes(64, 1), epochs=2)
    for text in (repr(history), history._repr_html_()):
        assert "validation accuracy" in text
        assert "second" not in text
    assert repr(training.History()) == "0 epochs, 0 steps."
    twin = quiet(network(), stripes(), validation=stripes(64, 1), epochs=2)
    assert repr(twin) == repr(history)

"""What is seen of a training: a notebook's curve, a terminal's bar, TensorBoard, tables."""

import sys

import pytest
from tiny import network, quiet, stripes

from course_utils import training
from course_utils.training import progress


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
    monkeypatch.setattr(progress, "_in_notebook", lambda: True)
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
    monkeypatch.setattr(progress.time, "perf_counter", lambda: clock[0])
    handle, drawn = Handle(), []
    monkeypatch.setattr(IPython.display, "display", lambda first, display_id: handle)
    notebook = progress.Notebook(steps=10_000)

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


def epoch(number, loss=None, accuracy=None):
    return training.Epoch(
        number, 3 * number, 0.5, 0.00123, validation_loss=loss, validation_accuracy=accuracy
    )


def test_a_history_begins_empty_finished_and_with_nothing_of_another():
    one, other = training.History(), training.History()
    assert (one.seconds, one.interrupted, one.stopped) == (0.0, False, None)
    one.step_loss.append(1.0)
    one.epochs.append(epoch(1))
    assert other == training.History()
    assert (other.step_loss, other.epochs) == ([], [])
    assert (epoch(1).seconds, epoch(1).validation_loss) == (0.0, None)


def test_the_line_of_a_history_says_what_ended_it():
    assert training.History([0.5]).summary() == "0 epochs, 1 step."
    whole = training.History([0.5, 0.4, 0.3], [epoch(1)])
    assert whole.summary() == "1 epoch, 3 steps: training loss 0.500."
    measured = training.History([0.5] * 6, [epoch(1), epoch(2, 0.4, 0.875)])
    said = "2 epochs, 6 steps: training loss 0.500, validation accuracy 87.50%."
    assert measured.summary() == said
    measured.interrupted = True
    assert measured.summary() == f"{said} Interrupted."
    measured.interrupted, measured.stopped = False, "Stopped early."
    assert measured.summary() == f"{said} Stopped early."


def test_the_table_of_a_history_has_a_row_for_each_epoch_and_a_dash_where_nothing_was_measured():
    history = training.History([0.5] * 6, [epoch(1), epoch(2, 0.4, 0.875)])
    lines = repr(history).splitlines()
    rows = [line.split() for line in lines if line.split()[:1] in (["1"], ["2"])]
    assert ["1", "0.5000", "–", "–", "0.0012"] in rows
    assert ["2", "0.5000", "0.4000", "87.50%", "0.0012"] in rows
    assert lines[-1] == history.summary()


def test_the_best_epoch_is_that_with_the_smallest_validation_loss():
    history = training.History(epochs=[epoch(1), epoch(2, 0.4), epoch(3, 0.2), epoch(4, 0.3)])
    assert history.best_epoch == 3
    assert training.History(epochs=[epoch(1)]).best_epoch is None

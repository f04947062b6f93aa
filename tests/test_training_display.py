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

"""What is seen while a network trains: a bar and a curve in a notebook, tqdm in a terminal."""

import base64
import contextlib
import html
import sys
import time

from .. import _files


class Silent:
    """A watcher that shows nothing. Every watcher has these three methods."""

    def step(self, history):
        """Called after each step."""

    def epoch(self, history):
        """Called after each epoch, once it is in the history."""

    def close(self, history):
        """Called once at the end, whatever ended it."""


class Terminal(Silent):
    """tqdm on stderr."""

    def __init__(self, steps):
        from tqdm import tqdm

        self.bar = tqdm(total=steps, unit="step", file=sys.stderr)

    def step(self, history):
        self.bar.set_postfix(loss=f"{history.step_loss[-1]:.3f}", refresh=False)
        self.bar.update()

    def close(self, history):
        self.bar.close()
        print(history.summary(), file=sys.stderr)


class Notebook(Silent):
    """One display: a progress bar over the live curve; at the end the curve, then one line.

    The curve is drawn again when at least a second, and twenty times what drawing takes, have
    passed: it costs under 5 % of the training. No widget, because a stored one would be dead.
    """

    def __init__(self, steps):
        from IPython.display import HTML, display

        from .. import plotting

        self.steps, self.done, self.began = steps, 0, time.perf_counter()
        self.drawn = self.shown = self.began
        self.pause, self.picture, self.plotting = 1.0, "", plotting
        self.handle = display(HTML(self._bar("")), display_id=True)

    def step(self, history):
        self.done += 1
        now = time.perf_counter()
        if now - self.shown < 0.25:
            return
        if now - self.drawn >= self.pause:
            data, metadata = self.plotting.bundle(self.plotting.draw_history(history))
            alt, width = html.escape(data["text/plain"]), metadata["image/png"]["width"]
            png = base64.b64encode(data["image/png"]).decode()
            self.picture = f'<img alt="{alt}" width="{width}" src="data:image/png;base64,{png}">'
            self.drawn = time.perf_counter()
            self.pause = max(1.0, 20 * (self.drawn - now))
        from IPython.display import HTML

        line = f"step {self.done:,} of {self.steps:,}, loss {history.step_loss[-1]:.3f}"
        self.handle.update(HTML(self._bar(line) + self.picture))
        self.shown = time.perf_counter()

    def _bar(self, line):
        seconds = time.perf_counter() - self.began
        return (
            f'<div><progress aria-label="Training" style="width:300px" '
            f'max="{self.steps}" value="{self.done}"></progress> {line}, {seconds:.0f} s</div>'
            if line
            else '<div><progress aria-label="Training" style="width:300px"></progress></div>'
        )

    def close(self, history):
        text = history.summary()
        if history.step_loss:
            data, metadata = self.plotting.bundle(self.plotting.draw_history(history))
            self.handle.update(data, metadata=metadata, raw=True)
        print(text)


class TensorBoard(Silent):
    """Scalars for TensorBoard: the loss of each step, the validation figures of each epoch.

    A log that can no longer be written, for instance on a full disk, does not end the training.
    """

    def __init__(self, log_dir):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ImportError(
                f"log_dir={str(log_dir)!r} needs TensorBoard, which is not installed: "
                "pip install tensorboard, or leave log_dir out"
            ) from error
        try:
            self.writer, self.log_dir, self.ended = SummaryWriter(str(log_dir)), log_dir, False
        except OSError as error:
            raise _files.unwritable(log_dir, error) from None

    def step(self, history):
        self._write("train/loss", history.step_loss[-1], len(history.step_loss))

    def epoch(self, history):
        last, steps = history.epochs[-1], len(history.step_loss)
        if last.validation_loss is not None:
            self._write("validation/loss", last.validation_loss, steps)
            self._write("validation/accuracy", last.validation_accuracy, steps)

    def close(self, history):
        with self._going_on():
            self.writer.close()

    def _write(self, name, value, step):
        if not self.ended:
            with self._going_on():
                self.writer.add_scalar(name, value, step)

    @contextlib.contextmanager
    def _going_on(self):
        try:
            yield
        except OSError as error:
            if not self.ended:
                print(
                    f"{_files.unwritable(self.log_dir, error)}. Training goes on.", file=sys.stderr
                )
            self.ended = True


def watchers(progress, steps, log_dir):
    """Those that the arguments of `fit` ask for."""
    logs = [TensorBoard(log_dir)] if log_dir is not None else []
    if not progress:
        return logs
    return [*logs, Notebook(steps) if _in_notebook() else Terminal(steps)]


def _in_notebook():
    """Is there a kernel behind this, so that a display can be updated?"""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None) is not None

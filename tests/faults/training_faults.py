"""What can happen while a network trains."""

import os
import signal

import torch
import torch.nn.functional as F
from processes import start
from tiny import network, quiet, stripes
from torch import nn
from world import Fault

from course_utils import training

PATIENCE = 600  # seconds for a kernel on a busy machine; it only keeps the test from hanging


def fit(**options):
    return lambda world: quiet(world.model, world.images, **options)


def interrupted(world):
    """Ctrl-C in the middle of `fit`; then the same history goes on."""
    child = start(train_and_go_on, world.folder / "step 20")
    child.wait_for((world.folder / "step 20").exists)
    os.kill(child.pid, signal.SIGINT)
    world.notes.update(child.result())
    return world.notes["said"]


def train_and_go_on(mark):
    model, steps = network(), 0

    def loss(logits, labels):
        nonlocal steps
        steps += torch.is_grad_enabled()
        if steps == 20:
            mark.touch()
        return F.cross_entropy(logits, labels)

    history = quiet(model, stripes(), epochs=100_000, loss=loss)
    said, before = repr(history), [*history.step_loss]
    first = training.evaluate(model, stripes()).loss
    quiet(model, stripes(), epochs=1, history=history)
    return {
        "said": said,
        "kept": history.step_loss[: len(before)] == before,
        "grown": len(history.step_loss) - len(before),
        "better": first < training.evaluate(network(), stripes()).loss,
        "over": not history.interrupted,
    }


def goes_on(world):
    assert world.notes["kept"]
    assert world.notes["grown"] == 6, "one more epoch"
    assert world.notes["better"]
    assert world.notes["over"]


def interrupted_in_a_kernel(world):
    """The stop button of a notebook: Jupyter's own interrupt, in a kernel of its own."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(cwd=str(world.folder), startup_timeout=PATIENCE)
    try:
        outputs = []

        def run(code, interrupt_at=None):
            def hear(message):
                content = message["content"]
                text = content.get("text") or content.get("data", {}).get("text/plain") or ""
                outputs.extend(filter(None, [text or content.get("evalue")]))
                if interrupt_at and interrupt_at in text:
                    manager.interrupt_kernel()

            client.execute_interactive(code, timeout=PATIENCE, output_hook=hear)

        run(
            "import sys; sys.path[:0] = " + repr([p for p in os.sys.path if p]) + "\n"
            "from tiny import network, quiet, stripes; import torch.nn.functional as F\n"
            "steps = []\n"
            "def loss(logits, labels):\n"
            "    steps.append(1)\n"
            "    if len(steps) == 20: print('step 20', flush=True)\n"
            "    return F.cross_entropy(logits, labels)"
        )
        run("history = quiet(network(), stripes(), epochs=100_000, loss=loss)", "step 20")
        run("before = len(history.step_loss); print(history.summary())")
        run("quiet(network(), stripes(), history=history); print(len(history.step_loss) - before)")
        world.notes["grown"] = outputs[-1].strip()
        return "".join(outputs)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def grown_in_the_kernel(world):
    assert world.notes["grown"] == "6"


def too_fast(world):
    sgd = torch.optim.SGD(world.model.parameters(), lr=1e20)
    history = quiet(world.model, world.images, epochs=3, optimizer=sgd)
    world.notes["steps"] = len(history.step_loss)
    return history


def record_is_there(world):
    assert world.notes["steps"] > 1


def spoilt(world):
    """Weights that some earlier training has driven to nan."""
    world.model[0].weight.data[0, 0, 0, 0] = torch.nan


def labels_from_one(world):
    images, labels = world.images
    quiet(world.model, (images, labels + 1))


def one_picture_is_nan(world):
    images = world.images[0].clone()
    images[5, 0, 3, 3] = torch.nan
    return images, world.images[1]


def same_nan_weights(world):
    assert world.model[0].weight.isnan().sum() == 1, "and not all of them, by a step"


def model_that_is_none(model):
    return lambda world: quiet(model, world.images)


NOT_HERE = ("is not here", "this machine has cpu", "leave device out")
ROWS = [
    Fault(
        "training is interrupted in a plain process",
        "interrupt during fit",
        interrupted,
        "Interrupted.",
        kept=goes_on,
        makes=("step 20",),
        races=True,
    ),
    Fault(
        "training is interrupted in a notebook",
        "interrupt during fit",
        interrupted_in_a_kernel,
        "Interrupted.",
        kept=grown_in_the_kernel,
        more=True,
        races=True,
    ),
    Fault(
        "the learning rate is far too large",
        "NaN in weights",
        too_fast,
        ("The loss became", "try a smaller learning rate"),
        kept=record_is_there,
        trains=True,
    ),
    Fault(
        "the weights are nan before training begins",
        "NaN in weights",
        fit(),
        ("The loss became nan at step 1", "make the model anew"),
        given=spoilt,
        kept=same_nan_weights,
        trains=True,
    ),
    Fault(
        "a network with nan weights is measured",
        "NaN in weights",
        lambda world: training.evaluate(world.model, world.images),
        "192 of the answers are nan",
        given=spoilt,
        trains=True,
    ),
    Fault(
        "a training image holds nan",
        "NaN in input",
        lambda world: quiet(world.model, one_picture_is_nan(world)),
        ("train: image 5 holds nan or infinity (1 of 192 do)", "leave it out"),
    ),
    Fault(
        "a validation image holds nan",
        "NaN in input",
        lambda world: quiet(world.model, world.images, validation=one_picture_is_nan(world)),
        "validation: image 5 holds nan or infinity",
    ),
    Fault(
        "an image to be measured on holds nan",
        "NaN in input",
        lambda world: training.evaluate(world.model, one_picture_is_nan(world)),
        "split: image 5 holds nan or infinity",
    ),
    Fault(
        "a GPU is asked for, and there is none",
        "no GPU",
        fit(device="cuda:99"),
        ("device='cuda:99' is not here", "leave device out"),
    ),
    Fault(
        "a device is misspelt",
        "no GPU",
        lambda world: training.evaluate(world.model, world.images, device="gpu"),
        ("device='gpu' is not here", "this machine has cpu"),
    ),
    Fault(
        "nothing but a GPU's name is known, and fit finds a device by itself",
        "no GPU",
        fit(device=None),
        "1 epoch, 6 steps",
        trains=True,
    ),
    Fault(
        "the class is handed in where its instance is needed",
        "arguments that do not fit",
        model_that_is_none(nn.Sequential),
        ("model is the class Sequential", "give an nn.Module"),
    ),
    Fault(
        "all weights are frozen",
        "arguments that do not fit",
        lambda world: quiet(world.model.requires_grad_(False), world.images),
        "no parameter to train",
    ),
    Fault(
        "the labels are counted from 1",
        "arguments that do not fit",
        labels_from_one,
        ("labels go from 1 to 4", "labels must be 0 to 3"),
    ),
]

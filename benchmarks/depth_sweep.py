"""What depth buys: networks of equal cost and other depth, trained and measured over five seeds.

    python benchmarks/depth_sweep.py                   # some fifteen minutes on one core
    python benchmarks/depth_sweep.py --seconds 90      # stop after that, go on with the next call
    python benchmarks/depth_sweep.py --output other.json

Writes data/depth_sweep.json, which lesson 09 reads. A file that is there is completed, not made
anew: delete it to start over. Needs MNIST (see data/README.md).

One rule for every network: 5,000 training images, averaged down to 14 × 14, 2 epochs in batches of
50, and `training.fit` as it is. The learning rate is chosen by two trials with seeds that are not
used again: 0.01 and 0.03 are tried, then the next one in the direction of the better, until the
best has a worse neighbour on each side or the ladder of rates ends. Then come the five seeds that
count. Accuracies are those on the 5,000 validation images: nothing here looks at a test image.
"""

import argparse
import json
import os
import re
import sys
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch
import torch.nn.functional as F
from results import machine

from course_utils import anatomy, data, models, training

OUTPUT = Path(__file__).resolve().parent.parent / "data" / "depth_sweep.json"
SIZE, IMAGES, EPOCHS, BATCH = 14, 5_000, 2, 50
RATES, FIRST = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3), (2, 3)  # FIRST: where the search begins
TRIAL_SEEDS, SEEDS = (100, 101), (0, 1, 2, 3, 4)


def cnn(depth, width, kernel_size=3, *, residual=False, init="he", permuted=False):
    """An entry of the sweep: a network of the family `models.stacked_cnn`."""
    shape = {"depth": depth, "width": width, "kernel_size": kernel_size}
    return {"family": "cnn", **shape, "residual": residual, "init": init, "permuted": permuted}


def mlp(*sizes, permuted=False):
    """An entry of the sweep: fully connected layers."""
    return {"family": "mlp", "sizes": list(sizes), "permuted": permuted}


NETWORKS = [
    # About 5,000 parameters, kernels of 3 × 3.
    *(cnn(4, 13), cnn(2, 22), cnn(16, 6), cnn(8, 9)),
    # Pixels in their order and shuffled: a small network, and the MLP of article E on 14 × 14.
    *(mlp(196, 24, 10), mlp(196, 24, 10, permuted=True), cnn(4, 13, permuted=True)),
    mlp(196, 256, 128, 64, 10),
    # Depth alone grows: plain as PyTorch initialises, plain after He et al., residual after He.
    *(cnn(depth, 8, init=None) for depth in (4, 12, 24)),
    *(cnn(depth, 8) for depth in (4, 12, 24)),
    *(cnn(depth, 8, residual=True) for depth in (4, 12, 24)),
    # About 422,000 MACs; depths 4, 8 and 16 of above have that already, and so has the last one.
    *(cnn(2, 29), cnn(1, 250)),
    # About 5,000 parameters, larger kernels.
    *(cnn(2, 13, 5), cnn(2, 9, 7), cnn(1, 83, 7)),
    # About 5,000 parameters, deep and residual.
    *(cnn(16, 6, residual=True), cnn(8, 9, residual=True)),
    # More of the curves.
    *(cnn(3, 16), cnn(6, 10), cnn(3, 27), cnn(6, 12)),
]


def build(entry):
    """A new network for an entry of the sweep, weights as torch's generator has them."""
    if entry["family"] == "mlp":
        return models.mlp(entry["sizes"])
    shape = (entry["depth"], entry["width"], entry["kernel_size"])
    model = models.stacked_cnn(*shape, residual=entry["residual"])
    return models.he_initialize(model) if entry["init"] == "he" else model


def smaller(split):
    """The images at half of their size: each pixel is the mean of four."""
    return data.Split(F.avg_pool2d(split.images, 2), split.labels)


def shuffled(split, seed):
    """Every image with its pixels in another order, the same for all of them."""
    order = torch.randperm(SIZE * SIZE, generator=torch.Generator().manual_seed(seed))
    return data.Split(split.images.flatten(1)[:, order].view_as(split.images), split.labels)


def measure(entry, lr, seed, train, validation):
    """Train a network and return its validation accuracy."""
    if entry["permuted"]:
        train, validation = shuffled(train, seed), shuffled(validation, seed)
    training.seed_everything(seed)
    model = build(entry)
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "lr": lr, "seed": seed}
    training.fit(model, train, device="cpu", precision="float32", progress=False, **settings)
    return training.evaluate(model, validation, batch_size=100).accuracy


def settings():
    """What has to be known to make the file again."""
    return {
        "command": "python benchmarks/depth_sweep.py",
        "data set": "MNIST, pixels averaged in squares of 2 by 2",
        "input_size": SIZE,
        "training images": IMAGES,
        "validation images": data.VALIDATION,
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "learning rates": RATES,
        "trial seeds": TRIAL_SEEDS,
        "seeds": SEEDS,
        "torch": version("torch").split("+")[0],
        "machine": re.sub(r"; .*", "", machine("torch")),
        "threads": 1,
        "begun": date.today().isoformat(),
    }


def load(path):
    """The sweep so far, with an entry for each network that it should have."""
    sweep = json.loads(path.read_text("utf-8")) if path.exists() else {"settings": settings()}
    done = {_key(entry): entry for entry in sweep.get("networks", [])}
    sweep["networks"] = [done.get(_key(entry)) or _counted(entry) for entry in NETWORKS]
    return sweep


def _key(entry):
    names = ("family", "depth", "width", "kernel_size", "residual", "init", "permuted", "sizes")
    return json.dumps([entry.get(name) for name in names])


def _counted(entry):
    summary = anatomy.summarize(build(entry), (1, SIZE, SIZE))
    counts = {"parameters": summary.parameters, "macs": summary.macs}
    return {**entry, **counts, "trial": {}, "lr": None, "accuracies": []}


def save(sweep, path):
    """One line for each network, so that a change is a readable diff; whole or not at all."""
    lines = ",\n".join(json.dumps(entry) for entry in sweep["networks"])
    head = json.dumps(sweep["settings"], indent=1)
    text = f'{{"settings": {head},\n"networks": [\n{lines}\n]}}\n'
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, "utf-8")
    os.replace(beside, path)


def next_step(entry):
    """The (learning rate, seed) that an entry needs next; None when it is complete."""
    mean = {}
    for i, lr in enumerate(RATES):
        trials = entry["trial"].get(str(lr), [])
        wanted = trials or i in FIRST
        if wanted and len(trials) < len(TRIAL_SEEDS):
            return lr, TRIAL_SEEDS[len(trials)]
        if wanted:
            mean[i] = sum(trials) / len(trials)
    best = max(mean, key=mean.get)
    for i in (best - 1, best + 1):
        if 0 <= i < len(RATES) and i not in mean:
            return RATES[i], TRIAL_SEEDS[0]
    missing = SEEDS[len(entry["accuracies"]) :]
    return (RATES[best], missing[0]) if missing else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, help="stop after that time; call again to go on")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="another file")
    options = parser.parse_args()
    digits = data.load_digits()
    if digits.source != "mnist":
        sys.exit(
            f"This sweep needs MNIST, but the data set here is {digits.source!r}: connect to a "
            "network, or set COURSE_DATA to a folder that holds MNIST."
        )
    train, validation = smaller(digits.train[:IMAGES]), smaller(digits.validation)
    torch.set_num_threads(1)
    sweep, began = load(options.output), time.monotonic()
    for entry in sweep["networks"]:
        while step := next_step(entry):
            if options.seconds and time.monotonic() - began > options.seconds:
                sys.exit(3)  # not complete yet
            accuracy = measure(entry, *step, train, validation)
            lr, seed = step
            if seed in TRIAL_SEEDS:
                entry["trial"].setdefault(str(lr), []).append(accuracy)
            else:
                entry["lr"] = lr
                entry["accuracies"].append(accuracy)
            save(sweep, options.output)
            name = {k: v for k, v in entry.items() if k not in ("trial", "lr", "accuracies")}
            print(f"{name} lr={lr} seed={seed}: {accuracy:.4f}", file=sys.stderr, flush=True)
    save(sweep, options.output)


if __name__ == "__main__":
    main()

"""A published claim, measured: LeNet on MNIST with the settings of the article, over five seeds.

    python benchmarks/published_claim.py       # about two minutes on one core

Writes data/published_claim.json, which lesson 06 reads. Needs MNIST (see data/README.md).
The settings are those that were published: SGD, lr 0.001, momentum 0.9, batches of 100, 2 epochs,
pixels scaled to [−1, 1]. Trained on the course's 55,000 training images; accuracies are those on
its 5,000 validation images.
"""

import argparse
import json
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch
from results import machine

from course_utils import data, models, training

OUTPUT = Path(__file__).resolve().parent.parent / "data" / "published_claim.json"
SETTINGS = {"lr": 0.001, "momentum": 0.9, "batch_size": 100, "epochs": 2}
SEEDS = (0, 1, 2, 3, 4)
BLOCK = 10  # steps whose losses are stored as one mean


def measure(seed, digits, settings=SETTINGS):
    """Train once. Returns: accuracy after each epoch, and the training loss, mean of each BLOCK."""
    training.seed_everything(seed)
    network = models.lenet()
    optimizer = torch.optim.SGD(
        network.parameters(), lr=settings["lr"], momentum=settings["momentum"]
    )
    parts = [(part.images * 2 - 1, part.labels) for part in (digits.train, digits.validation)]
    options = {name: settings[name] for name in ("batch_size", "epochs")}
    history = training.fit(
        network, parts[0], validation=parts[1], optimizer=optimizer, seed=seed, progress=False,
        **options,
    )  # fmt: skip
    losses = torch.tensor(history.step_loss)
    losses = losses[: len(losses) // BLOCK * BLOCK].view(-1, BLOCK).mean(1)
    return {
        "seed": seed,
        "accuracies": [epoch.validation_accuracy for epoch in history.epochs],
        "losses": [round(loss, 4) for loss in losses.tolist()],
    }


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()  # --help alone
    digits = data.load_digits("mnist")
    settings = {
        "command": "python benchmarks/published_claim.py",
        "data set": "MNIST",
        "training images": len(digits.train),
        "validation images": len(digits.validation),
        **SETTINGS,
        "seeds": SEEDS,
        "torch": version("torch"),
        "machine": machine(),
        "date": date.today().isoformat(),
    }
    runs = []
    for seed in SEEDS:
        runs.append(measure(seed, digits))
        shares = ", ".join(f"{share:.1%}" for share in runs[-1]["accuracies"])
        print(f"seed {seed}: {shares} after each epoch", flush=True)
    text = json.dumps({"settings": settings, "runs": runs}, indent=1)
    OUTPUT.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

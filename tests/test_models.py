"""The course's networks have the shapes and sizes that the lessons quote."""

import os
from pathlib import Path

import pytest
import torch

from course_utils import models, training
from course_utils.anatomy import count_parameters


@pytest.mark.parametrize(
    ("make", "parameters"),
    [(models.mnist_cnn, 44_386), (models.lenet, 44_426), (models.mlp, 242_762)],
)
def test_network_has_the_quoted_parameters_and_gives_ten_logits(make, parameters):
    model = make()
    assert isinstance(model, torch.nn.Sequential)
    assert count_parameters(model) == parameters
    assert model(torch.rand(3, 1, 28, 28)).shape == (3, 10)


def test_each_call_makes_a_new_network():
    first, second = models.mnist_cnn(), models.mnist_cnn()
    assert not torch.equal(first.fc2.weight, second.fc2.weight)


@pytest.mark.more
def test_one_call_to_fit_reaches_99_percent_on_mnist_over_five_seeds():
    from course_utils import data

    folder = Path(os.environ.get("COURSE_DATA", Path(__file__).parents[1] / "data"))
    if not (folder / "MNIST" / "raw" / "train-images-idx3-ubyte").exists():
        pytest.skip(f"MNIST is not in {folder}: set COURSE_DATA to the folder that holds it")
    digits = data.load_digits("mnist", root=folder)
    accuracies = []
    for seed in range(5):
        training.seed_everything(seed)
        model = models.mnist_cnn()
        training.fit(model, digits.train, seed=seed, progress=False)
        accuracies.append(training.evaluate(model, digits.test).accuracy)
    assert sum(accuracies) / 5 >= 0.99, accuracies

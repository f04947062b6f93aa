"""The course's networks have the shapes and sizes that the lessons quote."""

import os
from pathlib import Path

import pytest
import torch

from course_utils import models, training
from course_utils.anatomy import count_parameters, summarize


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


def test_an_mlp_of_other_sizes_has_a_layer_between_each_two():
    model = models.mlp((196, 24, 10))
    assert [name for name, _ in model.named_children()] == ["flatten", "fc1", "relu1", "fc2"]
    assert count_parameters(model) == 196 * 24 + 24 + 24 * 10 + 10
    assert model(torch.rand(3, 1, 14, 14)).shape == (3, 10)
    with pytest.raises(ValueError, match=r"sizes=\(5,\) has too few numbers"):
        models.mlp((5,))
    with pytest.raises(ValueError, match=r"sizes\[1\]=0"):
        models.mlp((5, 0, 3))


def test_he_initialisation_keeps_what_24_layers_pass_on_and_the_default_does_not():
    def differ(model):
        """How much four pictures still differ behind the last convolution: a variance."""
        with torch.no_grad():
            return model[:-3](pictures).var(0).mean().item()

    torch.manual_seed(0)
    pictures = torch.rand(4, 1, 14, 14)
    model = models.stacked_cnn(24, 32)
    before = differ(model)
    assert models.he_initialize(model) is model
    assert differ(model) > 1e6 * before
    deviation = (2 / (32 * 9)) ** 0.5
    assert abs(model.conv5.weight.std().item() / deviation - 1) < 0.05
    assert not model.conv5.bias.any()
    residual = models.he_initialize(models.stacked_cnn(24, 32, residual=True))
    assert abs(residual.block5.conv5.weight.std().item() * 23 / deviation - 1) < 0.05


@pytest.mark.parametrize("kernel_size", [1, 3, 5, 7])
@pytest.mark.parametrize("depth", range(1, 17))
def test_stacked_cnn_is_what_its_formula_says(depth, kernel_size):
    with torch.device("meta"):  # shapes only: no memory, no time
        model = models.stacked_cnn(depth, 12, kernel_size)
        assert model(torch.zeros(3, 1, 28, 28)).shape == (3, 10)
    k2 = kernel_size**2
    others = (depth - 1) * (12 * 12 * k2 + 12)
    assert count_parameters(model) == (12 * k2 + 12) + others + (12 * 10 + 10)


def test_stacked_cnn_pools_after_the_first_and_the_second_third_of_its_convolutions():
    places = {1: (1,), 2: (1, 2), 3: (1, 2), 4: (2, 3), 6: (2, 4), 8: (3, 6), 16: (6, 11)}
    for depth, pools in places.items():
        names = [name for name, _ in models.stacked_cnn(depth, 2).named_children()]
        found = [name for name in names if name.startswith("pool")]
        assert found == [f"pool{i}" for i in pools], depth
        assert all(names[names.index(name) - 1] == f"relu{name[4:]}" for name in found)


@pytest.mark.parametrize("size", [4, 5, 8, 33])
def test_stacked_cnn_takes_every_size_from_4(size):
    rows = summarize(models.stacked_cnn(5, 3, 7), (1, 1, size, size)).rows
    assert rows[-4].output_shape == (1, 3, size // 4, size // 4)


def test_stacked_cnn_takes_other_channels_classes_and_pools():
    model = models.stacked_cnn(3, 4, in_channels=3, classes=7, pool_after=(1,))
    rows = {row.name: row for row in summarize(model, (2, 3, 9, 8)).rows}
    assert rows["fc"].output_shape == (2, 7)
    assert rows["relu3"].output_shape == (2, 4, 4, 4)
    assert "pool1" in rows
    assert "pool2" not in rows
    assert not any(
        "pool" in name for name in dict(models.stacked_cnn(3, 4, pool_after=()).named_children())
    )


def test_a_residual_stacked_cnn_adds_what_went_in_and_has_the_same_parameters():
    torch.manual_seed(0)
    plain, residual = models.stacked_cnn(3, 4), models.stacked_cnn(3, 4, residual=True)
    assert count_parameters(plain) == count_parameters(residual)
    x = torch.rand(2, 4, 6, 6)
    block = residual.block2
    assert torch.equal(block(x), x + torch.relu(block.conv2(x)))
    field = [row.receptive_field for row in summarize(residual, (1, 1, 28, 28)).rows]
    assert field == [row.receptive_field for row in summarize(plain, (1, 1, 28, 28)).rows]


def test_a_normalized_stacked_cnn_has_a_batch_norm_after_every_convolution():
    model = models.stacked_cnn(3, 4, residual=True, normalize=True)
    kinds = [type(m).__name__ for m in model.modules() if not list(m.children())]
    assert kinds[:9] == ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d", *kinds[:3], *kinds[3:5]]
    assert kinds.count("BatchNorm2d") == 3
    assert model(torch.rand(2, 1, 28, 28)).shape == (2, 10)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"depth": 0}, "depth=0"),
        ({"width": 1.5}, "width=1.5"),
        ({"kernel_size": 4}, "kernel_size=4 is even: padding can keep the size only for 1, 3, 5"),
        ({"pool_after": (2, 5)}, "names 5, which is no convolution .* numbered from 1 to depth=4"),
    ],
)
def test_stacked_cnn_says_what_is_wrong(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        models.stacked_cnn(**{"depth": 4, "width": 3, **options})


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

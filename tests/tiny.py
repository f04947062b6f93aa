"""A task that trains in a blink, for the tests of training."""

import torch
from torch import nn

from course_utils.training import fit


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

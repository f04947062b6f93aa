"""The networks that more than one lesson uses. Each call makes a new one with random weights."""

from collections import OrderedDict

from torch import nn


def mnist_cnn():
    """The course's network for images (N, 1, 28, 28); returns logits (N, 10). 44,386 parameters."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 8, kernel_size=5),  # (N, 8, 24, 24)
            pool1=nn.MaxPool2d(2),  # (N, 8, 12, 12)
            norm1=nn.BatchNorm2d(8),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(8, 32, kernel_size=5),  # (N, 32, 8, 8)
            pool2=nn.MaxPool2d(2),  # (N, 32, 4, 4)
            norm2=nn.BatchNorm2d(32),
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),  # (N, 512)
            fc1=nn.Linear(512, 72),
            relu3=nn.ReLU(),
            fc2=nn.Linear(72, 10),
        )
    )


def lenet():
    """A small network close to LeNet-5, as many tutorials have it. 44,426 parameters.

    Images (N, 1, 28, 28) to logits (N, 10), after LeCun, Bottou, Bengio and Haffner,
    "Gradient-based learning applied to document recognition", 1998. Pooling before ReLU gives the
    same numbers as after it, and leaves ReLU a quarter of the cells.
    """
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 6, kernel_size=5),  # (N, 6, 24, 24)
            pool1=nn.MaxPool2d(2),  # (N, 6, 12, 12)
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(6, 16, kernel_size=5),  # (N, 16, 8, 8)
            pool2=nn.MaxPool2d(2),  # (N, 16, 4, 4)
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),  # (N, 256)
            fc1=nn.Linear(256, 120),
            relu3=nn.ReLU(),
            fc2=nn.Linear(120, 84),
            relu4=nn.ReLU(),
            fc3=nn.Linear(84, 10),
        )
    )


def mlp():
    """A network of fully connected layers, 784-256-128-64-10. 242,762 parameters.

    Images (N, 1, 28, 28), or anything with 784 numbers each, to logits (N, 10).
    """
    return nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),  # (N, 784)
            fc1=nn.Linear(784, 256),
            relu1=nn.ReLU(),
            fc2=nn.Linear(256, 128),
            relu2=nn.ReLU(),
            fc3=nn.Linear(128, 64),
            relu3=nn.ReLU(),
            fc4=nn.Linear(64, 10),
        )
    )

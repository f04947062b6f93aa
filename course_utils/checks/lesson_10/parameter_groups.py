"""Lesson 10, exercise 2: A learning rate for each layer."""

import torch
from torch import nn

from course_utils.checks.engine import Case, Exercise, Mistakes
from course_utils.checks.lesson_10._trial import Trial, network

RATES = "lesson 10, 'Small steps for early layers'"


class _Grouping(Trial):
    def __call__(self, layers, lr, factor):
        """The learning rate of each parameter, in the order of the network; 0 where it has none."""
        model = network(layers)
        groups = self.answer(model, lr, factor)
        if groups is None or groups is ... or groups is NotImplemented:
            return groups
        rates = {}
        for group in groups:
            members = group["params"]
            for parameter in [members] if isinstance(members, torch.Tensor) else members:
                if id(parameter) in rates:
                    raise ValueError("a parameter is in two groups: an optimizer refuses that")
                rates[id(parameter)] = group.get("lr", lr)
        return torch.tensor([rates.get(id(p), 0.0) for p in model.parameters()]).double()


def _with_parameters(model):
    return [layer for layer in model if list(layer.parameters())]


def _by(rate, layers=_with_parameters, pick=lambda layer: list(layer.parameters())):
    """An answer: `rate(lr, factor, steps from the end, number of layers)` for each layer."""

    def groups(model, lr, factor):
        chosen = layers(model)
        return [
            {"params": pick(layer), "lr": rate(lr, factor, steps, len(chosen))}
            for steps, layer in enumerate(reversed(chosen))
        ]

    return groups


mistake = Mistakes()
mistake.value(
    "turned_round",
    _by(lambda lr, factor, steps, n: lr * factor ** (n - 1 - steps)),
    "It is the wrong way round: the first layer takes the largest steps. The last one should.",
    also=(
        lambda model, lr, factor: [
            {"params": list(layer.parameters()), "lr": lr * factor**place}
            for place, layer in enumerate(model)
        ],
    ),
)
mistake.value(
    "layers_without_parameters_counted",
    _by(lambda lr, factor, steps, n: lr * factor**steps, layers=list),
    "Layers without parameters, such as ReLU, were counted as a step. Skip them.",
)
mistake.value(
    "all_alike", _by(lambda lr, factor, steps, n: lr), "Every layer has the same learning rate."
)
mistake.value(
    "not_a_power",
    _by(lambda lr, factor, steps, n: lr * factor if steps else lr),
    "All the layers before the last have the same learning rate. Each should have `factor` "
    "times that of the layer behind it.",
)
mistake.value(
    "last_layer_shrunk",
    _by(lambda lr, factor, steps, n: lr * factor ** (steps + 1)),
    "Every rate is one factor too small: the last layer learns with `lr` itself.",
)
mistake.value(
    "divided",
    _by(lambda lr, factor, steps, n: lr / factor**steps),
    "The rates grow towards the first layer: divided by a factor below 1 they get larger.",
)
mistake.value(
    "evenly_spaced",
    _by(lambda lr, factor, steps, n: lr * (n - steps) / n),
    "The rates are evenly spaced. Each should be `factor` times the next one.",
)
mistake.value(
    "factor_times_steps",
    _by(lambda lr, factor, steps, n: lr * factor * steps if steps else lr),
    "`factor` is multiplied by the number of steps. It acts anew at each step, so it "
    "becomes a power.",
)
mistake.value(
    "biases_left_out",
    _by(
        lambda lr, factor, steps, n: lr * factor**steps,
        pick=lambda layer: [layer.weight],
    ),
    "The biases are in no group, so the optimizer would never change them.",
)
mistake.value(
    "head_only",
    lambda model, lr, factor: [{"params": list(model[-1].parameters()), "lr": lr}],
    "Only the last layer is in a group. The others would be frozen.",
)
mistake.value(
    "head_left_out",
    _by(
        lambda lr, factor, steps, n: lr * factor ** (steps + 1),
        layers=lambda model: _with_parameters(model[:-1]) or [nn.Linear(1, 1)],
    ),
    "The last layer is in no group, so it would never learn.",
)
mistake.value(
    "one_step_per_parameter",
    lambda model, lr, factor: [
        {"params": [p], "lr": lr * factor**steps}
        for steps, p in enumerate(reversed(list(model.parameters())))
    ],
    "Weight and bias of one layer have different rates. Count a step for each layer, not "
    "for each parameter.",
    also=(
        lambda model, lr, factor: [
            {"params": [p], "lr": lr * factor**place} for place, p in enumerate(model.parameters())
        ],
    ),
)


parameter_groups = Exercise(
    name="parameter_groups",
    lesson=RATES,
    reference=_by(lambda lr, factor, steps, n: lr * factor**steps),
    prepare=_Grouping,
    cases=(
        Case(("conv1 conv2 head", 0.1, 0.5)),
        Case(("conv1 relu1 fc1 relu2 head", 0.1, 0.5)),
        Case(("conv1 norm1 relu1 conv2 norm2 relu2 flatten fc1 head", 0.01, 0.4)),
        Case(("head", 0.01, 0.4)),
    ),
    mistakes=mistake,
)

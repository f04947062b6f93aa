"""The exercises of lesson 10 about a learning rate for each layer, and mixing two networks."""

import torch
from torch import nn

from course_utils.checks.engine import Case, Exercise, Mistake
from course_utils.checks.engine.reading import kind_of
from course_utils.checks.fine_tuning import Trial, network

RATES = "lesson 10, 'Small steps for early layers'"
MIXING = "lesson 10, 'Between two networks'"

# ---- a learning rate for each layer -------------------------------------------------------------


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
    mistakes=(
        Mistake(
            "turned_round",
            _by(lambda lr, factor, steps, n: lr * factor ** (n - 1 - steps)),
            "It is the wrong way round: the first layer takes the largest steps. The last one "
            "should.",
            also=(
                lambda model, lr, factor: [
                    {"params": list(layer.parameters()), "lr": lr * factor**place}
                    for place, layer in enumerate(model)
                ],
            ),
        ),
        Mistake(
            "layers_without_parameters_counted",
            _by(lambda lr, factor, steps, n: lr * factor**steps, layers=list),
            "Layers without parameters, such as ReLU, were counted as a step. Skip them.",
        ),
        Mistake(
            "all_alike",
            _by(lambda lr, factor, steps, n: lr),
            "Every layer has the same learning rate.",
        ),
        Mistake(
            "not_a_power",
            _by(lambda lr, factor, steps, n: lr * factor if steps else lr),
            "All the layers before the last have the same learning rate. Each should have `factor` "
            "times that of the layer behind it.",
        ),
        Mistake(
            "last_layer_shrunk",
            _by(lambda lr, factor, steps, n: lr * factor ** (steps + 1)),
            "Every rate is one factor too small: the last layer learns with `lr` itself.",
        ),
        Mistake(
            "divided",
            _by(lambda lr, factor, steps, n: lr / factor**steps),
            "The rates grow towards the first layer: divided by a factor below 1 they get larger.",
        ),
        Mistake(
            "evenly_spaced",
            _by(lambda lr, factor, steps, n: lr * (n - steps) / n),
            "The rates are evenly spaced. Each should be `factor` times the next one.",
        ),
        Mistake(
            "factor_times_steps",
            _by(lambda lr, factor, steps, n: lr * factor * steps if steps else lr),
            "`factor` is multiplied by the number of steps. It acts anew at each step, so it "
            "becomes a power.",
        ),
        Mistake(
            "biases_left_out",
            _by(
                lambda lr, factor, steps, n: lr * factor**steps,
                pick=lambda layer: [layer.weight],
            ),
            "The biases are in no group, so the optimizer would never change them.",
        ),
        Mistake(
            "head_only",
            lambda model, lr, factor: [{"params": list(model[-1].parameters()), "lr": lr}],
            "Only the last layer is in a group. The others would be frozen.",
        ),
        Mistake(
            "head_left_out",
            _by(
                lambda lr, factor, steps, n: lr * factor ** (steps + 1),
                layers=lambda model: _with_parameters(model[:-1]) or [nn.Linear(1, 1)],
            ),
            "The last layer is in no group, so it would never learn.",
        ),
        Mistake(
            "one_step_per_parameter",
            lambda model, lr, factor: [
                {"params": [p], "lr": lr * factor**steps}
                for steps, p in enumerate(reversed(list(model.parameters())))
            ],
            "Weight and bias of one layer have different rates. Count a step for each layer, not "
            "for each parameter.",
            also=(
                lambda model, lr, factor: [
                    {"params": [p], "lr": lr * factor**place}
                    for place, p in enumerate(model.parameters())
                ],
            ),
        ),
    ),
)


# ---- between two networks -----------------------------------------------------------------------


class _Mixing(Trial):
    def __call__(self, w0, w, alpha):
        """Weight and bias that come out, and how far the two networks that went in were changed."""
        ends = [{"fc.weight": t.clone(), "fc.bias": 10 * t[0] - 1} for t in (w0, w)]
        kept = [{name: t.clone() for name, t in end.items()} for end in ends]
        result = self.answer(*ends, alpha)
        if result is None or result is ... or result is NotImplemented:
            return result
        if not isinstance(result, dict):
            raise TypeError(f"the result should be a dict of tensors; it is {kind_of(result)}")
        moved = max(
            (end[name] - keep[name]).abs().max().item()
            for end, keep in zip(ends, kept, strict=True)
            for name in keep
        )
        absent = torch.full((1,), torch.nan)
        return result.get("fc.weight", absent), result.get("fc.bias", absent), moved


def _each(rule, names=lambda w: list(w)):
    return lambda w0, w, alpha: {name: rule(w0[name], w[name], alpha) for name in names(w)}


def _in_place(w0, w, alpha):
    for name in w:
        w[name].mul_(1 - alpha).add_(alpha * w0[name])
    return w


interpolate = Exercise(
    name="interpolate",
    lesson=MIXING,
    reference=_each(lambda a, b, alpha: alpha * a + (1 - alpha) * b),
    prepare=_Mixing,
    cases=(
        Case((torch.tensor([[4.0, 2], [0, 6]]), torch.tensor([[0.0, 1], [8, 2]]), 0.25)),
        Case((torch.tensor([[4.0, 2], [0, 6]]), torch.tensor([[0.0, 1], [8, 2]]), 1)),
        Case((torch.tensor([[-1.0, 3, 2]]), torch.tensor([[3.0, 0, -2]]), 0.7)),
    ),
    mistakes=(
        Mistake(
            "swapped",
            _each(lambda a, b, alpha: (1 - alpha) * a + alpha * b),
            "The two are swapped: with α = 1 the result is w₀, with α = 0 it is w.",
        ),
        Mistake(
            "second_forgotten",
            _each(lambda a, b, alpha: alpha * a),
            "The part (1 − α)·w is missing. That mixes w₀ with a network of zeros.",
        ),
        Mistake(
            "first_forgotten",
            _each(lambda a, b, alpha: (1 - alpha) * b),
            "The part α·w₀ is missing. That mixes w with a network of zeros.",
        ),
        Mistake(
            "added",
            _each(lambda a, b, alpha: alpha * a + b),
            "w is added whole. The two shares have to add up to 1.",
        ),
        Mistake(
            "always_the_mean",
            _each(lambda a, b, alpha: (a + b) / 2),
            "That is the mean of the two whatever α is.",
        ),
        Mistake(
            "moved_the_wrong_way",
            _each(lambda a, b, alpha: b - alpha * (a - b)),
            "It starts at w and moves away from w₀, not towards it: look at the sign.",
        ),
        Mistake(
            "biases_left_out",
            _each(
                lambda a, b, alpha: alpha * a + (1 - alpha) * b,
                names=lambda w: [name for name in w if name.endswith("weight")],
            ),
            "The biases are missing. A state dict has to keep all its names.",
        ),
        Mistake(
            "biases_not_mixed",
            lambda w0, w, alpha: {
                name: alpha * w0[name] + (1 - alpha) * w[name] if "weight" in name else w[name]
                for name in w
            },
            "The biases are those of w. They are mixed like everything else.",
        ),
        Mistake(
            "unchanged",
            lambda w0, w, alpha: w,
            "Those are the weights w, unchanged.",
        ),
        Mistake(
            "changed_in_place",
            _in_place,
            "The mixture is right, but one of the two networks was overwritten with it. Make new "
            "tensors: the next α needs the old ones.",
        ),
        Mistake(
            "multiplied",
            _each(lambda a, b, alpha: alpha * a * (1 - alpha) * b),
            "The two parts are multiplied. They should be added.",
        ),
    ),
)

"""The exercise of lesson 10 about which layers learn."""

from collections import OrderedDict

import torch
from torch import nn

from course_utils.checks.engine import Case, Exercise, Mistake

HEAD = "lesson 10, 'A new head'"

_KINDS = {
    "conv": lambda: nn.Conv2d(1, 2, 2),
    "norm": lambda: nn.BatchNorm2d(2),
    "relu": nn.ReLU,
    "flatten": nn.Flatten,
    "fc": lambda: nn.Linear(3, 2),
    "head": lambda: nn.Linear(2, 2),
}


def network(layers):
    """A network with these names, "conv1 relu1 head"; it is looked at, never run."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        made = [(name, _KINDS[name.rstrip("0123456789")]()) for name in layers.split()]
    return nn.Sequential(OrderedDict(made))


class Trial:
    """A student's function, tried on a network; errors still name the student's own line."""

    def __init__(self, answer):
        if not callable(answer):
            raise TypeError("A function or a class is checked here; pass it without calling it")
        self.answer = answer
        named = getattr(answer, "forward", answer)
        self.__code__ = getattr(named, "__code__", None)


# ---- freeze -------------------------------------------------------------------------------------


class _Freezing(Trial):
    def __call__(self, layers, upto, before="all learn"):
        """1 for each parameter that learns, 0 for a frozen one; and how far the weights moved."""
        model = network(layers)
        model.requires_grad_(before == "all learn")
        values = [parameter.detach().clone() for parameter in model.parameters()]
        result = self.answer(model, upto)
        if result is ... or result is NotImplemented:
            return result
        model = result if isinstance(result, nn.Module) else model
        learns = [float(parameter.requires_grad) for parameter in model.parameters()]
        moved = [(p - v).abs().max() for p, v in zip(model.parameters(), values, strict=False)]
        return torch.tensor(learns), max(moved).item()


def _set(model, names):
    """Freeze the layers of these names, let all others learn."""
    for name, layer in model.named_children():
        layer.requires_grad_(name not in names)
    return model


def _names(model):
    return [name for name, _ in model.named_children()]


def _first(model, upto, more=0):
    return _names(model)[: _names(model).index(upto) + 1 + more]


def _freeze(model, upto):
    return _set(model, _first(model, upto))


def _one_more(model, upto):
    """The next layer with parameters is frozen, too."""
    with_parameters = [n for n, layer in model.named_children() if list(layer.parameters())]
    later = [n for n in with_parameters if n not in _first(model, upto)]
    return _set(model, _first(model, upto) + later[:1])


def _article(model, upto):
    for parameter in model.requires_grad_(True).parameters():
        parameter.data *= 0.5
    return model


def _halved(model, upto):
    for parameter in model.parameters():
        parameter.data *= 0.5
    return _freeze(model, upto)


def _never_thawed(model, upto):
    for name in _first(model, upto):
        model.get_submodule(name).requires_grad_(False)
    return model


def _stops_before(model, upto):
    for name in _first(model, upto, more=-1):
        model.get_submodule(name).requires_grad_(False)
    return model


def _weights_only(model, upto):
    model.requires_grad_(True)
    for name in _first(model, upto):
        for key, parameter in model.get_submodule(name).named_parameters():
            parameter.requires_grad_(key != "weight")
    return model


def _biases_only(model, upto):
    model.requires_grad_(True)
    for name in _first(model, upto):
        for key, parameter in model.get_submodule(name).named_parameters():
            parameter.requires_grad_(key != "bias")
    return model


def _by_beginning(model, upto):
    return _set(model, [name for name in _names(model) if name.startswith(upto)])


freeze = Exercise(
    name="freeze",
    lesson=HEAD,
    reference=_freeze,
    prepare=_Freezing,
    cases=(
        Case(("conv1 conv2 conv3 head", "conv2")),
        Case(("conv1 conv2 head", "conv1"), {"before": "all frozen"}),
        Case(("conv1 norm1 relu1 conv2 norm2 relu2 flatten fc1 head", "relu2")),
        Case(("conv1 conv2 fc1 fc10 fc2 head", "fc1"), {"before": "all frozen"}),
        Case(("conv1 head", "head")),
    ),
    mistakes=(
        Mistake(
            "upto_excluded",
            lambda model, upto: _set(model, _first(model, upto, more=-1)),
            "The layer named `upto` still learns. It is the last of the frozen ones.",
            also=(_stops_before,),
        ),
        Mistake(
            "everything_learns",
            lambda model, upto: model.requires_grad_(True),
            "Every parameter learns: nothing is frozen.",
        ),
        Mistake(
            "nothing_changed",
            lambda model, upto: model,
            "Nothing has changed in the model. `layer.requires_grad = False` only hangs a note on "
            "the layer that nobody reads, and `eval()` is about another thing: the switch belongs "
            "to each parameter.",
        ),
        Mistake(
            "turned_round",
            lambda model, upto: _set(
                model, [n for n in _names(model) if n not in _first(model, upto)]
            ),
            "It is the wrong way round: the early layers learn and the late ones are frozen.",
        ),
        Mistake(
            "only_upto",
            lambda model, upto: _set(model, [upto]),
            "Only the layer named `upto` is frozen. The layers in front of it should be, too.",
        ),
        Mistake(
            "everything_frozen",
            lambda model, upto: model.requires_grad_(False),
            "Everything is frozen, and nothing is left that could learn.",
        ),
        Mistake(
            "never_thawed",
            _never_thawed,
            "If the later layers were frozen before, they stay frozen. Say for each layer whether "
            "it learns, not only for the frozen ones.",
        ),
        Mistake(
            "all_but_the_head",
            lambda model, upto: _set(model, _names(model)[:-1]),
            "Everything but the last layer is frozen: `upto` plays no part.",
        ),
        Mistake(
            "biases_learn",
            _weights_only,
            "The weights are frozen, but the biases beside them still learn.",
        ),
        Mistake(
            "weights_learn",
            _biases_only,
            "The biases are frozen, but the weights beside them still learn.",
        ),
        Mistake(
            "one_layer_more",
            _one_more,
            "One layer too many is frozen: the first one after `upto` should learn.",
        ),
        Mistake(
            "similar_names",
            _by_beginning,
            "Only layers whose names begin like `upto` are frozen, and so `fc10` passes for `fc1`. "
            "Go by the order of the layers.",
        ),
        Mistake(
            "weights_halved",
            _halved,
            "The right layers are frozen, but the weights have changed. Freezing keeps them.",
        ),
        Mistake(
            "as_published",
            _article,
            "That is the article's function: all of it learns, and the weights are halved.",
        ),
    ),
)

"""Lesson 10, exercise 1: Freeze."""

import torch
from torch import nn

from course_utils.checks.engine import Case, Exercise, Mistakes
from course_utils.checks.lesson_10._trial import Trial, network

HEAD = "lesson 10, 'A new head'"


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


def _stops_before(model, upto):
    for name in _first(model, upto, more=-1):
        model.get_submodule(name).requires_grad_(False)
    return model


mistake = Mistakes()
mistake.value(
    "upto_excluded",
    lambda model, upto: _set(model, _first(model, upto, more=-1)),
    "The layer named `upto` still learns. It is the last of the frozen ones.",
    also=(_stops_before,),
)
mistake.value(
    "everything_learns",
    lambda model, upto: model.requires_grad_(True),
    "Every parameter learns: nothing is frozen.",
)
mistake.value(
    "nothing_changed",
    lambda model, upto: model,
    "Nothing has changed in the model. `layer.requires_grad = False` only hangs a note on "
    "the layer that nobody reads, and `eval()` is about another thing: the switch belongs "
    "to each parameter.",
)
mistake.value(
    "turned_round",
    lambda model, upto: _set(model, [n for n in _names(model) if n not in _first(model, upto)]),
    "It is the wrong way round: the early layers learn and the late ones are frozen.",
)
mistake.value(
    "only_upto",
    lambda model, upto: _set(model, [upto]),
    "Only the layer named `upto` is frozen. The layers in front of it should be, too.",
)
mistake.value(
    "everything_frozen",
    lambda model, upto: model.requires_grad_(False),
    "Everything is frozen, and nothing is left that could learn.",
)


@mistake(
    "If the later layers were frozen before, they stay frozen. Say for each layer whether "
    "it learns, not only for the frozen ones."
)
def never_thawed(model, upto):
    for name in _first(model, upto):
        model.get_submodule(name).requires_grad_(False)
    return model


mistake.value(
    "all_but_the_head",
    lambda model, upto: _set(model, _names(model)[:-1]),
    "Everything but the last layer is frozen: `upto` plays no part.",
)


@mistake("The weights are frozen, but the biases beside them still learn.")
def biases_learn(model, upto):
    model.requires_grad_(True)
    for name in _first(model, upto):
        for key, parameter in model.get_submodule(name).named_parameters():
            parameter.requires_grad_(key != "weight")
    return model


@mistake("The biases are frozen, but the weights beside them still learn.")
def weights_learn(model, upto):
    model.requires_grad_(True)
    for name in _first(model, upto):
        for key, parameter in model.get_submodule(name).named_parameters():
            parameter.requires_grad_(key != "bias")
    return model


@mistake("One layer too many is frozen: the first one after `upto` should learn.")
def one_layer_more(model, upto):
    """The next layer with parameters is frozen, too."""
    with_parameters = [n for n, layer in model.named_children() if list(layer.parameters())]
    later = [n for n in with_parameters if n not in _first(model, upto)]
    return _set(model, _first(model, upto) + later[:1])


@mistake(
    "Only layers whose names begin like `upto` are frozen, and so `fc10` passes for `fc1`. "
    "Go by the order of the layers."
)
def similar_names(model, upto):
    return _set(model, [name for name in _names(model) if name.startswith(upto)])


@mistake("The right layers are frozen, but the weights have changed. Freezing keeps them.")
def weights_halved(model, upto):
    for parameter in model.parameters():
        parameter.data *= 0.5
    return _freeze(model, upto)


@mistake("That is the article's function: all of it learns, and the weights are halved.")
def as_published(model, upto):
    for parameter in model.requires_grad_(True).parameters():
        parameter.data *= 0.5
    return model


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
    mistakes=mistake,
)

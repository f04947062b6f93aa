"""Lesson 07, exercise 3: Freeze, really."""

from collections import OrderedDict

import torch
from torch import nn

from course_utils.checks.engine import Exercise, Mistakes
from course_utils.checks.engine.probe import Probe

ELSE = "lesson 07, 'It runs, and does something else'"


def _train_only(network, layer):
    for name, parameter in network.named_parameters():
        parameter.requires_grad = name.startswith(f"{layer}.")
    return network.train()


def _marks(network, choose):
    for name, parameter in network.named_parameters():
        parameter.requires_grad = choose(name)
    return network


def _scaled(network, factor):
    with torch.no_grad():
        for parameter in network.parameters():
            parameter *= factor
    return network


def _chain():
    layers = {"fc1": nn.Linear(6, 5), "relu": nn.ReLU(), "fc10": nn.Linear(5, 4)}
    return nn.Sequential(OrderedDict(layers, norm=nn.BatchNorm1d(4), fc2=nn.Linear(4, 3))).eval()


def _verdict_on_tuning(train_only):
    network = _chain()
    names = {name for name, _ in network.named_parameters()}
    part = {layer: {n for n in names if n.startswith(f"{layer}.")} for layer in ("fc2", "fc1")}
    for (
        layer,
        wanted,
    ) in part.items():  # twice with one network, as one tries one layer, then another
        before = [p.detach().clone() for p in network.parameters()]
        result = train_only(network.eval(), layer)
        if result is None:
            return None
        if not isinstance(result, nn.Module):
            return "not_a_network"
        after = [p.detach() for p in result.parameters()]
        if not all(map(torch.equal, before, after)):
            halved = all(torch.equal(b / 2, a) for b, a in zip(before, after, strict=True))
            return "weights_halved" if halved else "weights_changed"
        got = {name for name, p in result.named_parameters() if p.requires_grad}
        if got != wanted:
            return {
                frozenset(names): "nothing_frozen",
                frozenset(names - wanted): "inverted",
                frozenset(): "not_thawed" if layer == "fc1" else "everything_frozen",
                frozenset({f"{layer}.weight"}): "bias_frozen",
                frozenset(part["fc2"]): "layer_ignored",
                frozenset(wanted | {"fc10.weight", "fc10.bias"}): "similar_names",
                frozenset(wanted | part["fc2"]): "earlier_layer_left",
            }.get(frozenset(got), "other_parts")
        if not result.training:
            return "eval_mode"
        network = result
    return "mended"


mistake = Mistakes()
mistake.value(
    "nothing_frozen",
    lambda network, layer: _marks(network, lambda name: True).train(),
    "Every parameter can still be trained, as in the article: nothing is frozen.",
)
mistake.value(
    "eval_mode",
    lambda network, layer: _train_only(network, layer).eval(),
    "The right parameters are frozen, but the network comes back in evaluation mode, in "
    "which it should not be trained.",
)
mistake.value(
    "inverted",
    lambda network, layer: _marks(network, lambda name: not name.startswith(f"{layer}.")).train(),
    "It is the wrong way round: the named layer is frozen, and all the others are trained.",
)
mistake.value(
    "everything_frozen",
    lambda network, layer: network.requires_grad_(False).train(),
    "Every parameter is frozen: nothing is left to train.",
)


@mistake(
    "It freezes the others but does not thaw the named layer. A network that comes already "
    "frozen, from an earlier call, then has nothing left to train."
)
def not_thawed(network, layer):
    for name, parameter in network.named_parameters():
        if not name.startswith(f"{layer}."):
            parameter.requires_grad = False
    return network.train()


@mistake("After a second call with another layer, the layer of the first call is still trained.")
def earlier_layer_left(network, layer):
    if all(parameter.requires_grad for parameter in network.parameters()):
        _marks(network, lambda name: False)
    network.get_submodule(layer).requires_grad_(True)
    return network.train()


mistake.value(
    "layer_ignored",
    lambda network, layer: _train_only(network, "fc2"),
    "Whichever layer is named, the last one is trained: `layer` plays no part.",
)
mistake.value(
    "similar_names",
    lambda network, layer: _marks(network, lambda name: name.startswith(layer)).train(),
    "Asked for 'fc1', it trains 'fc10' too: the name begins in the same way. What stands "
    "between a layer's name and 'weight'?",
)
mistake.value(
    "bias_frozen",
    lambda network, layer: _marks(network, lambda name: name == f"{layer}.weight").train(),
    "The layer's bias is frozen. All the layer's parameters should be trained.",
)
mistake.value(
    "weights_halved",
    lambda network, layer: _train_only(_scaled(network, 0.5), layer),
    "The weights are halved, as in the article. What the network had learned is spoiled: "
    "freezing changes no number.",
)
mistake.value(
    "weights_changed",
    lambda network, layer: _train_only(_scaled(network, 0.0), layer),
    "The numbers in the weights have changed. Freezing and thawing change none.",
)
mistake.value(
    "other_parts",
    lambda network, layer: _marks(network, lambda name: name.endswith("weight")).train(),
    "Parameters of other layers are trained too, or parts of the named one are not. Look "
    "at the names that `named_parameters()` gives.",
)
mistake.value(
    "not_a_network",
    lambda network, layer: [p for p in network.parameters() if p.requires_grad],
    "The function should return the network.",
)


train_only = Exercise(
    name="train_only",
    lesson=ELSE,
    reference=_train_only,
    prepare=lambda answer: Probe(answer, _verdict_on_tuning),
    mistakes=mistake,
)

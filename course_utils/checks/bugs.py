"""The exercises of lesson 07 about single functions: mend them, and do not merely silence them."""

from collections import OrderedDict

import torch
from torch import nn

from course_utils.checks.engine import Case, Exercise, Mistake
from course_utils.checks.engine.probe import Probe

BLAMED = "lesson 07, 'The line that is blamed'"
ELSE = "lesson 07, 'It runs, and does something else'"

# ---- the line between the last pooling and the first Linear -------------------------------------


def _counting(*shape):
    return torch.arange(float(torch.Size(shape).numel())).reshape(shape)


to_rows = Exercise(
    name="to_rows",
    lesson=BLAMED,
    reference=lambda x: x.flatten(1),
    cases=(
        Case((_counting(25, 16, 4, 4),)),
        Case((_counting(4, 8, 4, 4),)),
        Case((_counting(2, 2, 2, 2),)),
        Case((_counting(3, 2, 3, 4),)),
        Case((_counting(1, 3, 2, 2),)),
    ),
    mistakes=(
        Mistake(
            "article_400",
            lambda x: x.reshape(-1, 16 * 5 * 5),
            "That is the article's line: rows of 400, whatever the images are, so they are cut "
            "into pieces.",
        ),
        Mistake(
            "fixed_256",
            lambda x: x.reshape(-1, 16 * 4 * 4),
            "It fits 16 × 4 × 4 and cuts images of any other size into pieces. Let the number of "
            "images stand fast, and the −1 be the features.",
        ),
        Mistake(
            "made_to_fit",
            lambda x: x.reshape(x[0].numel(), len(x)).T,
            "The shape is right, but the rows mix the images: the numbers were cut in the wrong "
            "order and then turned.",
        ),
        Mistake(
            "batch_and_channels_swapped",
            lambda x: x.transpose(0, 1).reshape(len(x), -1),
            "The shape is right, but batch and channels were exchanged before: a row holds numbers "
            "of several images.",
        ),
        Mistake(
            "averaged",
            lambda x: x.mean((2, 3)),
            "Each map is averaged to one number. That fits some Linear, but throws the places "
            "away.",
        ),
        Mistake(
            "one_long_row",
            lambda x: x.flatten(),
            "All images are in one row: the first axis, the batch, has to stay.",
        ),
        Mistake(
            "channels_kept_apart",
            lambda x: x.flatten(2),
            "The channels are still an axis of their own. A Linear wants one row an image.",
        ),
        Mistake(
            "one_row_a_channel",
            lambda x: x.reshape(x.shape[0] * x.shape[1], -1),
            "There is one row for every channel. There should be one for every image.",
        ),
        Mistake(
            "channels_last",
            lambda x: x.permute(0, 2, 3, 1).reshape(len(x), -1),
            "Each image is whole, but its numbers stand in another order than `nn.Flatten` gives: "
            "weights that were trained with the one are useless for the other.",
        ),
        Mistake(
            "first_channel_only",
            lambda x: x[:, 0].flatten(1),
            "Only the first channel is kept.",
        ),
        Mistake(
            "added_up",
            lambda x: x.sum(1).flatten(1),
            "The channels are added up. Lay them side by side.",
        ),
    ),
)


# ---- the article's fine_tune, which freezes nothing ---------------------------------------------


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


def _only_freezes(network, layer):
    for name, parameter in network.named_parameters():
        if not name.startswith(f"{layer}."):
            parameter.requires_grad = False
    return network.train()


def _only_thaws(network, layer):
    if all(parameter.requires_grad for parameter in network.parameters()):
        _marks(network, lambda name: False)
    network.get_submodule(layer).requires_grad_(True)
    return network.train()


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


train_only = Exercise(
    name="train_only",
    lesson=ELSE,
    reference=_train_only,
    prepare=lambda answer: Probe(answer, _verdict_on_tuning),
    mistakes=(
        Mistake(
            "nothing_frozen",
            lambda network, layer: _marks(network, lambda name: True).train(),
            "Every parameter can still be trained, as in the article: nothing is frozen.",
        ),
        Mistake(
            "eval_mode",
            lambda network, layer: _train_only(network, layer).eval(),
            "The right parameters are frozen, but the network comes back in evaluation mode, in "
            "which it should not be trained.",
        ),
        Mistake(
            "inverted",
            lambda network, layer: _marks(
                network, lambda name: not name.startswith(f"{layer}.")
            ).train(),
            "It is the wrong way round: the named layer is frozen, and all the others are trained.",
        ),
        Mistake(
            "everything_frozen",
            lambda network, layer: network.requires_grad_(False).train(),
            "Every parameter is frozen: nothing is left to train.",
        ),
        Mistake(
            "not_thawed",
            _only_freezes,
            "It freezes the others but does not thaw the named layer. A network that comes already "
            "frozen, from an earlier call, then has nothing left to train.",
        ),
        Mistake(
            "earlier_layer_left",
            _only_thaws,
            "After a second call with another layer, the layer of the first call is still trained.",
        ),
        Mistake(
            "layer_ignored",
            lambda network, layer: _train_only(network, "fc2"),
            "Whichever layer is named, the last one is trained: `layer` plays no part.",
        ),
        Mistake(
            "similar_names",
            lambda network, layer: _marks(network, lambda name: name.startswith(layer)).train(),
            "Asked for 'fc1', it trains 'fc10' too: the name begins in the same way. What stands "
            "between a layer's name and 'weight'?",
        ),
        Mistake(
            "bias_frozen",
            lambda network, layer: _marks(network, lambda name: name == f"{layer}.weight").train(),
            "The layer's bias is frozen. All the layer's parameters should be trained.",
        ),
        Mistake(
            "weights_halved",
            lambda network, layer: _train_only(_scaled(network, 0.5), layer),
            "The weights are halved, as in the article. What the network had learned is spoiled: "
            "freezing changes no number.",
        ),
        Mistake(
            "weights_changed",
            lambda network, layer: _train_only(_scaled(network, 0.0), layer),
            "The numbers in the weights have changed. Freezing and thawing change none.",
        ),
        Mistake(
            "other_parts",
            lambda network, layer: _marks(network, lambda name: name.endswith("weight")).train(),
            "Parameters of other layers are trained too, or parts of the named one are not. Look "
            "at the names that `named_parameters()` gives.",
        ),
        Mistake(
            "not_a_network",
            lambda network, layer: [p for p in network.parameters() if p.requires_grad],
            "The function should return the network.",
        ),
    ),
)

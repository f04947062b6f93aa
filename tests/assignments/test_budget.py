"""The budget of assignment A4: what is counted, what is copied, and everything that is refused."""

import copy
import io
import json
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from course_utils import anatomy
from course_utils.assignments import budget
from course_utils.data import Split


def small():
    """A network inside the budget, with a batch norm, a nested block and an activation twice."""
    relu = nn.ReLU()
    return nn.Sequential(
        OrderedDict(
            stem=nn.Conv2d(1, 8, 3, stride=2, padding=1, bias=False),
            norm=nn.BatchNorm2d(8),
            relu=relu,
            block=nn.Sequential(
                nn.Conv2d(8, 8, 3, padding="same", groups=8, bias=False),
                nn.Conv2d(8, 16, 1),
                relu,
            ),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            fc=nn.Linear(16, 10),
        )
    )


def used(network):
    """The same network with statistics that are not the first ones."""
    network.train()
    with torch.no_grad():
        network(torch.rand(20, 1, 28, 28, generator=torch.Generator().manual_seed(0)))
    return network.eval()


IMAGES = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(1))


# ---- copying ------------------------------------------------------------------------------------


def test_a_copy_gives_the_same_logits_to_the_last_bit():
    network = used(small())
    twin = budget.unpack(budget.pack(network))
    assert torch.equal(twin(IMAGES), network(IMAGES))
    assert list(twin.state_dict()) == list(network.state_dict())
    assert not twin.training


EVERY_LAYER = nn.Sequential(
    *(nn.ZeroPad2d(2), nn.Conv2d(1, 8, 5, 2, padding_mode="circular"), nn.GroupNorm(2, 8)),
    *(nn.PReLU(8), nn.ChannelShuffle(2), nn.AvgPool2d(2, count_include_pad=False), nn.GELU("tanh")),
    *(nn.MaxPool2d(3, 1, 1, ceil_mode=True), nn.LeakyReLU(0.2, inplace=True), nn.SiLU()),
    *(
        nn.Conv2d(8, 4, (1, 3), dilation=(1, 2), bias=False),
        nn.BatchNorm2d(4, eps=1e-3),
        nn.ELU(0.5),
    ),
    *(nn.Dropout2d(0.2), nn.AdaptiveMaxPool2d((4, 2)), nn.PixelUnshuffle(2), nn.Mish(), nn.Tanh()),
    *(nn.AdaptiveAvgPool2d((None, 1)), nn.Identity(), nn.Flatten(), nn.BatchNorm1d(32)),
    *(nn.Hardswish(), nn.ReLU6(), nn.Dropout(0.1), nn.Sigmoid(), nn.Linear(32, 10, bias=False)),
)


def test_every_layer_on_the_list_can_be_copied_with_its_options():
    network = used(copy.deepcopy(EVERY_LAYER))
    twin = budget.unpack(budget.pack(network))
    assert torch.equal(twin(IMAGES), network(IMAGES))
    kinds = {type(layer).__name__ for layer in network}
    assert kinds | {"ReLU"} == set(budget.LAYERS)
    assert budget.measure(network).parameters == sum(p.numel() for p in network.parameters())


def test_copying_and_counting_leave_the_network_and_the_generator_as_they_are():
    network = used(small()).train()
    network.fc.weight.requires_grad_(False)
    before, state = torch.get_rng_state(), copy.deepcopy(network.state_dict())
    budget.unpack(budget.pack(network))
    budget.measure(network, Split(IMAGES, torch.zeros(6, dtype=torch.int64)))
    assert torch.equal(torch.get_rng_state(), before)
    assert network.training
    assert not network.fc.weight.requires_grad
    assert all(torch.equal(network.state_dict()[name], state[name]) for name in state)


def test_a_view_of_a_large_tensor_is_copied_without_the_rest():
    network = small()
    network.fc.weight = nn.Parameter(torch.randn(1000, 16)[:10])
    assert len(budget.pack(network)) < 10_000


# ---- smuggling: what `pack` refuses -------------------------------------------------------------


class Own(nn.Linear):
    def forward(self, x):
        return super().forward(x) * 2


class OwnSequential(nn.Sequential):
    def forward(self, x):
        return super().forward(x) * 2


class OwnTensor(torch.Tensor):
    pass


def posing():
    """A class of one's own that has the name of one on the list."""
    return type("Linear", (nn.Linear,), {"forward": lambda self, x: x})(16, 10)


def swapped(network):
    network.fc.__class__ = Own


def tied(network):
    network.add_module("again", nn.Linear(10, 16))
    network.again.weight = nn.Parameter(network.fc.weight.detach().T)
    network.add_module("last", nn.Linear(16, 10))


def whole_in_itself(network):
    network = nn.Sequential(nn.ReLU())
    network.add_module("self", network)
    return network


def deep(network):
    for _ in range(20):
        network = nn.Sequential(network)
    return network


SMUGGLED = {
    # code in the place of a layer, or beside it
    "a class of one's own": (lambda n: n.__setitem__(-1, Own(16, 10)), "an Own, which is not on"),
    "a class with a layer's name": (lambda n: n.__setitem__(-1, posing()), "not on the list"),
    "another class put into a layer": (swapped, "an Own, which is not on the list"),
    "a Sequential of one's own": (lambda n: OwnSequential(*n), "an OwnSequential; it has to be"),
    "one of one's own inside": (lambda n: nn.Sequential(OwnSequential(*n)), "OwnSequential"),
    "no Sequential": (lambda n: nn.ModuleList(n), "a ModuleList; it has to be"),
    "a forward of the layer's own": (lambda n: setattr(n.fc, "forward", lambda x: x), "`forward`"),
    "a forward of the network's own": (lambda n: setattr(n, "forward", lambda x: x), "`forward`"),
    "a forward of a block's own": (lambda n: setattr(n.block, "forward", print), "`forward`"),
    "a layer as forward": (lambda n: n.fc.__dict__.update(forward=nn.Linear(16, 10)), "`forward`"),
    "a method of the layer's own": (
        lambda n: setattr(n.stem, "_conv_forward", max),
        "_conv_forward",
    ),
    "a hook": (lambda n: n.fc.register_forward_hook(lambda *a: None), "has a hook"),
    "a hook before": (lambda n: n.register_forward_pre_hook(lambda *a: None), "has a hook"),
    "a hook of gradients": (lambda n: n.fc.register_full_backward_hook(lambda *a: None), "hook"),
    "a hook of loading": (
        lambda n: n.fc.register_load_state_dict_post_hook(lambda *a: None),
        "has a hook",
    ),
    "spectral norm": (lambda n: parametrizations.spectral_norm(n.fc) and None, "not on the list"),
    "weight norm": (lambda n: parametrizations.weight_norm(n.fc) and None, "not on the list"),
    "pruning": (lambda n: prune.l1_unstructured(n.fc, "weight", 0.5) and None, "Layer fc (Linear)"),
    # weights where nobody counts them
    "a list of weights": (lambda n: setattr(n.fc, "more", [1.0] * 999), "`more`"),
    "a tensor as attribute": (lambda n: setattr(n, "more", torch.ones(999)), "`more`"),
    "a tensor for an option": (lambda n: setattr(n.stem, "stride", torch.ones(9)), "stride"),
    "a list for an option": (lambda n: setattr(n.stem, "padding", [0.1] * 999), "padding"),
    "an option that is not kept": (lambda n: setattr(n.norm, "momentum", {"a": 1}), "momentum"),
    "a buffer": (lambda n: n.fc.register_buffer("more", torch.ones(999)), "more"),
    "a buffer of the network": (lambda n: n.register_buffer("more", torch.ones(999)), "more"),
    "a parameter of the network": (
        lambda n: n.register_parameter("more", nn.Parameter(torch.ones(999))),
        "differ from those of such a layer: more",
    ),
    "a layer inside a layer": (
        lambda n: n.relu.add_module("more", nn.Linear(9, 9)),
        "layers inside",
    ),
    "a bias beside the parameters": (
        lambda n: n.fc.__dict__.update(bias=n.fc._parameters.pop("bias")),
        "`bias`",
    ),
    "a batch norm without scale": (
        lambda n: n.__setitem__(1, nn.BatchNorm2d(8, affine=False)),
        "affine=False",
    ),
    "a batch norm without statistics": (
        lambda n: n.__setitem__(1, nn.BatchNorm2d(8, track_running_stats=False)),
        "track_running_stats=False",
    ),
    "an embedding": (
        lambda n: n.__setitem__(4, nn.Embedding(9, 9)),
        "an Embedding, which is not on",
    ),
    "another divisor": (
        lambda n: n.__setitem__(4, nn.AvgPool2d(2, divisor_override=3)),
        "divisor_override=3",
    ),
    # tensors that are not what they seem
    "the same layer twice": (
        lambda n: n.append(nn.Linear(10, 16)).append(n.fc),
        "is also the weight of layer",
    ),
    "a weight that is another's view": (tied, "is also the weight of layer"),
    "a weight and a bias in one": (
        lambda n: setattr(n.fc, "bias", nn.Parameter(n.fc.weight.detach()[:, 0])),
        "is also the weight of layer",
    ),
    "an expanded batch norm": (
        lambda n: setattr(n.norm, "bias", nn.Parameter(n.norm.weight.detach().expand(8))),
        "is also the weight of layer",
    ),
    "double precision": (lambda n: n.double() and None, "torch.float64; it has to be"),
    "half precision": (lambda n: n.half() and None, "torch.float16"),
    "complex weights": (
        lambda n: setattr(n.fc, "weight", nn.Parameter(torch.ones(10, 16, dtype=torch.complex64))),
        "torch.complex64",
    ),
    "a weight of another shape": (
        lambda n: setattr(n.fc, "weight", nn.Parameter(torch.randn(10, 99))),
        "has the shape (10, 99)",
    ),
    "a sparse weight": (
        lambda n: setattr(n.fc, "weight", nn.Parameter(torch.eye(10, 16).to_sparse())),
        "not a plain tensor",
    ),
    "a tensor of one's own kind": (
        lambda n: n.norm._buffers.update(running_mean=torch.zeros(8).as_subclass(OwnTensor)),
        "not a plain tensor",
    ),
    "no numbers at all": (lambda n: n.to("meta") and None, "not a plain tensor"),
    "NaN": (lambda n: n.fc.weight.data.fill_(torch.nan), "NaN"),
    "infinity": (lambda n: n.fc.bias.data.fill_(torch.inf), "infinite"),
    "NaN in a statistic": (lambda n: n.norm.running_var.fill_(torch.nan), "running_var"),
    # no end of it
    "a network in itself": (whole_in_itself, "nested too deep"),
    "a deep nest": (deep, "nested too deep"),
    "a nothing": (lambda n: n.register_module("none", None), "a NoneType"),
    "a million numbers": (lambda n: n.append(nn.Linear(1200, 1200)) and None, "far too many"),
}


@pytest.mark.parametrize("what", SMUGGLED)
def test_pack_refuses_with_a_sentence(what):
    change, said = SMUGGLED[what]
    network = small()
    result = change(network)
    network = result if isinstance(result, nn.Module) else network
    with pytest.raises(budget.Refused) as refused:
        budget.pack(network)
    assert said in str(refused.value)
    assert str(refused.value)[0].isupper()
    assert str(refused.value).endswith(".")
    measured = budget.measure(network)
    assert not measured.fits
    assert measured.why == str(refused.value)
    assert measured.diagnosis == "refused"


@pytest.mark.parametrize("other", [nn.Linear(784, 10), lambda x: x, 7, "network", [nn.ReLU()]])
def test_what_is_no_network_is_refused(other):
    assert "it has to be an nn.Sequential" in budget.measure(other).why


def test_layers_without_weights_may_stand_in_two_places():
    assert budget.measure(small()).fits


# ---- smuggling: what `unpack` refuses, whoever made the bytes -----------------------------------


def packed(plan, numbers=0):
    return json.dumps(plan).encode() + b"\n" + np.ones(numbers, dtype="<f4").tobytes()


def linear(**options):
    return {"in_features": 784, "out_features": 10, "bias": False} | options


def in_network(kind, options):
    return ["Sequential", [["0", [kind, options]]]]


def as_torch_saves():
    buffer = io.BytesIO()
    torch.save(nn.Linear(3, 3), buffer)
    return buffer.getvalue()


def as_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("data.pkl", b"0" * 10_000_000)
    return buffer.getvalue()


nested = in_network("Linear", linear())
for _ in range(40):
    nested = ["Sequential", [["0", nested]]]

FORGED = {
    "nothing": b"",
    "text": "text",
    "none": None,
    "noise": bytes(range(256)) * 9,
    "what torch saves": as_torch_saves(),
    "a zip that grows": as_zip(),
    "too many bytes": b"0" * 8_000_001,
    "another kind": packed({"a": 1}),
    "brackets without end": b"[" * 100_000 + b"\n",
    "a number of many digits": b"1" * 100_000 + b"\n",
    "no sequential": packed(["Linear", linear()], 7840),
    "a layer that is not on the list": packed(in_network("Bilinear", {})),
    "a name that is no layer": packed(in_network("Module", {})),
    "a function of torch.nn": packed(in_network("init", {})),
    "a path to another module": packed(in_network("os.system", {})),
    "an option too many": packed(in_network("Linear", linear(device="cpu")), 7840),
    "an option too few": packed(in_network("Linear", {"in_features": 784}), 7840),
    "no options": packed(in_network("Linear", [784, 10]), 7840),
    "a number too few": packed(in_network("Linear", linear()), 7839),
    "a number too many": packed(in_network("Linear", linear()), 7841),
    "half a number": packed(in_network("Linear", linear()), 7840)[:-2],
    "a huge layer": packed(in_network("Linear", linear(in_features=10**6, out_features=10**6))),
    "a layer beyond counting": packed(in_network("Linear", linear(in_features=10**30))),
    "a negative layer": packed(in_network("Linear", linear(in_features=-784))),
    "a text for a number": packed(in_network("Linear", linear(in_features="784"))),
    "a half channel": packed(in_network("Linear", linear(in_features=0.5))),
    "an infinite option": packed(in_network("Dropout", {"p": float("inf")})),
    "NaN for an option": packed(in_network("Dropout", {"p": float("nan")})),
    "a list of weights for an option": packed(
        in_network("LeakyReLU", {"negative_slope": [0.1] * 99})
    ),
    "an object for an option": packed(in_network("LeakyReLU", {"negative_slope": {"a": 1}})),
    "a layer named forward": packed(["Sequential", [["forward", ["ReLU", {}]]]]),
    "a layer named like a path": packed(["Sequential", [["a.b", ["ReLU", {}]]]]),
    "a layer without a name": packed(["Sequential", [["", ["ReLU", {}]]]]),
    "a layer with a number for a name": packed(["Sequential", [[0, ["ReLU", {}]]]]),
    "a long name": packed(["Sequential", [["a" * 1000, ["ReLU", {}]]]]),
    "too many layers": packed(["Sequential", [[str(n), ["ReLU", {}]] for n in range(999)]]),
    "too deep": packed(nested, 7840),
    "a plan cut short": packed(["Sequential", [["0", ["Linear"]]]]),
    "a plan of something else": packed(["Sequential", 7]),
    "NaN among the numbers": packed(in_network("Linear", linear()), 7839)
    + np.float32("nan").tobytes(),
}


@pytest.mark.parametrize("what", FORGED)
def test_unpack_refuses_with_a_sentence(what):
    with pytest.raises(budget.Refused) as refused:
        budget.unpack(FORGED[what])
    assert str(refused.value).endswith(".")


def test_unpack_refuses_any_packed_network_that_was_cut_or_changed():
    whole = budget.pack(used(small()))
    for cut in range(0, len(whole), 97):
        with pytest.raises(budget.Refused):
            budget.unpack(whole[:cut])
    random = np.random.default_rng(0)
    for _ in range(300):
        place, value = random.integers(len(whole)), random.integers(256)
        changed = whole[:place] + bytes([value]) + whole[place + 1 :]
        try:
            network = budget.unpack(changed)
        except budget.Refused:
            continue
        assert {type(layer).__name__ for layer in network} <= {*budget.LAYERS, "Sequential"}


def test_two_layers_of_one_name_are_one():
    twice = ["Linear", linear()]
    with pytest.raises(budget.Refused):
        budget.unpack(packed(["Sequential", [["0", twice], ["0", twice]]], 2 * 7840))


# ---- counting -----------------------------------------------------------------------------------


def test_the_counts_are_those_of_anatomy():
    network = small()
    counted, summary = budget.measure(network), anatomy.summarize(network, (1, 28, 28))
    assert (counted.parameters, counted.macs) == (summary.parameters, summary.macs)
    assert counted.fits
    assert counted.passed
    assert counted.why == ""


def test_frozen_parameters_count():
    network = small()
    every = budget.measure(network).parameters
    assert budget.measure(network.requires_grad_(False)).parameters == every > 0


def test_running_statistics_are_reported_and_not_counted():
    network = small()
    counted = budget.measure(network)
    assert counted.statistics == 16
    assert counted.parameters == sum(p.numel() for p in network.parameters())
    assert "Running statistics" in str(counted)
    assert "not counted" in str(counted)


def test_what_is_not_counted_could_be_done_without():
    """In eval mode, scale and shift can take over what mean and variance do."""
    norm = used(nn.Sequential(nn.BatchNorm2d(1)))[0]
    twin = nn.BatchNorm2d(1).eval()
    with torch.no_grad():
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        twin.weight.copy_(scale * (1 + twin.eps) ** 0.5)
        twin.bias.copy_(norm.bias - scale * norm.running_mean)
        torch.testing.assert_close(twin(IMAGES), norm(IMAGES))


def test_exactly_at_the_limit_is_inside_and_one_more_is_not():
    inner = nn.Linear(10, 107, bias=False), nn.Linear(107, 10, bias=False)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.PReLU(10), *inner)
    assert budget.measure(network).parameters == 7_850 + 10 + 2 * 1_070 == budget.PARAMETERS
    assert budget.measure(network).fits
    network.append(nn.PReLU())
    assert budget.measure(network).parameters == budget.PARAMETERS + 1
    assert not budget.measure(network).fits


NAIVE = nn.Sequential(
    *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
    nn.Linear(16 * 7 * 7, 10),
)


def test_a_naive_network_of_ten_thousand_parameters_is_over_the_macs():
    counted = budget.measure(NAIVE)
    assert counted.parameters == 9_098 < budget.PARAMETERS
    assert counted.macs == 290_080 > budget.MACS
    assert counted.diagnosis == "over_budget"
    assert "140,080 more than the limit of 150,000" in counted.why
    assert "Layer 3 (Conv2d)" in counted.why
    assert "Parameters:" not in counted.why


def test_both_limits_are_named_where_both_are_passed():
    counted = budget.measure(nn.Sequential(nn.Conv2d(1, 64, 5), nn.Flatten(), nn.Linear(36864, 10)))
    assert counted.why.count("more than the limit") == 2


DOES_NOT_FIT = {
    "a size that does not fit": (
        nn.Sequential(nn.Flatten(), nn.Linear(100, 10)),
        "layer '1' (Linear)",
    ),
    "nine logits": (nn.Sequential(nn.Flatten(), nn.Linear(784, 9)), "(2, 9); it should be (2, 10)"),
    "no flatten": (nn.Sequential(nn.Linear(28, 10)), "it should be (2, 10)"),
    "images mixed": (nn.Sequential(nn.Flatten(0), nn.Linear(784, 10)), "image"),
    "nothing": (nn.Sequential(), "it should be (2, 10)"),
    "an image blown up": (
        nn.Sequential(
            nn.ZeroPad2d(100_000), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 10)
        ),
        "numbers for one image; at most 100,000",
    ),
    "a convolution that blows up": (
        nn.Sequential(nn.Conv2d(1, 1, 1, padding=90_000), nn.AdaptiveMaxPool2d(1), nn.Flatten()),
        "at most 100,000",
    ),
    "beyond counting": (
        nn.Sequential(*[nn.ZeroPad2d(900_000) for _ in range(9)], nn.Flatten()),
        "",
    ),
    "copies that cost nothing": (
        nn.Sequential(nn.AdaptiveAvgPool2d(56), nn.AvgPool2d(4), nn.Flatten(), nn.Linear(196, 10)),
        "that is no pooling",
    ),
    "copies in the middle": (
        nn.Sequential(
            *(nn.Conv2d(1, 2, 3), nn.AdaptiveMaxPool2d((26, 27)), nn.Flatten(), nn.Linear(1404, 10))
        ),
        "Layer 1 (AdaptiveMaxPool2d) makes (26, 26) into (26, 27)",
    ),
}


@pytest.mark.parametrize("what", DOES_NOT_FIT)
def test_a_network_that_cannot_take_images_is_named_and_never_run(what):
    network, said = DOES_NOT_FIT[what]
    counted = budget.measure(network, Split(IMAGES, torch.zeros(6, dtype=torch.int64)))
    assert counted.diagnosis == "refused"
    assert said in counted.why
    assert counted.accuracy is None


def test_a_network_with_far_too_much_work_is_counted_and_not_run():
    heavy = nn.Sequential(nn.Conv2d(1, 100, 27, padding=13), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    heavy.append(nn.Linear(100, 10))
    counted = budget.measure(heavy, Split(IMAGES, torch.zeros(6, dtype=torch.int64)))
    assert counted.macs > 50_000_000
    assert counted.accuracy is None


@pytest.mark.parametrize("nothing", [None, ..., NotImplemented])
def test_not_attempted_is_said(nothing):
    counted = budget.measure(nothing)
    assert counted.diagnosis == "not_attempted"
    assert "not attempted yet" in str(counted) + counted._repr_html_()
    assert not counted.passed


def test_a_stand_in_for_what_could_not_be_copied_is_refused_without_being_called():
    class StandIn:
        def call_elsewhere(self, *args):
            raise AssertionError

    assert "budget.measure(network)` says what" in budget.measure(StandIn()).why


def test_the_table_is_there_as_text_and_as_html():
    counted = budget.measure(small(), Split(IMAGES, torch.zeros(6, dtype=torch.int64)))
    text, page = str(counted), counted._repr_html_()
    for part in (f"{counted.parameters:,}", f"{counted.macs:,}", "10,000", "150,000", "Accuracy"):
        assert part in text
        assert part in page
    assert "<caption>" in page
    assert 'scope="row"' in page
    assert (
        "<b>x"
        not in budget.measure(nn.Sequential(OrderedDict([("<b>x", nn.Softmin())])))._repr_html_()
    )


# ---- accuracy, and images that are moved --------------------------------------------------------


def test_accuracy_counts_right_answers_in_eval_mode_and_nan_as_wrong():
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.99), nn.Linear(784, 10)).train()
    nn.init.zeros_(network[2].weight)
    with torch.no_grad():
        network[2].bias.copy_(torch.arange(10.0))
    labels = torch.tensor([9, 9, 0, 9, 1, 9])
    assert budget.accuracy_of(network, Split(IMAGES, labels)) == pytest.approx(4 / 6)
    assert network.training
    with torch.no_grad():
        network[2].bias.fill_(torch.nan)
    assert budget.accuracy_of(network, Split(IMAGES, labels * 0)) == 0


def dot(row, column):
    images = torch.zeros(1, 1, 28, 28)
    images[0, 0, row - 1 : row + 2, column - 1 : column + 2] = 1
    return Split(images.repeat(200, 1, 1, 1), torch.arange(200) % 10)


def centre(images):
    rows = torch.arange(28.0)
    mass = images.sum((1, 2, 3))
    return torch.stack(
        [(images.sum((1, 3)) * rows).sum(1) / mass, (images.sum((1, 2)) * rows).sum(1) / mass], 1
    )


def test_images_are_moved_by_up_to_two_pixels_in_every_direction():
    away = centre(budget.moved(dot(14, 14), seed=0, degrees=0).images) - 14
    assert away.abs().max() <= 2.001
    assert (away.amin(0) < -1.8).all()
    assert (away.amax(0) > 1.8).all()
    assert away.mean(0).abs().max() < 0.3


def test_images_are_turned_about_the_middle_both_ways():
    turned = centre(budget.moved(dot(4, 14), seed=0, shift=0).images)
    angles = torch.atan2(turned[:, 1] - 13.5, 13.5 - turned[:, 0]).rad2deg()
    assert (angles - angles.mean()).abs().max() < 10.5
    assert angles.amax() - angles.amin() > 18


def test_moving_is_repeatable_and_leaves_the_images_and_the_generator_alone():
    split, before = dot(14, 14), torch.get_rng_state()
    kept = split.images.clone()
    one, two, other = (budget.moved(split, seed) for seed in (1, 1, 2))
    assert torch.equal(one.images, two.images)
    assert not torch.equal(one.images, other.images)
    assert torch.equal(one.labels, split.labels)
    assert torch.equal(split.images, kept)
    assert torch.equal(torch.get_rng_state(), before)
    assert one.images.shape == split.images.shape
    assert one.images.min() >= 0
    assert one.images.max() <= 1


def test_without_shift_and_turn_nothing_moves():
    split = Split(IMAGES, torch.zeros(6, dtype=torch.int64))
    same = budget.moved(split, 0, shift=0, degrees=0).images
    torch.testing.assert_close(same, IMAGES, atol=1e-5, rtol=0)
    assert len(budget.moved(split[:0], 0)) == 0


def test_the_judges_are_validation_images_whatever_is_asked_for():
    judges = budget.judges("embedded")
    assert len(judges) == 2_000
    assert budget.judges("embedded") is judges
    assert budget.known("no such") == budget.known(None) == budget.known([]) == "auto"


# ---- the table of designs -----------------------------------------------------------------------


def table(network, accuracy=0.1):
    counted = budget.measure(network)
    mine = {"name": "small", "parameters": counted.parameters, "macs": counted.macs}
    return [
        mine | {"accuracy": accuracy},
        {"name": "wide", "parameters": 9_098, "macs": 290_080, "accuracy": 0.93},
        {"name": "flat", "parameters": 7_850, "macs": 7_840, "accuracy": 0.80, "remark": "Linear"},
    ]


@pytest.fixture(scope="module")
def handed_in():
    network = small().eval()
    return network, budget.measure(network, budget.judges("embedded")).accuracy


def test_a_table_of_three_designs_is_accepted(handed_in):
    network, accuracy = handed_in
    result = budget.designs(table(network, accuracy), network, "embedded")
    assert result.passed, str(result)
    assert budget.designs(tuple(table(network, accuracy + 0.02)), network, "embedded").passed
    with_numpy = table(network, np.float64(accuracy))
    assert budget.designs(with_numpy, network, "embedded").passed


WRONG_TABLES = {
    "not_attempted": lambda t: [],
    "wrong_type": lambda t: {"designs": t},
    "too_few": lambda t: t[:2],
    "missing": lambda t: [{k: v for k, v in row.items() if k != "macs"} for row in t],
    "no_name": lambda t: [row | {"name": " "} for row in t],
    "no_count": lambda t: [row | {"parameters": "many"} for row in t],
    "no_share": lambda t: [row | {"accuracy": 97.1} for row in t],
    "same_name": lambda t: [row | {"name": "a"} for row in t],
    "same_design": lambda t: [t[0], t[1], t[1] | {"name": "again"}],
    "network_missing": lambda t: [t[0] | {"macs": t[0]["macs"] + 1}, *t[1:]],
    "other_accuracy": lambda t: [t[0] | {"accuracy": 0.97}, *t[1:]],
}


@pytest.mark.parametrize("diagnosis", WRONG_TABLES)
def test_a_wrong_table_is_named(diagnosis, handed_in):
    network, accuracy = handed_in
    result = budget.designs(WRONG_TABLES[diagnosis](table(network, accuracy)), network, "embedded")
    assert not result.passed
    assert result.diagnosis == diagnosis


@pytest.mark.parametrize("macs", [True, 1.5, 0, -3, float("inf"), None, torch.ones(2)])
def test_a_count_is_a_whole_number(macs, handed_in):
    network, accuracy = handed_in
    rows = [row | {"macs": macs} for row in table(network, accuracy)]
    assert budget.designs(rows, network, "embedded").diagnosis == "no_count"


def test_a_table_without_a_network_is_named(handed_in):
    network, _ = handed_in
    assert budget.designs(None, network).diagnosis == "not_attempted"
    assert budget.designs(table(network), None, "embedded").diagnosis == "no_network"
    assert budget.designs(table(network), nn.ReLU(), "embedded").diagnosis == "refused"

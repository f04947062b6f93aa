"""The checks of lesson 10 accept every right way to freeze, group, correct and mix."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import checks

# ---- freeze -------------------------------------------------------------------------------------


def in_place_by_names(model, upto):
    names = [name for name, _ in model.named_children()]
    for number, name in enumerate(names):
        for parameter in getattr(model, name).parameters():
            parameter.requires_grad = number > names.index(upto)


def all_then_some(model, upto):
    model.requires_grad_(True)
    for name, layer in model.named_children():
        layer.requires_grad_(False)
        if name == upto:
            break
    return model


def of_a_copy(model, upto):
    model, frozen = copy.deepcopy(model), True
    for name, layer in model.named_children():
        layer.requires_grad_(not frozen)
        frozen = frozen and name != upto
    return model


def by_slices(model, upto):
    place = list(dict(model.named_children())).index(upto) + 1
    model[:place].requires_grad_(False)
    model[place:].requires_grad_(True)
    return model


def test_a_crash_in_freeze_names_the_students_line():
    def crashes(model, upto):
        return model.no_such_layer

    result = checks.freeze(crashes)
    assert result.diagnosis == "crash"
    assert "return model.no_such_layer" in str(result)


def test_an_attribute_of_a_layer_freezes_nothing():
    def attribute(model, upto):
        for name, layer in model.named_children():
            layer.requires_grad = False
            if name == upto:
                break
        return model

    assert checks.freeze(attribute).diagnosis == "nothing_changed"


# ---- parameter groups ---------------------------------------------------------------------------


def backwards(model, lr, factor):
    layers = [layer for layer in model if any(True for _ in layer.parameters())]
    return [
        {"params": layer.parameters(), "lr": lr * factor**i} for i, layer in enumerate(layers[::-1])
    ]


def forwards(model, lr, factor):
    names = sorted({name.split(".")[0] for name, _ in model.named_parameters()})
    order = [name for name, _ in model.named_children() if name in names]
    return [
        {
            "params": list(model.get_submodule(name).parameters()),
            "lr": lr * factor ** (len(order) - 1 - place),
        }
        for place, name in enumerate(order)
    ]


def one_group_a_parameter(model, lr, factor):
    for layer in reversed(model):
        parameters = list(layer.parameters())
        yield from ({"params": parameter, "lr": lr} for parameter in parameters)
        lr = lr * factor if parameters else lr


def with_an_empty_group(model, lr, factor):
    groups = []
    for layer in reversed(model):
        groups.append({"params": list(layer.parameters()), "lr": lr})
        lr = lr * factor if groups[-1]["params"] else lr
    return groups


def test_a_parameter_in_two_groups_is_refused():
    def twice(model, lr, factor):
        return [{"params": model.parameters(), "lr": lr}, {"params": model[-1].parameters()}]

    assert "two groups" in str(checks.parameter_groups(twice))


# ---- a LoRA layer -------------------------------------------------------------------------------


class WithLinears(nn.Module):
    def __init__(self, layer, rank):
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.down = nn.Linear(layer.in_features, rank, bias=False)
        self.up = nn.Linear(rank, layer.out_features, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x):
        return self.layer(x) + self.up(self.down(x))

    def merged(self):
        new = nn.Linear(self.layer.in_features, self.layer.out_features)
        new.load_state_dict(self.layer.state_dict())
        with torch.no_grad():
            new.weight += self.up.weight @ self.down.weight
        return new


class WithMatrices(nn.Module):
    def __init__(self, layer, rank):
        super().__init__()
        self.layer = layer
        for parameter in layer.parameters():
            parameter.requires_grad = False
        self.a = nn.Parameter(torch.randn(layer.in_features, rank))
        self.b = nn.Parameter(torch.zeros(rank, layer.out_features))

    def weight(self):
        return self.layer.weight + (self.a @ self.b).T

    def forward(self, x):
        return F.linear(x, self.weight(), self.layer.bias)

    def merged(self):
        return self.weight().detach()


class DownZero(nn.Module):
    def __init__(self, layer, rank):
        super().__init__()
        self.layer = copy.deepcopy(layer).requires_grad_(False)
        self.down = nn.Parameter(torch.zeros(rank, layer.in_features))
        self.up = nn.Parameter(torch.randn(layer.out_features, rank))

    def forward(self, x):
        return self.layer(x) + torch.einsum("ni,ri,or->no", x, self.down, self.up)

    @torch.no_grad()
    def merged(self):
        merged = nn.Linear(*self.layer.weight.T.shape)
        merged.weight.copy_(self.layer.weight + self.up @ self.down)
        merged.bias.copy_(self.layer.bias)
        return merged


def test_the_stub_of_the_lora_layer_counts_as_not_attempted():
    class Stub(nn.Module):
        def __init__(self, layer, rank):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            """Nothing yet."""

        def merged(self):
            """Nothing yet."""

    assert checks.lora_linear(Stub).diagnosis == "not_attempted"


def test_checking_a_lora_layer_leaves_the_generator_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    checks.lora_linear(WithLinears)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    "answer", [[325, 640, 432], (325, 640, 432), torch.tensor([325, 640, 432])]
)
def test_counts_may_be_a_list_a_tuple_or_a_tensor(answer):
    assert checks.trainable_by_hand(answer).passed


# ---- interpolation ------------------------------------------------------------------------------


def with_a_loop(w0, w, alpha):
    mixed = {}
    for name, tensor in w.items():
        mixed[name] = tensor + alpha * (w0[name] - tensor)
    return mixed


def with_lerp(w0, w, alpha):
    return {name: torch.lerp(w[name], w0[name], float(alpha)) for name in w0}


def in_double_precision(w0, w, alpha):
    mixed = {n: alpha * w0[n].double() + (1 - alpha) * w[n].double() for n in w0}
    return {n: t.float() for n, t in mixed.items()}


RIGHT = {
    "freeze": [in_place_by_names, all_then_some, of_a_copy, by_slices],
    "parameter_groups": [backwards, forwards, one_group_a_parameter, with_an_empty_group],
    "lora_linear": [WithLinears, WithMatrices, DownZero],
    "interpolate": [with_a_loop, with_lerp, in_double_precision],
}

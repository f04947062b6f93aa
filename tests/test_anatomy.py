"""summarize says what torch does: shapes, parameters, MACs, and receptive fields as measured."""

import re

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from course_utils import models
from course_utils.anatomy import count_parameters, receptive_field, summarize


def keras_network_of_article_b():
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10)),
    )


def test_lenet_layer_by_layer():
    summary = summarize(models.lenet(), (1, 1, 28, 28))
    rows = {row.name: row for row in summary.rows}
    assert list(rows) == [name for name, _ in models.lenet().named_children()]
    assert rows["conv1"].output_shape == (1, 6, 24, 24)
    assert rows["pool1"].output_shape == (1, 6, 12, 12)
    assert rows["conv2"].output_shape == (1, 16, 8, 8)
    assert rows["flatten"].output_shape == (1, 256)
    assert [rows[n].parameters for n in ("conv1", "conv2", "fc1", "fc2", "fc3")] == [
        *(6 * 25 + 6, 16 * 6 * 25 + 16, 256 * 120 + 120, 120 * 84 + 84, 84 * 10 + 10),
    ]
    assert rows["conv1"].macs == 24 * 24 * 6 * 25
    assert rows["conv2"].macs == 8 * 8 * 16 * 6 * 25
    assert rows["fc1"].macs == 256 * 120
    assert summary.parameters == summary.trainable == 44_426
    fields = [rows[n].receptive_field for n in ("conv1", "pool1", "conv2", "pool2", "fc1", "fc3")]
    assert fields == [5, 6, 14, 16, 28, 28]


def test_the_mlp_and_the_network_of_article_b_have_the_counts_of_the_articles():
    rows = summarize(models.mlp(), (1, 28, 28)).rows
    assert [r.parameters for r in rows if r.parameters] == [200_960, 32_896, 8_256, 650]
    assert count_parameters(models.mlp()) == 242_762
    assert summarize(keras_network_of_article_b(), (1, 28, 28)).parameters == 93_322


@pytest.mark.parametrize(
    ("layer", "size", "macs"),  # outputs times the products that each sums up, worked out by hand
    [
        (nn.Conv1d(4, 6, 3, stride=2, groups=2), (2, 4, 11), (2 * 6 * 5) * (2 * 3)),
        (
            nn.Conv2d(4, 6, (3, 2), padding=1, dilation=2),
            *((3, 4, 9, 8), (3 * 6 * 7 * 8) * (4 * 3 * 2)),
        ),
        (nn.Conv2d(4, 4, 3, groups=4), (1, 4, 9, 8), (4 * 7 * 6) * (1 * 3 * 3)),
        (nn.Conv3d(2, 3, 2), (2, 2, 4, 5, 6), (2 * 3 * 3 * 4 * 5) * (2 * 2 * 2 * 2)),
        # Transposed: inputs times the products that each takes part in.
        (nn.ConvTranspose1d(4, 6, 3, stride=2), (2, 4, 7), (2 * 4 * 7) * (6 * 3)),
        (
            nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2),
            *((2, 4, 5, 6), (2 * 4 * 5 * 6) * (3 * 3 * 3)),
        ),
        (nn.ConvTranspose3d(2, 3, 2), (2, 2, 4, 5, 6), (2 * 2 * 4 * 5 * 6) * (3 * 2 * 2 * 2)),
        (nn.Linear(7, 5), (4, 7), (4 * 5) * 7),
        (nn.Linear(7, 5), (4, 3, 7), (4 * 3 * 5) * 7),
    ],
)
def test_macs_are_the_products_and_half_of_the_flops_that_torch_counts(layer, size, macs):
    summary = summarize(layer, size)
    assert summary.macs == macs == flops_by_torch(layer, size) // 2
    assert summary.rows[0].parameters == sum(p.numel() for p in layer.parameters())


def flops_by_torch(model, size):
    """What torch's counter counts, as a second witness beside the products worked out by hand.

    It knows matrix products and convolutions in every version, but some of the operations that
    compute attention in one step only since torch 2.15, and others not at all. So attention is
    taken apart here: by gradients, with which `nn.MultiheadAttention` has no step of its own, and
    by the kernel that multiplies matrices.
    """
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model.train()(torch.zeros(size))
    return counter.get_total_flops()


def test_a_size_without_n_is_a_batch_of_one():
    assert (
        summarize(models.lenet(), (1, 28, 28)).rows
        == summarize(models.lenet(), (1, 1, 28, 28)).rows
    )
    assert summarize(nn.Conv1d(3, 2, 5), (3, 20)).rows[0].output_shape == (1, 2, 16)
    assert summarize(nn.Linear(784, 10), 784).rows[0].output_shape == (1, 10)
    assert summarize(models.lenet(), (64, 1, 28, 28)).macs == 64 * 281_640


layers = st.tuples(
    st.sampled_from(["conv", "pool"]), st.integers(1, 4), st.integers(1, 3), st.integers(1, 2)
)


@settings(max_examples=40, deadline=None)
@given(st.lists(layers, min_size=1, max_size=4))
def test_receptive_field_by_formula_is_the_one_measured_by_gradient(stack):
    model = nn.Sequential()
    for kind, kernel, stride, dilation in stack:
        conv = nn.Conv1d(1, 1, kernel, stride, dilation=dilation, bias=False)
        nn.init.ones_(conv.weight)
        model.append(conv if kind == "conv" else nn.AvgPool1d(kernel, stride))
    summary = summarize(model, (1, 400))
    x = torch.ones(1, 1, 400, dtype=torch.float64, requires_grad=True)
    y = model.double()(x)
    y[0, 0, y.shape[-1] // 2].backward()
    seen = x.grad[0, 0].nonzero()
    assert receptive_field(model) == (seen.max() - seen.min() + 1).item()
    assert summary.rows[-1].receptive_field == receptive_field(model)


def test_receptive_field_of_unequal_sides_is_a_tuple():
    assert receptive_field(nn.Conv2d(1, 1, (3, 5))) == (3, 5)
    assert receptive_field(nn.Sequential(nn.Linear(2, 2))) == 1
    assert receptive_field(models.mnist_cnn()) == 16


def test_receptive_field_of_a_transposed_convolution_as_measured():
    model = nn.Sequential(nn.Conv1d(1, 1, 3), nn.ConvTranspose1d(1, 1, 4, stride=2))
    x = torch.ones(1, 1, 20, requires_grad=True)
    model(x)[0, 0, 18].backward()
    assert receptive_field(model) == len(x.grad[0, 0].nonzero()) == 4


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(2, 2, 3, padding=1)
        self.skip = nn.Conv2d(1, 2, 1, stride=2)
        self.last = nn.Conv2d(2, 2, 3)

    def forward(self, x):
        return self.last(F.relu(self.conv2(F.relu(self.conv1(x))) + self.skip(x)))


def test_receptive_field_follows_the_branches_and_takes_the_largest():
    fields = {r.name: r.receptive_field for r in summarize(Residual(), (1, 16, 16)).rows}
    assert fields == {"conv1": 3, "conv2": 7, "skip": 1, "last": 11}


def test_receptive_field_is_unknown_after_an_operation_that_is_not_a_layer():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)

        def forward(self, x):
            return self.conv2(F.max_pool2d(self.conv1(x), 2))

    rows = summarize(Hidden(), (1, 16, 16)).rows
    assert [r.receptive_field for r in rows] == [3, None]
    assert "?" in str(summarize(Hidden(), (1, 16, 16)))


def test_receptive_field_in_text_is_counted_in_tokens():
    class Text(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.conv = nn.Embedding(50, 8), nn.Conv1d(8, 4, 3)

        def forward(self, tokens):
            return self.conv(self.embedding(tokens).transpose(1, 2))

    assert [r.receptive_field for r in summarize(Text(), (2, 6)).rows] == [1, 3]


def test_global_pooling_sees_the_whole_input():
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)
    )
    assert [r.receptive_field for r in summarize(model, (1, 20, 30)).rows] == [
        *(3, (20, 30), (20, 30), (20, 30))
    ]


def test_a_layer_that_runs_twice_counts_its_parameters_once():
    conv = nn.Conv2d(2, 2, 3)
    summary = summarize(nn.Sequential(conv, conv), (2, 9, 9))
    assert [r.parameters for r in summary.rows] == [38, 0]
    assert summary.parameters == 38
    assert summary.macs == (7 * 7 + 5 * 5) * 36


def test_embeddings_attention_and_the_meta_device_work():
    class Text(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(50, 8)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, tokens):
            x = self.embedding(tokens)
            return self.attention(x, x, x)[0]

    summary = summarize(Text(), (2, 6))
    assert [r.output_shape for r in summary.rows] == [(2, 6, 8), (2, 6, 8)]
    assert sum(r.parameters for r in summary.rows) == summary.parameters
    with torch.device("meta"):
        huge = nn.Linear(12_288, 49_152)
    assert summarize(huge, (1, 12_288)).macs == 12_288 * 49_152


class Attends(nn.Module):
    """Lets `query` attend to `key`; called with names, or by position."""

    def __init__(self, key=None, by_name=False, **options):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, **options)
        self.key, self.by_name = key, by_name

    def forward(self, x):
        key = x if self.key is None else self.key
        if self.by_name:
            return self.attention(value=key, key=key, query=x, need_weights=False)[0]
        return self.attention(x, key, key)[0]


def test_macs_of_attention_are_those_of_the_formula():
    length, features = 6, 8
    model = Attends(batch_first=True)
    row = summarize(model, (2, length, features)).rows[0]
    assert row.parameters == 4 * features**2 + 4 * features
    assert row.macs == 2 * (4 * length * features**2 + 2 * length**2 * features)
    assert summarize(Attends(), (length, 2, features)).macs == row.macs
    assert summarize(Attends(by_name=True), (length, 2, features)).rows[0].macs == row.macs


# Products by hand: queries times W_Q, keys times W_K, values times W_V, the mixture times W_O, and
# each query with each key (Q·Kᵀ), each weight with each value (A·V). 3 sequences of 5 tokens with
# 8 features, which attend to themselves or to 7 tokens.
TO_5 = 3 * ((5 * 8 * 8) + (5 * 8 * 8) + (5 * 8 * 8) + (5 * 8 * 8) + (5 * 5 * 8) + (5 * 5 * 8))
TO_7 = 3 * ((5 * 8 * 8) + (7 * 8 * 8) + (7 * 8 * 8) + (5 * 8 * 8) + (5 * 7 * 8) + (5 * 7 * 8))
TO_7_OF_4 = 3 * ((5 * 8 * 8) + (7 * 4 * 8) + (7 * 4 * 8) + (5 * 8 * 8) + (5 * 7 * 8) + (5 * 7 * 8))
# A token of biases and one of zeros are attended to, but come out of no product with weights.
TO_5_AND_2 = 3 * ((5 * 8 * 8) + (5 * 8 * 8) + (5 * 8 * 8) + (5 * 8 * 8) + (5 * 7 * 8) + (5 * 7 * 8))


@pytest.mark.parametrize(
    ("model", "size", "macs"),
    [
        (Attends(batch_first=True), (3, 5, 8), TO_5),
        (Attends(), (5, 3, 8), TO_5),
        (Attends(), (5, 8), TO_5 // 3),
        (Attends(torch.zeros(7, 3, 4), kdim=4, vdim=4), (5, 3, 8), TO_7_OF_4),
        (Attends(torch.zeros(3, 7, 8), by_name=True, batch_first=True), (3, 5, 8), TO_7),
        (Attends(add_bias_kv=True, add_zero_attn=True), (5, 3, 8), TO_5_AND_2),
    ],
)
def test_macs_of_attention_are_the_products_and_half_of_the_flops_of_torch(model, size, macs):
    assert (TO_5, TO_7) == (5_040, 6_288)
    assert summarize(model, size).macs == macs == flops_by_torch(model, size) // 2


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (nn.Embedding(50, 8), (2, 6)),
        (nn.BatchNorm2d(4), (2, 4, 5, 5)),
        (nn.MaxPool2d(2), (1, 4, 4)),
    ],
)
def test_looking_up_normalising_and_pooling_count_no_macs(layer, size):
    summary = summarize(layer, size)
    assert summary.macs == 0
    assert summary.parameters == sum(p.numel() for p in layer.parameters())


def test_summarize_leaves_modes_statistics_and_gradients_alone():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout())
    model[1].eval()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    generator = torch.get_rng_state()
    summarize(model, (1, 9, 9))
    assert [m.training for m in model.modules()] == [True, True, False, True]
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in model.modules())
    assert torch.equal(generator, torch.get_rng_state())


@pytest.mark.parametrize(
    ("model", "size", "words"),
    [
        (models.lenet(), (1, 32, 32), ["'fc1'", "(1, 400)", "in_features=256"]),
        (models.lenet(), (3, 28, 28), ["'conv1'", "(1, 3, 28, 28)", "(N, 1, H, W)"]),
        (models.lenet(), (1, 4, 4), ["'conv1'", "kernel 5×5"]),
        (models.lenet(), (1, 0, 4), ["input_size=(1, 1, 0, 4)", "at least 1"]),
        (nn.Sequential(nn.BatchNorm2d(3)), (1, 2, 5, 5), ["'0'", "3 channels"]),
    ],
)
def test_a_shape_error_names_the_layer_what_came_in_and_what_it_expects(model, size, words):
    with pytest.raises(ValueError, match=r"expects|at least") as caught:
        summarize(model, size)
    assert all(word in str(caught.value) for word in words), caught.value
    assert model.training
    assert all(not m._forward_hooks for m in model.modules())


def test_a_shape_error_between_layers_names_the_layer_before():
    class Reshaped(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x):
            return self.conv(x).view(-1, 400)

    with pytest.raises(ValueError, match=r"after layer 'conv', which gave \(1, 2, 5, 5\)"):
        summarize(Reshaped(), (1, 7, 7))


def test_a_summary_is_a_table_as_text_and_as_html():
    summary = summarize(models.lenet(), (1, 28, 28))
    text, page = str(summary), summary._repr_html_()
    assert "44,426 parameters" in text
    assert len({len(line) for line in text.splitlines()[:2]}) == 1
    assert page.count("<tr>") == 1 + len(summary.rows)
    assert "color" not in page


def seen_at_most(model, cells):
    """The most input cells, from the first to the last, that one output cell sees, by gradients."""
    model = model.double()
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    x = torch.ones(1, 1, cells, dtype=torch.float64, requires_grad=True)
    seen = []
    for cell in model(x)[0, 0]:
        (gradient,) = torch.autograd.grad(cell, x, retain_graph=True)
        where = gradient[0, 0].nonzero()
        seen.append((where.max() - where.min() + 1).item())
    return max(seen)


@pytest.mark.parametrize(
    ("layers", "cells"),
    [
        ([nn.Conv1d(1, 1, 3), nn.ConvTranspose1d(1, 1, 3, stride=2)], 4),
        ([nn.Conv1d(1, 1, 3, stride=2), nn.ConvTranspose1d(1, 1, 4, stride=2)], 5),
        ([nn.Conv1d(1, 1, 3, stride=2), nn.ConvTranspose1d(1, 1, 3, dilation=2)], 11),
        ([nn.ConvTranspose1d(1, 1, 2, stride=2), nn.Conv1d(1, 1, 3)], 2),
        ([nn.ConvTranspose1d(1, 1, 6, stride=3), nn.Conv1d(1, 1, 4), nn.AvgPool1d(2)], 4),
    ],
)
def test_a_transposed_convolution_in_a_chain_has_the_field_that_is_measured(layers, cells):
    model = nn.Sequential(*layers)
    assert receptive_field(model) == cells == seen_at_most(model, 24)
    assert summarize(model, (1, 24)).rows[-1].receptive_field == cells


# ---- sums of products, whoever computes them ----------------------------------------------------


class AttendsByHand(nn.Module):
    """A student's own attention over L = 49 tokens of E = 16 features."""

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        return (x @ x.transpose(1, 2)).softmax(-1) @ x


class OwnConvolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(8, 1, 3, 3))

    def forward(self, x):
        return F.conv2d(x, self.weight, padding=1)


class ConvolutionWithAChild(nn.Conv2d):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(super().forward(x))


class Between(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.matrix = nn.Parameter(torch.rand(5, 2 * 26 * 26))

    def forward(self, x):
        return F.linear(self.conv(x).flatten(1), self.matrix)


class OfTwoVectors(nn.Module):
    def forward(self, x):
        return torch.mv(x[0, 0], x[0, 0, 0]) * torch.dot(x[0, 0, 0], x[0, 0, 1])


@pytest.mark.parametrize(
    ("model", "size", "macs"),
    [
        (AttendsByHand(), (1, 16, 7, 7), 2 * 49 * 49 * 16),
        (OwnConvolution(), (2, 1, 28, 28), 2 * 8 * 28 * 28 * 9),
        (ConvolutionWithAChild(1, 8, 3), (1, 1, 32, 32), 8 * 30 * 30 * 9),
        (nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 8, 3)), (1, 1, 12, 12), 8 * 100 * 9),
        (nn.utils.parametrizations.weight_norm(nn.Linear(9, 8)), (3, 9), 3 * 9 * 8),
        # four gates, a GRU has three, an RNN one; each of the input's 8 and the state's 12
        (nn.LSTM(8, 12, batch_first=True), (1, 8, 8), 8 * 4 * 12 * (8 + 12)),
        (nn.GRU(8, 12, batch_first=True), (2, 8, 8), 2 * 8 * 3 * 12 * (8 + 12)),
        (nn.RNN(8, 12, bidirectional=True), (5, 1, 8), 2 * 5 * 12 * (8 + 12)),
        (Between(), (1, 1, 28, 28), 2 * 26 * 26 * 9 + 5 * 2 * 26 * 26),
        (OfTwoVectors(), (1, 1, 6, 6), 36 + 6),
        (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), (1, 4, 5, 5), 4 * 25 * 3 * 9),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_every_sum_of_products_counts_whoever_computes_it(model, size, macs):
    summary = summarize(model, size)
    assert summary.macs == macs
    assert summary.unknown == ()
    assert summary.between + sum(row.macs for row in summary.rows) == macs
    assert "at least" not in str(summary)


def test_what_runs_between_the_layers_is_said():
    summary = summarize(Between(), (1, 1, 28, 28))
    assert summary.between == 5 * 2 * 26 * 26
    assert "18,928 MACs, 6,760 of them between the layers" in str(summary)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: torch.fft.fft(x).real, "_fft_"),
        (torch.cdist, "cdist"),
        (torch.linalg.svdvals, "svd"),
    ],
)
def test_where_something_ran_that_is_not_counted_the_total_says_at_least(function, name):
    class Layer(nn.Module):
        def forward(self, x):
            return function(x, x) if function is torch.cdist else function(x)

    summary = summarize(nn.Sequential(nn.Linear(6, 6), Layer()), (1, 6, 6))
    assert any(name in one for one in summary.unknown)
    assert re.search(rf"at least 216 MACs.*not counted: .*{name}", str(summary))


def test_counting_leaves_torchs_switches_as_they_were():
    before = torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.is_available()
    summarize(nn.LSTM(3, 4), (1, 2, 3))
    after = torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.is_available()
    assert after == before


def test_a_subclass_of_a_layer_is_one():
    class MyConv(nn.Conv2d):
        pass

    class MyPool(nn.MaxPool2d):
        pass

    summary = summarize(nn.Sequential(MyConv(1, 2, 3), MyPool(2), MyConv(2, 2, 3)), (1, 12, 12))
    assert [row.receptive_field for row in summary.rows] == [3, 4, 8]
    assert receptive_field(nn.Sequential(MyConv(1, 2, 3), MyPool(2), MyConv(2, 2, 3))) == 8


def test_colours_are_not_taken_for_a_batch():
    assert summarize(models.mlp((3072, 20, 10)), (3, 32, 32)).input_size == (1, 3, 32, 32)
    assert summarize(models.mlp((1024, 20, 10)), (3, 32, 32)).input_size == (3, 32, 32)


@pytest.mark.parametrize("model", [nn.Bilinear(3, 3, 2), nn.CosineSimilarity()])
def test_a_model_of_two_inputs_is_a_sentence(model):
    with pytest.raises(ValueError, match=r"got shape \(1, 3\).*missing 1 required"):
        summarize(model, (1, 3))


def test_a_model_that_wants_a_dict_is_a_sentence():
    class OfADict(nn.Module):
        def forward(self, x):
            return x["image"]

    with pytest.raises(ValueError, match=r"got shape \(1, 3\)"):
        summarize(OfADict(), (1, 3))

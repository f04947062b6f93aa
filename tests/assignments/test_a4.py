"""Assignment A4: right answers are accepted, known mistakes named, and networks judged."""

import math
from pathlib import Path

import pytest
import torch
from hidden import a4
from torch import nn

from course_utils import anatomy, assignments
from course_utils.assignments import Case, budget

# ---- task 1 -------------------------------------------------------------------------------------


def by_formula(c_in, c_out, kernel_size, height, width):
    weights = c_in * c_out * kernel_size * kernel_size
    return weights, weights * height * width


def in_loops(c_in, c_out, kernel_size, height, width):
    weights = 0
    for _ in range(c_out):
        for _ in range(c_in):
            weights += kernel_size**2
    return [weights, sum(weights for _ in range(height * width))]


def from_a_layer(c_in, c_out, kernel_size, height, width):
    layer = nn.Conv2d(c_in, c_out, kernel_size, padding=kernel_size // 2, bias=False)
    return layer.weight.numel(), layer.weight.numel() * height * width


def as_tensors(c_in, c_out, kernel_size, height, width):
    weights = torch.tensor([c_in, c_out, kernel_size, kernel_size]).prod()
    return weights, weights * height * width


def in_floats(c_in, c_out, kernel_size, height, width):
    weights = math.prod([float(c_in), c_out, kernel_size**2])
    return weights, weights * height * width


@pytest.mark.parametrize("right", [by_formula, in_loops, from_a_layer, as_tensors, in_floats])
def test_every_right_cost_of_a_standard_convolution_is_accepted(right):
    assert a4.standard_cost(right).passed


def pair_by_formula(c_in, c_out, kernel_size, height, width):
    weights = c_in * (kernel_size**2 + c_out)
    return weights, weights * height * width


def pair_in_loops(c_in, c_out, kernel_size, height, width):
    weights = sum(kernel_size * kernel_size + c_out for _ in range(c_in))
    macs = 0
    for _ in range(height):
        for _ in range(width):
            macs += weights
    return weights, macs


def pair_of_layers(c_in, c_out, kernel_size, height, width):
    depthwise = nn.Conv2d(c_in, c_in, kernel_size, groups=c_in, bias=False)
    pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
    weights = depthwise.weight.numel() + pointwise.weight.numel()
    return weights, weights * height * width


def pair_as_tensors(c_in, c_out, kernel_size, height, width):
    parts = torch.tensor([c_in * kernel_size**2, c_in * c_out])
    return parts.sum(), (parts * height * width).sum()


RIGHT_PAIRS = [pair_by_formula, pair_in_loops, pair_of_layers, pair_as_tensors]


@pytest.mark.parametrize("right", RIGHT_PAIRS)
def test_every_right_cost_of_a_separable_pair_is_accepted(right):
    assert a4.separable_cost(right).passed


@pytest.mark.parametrize("case", a4._CASES, ids=str)
def test_the_references_are_what_anatomy_counts(case):
    c_in, c_out, k, height, width = case.args
    depthwise = nn.Conv2d(c_in, c_in, k, padding=k // 2, groups=c_in, bias=False)
    pair = nn.Sequential(depthwise, nn.Conv2d(c_in, c_out, 1, bias=False))
    one = nn.Conv2d(c_in, c_out, k, padding=k // 2, bias=False)
    for network, exercise in ((pair, a4.separable_cost), (one, a4.standard_cost)):
        counted = anatomy.summarize(network, (1, c_in, height, width))
        assert (counted.parameters, counted.macs) == exercise.reference(*case.args)


EXERCISES = {"standard_cost": a4.standard_cost, "separable_cost": a4.separable_cost}
MISTAKES = [
    pytest.param(exercise, mistake, answer, id=f"{name}-{mistake.name}-{number}")
    for name, exercise in EXERCISES.items()
    for mistake in exercise.mistakes
    for number, answer in enumerate(mistake.answers)
]


@pytest.mark.parametrize(("exercise", "mistake", "answer"), MISTAKES)
def test_a_known_mistake_is_named_and_shows_nothing_of_the_cases(exercise, mistake, answer):
    result = exercise(answer)
    assert result.diagnosis == mistake.name
    assert result.sentence == mistake.sentence
    assert "expected" not in str(result) + result._repr_html_()


def counted_by_the_course(c_in, c_out, kernel_size, height, width):
    network = nn.Conv2d(c_in, c_out, kernel_size, padding=kernel_size // 2, bias=False)
    counted = anatomy.summarize(network, (1, c_in, height, width))
    return counted.parameters, counted.macs


def test_counting_with_the_course_is_a_shortcut():
    case = Case((2, 3, 3, 4, 5), expected=(54, 1_080))
    visible = assignments.examples(counted_by_the_course, case, without=("conv2d",))
    assert visible.diagnosis == a4.standard_cost(counted_by_the_course).diagnosis == "shortcut"


# ---- the network --------------------------------------------------------------------------------


def guessing(digit=0):
    """A network inside the budget that says the same digit to every image."""
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 10))
    with torch.no_grad():
        network[2].weight.zero_()
        network[2].bias.copy_(torch.eye(10)[digit])
    return network


def test_the_hidden_images_are_always_the_same_test_images_moved():
    split, source = a4.images("embedded")
    assert source == "embedded"
    assert len(split) == 4_000
    again = budget.moved(budget.load_digits("embedded").test, a4._SEED)
    assert torch.equal(split.images, again.images)
    assert torch.equal(split.labels, again.labels)
    assert not torch.equal(split.images, budget.load_digits("embedded").test.images)


def test_targets_rise_and_are_the_ones_that_the_assignment_promises():
    text = (Path(a4.__file__).parent.parent / "A4_budget.py").read_text("utf-8")
    for name, source in (("MNIST", "mnist"), ("the embedded digits", "embedded")):
        first, second, third = a4.TARGETS[source]
        assert 0.5 < first < second < third < 1
        shares = " | ".join(f"{100 * share:g} %" for share in (first, second, third))
        assert f"| trained on {name} | {shares} |" in text


@pytest.mark.parametrize("target", [1, 2, 3])
def test_a_network_that_reads_too_little_is_told_how_much(target):
    result = a4.accuracy(guessing(), "embedded", target)
    assert result.diagnosis == "too_low"
    share = (a4.images("embedded")[0].labels == 0).float().mean()
    assert f"{share:.2%} of the hidden images" in str(result)


def test_a_network_that_reads_enough_passes(monkeypatch):
    monkeypatch.setitem(a4.TARGETS, "embedded", (0.05, 0.09, 0.5))
    passed = [a4.accuracy(guessing(), "embedded", target).passed for target in (1, 2, 3)]
    assert passed == [True, True, False]


def test_the_budget_comes_before_the_accuracy(monkeypatch):
    monkeypatch.setitem(a4.TARGETS, "embedded", (0.0, 0.0, 0.0))
    large = nn.Sequential(nn.Flatten(), nn.Linear(784, 13), nn.Linear(13, 10))
    assert a4.accuracy(large, "embedded", 1).diagnosis == "over_budget"
    assert "The budget comes first" in str(a4.accuracy(large, "embedded", 1))
    assert a4.accuracy(nn.Linear(784, 10), "embedded", 1).diagnosis == "refused"
    assert a4.accuracy(None, "embedded", 1).diagnosis == "not_attempted"


@pytest.mark.parametrize("source", ["elsewhere", None, 7, [], "auto"])
def test_a_source_that_nobody_knows_ends_with_the_data_that_is_there(source, monkeypatch):
    embedded = budget.load_digits("embedded")
    monkeypatch.setattr(a4, "load_digits", lambda source: embedded)
    a4.images.cache_clear()
    assert a4.accuracy(guessing(), source, 1).diagnosis == "too_low"
    a4.images.cache_clear()


def test_an_entry_of_the_leaderboard_is_accuracy_and_costs():
    entry = a4.entry(guessing(3), "embedded")
    assert entry["parameters"] == 20
    assert entry["macs"] == 10
    share = (a4.images("embedded")[0].labels == 3).float().mean().item()
    assert entry["accuracy"] == pytest.approx(share)


@pytest.mark.parametrize(
    "network", [None, nn.Linear(1, 1), nn.Sequential(nn.Flatten(), nn.Linear(784, 100))]
)
def test_without_a_network_inside_the_budget_there_is_no_entry(network):
    assert a4.entry(network, "embedded") is None


class StandIn:
    """What the tests see of a network that could not be copied."""

    def call_elsewhere(self, *args):
        raise AssertionError("the student's code was called")


def test_a_network_that_could_not_be_copied_is_not_called():
    assert a4.accuracy(StandIn(), "embedded", 1).diagnosis == "refused"
    assert a4.entry(StandIn(), "embedded") is None
    assert budget.designs([{}] * 3, StandIn(), "embedded").diagnosis == "missing"

"""A3: right answers of every style are accepted, known faults are named, and scores are fair."""

import math
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from hidden import a3, a3_threshold
from torch import nn

from course_utils import data, models, training
from course_utils.assignments import classifier
from course_utils.checks.engine import guard

EXERCISES = (a3.f_beta, a3_threshold.threshold_for_precision)

# ---- F-beta -------------------------------------------------------------------------------------


def f_in_loops(predicted, labels, digit, beta):
    hits = alarms = misses = 0
    for one, true in zip(predicted.tolist(), labels.tolist(), strict=True):
        hits += one == digit and true == digit
        alarms += one == digit and true != digit
        misses += one != digit and true == digit
    whole = (1 + beta**2) * hits + beta**2 * misses + alarms
    return (1 + beta**2) * hits / whole if whole else 0


def f_of_a_matrix(predicted, labels, digit, beta):
    confusion = torch.zeros(10, 10)
    for true, one in zip(labels, predicted, strict=True):
        confusion[true, one] += 1
    precision = confusion[digit, digit] / confusion[:, digit].sum().clamp(min=1)
    recall = confusion[digit, digit] / confusion[digit].sum().clamp(min=1)
    score = (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
    return score.nan_to_num(0)


def f_harmonic(predicted, labels, digit, beta):
    hits = ((predicted == labels) & (labels == digit)).sum().double()
    if not hits:
        return torch.tensor(0.0)
    precision, recall = hits / (predicted == digit).sum(), hits / (labels == digit).sum()
    return (1 + beta**2) / (1 / precision + beta**2 / recall)


def f_with_a_little_more(predicted, labels, digit, beta):
    called, true = (predicted == digit).float(), (labels == digit).float()
    precision = called @ true / (called.sum() + 1e-8)
    recall = called @ true / (true.sum() + 1e-8)
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall + 1e-8)


def f_with_numpy(predicted, labels, digit, beta):
    called, true = predicted.numpy() == digit, labels.numpy() == digit
    hits = (called & true).sum()
    return (1 + beta**2) * hits / max(called.sum() + beta**2 * true.sum(), 1e-12)


@pytest.mark.parametrize(
    "right", [f_in_loops, f_of_a_matrix, f_harmonic, f_with_a_little_more, f_with_numpy]
)
def test_every_style_of_a_right_f_beta_is_accepted(right):
    result = a3.f_beta(right)
    assert result.passed, str(result)


def test_f1_is_that_of_the_course():
    labels, predicted = torch.arange(60) % 10, (torch.arange(60) ** 2) % 10
    confusion = torch.bincount(labels * 10 + predicted, minlength=100).view(10, 10)
    judged = training.Evaluation(0.0, confusion, predicted, None).f1
    mine = [a3.f_beta.reference(predicted, labels, digit, 1) for digit in range(10)]
    assert torch.allclose(torch.tensor(mine), judged)


# ---- a threshold --------------------------------------------------------------------------------


def threshold_in_loops(scores, is_digit, precision):
    best = (float("inf"), 0.0)
    for threshold in scores.tolist():
        called = hits = exist = 0
        for score, true in zip(scores.tolist(), is_digit.tolist(), strict=True):
            called += score >= threshold
            hits += score >= threshold and true
            exist += true
        if hits / called >= precision and threshold < best[0]:
            best = (threshold, hits / exist)
    return best


def threshold_from_running_sums(scores, is_digit, precision):
    order = scores.argsort(descending=True)
    scores, hits = scores[order], is_digit[order].cumsum(0)
    share = hits / torch.arange(1, len(scores) + 1)
    last_of_its_kind = torch.cat([scores[1:] != scores[:-1], torch.tensor([True])])
    good = ((share >= precision) & last_of_its_kind).nonzero().flatten()
    if not len(good):
        return math.inf, 0
    return scores[good[-1]], hits[good[-1]] / hits[-1]


def threshold_by_a_table(scores, is_digit, precision):
    called = scores[None, :] >= scores[:, None]
    hits = (called & is_digit).sum(1)
    fine = hits / called.sum(1) >= precision
    if not fine.any():
        return [torch.tensor(math.inf), torch.tensor(0.0)]
    threshold = scores[fine].min()
    return [threshold, ((scores >= threshold) & is_digit).sum() / is_digit.sum()]


def threshold_downwards(scores, is_digit, precision):
    found = math.inf, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        answers = is_digit[scores >= threshold]
        if answers.double().mean() >= precision:
            found = threshold, (answers.sum() / is_digit.sum()).item()
    return found


@pytest.mark.parametrize(
    "right",
    [
        threshold_in_loops,
        threshold_from_running_sums,
        threshold_by_a_table,
        threshold_downwards,
    ],
)
def test_every_style_of_a_right_threshold_is_accepted(right):
    result = a3_threshold.threshold_for_precision(right)
    assert result.passed, str(result)


def test_no_case_hangs_on_the_last_digit_of_a_precision():
    for case in a3_threshold.threshold_for_precision.cases:
        scores, is_digit, precision = case.args
        exact = math.log2(precision).is_integer() or precision == 0.75
        for _, called, hits in a3_threshold._table(scores, is_digit):
            assert exact or abs(hits / called - precision) > 1e-5


def test_the_cases_have_equal_scores_negative_ones_and_thresholds_that_do_not_exist():
    cases = [case.args for case in EXERCISES[1].cases]
    assert max(max(Counter(scores.tolist()).values()) for scores, *_ in cases) > 2
    assert min(scores.min() for scores, *_ in cases) < 0
    assert sum(math.isinf(EXERCISES[1].reference(*args)[0]) for args in cases) == 2


# ---- the network --------------------------------------------------------------------------------


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 4, 5), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(144, 10)
    )


class Own(nn.Module):
    """A class of one's own, with a function where others have a layer."""

    def __init__(self, change=lambda logits: logits):
        super().__init__()
        self.first, self.last, self.change = nn.Linear(784, 16), nn.Linear(16, 10), change

    def forward(self, x):
        return self.change(self.last(F.relu(self.first(x.flatten(1)))))


class Mixing(Own):
    def forward(self, x):
        x = self.first(x.transpose(0, 1).reshape(-1, 784))
        return self.last(F.relu(x))


class OneImage(Own):
    def forward(self, x):
        return super().forward(x).squeeze()


class FixedBatch(Own):
    def forward(self, x):
        return super().forward(x.view(7, 1, 28, 28))


class Elsewhere:
    """A network of another process: all that can be done is to call it."""

    def __init__(self, network):
        self.network = network.eval()

    def call_elsewhere(self, args, kwargs, seconds, without=()):
        with torch.no_grad():
            return guard.call(self.network, args, kwargs, seconds, without)

    def __call__(self, images):
        raise AssertionError("called here")


def size_of(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    "make",
    [
        cnn,
        Own,
        lambda: models.mlp((784, 64, 10)),
        models.mnist_cnn,
        models.lenet,
        lambda: Own(lambda x: F.dropout(x, 0.5, training=False)),
        lambda: nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(784, 10)),
    ],
)
@pytest.mark.parametrize("place", [lambda network: network, Elsewhere])
def test_a_sound_network_is_accepted_wherever_it_lives(make, place):
    torch.manual_seed(0)
    network = make()
    result = classifier.network(place(network), size_of(network))
    assert result.passed, str(result)


def test_a_last_layer_of_zeros_is_accepted():
    network = models.mlp((784, 8, 10))
    nn.init.zeros_(network[-1].weight)
    nn.init.zeros_(network[-1].bias)
    assert classifier.network(network, 1).passed


@pytest.mark.parametrize(
    ("make", "diagnosis"),
    [
        (lambda: nn.Sequential(cnn(), nn.Softmax(1)), "softmax"),
        (lambda: nn.Sequential(cnn(), nn.LogSoftmax(1)), "log_softmax"),
        (lambda: nn.Sequential(cnn(), nn.Sigmoid()), "sigmoid"),
        (lambda: nn.Sequential(cnn(), nn.ReLU()), "relu_at_the_end"),
        (lambda: models.mlp((784, 100, 10)), "too_large"),
        (lambda: models.mlp((784, 8, 11)), "wrong_shape"),
        (lambda: models.mlp((780, 8, 10)), "crash"),
        (lambda: OneImage(), "wrong_shape"),
        (lambda: FixedBatch(), "crash"),
        (lambda: Own(lambda x: F.dropout(x, 0.5)), "random"),
        (lambda: Own(lambda x: x - x.mean(0)), "mixed"),
        (lambda: Own(lambda x: (x, x)), "wrong_type"),
        (lambda: Own(lambda x: x / 0), "not_finite"),
        (lambda: Own(lambda x: x.flip(0)), "mixed"),
    ],
)
@pytest.mark.parametrize("place", [lambda network: network, Elsewhere])
def test_a_fault_of_a_network_is_named(make, diagnosis, place):
    torch.manual_seed(0)
    network = make()
    result = classifier.network(place(network), size_of(network))
    assert result.diagnosis == diagnosis, str(result)
    assert len(result.sentence) > 10


@pytest.mark.parametrize(
    ("answer", "diagnosis"),
    [
        (None, "not_attempted"),
        (..., "not_attempted"),
        ("cnn", "wrong_type"),
        (Own, "wrong_type"),
        (nn.Flatten(), "no_parameters"),
    ],
)
def test_what_is_no_network_is_named(answer, diagnosis):
    assert classifier.network(answer, 0).diagnosis == diagnosis


def test_a_network_stays_in_its_modes_and_its_statistics_stay():
    network = models.mnist_cnn().train()
    network[2].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    classifier.network(network, size_of(network))
    assert [module.training for module in network.children()] == [True, True, False] + [True] * 9
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_size_that_was_said_too_small_is_counted_again():
    assert classifier.network(models.mlp(), 10).diagnosis == "too_large"
    assert classifier.network(Elsewhere(cnn()), 60_001).diagnosis == "too_large"


# ---- the losses ---------------------------------------------------------------------------------

FALLING = [2.3 * 0.97**step + 0.1 for step in range(100)]


@pytest.mark.parametrize(
    "losses", [FALLING, tuple(FALLING), torch.tensor(FALLING), [torch.tensor(x) for x in FALLING]]
)
def test_losses_that_fall_are_accepted(losses):
    assert classifier.history(losses).passed


@pytest.mark.parametrize(
    ("losses", "diagnosis"),
    [
        (None, "not_attempted"),
        (training.History(step_loss=FALLING), "fit"),
        (0.3, "wrong_type"),
        ([FALLING], "wrong_type"),
        (["a", "b"], "wrong_type"),
        ([2.3, 0.5, 0.2], "too_few"),
        ([*FALLING, math.nan], "not_finite"),
        ([2.31] * 100, "not_learned"),
        (FALLING[::-1], "not_learned"),
        ([0.83 * 0.9**step + 1.47 for step in range(100)], "softmax_twice"),
    ],
)
def test_losses_that_do_not_fall_are_named(losses, diagnosis):
    assert classifier.history(losses).diagnosis == diagnosis


# ---- the test images ----------------------------------------------------------------------------


@pytest.fixture
def dots(monkeypatch):
    """A hundred images with a bright pixel each, of which ten have a wrong label."""
    images = torch.zeros(100, 1, 28, 28)
    labels = torch.arange(100) % 10
    images[torch.arange(100), 0, 0, labels] = 1.0
    labels[:10] = (labels[:10] + 1) % 10
    test = data.Split(images, labels)
    monkeypatch.setattr(a3, "_digits", lambda source: SimpleNamespace(test=test))


def reader():
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    with torch.no_grad():
        network[1].weight.copy_(torch.eye(10, 784))
        network[1].bias.fill_(-0.1)
    return network


@pytest.mark.parametrize("place", [lambda network: network, Elsewhere])
def test_accuracy_is_the_share_of_test_images_that_are_read_right(dots, place):
    assert a3.accuracy(place(reader()), 7_850, "mnist", at_least=0.9).passed
    result = a3.accuracy(place(reader()), 7_850, "mnist", at_least=0.91)
    assert result.diagnosis == "too_low"
    assert "90.00%" in str(result)


def test_accuracy_is_not_given_to_what_is_no_network_of_task_1(dots):
    assert a3.accuracy(None, 0, "mnist", at_least=0.5).diagnosis == "not_attempted"
    assert a3.accuracy(reader(), 60_001, "mnist", at_least=0.5).diagnosis == "too_large"
    softly = nn.Sequential(reader(), nn.Softmax(1))
    assert a3.accuracy(softly, 7_850, "mnist", at_least=0.5).diagnosis == "softmax"


def test_the_test_images_are_those_of_the_data_that_it_was_trained_on(monkeypatch):
    monkeypatch.setattr(data, "load_digits", lambda source="auto": source)
    assert [a3._digits(source) for source in ("mnist", "embedded", "mine", None)] == [
        "mnist",
        "embedded",
        "auto",
        "auto",
    ]

    def nowhere(source="auto"):
        if source == "mnist":
            raise data.DataUnavailable("none", Path("."))
        return source

    monkeypatch.setattr(data, "load_digits", nowhere)
    assert a3._digits("mnist") == "auto"

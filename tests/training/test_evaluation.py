"""evaluate agrees with scikit-learn and changes nothing; checkpoints survive faults."""

import copy
import re

import numpy as np
import pytest
import sklearn.metrics
import torch
from tiny import network, quiet, same, stripes
from torch import nn

from course_utils.training import evaluate, load_checkpoint, save_checkpoint


def test_evaluate_agrees_with_scikit_learn():
    model, (x, y) = network(4), stripes(150, 2)
    quiet(model, stripes(), epochs=2)
    result = evaluate(model, (x, y), batch_size=40)
    predictions = result.predictions.numpy()
    metrics = sklearn.metrics
    assert result.accuracy == pytest.approx(metrics.accuracy_score(y, predictions))
    assert result.confusion.dtype == torch.int64
    assert np.array_equal(result.confusion, metrics.confusion_matrix(y, predictions))
    expected = metrics.precision_recall_fscore_support(y, predictions, zero_division=0)
    for mine, theirs in zip((result.precision, result.recall, result.f1), expected, strict=False):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    double = result.probabilities.double()
    double /= double.sum(1, keepdim=True)
    assert result.loss == pytest.approx(metrics.log_loss(y, double), rel=1e-4)
    assert torch.equal(result.probabilities.argmax(1), result.predictions)


def test_a_class_that_is_never_predicted_has_precision_zero():
    always_two = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    nn.init.zeros_(always_two[1].weight)
    always_two[1].bias.data = torch.tensor([0.0, 0.0, 9.0, 0.0])
    result = evaluate(always_two, stripes())
    assert result.precision[[0, 1, 3]].tolist() == result.f1[[0, 1, 3]].tolist() == [0.0] * 3
    assert result.recall.tolist() == [0.0, 0.0, 1.0, 0.0]
    assert "Accuracy" in repr(result)
    assert result._repr_html_().count("<tr>") == 6


def test_evaluate_restores_the_mode_of_every_layer():
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout(), nn.Flatten(), nn.Linear(64, 4))
    model[0].eval()
    before = copy.deepcopy(model)
    evaluate(model, stripes())
    assert [m.training for m in model.modules()] == [True, False, True, True, True]
    assert same(model, before)


def test_a_checkpoint_comes_back_whole(tmp_path):
    model, other = network(1), network(2)
    save_checkpoint(model, tmp_path / "new" / "model.pt")
    assert load_checkpoint(other, tmp_path / "new" / "model.pt") is other
    assert same(model, other)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["model.pt"]


def test_a_checkpoint_makes_its_folders_and_replaces_an_older_one(tmp_path):
    path = tmp_path / "a" / "b" / "weights.pt"
    for seed in (0, 1):
        torch.manual_seed(seed)
        saved = network()
        save_checkpoint(saved, path)
    assert same(load_checkpoint(network(), path), saved)
    assert [file.name for file in path.parent.iterdir()] == ["weights.pt"]


def test_a_checkpoint_that_has_no_place_is_an_error_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("no folder")
    path = tmp_path / "file" / "deep" / "weights.pt"
    with pytest.raises(OSError, match=re.escape(str(path))) as told:
        save_checkpoint(network(), path)
    assert told.value.__suppress_context__  # one sentence, not a chain of errors


@pytest.mark.parametrize(
    ("labels", "predictions"),
    [
        ([0, 1, 2, 4, 5, 6, 7, 8, 9], [0, 1, 2, 4, 5, 6, 7, 8, 9]),
        ([0, 0, 1], [0, 3, 1]),
        ([2], [7]),
        (list(range(10)), list(range(10))),
    ],
)
def test_the_means_are_scikit_learns_and_leave_out_classes_that_do_not_occur(labels, predictions):
    measured = sklearn.metrics.precision_recall_fscore_support(
        labels, predictions, average="macro", zero_division=0
    )
    logits = nn.functional.one_hot(torch.tensor(predictions), 10).float()
    evaluation = evaluate(nn.Identity(), (logits, torch.tensor(labels)))
    assert evaluation.means == pytest.approx(measured[:3])
    absent = 10 - len({*labels, *predictions})
    said = str(evaluation)
    assert said.count("–") == 3 * absent
    assert ("leave" in said) == (absent > 0)
    if absent == 1:
        assert "Class 3 does not occur, and the means leave it out." in said

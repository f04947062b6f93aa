"""DigitPad in Python: what it computes is torch's, and what is impossible is said in a sentence."""

import json

import pytest
import torch
from digit_cases import (
    by_torch,
    colour_cases,
    digit_cases,
    grad_cam_by_hooks,
    network_cases,
    networks,
    sentence_cases,
    shake,
)
from node import needs_node, run_node
from torch import nn
from traitlets import TraitError

from course_utils import data, models
from course_utils.widgets import DigitPad
from course_utils.widgets.digit_pad import network_description, prepare_digit


@needs_node
def test_the_browsers_network_is_torchs(tmp_path):
    cases = {"networks": list(network_cases()), "colours": list(colour_cases())}
    run_node("digit_pad/network.test.mjs", {**cases, "sentences": list(sentence_cases())}, tmp_path)


@needs_node
def test_the_browser_frames_a_digit_as_python_does(tmp_path):
    run_node("digit_pad/ink.test.mjs", digit_cases(), tmp_path)


@pytest.fixture(scope="module")
def examples():
    return DigitPad().examples


def pad_of(model, examples, **state):
    return DigitPad(model, examples=examples, **state)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_python_says_what_the_model_says(examples):
    for seed, (name, model) in enumerate(networks()):
        shake(model, seed).train()  # the pad has to take it as in eval mode
        pad = pad_of(model, examples[seed % 10][None])
        assert model.training, name
        expected = by_torch(model.eval(), examples[seed % 10][None, None])
        for layer, maps in pad.feature_maps.items():
            torch.testing.assert_close(maps, expected[layer][0], msg=name, rtol=1e-4, atol=1e-4)
        probabilities = list(expected.values())[-1][0]
        if name not in ("nested", "log softmax"):  # they end in what is done here
            torch.testing.assert_close(pad.output, probabilities, rtol=1e-4, atol=1e-4)
        elif name == "log softmax":
            probabilities = probabilities.exp()
        if name != "nested":
            probabilities = probabilities if name == "log softmax" else probabilities.softmax(0)
        torch.testing.assert_close(pad.probabilities, probabilities, rtol=1e-4, atol=1e-5)
        assert pad.prediction == probabilities.argmax()


@pytest.mark.parametrize("make", [models.mnist_cnn, models.lenet])
def test_grad_cam_is_autograds_at_every_layer_for_every_class(make, examples):
    model = shake(make(), 5)
    pad = pad_of(model, examples, image=examples[3])
    image = examples[3][None, None]
    layers = [name for name, maps in pad.feature_maps.items() if maps.ndim == 3]
    assert "conv1" in layers
    for layer in layers:
        for digit in (0, 9, pad.prediction):
            expected = grad_cam_by_hooks(model, image, layer, digit)
            torch.testing.assert_close(pad.grad_cam(layer, digit), expected, rtol=1e-3, atol=1e-4)
    assert torch.equal(pad.grad_cam(), pad.grad_cam(pad.cam_layer, pad.prediction))
    assert pad.cam_layer == "relu2"
    assert pad.grad_cam().max() in (0, 1)


def test_grad_cam_starts_behind_the_last_activation_or_at_the_last_convolution(examples):
    plain = nn.Sequential(nn.Conv2d(1, 3, 5), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(108, 10))
    assert pad_of(plain, examples).cam_layer == "0"
    assert pad_of(models.mlp(), examples).cam_layer == ""
    with pytest.raises(ValueError, match="needs a convolution layer, and this network has none"):
        pad_of(models.mlp(), examples).grad_cam()


def test_a_description_is_json_and_its_weights_are_float32():
    description, weights = network_description(models.mnist_cnn(), (1, 28, 28))
    again = json.loads(json.dumps(description))
    assert again == description
    assert [layer["shape"] for layer in again["layers"]][:2] == [[8, 24, 24], [8, 12, 12]]
    # Batch norm has a scale and a shift of its own and two statistics in them: as many numbers.
    assert len(weights) == 4 * 44_386
    assert network_description(models.mlp(), [1, 28, 28])[0]["layers"][-1]["shape"] == [10]
    first = network_description(nn.Sequential(nn.Conv2d(3, 2, 3)), (3, 9, 7))[0]["layers"][0]
    assert first["shape"] == [2, 7, 5]


class _Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


def _diverged():
    model = models.lenet()
    model.fc1.weight.data[0, 0] = float("nan")
    return model


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.ELU()), r"layer '1' is ELU: the browser does not kn"),
        (nn.Sequential(nn.Sequential(nn.Hardtanh())), r"layer '0.0' is Hardtanh: .*pass predict=m"),
        (
            nn.Sequential(_Residual(nn.ReLU())),
            r"layer '0' is a _Residual: what runs in the browser",
        ),
        (_Residual(nn.ReLU()), r"model is a _Residual: what runs in the browser is nn.Sequential"),
        (nn.Linear(784, 10), r"model is a Linear: .* pass predict=model"),
        (models.mnist_cnn, r"model is a function: "),
        (
            nn.Sequential(nn.Softmax(1), nn.Linear(1, 1)),
            r"Softmax.*it is not at the end of the",
        ),
        (nn.Sequential(nn.Flatten(), nn.Softmax(0)), r"over dimension 0 it compares the images"),
        (
            nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")),
            r"pads with zeros only, not padding_mode='reflect'",
        ),
        (nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False)), r"no running statistics"),
        (nn.Sequential(nn.Flatten(0)), r"flattens all dimensions after the first"),
        (nn.Sequential(nn.MaxPool2d(2, return_indices=True)), r"it returns indices as well"),
        (_diverged(), r"layer 'fc1' \(Linear\) holds a weight that is not finite"),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(784, 6000)),
            r"4,710,000 numbers.*most 4,000,000",
        ),
        (nn.Sequential(nn.Conv2d(3, 2, 3)), r"layer '0' \(Conv2d\) got shape \(1, 1, 28, 28\)"),
        (nn.Sequential(nn.Flatten(), nn.Linear(700, 10)), r"layer '1' .*expects in_features=700"),
        (
            nn.Sequential(nn.Linear(28, 10)),
            r"layer '0' cannot take \(1, 1, 28, 28\): put nn.Flatten",
        ),
        (nn.Sequential(nn.BatchNorm2d(2)), r"layer '0' \(BatchNorm2d\) got shape .* 2 channels"),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(784, 12)),
            r"into \(12,\); it must return 10 numbers",
        ),
        (nn.Sequential(nn.Conv2d(1, 10, 28)), r"into \(10, 1, 1\); .* end it in nn.Flatten\(\)"),
        (nn.Sequential(), r"into \(1, 28, 28\); it must return 10 numbers, one for each class"),
    ],
    ids=lambda value: str(value).split(" at 0x")[0][:30],
)
def test_a_network_that_the_browser_cannot_run_is_refused_with_the_way_out(
    model, sentence, examples
):
    pad = pad_of(shake(models.lenet()), examples)
    before = pad.output
    with pytest.raises(TraitError, match=f"(?s){sentence}"):
        DigitPad(model, examples=[])
    with pytest.raises(TraitError):
        pad.model = model
    assert torch.equal(pad.output, before)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"image": torch.zeros(27, 28)},
            r"image of shape \(27, 28\) is not possible: give \(28",
        ),
        ({"image": torch.zeros(2, 28, 28)}, r"image of shape \(2, 28, 28\) is not possible"),
        (
            {"image": torch.full((28, 28), 255, dtype=torch.uint8)},
            r"255 to 255.*divide by 255",
        ),
        (
            {"image": torch.full((28, 28), -0.1)},
            r"image goes from -0.1 to -0.1: give numbers",
        ),
        ({"image": torch.full((28, 28), float("nan"))}, r"image goes from nan to nan"),
        ({"image": "seven"}, r"image='seven' is not possible: give a tensor"),
        ({"pen": 7}, r"pen=7 is not possible: give a whole number from 8 to 40"),
        (
            {"explain": 10},
            r"explain=10 is not possible: give the number of a class, 0 to 9, or",
        ),
        ({"explain": True}, r"explain=True is not possible"),
        ({"explain": "7"}, r"explain='7' is not possible"),
        ({"layer": "conv3"}, r"layer='conv3' is not possible: choose one of conv1, pool1, norm1"),
        ({"layer": "flatten"}, r"layer='flatten' is not possible"),
        ({"layer": None}, r"layer=None is not possible"),
        ({"cam_layer": "conv1"}, r"choose one of conv2, pool2, norm2, relu2"),
        ({"show_cam": 1}, r"show_cam=1 is not possible: give True or False"),
    ],
    ids=lambda value: str(value).split(" at 0x")[0][:30],
)
def test_an_impossible_state_is_refused_and_nothing_changes(change, sentence, examples):
    model = models.mnist_cnn()
    pad = pad_of(model, examples)
    ((name, value),) = change.items()
    before = getattr(pad, name)
    with pytest.raises(TraitError, match=f"(?s){sentence}"):
        setattr(pad, name, value)
    assert getattr(pad, name) is before
    with pytest.raises(TraitError, match=f"(?s){sentence}"):
        pad_of(model, examples, **change)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"predict": 3}, r"predict=3 is not possible: give a function"),
        ({"predict": len, "model": models.lenet()}, r"model and predict are both given"),
        ({"classes": "a"}, r"classes='a' is not possible: give 2 to 20 different words"),
        ({"classes": ["a", "a"]}, r"give 2 to 20 different words"),
        ({"classes": 10}, r"classes=10 is not possible"),
        ({"classes": ["", "b"]}, r"class '' is not possible: give words of 1 to 12 letters"),
        ({"classes": "abc", "model": models.lenet()}, r"into \(10,\); it must return 3 numbers"),
        ({"examples": torch.zeros(21, 28, 28)}, r"shape \(21, 28, 28\) .* at most 20 images"),
        ({"examples": torch.zeros(2, 3, 3)}, r"examples\[0\] of shape \(3, 3\)"),
        ({"examples": 5}, r"examples is not possible: give at most 20"),
    ],
    ids=lambda value: str(value).split(" at 0x")[0][:30],
)
def test_what_the_constructor_cannot_use_is_refused(arguments, sentence):
    with pytest.raises(TraitError, match=sentence):
        DigitPad(**{"examples": [], **arguments})


def test_the_weights_are_a_copy_until_the_model_is_assigned_again(examples):
    model = shake(models.lenet())
    pad = pad_of(model, examples)
    before = pad.output
    model.fc3.bias.data += torch.arange(10)
    assert torch.equal(pad.output, before)
    pad.model = model
    torch.testing.assert_close(pad.output, before + torch.arange(10), rtol=1e-4, atol=1e-4)


def test_another_model_keeps_the_layers_that_it_has_too(examples):
    pad = pad_of(models.mnist_cnn(), examples, layer="norm2", cam_layer="pool2")
    pad.model = models.lenet()
    assert (pad.layer, pad.cam_layer) == ("conv1", "pool2")
    pad.model = models.mlp()
    assert (pad.layer, pad.cam_layer) == ("fc1", "")
    pad.model = None
    assert (pad.layer, pad.output, pad.feature_maps) == ("", None, {})
    with pytest.raises(ValueError, match=r"Grad-CAM needs the layers of a network"):
        pad.grad_cam()


def test_an_empty_pad_has_no_answer(examples):
    pad = pad_of(models.lenet(), examples, image=torch.zeros(28, 28))
    assert (pad.output, pad.probabilities, pad.prediction, pad.feature_maps) == (None,) * 3 + ({},)
    with pytest.raises(ValueError, match=r"nothing is drawn: draw a digit, or set image"):
        pad.grad_cam()


def test_the_first_example_is_shown_at_the_beginning_and_images_may_have_leading_ones(examples):
    pad = pad_of(models.lenet(), examples[:, None])
    assert torch.equal(pad.examples, examples)
    assert torch.equal(pad.image, examples[0])
    pad.image = examples[None, None, 4]
    assert torch.equal(pad.image, examples[4])
    assert DigitPad(examples=[]).image.sum() == 0


LOGITS = torch.arange(10.0) / 3


@pytest.mark.parametrize(
    "predict",
    [
        lambda x: LOGITS,
        lambda x: LOGITS.softmax(0)[None],
        lambda x: LOGITS.tolist(),
        nn.Sequential(nn.Flatten(), nn.Dropout(1.0), nn.Linear(784, 10)),
    ],
    ids=["logits", "probabilities (1, 10)", "a list", "a module in training mode"],
)
def test_predict_may_return_logits_or_probabilities(predict, examples):
    if isinstance(predict, nn.Module):
        predict[2].weight.data.zero_()
        predict[2].bias.data.copy_(LOGITS)
    pad = DigitPad(predict=predict, examples=examples)
    torch.testing.assert_close(pad.probabilities, LOGITS.softmax(0))
    assert pad.prediction == 9
    assert not isinstance(predict, nn.Module) or predict.training


def _raise(x):
    raise KeyError("no such digit")


@pytest.mark.parametrize(
    ("predict", "sentence"),
    [
        (_raise, r"predict raised KeyError: 'no such digit'"),
        (lambda x: torch.zeros(10, 2), r"it returned shape \(10, 2\); return 10 logits or prob"),
        (lambda x: "seven", r"it returned a str; return 10 logits or probabilities, \(10,\) or"),
        (lambda x: torch.full((10,), float("nan")), r"it returned a number that is not finite"),
        (lambda x: x.view(3), r"predict raised RuntimeError: "),
    ],
    ids=["raises", "shape", "type", "nan", "torch"],
)
def test_a_predict_that_fails_is_quoted_and_the_pad_lives_on(predict, sentence, examples):
    answers = [predict, lambda x: LOGITS]
    pad = DigitPad(predict=lambda x: answers[int(x[0, 0, 0, 0] > 0)](x), examples=examples)
    with pytest.raises(ValueError, match=sentence):
        _ = pad.probabilities
    assert pad.get_state("_answer")["_answer"]["scores"] is None
    pad.draw()
    pad.image = torch.ones(28, 28)
    assert pad.prediction == 9


def test_predict_is_called_once_for_what_the_browser_sends_and_cannot_spoil_the_image(examples):
    calls = []
    pad = DigitPad(predict=lambda x: calls.append(x.shape) or x.zero_().view(-1)[:10], examples=[])
    picture = examples[2].numpy().tobytes()
    pad.set_state({"_asked": 4, "image": memoryview(picture)})
    assert calls == [(1, 1, 28, 28)]
    assert pad.get_state("_answer")["_answer"]["asked"] == 4
    assert torch.equal(pad.image, examples[2])
    pad.set_state({"_asked": 5, "image": memoryview(picture)})
    assert len(calls) == 2


def test_a_prepared_digit_is_framed_as_mnist_frames_it():
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        height, width, top, left = torch.randint(5, 120, (4,), generator=generator).tolist()
        ink = torch.zeros(280, 280)
        ink[top : top + height, left : left + width] = torch.rand(
            height, width, generator=generator
        )
        image = prepare_digit(ink)
        rows, columns = image.sum(1), image.sum(0)
        sides = (rows > 0).sum().item(), (columns > 0).sum().item()
        assert max(sides) == 20
        assert abs(sides[0] / sides[1] - height / width) < 0.08 * height / width + 0.6 / min(sides)
        place = torch.arange(28.0)
        for mass in (rows, columns):
            # Where all 10,000 test images of MNIST have it: in 13.5 … 14.5.
            assert 13.49 <= (mass @ place / mass.sum()) <= 14.51
        mean = ink[top : top + height, left : left + width].mean()
        torch.testing.assert_close(image.sum() / (sides[0] * sides[1]), mean, rtol=1e-4, atol=0)


def test_preparing_what_is_framed_already_changes_nothing(examples):
    ink = torch.zeros(28, 28)
    ink[4:24, 8:20] = torch.linspace(0.1, 1, 240).view(20, 12).flip(0)
    framed = prepare_digit(ink)
    large = framed.repeat_interleave(10, 0).repeat_interleave(10, 1)
    torch.testing.assert_close(prepare_digit(large), framed)
    assert torch.equal(prepare_digit(torch.zeros(1, 1, 50, 60)), torch.zeros(28, 28))
    with pytest.raises(ValueError, match=r"ink goes from 0 to 2: give numbers from 0"):
        prepare_digit(torch.tensor([[0, 2]]))
    with pytest.raises(ValueError, match=r"ink of shape \(3,\) is not possible: give \(H, W\)"):
        prepare_digit(torch.zeros(3))


def test_test_digits_drawn_large_come_back_as_they_were_and_are_read_as_before():
    digits = data.load_digits("embedded")
    train = digits.train[:1197]  # the plain scans
    means = torch.stack([train.images[train.labels == d].mean(0).flatten() for d in range(10)])
    images = digits.test.images[:100]
    large = images.repeat_interleave(10, 2).repeat_interleave(10, 3)
    prepared = torch.stack([prepare_digit(ink)[None] for ink in large])
    alike = [
        torch.stack([a.flatten(), b.flatten()]).corrcoef()[0, 1].item()
        for a, b in zip(images, prepared, strict=True)
    ]
    assert sum(alike) / len(alike) > 0.95
    before, after = (torch.cdist(x.flatten(1), means).argmin(1) for x in (images, prepared))
    assert (before == digits.test.labels[:100]).float().mean() > 0.85
    assert (before == after).float().mean() > 0.97


def test_the_examples_are_one_of_each_digit_from_the_test_images(examples):
    test = data.load_digits("embedded").test
    found = [test.labels[(test.images[:, 0] == image).all(2).all(1)] for image in examples]
    assert [labels.unique().tolist() for labels in found] == [[digit] for digit in range(10)]


def test_the_picture_says_what_the_widget_shows(examples):
    pad = pad_of(shake(models.mnist_cnn(), 2), examples, image=examples[6])
    pad.explain = next(d for d in range(10) if pad.grad_cam(digit=d).any())
    text = pad.draw().alt_text
    best = pad.probabilities.argmax().item()
    cam = pad.grad_cam(digit=pad.explain)
    row, column = divmod(int(cam.argmax()), 4)
    assert f"shaded: what speaks for {pad.explain}." in text
    assert f"The network says {best} with " in text
    assert f"Grad-CAM at relu2 is strongest at row {row}, column {column} of 4 × 4." in text
    assert "conv1: 8 feature maps of 24 × 24, from " in text
    pad.cam_layer, pad.layer, pad.show_cam = "conv2", "relu2", False
    assert "Grad-CAM" not in pad.draw().alt_text
    assert "relu2: 16 of 32 feature maps of 4 × 4" in pad.draw().alt_text
    pad.layer = "fc2"
    assert "fc2: 10 numbers, from " in pad.draw().alt_text
    pad.image = torch.zeros(28, 28)  # an empty pad shows the first example
    assert "The network says" in pad.draw().alt_text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "No network is connected."),
        ({"predict": _raise}, "predict raised KeyError: 'no such digit'."),
        ({"predict": lambda x: LOGITS}, "The network says 9 with 29 %; next 8 with 21 %."),
        ({"predict": lambda x: LOGITS, "examples": []}, "Nothing is drawn."),
        ({"model": models.mlp()}, "fc1: 256 numbers"),
        (
            {"predict": lambda x: torch.arange(20), "classes": "abcdefghijklmnopqrst"},
            "The network says t with 63 %; next s with 23 %.",
        ),
        ({"model": models.stacked_cnn(2, 3)}, "conv1: 3 feature maps of 28 × 28"),
    ],
    ids=lambda value: str(value).split(" at 0x")[0][:30],
)
def test_there_is_a_picture_of_every_kind_of_pad(arguments, said, examples):
    figure = DigitPad(**{"examples": examples[:1], **arguments}).draw()
    assert said in figure.alt_text
    assert figure.get_figwidth() <= 7


def test_the_display_bundle_has_the_widget_and_the_picture(examples):
    pad = pad_of(models.lenet(), examples)
    bundle, metadata = pad._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "image/png"} <= set(bundle)
    assert metadata["image/png"]["alt"].startswith("What the network sees")


def test_a_model_in_double_precision_is_taken_in_single(examples):
    model = shake(models.lenet())
    expected = pad_of(model, examples).output
    torch.testing.assert_close(pad_of(model.double(), examples).output, expected)


def test_huge_weights_are_said_not_shown(examples):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 999), nn.Linear(999, 10))
    for layer in model[1:]:
        layer.weight.data.fill_(3e38)
    pad = pad_of(model, examples)
    assert "The network's answer is not finite: its weights are too large." in pad.draw().alt_text


def test_a_network_with_hooks_or_pruned_is_taken_as_it_stands(examples):
    from torch.nn.utils import prune

    model, calls = shake(models.lenet()), []
    model.conv2.register_forward_hook(lambda *_: calls.append(1))
    prune.l1_unstructured(model.fc1, "weight", amount=0.5)
    pad = pad_of(model, examples)
    assert not calls
    with torch.no_grad():
        expected = model(examples[:1, None])[0]
    torch.testing.assert_close(pad.output, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("ends", "possible"),
    [
        ([nn.Softmax(1)], True),
        ([nn.LogSoftmax(1), nn.Dropout()], True),
        ([nn.LogSoftmax(1), nn.LogSoftmax(1)], True),
        ([nn.LogSoftmax(1), nn.Softmax(1)], True),
        ([nn.Softmax(1), nn.Softmax(1)], False),
        ([nn.Softmax(1), nn.Identity(), nn.LogSoftmax(1)], False),
    ],
)
def test_the_probabilities_are_torchs_whatever_the_network_ends_in(ends, possible):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), *ends).eval()
    image = torch.rand(28, 28)
    if not possible:
        with pytest.raises(TraitError, match=r"'2' is Softmax: it is not at the end"):
            DigitPad(model)
        return
    with torch.no_grad():
        answer = model(image[None, None])[0]
    expected = answer.exp() if answer.min() < 0 else answer
    torch.testing.assert_close(DigitPad(model, image=image).probabilities, expected)

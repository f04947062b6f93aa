"""The checks of lesson 07 accept what is mended, in any style, and not what is only silenced."""

from pathlib import Path

import build_notebooks as build
import nbformat
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import checks

ROOT = Path(__file__).resolve().parents[2]


def sequential():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 14 * 14, 120),
        nn.ReLU(),
        nn.Linear(120, 10),
    )


def without_padding():
    network = sequential()
    network[0], network[4] = nn.Conv2d(1, 16, 3), nn.Linear(16 * 13 * 13, 120)
    return network


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc1 = nn.Conv2d(1, 16, 3, padding="same"), nn.Linear(3136, 84)
        self.fc2 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(self.conv(x), 2).relu()  # the same numbers as the other way round
        return self.fc2(F.relu(self.fc1(x.view(len(x), -1))))


def test_the_broken_network_itself_is_rejected_with_the_message_of_torch():
    def broken():
        network = sequential()
        network[4] = nn.Linear(16 * 13 * 13, 120)
        return network

    result = checks.mended_convnet(broken)
    assert result.diagnosis == "crash"
    assert "3136 and 2704x120" in " ".join(str(result).split())


def test_a_mended_network_is_checked_without_touching_the_random_numbers_outside():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    checks.mended_convnet(sequential)
    assert torch.equal(before, torch.get_rng_state())


def by_name(network, layer):
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.split(".")[0] == layer)
    network.train()
    return network


def by_module(network, layer):
    network.requires_grad_(False)
    getattr(network, layer).requires_grad_(True)
    return network.train()


def by_identity(network, layer):
    chosen = {id(p) for p in dict(network.named_modules())[layer].parameters()}
    for parameter in network.parameters():
        parameter.requires_grad = id(parameter) in chosen
    return network.train()


def plain(network, optimizer, images, labels):
    network.train()
    loss = F.cross_entropy(network(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def cleared_at_the_end(network, optimizer, images, labels):
    network.train()
    loss = nn.CrossEntropyLoss()(network(images), labels)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss


def with_log_softmax(network, optimizer, images, labels):
    network.train(True)
    network.zero_grad()
    chosen = network(images).log_softmax(1)[range(len(labels)), labels]
    loss = -chosen.mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


def by_gradient(network, images):
    matrix = []
    for i in range(len(images)):
        x = images.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(network(x)[i].sum(), x)
        matrix.append(gradient.flatten(1).ne(0).any(1))
    return torch.stack(matrix)


def by_change(network, images):
    before = network(images)
    matrix = torch.zeros(len(images), len(images), dtype=torch.bool)
    for j in range(len(images)):
        changed = images.clone()
        changed[j] = torch.rand_like(images[j])
        matrix[:, j] = (network(changed) - before).abs().amax(1) > 1e-6
    return matrix


def as_lists(network, images):
    return [[float(cell) for cell in row] for row in by_gradient(network, images)]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"A": "wrong view"}, "six letters"),
        (["wrong view"] * 6, "six letters"),
        (dict.fromkeys("ABCDEF", "wrong view"), "named twice"),
        (dict.fromkeys("ABCDEF", "no idea"), "none of the six bugs"),
    ],
)
def test_curves_that_are_not_named_as_asked_are_explained(answer, said):
    result = checks.which_bug(answer)
    assert result.diagnosis == "wrong_type"
    assert said in str(result)


def test_a_wrong_curve_is_named_by_its_letter_and_the_solution_not_given_away():
    right = checks.EXERCISES["which_bug"].reference
    turned = dict(zip(right, [*list(right.values())[1:], right["A"]], strict=True))
    text = str(checks.which_bug(turned))
    assert "letter = 'A'" in text
    assert right["A"] not in text


BROKEN = [  # what the messages of the broken cells hold, in any version of torch
    *("4x3136 and 2704x120", "4x5408 and 1152x128", "1792x28 and 784x256"),
    *("expected input[1, 60, 28, 28] to have 1 channels", "broadcast shape [3, 28, 28]"),
    *("batch_size (64) to match target batch_size (100)", "'[-1, 400]' is invalid"),
    *("'datasets' is not defined", "Target 2 is out of bounds", "should be the same"),
    *("device", "conv2d gives"),
]


def test_every_broken_cell_of_the_lesson_stores_its_message_and_the_others_store_none():
    notebook = nbformat.read(build.NOTEBOOKS / "07_bug_clinic.ipynb", as_version=4)
    said = []
    for cell in notebook.cells:
        raised = [o for o in cell.get("outputs", []) if o.output_type == "error"]
        assert bool(raised) == ("raises-exception" in cell.metadata.get("tags", []))
        said += [o.evalue for o in raised]
    assert len(said) == len(BROKEN)
    for message, expected in zip(said, BROKEN, strict=True):
        assert expected in message


def test_a_stored_traceback_keeps_the_lines_of_the_notebook_and_the_message():
    entries = ["---", "\x1b[31mCell In[1], line 1\x1b[39m", "\x1b[36mFile \x1b[39m/home/ada/x.py:1"]
    entries += ["File <frozen os>:3", "RuntimeError: no"]
    output = nbformat.v4.new_output("error", ename="E", evalue="no", traceback=entries)
    build._clean(output, "cell 1")
    assert output.traceback[:2] == entries[:2]
    assert "2 calls inside the libraries" in output.traceback[2]
    assert output.traceback[3:] == entries[4:]
    output.traceback = ["Cell In[1], line 1: /home/ada/notes"]
    with pytest.raises(ValueError, match="path"):
        build._clean(output, "cell 1")


RIGHT = {
    "mended_convnet": [sequential, without_padding, Functional],
    "to_rows": [
        nn.Flatten(),
        lambda x: x.reshape(x.shape[0], -1),
        lambda x: x.view(len(x), x.shape[1] * x.shape[2] * x.shape[3]),
        lambda x: torch.stack([image.flatten() for image in x]),
        lambda x: torch.flatten(x, start_dim=1),
    ],
    "train_only": [by_name, by_module, by_identity],
    "train_step": [plain, cleared_at_the_end, with_log_softmax],
    "batch_dependence": [by_gradient, by_change, as_lists],
}

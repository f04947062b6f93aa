"""A torchvision network comes with its weights, or without them and with a reason."""

import types
import urllib.error

import pytest
import torch
from torch import nn

from course_utils import pretrained
from course_utils.data import downloads

NAME = "tiny-00000000.pth"


class Weights:
    """What torchvision's weights are, as far as they are used."""

    url = f"https://example.invalid/{NAME}"

    @staticmethod
    def get_state_dict(**options):
        return torch.hub.load_state_dict_from_url(Weights.url, map_location="cpu", progress=False)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints" / NAME


def build():
    return nn.Linear(2, 1)


def no_network(url):
    raise urllib.error.URLError("no route")


def test_weights_in_the_cache_need_no_network(cache, monkeypatch):
    monkeypatch.setattr(downloads, "require_answer", no_network)
    published = build()
    torch.save(published.state_dict(), cache)
    network, reason = pretrained.load(build, Weights)
    assert reason is None
    assert torch.equal(network.weight, published.weight)
    assert not network.training


def test_without_a_network_the_weights_are_random_and_the_reason_is_given(cache, monkeypatch):
    monkeypatch.setattr(downloads, "require_answer", no_network)
    network, reason = pretrained.load(build, Weights)
    assert reason == "no network (no route)"
    assert network.weight.shape == (1, 2)


def test_a_server_that_says_nothing_counts_as_no_network(cache, monkeypatch):
    def silent(url):
        raise TimeoutError

    monkeypatch.setattr(downloads, "require_answer", silent)
    assert "no answer" in pretrained.load(build, Weights)[1]


def test_a_damaged_file_in_the_cache_is_named(cache):
    cache.write_bytes(b"not weights")
    _, reason = pretrained.load(build, Weights)
    assert reason == "a damaged file in torch's cache"


def test_weights_of_another_network_are_not_half_loaded(cache):
    torch.save(nn.Linear(3, 1).state_dict(), cache)
    network, reason = pretrained.load(build, Weights)
    assert reason == "a damaged file in torch's cache"
    assert network.weight.shape == (1, 2)


def test_a_full_disk_is_a_reason_and_no_error(cache, monkeypatch):
    def full(**options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(downloads, "require_answer", lambda url: None)
    weights = types.SimpleNamespace(url=Weights.url, get_state_dict=full)
    assert "No space left" in pretrained.load(build, weights)[1]

"""The checks of lesson 12 accept every right way to write its exercises."""

import numpy as np
import pytest
import torch

from course_utils import checks, compression, models


def in_torch(x):
    low, high = x.min().clamp(max=0), x.max().clamp(min=0)
    scale = (high - low) / 255
    zero_point = torch.round(-128 - low / scale)
    q = torch.clamp(torch.round(x / scale) + zero_point, -128, 127).to(torch.int8)
    return q, scale, zero_point


def in_loops(x):
    numbers = x.flatten().tolist()
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    scale = (high - low) / 255
    zero_point = round(-128 - low / scale)
    q = [max(-128, min(127, round(number / scale) + zero_point)) for number in numbers]
    return torch.tensor(q, dtype=torch.int8).reshape(x.shape), scale, zero_point


def in_numpy(x):
    ends = np.array([0.0, x.min(), x.max()])
    scale = np.ptp(ends) / 255
    zero_point = -128 - np.rint(ends.min() / scale)
    return torch.tensor(np.rint(x.numpy() / scale) + zero_point), scale, zero_point


def test_no_number_of_the_cases_lies_between_two_steps():
    """So that rounding elsewhere never decides about a student."""
    for case in checks.EXERCISES["quantize"].cases:
        (x,) = case.args
        _, scale, _ = compression.quantize(x)
        for steps in (x.double() / scale, torch.tensor([min(0.0, x.min().item()) / scale])):
            assert ((steps - steps.floor() - 0.5).abs() > 0.05).all(), steps


def by_sorting(weight, sparsity):
    drop = round(sparsity * weight.numel())
    mask = torch.ones(weight.numel())
    mask[weight.abs().flatten().argsort()[:drop]] = 0
    return mask.reshape(weight.shape)


def by_ranks(weight, sparsity):
    rank = weight.abs().flatten().argsort().argsort().reshape(weight.shape)
    return rank >= int(sparsity * weight.numel())


def by_quantile(weight, sparsity):
    return weight.abs() >= weight.abs().quantile(sparsity)


def by_topk(weight, sparsity):
    keep = weight.numel() - round(sparsity * weight.numel())
    mask = torch.zeros(weight.numel(), dtype=torch.bool)
    mask[weight.abs().flatten().topk(keep).indices] = True
    return mask.view_as(weight)


def by_kthvalue(weight, sparsity):
    drop = round(sparsity * weight.numel())
    if drop == 0:
        return torch.ones_like(weight, dtype=torch.bool)
    return weight.abs() > weight.abs().flatten().kthvalue(drop).values


def by_torch_prune(weight, sparsity):
    from torch.nn.utils import prune

    method = prune.L1Unstructured(amount=round(sparsity * weight.numel()))
    return method.compute_mask(weight, torch.ones_like(weight))


def centre_in_loops(image):
    ink = rows = columns = 0.0
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            value = image[i, j].item()
            ink, rows, columns = ink + value, rows + value * i, columns + value * j
    return rows / ink, columns / ink


def centre_by_meshgrid(image):
    i, j = torch.meshgrid(*map(torch.arange, image.shape), indexing="ij")
    return [(image * i).sum() / image.sum(), (image * j).sum() / image.sum()]


def centre_by_numpy(image):
    array = image.numpy()
    places = range(array.shape[0]), range(array.shape[1])
    return tuple(np.average(p, weights=array.sum(1 - axis)) for axis, p in enumerate(places))


def test_the_bytes_of_the_checkpoint_are_those_of_the_network():
    state = models.mnist_cnn().state_dict()
    size = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    assert checks.checkpoint_bytes(size).passed
    assert checks.checkpoint_bytes(torch.tensor(size)).passed
    assert checks.checkpoint_bytes(float(size)).passed


# ---- the reference ------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", range(2, 9))
def test_a_rounded_number_is_off_by_half_a_step_at_most_and_0_by_nothing(bits):
    generator = torch.Generator().manual_seed(bits)
    for shift in (-3, -0.2, 0, 0.5, 3):
        x = torch.randn(50, 20, generator=generator) + shift
        x[0, 0] = 0
        q, scale, zero_point = compression.quantize(x, bits)
        assert q.dtype == torch.int8
        assert q.min() >= -(2 ** (bits - 1))
        assert q.max() <= 2 ** (bits - 1) - 1
        back = compression.dequantize(q, scale, zero_point)
        assert (back - x).abs().max() <= scale / 2 * (1 + 1e-4)
        assert back[0, 0] == 0


def test_all_zeros_stay_zeros_and_what_cannot_be_rounded_is_refused():
    q, scale, zero_point = compression.quantize(torch.zeros(3))
    assert compression.dequantize(q, scale, zero_point).tolist() == [0, 0, 0]
    for bits in (1, 9, 4.5, "8"):
        with pytest.raises(ValueError, match="choose 2 to 8"):
            compression.quantize(torch.ones(2), bits)
    for x in (torch.tensor([1, torch.nan]), torch.tensor([torch.inf]), torch.empty(0)):
        with pytest.raises(ValueError, match="all of them finite"):
            compression.quantize(x)


def test_pruning_drops_the_share_asked_for_and_ties_in_order():
    for sparsity, kept in {0: 10, 0.1: 9, 0.5: 5, 1: 0}.items():
        assert compression.prune_mask(torch.arange(10.0), sparsity).sum() == kept
    assert compression.prune_mask(torch.ones(4), 0.5).tolist() == [False, False, True, True]
    for sparsity in (-0.1, 1.5, 50):
        with pytest.raises(ValueError, match="give a share from 0 to 1"):
            compression.prune_mask(torch.ones(4), sparsity)


RIGHT = {
    "quantize": [in_torch, in_loops, in_numpy, compression.quantize],
    "prune_mask": [by_sorting, by_ranks, by_quantile, by_topk, by_kthvalue, by_torch_prune],
    "centre_of_mass": [centre_in_loops, centre_by_meshgrid, centre_by_numpy],
}

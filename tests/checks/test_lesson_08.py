"""The checks of lesson 08 accept every right way to answer, and say what is wrong with others."""

import torch
import torch.nn.functional as F
from torch import nn

from course_utils import anatomy, checks, interpret
from course_utils.checks.lesson_08.smallest_shift import STACKS


def field_recursive(layers):
    if not layers:
        return 1, 1
    *before, (k, s, d) = layers
    size, jump = field_recursive(before)
    return [size + (k - 1) * d * jump, jump * s]


def field_as_tensors(layers):
    table = torch.tensor(layers, dtype=torch.int64).reshape(-1, 3)
    jumps = torch.cat([torch.ones(1, dtype=torch.int64), table[:, 1].cumprod(0)])
    return 1 + ((table[:, 0] - 1) * table[:, 2] * jumps[:-1]).sum(), jumps[-1]


def field_of_modules(layers):
    stack = nn.Sequential(*[nn.Conv2d(1, 1, k, stride=s, dilation=d) for k, s, d in layers])
    jump = 1
    for _, s, _ in layers:
        jump *= s
    return anatomy.receptive_field(stack), jump


def occlusion_by_lists(score, image, size, stride):
    drops = []
    for top in range(0, image.shape[0] - size + 1, stride):
        drops.append([])
        for left in range(0, image.shape[1] - size + 1, stride):
            keep = torch.ones_like(image)
            keep[top : top + size, left : left + size] = 0
            drops[-1].append(score(image) - score(image * keep))
    return drops


def occlusion_restored(score, image, size, stride):
    image, before = image.clone(), score(image)
    rows, columns = ((n - size) // stride + 1 for n in image.shape)
    drops = torch.empty(rows, columns, dtype=torch.float64)
    for place in range(rows * columns):
        i, j = divmod(place, columns)
        part = image[i * stride : i * stride + size, j * stride : j * stride + size]
        was = part.clone()
        part.zero_()
        drops[i, j] = before - score(image)
        part.copy_(was)
    return drops


def occlusion_with_masks(score, image, size, stride):
    places = torch.eye(image.numel(), dtype=image.dtype).view(-1, *image.shape)
    h, w = ((n - size) // stride + 1 for n in image.shape)
    corners = [i * stride * image.shape[1] + j * stride for i in range(h) for j in range(w)]
    masks = F.pad(places[corners], (size - 1, 0, size - 1, 0))
    masks = F.max_pool2d(masks[:, None], size, stride=1)[:, 0]
    drops = [score(image) - score(image * (1 - mask)) for mask in masks]
    return torch.tensor(drops, dtype=torch.float64).view(h, w)


def cam_in_loops(maps, gradients):
    total = torch.zeros_like(maps[0])
    for one, gradient in zip(maps, gradients, strict=True):
        total = total + gradient.mean() * one
    total = total.clamp(min=0)
    largest = total.max()
    return total / largest if largest > 0 else total


def cam_with_einsum(maps, gradients):
    total = torch.einsum("k,khw->hw", gradients.flatten(1).sum(1), maps).relu()
    return total / total.max().clamp(min=1e-12)  # a sum in place of the mean: the scale goes away


def cam_with_nan_mended(maps, gradients):
    weight = gradients.double().mean((1, 2))[:, None, None]
    total = torch.relu((weight * maps).sum(0))
    return (total / total.max()).nan_to_num(0).to(maps.dtype)


def test_the_shifts_are_the_jumps_of_the_stacks_that_the_lesson_names():
    assert [interpret_jump(stack) for stack in STACKS] == [1, 2, 6, 1, 8]


def interpret_jump(stack):
    layers = [nn.Conv2d(1, 1, k, stride=s, dilation=d) for k, s, d in stack]
    last = str(len(layers) - 1)
    return interpret.field_of(nn.Sequential(*layers), last, (1, 64, 64)).jump


def test_letters_that_do_not_exist_and_other_things_are_refused_in_a_sentence():
    assert "no statement 'g'" in str(checks.measured_claims("ag"))
    assert checks.measured_claims("ag").diagnosis == "wrong_type"
    assert "in quotes" in str(checks.measured_claims(3))


def test_no_wrong_set_of_letters_is_without_a_diagnosis():
    for number in range(2**6):
        answer = "".join(c for n, c in enumerate("abcdef") if number >> n & 1)
        result = checks.measured_claims(answer)
        assert result.passed == (answer == "ae")
        assert result.passed or result.diagnosis not in (None, "wrong_value"), answer
        assert "expected" not in str(result)


RIGHT = {
    "field_and_jump": [field_recursive, field_as_tensors, field_of_modules],
    "occlusion_map": [occlusion_by_lists, occlusion_restored, occlusion_with_masks],
    "grad_cam_map": [cam_in_loops, cam_with_einsum, cam_with_nan_mended],
    "smallest_shift": [[1, 2, 6, 1, 8], (1, 2, 6, 1, 8), torch.tensor([1, 2, 6, 1, 8])],
    "measured_claims": ["ae", "ea", "A, E", ["a", "e"], {"e", "a"}, ("A", "E")],
}

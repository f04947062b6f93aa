"""Lesson 08, exercise 4: Your own Grad-CAM."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later

CAM = "lesson 08, 'Grad-CAM'"


def _numbers(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-4, 5, shape, generator=generator).double() / 2


def _scaled(plane):
    return plane / plane.max() if plane.max() > 0 else torch.zeros_like(plane)


def _weighted(maps, gradients):
    return (gradients.mean((1, 2), keepdim=True) * maps).sum(0)


def _grad_cam(maps, gradients):
    return _scaled(_weighted(maps, gradients).relu())


def _stretched(plane):
    span = plane.max() - plane.min()
    return (plane - plane.min()) / span if span > 0 else torch.zeros_like(plane)


mistake = Mistakes()
mistake.value(
    "divided_by_zero",
    lambda a, g: _weighted(a, g).relu() / _weighted(a, g).relu().max(),
    "Where nothing speaks for the class, the largest value is 0, and 0 / 0 is nan. Leave "
    "such a map at 0.",
)
mistake.value(
    "relu_forgotten",
    lambda a, g: _weighted(a, g) / _weighted(a, g).max(),
    "Numbers below 0 are left: they speak against the class. What sets them to 0?",
    also=(
        lambda a, g: (
            _weighted(a, g) / _weighted(a, g).max()
            if _weighted(a, g).max() > 0
            else torch.zeros_like(a[0])
        ),
        lambda a, g: _weighted(a, g) / _weighted(a, g).abs().max(),
    ),
)
mistake.value(
    "cell_by_cell",
    lambda a, g: _scaled((a * g).sum(0).relu()),
    "Map and gradient are multiplied cell by cell. Here each map has one weight, the mean "
    "of its gradient.",
)
mistake.value(
    "not_scaled",
    lambda a, g: _weighted(a, g).relu(),
    "The largest value should be 1: divide by it.",
    also=(lambda a, g: (g.sum((1, 2), keepdim=True) * a).sum(0).relu(),),
)
mistake.value(
    "relu_too_early",
    lambda a, g: _scaled((g.mean((1, 2), keepdim=True) * a).relu().sum(0)),
    "The ReLU acts on each map, so that nothing can be taken away any more. First add the maps up.",
)
mistake.value(
    "negative_weights_dropped",
    lambda a, g: _scaled((g.mean((1, 2), keepdim=True).relu() * a).sum(0).relu()),
    "The weights went through the ReLU. A map that speaks against the class has to count "
    "too, with its minus.",
)
mistake.value(
    "gradient_unused",
    lambda a, g: _scaled(a.mean(0).relu()),
    "The gradients are not used: that is how strong the maps are, for whatever class.",
)
mistake.value(
    "roles_swapped",
    lambda a, g: _grad_cam(g, a),
    "Maps and gradients have changed places: the gradient gives the weights, the map the picture.",
)
mistake.value(
    "stretched_to_zero",
    lambda a, g: _stretched(_weighted(a, g).relu()),
    "The smallest value was pulled down to 0. Divide by the largest, and subtract nothing.",
    also=(lambda a, g: _stretched(_weighted(a, g)),),
)
mistake.value(
    "sum_of_one",
    lambda a, g: _weighted(a, g).relu() / _weighted(a, g).relu().sum().clamp(min=1e-12),
    "The numbers add up to 1. It is the largest of them that should be 1.",
)
mistake.value(
    "magnitude",
    lambda a, g: _scaled(_weighted(a, g).abs()),
    "The sign was dropped, so what speaks against the class looks as if it spoke for it.",
)
mistake.value(
    "mean_over_maps",
    lambda a, g: _scaled((g.mean(0) * a).sum(0).relu()),
    "The mean runs over the maps. One weight for each map needs the mean over its places.",
)
mistake.value(
    "strongest_gradient",
    lambda a, g: _scaled((g.amax((1, 2), keepdim=True) * a).sum(0).relu()),
    "The weight is the largest gradient of each map. Take the mean over all places.",
)


@later
def cases():
    two_maps = torch.tensor([[[2.0, 0], [1, 3]], [[0, 4], [1, 1]]])
    two_gradients = torch.tensor([[[1.0, 0], [0, 3]], [[-1, 0], [-1, 0]]])
    return (
        Case((two_maps, two_gradients)),
        Case((_numbers(3, 2, 3, seed=7), _numbers(3, 2, 3, seed=8))),
        Case((_numbers(3, 4, 4, seed=9).abs().float(), _numbers(3, 4, 4, seed=10).float())),
        Case((two_maps, -two_gradients.abs())),
    )


grad_cam_map = Exercise(
    name="grad_cam_map",
    lesson=CAM,
    reference=_grad_cam,
    cases=cases,
    mistakes=mistake,
)

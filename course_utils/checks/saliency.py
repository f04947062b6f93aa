"""The exercises of lesson 08 about maps of what an answer rests on: occlusion and Grad-CAM."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistake

COVERED = "lesson 08, 'Cover a part'"
CAM = "lesson 08, 'Grad-CAM'"


def _numbers(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-4, 5, shape, generator=generator).double() / 2


# ---- occlusion ----------------------------------------------------------------------------------


class _Score:
    """A stand-in for a network: (image * weights).sum() ** 2."""

    def __init__(self, weights):
        self.weights = weights

    def __call__(self, image):
        return (image * self.weights).sum().item() ** 2

    def __repr__(self):
        shown = self.weights.tolist() if self.weights.numel() <= 16 else "some weights"
        return f"(image * weights).sum() ** 2 with weights = {shown}"


def _corners(image, size, stride):
    rows, columns = ((side - size) // stride + 1 for side in image.shape)
    return [[(i * stride, j * stride) for j in range(columns)] for i in range(rows)]


def _cover(image, i, j, size, value=0.0):
    covered = image.clone()
    covered[i : i + size, j : j + size] = value
    return covered


def _uncover(image, i, j, size):
    return image - _cover(image, i, j, size)


def _occlusion(score, image, size, stride, cover=_cover, compare=lambda one, two: one - two):
    before = score(image)
    drops = [
        [compare(before, score(cover(image, i, j, size))) for i, j in row]
        for row in _corners(image, size, stride)
    ]
    return torch.tensor(drops, dtype=torch.float64)


def _never_restored(score, image, size, stride):
    before, covered, drops = score(image), image.clone(), []
    for row in _corners(image, size, stride):
        drops.append([])
        for i, j in row:
            covered[i : i + size, j : j + size] = 0
            drops[-1].append(before - score(covered))
    return torch.tensor(drops, dtype=torch.float64)


def _hanging_over(score, image, size, stride):
    before = score(image)
    rows, columns = (range(0, side, stride) for side in image.shape)
    drops = [[before - score(_cover(image, i, j, size)) for j in columns] for i in rows]
    return torch.tensor(drops, dtype=torch.float64)


def _one_place_lost(score, image, size, stride):
    before = score(image)
    rows, columns = (range(0, side - size, stride) for side in image.shape)
    drops = [[before - score(_cover(image, i, j, size)) for j in columns] for i in rows]
    return torch.tensor(drops, dtype=torch.float64).reshape(len(rows), len(columns))


_SMALL = torch.tensor([[1.0, 2, 0], [3, 1, 1], [0, 2, 4]], dtype=torch.float64)
_WEIGHTS = torch.tensor([[1.0, -1, 2], [0, 2, 1], [1, 0, -1]], dtype=torch.float64)

occlusion_map = Exercise(
    name="occlusion_map",
    lesson=COVERED,
    reference=_occlusion,
    cases=(
        Case((_Score(_WEIGHTS), _SMALL, 2, 1)),
        Case((_Score(_numbers(4, 6, seed=1)), _numbers(4, 6, seed=2), 2, 2)),
        Case((_Score(_numbers(5, 7, seed=3)), _numbers(5, 7, seed=4), 3, 1)),
        Case((_Score(_numbers(7, 6, seed=5)), _numbers(7, 6, seed=6), 2, 3)),
    ),
    mistakes=(
        Mistake(
            "score_itself",
            lambda *a: _occlusion(*a, compare=lambda before, after: after),
            "That is the score of the covered image. By how much has it *fallen*?",
        ),
        Mistake(
            "sign_turned",
            lambda *a: _occlusion(*a, compare=lambda before, after: after - before),
            "The sign is turned: where covering lowers the score, the drop is above 0.",
        ),
        Mistake(
            "never_restored",
            _never_restored,
            "The squares add up: what was covered once stays covered. Begin every time with a "
            "fresh copy of the image.",
        ),
        Mistake(
            "only_the_square",
            lambda *a: _occlusion(*a, cover=_uncover),
            "Everything is covered but the square. It should be the other way round.",
        ),
        Mistake(
            "one_place_lost",
            _one_place_lost,
            "The last place is missing: `range` stops before its end, and the square may touch "
            "the border.",
        ),
        Mistake(
            "stride_ignored",
            lambda score, image, size, stride: _occlusion(score, image, size, 1),
            "The square moves by one pixel. It should move by `stride`.",
        ),
        Mistake(
            "hanging_over",
            _hanging_over,
            "Some squares hang over the border. Take only places where the whole square fits.",
        ),
        Mistake(
            "distance",
            lambda *a: _occlusion(*a, compare=lambda before, after: abs(before - after)),
            "That is the size of the change, without its sign. A score that rises is a drop below "
            "0.",
        ),
        Mistake(
            "share",
            lambda *a: _occlusion(*a, compare=lambda before, after: (before - after) / before),
            "The drop is divided by the score. Here it is the difference alone.",
        ),
        Mistake(
            "filled_with_mean",
            lambda *a: _occlusion(
                *a, cover=lambda image, i, j, size: _cover(image, i, j, size, image.mean())
            ),
            "The square is filled with the mean of the image. Fill it with 0.",
        ),
        Mistake(
            "filled_with_one",
            lambda *a: _occlusion(
                *a, cover=lambda image, i, j, size: _cover(image, i, j, size, 1.0)
            ),
            "The square is filled with 1, which is white. Fill it with 0.",
        ),
        Mistake(
            "rows_and_columns_swapped",
            lambda *a: _occlusion(*a).T,
            "Rows and columns of the result are swapped.",
        ),
        Mistake(
            "flattened",
            lambda *a: _occlusion(*a).flatten(),
            "The numbers are right, but they stand in one line. Give them the places' rows and "
            "columns.",
        ),
    ),
)


# ---- Grad-CAM -----------------------------------------------------------------------------------


def _scaled(plane):
    return plane / plane.max() if plane.max() > 0 else torch.zeros_like(plane)


def _weighted(maps, gradients):
    return (gradients.mean((1, 2), keepdim=True) * maps).sum(0)


def _grad_cam(maps, gradients):
    return _scaled(_weighted(maps, gradients).relu())


def _stretched(plane):
    span = plane.max() - plane.min()
    return (plane - plane.min()) / span if span > 0 else torch.zeros_like(plane)


_TWO_MAPS = torch.tensor([[[2.0, 0], [1, 3]], [[0, 4], [1, 1]]])
_TWO_GRADIENTS = torch.tensor([[[1.0, 0], [0, 3]], [[-1, 0], [-1, 0]]])

grad_cam_map = Exercise(
    name="grad_cam_map",
    lesson=CAM,
    reference=_grad_cam,
    cases=(
        Case((_TWO_MAPS, _TWO_GRADIENTS)),
        Case((_numbers(3, 2, 3, seed=7), _numbers(3, 2, 3, seed=8))),
        Case((_numbers(3, 4, 4, seed=9).abs().float(), _numbers(3, 4, 4, seed=10).float())),
        Case((_TWO_MAPS, -_TWO_GRADIENTS.abs())),
    ),
    mistakes=(
        Mistake(
            "divided_by_zero",
            lambda a, g: _weighted(a, g).relu() / _weighted(a, g).relu().max(),
            "Where nothing speaks for the class, the largest value is 0, and 0 / 0 is nan. Leave "
            "such a map at 0.",
        ),
        Mistake(
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
        ),
        Mistake(
            "cell_by_cell",
            lambda a, g: _scaled((a * g).sum(0).relu()),
            "Map and gradient are multiplied cell by cell. Here each map has one weight, the mean "
            "of its gradient.",
        ),
        Mistake(
            "not_scaled",
            lambda a, g: _weighted(a, g).relu(),
            "The largest value should be 1: divide by it.",
            also=(lambda a, g: (g.sum((1, 2), keepdim=True) * a).sum(0).relu(),),
        ),
        Mistake(
            "relu_too_early",
            lambda a, g: _scaled((g.mean((1, 2), keepdim=True) * a).relu().sum(0)),
            "The ReLU acts on each map, so that nothing can be taken away any more. First add the "
            "maps up.",
        ),
        Mistake(
            "negative_weights_dropped",
            lambda a, g: _scaled((g.mean((1, 2), keepdim=True).relu() * a).sum(0).relu()),
            "The weights went through the ReLU. A map that speaks against the class has to count "
            "too, with its minus.",
        ),
        Mistake(
            "gradient_unused",
            lambda a, g: _scaled(a.mean(0).relu()),
            "The gradients are not used: that is how strong the maps are, for whatever class.",
        ),
        Mistake(
            "roles_swapped",
            lambda a, g: _grad_cam(g, a),
            "Maps and gradients have changed places: the gradient gives the weights, the map the "
            "picture.",
        ),
        Mistake(
            "stretched_to_zero",
            lambda a, g: _stretched(_weighted(a, g).relu()),
            "The smallest value was pulled down to 0. Divide by the largest, and subtract nothing.",
            also=(lambda a, g: _stretched(_weighted(a, g)),),
        ),
        Mistake(
            "sum_of_one",
            lambda a, g: _weighted(a, g).relu() / _weighted(a, g).relu().sum().clamp(min=1e-12),
            "The numbers add up to 1. It is the largest of them that should be 1.",
        ),
        Mistake(
            "magnitude",
            lambda a, g: _scaled(_weighted(a, g).abs()),
            "The sign was dropped, so what speaks against the class looks as if it spoke for it.",
        ),
        Mistake(
            "mean_over_maps",
            lambda a, g: _scaled((g.mean(0) * a).sum(0).relu()),
            "The mean runs over the maps. One weight for each map needs the mean over its places.",
        ),
        Mistake(
            "strongest_gradient",
            lambda a, g: _scaled((g.amax((1, 2), keepdim=True) * a).sum(0).relu()),
            "The weight is the largest gradient of each map. Take the mean over all places.",
        ),
    ),
)

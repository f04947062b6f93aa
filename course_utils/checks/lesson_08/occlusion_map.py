"""Lesson 08, exercise 3: Your own occlusion."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later

COVERED = "lesson 08, 'Cover a part'"


def _numbers(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-4, 5, shape, generator=generator).double() / 2


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


mistake = Mistakes()
mistake.value(
    "score_itself",
    lambda *a: _occlusion(*a, compare=lambda before, after: after),
    "That is the score of the covered image. By how much has it *fallen*?",
)
mistake.value(
    "sign_turned",
    lambda *a: _occlusion(*a, compare=lambda before, after: after - before),
    "The sign is turned: where covering lowers the score, the drop is above 0.",
)


@mistake(
    "The squares add up: what was covered once stays covered. Begin every time with a "
    "fresh copy of the image."
)
def never_restored(score, image, size, stride):
    before, covered, drops = score(image), image.clone(), []
    for row in _corners(image, size, stride):
        drops.append([])
        for i, j in row:
            covered[i : i + size, j : j + size] = 0
            drops[-1].append(before - score(covered))
    return torch.tensor(drops, dtype=torch.float64)


mistake.value(
    "only_the_square",
    lambda *a: _occlusion(*a, cover=_uncover),
    "Everything is covered but the square. It should be the other way round.",
)


@mistake(
    "The last place is missing: `range` stops before its end, and the square may touch the border."
)
def one_place_lost(score, image, size, stride):
    before = score(image)
    rows, columns = (range(0, side - size, stride) for side in image.shape)
    drops = [[before - score(_cover(image, i, j, size)) for j in columns] for i in rows]
    return torch.tensor(drops, dtype=torch.float64).reshape(len(rows), len(columns))


mistake.value(
    "stride_ignored",
    lambda score, image, size, stride: _occlusion(score, image, size, 1),
    "The square moves by one pixel. It should move by `stride`.",
)


@mistake("Some squares hang over the border. Take only places where the whole square fits.")
def hanging_over(score, image, size, stride):
    before = score(image)
    rows, columns = (range(0, side, stride) for side in image.shape)
    drops = [[before - score(_cover(image, i, j, size)) for j in columns] for i in rows]
    return torch.tensor(drops, dtype=torch.float64)


mistake.value(
    "distance",
    lambda *a: _occlusion(*a, compare=lambda before, after: abs(before - after)),
    "That is the size of the change, without its sign. A score that rises is a drop below 0.",
)
mistake.value(
    "share",
    lambda *a: _occlusion(*a, compare=lambda before, after: (before - after) / before),
    "The drop is divided by the score. Here it is the difference alone.",
)
mistake.value(
    "filled_with_mean",
    lambda *a: _occlusion(
        *a, cover=lambda image, i, j, size: _cover(image, i, j, size, image.mean())
    ),
    "The square is filled with the mean of the image. Fill it with 0.",
)
mistake.value(
    "filled_with_one",
    lambda *a: _occlusion(*a, cover=lambda image, i, j, size: _cover(image, i, j, size, 1.0)),
    "The square is filled with 1, which is white. Fill it with 0.",
)
mistake.value(
    "rows_and_columns_swapped",
    lambda *a: _occlusion(*a).T,
    "Rows and columns of the result are swapped.",
)
mistake.value(
    "flattened",
    lambda *a: _occlusion(*a).flatten(),
    "The numbers are right, but they stand in one line. Give them the places' rows and columns.",
)


@later
def cases():
    small = torch.tensor([[1.0, 2, 0], [3, 1, 1], [0, 2, 4]], dtype=torch.float64)
    weights = torch.tensor([[1.0, -1, 2], [0, 2, 1], [1, 0, -1]], dtype=torch.float64)
    return (
        Case((_Score(weights), small, 2, 1)),
        Case((_Score(_numbers(4, 6, seed=1)), _numbers(4, 6, seed=2), 2, 2)),
        Case((_Score(_numbers(5, 7, seed=3)), _numbers(5, 7, seed=4), 3, 1)),
        Case((_Score(_numbers(7, 6, seed=5)), _numbers(7, 6, seed=6), 2, 3)),
    )


occlusion_map = Exercise(
    name="occlusion_map",
    lesson=COVERED,
    reference=_occlusion,
    cases=cases,
    mistakes=mistake,
)

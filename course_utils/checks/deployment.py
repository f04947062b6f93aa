"""The exercises of lesson 12 that count: the bytes of a checkpoint, and where a digit stands."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistake

NUMBERS = "lesson 12, 'A file of numbers'"
REACHES = "lesson 12, 'What reaches the network'"


# ---- the bytes of a checkpoint ------------------------------------------------------------------

_PARAMETERS = 44_386
_STATISTICS = 2 * (8 + 32)  # running mean and variance of both batch norms
_COUNTERS = 2

checkpoint_bytes = Exercise(
    name="checkpoint_bytes",
    lesson=NUMBERS,
    reference=4 * (_PARAMETERS + _STATISTICS) + 8 * _COUNTERS,
    mistakes=(
        Mistake(
            "statistics_forgotten",
            4 * _PARAMETERS,
            "Those are the parameters alone. What batch normalisation has collected is saved too.",
            also=(4 * _PARAMETERS + 8 * _COUNTERS,),
        ),
        Mistake(
            "counters_forgotten",
            4 * (_PARAMETERS + _STATISTICS),
            "The two counters `num_batches_tracked` are missing.",
        ),
        Mistake(
            "counters_too_short",
            4 * (_PARAMETERS + _STATISTICS + _COUNTERS),
            "A counter is an int64, not a float32. How many bytes are 64 bits?",
        ),
        Mistake(
            "numbers_not_bytes",
            _PARAMETERS + _STATISTICS + _COUNTERS,
            "Those are numbers, not bytes. How many bytes does a number take?",
            also=(_PARAMETERS, _PARAMETERS + _STATISTICS),
        ),
        Mistake(
            "statistics_counted_twice",
            4 * (_PARAMETERS + 2 * _STATISTICS) + 8 * _COUNTERS,
            "Scale and shift of batch normalisation are parameters and counted already. Only mean "
            "and variance come on top.",
            also=(4 * (_PARAMETERS + 2 * _STATISTICS),),
        ),
        Mistake(
            "one_of_mean_and_variance",
            4 * (_PARAMETERS + _STATISTICS // 2) + 8 * _COUNTERS,
            "Batch normalisation keeps a mean and a variance for each channel, not one of the two.",
            also=(4 * (_PARAMETERS + _STATISTICS // 2),),
        ),
        Mistake(
            "eight_bytes_each",
            8 * (_PARAMETERS + _STATISTICS + _COUNTERS),
            "That is 8 bytes for each number. A float32 takes 32 bits, which is less.",
            also=(8 * _PARAMETERS, 8 * (_PARAMETERS + _STATISTICS)),
        ),
        Mistake(
            "bits",
            32 * (_PARAMETERS + _STATISTICS) + 64 * _COUNTERS,
            "Those are bits. A byte has 8 of them.",
            also=(32 * _PARAMETERS, 32 * (_PARAMETERS + _STATISTICS)),
        ),
        Mistake(
            "kilobytes",
            (4 * (_PARAMETERS + _STATISTICS) + 8 * _COUNTERS) / 1000,
            "Those are kilobytes. Give the bytes.",
            also=((4 * (_PARAMETERS + _STATISTICS) + 8 * _COUNTERS) / 1024,),
        ),
    ),
)


# ---- where a digit stands -----------------------------------------------------------------------


def _places(image):
    rows = torch.arange(image.shape[0], dtype=image.dtype)
    return rows, torch.arange(image.shape[1], dtype=image.dtype)


def _sums(image):
    rows, columns = _places(image)
    return (image.sum(1) @ rows).item(), (image.sum(0) @ columns).item()


def _centre(image):
    total = image.sum().item()
    return tuple(value / total for value in _sums(image))


def _of_the_box(image):
    return tuple((places.min() + places.max()).item() / 2 for places in image.nonzero().T)


centre_of_mass = Exercise(
    name="centre_of_mass",
    lesson=REACHES,
    reference=_centre,
    cases=(
        Case((torch.tensor([[0.0, 0, 0.5], [0, 0, 0], [0, 0, 0]]),)),
        Case((torch.tensor([[0.0, 0.5, 0.5], [0, 0, 1.0]]),)),
        Case((torch.tensor([[0.25, 0, 0, 0, 0], [0, 0, 0, 1, 0.75], [0, 0, 0, 0, 0]]),)),
        Case((torch.arange(20.0).view(5, 4) / 20,)),
    ),
    mistakes=(
        Mistake(
            "swapped",
            lambda image: _centre(image)[::-1],
            "Row and column are swapped: first how far down, then how far to the right.",
        ),
        Mistake(
            "not_divided",
            _sums,
            "The sums are not divided by all of the ink.",
        ),
        Mistake(
            "counted_from_1",
            lambda image: tuple(value + 1 for value in _centre(image)),
            "Rows and columns are counted from 0.",
        ),
        Mistake(
            "unweighted",
            lambda image: tuple(image.nonzero().double().mean(0).tolist()),
            "Each pixel with ink counts the same. A pixel counts as much as it has ink.",
        ),
        Mistake(
            "box",
            _of_the_box,
            "That is the middle of the box around the ink. How much ink lies where matters too.",
        ),
        Mistake(
            "darkest_pixel",
            lambda image: divmod(image.argmax().item(), image.shape[1]),
            "That is the place of the pixel with the most ink. All pixels with ink count.",
        ),
        Mistake(
            "divided_by_pixels",
            lambda image: tuple(value / image.numel() for value in _sums(image)),
            "The sums are divided by the number of pixels. Divide by the ink.",
        ),
        Mistake(
            "middle_of_the_picture",
            lambda image: tuple((n - 1) / 2 for n in image.shape),
            "That is the middle of the picture, wherever the ink is.",
        ),
        Mistake(
            "share_of_the_side",
            lambda image: tuple(
                value / n for value, n in zip(_centre(image), image.shape, strict=True)
            ),
            "Those are shares of the picture's height and width. Give rows and columns.",
        ),
        Mistake(
            "whole_pixels",
            lambda image: tuple(round(value) for value in _centre(image)),
            "The answer is rounded. Keep the decimals: the centre may lie between pixels.",
        ),
        Mistake(
            "way_to_the_middle",
            lambda image: tuple(
                (n - 1) / 2 - value for value, n in zip(_centre(image), image.shape, strict=True)
            ),
            "That is how far the ink has to move to stand in the middle. Where does it stand?",
        ),
    ),
)

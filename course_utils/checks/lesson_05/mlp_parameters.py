"""Lesson 05, exercise 5: Count the parameters."""

from itertools import pairwise

from course_utils.checks.engine import Exercise, Mistakes

NETWORK = "lesson 05, 'A network of four layers'"
_SIZES = (784, 256, 128, 64, 10)
_PAIRS = list(pairwise(_SIZES))
_RIGHT = [i * o + o for i, o in _PAIRS]


mistake = Mistakes()
mistake.value(
    "bias_forgotten",
    [i * o for i, o in _PAIRS],
    "Those are the weights. Each output has a bias, too.",
)
mistake.value(
    "bias_of_the_inputs",
    [i * o + i for i, o in _PAIRS],
    "There is one bias for each input here. The sum of each output has one.",
)
mistake.value(
    "one_bias",
    [i * o + 1 for i, o in _PAIRS],
    "There is one bias for the whole layer here. Each output has its own.",
)
mistake.value(
    "not_flattened",
    [28 * 256 + 256, *_RIGHT[1:]],
    "The first layer was counted with 28 inputs. The image is laid out in one row before "
    "it: how many pixels does it have?",
)
mistake.value(
    "outputs_counted",
    list(_SIZES[1:]),
    "Those are the outputs of the layers. How many weights does each of them have?",
)
mistake.value(
    "added_not_multiplied",
    [i + o for i, o in _PAIRS],
    "Inputs and outputs were added. Every output has a weight for every input.",
)
mistake.value(
    "total_only",
    sum(_RIGHT),
    "That is the sum of all. Give the four layers one by one.",
    also=([sum(_RIGHT)],),
)
mistake.value(
    "added_up",
    [sum(_RIGHT[: n + 1]) for n in range(4)],
    "The layers before are added in. Count each layer for itself.",
)
mistake.value(
    "other_way_round",
    _RIGHT[::-1],
    "The numbers are right; begin with the layer that the image meets first.",
)
mistake.value(
    "output_layer_forgotten",
    _RIGHT[:3],
    "Those are the three hidden layers. The output layer has parameters, too.",
)
mistake.value(
    "flatten_counted",
    [0, *_RIGHT],
    "`Flatten` has no parameters and is not asked for. Give the four `Linear` layers.",
)


mlp_parameters = Exercise(
    name="mlp_parameters",
    lesson=NETWORK,
    reference=_RIGHT,
    mistakes=mistake,
)

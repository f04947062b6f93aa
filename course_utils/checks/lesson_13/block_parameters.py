"""Lesson 13, exercise 1: The parameters of a block."""

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.lesson_13._block import _block

BLOCK = "lesson 13, 'Count a block'"


mistake = Mistakes()
mistake.value(
    "biases_forgotten",
    lambda d: 12 * d**2 + 4 * d,
    "The biases of the `Linear` layers are missing: one for each output.",
)
mistake.value(
    "norms_forgotten",
    lambda d: 12 * d**2 + 9 * d,
    "The layer norms are missing: each has a scale and a shift for every number.",
)
mistake.value(
    "one_norm",
    lambda d: 12 * d**2 + 11 * d,
    "There is one layer norm here. A block has two, one in front of each half.",
)
mistake.value(
    "norm_of_one_number",
    lambda d: 12 * d**2 + 9 * d + 2,
    "A layer norm has numbers for each of the d features, not one for all of them.",
    also=(lambda d: 12 * d**2 + 9 * d + 4,),
)
mistake.value(
    "weights_only",
    lambda d: 12 * d**2,
    "Those are the weights of the `Linear` layers. Biases and layer norms have parameters, too.",
)
mistake.value(
    "attention_only",
    lambda d: 4 * d**2 + 4 * d,
    "That is the attention alone. The second half and the norms are missing.",
    also=(lambda d: 4 * d**2, lambda d: 4 * d**2 + 6 * d, lambda d: 4 * d**2 + 8 * d),
)
mistake.value(
    "second_half_only",
    lambda d: 8 * d**2 + 5 * d,
    "That is the second half alone. The attention and the norms are missing.",
    also=(lambda d: 8 * d**2, lambda d: 8 * d**2 + 9 * d),
)
mistake.value(
    "result_layer_forgotten",
    lambda d: 11 * d**2 + 12 * d,
    "One `Linear` layer of the attention is missing: behind query, key and value comes one "
    "for the result.",
)
mistake.value(
    "query_key_value_counted_once",
    lambda d: 10 * d**2 + 11 * d,
    "Query, key and value are three, even if one layer makes all of them: d to 3d.",
)
mistake.value(
    "down_forgotten", lambda d: 8 * d**2 + 12 * d, "The second half goes up to 4d *and* down again."
)
mistake.value(
    "four_times_forgotten",
    lambda d: 6 * d**2 + 10 * d,
    "The second half is four times as wide inside: d to 4d and back.",
)


@later
def cases():
    return tuple(Case((d,)) for d in (1, 2, 4, 64, 768, 12_288))


block_parameters = Exercise(
    name="block_parameters",
    lesson=BLOCK,
    reference=_block,
    cases=cases,
    mistakes=mistake,
)

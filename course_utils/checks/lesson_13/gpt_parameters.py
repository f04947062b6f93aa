"""Lesson 13, exercise 2: The parameters of a GPT."""

from course_utils.checks.engine import Case, Exercise, Mistakes
from course_utils.checks.lesson_13._block import _block

MODELS = "lesson 13, 'Three published models'"


def _gpt(layers, d, vocabulary, context):
    return (vocabulary + context) * d + layers * _block(d) + 2 * d


mistake = Mistakes()
mistake.value(
    "last_layer_counted_again",
    lambda layers, d, v, c: _gpt(layers, d, v, c) + v * d,
    "The token embedding is counted twice. The last layer uses the same numbers.",
    also=(lambda layers, d, v, c: _gpt(layers, d, v, c) + v * d + v,),
)
mistake.value(
    "places_forgotten",
    lambda layers, d, v, c: _gpt(layers, d, v, 0),
    "The places are missing: the second embedding has a row for each of them.",
)
mistake.value(
    "last_norm_forgotten",
    lambda layers, d, v, c: _gpt(layers, d, v, c) - 2 * d,
    "The last layer norm is missing.",
)
mistake.value(
    "last_norm_without_shift",
    lambda layers, d, v, c: _gpt(layers, d, v, c) - d,
    "The last layer norm has a scale and a shift, 2d in all.",
)
mistake.value(
    "tokens_forgotten",
    lambda layers, d, v, c: _gpt(layers, d, 0, c),
    "The token embedding is missing: one row for each token of the vocabulary.",
)
mistake.value(
    "blocks_only",
    lambda layers, d, v, c: layers * _block(d),
    "Those are the blocks. In front of them stand two embeddings, behind them a norm.",
    also=(lambda layers, d, v, c: layers * _block(d) + 2 * d,),
)
mistake.value(
    "one_block",
    lambda layers, d, v, c: _gpt(1, d, v, c),
    "One block is counted. There are `layers` of them, each with its own parameters.",
)
mistake.value(
    "embedding_has_a_bias",
    lambda layers, d, v, c: _gpt(layers, d, v, c) + 2 * d,
    "There are 2d too many. Does an embedding have a bias?",
)
mistake.value(
    "a_norm_for_each_block",
    lambda layers, d, v, c: _gpt(layers, d, v, c) + 2 * d * (layers - 1 or 1),
    "The norm behind the blocks stands there once; those inside are in `block_count`.",
    also=(lambda layers, d, v, c: _gpt(layers, d, v, c) + 2 * d * layers - 2 * d,),
)
mistake.value(
    "vocabulary_times_context",
    lambda layers, d, v, c: v * c * d + layers * _block(d) + 2 * d,
    "Vocabulary and context are multiplied. They are two tables: add their rows.",
)
mistake.value(
    "twelve_d_squared",
    lambda layers, d, v, c: (v + c) * d + layers * 12 * d**2 + 2 * d,
    "A block is taken as 12 d². That is close, but here every parameter counts.",
)


gpt_parameters = Exercise(
    name="gpt_parameters",
    lesson=MODELS,
    reference=_gpt,
    cases=(
        Case((1, 2, 5, 3)),
        Case((3, 4, 10, 6)),
        Case((2, 32, 100, 16)),
        Case((12, 768, 50_257, 1024)),
        Case((96, 12_288, 50_257, 2048)),
    ),
    mistakes=mistake,
)

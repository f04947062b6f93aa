"""The exercises of lesson 13 about size: parameters of a transformer, and the memory they take."""

from course_utils.checks.engine import Case, Exercise, Mistake

BLOCK = "lesson 13, 'Count a block'"
MODELS = "lesson 13, 'Three published models'"
MEMORY = "lesson 13, 'What a step has to remember'"


# ---- one block ----------------------------------------------------------------------------------


def _block(d):
    return 12 * d**2 + 13 * d


block_parameters = Exercise(
    name="block_parameters",
    lesson=BLOCK,
    reference=_block,
    cases=tuple(Case((d,)) for d in (1, 2, 4, 64, 768, 12_288)),
    mistakes=(
        Mistake(
            "biases_forgotten",
            lambda d: 12 * d**2 + 4 * d,
            "The biases of the `Linear` layers are missing: one for each output.",
        ),
        Mistake(
            "norms_forgotten",
            lambda d: 12 * d**2 + 9 * d,
            "The layer norms are missing: each has a scale and a shift for every number.",
        ),
        Mistake(
            "one_norm",
            lambda d: 12 * d**2 + 11 * d,
            "There is one layer norm here. A block has two, one in front of each half.",
        ),
        Mistake(
            "norm_of_one_number",
            lambda d: 12 * d**2 + 9 * d + 2,
            "A layer norm has numbers for each of the d features, not one for all of them.",
            also=(lambda d: 12 * d**2 + 9 * d + 4,),
        ),
        Mistake(
            "weights_only",
            lambda d: 12 * d**2,
            "Those are the weights of the `Linear` layers. Biases and layer norms have parameters, "
            "too.",
        ),
        Mistake(
            "attention_only",
            lambda d: 4 * d**2 + 4 * d,
            "That is the attention alone. The second half and the norms are missing.",
            also=(lambda d: 4 * d**2, lambda d: 4 * d**2 + 6 * d, lambda d: 4 * d**2 + 8 * d),
        ),
        Mistake(
            "second_half_only",
            lambda d: 8 * d**2 + 5 * d,
            "That is the second half alone. The attention and the norms are missing.",
            also=(lambda d: 8 * d**2, lambda d: 8 * d**2 + 9 * d),
        ),
        Mistake(
            "result_layer_forgotten",
            lambda d: 11 * d**2 + 12 * d,
            "One `Linear` layer of the attention is missing: behind query, key and value comes one "
            "for the result.",
        ),
        Mistake(
            "query_key_value_counted_once",
            lambda d: 10 * d**2 + 11 * d,
            "Query, key and value are three, even if one layer makes all of them: d to 3d.",
        ),
        Mistake(
            "down_forgotten",
            lambda d: 8 * d**2 + 12 * d,
            "The second half goes up to 4d *and* down again.",
        ),
        Mistake(
            "four_times_forgotten",
            lambda d: 6 * d**2 + 10 * d,
            "The second half is four times as wide inside: d to 4d and back.",
        ),
    ),
)


# ---- the whole model ----------------------------------------------------------------------------


def _gpt(layers, d, vocabulary, context):
    return (vocabulary + context) * d + layers * _block(d) + 2 * d


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
    mistakes=(
        Mistake(
            "last_layer_counted_again",
            lambda layers, d, v, c: _gpt(layers, d, v, c) + v * d,
            "The token embedding is counted twice. The last layer uses the same numbers.",
            also=(lambda layers, d, v, c: _gpt(layers, d, v, c) + v * d + v,),
        ),
        Mistake(
            "places_forgotten",
            lambda layers, d, v, c: _gpt(layers, d, v, 0),
            "The places are missing: the second embedding has a row for each of them.",
        ),
        Mistake(
            "last_norm_forgotten",
            lambda layers, d, v, c: _gpt(layers, d, v, c) - 2 * d,
            "The last layer norm is missing.",
        ),
        Mistake(
            "last_norm_without_shift",
            lambda layers, d, v, c: _gpt(layers, d, v, c) - d,
            "The last layer norm has a scale and a shift, 2d in all.",
        ),
        Mistake(
            "tokens_forgotten",
            lambda layers, d, v, c: _gpt(layers, d, 0, c),
            "The token embedding is missing: one row for each token of the vocabulary.",
        ),
        Mistake(
            "blocks_only",
            lambda layers, d, v, c: layers * _block(d),
            "Those are the blocks. In front of them stand two embeddings, behind them a norm.",
            also=(lambda layers, d, v, c: layers * _block(d) + 2 * d,),
        ),
        Mistake(
            "one_block",
            lambda layers, d, v, c: _gpt(1, d, v, c),
            "One block is counted. There are `layers` of them, each with its own parameters.",
        ),
        Mistake(
            "embedding_has_a_bias",
            lambda layers, d, v, c: _gpt(layers, d, v, c) + 2 * d,
            "There are 2d too many. Does an embedding have a bias?",
        ),
        Mistake(
            "a_norm_for_each_block",
            lambda layers, d, v, c: _gpt(layers, d, v, c) + 2 * d * (layers - 1 or 1),
            "The norm behind the blocks stands there once; those inside are in `block_count`.",
            also=(lambda layers, d, v, c: _gpt(layers, d, v, c) + 2 * d * layers - 2 * d,),
        ),
        Mistake(
            "vocabulary_times_context",
            lambda layers, d, v, c: v * c * d + layers * _block(d) + 2 * d,
            "Vocabulary and context are multiplied. They are two tables: add their rows.",
        ),
        Mistake(
            "twelve_d_squared",
            lambda layers, d, v, c: (v + c) * d + layers * 12 * d**2 + 2 * d,
            "A block is taken as 12 d². That is close, but here every parameter counts.",
        ),
    ),
)


# ---- memory -------------------------------------------------------------------------------------

cards_for_gpt3 = Exercise(
    name="cards_for_gpt3",
    lesson=MEMORY,
    reference=[9, 18, 35],
    mistakes=(
        Mistake(
            "rounded_down",
            [8, 17, 34],
            "That is one card short: what is left over needs a card, too.",
        ),
        Mistake("not_whole", [8.73, 17.46, 34.92], "There is no part of a card: round up."),
        Mistake(
            "one_byte",
            [3, 5, 9],
            "One byte for each number is too few: float32 takes 32 bits.",
            also=([3, 3, 3],),
        ),
        Mistake(
            "sixteen_bits",
            [5, 9, 18],
            "That is right for numbers of 16 bits. float32 takes four bytes.",
        ),
        Mistake(
            "gradients_forgotten",
            [9, 9, 27],
            "The gradients are missing: training needs one for each parameter, with SGD, too.",
            also=([9, 9, 18], [9, 9, 35]),
        ),
        Mistake(
            "adam_keeps_one",
            [9, 18, 27],
            "Adam keeps two averages for each parameter: of the gradient and of its square.",
        ),
        Mistake(
            "bits",
            [70, 140, 280],
            "Those are bits. A byte has eight, and the card's 80 GB are bytes.",
        ),
        Mistake(
            "float64",
            [18, 35, 70],
            "Eight bytes a number is float64. The course computes in float32.",
        ),
        Mistake("running_needs_gradients", [18, 18, 35], "To run a model takes its weights alone."),
        Mistake(
            "activations_counted",
            [9, 27, 35],
            "SGD without momentum keeps weights and gradients, two numbers a parameter.",
        ),
    ),
)

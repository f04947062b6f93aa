"""The exercise of lesson 10 that needs a pencil only: how many numbers learn."""

from course_utils.checks.engine import Exercise, Mistake
from course_utils.checks.lora import LORA

HEAD_ONLY, PAIR_FC, PAIR_CONV = 64 * 5 + 5, 2 * (256 + 64), 2 * 8 * 25 + 2 * 16

trainable_by_hand = Exercise(
    name="trainable_by_hand",
    lesson=LORA,
    reference=[HEAD_ONLY, PAIR_FC, PAIR_CONV],
    mistakes=(
        Mistake(
            "head_bias_forgotten",
            [64 * 5, PAIR_FC, PAIR_CONV],
            "The head has a bias, too: one number for each class.",
        ),
        Mistake(
            "rank_forgotten",
            [HEAD_ONLY, PAIR_FC // 2, PAIR_CONV // 2],
            "Those are pairs of rank 1. Each rank brings another column and another row.",
        ),
        Mistake(
            "old_layer_counted",
            [HEAD_ONLY, 256 * 64 + 64, 8 * 16 * 25 + 16],
            "Those are the old layers, which are frozen. Count the pairs beside them.",
        ),
        Mistake(
            "both_counted",
            [HEAD_ONLY, PAIR_FC + 256 * 64 + 64, PAIR_CONV + 8 * 16 * 25 + 16],
            "The frozen layers are counted, too. They do not learn.",
        ),
        Mistake(
            "kernel_forgotten",
            [HEAD_ONLY, PAIR_FC, 2 * (8 + 16)],
            "The kernel is missing: the first convolution of the pair is 5 × 5.",
        ),
        Mistake(
            "kernel_counted_twice",
            [HEAD_ONLY, PAIR_FC, 2 * (8 + 16) * 25],
            "The second convolution of the pair is 1 × 1, not 5 × 5.",
        ),
        Mistake(
            "one_side_of_the_kernel",
            [HEAD_ONLY, PAIR_FC, 2 * 8 * 5 + 2 * 16],
            "A kernel of 5 × 5 has 25 cells.",
        ),
        Mistake(
            "first_of_each_pair",
            [HEAD_ONLY, 2 * 256, 2 * 8 * 25],
            "Those are the first halves of the pairs. The way back up has numbers, too.",
        ),
        Mistake(
            "biased_pairs",
            [HEAD_ONLY, PAIR_FC + 2 + 64, PAIR_CONV + 2 + 16],
            "The pairs have no bias: the old layer has one already.",
        ),
        Mistake(
            "product_of_sizes",
            [HEAD_ONLY, 2 * 256 * 64, 2 * 8 * 16 * 25],
            "The sizes are multiplied. A pair has two thin matrices, so add their sizes.",
        ),
        Mistake(
            "head_counted_everywhere",
            [HEAD_ONLY, PAIR_FC + HEAD_ONLY, PAIR_CONV + HEAD_ONLY],
            "The head is counted in every line. Count the pair alone in the second and the third.",
        ),
    ),
)

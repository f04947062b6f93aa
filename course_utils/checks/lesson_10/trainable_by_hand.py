"""Lesson 10, exercise 4: How many learn?"""

from course_utils.checks.engine import Exercise, Mistakes

HEAD_ONLY, PAIR_FC, PAIR_CONV = 64 * 5 + 5, 2 * (256 + 64), 2 * 8 * 25 + 2 * 16
LORA = "lesson 10, 'A small correction'"


mistake = Mistakes()
mistake.value(
    "head_bias_forgotten",
    [64 * 5, PAIR_FC, PAIR_CONV],
    "The head has a bias, too: one number for each class.",
)
mistake.value(
    "rank_forgotten",
    [HEAD_ONLY, PAIR_FC // 2, PAIR_CONV // 2],
    "Those are pairs of rank 1. Each rank brings another column and another row.",
)
mistake.value(
    "old_layer_counted",
    [HEAD_ONLY, 256 * 64 + 64, 8 * 16 * 25 + 16],
    "Those are the old layers, which are frozen. Count the pairs beside them.",
)
mistake.value(
    "both_counted",
    [HEAD_ONLY, PAIR_FC + 256 * 64 + 64, PAIR_CONV + 8 * 16 * 25 + 16],
    "The frozen layers are counted, too. They do not learn.",
)
mistake.value(
    "kernel_forgotten",
    [HEAD_ONLY, PAIR_FC, 2 * (8 + 16)],
    "The kernel is missing: the first convolution of the pair is 5 × 5.",
)
mistake.value(
    "kernel_counted_twice",
    [HEAD_ONLY, PAIR_FC, 2 * (8 + 16) * 25],
    "The second convolution of the pair is 1 × 1, not 5 × 5.",
)
mistake.value(
    "one_side_of_the_kernel",
    [HEAD_ONLY, PAIR_FC, 2 * 8 * 5 + 2 * 16],
    "A kernel of 5 × 5 has 25 cells.",
)
mistake.value(
    "first_of_each_pair",
    [HEAD_ONLY, 2 * 256, 2 * 8 * 25],
    "Those are the first halves of the pairs. The way back up has numbers, too.",
)
mistake.value(
    "biased_pairs",
    [HEAD_ONLY, PAIR_FC + 2 + 64, PAIR_CONV + 2 + 16],
    "The pairs have no bias: the old layer has one already.",
)
mistake.value(
    "product_of_sizes",
    [HEAD_ONLY, 2 * 256 * 64, 2 * 8 * 16 * 25],
    "The sizes are multiplied. A pair has two thin matrices, so add their sizes.",
)
mistake.value(
    "head_counted_everywhere",
    [HEAD_ONLY, PAIR_FC + HEAD_ONLY, PAIR_CONV + HEAD_ONLY],
    "The head is counted in every line. Count the pair alone in the second and the third.",
)


trainable_by_hand = Exercise(
    name="trainable_by_hand",
    lesson=LORA,
    reference=[HEAD_ONLY, PAIR_FC, PAIR_CONV],
    mistakes=mistake,
)

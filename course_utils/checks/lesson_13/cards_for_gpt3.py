"""Lesson 13, exercise 3: The memory of GPT-3."""

from course_utils.checks.engine import Exercise, Mistakes

MEMORY = "lesson 13, 'What a step has to remember'"


mistake = Mistakes()
mistake.value(
    "rounded_down", [8, 17, 34], "That is one card short: what is left over needs a card, too."
)
mistake.value("not_whole", [8.73, 17.46, 34.92], "There is no part of a card: round up.")
mistake.value(
    "one_byte",
    [3, 5, 9],
    "One byte for each number is too few: float32 takes 32 bits.",
    also=([3, 3, 3],),
)
mistake.value(
    "sixteen_bits", [5, 9, 18], "That is right for numbers of 16 bits. float32 takes four bytes."
)
mistake.value(
    "gradients_forgotten",
    [9, 9, 27],
    "The gradients are missing: training needs one for each parameter, with SGD, too.",
    also=([9, 9, 18], [9, 9, 35]),
)
mistake.value(
    "adam_keeps_one",
    [9, 18, 27],
    "Adam keeps two averages for each parameter: of the gradient and of its square.",
)
mistake.value(
    "bits", [70, 140, 280], "Those are bits. A byte has eight, and the card's 80 GB are bytes."
)
mistake.value(
    "float64", [18, 35, 70], "Eight bytes a number is float64. The course computes in float32."
)
mistake.value("running_needs_gradients", [18, 18, 35], "To run a model takes its weights alone.")
mistake.value(
    "activations_counted",
    [9, 27, 35],
    "SGD without momentum keeps weights and gradients, two numbers a parameter.",
)


cards_for_gpt3 = Exercise(
    name="cards_for_gpt3",
    lesson=MEMORY,
    reference=[9, 18, 35],
    mistakes=mistake,
)

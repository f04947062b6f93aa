"""Lesson 12, exercise 1: What it weighs."""

from course_utils.checks.engine import Exercise, Mistakes

NUMBERS = "lesson 12, 'A file of numbers'"
_PARAMETERS = 44_386
_STATISTICS = 2 * (8 + 32)  # running mean and variance of both batch norms
_COUNTERS = 2


mistake = Mistakes()
mistake.value(
    "statistics_forgotten",
    4 * _PARAMETERS,
    "Those are the parameters alone. What batch normalisation has collected is saved too.",
    also=(4 * _PARAMETERS + 8 * _COUNTERS,),
)
mistake.value(
    "counters_forgotten",
    4 * (_PARAMETERS + _STATISTICS),
    "The two counters `num_batches_tracked` are missing.",
)
mistake.value(
    "counters_too_short",
    4 * (_PARAMETERS + _STATISTICS + _COUNTERS),
    "A counter is an int64, not a float32. How many bytes are 64 bits?",
)
mistake.value(
    "numbers_not_bytes",
    _PARAMETERS + _STATISTICS + _COUNTERS,
    "Those are numbers, not bytes. How many bytes does a number take?",
    also=(_PARAMETERS, _PARAMETERS + _STATISTICS),
)
mistake.value(
    "statistics_counted_twice",
    4 * (_PARAMETERS + 2 * _STATISTICS) + 8 * _COUNTERS,
    "Scale and shift of batch normalisation are parameters and counted already. Only mean "
    "and variance come on top.",
    also=(4 * (_PARAMETERS + 2 * _STATISTICS),),
)
mistake.value(
    "one_of_mean_and_variance",
    4 * (_PARAMETERS + _STATISTICS // 2) + 8 * _COUNTERS,
    "Batch normalisation keeps a mean and a variance for each channel, not one of the two.",
    also=(4 * (_PARAMETERS + _STATISTICS // 2),),
)
mistake.value(
    "eight_bytes_each",
    8 * (_PARAMETERS + _STATISTICS + _COUNTERS),
    "That is 8 bytes for each number. A float32 takes 32 bits, which is less.",
    also=(8 * _PARAMETERS, 8 * (_PARAMETERS + _STATISTICS)),
)
mistake.value(
    "bits",
    32 * (_PARAMETERS + _STATISTICS) + 64 * _COUNTERS,
    "Those are bits. A byte has 8 of them.",
    also=(32 * _PARAMETERS, 32 * (_PARAMETERS + _STATISTICS)),
)
mistake.value(
    "kilobytes",
    (4 * (_PARAMETERS + _STATISTICS) + 8 * _COUNTERS) / 1000,
    "Those are kilobytes. Give the bytes.",
    also=((4 * (_PARAMETERS + _STATISTICS) + 8 * _COUNTERS) / 1024,),
)


checkpoint_bytes = Exercise(
    name="checkpoint_bytes",
    lesson=NUMBERS,
    reference=4 * (_PARAMETERS + _STATISTICS) + 8 * _COUNTERS,
    mistakes=mistake,
)

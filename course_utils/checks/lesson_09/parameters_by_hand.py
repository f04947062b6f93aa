"""Lesson 09, exercise 1: Six layers with a pencil."""

import itertools

from course_utils.checks.engine import Exercise, Mistakes

LAYERS = "lesson 09, 'One line a layer'"
_COUNTS = [608, 16, 80, 144, 0, 7850]


def _some(wrong):
    """The wrong numbers, all of them first, then every choice of them beside right ones."""
    pairs = [dict.fromkeys(pair) for pair in zip(wrong, _COUNTS, strict=True)]
    everything, *others = ([*choice] for choice in itertools.product(*pairs))
    return everything, tuple(answer for answer in others if answer != _COUNTS)


def _misread(name, wrong, sentence, also=()):
    """A mistake that may be made in one of the six layers, in some or in all."""
    answer, others = _some(wrong)
    mistake.value(name, answer, sentence, (*others, *also))


mistake = Mistakes()
_misread(
    "bias_forgotten",
    [600, 16, 72, 128, 0, 7840],
    "The biases are missing. Convolutions and Linear add one number per output channel or "
    "output feature.",
    also=([600, 8, 72, 128, 0, 7840],),
)
mistake.value(
    "groups_ignored",
    [608, 16, 584, 144, 0, 7850],
    "With `groups=8` each output channel reads one of the eight input channels, not all.",
)
mistake.value(
    "one_scale_and_no_shift",
    [608, 8, 80, 144, 0, 7850],
    "A batch norm learns two numbers for each channel: a scale and a shift.",
    also=([608, 2, 80, 144, 0, 7850], [608, 1, 80, 144, 0, 7850]),
)
mistake.value(
    "statistics_counted",
    [608, 32, 80, 144, 0, 7850],
    "The running mean and variance are counted too. They are measured, not trained.",
    also=([608, 33, 80, 144, 0, 7850],),
)
mistake.value(
    "pooling_counted",
    [608, 16, 80, 144, 4, 7850],
    "A pooling has a window, but nothing in it is trained.",
    also=([608, 16, 80, 144, 64, 7850], [608, 16, 80, 144, 8, 7850]),
)
_misread(
    "side_for_area",
    [128, 16, 32, 144, 0, 7850],
    "A kernel of 5 × 5 has 25 numbers, one of 3 × 3 has 9.",
)
_misread(
    "input_channels_left_out",
    [208, 16, 80, 32, 0, 7850],
    "The input channels are missing: an output channel has a kernel for each one it reads.",
)
_misread(
    "output_channels_left_out",
    [83, 16, 17, 24, 0, 7850],
    "The output channels are missing: each of them has kernels of its own.",
    also=([75, 16, 9, 8, 0, 7850], [76, 16, 10, 9, 0, 7850]),
)
_misread(
    "one_bias_for_all",
    [601, 16, 73, 129, 0, 7841],
    "One bias is counted for the whole layer. There is one for each output.",
)
_misread(
    "bias_for_each_input",
    [603, 16, 80, 136, 0, 8624],
    "The biases are counted by inputs. They are added to the outputs.",
)
_misread(
    "bias_for_each_kernel",
    [624, 16, 80, 256, 0, 7850],
    "A bias is counted for every kernel. The sums over all input channels share one.",
)


parameters_by_hand = Exercise(
    name="parameters_by_hand",
    lesson=LAYERS,
    reference=_COUNTS,
    mistakes=mistake,
)

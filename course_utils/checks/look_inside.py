"""The exercises of lesson 08 about what a cell sees, and about what a map can say."""

from itertools import product

from course_utils.checks.engine import Case, Exercise, Mistake

FIELD = "lesson 08, 'How far does a cell see?'"
MOVES = "lesson 08, 'When the digit moves'"
TRUST = "lesson 08, 'Does the map know the network?'"

# ---- the receptive field, layer by layer --------------------------------------------------------


def _field(layers, grow=lambda k, s, d, jump: (k - 1) * d * jump, leap=lambda j, s, d: j * s):
    """Size and jump after `layers`; `grow` and `leap` are what wrong answers get wrong."""
    size, jump = 1, 1
    for k, s, d in layers:
        size += grow(k, s, d, jump)
        jump = leap(jump, s, d)
    return size, jump


def _stride_first(layers):
    size, jump = 1, 1
    for k, s, d in layers:
        jump *= s
        size += (k - 1) * d * jump
    return size, jump


def _stride_before_only(layers):
    size, before = 1, 1
    for k, s, d in layers:
        size += (k - 1) * d * before
        before = s
    return size, before


def _kernels_multiplied(layers):
    size, jump = 1, 1
    for k, s, _ in layers:
        size, jump = size * k, jump * s
    return size, jump


field_and_jump = Exercise(
    name="field_and_jump",
    lesson=FIELD,
    reference=_field,
    cases=(
        Case(([(3, 1, 1)],)),
        Case(([(3, 1, 1), (3, 1, 1)],)),
        Case(([(2, 2, 1), (3, 1, 1)],)),
        Case(([(3, 1, 2)],)),
        Case(([(5, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1)],)),
        Case(([(3, 3, 1), (3, 2, 2), (2, 2, 1), (3, 1, 1)],)),
        Case(([],)),
    ),
    mistakes=(
        Mistake(
            "starts_at_zero",
            lambda layers: (_field(layers)[0] - 1, _field(layers)[1]),
            "One is missing. Before any layer a cell is a pixel, and a pixel sees itself.",
        ),
        Mistake(
            "stride_first",
            _stride_first,
            "A layer's own stride is already used for its own size. It says how far apart the "
            "cells that come out lie, so only the layers after it feel it.",
        ),
        Mistake(
            "stride_ignored",
            lambda layers: _field(layers, leap=lambda j, s, d: 1),
            "The strides are missing: after a stride of 2, neighbours lie two pixels apart.",
        ),
        Mistake(
            "jump_not_used",
            lambda layers: _field(layers, grow=lambda k, s, d, jump: (k - 1) * d),
            "The jump is right, but the size does not use it: a step to the next cell is a step "
            "of `jump` pixels.",
        ),
        Mistake(
            "stride_before_only",
            _stride_before_only,
            "Only the stride of the layer just before counts here. The strides of all layers "
            "before multiply.",
        ),
        Mistake(
            "strides_added",
            lambda layers: _field(layers, leap=lambda j, s, d: j + s - 1),
            "The strides are added. Every second of every second cell is every fourth pixel.",
        ),
        Mistake(
            "kernel_added_whole",
            lambda layers: _field(layers, grow=lambda k, s, d, jump: k * d * jump),
            "A kernel of k covers k cells, but from the first to the last there are only k − 1 "
            "steps.",
        ),
        Mistake(
            "dilation_ignored",
            lambda layers: _field(layers, grow=lambda k, s, d, jump: (k - 1) * jump),
            "The dilation is missing: it spreads the kernel's cells apart.",
        ),
        Mistake(
            "dilation_in_jump",
            lambda layers: _field(layers, leap=lambda j, s, d: j * s * d),
            "Dilation widens one layer's kernel. It does not move the cells that come out apart: "
            "only the stride does.",
        ),
        Mistake(
            "last_layer_first",
            lambda layers: _field(layers[::-1]),
            "The layers are taken from the last to the first. The image goes through the first "
            "one first.",
        ),
        Mistake(
            "kernels_multiplied",
            _kernels_multiplied,
            "The kernels are multiplied. Each layer adds something at the two ends of what is "
            "seen already.",
        ),
        Mistake(
            "swapped",
            lambda layers: _field(layers)[::-1],
            "The two results are swapped: first the size, then the jump.",
        ),
    ),
)


# ---- the smallest shift that an output follows exactly ------------------------------------------

# The five stacks of the lesson: (kernel, stride, dilation) of every layer.
STACKS = (
    ((3, 1, 1), (3, 1, 1), (3, 1, 1)),
    ((5, 1, 1), (2, 2, 1)),
    ((3, 3, 1), (3, 2, 1)),
    ((3, 1, 4),),
    ((3, 2, 1), (2, 2, 1), (2, 2, 1)),
)
_POOLED = (set(), {1}, {0}, set(), {1, 2})  # which of their layers are poolings


def _of_each(answer):
    return [answer(stack, pools) for stack, pools in zip(STACKS, _POOLED, strict=True)]


def _strides(stack, keep=lambda number: True):
    steps = 1
    for number, (_, s, _) in enumerate(stack):
        steps *= s if keep(number) else 1
    return steps


smallest_shift = Exercise(
    name="smallest_shift",
    lesson=MOVES,
    reference=_of_each(lambda stack, pools: _strides(stack)),
    mistakes=(
        Mistake(
            "last_stride",
            _of_each(lambda stack, pools: stack[-1][1]),
            "Only the last layer's stride is counted. The image passes through all of them.",
        ),
        Mistake(
            "strides_added",
            _of_each(lambda stack, pools: 1 + sum(s - 1 for _, s, _ in stack)),
            "The strides are added. To move the last output by one cell, the one before it must "
            "move by that layer's whole stride.",
            also=(_of_each(lambda stack, pools: sum(s for _, s, _ in stack)),),
        ),
        Mistake(
            "pooling_not_counted",
            _of_each(lambda stack, pools: _strides(stack, lambda n: n not in pools)),
            "The poolings are not counted. A pooling has a stride too: by default the size of its "
            "window.",
        ),
        Mistake(
            "only_pooling_counted",
            _of_each(lambda stack, pools: _strides(stack, lambda n: n in pools)),
            "Only the poolings are counted. A convolution with a stride skips places as well.",
        ),
        Mistake(
            "always_one",
            [1] * len(STACKS),
            "A convolution with stride 1 follows every shift. What else stands in these stacks?",
        ),
        Mistake(
            "receptive_fields",
            _of_each(lambda stack, pools: _field(stack)[0]),
            "Those are the sizes of what a cell sees. Asked is how far apart the neighbours lie.",
        ),
        Mistake(
            "dilation_counted",
            _of_each(lambda stack, pools: _strides(stack) * stack[-1][2]),
            "Dilation spreads the kernel, but the kernel still stops at every pixel.",
        ),
        Mistake(
            "largest_stride",
            _of_each(lambda stack, pools: max(s for _, s, _ in stack)),
            "Only the largest stride of each stack is counted. All of them multiply.",
        ),
        Mistake(
            "layers_counted",
            _of_each(lambda stack, pools: len(stack)),
            "Those are the numbers of layers. How many there are does not matter.",
        ),
        Mistake(
            "kernels_multiplied",
            _of_each(lambda stack, pools: _kernels_multiplied(stack)[0]),
            "Those are the kernels' sizes, multiplied. What matters is the step of a kernel, not "
            "its size.",
        ),
    ),
)


# ---- what a map can say -------------------------------------------------------------------------

CLAIMS = "abcdef"
_MEASURED = "ae"
_WHY = {  # of each claim: the mistake of who gets it wrong
    "a": (
        "measurement_doubted",
        "Statement a says nothing but what was done: cover, ask again, subtract.",
    ),
    "b": (
        "idea_read_into_it",
        "Statement b says what the network knows. A map says where something matters, not what "
        "is thought about it there.",
    ),
    "c": (
        "white_means_unused",
        "Look again at statement c: ReLU has made everything below 0 white, and one cell of the "
        "map stands for 16 × 16 pixels.",
    ),
    "d": (
        "looks_right",
        "Statement d trusts the eye. One of the maps above looked like the digit, and belonged to "
        "a network that knew nothing.",
    ),
    "e": (
        "test_doubted",
        "Statement e is what the table shows: new weights, another map.",
    ),
    "f": (
        "map_proves_answer",
        "Statement f goes from the map to the truth. Wrong answers have maps too.",
    ),
}


def _letters(answer):
    """The chosen statements in one order, as a function that returns them."""
    listed = isinstance(answer, str | list | tuple | set)
    if not listed or not all(isinstance(part, str) for part in answer):
        raise ValueError("Give the letters of the statements in quotes, such as 'bd'")
    chosen = {letter for part in answer for letter in part.lower() if letter.isalnum()}
    if strange := chosen - set(CLAIMS):
        raise ValueError(f"There is no statement {min(strange)!r}: they go from a to f")
    return lambda: "".join(sorted(chosen))


def _first_wrong(letter):
    """All answers that are right up to a statement and wrong about that one."""
    place = CLAIMS.index(letter)
    right = [claim in _MEASURED for claim in CLAIMS[:place]]
    for rest in product((False, True), repeat=len(CLAIMS) - place - 1):
        flags = [*right, letter not in _MEASURED, *rest]
        answer = "".join(c for c, flag in zip(CLAIMS, flags, strict=True) if flag)
        if answer not in (CLAIMS, ""):
            yield answer


def _misreading(letter):
    name, sentence = _WHY[letter]
    answer, *also = sorted(_first_wrong(letter), key=lambda a: len(set(a) ^ set(_MEASURED)))
    return Mistake(name, answer, sentence, tuple(also))


measured_claims = Exercise(
    name="measured_claims",
    lesson=TRUST,
    reference=_MEASURED,
    prepare=_letters,
    mistakes=(
        Mistake(
            "all_believed",
            CLAIMS,
            "Not every statement was measured. For each one ask: which cell of this lesson "
            "computed it?",
        ),
        Mistake(
            "none_believed",
            "",
            "That is too careful. Some of the statements repeat a number that was printed above.",
        ),
        *(_misreading(letter) for letter in CLAIMS),
    ),
)

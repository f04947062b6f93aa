"""Lesson 08, exercise 1: Size and jump."""

from course_utils.checks.engine import Case, Exercise, Mistakes
from course_utils.checks.lesson_08._receptive_field import _field, _kernels_multiplied

FIELD = "lesson 08, 'How far does a cell see?'"


mistake = Mistakes()
mistake.value(
    "starts_at_zero",
    lambda layers: (_field(layers)[0] - 1, _field(layers)[1]),
    "One is missing. Before any layer a cell is a pixel, and a pixel sees itself.",
)


@mistake(
    "A layer's own stride is already used for its own size. It says how far apart the "
    "cells that come out lie, so only the layers after it feel it."
)
def stride_first(layers):
    size, jump = 1, 1
    for k, s, d in layers:
        jump *= s
        size += (k - 1) * d * jump
    return size, jump


mistake.value(
    "stride_ignored",
    lambda layers: _field(layers, leap=lambda j, s, d: 1),
    "The strides are missing: after a stride of 2, neighbours lie two pixels apart.",
)
mistake.value(
    "jump_not_used",
    lambda layers: _field(layers, grow=lambda k, s, d, jump: (k - 1) * d),
    "The jump is right, but the size does not use it: a step to the next cell is a step "
    "of `jump` pixels.",
)


@mistake(
    "Only the stride of the layer just before counts here. The strides of all layers "
    "before multiply."
)
def stride_before_only(layers):
    size, before = 1, 1
    for k, s, d in layers:
        size += (k - 1) * d * before
        before = s
    return size, before


mistake.value(
    "strides_added",
    lambda layers: _field(layers, leap=lambda j, s, d: j + s - 1),
    "The strides are added. Every second of every second cell is every fourth pixel.",
)
mistake.value(
    "kernel_added_whole",
    lambda layers: _field(layers, grow=lambda k, s, d, jump: k * d * jump),
    "A kernel of k covers k cells, but from the first to the last there are only k − 1 steps.",
)
mistake.value(
    "dilation_ignored",
    lambda layers: _field(layers, grow=lambda k, s, d, jump: (k - 1) * jump),
    "The dilation is missing: it spreads the kernel's cells apart.",
)
mistake.value(
    "dilation_in_jump",
    lambda layers: _field(layers, leap=lambda j, s, d: j * s * d),
    "Dilation widens one layer's kernel. It does not move the cells that come out apart: "
    "only the stride does.",
)
mistake.value(
    "last_layer_first",
    lambda layers: _field(layers[::-1]),
    "The layers are taken from the last to the first. The image goes through the first one first.",
)
mistake.value(
    "kernels_multiplied",
    _kernels_multiplied,
    "The kernels are multiplied. Each layer adds something at the two ends of what is "
    "seen already.",
)
mistake.value(
    "swapped",
    lambda layers: _field(layers)[::-1],
    "The two results are swapped: first the size, then the jump.",
)


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
    mistakes=mistake,
)

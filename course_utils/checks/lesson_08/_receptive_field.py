"""What a cell sees, right and wrong, for the exercises of lesson 08 about receptive fields."""


def _field(layers, grow=lambda k, s, d, jump: (k - 1) * d * jump, leap=lambda j, s, d: j * s):
    """Size and jump after `layers`; `grow` and `leap` are what wrong answers get wrong."""
    size, jump = 1, 1
    for k, s, d in layers:
        size += grow(k, s, d, jump)
        jump = leap(jump, s, d)
    return size, jump


def _kernels_multiplied(layers):
    size, jump = 1, 1
    for k, s, _ in layers:
        size, jump = size * k, jump * s
    return size, jump

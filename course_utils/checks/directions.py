"""The exercises of lesson 11 about any number of directions: shapes, and a film of one row."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistake

SHAPES = "lesson 11, 'The shape that comes out'"
FILM = "lesson 11, 'A film of one row'"

# ---- the shape that comes out -------------------------------------------------------------------


def _size(n, k, stride, padding):
    return (n + 2 * padding - k) // stride + 1


def _shape(shape, out_channels, kernel_size, stride=1, padding=0):
    sizes = (_size(n, kernel_size, stride, padding) for n in shape[2:])
    return (shape[0], out_channels, *sizes)


def _last_direction_only(shape, out_channels, kernel_size, stride=1, padding=0):
    return (shape[0], out_channels, *shape[2:-1], _size(shape[-1], kernel_size, stride, padding))


def _depth_kept(shape, out_channels, kernel_size, stride=1, padding=0):
    done = _shape(shape, out_channels, kernel_size, stride, padding)
    return done if len(shape) < 5 else (*done[:2], shape[2], *done[3:])


conv_shape = Exercise(
    name="conv_shape",
    lesson=SHAPES,
    reference=_shape,
    cases=(
        Case(((2, 3, 7), 4, 3)),
        Case(((5, 1, 9), 2, 3), {"stride": 3}),
        Case(((5, 2, 10, 9), 6, 3), {"padding": 1}),
        Case(((1, 3, 9, 12), 8, 4), {"stride": 2, "padding": 2}),
        Case(((6, 1, 5, 18, 16), 8, 3)),
        Case(((3, 2, 8, 20, 31), 16, 5), {"stride": 3, "padding": 1}),
    ),
    mistakes=(
        Mistake(
            "one_too_few",
            lambda s, c, k, stride=1, padding=0: (
                *(s[0], c),
                *((n + 2 * padding - k) // stride for n in s[2:]),
            ),
            "One place is missing: the window has a place before it takes its first step.",
        ),
        Mistake(
            "channels_kept",
            lambda s, c, k, stride=1, padding=0: (*s[:2], *_shape(s, c, k, stride, padding)[2:]),
            "The channels that went in came out. As many come out as there are filters.",
        ),
        Mistake(
            "channels_slid_over",
            lambda s, c, k, stride=1, padding=0: (
                s[0],
                *(_size(n, k, stride, padding) for n in s[1:]),
            ),
            "The kernel was moved along the channels. It covers all of them at once.",
        ),
        Mistake(
            "padding_forgotten",
            lambda s, c, k, stride=1, padding=0: _shape(s, c, k, stride),
            "The padding is missing.",
        ),
        Mistake(
            "padding_on_one_side",
            lambda s, c, k, stride=1, padding=0: (
                *(s[0], c),
                *((n + padding - k) // stride + 1 for n in s[2:]),
            ),
            "Padding is added on both sides, so it counts twice.",
        ),
        Mistake(
            "stride_ignored",
            lambda s, c, k, stride=1, padding=0: _shape(s, c, k, 1, padding),
            "The stride plays no part. A larger step leaves fewer places.",
        ),
        Mistake(
            "last_direction_only",
            _last_direction_only,
            "Only the last size was changed. The window slides along all of them.",
        ),
        Mistake(
            "depth_kept",
            _depth_kept,
            "A film keeps all its frames here. The kernel of a Conv3d slides along time, too.",
        ),
        Mistake(
            "rounded_up",
            lambda s, c, k, stride=1, padding=0: (
                *(s[0], c),
                *(-(-(n + 2 * padding - k) // stride) + 1 for n in s[2:]),
            ),
            "The division is rounded up. What is left at the end is not enough for a step.",
        ),
        Mistake(
            "not_rounded",
            lambda s, c, k, stride=1, padding=0: (
                *(s[0], c),
                *((n + 2 * padding - k) / stride + 1 for n in s[2:]),
            ),
            "There are no half places: what is left at the end is not enough for a step.",
        ),
        Mistake(
            "sizes_only",
            lambda s, c, k, stride=1, padding=0: _shape(s, c, k, stride, padding)[2:],
            "Those are the sizes alone. The batch and the channels belong to the shape.",
        ),
        Mistake(
            "batch_and_channels_swapped",
            lambda s, c, k, stride=1, padding=0: (
                *(c, s[0]),
                *_shape(s, c, k, stride, padding)[2:],
            ),
            "Batch and channels have changed places: N comes first, then C_out.",
        ),
    ),
)


# ---- a film of one row, by hand -----------------------------------------------------------------

STRIP = torch.tensor([[2.0, 0, 0, 0, 0, 1], [2, 0, 0, 0, 1, 0], [2, 0, 0, 1, 0, 0]])
MOTION = torch.tensor([[1.0, -2], [-1, 2]])


def _film(strip, kernel):
    return F.conv2d(strip[None, None], kernel[None, None])[0, 0]


film_by_hand = Exercise(
    name="film_by_hand",
    lesson=FILM,
    reference=_film(STRIP, MOTION).long(),
    mistakes=(
        Mistake(
            "time_turned_around",
            _film(STRIP, MOTION.flip(0)),
            "The rows of the kernel are swapped: its upper row lies on the earlier frame.",
        ),
        Mistake(
            "place_turned_around",
            _film(STRIP, MOTION.flip(1)),
            "Left and right of the kernel are swapped.",
        ),
        Mistake(
            "flipped_kernel",
            _film(STRIP, MOTION.flip(0, 1)),
            "The kernel was turned by 180°. Lay it on the film as it stands.",
        ),
        Mistake(
            "transposed_kernel",
            _film(STRIP, MOTION.T),
            "Rows and columns of the kernel are swapped. Down is time in the film and in it.",
        ),
        Mistake(
            "sign_lost",
            _film(STRIP, MOTION.abs()),
            "The minus signs of the kernel were lost.",
        ),
        Mistake(
            "earlier_frame_only",
            _film(STRIP, MOTION * torch.tensor([[1.0], [0]])),
            "Only the upper row of the kernel was used. It reads two frames at once.",
        ),
        Mistake(
            "later_frame_only",
            _film(STRIP, MOTION * torch.tensor([[0.0], [1]])),
            "Only the lower row of the kernel was used. It reads two frames at once.",
        ),
        Mistake(
            "standing_dot_lost",
            STRIP[1:, :-1] - STRIP[:-1, :-1],
            "That is the difference of two frames. The kernel also weighs the neighbour to the "
            "right.",
            also=(STRIP[1:] - STRIP[:-1], STRIP[1:, 1:] - STRIP[:-1, 1:]),
        ),
        Mistake(
            "relu",
            _film(STRIP, MOTION).relu(),
            "Negative numbers became 0. That would be ReLU; here the convolution alone is asked "
            "for.",
        ),
        Mistake(
            "transposed_output",
            _film(STRIP, MOTION).T,
            "The numbers are right, but rows and columns of the output are swapped.",
        ),
    ),
)

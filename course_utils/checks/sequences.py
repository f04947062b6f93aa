"""The exercises of lesson 11 about one direction: by hand, and where a filter fires."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistake

SHAPES = "lesson 11, 'One arithmetic, three shapes'"
FIRES = "lesson 11, 'Where a filter fires'"

# ---- one direction, by hand ---------------------------------------------------------------------

ROW = torch.tensor([[1.0, 0, 2, 1, 0], [0, 3, 1, 0, 1]])
KERNEL = torch.tensor([[1.0, -1], [2, 0]])


def _conv1d(x, weight, **options):
    return F.conv1d(x[None], weight[None], **options)[0, 0]


def _each_channel(x, weight):
    return F.conv1d(x[None], weight[:, None], groups=len(x))[0]


conv1d_by_hand = Exercise(
    name="conv1d_by_hand",
    lesson=SHAPES,
    reference=_conv1d(ROW, KERNEL).long(),
    mistakes=(
        Mistake(
            "channels_not_summed",
            _each_channel(ROW, KERNEL),
            "Those are two rows, one for each channel. The products of both channels are added "
            "into one number.",
        ),
        Mistake(
            "flipped_kernel",
            _conv1d(ROW, KERNEL.flip(1)),
            "The kernel was turned around. Lay it on the input as it stands.",
        ),
        Mistake(
            "first_channel_only",
            _each_channel(ROW, KERNEL)[0],
            "Only the upper row was used. The lower row of the kernel lies on the lower row of x.",
        ),
        Mistake(
            "second_channel_only",
            _each_channel(ROW, KERNEL)[1],
            "Only the lower row was used. The upper row of the kernel lies on the upper row of x.",
        ),
        Mistake(
            "channels_swapped",
            _conv1d(ROW, KERNEL.flip(0)),
            "The rows of the kernel are swapped: its upper row belongs to the upper row of x.",
        ),
        Mistake(
            "sign_lost",
            _conv1d(ROW, KERNEL.abs()),
            "The −1 of the kernel was taken for 1.",
        ),
        Mistake(
            "kernel_ignored",
            _conv1d(ROW, torch.ones(2, 2)),
            "The cells of each window were added without multiplying by the kernel.",
        ),
        Mistake(
            "transposed_kernel",
            _conv1d(ROW, KERNEL.T),
            "Rows and columns of the kernel are swapped. Its rows are channels, as those of x.",
        ),
        Mistake(
            "averaged",
            _conv1d(ROW, KERNEL) / 2,
            "The sum is divided by the number of channels. Channels are added, not averaged.",
        ),
        Mistake(
            "padded",
            _conv1d(F.pad(ROW, (0, 1)), KERNEL),
            "There is a number too many: the last window would stick out beyond x.",
            also=(
                _conv1d(F.pad(ROW, (1, 0)), KERNEL),
                _conv1d(F.pad(ROW, (1, 1)), KERNEL),
            ),
        ),
        Mistake(
            "stride_two",
            _conv1d(ROW, KERNEL, stride=2),
            "The window was moved by two columns. It moves by one, so that windows overlap.",
        ),
    ),
)


# ---- where a filter fires -----------------------------------------------------------------------


def _numbers(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-9, 10, shape, generator=generator).float()


def _fires_at(x, weight):
    return _conv1d(x, weight).argmax().item()


fires_at = Exercise(
    name="fires_at",
    lesson=FIRES,
    reference=_fires_at,
    cases=(
        Case((torch.tensor([[0.0, 0, 1, 2, 0]]), torch.tensor([[1.0, 2]]))),
        Case((torch.tensor([[5.0, 0, 3, 0], [0, 0, 3, 0]]), torch.tensor([[1.0, 0], [1, 0]]))),
        Case((_numbers(2, 5, seed=8), _numbers(2, 2, seed=9))),
        Case((_numbers(3, 9, seed=1), _numbers(3, 3, seed=2))),
        Case((_numbers(3, 12, seed=3), _numbers(3, 4, seed=4))),
        Case((_numbers(4, 30, seed=5), _numbers(4, 5, seed=6))),
    ),
    mistakes=(
        Mistake(
            "end_of_the_window",
            lambda x, weight: _fires_at(x, weight) + weight.shape[1] - 1,
            "That is where the window ends. Say where it begins.",
        ),
        Mistake(
            "middle_of_the_window",
            lambda x, weight: _fires_at(x, weight) + weight.shape[1] // 2,
            "That is the middle of the window. Say where it begins.",
        ),
        Mistake(
            "counted_from_one",
            lambda x, weight: _fires_at(x, weight) + 1,
            "The places are counted from 1 here. The first place is 0.",
        ),
        Mistake(
            "the_answer_itself",
            lambda x, weight: _conv1d(x, weight).amax().item(),
            "That is how strong the largest answer is. Say where it is.",
        ),
        Mistake(
            "weakest",
            lambda x, weight: _conv1d(x, weight).argmin().item(),
            "That is where the filter answers least.",
        ),
        Mistake(
            "sign_ignored",
            lambda x, weight: _conv1d(x, weight).abs().argmax().item(),
            "A strongly negative answer was taken for a strong one. ReLU would make it 0.",
        ),
        Mistake(
            "flipped_kernel",
            lambda x, weight: _fires_at(x, weight.flip(1)),
            "The filter was turned around. Lay it on the input as it stands.",
        ),
        Mistake(
            "first_channel_only",
            lambda x, weight: _fires_at(x[:1], weight[:1]),
            "Only the first channel was used. The products of all channels are added.",
        ),
        Mistake(
            "channels_not_summed",
            lambda x, weight: _each_channel(x, weight).amax(0).argmax().item(),
            "The channels were looked at one by one. Add their products first, then look for the "
            "largest sum.",
            also=(lambda x, weight: _each_channel(x, weight).argmax().item(),),
        ),
        Mistake(
            "largest_input",
            lambda x, weight: x.sum(0).argmax().item(),
            "That is where the input is largest. The filter plays no part in it.",
            also=(lambda x, weight: _fires_at(x, torch.ones_like(weight)),),
        ),
        Mistake(
            "padded",
            lambda x, weight: _fires_at(F.pad(x, (weight.shape[1] - 1,) * 2), weight),
            "Zeros were added before the input, so all places are shifted.",
        ),
    ),
)

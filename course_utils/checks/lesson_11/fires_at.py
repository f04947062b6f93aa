"""Lesson 11, exercise 3: Where a filter fires."""

import torch
import torch.nn.functional as F

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.examples import whole
from course_utils.checks.lesson_11._conv1d import _conv1d, _each_channel

FIRES = "lesson 11, 'Where a filter fires'"


def _fires_at(x, weight):
    return _conv1d(x, weight).argmax().item()


mistake = Mistakes()
mistake.value(
    "end_of_the_window",
    lambda x, weight: _fires_at(x, weight) + weight.shape[1] - 1,
    "That is where the window ends. Say where it begins.",
)
mistake.value(
    "middle_of_the_window",
    lambda x, weight: _fires_at(x, weight) + weight.shape[1] // 2,
    "That is the middle of the window. Say where it begins.",
)
mistake.value(
    "counted_from_one",
    lambda x, weight: _fires_at(x, weight) + 1,
    "The places are counted from 1 here. The first place is 0.",
)
mistake.value(
    "the_answer_itself",
    lambda x, weight: _conv1d(x, weight).amax().item(),
    "That is how strong the largest answer is. Say where it is.",
)
mistake.value(
    "weakest",
    lambda x, weight: _conv1d(x, weight).argmin().item(),
    "That is where the filter answers least.",
)
mistake.value(
    "sign_ignored",
    lambda x, weight: _conv1d(x, weight).abs().argmax().item(),
    "A strongly negative answer was taken for a strong one. ReLU would make it 0.",
)
mistake.value(
    "flipped_kernel",
    lambda x, weight: _fires_at(x, weight.flip(1)),
    "The filter was turned around. Lay it on the input as it stands.",
)
mistake.value(
    "first_channel_only",
    lambda x, weight: _fires_at(x[:1], weight[:1]),
    "Only the first channel was used. The products of all channels are added.",
)
mistake.value(
    "channels_not_summed",
    lambda x, weight: _each_channel(x, weight).amax(0).argmax().item(),
    "The channels were looked at one by one. Add their products first, then look for the "
    "largest sum.",
    also=(lambda x, weight: _each_channel(x, weight).argmax().item(),),
)
mistake.value(
    "largest_input",
    lambda x, weight: x.sum(0).argmax().item(),
    "That is where the input is largest. The filter plays no part in it.",
    also=(lambda x, weight: _fires_at(x, torch.ones_like(weight)),),
)
mistake.value(
    "padded",
    lambda x, weight: _fires_at(F.pad(x, (weight.shape[1] - 1,) * 2), weight),
    "Zeros were added before the input, so all places are shifted.",
)


@later
def cases():
    return (
        Case((torch.tensor([[0.0, 0, 1, 2, 0]]), torch.tensor([[1.0, 2]]))),
        Case((torch.tensor([[5.0, 0, 3, 0], [0, 0, 3, 0]]), torch.tensor([[1.0, 0], [1, 0]]))),
        Case(
            (
                whole(2, 5, seed=8, low=-9, dtype=torch.float32),
                whole(2, 2, seed=9, low=-9, dtype=torch.float32),
            )
        ),
        Case(
            (
                whole(3, 9, seed=1, low=-9, dtype=torch.float32),
                whole(3, 3, seed=2, low=-9, dtype=torch.float32),
            )
        ),
        Case(
            (
                whole(3, 12, seed=3, low=-9, dtype=torch.float32),
                whole(3, 4, seed=4, low=-9, dtype=torch.float32),
            )
        ),
        Case(
            (
                whole(4, 30, seed=5, low=-9, dtype=torch.float32),
                whole(4, 5, seed=6, low=-9, dtype=torch.float32),
            )
        ),
    )


fires_at = Exercise(
    name="fires_at",
    lesson=FIRES,
    reference=_fires_at,
    cases=cases,
    mistakes=mistake,
)

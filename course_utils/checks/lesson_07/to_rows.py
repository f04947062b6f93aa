"""Lesson 07, exercise 2: Into rows."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later

BLAMED = "lesson 07, 'The line that is blamed'"


def _counting(*shape):
    return torch.arange(float(torch.Size(shape).numel())).reshape(shape)


mistake = Mistakes()
mistake.value(
    "article_400",
    lambda x: x.reshape(-1, 16 * 5 * 5),
    "That is the article's line: rows of 400, whatever the images are, so they are cut "
    "into pieces.",
)
mistake.value(
    "fixed_256",
    lambda x: x.reshape(-1, 16 * 4 * 4),
    "It fits 16 × 4 × 4 and cuts images of any other size into pieces. Let the number of "
    "images stand fast, and the −1 be the features.",
)
mistake.value(
    "made_to_fit",
    lambda x: x.reshape(x[0].numel(), len(x)).T,
    "The shape is right, but the rows mix the images: the numbers were cut in the wrong "
    "order and then turned.",
)
mistake.value(
    "batch_and_channels_swapped",
    lambda x: x.transpose(0, 1).reshape(len(x), -1),
    "The shape is right, but batch and channels were exchanged before: a row holds numbers "
    "of several images.",
)
mistake.value(
    "averaged",
    lambda x: x.mean((2, 3)),
    "Each map is averaged to one number. That fits some Linear, but throws the places away.",
)
mistake.value(
    "one_long_row",
    lambda x: x.flatten(),
    "All images are in one row: the first axis, the batch, has to stay.",
)
mistake.value(
    "channels_kept_apart",
    lambda x: x.flatten(2),
    "The channels are still an axis of their own. A Linear wants one row an image.",
)
mistake.value(
    "one_row_a_channel",
    lambda x: x.reshape(x.shape[0] * x.shape[1], -1),
    "There is one row for every channel. There should be one for every image.",
)
mistake.value(
    "channels_last",
    lambda x: x.permute(0, 2, 3, 1).reshape(len(x), -1),
    "Each image is whole, but its numbers stand in another order than `nn.Flatten` gives: "
    "weights that were trained with the one are useless for the other.",
)
mistake.value("first_channel_only", lambda x: x[:, 0].flatten(1), "Only the first channel is kept.")
mistake.value(
    "added_up", lambda x: x.sum(1).flatten(1), "The channels are added up. Lay them side by side."
)


@later
def cases():
    return (
        Case((_counting(25, 16, 4, 4),)),
        Case((_counting(4, 8, 4, 4),)),
        Case((_counting(2, 2, 2, 2),)),
        Case((_counting(3, 2, 3, 4),)),
        Case((_counting(1, 3, 2, 2),)),
    )


to_rows = Exercise(
    name="to_rows",
    lesson=BLAMED,
    reference=lambda x: x.flatten(1),
    cases=cases,
    mistakes=mistake,
)

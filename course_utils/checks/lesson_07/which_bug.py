"""Lesson 07, exercise 5: Which bug is it?"""

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.reading import kind_of

CURVES = "lesson 07, 'Six curves'"
BUGS = (
    *("wrong view", "no zero_grad", "softmax twice"),
    *("eval forgotten", "labels shuffled", "lr × 100"),
)
_RIGHT = dict(zip("ABCDEF", sorted(BUGS, key=lambda bug: bug[-3:]), strict=True))


def _said(answer):
    """What was said of a curve, as a function of its letter."""
    if not isinstance(answer, dict) or set(answer) != set("ABCDEF"):
        raise TypeError('A dict with the six letters is expected: {"A": …, "B": …, …, "F": …}')
    if other := [bug for bug in answer.values() if not isinstance(bug, str)]:
        raise TypeError(
            f"Each letter gets the name of a bug in quotes; this is {kind_of(other[0])}"
        )
    if unknown := sorted({*answer.values()} - set(BUGS)):
        raise ValueError(f"{unknown[0]!r} is none of the six bugs: {', '.join(BUGS)}")
    if len(set(answer.values())) < len(BUGS):
        raise ValueError("Each bug belongs to one curve, and here one is named twice")
    return lambda letter: answer[letter]


def _exchanged(*bugs):
    turned = dict(zip(bugs, (*bugs[1:], bugs[0]), strict=True))
    return {letter: turned.get(bug, bug) for letter, bug in _RIGHT.items()}


mistake = Mistakes()
mistake.value(
    "view_and_labels",
    _exchanged("wrong view", "labels shuffled"),
    "Two flat ones are exchanged. Wrong labels stay with their images, so they can be "
    "learned by heart in time. Images that are mixed anew in every batch cannot.",
)
mistake.value(
    "lr_and_zero_grad",
    _exchanged("lr × 100", "no zero_grad"),
    "Two wild ones are exchanged. Steps that are far too long do harm from the first on. "
    "Gradients that pile up need time for it.",
)
mistake.value(
    "labels_and_eval",
    _exchanged("labels shuffled", "eval forgotten"),
    "Two with a rising validation loss are exchanged. In which one is the training itself sound?",
)
mistake.value(
    "view_and_lr",
    _exchanged("wrong view", "lr × 100"),
    "Two that learn nothing are exchanged. Look at the first steps: which was thrown off "
    "the plot by its own first steps?",
)
mistake.value(
    "softmax_and_labels",
    _exchanged("softmax twice", "labels shuffled"),
    "Two slow ones are exchanged. In one of them the validation loss falls along with the "
    "training loss: there the network learns something true.",
)
mistake.value(
    "softmax_and_view",
    _exchanged("softmax twice", "wrong view"),
    "In one of two exchanged curves the loss does fall, and ends high above 0. Which bug "
    "keeps a loss from getting small, and which keeps it from falling?",
)
mistake.value(
    "zero_grad_and_eval",
    _exchanged("no zero_grad", "eval forgotten"),
    "In two of them the training loss falls well at first. Does it stay down? A mode that "
    "is forgotten in the evaluation cannot touch the training.",
)
mistake.value(
    "labels_and_lr",
    _exchanged("labels shuffled", "lr × 100"),
    "Too long a step shows in the first steps already. Wrong labels do not.",
)
mistake.value(
    "softmax_and_zero_grad",
    _exchanged("softmax twice", "no zero_grad"),
    "One loss falls smoothly to a floor, another falls, turns and gets rough. Gradients "
    "that pile up do not make anything smooth.",
)
mistake.value(
    "three_turned",
    _exchanged("wrong view", "labels shuffled", "lr × 100"),
    "The three that learn nothing are in the wrong places. Sort them by the first ten "
    "steps, then by what the training loss does at the end.",
    also=(_exchanged("wrong view", "lr × 100", "labels shuffled"),),
)


@later
def cases():
    return tuple(Case((letter,)) for letter in "ABCDEF")


which_bug = Exercise(
    name="which_bug",
    lesson=CURVES,
    reference=_RIGHT,
    prepare=_said,
    cases=cases,
    mistakes=mistake,
)

"""Lesson 10, exercise 5: Interpolate."""

import torch

from course_utils.checks.engine import Case, Exercise, Mistakes, later
from course_utils.checks.engine.reading import kind_of
from course_utils.checks.lesson_10._trial import Trial

MIXING = "lesson 10, 'Between two networks'"


class _Mixing(Trial):
    def __call__(self, w0, w, alpha):
        """Weight and bias that come out, and how far the two networks that went in were changed."""
        ends = [{"fc.weight": t.clone(), "fc.bias": 10 * t[0] - 1} for t in (w0, w)]
        kept = [{name: t.clone() for name, t in end.items()} for end in ends]
        result = self.answer(*ends, alpha)
        if result is None or result is ... or result is NotImplemented:
            return result
        if not isinstance(result, dict):
            raise TypeError(f"the result should be a dict of tensors; it is {kind_of(result)}")
        moved = max(
            (end[name] - keep[name]).abs().max().item()
            for end, keep in zip(ends, kept, strict=True)
            for name in keep
        )
        absent = torch.full((1,), torch.nan)
        return result.get("fc.weight", absent), result.get("fc.bias", absent), moved


def _each(rule, names=lambda w: list(w)):
    return lambda w0, w, alpha: {name: rule(w0[name], w[name], alpha) for name in names(w)}


mistake = Mistakes()
mistake.value(
    "swapped",
    _each(lambda a, b, alpha: (1 - alpha) * a + alpha * b),
    "The two are swapped: with α = 1 the result is w₀, with α = 0 it is w.",
)
mistake.value(
    "second_forgotten",
    _each(lambda a, b, alpha: alpha * a),
    "The part (1 − α)·w is missing. That mixes w₀ with a network of zeros.",
)
mistake.value(
    "first_forgotten",
    _each(lambda a, b, alpha: (1 - alpha) * b),
    "The part α·w₀ is missing. That mixes w with a network of zeros.",
)
mistake.value(
    "added",
    _each(lambda a, b, alpha: alpha * a + b),
    "w is added whole. The two shares have to add up to 1.",
)
mistake.value(
    "always_the_mean",
    _each(lambda a, b, alpha: (a + b) / 2),
    "That is the mean of the two whatever α is.",
)
mistake.value(
    "moved_the_wrong_way",
    _each(lambda a, b, alpha: b - alpha * (a - b)),
    "It starts at w and moves away from w₀, not towards it: look at the sign.",
)
mistake.value(
    "biases_left_out",
    _each(
        lambda a, b, alpha: alpha * a + (1 - alpha) * b,
        names=lambda w: [name for name in w if name.endswith("weight")],
    ),
    "The biases are missing. A state dict has to keep all its names.",
)
mistake.value(
    "biases_not_mixed",
    lambda w0, w, alpha: {
        name: alpha * w0[name] + (1 - alpha) * w[name] if "weight" in name else w[name]
        for name in w
    },
    "The biases are those of w. They are mixed like everything else.",
)
mistake.value("unchanged", lambda w0, w, alpha: w, "Those are the weights w, unchanged.")


@mistake(
    "The mixture is right, but one of the two networks was overwritten with it. Make new "
    "tensors: the next α needs the old ones."
)
def changed_in_place(w0, w, alpha):
    for name in w:
        w[name].mul_(1 - alpha).add_(alpha * w0[name])
    return w


mistake.value(
    "multiplied",
    _each(lambda a, b, alpha: alpha * a * (1 - alpha) * b),
    "The two parts are multiplied. They should be added.",
)


@later
def cases():
    return (
        Case((torch.tensor([[4.0, 2], [0, 6]]), torch.tensor([[0.0, 1], [8, 2]]), 0.25)),
        Case((torch.tensor([[4.0, 2], [0, 6]]), torch.tensor([[0.0, 1], [8, 2]]), 1)),
        Case((torch.tensor([[-1.0, 3, 2]]), torch.tensor([[3.0, 0, -2]]), 0.7)),
    )


interpolate = Exercise(
    name="interpolate",
    lesson=MIXING,
    reference=_each(lambda a, b, alpha: alpha * a + (1 - alpha) * b),
    prepare=_Mixing,
    cases=cases,
    mistakes=mistake,
)

"""A3, task 4: further cases and known wrong answers of the smallest threshold."""

import math

import torch

from course_utils.checks import Case, Exercise, Mistake

THRESHOLD = "lesson 06, 'A threshold decides between the two'"
NONE = (math.inf, 0.0)


def _table(scores, is_digit, strict=False):
    """For each score as a threshold, the smallest first: threshold, called, hits."""
    rows = []
    for threshold in scores.unique().tolist():
        called = scores > threshold if strict else scores >= threshold
        rows.append((threshold, called.sum().item(), (called & is_digit).sum().item()))
    return rows


def _enough(rows, precision):
    return [row for row in rows if row[1] and row[2] / row[1] >= precision]


def _with_recall(row, is_digit):
    return row[0], row[2] / max(is_digit.sum().item(), 1)


def _threshold(scores, is_digit, precision, pick=0, none=NONE, strict=False):
    rows = _enough(_table(scores, is_digit, strict), precision)
    return _with_recall(rows[pick], is_digit) if rows else none


def _stops_early(scores, is_digit, precision):
    best = NONE
    for row in reversed(_table(scores, is_digit)):
        if row[2] / row[1] < precision:
            break
        best = _with_recall(row, is_digit)
    return best


def _more_than(scores, is_digit, precision):
    rows = [row for row in _table(scores, is_digit) if row[2] / row[1] > precision]
    return _with_recall(rows[0], is_digit) if rows else NONE


def _ties_split(scores, is_digit, precision, hits_first=True):
    order = sorted(
        zip(scores.tolist(), is_digit.tolist(), strict=True),
        key=lambda pair: (-pair[0], pair[1] != hits_first),
    )
    best, hits = NONE, 0
    for count, (score, true) in enumerate(order, 1):
        hits += true
        if hits / count >= precision:
            best = score, hits / max(is_digit.sum().item(), 1)
    return best


def _second(scores, is_digit, precision, of):
    rows = _enough(_table(scores, is_digit), precision)
    return (rows[0][0], of(rows[0], scores, is_digit)) if rows else NONE


def _recall_asked(scores, is_digit, precision, pick=-1, say_recall=True):
    true = is_digit.sum().item()
    rows = [row for row in _table(scores, is_digit) if true and row[2] / true >= precision]
    if not rows:
        return NONE
    threshold, called, hits = rows[pick]
    return threshold, hits / true if say_recall else hits / called


def _accuracy_asked(scores, is_digit, precision):
    for threshold in scores.unique().tolist():
        called = scores >= threshold
        if (called == is_digit).double().mean() >= precision:
            return threshold, (called & is_digit).sum().item() / max(is_digit.sum().item(), 1)
    return NONE


def _on_a_grid(scores, is_digit, precision, steps=100):
    for threshold in (step / steps for step in range(steps + 1)):
        called = scores >= threshold
        hits = (called & is_digit).sum().item()
        if called.any() and hits / called.sum().item() >= precision:
            return threshold, hits / max(is_digit.sum().item(), 1)
    return NONE


def _between(scores, is_digit, precision):
    threshold, recall = _threshold(scores, is_digit, precision)
    below = scores[scores < threshold]
    if math.isinf(threshold) or not len(below):
        return threshold, recall
    return (threshold + below.max().item()) / 2, recall


def _in_given_order(scores, is_digit, precision):
    for threshold in scores.tolist():
        called = scores >= threshold
        hits = (called & is_digit).sum().item()
        if hits / called.sum().item() >= precision:
            return threshold, hits / max(is_digit.sum().item(), 1)
    return NONE


def _most_precise(scores, is_digit, precision):
    rows = _table(scores, is_digit)
    return _with_recall(max(rows, key=lambda row: row[2] / row[1]), is_digit)


def _or_the_most_precise(scores, is_digit, precision):
    found = _threshold(scores, is_digit, precision)
    return found if found != NONE else _most_precise(scores, is_digit, precision)


def _or_else(of):
    """What others return where no score is precise enough."""

    def found(scores, is_digit, precision):
        return _threshold(scores, is_digit, precision, none=of(scores))

    return found


def _scored(count, seed, dtype=torch.float64, round_to=None):
    """Scores that tell the digit from others, not perfectly: logits, so of either sign."""
    generator = torch.Generator().manual_seed(seed)
    is_digit = torch.rand(count, generator=generator) < 0.4
    scores = torch.randn(count, dtype=torch.float64, generator=generator) * 2 + 2 * is_digit - 1
    if round_to:
        scores = (scores / round_to).round() * round_to
    return scores.to(dtype), is_digit


def _flags(text):
    return torch.tensor([letter == "x" for letter in text])


threshold_for_precision = Exercise(
    name="threshold_for_precision",
    lesson=THRESHOLD,
    reference=lambda scores, is_digit, precision: _threshold(scores, is_digit, precision),
    hidden=True,
    cases=(
        Case((torch.tensor([0.3, 0.7, 0.6]), _flags(".xx"), 0.9)),
        Case((torch.tensor([0.5, 0.9, 0.8, 0.2, 0.6]), _flags("xx..x"), 0.75)),
        Case((torch.tensor([3.0, 2, 2, 1, 0]), _flags("xx.x."), 0.75)),
        Case((torch.tensor([3.0, 2, 2, 1, 0]), _flags("x.x.."), 0.7)),
        Case((torch.tensor([2.0, 5, 4, 3, 2]), _flags(".xxx."), 0.75)),
        Case((torch.tensor([0.9, 0.5, 0.4]), _flags(".x."), 0.6)),
        Case((torch.tensor([-1.0, -3, -2]), _flags("x.x"), 0.5)),
        Case((torch.tensor([0.2, 0.1]), _flags(".."), 0.5)),
        Case((*_scored(40, seed=2), 0.7717)),
        Case((*_scored(60, seed=7, dtype=torch.float32, round_to=0.5), 0.83)),
        Case((*_scored(300, seed=2), 0.8317)),
    ),
    mistakes=(
        Mistake(
            "stopped_early",
            _stops_early,
            "The search goes down from the highest score and ends where the precision is too low "
            "for the first time. Further down it can be high enough again.",
        ),
        Mistake(
            "largest_threshold",
            lambda s, d, p: _threshold(s, d, p, pick=-1),
            "That is the largest threshold that is precise enough. The smallest is asked for.",
        ),
        Mistake(
            "strict",
            lambda s, d, p: _threshold(s, d, p, strict=True),
            "An image whose score equals the threshold has to be called the digit, too.",
        ),
        Mistake(
            "more_than",
            _more_than,
            "A precision that is exactly as high as asked for is refused.",
        ),
        Mistake(
            "ties_split",
            _ties_split,
            "Of images with equal scores only some are counted. One threshold calls all of them "
            "or none.",
            also=(lambda s, d, p: _ties_split(s, d, p, hits_first=False),),
        ),
        Mistake(
            "recall_asked",
            _recall_asked,
            "It is the recall that is at least as high as asked for. The precision should be.",
            also=(
                lambda s, d, p: _recall_asked(s, d, p, say_recall=False),
                lambda s, d, p: _recall_asked(s, d, p, pick=0),
            ),
        ),
        Mistake(
            "accuracy_asked",
            _accuracy_asked,
            "It is the accuracy that is at least as high as asked for. The precision should be.",
        ),
        Mistake(
            "precision_returned",
            lambda s, d, p: _second(s, d, p, lambda row, s, d: row[2] / row[1]),
            "The second number is the precision. It should be the recall at that threshold.",
        ),
        Mistake(
            "share_of_all",
            lambda s, d, p: _second(s, d, p, lambda row, s, d: row[2] / len(s)),
            "The second number is a share of all images. Recall is a share of those that are the "
            "digit.",
            also=(lambda s, d, p: _second(s, d, p, lambda row, s, d: row[1] / len(s)),),
        ),
        Mistake(
            "count_returned",
            lambda s, d, p: _second(s, d, p, lambda row, s, d: row[2]),
            "The second number is a count. Recall is a share.",
        ),
        Mistake(
            "on_a_grid",
            _on_a_grid,
            "Thresholds from 0 to 1 in equal steps were tried. Try the scores themselves: they "
            "may lie close together, below 0 or above 1.",
            also=(lambda s, d, p: _on_a_grid(s, d, p, steps=1000),),
        ),
        Mistake(
            "between",
            _between,
            "The threshold lies between two scores. It should be one of them.",
        ),
        Mistake(
            "in_given_order",
            _in_given_order,
            "The first score of the list that is precise enough was taken. The list has no order.",
        ),
        Mistake(
            "most_precise",
            _most_precise,
            "That is the threshold with the highest precision. It only has to be high enough.",
        ),
        Mistake(
            "impossible",
            _or_the_most_precise,
            "Where no score is precise enough, infinity and a recall of 0 are asked for.",
            also=(
                _or_else(lambda scores: (0.0, 0.0)),
                _or_else(lambda scores: (1.0, 0.0)),
                _or_else(lambda scores: (scores.max().item(), 0.0)),
                _or_else(lambda scores: (scores.min().item(), 1.0)),
                _or_else(lambda scores: (-math.inf, 0.0)),
                _or_else(lambda scores: (math.inf, 1.0)),
                _or_else(lambda scores: (math.nan, math.nan)),
            ),
        ),
    ),
)

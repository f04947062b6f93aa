"""What a network answers, in words; `answers.js` says the same in the browser."""

import math


def percent(share):
    """A probability in whole percents, as the browser writes it."""
    whole = math.floor(100 * share + 0.5)
    if whole == 0 and share > 0:
        return "under 1 %"
    return "over 99 %" if whole == 100 and share < 1 else f"{whole} %"


def say(probabilities, classes):
    """What the network answers, in words."""
    if not probabilities.isfinite().all():
        return "The network's answer is not finite: its weights are too large."
    first, second = probabilities.argsort(descending=True, stable=True)[:2].tolist()
    share = [percent(probabilities[i].item()) for i in (first, second)]
    return (
        f"The network says {classes[first]} with {share[0]}; "
        f"next {classes[second]} with {share[1]}."
    )

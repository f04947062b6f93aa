"""Lesson 08, exercise 5: What was measured."""

from itertools import product

from course_utils.checks.engine import Exercise, Mistakes

TRUST = "lesson 08, 'Does the map know the network?'"
CLAIMS = "abcdef"
_MEASURED = "ae"
_WHY = {  # of each claim: the mistake of who gets it wrong
    "a": (
        "measurement_doubted",
        "Statement a says nothing but what was done: cover, ask again, subtract.",
    ),
    "b": (
        "idea_read_into_it",
        "Statement b says what the network knows. A map says where something matters, not what "
        "is thought about it there.",
    ),
    "c": (
        "white_means_unused",
        "Look again at statement c: ReLU has made everything below 0 white, and one cell of the "
        "map stands for 16 × 16 pixels.",
    ),
    "d": (
        "looks_right",
        "Statement d trusts the eye. One of the maps above looked like the digit, and belonged to "
        "a network that knew nothing.",
    ),
    "e": (
        "test_doubted",
        "Statement e is what the table shows: new weights, another map.",
    ),
    "f": (
        "map_proves_answer",
        "Statement f goes from the map to the truth. Wrong answers have maps too.",
    ),
}


def _letters(answer):
    """The chosen statements in one order, as a function that returns them."""
    listed = isinstance(answer, str | list | tuple | set)
    if not listed or not all(isinstance(part, str) for part in answer):
        raise ValueError("Give the letters of the statements in quotes, such as 'bd'")
    chosen = {letter for part in answer for letter in part.lower() if letter.isalnum()}
    if strange := chosen - set(CLAIMS):
        raise ValueError(f"There is no statement {min(strange)!r}: they go from a to f")
    return lambda: "".join(sorted(chosen))


def _first_wrong(letter):
    """All answers that are right up to a statement and wrong about that one."""
    place = CLAIMS.index(letter)
    right = [claim in _MEASURED for claim in CLAIMS[:place]]
    for rest in product((False, True), repeat=len(CLAIMS) - place - 1):
        flags = [*right, letter not in _MEASURED, *rest]
        answer = "".join(c for c, flag in zip(CLAIMS, flags, strict=True) if flag)
        if answer not in (CLAIMS, ""):
            yield answer


def _misreading(letter):
    name, sentence = _WHY[letter]
    answer, *also = sorted(_first_wrong(letter), key=lambda a: len(set(a) ^ set(_MEASURED)))
    mistake.value(name, answer, sentence, also)


mistake = Mistakes()
mistake.value(
    "all_believed",
    CLAIMS,
    "Not every statement was measured. For each one ask: which cell of this lesson computed it?",
)
mistake.value(
    "none_believed",
    "",
    "That is too careful. Some of the statements repeat a number that was printed above.",
)


for letter in CLAIMS:
    _misreading(letter)


measured_claims = Exercise(
    name="measured_claims",
    lesson=TRUST,
    reference=_MEASURED,
    prepare=_letters,
    mistakes=mistake,
)

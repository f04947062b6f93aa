"""Lesson 02, exercise 5: Adaptive windows."""

from course_utils.checks.engine import Case, Exercise, Mistakes

ADAPTIVE = "lesson 02, 'Say what comes out'"


def _windows(size, output_size):
    return [
        (i * size // output_size, -(-(i + 1) * size // output_size)) for i in range(output_size)
    ]


mistake = Mistakes()
mistake.value(
    "both_rounded_down",
    lambda n, m: [(i * n // m, (i + 1) * n // m) for i in range(m)],
    "The ends are rounded down. A window also takes the cell that it covers in part, so "
    "its end is rounded up.",
)
mistake.value(
    "both_rounded_up",
    lambda n, m: [(-(-i * n // m), -(-(i + 1) * n // m)) for i in range(m)],
    "The starts are rounded up. A window also takes the cell that it covers in part, so "
    "its start is rounded down.",
)
mistake.value(
    "rounded_inwards",
    lambda n, m: [(-(-i * n // m), (i + 1) * n // m) for i in range(m)],
    "Starts are rounded up and ends down, so some cells belong to no window. It is the "
    "other way round.",
)
mistake.value(
    "not_rounded",
    lambda n, m: [(i * n / m, (i + 1) * n / m) for i in range(m)],
    "There are no parts of cells: round the starts down and the ends up.",
)
mistake.value(
    "rest_lost",
    lambda n, m: [(i * (n // m), (i + 1) * (n // m)) for i in range(m)],
    "Where `size` is not a multiple of `output_size`, the last cells belong to no window.",
)
mistake.value(
    "last_takes_the_rest",
    lambda n, m: [(i * (n // m), (i + 1) * (n // m) if i < m - 1 else n) for i in range(m)],
    "The last window takes all that is left over. The windows share it evenly.",
)


@mistake(
    "No cell is in two windows here. Adaptive windows share a cell where the border "
    "between two of them goes through it."
)
def first_take_the_rest(size, output_size):
    # As numpy.array_split does it: the first windows take one cell more.
    stops = [(i + 1) * (size // output_size) for i in range(output_size)]
    stops = [stop + min(i + 1, size % output_size) for i, stop in enumerate(stops)]
    return list(zip([0, *stops[:-1]], stops, strict=True))


mistake.value(
    "one_stride",
    lambda n, m: [(i * (n // m), i * (n // m) + n - (m - 1) * (n // m)) for i in range(m)],
    "Those windows are all equally wide and equally far apart. Adaptive windows are not: "
    "each one's start and end are rounded for themselves.",
)
mistake.value(
    "end_included",
    lambda n, m: [(start, stop - 1) for start, stop in _windows(n, m)],
    "Those are the last cells of the windows. `stop` is the cell after, as in a slice.",
)
mistake.value(
    "width_for_stop",
    lambda n, m: [(start, stop - start) for start, stop in _windows(n, m)],
    "The second number of each pair is the width here. Return where the window stops.",
)


adaptive_windows = Exercise(
    name="adaptive_windows",
    lesson=ADAPTIVE,
    reference=_windows,
    cases=(
        Case((4, 2)),
        Case((5, 1)),
        Case((5, 3)),
        Case((7, 3)),
        Case((10, 4)),
        Case((3, 5)),
    ),
    mistakes=mistake,
)

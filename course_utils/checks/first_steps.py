"""The exercise of lesson 00: what a check looks like."""

from course_utils.checks.engine import Exercise, Mistake

pixels = Exercise(
    name="pixels",
    lesson="lesson 00, 'How an exercise works'",
    reference=784,
    mistakes=(
        Mistake("added", 56, "That is 28 + 28. How many rows of 28 numbers are there?"),
        Mistake("outline", 112, "That counts the four edges. The inside counts too."),
        Mistake("one_row", 28, "That is one row. There are as many rows as columns."),
        Mistake("squared_28_minus_1", 729, "That is 27 · 27. A side has 28 cells, not 27."),
        Mistake("counted_from_0", 783, "One is missing: the cell with number 0 counts too."),
        Mistake("classes", 10, "That is the number of different digits. Count cells instead."),
        Mistake("grey_values", 256, "That is how many greys a cell can have. Count the cells."),
        Mistake("doubled", 1568, "That is twice as many: each cell holds one number, its grey."),
        Mistake("colour", 2352, "That would be a picture in colour, with three numbers a cell."),
    ),
)

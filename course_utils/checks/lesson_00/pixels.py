"""Lesson 00, exercise 1: Count the numbers."""

from course_utils.checks.engine import Exercise, Mistakes

mistake = Mistakes()
mistake.value("added", 56, "That is 28 + 28. How many rows of 28 numbers are there?")
mistake.value("outline", 112, "That counts the four edges. The inside counts too.")
mistake.value("one_row", 28, "That is one row. There are as many rows as columns.")
mistake.value("squared_28_minus_1", 729, "That is 27 · 27. A side has 28 cells, not 27.")
mistake.value("counted_from_0", 783, "One is missing: the cell with number 0 counts too.")
mistake.value("classes", 10, "That is the number of different digits. Count cells instead.")
mistake.value("grey_values", 256, "That is how many greys a cell can have. Count the cells.")
mistake.value("doubled", 1568, "That is twice as many: each cell holds one number, its grey.")
mistake.value("colour", 2352, "That would be a picture in colour, with three numbers a cell.")


pixels = Exercise(
    name="pixels",
    lesson="lesson 00, 'How an exercise works'",
    reference=784,
    mistakes=mistake,
)

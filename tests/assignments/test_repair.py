"""What students did to the notebook's cells is undone; what they answered stays."""

import copy

import nbformat
import pytest
from grading.repair import own_id, repair


def cell(name, source, **settings):
    usual = {"grade": False, "solution": False, "locked": False, "grade_id": name}
    made = nbformat.v4.new_code_cell(source, metadata={"nbgrader": usual | settings})
    return nbformat.from_dict(made)


def release():
    cells = [
        nbformat.v4.new_markdown_cell("# Title"),
        cell("setup", "import torch", locked=True),
        cell("pool", "# your code here", solution=True),
        cell("pool_tests", "assert pool", grade=True, locked=True, points=3),
        cell("conv", "# your code here", solution=True),
        cell("conv_tests", "assert conv", grade=True, locked=True, points=2),
    ]
    return nbformat.from_dict(nbformat.v4.new_notebook(cells=cells))


def names(notebook):
    return [c.metadata.get("nbgrader", {}).get("grade_id") for c in notebook.cells]


def test_an_honest_notebook_stays_as_it_is():
    handed_in = release()
    handed_in.cells[2].source = "pool = max"
    handed_in.cells.insert(3, nbformat.v4.new_code_cell("print(pool)"))
    mended, notes = repair(handed_in, release())
    assert notes == []
    assert [c.source for c in mended.cells] == [c.source for c in handed_in.cells]
    nbformat.validate(mended)


def test_changed_tests_and_points_are_the_originals_again():
    handed_in = release()
    handed_in.cells[3].source = "pass"
    handed_in.cells[3].metadata.nbgrader.points = 1000
    mended, notes = repair(handed_in, release())
    assert mended.cells[3].source == "assert pool"
    assert mended.cells[3].metadata.nbgrader.points == 3
    assert notes == ["`pool_tests` had been changed; the original was used"]


@pytest.mark.parametrize("gone", ["setup", "pool", "pool_tests", "conv", "conv_tests"])
def test_a_deleted_cell_is_put_back_where_it_was(gone):
    handed_in = release()
    handed_in.cells = [
        c for c in handed_in.cells if c.metadata.get("nbgrader", {}).get("grade_id") != gone
    ]
    mended, notes = repair(handed_in, release())
    graded = [name for name in names(mended) if name]
    assert graded == [name for name in names(release()) if name]
    assert notes == [f"`{gone}` had been deleted and was put back"]


def test_all_cells_deleted_are_all_put_back_in_order():
    handed_in = release()
    handed_in.cells = []
    mended, _ = repair(handed_in, release())
    assert names(mended) == names(release())[1:]


def test_of_a_cell_that_stands_there_twice_the_later_counts():
    handed_in = release()
    handed_in.cells.insert(2, copy.deepcopy(handed_in.cells[2]))
    handed_in.cells.insert(5, copy.deepcopy(handed_in.cells[4]))
    handed_in.cells[3].source = "pool = max"
    mended, notes = repair(handed_in, release())
    assert [name for name in names(mended) if name] == [n for n in names(release()) if n]
    assert (
        next(c for c in mended.cells if c.source == "pool = max").metadata.nbgrader.grade_id
        == "pool"
    )
    assert len(notes) == 2
    nbformat.validate(mended)


def test_a_cell_cannot_make_itself_a_test():
    handed_in = release()
    handed_in.cells.append(cell("bonus", "pass", grade=True, locked=True, points=50))
    mended, _ = repair(handed_in, release())
    assert "nbgrader" not in mended.cells[-1].metadata


def test_the_kernel_is_the_courses():
    handed_in = release()
    handed_in.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    mended, _ = repair(handed_in, release())
    assert mended.metadata == release().metadata


@pytest.mark.parametrize(
    ("written", "kept", "said"),
    [
        ("student_id = 'Ada'", True, []),
        ("student_id = 'ada '", True, []),
        ("student_id = 'da'", True, []),  # a platform puts a number in front: part of the name
        ("student_id = 'nobody'", True, ["the notebook carries the id 'nobody'"]),
        (
            "student_id = 'BOB'",
            False,
            ["the notebook carries the id 'BOB', another student's; it was graded with 'ada'"],
        ),
        ("student_id = input()", True, []),
        ("student_id =", True, []),
        ("", True, []),
        ("1", True, ["the notebook carries the id 1"]),
    ],
)
def test_a_notebook_with_the_id_of_a_neighbour_is_graded_with_its_own(written, kept, said):
    notebook = release()
    notebook.cells.insert(1, cell("student_id", written, solution=True))
    assert own_id(notebook, "ada", {"ada", "bob"}) == said
    assert notebook.cells[1].source == (written if kept else "student_id = 'ada'")


def test_a_notebook_without_the_cell_of_the_id_is_left_alone():
    assert own_id(release(), "ada", {"ada", "bob"}) == []

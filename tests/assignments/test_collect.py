"""Finding what was handed in, in the shapes that learning platforms give it."""

import json
import os

import nbformat
import pytest
from grading.collect import LARGEST, collect

KNOWN = {"A1": {"pooling", "pooling_tests"}, "A2": {"chain"}}


def notebook(*names):
    cells = [nbformat.v4.new_code_cell("1", metadata={"nbgrader": {"grade_id": n}}) for n in names]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells))


def put(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return {(one.student, one.assignment): one for one in collect(folder, KNOWN)}


@pytest.mark.parametrize(
    "name",
    [
        "ada/A1_arithmetic.ipynb",
        "ada/A1/A1_arithmetic.ipynb",
        "ada/submission/deep/anything at all.ipynb",
        "ada/A1_arithmetic.ipynb.txt",
        "ada/A2_gradients.ipynb",
        "ada_A1_arithmetic.ipynb",
        "ada - A1_arithmetic (3).ipynb",
    ],
)
def test_a_notebook_is_found_and_its_cells_say_which_assignment_it_is(tmp_path, name):
    found = put(tmp_path, {name: notebook("pooling", "pooling_tests")})
    assert list(found) == [("ada", "A1")]
    assert found["ada", "A1"].path.is_file()


def test_one_student_may_hand_in_several_assignments(tmp_path):
    files = {"ada/one.ipynb": notebook("pooling"), "ada/two.ipynb": notebook("chain")}
    assert list(put(tmp_path, files)) == [("ada", "A1"), ("ada", "A2")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no notebook that can be read"),
        ('{"cells": [', "no notebook that can be read"),
        ("<html>Please log in</html>", "no notebook that can be read"),
        ("[1, 2]", "no notebook that can be read"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 7}', "can be read"),
        (json.dumps({"nbformat": 99, "cells": []}), "no notebook that can be read"),
        (notebook(), "holds no cell of A1, A2"),
        (notebook("of another course"), "holds no cell of A1, A2"),
        (notebook("pooling").replace('"pooling"', '["pooling"]'), "can be read"),
    ],
    # A notebook's cells have names by chance, and each process must know a test by the same.
    ids=["empty", "cut", "page", "list", "cells", "format", "foreign", "other", "name"],
)
def test_what_cannot_be_read_is_a_line_with_its_reason(tmp_path, content, said):
    found = put(tmp_path, {"ada/A1_arithmetic.ipynb": content})
    assert list(found) == [("ada", "")]
    assert found["ada", ""].path is None
    assert said in found["ada", ""].notes[0]


def test_a_notebook_too_large_to_be_honest_is_not_even_opened(tmp_path):
    with (tmp_path / "ada.ipynb").open("wb") as file:
        file.truncate(LARGEST + 1)
    (found,) = collect(tmp_path, KNOWN)
    assert found.path is None
    assert "more than the 50 allowed" in found.notes[0]


def test_of_two_files_for_one_assignment_the_latest_counts_and_a_note_says_so(tmp_path):
    files = {"ada/A1 (2).ipynb": notebook("pooling"), "ada/A1.ipynb": notebook("pooling", "x")}
    found = put(tmp_path, files)["ada", "A1"]
    assert "counts, the latest" in found.notes[0]
    assert found.path.name in found.notes[0]


def test_a_damaged_file_beside_a_good_one_is_only_a_note(tmp_path):
    files = {"ada/A1.ipynb": notebook("pooling"), "ada/old.ipynb": "{"}
    found = put(tmp_path, files)
    assert list(found) == [("ada", "A1")]
    assert "old.ipynb" in found["ada", "A1"].notes[0]


def test_a_student_without_a_file_has_a_line_too(tmp_path):
    (tmp_path / "ada").mkdir()
    (found,) = collect(tmp_path, KNOWN)
    assert (found.student, found.path, found.notes) == ("ada", None, ["no notebook was handed in"])


def test_links_out_of_the_folder_and_leftovers_of_the_system_are_not_followed(tmp_path):
    (tmp_path / "secret.ipynb").write_text(notebook("pooling"))
    handed_in = tmp_path / "in"
    files = {"__MACOSX/ada/._A1.ipynb": "x", ".DS_Store": "x"}
    files["ada/.ipynb_checkpoints/A1.ipynb"] = notebook("pooling")
    put(handed_in, files)
    (handed_in / "eve").mkdir()
    (handed_in / "eve/A1.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (handed_in / "mal").symlink_to(tmp_path)
    assert [(one.student, one.path) for one in collect(handed_in, KNOWN)] == [
        ("ada", None),
        ("eve", None),
    ]


def test_a_name_cannot_lead_out_of_the_course_folder(tmp_path):
    for name in ("..", "a+b", "x'; drop table", "Zoë Ångström", "李华"):
        put(tmp_path, {f"_{name}/A1.ipynb": notebook("pooling")})
    for one in collect(tmp_path, KNOWN):
        assert not set("/\\'\";+") & set(one.student), one.student
    assert {"_李华", "_Zoë Ångström"} <= {one.student for one in collect(tmp_path, KNOWN)}


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="is no folder"):
        collect(tmp_path / "nowhere", KNOWN)


def test_of_two_files_as_old_the_higher_number_counts(tmp_path):
    names = ["ada/A1.ipynb", "ada/A1 (2).ipynb", "ada/A1 (10).ipynb"]
    for name in names:
        put(tmp_path, {name: notebook("pooling")})
        os.utime(tmp_path / name, (1000, 1000))
    (one,) = put(tmp_path, {}).values()
    assert one.path.name == "A1 (10).ipynb"
    assert one.notes == ["A1 (10).ipynb counts, the latest; also here: A1.ipynb, A1 (2).ipynb"]

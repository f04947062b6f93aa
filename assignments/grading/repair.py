"""Give a submission back the cells that were handed out, and keep the student's answers."""

import ast

import nbformat

from course_utils.assignments import normal_id


def repair(notebook, release):
    """A notebook with all of the release's cells and the student's answers, and what was mended.

    Cells that the release locks get the release's text; one that is missing is put back behind the
    cell it stood behind; of two with one name the later counts. Outputs and the student's nbgrader
    settings are dropped. Returns: (notebook, sentences for the teacher).
    """
    wanted = {
        cell.metadata.nbgrader.grade_id: cell
        for cell in release.cells
        if "nbgrader" in cell.metadata
    }
    cells, notes, seen = [], [], set()
    for cell in reversed(notebook.cells):
        name = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")
        model = wanted.get(name)
        if model is None:
            cells.append(_new(cell.cell_type, cell.source))
        elif name in seen:
            notes.append(f"`{name}` stood there twice; the later one counts")
            if not model.metadata.nbgrader.locked:
                cells.append(_new(cell.cell_type, cell.source))
        else:
            seen.add(name)
            cells.append(_restored(cell, model, notes))
    cells.reverse()
    before = None
    for name, model in wanted.items():
        if name not in seen:
            notes.append(f"`{name}` had been deleted and was put back")
            cells.insert(_place_after(cells, before), _restored(model, model, notes))
        before = name
    fixed = nbformat.v4.new_notebook(cells=cells, metadata=release.metadata)
    return nbformat.from_dict(fixed), notes


def _restored(cell, model, notes):
    settings = model.metadata.nbgrader
    source = cell.source
    if settings.locked and source.strip() != model.source.strip():
        notes.append(f"`{settings.grade_id}` had been changed; the original was used")
        source = model.source
    fresh = _new(model.cell_type, source)
    fresh.metadata["nbgrader"] = nbformat.from_dict(dict(settings))
    if attachments := cell.get("attachments"):  # pictures in a written answer
        fresh["attachments"] = attachments
    return fresh


def _new(kind, source):
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source) if kind in ("code", "markdown") else nbformat.v4.new_raw_cell(source)


def _place_after(cells, name):
    places = [
        n
        for n, cell in enumerate(cells)
        if cell.metadata.get("nbgrader", {}).get("grade_id") == name
    ]
    return places[0] + 1 if places else 0


def own_id(notebook, student, names):
    """See that a notebook does not carry the id of another student, whose numbers it would have.

    Where it carries the name of somebody else in the class, it gets its own. Returns: sentences.
    """
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") != "student_id":
            continue
        try:
            written = ast.literal_eval(ast.parse(cell.source).body[-1].value)
        except (ValueError, SyntaxError, IndexError, AttributeError):
            continue
        if normal_id(written) != normal_id(student) and normal_id(written) in names:
            cell.source = f"student_id = {student!r}"
            whose = f"the notebook carries the id {written!r}, another student's"
            return [f"{whose}; it was graded with {student!r}"]
        if normal_id(written) not in normal_id(student):
            return [f"the notebook carries the id {written!r}"]
    return []

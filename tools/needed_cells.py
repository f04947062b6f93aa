"""Which cells of a notebook some of them need: a static look at the names they make and use."""

import ast
import re


def needed_cells(cells, is_wanted):
    """The code cells that are wanted, and those that make the names that they use, in order.

    cells: a notebook's cells. is_wanted: called with a code cell, says whether it is asked for.
    What a cell changes in place (`training.fit(network)` in a cell of its own) is not seen: a cell
    is kept where it assigns, imports or defines a name.
    """
    kept, wanted = [], set()
    for cell in reversed([cell for cell in cells if cell.cell_type == "code"]):
        nodes = list(ast.walk(ast.parse(cell.source)))
        names = [node for node in nodes if isinstance(node, ast.Name)]
        made = {node.id for node in names if isinstance(node.ctx, ast.Store)} | definitions(nodes)
        if is_wanted(cell) or made & wanted:
            kept.append(cell)
            wanted = wanted | {node.id for node in names if isinstance(node.ctx, ast.Load)}
            wanted -= made
            if any("eval(" in other.source for other in kept):  # then names may stand in texts
                texts = [n.value for n in nodes if isinstance(n, ast.Constant)]
                wanted |= set(re.findall(r"\w+", " ".join(t for t in texts if isinstance(t, str))))
    return kept[::-1]


def definitions(nodes):
    """What the nodes of a cell import or define."""
    names = {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
    return names

"""What can be wrong with a table of designs in assignment A4, as (short name, sentence) or None."""

import math

_KEYS = ("name", "parameters", "macs", "accuracy")
_NEAR = 0.03  # how far a measured accuracy may be from the one in the table


def fault_of(table):
    """What is wrong with the form of a table; None if it is a list of designs that differ."""
    if not isinstance(table, list | tuple) or not all(isinstance(row, dict) for row in table):
        return "wrong_type", "`designs` is a list of dicts, one for each design."
    if len(table) < 3:
        return "too_few", f"There are {len(table)} designs; compare at least three."
    for number, row in enumerate(table, 1):
        where = f"Design {number}"
        if missing := [key for key in _KEYS if key not in row]:
            return "missing", f"{where} has no {' and no '.join(missing)}."
        if not isinstance(row["name"], str) or not row["name"].strip():
            return "no_name", f"{where} needs a name, as text."
        for key in ("parameters", "macs"):
            if not _is_number(row[key]) or row[key] != int(row[key]) or row[key] < 1:
                return "no_count", f"{where}: {key}={row[key]!r} is no count."
        if not _is_number(row["accuracy"]) or not 0 <= row["accuracy"] <= 1:
            return "no_share", f"{where}: the accuracy is a number from 0 to 1, not a percentage."
    if len({row["name"].strip() for row in table}) < len(table):
        return "same_name", "Two designs have the same name."
    if len({(row["parameters"], row["macs"]) for row in table}) < 3:
        return "same_design", "At least three designs should differ in their parameters or MACs."
    return None


def contradiction(table, budget):
    """Where a table and the network that is handed in do not agree. budget: what was measured."""
    if budget.diagnosis == "not_attempted":
        return "no_network", "There is no network yet to compare with the table."
    if budget.parameters is None:
        return "refused", f"The network cannot be counted: {budget.why}"
    mine = [
        row for row in table if (row["parameters"], row["macs"]) == (budget.parameters, budget.macs)
    ]
    if not mine:
        counts = f"{budget.parameters:,} parameters and {budget.macs:,} MACs"
        return "network_missing", f"No design has the {counts} of your network."
    if budget.accuracy is not None and all(
        abs(row["accuracy"] - budget.accuracy) > _NEAR for row in mine
    ):
        return (
            "other_accuracy",
            f"For your network the table says {mine[0]['accuracy']:.2%}; here it reads "
            f"{budget.accuracy:.2%} of the moved validation images.",
        )
    return None


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

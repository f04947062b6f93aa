"""The leaderboard of assignment A4: a table of nicknames, as CSV and as a page to show in class."""

import csv
import html
import json
from pathlib import Path

HEADER = ("rank", "nickname", "accuracy", "parameters", "macs")
STYLE = """
:root { color-scheme: light dark }
body { font-family: system-ui, sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; width: 100% }
th, td { padding: .4em .8em; text-align: right; border-bottom: 1px solid #8886 }
th:nth-child(2), td:nth-child(2) { text-align: left; overflow-wrap: anywhere }
tr:nth-child(-n+3) td { font-weight: bold }
"""


def ranked(root):
    """The networks inside the budget, best first; of two as accurate, the smaller one.

    root: the course's folder. Returns: a list of dicts with the keys of `HEADER`.
    """
    paths = sorted(Path(root).glob("autograded/*/*/entry.json"))
    lines = [json.loads(path.read_text("utf-8")) for path in paths]
    lines.sort(key=lambda line: (-line["accuracy"], line["parameters"], line["macs"]))
    return [{"rank": rank, **line} for rank, line in enumerate(lines, 1)]


def write(root):
    """Write leaderboard.csv and leaderboard.html, if anybody is on it."""
    lines = ranked(root)
    if not lines:
        return
    root = Path(root)
    with (root / "leaderboard.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows({**line, "nickname": _plain(line["nickname"])} for line in lines)
    rows = "".join(
        f"<tr><td>{line['rank']}</td><td>{html.escape(_plain(line['nickname']))}</td>"
        f"<td>{line['accuracy']:.2%}</td><td>{line['parameters']:,}</td><td>{line['macs']:,}</td></tr>"
        for line in lines
    )
    (root / "leaderboard.html").write_text(
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'><title>The budget challenge</title>"
        f"<style>{STYLE}</style></head><body><h1>The budget challenge</h1>"
        "<p>Accuracy on images that nobody has seen. Of two networks as accurate, the one with "
        "fewer parameters is ahead. MACs: multiplications with an addition, for one image.</p>"
        "<table><thead><tr><th>Rank</th><th>Nickname</th><th>Accuracy</th><th>Parameters</th>"
        f"<th>MACs</th></tr></thead><tbody>{rows}</tbody></table></body></html>",
        "utf-8",
    )


def _plain(nickname):
    """A nickname on one line that no spreadsheet takes for a formula."""
    text = " ".join(nickname.split()) or "(no nickname)"
    return f"'{text}" if text.startswith(tuple("=+-@")) else text

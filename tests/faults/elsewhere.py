"""Meets all faults of one place in a process of its own, and prints what was seen as JSON."""

import dataclasses
import json
import sys
from pathlib import Path

import table
from world import meet

where, more, folder = sys.argv[1], sys.argv[2] == "more", Path(sys.argv[3])
seen = {}
for number, fault in enumerate(table.FAULTS):
    if (fault.where, fault.more) == (where, more):
        seen[fault.what] = dataclasses.asdict(meet(fault, folder / str(number)))
sys.stdout.buffer.write(json.dumps(seen).encode())

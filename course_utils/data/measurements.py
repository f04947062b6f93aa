"""The measurements that come with the course, each made by a program in `benchmarks/`."""

import json
from pathlib import Path


def stored(name):
    """Measurements that come with the course: {"settings": …, and the results}.

    Args:
        name: "depth_sweep" (lesson 09) or "published_claim" (lesson 06); each was written by the
            program of that name in `benchmarks/`.
    """
    package = Path(__file__).parents[1]
    places = package.parent / "data", package / "stored"  # in the project; where it is installed
    known = sorted({file.stem for place in places for file in place.glob("*.json")})
    if name not in known:
        raise ValueError(f"nothing is stored as {name!r}; there is {' and '.join(known)}")
    path = next(p / f"{name}.json" for p in places if (p / f"{name}.json").exists())
    return json.loads(path.read_text(encoding="utf-8"))

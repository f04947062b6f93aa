"""Time to grade a class of 30: `make grade`, and plain nbgrader beside it, on the same notebooks.

    python benchmarks/grading_time.py            # some five minutes a round
    ROUNDS=1 python benchmarks/grading_time.py

Both autograde each submission, write its feedback page and a CSV of grades. The class is the
pretend one of `grading.classroom`, ordinary students only, repeated up to 30. A section of
benchmarks/RESULTS.md is written.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import results

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "assignments"))

from grading import build, classroom  # noqa: E402

STUDENTS, ROUNDS = 30, int(os.environ.get("ROUNDS", 3))
TARGET = 180  # seconds, on two cores


def class_of(count):
    """Ordinary students who handed in a notebook, as often as it takes."""
    once = {
        name: student
        for name, student in classroom.ORDINARY.items()
        if student.score and student.assignment == "A1"
    }
    names = list(once)
    return {f"{names[n % len(names)]} {n}": once[names[n % len(names)]] for n in range(count)}


def ours(root):
    code = (
        "import sys; from grading import grade\n"
        "if __name__ == '__main__': grade.grade(sys.argv[1], sys.argv[2], say=lambda text: None)"
    )
    script = root / "ours.py"
    script.write_text(code)
    run([sys.executable, str(script), str(root / "class"), str(root)], root)


def plain(root):
    """The commands of nbgrader's own guide, with its own way of running a notebook."""
    for folder in (root / "class").iterdir():
        target = root / "submitted" / folder.name / "A1"
        target.mkdir(parents=True)
        (source,) = sorted(folder.glob("*.ipynb"))[-1:]
        shutil.copy(source, target / "A1_arithmetic.ipynb")
    (root / "nbgrader_config.py").write_text(
        (build.HERE / "nbgrader_config.py")
        .read_text("utf-8")
        .replace("HERE = Path(__file__).resolve().parent", f"HERE = Path({str(root)!r})")
    )
    for command in (["autograde", "A1"], ["generate_feedback", "A1"], ["export"]):
        run([str(Path(sys.executable).parent / "nbgrader"), *command], root)


def run(line, cwd):
    path = os.pathsep.join([str(ROOT / "assignments"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(line)} failed:\n{done.stderr[-3000:]}")


def seconds_of(way, students):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        build.build("A1", root, run=False)
        classroom.write(root / "class", root, class_of(students))
        start = time.perf_counter()
        way(root)
        return time.perf_counter() - start


def main():
    parser = results.options(__doc__.splitlines()[0], "one round with a class of two")
    options = parser.parse_args()
    students, rounds = (2, 1) if options.quick else (STUDENTS, ROUNDS)
    load = results.load()
    times = {"make grade": [], "plain nbgrader": []}
    for number in range(rounds):
        for name, way in (("make grade", ours), ("plain nbgrader", plain)):
            times[name].append(seconds_of(way, students))
            print(f"{number + 1}/{rounds} {name}: {times[name][-1]:.1f} s", flush=True)
    middle = {name: statistics.median(all_of) for name, all_of in times.items()}
    rows = [
        [
            name,
            f"{middle[name]:.1f} ({min(all_of):.1f}–{max(all_of):.1f})",
            f"{middle[name] / students:.2f}",
        ]
        for name, all_of in times.items()
    ]
    ratio = middle["plain nbgrader"] / middle["make grade"]
    text = f"""
## Grading a class

`python benchmarks/grading_time.py`; {results.machine("nbgrader", "nbclient", "ipykernel", "torch")}
Load of the machine at the start: {load}.

{results.table(["", f"s for {students} submissions: median (least–most)", "s each"], rows)}

Plain nbgrader takes {ratio:.1f} times as long. Rounds in turn: {rounds}; assignment A1, ordinary
students. `make grade` uses all cores and forks the kernels from a process that has PyTorch loaded;
`nbgrader autograde`, `generate_feedback` and `export` work one after the other. The target is under
{TARGET} s on two cores: {"met" if middle["make grade"] < TARGET else "not met"}.
"""
    results.write_section("grading", text, options.output)
    results.keep("grading", {"students": students, **times}, options.output)
    print(text)


if __name__ == "__main__":
    main()

"""The benchmarks measure what they say, and RESULTS.md says what they measured."""

import contextlib
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import convolution_scaling
import matmul_share
import nbformat
import notebook_costs
import overview
import pytest
import results
import torch

from course_utils import models

ROOT = Path(__file__).resolve().parent.parent


PROGRAMS = sorted(
    path.stem
    for path in (ROOT / "benchmarks").glob("*.py")
    if "__main__" in path.read_text("utf-8")
)
# Those that take seconds with --quick and need neither a browser nor MNIST nor a class to grade.
more = pytest.mark.more
SHORT = ["convolution_scaling", "matmul_share"]
SHORT += [pytest.param(name, marks=more) for name in ("import_time", "notebook_costs")]


@pytest.fixture
def run(monkeypatch):
    """Call the `main` of a program with arguments, in this process."""
    threads = torch.get_num_threads()

    def call(program, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{program}.py", *map(str, arguments)])
        importlib.import_module(program).main()

    yield call
    torch.set_num_threads(threads)


# ---- RESULTS.md ---------------------------------------------------------------------------------


def test_a_section_is_replaced_and_not_doubled(tmp_path):
    page = tmp_path / "page.md"
    results.write_section("one", "first \\1", page)
    results.write_section("two", "second", page)
    results.write_section("one", "anew \\2", page)
    text = page.read_text("utf-8")
    assert text.count("<!-- begin one -->") == 1
    assert "anew \\2" in text
    assert "first" not in text
    assert text.index("anew") < text.index("second")


def test_the_head_comes_first_and_leaves_the_rest_as_it_was(tmp_path):
    page = tmp_path / "page.md"
    results.write_section("one", "first", page)
    before = page.read_text("utf-8")
    results.write_section("head", "the head", page, first=True)
    text = page.read_text("utf-8")
    assert text.startswith("# Measured\n\n<!-- begin head -->")
    assert text.replace("<!-- begin head -->\nthe head\n<!-- end head -->\n\n", "") == before


def test_figures_are_kept_beside_their_page_and_replaced_by_the_next_run(tmp_path):
    page = tmp_path / "TRY.md"
    results.keep("one", {"seconds": [1 / 3, 2], "of": "it"}, page)
    results.keep("two", [1], page)
    results.keep("one", {"seconds": [0.25]}, page)
    assert results.kept(page) == {"one": {"seconds": [0.25]}, "two": [1]}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["try.json"]


def test_the_head_of_the_results_says_what_was_kept():
    """Every figure of the table and of the alt text is computed anew from results.json."""
    figures = results.kept()
    if not figures:
        pytest.skip("benchmarks/results.json is not here: run `make bench`")
    text = results.RESULTS.read_text("utf-8")
    assert overview.head(figures, "results.png").strip() in text, "python benchmarks/overview.py"
    assert (results.RESULTS.with_name("results.png")).exists()


def test_every_benchmark_with_figures_has_its_section():
    text = results.RESULTS.read_text("utf-8")
    for name in results.kept():
        assert f"<!-- begin {name} -->" in text


# ---- what they measure --------------------------------------------------------------------------


def test_the_exponent_of_a_power_is_found():
    sides = [8, 16, 32, 64, 128, 256, 512, 1024]
    # A constant part hides the power at small sizes, and only there.
    seconds = [1e-3 * (side < 100) + 2e-9 * side**2.5 for side in sides]
    power, error, smallest = convolution_scaling.exponent(sides, seconds)
    assert power == pytest.approx(2.5, abs=1e-6)
    assert error < 1e-6
    assert smallest == 128


def test_the_standard_error_of_an_exponent_grows_with_the_noise():
    sides, generator = [2**n for n in range(3, 15)], torch.Generator().manual_seed(0)
    noise = torch.randn(len(sides), generator=generator).exp().tolist()
    noisy = [side**2 * factor for side, factor in zip(sides, noise, strict=True)]
    power, error, _ = convolution_scaling.exponent(sides, noisy)
    assert error > 0.05
    assert abs(power - 2) < 4 * error


HELD = 200 * 2**20  # bytes; the pages of one program differ by some MB from run to run
HOLD = "import sys; held = b'x' * int(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
# Everything is started anew and not forked, so nothing of this process is in it.
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}, sys.argv[1]])"


@contextlib.contextmanager
def holding(code, size):
    """Python with a program of ours, which holds `size` bytes by now."""
    line, pipe = [sys.executable, "-c", code, str(size)], subprocess.PIPE
    with subprocess.Popen(line, stdin=pipe, stdout=pipe) as process:
        process.stdout.readline()
        yield process


def watched(size):
    """(peak, kernel) of a program whose child holds `size` bytes."""
    with notebook_costs.Memory() as memory, holding(CHILD, size):
        memory.look()
    return memory.peak, memory.kernel


@pytest.mark.processes
def test_the_memory_of_a_child_of_a_child_is_seen():
    (peak, kernel), (small, small_kernel) = watched(HELD), watched(0)
    assert peak - small == pytest.approx(HELD, rel=0.2)
    assert kernel > 0
    assert kernel - small_kernel == pytest.approx(0, abs=0.2 * HELD), "the child alone"


@pytest.mark.processes
def test_the_memory_of_what_was_there_before_is_not_seen():
    small, _ = watched(0)
    with holding(CHILD, HELD):
        peak, _ = watched(0)
    assert peak - small == pytest.approx(0, abs=0.2 * HELD)


def test_the_operations_of_a_step_are_those_of_the_layers():
    counts = matmul_share.operations_by_layer(models.mnist_cnn())
    macs = {
        "conv1": 24 * 24 * 8 * 25,
        "conv2": 8 * 8 * 32 * 8 * 25,
        "fc1": 512 * 72,
        "fc2": 72 * 10,
    }
    # A product and an addition; forward, the weights' gradients, the input's but in the first.
    times = {"conv1": 2, "conv2": 3, "fc1": 3, "fc2": 3}
    for name, (forward, backward) in counts.items():
        assert forward == 2 * matmul_share.BATCH * macs[name]
        assert forward + backward == times[name] * forward
    assert counts.keys() == macs.keys()
    assert sum(map(sum, counts.values())) == matmul_share.operations(models.mnist_cnn())


def test_every_part_of_a_step_is_timed_and_nothing_stays_hooked():
    model = models.mnist_cnn()
    pieces = matmul_share.pieces(model, 3)
    layers = [name for name, _ in model.named_children()]
    wanted = {(name, way) for name in layers for way in ("forward", "backward")}
    assert pieces.keys() == wanted | {(w, "") for w in ("loss", "optimizer", matmul_share.BETWEEN)}
    assert all(seconds >= 0 for seconds in pieces.values())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("widths", matmul_share.WIDTHS.values())
def test_the_wider_networks_have_the_layers_of_the_course(widths):
    channels = widths[0]
    model, ours = matmul_share.network(channels), models.mnist_cnn()
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    assert [type(layer) for layer in model] == [type(layer) for layer in ours]


# ---- the programs -------------------------------------------------------------------------------


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_says_what_it_does(program, run, capsys):
    with pytest.raises(SystemExit) as ended:
        run(program, "--help")
    assert ended.value.code == 0
    assert "usage" in capsys.readouterr().out


@pytest.mark.parametrize("program", SHORT)
def test_a_program_runs_quickly_into_another_page(program, run, tmp_path):
    page = tmp_path / "TRY.md"
    before = results.RESULTS.read_bytes()
    run(program, "--quick", "--output", page)
    run("overview", "--output", page)
    assert results.RESULTS.read_bytes() == before
    text = page.read_text("utf-8")
    assert text.index("<!-- begin overview -->") < text.index(f"<!-- begin {program} -->")
    assert f"python benchmarks/{program}.py" in text
    figures = json.loads((tmp_path / "try.json").read_text("utf-8"))
    assert list(figures) == [program]
    assert overview.head(figures, "try.png").strip() in text
    assert (tmp_path / "try.png").stat().st_size > 10_000


def test_a_notebook_that_does_not_run_has_no_time(tmp_path):
    broken = tmp_path / "broken.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in ("1 + 1", "1 / 0")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), broken)
    with pytest.raises(SystemExit, match=r"broken\.ipynb does not run to its end"):
        notebook_costs.run(broken)


def test_make_bench_runs_every_program_that_writes_a_section():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe = re.search(r"^bench:.*\n((\t.*\n)+)", makefile, re.M)[1]
    for program in PROGRAMS:
        if program not in ("depth_sweep", "published_claim"):  # theirs go to data/
            assert program in recipe

"""How the time of a convolution grows with the picture: loops, im2col and PyTorch.

    python benchmarks/convolution_scaling.py           # about a minute

One picture of 4 channels and 8 kernels of 3 × 3, as in lesson 03; one thread, float32. The three
take turns at each size. The time is t = c · side^p where the picture is large; p is fitted by least
squares to log t over log side, over the upper half of the sizes.
A section of benchmarks/RESULTS.md is written.
"""

import math
import statistics
import time

import torch
import torch.nn.functional as F
from results import keep, load, machine, options, table, write_section
from scipy.stats import linregress

from course_utils import ops

# Two sizes an octave. The loops end earlier: at 512 one call would take several seconds.
SIDES = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
WAYS = {  # with the largest side of each
    "loops, `ops.conv2d`": (ops.conv2d, 256),
    "im2col, `ops.conv2d_im2col`": (ops.conv2d_im2col, 512),
    "PyTorch, `F.conv2d`": (F.conv2d, 512),
}
CHANNELS, KERNELS, KERNEL_SIZE = 4, 8, 3
ROUNDS = 9
AT_LEAST = 0.005  # seconds that one measurement should take: so many calls are timed together
LESSON_SIDE = 64  # where lesson 03 compares


def time_of(way, x, weight, calls):
    """Seconds of one call: the mean of `calls` in a row."""
    began = time.perf_counter()
    for _ in range(calls):
        way(x, weight)
    return (time.perf_counter() - began) / calls


def measure(sides, rounds):
    """Seconds of each way at each side it is measured at: {way: {side: [one per round]}}."""
    weight = torch.randn(KERNELS, CHANNELS, KERNEL_SIZE, KERNEL_SIZE)
    times = {name: {side: [] for side in sides if side <= most} for name, (_, most) in WAYS.items()}
    for side in sides:
        x = torch.randn(1, CHANNELS, side, side)
        ways = {name: way for name, (way, most) in WAYS.items() if side <= most}
        calls = {}
        for name, way in ways.items():  # warms up and says how many calls are needed
            way(x, weight)
            calls[name] = math.ceil(AT_LEAST / time_of(way, x, weight, 1))
        for _ in range(rounds):
            for name, way in ways.items():
                times[name][side].append(time_of(way, x, weight, calls[name]))
    return times


def exponent(sides, seconds):
    """Fit t = c · side^p to the upper half of the sizes.

    Returns: (p, its standard error, the smallest side that was used).
    """
    half = len(sides) // 2
    x, y = [math.log(s) for s in sides[half:]], [math.log(t) for t in seconds[half:]]
    line = linregress(x, y)
    return float(line.slope), float(line.stderr), sides[half]


def report(times, rounds, load_at_start):
    """The section of RESULTS.md."""
    medians = {
        name: {side: statistics.median(all_of) for side, all_of in by_side.items()}
        for name, by_side in times.items()
    }
    sides = sorted({side for by_side in medians.values() for side in by_side})
    rows = [
        [side, *(f"{1000 * line[side]:.3g}" if side in line else "" for line in medians.values())]
        for side in sides
    ]
    fits = []
    for name, line in medians.items():
        p, error, smallest = exponent(list(line), list(line.values()))
        fits.append([name, f"{p:.2f} ± {error:.2f}", f"{smallest} to {max(line)}"])
    spreads = [
        (max(all_of) - min(all_of)) / statistics.median(all_of)
        for by_side in times.values()
        for all_of in by_side.values()
    ]
    loops, columns, library = (line.get(LESSON_SIDE) for line in medians.values())
    return f"""
## Loops, im2col and PyTorch

`python benchmarks/convolution_scaling.py`; {machine("torch", "scipy")}
Load of the machine at the start: {load_at_start}. One thread, float32, {CHANNELS} channels,
{KERNELS} kernels of {KERNEL_SIZE} × {KERNEL_SIZE}, no padding.

{table(["side", *(f"{name}: ms" for name in medians)], rows)}

{table(["time grows as side to the power of", "p ± standard error", "fitted over sides"], fits)}

The work grows with the number of pixels, so with the power 2. Below it a part of the time does not
grow with the picture: the call itself. At {LESSON_SIDE} × {LESSON_SIDE}, where lesson 03 compares,
PyTorch is {loops / library:,.0f} times as fast as the loops, and im2col
{loops / columns:,.0f} times.

Medians of {rounds} rounds, in turns. From the slowest to the fastest round it is typically
{statistics.median(spreads):.0%} of the median. The fit is least squares on logarithms, with the
medians of the upper half of the sizes.
"""


def main():
    parser = options(__doc__.splitlines()[0], "two rounds, sides up to 64")
    arguments = parser.parse_args()
    load_at_start = load()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    sides = [side for side in SIDES if side <= 64] if arguments.quick else SIDES
    rounds = 2 if arguments.quick else ROUNDS
    with torch.no_grad():
        times = measure(sides, rounds)
    text = report(times, rounds, load_at_start)
    write_section("convolution_scaling", text, arguments.output)
    keep("convolution_scaling", times, arguments.output)
    print(text)


if __name__ == "__main__":
    main()

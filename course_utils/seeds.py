"""What several runs with different seeds say together, and the runs stored with the course."""

import math
import statistics

from scipy.special import stdtrit

from .data.measurements import stored as stored


def mean_interval(values):
    """The mean of `values` with its 95 % t-interval, as three floats (mean, low, high).

    If the runs that gave the values are repeated many times with new seeds, 95 of 100 intervals
    hold the true mean, as long as the values scatter about normally: "Student", "The probable
    error of a mean", 1908.

    Args:
        values: at least 2 numbers, one a run.
    Raises: ValueError for fewer.
    """
    values = [float(value) for value in values]
    if len(values) < 2:
        raise ValueError(f"{len(values)} values give no interval: at least 2 are needed, one a run")
    t = float(stdtrit(len(values) - 1, 0.975))
    half = t * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    return mean, mean - half, mean + half

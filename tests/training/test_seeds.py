"""The interval of a mean is that of Student's t, and the stored sweep is found."""

import published_claim
import pytest
import torch
from scipy import stats

from course_utils.seeds import mean_interval, stored


@pytest.mark.parametrize("n", range(2, 41))
def test_the_interval_is_the_one_of_scipy(n):
    values = torch.rand(n, generator=torch.Generator().manual_seed(n)).tolist()
    mean, low, high = mean_interval(values)
    error = stats.sem(values)
    expected = stats.t.interval(0.95, n - 1, loc=stats.tmean(values), scale=error)
    assert mean == pytest.approx(stats.tmean(values))
    assert (low, high) == pytest.approx(expected)


def test_95_of_100_intervals_hold_the_true_mean():
    draws = torch.randn(4000, 5, generator=torch.Generator().manual_seed(0)).tolist()
    held = sum(low <= 0 <= high for _, low, high in map(mean_interval, draws))
    assert 0.94 < held / 4000 < 0.96


@pytest.mark.parametrize("values", [[], [0.5]])
def test_too_few_values_are_refused(values):
    with pytest.raises(ValueError, match=f"{len(values)} values give no interval: at least 2"):
        mean_interval(values)


def test_what_is_stored_is_found_by_its_name():
    assert len(stored("depth_sweep")["networks"]) > 20
    with pytest.raises(ValueError, match="nothing is stored as 'sweep'; there is depth_sweep and"):
        stored("sweep")


def test_the_published_claim_was_measured_with_the_published_settings():
    claim = stored("published_claim")
    assert published_claim.SETTINGS.items() <= claim["settings"].items()
    assert claim["settings"]["seeds"] == [run["seed"] for run in claim["runs"]]
    steps = claim["settings"]["training images"] // published_claim.SETTINGS["batch_size"] * 2
    for run in claim["runs"]:
        assert len(run["accuracies"]) == 2
        assert len(run["losses"]) == steps // published_claim.BLOCK

"""The stored sweep is complete, and says of its networks what is true of them."""

import json
from pathlib import Path

import depth_sweep
import pytest

from course_utils import anatomy

ROOT = Path(__file__).resolve().parent.parent

SWEEP = json.loads(depth_sweep.OUTPUT.read_text("utf-8"))
MEASURED = pytest.mark.parametrize(
    "entry", SWEEP["networks"], ids=lambda e: "-".join(str(v) for v in list(e.values())[:7])
)


def test_the_sweep_has_every_network_of_its_program_and_says_how_it_was_made():
    keys = [depth_sweep._key(entry) for entry in depth_sweep.NETWORKS]
    assert [depth_sweep._key(entry) for entry in SWEEP["networks"]] == keys
    assert len(set(keys)) == len(keys)
    said = json.loads(json.dumps(depth_sweep.settings()))
    for name in ("training images", "epochs", "learning rates", "trial seeds", "seeds"):
        assert SWEEP["settings"][name] == said[name]
    assert SWEEP["settings"].keys() == said.keys()


@MEASURED
def test_a_network_of_the_sweep_costs_what_is_stored(entry):
    summary = anatomy.summarize(depth_sweep.build(entry), (1, 14, 14))
    assert (summary.parameters, summary.macs) == (entry["parameters"], entry["macs"])


@MEASURED
def test_a_network_of_the_sweep_has_five_seeds_at_the_best_rate_of_its_trials(entry):
    assert depth_sweep.next_step(entry) is None
    assert len(entry["accuracies"]) == len(depth_sweep.SEEDS)
    assert all(0 <= a <= 1 for a in entry["accuracies"])
    means = {float(lr): sum(a) / len(a) for lr, a in entry["trial"].items()}
    assert means[entry["lr"]] == max(means.values())


def test_the_search_for_a_rate_stops_when_both_neighbours_are_worse():
    entry, seen = {"trial": {}, "accuracies": []}, []
    peak = {0.001: 0.1, 0.003: 0.2, 0.01: 0.3, 0.03: 0.5, 0.1: 0.9, 0.3: 0.4}
    while step := depth_sweep.next_step(entry):
        seen.append(step)
        lr, seed = step
        if seed in depth_sweep.TRIAL_SEEDS:
            entry["trial"].setdefault(str(lr), []).append(peak[lr])
        else:
            entry["accuracies"].append(peak[lr])
    rates = [lr for lr, seed in seen if seed == depth_sweep.TRIAL_SEEDS[0]]
    assert rates == [0.01, 0.03, 0.1, 0.3]
    assert seen[-5:] == [(0.1, seed) for seed in depth_sweep.SEEDS]


def test_a_sweep_is_saved_and_read_again(tmp_path):
    path = tmp_path / "sweep.json"
    sweep = depth_sweep.load(path)
    sweep["networks"][0]["trial"] = {"0.01": [0.5]}
    depth_sweep.save(sweep, path)
    assert depth_sweep.load(path) == json.loads(json.dumps(sweep))

"""Forty and more things that go wrong: the student gets a sentence, and nothing is lost."""

import json
import subprocess

import pytest
from table import FAULTS, KINDS
from world import ODD_NAME, Seen, elsewhere, meet, no_own_disks

_elsewhere = {}


def rows():
    for fault in FAULTS:
        marks = [pytest.mark.more] * fault.more
        marks += [pytest.mark.processes] * (fault.races or fault.where != "here")
        yield pytest.param(fault, id=fault.what, marks=marks)


@pytest.fixture
def meet_elsewhere(tmp_path):
    """Meets a fault in a process of its own; all faults of one place share it."""

    def run(fault):
        if fault.where == "own disks" and (reason := no_own_disks()):
            pytest.skip(f"no disk can be mounted here: {reason}")
        place = fault.where, fault.more
        if place not in _elsewhere:
            command, environment = elsewhere(fault, tmp_path)
            done = subprocess.run(command, env=environment, capture_output=True)
            assert done.returncode == 0, done.stderr.decode(errors="replace")
            _elsewhere[place] = json.loads(done.stdout)
        return Seen(**_elsewhere[place][fault.what])

    return run


@pytest.mark.parametrize("fault", [*rows()])
def test_a_fault_is_told_in_a_sentence_and_nothing_is_lost(fault, tmp_path, meet_elsewhere):
    seen = meet(fault, tmp_path / ODD_NAME) if fault.where == "here" else meet_elsewhere(fault)
    for part in [fault.says] if isinstance(fault.says, str) else fault.says:
        assert part in seen.text
    assert not seen.lost


def test_the_table_has_forty_rows_and_every_kind_of_fault():
    assert len({fault.what for fault in FAULTS}) == len(FAULTS) >= 40
    assert {fault.kind for fault in FAULTS} >= KINDS

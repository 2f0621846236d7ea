"""A few schedules in every test run; continuous integration runs a thousand (`make crash`)."""

from __future__ import annotations

import faulthandler
import re
import subprocess
import sys

import pytest

from tests.crash.lanes import Told
from tests.crash.plans import ALL_KINDS, plan
from tests.crash.points import ELSEWHERE, registered, to_hit
from tests.crash.report import ENOUGH, Report

LAST_LINE = re.compile(r"schedules 3, kills [1-9]\d*, paid twice 0, lost 0")


def crash(*options: str) -> subprocess.CompletedProcess[str]:
    """The harness forks; it does so in a process of its own, with a time limit of its own."""
    faulthandler.cancel_dump_traceback_later()
    command = [sys.executable, "-m", "tests.crash", "--database", "sqlite", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=1_200, check=False)


def test_a_few_schedules_end_with_everybody_paid_once() -> None:
    done = crash("--seed", "1", "--schedules", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert LAST_LINE.fullmatch(done.stdout.splitlines()[-1])


def test_a_seed_decides_the_same_each_time() -> None:
    points = to_hit()
    assert plan(7, points) == plan(7, points)
    assert len({repr(plan(seed, points)) for seed in range(100)}) == 100


def test_what_goes_wrong_is_told_with_the_way_to_see_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(told=[Told("schedules", "41", kills=3, twice=["ada was owed 1 and got 2"])])
    report.show("sqlite", report.told[0])
    assert report.end() == 1
    told = capsys.readouterr().out
    assert "make crash SEED=41 N=1 DB=sqlite" in told
    assert "ada was owed 1 and got 2" in told
    assert told.splitlines()[-1] == "schedules 1, kills 3, paid twice 1, lost 0"


def test_a_set_in_which_a_point_or_a_fault_was_never_met_fails(capsys: pytest.CaptureFixture[str]) -> None:
    everything = [Told("schedules", str(seed), struck=dict.fromkeys(ALL_KINDS, 1)) for seed in range(ENOUGH)]
    report = Report(told=everything)
    report.died.update(to_hit())
    assert report.end() == 0
    report.died[to_hit()[0]] = 0
    assert report.end() == 1
    assert f"Nobody was killed at {to_hit()[0]}." in capsys.readouterr().out
    report.died.update(to_hit())
    everything[:] = [Told("schedules", told.name) for told in everything]
    assert report.end() == 1
    assert f"{ALL_KINDS[0]} never struck." in capsys.readouterr().out


def test_points_that_are_met_elsewhere_exist() -> None:
    assert set(ELSEWHERE) <= set(registered())

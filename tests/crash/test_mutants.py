"""The harness catches each of the bugs that it is there for."""

from __future__ import annotations

import pytest

from tests.crash.mutants import MUTANTS
from tests.crash.test_schedules import crash


@pytest.mark.slow
def test_each_planted_bug_is_caught_within_fifty_schedules() -> None:
    done = crash("--lanes", "mutants")
    caught = [line.split(":")[0].split()[-1] for line in done.stdout.splitlines() if ": caught by seed " in line]
    assert sorted(caught) == sorted(MUTANTS), done.stdout + done.stderr
    assert len(MUTANTS) == 8
    assert done.returncode == 0

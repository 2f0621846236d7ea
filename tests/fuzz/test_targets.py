"""Every target of the fuzzer is fed a few inputs with each `make test`: what it names may have moved."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.target import OURS, Target
from tests.fuzz.targets import PARSERS, application, targets


def test_each_target_takes_inputs_and_refuses_in_our_words(tmp_path: Path) -> None:
    with application(f"sqlite:///{tmp_path}/fuzz.db") as app:
        found = targets(app, tmp_path)
        assert {target.parser for target in found} == set(PARSERS)
        for target in found:
            _feed(target)


def _feed(target: Target) -> None:
    def take(value: object) -> None:
        with contextlib.suppress(*OURS):
            target.feed(value)

    few = settings(
        max_examples=1,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(1)(few(given(target.inputs)(take)))()

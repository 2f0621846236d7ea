"""The marker of what takes longer than a moment."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes several seconds; leave it out with -m 'not slow'")

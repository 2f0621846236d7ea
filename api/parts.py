"""The parts of the running application that use cases are handed besides their subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app

from firm.secrets import SecretKeys
from firm.settings import Settings
from payouts.rails.rail import Rail


@dataclass(frozen=True, slots=True)
class Parts:
    """The settings, the rails to pay over, and the keys for bank details."""

    settings: Settings
    rails: Mapping[str, Rail]
    keys: SecretKeys


def parts() -> Parts:
    """The parts of the application that is running."""
    found: Parts = current_app.extensions["chambers"]
    return found

"""The parts of the running application that use cases are handed besides their subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, current_app

from firm.secrets import SecretKeys
from firm.settings import Settings
from payouts.rails.rail import Rail


@dataclass(frozen=True, slots=True)
class Parts:
    """The settings, the rails to pay over, and the keys for bank details."""

    settings: Settings
    rails: Mapping[str, Rail]
    keys: SecretKeys


def parts(app: Flask | None = None) -> Parts:
    """The parts of an application, by default of the one that is running."""
    found: Parts = (app or current_app).extensions["chambers"]
    return found

"""The parts of the running application that use cases are handed besides their subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, current_app

from firm.notices.post import Post
from firm.secrets import SecretKeys
from firm.settings import Settings
from firm.webhooks.sender import Sender
from payouts.rails.rail import Rail


@dataclass(frozen=True, slots=True)
class Parts:
    """The settings, the rails to pay over, the keys for secrets at rest, and the ways out for webhooks and notices."""

    settings: Settings
    rails: Mapping[str, Rail]
    keys: SecretKeys
    sender: Sender
    post: Post | None = None


def parts(app: Flask | None = None) -> Parts:
    """The parts of an application, by default of the one that is running."""
    found: Parts = (app or current_app).extensions["chambers"]
    return found

"""The parts of the running application that use cases are handed besides their subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import Flask, current_app

from firm.notices.post import Post
from firm.secrets import SecretKeys
from firm.settings import Settings
from firm.webhooks.sender import Sender
from payouts.rails.provider import AccountProvider
from payouts.rails.rail import Rail

if TYPE_CHECKING:
    from payouts.rails.stripe.client import Client


@dataclass(frozen=True, slots=True)
class Parts:
    """The settings, the rails to pay over, the keys for secrets at rest, and the ways out for webhooks and notices.

    `providers` holds accounts for payees, by the name of the rail that pays into them. `stripe` is there while the firm
    has a key to it.
    """

    settings: Settings
    rails: Mapping[str, Rail]
    keys: SecretKeys
    sender: Sender
    providers: Mapping[str, AccountProvider] = field(default_factory=dict)
    stripe: Client | None = None
    post: Post | None = None


def parts(app: Flask | None = None) -> Parts:
    """The parts of an application, by default of the one that is running."""
    found: Parts = (app or current_app).extensions["chambers"]
    return found

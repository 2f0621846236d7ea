"""What the provider tells the firm between two lives, as disorderly as it comes."""

from __future__ import annotations

import random
from collections.abc import Collection

from tests.stripe.server import Server
from tests.stripe.webhooks import Delivery, messy

NEVER = 0.15
"""The share of events of which nobody ever hears; the others are repeated until they are acknowledged."""


class Mail:
    """The events of one schedule. A firm that is not told at all has to find out by itself."""

    def __init__(self, server: Server, chance: random.Random, *, told: bool) -> None:
        self._server = server
        self._chance = chance
        self._told = told
        self._waiting: set[str] = set()

    def bag(self) -> list[Delivery]:
        """What comes in during the next life: shuffled, some of it twice or three times."""
        for delivery in self._server.webhooks.fresh():
            if self._told and self._chance.random() >= NEVER:
                self._waiting.add(delivery.id)
        again = [self._server.webhooks.again(name) for name in sorted(self._waiting)]
        return messy(again, self._chance)

    def acknowledged(self, names: Collection[str]) -> None:
        """These were answered with a success, and are not sent again."""
        self._waiting.difference_update(names)

    @property
    def empty(self) -> bool:
        return not self._waiting

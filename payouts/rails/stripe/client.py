"""The one way in which the product calls Stripe."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import stripe

from firm.db import leaving_the_house
from payouts.rails.stripe.errors import translated
from payouts.rails.stripe.transport import CALLS_A_SECOND, TRIES, Pace, Transport

T = TypeVar("T")

PAGE = 100
"""The most that Stripe hands out at once."""

Call = Callable[[stripe.StripeClient], T]
PageOf = Callable[[stripe.StripeClient, dict[str, Any]], Any]


class Client:
    """Stripe under one key, or under two while the firm goes from one to the next.

    The first key that Stripe accepts is used. A key that it does not accept is refused before Stripe looks at the
    request, so that trying another one cannot do the same thing twice.
    """

    def __init__(
        self, keys: Sequence[str], *, base: str | None = None, live: bool = False, calls_a_second: int = CALLS_A_SECOND
    ) -> None:
        _keep_quiet()
        self.live = live
        self._transport = Transport(Pace(calls_a_second))
        self._sdks = [self._connected(key, base) for key in keys]

    @property
    def environment(self) -> str:
        """The word that goes into keys and metadata: `live` or `test`."""
        return "live" if self.live else "test"

    def call(self, call: Call[T]) -> T:
        """Do one call. Raises `StripeRefused`, `StripeLater` or `StripeUnclear`, and `InvariantBroken` while a
        transaction is open.
        """
        leaving_the_house()
        self._transport.begin()
        for sdk in self._sdks[:-1]:
            try:
                return call(sdk)
            except stripe.AuthenticationError:
                continue
            except stripe.StripeError as error:
                raise translated(error, doubtful=self._transport.doubtful) from error
        try:
            return call(self._sdks[-1])
        except stripe.StripeError as error:
            raise translated(error, doubtful=self._transport.doubtful) from error

    def every(self, page_of: PageOf, params: Mapping[str, Any]) -> Iterator[Any]:
        """All things of a list, page by page, each page a call of its own. Raises what `call` does."""
        asked = {**params, "limit": PAGE}
        while True:
            page = self.call(partial(_turned, page_of, asked))
            yield from page.data
            if not page.has_more or not page.data:
                return
            asked = {**asked, "starting_after": page.data[-1].id}

    def _connected(self, key: str, base: str | None) -> stripe.StripeClient:
        return stripe.StripeClient(
            key,
            base_addresses={"api": base} if base else None,
            # StripeClient repeats nothing unless told to, whatever the library's own default says.
            max_network_retries=TRIES - 1,
            http_client=self._transport,
        )


def _turned(page_of: PageOf, asked: dict[str, Any], sdk: stripe.StripeClient) -> Any:
    return page_of(sdk, asked)


def _keep_quiet() -> None:
    """The library would log bodies, in which the links of payees stand, and send measurements of us along."""
    logging.getLogger("stripe").setLevel(logging.WARNING)
    stripe.log = None
    stripe.enable_telemetry = False

"""The one way in which the product calls Stripe."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import stripe
from stripe import _util

from firm.db import leaving_the_house
from firm.errors import Misconfigured
from payouts.rails.stripe.errors import StripeUnclear, translated
from payouts.rails.stripe.transport import TRIES, Pace, Transport

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
        self, keys: Sequence[str], *, base: str | None = None, live: bool = False, calls_a_second: int = 5
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
        refusal: stripe.StripeError | None = None
        for sdk in self._sdks:
            try:
                return call(sdk)
            except stripe.AuthenticationError as error:
                refusal = error
            except stripe.StripeError as error:
                raise translated(error, doubtful=self._transport.doubtful) from error
        if refusal is None:
            raise Misconfigured("There is no key to Stripe; set STRIPE_API_KEY.")
        raise translated(refusal, doubtful=self._transport.doubtful) from refusal

    def every(self, page_of: PageOf, params: Mapping[str, Any]) -> Iterator[Any]:
        """All things of a list, page by page, each page a call of its own. Raises what `call` does."""
        asked = {**params, "limit": PAGE}
        while True:
            things, last = _read_page(self.call(partial(_turned, page_of, asked)))
            yield from things
            if last is None:
                return
            asked = {**asked, "starting_after": last}

    def close(self) -> None:
        """Let go of the connection that this thread has kept."""
        self._transport.close()  # type: ignore[no-untyped-call]

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


def _read_page(page: Any) -> tuple[list[Any], str | None]:
    """What a page holds, and the id to go on from when there is more. Raises `StripeUnclear` when it is no page."""
    try:
        things = list(page.data)
        return things, str(things[-1].id) if page.has_more else None
    except (AttributeError, TypeError, IndexError) as error:
        raise StripeUnclear("Stripe answered something that is no list; ask again.") from error


def _keep_quiet() -> None:
    """The library would log bodies, in which the links of payees stand, and send measurements of us along."""
    logging.getLogger("stripe").setLevel(logging.WARNING)
    stripe.log = None
    # The environment may ask it to print them, and is read when the library is imported.
    _util.STRIPE_LOG = None
    stripe.enable_telemetry = False

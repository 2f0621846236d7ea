"""The way to Stripe: bounded in time and in calls a second, and watched for tries that may have had an effect."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import requests
import stripe

from payouts.rails.stripe.errors import never_left

TIMEOUTS = (5, 20)
"""Seconds to connect and to wait for an answer: less than any worker's own limit."""

TRIES = 3
"""The library repeats a call twice, under the same key, when it had no answer or a server's error."""


class Pace:
    """Lets at most so many calls a second pass, evenly, over all threads of the process."""

    def __init__(self, calls_a_second: int) -> None:
        self._step_ns = 1_000_000_000 // calls_a_second
        self._next_ns = 0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is the caller's turn."""
        with self._lock:
            turn = max(self._next_ns, time.monotonic_ns())
            self._next_ns = turn + self._step_ns
        ahead = timedelta(microseconds=(turn - time.monotonic_ns()) // 1000)
        if ahead > timedelta():
            time.sleep(ahead.total_seconds())


class Transport(stripe.RequestsClient):
    """The library's own HTTP client, which also remembers how the tries of the current call ended."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(timeout=TIMEOUTS)
        self._pace = pace
        self._call = threading.local()

    def begin(self) -> None:
        """A new call begins in this thread: nothing of it has had an effect."""
        self._call.doubts = 0

    @property
    def doubtful(self) -> bool:
        """Whether a try of this thread's call may have had an effect of which we have not heard."""
        return bool(self._call.doubts)

    def request(  # type: ignore[override]  # the library's own subclasses differ from their base in the same way
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        self._pace.wait()
        self._stay()
        try:
            answer = super().request(method, url, headers, post_data)
        except stripe.APIConnectionError as error:
            self._call.doubts += not never_left(error)
            raise
        self._call.doubts += answer[1] >= 500 or answer[1] == requests.codes.conflict
        return answer

    def _stay(self) -> None:
        """Follow no redirection: Stripe sends none, and a key must not reach another address."""
        if getattr(self._thread_local, "session", None) is None:
            self._thread_local.session = requests.Session()
        self._thread_local.session.max_redirects = 0

"""The moment it is at Stripe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Runs with the machine's until it is set; from then on it stands still and is moved by hand."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._at or datetime.now(UTC) + self._ahead

    def timestamp(self) -> int:
        return int(self.now().timestamp())

    def stamp(self) -> str:
        """The moment as the second API writes it."""
        return self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def set(self, moment: datetime) -> None:
        self._at = moment

    def advance(self, **by: float) -> None:
        """`advance(hours=25)`."""
        if self._at is None:
            self._ahead += timedelta(**by)
        else:
            self._at += timedelta(**by)

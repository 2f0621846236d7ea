"""The few kinds of errors the house raises on purpose. Every message is a sentence that says what to do.

Subjects define their own classes beside the function that raises them and inherit from one of these; the
border (`api`) alone decides what status or exit code each kind becomes. The few that several subjects raise with one
meaning stand here, behind the kinds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager


class ChambersError(Exception):
    """Anything the product says no to, or finds wrong, with a sentence for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @classmethod
    def slug(cls) -> str:
        """The error's stable name for machines: `MonthClosed` becomes `month-closed`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


class Refused(ChambersError):
    """The books or a rule of the business do not allow this now; doing something else first may help."""


class Invalid(ChambersError):
    """The value itself is wrong, whatever the state of the books.

    `field` names it where one is to blame, by the word that callers use, and nested as "interests/0/package".
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(ChambersError):
    """There is no such thing, or none that the asker may see: the two are told apart by nobody."""


class Busy(ChambersError):
    """Somebody else holds what is needed; the same call may succeed in a moment."""


class Misconfigured(ChambersError):
    """A setting is missing or wrong; the message names it."""


class InvariantBroken(ChambersError):
    """Something that must always hold does not. Nobody's input is to blame; the work stops and is undone."""


class NothingToChange(Invalid):
    """A change that says what is so already."""


class EndTooEarly(Refused):
    """It ends after its start, and not within what is worked out with it already."""


class EndsAlready(Refused):
    """An end that is set may come earlier, and never later."""


@contextmanager
def within(place: str) -> Iterator[None]:
    """What is `Invalid` inside has its field there: within "interests/0", "package" is "interests/0/package"."""
    try:
        yield
    except Invalid as error:
        error.field = f"{place}/{error.field}" if error.field else place
        raise

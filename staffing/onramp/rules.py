"""When a letter counts, and what a junior still lacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from staffing.onramp.model import STAGES

LETTERS_NEEDED = 3
"""Three letters make a junior ready (the founder's number; a setting of the firm when the spin-off comes)."""

RUNWAY_MONTHS_NEEDED = 6
"""Six months without income is what an on-ramp must bridge (the founder's number)."""


@dataclass(frozen=True, slots=True)
class Letter:
    """When one letter counts."""

    company: str
    signed_on: date
    expires_on: date
    withdrawn_on: date | None = None

    def counts(self, on: date) -> bool:
        withdrawn = self.withdrawn_on is not None and self.withdrawn_on <= on
        return self.signed_on <= on < self.expires_on and not withdrawn


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of the readiness list."""

    name: str
    met: bool
    explanation: str


def readiness(*, stage: str | None, letters: Iterable[Letter], runway_months: int | None, on: date) -> list[Criterion]:
    """The readiness list on a day. Two letters of one company count once: one promise is one client."""
    companies = {letter.company.strip().lower() for letter in letters if letter.counts(on)}
    owning = stage is not None and STAGES.index(stage) >= STAGES.index("owning")
    return [
        Criterion("stage", owning, f"The stage is {stage or 'not set'}; owning is needed at least."),
        Criterion(
            "letters",
            len(companies) >= LETTERS_NEEDED,
            f"{len(companies)} of {LETTERS_NEEDED} companies have a valid pre-commitment letter.",
        ),
        Criterion(
            "runway",
            runway_months is not None and runway_months >= RUNWAY_MONTHS_NEEDED,
            "There is no runway plan."
            if runway_months is None
            else f"The runway plan covers {runway_months} of {RUNWAY_MONTHS_NEEDED} months.",
        ),
    ]

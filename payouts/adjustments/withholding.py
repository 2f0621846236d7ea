"""Who is withheld from: what the subject of tax forms answers when a month closes.

It is applied at the close, and not when a run is drafted: the close makes the money payable, and an amount counts as
paid once it is credited to the payee's account or made available (26 CFR 31.3406(a)-4). So the statement of the month
shows it, no payout that is refused or returned has to undo it, and every rail pays what the books say. A form that
arrives after the close ends it from the next month on; the lead reverses what was withheld by then, if it is not yet
deposited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from firm.month import Month
from payouts.tax_forms import law
from payouts.tax_forms import queries as tax_forms


@dataclass(frozen=True, slots=True)
class Duty:
    """That a part of what somebody is paid is withheld: the rate in basis points, and the reason as a sentence."""

    rate_bp: int
    reason: str


Duties = Callable[[Session, Month], Mapping[str, Duty]]
"""From a month to the duties in it, by maintainer id; who is not named is not withheld from."""


def by_tax_forms(session: Session, month: Month) -> Mapping[str, Duty]:
    """Backup withholding, at the rate of the month's last day, for those whose form is missing then."""
    on = month.last_day
    rate = law.backup_withholding_bp(on)
    return {
        key: Duty(rate, f"Backup withholding: {why.partition(';')[0]}")
        for key, why in tax_forms.without_form(session, on).items()
    }


def nobody(session: Session, month: Month) -> Mapping[str, Duty]:
    """Nobody is withheld from."""
    return {}

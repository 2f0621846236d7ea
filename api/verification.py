"""Every invariant built so far, and running them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

import firm.allocation.invariants
import firm.audit.invariants
import firm.billing.invariants
import firm.ledger.invariants
import payouts.adjustments.invariants
import payouts.bank_files.invariants
import payouts.destinations.invariants
import payouts.earnings.invariants
import payouts.provider_accounts.invariants
import payouts.provider_events.invariants
import payouts.remittance.invariants
import payouts.runs.invariants
import payouts.self_billing.invariants
import payouts.statements.invariants
import payouts.tax_forms.invariants
from api import agreement, evidence, keys, states
from api.parts import parts
from firm.db import reading
from firm.invariant import Invariant, Unchecked, Walk

INVARIANTS: tuple[Invariant, ...] = (
    *firm.ledger.invariants.CHECKS,
    *firm.billing.invariants.CHECKS,
    *firm.allocation.invariants.CHECKS,
    *payouts.earnings.invariants.CHECKS,
    *payouts.provider_accounts.invariants.CHECKS,
    *payouts.destinations.invariants.CHECKS,
    *payouts.provider_events.invariants.CHECKS,
    *payouts.adjustments.invariants.CHECKS,
    *payouts.runs.invariants.CHECKS,
    *payouts.bank_files.invariants.CHECKS,
    *payouts.statements.invariants.CHECKS,
    *payouts.tax_forms.invariants.CHECKS,
    *payouts.remittance.invariants.CHECKS,
    *payouts.self_billing.invariants.CHECKS,
)


ANCHORS_KEPT = "audit-anchors-kept"
ARRIVING = ("audit-chain", "audit-anchored")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one invariant's check found: no breaches when it holds. At most ten are kept.

    `unchecked` says why nothing was looked at, where that is so; nothing is broken then, and nothing proved.
    """

    invariant: Invariant | Walk
    breaches: list[dict[str, Any]]
    unchecked: str = ""

    @property
    def holds(self) -> bool:
        return not self.breaches


def findings(*, now: datetime) -> Iterator[Finding]:
    """Check every invariant, in order, in one consistent view; then walk through papers, records and the chain."""
    with reading() as session:
        for invariant in INVARIANTS:
            rows = session.execute(text(invariant.query)).mappings().fetchmany(10)
            yield Finding(invariant, [dict(row) for row in rows])
        for walk in walks(now=now):
            yield _walked(walk, session)


def broken_on_arrival(*, now: datetime) -> list[str]:
    """The invariants that books break which have just come in.

    Anchors that did not come along are no fault of the books; verification names them from then on.
    """
    return [one.invariant.name for one in findings(now=now) if not one.holds and one.invariant.name != ANCHORS_KEPT]


def told(found: Sequence[Finding]) -> str:
    """How many hold of those that were checked, and how many were not."""
    unchecked = [one for one in found if one.unchecked]
    holding = sum(one.holds for one in found) - len(unchecked)
    apart = f" {len(unchecked)} more were not checked." if unchecked else ""
    return f"{holding} of {len(found) - len(unchecked)} invariants hold.{apart}"


def walks(*, now: datetime) -> tuple[Walk, ...]:
    """The checks that no single query makes."""
    openable = keys.walk(parts().keys, parts().settings.lost_keys)
    return (*agreement.CHECKS, states.STATES, openable, *firm.audit.invariants.checks(evidence.checkable, now=now))


def archive_walks(*, now: datetime) -> tuple[Walk, ...]:
    """Those that an archive must pass on its way in. Records may wait in it for their place in the chain, bank details
    for the keys, and anchors stay where they are."""
    chain = [walk for walk in firm.audit.invariants.checks(evidence.kept, now=now) if walk.name in ARRIVING]
    return (*agreement.CHECKS, states.STATES, *chain)


def _walked(walk: Walk, session: Session) -> Finding:
    try:
        return Finding(walk, list(islice(walk.breaches(session), 10)))
    except Unchecked as reason:
        return Finding(walk, [], str(reason))

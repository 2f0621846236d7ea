"""Who may have been paid already, as an open difference says: nothing more is paid to them before somebody looked."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.recovery import operations as recovery
from payouts.differences import queries as differences
from payouts.differences.model import DOUBLE, ReconciliationDifference
from payouts.differences.rules import destination_of, payout_of
from payouts.provider_accounts.model import ProviderAccount
from payouts.runs.model import Payout
from payouts.runs.model import payout as payouts_table


def holds(session: Session) -> dict[str, str]:
    """By maintainer id, the end of a sentence for each whom an open incident holds, on whatever rail."""
    return _holds(session, differences.open_incidents(session))


def since_approval(session: Session, payout: Payout) -> str:
    """The same for the payee of an approved payout; empty where none holds them.

    In restored books a transfer for this very payout holds nobody: it is the one that the lost books sent, and nothing
    is sent here before a look-up has found it.
    """
    found = differences.open_incidents(session)
    if found and recovery.ever(session):
        found = [one for one in found if one.kind == DOUBLE or payout_of(one.our_side) != payout.id]
    return _holds(session, found).get(payout.maintainer_id, "")


def _holds(session: Session, incidents: Sequence[ReconciliationDifference]) -> dict[str, str]:
    if not incidents:
        return {}
    of_payouts, of_accounts = _by_payout(session, incidents), _by_account(session, incidents)
    held: dict[str, str] = {}
    for one in incidents:
        account = of_accounts.get((one.rail, destination_of(one.their_side)))
        for maintainer_id in (of_payouts.get(_payout_of(one)), account):
            if maintainer_id is not None:
                held[maintainer_id] = _reason(one)
    return held


def _payout_of(one: ReconciliationDifference) -> str:
    return one.subject if one.kind == DOUBLE else payout_of(one.our_side)


def _by_payout(session: Session, incidents: Sequence[ReconciliationDifference]) -> dict[str, str]:
    named = payouts_table.c.id.in_(sorted({_payout_of(one) for one in incidents}))
    rows = session.execute(select(payouts_table.c.id, payouts_table.c.maintainer_id).where(named))
    return {row.id: row.maintainer_id for row in rows}


def _by_account(session: Session, incidents: Sequence[ReconciliationDifference]) -> dict[tuple[str, str], str]:
    """Whose the accounts are that the money went to, also those that are closed by now."""
    named = ProviderAccount.account_id.in_(sorted({destination_of(one.their_side) for one in incidents}))
    found = session.scalars(select(ProviderAccount).where(named))
    return {(one.provider, one.account_id or ""): one.maintainer_id for one in found}


def _reason(one: ReconciliationDifference) -> str:
    return (
        "may have been paid already, by a transfer that these books do not account for; look at the difference"
        f" {one.id}, take back what is too much, and resolve it first"
    )

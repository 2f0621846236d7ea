"""What a payee is told when their bank did not take the money: only they can give the provider another account."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.notices import operations as notices
from firm.notices.template import Template
from firm.profile import operations as profiles
from payouts.provider_events.model import PayeePayout
from staffing.maintainers.model import Maintainer

FAILED = Template(
    "payee-payout-failed",
    "{firm}: your bank did not take {amount}",
    "Dear {name},\n\n"
    "{firm} has paid you, and {provider} could not bring {amount} of it to your bank: {why}. The money is safe in your"
    " account at {provider} and waits there; {firm} does not send it a second time.\n\n"
    "Sign in to {provider} as you did when the account was set up, by an address that you know and not by a link in a"
    " message, and give it a bank account that takes the money; it is then paid out again by itself. If you need a new"
    " way in, ask {firm}: {firm_email}.\n",
)
NEWS_FOR = timedelta(days=14)
"""For how long after the money should have arrived its failure is told: banks say so within days, and what is learned
later, as in books that were restored from an old backup, the payee has long been told and has mended."""

PROVIDERS = {"stripe": "Stripe"}
NO_REASON = "the bank gives no reason"
REASONS = {
    "account_closed": "the bank account is closed",
    "account_frozen": "the bank account is frozen",
    "bank_account_restricted": "the bank account may not take such payments",
    "bank_ownership_changed": "the bank account belongs to somebody else by now",
    "could_not_process": "the bank could not process it",
    "declined": "the bank declined it",
    "incorrect_account_holder_name": "the bank account belongs to somebody of another name",
    "incorrect_account_type": "the bank account is of another kind than was said",
    "invalid_account_number": "the account number is wrong",
    "invalid_account_number_length": "the account number has too few or too many digits",
    "invalid_currency": "the bank account does not take this currency",
    "no_account": "there is no such bank account",
}
"""The provider's codes in words; what a newer version of it says stays among the facts, for the firm."""


def tell(session: Session, failed: PayeePayout, *, by: Actor, now: datetime) -> None:
    """Promise the payee a notice in the transaction that learned of the failure, once for each; it names no account.

    Nothing is told of a failure that is no news any more.
    """
    person = session.get_one(Maintainer, failed.maintainer_id)
    if not person.email or _is_old(failed, now):
        return
    firm = profiles.current(session)
    figures = {
        "firm": firm.name,
        "firm_email": firm.email or "you know how to reach it",
        "name": person.name,
        "provider": PROVIDERS.get(failed.provider, failed.provider),
        "amount": str(failed.amount),
        "why": REASONS.get(failed.failure or "", NO_REASON),
    }
    notices.promise(session, FAILED, figures, to=person.email, key=_key(failed), by=by, now=now)


def _is_old(failed: PayeePayout, now: datetime) -> bool:
    return now.date() - (failed.arrives_on or failed.made_at.date()) > NEWS_FOR


def _key(failed: PayeePayout) -> str:
    """The provider's own name of the payout: our row is another in books that were restored and read it anew.

    Hashed, for it would not fit otherwise, and a notice names no account.
    """
    named = "\n".join((failed.provider, failed.account, failed.reference))
    return f"{FAILED.name}/{hashlib.sha256(named.encode()).hexdigest()}"

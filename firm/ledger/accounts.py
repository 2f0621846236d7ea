"""The chart of accounts: the same codes in every currency, and a fund account per reserve."""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.errors import Invalid, NotFound
from firm.ledger.model import account
from firm.money import digits

BANK = "assets:bank"
STRIPE = "assets:stripe"
"""The firm's balance at Stripe, from which transfers to payees are paid."""
RECEIVABLES = "assets:receivables"
UNBILLED = "assets:unbilled-revenue"
ADVANCES = "assets:advances"
"""Paid to maintainers ahead of what they earn, and not recovered yet."""
DEFERRED = "liabilities:deferred-revenue"
PAYABLES = "liabilities:payables"
IN_TRANSIT = "liabilities:payouts-in-transit"
WITHHELD = "liabilities:withheld-tax"
"""Withheld from maintainers and owed to the tax authority."""
RETAINERS = "income:retainers"
MAINTAINER_PAY = "expenses:maintainers"
PAYMENT_FEES = "expenses:payment-fees"
"""What providers take for moving money; what payees bear of it is credited here."""
EXCHANGE = "equity:exchange"
"""Where two currencies meet: an entry that converts balances in each currency against this account."""
ALLOCATED = "equity:allocated"
"""The counterpart of all funds: what allocation has set aside and not been used yet, as a debit."""
OVERHEAD_FUND = "equity:funds:overhead"
PACKAGE_FUNDS = "equity:funds:packages"
RESERVES = "equity:funds:reserves:"

CHART = {
    BANK: "asset",
    STRIPE: "asset",
    RECEIVABLES: "asset",
    UNBILLED: "asset",
    ADVANCES: "asset",
    DEFERRED: "liability",
    PAYABLES: "liability",
    IN_TRANSIT: "liability",
    WITHHELD: "liability",
    EXCHANGE: "equity",
    ALLOCATED: "equity",
    OVERHEAD_FUND: "equity",
    PACKAGE_FUNDS: "equity",
    RETAINERS: "income",
    MAINTAINER_PAY: "expense",
    PAYMENT_FEES: "expense",
}

_RESERVE_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)


class AccountNotFound(NotFound):
    """No account has this code in any currency."""


class InvalidReserveName(Invalid):
    """A reserve's name becomes part of an account code."""


def reserve_fund(name: str) -> str:
    """The account code of a reserve. Raises `InvalidReserveName`."""
    if _RESERVE_NAME.fullmatch(name) is None:
        sentence = f"{name!r} cannot name a reserve; use lower-case letters, digits and hyphens, such as on-ramp."
        raise InvalidReserveName(sentence, field="reserves")
    return RESERVES + name


def refuse_unknown(session: Session, code: str) -> None:
    """Raises `AccountNotFound` unless an account has the code in some currency."""
    if session.scalar(select(account.c.code).where(account.c.code == code).limit(1)) is None:
        raise AccountNotFound(f"There is no account {code!r}; the trial balance names those that were used.")


def open_currency(session: Session, currency: str) -> None:
    """Make sure that every account of the chart exists in the currency. May be repeated."""
    digits(currency)
    open_accounts(session, CHART, currency)


def open_reserve(session: Session, name: str, currency: str) -> None:
    """Make sure that the reserve's fund account exists. May be repeated."""
    open_accounts(session, {reserve_fund(name): "equity"}, currency)


def open_accounts(session: Session, kinds: dict[str, str], currency: str) -> None:
    """Add those accounts of the currency that are missing. May be repeated."""
    present = set(session.scalars(select(account.c.code).where(account.c.currency == currency)))
    missing = [
        {"code": code, "currency": currency, "kind": kind} for code, kind in kinds.items() if code not in present
    ]
    if missing:
        session.execute(account.insert(), missing)

"""Setting pay terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.db import transaction, use_case
from firm.errors import Invalid, Refused
from firm.ledger import periods
from firm.money import BASIS, Money
from firm.month import Month
from firm.portfolio import queries as portfolio
from firm.profile import operations as profiles
from payouts.terms.model import FixedFee, FundShare, PayTerms
from staffing.maintainers import queries as maintainers


class TermsTaken(Refused):
    """One month has one version of a person's terms."""


class TermsTooLate(Refused):
    """Terms cannot begin in a closed month."""


class InvalidTerms(Invalid):
    """Terms that cannot be."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The parts of the terms; packages by id or name, rates in basis points."""

    guarantee: Money | None = None
    growth_bp: int = 0
    baseline: Money | None = None
    cap: Money | None = None
    fund_shares: Mapping[str, int] = field(default_factory=dict)
    fixed_fees: Mapping[str, Money] = field(default_factory=dict)

    def amounts(self) -> list[Money]:
        found = [self.guarantee, self.baseline, self.cap, *self.fixed_fees.values()]
        return [amount for amount in found if amount is not None]


@use_case
def set_terms(
    maintainer: str,
    proposal: Proposal,
    *,
    from_month: Month,
    until_month: Month | None = None,
    by: Actor,
    now: datetime,
) -> PayTerms:
    """Set a maintainer's terms from a month on, replacing those before from then. Raises `InvalidTerms`,
    `TermsTaken`, `TermsTooLate`."""
    _refuse_impossible(proposal)
    if until_month is not None and until_month <= from_month:
        raise InvalidTerms("Terms end after they begin; `until` is the first month they no longer hold.")
    with transaction() as session:
        profile = profiles.current(session)
        if any(amount.currency != profile.currency for amount in proposal.amounts()):
            raise InvalidTerms(f"Pay terms are in {profile.currency}, the currency of the books.")
        if from_month < periods.earliest_open(session, first=profile.first_month):
            raise TermsTooLate(f"{from_month.name} is closed; let the terms begin in an open month.")
        terms = PayTerms(
            id=ids.new("ptm"),
            maintainer_id=maintainers.find(session, maintainer).id,
            from_month=from_month,
            until_month=until_month,
            currency=profile.currency,
            guarantee_minor=_minor(proposal.guarantee),
            growth_bp=proposal.growth_bp,
            baseline_minor=_minor(proposal.baseline),
            cap_minor=None if proposal.cap is None else proposal.cap.minor,
            created_at=now,
            created_by=by.name,
        )
        session.add(terms)
        try:
            session.flush()
        except IntegrityError as error:
            raise TermsTaken(f"Terms from {from_month.name} on are set already; let these begin later.") from error
        for package, rate_bp in proposal.fund_shares.items():
            package_id = portfolio.find(session, package).id
            session.add(FundShare(terms_id=terms.id, package_id=package_id, rate_bp=rate_bp))
        for package, amount in proposal.fixed_fees.items():
            package_id = portfolio.find(session, package).id
            session.add(FixedFee(terms_id=terms.id, package_id=package_id, amount_minor=amount.minor))
        session.flush()
        audit.record(session, "terms.set", terms.id, {"from": str(from_month)}, by=by, now=now)
    return terms


def _minor(amount: Money | None) -> int:
    return 0 if amount is None else amount.minor


def _refuse_impossible(proposal: Proposal) -> None:
    if any(amount.minor < 0 for amount in proposal.amounts()):
        raise InvalidTerms("Amounts of pay terms are zero or more.")
    if not 0 <= proposal.growth_bp <= BASIS or not all(0 < bp <= BASIS for bp in proposal.fund_shares.values()):
        raise InvalidTerms("Rates of pay terms lie between 0 and 100 %.")
    if proposal.growth_bp and proposal.baseline is None:
        raise InvalidTerms("A growth share needs the baseline above which revenue counts as growth.")
    if any(not amount for amount in proposal.fixed_fees.values()):
        raise InvalidTerms("A fixed fee is above zero; leave it out otherwise.")

"""Setting pay terms, and correcting them while their first month is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest, whole
from firm.db import claim, transaction, use_case
from firm.errors import Invalid, Refused
from firm.ledger import periods
from firm.money import BASIS, Money
from firm.month import Month
from firm.particulars import checked_words
from firm.portfolio import queries as portfolio
from firm.profile import operations as profiles
from payouts.terms import queries
from payouts.terms.model import FEES_BORNE_BY, FixedFee, FundShare, PayTerms
from staffing.maintainers import queries as maintainers

EARNED = "earnings"
"""The step of a month's close by which everybody has earned (`payouts.earnings`)."""


class TermsTaken(Refused):
    """One month has one version of a person's terms."""


class TermsTooLate(Refused):
    """Terms cannot begin in a closed month."""


class TermsSuperseded(Refused):
    """Others have replaced these terms already."""


class MonthUnderWay(Refused):
    """In the first month of the terms earnings are worked out: somebody has earned by others."""


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
    recovery_bp: int = 0
    """The part of a month's earnings that recovers advances."""
    recovery: Money | None = None
    """What a month recovers of advances, instead of a part."""
    fees_borne_by: str = "firm"

    def amounts(self) -> list[tuple[str, Money]]:
        """Each with the field that says it."""
        found = [(name, getattr(self, name)) for name in ("guarantee", "baseline", "cap", "recovery")]
        found += [("fixed_fees", amount) for amount in self.fixed_fees.values()]
        return [(name, amount) for name, amount in found if amount is not None]


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
    `TermsTaken`, `TermsTooLate`, `MonthUnderWay`."""
    refuse_impossible(proposal, from_month=from_month, until_month=until_month)
    with transaction() as session:
        profile = profiles.current(session)
        first_open = periods.earliest_open(session, first=profile.first_month)
        refuse_misplaced(proposal, from_month, currency=profile.currency, first_open=first_open)
        periods.hold(session, first_open)
        refuse_earned(from_month, first_unearned(session, first_open))
        terms = new_terms(
            maintainers.find(session, maintainer).id,
            proposal,
            from_month=from_month,
            until_month=until_month,
            currency=profile.currency,
            by=by,
            now=now,
        )
        session.add(terms)
        try:
            session.flush()
        except IntegrityError as error:
            raise TermsTaken(
                f"Terms from {from_month.name} on are set already; correct them with `chambers terms correct`, or let"
                " these begin later."
            ) from error
        parts = parts_of(terms, proposal, package_id=lambda key: portfolio.find(session, key).id)
        session.add_all(parts)
        session.flush()
        audit.record(session, "terms.set", terms.id, facts_of(terms), after=whole(terms, parts), by=by, now=now)
    return terms


@use_case
def correct(
    terms_id: str,
    proposal: Proposal,
    *,
    until_month: Month | None = None,
    reason: str,
    by: Actor,
    now: datetime,
) -> PayTerms:
    """Replace terms that were written down wrongly by others from the same month on, while that month is open.

    The wrong ones stay on record, superseded. Raises `TermsNotFound`, `TermsSuperseded`, `TermsTooLate`,
    `MonthUnderWay`, `InvalidTerms`.
    """
    reason = checked_words(reason, "Say what was wrong: the maintainer may read it.", field="reason", most=400)
    with transaction() as session:
        wrong = queries.find(session, terms_id)
        refuse_impossible(proposal, from_month=wrong.from_month, until_month=until_month)
        _hold_open(session, wrong, proposal)
        _supersede(session, wrong, reason, by=by, now=now)
        terms = new_terms(
            wrong.maintainer_id,
            proposal,
            from_month=wrong.from_month,
            until_month=until_month,
            currency=wrong.currency,
            by=by,
            now=now,
        )
        terms.corrects_id, terms.reason = wrong.id, reason
        session.add(terms)
        session.flush()
        parts = parts_of(terms, proposal, package_id=lambda key: portfolio.find(session, key).id)
        session.add_all(parts)
        session.flush()
        facts = facts_of(terms) | {"corrects": wrong.id, "reason": reason}
        audit.record(session, "terms.corrected", terms.id, facts, after=whole(terms, parts), by=by, now=now)
    return terms


def _hold_open(session: Session, wrong: PayTerms, proposal: Proposal) -> None:
    """Have the first open month to ourselves: nobody accrues it while the terms that it is earned by change."""
    profile = profiles.current(session)
    first_open = periods.earliest_open(session, first=profile.first_month)
    if wrong.from_month < first_open:
        raise TermsTooLate(
            f"{wrong.from_month.name}, with which these terms begin, is closed; set others from {first_open.name} on"
            " with `chambers terms set`, and mend what was earned before by an adjustment."
        )
    refuse_misplaced(proposal, wrong.from_month, currency=profile.currency, first_open=first_open)
    periods.hold(session, first_open)
    refuse_earned(wrong.from_month, first_unearned(session, first_open))


def first_unearned(session: Session, first_open: Month) -> Month:
    """The first month in which nobody has earned yet. It stays so for who holds the first open month."""
    return periods.first_without(session, EARNED, first_open)


def refuse_earned(from_month: Month, unearned: Month) -> None:
    """Raises `MonthUnderWay` for terms that begin in a month in which earnings are worked out already."""
    if from_month < unearned:
        raise MonthUnderWay(
            f"The earnings of {from_month.name} are worked out; finish it with `chambers month close {from_month}`,"
            f" let other terms begin with {unearned.name}, and mend what was earned by an adjustment."
        )


def _supersede(session: Session, wrong: PayTerms, reason: str, *, by: Actor, now: datetime) -> None:
    """Of two corrections at one moment the second finds the terms superseded, and then nothing to claim."""
    parts = queries.parts(session, wrong.id)
    before = digest(whole(wrong, parts))
    standing = update(PayTerms).where(PayTerms.id == wrong.id, PayTerms.superseded_at.is_(None))
    if not claim(session, standing.values(superseded_at=now)):
        raise TermsSuperseded("These terms were corrected already; correct those that replaced them.")
    session.refresh(wrong)
    facts = facts_of(wrong) | {"reason": reason}
    after = whole(wrong, parts)
    audit.record(session, "terms.superseded", wrong.id, facts, before=before, after=after, by=by, now=now)


def refuse_misplaced(proposal: Proposal, from_month: Month, *, currency: str, first_open: Month) -> None:
    """Raises `InvalidTerms`, `TermsTooLate` for what these books cannot take."""
    for name, amount in proposal.amounts():
        if amount.currency != currency:
            raise InvalidTerms(f"Pay terms are in {currency}, the currency of the books.", field=name)
    if from_month < first_open:
        raise TermsTooLate(f"{from_month.name} is closed; let the terms begin in an open month.")


def new_terms(
    maintainer_id: str,
    proposal: Proposal,
    *,
    from_month: Month,
    until_month: Month | None,
    currency: str,
    by: Actor,
    now: datetime,
) -> PayTerms:
    """Terms that are in no session yet, without their parts for packages."""
    return PayTerms(
        id=ids.new("ptm"),
        maintainer_id=maintainer_id,
        from_month=from_month,
        until_month=until_month,
        currency=currency,
        guarantee_minor=_minor(proposal.guarantee),
        growth_bp=proposal.growth_bp,
        baseline_minor=_minor(proposal.baseline),
        cap_minor=None if proposal.cap is None else proposal.cap.minor,
        recovery_bp=proposal.recovery_bp,
        recovery_minor=None if proposal.recovery is None else proposal.recovery.minor,
        fees_borne_by=proposal.fees_borne_by,
        created_at=now,
        created_by=by.name,
    )


def parts_of(terms: PayTerms, proposal: Proposal, *, package_id: Callable[[str], str]) -> list[FundShare | FixedFee]:
    """The terms' parts for packages, in no session yet; `package_id` finds a package by id or name, or raises."""
    shares = [
        FundShare(terms_id=terms.id, package_id=package_id(key), rate_bp=rate_bp)
        for key, rate_bp in proposal.fund_shares.items()
    ]
    fees = [
        FixedFee(terms_id=terms.id, package_id=package_id(key), amount_minor=amount.minor)
        for key, amount in proposal.fixed_fees.items()
    ]
    return [*shares, *fees]


def facts_of(terms: PayTerms) -> dict[str, str]:
    """What the audit record of new terms says."""
    return {"from": str(terms.from_month)}


def _minor(amount: Money | None) -> int:
    return 0 if amount is None else amount.minor


def refuse_impossible(proposal: Proposal, *, from_month: Month, until_month: Month | None) -> None:
    """Raises `InvalidTerms` for what no terms can be."""
    if until_month is not None and until_month <= from_month:
        raise InvalidTerms(
            "Terms end after they begin; `until` is the first month they no longer hold.", field="until_month"
        )
    if proposal.guarantee is None and not (proposal.growth_bp or proposal.fund_shares or proposal.fixed_fees):
        raise InvalidTerms(
            "Name what is paid: a guarantee, a fee or a share; a guarantee of zero says that nothing is."
        )
    for name, amount in proposal.amounts():
        if amount.minor < 0:
            raise InvalidTerms("Amounts of pay terms are zero or more.", field=name)
    if not 0 <= proposal.growth_bp <= BASIS:
        raise InvalidTerms("A growth share lies between 0 and 100 %.", field="growth_bp")
    if not all(0 < rate_bp <= BASIS for rate_bp in proposal.fund_shares.values()):
        raise InvalidTerms("A share of a fund lies between 0 and 100 %; leave it out otherwise.", field="fund_shares")
    if proposal.growth_bp and proposal.baseline is None:
        raise InvalidTerms("A growth share needs the baseline above which revenue counts as growth.", field="baseline")
    if any(not amount for amount in proposal.fixed_fees.values()):
        raise InvalidTerms("A fixed fee is above zero; leave it out otherwise.", field="fixed_fees")
    _refuse_impossible_recovery(proposal)
    if proposal.fees_borne_by not in FEES_BORNE_BY:
        raise InvalidTerms("Fees of payouts are borne by the firm or the payee.", field="fees_borne_by")


def _refuse_impossible_recovery(proposal: Proposal) -> None:
    if not 0 <= proposal.recovery_bp <= BASIS:
        raise InvalidTerms("Advances are recovered by 0 to 100 % of what a month earned.", field="recovery_bp")
    if proposal.recovery is not None and not proposal.recovery:
        raise InvalidTerms("A fixed recovery is above zero; leave it out otherwise.", field="recovery")
    if proposal.recovery_bp and proposal.recovery is not None:
        raise InvalidTerms("Advances are recovered by a rate or by a fixed amount, not by both.", field="recovery")

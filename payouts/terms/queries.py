"""Finding pay terms."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from firm.errors import NotFound, Refused
from firm.listing import WHOLE, Slice, where_given
from firm.month import Month
from payouts.adjustments.rules import RecoveryRule
from payouts.terms.model import FixedFee, FundShare, PayTerms
from staffing.assignments.model import Assignment
from staffing.assignments.queries import running
from staffing.maintainers.model import Maintainer


class TermsNotFound(NotFound):
    """No pay terms have this id."""


class MaintainerWithoutTerms(Refused):
    """Somebody works on a paid assignment and nobody knows for what."""


def find(session: Session, terms_id: str) -> PayTerms:
    """Pay terms by id. Raises `TermsNotFound`."""
    found = session.get(PayTerms, terms_id)
    if found is None:
        raise TermsNotFound(f"There are no pay terms {terms_id!r}.")
    return found


def standing(session: Session, maintainer_id: str, from_month: Month) -> PayTerms:
    """The terms of a maintainer that begin with a month and are not superseded. Raises `TermsNotFound`."""
    begun = (PayTerms.maintainer_id == maintainer_id, PayTerms.from_month == from_month)
    found = session.scalar(select(PayTerms).where(*begun, PayTerms.superseded_at.is_(None)))
    if found is None:
        raise TermsNotFound(f"No pay terms of theirs begin with {from_month.name}; `chambers terms list` shows them.")
    return found


def page(session: Session, part: Slice = WHOLE, *, maintainer_id: str | None = None) -> list[PayTerms]:
    """Pay terms in the order of their ids."""
    query = where_given(select(PayTerms), (PayTerms.maintainer_id, maintainer_id))
    return list(session.scalars(part.of(query, PayTerms.id)))


def shares_of(session: Session, terms_id: str) -> dict[str, int]:
    """Package id to rate in basis points."""
    query = select(FundShare.package_id, FundShare.rate_bp).where(FundShare.terms_id == terms_id)
    return dict(session.execute(query.order_by(FundShare.package_id)).all())


def fees_of(session: Session, terms_id: str) -> dict[str, int]:
    """Package id to minor units a month."""
    query = select(FixedFee.package_id, FixedFee.amount_minor).where(FixedFee.terms_id == terms_id)
    return dict(session.execute(query.order_by(FixedFee.package_id)).all())


def in_force(month: Month) -> ColumnElement[bool]:
    """The condition that terms hold in a month: the latest that began and are not superseded, unless they ended."""
    begun = (
        select(PayTerms.maintainer_id, func.max(PayTerms.from_month).label("from_month"))
        .where(PayTerms.from_month <= month, PayTerms.superseded_at.is_(None))
        .group_by(PayTerms.maintainer_id)
        .subquery()
    )
    latest = select(begun.c.maintainer_id).where(
        begun.c.maintainer_id == PayTerms.maintainer_id, begun.c.from_month == PayTerms.from_month
    )
    standing_ones = PayTerms.superseded_at.is_(None)
    return and_(latest.exists(), standing_ones, or_(PayTerms.until_month.is_(None), PayTerms.until_month > month))


def recovery_rules(session: Session, month: Month) -> dict[str, RecoveryRule]:
    """How the terms in force recover advances, by maintainer; those that recover none are left out."""
    rows = session.execute(
        select(PayTerms.maintainer_id, PayTerms.recovery_bp, PayTerms.recovery_minor).where(
            in_force(month), or_(PayTerms.recovery_bp > 0, PayTerms.recovery_minor.is_not(None))
        )
    )
    return {row.maintainer_id: RecoveryRule(row.recovery_bp, row.recovery_minor) for row in rows}


def payee_bears_fees(session: Session, maintainer_id: str, month: Month) -> bool:
    """Whether the terms let the maintainer bear what a rail takes for a payout; without terms the firm does."""
    query = select(PayTerms.fees_borne_by).where(PayTerms.maintainer_id == maintainer_id, in_force(month))
    return session.scalar(query) == "payee"


def missing(session: Session, month: Month) -> Sequence[str]:
    """The names of those who have a paid assignment in the month and no terms; owners need none."""
    with_terms = select(PayTerms.maintainer_id).where(in_force(month))
    return session.scalars(
        select(Maintainer.name)
        .where(
            Maintainer.works_as != "owner",
            Maintainer.id.in_(select(Assignment.maintainer_id).where(Assignment.paid, running(month))),
            Maintainer.id.not_in(with_terms),
        )
        .order_by(Maintainer.name)
    ).all()


def refuse_missing(session: Session, month: Month) -> None:
    """Raises `MaintainerWithoutTerms` if a paid assignment of the month has no terms."""
    names = missing(session, month)
    if names:
        raise MaintainerWithoutTerms(
            f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} a paid assignment in {month.name} and no"
            " pay terms; set them with `chambers terms set`, or end the assignment."
        )


def parts(session: Session, terms_id: str) -> list[FundShare | FixedFee]:
    """The rows that are a part of some terms: their shares and fees of packages."""
    shares = session.scalars(select(FundShare).where(FundShare.terms_id == terms_id))
    return [*shares, *session.scalars(select(FixedFee).where(FixedFee.terms_id == terms_id))]

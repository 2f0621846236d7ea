"""Pay terms from a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.errors import Busy
from firm.intake.columns import Amount, Currency, MonthOf, Name, Percent, amount, one_of, pairs, percent, read_by
from firm.intake.desk import Desk, Kind, blaming, percentage, refuse_contradiction
from firm.intake.rows import Row
from firm.ledger import periods
from firm.money import Money
from firm.portfolio.queries import PackageNotFound
from firm.portfolio.queries import names as package_names
from firm.profile import operations as profiles
from payouts.terms.model import FEES_BORNE_BY, FixedFee, FundShare, PayTerms
from payouts.terms.operations import (
    Proposal,
    facts_of,
    first_unearned,
    new_terms,
    parts_of,
    refuse_earned,
    refuse_impossible,
    refuse_misplaced,
)
from staffing.maintainers.queries import MaintainerNotFound
from staffing.maintainers.queries import names as maintainer_names


def _shares(text: str) -> dict[str, int]:
    return pairs(text, percent, "ssh=40%")


def _fees(text: str) -> dict[str, str]:
    return pairs(text, amount, "age=1200.00")


class TermsRow(Row):
    """Pay terms; maintainer and first month are what they are known by. All amounts are in the one currency."""

    maintainer: Name
    from_month: MonthOf
    until_month: MonthOf | None = None
    currency: Currency
    guarantee: Amount | None = None
    growth: Percent = 0
    baseline: Amount | None = None
    cap: Amount | None = None
    fund_shares: Annotated[dict[str, int], read_by(_shares)] | None = None
    fixed_fees: Annotated[dict[str, str], read_by(_fees)] | None = None
    recovery_rate: Percent = 0
    recovery: Amount | None = None
    fees_borne_by: Annotated[str, one_of(FEES_BORNE_BY)] = "firm"


class TermsDesk(Desk[TermsRow]):
    """Knows people and packages by name, all terms by person and first month, and what the books can take."""

    def __init__(self, session: Session, *, by: Actor, now: datetime) -> None:
        super().__init__(session, by=by, now=now)
        profile = profiles.current(session)
        self._currency = profile.currency
        self._first_open = periods.earliest_open(session, first=profile.first_month)
        self._unearned = first_unearned(session, self._first_open)
        self._people = {name: key for key, name in maintainer_names(session).items()}
        self._names = package_names(session)
        self._packages = {name: key for key, name in self._names.items()}
        standing = session.scalars(select(PayTerms).where(PayTerms.superseded_at.is_(None)))
        self._known = {(each.maintainer_id, each.from_month): each for each in standing}
        self._parts: dict[str, list[FundShare | FixedFee]] = {}
        for part in (*session.scalars(select(FundShare)), *session.scalars(select(FixedFee))):
            self._parts.setdefault(part.terms_id, []).append(part)

    def settle(self, row: TermsRow, columns: Collection[str]) -> bool:
        maintainer_id = self._person(row.maintainer)
        proposal = _proposal(row)
        refuse_impossible(proposal, from_month=row.from_month, until_month=row.until_month)
        terms = new_terms(
            maintainer_id,
            proposal,
            from_month=row.from_month,
            until_month=row.until_month,
            currency=row.currency,
            by=self.by,
            now=self.now,
        )
        parts = self._parts_of(terms, proposal)
        known = self._known.get((maintainer_id, row.from_month))
        if known is not None:
            what = f"The pay terms of {row.maintainer} from {row.from_month}"
            before = self._facts(known, self._parts.get(known.id, []))
            refuse_contradiction(what, before, self._facts(terms, parts), columns)
            return False
        self._refuse_misplaced(row, proposal)
        self._known[maintainer_id, row.from_month] = terms
        self._parts[terms.id] = parts
        self.keep(terms, *parts, verb="terms.set", subject=terms.id, facts=facts_of(terms), in_parts=True)
        return True

    def write(self) -> None:
        """Raises `Busy` when somebody worked out earnings since the rows were judged."""
        periods.hold(self.session, self._first_open)
        if first_unearned(self.session, self._first_open) != self._unearned:
            raise Busy("The earnings of a month were worked out at this moment; import the file again.")
        super().write()

    def _refuse_misplaced(self, row: TermsRow, proposal: Proposal) -> None:
        # Terms without any amount have no money that could be in another currency: the cell itself is judged.
        column = "from_month" if row.currency == self._currency else "currency"
        stated = proposal if proposal.amounts() else Proposal(guarantee=Money.zero(row.currency))
        with blaming(column):
            refuse_misplaced(stated, row.from_month, currency=self._currency, first_open=self._first_open)
            refuse_earned(row.from_month, self._unearned)

    def _person(self, name: str) -> str:
        if (found := self._people.get(name)) is None:
            with blaming("maintainer"):
                raise MaintainerNotFound(f"There is no maintainer {name!r}; import maintainers first, or correct it.")
        return found

    def _package(self, name: str) -> str:
        if (found := self._packages.get(name)) is None:
            raise PackageNotFound(f"There is no package {name!r}; import packages first, or correct the name.")
        return found

    def _parts_of(self, terms: PayTerms, proposal: Proposal) -> list[FundShare | FixedFee]:
        for column, keys in (("fund_shares", proposal.fund_shares), ("fixed_fees", proposal.fixed_fees)):
            with blaming(column):
                for key in keys:
                    self._package(key)
        return parts_of(terms, proposal, package_id=self._package)

    def _facts(self, terms: PayTerms, parts: Collection[FundShare | FixedFee]) -> dict[str, object]:
        """What a line and terms are compared by, column by column, as a file writes it."""
        shares, fees = {}, {}
        for part in parts:
            if isinstance(part, FundShare):
                shares[self._names[part.package_id]] = percentage(part.rate_bp)
            else:
                fees[self._names[part.package_id]] = Money(part.amount_minor, terms.currency).decimal
        return {
            "currency": terms.currency,
            "until_month": terms.until_month,
            "guarantee": Money(terms.guarantee_minor, terms.currency),
            "growth": percentage(terms.growth_bp),
            "baseline": Money(terms.baseline_minor, terms.currency),
            "cap": None if terms.cap_minor is None else Money(terms.cap_minor, terms.currency),
            "fund_shares": _joined(shares),
            "fixed_fees": _joined(fees),
            "recovery_rate": percentage(terms.recovery_bp),
            "recovery": None if terms.recovery_minor is None else Money(terms.recovery_minor, terms.currency),
            "fees_borne_by": terms.fees_borne_by,
        }


def _joined(parts: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in sorted(parts.items()))


def _proposal(row: TermsRow) -> Proposal:
    def money(column: str, text: str | None) -> Money | None:
        with blaming(column):
            return None if text is None else Money.parse(text, row.currency)

    with blaming("currency"):
        Money.zero(row.currency)
    with blaming("fixed_fees"):
        fees = {name: Money.parse(text, row.currency) for name, text in (row.fixed_fees or {}).items()}
    return Proposal(
        guarantee=money("guarantee", row.guarantee),
        growth_bp=row.growth,
        baseline=money("baseline", row.baseline),
        cap=money("cap", row.cap),
        fund_shares=row.fund_shares or {},
        fixed_fees=fees,
        recovery_bp=row.recovery_rate,
        recovery=money("recovery", row.recovery),
        fees_borne_by=row.fees_borne_by,
    )


TERMS = Kind(
    "terms",
    TermsRow,
    TermsDesk,
    {
        "maintainer": "Grace Hopper",
        "from_month": "2026-10",
        "currency": "USD",
        "guarantee": "4000.00",
        "growth": "10%",
        "baseline": "12000.00",
        "fund_shares": "golang.org/x/crypto/ssh=40%",
        "fixed_fees": "filippo.io/age=1200.00",
    },
)

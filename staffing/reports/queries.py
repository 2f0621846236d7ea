"""Finding reports, and reading what one will say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from firm.clients.model import Client
from firm.db import AnyRow
from firm.engagements.model import Engagement, Interest, Tier
from firm.errors import NotFound, Refused
from firm.listing import WHOLE, Slice, where_given
from firm.month import Month
from firm.portfolio.model import Package
from firm.profile.model import Profile
from staffing.assignments.model import Assignment
from staffing.maintainers import queries as maintainers
from staffing.reports.model import funded_work_report
from staffing.reports.rules import PackageWork, Period, work_line
from staffing.work import queries as work

SHOWN_WORK = 8
"""How many pieces of notable work a package lists; the rest is counted."""


class ReportNotFound(NotFound):
    """No report has this id or number."""


class NoEngagementInPeriod(Refused):
    """A client without a running engagement funded nothing."""


def find(session: Session, key: str) -> AnyRow:
    """A report by id or number. Raises `ReportNotFound`."""
    table = funded_work_report
    row = session.execute(select(table).where(or_(table.c.id == key, table.c.number == key))).one_or_none()
    if row is None:
        raise ReportNotFound(f"There is no funded-work report {key!r}.")
    return row


def issued_before(session: Session, client_id: str, period: Period) -> str | None:
    """The number of the client's newest report of the same months, or None."""
    table = funded_work_report.c
    same = table.client_id == client_id, table.from_month == period.from_month, table.until_month == period.until_month
    return session.scalar(select(table.number).where(*same).order_by(table.id.desc()).limit(1))


def page(
    session: Session, part: Slice = WHOLE, *, client_id: str | None = None, month: Month | None = None
) -> list[AnyRow]:
    """Reports in the order of their ids; with `month` those that cover it, among other months perhaps."""
    table = funded_work_report.c
    query = where_given(select(funded_work_report), (table.client_id, client_id))
    if month is not None:
        query = query.where(table.from_month <= month, table.until_month > month)
    return list(session.execute(part.of(query, table.id)))


def figures(row: AnyRow) -> Mapping[str, object]:
    """The frozen figures of a report."""
    found: Mapping[str, object] = json.loads(row.figures)
    return found


def tier_of(session: Session, client: Client, period: Period) -> str:
    """The tier the client was served under. Raises `NoEngagementInPeriod`."""
    name = session.scalar(
        select(Tier.name)
        .join(Engagement, Engagement.tier_id == Tier.id)
        .where(Engagement.client_id == client.id, _running_in(period))
        .order_by(Engagement.id.desc())
        .limit(1)
    )
    if name is None:
        raise NoEngagementInPeriod(
            f"{client.name} has no engagement that runs in {period.name}; a report shows what a client funded."
        )
    return name


def package_work(session: Session, client: Client, period: Period, profile: Profile) -> list[PackageWork]:
    """What happened on each package that the client named, in the order of their names."""
    start, end = period.bounds(profile.zone)
    rows = session.execute(
        select(Package, Interest)
        .join(Interest, Interest.package_id == Package.id)
        .join(Engagement, Engagement.id == Interest.engagement_id)
        .where(Engagement.client_id == client.id, _running_in(period))
        .order_by(Package.name, Interest.id)
    ).all()
    named = {package.id: (package, interest) for package, interest in rows}
    names = maintainers.names(session)
    counts = work.counts(session, list(named), start, end)
    return [
        PackageWork(
            name=package.name,
            may_stop=interest.may_stop,
            months_to_replace=interest.months_to_replace,
            people=sorted(names[key] for key in _people(session, package.id, period, start, end)),
            counts={kind: number for (owner, kind), number in counts.items() if owner == package.id},
            releases=[work_line(row, names) for row in work.events(session, package.id, "release", start, end)],
            security=[work_line(row, names) for row in work.events(session, package.id, "vulnerability", start, end)],
            work=[
                work_line(row, names)
                for row in work.own_work(session, package.id, "commit", start, end, limit=SHOWN_WORK)
            ],
        )
        for package, interest in named.values()
    ]


def _people(session: Session, package_id: str, period: Period, start: datetime, end: datetime) -> set[str]:
    """Who works on the package for the firm: paid for it in the period, or with work to show for it."""
    paid = session.scalars(
        select(Assignment.maintainer_id).where(
            Assignment.package_id == package_id,
            Assignment.paid,
            Assignment.from_on < period.until_month.first_day,
            or_(Assignment.until_on.is_(None), Assignment.until_on > period.from_month.first_day),
        )
    )
    return {*paid, *work.people(session, package_id, start, end)}


def _running_in(period: Period) -> ColumnElement[bool]:
    from_day, until_day = period.from_month.first_day, period.until_month.first_day
    return (
        (Engagement.state != "draft")
        & (Engagement.starts_on < until_day)
        & (Engagement.ends_on.is_(None) | (Engagement.ends_on > from_day))
    )

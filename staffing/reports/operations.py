"""Issuing funded-work reports."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from sqlalchemy import insert

from firm import ids
from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit import queries as audit_queries
from firm.clients import queries as clients
from firm.db import AnyRow, transaction, use_case
from firm.month import Month
from firm.numbering.operations import take
from firm.profile import operations as profiles
from firm.profile.model import Profile
from staffing.reports import queries
from staffing.reports.model import funded_work_report
from staffing.reports.rules import InvalidPeriod, Period, package_figures, totals

KIND = "FWR"
TEMPLATE = 1


@use_case
def issue(client: str, *, from_month: Month, until_month: Month, by: Actor, now: datetime) -> AnyRow:
    """Issue a client's report of the months [from_month, until_month) and return its row.

    Each call issues a new paper with a number of its own, which names the one issued before for the same months and
    takes its place. Raises `ClientNotFound`, `NoEngagementInPeriod`,
    `InvalidPeriod` (also for months that are not over).
    """
    period = Period(from_month, until_month)
    with transaction() as session:
        profile = profiles.current(session)
        if until_month > profile.month_at(now):
            sentence = f"{until_month.previous.name} is not over; report on months that are."
            raise InvalidPeriod(sentence, field="until_month")
        target = clients.find(session, client)
        tier = queries.tier_of(session, target, period)
        packages = queries.package_work(session, target, period, profile)
        issued_on = now.astimezone(profile.zone).date()
        number = take(session, KIND, issued_on.year)[0]
        figures = _head(number, issued_on.isoformat(), period, profile) | {
            "client": {"name": target.name, "address": target.address.splitlines()},
            "tier": tier,
            "packages": [package_figures(package, profile.zone) for package in packages],
            "totals": totals(packages),
            "corrects": queries.issued_before(session, target.id, period),
            "audit": audit_queries.checkpoint(session),
        }
        text = json.dumps(figures, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        row = {
            "id": ids.new("fwr"),
            "number": number,
            "client_id": target.id,
            "from_month": from_month,
            "until_month": until_month,
            "figures": text,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "issued_at": now,
        }
        session.execute(insert(funded_work_report), row)
        audit.record(session, "report.issued", str(row["id"]), {"number": number}, after=row, by=by, now=now)
        return queries.find(session, number)


def _head(number: str, issued_on: str, period: Period, profile: Profile) -> dict[str, object]:
    return {
        "kind": "funded-work-report",
        "template": TEMPLATE,
        "number": number,
        "issued_on": issued_on,
        "from": str(period.from_month),
        "until": str(period.until_month),
        "firm": profile.letterhead(),
    }

"""A firm of any size, written by bulk SQL: clients with engagements, maintainers with terms and destinations."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text, update

from firm import ids
from firm.actor import Actor, Role
from firm.allocation import operations as allocation
from firm.bulk import bulk_insert
from firm.clients.model import Client
from firm.db import db, transaction
from firm.engagements import operations as engagements
from firm.engagements.model import Engagement
from firm.month import Month
from firm.portfolio import operations as portfolio
from firm.profile import operations as profiles
from payouts.destinations.model import Destination
from payouts.terms.model import PayTerms
from staffing.assignments.model import Assignment
from staffing.maintainers.model import Maintainer

LEAD = Actor("lead", Role.LEAD)
ADMINISTRATOR = Actor("administrator", Role.ADMINISTRATOR)
MONTH = Month(2026, 10)
BEFORE = datetime(2026, 10, 1, 9, tzinfo=UTC)
AFTER = datetime(2026, 11, 1, 9, tzinfo=UTC)
PACKAGES = 10
OVERHEAD_BP, RESERVE_BP = 1_500, 500
FEE, GUARANTEE = 1_000_000, 50_000
"""A month's fee of the first client (each further one pays a cent more) and everybody's guarantee, in cents."""


def populate(clients: int, people: int) -> None:
    """Clients at about 10,000.00 USD a month each, and maintainers with a guarantee of 500.00 each."""
    package_ids, tier_id = _firm()
    client_ids, people_ids = ids.new_many("cli", clients), ids.new_many("mnt", people)
    with transaction() as session:
        _insert(session, Client, [_client(key) for key in client_ids])
        _insert(session, Engagement, [_engagement(key, tier_id, FEE + i) for i, key in enumerate(client_ids)])
        _insert(session, Maintainer, [_maintainer(key) for key in people_ids])
        _insert(session, Assignment, [_assignment(key, package_ids[i % PACKAGES]) for i, key in enumerate(people_ids)])
        _insert(session, PayTerms, [_terms(key) for key in people_ids])
        _insert(session, Destination, [_destination(key) for key in people_ids])
        confirmed = {"state": "confirmed", "decided_by": "lead", "decided_at": BEFORE, "usable_from": BEFORE}
        session.execute(update(Destination).values(**confirmed))
    with db.engine.connect() as connection:
        # Without fresh statistics PostgreSQL plans for empty tables.
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def _firm() -> tuple[list[str], str]:
    profiles.establish(
        name="Bench", address=[], email="", currency="USD", time_zone="UTC", first_month=MONTH, by=LEAD, now=BEFORE
    )
    package_ids = [
        portfolio.adopt(name=f"package-{n}", ecosystem="Go", by=LEAD, now=BEFORE).id for n in range(PACKAGES)
    ]
    allocation.set_plan(
        from_month=MONTH,
        overhead_bp=OVERHEAD_BP,
        reserves={"on-ramp": RESERVE_BP},
        weights={key: n + 1 for n, key in enumerate(package_ids)},
        by=LEAD,
        now=BEFORE,
    )
    return package_ids, engagements.add_tier(name="gold", by=LEAD, now=BEFORE).id


def _insert(session: Any, model: Any, rows: list[dict[str, Any]]) -> None:
    bulk_insert(session, model.__table__, rows)


def _client(key: str) -> dict[str, Any]:
    return {"id": key, "name": key, "address": "", "country": "US", "requires_po": False, "created_at": BEFORE}


def _engagement(client_id: str, tier_id: str, fee_minor: int) -> dict[str, Any]:
    return {
        "id": ids.new("eng"),
        "client_id": client_id,
        "tier_id": tier_id,
        "fee_minor": fee_minor,
        "currency": "USD",
        "cycle_months": 1,
        "starts_on": date(2026, 10, 1),
        "notice_days": 90,
        "subcontracting_allowed": True,
        "clauses": "",
        "state": "signed",
        "signed_at": BEFORE,
        "created_at": BEFORE,
    }


def _maintainer(key: str) -> dict[str, Any]:
    person = {"id": key, "name": key, "email": "", "address": "", "country": "US", "created_at": BEFORE}
    return person | {"grade": "junior", "works_as": "subcontractor"}


def _assignment(maintainer_id: str, package_id: str) -> dict[str, Any]:
    return {
        "id": ids.new("asn"),
        "maintainer_id": maintainer_id,
        "package_id": package_id,
        "role": "lead",
        "share_bp": 10_000,
        "paid": True,
        "from_on": date(2026, 10, 1),
        "created_at": BEFORE,
    }


def _terms(maintainer_id: str) -> dict[str, Any]:
    return {
        "id": ids.new("ptm"),
        "maintainer_id": maintainer_id,
        "from_month": MONTH,
        "currency": "USD",
        "guarantee_minor": GUARANTEE,
        "growth_bp": 0,
        "baseline_minor": 0,
        "created_at": BEFORE,
        "created_by": "bench",
    }


def _destination(maintainer_id: str) -> dict[str, Any]:
    way = {"id": ids.new("dst"), "maintainer_id": maintainer_id, "rail": "manual"}
    proposed = {"state": "proposed", "proposed_by": "administrator", "expires_at": AFTER, "sole_approval": False}
    return way | proposed | {"holder": maintainer_id, "contact": "", "country": "US", "created_at": BEFORE}

"""Values put together for showing, the same for the HTTP API and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import inspect

from api.parts import parts
from firm.db import reading
from firm.month import Month
from firm.portfolio import queries as portfolio
from firm.profile import operations as profiles
from payouts import month_end
from payouts.destinations import queries as destinations
from payouts.destinations.model import Destination
from payouts.destinations.rules import Suggestion, suggest
from payouts.proofs import operations as proofs
from payouts.provider_accounts import queries as provider_accounts
from payouts.runs import queries as runs
from payouts.runs.model import Payout, PayoutRun
from payouts.runs.queries import LeftOut
from staffing.maintainers import queries as maintainers

RUN_FACTS = (
    "id",
    "number",
    "currency",
    "state",
    "prepared_by",
    "prepared_at",
    "proposed_by",
    "approved_by",
    "approved_at",
    "approvals_needed",
    "digest",
)


def shown_month(result: month_end.Closing | month_end.Preview) -> dict[str, Any]:
    """A closing or preview with its funds by name."""
    with reading() as session:
        names = portfolio.names(session)
    funds = [
        {"kind": kind, "name": names.get(target, target or kind), "amount": amount}
        for (kind, target), amount in result.allocated.items()
    ]
    shown = {name: getattr(result, name) for name in ("month", "recognized", "earned", "residual")}
    if isinstance(result, month_end.Closing):
        shown |= {
            "state": "closed" if result.closed else "open",
            "closed": result.closed,
            "payable": result.payable,
            "steps": result.steps,
        }
        shown["held_back"] = result.held_back
    else:
        shown |= {"first_open": result.first_open, "without_terms": result.without_terms}
    return shown | {"allocated": funds}


def unclosed_month(month: Month) -> dict[str, Any]:
    """A month whose close has not begun: no figure is settled yet."""
    figures = ("recognized", "allocated", "earned", "residual", "payable")
    return {"month": month, "state": "open", "closed": False, "steps": [], "held_back": []} | dict.fromkeys(figures)


def whole_run(run: PayoutRun, payouts: Sequence[Payout], *, left_out: Sequence[LeftOut] = ()) -> dict[str, Any]:
    """A run with its payouts, who has approved it, and whom it left out."""
    with reading() as session:
        approvals = runs.approvals_of(session, run.id)
    shown = {name: getattr(run, name) for name in RUN_FACTS}
    return shown | {"payouts": with_proofs(payouts), "approvals": approvals, "left_out": left_out}


def with_proofs(payouts: Sequence[Payout]) -> list[dict[str, Any]]:
    """Payouts as they are shown, each with its newest proof or None."""
    with reading() as session:
        found = proofs.newest_in(session, [one.id for one in payouts])
    return [asdict(one) | {"amount": one.amount, "proof": found.get(one.id)} for one in payouts]


def with_parts(row: Any, **parts: Any) -> SimpleNamespace:
    """A row's columns and, beside them, what its whole view shows with it."""
    return SimpleNamespace(
        **{column.key: getattr(row, column.key) for column in inspect(row).mapper.column_attrs}, **parts
    )


def shown_destination(destination: Destination | None, now: datetime) -> SimpleNamespace | None:
    """A destination in the state that it is in for people: live from the moment on from which it may be used."""
    if destination is None:
        return None
    shown = with_parts(destination)
    shown.state = destination.state_at(now)
    return shown


def suggestions_for(key: str, currency: str | None, *, now: datetime) -> list[Suggestion]:
    """The rails of the firm for a maintainer as they are set up, in a currency or that of the books."""
    with reading() as session:
        person = maintainers.find(session, key)
        found = destinations.in_force(session, person.id) or destinations.pending(session, person.id, now=now)
        wanted = currency or profiles.current(session).currency
        account = provider_accounts.account_id_of(session, person.id)
    described = {name: rail.describe() for name, rail in parts().rails.items()}
    return suggest(
        described,
        person.country if found is None else found.country,
        wanted,
        has_iban=found is not None and found.iban_last4 is not None,
        has_account=account is not None,
    )

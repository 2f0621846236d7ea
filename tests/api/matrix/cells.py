"""The cells of the matrix, made from the routes, and asking each of them without changing anything.

Writes are sent with an empty body, no key and no version: whoever is let in is stopped there (400, 422 or 428), so
that each cell says whether the door opened and what stood behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import text

from firm import ids
from firm.access import principals, tokens
from firm.access.rules import new_secret
from firm.actor import Role
from firm.db import reading
from firm.jobs import operations as jobs
from firm.portfolio import operations as portfolio
from firm.webhooks import endpoints
from firm.webhooks.addresses import Reach
from firm.webhooks.dispatch import dispatch
from firm.webhooks.sender import Sender
from payouts import month_end
from payouts.adjustments import operations as adjustments
from payouts.adjustments.operations import Draft
from payouts.reconciliation import operations as reconciliation
from payouts.reconciliation.rules import Comparison, Finding
from payouts.runs import preparation
from payouts.self_billing import agreements
from payouts.self_billing import operations as self_billing
from payouts.self_billing.rules import Vat
from payouts.tax_forms import operations as tax_forms
from staffing.onramp import operations as onramp
from staffing.reports import operations as reports
from tests import lovelace, opener
from tests.databases import SECRET_KEYS

LETTERS = {
    "lead": "lead",
    "lead who reads": "ldrd",
    "lead of tiers": "ldtr",
    "administrator": "admin",
    "approver": "appr",
    "maintainer": "maint",
    "client": "client",
    "accountant": "acct",
    "auditor": "audit",
    "anonymous": "none",
    "malformed": "malf",
    "unknown": "unkn",
    "revoked": "revok",
    "expired": "expir",
    "shut out": "shut",
}
"""Who asks, and how the file heads the column."""

NARROW = {"lead who reads": ["read"], "lead of tiers": ["read:tiers", "write:tiers"]}
"""The scopes of those whose role would let them do everything."""

ONCE = {
    "/v1/tokens/<key>/rotation": ["other", "missing"],
    "/v1/tokens/<key>/revocation": ["other", "missing"],
    "/v1/webhook-deliveries/<key>/replay": ["missing"],
}
"""Routes that would do something even so, and the objects they are asked of. Another's token is lost to the lead only:
whoever else asks comes first."""


@dataclass(frozen=True, slots=True)
class Things:
    """For each parameter of a route, the thing that is the maintainer's or client's own, and another's."""

    own: Mapping[str, str]
    other: Mapping[str, str]


def set_up(app: Flask) -> None:
    """One closed month, reports for both clients, a draft run, a letter."""
    with app.app_context():
        lovelace.set_up()
        month_end.close(lovelace.OCTOBER, by=lovelace.LEAD, now=lovelace.AFTER)
        for client in ("Acme", "Globex"):
            period = {"from_month": lovelace.OCTOBER, "until_month": lovelace.OCTOBER.next}
            reports.issue(client, **period, by=lovelace.LEAD, now=lovelace.AFTER)
        opener.open_accounts("Grace", "Ada", by=lovelace.LEAD, now=lovelace.AFTER)
        rails = app.extensions["chambers"].rails
        for name in ("Grace", "Ada"):
            granted = Draft(name, "advance", lovelace.usd("100.00"), "A new laptop")
            adjustments.make(granted, by=lovelace.LEAD, now=lovelace.AFTER)
        preparation.draft(rails=rails, by=lovelace.ADMINISTRATOR, now=lovelace.AFTER)
        for name in ("Grace", "Ada"):
            onramp.enter_stage(name, "shadowing", on=lovelace.START, note="", by=lovelace.LEAD, now=lovelace.AFTER)
            promised = {"company": "Initech", "amount": lovelace.usd("750.00"), "term_months": 12}
            days = {"signed_on": lovelace.START, "expires_on": lovelace.AFTER.date()}
            onramp.record_letter(name, **promised, **days, by=lovelace.LEAD, now=lovelace.AFTER)
        jobs.ask("months.close", {"month": "2026-10"}, by=lovelace.LEAD, now=lovelace.AFTER)
        put_papers_on_file()
        _tell_somebody()
        _differ()
        for name in ("rotated", "revoked"):
            _issue(f"t-{name}", Role.AUDITOR)


def put_papers_on_file() -> None:
    """A tax form, a self-billing agreement and an invoice under it, of each of the two."""
    by, now, day = lovelace.LEAD, lovelace.AFTER, lovelace.START
    for name, series in (("Grace", "SB-GH-"), ("Ada", "SB-AL-")):
        form = {"kind": "W-8BEN", "name": name, "signed_on": day, "received_on": day}
        tax_forms.record(name, **form, keys=SECRET_KEYS, by=by, now=now)  # type: ignore[arg-type]
        vat, address = Vat("small-business", exemption="Exempt as a small business"), ["1 Main Street"]
        agreed = {"consented_on": day, "from_on": day, "series": series, "vat": vat, "supplier_address": address}
        agreements.agree(name, **agreed, by=by, now=now)  # type: ignore[arg-type]
        self_billing.issue(name, lovelace.OCTOBER, by=by, now=now)


def _tell_somebody() -> None:
    """An endpoint for webhooks, and a delivery to it."""
    nowhere = Sender(Reach(), resolve=lambda host, port: [host])
    endpoints.add(url="https://8.8.8.8/", sender=nowhere, keys=SECRET_KEYS, by=lovelace.LEAD, now=lovelace.AFTER)
    portfolio.adopt(name="told", ecosystem="Go", by=lovelace.LEAD, now=lovelace.AFTER)
    dispatch(now=lovelace.AFTER)


def _differ() -> None:
    """Something that the books and a rail say differently."""
    found = Finding("stripe", "balance-differs", "USD", "The balance in USD differs.", "1.00 USD", "0.00 USD")
    reconciliation.keep([Comparison("stripe", ["balance-differs"], [found])], now=lovelace.AFTER)


def callers(app: Flask) -> dict[str, dict[str, str]]:
    """The headers of everybody who asks."""
    with app.app_context():
        secrets = {str(role): _issue(f"m-{role}", role) for role in Role if role is not Role.SYSTEM}
        narrow = {name: _issue(f"m-{name}", Role.LEAD, scopes) for name, scopes in NARROW.items()}
        dead = {name: _issue(f"m-{name}", Role.LEAD) for name in ("revoked", "expired", "shut out")}
        tokens.revoke_token("m-revoked", by=lovelace.LEAD, now=lovelace.BEFORE)
        tokens.rotate(_id_of("m-expired"), overlap=tokens.OVERLAP, by=lovelace.LEAD, now=lovelace.BEFORE)
        principals.change("m-shut out", disabled=True, by=lovelace.LEAD, now=lovelace.BEFORE)
    bearers = {**secrets, **narrow, **dead, "malformed": "chm_x", "unknown": new_secret()}
    headers = {name: {"Authorization": f"Bearer {secret}"} for name, secret in bearers.items()}
    return {name: headers.get(name, {}) for name in LETTERS}


def things() -> Things:
    """Grace and Acme are the ones whose tokens ask; Ada and Globex are the others."""
    return Things(_things("Grace", "Acme"), _things("Ada", "Globex"))


def rows(app: Flask) -> Iterator[tuple[str, str, str, str]]:
    """Endpoint, method, rule and kind of object, for every route that is not open."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if not rule.rule.startswith(("/v1", "/metrics")):
            continue
        objects = ONCE.get(rule.rule, ["own", "other", "missing"]) if rule.arguments else ["-"]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            for kind in objects:
                yield rule.endpoint, method, rule.rule, kind


def address(rule: str, kind: str, found: Things) -> str:
    values = found.own if kind == "own" else found.other

    def value(place: re.Match[str]) -> str:
        name = place[1]
        if name == "form":
            return "html"
        if name == "rail":
            return "sepa"
        if name == "month":
            return {"missing": "2199-11"}.get(kind, "2026-10")
        if name == "kind":
            return {"missing": "emperors"}.get(kind, "clients")
        return "nothing-at-all" if kind == "missing" else _thing(rule, values)

    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", value, rule)


def _thing(rule: str, values: Mapping[str, str]) -> str:
    """What a route is asked of: one thing for all routes of a resource, unless one of them has one of its own."""
    _, _, resource, *rest = rule.split("/")
    return values.get(f"{resource}/{rest[-1]}", values.get(resource, "nothing-at-all"))


def ask(app: Flask, method: str, path: str, headers: Mapping[str, str]) -> int:
    body = {} if method in ("POST", "PATCH", "PUT") else None
    return app.test_client().open(path, method=method, json=body, headers=dict(headers)).status_code


def _issue(name: str, role: Role, scopes: Sequence[str] = tokens.ALL_SCOPES) -> str:
    own = {Role.MAINTAINER: "SELECT id FROM maintainer WHERE name = 'Grace'", Role.CLIENT: _ACME}
    subject = _one(own[role]) if role in own else None
    whose = {"name": name, "role": role, "subject_id": subject}
    return tokens.issue_token(**whose, scopes=scopes, by=lovelace.LEAD, now=lovelace.BEFORE).secret  # type: ignore[arg-type]


_ACME = "SELECT id FROM client WHERE name = 'Acme'"


def _id_of(principal: str) -> str:
    return _one(_token_of(principal))


def _token_of(principal: str) -> str:
    return f"SELECT t.id FROM api_token t JOIN principal p ON p.id = t.principal_id AND p.name = '{principal}'"


def _things(person: str, client: str) -> dict[str, str]:
    mine = f"maintainer_id = (SELECT id FROM maintainer WHERE name = '{person}')"
    theirs = f"client_id = (SELECT id FROM client WHERE name = '{client}')"
    queries = {
        "maintainers": f"SELECT id FROM maintainer WHERE name = '{person}'",
        "destinations": f"SELECT MIN(id) FROM destination WHERE {mine}",
        "notices": "SELECT MIN(id) FROM notice",
        "assignments": f"SELECT MIN(id) FROM assignment WHERE {mine}",
        "pay-terms": f"SELECT MIN(id) FROM pay_terms WHERE {mine}",
        "adjustments": f"SELECT MIN(id) FROM adjustment WHERE {mine}",
        "statements": f"SELECT MIN(id) FROM statement WHERE {mine}",
        "tax-forms": f"SELECT MIN(id) FROM tax_form WHERE {mine}",
        "self-billing-agreements": f"SELECT MIN(id) FROM self_billing_agreement WHERE {mine}",
        "self-billed-invoices": f"SELECT MIN(id) FROM self_billed_invoice WHERE {mine}",
        "pre-commitment-letters": f"SELECT MIN(id) FROM precommitment_letter WHERE {mine}",
        "journal-entries": "SELECT MIN(id) FROM journal_entry",
        "payouts": f"SELECT MIN(id) FROM payout WHERE {mine}",
        "clients": f"SELECT id FROM client WHERE name = '{client}'",
        "engagements": f"SELECT MIN(id) FROM engagement WHERE {theirs}",
        "invoices": f"SELECT MIN(id) FROM invoice WHERE {theirs}",
        "funded-work-reports": f"SELECT MIN(id) FROM funded_work_report WHERE {theirs}",
        "allocation-plans": "SELECT MIN(id) FROM allocation_plan",
        "packages": "SELECT MIN(name) FROM package",
        "tiers": "SELECT MIN(id) FROM tier",
        "payout-runs": "SELECT MIN(id) FROM payout_run",
        "operations": "SELECT id FROM job WHERE kind = 'months.close'",
        "webhook-endpoints": "SELECT id FROM webhook_endpoint",
        "webhook-deliveries": "SELECT id FROM webhook_delivery",
        "reconciliation-differences": "SELECT id FROM reconciliation_difference",
        "principals": "SELECT name FROM principal WHERE name = 'm-auditor'",
        "tokens/rotation": _token_of("t-rotated"),
        "tokens/revocation": _token_of("t-revoked"),
    }
    found = {name: _one(query) for name, query in queries.items()}
    return found | {"journal-entries": ids.numbered("ent", int(found["journal-entries"]))}


def _one(query: str) -> str:
    with reading() as session:
        return str(session.scalar(text(query)))

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
from tests import lovelace
from tests.api.matrix import ended, world

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
    "/v1/tokens/<key>/rotation": ["other", "ended", "missing"],
    "/v1/tokens/<key>/revocation": ["other", "ended", "missing"],
    "/v1/webhook-deliveries/<key>/replay": ["ended", "missing"],
}
"""Routes that would do something even so, and the objects they are asked of. Another's token is lost to the lead only:
whoever else asks comes first."""


@dataclass(frozen=True, slots=True)
class Things:
    """For each resource, the thing that is the maintainer's or client's own, another's, and one of their own that has
    ended where things of the resource end."""

    own: Mapping[str, str]
    other: Mapping[str, str]
    ended: Mapping[str, str]


def set_up(app: Flask) -> None:
    """The firm that is asked about, and two tokens that are there to be rotated and revoked."""
    world.set_up(app)
    with app.app_context():
        for name in ("rotated", "revoked"):
            _issue(f"t-{name}", Role.AUDITOR)


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
    return Things(_things("Grace", "Acme"), _things("Ada", "Globex"), ended.things())


def rows(app: Flask) -> Iterator[tuple[str, str, str, str]]:
    """Endpoint, method, rule and kind of object, for every route that is not open."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if not rule.rule.startswith(("/v1", "/metrics")):
            continue
        objects = ONCE.get(rule.rule, _kinds(rule.rule)) if rule.arguments else ["-"]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            for kind in objects:
                yield rule.endpoint, method, rule.rule, kind


def _kinds(rule: str) -> list[str]:
    has_ended = rule.split("/")[2] in ended.THINGS
    return ["own", "other", *(["ended"] if has_ended else []), "missing"]


def address(rule: str, kind: str, found: Things) -> str:
    values = {"own": found.own, "ended": found.ended}.get(kind, found.other)

    def value(place: re.Match[str]) -> str:
        name = place[1]
        if name == "form":
            return "csv" if "ledger-exports" in rule and kind != "missing" else "html"
        if name == "currency":
            return "ZWL" if kind == "missing" else "EUR"
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
        "destinations": f"SELECT MIN(id) FROM destination WHERE {mine} AND state = 'confirmed'",
        "notices": "SELECT MIN(id) FROM notice WHERE state = 'queued'",
        "assignments": f"SELECT MIN(id) FROM assignment WHERE {mine} AND until_on IS NULL",
        "pay-terms": f"SELECT MIN(id) FROM pay_terms WHERE {mine} AND superseded_at IS NULL",
        "adjustments": f"SELECT MIN(id) FROM adjustment WHERE {mine} AND kind = 'advance'",
        "statements": f"SELECT MAX(id) FROM statement WHERE {mine}",
        "remittance-advices": f"SELECT MIN(id) FROM remittance_advice WHERE {mine}",
        "tax-forms": f"SELECT MAX(id) FROM tax_form WHERE {mine}",
        "self-billing-agreements": f"SELECT MIN(id) FROM self_billing_agreement WHERE {mine}",
        "self-billed-invoices": f"SELECT MAX(id) FROM self_billed_invoice WHERE {mine}",
        "pre-commitment-letters": f"SELECT MIN(id) FROM precommitment_letter WHERE {mine}",
        "journal-entries": "SELECT MIN(id) FROM journal_entry",
        "payouts": f"SELECT MIN(id) FROM payout WHERE {mine} AND state = 'planned'",
        "payouts/proof": f"SELECT MIN(id) FROM payout WHERE {mine} AND state = 'settled'",
        "payouts/document": f"SELECT MIN(id) FROM payout WHERE {mine} AND state = 'settled'",
        "payouts/remittance-advice": f"SELECT MIN(id) FROM payout WHERE {mine} AND state = 'settled'",
        "clients": f"SELECT id FROM client WHERE name = '{client}'",
        "engagements": f"SELECT MIN(id) FROM engagement WHERE {theirs} AND state = 'signed'",
        "invoices": f"SELECT MIN(id) FROM invoice WHERE {theirs}",
        "receipts": "SELECT MIN(id) FROM receipt",
        "funded-work-reports": f"SELECT MIN(id) FROM funded_work_report WHERE {theirs}",
        "allocation-plans": "SELECT MIN(id) FROM allocation_plan",
        "packages": "SELECT MIN(name) FROM package",
        "tiers": "SELECT MIN(id) FROM tier",
        "payout-runs": "SELECT MIN(id) FROM payout_run WHERE state = 'draft'",
        "payout-runs/<rail>": "SELECT run_id FROM rail_file",
        "bank-files": "SELECT MIN(id) FROM bank_file",
        "bank-lines": "SELECT MIN(id) FROM bank_line WHERE state = 'unmatched'",
        "operations": "SELECT id FROM job WHERE kind = 'months.close' AND state = 'queued'",
        "webhook-endpoints": "SELECT id FROM webhook_endpoint WHERE state = 'enabled'",
        "webhook-deliveries": (
            "SELECT MIN(d.id) FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id"
            " AND e.state = 'enabled'"
        ),
        "reconciliation-differences": "SELECT id FROM reconciliation_difference WHERE resolved_at IS NULL",
        "principals": "SELECT name FROM principal WHERE name = 'm-auditor'",
        "payout-policies": "SELECT MIN(id) FROM payout_policy",
        "audit-records": "SELECT MIN(seq) FROM audit_link",
        "work-items": f"SELECT MIN(id) FROM work_item WHERE {mine}",
        "tokens": "SELECT 'me'" if person == "Grace" else _token_of("t-rotated"),
        "tokens/rotation": _token_of("t-rotated"),
        "tokens/revocation": _token_of("t-revoked"),
    }
    found = {name: _one(query) for name, query in queries.items()}
    numbered = {"journal-entries": "ent", "audit-records": "aud"}
    return found | {name: ids.numbered(prefix, int(found[name])) for name, prefix in numbered.items()}


def _one(query: str) -> str:
    with reading() as session:
        return str(session.scalar(text(query)))

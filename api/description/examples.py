"""Examples of every body: the worked month's values, put together by the schemas' own shape.

A field's example is looked up as "Schema.field", then by the field's name alone; enumerations, months, dates,
moments and money need none. `OMITTED` stay out of examples of requests, because most callers leave them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

USD = "USD"
MOMENT = "2026-11-01T09:00:00Z"
ULID = "01KBXW5Z3Q9F4T2M8R6A7C1D0E"
PREFIXES = {
    "Adjustment": "adj",
    "Assignment": "asg",
    "Client": "cli",
    "WholeClient": "cli",
    "Contact": "con",
    "Destination": "dst",
    "DestinationInForce": "dst",
    "Engagement": "eng",
    "Entry": "ent",
    "Invoice": "inv",
    "Letter": "let",
    "BankFile": "bfl",
    "WholeBankFile": "bfl",
    "BankLine": "bln",
    "OpenBankLine": "bln",
    "Proof": "prf",
    "Notice": "ntc",
    "Maintainer": "mnt",
    "MaintainerDraft": "mnt",
    "WholeMaintainer": "mnt",
    "NewToken": "tok",
    "Token": "tok",
    "Package": "pkg",
    "Payout": "pay",
    "PayoutProof": "prf",
    "ProvenPayout": "pay",
    "Plan": "pln",
    "Principal": "prn",
    "ProviderAccount": "pac",
    "Receipt": "rct",
    "Report": "rep",
    "WholeReport": "rep",
    "Delivery": "whd",
    "Difference": "rcd",
    "Endpoint": "whe",
    "NewEndpoint": "whe",
    "Operation": "job",
    "ImportReport": "imp",
    "AuditRecord": "aud",
    "Run": "run",
    "WholeRun": "run",
    "Statement": "stm",
    "WholeStatement": "stm",
    "Advice": "rma",
    "WholeAdvice": "rma",
    "Agreement": "sba",
    "SelfBilledInvoice": "sbi",
    "WholeSelfBilledInvoice": "sbi",
    "TaxForm": "txf",
    "Terms": "trm",
    "Tier": "tir",
    "WorkItem": "wrk",
}


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": USD}


FIELDS: Mapping[str, object] = {
    "actor": "lead",
    "answer": "ok",
    "Attempt.number": 1,
    "Attempt.status": 200,
    "before_sha256": "",
    "after_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "body": '{"type":"month.closed","version":1,"timestamp":"2026-11-01T09:00:00Z","data":{"month":"2026-10"}}',
    "column": "",
    "Delivery.type": "month.closed",
    "description": "The firm's dashboard",
    "duration_ms": 120,
    "endpoint_id": f"whe_{ULID}",
    "event_id": f"evt_{ULID}",
    "facts": {"month": "2026-10"},
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "known": 0,
    "line": "2",
    "Refusal.line": 2,
    "new": 2,
    "on_behalf_of": None,
    "problem": None,
    "refused": 0,
    "Operation.done": 8,
    "Operation.total": 8,
    "Operation.result": "/v1/months/2026-10",
    "ImportReport.total": 2,
    "NewEndpoint.url": "https://hooks.lovelace.example/chambers",
    "Endpoint.url": "https://hooks.lovelace.example/chambers",
    "EndpointDraft.url": "https://hooks.lovelace.example/chambers",
    "EndpointChange.url": "https://hooks.lovelace.example/chambers",
    "sentence": "Write the country as two letters, such as US.",
    "subject": "2026-10",
    "verb": "month.closed",
    "types": ["month.closed"],
    "account": "income:retainers",
    "account_id": "acct_1Nv0FGQ9RKHgCVdK",
    "obstacle": "",
    "requirements": "",
    "ProviderAccount.provider": "stripe",
    "Difference.rail": "stripe",
    "Difference.kind": "transfer-without-payout",
    "Difference.subject": "tr_1Q2w3E4r5T6y7U8i",
    "Difference.note": "It was made by hand in the dashboard, and taken back.",
    "Difference.resolved_at": None,
    "Difference.resolved_by": None,
    "Explanation.note": "It was made by hand in the dashboard, and taken back.",
    "what": "The provider made the transfer tr_1Q2w3E4r5T6y7U8i, which no payout here asked for.",
    "our_side": "nothing",
    "their_side": "4,300.00 USD to acct_1Nv0FGQ9RKHgCVdK",
    "owner": "administrator",
    "ProviderAccount.status": "active",
    "ProviderAccount.payouts_status": "active",
    "OnboardingLink.url": "https://accounts.stripe.com/r/acct_1Nv0FGQ9RKHgCVdK#…",
    "address": ["1 Main Street", "Springfield"],
    "amount": money("4300.00"),
    "Adjustment.adjusts": "2026-10",
    "Adjustment.amount": money("-87.25"),
    "Adjustment.funded": money("-87.25"),
    "Adjustment.kind": "correction",
    "Adjustment.month": "2026-11",
    "Adjustment.number": "ADJ-2026-0001",
    "Adjustment.payout_id": None,
    "Adjustment.reason": "A release of October was counted twice",
    "AdjustmentDraft.adjusts": "2026-10",
    "AdjustmentDraft.amount": money("-87.25"),
    "AdjustmentDraft.kind": "correction",
    "AdjustmentDraft.reason": "A release of October was counted twice",
    "AdjustmentReversal.reason": "It was counted once after all",
    "corrects_id": None,
    "made_by": "lead",
    "outstanding": money("500.00"),
    "recovery": None,
    "recovery_bp": 1000,
    "reverses_id": None,
    "StatementCorrection.reason": "The address was an old one",
    "Statement.reason": None,
    "WholeStatement.reason": None,
    "LineExplanation.explanation": "Guarantee of 4,000.00 USD a month",
    "LineExplanation.line": 1,
    "Balance.balance": money("-10000.00"),
    "Line.amount": money("-10000.00"),
    "baseline": money("12000.00"),
    "bic": "NWBKGB2L",
    "cap": None,
    "clauses": ["work-for-hire"],
    "client": "Acme",
    "client_id": f"cli_{ULID}",
    "code": "492039",
    "company": "Initech",
    "condition": "",
    "country": "US",
    "currency": USD,
    "created_by": "lead",
    "detail": "There is no such thing.",
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "done_by": "administrator",
    "earned": money("6250.00"),
    "ecosystem": "Go",
    "email": "grace@lovelace.example",
    "Firm.email": "office@lovelace.example",
    "Contact.email": "lin@acme.example",
    "engagement_id": f"eng_{ULID}",
    "entitlements": ["Two meetings a year"],
    "explanation": "guarantee for October 2026",
    "fee": money("10000.00"),
    "figures": {"title": "October 2026"},
    "fixed_fees": {"age": money("1200.00")},
    "fixes": "",
    "folder": "ssh",
    "from_residual": money("0.00"),
    "fund_shares": {"staticcheck": 4000},
    "funded": money("4000.00"),
    "growth_bp": 1000,
    "Destination.account": None,
    "Destination.decided_by": "lead",
    "Destination.reason": None,
    "Destination.state": "live",
    "DestinationInForce.state": "live",
    "WholeMaintainer.proposed_destination": None,
    "Suggestion.title": "SEPA credit transfer",
    "Suggestion.rail": "sepa",
    "Suggestion.reason": "it pays EUR to FR, to the payee's IBAN",
    "suits": True,
    "sole_approval": False,
    "how": "called her on the number in the contract",
    "Notice.to": "grace@lovelace.example",
    "Notice.template": "destination-proposed",
    "Notice.subject": "Lovelace Maintainers: somebody asked to change where your pay goes",
    "Notice.text": "Dear Grace, …",
    "Notice.attempts": 1,
    "Notice.detail": None,
    "Notice.given_by": None,
    "Notice.state": "sent",
    "Rejection.reason": "she did not ask for it",
    "guarantee": money("4000.00"),
    "held_back": [],
    "holder": "Grace Example",
    "iban": "GB33BUKB20201555555555",
    "iban_last4": "5555",
    "invoice": "INV-2026-0001",
    "invoice_id": f"inv_{ULID}",
    "issued": 2,
    "items": 2,
    "key": "4f2d9c1e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d",
    "label": "importer",
    "maintainer": "Grace",
    "maintainer_id": f"mnt_{ULID}",
    "months_covered": 6,
    "months_to_replace": 24,
    "name": "Grace",
    "Alias.value": "grace@old.example",
    "Client.name": "Acme",
    "ClientDraft.name": "Acme",
    "ClientChange.name": "Acme",
    "WholeClient.name": "Acme",
    "Contact.name": "Lin Example",
    "Criterion.name": "three letters",
    "PrincipalDraft.name": "importer",
    "Firm.name": "Lovelace Maintainers",
    "Fund.name": "ssh",
    "Package.name": "golang.org/x/crypto/ssh",
    "Step.name": "recognition",
    "Tier.name": "gold",
    "TierDraft.name": "gold",
    "narration": "Retainer of Acme, October 2026",
    "next": None,
    "note": "",
    "Resolution.note": "The bank's fee of October.",
    "BankLine.note": "The money has left.",
    "OpenBankLine.note": "The money has left.",
    "notice_days": 90,
    "number": "RUN-2026-0001",
    "Invoice.number": "INV-2026-0001",
    "Statement.number": "STM-2026-0001",
    "WholeStatement.number": "STM-2026-0001",
    "Advice.number": "RA-2026-0001",
    "WholeAdvice.number": "RA-2026-0001",
    "SelfBilledInvoice.number": "SB-LM-0001",
    "WholeSelfBilledInvoice.number": "SB-LM-0001",
    "payout_id": f"pay_{ULID}",
    "agreement_id": f"sba_{ULID}",
    "statement_id": f"stm_{ULID}",
    "credits_id": None,
    "series": "SB-LM-",
    "AgreementDraft.treatment": "domestic",
    "Agreement.treatment": "domestic",
    "rate_bp": 1900,
    "exemption": None,
    "supplier_name": "Grace Hopper",
    "supplier_address": ["4 Compiler Lane", "10115 Berlin"],
    "supplier_vat_id": "DE136695976",
    "ended_by": None,
    "AgreementEnding.ended_by": "supplier",
    "AgreementEnding.reason": "sends her own invoices from now on",
    "end_reason": None,
    "Agreement.ended_on": None,
    "Agreement.until_on": "2027-10-01",
    "Agreement.from_on": "2026-10-01",
    "Agreement.consented_on": "2026-09-15",
    "AgreementDraft.from_on": "2026-10-01",
    "AgreementDraft.consented_on": "2026-09-15",
    "TaxFormDraft.signed_on": "2026-10-01",
    "TaxFormDraft.received_on": "2026-10-02",
    "TaxForm.signed_on": "2026-10-01",
    "TaxForm.received_on": "2026-10-02",
    "TaxForm.kind": "W-8BEN",
    "TaxForm.expires_on": "2029-12-31",
    "TaxForm.state": "on file",
    "TaxFormDraft.kind": "W-8BEN",
    "tin": "12345678901",
    "tin_last4": "8901",
    "withdrawal_reason": None,
    "TaxFormWithdrawal.reason": "the name was misspelled",
    "CreditNoteDraft.reason": "the rate of VAT was wrong",
    "SelfBilledInvoice.net": money("4300.00"),
    "WholeSelfBilledInvoice.net": money("4300.00"),
    "SelfBilledInvoice.vat": money("817.00"),
    "WholeSelfBilledInvoice.vat": money("817.00"),
    "SelfBilledInvoice.gross": money("5117.00"),
    "WholeSelfBilledInvoice.gross": money("5117.00"),
    "Report.number": "FWR-2026-0001",
    "WholeReport.number": "FWR-2026-0001",
    "open_amount": money("5000.00"),
    "overhead_bp": 2000,
    "overlap_minutes": 60,
    "override_reason": None,
    "package": "ssh",
    "package_id": f"pkg_{ULID}",
    "payable": money("6250.00"),
    "payee_name": "Grace",
    "person": "Grace <grace@lovelace.example>",
    "po_number": "PO-4711",
    "pointer": "/fee",
    "posted_by": "administrator",
    "prepared_by": "administrator",
    "proposed_by": "administrator",
    "approved_by": "lead",
    "principal": "lead",
    "rail": "manual",
    "rate": "1.0850",
    "reason": "account closed",
    "ReversalDraft.reason": "entered twice",
    "recognized": money("15000.00"),
    "reference": "wire 20261101-17",
    "repository": "https://github.com/golang/crypto",
    "request_id": f"req_{ULID}",
    "reserves": {"on-ramp": 500},
    "residual": money("8750.00"),
    "reverses": None,
    "scopes": ["read", "write:receipts"],
    "secret": "chm_…",
    "Authenticator.secret": "…",
    "set_by": "administrator",
    "share_bp": 10000,
    "source": "ECB reference rate of 30 October 2026",
    "Entry.source": "recognition:eng_…:2026-10",
    "Step.items": 2,
    "status": 409,
    "subject_id": None,
    "term_months": 12,
    "text": "Six months of savings, then three letters.",
    "tier": "gold",
    "tier_id": f"tir_{ULID}",
    "time_zone": "Europe/London",
    "title": "ssh: check the length before the copy",
    "token_id": f"tok_{ULID}",
    "total": money("5000.00"),
    "type": "https://chambers.invalid/problems/refused",
    "uri": "otpauth://totp/…",
    "url": "https://github.com/golang/crypto/commit/4f2d9c1",
    "value": "grace@old.example",
    "version": 1,
    "weights": {"ssh": 3, "age": 2, "staticcheck": 1},
}

_TYPES = {str: "string", int: "integer", bool: "boolean", list: "array", dict: "object", type(None): "null"}

OMITTED = frozenset(
    {"on", "recovery", "ends_on", "renews_on", "until_on", "until_month", "cap", "override_reason", "subject_id"}
    | {"country", "account", "duplicate_of"}
)


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], *, sent: bool, name: str = "") -> Any:
    """An example of a schema; `sent` leaves out what only the API writes, else what only callers write."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return example_of(schemas[name], schemas, sent=sent, name=name)
    for branch in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if branch.get("type") != "null":
            return example_of(branch, schemas, sent=sent, name=name)
    if "properties" in schema and "examples" not in schema:
        return {
            field: _of_field(name, field, shape, schemas, sent=sent)
            for field, shape in schema["properties"].items()
            if not _left_out(field, shape, schema, sent=sent)
        }
    return _of_shape(schema, schemas, sent=sent)


def _left_out(field: str, shape: Mapping[str, Any], schema: Mapping[str, Any], *, sent: bool) -> bool:
    if shape.get("readOnly" if sent else "writeOnly"):
        return True
    return sent and field in OMITTED and field not in schema.get("required", ())


def _of_field(name: str, field: str, shape: Mapping[str, Any], schemas: Mapping[str, Any], *, sent: bool) -> Any:
    if f"{name}.{field}" in FIELDS:
        return FIELDS[f"{name}.{field}"]
    if field == "id":
        return f"{PREFIXES.get(name, 'xyz')}_{ULID}"
    if "/Money" in str(shape.get("$ref") or shape.get("anyOf", "")) and field in FIELDS:
        return FIELDS[field]
    shaped = {"$ref", "enum", "format", "allOf", "anyOf", "oneOf"} & set(shape) or _holds_things(shape)
    if field in FIELDS and not shaped and _is_of(FIELDS[field], shape):
        return FIELDS[field]
    return _of_shape(shape, schemas, sent=sent)


def _is_of(value: object, shape: Mapping[str, Any]) -> bool:
    """Whether the value is of the shape's type: two resources may mean different things by one word."""
    kinds = shape.get("type", "object")
    return _TYPES[type(value)] in ([kinds] if isinstance(kinds, str) else kinds)


def _holds_things(shape: Mapping[str, Any]) -> bool:
    return "$ref" in shape.get("items", {})


_BY_FORMAT = {"date": "2026-11-01", "date-time": MOMENT, "uri": "https://chambers.invalid/problems/not-found"}
_BY_TYPE: Mapping[str, object] = {"string": "…", "integer": 1, "number": 1, "boolean": False, "object": {}}


def _of_shape(shape: Mapping[str, Any], schemas: Mapping[str, Any], *, sent: bool) -> Any:
    if {"$ref", "allOf", "anyOf", "oneOf"} & set(shape):
        return example_of(shape, schemas, sent=sent)
    if "examples" in shape:
        return shape["examples"][0]
    if "enum" in shape:
        return shape["enum"][0]
    if shape.get("format") in _BY_FORMAT:
        return _BY_FORMAT[shape["format"]]
    if "items" in shape:
        return [example_of(shape["items"], schemas, sent=sent)]
    kind = shape.get("type", "")
    return _BY_TYPE.get(kind[0] if isinstance(kind, list) else kind)

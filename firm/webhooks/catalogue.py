"""The types of event there are. Each is named after the audit record it is derived from.

A type's version rises when the shape of its data changes; the old one is then sent beside it for a while.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class EventType:
    """What happened, and the one field of its data: the id of what it happened to, or its month."""

    sentence: str
    field: str
    example: str
    version: int = 1


_ULID = "01K9A7Q4M0TTV5WJ3YB2N8RZ6C"
_ADJUSTMENT = ("adjustment_id", f"adj_{_ULID}")
_ASSIGNMENT = ("assignment_id", f"asn_{_ULID}")
_CLIENT = ("client_id", f"cli_{_ULID}")
_DESTINATION = ("destination_id", f"dst_{_ULID}")
_DIFFERENCE = ("difference_id", f"rcd_{_ULID}")
_ENDPOINT = ("webhook_endpoint_id", f"whe_{_ULID}")
_ENGAGEMENT = ("engagement_id", f"eng_{_ULID}")
_MAINTAINER = ("maintainer_id", f"mnt_{_ULID}")
_MONTH = ("month", "2026-10")
_PACKAGE = ("package_id", f"pkg_{_ULID}")
_PAYOUT = ("payout_id", f"pay_{_ULID}")
_PRINCIPAL = ("principal_id", f"pri_{_ULID}")
_RUN = ("payout_run_id", f"run_{_ULID}")
_AGREEMENT = ("self_billing_agreement_id", f"sba_{_ULID}")
_SELF_BILLED = ("self_billed_invoice_id", f"sbi_{_ULID}")
_TAX_FORM = ("tax_form_id", f"txf_{_ULID}")
_TERMS = ("pay_terms_id", f"ptm_{_ULID}")
_TOKEN = ("token_id", f"tok_{_ULID}")

CATALOGUE: Mapping[str, EventType] = {
    "client.registered": EventType("A client was registered.", *_CLIENT),
    "client.changed": EventType("What is known of a client was corrected.", *_CLIENT),
    "client.contact-added": EventType("A client was given a contact.", *_CLIENT),
    "engagement.drafted": EventType("An engagement was drafted.", *_ENGAGEMENT),
    "engagement.signed": EventType("An engagement was signed.", *_ENGAGEMENT),
    "engagement.po-number-set": EventType("An engagement's purchase order was entered.", *_ENGAGEMENT),
    "engagement.interests-named": EventType("A client named packages it cares about.", *_ENGAGEMENT),
    "engagement.interest-withdrawn": EventType("A client cares no more about a package.", *_ENGAGEMENT),
    "engagement.ended": EventType("An engagement was given an end.", *_ENGAGEMENT),
    "plan.set": EventType("An engagement was given a plan of allocation.", "allocation_plan_id", f"pln_{_ULID}"),
    "rate.set": EventType("A month's exchange rate was entered or corrected.", "exchange_rate", "EUR:2026-10"),
    "package.adopted": EventType("A package joined the portfolio.", *_PACKAGE),
    "package.changed": EventType("What is known of a package was corrected.", *_PACKAGE),
    "work.imported": EventType("Work on a package was imported.", *_PACKAGE),
    "maintainer.added": EventType("A maintainer joined.", *_MAINTAINER),
    "maintainer.changed": EventType("What is known of a maintainer was corrected.", *_MAINTAINER),
    "onramp.stage-entered": EventType("A maintainer entered a stage of the on-ramp.", *_MAINTAINER),
    "assignment.made": EventType("A maintainer was assigned to a package.", *_ASSIGNMENT),
    "assignment.ended": EventType("An assignment was given an end.", *_ASSIGNMENT),
    "terms.set": EventType("A maintainer was given terms of pay.", *_TERMS),
    "terms.corrected": EventType("Terms of pay were replaced by right ones.", *_TERMS),
    "invoices.issued": EventType("The invoices of a month were issued.", *_MONTH),
    "receipt.recorded": EventType("Money arrived for an invoice.", "receipt_id", f"rec_{_ULID}"),
    "adjustment.made": EventType("A maintainer's account was adjusted, or an adjustment undone.", *_ADJUSTMENT),
    "month.closed": EventType("A month was closed: its figures are final.", *_MONTH),
    "statements.issued": EventType("The statements of a month were issued.", *_MONTH),
    "statement.corrected": EventType("A statement was issued that corrects another.", "statement_id", f"stm_{_ULID}"),
    "remittance-advice.issued": EventType("A remittance advice was issued.", "remittance_advice_id", f"rma_{_ULID}"),
    "self-billed-invoice.issued": EventType("An invoice was issued in a payee's name.", *_SELF_BILLED),
    "self-billed-invoice.credited": EventType("A credit note was issued in a payee's name.", *_SELF_BILLED),
    "report.issued": EventType("A funded-work report was issued.", "report_id", f"fwr_{_ULID}"),
    "run.drafted": EventType("A payout run was drafted.", *_RUN),
    "run.proposed": EventType("A payout run was proposed for approval.", *_RUN),
    "run.reopened": EventType("A proposed payout run is a draft again; approvals of it are void.", *_RUN),
    "run.approval-given": EventType("A payout run was approved by one of several who must.", *_RUN),
    "run.approved": EventType("A payout run was approved.", *_RUN),
    "run.canceled": EventType("A payout run was canceled.", *_RUN),
    "run.released": EventType("A payout run began to be sent.", *_RUN),
    "payout.held": EventType("A payout is held back; its money stays payable.", *_PAYOUT),
    "payout.taken-up": EventType("A payout that was held is planned again.", *_PAYOUT),
    "payout.sent": EventType("A payout was handed to its rail.", *_PAYOUT),
    "payout.unknown": EventType("It is not known whether a payout went out; it is being looked up.", *_PAYOUT),
    "payout.refused": EventType("A rail refused a payout; the money is payable again.", *_PAYOUT),
    "payout.voided": EventType("An approved payout was taken back unsent; the money is payable again.", *_PAYOUT),
    "payout.settled": EventType("A payout left the bank.", *_PAYOUT),
    "payout.returned": EventType("A payout came back; the money is payable again.", *_PAYOUT),
    "payout.reversed": EventType("A provider took a payout back, in part or wholly; that is payable again.", *_PAYOUT),
    "payee-payout.failed": EventType(
        "A payee's bank did not take the money; it is in the payee's account at the provider, and nothing is payable.",
        "payee_payout_id",
        f"pbp_{_ULID}",
    ),
    "destination.proposed": EventType("A payee's account was proposed; another person has to confirm.", *_DESTINATION),
    "destination.confirmed": EventType(
        "A payee's account was confirmed; it is used when it has cooled.", *_DESTINATION
    ),
    "destination.rejected": EventType("A proposed account of a payee was rejected.", *_DESTINATION),
    "destination.withdrawn": EventType("A proposed account of a payee was withdrawn.", *_DESTINATION),
    "destination.expired": EventType("Nobody decided on a payee's proposed account in time.", *_DESTINATION),
    "destination.replaced": EventType("A payee's account was replaced by another.", *_DESTINATION),
    "provider-account.opened": EventType(
        "A payee's account at a provider was opened.", "provider_account_id", f"pac_{_ULID}"
    ),
    "tax-form.recorded": EventType("A payee's tax form was recorded.", *_TAX_FORM),
    "tax-form.withdrawn": EventType("A payee's tax form was withdrawn.", *_TAX_FORM),
    "tax-form.superseded": EventType("A payee's tax form was replaced by a newer one.", *_TAX_FORM),
    "self-billing.agreed": EventType("An agreement on self-billing was recorded.", *_AGREEMENT),
    "self-billing.ended": EventType("An agreement on self-billing was given an end.", *_AGREEMENT),
    "bank-file.received": EventType("A bank's file was taken in.", "bank_file_id", f"bfl_{_ULID}"),
    "bank-line.resolved": EventType("Somebody said what a line of a bank's file is.", "bank_line_id", f"bln_{_ULID}"),
    "difference.opened": EventType("The books and a rail say different things.", *_DIFFERENCE),
    "difference.assigned": EventType("Somebody looks into a difference.", *_DIFFERENCE),
    "difference.resolved": EventType("A difference was explained.", *_DIFFERENCE),
    "notice.failed": EventType("A notice could not be mailed; somebody has to give it.", "notice_id", f"ntc_{_ULID}"),
    "job.parked": EventType(
        "Work in the background failed too often and waits for a person.", "job_id", f"job_{_ULID}"
    ),
    "principal.enrolled": EventType("A person or program was enrolled.", *_PRINCIPAL),
    "principal.changed": EventType("A principal's role, name or standing was changed.", *_PRINCIPAL),
    "token.issued": EventType("A token was issued.", *_TOKEN),
    "token.rotated": EventType("A token was replaced by a new one.", *_TOKEN),
    "token.revoked": EventType("A token was revoked.", *_TOKEN),
    "webhook-endpoint.disabled": EventType("An endpoint is told nothing any more.", *_ENDPOINT),
}


def body(name: str, subject: str, at: datetime) -> str:
    """The message, as it is signed and sent."""
    kind = CATALOGUE[name]
    message = {
        "type": name,
        "version": kind.version,
        "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {kind.field: subject},
    }
    return json.dumps(message, separators=(",", ":"))


def example(name: str) -> dict[str, Any]:
    """What a message of this type looks like."""
    found: dict[str, Any] = json.loads(body(name, CATALOGUE[name].example, datetime(2026, 11, 2, 9, 30, tzinfo=UTC)))
    return found


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a message of this type."""
    kind = CATALOGUE[name]
    return {
        "type": "object",
        "required": ["type", "version", "timestamp", "data"],
        "properties": {
            "type": {"const": name},
            "version": {"const": kind.version},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {
                "type": "object",
                "required": [kind.field],
                "properties": {kind.field: {"type": "string"}},
            },
        },
        "examples": [example(name)],
    }

"""The tables whose rows are on record one by one, and by which records."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table

from firm.access.model import ApiToken, Principal
from firm.allocation.model import AllocationPlan, PlanReserve, PlanWeight
from firm.audit.states import Recorded, walk
from firm.billing.model import Receipt
from firm.clients.model import Client, ClientContact
from firm.columns import Base
from firm.engagements.model import Engagement, Interest, Tier
from firm.exchange.model import ExchangeRate
from firm.notices.model import Notice
from firm.portfolio.model import STATES as PACKAGE_STATES
from firm.portfolio.model import Package
from firm.profile.model import Profile
from firm.webhooks.model import WebhookEndpoint
from payouts.bank_files.model import BankFile, BankLine
from payouts.destinations.model import STATES as DESTINATION_STATES
from payouts.destinations.model import Destination
from payouts.proofs.model import PaymentProof
from payouts.provider_accounts.model import ProviderAccount
from payouts.provider_events.model import TREATMENTS, ProviderMovement
from payouts.remittance.model import remittance_advice
from payouts.runs.model import RUN_STATES, PayoutPolicy, PayoutRun
from payouts.self_billing.model import SelfBillingAgreement, self_billed_invoice
from payouts.statements.model import statement
from payouts.tax_forms.model import TaxForm
from payouts.terms.model import FixedFee, FundShare, PayTerms
from staffing.assignments.model import Assignment
from staffing.maintainers.model import Maintainer
from staffing.onramp.model import OnrampStage, PrecommitmentLetter, RunwayPlan
from staffing.reports.model import funded_work_report


def _of(model: type[Base]) -> Table:
    return cast("Table", model.__table__)


RESEALED = "secret.resealed"
"""A rotation of keys leaves it for whatever it seals anew."""

AT_ONCE = 20
"""Rows that may each hold megabytes."""

RECORDED = (
    Recorded(
        _of(Profile),
        (
            *("firm.established", "firm.sole-approval", "firm.bank-account-set", "firm.vat-id", "firm.tax-forms"),
            "firm.letterhead",
            *("firm.cooling-off", "firm.adjustment-limit", "firm.self-billing-months"),
        ),
        shared=(RESEALED,),
        subject=lambda row: "firm",
        grown={
            "0006": ["cooling_off_hours"],
            "0010": ["adjustment_limit_minor"],
            "0011": ["tax_forms_required", "backup_withholding", "vat_id", "self_billing_months"],
        },
    ),
    Recorded(
        _of(Principal),
        ("principal.enrolled", "principal.changed", "principal.authenticator-set", "principal.presence-proved"),
    ),
    Recorded(
        _of(ApiToken),
        ("token.issued", "token.rotated", "token.revoked"),
        drifts={"proved_at": None},
        left_out=True,
    ),
    Recorded(
        _of(WebhookEndpoint),
        tuple(f"webhook-endpoint.{act}" for act in ("added", "rotated", "changed", "enabled", "disabled", "removed")),
        shared=(RESEALED,),
        left_out=True,
    ),
    # A notice that waits is tried again and again.
    Recorded(
        _of(Notice),
        ("notice.promised", "notice.given-by-hand", "notice.sent", "notice.failed"),
        drifts={"attempts": 0, "leased_until": None, "detail": None},
    ),
    Recorded(_of(Client), ("client.registered", "client.changed")),
    Recorded(_of(ClientContact), ("client.contact-added",), subject=lambda row: str(row.client_id), many=True),
    Recorded(_of(Tier), ("tier.added",)),
    Recorded(
        _of(Engagement),
        (
            *("engagement.drafted", "engagement.signed", "engagement.po-number-set", "engagement.ended"),
            *("engagement.interests-named", "engagement.interest-withdrawn"),
        ),
        parts={_of(Interest): "engagement_id"},
    ),
    # Assignments staff a package and leave it.
    Recorded(_of(Package), ("package.adopted", "package.changed"), moves={"state": PACKAGE_STATES}),
    Recorded(_of(AllocationPlan), ("plan.set",), parts={_of(PlanReserve): "plan_id", _of(PlanWeight): "plan_id"}),
    Recorded(_of(ExchangeRate), ("rate.set",), subject=lambda row: f"{row.currency}:{row.month}"),
    Recorded(_of(Receipt), ("receipt.recorded",)),
    Recorded(_of(Maintainer), ("maintainer.added", "maintainer.changed")),
    Recorded(_of(Assignment), ("assignment.made", "assignment.ended")),
    Recorded(
        _of(PayTerms),
        ("terms.set", "terms.corrected", "terms.superseded"),
        grown={
            "0010": ["recovery_bp", "recovery_minor", "fees_borne_by"],
            "0012": ["corrects_id", "reason", "superseded_at"],
        },
        parts={_of(FundShare): "terms_id", _of(FixedFee): "terms_id"},
    ),
    Recorded(
        _of(ProviderAccount),
        tuple(
            f"provider-account.{act}" for act in ("begun", "opened", "checked", "refused", "disconnected", "link-asked")
        ),
    ),
    Recorded(
        _of(TaxForm),
        ("tax-form.recorded", "tax-form.superseded", "tax-form.withdrawn"),
        shared=(RESEALED,),
        page=AT_ONCE,
    ),
    Recorded(_of(SelfBillingAgreement), ("self-billing.agreed", "self-billing.ended")),
    Recorded(self_billed_invoice, ("self-billed-invoice.issued", "self-billed-invoice.credited")),
    Recorded(remittance_advice, ("remittance-advice.issued",)),
    # The versions of a month's first issue are one record's.
    Recorded(statement, ("statement.corrected",), some=True, grown={"0010": ["adjusted_minor", "reason"]}),
    Recorded(_of(PaymentProof), ("payment-proof.added",), shared=(RESEALED,), unseen=["content_sealed"], page=AT_ONCE),
    Recorded(_of(BankFile), ("bank-file.received",), shared=(RESEALED,), unseen=["content_sealed"], page=AT_ONCE),
    # Lines come in with their file; what became of one is on record when somebody or something decided it.
    Recorded(_of(BankLine), ("bank-line.applied", "bank-line.resolved"), some=True),
    Recorded(_of(ProviderMovement), tuple(f"provider-movement.{treatment}" for treatment in TREATMENTS)),
    Recorded(
        _of(Destination),
        tuple(f"destination.{state}" for state in DESTINATION_STATES),
        shared=(RESEALED,),
        grown={
            "0006": [
                *("account", "contact", "state", "proposed_by", "expires_at", "decided_by", "decided_at", "reason"),
                *("sole_approval", "usable_from"),
            ]
        },
    ),
    Recorded(_of(OnrampStage), ("onramp.stage-entered",), subject=lambda row: str(row.maintainer_id), many=True),
    Recorded(_of(PrecommitmentLetter), ("onramp.letter-recorded", "onramp.letter-withdrawn")),
    Recorded(_of(RunwayPlan), ("onramp.runway-recorded",)),
    Recorded(funded_work_report, ("report.issued",)),
    # A released run ends with its payouts.
    Recorded(
        _of(PayoutRun),
        (
            *("run.drafted", "run.proposed", "run.reopened", "run.approval-given", "run.approved"),
            *("run.released", "run.canceled"),
        ),
        moves={"state": RUN_STATES},
        grown={"0005": ["approvals_needed"]},
    ),
    Recorded(_of(PayoutPolicy), ("payout-policy.set",)),
)

STATES = walk(RECORDED)

"""The tables whose rows are on record one by one, and by which records."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table

from firm.access.model import Principal
from firm.allocation.model import AllocationPlan
from firm.audit.states import Recorded, walk
from firm.billing.model import Receipt
from firm.clients.model import Client, ClientContact
from firm.columns import Base
from firm.engagements.model import Engagement, Tier
from firm.exchange.model import ExchangeRate
from firm.portfolio.model import STATES as PACKAGE_STATES
from firm.portfolio.model import Package
from firm.profile.model import Profile
from payouts.destinations.model import STATES as DESTINATION_STATES
from payouts.destinations.model import Destination
from payouts.runs.model import RUN_STATES, PayoutPolicy, PayoutRun
from payouts.terms.model import PayTerms
from staffing.assignments.model import Assignment
from staffing.maintainers.model import Maintainer
from staffing.onramp.model import OnrampStage, PrecommitmentLetter, RunwayPlan
from staffing.reports.model import funded_work_report


def _of(model: type[Base]) -> Table:
    return cast("Table", model.__table__)


RESEALED = "secret.resealed"
"""A rotation of keys leaves it for whatever it seals anew."""

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
    Recorded(_of(Client), ("client.registered", "client.changed")),
    Recorded(_of(ClientContact), ("client.contact-added",), subject=lambda row: str(row.client_id), many=True),
    Recorded(_of(Tier), ("tier.added",)),
    Recorded(
        _of(Engagement),
        ("engagement.drafted", "engagement.signed", "engagement.po-number-set", "engagement.ended"),
    ),
    # Assignments staff a package and leave it.
    Recorded(_of(Package), ("package.adopted", "package.changed"), moves={"state": PACKAGE_STATES}),
    Recorded(_of(AllocationPlan), ("plan.set",)),
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
    ),
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

"""Every module that defines tables, imported so that the metadata is whole."""

# ruff: noqa: F401 (imported for the tables they define)
import firm.access.model
import firm.allocation.model
import firm.audit.model
import firm.billing.model
import firm.clients.model
import firm.engagements.model
import firm.exchange.model
import firm.jobs.model
import firm.ledger.model
import firm.notices.model
import firm.numbering.model
import firm.portfolio.model
import firm.profile.model
import firm.recovery.model
import firm.webhooks.model
import payouts.adjustments.model
import payouts.bank_files.model
import payouts.destinations.model
import payouts.differences.model
import payouts.earnings.model
import payouts.proofs.model
import payouts.provider_accounts.model
import payouts.provider_events.model
import payouts.remittance.model
import payouts.runs.model
import payouts.self_billing.model
import payouts.statements.model
import payouts.sweeps.model
import payouts.tax_forms.model
import payouts.terms.model
import staffing.assignments.model
import staffing.maintainers.model
import staffing.onramp.model
import staffing.reports.model
import staffing.work.model
from firm.columns import Base

METADATA = Base.metadata

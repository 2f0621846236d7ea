"""The kinds of things that have a history: the addresses of this API, what their keys mean, and where to look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from api.histories import traces
from firm.access import principals, tokens
from firm.allocation import queries as allocation
from firm.audit.search import Trace
from firm.billing import queries as billing
from firm.clients import queries as clients
from firm.engagements import queries as engagements
from firm.errors import NotFound
from firm.exchange import operations as exchange
from firm.jobs import operations as jobs
from firm.ledger import queries as ledger
from firm.ledger.queries import PostedEntry
from firm.month import InvalidMonth, Month
from firm.notices import queries as notices
from firm.portfolio import queries as portfolio
from firm.webhooks import deliveries, endpoints
from payouts.adjustments import queries as adjustments
from payouts.bank_files import queries as bank_files
from payouts.destinations import queries as destinations
from payouts.provider_accounts import queries as provider_accounts
from payouts.reconciliation import queries as reconciliation
from payouts.remittance import queries as remittance
from payouts.runs import policies
from payouts.runs import queries as runs
from payouts.self_billing import queries as self_billing
from payouts.statements import queries as statements
from payouts.tax_forms import queries as tax_forms
from payouts.terms import queries as terms
from staffing.assignments import queries as assignments
from staffing.maintainers import queries as maintainers
from staffing.onramp import queries as onramp
from staffing.reports import queries as reports
from staffing.work import queries as work


class NotOfThisKind(NotFound):
    """A key that no thing of a kind has; the next kind is asked."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The things behind `/v1/RESOURCE/KEY`, or behind a `part` of it: `/v1/RESOURCE/KEY/PART`.

    `find` raises `NotFound`. `prefix` begins the ids that are of this kind alone; `named` things have a name or a
    number beside, by which people know them.
    """

    resource: str
    prefix: str
    find: Callable[[Session, str], Any]
    trace: Callable[[Session, Any], Trace] = traces.own
    named: bool = False
    part: str = ""

    def found(self, session: Session, key: str) -> Iterator[Trace]:
        """The trace of the thing with this key, or nothing."""
        try:
            thing = self.find(session, key)
        except NotFound:
            return
        yield self.trace(session, thing)


def _firm(session: Session, key: str) -> str:
    if key != "firm":
        raise NotOfThisKind(f"{key!r} is not the firm.")
    return key


def _month(session: Session, key: str) -> Month:
    try:
        return Month.parse(key)
    except InvalidMonth as error:
        raise NotOfThisKind(error.message) from error


def _rate(session: Session, key: str) -> tuple[str, Month]:
    month, _, currency = key.partition("/exchange-rates/")
    if currency not in exchange.currencies_of(session, _month(session, month)):
        raise NotOfThisKind(f"No {currency!r} rate was entered for {month}.")
    return currency, Month.parse(month)


def _entry(session: Session, key: str) -> PostedEntry:
    return ledger.entry(session, ledger.number_of(key))


def _provider_account(session: Session, key: str) -> Any:
    return provider_accounts.newest(session, maintainers.find(session, key).id)


FIRM = Kind("", "", _firm, traces.firm)
MONTHS = Kind("months", "", _month, traces.month)

KINDS = (
    MONTHS,
    Kind("months", "", _month, traces.rates, part="exchange-rates"),
    Kind("months", "", _rate, traces.rate),
    Kind("principals", "pri", principals.find, traces.principal, named=True),
    Kind("tokens", "tok", tokens.find_any, traces.token),
    Kind("clients", "cli", clients.find, named=True),
    Kind("tiers", "tir", engagements.find_tier, named=True),
    Kind("engagements", "eng", engagements.find),
    Kind("packages", "pkg", portfolio.find, traces.package, named=True),
    Kind("work-items", "wrk", work.find, traces.work_item),
    Kind("maintainers", "mnt", maintainers.find, traces.maintainer, named=True),
    Kind("maintainers", "", maintainers.find, traces.on_ramp, part="on-ramp"),
    Kind("maintainers", "", _provider_account, part="provider-account"),
    Kind("pre-commitment-letters", "ltr", onramp.find_letter),
    Kind("destinations", "dst", destinations.find),
    Kind("notices", "ntc", notices.find),
    Kind("assignments", "asn", assignments.find),
    Kind("pay-terms", "ptm", terms.find),
    Kind("allocation-plans", "pln", allocation.find),
    Kind("invoices", "inv", billing.find_invoice, traces.invoice, named=True),
    Kind("receipts", "rec", billing.find_receipt),
    Kind("journal-entries", "ent", _entry, traces.entry),
    Kind("payout-policies", "pol", policies.find),
    Kind("payout-runs", "run", runs.find, traces.run, named=True),
    Kind("payouts", "pay", runs.find_payout, traces.payout),
    Kind("payouts", "", runs.find_payout, traces.proof, part="proof"),
    Kind("reconciliation-differences", "rcd", reconciliation.find),
    Kind("bank-files", "bfl", bank_files.find, traces.bank_file, named=True),
    Kind("bank-lines", "bln", bank_files.find_line, traces.bank_line),
    Kind("adjustments", "adj", adjustments.find, traces.adjustment, named=True),
    Kind("statements", "stm", statements.find, traces.statement, named=True),
    Kind("remittance-advices", "rma", remittance.find, named=True),
    Kind("tax-forms", "txf", tax_forms.find),
    Kind("self-billing-agreements", "sba", self_billing.agreement),
    Kind("self-billed-invoices", "sbi", self_billing.find, traces.self_billed_invoice, named=True),
    Kind("funded-work-reports", "fwr", reports.find, named=True),
    Kind("operations", "job", jobs.find),
    Kind("webhook-endpoints", "whe", endpoints.find),
    Kind("webhook-deliveries", "whd", deliveries.with_event, traces.delivery),
)

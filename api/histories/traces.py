"""For each kind of thing, where the log speaks of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from firm.access import tokens
from firm.access.model import Principal
from firm.audit import queries as audit
from firm.audit.search import Act, Trace, of
from firm.billing import queries as billing
from firm.billing.model import Invoice
from firm.db import AnyRow
from firm.exchange import operations as exchange
from firm.ledger import queries as ledger
from firm.ledger import witnesses
from firm.ledger.queries import PostedEntry
from firm.month import Month
from firm.portfolio.model import Package
from firm.recovery import operations as recovery
from payouts.adjustments import queries as adjustments
from payouts.adjustments.model import Adjustment
from payouts.bank_files import queries as bank_files
from payouts.bank_files.model import BankFile, BankLine
from payouts.proofs import operations as proofs
from payouts.remittance import queries as remittance
from payouts.runs import queries as runs
from payouts.runs.model import Payout, PayoutRun
from payouts.self_billing import queries as self_billing
from payouts.statements import queries as statements
from staffing.assignments import queries as assignments
from staffing.maintainers.model import Maintainer
from staffing.onramp import queries as onramp


def own(session: Session, thing: Any) -> Trace:
    """What every act on it names by its id."""
    return of(thing.id)


def firm(session: Session, thing: str) -> Trace:
    """The firm's settings, its backups, and how it came back from one."""
    return of(thing, *recovery.all_ids(session))


def month(session: Session, thing: Month) -> Trace:
    """What was invoiced, booked and issued for all at once, and the rates it was booked at."""
    return of(str(thing), *rates(session, thing).subjects)


def rates(session: Session, thing: Month) -> Trace:
    return of(*(f"{currency}:{thing}" for currency in exchange.currencies_of(session, thing)))


def rate(session: Session, thing: tuple[str, Month]) -> Trace:
    return of("{}:{}".format(*thing))


def principal(session: Session, thing: Principal) -> Trace:
    """With all tokens that it was given."""
    return of(thing.id, *tokens.ids_of(session, thing.id))


def token(session: Session, thing: AnyRow) -> Trace:
    return of(thing.ApiToken.id)


def package(session: Session, thing: Package) -> Trace:
    """With its assignments, which staff it and leave it."""
    return of(thing.id, *assignments.ids_on(session, thing.id))


def maintainer(session: Session, thing: Maintainer) -> Trace:
    """With the papers of the on-ramp; terms, assignments and destinations have histories of their own."""
    return of(thing.id, *onramp.papers_of(session, thing.id))


def on_ramp(session: Session, thing: Maintainer) -> Trace:
    entered = Act("onramp.stage-entered", thing.id)
    return of(*onramp.papers_of(session, thing.id), acts=(entered,))


def invoice(session: Session, thing: Invoice) -> Trace:
    """The month's invoicing, the receipts, and each close that recognized some of it."""
    issued = Act("invoices.issued", str(Month.of(thing.issued_on)), thing.issued_at)
    recognized = (Act("revenue.recognized", str(each)) for each in billing.recognized_by(session, thing.id))
    receipts = billing.receipts_of(session, thing.id)
    return of(thing.id, *(each.id for each in receipts), acts=(issued, *recognized))


def entry(session: Session, thing: PostedEntry) -> Trace:
    """The posting that wrote it, and the one that took it back."""
    reversal = ledger.reversal_of(session, thing.number)
    after = () if reversal is None else witnesses.of_entry(session, reversal)
    return of(acts=(*witnesses.of_entry(session, thing), *after))


def run(session: Session, thing: PayoutRun) -> Trace:
    """With the moves of its payouts, and its files for the bank."""
    payouts = runs.payouts_of(session, thing.id)
    return of(thing.id, *runs.files_of(session, thing.id).values(), *(each.id for each in payouts))


def payout(session: Session, thing: Payout) -> Trace:
    """Beside its own moves those of its run, the file it was paid by, what the bank said, its fees and its papers."""
    advice = remittance.of_payout(session, thing.id)
    return of(
        thing.id,
        thing.run_id,
        *(each for rail, each in runs.files_of(session, thing.run_id).items() if rail == thing.rail),
        *bank_files.ids_about(session, thing.id),
        *adjustments.ids_for(session, thing.id, thing.maintainer_id),
        *proofs.versions_of(session, thing.id),
        *([] if advice is None else [advice.id]),
    )


def proof(session: Session, thing: Payout) -> Trace:
    return of(*proofs.versions_of(session, thing.id))


def bank_file(session: Session, thing: BankFile) -> Trace:
    return of(thing.id, *(line.id for line in bank_files.lines_of(session, thing.id)))


def bank_line(session: Session, thing: BankLine) -> Trace:
    return of(thing.id, acts=(Act("bank-file.received", thing.file_id),))


def adjustment(session: Session, thing: Adjustment) -> Trace:
    return of(thing.id, *adjustments.reversals_of(session, [thing.id]).values())


def statement(session: Session, thing: AnyRow) -> Trace:
    """The month's issue, for the first one, and the versions that correct it."""
    versions = statements.versions(session, thing.maintainer_id, thing.month)
    issued = Act("statements.issued", str(thing.month), thing.issued_at)
    corrections = (each.id for each in versions if each.corrects_id == thing.id)
    return of(thing.id, *corrections, acts=() if thing.corrects_id else (issued,))


def self_billed_invoice(session: Session, thing: AnyRow) -> Trace:
    credit_note = self_billing.credit_note_of(session, thing.id)
    return of(thing.id, *([] if credit_note is None else [credit_note.id]))


def work_item(session: Session, thing: AnyRow) -> Trace:
    """The import that brought it in, with others of its package."""
    return of(acts=(Act("work.imported", thing.package_id, thing.imported_at),))


def delivery(session: Session, thing: AnyRow) -> Trace:
    """What it tells of, and its replays."""
    return of(thing.WebhookDelivery.id, acts=(audit.act(session, thing.WebhookEvent.audit_id),))

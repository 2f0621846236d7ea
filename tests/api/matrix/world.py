"""The firm that the matrix asks about: a closed month, and of each thing one that lives and one that has ended."""

from __future__ import annotations

import hashlib
import io
from datetime import date

from flask import Flask
from pypdf import PdfWriter

from firm import ids
from firm.audit import sequencer
from firm.billing import invoices, receipts
from firm.billing import queries as billing
from firm.db import reading, transaction
from firm.exchange import operations as exchange
from firm.jobs import operations as jobs
from firm.month import Month
from firm.portfolio import operations as portfolio
from firm.portfolio import queries as portfolio_queries
from firm.profile.changes import change_firm
from firm.webhooks import endpoints
from firm.webhooks.addresses import Reach
from firm.webhooks.dispatch import dispatch
from firm.webhooks.sender import Sender
from payouts import month_end
from payouts.adjustments import operations as adjustments
from payouts.adjustments.operations import Draft
from payouts.bank_files import operations as bank_files
from payouts.proofs import operations as proofs
from payouts.reconciliation import operations as reconciliation
from payouts.reconciliation.rules import Finding
from payouts.remittance import operations as remittance
from payouts.runs import approvals, files, policies, preparation, sending, settling
from payouts.runs.model import RailFile
from payouts.self_billing import agreements
from payouts.self_billing import operations as self_billing
from payouts.self_billing.rules import Vat
from payouts.tax_forms import operations as tax_forms
from staffing.maintainers import queries as maintainers
from staffing.onramp import operations as onramp
from staffing.reports import operations as reports
from staffing.work import storing
from staffing.work.git import Person
from staffing.work.storing import ImportReport, Item
from tests import lovelace, opener
from tests.api.matrix import ended
from tests.databases import SECRET_KEYS
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD, OCTOBER, START, usd
from tests.payouts import bank_messages
from tests.payouts.euros import FIRM_IBAN

PEOPLE = ("Grace", "Ada")


def set_up(app: Flask) -> None:
    """One closed month and everything that the API shows; Grace's and Acme's own, and another's."""
    with app.app_context():
        lovelace.set_up()
        exchange.set_rate("EUR", OCTOBER, "1.0850", source="the central bank", by=LEAD, now=AFTER)
        _work()
        month_end.close(OCTOBER, by=LEAD, now=AFTER)
        for client in ("Acme", "Globex"):
            reports.issue(client, from_month=OCTOBER, until_month=OCTOBER.next, by=LEAD, now=AFTER)
        opener.open_accounts(*PEOPLE, by=LEAD, now=AFTER)
        _pay(app)
        _hear_from_the_bank()
        _be_paid()
        for name in PEOPLE:
            adjustments.make(Draft(name, "advance", usd("100.00"), "A new laptop"), by=LEAD, now=AFTER)
        ended.a_run(app.extensions["chambers"].rails)
        preparation.draft(rails=app.extensions["chambers"].rails, by=ADMINISTRATOR, now=AFTER)
        _promise_places()
        jobs.ask("months.close", {"month": "2026-10"}, by=LEAD, now=AFTER)
        put_papers_on_file()
        _tell_somebody()
        _differ("USD", "The balance in USD differs.")
        policies.lay_down(minimum=usd("10.00"), by=LEAD, now=AFTER)
        ended.everything()
        sequencer.run(now=AFTER)


def _work() -> None:
    """A commit of each of the two, as an import stores them."""
    with reading() as session:
        package = portfolio_queries.page(session)[0].id
        people = maintainers.directory(session)
    items = [Item(package, "commit", name.lower(), f"A commit by {name}", Person(name, "")) for name in PEOPLE]
    storing.store(items, people, ImportReport(), by=LEAD, now=AFTER)


def put_papers_on_file() -> None:
    """A tax form, a self-billing agreement and an invoice under it, of each of the two."""
    by, now, day = LEAD, AFTER, START
    for name, series in (("Grace", "SB-GH-"), ("Ada", "SB-AL-")):
        form = {"kind": "W-8BEN", "name": name, "signed_on": day, "received_on": day}
        tax_forms.record(name, **form, keys=SECRET_KEYS, by=by, now=now)  # type: ignore[arg-type]
        vat, address = Vat("small-business", exemption="Exempt as a small business"), ["1 Main Street"]
        agreed = {"consented_on": day, "from_on": day, "series": series, "vat": vat, "supplier_address": address}
        agreements.agree(name, **agreed, by=by, now=now)  # type: ignore[arg-type]
        self_billing.issue(name, OCTOBER, by=by, now=now)


def _pay(app: Flask) -> None:
    """A run that was paid, with the proofs of its payments, an advice of each, and a file for the bank."""
    by, now, rails = ADMINISTRATOR, AFTER, app.extensions["chambers"].rails
    number = preparation.draft(rails=rails, by=by, now=now).run.number
    approvals.propose(number, by=by, now=now)
    approvals.approve(number, by=LEAD, now=now)
    sending.send(number, rails=rails, keys=SECRET_KEYS, by=by, now=now)
    run, payouts = sending.run_with_payouts(number)
    for payout in payouts:
        settling.settle(payout.id, reference=f"wire to {payout.payee_name}", on=AFTER.date(), by=by, now=now)
        proofs.add(payout.id, _blank_paper(), keys=SECRET_KEYS, by=by, now=now)
        remittance.issue(payout.id, by=by, now=now)
    _put_file_beside(run.id)


def _blank_paper() -> bytes:
    writer, paper = PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    writer.write(paper)
    return paper.getvalue()


def _put_file_beside(run_id: str) -> None:
    """Books in dollars pay by hand, and no rail writes a file of theirs: this one stands for it."""
    identifier, content = ids.new("fil"), "<Document/>"
    with transaction() as session:
        session.add(
            RailFile(
                id=identifier,
                run_id=run_id,
                rail="sepa",
                message_id="RUN-BY-HAND",
                content_sealed=SECRET_KEYS.seal(content, place=files.SEALED.place_of(identifier)),
                sha256=hashlib.sha256(content.encode()).hexdigest(),
                created_at=AFTER,
            )
        )


def _hear_from_the_bank() -> None:
    """A statement with two fees that wait for a person."""
    change_firm(iban=FIRM_IBAN, keys=SECRET_KEYS, by=LEAD, now=AFTER)
    fees = [
        bank_messages.entry("DBIT", "7.50", words=f"Fee {n}", reference=f"FEE-{n}", currency="USD", on="2026-11-01")
        for n in (1, 2)
    ]
    raw = bank_messages.statement(*fees, closing="4985.00", currency="USD")
    bank_files.receive(raw, keys=SECRET_KEYS, by=ADMINISTRATOR, now=AFTER)


def _be_paid() -> None:
    """November's invoice of Globex, part of which was received."""
    invoices.issue_month(Month(2026, 11), by=LEAD, now=AFTER)
    with reading() as session:
        number = next(one.number for one in billing.invoices(session) if one.open_amount)
    paid = {"amount": usd("250.00"), "received_on": date(2026, 11, 1), "reference": "BANK-1"}
    receipts.record(number, **paid, by=ADMINISTRATOR, now=AFTER)  # type: ignore[arg-type]


def _promise_places() -> None:
    for name in PEOPLE:
        onramp.enter_stage(name, "shadowing", on=START, note="", by=LEAD, now=AFTER)
        promised = {"company": "Initech", "amount": usd("750.00"), "term_months": 12}
        days = {"signed_on": START, "expires_on": AFTER.date()}
        onramp.record_letter(name, **promised, **days, by=LEAD, now=AFTER)


def _tell_somebody() -> None:
    """Two endpoints for webhooks and a delivery to each; one of them is removed afterwards."""
    nowhere = Sender(Reach(), resolve=lambda host, port: [host])
    addresses = ("https://8.8.8.8/", "https://8.8.4.4/")
    _, gone = [endpoints.add(url=url, sender=nowhere, keys=SECRET_KEYS, by=LEAD, now=AFTER)[0] for url in addresses]
    portfolio.adopt(name="told", ecosystem="Go", by=LEAD, now=AFTER)
    dispatch(now=AFTER)
    endpoints.remove(gone.id, by=LEAD, now=AFTER)


def _differ(subject: str, what: str) -> None:
    """Something that the books and a rail say differently."""
    found = Finding("stripe", "balance-differs", subject, what, "1.00 USD", "0.00 USD")
    reconciliation.add([found], now=AFTER)

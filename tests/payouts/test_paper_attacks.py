"""Raw SQL against the papers: forms, advices, agreements and invoices stay what they are, on both databases."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from firm.db import db
from payouts.remittance import operations as remittance
from payouts.self_billing.rules import Vat
from tests.firm import books
from tests.firm.books import DATABASE_ERRORS
from tests.lovelace import ADMINISTRATOR, AFTER
from tests.payouts import paying
from tests.payouts.bank import Bank
from tests.payouts.test_self_billing import agree, credit, issue
from tests.payouts.test_tax_forms import record

AGREEMENT = (
    "INSERT INTO self_billing_agreement (id, maintainer_id, consented_on, from_on, until_on, supplier_name,"
    " supplier_address, supplier_vat_id, series, treatment, rate_bp, recorded_at, recorded_by)"
    " SELECT 'sba_x', maintainer_id, consented_on, '{from_on}', '{until_on}', supplier_name, supplier_address,"
    " supplier_vat_id, series, treatment, rate_bp, recorded_at, recorded_by FROM self_billing_agreement LIMIT 1"
)
COLUMNS = "maintainer_id, agreement_id, statement_id, month, series, issued_on, currency, figures, sha256, issued_at"
INVOICE = (
    "INSERT INTO self_billed_invoice (id, kind, number, credits_id, version, position, net_minor, vat_minor,"
    f" gross_minor, {COLUMNS}) SELECT 'sbi_x', {{values}}, {COLUMNS}"
    " FROM self_billed_invoice WHERE number = 'SB-LM-0003'"
)

ATTACKS = {
    "a form's kind": "UPDATE tax_form SET kind = 'W-8BEN'",
    "a form's number": "UPDATE tax_form SET tin_last4 = '0000'",
    "a withdrawn form comes back": "UPDATE tax_form SET superseded_at = NULL WHERE superseded_at IS NOT NULL",
    "a form goes": "DELETE FROM tax_form",
    "two live forms": "UPDATE tax_form SET superseded_at = NULL",
    "an advice's amount": "UPDATE remittance_advice SET amount_minor = 1",
    "an advice goes": "DELETE FROM remittance_advice",
    "a second advice": "INSERT INTO remittance_advice SELECT 'rma_x', 'RA-2026-0099', payout_id, maintainer_id,"
    " currency, amount_minor, figures, sha256, issued_at FROM remittance_advice",
    "an agreement's rate": "UPDATE self_billing_agreement SET rate_bp = 700",
    "an agreement's end moves": "UPDATE self_billing_agreement SET until_on = '2030-01-01'",
    "an agreement goes": "DELETE FROM self_billing_agreement",
    "an overlap": AGREEMENT.format(from_on="2027-09-30", until_on="2028-09-01"),
    "an agreement without days": AGREEMENT.format(from_on="2028-01-01", until_on="2028-01-01"),
    "an invoice's sum": "UPDATE self_billed_invoice SET net_minor = 1, gross_minor = 1 + vat_minor",
    "an invoice goes": "DELETE FROM self_billed_invoice",
    "a gap": INVOICE.format(values="'credit-note', 'SB-LM-0005', id, 2, 5, -net_minor, -vat_minor, -gross_minor"),
    "a number twice": INVOICE.format(
        values="'credit-note', 'SB-LM-0003', id, 2, 4, -net_minor, -vat_minor, -gross_minor"
    ),
    "a credit note of another sum": INVOICE.format(values="'credit-note', 'SB-LM-0004', id, 2, 4, -1, 0, -1"),
    "a sum that does not add up": INVOICE.format(
        values="'credit-note', 'SB-LM-0004', id, 2, 4, -net_minor, -vat_minor, -net_minor"
    ),
    "a second invoice": INVOICE.format(values="'invoice', 'SB-LM-0004', NULL, 3, 4, net_minor, vat_minor, gross_minor"),
    "a negative invoice": INVOICE.format(values="'invoice', 'SB-LM-0004', NULL, 3, 4, -1, 0, -1"),
    "half a cent": INVOICE.format(values="'credit-note', 'SB-LM-0004', id, 2, 4, -0.5, 0, -0.5"),
    "a series goes back": "UPDATE self_billing_series SET last = 1",
    "a series skips": "UPDATE self_billing_series SET last = last + 2",
    "a series goes": "DELETE FROM self_billing_series",
    "a setting out of range": "UPDATE profile SET self_billing_months = 0",
}
TABLES = ("tax_form", "remittance_advice", "self_billing_agreement", "self_billed_invoice", "self_billing_series")


REPLACE = "INSERT OR REPLACE INTO {0} SELECT * FROM {0}"
OUR_MISTAKES = ("syntax", "no such", "does not exist", "no column", "values for")
"""What the database says to an attack that was written wrongly."""


def is_refused(url: str, attack: str) -> bool:
    """Whether the database says no, and not because we wrote it wrongly."""
    with books.bare(url) as connection:
        try:
            connection.execute(attack)
        except DATABASE_ERRORS as error:
            return not any(word in str(error) for word in OUR_MISTAKES)
    return False


def papers_of_every_kind() -> str:
    """Two forms, an advice, an agreement with an invoice, its credit note and the next one; the database's address."""
    record()
    record()
    bank = Bank()
    number = paying.approved(bank)
    paying.send(number, bank)
    remittance.issue(paying.payout_to(number, "Grace").id, by=ADMINISTRATOR, now=AFTER)
    agree(vat=Vat("domestic", 1900))
    credit(issue().number)
    issue()
    url = db.engine.url.render_as_string(hide_password=False)
    db.session.remove()
    db.engine.dispose()
    return url.replace("+psycopg", "")


def test_what_the_product_would_not_do_the_database_refuses(closed_october: Flask) -> None:
    url = papers_of_every_kind()
    before = books.digest(url)
    attacks = dict(ATTACKS)
    if not url.startswith("sqlite"):
        attacks |= {f"{table} is emptied": f"TRUNCATE {table} CASCADE" for table in TABLES}
    else:
        attacks |= {
            f"{table} is replaced": f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}" for table in TABLES[:4]
        }
    assert [name for name, attack in attacks.items() if not is_refused(url, attack)] == []
    assert books.digest(url) == before


def test_replacing_is_refused_also_by_programs_without_our_pragmas(sqlite_at: object) -> None:
    with sqlite_at("closed"):  # type: ignore[operator]
        url = papers_of_every_kind()
        before = books.digest(url)
        for table in TABLES[:4]:
            with books.bare_sqlite(url) as connection, pytest.raises(DATABASE_ERRORS):
                connection.execute(REPLACE.format(table))
        assert books.digest(url) == before


def test_an_end_is_written_once_and_inside_the_days(closed_october: Flask) -> None:
    url = papers_of_every_kind()
    ended = "UPDATE self_billing_agreement SET ended_on = '{}', ended_by = 'firm', end_reason = 'x'"
    with books.bare(url) as connection:
        for day in (date(2026, 9, 30), date(2027, 10, 2)):
            with pytest.raises(DATABASE_ERRORS):
                connection.execute(ended.format(day))
        connection.execute(ended.format(date(2027, 1, 1)))
        with pytest.raises(DATABASE_ERRORS):
            connection.execute(ended.format(date(2027, 2, 1)))

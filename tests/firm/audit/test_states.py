"""What somebody changes behind the back of the audit log, in the database, is found by verification."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flask import Flask

from api.verification import findings
from firm.access import principals, tokens
from firm.actor import Role
from payouts import month_end
from payouts.remittance import operations as remittance
from payouts.tax_forms import operations as tax_forms
from staffing.reports import operations as reports
from tests import lovelace
from tests.databases import SECRET_KEYS, running
from tests.firm.audit.test_chain import tamper
from tests.lovelace import AFTER, LEAD, OCTOBER
from tests.payouts import paying

EDITS = {
    "UPDATE statement SET figures = replace(figures, '00', '90')": "statements-as-issued",
    "UPDATE funded_work_report SET figures = replace(figures, 'Acme', 'Acne')": "reports-as-issued",
    "UPDATE invoice SET figures = replace(figures, '\"total\"', '\"sum\"')": "invoices-as-issued",
    "UPDATE payout SET amount_minor = amount_minor + 1": "payouts-as-approved",
    "UPDATE payout_attempt SET request = replace(request, '0000', '9000')": "attempts-as-asked",
    "UPDATE payout_attempt SET key = key || '9'": "attempts-as-asked",
    "UPDATE destination SET holder = 'Mallory'": "states-on-record",
    "UPDATE principal SET role = 'lead'": "states-on-record",
    "UPDATE engagement SET fee_minor = fee_minor + 1": "states-on-record",
    "UPDATE pay_terms SET guarantee_minor = 99": "states-on-record",
    "UPDATE profile SET name = 'Another'": "states-on-record",
    "UPDATE pay_terms_fund_share SET rate_bp = 9000": "states-on-record",
    "UPDATE plan_weight SET weight = weight + 1": "states-on-record",
    "DELETE FROM plan_reserve": "states-on-record",
    "UPDATE interest SET may_stop = NOT may_stop": "states-on-record",
    "UPDATE tax_form SET name = 'Mallory'": "states-on-record",
    "UPDATE api_token SET revoked_at = NULL": "states-on-record",
    "UPDATE api_token SET scopes = 'read write'": "states-on-record",
    "UPDATE notice SET to_address = 'mallory@example.org'": "states-on-record",
    "UPDATE remittance_advice SET payout_id = 'pay_1'": "states-on-record",
    "INSERT INTO tier (id, name, version, entitlements, created_at)"
    " VALUES ('tir_1', 'mine', 1, '', '2026-11-01 09:00:00')": "states-on-record",
}


def broken() -> set[str]:
    return {found.invariant.name for found in findings(now=AFTER) if not found.holds}


@pytest.fixture(scope="session")
def evidence_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One SQLite file with a row in most tables that are on record, to be copied."""
    path = tmp_path_factory.mktemp("evidence") / "chambers.db"
    shutil.copy(migrated_file, path)
    for _ in running(f"sqlite:///{path}"):
        _leave_evidence()
    return path


def _leave_evidence() -> None:
    lovelace.set_up()
    principals.enroll(name="Ada", role=Role.AUDITOR, by=LEAD, now=AFTER)
    token = tokens.issue("Ada", scopes=["read"], expires_at=None, by=LEAD, now=AFTER).token
    tokens.revoke_token(token.id, by=LEAD, now=AFTER)
    signed = {"signed_on": AFTER.date(), "received_on": AFTER.date(), "tin": "536904399"}
    tax_forms.record("Grace", kind="W-9", name="Grace Hopper", **signed, keys=SECRET_KEYS, by=LEAD, now=AFTER)
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    number = paying.approved()
    paying.pay_run(number)
    remittance.issue(paying.payout_to(number, "Grace").id, by=LEAD, now=AFTER)
    reports.issue("Acme", from_month=OCTOBER, until_month=OCTOBER.next, by=LEAD, now=AFTER)
    lovelace.assert_books_hold()


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_behind_our_back_is_found(evidence_file: Path, tmp_path: Path, edit: str) -> None:
    path = Path(shutil.copy(evidence_file, tmp_path / "edited.db"))
    for _ in running(f"sqlite:///{path}"):
        assert broken() == set()
        tamper(edit)
        assert EDITS[edit] in broken()


def test_what_is_on_record_and_gone_is_found(sqlite_app: Flask) -> None:
    lovelace.set_up()
    tamper("DELETE FROM destination")
    assert "states-on-record" in broken()

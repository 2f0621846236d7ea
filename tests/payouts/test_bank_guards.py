"""Raw SQL cannot change what the bank said, nor take a line back, nor settle a payout by two lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from api.app import create_core
from api.commands.archives import WAYS
from firm.archive import restoring, writing
from firm.db import db, reading
from migrations import run
from migrations.tables import METADATA
from payouts.bank_files import operations as bank_files
from payouts.bank_files import queries
from payouts.proofs import operations as proofs
from payouts.proofs.operations import InvalidProof, NotPaid
from tests import lovelace
from tests.databases import SECRET_KEYS, settings_for
from tests.firm import books
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD
from tests.payouts import euros, paying
from tests.payouts.bank_messages import entry, statement
from tests.payouts.test_bank_files import ON_THE_FIFTH, both

PDF = b"%PDF-1.7 the bank confirms"
SAME = "id, file_id, number, payout_id, action, direction, amount_minor, currency, booked_on, code, reason, reference,"
REST = " text, state, note, resolution, resolved_at, resolved_by"
COPY = f"INSERT INTO bank_line ({SAME}{REST}) SELECT"
ATTACKS = (
    "DELETE FROM bank_file",
    "DELETE FROM bank_line",
    "DELETE FROM payment_proof",
    "UPDATE bank_file SET sha256 = 'another'",
    "UPDATE bank_file SET closing_minor = closing_minor + 1",
    "UPDATE payment_proof SET sha256 = 'another'",
    "UPDATE bank_line SET amount_minor = amount_minor + 1",
    "UPDATE bank_line SET payout_id = NULL",
    "UPDATE bank_line SET state = 'waiting' WHERE state = 'settled'",
    "UPDATE bank_line SET state = 'settled' WHERE state = 'unmatched'",
    "UPDATE bank_line SET state = 'unmatched', note = '' WHERE state = 'settled'",
    "UPDATE bank_line SET state = 'resolved' WHERE state = 'unmatched'",
    (
        f"{COPY} 'bln_2', {SAME.removeprefix('id, ').replace('number', 'number + 9')}{REST} FROM bank_line"
        " WHERE state = 'settled'"
    ),
    (
        f"{COPY} 'bln_2', file_id, 99, payout_id, action, direction, 0.5, currency, booked_on, code, reason, reference,"
        " text, 'noted', note, resolution, resolved_at, resolved_by FROM bank_line WHERE state = 'settled'"
    ),
    (
        f"{COPY} 'bln_2', file_id, 99, NULL, NULL, direction, amount_minor, currency, booked_on, code, reason,"
        " reference, text, 'waiting', note, resolution, resolved_at, resolved_by FROM bank_line WHERE state = 'settled'"
    ),
    "INSERT INTO bank_file SELECT * FROM bank_file",
    "INSERT INTO payment_proof SELECT * FROM payment_proof",
)
ON_SQLITE = (
    "INSERT OR REPLACE INTO bank_file SELECT * FROM bank_file",
    "INSERT OR REPLACE INTO bank_line SELECT * FROM bank_line",
    "INSERT OR REPLACE INTO payment_proof SELECT * FROM payment_proof",
    (
        f"INSERT OR REPLACE INTO bank_line ({SAME}{REST}) SELECT 'bln_2',"
        f" {SAME.removeprefix('id, ').replace('number', 'number + 9')}{REST} FROM bank_line WHERE state = 'settled'"
    ),
)


@pytest.fixture
def stored(app: Flask) -> None:
    """A statement that settled a run and left a fee unmatched, and a proof."""
    euros.set_up_firm()
    euros.set_bank_account()
    number = euros.approved_run()
    euros.send(number)
    raw = statement(both(number), entry("DBIT", "7.50"), closing="2992.50")
    bank_files.receive(raw, keys=SECRET_KEYS, by=ADMINISTRATOR, now=ON_THE_FIFTH)
    ada = paying.payout_to(number, "Ada")
    proofs.add(ada.id, PDF, keys=SECRET_KEYS, by=ADMINISTRATOR, now=ON_THE_FIFTH)


@pytest.mark.usefixtures("stored")
def test_what_the_bank_said_withstands(fresh_url: str) -> None:
    before = books.digest(fresh_url)
    attacks = ATTACKS + (ON_SQLITE if fresh_url.startswith("sqlite") else ("TRUNCATE bank_line", "TRUNCATE bank_file"))
    for attack in attacks:
        with books.bare(fresh_url) as connection, pytest.raises(books.DATABASE_ERRORS):
            connection.execute(attack)
    if fresh_url.startswith("sqlite"):
        for attack in ON_SQLITE:
            with books.bare_sqlite(fresh_url) as connection, pytest.raises(books.DATABASE_ERRORS):
                connection.execute(attack)
        assert books.digest(fresh_url) == before
    lovelace.assert_books_hold()


@pytest.mark.usefixtures("stored")
def test_what_is_right_would_be_taken(fresh_url: str) -> None:
    """The attacks fail for what is wrong with them, and not for their form."""
    right = (
        f"{COPY} 'bln_2', file_id, 99, payout_id, action, direction, 0, currency, booked_on, code, reason, reference,"
        " text, 'noted', note, resolution, resolved_at, resolved_by FROM bank_line WHERE number = 1"
    )
    with books.bare(fresh_url) as connection:
        connection.execute(right)
        resolve = "UPDATE bank_line SET state = 'resolved', resolution = 'x', resolved_at = '2026-11-05 09:00:00',"
        connection.execute(f"{resolve} resolved_by = 'lead' WHERE state = 'unmatched'")


def test_a_proof_is_of_a_payment_that_was_sent_and_grows_by_versions(closed_october: Flask) -> None:
    number = paying.approved()
    grace = paying.payout_to(number, "Grace")
    with pytest.raises(NotPaid, match="is reserved; a proof is of one that was sent"):
        proofs.add(grace.id, PDF, keys=SECRET_KEYS, by=ADMINISTRATOR, now=AFTER)
    paying.pay_run(number)
    first = proofs.add(grace.id, PDF, keys=SECRET_KEYS, by=ADMINISTRATOR, now=AFTER)
    assert proofs.add(grace.id, PDF, keys=SECRET_KEYS, by=ADMINISTRATOR, now=AFTER).id == first.id
    better = b"\x89PNG\r\n\x1a\n a better picture"
    second = proofs.add(grace.id, better, keys=SECRET_KEYS, by=ADMINISTRATOR, now=AFTER)
    assert (first.version, second.version, second.content_type) == (1, 2, "image/png")
    assert proofs.newest_of(grace.id).sha256 == second.sha256
    assert proofs.open_document(grace.id, keys=SECRET_KEYS, by=ADMINISTRATOR, now=AFTER).content == better
    for wrong in (b"", b"GIF89a", b"<svg/>", PDF + b"x" * 5_000_000):
        with pytest.raises(InvalidProof):
            proofs.add(grace.id, wrong, keys=SECRET_KEYS, by=ADMINISTRATOR, now=AFTER)
    lovelace.assert_books_hold()


@pytest.mark.usefixtures("stored")
def test_what_the_bank_said_goes_with_the_firm_into_an_archive_and_back(tmp_path: Path) -> None:
    tables, path = METADATA.sorted_tables, tmp_path / "firm.zip"
    writing.export_all(path, tables, revision=str(run.head()), by=LEAD, now=ON_THE_FIFTH)
    with reading() as session:
        before = [[line.state for line in queries.lines_of(session, one.id)] for one in queries.page(session)]
    assert before == [["settled", "settled", "unmatched"]]
    with create_core(settings_for(f"sqlite:///{tmp_path}/other.db")).app_context():
        run.upgrade(db.engine)
        restoring.import_archive(path, tables, revision=str(run.head()), ways=WAYS, by=LEAD, now=ON_THE_FIFTH)
        with reading() as session:
            after = [[line.state for line in queries.lines_of(session, one.id)] for one in queries.page(session)]
        lovelace.assert_books_hold()
        db.session.remove()
        db.engine.dispose()
    assert after == before

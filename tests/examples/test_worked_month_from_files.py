"""A whole firm imported from six files; its worked month then comes out to the cent."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from firm.db import reading
from firm.engagements import operations as engagements
from firm.engagements.model import Engagement
from firm.intake.report import ImportRefused, Report
from firm.portfolio import queries as portfolio
from firm.portfolio.model import Package
from payouts import imports, month_end
from payouts.statements import queries as statements
from tests import lovelace
from tests.examples.refusals import all_rows
from tests.files import FILES
from tests.lovelace import AFTER, BEFORE, LEAD, OCTOBER, usd


def take_in(kind: str) -> Report:
    return imports.import_file(kind, FILES[kind].encode(), by=LEAD, now=BEFORE)


def sign_all() -> None:
    with reading() as session:
        drafts = session.scalars(select(Engagement.id).order_by(Engagement.id)).all()
    for draft in drafts:
        engagements.sign(draft, by=LEAD, now=BEFORE)


def import_everything() -> None:
    lovelace.establish()
    for tier in ("gold", "platinum"):
        engagements.add_tier(name=tier, by=LEAD, now=BEFORE)
    for kind in ("clients", "packages", "maintainers", "engagements"):
        take_in(kind)
    sign_all()
    lovelace.set_plan()
    for kind in ("assignments", "terms"):
        take_in(kind)
    lovelace.set_destinations()


def test_the_month_of_an_imported_firm_comes_out_to_the_cent(app: Flask) -> None:
    import_everything()
    closing = month_end.close(OCTOBER, by=LEAD, now=AFTER)
    assert (closing.recognized, closing.earned, closing.residual) == (usd("15000.00"), usd("6250.00"), usd("8750.00"))
    with reading() as session:
        names = portfolio.names(session)
    assert {names.get(target, target or kind): str(amount) for (kind, target), amount in closing.allocated.items()} == {
        "overhead": "3,000.00 USD",
        "on-ramp": "750.00 USD",
        "ssh": "5,625.00 USD",
        "age": "3,750.00 USD",
        "staticcheck": "1,875.00 USD",
    }
    with reading() as session:
        assert len(statements.page(session, month=OCTOBER)) == 2
    assert lovelace.trial_balance()["liabilities:payables"] == "-6,250.00 USD"
    lovelace.assert_books_hold()


def test_importing_the_six_files_again_adds_nothing(app: Flask) -> None:
    import_everything()
    before = all_rows()
    for kind, text in FILES.items():
        report = take_in(kind)
        assert (report.new, report.known, report.refused) == (0, report.total, []), kind
        assert report.total == text.count("\n") - 1 - (2 if kind == "engagements" else 0)
    after = all_rows()
    assert len(after.pop("audit_record")) == len(before.pop("audit_record")) + len(FILES)
    assert after == before


def test_a_firm_typed_in_by_hand_is_known_to_its_files(app: Flask) -> None:
    lovelace.set_up()
    for kind in FILES:
        report = imports.check(kind, FILES[kind].encode(), by=LEAD, now=BEFORE)
        assert (report.new, report.refused) == (0, []), kind


def test_the_gate_is_shut_until_a_person_has_signed_and_a_plan_gives_money(app: Flask) -> None:
    lovelace.establish()
    for tier in ("gold", "platinum"):
        engagements.add_tier(name=tier, by=LEAD, now=BEFORE)
    for kind in ("clients", "packages", "maintainers", "engagements"):
        take_in(kind)
    before = all_rows()
    with pytest.raises(ImportRefused, match=r"3 of 3 lines were refused, so nothing was imported") as caught:
        take_in("assignments")
    assert all_rows() == before
    [first, *_] = caught.value.report.refused
    assert (first.line, first.column, first.text) == (2, "package", "ssh")
    assert "ssh has no money" in first.sentence
    assert "No client with a signed engagement named an interest in ssh" in first.sentence
    sign_all()
    with pytest.raises(ImportRefused):
        take_in("assignments")
    lovelace.set_plan()
    assert take_in("assignments").new == 3
    with reading() as session:
        assert set(session.scalars(select(Package.state))) == {"staffed"}

"""Adjustments: what they move in the books, whose they are to make, and how they are taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from firm.actor import Actor
from firm.db import reading, transaction
from firm.ledger import accounts
from firm.ledger import queries as ledger
from firm.ledger.periods import MonthClosed
from firm.money import Money
from firm.portfolio import queries as portfolio
from firm.profile.changes import change_firm
from payouts.adjustments import fees, operations, queries
from payouts.adjustments.model import Adjustment
from payouts.adjustments.operations import AdvanceRecovered, AlreadyReversed, Draft, InvalidAdjustment, LeadDecides
from payouts.adjustments.rules import Moved, RecoveryRule, funded, recovery, withholding
from payouts.runs import approvals
from payouts.runs.approvals import PayableChanged
from payouts.runs.preparation import NothingPayable
from tests import lovelace
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD, OCTOBER, usd
from tests.payouts import paying

ADVANCE = Draft("Grace", "advance", usd("500.00"), "A new laptop")


def correction(amount: str, *, package: str | None = "ssh") -> Draft:
    return Draft("Grace", "correction", usd(amount), "A release was counted twice", adjusts=OCTOBER, package=package)


def make(draft: Draft, *, by: Actor = LEAD) -> Adjustment:
    return operations.make(draft, by=by, now=AFTER)


def fund(package: str) -> Money:
    with reading() as session:
        package_id = portfolio.find(session, package).id
        return -ledger.balance_of(session, accounts.PACKAGE_FUNDS, "USD", package_id=package_id)


def booked(one: Adjustment) -> str:
    return lovelace.entry_text(one.entry_source)


def test_a_correction_upwards_draws_on_the_package_s_fund(closed_october: Flask) -> None:
    made = make(correction("200.00"))
    assert (made.number, str(made.month), str(made.adjusts_month)) == ("ADJ-2026-0001", "2026-11", "2026-10")
    assert booked(made) == (
        "dr expenses:maintainers    200.00 USD\n"
        "dr equity:funds:packages   200.00 USD\n"
        "cr liabilities:payables    200.00 USD\n"
        "cr equity:allocated        200.00 USD"
    )
    assert fund("ssh") == usd("1125.00")
    assert lovelace.trial_balance()["liabilities:payables"] == "-6,450.00 USD"
    lovelace.assert_books_hold()


def test_what_the_fund_does_not_cover_of_a_correction_the_residual_bears(closed_october: Flask) -> None:
    made = make(correction("2000.00"))
    assert made.funded == usd("1325.00")
    assert fund("ssh") == usd("0.00")
    lovelace.assert_books_hold()


def test_a_correction_downwards_gives_back_to_the_fund_at_most_what_the_month_drew(closed_october: Flask) -> None:
    made = make(correction("-100.00"))
    assert booked(made) == (
        "dr liabilities:payables    100.00 USD\n"
        "dr equity:allocated        100.00 USD\n"
        "cr expenses:maintainers    100.00 USD\n"
        "cr equity:funds:packages   100.00 USD"
    )
    assert fund("ssh") == usd("1425.00")
    beyond = make(correction("-9000.00"))
    assert beyond.funded == usd("-4200.00")
    assert fund("ssh") == usd("5625.00")
    lovelace.assert_books_hold()


def test_a_correction_of_no_package_is_the_residual_s(closed_october: Flask) -> None:
    made = make(correction("200.00", package=None))
    assert booked(made) == "dr expenses:maintainers   200.00 USD\ncr liabilities:payables   200.00 USD"
    assert fund("ssh") == usd("1325.00")


def test_a_reversal_takes_back_the_whole_once(closed_october: Flask) -> None:
    made = make(correction("2000.00"))
    before = lovelace.trial_balance()
    back = operations.reverse(made.number, reason="It was right", by=LEAD, now=AFTER)
    assert (back.amount, back.reverses_id, back.kind) == (usd("-2000.00"), made.id, "correction")
    assert fund("ssh") == usd("1325.00")
    assert lovelace.trial_balance() != before
    for key in (made.number, back.number):
        with pytest.raises(AlreadyReversed):
            operations.reverse(key, reason="Again", by=LEAD, now=AFTER)
    lovelace.assert_books_hold()


def test_an_advance_is_payable_at_once_and_outstanding(closed_october: Flask) -> None:
    made = make(ADVANCE)
    assert booked(made) == "dr assets:advances        500.00 USD\ncr liabilities:payables   500.00 USD"
    with reading() as session:
        assert list(queries.outstanding(session, "USD").values()) == [usd("500.00")]
    assert {str(payout.amount) for payout in paying.draft().payouts} == {"4,800.00 USD", "1,950.00 USD"}
    operations.reverse(made.number, reason="She bought none", by=LEAD, now=AFTER)
    with reading() as session:
        assert queries.outstanding(session, "USD") == {}
    lovelace.assert_books_hold()


def test_a_fee_that_the_payee_bears_is_set_against_the_next_payout(closed_october: Flask) -> None:
    number = paying.approved()
    payout = paying.payout_to(number, "Grace")
    for borne_by_payee in (True, False):
        one = payout if borne_by_payee else paying.payout_to(number, "Ada")
        with transaction() as session:
            fees.book(
                session,
                payout_id=one.id,
                maintainer_id=one.maintainer_id,
                fee=usd("1.50"),
                on=AFTER.date(),
                reference=number,
                borne_by_payee=borne_by_payee,
                by=ADMINISTRATOR,
                now=AFTER,
            )
    assert lovelace.trial_balance()["expenses:payment-fees"] == "1.50 USD"
    assert lovelace.trial_balance()["assets:bank"] == "-3.00 USD"
    assert lovelace.trial_balance()["liabilities:payables"] == "1.50 USD"
    lovelace.assert_books_hold()
    with pytest.raises(NothingPayable, match="owes the firm"):
        paying.draft()


def test_only_the_lead_grants_advances_and_adjusts_beyond_the_limit(closed_october: Flask) -> None:
    with pytest.raises(LeadDecides, match="granted by the lead"):
        make(ADVANCE, by=ADMINISTRATOR)
    with pytest.raises(LeadDecides, match=r"beyond 0\.00 USD the lead"):
        make(correction("0.01"), by=ADMINISTRATOR)
    change_firm(adjustment_limit=usd("100.00"), by=LEAD, now=AFTER)
    make(correction("-60.00"), by=ADMINISTRATOR)
    # In parts it is as much as in one piece.
    with pytest.raises(LeadDecides, match=r"120\.00 USD"):
        make(correction("60.00"), by=ADMINISTRATOR)
    make(correction("40.00"), by=ADMINISTRATOR)
    make(correction("5000.00"))
    with pytest.raises(LeadDecides):
        operations.reverse("ADJ-2026-0003", reason="Too much", by=ADMINISTRATOR, now=AFTER)
    lovelace.assert_books_hold()


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        (Draft("Grace", "advance-recovery", usd("-1.00"), "x"), "one of correction"),
        (Draft("Grace", "correction", usd("0.00"), "x", adjusts=OCTOBER), "nothing"),
        (Draft("Grace", "correction", usd("1.00"), " ", adjusts=OCTOBER), "Say why"),
        (Draft("Grace", "correction", usd("1.00"), "x"), "names the earlier month"),
        (Draft("Grace", "correction", usd("1.00"), "x", adjusts=OCTOBER.next), "a month before it"),
        (Draft("Grace", "correction", usd("1.00"), "x", adjusts=OCTOBER.previous), "when the books begin"),
        (Draft("Grace", "advance", usd("-1.00"), "x"), "positive"),
        (Draft("Grace", "fee", usd("1.00"), "x"), "negative"),
        (Draft("Grace", "withholding", usd("1.00"), "x"), "negative"),
        (Draft("Grace", "advance", usd("1.00"), "x", package="ssh"), "charged to a package"),
        (Draft("Grace", "advance", Money.parse("1.00", "EUR"), "x"), "the currency of the books"),
        (Draft("Grace", "advance", usd("1.00"), "x", on=AFTER.date() + timedelta(days=1)), "today or on an earlier"),
    ],
)
def test_what_cannot_be_adjusted_is_said(opens_closed: None, draft: Draft, sentence: str) -> None:
    with pytest.raises(InvalidAdjustment, match=sentence):
        make(draft)


@pytest.fixture
def opens_closed(sqlite_at: object) -> object:
    opened = sqlite_at("closed")  # type: ignore[operator]
    with opened:
        yield


def test_a_closed_month_takes_no_adjustment(closed_october: Flask) -> None:
    with pytest.raises(MonthClosed):
        make(Draft("Grace", "advance", usd("1.00"), "Late", on=OCTOBER.last_day))


def test_a_correction_between_draft_and_approval_stops_the_approval(closed_october: Flask) -> None:
    number = paying.draft().run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    make(correction("-0.01"))
    with pytest.raises(PayableChanged):
        approvals.approve(number, by=LEAD, now=AFTER)


def inserted(amount: str, *, kind: str = "kind", reverses: str = "NULL", source: str = "") -> str:
    """A row beside the one that is there, on an entry that is in the books unless said otherwise."""
    entry = source or "(SELECT MIN(source) FROM journal_entry WHERE source LIKE 'allocation:%')"
    return (
        "INSERT INTO adjustment SELECT 'adj_x', 'ADJ-X', maintainer_id, "
        f"{kind}, month, adjusts_month, package_id, {amount}, 0, currency, reason, NULL, {reverses}, {entry},"
        " made_at, made_by FROM adjustment"
    )


def test_raw_sql_may_add_what_breaks_no_rule(closed_october: Flask) -> None:
    """So that the attacks below fail for what they attack."""
    make(ADVANCE)
    with transaction() as session:
        session.execute(text(inserted("-amount_minor", reverses="id")))
    with reading() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM adjustment")) == 2


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE adjustment SET amount_minor = 1",
        "DELETE FROM adjustment",
        "INSERT OR REPLACE INTO adjustment SELECT * FROM adjustment",
        inserted("-amount_minor - 1", reverses="id"),
        inserted("-amount_minor", kind="'fee'", reverses="id"),
        inserted("0.5"),
        inserted("0"),
        inserted("-1"),
        inserted("1", kind="'fee'"),
        inserted("1", kind="'correction'"),
        inserted("1", source="'nowhere'"),
        inserted("1", source="entry_source"),
        "TRUNCATE adjustment",
    ],
)
def test_raw_sql_cannot_change_what_was_adjusted(closed_october: Flask, attack: str) -> None:
    make(ADVANCE)
    with reading() as session:
        engine = session.get_bind().dialect.name
        before = session.execute(text("SELECT * FROM adjustment")).all()
    if "OR REPLACE" in attack and engine == "postgresql":
        attack = attack.replace("OR REPLACE ", "")
    if "0.5" in attack and engine == "postgresql":
        attack = attack.replace("0.5", "10000000000000000")
    if "TRUNCATE" in attack and engine == "sqlite":
        attack = "UPDATE OR REPLACE adjustment SET id = 'adj_x'"
    with pytest.raises(DBAPIError), transaction() as session:
        session.execute(text(attack))
    with reading() as session:
        assert session.execute(text("SELECT * FROM adjustment")).all() == before


def test_an_advance_of_which_something_was_recovered_is_not_reversed(app: Flask) -> None:
    from payouts import month_end
    from payouts.terms import operations as terms
    from payouts.terms.operations import Proposal

    lovelace.set_up()
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    made = make(ADVANCE)
    rule = Proposal(guarantee=usd("4000.00"), recovery=usd("100.00"))
    terms.set_terms("Grace", rule, from_month=OCTOBER.next, by=LEAD, now=AFTER)
    december = AFTER.replace(month=12)
    month_end.close(OCTOBER.next, by=LEAD, now=december)
    with pytest.raises(AdvanceRecovered, match=r"Only 400\.00 USD"):
        operations.reverse(made.number, reason="Never bought", by=LEAD, now=december)
    operations.reverse("ADJ-2026-0002", reason="Too early", by=LEAD, now=december)
    operations.reverse(made.number, reason="Never bought", by=LEAD, now=december)
    with reading() as session:
        assert queries.outstanding(session, "USD") == {}
    lovelace.assert_books_hold()


@pytest.mark.parametrize(
    ("rule", "moved", "outstanding", "expected"),
    [
        (RecoveryRule(1000), Moved(earned=430_000), 100_000, 43_000),
        (RecoveryRule(1000), Moved(earned=430_000), 20_000, 20_000),
        (RecoveryRule(fixed=50_000), Moved(earned=430_000), 100_000, 50_000),
        (RecoveryRule(fixed=50_000), Moved(earned=30_000), 100_000, 30_000),
        (RecoveryRule(fixed=50_000), Moved(earned=30_000, corrected=-20_000), 100_000, 10_000),
        (RecoveryRule(fixed=50_000), Moved(earned=30_000, corrected=-40_000), 100_000, 0),
        (RecoveryRule(fixed=50_000), Moved(advanced=90_000), 90_000, 0),
        (RecoveryRule(10_000), Moved(earned=3), 2, 2),
        (RecoveryRule(5_000), Moved(earned=3), 9, 2),
        (RecoveryRule(), Moved(earned=430_000), 100_000, 0),
    ],
)
def test_recovery_takes_no_more_than_is_outstanding_and_makes_no_month_negative(
    rule: RecoveryRule, moved: Moved, outstanding: int, expected: int
) -> None:
    assert recovery(rule, moved, outstanding) == expected


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        (Moved(earned=430_000), 103_200),
        (Moved(earned=430_000, recovered=-30_000), 96_000),
        (Moved(earned=430_000, advanced=100_000), 127_200),
        (Moved(earned=430_000, withheld=-3_200), 100_000),
        (Moved(earned=430_000, corrected=-500_000), 0),
        (Moved(), 0),
    ],
)
def test_a_rate_is_withheld_from_all_that_the_month_made_payable(moved: Moved, expected: int) -> None:
    assert withholding(2400, moved) == expected


def test_a_fund_bears_what_it_holds_and_gets_back_what_it_gave() -> None:
    assert [funded(amount, fund=100, drawn=70) for amount in (50, 150, -50, -150)] == [50, 100, -50, -70]
    assert [funded(amount, fund=-10, drawn=-5) for amount in (50, -50)] == [0, 0]

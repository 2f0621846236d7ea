"""Money that does not arrive: it is payable again, and every account says so."""

from __future__ import annotations

from datetime import date

from flask import Flask

from firm.db import reading
from firm.ledger import queries as ledger
from payouts.runs import approvals, sending, settling
from payouts.runs.settling import BackTooEarly, LeftTooEarly
from tests import lovelace
from tests.examples.refusals import refused
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD
from tests.payouts import paying
from tests.payouts.bank import Bank


def pay_again() -> str:
    """A second run for what is payable again; its number."""
    number = paying.draft().run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    approvals.approve(number, by=LEAD, now=AFTER)
    return number


def movements(payout_id: str) -> list[str]:
    """What one payout moved in the books, from its approval to its end."""
    with reading() as session:
        return [str(entry) for entry in ledger.entries(session) if entry.source.endswith(payout_id)]


def test_a_refused_transfer_makes_the_money_payable_again(closed_october: Flask) -> None:
    bank = Bank(refuses={"Grace": "The account is closed."})
    number = paying.approved(bank)
    paying.send(number, bank)
    grace = paying.payout_to(number, "Grace")
    assert (grace.state, grace.reason) == ("refused", "The account is closed.")
    assert movements(grace.id) == [
        "dr liabilities:payables             4,300.00 USD\ncr liabilities:payouts-in-transit   4,300.00 USD",
        "dr liabilities:payouts-in-transit   4,300.00 USD\ncr liabilities:payables             4,300.00 USD",
    ]
    assert lovelace.trial_balance()["liabilities:payables"] == "-4,300.00 USD"
    lovelace.assert_books_hold()

    second = pay_again()
    assert [str(payout.amount) for payout in sending.run_with_payouts(second)[1]] == ["4,300.00 USD"]
    bank.refuses = {}
    paying.send(second, bank)
    for run in (number, second):
        for payout in sending.run_with_payouts(run)[1]:
            if payout.state == "sent":
                paying.settle(payout.id)
    assert [sending.run_with_payouts(run)[0].state for run in (number, second)] == ["partly-settled", "settled"]
    assert bank.amounts() == ["Ada 1,950.00 USD", "Grace 4,300.00 USD"]
    assert lovelace.trial_balance()["assets:bank"] == "-6,250.00 USD"
    assert "liabilities:payables" not in lovelace.trial_balance()
    lovelace.assert_books_hold()


def test_a_run_whose_every_transfer_is_refused_moves_no_money(closed_october: Flask) -> None:
    bank = Bank(refuses={"Grace": "No.", "Ada": "No."})
    number = paying.approved(bank)
    paying.send(number, bank)
    assert sending.run_with_payouts(number)[0].state == "partly-settled"
    assert bank.paid == {}
    assert {"assets:bank", "liabilities:payouts-in-transit"}.isdisjoint(lovelace.trial_balance())
    assert len(paying.draft().payouts) == 2
    lovelace.assert_books_hold()


def test_a_payment_that_comes_back_before_it_settled_never_touched_the_bank(closed_october: Flask) -> None:
    number = paying.approved()
    paying.send(number, Bank())
    grace = paying.payout_to(number, "Grace")
    assert paying.give_back(grace.id).state == "returned"
    assert "assets:bank" not in lovelace.trial_balance()
    assert lovelace.trial_balance()["liabilities:payables"] == "-4,300.00 USD"
    assert lovelace.trial_balance()["liabilities:payouts-in-transit"] == "-1,950.00 USD"
    lovelace.assert_books_hold()


def test_a_payment_that_comes_back_after_it_settled_comes_back_to_the_bank(closed_october: Flask) -> None:
    number = paying.approved()
    paying.send(number, Bank())
    for payout in sending.run_with_payouts(number)[1]:
        paying.settle(payout.id)
    assert sending.run_with_payouts(number)[0].state == "settled"
    grace = paying.payout_to(number, "Grace")
    paying.give_back(grace.id)
    assert movements(grace.id) == [
        "dr liabilities:payables             4,300.00 USD\ncr liabilities:payouts-in-transit   4,300.00 USD",
        "dr liabilities:payouts-in-transit   4,300.00 USD\ncr assets:bank                      4,300.00 USD",
        "dr assets:bank            4,300.00 USD\ncr liabilities:payables   4,300.00 USD",
    ]
    assert sending.run_with_payouts(number)[0].state == "partly-settled"
    lovelace.assert_books_hold()

    paying.pay_run(pay_again())
    assert lovelace.trial_balance()["assets:bank"] == "-6,250.00 USD"
    lovelace.assert_books_hold()


def test_nothing_comes_back_before_it_has_left(closed_october: Flask) -> None:
    number = paying.approved()
    paying.send(number, Bank())
    grace = paying.payout_to(number, "Grace")
    with refused(LeftTooEarly, "cannot have left the bank on 2026-10-01"):
        settling.give_back(grace.id, reason="closed", on=date(2026, 10, 1), by=LEAD, now=AFTER)
    settling.settle(grace.id, reference="wire", on=date(2026, 11, 3), by=LEAD, now=AFTER)
    with refused(BackTooEarly, "left the bank on 2026-11-03; it cannot have come back on 2026-11-02"):
        settling.give_back(grace.id, reason="closed", on=date(2026, 11, 2), by=LEAD, now=AFTER)
    assert settling.give_back(grace.id, reason="closed", on=date(2026, 11, 3), by=LEAD, now=AFTER).state == "returned"

"""What no event told of is found by the sweep, and after a restore nothing goes over Stripe before one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from firm.db import reading, transaction
from firm.errors import Busy
from firm.recovery import operations as recovery
from payouts.provider_accounts import queries as account_queries
from payouts.provider_events import movements, sweeping
from payouts.provider_events.model import ProviderMovement
from payouts.rails.stripe.values import BalanceTransaction
from payouts.runs import sending
from payouts.sweeps import operations as sweeps
from payouts.sweeps.model import ProviderSweep
from payouts.sweeps.operations import NotSwept
from payouts.terms import operations as terms
from payouts.terms.operations import Proposal
from tests import lovelace
from tests.lovelace import AFTER, LEAD, usd
from tests.payouts.over_stripe import WORKER, OverStripe, events, payee_payouts, paying
from tests.stripe import accounts, balances, faults, payouts, transfers
from tests.stripe.server import Server

HOUR = timedelta(hours=1)


@pytest.fixture
def firm(closed_october: Flask, stripe_server: Server) -> Iterator[OverStripe]:
    with paying(stripe_server) as found:
        yield found


def sweep(firm: OverStripe, *, after: timedelta = HOUR) -> ProviderSweep:
    now = AFTER + after
    firm.server.clock.set(now)
    found = sweeping.sweep("stripe", source=firm.source, by=WORKER, now=now)
    for _, name in waiting():
        firm.apply(name, now=now)
    return found


def waiting() -> list[tuple[str, str]]:
    with reading() as session:
        query = text("SELECT id, event_id FROM provider_event WHERE state = 'stored' ORDER BY id")
        return [(row.id, row.event_id) for row in session.execute(query)]


def treatments() -> dict[str, str]:
    with reading() as session:
        return {one.type: one.treatment for one in session.scalars(select(ProviderMovement))}


def test_with_no_event_at_all_the_sweep_brings_everything_up(firm: OverStripe) -> None:
    firm.send(cut_for=["Grace"])
    transfers.give_back(firm.server.state, firm.transfer_to("Ada"), 50_000)
    payout = payouts.pay_out(firm.server.state, firm.accounts["Grace"], "usd")
    assert payout is not None
    accounts.set_capability(firm.server.state, firm.accounts["Ada"], payouts="restricted")
    found = sweep(firm)
    assert found.mended >= 4
    assert firm.states() == {"Grace": "settled", "Ada": "settled"}
    assert payee_payouts() == [("4,300.00 USD", "pending", None)]
    assert lovelace.trial_balance()["liabilities:payables"] == "-500.00 USD"
    with reading() as session:
        ada = account_queries.by_account(session, firm.accounts["Ada"])
    assert ada is not None
    assert ada.payouts_status == "restricted"
    assert {state for _, state in events()} <= {"applied", "ignored"}
    lovelace.assert_books_hold()


def test_sweeping_again_finds_nothing_new(firm: OverStripe) -> None:
    firm.send()
    sweep(firm)
    before = lovelace.trial_balance()
    again = sweep(firm, after=2 * HOUR)
    assert (again.found > 0, again.mended) == (True, 0)
    assert lovelace.trial_balance() == before


def test_a_reversal_of_an_old_transfer_is_found_by_its_event(firm: OverStripe) -> None:
    firm.send()
    sweep(firm)
    transfers.give_back(firm.server.state, firm.transfer_to("Grace"), 100_000)
    firm.server.clock.advance(days=20)
    transfers.give_back(firm.server.state, firm.transfer_to("Grace"), 50_000)
    for days in (20, 21):
        sweep(firm, after=timedelta(days=days))
    assert lovelace.trial_balance()["liabilities:payables"] == "-1,500.00 USD"


def test_each_sweep_looks_back_a_day_behind_the_one_before(firm: OverStripe) -> None:
    first, second = sweep(firm), sweep(firm, after=3 * HOUR)
    assert first.since == AFTER + HOUR - timedelta(days=31)
    assert second.since == first.until - timedelta(days=1)


def test_a_sweep_that_dies_is_no_place_to_begin_from(firm: OverStripe) -> None:
    first = sweep(firm)
    firm.server.faults.plan("GET /v1/balance_transactions", faults.BAD_GATEWAY, times=50)
    with pytest.raises(Busy):
        sweep(firm, after=2 * HOUR)
    firm.server.faults.clear()
    assert sweep(firm, after=3 * HOUR).since == first.until - timedelta(days=1)


@pytest.mark.parametrize(("at_most", "seen"), [(3, 1), (1, 0)])
def test_an_account_that_does_not_answer_keeps_no_other_from_its_turn(
    firm: OverStripe, monkeypatch: pytest.MonkeyPatch, at_most: int, seen: int
) -> None:
    monkeypatch.setattr(sweeping, "SILENT_AT_MOST", at_most)
    firm.send()
    first = sweep(firm)
    for name in ("Grace", "Ada"):
        assert payouts.pay_out(firm.server.state, firm.accounts[name], "usd") is not None
    firm.server.faults.plan("GET /v2/core/accounts/{id}", faults.BAD_GATEWAY, times=3)
    with pytest.raises(Busy):
        sweeping.sweep("stripe", source=firm.source, by=WORKER, now=AFTER + 2 * HOUR)
    assert len(payee_payouts()) == seen
    assert sweep(firm, after=3 * HOUR).since == first.until - timedelta(days=1)
    assert len(payee_payouts()) == 2


def test_more_than_a_page_is_read_to_its_end(firm: OverStripe) -> None:
    for _ in range(229):
        balances.top_up(firm.server.state, 100, "usd")
    sweep(firm)
    assert treatments() == {"topup": "booked"}
    assert lovelace.trial_balance()["assets:stripe"] == "10,229.00 USD"
    assert len(events()) >= 230


def test_fees_are_booked_once(firm: OverStripe) -> None:
    firm.server.state.cross_border_fees["us"] = 25
    firm.send()
    for after in (HOUR, 2 * HOUR):
        sweep(firm, after=after)
    assert treatments() == {"transfer": "paid-out", "topup": "booked"}
    # A quarter of a percent of 6,250.00; the top-up came from the firm's bank.
    assert lovelace.trial_balance()["expenses:payment-fees"] == "15.62 USD"
    assert lovelace.trial_balance()["assets:bank"] == "-10,000.00 USD"
    assert lovelace.trial_balance()["assets:stripe"] == "3,734.38 USD"
    lovelace.assert_books_hold()


def test_a_payee_whose_terms_say_so_bears_what_the_transfer_cost(firm: OverStripe) -> None:
    guarantee = Proposal(guarantee=usd("4000.00"), fees_borne_by="payee")
    terms.set_terms("Grace", guarantee, from_month=lovelace.OCTOBER.next, by=LEAD, now=AFTER)
    firm.server.state.cross_border_fees["us"] = 25
    firm.send()
    for after in (HOUR, 2 * HOUR):
        sweep(firm, after=after)
    # Of the 15.62 that both transfers cost, a quarter of a percent of Grace's 4,300.00 is hers.
    assert lovelace.trial_balance()["expenses:payment-fees"] == "4.87 USD"
    assert lovelace.trial_balance()["liabilities:payables"] == "10.75 USD"
    lovelace.assert_books_hold()


@pytest.mark.parametrize("told_by", ["the sweep", "the sender"])
def test_a_fee_that_was_seen_before_the_payout_had_left_is_the_payee_s_all_the_same(
    firm: OverStripe, told_by: str
) -> None:
    guarantee = Proposal(guarantee=usd("4000.00"), fees_borne_by="payee")
    terms.set_terms("Grace", guarantee, from_month=lovelace.OCTOBER.next, by=LEAD, now=AFTER)
    firm.server.state.cross_border_fees["us"] = 25
    firm.send(cut_for=["Grace"])
    for one in firm.source.log.lines(since=AFTER - HOUR):
        movements.note(one, provider="stripe", pays_from="assets:stripe", by=WORKER, now=AFTER + HOUR)
    assert lovelace.trial_balance()["expenses:payment-fees"] == "15.62 USD"
    if told_by == "the sender":
        rails, later = {"stripe": firm.rail}, AFTER + 2 * HOUR
        sending.send(firm.run, rails=rails, keys=lovelace.parts().keys, by=WORKER, now=later)
        assert firm.states()["Grace"] == "settled"
    for after in (2 * HOUR, 3 * HOUR):
        sweep(firm, after=after)
    assert lovelace.trial_balance()["expenses:payment-fees"] == "4.87 USD"
    assert lovelace.trial_balance()["liabilities:payables"] == "10.75 USD"
    lovelace.assert_books_hold()


def test_terms_that_change_later_charge_no_fee_of_before(firm: OverStripe) -> None:
    firm.server.state.cross_border_fees["us"] = 25
    firm.send()
    sweep(firm)
    guarantee = Proposal(guarantee=usd("4000.00"), fees_borne_by="payee")
    terms.set_terms("Grace", guarantee, from_month=lovelace.OCTOBER.next, by=LEAD, now=AFTER)
    sweep(firm, after=2 * HOUR)
    assert lovelace.trial_balance()["expenses:payment-fees"] == "15.62 USD"


def line(kind: str, amount: str, fee: str = "0.00", *, at: timedelta = HOUR, name: str = "txn_1") -> BalanceTransaction:
    moment, net = AFTER + at, usd(amount) - usd(fee)
    return BalanceTransaction(name, moment, moment, kind, kind, usd(amount), usd(fee), net, None, None)


def note(one: BalanceTransaction) -> bool:
    return movements.note(one, provider="stripe", pays_from="assets:stripe", by=WORKER, now=AFTER + HOUR)


@pytest.mark.parametrize(
    ("one", "postings"),
    [
        (
            line("stripe_fee", "-2.50"),
            "dr expenses:payment-fees   2.50 USD\ncr assets:stripe           2.50 USD",
        ),
        (
            line("payout", "-100.00", "0.25"),
            """\
cr assets:stripe           100.25 USD
dr expenses:payment-fees     0.25 USD
dr assets:bank             100.00 USD""",
        ),
        (
            line("payout_failure", "100.00"),
            "dr assets:stripe   100.00 USD\ncr assets:bank     100.00 USD",
        ),
        (
            line("transfer", "-100.00", "1.00"),
            "dr expenses:payment-fees   1.00 USD\ncr assets:stripe           1.00 USD",
        ),
    ],
)
def test_what_a_line_of_the_balance_books(closed_october: Flask, one: BalanceTransaction, postings: str) -> None:
    assert note(one)
    assert not note(one)
    assert lovelace.entry_text("provider-movement:stripe:txn_1") == postings
    lovelace.assert_books_hold()


def test_a_type_that_nobody_knows_is_kept_and_books_nothing(closed_october: Flask) -> None:
    before = lovelace.trial_balance()
    assert note(line("moon_fee", "-3.00"))
    assert treatments() == {"moon_fee": "unknown"}
    assert lovelace.trial_balance() == before
    lovelace.assert_books_hold()


def test_a_fee_of_a_closed_month_is_booked_in_the_open_one(closed_october: Flask) -> None:
    assert note(line("stripe_fee", "-2.50", at=-timedelta(days=10)))
    with reading() as session:
        row = session.execute(
            text("SELECT on_date, adjusts_month FROM journal_entry WHERE source LIKE 'provider-movement:%'")
        ).one()
    assert (str(row.on_date)[:7], str(row.adjusts_month)) == ("2026-11", "2026-10")


def test_a_fee_from_before_the_books_is_booked_in_them(closed_october: Flask) -> None:
    assert note(line("stripe_fee", "-2.50", at=-timedelta(days=100)))
    lovelace.assert_books_hold()


# After a restore


def restored(*, at: timedelta) -> None:
    """The books were read in from a backup, and a lead has compared them with the bank."""
    one = recovery.begun(source="backup", taken_at=AFTER, chain=(0, "0" * 64), now=AFTER + at)
    with transaction() as session:
        recovery.begin(session, one, by=LEAD, now=AFTER + at)
    recovery.reconcile(note="compared", by=LEAD, now=AFTER + at)


def refusal() -> str:
    with reading() as session:
        try:
            sweeps.refuse_unswept(session, "stripe")
            sweeps.refuse_unswept(session, "manual")
        except NotSwept as error:
            return error.message
    return ""


def test_books_that_were_never_restored_wait_for_no_sweep(firm: OverStripe) -> None:
    assert refusal() == ""


def test_restored_books_send_nothing_over_stripe_before_a_sweep(firm: OverStripe) -> None:
    sweep(firm, after=-HOUR)
    restored(at=timedelta())
    assert "has not been asked yet" in refusal()
    with pytest.raises(NotSwept):
        firm.send()
    assert firm.server.state.of("transfer") == []
    firm.server.faults.plan("GET /v1/events", faults.BAD_GATEWAY, times=50)
    with pytest.raises(Busy):
        sweep(firm)
    assert refusal()
    firm.server.faults.clear()
    sweep(firm, after=2 * HOUR)
    assert refusal() == ""


def test_a_sweep_before_the_restore_does_not_count(firm: OverStripe) -> None:
    sweep(firm, after=HOUR)
    restored(at=2 * HOUR)
    assert refusal()
    sweep(firm, after=3 * HOUR)
    restored(at=4 * HOUR)
    assert refusal()


def test_a_sweep_brings_up_restored_books_before_they_are_reconciled(firm: OverStripe) -> None:
    firm.send(cut_for=["Grace"])
    one = recovery.begun(source="backup", taken_at=AFTER, chain=(0, "0" * 64), now=AFTER + HOUR)
    with transaction() as session:
        recovery.begin(session, one, by=LEAD, now=AFTER + HOUR)
    sweep(firm, after=2 * HOUR)
    assert firm.states() == {"Grace": "settled", "Ada": "settled"}
    assert len(firm.server.state.of("transfer")) == 2

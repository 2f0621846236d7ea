"""What the bank sends back settles and returns payouts, once, and only where it agrees to the cent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from api.parts import parts
from firm.actor import Actor
from firm.db import reading
from firm.errors import Invalid, Misconfigured
from firm.ledger import queries as ledger
from firm.money import Money
from firm.profile.operations import DayAhead
from payouts import month_end
from payouts.bank_files import applying, operations, queries
from payouts.bank_files.markup import InvalidBankFile
from payouts.bank_files.operations import WrongAccount, WrongCurrency
from payouts.rails.sepa import references
from payouts.runs import queries as runs
from payouts.runs import sending, settling
from payouts.runs.model import Payout
from payouts.runs.moves import PayoutNotInState
from tests import lovelace
from tests.firm.books import together
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD, OCTOBER
from tests.payouts import euros
from tests.payouts.bank_messages import detail, entry, joined, part, statement, status_report, transaction

ON_THE_FIFTH = AFTER + timedelta(days=4)


@pytest.fixture
def sent(app: Flask) -> str:
    """The number of a run whose file was taken to the bank: 1,000.00 EUR each to Grace and to Ada."""
    euros.set_up_firm()
    euros.set_bank_account()
    number = euros.approved_run()
    euros.send(number)
    return number


def receive(raw: bytes, *, by: Actor = ADMINISTRATOR, now: datetime = ON_THE_FIFTH) -> Any:
    return operations.receive(raw, keys=parts().keys, by=by, now=now)


def message_id(number: str) -> str:
    with reading() as session:
        return runs.find_file(session, runs.find(session, number).id, "sepa").message_id


def payout_to(number: str, payee: str) -> Payout:
    return next(payout for payout in sending.run_with_payouts(number)[1] if payout.payee_name == payee)


def end_to_end(number: str, payee: str) -> str:
    return references.end_to_end_id(payout_to(number, payee).id)


def states(number: str) -> dict[str, str]:
    return {payout.payee_name: payout.state for payout in sending.run_with_payouts(number)[1]}


def lines(file: Any) -> list[str]:
    """Each line as what it was taken as, and why."""
    with reading() as session:
        return [f"{line.state}: {line.note}" for line in queries.lines_of(session, file.id)]


def movements(payout_id: str) -> list[str]:
    with reading() as session:
        return [str(found) for found in ledger.entries(session) if found.source.endswith(payout_id)]


def both(number: str, *, reference: str = "NTRY-1", version: str = "001.08") -> str:
    """One entry over both payments, named one by one."""
    details = [
        detail(end_to_end(number, name), amount="1000.00", reference=f"TX-{name}", version=version)
        for name in ("Grace", "Ada")
    ]
    return entry("DBIT", "2000.00", *details, reference=reference, version=version)


def test_a_run_from_file_over_rejection_and_statement_to_a_return(sent: str) -> None:
    """The worked example: the bank rejects Grace's payment, books Ada's, and sends Ada's back later."""
    report = status_report(
        message_id(sent),
        transaction(end_to_end(sent, "Grace"), "RJCT", reason="AC04", amount="1000.00"),
        transaction(end_to_end(sent, "Ada"), "ACSP"),
        group="PART",
    )
    assert lines(receive(report)) == [
        "rejected: Payable again.",
        "noted: The bank is about to pay it.",
        "noted: Some payments are accepted and some are not; they follow one by one.",
    ]
    grace = payout_to(sent, "Grace")
    assert (grace.state, grace.reason) == ("returned", "AC04: the account is closed [BANK-STATUS-1]")
    assert states(sent)["Ada"] == "sent"
    lovelace.assert_books_hold()

    booked = entry("DBIT", "1000.00", detail(end_to_end(sent, "Ada")), reference="BOOK-17")
    assert lines(receive(statement(booked, closing="4000.00"))) == ["settled: The money has left."]
    ada = payout_to(sent, "Ada")
    assert (ada.state, ada.reference, ada.settled_on) == ("settled", "BOOK-17", date(2026, 11, 3))
    lovelace.assert_books_hold()

    back = entry("CRDT", "1000.00", detail(end_to_end(sent, "Ada"), returned="MD07"), on="2026-11-05", reference="R-1")
    assert lines(receive(statement(back, opening="4000.00", closing="5000.00"))) == ["returned: Payable again."]
    ada = payout_to(sent, "Ada")
    assert (ada.state, ada.reason) == ("returned", "MD07: the account's holder has died [R-1]")
    assert movements(grace.id) == [
        "dr liabilities:payables             1,000.00 EUR\ncr liabilities:payouts-in-transit   1,000.00 EUR",
        "dr liabilities:payouts-in-transit   1,000.00 EUR\ncr liabilities:payables             1,000.00 EUR",
    ]
    assert movements(ada.id) == [
        "dr liabilities:payables             1,000.00 EUR\ncr liabilities:payouts-in-transit   1,000.00 EUR",
        "dr liabilities:payouts-in-transit   1,000.00 EUR\ncr assets:bank                      1,000.00 EUR",
        "dr assets:bank            1,000.00 EUR\ncr liabilities:payables   1,000.00 EUR",
    ]
    assert lovelace.trial_balance()["liabilities:payables"] == "-2,000.00 EUR"
    assert {"assets:bank", "liabilities:payouts-in-transit"}.isdisjoint(lovelace.trial_balance())
    assert len(sending.run_with_payouts(euros.next_run(now=ON_THE_FIFTH))[1]) == 2
    lovelace.assert_books_hold()


@pytest.mark.parametrize("version", ["001.02", "001.08"])
def test_both_versions_of_a_statement_settle_what_they_book(sent: str, version: str) -> None:
    found = receive(statement(both(sent, version=version), closing="3000.00", version=version))
    assert lines(found) == ["settled: The money has left."] * 2
    assert [payout_to(sent, name).reference for name in ("Grace", "Ada")] == ["TX-Grace", "TX-Ada"]
    assert sending.run_with_payouts(sent)[0].state == "settled"
    assert lovelace.trial_balance()["assets:bank"] == "-2,000.00 EUR"
    lovelace.assert_books_hold()


@pytest.mark.parametrize("version", ["001.03", "001.10"])
def test_both_versions_of_a_report_are_read(sent: str, version: str) -> None:
    report = status_report(message_id(sent), group="RJCT", reason="FF01", version=version)
    assert lines(receive(report)) == ["rejected: Payable again."] * 2
    assert set(states(sent).values()) == {"returned"}
    assert lovelace.trial_balance()["liabilities:payables"] == "-2,000.00 EUR"
    lovelace.assert_books_hold()


def test_a_group_of_payments_is_settled_as_a_whole_but_for_those_named(sent: str) -> None:
    single = transaction(end_to_end(sent, "Ada"), "RJCT", reason="AC01")
    receive(status_report(message_id(sent), single, payment="ACSC"))
    assert states(sent) == {"Grace": "settled", "Ada": "returned"}
    assert payout_to(sent, "Grace").settled_on == date(2026, 11, 2)
    lovelace.assert_books_hold()


def test_a_file_that_the_bank_booked_as_one_sum_settles_all_of_its_payments(sent: str) -> None:
    whole = entry("DBIT", "2000.00", batch=f"{message_id(sent)}-1")
    assert lines(receive(statement(whole, closing="3000.00"))) == ["settled: The money has left."] * 2
    lovelace.assert_books_hold()


def test_a_sum_that_is_not_the_files_is_for_a_person(sent: str) -> None:
    whole = entry("DBIT", "1999.99", batch=f"{message_id(sent)}-1")
    assert lines(receive(statement(whole, closing="3000.01"))) == [
        "unmatched: The bank booked the file as one sum, which is not that of its open payments."
    ]
    assert set(states(sent).values()) == {"sent"}
    lovelace.assert_books_hold()


def test_a_sum_without_those_rejected_settles_the_rest(sent: str) -> None:
    receive(status_report(message_id(sent), transaction(end_to_end(sent, "Grace"), "RJCT")))
    receive(statement(entry("DBIT", "1000.00", batch=f"{message_id(sent)}-1"), closing="4000.00"))
    assert states(sent) == {"Grace": "returned", "Ada": "settled"}
    lovelace.assert_books_hold()


def test_a_sum_that_is_read_after_what_came_back_of_it_settles_the_rest(sent: str) -> None:
    back = entry("CRDT", "1000.00", detail(end_to_end(sent, "Ada"), returned="AC04"), on="2026-11-04", reference="R-1")
    receive(statement(back, opening="3000.00", closing="4000.00", message_id="S-2", number="2"))
    assert states(sent) == {"Grace": "sent", "Ada": "returned"}
    whole = entry("DBIT", "2000.00", batch=f"{message_id(sent)}-1")
    assert sorted(lines(receive(statement(whole, closing="3000.00", message_id="S-1")))) == [
        "noted: It left with its file, and had come back when this was read.",
        "settled: The money has left.",
    ]
    assert states(sent) == {"Grace": "settled", "Ada": "returned"}
    assert lovelace.trial_balance()["assets:bank"] == "-1,000.00 EUR"
    lovelace.assert_books_hold()


def test_a_sum_over_what_the_bank_rejected_is_for_a_person(sent: str) -> None:
    receive(status_report(message_id(sent), transaction(end_to_end(sent, "Grace"), "RJCT")))
    whole = entry("DBIT", "2000.00", batch=f"{message_id(sent)}-1")
    [line] = lines(receive(statement(whole, closing="3000.00")))
    assert line.startswith("unmatched: ")
    assert states(sent) == {"Grace": "returned", "Ada": "sent"}


def test_a_rejection_that_meets_a_settlement_makes_nothing_payable(sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody enters the proof between the look at the payout and the step."""
    looked = applying._look
    grace = payout_to(sent, "Grace").id

    def settled_after(line_id: str) -> Any:
        found = looked(line_id)
        if payout_to(sent, "Grace").state == "sent":
            settling.settle(grace, reference="seen", on=date(2026, 11, 3), by=LEAD, now=ON_THE_FIFTH)
        return found

    monkeypatch.setattr(applying, "_look", settled_after)
    refusal = transaction(end_to_end(sent, "Grace"), "RJCT", reason="AC04")
    assert lines(receive(status_report(message_id(sent), refusal))) == [
        "unmatched: It is settled in the books; find out at the bank which is true."
    ]
    assert states(sent)["Grace"] == "settled"
    lovelace.assert_books_hold()


def test_the_same_file_twice_changes_nothing(sent: str) -> None:
    raw = statement(both(sent), closing="3000.00")
    first, again = receive(raw), receive(raw, now=ON_THE_FIFTH + timedelta(hours=1))
    assert (again.id, again.received_at) == (first.id, first.received_at)
    assert lines(again) == ["settled: The money has left."] * 2
    assert lovelace.trial_balance()["assets:bank"] == "-2,000.00 EUR"
    lovelace.assert_books_hold()


def test_the_same_statement_in_other_words_is_known_again(sent: str) -> None:
    receive(statement(both(sent), closing="3000.00"))
    other = receive(statement(both(sent, version="001.02"), closing="3000.00", version="001.02"))
    assert lines(other) == ["noted: Known from another statement."] * 2
    lovelace.assert_books_hold()


def test_a_statement_confirms_what_a_report_or_a_person_settled(sent: str) -> None:
    receive(status_report(message_id(sent), transaction(end_to_end(sent, "Grace"), "ACSC")))
    ada = payout_to(sent, "Ada")
    settling.settle(ada.id, reference="seen online", on=date(2026, 11, 3), by=ADMINISTRATOR, now=ON_THE_FIFTH)
    assert lines(receive(statement(both(sent), closing="3000.00"))) == [
        "noted: Known from another file.",
        "noted: It was entered as settled already.",
    ]
    assert lovelace.trial_balance()["assets:bank"] == "-2,000.00 EUR"
    lovelace.assert_books_hold()


def test_a_payment_that_the_bank_books_twice_is_for_a_person(sent: str) -> None:
    ada = detail(end_to_end(sent, "Ada"))
    twice = [entry("DBIT", "1000.00", ada, reference=name) for name in ("A-1", "A-2")]
    second = "unmatched: The bank booked the same payment a second time; ask it to explain."
    assert lines(receive(statement(*twice, closing="3000.00"))) == ["settled: The money has left.", second]
    third = entry("DBIT", "1000.00", ada, reference="A-3", on="2026-11-04")
    assert lines(receive(statement(third, opening="3000.00", closing="2000.00"))) == [second]
    assert lovelace.trial_balance()["assets:bank"] == "-1,000.00 EUR"
    lovelace.assert_books_hold()


def test_the_very_same_entry_twice_in_one_statement_is_a_second_payment(sent: str) -> None:
    one = entry("DBIT", "1000.00", detail(end_to_end(sent, "Ada")))
    assert lines(receive(statement(one, one, closing="3000.00")))[1].startswith("unmatched: The bank booked the same")
    lovelace.assert_books_hold()


def test_money_that_left_and_came_back_within_one_statement_is_followed_in_that_order(sent: str) -> None:
    ada = detail(end_to_end(sent, "Ada"), returned="AC06")
    back, out = entry("CRDT", "1000.00", ada, reference="R-1"), entry("DBIT", "1000.00", ada, reference="B-1")
    assert lines(receive(statement(back, out, closing="5000.00"))) == [
        "returned: Payable again.",
        "settled: The money has left.",
    ]
    assert states(sent)["Ada"] == "returned"
    assert "assets:bank" not in lovelace.trial_balance()
    lovelace.assert_books_hold()


def test_what_names_no_payment_of_ours_waits_for_a_person_and_names_no_account(sent: str) -> None:
    fee = entry("DBIT", "7.50", words=f"Fee for DE89 3704 0044 0532 0130 00 and {euros.IBANS[0]}.")
    client = entry("CRDT", "3000.00", detail("INV-2026-0001", words="Hooli INV-2026-0001"), reference="IN-1")
    pending = entry("DBIT", "12.00", status="PDNG")
    found = receive(statement(fee, client, pending, closing="7992.50"))
    assert lines(found) == ["unmatched: The movement names no payment of ours."] * 2 + [
        "ignored: The bank has not booked it yet."
    ]
    with reading() as session:
        assert [line.text for line in queries.lines_of(session, found.id)] == [
            "Fee for (account) and (account).",
            "Hooli INV-2026-0001",
            None,
        ]
        waiting = queries.lines_page(session, state="unmatched")
    assert [one.received_at for one in waiting] == [ON_THE_FIFTH] * 2
    resolved = operations.resolve(waiting[0].line.id, note="The bank's fee; entered by hand.", by=LEAD, now=AFTER)
    assert (resolved.state, resolved.resolved_by) == ("resolved", "lead")
    with pytest.raises(operations.NothingToResolve, match="only an unmatched one"):
        operations.resolve(resolved.id, note="again", by=LEAD, now=AFTER)
    with pytest.raises(Invalid, match="note stays on record"):
        operations.resolve(waiting[1].line.id, note="  ", by=LEAD, now=AFTER)
    lovelace.assert_books_hold()


def test_a_report_about_a_file_that_is_not_ours_is_kept_and_moves_nothing(sent: str) -> None:
    before = lovelace.trial_balance()
    report = status_report("RUN-2026-0099-NOTOURS1", transaction(end_to_end(sent, "Grace"), "RJCT"), group="RJCT")
    assert lines(receive(report)) == ["unmatched: No file of ours has the message id RUN-2026-0099-NOTOURS1."] * 2
    assert set(states(sent).values()) == {"sent"}
    assert lovelace.trial_balance() == before
    lovelace.assert_books_hold()


def test_a_payment_of_another_run_is_not_touched_by_a_report(sent: str) -> None:
    receive(status_report(message_id(sent), group="RJCT"))
    second = euros.next_run(now=ON_THE_FIFTH)
    euros.send(second, now=ON_THE_FIFTH)
    strange = transaction(end_to_end(second, "Grace"), "RJCT")
    assert lines(receive(status_report(message_id(sent), strange, message_id="S-2"))) == [
        "unmatched: No payment of that file has this end-to-end id."
    ]
    assert set(states(second).values()) == {"sent"}
    lovelace.assert_books_hold()


@pytest.mark.parametrize("amount", ["999.99", "1000.01"])
def test_another_amount_than_the_payments_moves_nothing(sent: str, amount: str) -> None:
    left = 500_000 - int(amount.replace(".", ""))
    raw = statement(entry("DBIT", amount, detail(end_to_end(sent, "Ada"))), closing=f"{left // 100}.{left % 100:02d}")
    moved = Money.parse(amount, "EUR")
    sentence = f"unmatched: The bank moved {moved} where the payment is over 1,000.00 EUR."
    assert lines(receive(raw)) == [sentence]
    report = status_report(message_id(sent), transaction(end_to_end(sent, "Grace"), "RJCT", amount=amount))
    assert lines(receive(report))[0].startswith("unmatched: The bank names")
    assert set(states(sent).values()) == {"sent"}
    lovelace.assert_books_hold()


def came_back_short(sent: str) -> str:
    """Both left; of Ada's the bank gives back 992.50. The id of the line."""
    receive(statement(both(sent), closing="3000.00"))
    back = entry("CRDT", "992.50", detail(end_to_end(sent, "Ada"), returned="AC04"), reference="R-9")
    found = receive(statement(back, opening="3000.00", closing="3992.50"))
    [said] = lines(found)
    assert said.startswith("unmatched: The bank gave back 992.50 EUR of 1,000.00 EUR. If it kept 7.50 EUR as its fee,")
    with reading() as session:
        return queries.lines_of(session, found.id)[0].id


def resolved(line_id: str, fee: str | None) -> Any:
    kept = None if fee is None else Money.parse(fee, "EUR")
    return operations.resolve(line_id, note="The bank's fee, by its letter.", fee=kept, by=LEAD, now=ON_THE_FIFTH)


def test_a_payment_that_came_back_less_a_fee_is_returned_when_a_person_says_so(sent: str) -> None:
    line_id = came_back_short(sent)
    assert states(sent)["Ada"] == "settled"
    assert resolved(line_id, "7.50").state == "resolved"
    ada = payout_to(sent, "Ada")
    assert (ada.state, ada.reason) == ("returned", "AC04: the account is closed [R-9], less 7.50 EUR")
    assert movements(ada.id)[-1] == (
        "dr assets:bank               992.50 EUR\n"
        "dr expenses:payment-fees       7.50 EUR\n"
        "cr liabilities:payables    1,000.00 EUR"
    )
    assert lovelace.trial_balance()["liabilities:payables"] == "-1,000.00 EUR"
    lovelace.assert_books_hold()
    with pytest.raises(operations.NothingToResolve):
        resolved(line_id, "7.50")


def test_a_whole_payment_that_comes_back_after_it_came_back_less_a_fee_waits_for_a_person(sent: str) -> None:
    resolved(came_back_short(sent), "7.50")
    back = entry("CRDT", "1000.00", detail(end_to_end(sent, "Ada"), returned="AC04"), reference="R-10")
    found = receive(statement(back, opening="3992.50", closing="4992.50"))
    assert lines(found) == ["unmatched: The bank booked the same payment a second time; ask it to explain."]
    lovelace.assert_books_hold()


@pytest.mark.parametrize("fee", ["7.49", "7.51", "0.00", "-7.50", "1000.00"])
def test_another_fee_than_what_is_missing_moves_nothing(sent: str, fee: str) -> None:
    line_id = came_back_short(sent)
    before = lovelace.trial_balance()
    with pytest.raises(operations.NotThatFee):
        resolved(line_id, fee)
    assert (states(sent)["Ada"], lovelace.trial_balance()) == ("settled", before)
    with reading() as session:
        assert queries.find_line(session, line_id).state == "unmatched"


def test_what_came_back_short_may_be_something_else_and_then_moves_nothing(sent: str) -> None:
    line_id = came_back_short(sent)
    assert resolved(line_id, None).state == "resolved"
    assert states(sent)["Ada"] == "settled"
    lovelace.assert_books_hold()


def test_a_fee_is_not_taken_from_what_the_books_do_not_have_as_paid(sent: str) -> None:
    back = entry("CRDT", "992.50", detail(end_to_end(sent, "Ada"), returned="AC04"))
    found = receive(statement(back, closing="5992.50"))
    with reading() as session:
        line_id = queries.lines_of(session, found.id)[0].id
    with pytest.raises(operations.NotThatFee, match="read the statement of that day first"):
        resolved(line_id, "7.50")
    client = receive(statement(entry("CRDT", "5.00"), opening="5992.50", closing="5997.50"))
    with reading() as session:
        other = queries.lines_of(session, client.id)[0].id
    with pytest.raises(operations.NotThatFee, match="no payment that came back"):
        resolved(other, "7.50")


def test_what_came_back_short_and_was_entered_as_returned_meanwhile_is_not_returned_again(sent: str) -> None:
    line_id = came_back_short(sent)
    ada = payout_to(sent, "Ada")
    settling.give_back(ada.id, reason="by hand", on=date(2026, 11, 5), by=LEAD, now=ON_THE_FIFTH)
    before = lovelace.trial_balance()
    with pytest.raises(PayoutNotInState):
        resolved(line_id, "7.50")
    assert lovelace.trial_balance() == before
    lovelace.assert_books_hold()


def test_a_rejection_after_the_money_left_is_for_a_person(sent: str) -> None:
    receive(statement(both(sent), closing="3000.00"))
    assert lines(receive(status_report(message_id(sent), transaction(end_to_end(sent, "Ada"), "RJCT")))) == [
        "unmatched: It is settled in the books; find out at the bank which is true."
    ]
    assert states(sent)["Ada"] == "settled"
    lovelace.assert_books_hold()


def test_a_status_nobody_knows_is_for_a_person(sent: str) -> None:
    assert lines(receive(status_report(message_id(sent), transaction(end_to_end(sent, "Ada"), "XXXX")))) == [
        "unmatched: We do not know this status; look it up at the bank."
    ]


def test_a_day_of_a_closed_month_is_posted_in_the_open_one_and_says_which_day_it_was(sent: str) -> None:
    month_end.close(OCTOBER.next, by=LEAD, now=AFTER + timedelta(days=30))
    assert lines(receive(statement(both(sent), closing="3000.00"), now=AFTER + timedelta(days=31)))
    ada = payout_to(sent, "Ada")
    assert (ada.state, ada.reference, ada.settled_on) == ("settled", "TX-Ada, booked 2026-11-03", date(2026, 11, 3))
    with reading() as session:
        assert runs.booked_on(session, ada) == date(2026, 12, 1)
    lovelace.assert_books_hold()


def refusals() -> list[tuple[str, Callable[[], bytes], type[Exception], str]]:
    good = entry("DBIT", "7.50")
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><a>&b;</a>'
    outside = b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://evil.example/a.dtd"><a/>'
    several = [
        part(good, opening="5000.00", closing="4992.50", number="1"),
        part(good, opening="4000.00", closing="3992.50", number="2"),
    ]
    return [
        ("nothing", lambda: b"", InvalidBankFile, "not well-formed XML"),
        ("no XML", lambda: b"%PDF-1.4", InvalidBankFile, "not well-formed XML"),
        ("broken XML", lambda: statement(good, closing="4992.50")[:-30], InvalidBankFile, "not well-formed XML"),
        ("bytes after it", lambda: statement(closing="5000.00") + b"<a/>", InvalidBankFile, "not well-formed XML"),
        (
            "an unknown encoding",
            lambda: b'<?xml version="1.0" encoding="ebcdic-9"?><a/>',
            InvalidBankFile,
            "well-formed",
        ),
        ("entities", lambda: bomb, InvalidBankFile, "declares a document type"),
        ("a DTD from elsewhere", lambda: outside, InvalidBankFile, "declares a document type"),
        ("50 MB", lambda: b"<a>" + b" " * 50_000_000 + b"</a>", InvalidBankFile, "larger than 10 MB"),
        ("depth", lambda: b"<a>" * 100_000, InvalidBankFile, "more parts"),
        ("another message", lambda: b"<html/>", InvalidBankFile, "no ISO 20022 message"),
        (
            "a version we do not know",
            lambda: statement(closing="5000.00", version="001.99"),
            InvalidBankFile,
            r"camt\.053\.001\.99; ask the bank for",
        ),
        (
            "our own file",
            lambda: statement(closing="5000.00", namespace="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"),
            InvalidBankFile,
            r"pain\.001\.001\.09; ask the bank for",
        ),
        ("sums", lambda: statement(good, closing="4992.51"), InvalidBankFile, "does not add up.*4,992.50 EUR, not to"),
        ("a gap", lambda: joined(several), InvalidBankFile, "ask the bank for the statement in between"),
        (
            "parts of an entry",
            lambda: statement(
                entry("DBIT", "7.50", detail("a", amount="5.00"), detail("b", amount="2.49")), closing="4992.50"
            ),
            InvalidBankFile,
            "its payments come to another sum",
        ),
        (
            "another currency inside",
            lambda: statement(entry("DBIT", "1.00", currency="USD"), closing="4999.00"),
            InvalidBankFile,
            "is in EUR, yet not all",
        ),
        (
            "an amount",
            lambda: statement(entry("DBIT", "1e3", currency="EUR"), closing="1.00"),
            InvalidBankFile,
            "amount",
        ),
        ("a fraction", lambda: statement(entry("DBIT", "1.001"), closing="1.00"), InvalidBankFile, "amount"),
        (
            "a day",
            lambda: statement(entry("DBIT", "7.50", on="2026-02-30"), closing="4992.50"),
            InvalidBankFile,
            "a day",
        ),
        (
            "a strange year",
            lambda: statement(entry("DBIT", "7.50", on="0026-02-03"), closing="4992.50"),
            InvalidBankFile,
            "year 26",
        ),
        (
            "another account",
            lambda: statement(closing="5000.00", iban="GB33BUKB20201555555555"),
            WrongAccount,
            "ending in 5555; the firm's ends in 3000",
        ),
        ("another currency", lambda: statement(closing="5000.00", currency="USD"), WrongCurrency, "kept in EUR"),
        (
            "the future",
            lambda: statement(entry("DBIT", "7.50", on="2027-01-03"), closing="4992.50"),
            DayAhead,
            "still to come",
        ),
    ]


@pytest.mark.parametrize(("raw", "kind", "sentence"), [one[1:] for one in refusals()], ids=[o[0] for o in refusals()])
def test_a_file_that_cannot_be_is_refused_whole(
    sent: str, raw: Callable[[], bytes], kind: type[Exception], sentence: str
) -> None:
    before = lovelace.trial_balance()
    with pytest.raises(kind, match=sentence):
        receive(raw())
    with reading() as session:
        assert session.scalar(text("SELECT COUNT(*) FROM bank_file")) == 0
        assert session.scalar(text("SELECT COUNT(*) FROM bank_line")) == 0
    assert lovelace.trial_balance() == before


def test_a_statement_needs_the_firms_account(app: Flask) -> None:
    euros.set_up_firm()
    with pytest.raises(Misconfigured, match="firm bank-account --iban"):
        receive(statement(closing="5000.00"))


def test_several_days_in_one_file_are_read_in_their_order(sent: str) -> None:
    out = entry("DBIT", "1000.00", detail(end_to_end(sent, "Ada")), reference="B-1")
    back = entry("CRDT", "1000.00", detail(end_to_end(sent, "Ada"), returned="AC04"), reference="R-1")
    days = [
        part(out, opening="5000.00", closing="4000.00", number="1"),
        part(back, opening="4000.00", closing="5000.00", number="2"),
    ]
    assert lines(receive(joined(days))) == ["settled: The money has left.", "returned: Payable again."]
    lovelace.assert_books_hold()


def test_an_overdrawn_account_adds_up_too(sent: str) -> None:
    raw = statement(entry("DBIT", "10.00"), opening="-5.00", closing="-15.00")
    file = receive(raw)
    assert (str(file.opening), str(file.closing)) == ("-5.00 EUR", "-15.00 EUR")
    lovelace.assert_books_hold()


def test_the_file_is_kept_sealed(sent: str) -> None:
    receive(statement(both(sent), closing="3000.00"))
    with reading() as session:
        stored = str(session.execute(text("SELECT * FROM bank_file")).all())
    assert euros.FIRM_IBAN not in stored


class Stopped(Exception):
    """The process ends here."""


@pytest.mark.parametrize("after", ["store", "settle", "mark"])
def test_what_was_interrupted_is_finished_by_receiving_the_file_again(
    sent: str, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    """The process ends behind the first commit of a kind; the second time around it goes through."""
    places: dict[str, tuple[Any, str]] = {
        "store": (operations, "_store"),
        "settle": (applying, "_step"),
        "mark": (applying, "_mark_line"),
    }
    owner, name = places[after]
    original = getattr(owner, name)

    def stops(*args: Any, **kwargs: Any) -> Any:
        original(*args, **kwargs)
        raise Stopped

    raw = statement(both(sent), closing="3000.00")
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, stops)
        with pytest.raises(Stopped):
            receive(raw)
    lovelace.assert_books_hold()
    assert lines(receive(raw)) == ["settled: The money has left."] * 2
    assert lovelace.trial_balance()["assets:bank"] == "-2,000.00 EUR"
    lovelace.assert_books_hold()


def test_eight_who_bring_the_same_statement_settle_each_payment_once(app: Flask, sent: str) -> None:
    raw = statement(both(sent), closing="3000.00")
    results = together(app, *[lambda: receive(raw)] * 8)
    wrong = [one for one in results if isinstance(one, Exception) and not isinstance(one, operations.BeingReceived)]
    assert wrong == []
    assert lines(receive(raw)) == ["settled: The money has left."] * 2
    assert lovelace.trial_balance()["assets:bank"] == "-2,000.00 EUR"
    lovelace.assert_books_hold()

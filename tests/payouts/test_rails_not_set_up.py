"""A rail that the firm cannot use any more keeps nobody from being paid over the others."""

from __future__ import annotations

import pytest
from flask import Flask

from api.parts import parts
from firm.errors import Misconfigured
from payouts import month_end
from payouts.rails.manual import ManualRail
from payouts.rails.rail import Rail
from payouts.rails.sepa.rail import SepaRail
from payouts.runs import approvals, preparation, sending
from payouts.runs.sending import RailNotNow
from tests import lovelace
from tests.lovelace import ADMINISTRATOR, AFTER, LEAD, OCTOBER
from tests.payouts import euros, paying
from tests.payouts.bank import Bank
from tests.payouts.paying import LATER

BOTH: dict[str, Rail] = {"manual": ManualRail(), "sepa": SepaRail()}


@pytest.fixture(autouse=True)
def _grace_by_sepa_and_ada_by_hand(app: Flask) -> None:
    euros.set_up_firm()
    euros.set_bank_account()
    lovelace.set_destination("Ada", rail="manual")
    month_end.close(OCTOBER, by=LEAD, now=AFTER)


def approved(rails: dict[str, Rail]) -> str:
    number = preparation.draft(rails=rails, by=ADMINISTRATOR, now=AFTER).run.number
    approvals.propose(number, by=ADMINISTRATOR, now=AFTER)
    approvals.approve(number, by=LEAD, now=AFTER)
    return number


def send(number: str, rails: dict[str, Rail]) -> None:
    sending.send(number, rails=rails, keys=parts().keys, by=ADMINISTRATOR, now=AFTER)


def test_a_rail_that_is_gone_is_named_when_everybody_else_is_paid() -> None:
    number = approved(BOTH)
    with pytest.raises(Misconfigured, match=r"The rail sepa is not set up here, .* \(1\)"):
        send(number, {"manual": ManualRail()})
    assert paying.states(number) == {"Ada": "sent", "Grace": "reserved"}
    lovelace.assert_books_hold()
    send(number, BOTH)
    assert paying.states(number) == {"Ada": "sent", "Grace": "sent"}
    assert "<Nm>Grace</Nm>" in euros.file_text(number)
    lovelace.assert_books_hold()


def test_a_run_that_fails_keeps_no_other_from_being_gone_on_with() -> None:
    over_sepa, by_hand = approved({"sepa": SepaRail()}), approved({"manual": ManualRail()})
    with pytest.raises(Misconfigured):
        send(over_sepa, {})
    with pytest.raises(RailNotNow):
        send(by_hand, {"manual": Bank(closed=True)})
    with pytest.raises(Misconfigured, match=over_sepa):
        sending.resume(rails={"manual": Bank()}, keys=parts().keys, by=ADMINISTRATOR, now=LATER)
    assert paying.states(by_hand) == {"Ada": "sent"}
    assert paying.states(over_sepa) == {"Grace": "reserved"}
    assert sending.resume(rails=BOTH, keys=parts().keys, by=ADMINISTRATOR, now=LATER) == [over_sepa]
    assert paying.states(over_sepa) == {"Grace": "sent"}
    lovelace.assert_books_hold()

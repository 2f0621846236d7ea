"""What clients owe and pay: customers, invoices, payments, credit notes and disputes."""

from __future__ import annotations

from typing import Any

import pytest
from stripe import InvalidRequestError, StripeClient

from tests.stripe import customers, disputes, invoice_payments, invoices
from tests.stripe.oracle import judge
from tests.stripe.server import Server


@pytest.fixture
def client_company(client: StripeClient) -> str:
    customer = client.v1.customers.create({"name": "Lovelace GmbH", "email": "books@lovelace.test"})
    return customer.id


@pytest.fixture
def open_invoice(client: StripeClient, client_company: str) -> str:
    """120.00 USD, sent."""
    invoice = drafted(client, client_company)
    client.v1.invoices.finalize_invoice(invoice.id, {"auto_advance": False})
    client.v1.invoices.send_invoice(invoice.id)
    return invoice.id


def drafted(client: StripeClient, customer: str) -> Any:
    invoice = client.v1.invoices.create(
        {
            "customer": customer,
            "collection_method": "send_invoice",
            "days_until_due": 30,
            "currency": "usd",
            "auto_advance": False,
            "metadata": {"invoice": "2026-0001"},
            "payment_settings": {"payment_method_types": ["us_bank_account", "customer_balance", "card"]},
        }
    )
    for amount in (10_000, 2_000):
        client.v1.invoice_items.create(
            {"customer": customer, "invoice": invoice.id, "amount": amount, "currency": "usd", "description": "October"}
        )
    return invoice


def types(client: StripeClient) -> list[str]:
    return [each.type for each in client.v1.events.list({"limit": 100}).data][::-1]


def test_an_invoice_goes_from_draft_to_open(client: StripeClient, client_company: str) -> None:
    invoice = drafted(client, client_company)
    draft = client.v1.invoices.retrieve(invoice.id)
    assert (draft.status, draft.amount_due, draft.number, len(draft.lines.data)) == ("draft", 12_000, None, 2)
    client.v1.invoices.finalize_invoice(invoice.id)
    with pytest.raises(InvalidRequestError):
        client.v1.invoices.finalize_invoice(invoice.id)
    with pytest.raises(InvalidRequestError) as refusal:
        client.v1.invoice_items.create({"customer": client_company, "invoice": invoice.id, "amount": 1})
    assert refusal.value.code == "invoice_not_editable"
    sent = client.v1.invoices.send_invoice(invoice.id)
    assert (sent.status, sent.amount_remaining, sent.metadata["invoice"]) == ("open", 12_000, "2026-0001")
    assert types(client)[-2:] == ["invoice.finalized", "invoice.sent"]
    assert [each.id for each in client.v1.invoices.list({"customer": client_company, "status": "open"}).data] == [
        invoice.id
    ]


def test_an_invoice_is_paid_in_parts_and_the_bank_fee_is_in_the_balance(
    client: StripeClient, open_invoice: str, stripe_server: Server
) -> None:
    invoice_payments.pay(stripe_server.state, open_invoice, 5_000, method="us_bank_account", fee=40)
    partly = client.v1.invoices.retrieve(open_invoice)
    assert (partly.status, partly.amount_paid, partly.amount_remaining) == ("open", 5_000, 7_000)
    charge = invoice_payments.pay(stripe_server.state, open_invoice, method="card", fee=233, available_in=86_400)
    wholly = client.v1.invoices.retrieve(open_invoice)
    assert (wholly.status, wholly.amount_paid, wholly.amount_remaining) == ("paid", 12_000, 0)
    payments = client.v1.invoice_payments.list({"invoice": open_invoice}).data
    assert [each.amount_paid for each in payments] == [7_000, 5_000]
    found = client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": charge["payment_intent"]}}
    )
    assert [each.invoice for each in found.data] == [open_invoice]
    balance = client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (4_960, 6_767)
    assert types(client)[-2:] == ["invoice.paid", "invoice.payment_succeeded"]
    assert judge(stripe_server.world) == []


def test_an_invoice_paid_outside_makes_no_balance_transaction(client: StripeClient, open_invoice: str) -> None:
    paid = client.v1.invoices.pay(open_invoice, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid_off_stripe, paid.amount_remaining) == ("paid", 12_000, 0)
    assert client.v1.balance_transactions.list().data == []
    assert types(client)[-1] == "invoice.paid"
    with pytest.raises(InvalidRequestError):
        client.v1.invoices.pay(open_invoice, {"paid_out_of_band": True})


def test_what_is_paid_too_much_is_said(client: StripeClient, open_invoice: str, stripe_server: Server) -> None:
    invoice_payments.pay(stripe_server.state, open_invoice, 12_500)
    paid = client.v1.invoices.retrieve(open_invoice)
    assert (paid.status, paid.amount_overpaid, paid.amount_remaining) == ("paid", 500, 0)
    assert types(client)[-1] == "invoice.overpaid"


def test_a_bank_transfer_that_fits_no_invoice_stays_with_the_customer(
    client: StripeClient, open_invoice: str, client_company: str, stripe_server: Server
) -> None:
    customers.cash_arrives(stripe_server.state, client_company, 3_000, "usd")
    customers.cash_arrives(stripe_server.state, client_company, 500, "usd")
    assert client.v1.invoices.retrieve(open_invoice).status == "open"
    listed = client.v1.customers.cash_balance_transactions.list(client_company).data
    assert [each.ending_balance for each in listed] == [3_500, 3_000]


def test_an_invoice_is_voided_or_given_up(client: StripeClient, client_company: str, open_invoice: str) -> None:
    assert client.v1.invoices.void_invoice(open_invoice).status == "void"
    other = drafted(client, client_company)
    with pytest.raises(InvalidRequestError):
        client.v1.invoices.void_invoice(other.id)
    client.v1.invoices.finalize_invoice(other.id)
    assert client.v1.invoices.mark_uncollectible(other.id).status == "uncollectible"
    draft = drafted(client, client_company)
    assert client.v1.invoices.delete(draft.id).deleted


def test_a_failed_debit_leaves_the_invoice_open(client: StripeClient, open_invoice: str, stripe_server: Server) -> None:
    invoice_payments.fail_to_pay(stripe_server.state, open_invoice)
    invoices.overdue(stripe_server.state, open_invoice)
    seen = client.v1.invoices.retrieve(open_invoice)
    assert (seen.status, seen.attempt_count, seen.amount_paid) == ("open", 1, 0)
    assert types(client)[-2:] == ["invoice.payment_failed", "invoice.overdue"]


def test_a_credit_note_before_payment_lowers_what_is_due(client: StripeClient, open_invoice: str) -> None:
    note = client.v1.credit_notes.create({"invoice": open_invoice, "amount": 2_000, "reason": "order_change"})
    assert (note.status, note.type, note.pre_payment_amount) == ("issued", "pre_payment", 2_000)
    assert client.v1.invoices.retrieve(open_invoice).amount_remaining == 10_000
    with pytest.raises(InvalidRequestError):
        client.v1.credit_notes.create({"invoice": open_invoice, "amount": 10_001})
    assert client.v1.credit_notes.void_credit_note(note.id).status == "void"
    assert client.v1.invoices.retrieve(open_invoice).amount_remaining == 12_000
    client.v1.credit_notes.create({"invoice": open_invoice, "amount": 12_000})
    assert client.v1.invoices.retrieve(open_invoice).status == "paid"
    assert [each.amount for each in client.v1.credit_notes.list({"invoice": open_invoice}).data] == [12_000, 2_000]


def test_a_credit_note_after_payment_says_how_the_money_goes_back(
    client: StripeClient, open_invoice: str, stripe_server: Server
) -> None:
    invoice_payments.pay(stripe_server.state, open_invoice)
    with pytest.raises(InvalidRequestError):
        client.v1.credit_notes.create({"invoice": open_invoice, "amount": 2_000})
    note = client.v1.credit_notes.create(
        {"invoice": open_invoice, "amount": 2_000, "refund_amount": 1_500, "out_of_band_amount": 500}
    )
    assert (note.type, note.post_payment_amount) == ("post_payment", 2_000)
    assert client.v1.balance.retrieve().available[0].amount == 10_500
    assert judge(stripe_server.world) == []


def test_a_refund_may_fail_and_bring_the_money_back(
    client: StripeClient, open_invoice: str, stripe_server: Server
) -> None:
    charge = invoice_payments.pay(stripe_server.state, open_invoice)
    made = client.v1.refunds.create({"charge": charge["id"], "amount": 4_000})
    assert client.v1.balance.retrieve().available[0].amount == 8_000
    invoice_payments.fail_refund(stripe_server.state, made.id)
    seen = client.v1.refunds.retrieve(made.id)
    assert seen.status == "failed"
    assert seen.failure_balance_transaction
    assert client.v1.balance.retrieve().available[0].amount == 12_000
    assert judge(stripe_server.world) == []


@pytest.mark.parametrize(("won", "left"), [(True, 10_500), (False, -1_500)])
def test_a_dispute_takes_the_money_back_while_the_invoice_stays_paid(
    client: StripeClient, open_invoice: str, stripe_server: Server, won: bool, left: int
) -> None:
    charge = invoice_payments.pay(stripe_server.state, open_invoice, method="us_bank_account")
    made = disputes.dispute(stripe_server.state, charge["id"])
    assert client.v1.invoices.retrieve(open_invoice).status == "paid"
    assert client.v1.balance.retrieve().available[0].amount == -1_500
    with pytest.raises(InvalidRequestError):
        client.v1.refunds.create({"payment_intent": charge["payment_intent"]})
    disputes.close(stripe_server.state, made["id"], won=won)
    (seen,) = client.v1.disputes.list({"payment_intent": charge["payment_intent"]}).data
    assert seen.status == ("won" if won else "lost")
    assert client.v1.balance.retrieve().available[0].amount == left
    assert ("charge.dispute.funds_reinstated" in types(client)) is won
    assert judge(stripe_server.world) == []


def test_the_events_of_receivables_keep_to_the_description(
    client: StripeClient, open_invoice: str, stripe_server: Server
) -> None:
    charge = invoice_payments.pay(stripe_server.state, open_invoice)
    disputes.dispute(stripe_server.state, charge["id"])
    for delivery in stripe_server.webhooks.fresh():
        header = delivery.headers["Stripe-Signature"]
        assert client.construct_event(delivery.body, header, delivery.secrets[0]).type == delivery.event["type"]

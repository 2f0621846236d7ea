"""A breach of every invariant of the ways that money takes to payees: destinations, providers, runs and the bank."""

from __future__ import annotations

from tests.firm.ledger.planting import MUCH, PLANTED_AT, SOMEBODY, MorePlants, Plants, Sql, between, copied, row

DESTINATIONS: Plants = {
    "one-destination": ["DROP INDEX uq_destination_live", copied("destination", "TRUE", id=Sql("id || 'x'"))],
    "confirmed-by-another": ["UPDATE destination SET decided_by = proposed_by"],
    "paid-where-confirmed": ["UPDATE destination SET usable_from = '2026-11-04 09:00:00'"],
    "changes-were-told": [
        "UPDATE destination SET usable_from = '2026-10-04 09:00:00'",
        "DELETE FROM notice WHERE key LIKE 'destination-confirmed/%'",
    ],
}


def provider_account(name: str) -> str:
    return row(
        "provider_account",
        id=f"pac_{name}",
        maintainer_id=Sql(SOMEBODY),
        provider="stripe",
        key=f"open-{name}",
        request="{}",
        country="US",
        account_id=f"acct_{name}",
        status="active",
        payouts_status="active",
        requirements="",
        created_at=PLANTED_AT,
        checked_at=PLANTED_AT,
    )


PROVIDER: Plants = {
    "one-live-provider-account": [
        "DROP INDEX uq_provider_account_live",
        provider_account("x"),
        provider_account("y"),
    ],
    "paid-into-an-account": ["UPDATE payout SET rail = 'stripe'"],
    "stored-events-promised": [
        row(
            "provider_event",
            id="evt_x",
            provider="stripe",
            event_id="evt_x",
            endpoint="platform",
            type="transfer.reversed",
            livemode=False,
            happened_at=PLANTED_AT,
            received_at=PLANTED_AT,
            state="stored",
            alarm=False,
        )
    ],
    "movements-booked": [
        row(
            "provider_movement",
            id="mov_x",
            provider="stripe",
            reference="txn_x",
            type="topup",
            amount_minor=500,
            fee_minor=0,
            net_minor=500,
            currency="USD",
            made_at=PLANTED_AT,
            seen_at=PLANTED_AT,
            treatment="booked",
        )
    ],
}


# --- Runs, their payouts, and what the bank says of them ---


def another_payout(name: str, state: str) -> list[str]:
    """A payout of a cent in a run of its own, to who was paid already."""
    return [
        row(
            "payout_run",
            id=f"run_{name}",
            number=f"RUN-{name}",
            currency="USD",
            state="draft",
            prepared_by="ada",
            prepared_at=PLANTED_AT,
            sole_approval=False,
        ),
        copied(
            "payout",
            "state = 'settled'",
            id=f"pay_{name}",
            run_id=f"run_{name}",
            amount_minor=1,
            state=state,
            reference=None,
            settled_on=None,
            paid_from=None,
        ),
    ]


def another_attempt(state: str, **changes: object) -> str:
    """A second attempt beside the one that paid who was settled."""
    paid = "payout_id = (SELECT id FROM payout WHERE state = 'settled')"
    return copied("payout_attempt", paid, id="att_x", number=2, key="x-2", state=state, **changes)


def policy(**changes: object) -> str:
    """What the firm had laid down before the run was approved."""
    laid_down = {"minimum_minor": 0, "approvals": 1, "approvals_when_large": 1, "window_days": 30, **changes}
    return row("payout_policy", id="pol_x", currency="USD", set_by="mallory", set_at="2026-10-01 09:00:00", **laid_down)


RUNS: Plants = {
    "payouts-in-transit": between("liabilities:payouts-in-transit", "maintainer_id", "maintainer"),
    "one-live-payout": [
        "DROP INDEX uq_payout_live",
        *another_payout("x", "planned"),
        *another_payout("y", "planned"),
    ],
    "payables-never-negative": between("liabilities:payables", "maintainer_id", "maintainer", MUCH),
    "approved-by-another": ["UPDATE payout_run SET approved_by = prepared_by"],
    "approvals-by-policy": [policy(approvals=2, approvals_when_large=2)],
    "approvals-counted": [f"UPDATE payout_approval SET voided_at = '{PLANTED_AT}', void_reason = 'Plant'"],
    "one-key-one-request": ["DROP INDEX uq_payout_attempt_live", another_attempt("sent")],
    "state-of-attempts": [*another_payout("x", "refused"), another_attempt("sent", payout_id="pay_x")],
    "reversed-no-more-than-paid": [
        row(
            "payout_reversal",
            beside="payout WHERE state = 'settled'",
            id="rev_x",
            payout_id=Sql("id"),
            reference="trr_x",
            amount_minor=Sql("amount_minor"),
            currency=Sql("currency"),
            reversed_on="2026-11-05",
            created_at=PLANTED_AT,
        )
    ],
    "sent-has-attempt": ["UPDATE payout_attempt SET state = 'refused'"],
    "runs-as-their-payouts": [
        (
            "UPDATE payout_run SET state = CASE state WHEN 'settled' THEN 'releasing' ELSE 'settled' END"
            " WHERE state IN ('releasing', 'settled', 'partly-settled')"
        )
    ],
    "settled-booked": ["UPDATE journal_entry SET source = 'other:1' WHERE source LIKE 'payout-settled:%'"],
}

PREPARER = "(SELECT prepared_by FROM payout_run)"
MORE_PAYOUTS: MorePlants = [
    # Nothing cools off, and nobody is told.
    (
        "changes-were-told",
        [
            copied(
                "destination",
                f"maintainer_id = {SOMEBODY}",
                id="dst_0",
                state="replaced",
                replaced_at=Sql("decided_at"),
            ),
            "DELETE FROM notice WHERE key LIKE 'destination-confirmed/%'",
        ],
    ),
    # The first of several approvers was the preparer; the last was not.
    (
        "approved-by-another",
        [copied("payout_approval", "TRUE", id="apr_x", approved_by=Sql(PREPARER))],
    ),
    # It says that the firm allowed it, and the firm never did.
    ("approved-by-another", ["UPDATE payout_approval SET sole = TRUE"]),
    ("approvals-by-policy", [policy(approvals_when_large=2, large_above_minor=100_000)]),
    # What is under way holds nothing that could be asked for again.
    ("settled-booked", ["UPDATE payout SET settled_on = '2027-01-31' WHERE state = 'settled'"]),
    ("one-key-one-request", ["UPDATE payout_attempt SET request = ''"]),
    ("one-key-one-request", ["UPDATE payout_attempt SET request_digest = 'h'"]),
]


def bank_file(kind: str, **balances: object) -> str:
    return row(
        "bank_file",
        id="bfl_x",
        sha256="h",
        kind=kind,
        version="08",
        message_id="M2",
        content_sealed="s",
        received_at=PLANTED_AT,
        received_by="mallory",
        **balances,
    )


def bank_line(state: str, action: str, direction: str | None) -> str:
    """A line about the payout that has left and not arrived."""
    return row(
        "bank_line",
        beside="payout WHERE state = 'sent'",
        id="bln_x",
        file_id="bfl_x",
        number=1,
        payout_id=Sql("id"),
        action=action,
        direction=direction,
        amount_minor=Sql("amount_minor"),
        currency=Sql("currency"),
        code="PMNT",
        reference="M1",
        state=state,
        note="",
    )


BANK: Plants = {
    "bank-statement-adds-up": [
        bank_file("camt.053", account_last4="0000", currency="USD", opening_minor=0, closing_minor=0),
        bank_line("waiting", "settle", "debit"),
    ],
    "bank-line-settled": [
        bank_file(
            "camt.053",
            account_last4="0000",
            currency="USD",
            opening_minor=Sql("(SELECT amount_minor FROM payout WHERE state = 'sent')"),
            closing_minor=0,
        ),
        bank_line("settled", "settle", "debit"),
    ],
    "bank-line-returned": [bank_file("pain.002"), bank_line("rejected", "reject", None)],
}
